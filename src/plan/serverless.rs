//! Own engines billed by the second: deployments, bill lines, measures and routes.

use super::Maker;
use super::measures::{row, shown};
use crate::bill;
use crate::candidate::ServerlessOption;
use crate::candidate::local::traffic;
use crate::estimate::{alone_ms, waits_for_start};
use crate::recommendation::{BillLine, Deployment, EngineSettings, MeasureRow, Scored};

impl Maker<'_, '_, '_> {
    pub(super) fn serverless(&mut self, a: usize, at: usize) {
        let option = &self.field.serverless[at];
        let (hardware, unit) = (&option.hardware, &option.prospect.row.unit);
        let id = format!("d{}", self.deployments.len() + 1);
        let label = option.label();
        let (mut total, mut billed_s) = (0.0, 0.0);
        let mut longest: f64 = 0.0;
        for (c, class) in self.field.classes.iter().enumerate() {
            let shares = self.point.cloud[c][a].clone();
            if shares.iter().all(|share| *share <= 0.0) {
                continue;
            }
            let (requests, terms) = (self.requests(c, &shares), &option.terms[c]);
            let usd = bill::line(requests * terms.usd_per_request);
            total += usd;
            billed_s += requests * terms.billed_s;
            longest = longest.max(class.workload.context_tokens + option.prospect.shared.extra_output[c]);
            let item = format!(
                "{label} (serverless) · {}: {requests:.0} requests of at most {:.1} s at ${}/h",
                class.name(),
                terms.billed_s,
                hardware.usd_per_hour
            );
            self.bill.push(BillLine { item, usd_per_month: usd });
            let rows = self.serverless_measures(option, c, &id);
            self.measures.extend(rows);
            self.route(c, &id, &shares, None);
        }
        let memory = &option.prospect.row.memory;
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a window of tokens")]
        let max_model_len = longest.ceil() as u32;
        self.deployments.push(Deployment {
            id,
            label,
            model: option.prospect.model.id.clone(),
            mode: option.prospect.mode.to_owned(),
            provider: hardware.provider.clone(),
            engine: Some(EngineSettings {
                max_batch: 1,
                max_model_len,
                replicas: 1,
                offer: hardware.id.clone(),
                instance: hardware.instance.clone(),
                region: hardware.region.clone(),
                billing: hardware.billing().word().to_owned(),
                gpus_per_instance: hardware.gpus,
                usd_per_hour: hardware.usd_per_hour,
                memory_gib_per_server: memory.required_gib(1.0, longest),
                billed_s_per_month: Some(billed_s),
                ..EngineSettings::of(unit)
            }),
            api: None,
            quality: option.prospect.shared.quality.as_ref().map(|q| Scored { index: q.index, sd: q.sd }),
            usd_per_month: bill::line(total),
            fallback_only: false,
        });
    }

    /// Latencies of a request that finds no engine and has one to itself.
    fn serverless_measures(&self, option: &ServerlessOption<'_>, c: usize, id: &str) -> Vec<MeasureRow> {
        let class = &self.field.classes[c];
        let (step, memory) = (option.prospect.row.step(self.question.catalog), &option.prospect.row.memory);
        let traffic = traffic(class, option.prospect.shared.extra_output[c]);
        let confidence = self.question.requirements.confidence;
        let mut rows = Vec::new();
        for limit in shown(class) {
            let asked = (limit.0, limit.1);
            let Some((value, held)) = alone_ms(step, memory, &traffic, confidence, asked) else { continue };
            let start_ms = if waits_for_start(limit.0) { option.cold_start_s * 1000.0 } else { 0.0 };
            let mut estimate = step.estimate(asked, value, &traffic);
            estimate.value += start_ms;
            estimate.low += start_ms;
            estimate.high += start_ms;
            rows.push(row(class, id, limit, estimate, held + start_ms));
        }
        rows
    }
}
