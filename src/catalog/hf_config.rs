//! A raw Hugging Face `config.json` as a model: dense, mixture, MLA, sliding window, hybrid, quantised, nested.
//!
//! In: the id (folder names) and the text of the file. Out: a [`Model`] whose parameters are counted from its
//! dimensions, or the faults that keep it from being one. It knows no licence, no release day and no quality:
//! those stay unknown, unless the catalog already has the id.

use serde_json::Value;

use super::table::fault;
use super::{Attention, Model, Precision, Provenance};
use crate::error::Fault;

/// Feed-forward layers of two matrices instead of three, by `model_type`.
const UNGATED: [&str; 13] = [
    "bloom",
    "falcon",
    "gpt2",
    "gpt_bigcode",
    "gpt_neox",
    "gptj",
    "mpt",
    "nemotron",
    "nemotron_h",
    "opt",
    "phi",
    "phi-msft",
    "starcoder2",
];
/// Families whose input and output embeddings are shared unless the file says otherwise.
const TIED: [&str; 10] =
    ["bloom", "cohere", "cohere2", "gemma", "gemma2", "gemma3", "gemma3_text", "gpt2", "mpt", "opt"];
/// Keys of parts that the oracle has no formula for: sparse or compressed attention, state spaces, per-layer shapes.
const BEYOND_FORMULA: [&str; 12] = [
    "index_topk",
    "compress_ratios",
    "hybrid_override_pattern",
    "mamba_d_state",
    "ssm_cfg",
    "ssm_state_size",
    "block_configs",
    "global_head_dim",
    "swa_head_dim",
    "attn_layer_period",
    "mamba_expand",
    "sparse_attention_config",
];
/// No real model has a dimension above this; a larger number is a slip.
const LARGEST: u64 = 20_000_000;

struct Reader<'v> {
    file: &'v str,
    root: &'v Value,
    text: &'v Value,
    faults: Vec<Fault>,
}

impl<'v> Reader<'v> {
    fn get(&self, name: &str) -> Option<&'v Value> {
        self.text
            .get(name)
            .filter(|value| !value.is_null())
            .or_else(|| self.root.get(name).filter(|value| !value.is_null()))
    }

    fn fail(&mut self, key: &str, cause: String, cure: &str) {
        self.faults.push(fault("E0210", self.file, 0, key, cause, cure));
    }

    /// The first of several names that is there, as a count.
    fn optional(&mut self, names: &[&str]) -> Option<u32> {
        for name in names {
            if let Some(value) = self.get(name) {
                match value
                    .as_u64()
                    .filter(|count| *count <= LARGEST)
                    .and_then(|count| u32::try_from(count).ok())
                {
                    Some(count) => return Some(count),
                    None => {
                        self.fail(
                            name,
                            format!("must be a whole number up to {LARGEST}, got {value}"),
                            "Check the file.",
                        );
                        return None;
                    }
                }
            }
        }
        None
    }

    fn required(&mut self, names: &[&str]) -> u32 {
        let before = self.faults.len();
        match self.optional(names) {
            Some(0) => {
                self.fail(names[0], "must be above 0".to_owned(), "Check the file.");
                1
            }
            Some(count) => count,
            None => {
                if self.faults.len() == before {
                    self.fail(
                        names[0],
                        "is missing".to_owned(),
                        "Use the config.json of the checkpoint itself, not of an adapter or a processor.",
                    );
                }
                1
            }
        }
    }

    fn flag(&self, name: &str) -> Option<bool> {
        self.get(name).and_then(Value::as_bool)
    }

    fn word(&self, name: &str) -> &'v str {
        self.get(name).and_then(Value::as_str).unwrap_or("")
    }

    fn list(&self, name: &str) -> Option<&'v Vec<Value>> {
        self.get(name).and_then(Value::as_array)
    }
}

/// How many layers see everything, and how many a window.
struct Span {
    full: u32,
    sliding: u32,
    window: Option<u32>,
}

fn count(values: impl Iterator<Item = bool>) -> u32 {
    u32::try_from(values.filter(|hit| *hit).count()).unwrap_or(u32::MAX)
}

