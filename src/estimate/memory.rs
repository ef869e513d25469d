//! What a unit needs and has of GPU memory.
//!
//! In: a [`Unit`] and the longest context it must hold. Out: [`Memory`], or the typed reason why it cannot run.
//! Pool = utilisation * usable - weights - activations - non-torch (oracle study section 8). It predicts no time.

use serde::{Deserialize, Serialize};

use super::Unit;
use super::device;
use super::terms::{kv_layer_bytes, matrices, mixture_layers, weight_bytes};
use crate::catalog::engine::is_large;
use crate::catalog::{Attention, Catalog, Precision};

const GIB: f64 = 1_073_741_824.0;

/// The activation peak of an engine row is that of a large GPU: 1,024 sequences of the vocabulary of Qwen2.5.
/// vLLM 0.19 start-up logs on H100: peak / vocabulary is 14-18 microGiB from 49 k to 262 k entries, so the peak is the
/// sampler's logits, in proportion to sequences x vocabulary.
const ACTIVATION_REFERENCE_VOCAB: f64 = 152_064.0;
const ACTIVATION_REFERENCE_SEQUENCES: f64 = 1024.0;
/// vLLM's defaults (`EngineArgs`, usage context server): 1,024 sequences and 8,192 tokens a step on large GPUs, else
/// 256 and 2,048.
const SMALL_GPU_SEQUENCES: f64 = 256.0;
const LARGE_GPU_CHUNK_TOKENS: f64 = 8192.0;
const SMALL_GPU_CHUNK_TOKENS: f64 = 2048.0;

/// Why a unit cannot run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "kebab-case", tag = "code")]
pub enum Misfit {
    /// No room for the weights and the engine beside them.
    #[error(
        "weights, activations and engine need {need_gib:.2} GiB per GPU, it may take {have_gib:.2} GiB: {ledger}"
    )]
    WeightsTooLarge {
        /// GiB per GPU that weights, activations and engine take.
        need_gib: f64,
        /// GiB per GPU the engine may take.
        have_gib: f64,
        /// How they come about.
        ledger: Ledger,
    },
    /// One request of the longest context does not fit the KV pool.
    #[error(
        "a context of {need_tokens:.0} tokens does not fit a KV pool of {have_tokens:.0} tokens: {ledger} per GPU"
    )]
    PoolTooSmall {
        /// Longest request, tokens.
        need_tokens: f64,
        /// What the pool holds, tokens.
        have_tokens: f64,
        /// How the pool comes about.
        ledger: Ledger,
    },
    /// The longest request exceeds what the checkpoint supports.
    #[error("a context of {need_tokens:.0} tokens exceeds the model's window of {have_tokens:.0} tokens")]
    ContextTooLong {
        /// Longest request, tokens.
        need_tokens: f64,
        /// The model's window, tokens.
        have_tokens: f64,
    },
    /// Heads cannot be shared evenly.
    #[error("{heads} heads cannot be shared among {tensor_parallel} GPUs")]
    HeadsNotDivisible {
        /// Query (or key-value) heads.
        heads: u32,
        /// GPUs that would share them.
        tensor_parallel: u32,
    },
    /// More stages than layers, or a GPU count that is not the product of the parallelisms.
    #[error(
        "{gpus} GPUs are not tensor {tensor_parallel} x pipeline {pipeline_parallel} x data {data_parallel}"
    )]
    LayoutImpossible {
        /// GPUs of the replica.
        gpus: u32,
        /// GPUs that share each layer.
        tensor_parallel: u32,
        /// Stages.
        pipeline_parallel: u32,
        /// Ranks.
        data_parallel: u32,
    },
    /// The engine or the GPU has no kernels for the precision.
    #[error("{precision} weights are not supported by {by}")]
    PrecisionUnsupported {
        /// The precision.
        precision: Precision,
        /// Engine family or GPU that lacks it.
        by: String,
    },
    /// The engine does not run on this vendor's hardware.
    #[error("{engine} does not run on {vendor} hardware")]
    EngineUnsupported {
        /// Engine family.
        engine: String,
        /// Vendor of the GPU.
        vendor: String,
    },
    /// The catalog lacks a figure the formula needs.
    #[error("no formula for {what}")]
    NoFormula {
        /// What is missing.
        what: String,
    },
}

