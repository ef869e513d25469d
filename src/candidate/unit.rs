//! Units: a model on so many GPUs in one layout, precision and engine; their memory and step times, kept for reuse.
//!
//! In: the catalog. Out: for each model every unit that the weights allow, in a fixed order, and how many do not fit
//! by rule. Independent of any workload, so one [`Bench`] serves all questions of a run.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

use crate::catalog::{Catalog, Engine, Gpu, Model, Precision};
use crate::estimate::{Memory, Misfit, Rig, Step, Unit, memory};
use crate::reason::Op;

use super::tally::Refusal;

/// Layouts within one server: tensor x pipeline.
const LAYOUTS: [(u32, u32); 6] = [(1, 1), (2, 1), (1, 2), (4, 1), (2, 2), (8, 1)];
/// llama.cpp splits layers over GPUs: pipeline only.
const LAYOUTS_BY_LAYER: [(u32, u32); 4] = [(1, 1), (1, 2), (1, 4), (1, 8)];

/// One unit that fits.
#[derive(Debug)]
pub struct UnitRow<'c> {
    /// What runs.
    pub unit: Unit<'c>,
    /// Its memory.
    pub memory: Memory,
    rig: Arc<Rig>,
    step: OnceLock<Step>,
}

impl UnitRow<'_> {
    /// Step times, computed once.
    #[must_use]
    pub fn step(&self, catalog: &Catalog) -> &Step {
        self.step.get_or_init(|| Step::on(catalog, &self.unit, &self.rig))
    }

    /// `bf16` or `fp8`.
    #[must_use]
    pub fn kv_word(&self) -> &'static str {
        if self.unit.kv_bytes < 1.5 { "fp8" } else { "bf16" }
    }
}

/// Units of one model at one weight precision.
#[derive(Debug, Default)]
pub struct Units<'c> {
    /// Those that fit.
    pub rows: Vec<UnitRow<'c>>,
    /// Those that do not: by (GPU, GPUs, rule), how many and the nearest.
    pub misfits: BTreeMap<(&'c str, u32, String), (u64, Refusal)>,
}

/// A way to lay a model out on a GPU: engine, GPU, tensor and pipeline parallel, bytes of a cached element.
#[derive(Debug, Clone, Copy)]
struct Slot<'c> {
    engine: &'c Engine,
    gpu: &'c Gpu,
    layout: (u32, u32),
    kv_bytes: f64,
}

/// Units of all models, made when first asked for.
pub struct Bench<'c> {
    catalog: &'c Catalog,
    /// By precision: every slot its engines have, with the rig of each.
    slots: Vec<Vec<(Slot<'c>, Arc<Rig>)>>,
    units: Vec<Vec<OnceLock<Units<'c>>>>,
}

impl<'c> Bench<'c> {
    /// A bench over the GPUs that somebody sells or owns.
    #[must_use]
    pub fn new(catalog: &'c Catalog, owned: &[crate::requirements::Owned]) -> Self {
        let sold: BTreeSet<&str> = catalog
            .offers
            .iter()
            .map(|offer| offer.gpu.as_str())
            .chain(owned.iter().map(|owned| owned.gpu.as_str()))
            .collect();
        let gpus: Vec<&Gpu> = catalog.gpus.iter().filter(|gpu| sold.contains(gpu.id.as_str())).collect();
        let engines: Vec<&Engine> =
            catalog.engines.iter().filter(|engine| engine.candidate && engine.newest).collect();
        Self {
            catalog,
            slots: catalog
                .precisions
                .iter()
                .map(|fact| slots(catalog, &fact.id, &fact.engines, &gpus, &engines))
                .collect(),
            units: catalog
                .models
                .iter()
                .map(|_| catalog.precisions.iter().map(|_| OnceLock::new()).collect())
                .collect(),
        }
    }

    /// Precisions a model may be served at, by their place in the catalog: as published or smaller, never blown up.
    pub fn precisions(&self, model: &Model) -> impl Iterator<Item = usize> {
        let native = self.catalog.precision(&model.native).map_or(2.0, |fact| fact.bytes_per_weight);
        let (bf16, fp16) = (Precision::named("bf16"), Precision::named("fp16"));
        self.catalog.precisions.iter().enumerate().filter_map(move |(at, fact)| {
            let as_published = fact.id == model.native || (native >= 2.0 && fact.id == bf16);
            (as_published || fact.bytes_per_weight < native && fact.id != fp16).then_some(at)
        })
    }

    /// How many units a model has at a precision on so many GPUs of a kind, fitting or not: (GPU, GPUs) each.
    pub fn shapes(&self, precision: usize) -> impl Iterator<Item = (&'c Gpu, u32)> {
        self.slots[precision].iter().map(|(slot, _)| (slot.gpu, slot.layout.0 * slot.layout.1))
    }

