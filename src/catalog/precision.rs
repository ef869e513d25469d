//! Number formats of weights and of the KV cache, and what they cost in quality.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Provenance;

/// A precision by its lower-case name: `bf16`, `fp16`, `fp8`, `int8`, `int4`, `nvfp4`, `mxfp4` or a GGUF type
/// such as `q4_k_m`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Precision(pub String);

impl Precision {
    /// Precision of a name, case ignored.
    #[must_use]
    pub fn named(name: &str) -> Self {
        Self(name.to_ascii_lowercase())
    }
}

impl std::fmt::Display for Precision {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// One precision and its facts. Table `catalog/precisions.csv`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PrecisionFact {
    /// The precision.
    pub id: Precision,
    /// Bytes a weight takes, scales included (0.5625 for 4 bit with group scales).
    pub bytes_per_weight: f64,
    /// Bits class of the step-time coefficients: 16, 8 or 4.
    pub bits_class: u32,
    /// Index points lost against the 16-bit model, at 7 billion parameters and over.
    pub quality_loss: f64,
    /// The same, between 1 and 4 billion parameters.
    pub quality_loss_small: f64,
    /// Uncertainty added to the index in quadrature, index points.
    pub quality_loss_sd: f64,
    /// Engine families that serve it, such as `vllm`.
    pub engines: Vec<String>,
    /// Least CUDA compute capability whose tensor cores or kernels run it (8.9 for fp8); `None` = any.
    pub compute_capability_min: Option<f64>,
    /// Where the figures come from.
    pub provenance: Provenance,
}