/// The memory of one GPU, item by item.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Ledger {
    /// On the data sheet, GB.
    pub nominal_gb: f64,
    /// What the driver reports, GiB.
    pub usable_gib: f64,
    /// Share of it the engine may take.
    pub utilization: f64,
    /// Weights, GiB.
    pub weights_gib: f64,
    /// Peak of activations, GiB.
    pub activation_gib: f64,
    /// Memory outside the framework, GiB.
    pub non_torch_gib: f64,
}

impl Ledger {
    /// What the engine may take, GiB.
    #[must_use]
    pub fn may_take_gib(&self) -> f64 {
        self.utilization * self.usable_gib
    }

    /// What it takes before it holds a single token, GiB.
    #[must_use]
    pub fn need_gib(&self) -> f64 {
        self.weights_gib + self.activation_gib + self.non_torch_gib
    }

    /// What is left for keys and values, GiB; negative where nothing is.
    #[must_use]
    pub fn pool_gib(&self) -> f64 {
        self.may_take_gib() - self.need_gib()
    }
}

impl std::fmt::Display for Ledger {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { usable_gib, utilization, weights_gib, activation_gib, non_torch_gib, .. } = self;
        write!(
            f,
            "{utilization:.2} x {usable_gib:.2} GiB usable - weights {weights_gib:.2} - activations \
             {activation_gib:.2} - engine {non_torch_gib:.2} = {:.2} GiB",
            self.pool_gib()
        )
    }
}

/// Memory of one unit.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Memory {
    /// Weights, GiB per GPU.
    pub weights_gib: f64,
    /// Peak of activations, GiB per GPU.
    pub activation_gib: f64,
    /// Memory outside the framework, GiB per GPU.
    pub non_torch_gib: f64,
    /// Room for keys and values, GiB per GPU.
    pub kv_pool_gib: f64,
    /// Tokens of the asked context the pools of one replica hold together.
    pub kv_pool_tokens: f64,
    /// GiB per GPU of one more token of a long context, on each GPU that holds it.
    pub kv_gib_per_token: f64,
    /// Requests of the asked context the pools of one replica hold together.
    pub max_concurrency: f64,
    /// GPUs of the replica.
    pub gpus: f64,
    full_gib_per_token: f64,
    sliding_gib_per_token: f64,
    window_tokens: f64,
    ranks: f64,
}

impl Memory {
    /// GiB per GPU that one sequence of `context_tokens` takes on each GPU that holds a part of it.
    #[must_use]
    pub fn sequence_gib(&self, context_tokens: f64) -> f64 {
        self.full_gib_per_token * context_tokens
            + self.sliding_gib_per_token * context_tokens.min(self.window_tokens)
    }

    /// Sequences of `context_tokens` that one replica holds at once.
    #[must_use]
    pub fn sequences(&self, context_tokens: f64) -> f64 {
        self.ranks * self.kv_pool_gib / self.sequence_gib(context_tokens.max(1.0))
    }

    /// GiB of a whole replica at `concurrency` sequences of `context_tokens`: weights, activations, engine, KV.
    #[must_use]
    pub fn required_gib(&self, concurrency: f64, context_tokens: f64) -> f64 {
        let fixed_gib = self.weights_gib + self.activation_gib + self.non_torch_gib;
        self.gpus * (fixed_gib + concurrency / self.ranks * self.sequence_gib(context_tokens))
    }
}

