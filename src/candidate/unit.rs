//! Units: a model on so many GPUs in one layout, precision and engine; their memory and step times, kept for reuse.
//!
//! In: the catalog. Out: for each model every unit that the weights allow, in a fixed order, and how many do not fit
//! by rule. Independent of any workload, so one [`Bench`] serves all questions of a run. Where many of them ask about the
//! same traffic it can be told to remember what units carry.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

use crate::catalog::{Catalog, Engine, Gpu, Model, Precision};
use crate::estimate::{Memory, Misfit, Rig, Step, Unit, memory};
use crate::reason::{Op, Refusal};

use super::hardware::Hardware;
use super::memo::{Known, Memo};

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
    step: OnceLock<Box<Step>>,
    known: OnceLock<Box<Known>>,
}

impl UnitRow<'_> {
    /// Step times, computed once.
    #[must_use]
    pub fn step(&self, catalog: &Catalog) -> &Step {
        self.step.get_or_init(|| Box::new(Step::on(catalog, &self.unit, &self.rig)))
    }

    /// What is known of it, where the bench remembers.
    pub(super) fn known(&self) -> &Known {
        self.known.get_or_init(Box::default)
    }

    /// `bf16` or `fp8`.
    #[must_use]
    pub fn kv_word(&self) -> &'static str {
        if self.unit.kv_bytes < 1.5 { "fp8" } else { "bf16" }
    }
}

/// Units of one model at one weight precision on one GPU.
#[derive(Debug, Default)]
pub struct Units<'c> {
    /// Those that fit.
    pub rows: Vec<UnitRow<'c>>,
    /// Those that do not: by (GPUs, rule), how many and the nearest.
    pub misfits: BTreeMap<(u32, String), (u64, Refusal)>,
}

/// A way to lay a model out on a GPU: engine, GPU, tensor and pipeline parallel, bytes of a cached element.
#[derive(Debug, Clone, Copy)]
struct Slot<'c> {
    engine: &'c Engine,
    gpu: &'c Gpu,
    layout: (u32, u32),
    kv_bytes: f64,
}

/// Slots with the rig of each.
type Rigged<'c> = Vec<(Slot<'c>, Arc<Rig>)>;

/// Units of all models, made when first asked for.
pub struct Bench<'c> {
    catalog: &'c Catalog,
    /// Place of each GPU that somebody sells or owns.
    gpus: BTreeMap<&'c str, usize>,
    /// By precision and GPU: every slot its engines have, with the rig of each.
    slots: Vec<Vec<Rigged<'c>>>,
    /// By model, precision and GPU.
    units: Vec<Vec<Vec<OnceLock<Units<'c>>>>>,
    memo: Option<Memo>,
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
        let by_gpu = |_: &Model, _: usize| gpus.iter().map(|_| OnceLock::new()).collect();
        Self {
            catalog,
            gpus: gpus.iter().enumerate().map(|(at, gpu)| (gpu.id.as_str(), at)).collect(),
            slots: catalog
                .precisions
                .iter()
                .map(|fact| {
                    gpus.iter().map(|gpu| slots(catalog, &fact.id, &fact.engines, gpu, &engines)).collect()
                })
                .collect(),
            units: catalog
                .models
                .iter()
                .map(|model| {
                    (0..catalog.precisions.len()).map(|precision| by_gpu(model, precision)).collect()
                })
                .collect(),
            memo: None,
        }
    }

    /// The same with a memory of what units carry, for many questions about the same traffic.
    #[must_use]
    pub fn remembering(self) -> Self {
        Self { memo: Some(Memo::default()), ..self }
    }

    /// The memory, where there is one.
    pub(super) const fn memo(&self) -> Option<&Memo> {
        self.memo.as_ref()
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

    /// Units any model has at a precision on an instance type and all it stands for, fitting or not.
    #[must_use]
    pub fn shapes(&self, precision: usize, hardware: &Hardware<'_>) -> u64 {
        let Some(gpu) = self.gpus.get(hardware.gpu.id.as_str()) else { return 0 };
        let fits = |slot: &Slot<'_>| hardware.replicas(slot.layout.0 * slot.layout.1) > 0;
        let count = self.slots[precision][*gpu].iter().filter(|(slot, _)| fits(slot)).count();
        u64::try_from(count).unwrap_or(0) * hardware.stands_for
    }

    /// Units of a model at a precision, both by their place in the catalog, on a GPU that is sold or owned.
    #[must_use]
    pub fn units(&self, model: usize, precision: usize, gpu: &Gpu) -> &Units<'c> {
        static NONE: Units<'static> = Units { rows: Vec::new(), misfits: BTreeMap::new() };
        let Some(at) = self.gpus.get(gpu.id.as_str()) else { return &NONE };
        self.units[model][precision][*at]
            .get_or_init(|| self.make(&self.catalog.models[model], precision, *at))
    }

    fn make(&self, model: &'c Model, precision: usize, gpu: usize) -> Units<'c> {
        let mut units = Units::default();
        for (slot, rig) in &self.slots[precision][gpu] {
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
                    units.rows.push(UnitRow {
                        unit,
                        memory,
                        rig: Arc::clone(rig),
                        step: OnceLock::new(),
                        known: OnceLock::new(),
                    });
                }
                Err(misfit) => {
                    let refusal = refusal(&misfit);
                    let key = (unit.gpus, refusal.rule.clone());
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
        max_batch: slot.engine.default_batch(slot.gpu),
        gpu_memory_utilization: slot.engine.gpu_memory_utilization,
    }
}

/// Every slot of a precision on a GPU, with rigs shared between layouts.
fn slots<'c>(
    catalog: &'c Catalog,
    precision: &Precision,
    families: &[String],
    gpu: &'c Gpu,
    engines: &[&'c Engine],
) -> Rigged<'c> {
    let mut all = Vec::new();
    let Some(any) = catalog.models.first() else { return all };
    let serves =
        |engine: &&&'c Engine| families.contains(&engine.family) && engine.vendors.contains(&gpu.vendor);
    for engine in engines.iter().filter(serves) {
        let layouts: &[(u32, u32)] = if engine.family == "llama.cpp" { &LAYOUTS_BY_LAYER } else { &LAYOUTS };
        let first = Slot { engine, gpu, layout: (1, 1), kv_bytes: 2.0 };
        let Ok(rig) = Rig::new(catalog, &unit(any, &first, precision)) else { continue };
        let rig = Arc::new(rig);
        for layout in layouts.iter().filter(|(tensor, pipeline)| tensor * pipeline <= gpu.per_server_max) {
            for kv_bytes in kv_choices(gpu, engine) {
                all.push((Slot { engine, gpu, layout: *layout, kv_bytes: *kv_bytes }, Arc::clone(&rig)));
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
        Misfit::WeightsTooLarge { need_gib, have_gib, .. } => {
            Refusal::figure("weights_fit", *need_gib, Op::AtMost, *have_gib, "GiB per GPU")
        }
        Misfit::PoolTooSmall { need_tokens, have_tokens, .. }
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
