//! Every measurement beside what the oracle would have said of it, had it never been measured.
//!
//! In: samples, the fit to all of them, ways to leave rows out. Out: [`Judged`] rows: residual, the basis that is left
//! without the fold's rows, and the interval stated for that basis. The basis is that of `estimate` itself, under a
//! catalog that has seen only the rows left. Nothing is fitted here but through `calibrate`.

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;

use crate::calibrate::{Cell, Fit, Held, HoldOut, Parameters, Sample, folds, groups};
use crate::catalog::{Catalog, Coefficients};
use crate::estimate::{Basis, Load, Step, interval, one_sided};
use crate::measurement::{Measurement, Quantity};

/// What the fit did not see.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fold {
    /// The models of one shape, in every source.
    Model,
    /// One GPU.
    Gpu,
    /// One source.
    Source,
    /// Half of the curves.
    Curve,
    /// Files that took no part in anything.
    Unseen,
}

impl Fold {
    pub(super) const ALL: [Self; 5] = [Self::Model, Self::Gpu, Self::Source, Self::Curve, Self::Unseen];

    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Model => "model left out",
            Self::Gpu => "GPU left out",
            Self::Source => "source left out",
            Self::Curve => "half of the curves left out",
            Self::Unseen => "unseen files",
        }
    }

    const fn hold_out(self) -> Option<HoldOut> {
        match self {
            Self::Model => Some(HoldOut::Model),
            Self::Gpu => Some(HoldOut::Gpu),
            Self::Source => Some(HoldOut::Source),
            Self::Curve => Some(HoldOut::Curve),
            Self::Unseen => None,
        }
    }
}

/// What a row is a measurement of, as far as the page tells rows apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Tpot,
    Saturation,
    Static,
    TtftAlone,
    TtftLoaded,
    Closed,
    OpenTtft,
    OpenTpot,
    OpenE2e,
    Weights,
    KvPool,
}

impl Kind {
    /// Those of the tables by fold.
    pub(super) const MAIN: [Self; 6] =
        [Self::Tpot, Self::Saturation, Self::Static, Self::TtftAlone, Self::TtftLoaded, Self::Closed];

    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Tpot => "TPOT",
            Self::Saturation => "saturation",
            Self::Static => "static batch",
            Self::TtftAlone => "TTFT, one prompt",
            Self::TtftLoaded => "TTFT, closed loop",
            Self::Closed => "E2E, closed loop",
            Self::OpenTtft => "TTFT, open load",
            Self::OpenTpot => "TPOT, open load",
            Self::OpenE2e => "E2E, open load",
            Self::Weights => "weights",
            Self::KvPool => "KV pool",
        }
    }

    /// The name of its plot.
    pub(super) const fn slug(self) -> &'static str {
        match self {
            Self::Tpot => "tpot",
            Self::Saturation => "saturation",
            Self::Static => "static",
            Self::TtftAlone => "ttft",
            Self::TtftLoaded => "ttft-closed",
            Self::Closed => "e2e-closed",
            Self::OpenTtft => "ttft-open",
            Self::OpenTpot => "tpot-open",
            Self::OpenE2e => "e2e-open",
            Self::Weights => "weights",
            Self::KvPool => "kv-pool",
        }
    }

    /// Figures that carry no promise.
    pub(super) const fn is_indicative(self) -> bool {
        matches!(self, Self::TtftLoaded | Self::OpenTtft | Self::OpenTpot | Self::OpenE2e)
    }

    /// `None` where the oracle says nothing that could be compared: a rate that is given, a percentile of a steady load.
    fn of(sample: &Sample<'_>) -> Option<Self> {
        let quantity = sample.measurement.quantity;
        match sample.cell {
            Cell::Memory if quantity == Quantity::Weights => Some(Self::Weights),
            Cell::Memory => Some(Self::KvPool),
            Cell::Open => match quantity {
                Quantity::Ttft => Some(Self::OpenTtft),
                Quantity::Tpot => Some(Self::OpenTpot),
                Quantity::E2e => Some(Self::OpenE2e),
                _ => None,
            },
            _ if !sample.is_fitted() => None,
            Cell::Tpot => Some(Self::Tpot),
            Cell::Saturation => Some(Self::Saturation),
            Cell::Static => Some(Self::Static),
            Cell::TtftAlone => Some(Self::TtftAlone),
            Cell::TtftLoaded => Some(Self::TtftLoaded),
            Cell::Closed => Some(Self::Closed),
        }
    }
}

/// A measurement and what was predicted without it.
#[derive(Debug, Clone)]
pub(super) struct Judged<'s, 'c> {
    pub(super) sample: &'s Sample<'c>,
    pub(super) kind: Kind,
    /// ln(predicted / measured), positive = slower; `None` where the oracle says saturated.
    pub(super) residual: Option<f64>,
    /// The same for whoever knows from other rows of the source how its set-up differs.
    pub(super) at_source: Option<f64>,
    /// What the estimate would have rested on.
    pub(super) basis: Basis,
    /// Factor of the two-sided 90 % interval that would have been stated.
    pub(super) factor_90: f64,
}

