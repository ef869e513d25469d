//! How much open traffic one unit may carry.
//!
//! In: step times, memory, traffic, limits, a confidence. Out: the largest rate at which every limit holds at its own
//! statistic, and the batch cap that gives it. Limits are held in a world that is slower than the median one by the
//! one-sided quantile of the error: all step times, so the service rate too, are longer by one factor (errors of a unit
//! move together), and the lone prefill by its own. It plans at load 0.85 at most: beyond, the chain is not to be trusted.

use serde::{Deserialize, Serialize};

use super::queue::{Occupancy, STEP, Table, prefills, whole_cap};
use super::{Demand, Memory, Step, Traffic, one_sided};
use crate::requirements::{LatencyLimit, LatencyMeasure, Statistic};

/// Load beyond which the chain is not planned with (oracle study section 6).
pub(super) const LOAD_MAX: f64 = 0.85;
/// Batch caps that are tried, below the cap of engine and memory.
const CAPS: [u32; 8] = [512, 256, 128, 64, 32, 16, 8, 4];
/// Relative width at which the search for the rate stops.
const RATE_TOLERANCE: f64 = 1e-3;

/// What one unit carries.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Capacity {
    /// Largest rate at which every limit holds, requests/s.
    pub rps: f64,
    /// Batch cap that gives it.
    pub max_batch: u32,
    /// Rate at which the unit saturates under that cap, median of the error, requests/s.
    pub saturation_rps: f64,
    /// The limit that stops a higher rate; `None` = the load of 0.85.
    pub binding: Option<LatencyLimit>,
}

/// Why a unit carries nothing.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shortfall {
    /// Even an idle unit breaks a limit.
    TooSlow {
        /// The limit.
        limit: LatencyLimit,
        /// What an idle unit reaches at the asked confidence, ms.
        got_ms: f64,
    },
    /// The pool does not hold one request.
    ContextTooLong {
        /// Longest request, tokens.
        need_tokens: f64,
        /// What the pool holds, tokens.
        have_tokens: f64,
    },
}

/// The slow world in which limits are held.
#[derive(Clone, Copy)]
struct Margin {
    /// Factor of all step times.
    work: f64,
    /// Further factor of the lone prefill.
    prefill: f64,
}

impl Margin {
    fn of(step: &Step, confidence: f64) -> Self {
        // Capacity is never taken on the optimistic side, so that screening bounds hold.
        let confidence = confidence.max(0.5);
        let work = one_sided(step.factor_90_step(), confidence).max(1.0);
        Self { work, prefill: (one_sided(step.factor_90_ttft(), confidence) / work).max(1.0) }
    }
}

/// Everything that does not change with the rate.
struct Question<'a, 'r> {
    traffic: &'a Traffic<'r>,
    demand: Demand,
    prefills: Vec<f64>,
    limits: &'a [LatencyLimit],
    margin: Margin,
}

impl Question<'_, '_> {
    /// `statistic(latency) <= ms` at an occupancy of the slow world.
    fn holds(&self, occupancy: &Occupancy, limit: &LatencyLimit) -> bool {
        let allowed_ms = limit.ms / self.margin.work;
        let (traffic, prefills, scale) = (self.traffic, self.prefills.as_slice(), self.margin.prefill);
        let quantile = match limit.statistic {
            Statistic::Mean => return self.mean_ms(occupancy, limit.measure) <= allowed_ms,
            Statistic::P50 => 0.5,
            Statistic::P90 => 0.9,
            Statistic::P95 => 0.95,
            Statistic::P99 => 0.99,
        };
        let below = match limit.measure {
            LatencyMeasure::Ttft => occupancy.ttft_below(allowed_ms, traffic, prefills, scale),
            LatencyMeasure::Tpot => occupancy.tpot_below(allowed_ms),
            LatencyMeasure::E2e => occupancy.e2e_below(allowed_ms, traffic, prefills, scale),
        };
        below >= quantile - STEP
    }

