//! The factors of a plan, and how wrong predictions under them still are.

use std::collections::BTreeSet;

use super::super::scalar::FACTOR_SD;
use super::bench::{Bench, Choice, Plan};
use super::{Place, UnitFactor};
use crate::estimate::{Basis, TimeClass, Z_90_TWO_SIDED, interval};

/// What the spread of the interval table counts for, in points, beside the residuals of a unit.
const SPREAD_POINTS: f64 = 4.0;
/// A spread beyond this is no estimate: a factor of 10 either way.
const LEFT_SD_MAX: f64 = 1.4;

impl<'c> Bench<'_, 'c> {
    /// The factors of a plan, with their spreads.
    pub(super) fn factors(&self, plan: &Plan) -> Vec<UnitFactor> {
        let mut factors = Vec::new();
        for ((place, rows), choices) in self.units.iter().zip(&plan.units) {
            self.factors_of(plan, place, rows, *choices, (&self.folds, &self.weights), &mut factors);
        }
        for ((place, rows), choices) in self.pairs.iter().zip(&plan.pairs) {
            self.factors_of(plan, place, rows, *choices, (&self.shapes, &self.balanced(rows)), &mut factors);
        }
        factors.sort_by(|a, b| (&a.place, a.class).cmp(&(&b.place, b.class)));
        factors
    }

    pub(super) fn factors_of(
        &self,
        plan: &Plan,
        place: &Place,
        rows: &[usize],
        choices: [Choice; 4],
        (labels, weights): (&[String], &[f64]),
        factors: &mut Vec<UnitFactor>,
    ) {
        if choices.iter().all(|choice| *choice == Choice::Off) {
            return;
        }
        let logs = self.logs(&plan.predictor.whole, rows, weights, choices);
        let outside = self.left_out(&plan.predictor, rows, labels, weights, choices);
        for class in TimeClass::ALL {
            let Some(log) = logs[class as usize] else { continue };
            let own: Vec<usize> =
                rows.iter().copied().filter(|at| self.classes[*at] == Some(class)).collect();
            let points = own.iter().map(|at| &labels[*at]).collect::<BTreeSet<_>>().len();
            if points < 2 && place.model.is_none() && choices[class as usize].is_fitted() {
                continue;
            }
            let mixture = own.iter().any(|at| self.samples[*at].is_mixture());
            let basis = if place.model.is_some() { Basis::Calibrated } else { Basis::Extrapolated };
            let factor_90 = interval(&self.catalog.coefficients, class.measure(), mixture, basis);
            let table = (factor_90.ln() / Z_90_TWO_SIDED).powi(2);
            #[expect(clippy::cast_precision_loss, reason = "a count of rows")]
            let count = points as f64;
            let known = 1.0 / (count / table + FACTOR_SD.powi(-2));
            let left = if points > 1 {
                let all: f64 = own.iter().map(|at| weights[*at]).sum();
                let square = |at: &usize| Some(weights[*at] * outside.get(at).copied().flatten()?.powi(2));
                let mean = own.iter().filter_map(square).sum::<f64>() / all;
                (SPREAD_POINTS * (table + known) + count * mean) / (SPREAD_POINTS + count)
            } else {
                table + known
            };
            factors.push(UnitFactor {
                place: place.clone(),
                class,
                log,
                sd_log: known.sqrt(),
                left_sd_log: left.sqrt().min(LEFT_SD_MAX),
                rows: own.len(),
                points,
                tried: choices[class as usize] != Choice::Fitted { tried: false },
            });
        }
    }
}
