//! Hosted models: latency from sourced facts.
//!
//! In: a median TTFT and token rate, percentiles where published. Out: distributions of TTFT, TPOT and E2E over the
//! lengths of the traffic, at a confidence. It knows no price. A percentile without a fact is the median times the
//! spread of rows that have both: TTFT x 1.7, token rate x 0.67 at the 95th percentile (DESIGN section 3), `assumed`.

use super::interval::normal_quantile;
use super::{Basis, Distribution, Estimate, one_sided};
use crate::catalog::ApiLatency;

/// TTFT p95 over median where none is published.
const TTFT_P95_OVER_MEDIAN: f64 = 1.7;
/// Slow-end token rate over median where none is published.
const RATE_SLOW_OVER_MEDIAN: f64 = 0.67;
/// Two-sided 90 % factor of a published latency of a hosted model: day to day and place to place (assumed; rows of the
/// same model at several providers and dates differ by about that much).
const FACTOR_API: f64 = 1.5;
/// z of the 95th percentile.
const Z_95: f64 = 1.644_853_626_951_472_7;

/// Latencies of a hosted model, at the asked confidence.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ApiEstimate {
    /// Time to the first visible token, ms.
    pub ttft: Distribution,
    /// Time between tokens, ms.
    pub tpot: Distribution,
    /// Time to the last token, ms.
    pub e2e: Distribution,
    /// `measured` with both percentiles published, else `assumed`.
    pub basis: Basis,
    /// Factor already applied for the confidence; divide by it for the median of the error.
    pub margin: f64,
    /// Two-sided 90 % factor.
    pub factor_90: f64,
}

impl ApiEstimate {
    /// A latency of this estimate as figure with interval.
    #[must_use]
    pub fn estimate(&self, latency_ms: f64) -> Estimate {
        Estimate::around(latency_ms / self.margin, self.factor_90, self.basis)
    }
}

/// Latencies of a hosted model for answers at `points` (input, output, weight), after `extra_output` reasoning tokens.
///
/// TTFT and the time per token are lognormal, through median and 95th percentile, and slow together (a provider under
/// load is slow in both): one quantile of the pair serves both, so E2E at quantile z is TTFT(z) + tokens TPOT(z).
/// The prompt's length does not enter: the facts do not split it.
#[must_use]
pub fn api_latency(
    fact: &ApiLatency,
    points: &[(f64, f64, f64)],
    extra_output: f64,
    confidence: f64,
) -> ApiEstimate {
    let margin = one_sided(FACTOR_API, confidence);
    let ttft_ratio = fact.ttft_ms_p95.map_or(TTFT_P95_OVER_MEDIAN, |p95| (p95 / fact.ttft_ms).max(1.0));
    let rate_ratio = fact
        .tokens_per_s_slow
        .map_or(RATE_SLOW_OVER_MEDIAN.recip(), |slow| (fact.tokens_per_s / slow).max(1.0));
    let sigma_ttft = ttft_ratio.ln() / Z_95;
    let sigma_rate = rate_ratio.ln() / Z_95;
    let ttft_ms = move |z: f64| margin * fact.ttft_ms * (sigma_ttft * z).exp();
    let token_ms = move |z: f64| margin * 1000.0 / fact.tokens_per_s * (sigma_rate * z).exp();
    // Quantiles over the shared slowness z and the lengths: midpoints of equal shares of the normal law.
    const SHARES: u32 = 40;
    let slowness = || (0..SHARES).map(|i| normal_quantile((f64::from(i) + 0.5) / f64::from(SHARES)));
    let over = |steps: &dyn Fn(f64) -> f64| {
        let mut values = Vec::with_capacity(points.len() * 40);
        for z in slowness() {
            for &(_, output, weight) in points {
                values.push((ttft_ms(z) + steps(output) * token_ms(z), weight / f64::from(SHARES)));
            }
        }
        weighted(values)
    };
    let tpot = weighted(slowness().map(|z| (token_ms(z), 1.0 / f64::from(SHARES))).collect());
    let basis = if fact.ttft_ms_p95.is_some() && fact.tokens_per_s_slow.is_some() && !fact.provenance.assumed
    {
        Basis::Measured
    } else {
        Basis::Assumed
    };
    ApiEstimate {
        ttft: over(&|_| extra_output),
        tpot,
        e2e: over(&|output| (output - 1.0).max(0.0) + extra_output),
        basis,
        margin,
        factor_90: FACTOR_API,
    }
}

/// Latencies of a tier that answers within a window: whole answers, none of them counted on before its end.
#[must_use]
pub fn answered_within(hours: f64) -> ApiEstimate {
    let at_the_end = Distribution::always(hours * 3_600_000.0);
    ApiEstimate {
        ttft: at_the_end,
        tpot: Distribution::always(0.0),
        e2e: at_the_end,
        basis: Basis::Assumed,
        margin: 1.0,
        factor_90: 1.0,
    }
}

/// Mean and percentiles of weighted values, between neighbouring midpoints.
fn weighted(mut values: Vec<(f64, f64)>) -> Distribution {
    values.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mean = values.iter().map(|(v, w)| v * w).sum();
    let at = |q: f64| {
        let (mut below, mut last) = (0.0, (0.0, values.first().map_or(0.0, |(v, _)| *v)));
        for (value, weight) in &values {
            let middle = below + weight / 2.0;
            if middle >= q {
                let span = middle - last.0;
                let share = if span > 0.0 { (q - last.0) / span } else { 1.0 };
                return last.1 + share * (value - last.1);
            }
            below += weight;
            last = (middle, *value);
        }
        last.1
    };
    Distribution { mean, p50: at(0.5), p90: at(0.9), p95: at(0.95), p99: at(0.99) }
}
