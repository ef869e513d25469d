//! Rules that own engines and hosted models share: floors, latency limits, trust in an estimate.

use super::Question;
use super::class::Class;
use crate::estimate::Basis;
use crate::measure::Measure;
use crate::quality::{self, Scored, Verdict};
use crate::reason::{Op, Refusal};
use crate::requirements::{LatencyMeasure, Objective, QualityFloor, Statistic};

/// The quality floor of a class, tier, index or raw benchmark.
#[must_use]
pub fn floor_refusal(
    question: &Question<'_, '_>,
    class: &Class<'_>,
    scored: Option<&Scored>,
    subject: &Option<String>,
) -> Option<Refusal> {
    let index = |measure| (measure == Measure::QualityIndex).then(|| scored.map(|scored| scored.index));
    if let Some(refusal) =
        crate::custom::refusal(question.rules, question.requirements, Some(class.workload), &index)
    {
        return Some(refusal);
    }
    if scored.is_none() && class.workload.quality_mean.is_some() {
        return Some(Refusal::word("quality_mean", "unknown", "a known index"));
    }
    if scored.is_none() && question.requirements.objective == Objective::Quality {
        return Some(Refusal::word("quality", "unknown", "a known index"));
    }
    let floor = class.floor?;
    let verdict =
        quality::judge(question.catalog, question.requirements.as_of, floor, scored, subject.as_deref());
    let rule = if matches!(floor, QualityFloor::Benchmark { .. }) { "benchmark" } else { "quality" };
    let unit = if rule == "benchmark" { "share" } else { "index" };
    match verdict {
        Verdict::Passes => None,
        Verdict::Below { got, need } => Some(Refusal::figure(rule, got, Op::AtLeast, need, unit)),
        Verdict::Unknown { need } => {
            let asked = need.map_or_else(|| "a known index".to_owned(), |need| format!("{unit} {need}"));
            Some(Refusal::word(rule, "unknown", asked))
        }
    }
}

/// The first limit of a class that `held` (measure and statistic at the asked confidence, ms) breaks.
#[must_use]
pub fn latency_refusal(
    class: &Class<'_>,
    held: &dyn Fn(LatencyMeasure, Statistic) -> f64,
) -> Option<Refusal> {
    class.workload.latency.iter().find_map(|limit| {
        let got = held(limit.measure, limit.statistic);
        (!Op::AtMost.holds(got, limit.ms))
            .then(|| Refusal::figure(limit.measure.word(), got, Op::AtMost, limit.ms, "ms"))
    })
}

/// An estimate that is a judgement complies with nothing.
#[must_use]
pub fn untrusted(basis: Basis) -> Option<Refusal> {
    (basis == Basis::Assumed)
        .then(|| Refusal::word("estimate_trusted", "assumed", "a calibrated or measured estimate"))
}

/// The first refusal, if every class refuses.
pub(super) fn nobody(by_class: &[Option<Refusal>]) -> Option<&Refusal> {
    if by_class.iter().all(Option::is_some) { by_class.iter().flatten().next() } else { None }
}
