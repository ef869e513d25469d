//! Single changes of a configuration, tried: what would be faster, and what would fit.
//!
//! In: a request and what became of it. Out: [`Tried`]: changes with the measures they lead to, found by asking the
//! oracle again, never by rule of thumb. It says nothing of prices and of quality.

use super::{Basis, Load, Measures, Misfit, Outcome, Request, Resolved, Unit, single};
use crate::catalog::{Catalog, Gpu};

/// Something to do otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Weights at this precision.
    Weights(String),
    /// The KV cache at 8 bits.
    Cache8,
    /// So many GPUs in all, more of them sharing each layer.
    Gpus {
        /// GPUs of the replica.
        gpus: u32,
        /// GPUs that share each layer.
        tensor_parallel: u32,
    },
    /// As many of this GPU.
    Gpu(String),
}

/// Changes made together, and what they lead to.
#[derive(Debug, Clone, PartialEq)]
pub struct Tried {
    /// What was changed.
    pub changes: Vec<Change>,
    /// What the configuration does then.
    pub measures: Box<Measures>,
}

/// Gains below this are lost in the interval.
const GAIN_MIN: f64 = 1.05;
/// GPUs tried on either side of the question, nearest first.
const NEIGHBOURS: usize = 3;
/// Answers given.
const SHOWN: usize = 3;

impl Change {
    fn apply(&self, request: &mut Request) {
        match self {
            Self::Weights(precision) => request.weights = Some(precision.clone()),
            Self::Cache8 => request.kv = Some("fp8".to_owned()),
            Self::Gpus { gpus, tensor_parallel } => {
                request.gpus = Some(*gpus);
                request.tensor_parallel = Some(*tensor_parallel);
            }
            Self::Gpu(id) => request.gpu.clone_from(id),
        }
    }
}

/// The oracle asked again; `None` where the changed configuration does not run.
fn attempt(catalog: &Catalog, request: &Request, changes: &[Change]) -> Option<Tried> {
    let mut changed = request.clone();
    changes.iter().for_each(|change| change.apply(&mut changed));
    match single(catalog, &changed).outcome {
        Outcome::Fits(measures) => Some(Tried { changes: changes.to_vec(), measures }),
        Outcome::Misfits(_) | Outcome::Refused(_) => None,
    }
}

/// Formats of fewer bits than the unit has, mildest first.
fn fewer_bits(catalog: &Catalog, unit: &Unit<'_>, mildest_first: &[&str]) -> Vec<Change> {
    let bytes = |id: &str| {
        catalog.precisions.iter().find(|fact| fact.id.0 == id).map_or(0.0, |fact| fact.bytes_per_weight)
    };
    let now = bytes(&unit.weights.0);
    mildest_first
        .iter()
        .filter(|id| bytes(id) > 0.0 && bytes(id) < now)
        .map(|id| Change::Weights((*id).to_owned()))
        .collect()
}

/// Formats to try with an engine, mildest first.
fn formats(unit: &Unit<'_>) -> &'static [&'static str] {
    if unit.engine.family == "llama.cpp" { &["q8_0", "q6_k", "q4_k_m", "q2_k"] } else { &["fp8", "int4"] }
}

/// As many GPUs times `times`, if a server holds them.
fn more_gpus(unit: &Unit<'_>, times: u32) -> Option<Change> {
    let (gpus, tensor_parallel) = (unit.gpus.checked_mul(times)?, unit.tensor_parallel.checked_mul(times)?);
    (gpus <= unit.gpu.per_server_max).then_some(Change::Gpus { gpus, tensor_parallel })
}

/// An 8-bit cache needs kernels that read it: compute capability 8.9 on NVIDIA.
fn smaller_cache(unit: &Unit<'_>) -> Option<Change> {
    let reads_fp8 = unit.gpu.compute_capability.is_some_and(|capability| capability >= 8.9);
    (unit.kv_bytes > 1.0 && reads_fp8 && unit.engine.family != "llama.cpp").then_some(Change::Cache8)
}

/// GPUs above this one by `of`, nearest first, whose estimates are no judgement.
fn above<'c>(catalog: &'c Catalog, gpu: &Gpu, of: impl Fn(&Gpu) -> f64) -> Vec<&'c Gpu> {
    let mut all: Vec<&Gpu> = catalog.gpus.iter().filter(|other| of(other) > GAIN_MIN * of(gpu)).collect();
    all.sort_by(|a, b| of(a).total_cmp(&of(b)).then(a.id.cmp(&b.id)));
    all
}

