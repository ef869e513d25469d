//! Do the stated intervals hold what they promise?
//!
//! In: judged rows. Out: the share inside the stated interval of a nominal level. An interval of another level than 90 %
//! is that of the same normal law: `one_sided` of the tabulated factor.

use super::judge::Judged;
use crate::calibrate::quantile;
use crate::estimate::one_sided;

/// Levels that are told.
pub(super) const LEVELS: [f64; 4] = [0.5, 0.8, 0.9, 0.95];

/// How intervals fare.
pub(super) struct Coverage {
    /// Rows with a prediction.
    pub(super) rows: usize,
    /// Share inside, for each of [`LEVELS`].
    pub(super) inside: [f64; 4],
    /// Share measured faster than the 90 % interval, and slower.
    pub(super) beyond: [f64; 2],
    /// Median of the 90 % factors.
    pub(super) factor: f64,
}

impl Coverage {
    /// Of some rows; `None` of none.
    #[expect(clippy::cast_precision_loss, reason = "counts of rows")]
    pub(super) fn of(rows: &[&Judged<'_, '_>]) -> Option<Self> {
        let found: Vec<(f64, f64)> =
            rows.iter().filter_map(|row| Some((row.residual?, row.factor_90))).collect();
        if found.is_empty() {
            return None;
        }
        let share = |holds: &dyn Fn(f64, f64) -> bool| {
            found.iter().filter(|(residual, factor)| holds(*residual, *factor)).count() as f64
                / found.len() as f64
        };
        Some(Self {
            rows: found.len(),
            inside: LEVELS.map(|level| {
                share(&|residual, factor| residual.abs() <= one_sided(factor, f64::midpoint(1.0, level)).ln())
            }),
            beyond: [share(&|residual, factor| residual > factor.ln()), share(&|r, factor| r < -factor.ln())],
            factor: quantile(&found.iter().map(|(_, factor)| *factor).collect::<Vec<_>>(), 0.5),
        })
    }
}