/// Memory of a unit that must hold requests of `context_tokens`.
///
/// # Errors
/// The first [`Misfit`] of: layout, engine, precision, heads, window, weights, pool.
pub fn memory(catalog: &Catalog, unit: &Unit<'_>, context_tokens: f64) -> Result<Memory, Misfit> {
    let (model, gpu, engine) = (unit.model, unit.gpu, unit.engine);
    layout(unit)?;
    if !engine.vendors.contains(&gpu.vendor) {
        return Err(Misfit::EngineUnsupported { engine: engine.family.clone(), vendor: gpu.vendor.clone() });
    }
    let precision = device::precision(catalog, &unit.weights)?;
    let refuse =
        |by: &str| Misfit::PrecisionUnsupported { precision: unit.weights.clone(), by: by.to_owned() };
    if !precision.engines.contains(&engine.family) {
        return Err(refuse(&engine.family));
    }
    if let (Some(least), Some(have)) = (precision.compute_capability_min, gpu.compute_capability)
        && have < least
    {
        return Err(refuse(&gpu.id));
    }
    if gpu.bandwidth_gb_s <= 0.0 || gpu.tflops_16 <= 0.0 || gpu.usable.get() <= 0.0 {
        return Err(Misfit::NoFormula { what: gpu.id.clone() });
    }
    if context_tokens > f64::from(model.max_context) {
        return Err(Misfit::ContextTooLong {
            need_tokens: context_tokens,
            have_tokens: f64::from(model.max_context),
        });
    }

    let weights_gib = weights_gib_per_gpu(unit, precision.bytes_per_weight);
    let activation_gib = activation_gib(unit);
    let non_torch_gib = if unit.gpus / unit.data_parallel > 1 || unit.model.is_mixture() && unit.gpus > 1 {
        engine.non_torch_gib_parallel
    } else {
        engine.non_torch_gib
    };
    let ledger = Ledger {
        nominal_gb: gpu.memory_gb,
        usable_gib: gpu.usable.get(),
        utilization: unit.gpu_memory_utilization,
        weights_gib,
        activation_gib,
        non_torch_gib,
    };
    let (have_gib, need_gib) = (ledger.may_take_gib(), ledger.need_gib());
    let kv_pool_gib = have_gib - need_gib;
    if kv_pool_gib <= 0.0 {
        return Err(Misfit::WeightsTooLarge { need_gib, have_gib, ledger });
    }

    let sharing = match (model.attention, engine.family.as_str()) {
        (Attention::Grouped, "llama.cpp") => 1.0,
        (Attention::Grouped, _) => f64::from(unit.tensor_parallel.min(model.kv_heads)),
        (Attention::Latent, _) => 1.0,
    };
    let stages =
        if engine.family == "llama.cpp" { f64::from(unit.gpus) } else { f64::from(unit.pipeline_parallel) };
    let layer_gib = kv_layer_bytes(model, unit.kv_bytes) / (sharing * stages * GIB);
    let mut memory = Memory {
        weights_gib,
        activation_gib,
        non_torch_gib,
        kv_pool_gib,
        kv_pool_tokens: 0.0,
        kv_gib_per_token: layer_gib * f64::from(model.full_attention_layers),
        max_concurrency: 0.0,
        gpus: f64::from(unit.gpus),
        full_gib_per_token: layer_gib * f64::from(model.full_attention_layers),
        sliding_gib_per_token: layer_gib * f64::from(model.sliding_layers),
        window_tokens: model.sliding_window.map_or(f64::INFINITY, f64::from),
        ranks: f64::from(unit.data_parallel),
    };
    let context_tokens = context_tokens.max(1.0);
    // A request in prefill holds a chunk beside its window (vLLM `SlidingWindowSpec.max_memory_usage_bytes`).
    let (_, chunk_tokens) = start_up(unit);
    let held = context_tokens.min(memory.window_tokens + chunk_tokens);
    let longest_gib = memory.full_gib_per_token * context_tokens + memory.sliding_gib_per_token * held;
    memory.max_concurrency = memory.ranks * kv_pool_gib / longest_gib;
    memory.kv_pool_tokens = memory.max_concurrency * context_tokens;
    let per_rank = memory.max_concurrency / memory.ranks;
    if per_rank < 1.0 {
        return Err(Misfit::PoolTooSmall {
            need_tokens: context_tokens,
            have_tokens: per_rank * context_tokens,
            ledger,
        });
    }
    Ok(memory)
}

