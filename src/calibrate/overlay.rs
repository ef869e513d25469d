//! Tables of a fit, as text: the overlay of a user, and the fitted tables of the catalog.
//!
//! In: [`Own`], or a fit to all published rows. Out: file names and CSV in the schema of `catalog/`, sorted, in five significant
//! digits, dated by the rows and never by the clock. The same rows give the same bytes. It writes no file.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use jiff::civil::Date;
use sha2::{Digest, Sha256};

use super::fold::{fold, publisher, shape};
use super::{Cell, Fit, HoldOut, Own, Sample, Subject, quantile};
use crate::catalog::Catalog;
use crate::estimate::{Basis, Coefficient, Factor, interval};

/// A file of an overlay.
pub type Text = (&'static str, String);

/// Every table that an overlay of a calibration may hold.
pub const TABLES: [&str; 3] = ["calibration.csv", "coefficients.csv", "sources.csv"];

/// Source of the shipped coefficients, as in `catalog/sources.csv`.
const SOURCE_OF_FIT: &str = "oracle-fit-2026";
/// A coefficient that moved by less is the one that was shipped.
const MOVED_MIN: f64 = 1e-3;

/// A line of CSV.
fn line(text: &mut String, cells: &[&str]) {
    for (at, cell) in cells.iter().enumerate() {
        let comma = if at > 0 { "," } else { "" };
        let quoted = cell.contains([',', '"', '\n', '\r']) || cell.starts_with('#');
        let cell = if quoted { format!("\"{}\"", cell.replace('"', "\"\"")) } else { (*cell).to_owned() };
        // Writing to a text cannot fail.
        let _ = write!(text, "{comma}{cell}");
    }
    text.push('\n');
}

/// Five significant digits.
fn figure(value: f64) -> String {
    format!("{value:.4e}").parse::<f64>().unwrap_or(value).to_string()
}

/// A fitted coefficient or effect.
struct Value<'f> {
    coefficient: Coefficient,
    factor: Factor,
    level: &'f str,
    log: f64,
    sd_log: f64,
}

/// What a fit gives the catalog: all but the set-ups of sources.
fn values(fit: &Fit) -> Vec<Value<'_>> {
    let all = fit.parameters.list.iter().zip(fit.values.iter().zip(&fit.sd_log));
    let value = |(parameter, (log, sd_log)): (&'_ super::Parameter, (&f64, &f64))| match parameter.subject {
        Subject::Coefficient(coefficient, factor) => Some((coefficient, factor, *log, *sd_log)),
        Subject::Setup => None,
    };
    all.filter_map(|one| {
        let (coefficient, factor, log, sd_log) = value(one)?;
        Some(Value { coefficient, factor, level: one.0.level.as_str(), log, sd_log })
    })
    .collect()
}

/// The values that a refit moved.
fn moved<'f>(catalog: &Catalog, fit: &'f Fit) -> Vec<Value<'f>> {
    let shipped = &catalog.coefficients.values;
    let of = |value: &Value<'_>| {
        let (coefficient, factor) = (value.coefficient.word(), value.factor.word());
        let key = (coefficient.to_owned(), factor.to_owned(), value.level.to_owned());
        // A level that is not shipped has no effect.
        shipped.get(&key).map_or(0.0, |value| value.ln())
    };
    values(fit).into_iter().filter(|value| (value.log - of(value)).abs() >= MOVED_MIN).collect()
}

/// Coefficients that the refit of a calibration moved.
#[must_use]
pub fn moved_count(catalog: &Catalog, own: &Own<'_>) -> usize {
    own.refit.kept.as_ref().map_or(0, |fit| moved(catalog, fit).len())
}