fn span(reader: &mut Reader<'_>, layers: u32) -> Span {
    let window = reader
        .optional(&["sliding_window", "sliding_window_size", "attention_chunk_size"])
        .filter(|window| *window > 0);
    if let Some(types) = reader.list("layer_types").or_else(|| reader.list("layers_block_type")) {
        let has =
            |words: &[&str]| {
                count(types.iter().map(|kind| {
                    kind.as_str().is_some_and(|kind| words.iter().any(|word| kind.contains(word)))
                }))
            };
        let sliding = has(&["sliding", "chunked", "local"]);
        let linear = has(&["linear", "mamba", "recurrent", "conv"]);
        return Span {
            full: layers.saturating_sub(sliding + linear),
            sliding,
            window: window.filter(|_| sliding > 0),
        };
    }
    if let Some(pattern) = reader.list("hybrid_layer_pattern") {
        let sliding = count(pattern.iter().map(|kind| kind.as_u64() == Some(1)));
        return Span { full: layers.saturating_sub(sliding), sliding, window };
    }
    if let Some(pattern) = reader.get("hybrid_override_pattern").and_then(Value::as_str) {
        return Span { full: count(pattern.chars().map(|kind| kind == '*')), sliding: 0, window: None };
    }
    if let Some(every) = reader.optional(&["full_attention_interval"]).filter(|every| *every > 0) {
        return Span { full: layers / every, sliding: 0, window: None };
    }
    if window.is_none() || reader.flag("use_sliding_window") == Some(false) {
        return Span { full: layers, sliding: 0, window: None };
    }
    let kind = reader.word("model_type");
    let every = reader.optional(&["sliding_window_pattern"]).or(match kind {
        "gemma2" | "cohere2" => Some(2),
        "gemma3" | "gemma3_text" => Some(6),
        "llama4" | "llama4_text" => Some(4),
        _ => None,
    });
    let full = every.filter(|every| *every > 0).map_or(0, |every| layers / every);
    Span { full, sliding: layers - full, window }
}

fn native(reader: &mut Reader<'_>) -> Precision {
    let Some(config) = reader.get("quantization_config") else {
        let dtype = reader
            .get("torch_dtype")
            .or_else(|| reader.get("dtype"))
            .and_then(Value::as_str)
            .unwrap_or("bfloat16");
        return Precision::named(if dtype.ends_with("float16") && !dtype.ends_with("bfloat16") {
            "fp16"
        } else {
            "bf16"
        });
    };
    let method = config.get("quant_method").and_then(Value::as_str).unwrap_or("").to_lowercase();
    let algorithm = config
        .get("quant_algo")
        .or_else(|| config.pointer("/quantization/quant_algo"))
        .and_then(Value::as_str)
        .unwrap_or("")
        .to_lowercase();
    let bits = |value: &Value| value.get("num_bits").or_else(|| value.get("bits")).and_then(Value::as_u64);
    let group = config
        .get("config_groups")
        .and_then(Value::as_object)
        .and_then(|groups| groups.values().find_map(|group| group.get("weights")).cloned());
    let name = match (method.as_str(), algorithm.as_str()) {
        (_, "fp8" | "fp8_pb_wo") | ("fp8" | "fbgemm_fp8", _) => Some("fp8"),
        (_, "nvfp4" | "w4a16_nvfp4") => Some("nvfp4"),
        ("mxfp4", _) => Some("mxfp4"),
        ("bitsandbytes", _) => Some(if config.get("load_in_4bit").and_then(Value::as_bool) == Some(true) {
            "int4"
        } else {
            "int8"
        }),
        _ => {
            let weights = group.as_ref().unwrap_or(config);
            let float = weights.get("type").and_then(Value::as_str) == Some("float");
            match (bits(weights), float) {
                (Some(8), true) => Some("fp8"),
                (Some(8), false) => Some("int8"),
                (Some(4), true) => Some("nvfp4"),
                (Some(4), false) => Some("int4"),
                _ => None,
            }
        }
    };
    name.map_or_else(
        || {
            reader.fail(
                "quantization_config",
                format!("unknown method `{method}`"),
                "Remove the key and name the weights' precision in the request instead.",
            );
            Precision::named("bf16")
        },
        Precision::named,
    )
}

