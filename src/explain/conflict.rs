//! The rules that cannot all hold: a minimal set, sufficient (these alone still fail) and necessary (drop any one and a
//! plan exists).
//!
//! Deletion filter (Chinneck 2008, ch. 6) over *rules*, those that refused candidates before solving included: a world
//! without a rule re-admits the candidates that rule refused.

use crate::candidate::Question;
use crate::formulate::field;
use crate::requirements::{LatencyMeasure, Requirements, Routing};
use crate::search::solve_mixed;
use crate::solve::{Outcome, Solved};

/// Rules that a request can do without, in the order they are tried.
pub const MOVABLE: [&str; 25] = [
    "retired",
    "licence",
    "deny",
    "allow",
    "gpus",
    "owned",
    "power_kw",
    "max_deployments",
    "max_replicas",
    "min_replicas",
    "rate_limit",
    "memory_gib_per_server",
    "needs",
    "premium_share",
    "context_tokens",
    "data",
    "routing",
    "availability",
    "usd_upfront",
    "usd_per_request",
    "tpot_ms",
    "ttft_ms",
    "e2e_ms",
    "quality_mean",
    "quality",
];
/// As good as no limit on what is paid at once, USD.
const UPFRONT_FREE: f64 = 1e12;
/// The budget comes last: people ask about it first, so it stays in a conflict where it can.
const BUDGET: &str = "usd_per_month";

/// The request without a rule; `None` where it does not have that rule.
#[must_use]
pub fn without(requirements: &Requirements, rule: &str) -> Option<Requirements> {
    let mut free = requirements.clone();
    let drop_latency = |free: &mut Requirements, measure: LatencyMeasure| {
        for workload in &mut free.workloads {
            workload.latency.retain(|limit| limit.measure != measure);
        }
    };
    match rule {
        "retired" => free.include_retired = true,
        "deny" => free.deny = crate::requirements::Filter::default(),
        "allow" => {
            let licences = std::mem::take(&mut free.allow.licences);
            free.allow = crate::requirements::Filter { licences, ..Default::default() };
        }
        "licence" => free.allow.licences.clear(),
        "gpus" => free.limits.gpus.clear(),
        "power_kw" => free.limits.power_kw = None,
        "rate_limit" => free.limits.apis.clear(),
        "max_deployments" => free.limits.max_deployments = None,
        "memory_gib_per_server" => free.limits.memory_gib_per_server = None,
        "max_replicas" => free.measured.iter_mut().for_each(|row| row.max_replicas = None),
        "needs" => free.workloads.iter_mut().for_each(|workload| workload.needs.clear()),
        "premium_share" => free.workloads.iter_mut().for_each(|workload| workload.premium = None),
        "context_tokens" => {
            for workload in &mut free.workloads {
                let lengths = &workload.lengths;
                let known =
                    lengths.points.iter().map(|(input, output, _)| input + output).fold(0.0, f64::max);
                workload.context_tokens = workload.context_tokens.min(known);
            }
        }
        "data" => free.workloads.iter_mut().for_each(|workload| workload.data.clear()),
        "routing" => free.routing = Routing::Hybrid,
        "availability" => free.availability = None,
        "min_replicas" => free.limits.min_replicas = None,
        // A limit on what is paid at once; where there is none nothing is bought, because nobody asked.
        "usd_upfront" => {
            free.budget.usd_upfront = free.budget.usd_upfront.map(|_| UPFRONT_FREE);
        }
        "usd_per_request" => free.budget.usd_per_request = None,
        "usd_per_month" => free.budget.usd_per_month = None,
        "tpot_ms" => drop_latency(&mut free, LatencyMeasure::Tpot),
        "ttft_ms" => drop_latency(&mut free, LatencyMeasure::Ttft),
        "e2e_ms" => drop_latency(&mut free, LatencyMeasure::E2e),
        "quality_mean" => free.workloads.iter_mut().for_each(|workload| workload.quality_mean = None),
        "quality" => free.workloads.iter_mut().for_each(|workload| workload.quality = None),
        _ => return None,
    }
    (free != *requirements).then_some(free)
}

/// The best plan of a request, if one exists.
#[must_use]
pub fn best(question: &Question<'_, '_>, requirements: &Requirements) -> Option<Solved> {
    let about = question.about(requirements);
    let mut field = field(&about);
    match solve_mixed(&about, &mut field, None).outcome {
        Outcome::Solved(solved) => Some(solved),
        Outcome::Infeasible { .. } | Outcome::Unknown(_) => None,
    }
}

/// A minimal conflicting set of rules, in the order people read: budget, latency, quality first.
#[must_use]
pub fn minimal(question: &Question<'_, '_>) -> Vec<String> {
    let mut world = question.requirements.clone();
    let mut kept: Vec<String> = Vec::new();
    for rule in MOVABLE.into_iter().chain([BUDGET]) {
        let Some(free) = without(&world, rule) else { continue };
        if best(question, &free).is_some() {
            kept.push(rule.to_owned()); // needed: without it there is a plan
        } else {
            world = free; // not needed: the rest still fails
        }
    }
    kept.reverse();
    kept
}
