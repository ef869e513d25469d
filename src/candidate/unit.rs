//! Units: a model on so many GPUs in one layout, precision and engine; their memory and step times, kept for reuse.
//!
//! In: the catalog. Out: for each model every unit that the weights allow, in a fixed order, and how many do not fit
//! by rule. Independent of any workload, so one [`Bench`] serves all questions of a run.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use rayon::prelude::*;

use crate::catalog::{Catalog, Engine, Gpu, Model, Precision};
use crate::estimate::{Memory, Misfit, Step, Unit, memory};
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
    step: OnceLock<Option<Step>>,
}

impl UnitRow<'_> {
    /// Step times, computed once.
    #[must_use]
    pub fn step(&self, catalog: &Catalog) -> Option<&Step> {
        self.step.get_or_init(|| Step::new(catalog, &self.unit).ok()).as_ref()
    }

    /// `bf16` or `fp8`.
    #[must_use]
    pub fn kv_word(&self) -> &'static str {
        if self.unit.kv_bytes < 1.5 { "fp8" } else { "bf16" }
    }
}

/// Units of one model.
#[derive(Debug, Default)]
pub struct Units<'c> {
    /// Those that fit.
    pub rows: Vec<UnitRow<'c>>,
    /// Those that do not: by (GPU id, GPUs, rule), how many and the nearest.
    pub misfits: BTreeMap<(String, u32, String), (u64, Refusal)>,
}

/// Units of all models, made when first asked for.
pub struct Bench<'c> {
    catalog: &'c Catalog,
    gpus: Vec<&'c Gpu>,
    engines: Vec<&'c Engine>,
    by_model: Vec<OnceLock<Units<'c>>>,
}

impl<'c> Bench<'c> {
    /// A bench over the GPUs that somebody sells or owns.
    #[must_use]
    pub fn new(catalog: &'c Catalog, owned: &[crate::requirements::Owned]) -> Self {
        let sold = |gpu: &Gpu| catalog.offers.iter().any(|offer| offer.gpu == gpu.id);
        let there = |gpu: &Gpu| owned.iter().any(|owned| owned.gpu == gpu.id);
        Self {
            catalog,
            gpus: catalog.gpus.iter().filter(|gpu| sold(gpu) || there(gpu)).collect(),
            engines: catalog.engines.iter().filter(|engine| engine.candidate && engine.newest).collect(),
            by_model: catalog.models.iter().map(|_| OnceLock::new()).collect(),
        }
    }

    /// Units of a model, by its place in the catalog.
    #[must_use]
    pub fn units(&self, model: usize) -> &Units<'c> {
        self.by_model[model].get_or_init(|| self.make(&self.catalog.models[model]))
    }

    /// Makes the units of several models at once.
    pub fn warm(&self, models: &[usize]) {
        models.par_iter().for_each(|model| {
            let _ = self.units(*model);
        });
    }

    fn make(&self, model: &'c Model) -> Units<'c> {
        let mut units = Units::default();
        let native = self.catalog.precision(&model.native).map_or(2.0, |fact| fact.bytes_per_weight);
        for fact in &self.catalog.precisions {
            let is_native = fact.id == model.native || (native >= 2.0 && fact.id == Precision::named("bf16"));
            // A checkpoint is served as published or made smaller, never blown up.
            if !(is_native || fact.bytes_per_weight < native && fact.id != Precision::named("fp16")) {
                continue;
            }
            for engine in self.engines.iter().filter(|engine| fact.engines.contains(&engine.family)) {
                let layouts: &[(u32, u32)] =
                    if engine.family == "llama.cpp" { &LAYOUTS_BY_LAYER } else { &LAYOUTS };
                for gpu in &self.gpus {
                    for (tensor_parallel, pipeline_parallel) in layouts {
                        if tensor_parallel * pipeline_parallel > gpu.per_server_max {
                            continue;
                        }
                        for kv_bytes in self.kv_choices(gpu, engine) {
                            let unit = Unit {
                                model,
                                gpu,
                                engine,
                                gpus: tensor_parallel * pipeline_parallel,
                                tensor_parallel: *tensor_parallel,
                                pipeline_parallel: *pipeline_parallel,
                                data_parallel: 1,
                                expert_parallel: 1,
                                weights: fact.id.clone(),
                                kv_bytes: *kv_bytes,
                                max_batch: engine.max_batch,
                                gpu_memory_utilization: engine.gpu_memory_utilization,
                            };
                            self.book(&mut units, unit);
                        }
                    }
                }
            }
        }
        units
    }

    /// KV at 8 bits needs kernels that read fp8: compute capability 8.9 on NVIDIA.
    fn kv_choices(&self, gpu: &Gpu, engine: &Engine) -> &'static [f64] {
        let reads_fp8 = gpu.compute_capability.is_some_and(|capability| capability >= 8.9);
        if reads_fp8 && engine.family != "llama.cpp" { &[2.0, 1.0] } else { &[2.0] }
    }

    fn book(&self, units: &mut Units<'c>, unit: Unit<'c>) {
        match memory(self.catalog, &unit, 1.0) {
            Ok(memory) => units.rows.push(UnitRow { unit, memory, step: OnceLock::new() }),
            Err(misfit) => {
                let refusal = refusal(&misfit);
                let key = (unit.gpu.id.clone(), unit.gpus, refusal.rule.clone());
                let entry = units.misfits.entry(key).or_insert_with(|| (0, refusal.clone()));
                entry.0 += 1;
                if refusal.miss() < entry.1.miss() {
                    entry.1 = refusal;
                }
            }
        }
    }
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
