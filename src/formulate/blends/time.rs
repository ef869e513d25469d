//! How long a request takes on its way through a router or a cascade, at the confidence that limits are held to.
//!
//! *Router*: the slower of the two targets at the limit's own statistic, and what routing adds. If each target holds a
//! percentile by itself, so does any mixture.
//!
//! *Cascade*: latencies add, percentiles do not. With reach(j) the share of requests that come to stage j and t(j, q) the
//! stage's quantile, the union bound gives: at most sum over stages of reach(j) (1 - q(j)) of the requests take longer
//! than the sum of t(j, q(j)), whatever the dependence between stages; a tail of stages may be left out of the sum for
//! the reach of its first. The bound for quantile p is the least such sum with a violation of at most 1 - p. So while no
//! more than 1 - p are passed on, the first stage decides; beyond, higher percentiles of the stages add up. A first
//! stage's answer is shown once it is judged, so its last token counts for the first, too.

use super::{Target, Way};
use crate::candidate::Question;
use crate::candidate::local::traffic;
use crate::estimate;
use crate::formulate::{Field, Formulated, Source};
use crate::recommendation::ViaKind;
use crate::requirements::{LatencyLimit, LatencyMeasure, Statistic};

/// Percentiles that are known of a stage.
const LEVELS: [(f64, Statistic); 4] =
    [(0.5, Statistic::P50), (0.9, Statistic::P90), (0.95, Statistic::P95), (0.99, Statistic::P99)];
/// Shares closer than this are equal.
const DUST: f64 = 1e-9;

/// What a limit is held to on a way, ms; `None` where a stage is not known well enough.
pub(super) fn held_ms(
    question: &Question<'_, '_>,
    field: &Field<'_, '_>,
    out: &Formulated,
    c: usize,
    way: &Way,
    path: &[Target],
    limit: &LatencyLimit,
) -> Option<f64> {
    let of = |at: usize, measure: LatencyMeasure, statistic: Statistic| {
        let asked = LatencyLimit { measure, statistic, ms: limit.ms };
        target_ms(question, field, out, c, path[at], &asked, way.kind)
    };
    let slowest = |measure: LatencyMeasure| {
        let mut most: f64 = 0.0;
        for at in 0..path.len() {
            most = most.max(of(at, measure, limit.statistic)?);
        }
        Some(most)
    };
    match (way.kind, limit.measure) {
        (_, LatencyMeasure::Tpot) => slowest(LatencyMeasure::Tpot),
        (ViaKind::Router, measure) => Some(slowest(measure)? + way.added_ms[0]),
        (ViaKind::Cascade, measure) => {
            let last = path.len() - 1;
            let stage = |at: usize, statistic: Statistic| {
                let measure = if at == last { measure } else { LatencyMeasure::E2e };
                Some(of(at, measure, statistic)? + way.added_ms[at])
            };
            let reach: Vec<f64> = way.members.iter().map(|member| member.seen).collect();
            match limit.statistic {
                Statistic::Mean => {
                    let mut sum = 0.0;
                    for (at, reach) in reach.iter().enumerate() {
                        sum += reach * stage(at, Statistic::Mean)?;
                    }
                    Some(sum)
                }
                Statistic::P50 => bound(&reach, 0.5, &stage),
                Statistic::P90 => bound(&reach, 0.1, &stage),
                Statistic::P95 => bound(&reach, 0.05, &stage),
                Statistic::P99 => bound(&reach, 0.01, &stage),
            }
        }
    }
}