/// The model a `config.json` describes.
///
/// # Errors
/// Every fault of the file.
#[allow(clippy::too_many_lines, reason = "one field after the other, in the order of the type")]
pub(super) fn model(id: &str, file: &str, text: &str) -> Result<Model, Vec<Fault>> {
    let root: Value = serde_json::from_str(text).map_err(|error| {
        vec![fault(
            "E0210",
            file,
            error.line(),
            "",
            format!("is no JSON: {error}"),
            "Use the config.json of the checkpoint.",
        )]
    })?;
    let nested = ["text_config", "llm_config", "language_config"]
        .iter()
        .find_map(|key| root.get(*key).filter(|v| v.is_object()));
    let mut reader = Reader { file, root: &root, text: nested.unwrap_or(&root), faults: Vec::new() };
    if !root.is_object() {
        reader.fail("", "must be a JSON object".to_owned(), "Use the config.json of the checkpoint.");
        return Err(reader.faults);
    }
    if reader.flag("is_encoder_decoder") == Some(true) {
        reader.fail(
            "is_encoder_decoder",
            "encoder-decoder models are not supported".to_owned(),
            "Use a decoder-only model.",
        );
    }
    let kind = reader.word("model_type");
    let layers = reader.required(&["num_hidden_layers", "n_layer", "num_layers", "n_layers"]);
    let hidden = reader.required(&["hidden_size", "n_embd", "d_model", "dim"]);
    let heads = reader.required(&["num_attention_heads", "n_head", "n_heads", "num_heads"]);
    let vocab = reader.required(&["vocab_size"]);
    let latent_rank = reader.optional(&["kv_lora_rank"]).unwrap_or(0);
    let rope_dim = reader.optional(&["qk_rope_head_dim"]).unwrap_or(0);
    let latent = latent_rank > 0 && rope_dim > 0;
    let kv_heads = if latent {
        heads
    } else if reader.flag("multi_query") == Some(true) && reader.get("num_kv_heads").is_none() {
        1
    } else {
        reader
            .optional(&["num_key_value_heads", "num_kv_heads", "n_head_kv", "num_query_groups"])
            .unwrap_or(heads)
    };
    let head_dim = if latent {
        reader.optional(&["v_head_dim"]).unwrap_or(128)
    } else {
        reader.optional(&["head_dim", "attention_head_dim"]).unwrap_or(hidden / heads.max(1))
    };
    let intermediate = reader.optional(&["intermediate_size", "ffn_hidden_size", "n_inner", "ffn_dim"]);
    let experts = reader
        .optional(&["n_routed_experts", "num_experts", "num_local_experts", "moe_num_experts"])
        .unwrap_or(0);
    // A mixture of one expert is a dense layer.
    let experts = if experts > 1 { experts } else { 0 };
    let experts_per_token = if experts == 0 {
        0
    } else {
        reader
            .required(&[
                "num_experts_per_tok",
                "top_k_experts",
                "num_experts_per_token",
                "moe_topk",
                "moe_top_k",
            ])
            .min(experts)
    };
    let moe_intermediate = if experts == 0 {
        0
    } else {
        reader
            .optional(&["moe_intermediate_size", "expert_ffn_hidden_size", "expert_intermediate_size"])
            .or(intermediate)
            .unwrap_or(4 * hidden)
    };
    let shared_width = reader
        .optional(&["shared_expert_intermediate_size", "moe_shared_expert_intermediate_size"])
        .unwrap_or(0);
    let shared_experts = if experts == 0 {
        0
    } else {
        reader.optional(&["n_shared_experts", "num_shared_experts"]).unwrap_or_else(|| {
            if kind.starts_with("llama4") { 1 } else { shared_width.div_ceil(moe_intermediate.max(1)) }
        })
    };
    let dense_layers = dense_layers(&mut reader, layers, experts);
    let span = span(&mut reader, layers);
    let gated = !UNGATED.contains(&kind);
    let tied = reader.flag("tie_word_embeddings").unwrap_or_else(|| TIED.contains(&kind));
    let max_context = reader
        .optional(&[
            "max_position_embeddings",
            "n_positions",
            "max_seq_len",
            "seq_length",
            "model_max_length",
        ])
        .unwrap_or(2048);
    let formula = !BEYOND_FORMULA.iter().any(|key| reader.get(key).is_some());
    let native = native(&mut reader);
    let dense_width = if experts > 0 && dense_layers == 0 {
        0
    } else {
        reader.optional(&["intermediate_size_mlp"]).or(intermediate).unwrap_or(4 * hidden)
    };
    let mut model = Model {
        id: id.to_owned(),
        aliases: Vec::new(),
        family: kind.to_owned(),
        total_params: 0.0,
        active_params: 0.0,
        layers,
        full_attention_layers: span.full,
        sliding_layers: span.sliding,
        sliding_window: span.window.filter(|_| span.sliding > 0),
        hidden,
        heads,
        kv_heads,
        head_dim,
        intermediate: dense_width,
        moe_intermediate,
        experts,
        experts_per_token,
        shared_experts,
        first_dense_layers: if experts > 0 { dense_layers } else { 0 },
        gated,
        vocab,
        tied_embeddings: tied,
        attention: if latent { Attention::Latent } else { Attention::Grouped },
        kv_lora_rank: if latent { latent_rank } else { 0 },
        rope_dim: if latent { rope_dim } else { 0 },
        max_context,
        native,
        licence: "unknown".to_owned(),
        released: None,
        has: Vec::new(),
        lacks: Vec::new(),
        quality_subject: None,
        thinking_by_default: false,
        formula,
        provenance: Provenance { source: file.to_owned(), as_of: String::new(), assumed: false },
    };
    let ranks = Latent {
        query_rank: reader.optional(&["q_lora_rank"]).unwrap_or(0),
        nope_dim: reader.optional(&["qk_nope_head_dim"]).unwrap_or(128),
    };
    if !reader.faults.is_empty() {
        return Err(reader.faults);
    }
    (model.total_params, model.active_params) = parameters(&model, ranks);
    Ok(model)
}

