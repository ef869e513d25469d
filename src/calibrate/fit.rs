//! The robust joint fit with shrinkage.
//!
//! Minimises sum of w 2 (sqrt(1 + (r/s)^2) - 1) + sum ((theta - prior)/sd)^2, r = ln(predicted/measured), by Gauss-Newton with
//! Levenberg damping (oracle study section 3). In: samples and priors. Out: [`Fit`]. The same input gives the same bits:
//! sums run in the order of the samples.

use nalgebra::{DMatrix, DVector};
use rayon::prelude::*;

use super::parameter::rates;
use super::{Cell, Parameters, Sample};
use crate::estimate::{Coefficient, Rates};

/// Residual beyond which a row loses weight: of step times, and of the TTFT among other clients.
const ROBUST: f64 = 0.12;
const ROBUST_TTFT_LOADED: f64 = 0.25;
/// Gain of a step, as a share of the objective, below which a fit stands; a fold starts near its end and needs less care.
pub const GAIN_FULL: f64 = 1e-6;
/// The same of a fold.
pub const GAIN_FOLD: f64 = 1e-4;
/// Steps at most.
const STEPS_MAX: usize = 60;

/// Fitted values.
#[derive(Debug, Clone)]
pub struct Fit {
    /// The unknowns.
    pub parameters: Parameters,
    /// Their values, logarithms.
    pub values: Vec<f64>,
    /// Posterior standard deviations of the logarithms.
    pub sd_log: Vec<f64>,
}

impl Fit {
    /// The coefficients of one configuration.
    #[must_use]
    pub fn rates(&self, sample: &Sample<'_>) -> Rates {
        rates(&self.parameters.places(sample), &self.values)
    }

    /// How much slower the set-up behind a sample predicts than everybody's, a logarithm to add to its residual.
    #[must_use]
    pub fn setup(&self, sample: &Sample<'_>) -> f64 {
        self.parameters.setup(sample).map_or(0.0, |at| self.values[at])
    }
}

/// A sample beside the places of its parameters.
struct Row<'s, 'c> {
    sample: &'s Sample<'c>,
    places: Vec<(Coefficient, usize)>,
    scale: f64,
    setup: Option<usize>,
}

impl Row<'_, '_> {
    fn loss(&self, values: &[f64]) -> f64 {
        let Some(residual) = self.sample.residual(&rates(&self.places, values)) else { return 0.0 };
        let residual = residual + self.setup.map_or(0.0, |at| values[at]);
        self.sample.weight * 2.0 * ((1.0 + (residual / self.scale).powi(2)).sqrt() - 1.0)
    }
}

fn objective(rows: &[Row<'_, '_>], parameters: &Parameters, values: &[f64]) -> f64 {
    let losses: Vec<f64> = rows.par_iter().map(|row| row.loss(values)).collect();
    let shrink: f64 = parameters
        .list
        .iter()
        .zip(values)
        .map(|(parameter, value)| ((value - parameter.prior) / parameter.sd_log).powi(2))
        .sum();
    losses.iter().sum::<f64>() + shrink
}

/// Normal equations at `values`: J'WJ + prior, and the negative gradient.
fn normal(rows: &[Row<'_, '_>], parameters: &Parameters, values: &[f64]) -> (DMatrix<f64>, DVector<f64>) {
    let n = values.len();
    let slopes: Vec<Option<(f64, f64, [f64; Coefficient::COUNT])>> = rows
        .par_iter()
        .map(|row| {
            let at = rates(&row.places, values);
            let plain = row.sample.residual(&at)?;
            let residual = plain + row.setup.map_or(0.0, |at| values[at]);
            let weight =
                row.sample.weight / (row.scale.powi(2) * (1.0 + (residual / row.scale).powi(2)).sqrt());
            Some((residual, weight, row.sample.slopes(&at, plain)))
        })
        .collect();
    let mut matrix = DMatrix::zeros(n, n);
    let mut right = DVector::zeros(n);
    for (row, slopes) in rows.iter().zip(&slopes) {
        let Some((residual, weight, slopes)) = slopes else { continue };
        let mut active: Vec<(usize, f64)> = row
            .places
            .iter()
            .map(|&(coefficient, at)| (at, slopes[coefficient as usize]))
            .filter(|(_, slope)| slope.abs() > 0.0)
            .collect();
        active.extend(row.setup.map(|at| (at, 1.0)));
        for &(i, a) in &active {
            right[i] -= weight * a * residual;
            for &(j, b) in &active {
                matrix[(i, j)] += weight * a * b;
            }
        }
    }
    for (at, (parameter, value)) in parameters.list.iter().zip(values).enumerate() {
        let precision = parameter.sd_log.powi(-2);
        matrix[(at, at)] += precision;
        right[at] -= precision * (value - parameter.prior);
    }
    (matrix, right)
}

/// Fits the unknowns to the samples that may be fitted, starting at `start`, until a step gains less than `gain_min` of the
/// objective.
///
/// # Panics
/// Never: the normal matrix is positive definite, for every parameter has a prior.
#[must_use]
pub fn fit<'s, 'c: 's>(
    samples: impl Iterator<Item = &'s Sample<'c>>,
    parameters: &Parameters,
    start: &[f64],
    gain_min: f64,
) -> Fit {
    let rows: Vec<Row<'_, '_>> = samples
        .filter(|sample| sample.is_fitted())
        .map(|sample| Row {
            sample,
            places: parameters.places(sample),
            setup: parameters.setup(sample),
            scale: if sample.cell == Cell::TtftLoaded { ROBUST_TTFT_LOADED } else { ROBUST },
        })
        .collect();
    let mut values = start.to_vec();
    let mut best = objective(&rows, parameters, &values);
    let mut damping = 1e-3;
    for _ in 0..STEPS_MAX {
        let (matrix, right) = normal(&rows, parameters, &values);
        let before = best;
        while damping < 1e8 {
            let mut damped = matrix.clone();
            for at in 0..values.len() {
                damped[(at, at)] *= 1.0 + damping;
            }
            let step = damped.cholesky().expect("every parameter has a prior").solve(&right);
            let moved: Vec<f64> = values.iter().zip(step.iter()).map(|(value, step)| value + step).collect();
            let loss = objective(&rows, parameters, &moved);
            if loss < best {
                values = moved;
                best = loss;
                damping = (damping * 0.2).max(1e-9);
                break;
            }
            damping *= 5.0;
        }
        if before - best < gain_min * before.max(1.0) {
            break;
        }
    }
    let (matrix, _) = normal(&rows, parameters, &values);
    let inverse = matrix.cholesky().expect("every parameter has a prior").inverse();
    let sd_log = (0..values.len()).map(|at| inverse[(at, at)].sqrt()).collect();
    Fit { parameters: parameters.clone(), values, sd_log }
}
