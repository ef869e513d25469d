//! Hosted models: price in force, words, window, data, floor and latency of one deployment, by the facts.

use super::{Checker, SHARE_TOLERANCE, listed};
use crate::catalog::{Api, ServiceTier, glob_matches};
use crate::estimate::{answered_within, api_latency};
use crate::quality;
use crate::recommendation::{Deployment, Route};
use crate::requirements::RateLimit;

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
            let window = self.catalog.window_of(api).map(|fact| fact.value);
            // window <= deferrable_hours
            if api.tier != ServiceTier::Standard
                && window.is_none_or(|hours| hours > workload.deferrable_hours)
            {
                let what =
                    format!("{label}: answers within {window:?} h, {} may wait", workload.deferrable_hours);
                self.break_rule("deferrable_hours", what);
            }
            let fact = self.catalog.latency_of(api);
            let latency = window.map(answered_within).or_else(|| {
                let points = &workload.lengths.points;
                fact.map(|fact| api_latency(fact, points, extra, self.requirements.confidence))
            });
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

    /// What an API is sent in each hour, also for others that are down, stays within what it accepts in a minute.
    pub(super) fn rate_limits(&mut self) {
        for deployment in self.plan.deployments.iter().filter(|deployment| deployment.mode != "measured") {
            let Some(api) = deployment.api.as_ref().and_then(|_| self.price_row(deployment)) else {
                continue;
            };
            let names: Vec<&str> = api.names().collect();
            let asked = |figure: &dyn Fn(&RateLimit) -> Option<f64>| {
                let matching = |(glob, limit): (&String, &RateLimit)| {
                    names.iter().any(|name| glob_matches(glob, name)).then(|| figure(limit)).flatten()
                };
                self.requirements.limits.apis.iter().filter_map(matching).fold(None, least)
            };
            let requests_max = asked(&|limit| limit.requests_per_minute).or(api.requests_per_minute);
            let tokens_max = asked(&|limit| limit.tokens_per_minute).or(api.tokens_per_minute);
            // Both modes of an API draw on the same limit.
            let same: Vec<&Deployment> =
                self.plan.deployments.iter().filter(|other| other.model == deployment.model).collect();
            for slot in 0..self.slots.len() {
                let (mut requests, mut tokens) = (0.0, 0.0);
                for mode in &same {
                    let id = mode.id.as_str();
                    let reaches =
                        |route: &&Route| route.target == id || route.fallback.as_deref() == Some(id);
                    for route in self.plan.routing.iter().filter(reaches) {
                        let Some(workload) = self.workload(&route.workload) else { continue };
                        let per_minute = self.arriving_rps(route, workload, slot) * 60.0;
                        let (lengths, extra) = (&workload.lengths, self.extra_api(mode, workload));
                        requests += per_minute;
                        tokens += per_minute * (lengths.input_mean + lengths.output_mean + extra);
                    }
                }
                let over = [("requests", requests, requests_max), ("tokens", tokens, tokens_max)]
                    .into_iter()
                    .find(|(_, sent, most)| most.is_some_and(|most| *sent > most * (1.0 + SHARE_TOLERANCE)));
                if let Some((what, sent, most)) = over {
                    let most = most.unwrap_or(0.0);
                    let label = &deployment.label;
                    self.break_rule(
                        "rate_limit",
                        format!("{label}: {sent:.1} {what} a minute, at most {most}"),
                    );
                    break;
                }
            }
        }
    }

    fn price_row(&self, deployment: &Deployment) -> Option<&'_ Api> {
        self.catalog.api_on(&deployment.model, self.requirements.as_of)
    }
}

fn least(known: Option<f64>, next: f64) -> Option<f64> {
    Some(known.map_or(next, |known| known.min(next)))
}
