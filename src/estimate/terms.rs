//! What happens in one pass of a unit, before any loss: launches, reads, arithmetic, exchanges, each by itself.
//!
//! In: a [`Unit`] and the facts of its GPU. Out: [`Terms`], the terms G, W, X, KV, F, R, V of the oracle study, section 2, at
//! the figures of the data sheet. Every coefficient is left to `step.rs`, so the terms of a configuration are
//! computed once however often its coefficients are tried. It knows no queue and no traffic.

use super::Unit;
use super::device::Device;
use crate::catalog::{Attention, Model};

/// MLA of DeepSeek-V2/V3 (arXiv 2405.04434): rank of the query projection, widths of a head without and with rope.
const MLA_QUERY_RANK: f64 = 1536.0;
const MLA_HEAD: f64 = 128.0;
/// Time to hand activations to the next pipeline stage, milliseconds: a send over the link and its launch (assumed).
const STAGE_HOP_MS: f64 = 0.03;

/// The terms of a pass; times in ms at the figures of the data sheet.
#[derive(Debug, Clone, Copy)]
pub struct Terms {
    /// G: floor and latency of every GEMM.
    pub(super) launches_ms: f64,
    /// W: dense weights read once.
    pub(super) weights_ms: f64,
    /// X: all experts read once.
    pub(super) experts_ms: f64,
    /// Share of the experts that one token leaves untouched: 1 - k/E.
    pub(super) expert_miss: f64,
    /// F of the GEMMs, a token of a pass; without the output head.
    pub(super) token_ms: f64,
    /// F of the output head, a sequence.
    pub(super) head_ms: f64,
    /// KV of one token in one layer.
    pub(super) kv_layer_ms: f64,
    /// F of attention over one token of context in one layer.
    pub(super) score_layer_ms: f64,
    /// F of attention between two tokens of a prompt in one layer.
    pub(super) pair_layer_ms: f64,
    /// Layers that see the whole context, and those that see a window of it.
    pub(super) full_layers: f64,
    pub(super) sliding_layers: f64,
    pub(super) window_tokens: f64,
    /// L' and M': layers, and those with experts, times u/3 us.
    pub(super) layers: f64,
    pub(super) mixture_layers: f64,
    /// R: all-reduces of a pass.
    pub(super) reduces: f64,
    /// V: volume of the all-reduces, a token.
    pub(super) volume_ms: f64,
    /// Hand-overs between pipeline stages.
    pub(super) hops_ms: f64,
    /// Attention ranks with sequences of their own.
    pub(super) ranks: f64,
    /// Pipeline stages or independent ranks: each works on its share of the batch.
    pub(super) lanes: f64,
    pub(super) mixture: bool,
}

/// One matrix multiplication of a pass: how often, and its size per GPU.
struct Gemm {
    count: f64,
    n: f64,
    k: f64,
    /// Rows are the tokens of one attention rank.
    attention: bool,
}

/// How one pass is cut up.
struct Cut {
    /// GPUs that share the heads.
    heads: f64,
    /// GPUs that share the rest.
    ways: f64,
    /// Attention ranks with sequences of their own.
    ranks: f64,
    /// Stages or independent copies.
    lanes: f64,
}

impl Cut {
    fn of(unit: &Unit<'_>) -> Self {
        let (tp, pp, dp) = (
            f64::from(unit.tensor_parallel),
            f64::from(unit.pipeline_parallel),
            f64::from(unit.data_parallel),
        );
        if unit.engine.family == "llama.cpp" {
            // It splits layers: several GPUs are as fast as one (oracle study section 8).
            Self { heads: 1.0, ways: 1.0, ranks: 1.0, lanes: 1.0 }
        } else if unit.model.is_mixture() {
            Self { heads: tp, ways: tp * dp, ranks: dp, lanes: pp }
        } else {
            // A dense model in data parallel is several engines behind one door.
            Self { heads: tp, ways: tp, ranks: 1.0, lanes: pp * dp }
        }
    }
}

