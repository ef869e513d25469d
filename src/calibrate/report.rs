//! What a calibration came to, as facts: rows, errors before and after, factors.
//!
//! In: [`Own`]. Out: [`Report`], without a sentence; `render` has the words.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Cell, HoldOut, Own, Place, Score};
use crate::estimate::Z_90_TWO_SIDED;

/// Everything there is to say.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// Version of this shape.
    pub schema_version: u32,
    /// Files that were read, as given.
    pub files: Vec<String>,
    /// Figures used.
    pub rows_used: usize,
    /// Figures and runs left out.
    pub rows_rejected: usize,
    /// Why, by reason.
    pub rejected: Vec<RejectedRows>,
    /// What is left out together for the last column of errors: `configuration`, `model`, `gpu`, `curve` or `source`.
    pub hold_out: &'static str,
    /// Errors by formula and class of model.
    pub groups: Vec<Errors>,
    /// Errors by unit.
    pub units: Vec<Errors>,
    /// Factors, in order.
    pub factors: Vec<FactorFact>,
    /// Factors that did not help rows left out.
    pub dropped: Vec<DroppedFact>,
    /// The coefficients.
    pub refit: RefitFact,
    /// Where the overlay was written.
    pub overlay: Option<String>,
}

/// Rows left out for one reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RejectedRows {
    /// Stable name.
    pub reason: &'static str,
    /// How many.
    pub count: usize,
    /// Where they stand, each with its figures.
    pub rows: Vec<RejectedRow>,
}

/// One row left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RejectedRow {
    /// File, line and key.
    pub place: String,
    /// The reason with its figures.
    pub cause: String,
}

/// Errors of some rows.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Errors {
    /// Formula, such as `tpot`; absent where rows of several count together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub measure: Option<&'static str>,
    /// `dense` or `moe`.
    pub model_class: &'static str,
    /// The unit, where it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<UnitFact>,
    /// Rows.
    pub rows: usize,
    /// As the catalog has it.
    pub before: Option<ScoreFact>,
    /// After, fitted to all rows.
    pub in_sample: Option<ScoreFact>,
    /// After, fitted without the group of each row.
    pub out_of_sample: Option<ScoreFact>,
}

/// A unit by its names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UnitFact {
    /// Engine generation.
    pub engine: String,
    /// GPU id.
    pub gpu: String,
    /// Bits class of the weights; `null` = any.
    pub bits: Option<u32>,
    /// Model; `null` = those without a factor of their own.
    pub model: Option<String>,
}

/// Median, 90th percentile and bias of a relative error.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ScoreFact {
    /// Median of the absolute relative error.
    pub median: f64,
    /// 90th percentile of it.
    pub p90: f64,
    /// Median of the signed error; positive = slower than measured.
    pub bias: f64,
}

/// A factor.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FactorFact {
    /// What it is for.
    #[serde(flatten)]
    pub unit: UnitFact,
    /// Which times.
    pub measure: &'static str,
    /// Times are multiplied by it.
    pub factor: f64,
    /// Its 90 % interval.
    pub low: f64,
    /// See `low`.
    pub high: f64,
    /// Standard deviation of ln(predicted / measured) for a row not seen.
    pub left_sd_log: f64,
    /// Figures it rests on.
    pub rows: usize,
    /// Configurations; of a factor for any model, models.
    pub points: usize,
    /// Was it tried on rows left out?
    pub tried: bool,
}

/// A factor that is not kept.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DroppedFact {
    /// What it would have been for.
    #[serde(flatten)]
    pub unit: UnitFact,
    /// Which times.
    pub measure: &'static str,
    /// Median error of left-out rows without it.
    pub without: f64,
    /// And with it.
    pub with: f64,
    /// Configurations; of a factor for any model, models.
    pub points: usize,
}

/// The refit of the coefficients.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct RefitFact {
    /// Is it kept?
    pub kept: bool,
    /// Coefficients that moved.
    pub moved: usize,
    /// Mean |ln(predicted / measured)| of left-out rows with factors alone; `null` where nothing could be left out.
    pub without: Option<f64>,
    /// And with the refit beneath them.
    pub with: Option<f64>,
}

impl From<Score> for ScoreFact {
    fn from(score: Score) -> Self {
        Self { median: rounded(score.median), p90: rounded(score.p90), bias: rounded(score.bias) }
    }
}

impl From<&Place> for UnitFact {
    fn from(place: &Place) -> Self {
        Self {
            engine: place.engine.clone(),
            gpu: place.gpu.clone(),
            bits: place.bits,
            model: place.model.clone(),
        }
    }
}

/// Four significant digits.
fn rounded(value: f64) -> f64 {
    format!("{value:.3e}").parse().unwrap_or(value)
}

