//! The independent checker: re-derives every promise of a plan from the request and the catalog.
//!
//! In: requirements, catalog, rules, a [`Plan`]. Out: every rule the plan breaks, with the figures. It shares no code
//! with `program/`, `solve.rs`, `formulate/`, `candidate/` or `plan/`, and believes no number of the plan that it
//! can compute: prices come from the catalog, latencies from the oracle, sums from its own additions.

mod availability;
mod carbon;
mod counts;
mod custom;
mod engine;
mod hosted;
mod measured;
mod money;
mod paid;
mod quality_mean;
mod routes;
mod serverless;
mod share;
mod shared;
mod spot;
mod waiting;
mod ways;

use std::collections::BTreeMap;
use std::fmt;

pub use quality_mean::mean_index;
pub use share::{has_replicas, local_share};

use crate::catalog::{Catalog, glob_matches};
use crate::constraint::Rules;
use crate::quality;
use crate::recommendation::{Deployment, Plan, Route};
use crate::requirements::{QualityFloor, Requirements, Slot, Workload};

/// A rule the plan breaks.
#[derive(Debug, Clone, PartialEq)]
pub struct Broken {
    /// Id of the rule.
    pub rule: String,
    /// Which part of the plan, and the figures.
    pub what: String,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.rule, self.what)
    }
}

/// Money may differ by the rounding of a line for each line.
const MONEY_TOLERANCE: f64 = 1e-4;
/// Shares and loads may differ by what the program calls zero.
const SHARE_TOLERANCE: f64 = 1e-5;
/// Latencies at the planned rate may differ by the tolerance of the search for the rate.
const LATENCY_TOLERANCE: f64 = 5e-3;

/// Everything a plan breaks; empty for a good plan.
#[must_use]
pub fn verify(requirements: &Requirements, catalog: &Catalog, rules: &Rules, plan: &Plan) -> Vec<Broken> {
    let mut checker = Checker {
        requirements,
        catalog,
        plan,
        slots: requirements.slots(),
        released: BTreeMap::new(),
        capacities: BTreeMap::new(),
        broken: Vec::new(),
    };
    checker.structure();
    checker.waiting();
    checker.money();
    for deployment in &plan.deployments {
        checker.deployment(deployment);
    }
    checker.demand();
    checker.ways();
    checker.quality_mean();
    checker.carbon();
    checker.counts();
    checker.rate_limits();
    checker.availability();
    checker.custom(rules);
    checker.broken
}

struct Checker<'v> {
    requirements: &'v Requirements,
    catalog: &'v Catalog,
    plan: &'v Plan,
    /// Hours between which rates may differ.
    slots: Vec<Slot>,
    /// Requests/s by slot of each workload's ordinary (false) and premium part, after every wait.
    released: BTreeMap<(&'v str, bool), Vec<f64>>,
    /// Requests/s of one replica by deployment and workload, re-derived here.
    capacities: BTreeMap<(&'v str, &'v str), f64>,
    broken: Vec<Broken>,
}

impl<'v> Checker<'v> {
    fn break_rule(&mut self, rule: &str, what: impl Into<String>) {
        self.broken.push(Broken { rule: rule.to_owned(), what: what.into() });
    }

    fn share_in(route: &Route, slot: usize) -> f64 {
        route.by_hour.as_ref().map_or(route.share, |hours| hours.get(slot).copied().unwrap_or(0.0))
    }

    /// Requests/s of a workload that reach a model in a slot, to be billed.
    fn billed_rps(&self, workload: &Workload, slot: usize) -> f64 {
        self.part_rps(workload, false, slot) + self.part_rps(workload, true, slot)
    }

    /// Requests/s that a route must be able to carry in a slot.
    fn arriving_rps(&self, route: &Route, workload: &Workload, slot: usize) -> f64 {
        Self::share_in(route, slot) * self.billed_rps(workload, slot) * workload.peak_factor
    }

    /// A slot as messages name it: `hour 7`, `hour 7 at weekends`.
    fn hour_of(&self, slot: usize) -> String {
        let Slot { hour, weekend, .. } = self.slots[slot];
        format!("hour {hour}{}", if weekend { " at weekends" } else { "" })
    }

    fn workload(&self, name: &str) -> Option<&'v Workload> {
        self.requirements.workloads.iter().find(|workload| workload.name == name)
    }

    fn deployed(&self, id: &str) -> Option<&'v Deployment> {
        self.plan.deployments.iter().find(|deployment| deployment.id == id)
    }

    fn routes_to<'s>(&'s self, id: &'s str) -> impl Iterator<Item = &'v Route> + 's {
        self.plan.routing.iter().filter(move |route| route.target == id)
    }

    fn served<'s>(&'s self, id: &'s str) -> Vec<&'v Workload> {
        let mut all: Vec<&Workload> = Vec::new();
        for route in self.routes_to(id) {
            if let Some(workload) = self.workload(&route.workload)
                && !all.iter().any(|known| known.name == workload.name)
            {
                all.push(workload);
            }
        }
        all
    }

    /// Workloads that a deployment serves, also as a fallback.
    fn reached(&self, id: &str) -> Vec<&'v Workload> {
        let reaches = |route: &Route| route.target == id || route.fallback.as_deref() == Some(id);
        let serves = |workload: &&Workload| {
            self.plan.routing.iter().any(|route| route.workload == workload.name && reaches(route))
        };
        self.requirements.workloads.iter().filter(serves).collect()
    }

    fn deployment(&mut self, deployment: &'v Deployment) {
        if deployment.mode == "measured" {
            self.measured(deployment);
        } else if let Some(engine) = &deployment.engine
            && engine.billing == "serverless"
        {
            self.serverless(deployment, engine);
        } else if let Some(engine) = &deployment.engine {
            self.engine(deployment, engine);
            self.spot(deployment, engine);
        } else {
            self.hosted(deployment);
        }
    }

    fn needs(&mut self, deployment: &Deployment, workload: &Workload, has: &[String], thinks: bool) {
        for need in &workload.needs {
            if !has.contains(need) || (need == "reasoning" && !thinks) {
                self.break_rule("needs", format!("{} is not known to have {need}", deployment.label));
            }
        }
    }

    fn floor_of(
        &mut self,
        deployment: &Deployment,
        route: &Route,
        scored: impl Fn() -> Option<quality::Scored>,
    ) {
        let Some(workload) = self.workload(&route.workload) else { return };
        let premium = workload.premium.as_ref().map(|premium| &premium.floor);
        let floor: Option<&QualityFloor> = if route.premium { premium } else { workload.quality.as_ref() };
        let Some(floor) = floor else { return };
        let subject = self
            .catalog
            .model(&deployment.model)
            .and_then(|model| model.quality_subject.clone())
            .filter(|_| deployment.engine.is_some())
            .or_else(|| {
                self.catalog
                    .api_on(&deployment.model, self.requirements.as_of)
                    .and_then(|api| api.quality_subject.clone())
            });
        let verdict = quality::judge(
            self.catalog,
            self.requirements.as_of,
            floor,
            scored().as_ref(),
            subject.as_deref(),
        );
        if verdict != quality::Verdict::Passes {
            let rule = if matches!(floor, QualityFloor::Benchmark { .. }) { "benchmark" } else { "quality" };
            self.break_rule(rule, format!("{}: {verdict:?}", deployment.label));
        }
    }
}

/// Does a glob of a list match one of the names?
fn listed(list: &[String], names: &[&str]) -> bool {
    list.iter().any(|glob| names.iter().any(|name| glob_matches(glob, name)))
}