fn layout(unit: &Unit<'_>) -> Result<(), Misfit> {
    let (tp, pp, dp) = (unit.tensor_parallel, unit.pipeline_parallel, unit.data_parallel);
    let product = u64::from(tp) * u64::from(pp) * u64::from(dp);
    if product == 0 || product != u64::from(unit.gpus) || pp > unit.model.layers {
        return Err(Misfit::LayoutImpossible {
            gpus: unit.gpus,
            tensor_parallel: tp,
            pipeline_parallel: pp,
            data_parallel: dp,
        });
    }
    if unit.engine.family == "llama.cpp" {
        return Ok(());
    }
    let uneven = |heads: u32| Misfit::HeadsNotDivisible { heads, tensor_parallel: tp };
    let (heads, kv_heads) = (unit.model.heads, unit.model.kv_heads);
    if heads % tp != 0 {
        return Err(uneven(heads));
    }
    // Fewer key-value heads than GPUs are replicated, so one count must divide the other.
    if unit.model.attention == Attention::Grouped
        && kv_heads % tp != 0
        && (kv_heads == 0 || tp % kv_heads != 0)
    {
        return Err(uneven(kv_heads));
    }
    Ok(())
}

/// Weights of one GPU: P b / (tp pp), experts over every GPU of a stage, embeddings at the head's precision.
fn weights_gib_per_gpu(unit: &Unit<'_>, bytes: f64) -> f64 {
    let model = unit.model;
    let (dense_bytes, expert_bytes, head_bytes) = weight_bytes(model, &unit.weights.0, bytes);
    let hidden = f64::from(model.hidden);
    let experts = mixture_layers(model)
        * f64::from(model.experts)
        * matrices(model)
        * hidden
        * f64::from(model.moe_intermediate);
    let embeddings = f64::from(model.vocab) * hidden * if model.tied_embeddings { 1.0 } else { 2.0 };
    let rest = (model.total_params - experts - embeddings).max(0.0);
    let stage = f64::from(unit.pipeline_parallel);
    let ways = f64::from(unit.tensor_parallel);
    let expert_ways = ways * f64::from(unit.data_parallel);
    let dense = (rest * dense_bytes + embeddings * head_bytes) / (ways * stage);
    (dense + experts * expert_bytes / (expert_ways * stage)) / GIB
}

/// Sequences and tokens of the start-up profiling run.
fn start_up(unit: &Unit<'_>) -> (f64, f64) {
    if is_large(unit.gpu) {
        (ACTIVATION_REFERENCE_SEQUENCES, LARGE_GPU_CHUNK_TOKENS)
    } else {
        (SMALL_GPU_SEQUENCES, SMALL_GPU_CHUNK_TOKENS)
    }
}

/// Activation peak per GPU.
///
/// `max(A_engine * sequences/1024 * vocab/152064, 2 bytes * chunk * (2 intermediate/tp + 4 hidden))`, `A_engine` being the
/// engine's published peak on a large GPU. The second line and the scaling to small GPUs are `assumed`: start-up logs
/// are at hand for H100 alone. llama.cpp allots a fixed compute buffer instead.
fn activation_gib(unit: &Unit<'_>) -> f64 {
    let (model, engine) = (unit.model, unit.engine);
    if engine.family == "llama.cpp" {
        return engine.activation_gib;
    }
    let (default_sequences, chunk_tokens) = start_up(unit);
    // A cap below the engine's own is told to the engine, and its profiling run then sees fewer sequences.
    let sequences = if unit.max_batch < engine.default_batch(unit.gpu) {
        default_sequences.min(f64::from(unit.max_batch))
    } else {
        default_sequences
    };
    let logits_gib = engine.activation_gib * sequences / ACTIVATION_REFERENCE_SEQUENCES
        * f64::from(model.vocab)
        / ACTIVATION_REFERENCE_VOCAB;
    let inner = f64::from(model.intermediate.max(model.experts_per_token * model.moe_intermediate));
    let width = 2.0 * inner / f64::from(unit.tensor_parallel) + 4.0 * f64::from(model.hidden);
    logits_gib.max(2.0 * chunk_tokens * width / GIB)
}
