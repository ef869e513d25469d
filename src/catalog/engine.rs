//! Serving engines and the fitted coefficients of their step times.
//! Tables `catalog/engines.csv`, `catalog/coefficients.csv`, `catalog/kernels.csv`, `catalog/intervals.csv`,
//! `catalog/calibrated.csv`; and `calibration.csv`, which only overlays hold.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Gpu, Provenance};

/// One generation of a serving engine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Engine {
    /// Generation id of the coefficients, such as `vllm-25`.
    pub id: String,
    /// Family: `vllm`, `sglang`, `tensorrt-llm`, `llama.cpp`, `tgi`.
    pub family: String,
    /// Versions it stands for, as `from` (inclusive) and `until` (exclusive) in dotted form.
    pub version_from: String,
    /// See `version_from`.
    pub version_until: Option<String>,
    /// True for the generation meant when no version is named.
    pub newest: bool,
    /// Offered as a candidate by `recommend` (legacy engines are not).
    pub candidate: bool,
    /// GPU vendors it runs on.
    pub vendors: Vec<String>,
    /// Default share of a GPU's memory it may take.
    pub gpu_memory_utilization: f64,
    /// Peak of activations during start-up profiling, GiB per GPU.
    pub activation_gib: f64,
    /// Memory outside the framework on one GPU, GiB.
    pub non_torch_gib: f64,
    /// The same with tensor parallel, GiB per GPU.
    pub non_torch_gib_parallel: f64,
    /// Most sequences in a batch unless told otherwise.
    pub max_batch: u32,
    /// The same on large GPUs, where the engine starts with another.
    pub max_batch_large_gpu: Option<u32>,
    /// Tokens of one chunk of a prefill.
    pub prefill_chunk: u32,
    /// Where the figures come from.
    pub provenance: Provenance,
}

/// vLLM's `EngineArgs.get_batch_defaults` starts with its larger defaults from this memory on, A100 excepted.
const LARGE_GPU_GIB: f64 = 70.0;

impl Engine {
    /// Most sequences in a batch on this GPU unless told otherwise.
    #[must_use]
    pub fn default_batch(&self, gpu: &Gpu) -> u32 {
        self.max_batch_large_gpu.filter(|_| is_large(gpu)).unwrap_or(self.max_batch)
    }
}

/// A GPU on which engines start with their larger defaults.
#[must_use]
pub fn is_large(gpu: &Gpu) -> bool {
    gpu.usable.get() >= LARGE_GPU_GIB && !gpu.id.starts_with("a100")
}

/// A factor on the times of some units, from their owner's measurements; `bursar calibrate` writes it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// Engine generation.
    pub engine: String,
    /// GPU id.
    pub gpu: String,
    /// Bits class of the weights; `None` = any.
    pub bits: Option<u32>,
    /// Model, by its id; `None` = any without a row of its own.
    pub model: Option<String>,
    /// Which times: `step`, `prefill`, `ttft-loaded` or `saturation`.
    pub measure: String,
    /// Times are multiplied by it.
    pub factor: f64,
    /// Standard deviation of the logarithm of what is left.
    pub sd_log: f64,
    /// Figures it rests on.
    pub rows: Option<u32>,
    /// Where it comes from.
    pub provenance: Provenance,
}

/// The coefficients c_j = exp(beta_j + sum of effects), with their spreads.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Coefficients {
    /// Value by `(coefficient, factor, level)`; factor `base` has an empty level.
    pub values: BTreeMap<(String, String, String), f64>,
    /// Posterior standard deviation of the logarithm of each value.
    pub spreads: BTreeMap<(String, String, String), f64>,
    /// Kernel floor u (µs) and latency per K element (µs) by `(gpu id, weight bits)`.
    pub kernels: BTreeMap<(String, u32), (f64, f64)>,
    /// Factor of the two-sided 90 % interval by `(measure, dense|moe, basis)`.
    pub intervals: BTreeMap<(String, String, String), f64>,
    /// Groups with data, as `engine|gpu|bits|model`: those are `calibrated`.
    pub seen: Vec<String>,
    /// What users measured of units of their own: factors on their times.
    pub calibrations: Vec<Calibration>,
    /// Where they come from.
    pub provenance: Provenance,
}