/// GEMMs of a pass, without the output head.
fn gemms(model: &Model, cut: &Cut) -> Vec<Gemm> {
    let (layers, hidden, heads) = (f64::from(model.layers), f64::from(model.hidden), f64::from(model.heads));
    let (head_dim, a, n) = (f64::from(model.head_dim), cut.heads, cut.ways);
    let layers_mixture = mixture_layers(model);
    let up = if model.gated { 2.0 } else { 1.0 };
    let attention = |count, n, k| Gemm { count, n, k, attention: true };
    let dense = |count, n, k| Gemm { count, n, k, attention: false };
    let mut list = Vec::with_capacity(9);
    match model.attention {
        Attention::Grouped => {
            let kv_heads = f64::from(model.kv_heads).max(a);
            list.push(attention(layers, (heads + 2.0 * kv_heads) * head_dim / a, hidden));
            list.push(attention(layers, hidden, heads * head_dim / a));
        }
        Attention::Latent => {
            let (rank, rope) = (f64::from(model.kv_lora_rank), f64::from(model.rope_dim));
            list.push(attention(layers, MLA_QUERY_RANK + rank + rope, hidden));
            list.push(attention(layers, heads * (MLA_HEAD + rope) / a, MLA_QUERY_RANK));
            list.push(attention(2.0 * layers, heads * rank / a, MLA_HEAD));
            list.push(attention(layers, hidden, heads * MLA_HEAD / a));
        }
    }
    let layers_dense = layers - layers_mixture;
    if layers_dense > 0.0 {
        let inner = f64::from(model.intermediate) / n;
        list.push(dense(layers_dense, up * inner, hidden));
        list.push(dense(layers_dense, hidden, inner));
    }
    if layers_mixture > 0.0 {
        list.push(dense(layers_mixture, f64::from(model.experts), hidden));
        if model.shared_experts > 0 {
            let inner = f64::from(model.shared_experts * model.moe_intermediate) / n;
            list.push(dense(layers_mixture, up * inner, hidden));
            list.push(dense(layers_mixture, hidden, inner));
        }
    }
    list
}

/// Share of the weights a token passes that norms and biases may take; they are left out.
const SMALL_PARTS: f64 = 0.01;

/// Weights a token passes that are in none of the matrices of [`gemms`], the experts and the head.
fn unlisted_params(model: &Model) -> f64 {
    let whole = Cut { heads: 1.0, ways: 1.0, ranks: 1.0, lanes: 1.0 };
    let hidden = f64::from(model.hidden);
    let matrices: f64 = gemms(model, &whole).iter().map(|gemm| gemm.count * gemm.n * gemm.k).sum();
    let expert = self::matrices(model) * hidden * f64::from(model.moe_intermediate);
    let experts = mixture_layers(model) * f64::from(model.experts_per_token) * expert;
    // One embedding is the head; a second one is looked up, not multiplied.
    let embeddings = f64::from(model.vocab) * hidden * if model.tied_embeddings { 1.0 } else { 2.0 };
    let unlisted = model.active_params - matrices - experts - embeddings;
    if unlisted > SMALL_PARTS * model.active_params { unlisted } else { 0.0 }
}