impl Judged<'_, '_> {
    pub(super) fn is_mixture(&self) -> bool {
        self.sample.is_mixture()
    }

    /// A generation that is reported apart.
    pub(super) fn is_apart(&self) -> bool {
        self.sample.resolved.unit.engine.id == APART
    }

    /// A judgement, which no formula carries.
    pub(super) fn is_assumed(&self) -> bool {
        self.basis == Basis::Assumed
    }

    /// Measured and predicted in the unit of the plots: ms, tokens/s under saturation, GiB.
    pub(super) fn figures(&self) -> Option<(f64, f64)> {
        let (residual, resolved) = (self.residual?, &self.sample.resolved);
        let (value, together) = (self.sample.measurement.value, resolved.concurrency.unwrap_or(1.0));
        let output = resolved.lengths.output_mean;
        let measured = match (self.kind, self.sample.measurement.quantity) {
            (Kind::Saturation, Quantity::Requests) => value * output,
            (Kind::Saturation, _) => return Some((value, value * (-residual).exp())),
            (_, Quantity::Requests) => 1000.0 * together / value,
            (_, Quantity::OutputTokens) => 1000.0 * together * output / value,
            _ => value,
        };
        let sign = if self.kind == Kind::Saturation { -1.0 } else { 1.0 };
        Some((measured, measured * (sign * residual).exp()))
    }
}

/// Rows of TensorRT-LLM from 1.2: a generation known by a few mixtures on one family of GPUs.
pub(super) const APART: &str = "trtllm-26";

/// A run under open load, and whether the oracle lets it run.
#[derive(Debug, Clone)]
pub(super) struct Run<'r> {
    /// Share of the offered requests that were served, where the source says.
    pub(super) served: Option<f64>,
    /// Runs at the rate / margin, at the rate, at the rate x margin.
    pub(super) steady: [bool; 3],
    pub(super) source: &'r str,
}

/// Samples, and behind them questions about them that no row answers.
///
/// A question is a sample that the fit does not see and whose figure is 1, so that its residual is the logarithm of a
/// prediction under the coefficients of its fold.
pub(super) struct Asked<'c> {
    samples: Vec<Sample<'c>>,
    rows: usize,
    /// TTFT and TPOT of a row whose interval is made of theirs.
    parts: BTreeMap<usize, [usize; 2]>,
    runs: Vec<AskedRun>,
}

struct AskedRun {
    source: String,
    served: Option<f64>,
    at: [usize; 3],
}

impl<'c> Asked<'c> {
    /// The samples of some measurements; `measured` has also those that were screened out.
    pub(super) fn new(catalog: &'c Catalog, samples: Vec<Sample<'c>>, measured: &[&Measurement]) -> Self {
        let mut asked = Self { rows: samples.len(), samples, parts: BTreeMap::new(), runs: Vec::new() };
        for at in 0..asked.rows {
            if asked.samples[at].cell == Cell::Closed {
                let places = [Quantity::Ttft, Quantity::Tpot].map(|quantity| {
                    let mut sample = asked.samples[at].clone();
                    sample.measurement.quantity = quantity;
                    asked.ask(sample)
                });
                asked.parts.insert(at, places);
            }
        }
        for run in runs(measured) {
            let mut first = run.rows[0].clone();
            first.quantity = Quantity::Tpot;
            first.statistic = None;
            first.value = 1.0;
            let Ok(sample) = Sample::new(catalog, &first) else { continue };
            let margin = margin(&catalog.coefficients, &sample);
            let at = [1.0 / margin, 1.0, margin].map(|times| {
                let mut sample = sample.clone();
                sample.resolved.rate_per_s *= times;
                asked.ask(sample)
            });
            asked.runs.push(AskedRun { source: first.source, served: run.served, at });
        }
        asked
    }

    fn ask(&mut self, mut sample: Sample<'c>) -> usize {
        // Open load takes no part in the fit.
        sample.cell = Cell::Open;
        sample.measurement.value = 1.0;
        sample.measurement.statistic = None;
        self.samples.push(sample);
        self.samples.len() - 1
    }

    pub(super) fn samples(&self) -> &[Sample<'c>] {
        &self.samples[..self.rows]
    }