fn dense_layers(reader: &mut Reader<'_>, layers: u32, experts: u32) -> u32 {
    if experts == 0 {
        return 0;
    }
    if let Some(frequency) = reader.list("moe_layer_freq") {
        return count(frequency.iter().map(|kind| kind.as_u64() == Some(0)));
    }
    if let Some(step) =
        reader.optional(&["interleave_moe_layer_step", "decoder_sparse_step"]).filter(|step| *step > 1)
    {
        return layers - layers / step;
    }
    let listed = reader.list("mlp_only_layers").map_or(0, |list| u32::try_from(list.len()).unwrap_or(0));
    reader.optional(&["first_k_dense_replace"]).unwrap_or(listed).min(layers)
}

/// Widths of latent attention that only the parameter count needs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Latent {
    /// Rank of the query projection; 0 = none.
    pub(super) query_rank: u32,
    /// Width of a head without rotary part.
    pub(super) nope_dim: u32,
}

/// All and active parameters, embeddings and head included; norms and biases left out (under 0.1 %).
///
/// Attention of a layer: h·(heads + 2·kv_heads)·d + heads·d·h; MLA (arXiv 2405.04434): down and up projections.
/// Feed-forward: 3·h·f gated, 2·h·f not; a mixture has E routed, the shared experts and the router h·E.
pub(super) fn parameters(model: &Model, latent: Latent) -> (f64, f64) {
    let [hidden, heads, kv_heads, head_dim] =
        [model.hidden, model.heads, model.kv_heads, model.head_dim].map(f64::from);
    let attention = match model.attention {
        Attention::Grouped => hidden * head_dim * (2.0 * heads + 2.0 * kv_heads),
        Attention::Latent => {
            let [rank, rope, query, nope] =
                [model.kv_lora_rank, model.rope_dim, latent.query_rank, latent.nope_dim].map(f64::from);
            let queries = if latent.query_rank > 0 {
                query * (hidden + heads * (nope + rope))
            } else {
                hidden * heads * (nope + rope)
            };
            queries + hidden * (rank + rope) + rank * heads * (nope + head_dim) + heads * head_dim * hidden
        }
    };
    let matrices = if model.gated { 3.0 } else { 2.0 };
    let dense_layers = f64::from(if model.is_mixture() { model.first_dense_layers } else { model.layers });
    let mixture_layers = f64::from(model.layers) - dense_layers;
    let expert = matrices * hidden * f64::from(model.moe_intermediate);
    let embeddings = f64::from(model.vocab) * hidden * if model.tied_embeddings { 1.0 } else { 2.0 };
    let common = f64::from(model.layers) * attention
        + dense_layers * matrices * hidden * f64::from(model.intermediate)
        + mixture_layers * (f64::from(model.shared_experts) * expert + hidden * f64::from(model.experts))
        + embeddings;
    (
        common + mixture_layers * f64::from(model.experts) * expert,
        common + mixture_layers * f64::from(model.experts_per_token) * expert,
    )
}

/// What a configuration does not tell stays as the catalog has it.
pub(super) fn keep_known(model: &mut Model, known: Option<&Model>) {
    let Some(known) = known else { return };
    model.aliases.clone_from(&known.aliases);
    model.licence.clone_from(&known.licence);
    model.released = known.released;
    model.has.clone_from(&known.has);
    model.lacks.clone_from(&known.lacks);
    model.quality_subject.clone_from(&known.quality_subject);
    model.thinking_by_default = known.thinking_by_default;
}
