//! A request with its names found in the catalog and its defaults filled.
//!
//! In: a [`Request`]. Out: [`Resolved`], or the [`Refusal`] that names what the catalog lacks. It estimates nothing.

use super::{Load, Refusal, Request, Traffic, Unit};
use crate::catalog::{Catalog, Precision};
use crate::requirements::{Lengths, Spread};

/// Loads stated by neither flag nor field run this many tokens in and out.
const TOKENS_DEFAULT: (f64, f64) = (1024.0, 256.0);

/// A request whose names are found and whose defaults are filled.
#[derive(Debug, Clone)]
pub struct Resolved<'c> {
    /// What runs.
    pub unit: Unit<'c>,
    /// How requests arrive.
    pub load: Load,
    /// Requests together or queued, where stated.
    pub concurrency: Option<f64>,
    /// Requests/s under open load, else 0.
    pub rate_per_s: f64,
    /// Prompt and answer.
    pub lengths: Lengths,
    /// Longest request, tokens.
    pub context_tokens: f64,
    /// Share of prompt tokens not prefilled.
    pub prefix_hit: f64,
}

fn unknown(what: &str, name: &str, suggestion: Option<&str>) -> Refusal {
    let hint = suggestion.map_or_else(String::new, |word| format!("; did you mean `{word}`?"));
    Refusal::new(&format!("unknown-{what}"), format!("no {what} `{name}` in the catalog{hint}"))
}

impl<'c> Resolved<'c> {
    /// Looks names up and fills defaults.
    ///
    /// # Errors
    /// The first name the catalog lacks, or a layout that does not add up.
    pub fn of(catalog: &'c Catalog, request: &Request) -> Result<Self, Refusal> {
        let (model, published) = catalog
            .checkpoint(&request.model)
            .ok_or_else(|| unknown("model", &request.model, catalog.suggest_model(&request.model)))?;
        let gpu = catalog
            .gpu(&request.gpu)
            .ok_or_else(|| unknown("gpu", &request.gpu, catalog.suggest_gpu(&request.gpu)))?;
        let family = request.engine.as_deref().unwrap_or("vllm");
        let engine = catalog
            .engine(family, request.engine_version.as_deref())
            .ok_or_else(|| unknown("engine", family, catalog.suggest_engine(family)))?;
        let weights = match request.weights.as_deref() {
            Some(name) => Precision::named(name),
            // A 16-bit checkpoint runs in the 16-bit type the GPU has.
            None if published.0 == "bf16" && gpu.compute_capability.is_some_and(|cc| cc < 8.0) => {
                Precision::named("fp16")
            }
            None => published,
        };
        if catalog.precision(&weights).is_none() {
            return Err(unknown("precision", &weights.0, catalog.suggest_precision(&weights.0)));
        }
        let kv_bytes = match request.kv.as_deref().unwrap_or("auto") {
            word if ["auto", "bf16", "fp16"].iter().any(|w| word.eq_ignore_ascii_case(w)) => 2.0,
            word if word.eq_ignore_ascii_case("fp8") => 1.0,
            word => {
                return Err(Refusal::new(
                    "unknown-value",
                    format!("`kv` is auto, bf16 or fp8, not `{word}`"),
                ));
            }
        };
        let (gpus, tensor_parallel, pipeline_parallel, data_parallel) = layout(request)?;
        let load =
            request.load.unwrap_or(if request.rate_per_s.is_some() { Load::Open } else { Load::Static });
        let rate_per_s = match (load, request.rate_per_s) {
            (Load::Open, None) => {
                return Err(Refusal::new("missing-field", "`rate_per_s` is required under open load"));
            }
            (_, rate) => rate.unwrap_or(0.0),
        };
        let input = request.input_tokens.unwrap_or(TOKENS_DEFAULT.0);
        let output = request.output_tokens.unwrap_or(TOKENS_DEFAULT.1);
        // Whoever states a batch has an engine that was started for it.
        let stated = match load {
            Load::Static | Load::Closed => request.concurrency.unwrap_or(1.0).ceil(),
            Load::Open | Load::Max => 1.0,
        };
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "positive; saturates")]
        let stated = stated as u32;
        Ok(Self {
            unit: Unit {
                model,
                gpu,
                engine,
                gpus,
                tensor_parallel,
                pipeline_parallel,
                data_parallel,
                expert_parallel: request.expert_parallel.unwrap_or(1),
                weights,
                kv_bytes,
                max_batch: request.max_batch.unwrap_or_else(|| engine.default_batch(gpu).max(stated)),
                gpu_memory_utilization: request
                    .gpu_memory_utilization
                    .unwrap_or(engine.gpu_memory_utilization),
            },
            load,
            concurrency: request.concurrency,
            rate_per_s,
            lengths: Lengths {
                input_mean: input,
                output_mean: output,
                reasoning_mean: None,
                spread: Spread::Constant,
                points: vec![(input, output, 1.0)],
            },
            context_tokens: request.context_tokens.unwrap_or(input + output),
            prefix_hit: request.prefix_hit.unwrap_or(0.0),
        })
    }

    /// The traffic as the estimates read it.
    #[must_use]
    pub const fn traffic(&self) -> Traffic<'_> {
        Traffic {
            lengths: &self.lengths,
            extra_output: 0.0,
            prefix_hit: self.prefix_hit,
            context_tokens: self.context_tokens,
        }
    }
}

/// GPUs and parallelisms whose product they are.
fn layout(request: &Request) -> Result<(u32, u32, u32, u32), Refusal> {
    let (pp, dp) = (request.pipeline_parallel.unwrap_or(1), request.data_parallel.unwrap_or(1));
    let others = u64::from(pp) * u64::from(dp);
    let gpus = u64::from(request.gpus.unwrap_or(1));
    let tp = match (request.tensor_parallel, request.gpus) {
        (Some(tp), _) => u64::from(tp),
        (None, Some(_)) => (gpus / others).max(1),
        (None, None) => 1,
    };
    let product = tp * others;
    if request.gpus.is_some() && product != gpus {
        let message =
            format!("`gpus` is {gpus}, but tensor {tp} x pipeline {pp} x data parallel {dp} is {product}");
        return Err(Refusal::new("inconsistent", message));
    }
    let narrow = |n: u64| u32::try_from(n).map_err(|_| Refusal::new("out-of-range", "too many GPUs"));
    Ok((narrow(product)?, narrow(tp)?, pp, dp))
}