    /// Every row and run under one fold; `fitted` are the samples that were fitted.
    pub(super) fn judge(
        &self,
        catalog: &Catalog,
        fold_by: Fold,
        fitted: &[Sample<'_>],
        parameters: &Parameters,
        whole: &Fit,
    ) -> (Vec<Judged<'_, 'c>>, Vec<Run<'_>>) {
        let plain = |sample: &Sample<'_>| {
            let plain = sample.residual(&whole.rates(sample))?;
            Some(Held { plain, at_source: plain })
        };
        let (residuals, out): (Vec<Option<Held>>, Vec<String>) = match fold_by.hold_out() {
            None => (self.samples.par_iter().map(plain).collect(), vec![String::new(); self.samples.len()]),
            Some(by) => (folds(&self.samples, parameters, whole, by), groups(&self.samples, by)),
        };
        let left = match fold_by.hold_out() {
            // Groups of the fitted rows: the same words, for they are the same rows.
            Some(_) => left(catalog, fitted, &out),
            None => left(catalog, fitted, &vec!["fitted".to_owned(); fitted.len()]),
        };
        let judged = (0..self.rows)
            .into_par_iter()
            .filter_map(|at| {
                let sample = &self.samples[at];
                let kind = Kind::of(sample)?;
                let seen = &left[&out[at]];
                let basis =
                    Step::new(seen, &sample.resolved.unit).map_or(Basis::Assumed, |step| step.basis());
                let table = |word: &str| interval(&catalog.coefficients, word, sample.is_mixture(), basis);
                let factor_90 = match kind {
                    Kind::Saturation => table("saturation"),
                    Kind::Static => table("static"),
                    Kind::TtftAlone => table("ttft"),
                    Kind::TtftLoaded | Kind::OpenTtft => table("ttft-loaded"),
                    Kind::Closed => {
                        // Ends of a sum are sums of ends, as `estimate` has it.
                        let part = |which: usize| {
                            let place = self.parts.get(&at).map(|places| places[which]);
                            place.and_then(|place| residuals[place]).map_or(0.0, |held| held.plain.exp())
                        };
                        let steps = (sample.resolved.lengths.output_mean - 1.0).max(0.0);
                        let (first, rest) = (part(0), part(1) * steps);
                        (first * table("ttft-loaded") + rest * table("tpot")) / (first + rest)
                    }
                    Kind::Tpot | Kind::OpenTpot | Kind::OpenE2e => table("tpot"),
                    // Memory has intervals of its own.
                    Kind::Weights | Kind::KvPool => 1.0,
                };
                let held = residuals[at];
                let (residual, at_source) = (held.map(|held| held.plain), held.map(|held| held.at_source));
                Some(Judged { sample, kind, residual, at_source, basis, factor_90 })
            })
            .collect();
        let runs = self.runs.iter().map(|run| Run {
            served: run.served,
            steady: run.at.map(|at| residuals[at].is_some()),
            source: &run.source,
        });
        (judged, runs.collect())
    }
}

/// By what a rate is held against saturation: the one-sided 0.9 quantile of a model that was not seen.
fn margin(coefficients: &Coefficients, sample: &Sample<'_>) -> f64 {
    one_sided(interval(coefficients, "tpot", sample.is_mixture(), Basis::Extrapolated), 0.9)
}

struct Measured<'m> {
    rows: Vec<&'m Measurement>,
    served: Option<f64>,
}

/// Rows under open load, those of one run together.
fn runs<'m>(measured: &[&'m Measurement]) -> Vec<Measured<'m>> {
    let mut runs: BTreeMap<String, Measured<'m>> = BTreeMap::new();
    for row in measured.iter().filter(|row| {
        row.request.load.unwrap_or(if row.request.rate_per_s.is_some() { Load::Open } else { Load::Static })
            == Load::Open
    }) {
        let key = format!("{}|{:?}", row.source, row.request);
        let run = runs.entry(key).or_insert(Measured { rows: Vec::new(), served: None });
        run.rows.push(row);
        let per_request = match row.quantity {
            Quantity::Requests => 1.0,
            Quantity::OutputTokens => row.request.output_tokens.unwrap_or(f64::NAN),
            _ => continue,
        };
        let share = row.request.rate_per_s.map(|rate| row.value / per_request / rate);
        let share = share.filter(|share| share.is_finite());
        run.served = run.served.into_iter().chain(share).reduce(f64::max);
    }
    runs.into_values().collect()
}

/// For each group the catalog that has seen only the fitted rows outside it.
fn left(catalog: &Catalog, fitted: &[Sample<'_>], groups: &[String]) -> BTreeMap<String, Catalog> {
    let rows = || fitted.iter().zip(groups).filter(|(sample, _)| sample.is_fitted());
    let mut names: BTreeSet<&str> = groups.iter().map(String::as_str).collect();
    // A group without rows: nothing is left out.
    names.insert("");
    // The groups in which each thing was seen: it is left to a group if some other one has it.
    let mut seen: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    let mut families: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (sample, group) in rows() {
        let unit = &sample.resolved.unit;
        let what = format!("{}|{}|{}|{}", unit.engine.id, unit.gpu.id, sample.bits, unit.model.id);
        seen.entry(what).or_default().insert(group);
        families.entry(&unit.gpu.family).or_default().insert(group);
    }
    names
        .into_iter()
        .map(|name| {
            let elsewhere = |groups: &BTreeSet<&str>| groups.iter().any(|group| *group != name);
            let mut rest = catalog.clone();
            let known = &mut rest.coefficients;
            known.seen = seen.iter().filter(|(_, at)| elsewhere(at)).map(|(what, _)| what.clone()).collect();
            let family = |level: &str| families.get(level).is_some_and(&elsewhere);
            known.values.retain(|(_, factor, level), _| factor != "gpu_family" || family(level));
            for name in families.keys().filter(|name| family(name)) {
                let key = ("c_k".to_owned(), "gpu_family".to_owned(), (*name).to_owned());
                known.values.entry(key).or_insert(1.0);
            }
            (name.to_owned(), rest)
        })
        .collect()
}
