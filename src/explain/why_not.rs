//! Why not this one: an option that somebody names, reasonable or not, with the arithmetic.
//!
//! In: the words of a question, the request, the best plan. Out: [`WhyNot`]: its memory sum, every rule it breaks by itself,
//! its bill alone, and the price at which it would win.

mod name;

use super::alone::{Only, judge, wins_at};
use super::summary;
use crate::candidate::Question;
use crate::catalog::Precision;
use crate::catalog::precision::PrecisionFact;
use crate::estimate::{Ledger, Misfit, Unit, memory};
use crate::reason::{Quantity, Reason, Told};
use crate::recommendation::{MeasureRow, MemorySum, Plan, WhyNot};
use crate::requirements::{Objective, Requirements};
use name::{Named, named};

/// The answer that options are held against.
#[derive(Debug, Clone, Copy)]
pub struct Best<'p> {
    /// The plan.
    pub plan: &'p Plan,
    /// Its value of the objective, as it is shown.
    pub value: Option<f64>,
}

/// The verdict on an option by its name.
#[must_use]
pub fn why_not(question: &Question<'_, '_>, best: Option<Best<'_>>, asked: &str) -> WhyNot {
    match named(question.catalog, question.requirements.as_of, asked) {
        Named::Unknown { what, word, nearest } => {
            let reason = Reason::Unknown { who: word, what: what.to_owned(), nearest };
            empty(asked, asked.trim().to_owned(), reason, best)
        }
        Named::Known { only, label } => verdict(question, best, asked, only, label),
    }
}

fn empty(asked: &str, label: String, reason: Reason, best: Option<Best<'_>>) -> WhyNot {
    WhyNot {
        asked: asked.to_owned(),
        label,
        model: None,
        reason: reason.into(),
        also: Vec::new(),
        usd_per_month: None,
        summary: String::new(),
        best_usd_per_month: best.map(|best| best.plan.usd_per_month),
        wins_at: None,
        memory: Vec::new(),
        measures: Vec::new(),
    }
}

fn verdict(
    question: &Question<'_, '_>,
    best: Option<Best<'_>>,
    asked: &str,
    only: Only<'_>,
    label: String,
) -> WhyNot {
    let judged = judge(question, only, &label);
    let mut broken = judged.broken.into_iter();
    let reason = match (broken.next(), &judged.plan, best) {
        (Some(first), _, _) => first,
        (None, Some(plan), Some(best)) => compared(question, &label, (plan, judged.value), best),
        (None, plan, _) => {
            let usd = plan.as_ref().map_or(0.0, |plan| plan.usd_per_month);
            Reason::Dearer { who: label.clone(), usd_per_month: usd, best_usd_per_month: usd }
        }
    };
    let also: Vec<Told> = broken.map(Into::into).collect();
    let complies = !matches!(reason, Reason::Breaks { .. } | Reason::Forbidden { .. });
    let plan = judged.plan.as_ref();
    WhyNot {
        model: Some(match only {
            Only::Local { model, .. } => model.id.clone(),
            Only::Hosted(api) => api.id.clone(),
        }),
        also,
        usd_per_month: plan.map(|plan| plan.usd_per_month),
        summary: plan.map(summary).unwrap_or_default(),
        wins_at: plan
            .zip(best)
            .filter(|_| complies)
            .and_then(|(plan, best)| wins_at(question.requirements, plan, best.plan)),
        memory: memory_sums(question, only, plan),
        measures: plan.map(|plan| against_limits(question.requirements, plan)).unwrap_or_default(),
        ..empty(asked, label, reason, best)
    }
}

/// Why an option that complies alone is not the answer; or that it is.
#[must_use]
pub fn compared(
    question: &Question<'_, '_>,
    label: &str,
    (alone, value): (&Plan, Option<f64>),
    best: Best<'_>,
) -> Reason {
    // The label says everything but the layout.
    let what = |plan: &Plan| -> Vec<(String, String)> {
        plan.deployments.iter().map(|it| (it.model.clone(), it.label.clone())).collect()
    };
    let deployed = what(alone);
    if what(best.plan).iter().all(|one| deployed.contains(one)) {
        let workload = best.plan.routing.first().map(|route| route.workload.clone()).unwrap_or_default();
        return Reason::Serves { who: label.to_owned(), workload, share: 1.0 };
    }
    let unit = match question.requirements.objective {
        Objective::Cost => None,
        Objective::Latency => Some("ms"),
        Objective::Quality => Some("index"),
        Objective::Carbon => Some("kg CO2e/month"),
    };
    match (unit, value, best.value) {
        (Some(unit), Some(got), Some(best)) => Reason::WorseOn {
            who: label.to_owned(),
            got: Quantity::new(got, unit),
            best: Quantity::new(best, unit),
            usd_per_month: alone.usd_per_month,
        },
        _ => Reason::Dearer {
            who: label.to_owned(),
            usd_per_month: alone.usd_per_month,
            best_usd_per_month: best.plan.usd_per_month,
        },
    }
}