fn is_assumed(measures: &Measures) -> bool {
    measures.requests_per_s.basis == Basis::Assumed
}

/// How much better `new` is than `old`: time of a request, or rate where the load is all the unit can do.
fn gain(load: Load, old: &Measures, new: &Measures) -> f64 {
    let rates = new.output_tokens_per_s.value / old.output_tokens_per_s.value;
    match (load, old.e2e_ms, new.e2e_ms) {
        (Load::Max, ..) => rates,
        (_, Some(old), Some(new)) => old.value.value / new.value.value,
        // What was saturated carries the load: better than any figure says.
        (_, None, Some(_)) => rates.max(GAIN_MIN * GAIN_MIN),
        _ => rates,
    }
}

/// Single changes after which a request is answered at least 5 % faster, the best first.
#[must_use]
pub fn faster(catalog: &Catalog, request: &Request, now: &Measures) -> Vec<Tried> {
    let Ok(asked) = Resolved::of(catalog, request) else { return Vec::new() };
    let unit = &asked.unit;
    let mut changes = fewer_bits(catalog, unit, formats(unit));
    changes.extend(smaller_cache(unit));
    if unit.engine.family != "llama.cpp" {
        changes.extend(more_gpus(unit, 2));
    }
    let trusted = |tried: &Tried| is_assumed(now) || !is_assumed(&tried.measures);
    let better = |tried: Tried| {
        let gain = gain(asked.load, now, &tried.measures);
        (gain > GAIN_MIN && trusted(&tried)).then_some((gain, tried))
    };
    let best = |found: Vec<(f64, Tried)>, most: usize| {
        let mut found = found;
        found.sort_by(|a, b| b.0.total_cmp(&a.0));
        found.truncate(most);
        found
    };
    // Of the neighbouring GPUs one is enough: the kinds of change are what people choose between.
    let neighbours = above(catalog, unit.gpu, |gpu| gpu.bandwidth_gb_s);
    let neighbours = neighbours
        .into_iter()
        .filter_map(|gpu| attempt(catalog, request, &[Change::Gpu(gpu.id.clone())]))
        .filter(trusted)
        .take(NEIGHBOURS)
        .filter_map(better)
        .collect();
    let mut found = best(neighbours, 1);
    found.extend(
        changes.into_iter().filter_map(|change| attempt(catalog, request, &[change])).filter_map(better),
    );
    best(found, SHOWN).into_iter().map(|(_, tried)| tried).collect()
}

/// The smallest changes after which a configuration without room fits: more GPUs, fewer bits, a larger GPU, each alone
/// or, where neither count nor bits do, both.
#[must_use]
pub fn fitting(catalog: &Catalog, request: &Request, misfit: &Misfit) -> Vec<Tried> {
    if !matches!(misfit, Misfit::WeightsTooLarge { .. } | Misfit::PoolTooSmall { .. }) {
        return Vec::new();
    }
    let Ok(asked) = Resolved::of(catalog, request) else { return Vec::new() };
    let unit = &asked.unit;
    let bits = fewer_bits(catalog, unit, formats(unit));
    let counts: Vec<Change> = [2, 4, 8, 16].into_iter().filter_map(|times| more_gpus(unit, times)).collect();
    let first = |all: Vec<Vec<Change>>| all.iter().find_map(|changes| attempt(catalog, request, changes));
    let alone = |changes: &[Change]| changes.iter().map(|change| vec![change.clone()]).collect::<Vec<_>>();
    let mut found: Vec<Tried> = [
        first(smaller_cache(unit).map(|change| vec![change]).into_iter().collect()),
        first(alone(&bits)),
        first(alone(&counts)),
    ]
    .into_iter()
    .flatten()
    .collect();
    if found.is_empty() {
        let both = counts.iter().flat_map(|count| bits.iter().map(|bits| vec![count.clone(), bits.clone()]));
        found.extend(first(both.collect()));
    }
    let larger = above(catalog, unit.gpu, |gpu| gpu.usable.get());
    let larger = larger.into_iter().filter(|gpu| gpu.vendor == unit.gpu.vendor);
    found.extend(first(larger.map(|gpu| vec![Change::Gpu(gpu.id.clone())]).collect()));
    found
}
