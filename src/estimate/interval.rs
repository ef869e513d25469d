//! How wrong an estimate may be: two-sided 90 % factors per measure and basis, and one-sided quantiles of them.
//!
//! In: the interval table of the catalog (leave-one-model-out residuals, oracle study section 7). Out: factors >= 1.
//! Residuals of ln(predicted / measured) are taken as normal with the spread that gives the tabulated 90 % factor:
//! sigma = ln(factor) / 1.645, and the one-sided quantile q is exp(z_q sigma).

use super::Basis;
use crate::catalog::Coefficients;

/// z of the two-sided 90 % interval.
pub const Z_90_TWO_SIDED: f64 = 1.644_853_626_951_472_7;

/// Factor where nothing carries over (an unseen vendor): a judgement, oracle study section 7.
pub(super) const FACTOR_ASSUMED: f64 = 4.0;

/// Factor of a measured figure: repeatability of published runs on the same hardware.
pub(super) const FACTOR_MEASURED: f64 = 1.1;

/// Factor of the two-sided 90 % interval of `measure` (`tpot`, `saturation`, `static`, `ttft`, `ttft-loaded`).
///
/// A measure without a row of its own is as wide as the widest guess we make: `FACTOR_ASSUMED`.
#[must_use]
pub fn interval(coefficients: &Coefficients, measure: &str, mixture: bool, basis: Basis) -> f64 {
    match basis {
        Basis::Measured => FACTOR_MEASURED,
        Basis::Assumed => FACTOR_ASSUMED,
        Basis::Calibrated | Basis::Extrapolated => {
            let class = if mixture { "moe" } else { "dense" };
            coefficients
                .intervals
                .iter()
                .find(|((m, c, b), _)| m == measure && c == class && b == basis.word())
                .map_or(FACTOR_ASSUMED, |(_, factor)| *factor)
        }
    }
}

/// Factor of the one-sided quantile `confidence` behind a two-sided 90 % factor; 1 at confidence 0.5.
#[must_use]
pub fn one_sided(factor_90: f64, confidence: f64) -> f64 {
    (normal_quantile(confidence) / Z_90_TWO_SIDED * factor_90.ln()).exp()
}

/// [`one_sided`] of [`interval`]: what a limit is divided by before the median is held against it.
#[must_use]
pub fn error_factor(
    coefficients: &Coefficients,
    measure: &str,
    mixture: bool,
    basis: Basis,
    confidence: f64,
) -> f64 {
    one_sided(interval(coefficients, measure, mixture, basis), confidence)
}

/// Inverse of the normal distribution (P. J. Acklam's rational approximation, relative error 1.2e-9).
#[must_use]
pub(super) fn normal_quantile(p: f64) -> f64 {
    const A: [f64; 6] = [
        -3.969_683_028_665_376e1,
        2.209_460_984_245_205e2,
        -2.759_285_104_469_687e2,
        1.383_577_518_672_69e2,
        -3.066_479_806_614_716e1,
        2.506_628_277_459_239,
    ];
    const B: [f64; 5] = [
        -5.447_609_879_822_406e1,
        1.615_858_368_580_409e2,
        -1.556_989_798_598_866e2,
        6.680_131_188_771_972e1,
        -1.328_068_155_288_572e1,
    ];
    const C: [f64; 6] = [
        -7.784_894_002_430_293e-3,
        -3.223_964_580_411_365e-1,
        -2.400_758_277_161_838,
        -2.549_732_539_343_734,
        4.374_664_141_464_968,
        2.938_163_982_698_783,
    ];
    const D: [f64; 4] =
        [7.784_695_709_041_462e-3, 3.224_671_290_700_398e-1, 2.445_134_137_142_996, 3.754_408_661_907_416];
    let p = p.clamp(1e-9, 1.0 - 1e-9);
    let tail = |q: f64| {
        (((((C[0] * q + C[1]) * q + C[2]) * q + C[3]) * q + C[4]) * q + C[5])
            / ((((D[0] * q + D[1]) * q + D[2]) * q + D[3]) * q + 1.0)
    };
    if p < 0.02425 {
        tail((-2.0 * p.ln()).sqrt())
    } else if p > 1.0 - 0.02425 {
        -tail((-2.0 * (1.0 - p).ln()).sqrt())
    } else {
        let q = p - 0.5;
        let r = q * q;
        (((((A[0] * r + A[1]) * r + A[2]) * r + A[3]) * r + A[4]) * r + A[5]) * q
            / (((((B[0] * r + B[1]) * r + B[2]) * r + B[3]) * r + B[4]) * r + 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_needs_no_margin() {
        assert!((one_sided(1.68, 0.5) - 1.0).abs() < 1e-9);
        assert!((one_sided(1.68, 0.95) - 1.68).abs() < 1e-6);
        assert!((normal_quantile(0.9) - 1.281_551_565_5).abs() < 1e-7);
    }
}