    fn mean_ms(&self, occupancy: &Occupancy, measure: LatencyMeasure) -> f64 {
        let tpot_ms = occupancy.tpot_mean();
        let ttft_ms = occupancy.wait_mean()
            + self.margin.prefill * self.demand.first_ms
            + self.demand.extra_output * tpot_ms;
        match measure {
            LatencyMeasure::Ttft => ttft_ms,
            LatencyMeasure::Tpot => tpot_ms,
            LatencyMeasure::E2e => {
                ttft_ms + (self.demand.output_tokens - self.demand.extra_output - 1.0).max(0.0) * tpot_ms
            }
        }
    }

    fn first_broken(&self, occupancy: &Occupancy) -> Option<LatencyLimit> {
        self.limits.iter().find(|limit| !self.holds(occupancy, limit)).copied()
    }

    /// What an idle unit reaches under a limit's statistic, ms at the asked confidence.
    fn idle_ms(&self, step: &Step, limit: &LatencyLimit) -> f64 {
        let tpot_ms = step.decode(1.0, self.demand.context_tokens);
        let value = |prefill_ms: f64, answer: f64| match limit.measure {
            LatencyMeasure::Ttft => self.margin.prefill * prefill_ms + self.traffic.extra_output * tpot_ms,
            LatencyMeasure::Tpot => tpot_ms,
            LatencyMeasure::E2e => {
                self.margin.prefill * prefill_ms
                    + ((answer - 1.0).max(0.0) + self.traffic.extra_output) * tpot_ms
            }
        };
        let points = self.traffic.lengths.points.iter().zip(&self.prefills);
        let mut values: Vec<(f64, f64)> = points.map(|(&(_, out, w), p)| (value(*p, out), w)).collect();
        let quantile = match limit.statistic {
            Statistic::Mean => return self.margin.work * values.iter().map(|(v, w)| v * w).sum::<f64>(),
            Statistic::P50 => 0.5,
            Statistic::P90 => 0.9,
            Statistic::P95 => 0.95,
            Statistic::P99 => 0.99,
        };
        values.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut sum = 0.0;
        for (value_ms, weight) in &values {
            sum += weight;
            if sum >= quantile - 1e-9 {
                return self.margin.work * value_ms;
            }
        }
        self.margin.work * values.last().map_or(0.0, |(value_ms, _)| *value_ms)
    }
}

/// Largest rate of Poisson traffic at which every limit holds at the one-sided quantile `confidence` of the error,
/// with at most `max_batch` sequences running.
///
/// # Errors
/// [`Shortfall`] where even an idle unit breaks a limit, or cannot hold one request.
pub fn capacity(
    step: &Step,
    memory: &Memory,
    traffic: &Traffic<'_>,
    limits: &[LatencyLimit],
    confidence: f64,
    max_batch: u32,
) -> Result<Capacity, Shortfall> {
    let demand = Demand::new(step, traffic);
    if memory.sequences(traffic.context_tokens) < 1.0 {
        return Err(Shortfall::ContextTooLong {
            need_tokens: traffic.context_tokens,
            have_tokens: memory.sequences(traffic.context_tokens) * traffic.context_tokens,
        });
    }
    let question = Question {
        traffic,
        demand,
        prefills: prefills(step, traffic),
        limits,
        margin: Margin::of(step, confidence),
    };
    for limit in limits {
        let got_ms = question.idle_ms(step, limit);
        if got_ms > limit.ms {
            return Err(Shortfall::TooSlow { limit: *limit, got_ms });
        }
    }

    let most = whole_cap(&demand, memory, step.max_batch().min(max_batch));
    let mut table = Table::new(step, demand);
    let mut best: Option<Found> = None;
    for cap in caps(most) {
        // A cap that does not beat the best rate at once cannot beat it at all: limits are monotone in the rate.
        let ceiling = LOAD_MAX * table.saturation_per_ms(cap);
        let floor = best.as_ref().map_or(0.0, |found| found.rate_per_ms);
        if ceiling <= floor * (1.0 + RATE_TOLERANCE) {
            continue;
        }
        if let Some(found) = search(&question, &mut table, cap, floor * (1.0 + RATE_TOLERANCE), ceiling) {
            best = Some(found);
        }
    }
    let Some(best) = best else {
        // Idle holds but no rate above the smallest searched does: the first limit is met only at rate zero.
        let limit = limits.first().copied();
        return limit.map_or_else(
            || Err(Shortfall::ContextTooLong { need_tokens: traffic.context_tokens, have_tokens: 0.0 }),
            |limit| Err(Shortfall::TooSlow { limit, got_ms: question.idle_ms(step, &limit) }),
        );
    };
    let rate_per_ms = best.rate_per_ms / question.margin.work;
    let saturation_per_ms = table.saturation_per_ms(best.cap);
    Ok(Capacity {
        rps: rate_per_ms * 1000.0,
        max_batch: u32::try_from(best.cap).unwrap_or(u32::MAX),
        saturation_rps: saturation_per_ms * 1000.0,
        binding: best.binding,
    })
}

