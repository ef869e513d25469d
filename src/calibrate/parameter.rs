//! The unknowns of the fit: a base and the effects of every coefficient, and the set-up of every source, in logarithms.
//!
//! In: [`Priors`] and the levels that occur in the samples. Out: [`Parameters`], and from a vector of values the [`Rates`] of
//! one configuration: c_j = exp(beta_j + sum of effects). A level that never occurs has no parameter, so no effect.

use std::collections::BTreeMap;

use super::{Cell, Priors, Sample};
use crate::estimate::{Coefficient, Factor, Rates};

/// What an unknown belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// A coefficient: its base, or an effect on it.
    Coefficient(Coefficient, Factor),
    /// How the set-up of one source differs; no part of the catalog.
    Setup,
}

/// One unknown.
#[derive(Debug, Clone, PartialEq)]
pub struct Parameter {
    /// What it belongs to.
    pub subject: Subject,
    /// The level of the factor; empty for a base; source and cell for a set-up.
    pub level: String,
    /// Mean of the logarithm before the fit.
    pub prior: f64,
    /// Standard deviation of the logarithm before the fit.
    pub sd_log: f64,
}

/// All unknowns, in the order of coefficient, factor and level.
#[derive(Debug, Clone)]
pub struct Parameters {
    /// The unknowns.
    pub list: Vec<Parameter>,
    index: BTreeMap<(Coefficient, Factor, String), usize>,
    factors: BTreeMap<Coefficient, Vec<Factor>>,
    setups: BTreeMap<(String, Cell), usize>,
}

impl Parameters {
    /// Where the effect of the set-up behind a sample stands: it shifts the residual itself.
    #[must_use]
    pub fn setup(&self, sample: &Sample<'_>) -> Option<usize> {
        self.setups.get(&(sample.measurement.source.clone(), sample.cell)).copied()
    }

    /// The unknowns that some samples can tell of.
    #[must_use]
    pub fn of(priors: &Priors, samples: &[Sample<'_>]) -> Self {
        let mut found: BTreeMap<(Coefficient, Factor, String), (f64, f64)> = BTreeMap::new();
        for (coefficient, (value, sd_log)) in Coefficient::ALL.into_iter().zip(priors.bases) {
            found.insert((coefficient, Factor::Base, String::new()), (value.ln(), sd_log));
        }
        let mut factors: BTreeMap<Coefficient, Vec<Factor>> = BTreeMap::new();
        for coefficient in Coefficient::ALL {
            factors.entry(coefficient).or_default().push(Factor::Base);
        }
        for spread in &priors.spreads {
            factors.entry(spread.coefficient).or_default().push(spread.factor);
            for sample in samples.iter().filter(|sample| sample.is_fitted()) {
                let unit = &sample.resolved.unit;
                let other = spread.factor == Factor::GpuFamily && unit.gpu.vendor != "nvidia";
                let sd_log = if other { priors.other_vendor_sd_log } else { spread.sd_log };
                let level = spread.factor.level(unit, sample.bits);
                found.entry((spread.coefficient, spread.factor, level.to_owned())).or_insert((0.0, sd_log));
            }
        }
        let mut list: Vec<Parameter> = found
            .iter()
            .map(|((coefficient, factor, level), &(prior, sd_log))| Parameter {
                subject: Subject::Coefficient(*coefficient, *factor),
                level: level.clone(),
                prior,
                sd_log,
            })
            .collect();
        let mut setups = BTreeMap::new();
        for sample in samples.iter().filter(|sample| sample.is_fitted()) {
            let sd_log =
                if sample.cell == Cell::TtftLoaded { priors.setup_ttft_sd_log } else { priors.setup_sd_log };
            setups.insert((sample.measurement.source.clone(), sample.cell), sd_log);
        }
        for ((source, cell), sd_log) in &setups {
            let level = format!("{source}|{}", cell.word());
            list.push(Parameter { subject: Subject::Setup, level, prior: 0.0, sd_log: *sd_log });
        }
        let setups = setups.into_keys().zip(found.len()..).collect();
        let index = found.into_keys().enumerate().map(|(at, key)| (key, at)).collect();
        Self { list, index, factors, setups }
    }

    /// Where the parameters of one configuration stand, with the coefficient each belongs to.
    #[must_use]
    pub fn places(&self, sample: &Sample<'_>) -> Vec<(Coefficient, usize)> {
        let mut places = Vec::with_capacity(64);
        for (&coefficient, factors) in &self.factors {
            for &factor in factors {
                let level = factor.level(&sample.resolved.unit, sample.bits);
                if let Some(at) = self.index.get(&(coefficient, factor, level.to_owned())) {
                    places.push((coefficient, *at));
                }
            }
        }
        places
    }

    /// Values before the fit.
    #[must_use]
    pub fn start(&self) -> Vec<f64> {
        self.list.iter().map(|parameter| parameter.prior).collect()
    }
}

/// The coefficients that parameter values give the places of one configuration.
#[must_use]
pub(super) fn rates(places: &[(Coefficient, usize)], values: &[f64]) -> Rates {
    let mut logs = [0.0; Coefficient::COUNT];
    for &(coefficient, at) in places {
        logs[coefficient as usize] += values[at];
    }
    let mut rates = Rates::ONE;
    for coefficient in Coefficient::ALL {
        rates[coefficient] = logs[coefficient as usize].exp();
    }
    rates
}
