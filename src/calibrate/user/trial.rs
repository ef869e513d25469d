//! Rows predicted by factors of the other rows, and errors of such predictions.

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;

use super::super::scalar::{Weighted, solve};
use super::super::{Cell, quantile};
use super::Residuals;
use super::bench::{Bench, Choice, Plan, Predictor};
use crate::estimate::{Rates, Scale, TimeClass};

impl<'c> Bench<'_, 'c> {
    /// Residuals of rows with each label left out in turn, under the factors of the rest of these rows.
    pub(super) fn left_out(
        &self,
        predictor: &Predictor,
        rows: &[usize],
        labels: &[String],
        weights: &[f64],
        choices: [Choice; 4],
    ) -> BTreeMap<usize, Option<f64>> {
        let all: BTreeSet<&String> = rows.iter().map(|at| &labels[*at]).collect();
        let mut found = BTreeMap::new();
        for label in all {
            let rates = predictor.without(label);
            let (out, rest): (Vec<usize>, Vec<usize>) = rows.iter().partition(|at| labels[**at] == *label);
            let scale = Scale::told(self.logs(rates, &rest, weights, choices));
            for at in out {
                found.insert(at, self.samples[at].residual_scaled(&rates[at], scale));
            }
        }
        found
    }

    /// The factors that rows give the classes asked for; `None` where no row speaks of a class.
    pub(super) fn logs(
        &self,
        rates: &[Rates],
        rows: &[usize],
        weights: &[f64],
        choices: [Choice; 4],
    ) -> [Option<f64>; 4] {
        let mut logs = [None; 4];
        for class in TimeClass::ALL.into_iter().filter(|class| choices[*class as usize] != Choice::Off) {
            let own: Vec<Weighted<'_, 'c>> = rows
                .iter()
                .filter(|at| self.classes[**at] == Some(class))
                .map(|at| Weighted { sample: &self.samples[*at], rates: &rates[*at], weight: weights[*at] })
                .collect();
            // That nothing is changed needs no row.
            if !own.is_empty() || choices[class as usize] == Choice::One {
                logs[class as usize] = Some(match choices[class as usize] {
                    Choice::One => 0.0,
                    Choice::Off | Choice::Same => Scale::told(logs).of(class).ln(),
                    Choice::Fitted { .. } => solve(&own, class, logs),
                });
            }
        }
        logs
    }

    /// Scales of every row under a plan, with the rows of one label left out; `None` = none.
    pub(super) fn scales(&self, plan: &Plan, left_out: Option<(&str, &[String])>) -> Vec<Scale> {
        let rates =
            left_out.map_or(plan.predictor.whole.as_slice(), |(label, _)| plan.predictor.without(label));
        let stays = |at: &&usize| left_out.is_none_or(|(label, labels)| labels[**at] != label);
        // Only rows that are left out are asked for, or all.
        let is_asked = |rows: &[usize], rest: usize| left_out.is_none() || rest < rows.len();
        let any: Vec<[Option<f64>; 4]> = self
            .pairs
            .iter()
            .zip(&plan.pairs)
            .map(|((_, rows), choices)| {
                let rest: Vec<usize> = rows.iter().filter(stays).copied().collect();
                if is_asked(rows, rest.len()) {
                    self.logs(rates, &rest, &self.balanced(&rest), *choices)
                } else {
                    [None; 4]
                }
            })
            .collect();
        let mut scales = vec![Scale::ONE; self.samples.len()];
        for ((place, rows), choices) in self.units.iter().zip(&plan.units) {
            let rest: Vec<usize> = rows.iter().filter(stays).copied().collect();
            if !is_asked(rows, rest.len()) {
                continue;
            }
            let own = self.logs(rates, &rest, &self.weights, *choices);
            let any = any[self.pair_of(place)];
            let scale = Scale::told(std::array::from_fn(|class| own[class].or(any[class])));
            for at in rows {
                scales[*at] = scale;
            }
        }
        scales
    }

    /// Residuals of all rows, each with its label left out.
    pub(super) fn outside(&self, plan: &Plan, labels: &[String]) -> Vec<Option<f64>> {
        let all: BTreeSet<&String> = labels.iter().collect();
        if all.len() < 2 {
            return vec![None; labels.len()];
        }
        let by_label: BTreeMap<&String, Vec<Scale>> =
            all.into_par_iter().map(|label| (label, self.scales(plan, Some((label, labels))))).collect();
        let one = |at: usize| {
            let label = &labels[at];
            self.samples[at].residual_scaled(&plan.predictor.without(label)[at], by_label[label][at])
        };
        (0..labels.len()).map(one).collect()
    }

    /// Mean error of left-out rows, every point of a class alike.
    pub(super) fn loss(&self, plan: &Plan, labels: &[String]) -> f64 {
        let rows = self.outside(plan, labels).into_iter().enumerate();
        let (sum, all) = rows
            .filter(|(at, _)| self.classes[*at].is_some())
            .filter_map(|(at, residual)| Some((residual?.abs(), self.weights[at])))
            .fold((0.0, 0.0), |(sum, all), (error, weight)| (sum + weight * error, all + weight));
        if all > 0.0 { sum / all } else { 0.0 }
    }

    /// Median errors of left-out rows by group of the report.
    pub(super) fn scores(&self, plan: &Plan) -> BTreeMap<(Cell, bool), f64> {
        let outside = self.outside(plan, &self.asked);
        self.medians(|at| outside[at])
    }

    pub(super) fn medians(&self, of: impl Fn(usize) -> Option<f64>) -> BTreeMap<(Cell, bool), f64> {
        let mut errors: BTreeMap<(Cell, bool), Vec<f64>> = BTreeMap::new();
        for (at, sample) in self.samples.iter().enumerate() {
            if let (Some(residual), Some(_)) = (of(at), self.before[at]) {
                let key = (sample.cell, sample.is_mixture());
                errors.entry(key).or_default().push((residual.exp() - 1.0).abs());
            }
        }
        errors.into_iter().map(|(key, errors)| (key, quantile(&errors, 0.5))).collect()
    }

    pub(super) fn residuals(&self, plan: &Plan) -> Residuals {
        let scales = self.scales(plan, None);
        let inside = |at: usize| self.samples[at].residual_scaled(&plan.predictor.whole[at], scales[at]);
        Residuals {
            before: self.before.clone(),
            inside: (0..self.samples.len()).map(inside).collect(),
            outside: self.outside(plan, &self.asked),
        }
    }
}