/// The least sum of stage quantiles that at most a share `allowed` of the requests exceeds.
fn bound(reach: &[f64], allowed: f64, stage: &dyn Fn(usize, Statistic) -> Option<f64>) -> Option<f64> {
    /// From a stage on: what may still be exceeded, and the least sum.
    fn rest(
        reach: &[f64],
        at: usize,
        allowed: f64,
        stage: &dyn Fn(usize, Statistic) -> Option<f64>,
    ) -> Option<f64> {
        let Some(here) = reach.get(at) else { return Some(0.0) };
        if at > 0 && *here <= allowed + DUST {
            return Some(0.0); // so few come here that none of it counts
        }
        let mut least: Option<f64> = None;
        for (quantile, statistic) in LEVELS {
            let left = allowed - here * (1.0 - quantile);
            if left < -DUST {
                continue;
            }
            let sum =
                stage(at, statistic).zip(rest(reach, at + 1, left, stage)).map(|(own, more)| own + more);
            least = [least, sum].into_iter().flatten().reduce(f64::min);
        }
        least
    }
    rest(reach, 0, allowed, stage)
}

/// What a target is held to by itself, ms.
fn target_ms(
    question: &Question<'_, '_>,
    field: &Field<'_, '_>,
    out: &Formulated,
    c: usize,
    target: Target,
    asked: &LatencyLimit,
    kind: ViaKind,
) -> Option<f64> {
    let source = match target {
        Target::Pool(r) => out.pools[r].0,
        Target::Hosted(a) => out.hosted[a].0,
    };
    match (source, target) {
        (Source::Measured(at), _) => {
            let row = &question.requirements.measured[at];
            match (asked.measure, asked.statistic, row.e2e_ms_p95) {
                (LatencyMeasure::E2e, Statistic::P50 | Statistic::P90 | Statistic::P95, Some(ms)) => Some(ms),
                // It meets the limit on the user's word: no more is known.
                _ => (kind == ViaKind::Router).then_some(asked.ms),
            }
        }
        (Source::Catalog(at), Target::Pool(_)) => {
            let option = &field.locals[at];
            let capacity = option.capacity[c].as_ref()?;
            let row = option.prospect.row;
            let step = row.step(question.catalog);
            let own = traffic(&field.classes[c], option.prospect.shared.extra_output[c]);
            let confidence = question.requirements.confidence;
            let among = [(own, capacity.rps)];
            Some(estimate::held_ms(
                step,
                &row.memory,
                &own,
                &among,
                option.max_batch,
                confidence,
                (asked.measure, asked.statistic),
            ))
        }
        (Source::Serverless(_), _) => None, // no member
        (Source::Catalog(at), Target::Hosted(_)) => {
            let latency = field.hosted[at].terms[c].latency.as_ref()?;
            Some(latency.of(asked.measure).at(asked.statistic))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Stage j takes (j + 1) seconds at p50 and 1, 2, 3 seconds more at p90, p95, p99.
    fn stage(at: usize, statistic: Statistic) -> Option<f64> {
        let more = match statistic {
            Statistic::Mean | Statistic::P50 => 0.0,
            Statistic::P90 => 1000.0,
            Statistic::P95 => 2000.0,
            Statistic::P99 => 3000.0,
        };
        #[allow(clippy::cast_precision_loss, reason = "two stages")]
        let base = 1000.0 * (at + 1) as f64;
        Some(base + more)
    }

    #[test]
    fn percentiles_of_a_cascade_do_not_simply_add() {
        let near = |got: Option<f64>, want: f64| assert!((got.unwrap() - want).abs() < 1e-9, "{got:?}");
        // 4 % are passed on: with the first stage's p99 the bound is 0.01 + 0.04.
        near(bound(&[1.0, 0.04], 0.05, &stage), 4000.0);
        // 30 %: p99 of the first (0.01) and p90 of the second (0.03).
        near(bound(&[1.0, 0.3], 0.05, &stage), 4000.0 + 3000.0);
        // 80 %: p99 and p95 (0.01 + 0.04).
        near(bound(&[1.0, 0.8], 0.05, &stage), 4000.0 + 4000.0);
        // No percentile above p99 is known, so p99 of a cascade is not.
        assert_eq!(bound(&[1.0, 0.3], 0.01, &stage), None);
    }
}
