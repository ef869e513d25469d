//! Open models: architecture, licence and capabilities. Table `catalog/models.csv`.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::{Precision, Provenance};

/// How a model keeps the past.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Attention {
    /// Heads share `kv_heads` key-value heads (multi-head attention is the case of equality).
    Grouped,
    /// Multi-head latent attention (DeepSeek-V2, arXiv 2405.04434): one latent vector a token and layer.
    Latent,
}

/// One open model. Lengths in tokens, sizes in elements.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Model {
    /// Hugging Face id.
    pub id: String,
    /// Other names people use: repackaged and short ids.
    pub aliases: Vec<String>,
    /// Architecture family, such as `llama`.
    pub family: String,
    /// All parameters, embeddings included.
    pub total_params: f64,
    /// Parameters that one token passes; equals `total_params` for dense models.
    pub active_params: f64,
    /// Layers.
    pub layers: u32,
    /// Layers that hold keys and values of the whole context.
    pub full_attention_layers: u32,
    /// Layers that hold at most `sliding_window` tokens.
    pub sliding_layers: u32,
    /// Window of the sliding layers, tokens.
    pub sliding_window: Option<u32>,
    /// Width of the residual stream.
    pub hidden: u32,
    /// Query heads.
    pub heads: u32,
    /// Key-value heads.
    pub kv_heads: u32,
    /// Width of a head.
    pub head_dim: u32,
    /// Width of the dense feed-forward layer; 0 where every layer is a mixture.
    pub intermediate: u32,
    /// Width of one expert; 0 for dense models.
    pub moe_intermediate: u32,
    /// Routed experts a layer; 0 for dense models.
    pub experts: u32,
    /// Routed experts one token visits.
    pub experts_per_token: u32,
    /// Experts every token visits.
    pub shared_experts: u32,
    /// Leading dense layers of a mixture.
    pub first_dense_layers: u32,
    /// True for gated feed-forward layers (three matrices instead of two).
    pub gated: bool,
    /// Vocabulary.
    pub vocab: u32,
    /// True where input and output embeddings share one matrix.
    pub tied_embeddings: bool,
    /// How the past is kept.
    pub attention: Attention,
    /// Latent width of MLA.
    pub kv_lora_rank: u32,
    /// Rotary width of MLA.
    pub rope_dim: u32,
    /// Longest context the checkpoint supports, tokens.
    pub max_context: u32,
    /// Precision the checkpoint is published in.
    pub native: Precision,
    /// Licence id.
    pub licence: String,
    /// Release day, where known.
    pub released: Option<Date>,
    /// `tools`, `json`, `vision`, `reasoning`, `long-output`: known capabilities.
    pub has: Vec<String>,
    /// Capabilities known to be absent. In neither list = unknown.
    pub lacks: Vec<String>,
    /// Key of `quality_index.csv` for this model.
    pub quality_subject: Option<String>,
    /// Modes it serves: `default`, `nothink`, ... as in the quality table.
    pub thinking_by_default: bool,
    /// False where the architecture has parts that the oracle has no formula for; estimates are then `assumed`.
    pub formula: bool,
    /// Where the figures come from.
    pub provenance: Provenance,
}

impl Model {
    /// True where each token visits only some experts.
    #[must_use]
    pub const fn is_mixture(&self) -> bool {
        self.experts > 0
    }
}
