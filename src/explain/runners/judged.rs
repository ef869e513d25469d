//! A runner-up solved for by itself: its true bill, and the true reason why it lost.
//!
//! In: a verdict made from an estimate of its capacity around the clock. Out: the same option with all its ways to pay.

use super::names_its_options;
use crate::candidate::Question;
use crate::explain::alone::{Only, judge, wins_at};
use crate::explain::why_not::{Best, compared};
use crate::reason::Reason;
use crate::recommendation::{Kind, RunnerUp};

/// What complies by the estimate of its capacity is solved for alone, with all its ways to pay, hour by hour: only so is its
/// bill right, and only so do rules of the whole month, such as a mean quality, have their say.
pub(super) fn judged(
    question: &Question<'_, '_>,
    best: Best<'_>,
    runner: RunnerUp,
    gpu: Option<&str>,
) -> RunnerUp {
    let Reason::Dearer { usd_per_month, .. } = &runner.reason.fact else { return runner };
    let catalog = question.catalog;
    // A request that names its options has a verdict on each precision.
    let weights =
        runner.label.split(" on ").next().and_then(|unit| unit.rsplit_once(' ')).map(|(_, word)| word);
    let precision = catalog
        .precisions
        .iter()
        .map(|fact| fact.id.0.as_str())
        .find(|id| names_its_options(question) && Some(*id) == weights);
    let only = match (runner.kind, gpu.and_then(|gpu| catalog.gpu(gpu))) {
        (Kind::Local, Some(gpu)) => catalog.model(&runner.model).map(|model| Only::Local {
            model,
            gpu: Some(gpu),
            precision,
            gpus: None,
            provider: None,
        }),
        // The bill of a hosted model is a product already; only other rules than its price need solving for.
        (Kind::Cloud, _) if *usd_per_month <= best.plan.usd_per_month => {
            catalog.api_on(&runner.model, question.requirements.as_of).map(Only::Hosted)
        }
        (Kind::Local | Kind::Cloud | Kind::Hybrid, _) => None,
    };
    let Some(only) = only.filter(|_| question.requirements.measured.is_empty()) else { return runner };
    let alone = judge(question, only, &runner.label);
    // What runs may be laid out otherwise than the estimate had it.
    let label = match alone.plan.as_ref().map(|plan| plan.deployments.as_slice()) {
        Some([one]) => one.label.clone(),
        _ => runner.label.clone(),
    };
    let mut broken = alone.broken.into_iter();
    let (reason, wins) = match (broken.next(), &alone.plan) {
        (Some(first), _) => (first, None),
        (None, Some(plan)) => (
            compared(question, &label, (plan, alone.value), best),
            wins_at(question.requirements, plan, best.plan),
        ),
        (None, None) => return runner,
    };
    // It is in the plan, beside others that it needs.
    if matches!(reason, Reason::Serves { .. }) {
        return runner;
    }
    RunnerUp {
        usd_per_month: alone.plan.map(|plan| plan.usd_per_month).or(runner.usd_per_month),
        reason: reason.into(),
        also: broken.map(Into::into).collect(),
        wins_at: wins,
        label,
        ..runner
    }
}
