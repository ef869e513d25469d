//! One factor for the times of a unit: shrunken, robust, class by class.
//!
//! In: rows with the coefficients that predict them. Out: a [`Scale`], where a class without rows keeps its 1. For rows
//! whose prediction is proportional to the factor this is exp(sum r / (k + (sigma/s)^2)) with weights that fall for rows far
//! off (oracle study section 3); for the others each residual counts by its slope.

use crate::estimate::{Load, Rates, Scale, TimeClass};
use crate::measurement::Quantity;
use crate::requirements::Statistic;

use super::{Cell, Sample};

/// Standard deviation of the logarithm of a unit's factor before any row (oracle study section 3).
pub(super) const FACTOR_SD: f64 = 0.3;
/// Of a row about it: with [`FACTOR_SD`] a row weighs as much as twice the prior, the study's `k + 1/2`.
const ROW_SD: f64 = 0.21;
/// Residuals beyond this lose weight.
const ROBUST: f64 = 0.15;
/// A row whose prediction hardly moves with the factor tells nothing of it; one near saturation is all slope.
const SLOPE_MIN: f64 = 0.3;
const SLOPE_MAX: f64 = 3.0;
/// Rounds of weighing anew, and the change below which they end.
const ROUNDS_MAX: usize = 40;
const CHANGE_MIN: f64 = 1e-10;

/// A row, the coefficients that predict it, and its weight: rows of one point share a weight of 1.
#[derive(Clone, Copy)]
pub(super) struct Weighted<'r, 'c> {
    pub(super) sample: &'r Sample<'c>,
    pub(super) rates: &'r Rates,
    pub(super) weight: f64,
}

/// The class of times that a row speaks of; `None` = of none, or a percentile.
pub(super) fn class(sample: &Sample<'_>) -> Option<TimeClass> {
    let middle = matches!(sample.measurement.statistic, None | Some(Statistic::Mean | Statistic::P50));
    match sample.cell {
        _ if !middle => None,
        Cell::Tpot | Cell::Static | Cell::Closed => Some(TimeClass::Step),
        Cell::Saturation => Some(TimeClass::Saturation),
        Cell::TtftAlone => Some(TimeClass::Prefill),
        Cell::TtftLoaded => Some(TimeClass::TtftLoaded),
        Cell::Open => match sample.measurement.quantity {
            Quantity::Tpot | Quantity::E2e => Some(TimeClass::Step),
            Quantity::Ttft => Some(TimeClass::Prefill),
            _ => None,
        },
        Cell::Memory => None,
    }
}

/// Full batches tell of steps where nothing else does.
pub(super) fn class_among(sample: &Sample<'_>, others_tell_of_steps: bool) -> Option<TimeClass> {
    match class(sample) {
        Some(TimeClass::Saturation) if !others_tell_of_steps && sample.resolved.load == Load::Max => {
            Some(TimeClass::Step)
        }
        found => found,
    }
}

/// ln of the factor of one class under those told of others, shrunken to the one that it has untold.
pub(super) fn solve(rows: &[Weighted<'_, '_>], class: TimeClass, logs: [Option<f64>; 4]) -> f64 {
    const STEP: f64 = 1e-4;
    let shrink = (ROW_SD / FACTOR_SD).powi(2);
    let at = |row: &Weighted<'_, '_>, log: f64| {
        let mut told = logs;
        told[class as usize] = Some(log);
        row.sample.residual_scaled(row.rates, Scale::told(told))
    };
    let prior = Scale::told(logs).of(class).ln();
    let mut log = prior;
    for _ in 0..ROUNDS_MAX {
        let (mut above, mut below) = ((prior - log) * shrink, shrink);
        for row in rows {
            let (Some(residual), Some(moved)) = (at(row, log), at(row, log + STEP)) else { continue };
            let slope = (moved - residual) / STEP;
            if !(SLOPE_MIN..=SLOPE_MAX).contains(&slope) {
                continue;
            }
            let weight = row.weight / (1.0 + (residual / ROBUST).powi(2)).sqrt();
            above -= weight * slope * residual;
            below += weight * slope * slope;
        }
        let change = (above / below).clamp(-0.5, 0.5);
        log = (log + change).clamp(-3.0, 3.0);
        if change.abs() < CHANGE_MIN {
            break;
        }
    }
    log
}