impl Report {
    /// The facts of a calibration; `moved` coefficients are written.
    #[must_use]
    pub fn of(own: &Own<'_>, files: &[String], moved: usize) -> Self {
        let mut rejected: BTreeMap<&'static str, Vec<RejectedRow>> = BTreeMap::new();
        for row in &own.rejected {
            let place = &row.place;
            let line = if place.line > 0 { format!(":{}", place.line) } else { String::new() };
            let key = if place.key.is_empty() { String::new() } else { format!(" {}", place.key) };
            let place = format!("{}{line}{key}", place.file);
            rejected.entry(row.reason).or_default().push(RejectedRow { place, cause: row.cause.clone() });
        }
        let rows_rejected = rejected.values().map(Vec::len).sum();
        Self {
            schema_version: 1,
            files: files.to_vec(),
            rows_used: own.samples.len(),
            rows_rejected,
            rejected: rejected
                .into_iter()
                .map(|(reason, rows)| RejectedRows { reason, count: rows.len(), rows })
                .collect(),
            hold_out: match own.hold_out {
                None => "configuration",
                Some(HoldOut::Model) => "model",
                Some(HoldOut::Gpu) => "gpu",
                Some(HoldOut::Curve) => "curve",
                Some(HoldOut::Source) => "source",
            },
            groups: groups(own),
            units: units(own),
            factors: own
                .factors
                .iter()
                .map(|factor| FactorFact {
                    unit: UnitFact::from(&factor.place),
                    measure: factor.class.word(),
                    factor: rounded(factor.log.exp()),
                    low: rounded((factor.log - Z_90_TWO_SIDED * factor.sd_log).exp()),
                    high: rounded((factor.log + Z_90_TWO_SIDED * factor.sd_log).exp()),
                    left_sd_log: rounded(factor.left_sd_log),
                    rows: factor.rows,
                    points: factor.points,
                    tried: factor.tried,
                })
                .collect(),
            dropped: own
                .dropped
                .iter()
                .map(|dropped| DroppedFact {
                    unit: UnitFact::from(&dropped.place),
                    measure: dropped.class.word(),
                    without: rounded(dropped.median.0),
                    with: rounded(dropped.median.1),
                    points: dropped.points,
                })
                .collect(),
            refit: RefitFact {
                kept: own.refit.kept.is_some(),
                moved,
                without: own.refit.left_out.map(|(without, _)| rounded(without)),
                with: own.refit.left_out.map(|(_, with)| rounded(with)),
            },
            overlay: None,
        }
    }
}

const fn class(mixture: bool) -> &'static str {
    if mixture { "moe" } else { "dense" }
}

/// Errors of some rows, before and after.
fn errors(own: &Own<'_>, rows: &[usize]) -> (usize, [Option<ScoreFact>; 3]) {
    let columns = [&own.residuals.before, &own.residuals.inside, &own.residuals.outside];
    let scores = columns.map(|column| {
        let residuals: Vec<f64> = rows.iter().filter_map(|at| column[*at]).collect();
        Score::of(&residuals).map(ScoreFact::from)
    });
    (rows.len(), scores)
}

fn groups(own: &Own<'_>) -> Vec<Errors> {
    let mut found: BTreeMap<(Cell, bool), Vec<usize>> = BTreeMap::new();
    for (at, sample) in own.samples.iter().enumerate() {
        found.entry((sample.cell, sample.is_mixture())).or_default().push(at);
    }
    let one = |((cell, mixture), rows): ((Cell, bool), Vec<usize>)| {
        let (rows, [before, in_sample, out_of_sample]) = errors(own, &rows);
        Errors {
            measure: Some(cell.word()),
            model_class: class(mixture),
            unit: None,
            rows,
            before,
            in_sample,
            out_of_sample,
        }
    };
    found.into_iter().map(one).collect()
}

fn units(own: &Own<'_>) -> Vec<Errors> {
    let mut found: BTreeMap<Place, Vec<usize>> = BTreeMap::new();
    for (at, sample) in own.samples.iter().enumerate() {
        let unit = &sample.resolved.unit;
        let place = Place {
            engine: unit.engine.id.clone(),
            gpu: unit.gpu.id.clone(),
            bits: Some(sample.bits),
            model: Some(unit.model.id.clone()),
        };
        found.entry(place).or_default().push(at);
    }
    let one = |(place, rows): (Place, Vec<usize>)| {
        let model_class = class(rows.iter().any(|at| own.samples[*at].is_mixture()));
        let (rows, [before, in_sample, out_of_sample]) = errors(own, &rows);
        let unit = Some(UnitFact::from(&place));
        Errors { measure: None, model_class, unit, rows, before, in_sample, out_of_sample }
    };
    found.into_iter().map(one).collect()
}
