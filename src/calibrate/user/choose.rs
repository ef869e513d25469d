//! What is kept: each factor and the refit are tried on rows left out, and nothing may be worse than before.

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;

use super::super::{Cell, Fit, GAIN_FULL, Parameters, Priors, Sample, Subject, fit, quantile};
use super::bench::{Bench, Choice, Plan, Predictor};
use super::{Dropped, Place, Refit};
use crate::estimate::{Rates, TimeClass};

/// A change must take this share off the mean error of left-out rows, or it is noise.
const GAIN_MIN: f64 = 0.02;
/// A refit changes units that were not measured: it must be worth more.
const GAIN_REFIT_MIN: f64 = 0.05;
/// Spread of the set-up of a file beside the coefficients: none.
const SETUP_SD: f64 = 1e-4;

/// Mean of the sizes of weighted residuals, and median relative error.
fn errors(rows: impl Iterator<Item = (f64, f64)>) -> (f64, f64) {
    let (mut sum, mut all, mut sizes) = (0.0, 0.0, Vec::new());
    for (residual, weight) in rows {
        sum += weight * residual.abs();
        all += weight;
        sizes.push((residual.exp() - 1.0).abs());
    }
    if sizes.is_empty() { (0.0, 0.0) } else { (sum / all, quantile(&sizes, 0.5)) }
}

