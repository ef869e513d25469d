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

    /// A latency with its interval.
    #[must_use]
    pub fn estimate(&self, measure: LatencyMeasure, value_ms: f64) -> Estimate {
        Estimate::around(value_ms, self.factor_90(measure), self.basis())
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
