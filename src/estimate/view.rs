//! Picking one figure out of an estimate: by latency, by statistic, with its interval, at a confidence.
//!
//! In: distributions. Out: single figures in the words of the requirements. It computes no latency of its own.

use super::{ApiEstimate, Distribution, Estimate, Loaded, Memory, Step, Traffic, loaded_among, one_sided};
use crate::requirements::{LatencyMeasure, Statistic};

impl Distribution {
    /// One statistic, ms.
    #[must_use]
    pub const fn at(&self, statistic: Statistic) -> f64 {
        match statistic {
            Statistic::Mean => self.mean,
            Statistic::P50 => self.p50,
            Statistic::P90 => self.p90,
            Statistic::P95 => self.p95,
            Statistic::P99 => self.p99,
        }
    }
}

impl Loaded {
    /// One latency.
    #[must_use]
    pub const fn of(&self, measure: LatencyMeasure) -> &Distribution {
        match measure {
            LatencyMeasure::Ttft => &self.ttft,
            LatencyMeasure::Tpot => &self.tpot,
            LatencyMeasure::E2e => &self.e2e,
        }
    }
}

impl ApiEstimate {
    /// One latency, at the confidence the estimate was made for.
    #[must_use]
    pub const fn of(&self, measure: LatencyMeasure) -> &Distribution {
        match measure {
            LatencyMeasure::Ttft => &self.ttft,
            LatencyMeasure::Tpot => &self.tpot,
            LatencyMeasure::E2e => &self.e2e,
        }
    }
}

impl Step {
    /// Factor of the two-sided 90 % interval of a latency.
    #[must_use]
    pub const fn factor_90(&self, measure: LatencyMeasure) -> f64 {
        match measure {
            LatencyMeasure::Ttft => self.factor_90_ttft(),
            LatencyMeasure::Tpot | LatencyMeasure::E2e => self.factor_90_step(),
        }
    }

    /// A latency of some traffic with its interval, no end of which is faster than memory allows.
    #[must_use]
    pub fn estimate(
        &self,
        (measure, statistic): (LatencyMeasure, Statistic),
        value_ms: f64,
        traffic: &Traffic<'_>,
    ) -> Estimate {
        let around = Estimate::around(value_ms, self.factor_90(measure), self.basis());
        around.at_least(self.floor_ms(measure, statistic, traffic))
    }

    /// Least a latency can be: the prompt at the peak of arithmetic and link, then weights and the prompt's cache read
    /// once a token at full bandwidth, nothing else running. A percentile is that of the lengths; the mean is the mean over them.
    fn floor_ms(&self, measure: LatencyMeasure, statistic: Statistic, traffic: &Traffic<'_>) -> f64 {
        let least = |(input, output, weight): &(f64, f64, f64)| {
            let first_ms = self.prefill_floor(*input, input * traffic.prefix_hit);
            let token_ms = self.decode_floor(1.0, *input);
            let tokens = match measure {
                LatencyMeasure::Ttft => traffic.extra_output,
                LatencyMeasure::Tpot => return (token_ms, *weight),
                LatencyMeasure::E2e => (output - 1.0).max(0.0) + traffic.extra_output,
            };
            (tokens.mul_add(token_ms, first_ms), *weight)
        };
        let mut all: Vec<(f64, f64)> = traffic.lengths.points.iter().map(least).collect();
        let whole: f64 = all.iter().map(|(_, weight)| weight).sum();
        let share = match statistic {
            Statistic::Mean => return all.iter().map(|(ms, weight)| ms * weight).sum::<f64>() / whole,
            Statistic::P50 => 0.5,
            Statistic::P90 => 0.9,
            Statistic::P95 => 0.95,
            Statistic::P99 => 0.99,
        };
        all.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut below = 0.0;
        for (ms, weight) in &all {
            below += weight;
            // A hair early, so that rounding never lifts the floor to the next length.
            if below >= (share - 1e-9) * whole {
                return *ms;
            }
        }
        0.0
    }
}

/// What a limit is held to: the statistic in the world that is slower by the one-sided quantile `confidence`.
///
/// All step times longer by m, the lone prefill by its own factor: value(rates) becomes m x value(m x rates). Infinite where that world saturates. `among`
/// lists every class on the unit with its requests/s, `own` included.
#[must_use]
pub fn held_ms(
    step: &Step,
    memory: &Memory,
    own: &Traffic<'_>,
    among: &[(Traffic<'_>, f64)],
    max_batch: u32,
    confidence: f64,
    shown: (LatencyMeasure, Statistic),
) -> f64 {
    let slower = one_sided(step.factor_90_step(), confidence.max(0.5)).max(1.0);
    let prefill = (one_sided(step.factor_90_ttft(), confidence.max(0.5)) / slower).max(1.0);
    let faster: Vec<(Traffic<'_>, f64)> =
        among.iter().map(|(traffic, rate)| (*traffic, rate * slower)).collect();
    loaded_among(step, memory, own, &faster, max_batch, prefill)
        .map_or(f64::INFINITY, |at| at.of(shown.0).at(shown.1) * slower)
}