    /// Units of a model at a precision, both by their place in the catalog.
    #[must_use]
    pub fn units(&self, model: usize, precision: usize) -> &Units<'c> {
        self.units[model][precision].get_or_init(|| self.make(&self.catalog.models[model], precision))
    }

    fn make(&self, model: &'c Model, precision: usize) -> Units<'c> {
        let mut units = Units::default();
        for (slot, rig) in &self.slots[precision] {
            let unit = unit(model, slot, &self.catalog.precisions[precision].id);
            let found = if rig.is_trusted() && model.formula {
                memory(self.catalog, &unit, 1.0)
            } else {
                Err(Misfit::NoFormula {
                    what: if model.formula { slot.gpu.id.clone() } else { model.id.clone() },
                })
            };
            match found {
                Ok(memory) => {
                    units.rows.push(UnitRow { unit, memory, rig: Arc::clone(rig), step: OnceLock::new() });
                }
                Err(misfit) => {
                    let refusal = refusal(&misfit);
                    let key = (slot.gpu.id.as_str(), unit.gpus, refusal.rule.clone());
                    let entry = units.misfits.entry(key).or_insert_with(|| (0, refusal.clone()));
                    entry.0 += 1;
                    if refusal.miss() < entry.1.miss() {
                        entry.1 = refusal;
                    }
                }
            }
        }
        units
    }
}

fn unit<'c>(model: &'c Model, slot: &Slot<'c>, weights: &Precision) -> Unit<'c> {
    let (tensor_parallel, pipeline_parallel) = slot.layout;
    Unit {
        model,
        gpu: slot.gpu,
        engine: slot.engine,
        gpus: tensor_parallel * pipeline_parallel,
        tensor_parallel,
        pipeline_parallel,
        data_parallel: 1,
        expert_parallel: 1,
        weights: weights.clone(),
        kv_bytes: slot.kv_bytes,
        max_batch: slot.engine.max_batch,
        gpu_memory_utilization: slot.engine.gpu_memory_utilization,
    }
}

/// Every slot of a precision, with rigs shared between layouts.
fn slots<'c>(
    catalog: &'c Catalog,
    precision: &Precision,
    families: &[String],
    gpus: &[&'c Gpu],
    engines: &[&'c Engine],
) -> Vec<(Slot<'c>, Arc<Rig>)> {
    let mut all = Vec::new();
    let Some(any) = catalog.models.first() else { return all };
    for engine in engines.iter().filter(|engine| families.contains(&engine.family)) {
        let layouts: &[(u32, u32)] = if engine.family == "llama.cpp" { &LAYOUTS_BY_LAYER } else { &LAYOUTS };
        for gpu in gpus.iter().filter(|gpu| engine.vendors.contains(&gpu.vendor)) {
            let first = Slot { engine, gpu, layout: (1, 1), kv_bytes: 2.0 };
            let Ok(rig) = Rig::new(catalog, &unit(any, &first, precision)) else { continue };
            let rig = Arc::new(rig);
            for layout in layouts.iter().filter(|(tensor, pipeline)| tensor * pipeline <= gpu.per_server_max)
            {
                for kv_bytes in kv_choices(gpu, engine) {
                    all.push((Slot { engine, gpu, layout: *layout, kv_bytes: *kv_bytes }, Arc::clone(&rig)));
                }
            }
        }
    }
    all
}

/// KV at 8 bits needs kernels that read fp8: compute capability 8.9 on NVIDIA.
fn kv_choices(gpu: &Gpu, engine: &Engine) -> &'static [f64] {
    let reads_fp8 = gpu.compute_capability.is_some_and(|capability| capability >= 8.9);
    if reads_fp8 && engine.family != "llama.cpp" { &[2.0, 1.0] } else { &[2.0] }
}

/// A misfit as the rule it breaks.
#[must_use]
pub fn refusal(misfit: &Misfit) -> Refusal {
    match misfit {
        Misfit::WeightsTooLarge { need_gib, have_gib } => {
            Refusal::figure("weights_fit", *need_gib, Op::AtMost, *have_gib, "GiB per GPU")
        }
        Misfit::PoolTooSmall { need_tokens, have_tokens }
        | Misfit::ContextTooLong { need_tokens, have_tokens } => {
            Refusal::figure("context_tokens", *have_tokens, Op::AtLeast, *need_tokens, "tokens")
        }
        Misfit::HeadsNotDivisible { heads, tensor_parallel } => Refusal::word(
            "parallelism",
            format!("{heads} heads"),
            format!("a multiple of tensor parallel {tensor_parallel}"),
        ),
        Misfit::LayoutImpossible { gpus, .. } => {
            Refusal::word("parallelism", format!("{gpus} GPUs"), "a layout that covers them")
        }
        Misfit::PrecisionUnsupported { precision, by } => {
            Refusal::word("precision_supported", precision.to_string(), format!("a precision of {by}"))
        }
        Misfit::EngineUnsupported { engine, vendor } => {
            Refusal::word("engine_supported", engine.clone(), format!("an engine for {vendor} hardware"))
        }
        Misfit::NoFormula { what } => {
            Refusal::word("estimate_trusted", format!("no formula for {what}"), "a fitted one")
        }
    }
}
