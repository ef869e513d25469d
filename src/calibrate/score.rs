//! How good predictions are: median, P90 and bias of the relative error.
//!
//! In: residuals r = ln(predicted/measured). Out: [`Score`]; the error of a row is |exp(r) - 1|.

/// Figures of some rows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Score {
    /// Rows.
    pub rows: usize,
    /// Median of the absolute relative error.
    pub median: f64,
    /// 90th percentile of it.
    pub p90: f64,
    /// Median of the signed relative error; positive = slower than measured.
    pub bias: f64,
}

impl Score {
    /// The score of some residuals; `None` of none.
    #[must_use]
    pub fn of(residuals: &[f64]) -> Option<Self> {
        if residuals.is_empty() {
            return None;
        }
        let signed: Vec<f64> = residuals.iter().map(|r| r.exp() - 1.0).collect();
        let sizes: Vec<f64> = signed.iter().map(|error| error.abs()).collect();
        Some(Self {
            rows: residuals.len(),
            median: quantile(&sizes, 0.5),
            p90: quantile(&sizes, 0.9),
            bias: quantile(&signed, 0.5),
        })
    }
}

/// Quantile of some figures, linear between the two nearest.
#[must_use]
pub fn quantile(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let Some(last) = sorted.len().checked_sub(1) else { return f64::NAN };
    #[expect(clippy::cast_precision_loss, reason = "an index")]
    let at = share * last as f64;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an index")]
    let below = at as usize;
    let above = (below + 1).min(last);
    sorted[below] + (sorted[above] - sorted[below]) * at.fract()
}
