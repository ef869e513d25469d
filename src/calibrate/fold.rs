//! Predictions of rows that the fit never saw.
//!
//! In: samples, a way to hold rows out. Out: for each sample the residual of the fit that left its group out. A group is a
//! model (fine-tunes count as their base: models of one shape are left out together), a GPU, a source, or half of the
//! curves (same model, GPU, layout, lengths and engine).

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;

use super::{Fit, GAIN_FOLD, Parameters, Sample, fit};

/// What is left out together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum HoldOut {
    /// Models of one shape, out of all sources.
    Model,
    /// One GPU.
    Gpu,
    /// Half of the curves.
    Curve,
    /// One source.
    Source,
}

impl HoldOut {
    /// The word of reports.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Model => "model",
            Self::Gpu => "GPU",
            Self::Curve => "curve",
            Self::Source => "source",
        }
    }
}

/// A curve: what stays the same while the load changes.
fn curve(sample: &Sample<'_>) -> String {
    let (unit, lengths) = (&sample.resolved.unit, &sample.resolved.lengths);
    format!(
        "{}|{}|{}|{}|{}|{}|{}|{}|{}",
        sample.measurement.source,
        unit.model.id,
        unit.gpu.id,
        unit.gpus,
        unit.tensor_parallel,
        unit.weights,
        unit.engine.id,
        lengths.input_mean,
        lengths.output_mean
    )
}

/// What a model is left out as: its shape.
#[must_use]
pub(super) fn shape(sample: &Sample<'_>) -> String {
    let m = sample.resolved.unit.model;
    format!(
        "{} {} {} {} {} {} {}",
        m.layers, m.hidden, m.heads, m.kv_heads, m.intermediate, m.moe_intermediate, m.experts
    )
}

/// Who published a source: its name without a version or a page, so that `docs v0.14` and `docs v1.0` are one.
pub(super) fn publisher(source: &str) -> String {
    let page = source.split('/').next().unwrap_or(source);
    let version =
        page.match_indices(" v").find(|(at, _)| page[at + 2..].starts_with(|c: char| c.is_ascii_digit()));
    version.map_or(page, |(at, _)| &page[..at]).trim().to_owned()
}

/// The group of each sample: what is left out together.
#[must_use]
pub fn groups(samples: &[Sample<'_>], by: HoldOut) -> Vec<String> {
    match by {
        HoldOut::Model => samples.iter().map(shape).collect(),
        HoldOut::Gpu => samples.iter().map(|sample| sample.resolved.unit.gpu.id.clone()).collect(),
        HoldOut::Source => samples.iter().map(|sample| publisher(&sample.measurement.source)).collect(),
        HoldOut::Curve => {
            let all: BTreeSet<String> = samples.iter().map(curve).collect();
            let half: BTreeMap<String, usize> =
                all.into_iter().enumerate().map(|(at, curve)| (curve, at % 2)).collect();
            samples.iter().map(|sample| half[&curve(sample)].to_string()).collect()
        }
    }
}

/// The residual of a sample whose group was left out.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Held {
    /// As anybody would be told who knows nothing of the source.
    pub plain: f64,
    /// Knowing from the other rows of its source how that set-up differs.
    pub at_source: f64,
}

/// Residuals with the group of each sample left out; `whole` is the fit to all, where each fold starts.
#[must_use]
pub fn folds(samples: &[Sample<'_>], parameters: &Parameters, whole: &Fit, by: HoldOut) -> Vec<Option<Held>> {
    let groups = groups(samples, by);
    let names: BTreeSet<&String> = groups.iter().collect();
    let fits: BTreeMap<&String, Fit> = names
        .into_par_iter()
        .map(|name| {
            let rest = samples.iter().zip(&groups).filter(|(_, group)| *group != name);
            let rest: Vec<&Sample<'_>> = rest.map(|(sample, _)| sample).collect();
            (name, fit(rest.into_iter(), parameters, &whole.values, GAIN_FOLD))
        })
        .collect();
    let held = |(sample, group): (&Sample<'_>, &String)| {
        let fit = &fits[group];
        let plain = sample.residual(&fit.rates(sample))?;
        Some(Held { plain, at_source: plain + fit.setup(sample) })
    };
    samples.iter().zip(&groups).map(held).collect()
}

/// [`folds`] for anybody who knows nothing of the source.
#[must_use]
pub fn fold(samples: &[Sample<'_>], parameters: &Parameters, whole: &Fit, by: HoldOut) -> Vec<Option<f64>> {
    folds(samples, parameters, whole, by).into_iter().map(|held| held.map(|held| held.plain)).collect()
}