/// Rows of `coefficients.csv`.
fn coefficient_rows(rows: &[Value<'_>], samples: &[Sample<'_>], source: &str, as_of: &str) -> String {
    let mut text = "coefficient,factor,level,value,sd_log,rows,source,as_of,assumed\n".to_owned();
    let mut lines: Vec<[String; 6]> = rows
        .iter()
        .map(|value| {
            let told = |sample: &&Sample<'_>| {
                let level = value.factor.level(&sample.resolved.unit, sample.bits);
                sample.is_fitted() && level == value.level
            };
            [
                value.coefficient.word().to_owned(),
                value.factor.word().to_owned(),
                value.level.to_owned(),
                figure(value.log.exp()),
                format!("{:.3}", value.sd_log),
                samples.iter().filter(told).count().to_string(),
            ]
        })
        .collect();
    lines.sort();
    for [coefficient, factor, level, value, sd_log, rows] in &lines {
        line(&mut text, &[coefficient, factor, level, value, sd_log, rows, source, as_of, ""]);
    }
    text
}

/// The day of some rows: the latest that they state, else the day of the catalog.
fn day(catalog: &Catalog, samples: &[Sample<'_>]) -> Date {
    samples.iter().filter_map(|sample| sample.measurement.as_of).max().unwrap_or(catalog.built)
}

/// A name for the source that is the same for the same rows, and another for others.
fn source_id(samples: &[Sample<'_>]) -> String {
    let mut sum = Sha256::new();
    for sample in samples {
        let row = &sample.measurement;
        let said = format!("{:?}|{}|{:?}|{:e}\n", row.request, row.quantity.word(), row.statistic, row.value);
        sum.update(said.as_bytes());
    }
    let digest: String = sum.finalize().iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    format!("calibrate-{digest}")
}

/// The overlay of a calibration; empty where nothing helps.
#[must_use]
pub fn overlay(catalog: &Catalog, own: &Own<'_>, files: &[String]) -> Vec<Text> {
    let moved = own.refit.kept.as_ref().map(|fit| moved(catalog, fit)).unwrap_or_default();
    if own.factors.is_empty() && moved.is_empty() {
        return Vec::new();
    }
    let (source, as_of) = (source_id(&own.samples), day(catalog, &own.samples).to_string());
    let mut tables = Vec::new();
    let mut text = "engine,gpu,bits,model,measure,factor,sd_log,rows,source,as_of\n".to_owned();
    for factor in &own.factors {
        let place = &factor.place;
        let bits = place.bits.map_or_else(String::new, |bits| bits.to_string());
        let cells = [
            place.engine.as_str(),
            &place.gpu,
            &bits,
            place.model.as_deref().unwrap_or_default(),
            factor.class.word(),
            &figure(factor.log.exp()),
            &figure(factor.left_sd_log),
            &factor.rows.to_string(),
            &source,
            &as_of,
        ];
        line(&mut text, &cells);
    }
    if !own.factors.is_empty() {
        tables.push(("calibration.csv", text));
    }
    if !moved.is_empty() {
        tables.push(("coefficients.csv", coefficient_rows(&moved, &own.samples, &source, &as_of)));
    }
    let names: BTreeSet<&str> = files.iter().map(|file| name(file)).collect();
    let names = names.into_iter().collect::<Vec<_>>().join(", ");
    let mut text = "id,title,url,licence\n".to_owned();
    line(&mut text, &[&source, &format!("own measurements: {names}"), "", ""]);
    tables.push(("sources.csv", text));
    tables
}

/// A file without its folders: an overlay is the same wherever it was made.
fn name(file: &str) -> &str {
    match file.rsplit(['/', '\\']).next() {
        Some("-") => "standard input",
        Some(name) if !name.is_empty() => name,
        _ => file,
    }
}

/// The fitted tables of the catalog, from a fit of all rows to the priors of the study.
#[must_use]
pub fn rebuilt(catalog: &Catalog, samples: &[Sample<'_>], unseen: &[Sample<'_>], fit: &Fit) -> Vec<Text> {
    let as_of = catalog.built.to_string();
    let erratic = erratic(samples, fit);
    let groups: BTreeSet<[String; 4]> = samples
        .iter()
        .filter(|sample| sample.is_fitted() && !erratic.contains(&sample.resolved.unit.gpu.id))
        .map(|sample| {
            let unit = &sample.resolved.unit;
            [unit.engine.id.clone(), unit.gpu.id.clone(), sample.bits.to_string(), unit.model.id.clone()]
        })
        .collect();
    let mut seen = "engine,gpu,bits,model,source,as_of,assumed\n".to_owned();
    for [engine, gpu, bits, model] in &groups {
        line(&mut seen, &[engine, gpu, bits, model, SOURCE_OF_FIT, &as_of, ""]);
    }
    vec![
        ("coefficients.csv", coefficient_rows(&values(fit), samples, SOURCE_OF_FIT, &as_of)),
        ("calibrated.csv", seen),
        ("intervals.csv", intervals(catalog, samples, unseen, fit, &as_of)),
    ]
}

/// Factor by which a tenth of the rows of a GPU may miss even where they are fitted.
const ERRATIC: f64 = 3.0;

/// GPUs that no set of coefficients describes: estimates on them stay a judgement.
fn erratic(samples: &[Sample<'_>], fit: &Fit) -> BTreeSet<String> {
    let mut residuals: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for sample in samples.iter().filter(|sample| sample.is_fitted() && sample.cell != Cell::TtftLoaded) {
        let residual = sample.residual(&fit.rates(sample)).map(f64::abs);
        residuals.entry(&sample.resolved.unit.gpu.id).or_default().extend(residual);
    }
    let wide = |(_, residuals): &(&str, Vec<f64>)| quantile(residuals, 0.9).exp() > ERRATIC;
    residuals.into_iter().filter(wide).map(|(gpu, _)| gpu.to_owned()).collect()
}

/// Measures of the interval table.
const MEASURES: [Cell; 5] = [Cell::Saturation, Cell::Static, Cell::Tpot, Cell::TtftAlone, Cell::TtftLoaded];

/// A residual of a row left out, and whom it counts for: a model or a source.
type LeftOut = (String, f64);

/// Residuals of one measure and class behind each basis.
///
/// Halves of curves left out, and unseen sources of configurations seen, tell of `calibrated`; models and sources left
/// out, and unseen sources of the rest, of `extrapolated`. Sources are left out only where others measured the same of the
/// same engine generation: the rest would tell of nothing but priors.
struct Evidence<'s, 'c> {
    samples: &'s [Sample<'c>],
    unseen: &'s [Sample<'c>],
    curves: Vec<Option<f64>>,
    models: Vec<Option<f64>>,
    sources: Vec<Option<f64>>,
    others: Vec<Option<f64>>,
    publishers: BTreeMap<(Cell, String), BTreeSet<String>>,
    seen: BTreeSet<[String; 4]>,
}

impl<'s, 'c> Evidence<'s, 'c> {
    fn new(samples: &'s [Sample<'c>], unseen: &'s [Sample<'c>], fit: &Fit) -> Self {
        let out = |by: HoldOut| fold(samples, &fit.parameters, fit, by);
        let mut publishers: BTreeMap<_, BTreeSet<String>> = BTreeMap::new();
        let mut seen = BTreeSet::new();
        for sample in samples.iter().filter(|sample| sample.is_fitted()) {
            let key = (sample.cell, sample.resolved.unit.engine.id.clone());
            publishers.entry(key).or_default().insert(publisher(&sample.measurement.source));
            seen.insert(alike(sample));
        }
        Self {
            samples,
            unseen,
            curves: out(HoldOut::Curve),
            models: out(HoldOut::Model),
            sources: out(HoldOut::Source),
            others: unseen.iter().map(|sample| sample.residual(&fit.rates(sample))).collect(),
            publishers,
            seen,
        }
    }

    fn of(&self, cell: Cell, mixture: bool, basis: Basis) -> Vec<LeftOut> {
        let own = |sample: &Sample<'_>| {
            sample.is_fitted() && sample.cell == cell && sample.is_mixture() == mixture && sample.is_trusted()
        };
        // Nothing carries over to a model unseen on another vendor's hardware: that is not extrapolated.
        let carries = |sample: &Sample<'_>| own(sample) && sample.resolved.unit.gpu.vendor == "nvidia";
        let source = |sample: &Sample<'_>| format!("source {}", sample.measurement.source);
        let mut found = Vec::new();
        if basis == Basis::Calibrated {
            let rows = self.samples.iter().zip(&self.curves).filter(|(sample, _)| own(sample));
            found.extend(rows.filter_map(|(sample, residual)| Some((shape(sample), (*residual)?))));
        } else {
            let rows = self.samples.iter().zip(&self.models).filter(|(sample, _)| carries(sample));
            found.extend(rows.filter_map(|(sample, residual)| Some((shape(sample), (*residual)?))));
            let shared = |sample: &Sample<'_>| {
                let key = (sample.cell, sample.resolved.unit.engine.id.clone());
                self.publishers.get(&key).is_some_and(|publishers| publishers.len() > 1)
            };
            let rows = self
                .samples
                .iter()
                .zip(&self.sources)
                .filter(|(sample, _)| carries(sample) && shared(sample));
            found.extend(rows.filter_map(|(sample, residual)| Some((source(sample), (*residual)?))));
        }
        let rows = self.unseen.iter().zip(&self.others).filter(|(sample, _)| {
            let known = self.seen.contains(&alike(sample));
            if basis == Basis::Calibrated { own(sample) && known } else { carries(sample) && !known }
        });
        found.extend(rows.filter_map(|(sample, residual)| Some((source(sample), (*residual)?))));
        found
    }
}

