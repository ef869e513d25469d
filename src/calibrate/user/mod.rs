//! A user's own measurements: what they change of the oracle, tried on rows that were left out.
//!
//! In: measurements and a catalog. Out: [`Own`]: a refit of the coefficients, factors for the units measured, or neither.
//! Shipped coefficients and their posterior spreads are the prior. What does not predict left-out rows better is not kept:
//! each factor is tried with every configuration left out in turn, one for other models with every model left out, the
//! refit against the factors alone. One configuration alone cannot be tried: its factor is shrunken, and marked.

mod bench;
mod choose;
mod spread;
mod trial;

use rayon::prelude::*;

use self::bench::Bench;
use super::{Fit, HoldOut, Sample, samples, screen};
use crate::catalog::Catalog;
use crate::estimate::{Scale, TimeClass};
use crate::measurement::{Measurement, Rejected};

/// What a factor is for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Engine generation.
    pub engine: String,
    /// GPU id.
    pub gpu: String,
    /// Bits class of the weights; `None` = any.
    pub bits: Option<u32>,
    /// Model; `None` = those without a factor of their own.
    pub model: Option<String>,
}

/// A factor to write.
#[derive(Debug, Clone, PartialEq)]
pub struct UnitFactor {
    /// What it is for.
    pub place: Place,
    /// Which times.
    pub class: TimeClass,
    /// Logarithm of the factor.
    pub log: f64,
    /// Standard deviation of it.
    pub sd_log: f64,
    /// Standard deviation of ln(predicted / measured) that is left, for a row not seen.
    pub left_sd_log: f64,
    /// Figures it rests on.
    pub rows: usize,
    /// Configurations, of a factor for any model: models.
    pub points: usize,
    /// Was it tried on rows that were left out?
    pub tried: bool,
}

/// A factor that is not written, for left-out rows were no better for it.
#[derive(Debug, Clone, PartialEq)]
pub struct Dropped {
    /// What it would have been for.
    pub place: Place,
    /// Which times.
    pub class: TimeClass,
    /// Median error of its rows without it, and left out with it.
    pub median: (f64, f64),
    /// Configurations, of a factor for any model: models.
    pub points: usize,
}

/// What became of the refit.
#[derive(Debug, Clone)]
pub struct Refit {
    /// The coefficients, where they are kept.
    pub kept: Option<Fit>,
    /// Mean |ln(predicted / measured)| of left-out rows: with factors alone, and with the refit beneath them.
    pub left_out: Option<(f64, f64)>,
}

/// ln(predicted / measured) of every sample.
#[derive(Debug, Clone, Default)]
pub struct Residuals {
    /// As the catalog has it.
    pub before: Vec<Option<f64>>,
    /// With everything that is kept, fitted to all rows.
    pub inside: Vec<Option<f64>>,
    /// The same, fitted without the group of the row; `None` also where nothing is left to fit to.
    pub outside: Vec<Option<f64>>,
}

/// What measurements came to.
#[derive(Debug, Clone)]
pub struct Own<'c> {
    /// Rows that were worked out.
    pub samples: Vec<Sample<'c>>,
    /// Rows that were not, with the reason.
    pub rejected: Vec<Rejected>,
    /// Factors to write, in order.
    pub factors: Vec<UnitFactor>,
    /// Factors that did not help, in order.
    pub dropped: Vec<Dropped>,
    /// The coefficients.
    pub refit: Refit,
    /// What was left out together for the report; `None` = one configuration.
    pub hold_out: Option<HoldOut>,
    /// Errors.
    pub residuals: Residuals,
}

/// Fits the oracle to a user's own rows.
#[must_use]
pub fn own<'c>(catalog: &'c Catalog, rows: &[Measurement], hold_out: Option<HoldOut>) -> Own<'c> {
    let (kept, mut rejected) = screen(rows);
    let (mut samples, more) = samples(catalog, &kept);
    rejected.extend(more);
    let mut before: Vec<Option<f64>> = samples
        .par_iter()
        .map(|sample| {
            let scale = Scale::known(catalog, &sample.resolved.unit, sample.bits);
            sample.residual_scaled(sample.shipped_rates(), scale)
        })
        .collect();
    for (sample, _) in samples.iter().zip(&before).filter(|(_, residual)| residual.is_none()) {
        rejected.push(Rejected {
            place: sample.measurement.place.clone(),
            reason: "saturated",
            cause: "the oracle knows no steady state at this rate".to_owned(),
        });
    }
    let mut known = before.iter().map(Option::is_some);
    samples.retain(|_| known.next().unwrap_or(false));
    before.retain(Option::is_some);
    rejected.sort_by(|a, b| (&a.place, a.reason).cmp(&(&b.place, b.reason)));
    let bench = Bench::new(catalog, &samples, before, hold_out);
    let (plan, refit) = bench.choose();
    let residuals = bench.residuals(&plan);
    let (factors, dropped) = (bench.factors(&plan), plan.dropped.clone());
    Own { factors, dropped, refit, hold_out, residuals, rejected, samples: bench.samples.to_vec() }
}
