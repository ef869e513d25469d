//! Hosted models: price in force, words, window, data, floor and latency of one deployment, by the facts.

use super::{Checker, listed};
use crate::estimate::api_latency;
use crate::quality;
use crate::recommendation::{Deployment, Route};

impl Checker<'_> {
    pub(super) fn hosted(&mut self, deployment: &Deployment) {
        let day = self.requirements.as_of;
        let label = deployment.label.clone();
        let Some(api) = self.catalog.api_on(&deployment.model, day) else {
            return self.break_rule("in_force", format!("{label} has no price on {day}"));
        };
        if api.retired.is_some_and(|retired| retired <= day) && !self.requirements.include_retired {
            self.break_rule("retired", format!("{label} is retired"));
        }
        let names: Vec<&str> = api.names().collect();
        let (a, d) = (&self.requirements.allow, &self.requirements.deny);
        if listed(&d.models, &names) || listed(&d.providers, &[&api.provider]) {
            self.break_rule("deny", label.clone());
        } else if (!a.models.is_empty() && !listed(&a.models, &names))
            || (!a.providers.is_empty() && !listed(&a.providers, &[&api.provider]))
        {
            self.break_rule("allow", label.clone());
        }
        // Workloads that it serves, also as a fallback.
        let reached: Vec<&Route> = self
            .plan
            .routing
            .iter()
            .filter(|route| route.target == deployment.id || route.fallback.as_ref() == Some(&deployment.id))
            .collect();
        for route in reached {
            let Some(workload) = self.workload(&route.workload) else { continue };
            let extra = self.extra_api(deployment, workload);
            let longest = workload.lengths.points.iter().map(|(_, out, _)| *out).fold(0.0, f64::max) + extra;
            if workload.context_tokens + extra > f64::from(api.max_context) {
                self.break_rule("context_tokens", format!("{label}: window of {}", api.max_context));
            }
            if api.max_output.is_some_and(|most| longest > f64::from(most)) {
                self.break_rule("max_output", format!("{label}: answers of {longest:.0} tokens"));
            }
            let thinks = !api.thinking || deployment.mode == "default";
            self.needs(deployment, workload, &api.has, thinks);
            for word in &workload.data {
                let (rule, known) = match word.as_str() {
                    "no-training" => ("data_no_training", api.no_training),
                    "eu-only" => ("data_eu_only", api.in_eu),
                    _ => ("data_on_premises", Some(false)),
                };
                if known != Some(true) {
                    self.break_rule(rule, label.clone());
                }
            }
            self.floor_of(deployment, route, || quality::of_api(self.catalog, api, &deployment.mode));
            let fact = self.catalog.latency_of(api);
            let latency = fact
                .map(|fact| api_latency(fact, &workload.lengths.points, extra, self.requirements.confidence));
            for limit in &workload.latency {
                let held =
                    latency.as_ref().map_or(f64::INFINITY, |l| l.of(limit.measure).at(limit.statistic));
                if held > limit.ms * (1.0 + 1e-9) {
                    let what = format!("{label}: {held:.0} ms, limit {:.0} ms", limit.ms);
                    self.break_rule(limit.measure.word(), what);
                }
            }
        }
    }
}