/// What makes an estimate `calibrated`: engine generation, GPU, weight bits and model.
fn alike(sample: &Sample<'_>) -> [String; 4] {
    let unit = &sample.resolved.unit;
    [unit.engine.id.clone(), unit.gpu.id.clone(), sample.bits.to_string(), shape(sample)]
}

/// Rows of `intervals.csv` (oracle study section 7), from rows left out and rows never fitted.
fn intervals(
    catalog: &Catalog,
    samples: &[Sample<'_>],
    unseen: &[Sample<'_>],
    fit: &Fit,
    as_of: &str,
) -> String {
    let evidence = Evidence::new(samples, unseen, fit);
    let of = |cell: Cell, mixture: bool, basis: Basis| factor(&evidence.of(cell, mixture, basis));
    let mut text = "measure,model_class,basis,factor,source,as_of,assumed\n".to_owned();
    for cell in MEASURES {
        for (class, mixture) in [("dense", false), ("moe", true)] {
            let assumed = figure(interval(&catalog.coefficients, cell.word(), mixture, Basis::Assumed));
            line(&mut text, &[cell.word(), class, "assumed", &assumed, "oracle-study", as_of, "true"]);
            // What was not seen is known no better than what was.
            let mut least = 1.0;
            for basis in [Basis::Calibrated, Basis::Extrapolated] {
                // A class nobody measured is as wide as the other one.
                let found = of(cell, mixture, basis).or_else(|| of(cell, !mixture, basis));
                let known = || interval(&catalog.coefficients, cell.word(), mixture, basis);
                let factor = found.unwrap_or_else(known).clamp(least, 10.0);
                least = factor;
                // Two digits behind the point: no interval is known better.
                let factor =
                    format!("{factor:.2}").parse().map_or(factor, |rounded: f64| rounded).to_string();
                line(&mut text, &[cell.word(), class, basis.word(), &factor, SOURCE_OF_FIT, as_of, ""]);
            }
        }
    }
    text
}

/// exp(q sqrt(1 + 1/K)), q the 0.9 quantile of |ln r| with every model counting alike, K models; `None` of no rows.
fn factor(rows: &[(String, f64)]) -> Option<f64> {
    let mut counts: BTreeMap<&str, f64> = BTreeMap::new();
    for (model, _) in rows {
        *counts.entry(model).or_default() += 1.0;
    }
    let mut sizes: Vec<(f64, f64)> =
        rows.iter().map(|(model, residual)| (residual.abs(), 1.0 / counts[model.as_str()])).collect();
    sizes.sort_by(|a, b| a.0.total_cmp(&b.0));
    #[expect(clippy::cast_precision_loss, reason = "a count of models")]
    let models = counts.len() as f64;
    let mut below = 0.0;
    for (size, weight) in &sizes {
        below += weight;
        if below >= 0.9 * models - 1e-9 {
            return Some((size * (1.0 + 1.0 / models).sqrt()).exp());
        }
    }
    None
}