/// Latencies of a plan, held against the limits of the request, which the plan may have been made without.
fn against_limits(requirements: &Requirements, plan: &Plan) -> Vec<MeasureRow> {
    let of_class = plan.measures.iter().filter(|row| !row.workload.is_empty());
    of_class
        .map(|row| {
            let workload = requirements.workloads.iter().find(|workload| workload.name == row.workload);
            let limit = workload.and_then(|workload| {
                let same = |limit: &&crate::requirements::LatencyLimit| {
                    crate::plan::measure_name(limit.measure, limit.statistic) == row.measure
                };
                Some(workload.latency.iter().find(same)?.ms)
            });
            let limit = limit.or(row.limit);
            MeasureRow { limit, slack: limit.map(|limit| limit - row.held_to), ..row.clone() }
        })
        .collect()
}

/// The sum in the precision asked for, else as published, on as many GPUs as asked for, else on one; then that of its plan,
/// or, where it has none and does not fit, at four bits.
fn memory_sums(question: &Question<'_, '_>, only: Only<'_>, plan: Option<&Plan>) -> Vec<MemorySum> {
    let catalog = question.catalog;
    let Only::Local { model, gpu: Some(gpu), precision, gpus, .. } = only else { return Vec::new() };
    let unit = |fact: &PrecisionFact| {
        let fits = |engine: &&crate::catalog::Engine| {
            engine.candidate
                && engine.newest
                && fact.engines.contains(&engine.family)
                && engine.vendors.contains(&gpu.vendor)
        };
        let engine = catalog.engines.iter().find(fits)?;
        let gpus = gpus.unwrap_or(1);
        let tensor_parallel = if engine.family == "llama.cpp" { 1 } else { gpus };
        sum(
            question,
            &Unit {
                model,
                gpu,
                engine,
                gpus,
                tensor_parallel,
                pipeline_parallel: gpus / tensor_parallel,
                data_parallel: 1,
                expert_parallel: 1,
                weights: fact.id.clone(),
                kv_bytes: 2.0,
                max_batch: engine.default_batch(gpu),
                gpu_memory_utilization: engine.gpu_memory_utilization,
            },
        )
    };
    let first = precision.map_or_else(|| model.native.clone(), Precision::named);
    let mut sums: Vec<MemorySum> = catalog.precision(&first).and_then(unit).into_iter().collect();
    let deployed = plan.and_then(|plan| plan.deployments.first()?.unit(catalog));
    if let Some(deployed) = deployed.and_then(|unit| sum(question, &unit)) {
        sums.retain(|sum| (&sum.precision, sum.gpus) != (&deployed.precision, deployed.gpus));
        sums.push(deployed);
    } else if precision.is_none() && sums.iter().all(|sum| !sum.fits) {
        // Four bits are what people try next.
        let smaller =
            catalog.precisions.iter().filter(|fact| fact.id != first && fact.bytes_per_weight >= 0.5);
        sums.extend(smaller.filter_map(unit).min_by(|a, b| a.weights_gib.total_cmp(&b.weights_gib)));
    }
    sums
}

fn sum(question: &Question<'_, '_>, unit: &Unit<'_>) -> Option<MemorySum> {
    let longest = question.requirements.workloads.iter().map(|workload| workload.context_tokens);
    let longest = longest.fold(1.0, f64::max);
    let (ledger, one, fits) = match memory(question.catalog, unit, 1.0) {
        Ok(found) => {
            let ledger = Ledger {
                nominal_gb: unit.gpu.memory_gb,
                usable_gib: unit.gpu.usable.get(),
                utilization: unit.gpu_memory_utilization,
                weights_gib: found.weights_gib,
                activation_gib: found.activation_gib,
                non_torch_gib: found.non_torch_gib,
            };
            (ledger, Some(found.sequence_gib(longest)), found.sequences(longest) >= 1.0)
        }
        Err(Misfit::WeightsTooLarge { ledger, .. } | Misfit::PoolTooSmall { ledger, .. }) => {
            (ledger, None, false)
        }
        Err(
            Misfit::ContextTooLong { .. }
            | Misfit::HeadsNotDivisible { .. }
            | Misfit::LayoutImpossible { .. }
            | Misfit::PrecisionUnsupported { .. }
            | Misfit::EngineUnsupported { .. }
            | Misfit::NoFormula { .. },
        ) => return None,
    };
    Some(MemorySum {
        precision: unit.weights.to_string(),
        gpus: unit.gpus,
        gpu: unit.gpu.id.clone(),
        weights_gib: ledger.weights_gib,
        activation_gib: ledger.activation_gib,
        engine_gib: ledger.non_torch_gib,
        longest_request_gib: one,
        usable_gib: ledger.usable_gib,
        utilization: ledger.utilization,
        fits,
    })
}
