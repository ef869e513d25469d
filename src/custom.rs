//! The user's own rules, folded into the request or held against candidates.
//!
//! In: the rules of `--constraints`. Out: a request in which those over money, power, deployments and latency stand as
//! limits of the request itself, and [`refusal`] for the rest. A rule over a measure that nothing here can hold is a
//! fault, never silently ignored.

use crate::constraint::{Rule, Rules};
use crate::error::{Error, Fault, Place};
use crate::measure::Measure;
use crate::reason::{Op, Refusal};
use crate::requirements::{LatencyLimit, LatencyMeasure, Requirements, Statistic, Workload};

/// The request with the user's rules as limits of its own.
///
/// # Errors
/// A rule whose measure and comparison no limit can state.
pub fn folded(requirements: &Requirements, rules: &Rules) -> Result<Requirements, Error> {
    let mut folded = requirements.clone();
    let mut faults = Vec::new();
    for rule in rules.custom_plan().chain(rules.custom_candidate()) {
        let mut latency = |measure, statistic| {
            for (workload, asked) in folded.workloads.iter_mut().zip(&requirements.workloads) {
                if let Some(ms) = rule.limit(requirements, Some(asked)) {
                    workload.latency.push(LatencyLimit { measure, statistic, ms });
                }
            }
        };
        let limit = rule.limit(requirements, None);
        match (rule.left, rule.op) {
            (Measure::E2eMsP95, Op::AtMost) => latency(LatencyMeasure::E2e, Statistic::P95),
            (Measure::TtftMsP95, Op::AtMost) => latency(LatencyMeasure::Ttft, Statistic::P95),
            (Measure::TpotMsMean, Op::AtMost) => latency(LatencyMeasure::Tpot, Statistic::Mean),
            (Measure::UsdPerMonth, Op::AtMost) => tighten(&mut folded.budget.usd_per_month, limit),
            (Measure::UsdPerRequest, Op::AtMost) => tighten(&mut folded.budget.usd_per_request, limit),
            (Measure::PowerKw, Op::AtMost) => tighten(&mut folded.limits.power_kw, limit),
            (Measure::MemoryGibPerServer, Op::AtMost) => {
                tighten(&mut folded.limits.memory_gib_per_server, limit)
            }
            (Measure::Deployments, Op::AtMost) => {
                #[allow(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "a count of at least 0"
                )]
                let most = limit.map(|most| most.floor().max(0.0) as u32);
                folded.limits.max_deployments = match (folded.limits.max_deployments, most) {
                    (Some(a), Some(b)) => Some(a.min(b)),
                    (a, b) => a.or(b),
                };
            }
            (
                Measure::QualityIndex
                | Measure::GpusPerReplica
                | Measure::UsdPerHour
                | Measure::ContextTokens,
                _,
            ) => {}
            _ => faults.push(unsupported(rule)),
        }
    }
    if faults.is_empty() { Ok(folded) } else { Err(Error::Faults(faults)) }
}

fn tighten(limit: &mut Option<f64>, by: Option<f64>) {
    *limit = match (*limit, by) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    };
}

fn unsupported(rule: &Rule) -> Fault {
    Fault {
        code: "E0390",
        place: Place { file: format!("{}.toml", rule.id), key: "left".to_owned(), ..Place::default() },
        cause: format!("a rule over `{}` with this comparison is not supported yet", rule.left),
        cure:
            "Use usd_per_month, usd_per_request, power_kw, deployments, memory_gib_per_server, e2e_ms_p95, \
               ttft_ms_p95 or tpot_ms_mean with <=, or quality_index, gpus_per_replica, usd_per_hour or \
               context_tokens with <= or >="
                .to_owned(),
    }
}

/// The first of the user's candidate rules that a figure breaks. `figure` gives the candidate's value of a measure:
/// outer `None` where the measure is not known at this point, inner `None` where it is unknown for good.
#[must_use]
pub fn refusal(
    rules: &Rules,
    requirements: &Requirements,
    workload: Option<&Workload>,
    figure: &dyn Fn(Measure) -> Option<Option<f64>>,
) -> Option<Refusal> {
    rules.custom_candidate().find_map(|rule| {
        let allowed = rule.limit(requirements, workload)?;
        match figure(rule.left)? {
            Some(got) if rule.op.holds(got, allowed) => None,
            Some(got) => Some(Refusal::figure(&rule.id, got, rule.op, allowed, rule.left.unit())),
            None => Some(Refusal::word(&rule.id, "unknown", format!("{allowed} {}", rule.left.unit()))),
        }
    })
}
