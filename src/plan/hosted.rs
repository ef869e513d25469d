//! Hosted models of a plan, in the lead or behind another target: deployments, bill lines and routes.

use std::collections::BTreeMap;

use super::Maker;
use super::ways::Column;
use crate::bill;
use crate::catalog::ServiceTier;
use crate::formulate::Source;
use crate::recommendation::{ApiTerms, BillLine, Deployment, Scored};

impl Maker<'_, '_, '_> {
    pub(super) fn cloud_part(&mut self) {
        for (a, (source, behind)) in self.formulated.hosted.iter().enumerate() {
            if !self.point.uses_hosted(&self.formulated.program, a) {
                continue;
            }
            let at = match source {
                Source::Catalog(at) => at,
                Source::Measured(at) => {
                    self.measured_hosted(a, *at);
                    continue;
                }
                Source::Serverless(at) => {
                    self.serverless(a, *at);
                    continue;
                }
            };
            for (c, class) in self.field.classes.iter().enumerate() {
                let shares = self.passed.cloud[c][a].clone();
                if shares.iter().all(|share| *share <= 0.0) {
                    continue;
                }
                let option = &self.field.hosted[*at];
                let requests = self.requests(c, &shares);
                let up = if behind.is_some() { option.uptime.unwrap_or(1.0) } else { 1.0 };
                let price = option.terms[c].usd_per_request;
                let usd = bill::line(requests * up * price);
                let id = self.hosted_deployment(*at, false);
                let item = format!(
                    "{} · {}: {:.0} requests at ${:.6}",
                    option.label(),
                    class.name(),
                    requests * up,
                    price
                );
                self.bill.push(BillLine { item, usd_per_month: usd });
                self.pay(&id, usd);
                let fallback = behind.map(|f| {
                    let price = self.field.hosted[f].terms[c].usd_per_request;
                    self.expected_fallback(f, c, requests * (1.0 - up), price)
                });
                self.hosted_measures(*at, c, &id);
                let direct = self.point.cloud[c][a].clone();
                self.route(c, &id, &direct, fallback);
                self.way_routes(c, Column::Hosted(a), &id);
            }
        }
    }

    fn measured_hosted(&mut self, a: usize, at: usize) {
        let row = &self.question.requirements.measured[at];
        let id = format!("d{}", self.deployments.len() + 1);
        let mut total = 0.0;
        for (c, class) in self.field.classes.iter().enumerate() {
            let shares = self.passed.cloud[c][a].clone();
            let requests = self.requests(c, &shares);
            let price = row.usd_per_request.get(&class.workload.name).copied().unwrap_or(0.0);
            if shares.iter().any(|share| *share > 0.0) {
                let usd = bill::line(requests * price);
                total += usd;
                let item = format!(
                    "{} (measured) · {}: {requests:.0} requests at ${price:.6}",
                    row.option,
                    class.name()
                );
                self.bill.push(BillLine { item, usd_per_month: usd });
                let direct = self.point.cloud[c][a].clone();
                self.route(c, &id, &direct, None);
                self.way_routes(c, Column::Hosted(a), &id);
            }
        }
        self.deployments.push(Deployment {
            id,
            label: row.option.clone(),
            model: row.option.clone(),
            mode: "measured".to_owned(),
            provider: "measured".to_owned(),
            engine: None,
            api: Some(ApiTerms {
                tier: "standard".to_owned(),
                usd_per_mtok_input: 0.0,
                usd_per_mtok_output: 0.0,
                usd_per_request: row.usd_per_request.clone(),
                uptime: None,
            }),
            quality: row.quality_index.map(|index| Scored { index, sd: 0.0 }),
            usd_per_month: bill::line(total),
            fallback_only: false,
        });
    }

    pub(super) fn expected_fallback(
        &mut self,
        at: usize,
        class: usize,
        requests: f64,
        usd_per_request: f64,
    ) -> String {
        let id = self.hosted_deployment(at, true);
        let usd = bill::line(requests * usd_per_request);
        let item = format!(
            "{} as fallback · {}: {requests:.0} requests expected at ${usd_per_request:.6}",
            self.field.hosted[at].label(),
            self.field.classes[class].name()
        );
        self.bill.push(BillLine { item, usd_per_month: usd });
        self.pay(&id, usd);
        id
    }

    /// The deployment of a hosted option, made when first needed.
    fn hosted_deployment(&mut self, at: usize, fallback_only: bool) -> String {
        let option = &self.field.hosted[at];
        let label = option.label();
        let known = self.deployments.iter_mut().find(|deployment| {
            deployment.api.is_some() && deployment.model == option.api.id && deployment.mode == option.mode
        });
        if let Some(deployment) = known {
            deployment.fallback_only &= fallback_only;
            return deployment.id.clone();
        }
        let id = format!("d{}", self.deployments.len() + 1);
        let usd_per_request: BTreeMap<String, f64> = self
            .field
            .classes
            .iter()
            .zip(&option.terms)
            .filter(|(_, terms)| terms.refusal.is_none())
            .map(|(class, terms)| (class.name(), terms.usd_per_request))
            .collect();
        self.deployments.push(Deployment {
            id: id.clone(),
            label,
            model: option.api.id.clone(),
            mode: option.mode.to_owned(),
            provider: option.api.provider.clone(),
            engine: None,
            api: Some(ApiTerms {
                tier: match option.api.tier {
                    ServiceTier::Standard => "standard",
                    ServiceTier::Batch => "batch",
                    ServiceTier::Flex => "flex",
                }
                .to_owned(),
                usd_per_mtok_input: option.api.input.get(),
                usd_per_mtok_output: option.api.output.get(),
                usd_per_request,
                uptime: option.uptime,
            }),
            quality: option.quality.as_ref().map(|q| Scored { index: q.index, sd: q.sd }),
            usd_per_month: 0.0,
            fallback_only,
        });
        id
    }

    fn pay(&mut self, id: &str, usd: f64) {
        if let Some(deployment) = self.deployments.iter_mut().find(|deployment| deployment.id == id) {
            deployment.usd_per_month = bill::line(deployment.usd_per_month + usd);
        }
    }
}