impl<'c> Bench<'_, 'c> {
    /// The plan that predicts left-out rows best, and what became of the refit.
    pub(super) fn choose(&self) -> (Plan, Refit) {
        let shipped: Vec<Rates> = self.samples.iter().map(|sample| *sample.shipped_rates()).collect();
        let plain = self.plan(Predictor { whole: shipped, folds: BTreeMap::new(), fit: None });
        let plain = self.harmless(plain);
        let several = self.folds.iter().collect::<BTreeSet<_>>().len() > 1;
        let Some(refitted) = several.then(|| self.refitted()).flatten() else {
            return (plain, Refit { kept: None, left_out: None });
        };
        let refitted = self.harmless(self.plan(refitted));
        let mut ways = vec![&self.folds, &self.asked];
        if self.shapes.iter().collect::<BTreeSet<_>>().len() > 1 {
            ways.push(&self.shapes);
        }
        let losses: Vec<(f64, f64)> =
            ways.iter().map(|labels| (self.loss(&plain, labels), self.loss(&refitted, labels))).collect();
        let left_out = losses.first().copied();
        let better = left_out.is_some_and(|(without, with)| with < (1.0 - GAIN_REFIT_MIN) * without);
        let (before, after) = (self.scores(&plain), self.scores(&refitted));
        // In no group of the report may it be worse than without.
        let nowhere_worse =
            before.iter().all(|(key, median)| after.get(key).is_none_or(|m| *m <= *median + 1e-9));
        if better && nowhere_worse && losses.iter().all(|(without, with)| with <= without) {
            let kept = refitted.predictor.fit.clone();
            (refitted, Refit { kept, left_out })
        } else {
            (plain, Refit { kept: None, left_out })
        }
    }

    /// Fits of the coefficients to all rows and to those of each fold, the shipped ones as prior; `None` without rows to fit.
    pub(super) fn refitted(&self) -> Option<Predictor> {
        let fitted = |sample: &&Sample<'c>| sample.is_fitted() && sample.is_trusted();
        if !self.samples.iter().any(|sample| fitted(&sample)) {
            return None;
        }
        // Whose rows these are, their set-up is the one to learn.
        let priors = Priors { setup_sd_log: SETUP_SD, setup_ttft_sd_log: SETUP_SD, ..Priors::study() };
        let mut parameters = Parameters::of(&priors, self.samples);
        let known = &self.catalog.coefficients;
        for parameter in &mut parameters.list {
            let Subject::Coefficient(coefficient, factor) = parameter.subject else { continue };
            let key = (coefficient.word().to_owned(), factor.word().to_owned(), parameter.level.clone());
            if let Some(value) = known.values.get(&key).filter(|value| **value > 0.0) {
                parameter.prior = value.ln();
                if let Some(sd_log) = known.spreads.get(&key).filter(|sd_log| **sd_log > 0.0) {
                    parameter.sd_log = *sd_log;
                }
            }
        }
        let whole = fit(self.samples.iter().filter(fitted), &parameters, &parameters.start(), GAIN_FULL);
        let all = |fit: &Fit| -> Vec<Rates> { self.samples.iter().map(|sample| fit.rates(sample)).collect() };
        let labels: BTreeSet<&String> = self.folds.iter().chain(&self.asked).chain(&self.shapes).collect();
        let folds = labels
            .into_par_iter()
            .map(|label| {
                let inside =
                    |at: usize| [&self.folds, &self.asked, &self.shapes].iter().any(|l| l[at] == *label);
                let rest =
                    self.samples.iter().enumerate().filter(|(at, _)| !inside(*at)).map(|(_, sample)| sample);
                let fit = fit(rest.filter(fitted), &parameters, &whole.values, GAIN_FULL);
                (label.clone(), all(&fit))
            })
            .collect();
        Some(Predictor { whole: all(&whole), folds, fit: Some(whole) })
    }

    /// What is kept under some coefficients.
    pub(super) fn plan(&self, predictor: Predictor) -> Plan {
        let tried: Vec<([Choice; 4], Vec<Dropped>)> = self
            .units
            .par_iter()
            .map(|(place, rows)| self.tried(&predictor, place, rows, &self.folds, &self.weights))
            .collect();
        let pairs: Vec<([Choice; 4], Vec<Dropped>)> = self
            .pairs
            .par_iter()
            .map(|(place, rows)| {
                let models: BTreeSet<&String> = rows.iter().map(|at| &self.shapes[*at]).collect();
                if models.len() < 2 {
                    return ([Choice::Off; 4], Vec::new());
                }
                self.tried(&predictor, place, rows, &self.shapes, &self.balanced(rows))
            })
            .collect();
        let mut plan = Plan { predictor, units: Vec::new(), pairs: Vec::new(), dropped: Vec::new() };
        for (choices, dropped) in tried {
            plan.units.push(choices);
            plan.dropped.extend(dropped);
        }
        for (choices, dropped) in pairs {
            plan.pairs.push(choices);
            plan.dropped.extend(dropped);
        }
        self.pin(&mut plan);
        plan
    }

    /// A unit measured and found right is kept from the factor of any model.
    pub(super) fn pin(&self, plan: &mut Plan) {
        for (at, (place, rows)) in self.units.iter().enumerate() {
            let pair = self.pair_of(place);
            for class in TimeClass::ALL {
                let told = rows.iter().any(|row| self.classes[*row] == Some(class));
                let choice = &mut plan.units[at][class as usize];
                let any = plan.pairs[pair][class as usize] != Choice::Off;
                match (*choice, any && told) {
                    (Choice::Off, true) => *choice = Choice::Same,
                    (Choice::Same, false) => *choice = Choice::Off,
                    _ => {}
                }
            }
        }
    }

    /// Which classes of a unit or pair get a factor: each is tried on rows left out, under those before it.
    pub(super) fn tried(
        &self,
        predictor: &Predictor,
        place: &Place,
        rows: &[usize],
        labels: &[String],
        weights: &[f64],
    ) -> ([Choice; 4], Vec<Dropped>) {
        let mut choices = [Choice::Off; 4];
        let mut dropped = Vec::new();
        for class in TimeClass::ALL {
            let own: Vec<usize> =
                rows.iter().copied().filter(|at| self.classes[*at] == Some(class)).collect();
            let points = own.iter().map(|at| &labels[*at]).collect::<BTreeSet<_>>().len();
            match points {
                0 => {}
                1 if place.model.is_some() => choices[class as usize] = Choice::Fitted { tried: false },
                1 => {}
                _ => {
                    let ways = [Choice::Off, Choice::One, Choice::Fitted { tried: true }];
                    let tried = ways.map(|choice| {
                        let mut with = choices;
                        with[class as usize] = choice;
                        let residuals = self.left_out(predictor, rows, labels, weights, with);
                        errors(own.iter().filter_map(|at| Some((residuals[at]?, weights[*at]))))
                    });
                    let [off, one, fitted] = tried;
                    // Untold it follows the steps, if that is no worse than staying.
                    let (without, other) = if off.0 <= one.0 && off.1 <= one.1 {
                        (Choice::Off, off)
                    } else {
                        (Choice::One, one)
                    };
                    let helps = fitted.0 < (1.0 - GAIN_MIN) * other.0 && fitted.1 <= other.1;
                    choices[class as usize] = if helps { ways[2] } else { without };
                    if !helps && other.0 > 0.0 {
                        dropped.push(Dropped {
                            place: place.clone(),
                            class,
                            median: (other.1, fitted.1),
                            points,
                        });
                    }
                }
            }
        }
        (choices, dropped)
    }

    /// The plan without what makes any group of the report worse than the catalog as it stands.
    pub(super) fn harmless(&self, mut plan: Plan) -> Plan {
        loop {
            let outside = self.outside(&plan, &self.asked);
            let after = self.medians(|at| outside[at]);
            let before = self.medians(|at| outside[at].and(self.before[at]));
            let worse =
                after.iter().find(|(key, median)| before.get(key).is_some_and(|b| **median > *b + 1e-9));
            let Some((key, _)) = worse else { return plan };
            if !self.take_away(&mut plan, *key, &outside) {
                return plan;
            }
            self.pin(&mut plan);
        }
    }

    /// Takes a factor away from a group of the report that is worse for it: one whose own rows are worse if there is one.
    pub(super) fn take_away(
        &self,
        plan: &mut Plan,
        (cell, mixture): (Cell, bool),
        outside: &[Option<f64>],
    ) -> bool {
        let touched: Vec<usize> = (0..self.samples.len())
            .filter(|at| self.samples[*at].cell == cell && self.samples[*at].is_mixture() == mixture)
            .collect();
        let error = |at: &usize| Some(outside[*at]?.abs() - self.before[*at]?.abs());
        let mut worst: Option<(f64, bool, usize, TimeClass)> = None;
        let units = self
            .units
            .iter()
            .zip(&plan.units)
            .enumerate()
            .map(|(at, (unit, choices))| (true, at, unit, choices));
        let pairs = self
            .pairs
            .iter()
            .zip(&plan.pairs)
            .enumerate()
            .map(|(at, (pair, choices))| (false, at, pair, choices));
        for (is_unit, at, (_, rows), choices) in units.chain(pairs) {
            let own: Vec<usize> = rows.iter().copied().filter(|row| touched.contains(row)).collect();
            let harm: f64 = own.iter().filter_map(error).sum();
            let follows = choices[TimeClass::Step as usize].is_fitted();
            for class in TimeClass::ALL {
                let told = own.iter().any(|row| self.classes[*row].is_none_or(|own| own == class));
                let choice = choices[class as usize];
                let acts = choice.is_fitted()
                    || (class >= TimeClass::TtftLoaded && choice == Choice::Off && follows);
                if told && acts && worst.is_none_or(|(most, ..)| harm > most) {
                    worst = Some((harm, is_unit, at, class));
                }
            }
        }
        let Some((_, is_unit, at, class)) = worst else { return false };
        let (place, rows) = if is_unit { &self.units[at] } else { &self.pairs[at] };
        let own: Vec<usize> = rows.iter().copied().filter(|row| self.classes[*row] == Some(class)).collect();
        let median = |of: &[Option<f64>]| {
            let errors = own.iter().filter_map(|row| of[*row]).map(|r| (r.exp() - 1.0).abs());
            quantile(&errors.collect::<Vec<_>>(), 0.5)
        };
        let points = own.iter().map(|row| &self.points[*row]).collect::<BTreeSet<_>>().len();
        let median = (median(&self.before), median(outside));
        plan.dropped.push(Dropped { place: place.clone(), class, median, points });
        let choices = if is_unit { &mut plan.units[at] } else { &mut plan.pairs[at] };
        let follows = class >= TimeClass::TtftLoaded && choices[TimeClass::Step as usize].is_fitted();
        choices[class as usize] = if follows { Choice::One } else { Choice::Off };
        true
    }
}
