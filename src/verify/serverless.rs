//! Own engines billed by the second: cold start, latency, memory and price of one deployment, by the facts.
//!
//! Nothing is taken from the plan but what runs where and who is sent there: every request may find no engine warm.

use super::{Checker, LATENCY_TOLERANCE};
use crate::bill;
use crate::estimate::{Basis, Memory, Step, Traffic, alone_ms, cold_start_s, memory};
use crate::quality;
use crate::recommendation::{Deployment, EngineSettings};
use crate::requirements::{LatencyMeasure, Statistic, Workload};

impl<'v> Checker<'v> {
    pub(super) fn serverless(&mut self, deployment: &'v Deployment, engine: &EngineSettings) {
        let label = &deployment.label;
        let Some(unit) = self.unit(deployment) else { return };
        self.words_of_unit(deployment, engine, &unit);
        if engine.gpus_per_replica > engine.gpus_per_instance {
            self.break_rule("capacity", format!("{label}: {} GPUs of one", engine.gpus_per_replica));
        }
        let Some((step, memory)) = self.lone_engine(deployment, engine) else {
            return self.break_rule("weights_fit", format!("{label}: no engine of this form runs"));
        };
        if step.basis() == Basis::Assumed {
            self.break_rule("estimate_trusted", format!("{label}: the estimate is a judgement"));
        }
        let Some(start_s) = cold_start_s(self.catalog, &deployment.provider, &memory) else {
            return self.break_rule("estimate_trusted", format!("{label}: nobody knows its cold start"));
        };
        let thinks = unit.model.thinking_by_default && deployment.mode == "default";
        for workload in self.served(&deployment.id) {
            let extra = workload.thought_tokens(self.catalog, thinks);
            let need = workload.context_tokens + extra;
            if need > f64::from(unit.model.max_context)
                || memory.sequences(need) < 1.0
                || f64::from(engine.max_model_len) + 1.0 < need
            {
                self.break_rule("context_tokens", format!("{label}: {need} tokens do not fit"));
            }
            self.needs(deployment, workload, &unit.model.has, thinks || !unit.model.thinking_by_default);
            self.data_of_engine(deployment, engine, workload);
            if let Some(most) = self.requirements.limits.memory_gib_per_server
                && memory.required_gib(1.0, need) > most * (1.0 + 1e-6)
            {
                self.break_rule("memory_gib_per_server", format!("{label}: more than {most:.1} GiB"));
            }
            let traffic = lone_traffic(workload, extra);
            for limit in &workload.latency {
                let asked = (limit.measure, limit.statistic);
                let alone = alone_ms(&step, &memory, &traffic, self.requirements.confidence, asked);
                let start_ms = if limit.measure == LatencyMeasure::Tpot { 0.0 } else { start_s * 1000.0 };
                let held = alone.map_or(f64::INFINITY, |(_, held)| held + start_ms);
                // start + held <= limit
                if held > limit.ms * (1.0 + LATENCY_TOLERANCE) {
                    let what = format!("{label}: {held:.0} ms from cold, limit {:.0} ms", limit.ms);
                    self.break_rule(limit.measure.word(), what);
                }
            }
        }
        for route in self.plan.routing.iter().filter(|route| route.target == deployment.id) {
            self.floor_of(deployment, route, || {
                quality::of_model(self.catalog, unit.model, &deployment.mode, &unit.weights)
            });
        }
        // How many engines run at once is not known: nothing about GPUs and power can be promised.
        if self.requirements.limits.gpus.contains_key(&engine.gpu) {
            self.break_rule("gpus", format!("{label} runs as many as come"));
        }
        if self.requirements.limits.power_kw.is_some() {
            self.break_rule("power_kw", format!("{label} draws as much as comes"));
        }
    }

    /// USD of one request of a workload: price of a second x (cold start + service alone + keep-warm window).
    pub(super) fn serverless_usd(&mut self, deployment: &Deployment, workload: &Workload) -> f64 {
        let Some(engine) = &deployment.engine else { return f64::NAN };
        let price = self.engine_usd_per_hour(deployment, engine);
        let Some(keep_warm_s) = self.catalog.keep_warm_s(&deployment.provider) else { return f64::NAN };
        let seconds = self.lone_engine(deployment, engine).and_then(|(step, memory)| {
            let start_s = cold_start_s(self.catalog, &deployment.provider, &memory)?;
            let model = self.catalog.model(&deployment.model)?;
            let thinks = model.thinking_by_default && deployment.mode == "default";
            let traffic = lone_traffic(workload, workload.thought_tokens(self.catalog, thinks));
            let asked = (LatencyMeasure::E2e, Statistic::Mean);
            let (_, service_ms) = alone_ms(&step, &memory, &traffic, self.requirements.confidence, asked)?;
            Some(start_s + service_ms / 1000.0 + keep_warm_s)
        });
        bill::usd_of_seconds(price, seconds.unwrap_or(f64::NAN))
    }

    fn lone_engine(&self, deployment: &Deployment, engine: &EngineSettings) -> Option<(Step, Memory)> {
        let unit = deployment.unit(self.catalog)?;
        let memory = memory(self.catalog, &unit, f64::from(engine.max_model_len)).ok()?;
        Some((Step::new(self.catalog, &unit).ok()?, memory))
    }
}

fn lone_traffic(workload: &Workload, extra_output: f64) -> Traffic<'_> {
    Traffic {
        lengths: &workload.lengths,
        extra_output,
        prefix_hit: workload.prefix_hit,
        context_tokens: workload.context_tokens + extra_output,
    }
}