impl Terms {
    /// The terms of a unit whose weights take `bytes` each.
    pub(super) fn of(unit: &Unit<'_>, bytes: f64, device: &Device) -> Self {
        let model = unit.model;
        let cut = Cut::of(unit);
        let (layers, hidden) = (f64::from(model.layers), f64::from(model.hidden));
        let (dense_bytes, expert_bytes, head_bytes) = weight_bytes(model, &unit.weights.0, bytes);
        // 1 GB/s = 1e6 bytes/ms; 1 TFLOPS = 1e9 FLOP/ms.
        let bytes_per_ms = device.bandwidth_gb_s * 1e6;
        let flop_per_ms = device.tflops * 1e9;
        let flop_16_per_ms = device.tflops_16 * 1e9;

        let (mut launches_ms, mut weights_ms, mut token_ms) = (0.0, 0.0, 0.0);
        for gemm in gemms(model, &cut) {
            launches_ms += gemm.count * device.kappa_us.mul_add(gemm.k, device.floor_us) * 1e-3;
            weights_ms += gemm.count * gemm.n * gemm.k * dense_bytes / bytes_per_ms;
            let rows = if gemm.attention { 1.0 / cut.ranks } else { 1.0 };
            token_ms += gemm.count * 2.0 * rows * gemm.n * gemm.k / flop_per_ms;
        }
        // Layers of other kinds (linear attention, indexers) have matrices of no formula: read and multiplied all the same.
        let unlisted = unlisted_params(model) / cut.ways;
        weights_ms += unlisted * dense_bytes / bytes_per_ms;
        token_ms += 2.0 * unlisted / flop_per_ms;
        let head = f64::from(model.vocab) / cut.ways * hidden;
        launches_ms += device.kappa_16_us.mul_add(hidden, device.floor_us) * 1e-3;
        weights_ms += head * head_bytes / bytes_per_ms;

        let layers_mixture = mixture_layers(model);
        let expert = matrices(model) * hidden * f64::from(model.moe_intermediate);
        let experts = f64::from(model.experts);
        let chosen = f64::from(model.experts_per_token);
        token_ms += layers_mixture * chosen * 2.0 * expert / (cut.ways * flop_per_ms);

        let (sharing, decode_width, prefill_width) = match model.attention {
            Attention::Grouped => {
                let width = 2.0 * f64::from(model.head_dim);
                (cut.heads.min(f64::from(model.kv_heads)), width, width)
            }
            Attention::Latent => {
                let (rank, rope) = (f64::from(model.kv_lora_rank), f64::from(model.rope_dim));
                (1.0, 2.0 * rank + rope, 2.0 * MLA_HEAD + rope)
            }
        };
        let heads = f64::from(model.heads) / cut.heads;
        let layer_units = device.floor_us / 3.0;
        Self {
            launches_ms,
            weights_ms,
            experts_ms: layers_mixture * experts * expert * expert_bytes / (cut.ways * bytes_per_ms),
            expert_miss: if experts > 0.0 { 1.0 - chosen / experts } else { 0.0 },
            token_ms,
            head_ms: 2.0 * head / flop_per_ms,
            kv_layer_ms: kv_layer_bytes(model, unit.kv_bytes) / (cut.ranks * sharing * bytes_per_ms),
            score_layer_ms: 2.0 * heads * decode_width / (cut.ranks * flop_16_per_ms),
            pair_layer_ms: heads * prefill_width / (cut.ranks * flop_16_per_ms),
            full_layers: f64::from(model.full_attention_layers),
            sliding_layers: f64::from(model.sliding_layers),
            window_tokens: model.sliding_window.map_or(f64::INFINITY, f64::from),
            layers: layers * layer_units,
            mixture_layers: layers_mixture * layer_units,
            reduces: if cut.ways > 1.0 { 2.0 * layers } else { 0.0 },
            volume_ms: hidden * 2.0 * 2.0 * layers * 2.0 * (cut.ways - 1.0)
                / cut.ways
                / (device.link_gb_s * 1e6),
            hops_ms: STAGE_HOP_MS * f64::from(unit.pipeline_parallel - 1),
            ranks: cut.ranks,
            lanes: cut.lanes,
            mixture: model.is_mixture(),
        }
    }
}

/// Layers that hold experts.
pub(super) fn mixture_layers(model: &Model) -> f64 {
    if model.is_mixture() { f64::from(model.layers.saturating_sub(model.first_dense_layers)) } else { 0.0 }
}

/// Matrices of one feed-forward layer.
pub(super) const fn matrices(model: &Model) -> f64 {
    if model.gated { 3.0 } else { 2.0 }
}

/// Bytes of a dense weight, an expert weight and a weight of the output head.
pub(super) fn weight_bytes(model: &Model, precision: &str, bytes: f64) -> (f64, f64, f64) {
    match precision {
        // MXFP4 checkpoints quantise the experts alone (gpt-oss model card, arXiv 2508.10925).
        "mxfp4" if model.is_mixture() => (2.0, bytes, 2.0),
        // Quantised checkpoints keep embeddings and output head at 16 bits; GGUF averages cover the whole file.
        "bf16" | "fp16" | "fp8" | "int8" | "int4" | "nvfp4" | "mxfp4" => (bytes, bytes, bytes.max(2.0)),
        _ => (bytes, bytes, bytes),
    }
}

/// Bytes a layer keeps of one token, before sharing.
pub(super) fn kv_layer_bytes(model: &Model, kv_bytes: f64) -> f64 {
    match model.attention {
        Attention::Grouped => 2.0 * f64::from(model.kv_heads) * f64::from(model.head_dim) * kv_bytes,
        Attention::Latent => f64::from(model.kv_lora_rank + model.rope_dim) * kv_bytes,
    }
}
