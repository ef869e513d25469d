//! Figures of a plan that its points show.

use super::answer::{Stage, WorkloadLatency};
use crate::explain::summary;
use crate::recommendation::{Deployment, Plan};
use crate::requirements::{Requirements, Workload};

/// Less than this share of a workload is nothing.
const NOTHING: f64 = 1e-6;

/// p95 of each workload at its slowest target, and over its requests.
pub(super) fn latency(requirements: &Requirements, plan: &Plan) -> Vec<WorkloadLatency> {
    let of_workload = |workload: &Workload| {
        let mut worst = Some(0.0f64);
        let mut sum = Some(0.0);
        let mut requests = 0.0;
        for route in plan.routing.iter().filter(|route| route.workload == workload.name) {
            let row = plan.measures.iter().filter(|row| row.measure == "e2e_ms_p95");
            // A premium part at the same target has a row of its own; the slower of the two counts for both.
            let rows = row.filter(|row| row.target == route.target && row.workload == route.workload);
            let measured = || {
                let deployed = plan.deployments.iter().find(|deployment| deployment.id == route.target)?;
                requirements.measured.iter().find(|row| row.option == deployed.model)?.e2e_ms_p95
            };
            let ms = rows.map(|row| row.value).reduce(f64::max).or_else(measured);
            worst = worst.zip(ms).map(|(known, ms)| known.max(ms));
            sum = sum.zip(ms).map(|(known, ms)| known + route.share * ms);
            requests += route.share;
        }
        let there = requests > NOTHING;
        WorkloadLatency {
            workload: workload.name.clone(),
            e2e_ms_p95_worst: worst.filter(|_| there),
            e2e_ms_p95_mean: sum.filter(|_| there).map(|sum| sum / requests),
        }
    };
    requirements.workloads.iter().map(of_workload).collect()
}

/// Hours a month in which any request goes to a hosted model.
pub(super) fn overflow_hours(requirements: &Requirements, plan: &Plan) -> f64 {
    let cloud = |id: &str| plan.deployments.iter().any(|one| one.id == id && one.api.is_some());
    let routes = || plan.routing.iter().filter(|route| cloud(&route.target));
    let waits = |name: &str| plan.deferral.iter().any(|row| row.workload == name);
    let mut hours = 0.0;
    for (at, slot) in requirements.slots().iter().enumerate() {
        let any = routes().any(|route| {
            let share = route.by_hour.as_ref().map_or(route.share, |hours| hours[at]);
            let workload = requirements.workloads.iter().find(|workload| workload.name == route.workload);
            let arrives = workload.is_some_and(|workload| workload.rps(slot) > 0.0 || waits(&workload.name));
            share > NOTHING && arrives
        });
        hours += if any { slot.hours_per_month } else { 0.0 };
    }
    hours
}

/// Replicas of own engines in a slot.
pub(super) fn replicas_in(plan: &Plan, slot: usize) -> u32 {
    plan.deployments
        .iter()
        .filter_map(|deployment| deployment.engine.as_ref())
        .map(|engine| engine.replicas_in(slot))
        .sum()
}

/// Replicas of own engines in the busiest hour.
pub(super) fn replicas(requirements: &Requirements, plan: &Plan) -> u32 {
    (0..requirements.slots().len()).map(|slot| replicas_in(plan, slot)).max().unwrap_or(0)
}

/// What runs.
pub(super) fn stage(requirements: &Requirements, plan: &Plan) -> Stage {
    Stage { kind: plan.kind, replicas: replicas(requirements, plan), summary: summary(plan) }
}

/// Mean replicas that are busy, and mean replicas there are, over the month.
pub(super) fn busy(requirements: &Requirements, plan: &Plan) -> (f64, f64) {
    let hours = requirements.hours_per_month;
    let slots = requirements.slots();
    let there: f64 = slots
        .iter()
        .enumerate()
        .map(|(at, slot)| f64::from(replicas_in(plan, at)) * slot.hours_per_month / hours)
        .sum();
    let mut busy = 0.0;
    for route in &plan.routing {
        let deployed = plan.deployments.iter().find(|deployment| deployment.id == route.target);
        let workload = requirements.workloads.iter().find(|workload| workload.name == route.workload);
        let (Some(deployed), Some(workload)) = (deployed, workload) else { continue };
        let name = if route.premium { format!("{} (premium)", workload.name) } else { workload.name.clone() };
        let Some(rps) = capacity_rps(requirements, deployed, &name) else { continue };
        busy += route.share * workload.mean_rps() * (1.0 - workload.response_hit) / rps;
    }
    (busy, there)
}

/// Requests/s of one replica for a class, load factor applied.
pub(super) fn capacity_rps(requirements: &Requirements, deployed: &Deployment, class: &str) -> Option<f64> {
    let load_factor = if deployed.mode == "measured" { 1.0 } else { 1.0 - requirements.headroom };
    let workload = class.trim_end_matches(" (premium)");
    let known = &deployed.engine.as_ref()?.capacity_rps;
    known.get(class).or_else(|| known.get(workload)).map(|rps| rps * load_factor).filter(|rps| *rps > 0.0)
}

/// USD/hour of one replica over the hours in which it runs, what is paid once spread over its months.
pub(super) fn usd_per_hour(requirements: &Requirements, deployed: &Deployment) -> Option<f64> {
    let engine = deployed.engine.as_ref()?;
    let slots = requirements.slots();
    let (mut usd, mut hours) = (0.0, 0.0);
    for paid in &engine.paid {
        usd += paid.usd_per_month + paid.usd_amortised;
        hours += slots
            .iter()
            .enumerate()
            .map(|(at, slot)| f64::from(paid.instances_in(at)) * slot.hours_per_month)
            .sum::<f64>();
    }
    let each = f64::from(engine.replicas) / f64::from(engine.instances.max(1));
    (hours > 0.0 && each > 0.0).then(|| usd / hours / each)
}