/// A rate of the slow world, in its own time, with the cap that allows it.
struct Found {
    rate_per_ms: f64,
    cap: usize,
    binding: Option<LatencyLimit>,
}

/// Caps to try, the largest first.
fn caps(most: usize) -> impl Iterator<Item = usize> {
    let standard = CAPS.into_iter().filter_map(|cap| usize::try_from(cap).ok());
    std::iter::once(most.min(512)).chain(standard.filter(move |cap| *cap < most.min(512)))
}

/// Largest rate in `[floor, ceiling]` at which all limits hold, by bisection; `None` where `floor` breaks one.
fn search(
    question: &Question<'_, '_>,
    table: &mut Table<'_>,
    cap: usize,
    floor: f64,
    ceiling: f64,
) -> Option<Found> {
    let Some(mut binding) = question.first_broken(&table.occupancy(ceiling, cap)) else {
        return Some(Found { rate_per_ms: ceiling, cap, binding: None });
    };
    let mut low = floor.max(1e-4 * ceiling);
    if question.first_broken(&table.occupancy(low, cap)).is_some() {
        return None;
    }
    let mut high = ceiling;
    while high - low > RATE_TOLERANCE * high {
        let middle = f64::midpoint(low, high);
        if let Some(limit) = question.first_broken(&table.occupancy(middle, cap)) {
            high = middle;
            binding = limit;
        } else {
            low = middle;
        }
    }
    Some(Found { rate_per_ms: low, cap, binding: Some(binding) })
}

/// A rate that [`capacity`] never exceeds, for a handful of multiplications: load 0.85 of the largest batch.
///
/// X(B) grows with B (the step time is concave in B with a positive intercept), limits and margins only take away.
#[must_use]
pub fn capacity_upper_bound(step: &Step, memory: &Memory, traffic: &Traffic<'_>) -> f64 {
    let demand = Demand::new(step, traffic);
    let cap = demand.batch_cap(memory, step.max_batch().min(512));
    LOAD_MAX * demand.rate_per_s(step, cap)
}

/// 95th percentile of the time to the last token of a unit with nothing else to do, ms, median of the error: no load
/// makes it shorter.
#[must_use]
pub fn idle_e2e_p95(step: &Step, traffic: &Traffic<'_>) -> f64 {
    let demand = Demand::new(step, traffic);
    let margin = Margin { work: 1.0, prefill: 1.0 };
    let question = Question { traffic, demand, prefills: prefills(step, traffic), limits: &[], margin };
    question.idle_ms(step, &LatencyLimit { measure: LatencyMeasure::E2e, statistic: Statistic::P95, ms: 0.0 })
}
