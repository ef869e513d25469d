//! Samples with everything that does not depend on a decision: points, units, pairs, classes, weights and folds.

use std::collections::{BTreeMap, BTreeSet};

use super::super::fold::{groups, shape};
use super::super::scalar::{self, class_among};
use super::super::{Fit, HoldOut, Sample};
use super::{Dropped, Place};
use crate::catalog::Catalog;
use crate::estimate::{Rates, TimeClass};

/// More points than this are left out in so many groups.
const FOLDS_MAX: usize = 20;

/// Coefficients for every sample, of the fit to all and of each fold's.
pub(super) struct Predictor {
    pub(super) whole: Vec<Rates>,
    pub(super) folds: BTreeMap<String, Vec<Rates>>,
    pub(super) fit: Option<Fit>,
}

impl Predictor {
    pub(super) fn without(&self, label: &str) -> &[Rates] {
        self.folds.get(label).unwrap_or(&self.whole)
    }
}

/// What is done with the factor of a class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Choice {
    Off,
    Fitted {
        tried: bool,
    },
    /// 1: as the catalog has it, where following the steps is worse.
    One,
    /// What it would be untold, written so that the factor of any model does not reach the unit.
    Same,
}

impl Choice {
    pub(super) const fn is_fitted(self) -> bool {
        matches!(self, Self::Fitted { .. })
    }
}

/// A decision for everything.
pub(super) struct Plan {
    pub(super) predictor: Predictor,
    /// By unit.
    pub(super) units: Vec<[Choice; 4]>,
    /// By pair of engine and GPU.
    pub(super) pairs: Vec<[Choice; 4]>,
    pub(super) dropped: Vec<Dropped>,
}

/// Samples with everything that does not depend on a decision.
pub(super) struct Bench<'s, 'c> {
    pub(super) catalog: &'c Catalog,
    pub(super) samples: &'s [Sample<'c>],
    pub(super) before: Vec<Option<f64>>,
    /// One configuration under one load: its rows are one point.
    pub(super) points: Vec<String>,
    pub(super) shapes: Vec<String>,
    pub(super) classes: Vec<Option<TimeClass>>,
    /// Weight of a row: the rows of a point in a class share 1.
    pub(super) weights: Vec<f64>,
    /// Rows of each unit and of each pair.
    pub(super) units: Vec<(Place, Vec<usize>)>,
    pub(super) pairs: Vec<(Place, Vec<usize>)>,
    /// What is left out together to choose, and for the report.
    pub(super) folds: Vec<String>,
    pub(super) asked: Vec<String>,
}

/// A configuration under a load, in words.
pub(super) fn point(sample: &Sample<'_>) -> String {
    let (unit, r) = (&sample.resolved.unit, &sample.resolved);
    format!(
        "{}|{}|{}|{} {} {} {} {}|{} {} {} {}|{:?} {:?} {}|{:?} {} {}",
        unit.engine.id,
        unit.gpu.id,
        unit.model.id,
        unit.gpus,
        unit.tensor_parallel,
        unit.pipeline_parallel,
        unit.data_parallel,
        unit.expert_parallel,
        unit.weights,
        unit.kv_bytes,
        unit.max_batch,
        unit.gpu_memory_utilization,
        r.load,
        r.concurrency,
        r.rate_per_s,
        r.lengths.points,
        r.context_tokens,
        r.prefix_hit
    )
}

/// A model as its factor knows it: those alike in all of this share one, as in the catalog.
pub(super) fn likeness(sample: &Sample<'_>) -> String {
    let m = sample.resolved.unit.model;
    format!("{} {} {} {} {}", shape(sample), m.head_dim, m.sliding_layers, m.experts_per_token, m.vocab)
}

/// Rows by key, in the order of the keys.
pub(super) fn gathered<K: Ord>(keys: impl Iterator<Item = K>) -> Vec<(K, Vec<usize>)> {
    let mut found: BTreeMap<K, Vec<usize>> = BTreeMap::new();
    for (at, key) in keys.enumerate() {
        found.entry(key).or_default().push(at);
    }
    found.into_iter().collect()
}

/// At most [`FOLDS_MAX`] groups of whole points.
pub(super) fn dealt(points: &[String]) -> Vec<String> {
    let all: BTreeSet<&String> = points.iter().collect();
    if all.len() <= 2 * FOLDS_MAX {
        return points.to_vec();
    }
    let fold: BTreeMap<&String, usize> =
        all.into_iter().enumerate().map(|(at, point)| (point, at % FOLDS_MAX)).collect();
    points.iter().map(|point| fold[point].to_string()).collect()
}

impl<'s, 'c> Bench<'s, 'c> {
    pub(super) fn new(
        catalog: &'c Catalog,
        samples: &'s [Sample<'c>],
        before: Vec<Option<f64>>,
        hold_out: Option<HoldOut>,
    ) -> Self {
        let points: Vec<String> = samples.iter().map(point).collect();
        let shapes: Vec<String> = samples.iter().map(shape).collect();
        let by_model = gathered(samples.iter().map(|sample| {
            let unit = &sample.resolved.unit;
            (unit.engine.id.clone(), unit.gpu.id.clone(), sample.bits, likeness(sample))
        }));
        let units: Vec<(Place, Vec<usize>)> = by_model
            .into_iter()
            .map(|((engine, gpu, bits, _), rows)| {
                let ids = rows.iter().map(|at| &samples[*at].resolved.unit.model.id);
                let model = ids.min().cloned();
                (Place { engine, gpu, bits: Some(bits), model }, rows)
            })
            .collect();
        let pairs = gathered(samples.iter().map(|sample| {
            let unit = &sample.resolved.unit;
            Place { engine: unit.engine.id.clone(), gpu: unit.gpu.id.clone(), bits: None, model: None }
        }));
        let mut classes = vec![None; samples.len()];
        for (_, rows) in &units {
            let told = rows.iter().any(|at| scalar::class(&samples[*at]) == Some(TimeClass::Step));
            for at in rows {
                classes[*at] = class_among(&samples[*at], told);
            }
        }
        let mut counts: BTreeMap<(&str, Option<TimeClass>), f64> = BTreeMap::new();
        for (point, class) in points.iter().zip(&classes) {
            *counts.entry((point, *class)).or_default() += 1.0;
        }
        let weights = points
            .iter()
            .zip(&classes)
            .map(|(point, class)| 1.0 / counts[&(point.as_str(), *class)])
            .collect();
        let asked = hold_out.map_or_else(|| dealt(&points), |by| groups(samples, by));
        let folds = dealt(&points);
        Self { catalog, samples, before, points, shapes, classes, weights, units, pairs, folds, asked }
    }

    pub(super) fn pair_of(&self, unit: &Place) -> usize {
        let same = |place: &Place| place.engine == unit.engine && place.gpu == unit.gpu;
        self.pairs.iter().position(|(place, _)| same(place)).unwrap_or(0)
    }

    /// Weights under which every model of a class counts alike.
    pub(super) fn balanced(&self, rows: &[usize]) -> Vec<f64> {
        let mut sums: BTreeMap<(&str, Option<TimeClass>), f64> = BTreeMap::new();
        for at in rows {
            *sums.entry((&self.shapes[*at], self.classes[*at])).or_default() += self.weights[*at];
        }
        let mut weights = vec![0.0; self.samples.len()];
        for at in rows {
            weights[*at] = self.weights[*at] / sums[&(self.shapes[*at].as_str(), self.classes[*at])];
        }
        weights
    }
}
