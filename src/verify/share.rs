//! The share of own engines, from the routes of a plan.

use std::collections::BTreeMap;

use crate::recommendation::{EngineSettings, Plan, Route};
use crate::requirements::Requirements;

/// Share of the requests of a month that reach a model which own engines serve, 0 to 1. A request on its way through a
/// router or a cascade counts to each side by the targets it passes there; what a fallback takes over counts to the
/// target it stands behind.
#[must_use]
pub fn local_share(requirements: &Requirements, plan: &Plan) -> f64 {
    let (mut own, mut all) = (0.0, 0.0);
    let local =
        |route: &Route| plan.deployments.iter().any(|one| one.id == route.target && one.engine.is_some());
    // By way: answers, passes of own engines, all passes.
    let mut ways: BTreeMap<(&str, u32), (f64, f64, f64)> = BTreeMap::new();
    for route in &plan.routing {
        let Some(workload) = requirements.workloads.iter().find(|workload| workload.name == route.workload)
        else {
            continue;
        };
        // Shares are of the month, so it does not matter when work that waits is served.
        let requests = route.share * workload.mean_rps() * (1.0 - workload.response_hit);
        if let Some(via) = &route.via {
            let way = ways.entry((&route.workload, via.way)).or_default();
            way.0 += requests * via.answered;
            way.1 += if local(route) { requests } else { 0.0 };
            way.2 += requests;
            continue;
        }
        all += requests;
        own += if local(route) { requests } else { 0.0 };
    }
    for (answers, passes, passed) in ways.into_values().filter(|(_, _, passed)| *passed > 0.0) {
        all += answers;
        own += answers * passes / passed;
    }
    if all > 0.0 { own / all } else { 0.0 }
}

/// True where own engines have so many replicas in some hour and no more in any.
#[must_use]
pub fn has_replicas(requirements: &Requirements, plan: &Plan, count: u32) -> bool {
    let engines = || plan.deployments.iter().filter_map(|deployment| deployment.engine.as_ref());
    let there = |slot: usize| -> u32 {
        let of_engine = |engine: &EngineSettings| {
            let by_hour = engine.paid.iter().any(|paid| paid.instances_by_hour.is_some());
            let instances: u32 = engine.paid.iter().map(|paid| paid.instances_in(slot)).sum();
            if by_hour { engine.replicas * instances / engine.instances.max(1) } else { engine.replicas }
        };
        engines().map(of_engine).sum()
    };
    (0..requirements.slots().len()).map(there).max().unwrap_or(0) == count
}
