//! Step times of one unit: a decode step and a prefill, in closed form.
//!
//! In: a [`Unit`]. Out: [`Step`], built once, then a handful of multiplications a question. The form is additive
//! (oracle study section 2): D = c_k G + c_w W + c_x X + c_kv KV + c_f F + c_L L' + c_mo M' + c_ar R + c_cb V + c_B B/dp,
//! with G launches, W dense weights read, X experts touched, KV cache read, F arithmetic, L' and M' what is not a
//! GEMM, R and V the all-reduces. Everything but X is linear in the batch. Nothing is ever faster than reading the
//! weights and the cache once at the bandwidth of the data sheet. It knows no queue and no traffic.

use super::rates::{self, Device, Rates};
use super::{Basis, Misfit, Unit, interval};
use crate::catalog::{Attention, Catalog, Model};

/// MLA of DeepSeek-V2/V3 (arXiv 2405.04434): rank of the query projection, widths of a head without and with rope.
const MLA_QUERY_RANK: f64 = 1536.0;
const MLA_HEAD: f64 = 128.0;
/// Time to hand activations to the next pipeline stage, milliseconds: a send over the link and its launch (assumed).
const STAGE_HOP_MS: f64 = 0.03;

/// Closed form of one unit's step times. Times in ms, tokens and sequences as real numbers.
#[derive(Debug, Clone, Copy)]
pub struct Step {
    // A pass of b sequences in one lane: fixed + b * sequence + experts(b) + b * kv(context).
    fixed_ms: f64,
    sequence_ms: f64,
    experts_ms: f64,
    expert_miss: f64,
    // KV of a context of c: full * c + sliding * min(c, window), in ms a token.
    kv_full_ms: f64,
    kv_sliding_ms: f64,
    window_tokens: f64,
    // Prefill of s tokens: linear * s + full * s^2 + sliding * s * min(s, window) + alone.
    prefill_token_ms: f64,
    prefill_fixed_ms: f64,
    prefill_full_ms: f64,
    prefill_sliding_ms: f64,
    prefill_alone_ms: f64,
    prefill_static_ms: f64,
    prefill_experts_ms: f64,
    // The same reads without any loss: nothing is faster.
    floor_weights_ms: f64,
    floor_experts_ms: f64,
    floor_kv_full_ms: f64,
    floor_kv_sliding_ms: f64,
    // Pipeline stages or independent ranks: each works on its share of the batch.
    lanes: f64,
    pub(super) interference: f64,
    pub(super) max: f64,
    pub(super) ttft: (f64, f64, f64),
    basis: Basis,
    mixture: bool,
    max_batch: u32,
    // Two-sided 90 % factors of step times, and of a lone prefill.
    factor_step: f64,
    factor_ttft: f64,
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

/// What all units of one engine, GPU and weight precision share: coefficients and the facts of the device.
#[derive(Debug, Clone)]
pub struct Rig {
    rates: Rates,
    device: Device,
    bits: u32,
    bytes_per_weight: f64,
    family_seen: bool,
}

impl Rig {
    /// The rig of a unit; the model is not read.
    ///
    /// # Errors
    /// [`Misfit::PrecisionUnsupported`] where the catalog has no such precision.
    pub fn new(catalog: &Catalog, unit: &Unit<'_>) -> Result<Self, Misfit> {
        let fact = rates::precision(catalog, &unit.weights)?;
        let bits = fact.bits_class;
        Ok(Self {
            rates: Rates::of(&catalog.coefficients, unit, bits),
            device: Device::of(&catalog.coefficients, unit.gpu, &unit.weights, bits),
            bits,
            bytes_per_weight: fact.bytes_per_weight,
            family_seen: rates::family_seen(&catalog.coefficients, unit, bits),
        })
    }

    /// False where no formula carries over to the GPU: every estimate is then a judgement.
    #[must_use]
    pub const fn is_trusted(&self) -> bool {
        self.family_seen
    }
}

impl Step {
    /// The closed form of a unit.
    ///
    /// # Errors
    /// [`Misfit::PrecisionUnsupported`] where the catalog has no such precision.
    pub fn new(catalog: &Catalog, unit: &Unit<'_>) -> Result<Self, Misfit> {
        Ok(Self::on(catalog, unit, &Rig::new(catalog, unit)?))
    }

    /// The closed form of a unit on a rig made for its engine, GPU and weight precision.
    #[must_use]
    pub fn on(catalog: &Catalog, unit: &Unit<'_>, rig: &Rig) -> Self {
        let basis = rates::basis(catalog, unit, rig.bits, rig.device.link_assumed, rig.family_seen);
        let factors = ["tpot", "ttft"]
            .map(|measure| interval(&catalog.coefficients, measure, unit.model.is_mixture(), basis));
        Self::from_parts(unit, rig.bytes_per_weight, &rig.rates, &rig.device, basis, factors)
    }

    fn from_parts(
        unit: &Unit<'_>,
        bytes: f64,
        c: &Rates,
        device: &Device,
        basis: Basis,
        [factor_step, factor_ttft]: [f64; 2],
    ) -> Self {
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
        let head = f64::from(model.vocab) / cut.ways * hidden;
        launches_ms += device.kappa_16_us.mul_add(hidden, device.floor_us) * 1e-3;
        weights_ms += head * head_bytes / bytes_per_ms;
        let head_ms = 2.0 * head / flop_per_ms;

        let layers_mixture = mixture_layers(model);
        let expert = matrices(model) * hidden * f64::from(model.moe_intermediate);
        let experts = f64::from(model.experts);
        let chosen = f64::from(model.experts_per_token);
        let experts_ms = layers_mixture * experts * expert * expert_bytes / (cut.ways * bytes_per_ms);
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
        let kv_layer_ms = kv_layer_bytes(model, unit.kv_bytes) / (cut.ranks * sharing * bytes_per_ms);
        let score_ms = 2.0 * heads * decode_width / (cut.ranks * flop_16_per_ms);
        let kv_ms = c.kv.mul_add(kv_layer_ms, c.f * score_ms);
        let (full, sliding) = (f64::from(model.full_attention_layers), f64::from(model.sliding_layers));
        let prefill_layer_ms = c.prefill * heads * prefill_width / (cut.ranks * flop_16_per_ms);

        let reduces = if cut.ways > 1.0 { 2.0 * layers } else { 0.0 };
        let volume_ms =
            hidden * 2.0 * 2.0 * layers * 2.0 * (cut.ways - 1.0) / cut.ways / (device.link_gb_s * 1e6);
        let hops_ms = STAGE_HOP_MS * f64::from(unit.pipeline_parallel - 1);
        let layer_us = device.floor_us / 3.0;

        Self {
            fixed_ms: c.k * launches_ms
                + c.w * weights_ms
                + c.layer * layers * layer_us
                + c.mixture * layers_mixture * layer_us
                + c.reduce * reduces
                + hops_ms,
            sequence_ms: c.f * (token_ms + head_ms) + c.volume * volume_ms + c.sequence / cut.ranks,
            experts_ms: c.x * experts_ms,
            expert_miss: if experts > 0.0 { 1.0 - chosen / experts } else { 0.0 },
            kv_full_ms: kv_ms * full,
            kv_sliding_ms: kv_ms * sliding,
            window_tokens: model.sliding_window.map_or(f64::INFINITY, f64::from),
            prefill_token_ms: c.prefill * token_ms + c.prefill_volume * volume_ms,
            prefill_fixed_ms: c.prefill * head_ms,
            prefill_full_ms: prefill_layer_ms * full,
            prefill_sliding_ms: prefill_layer_ms * sliding,
            prefill_alone_ms: c.w * weights_ms
                + c.prefill_layer * layers * layer_us
                + c.reduce * reduces
                + hops_ms,
            prefill_static_ms: c.prefill_layer * layers * layer_us + c.reduce * reduces + hops_ms,
            prefill_experts_ms: c.w * experts_ms,
            floor_weights_ms: weights_ms,
            floor_experts_ms: experts_ms,
            floor_kv_full_ms: kv_layer_ms * full,
            floor_kv_sliding_ms: kv_layer_ms * sliding,
            lanes: cut.lanes,
            interference: c.interference,
            max: c.max,
            ttft: c.ttft(model.is_mixture()),
            basis,
            mixture: model.is_mixture(),
            max_batch: unit.max_batch,
            factor_step,
            factor_ttft,
        }
    }

    /// One decode step of `batch` sequences whose contexts are `context_tokens` long on average, ms.
    #[must_use]
    pub fn decode(&self, batch: f64, context_tokens: f64) -> f64 {
        let lane = (batch / self.lanes).max(1.0);
        let window = context_tokens.min(self.window_tokens);
        let touched = self.touched(lane);
        let kv_ms = self.kv_full_ms * context_tokens + self.kv_sliding_ms * window;
        let step_ms = self.fixed_ms + lane * (self.sequence_ms + kv_ms) + self.experts_ms * touched;
        let kv_floor_ms = self.floor_kv_full_ms * context_tokens + self.floor_kv_sliding_ms * window;
        step_ms.max(self.floor_weights_ms + self.floor_experts_ms * touched + lane * kv_floor_ms)
    }

    /// Least time any such step can take: weights and cache read once at full bandwidth, ms.
    #[must_use]
    pub fn decode_floor(&self, batch: f64, context_tokens: f64) -> f64 {
        let lane = (batch / self.lanes).max(1.0);
        let kv_ms = self.floor_kv_full_ms * context_tokens
            + self.floor_kv_sliding_ms * context_tokens.min(self.window_tokens);
        self.floor_weights_ms + self.floor_experts_ms * self.touched(lane) + lane * kv_ms
    }

    /// Share of the experts that `tokens` tokens touch: 1 - (1 - k/E)^T.
    fn touched(&self, tokens: f64) -> f64 {
        if self.mixture { 1.0 - self.expert_miss.powf(tokens) } else { 0.0 }
    }

    /// What a prompt of `tokens` adds to running work, of which `cached` need no prefill, ms; for the whole unit.
    #[must_use]
    pub fn prefill_marginal(&self, tokens: f64, cached: f64) -> f64 {
        self.prefill_work(tokens, cached) / self.lanes
    }

    fn prefill_work(&self, tokens: f64, cached: f64) -> f64 {
        let pairs =
            |s: f64| self.prefill_full_ms * s * s + self.prefill_sliding_ms * s * s.min(self.window_tokens);
        let fresh = (tokens - cached).max(0.0);
        self.prefill_token_ms * fresh + self.prefill_fixed_ms + pairs(tokens) - pairs(cached.min(tokens))
    }

    /// Prefill of a prompt with nothing else running, ms.
    #[must_use]
    pub fn prefill_alone(&self, tokens: f64, cached: f64) -> f64 {
        let touched = self.touched((tokens - cached).max(1.0));
        let alone_ms =
            self.prefill_work(tokens, cached) + self.prefill_alone_ms + self.prefill_experts_ms * touched;
        alone_ms.max(self.floor_weights_ms + self.floor_experts_ms * touched)
    }

    /// What prompts started together pay once, whatever their number, ms (oracle study: c_pL L' + c_ar R).
    #[must_use]
    pub(super) const fn prefill_overhead(&self) -> f64 {
        self.prefill_static_ms
    }

    /// What these step times rest on.
    #[must_use]
    pub const fn basis(&self) -> Basis {
        self.basis
    }

    /// Most sequences the engine batches.
    #[must_use]
    pub const fn max_batch(&self) -> u32 {
        self.max_batch
    }

    /// Factor of the two-sided 90 % interval of step times.
    #[must_use]
    pub const fn factor_90_step(&self) -> f64 {
        self.factor_step
    }

    /// Factor of the two-sided 90 % interval of a lone prefill.
    #[must_use]
    pub const fn factor_90_ttft(&self) -> f64 {
        self.factor_ttft
    }

    /// True for a mixture of experts; intervals differ.
    #[must_use]
    pub const fn is_mixture(&self) -> bool {
        self.mixture
    }
}

/// Bytes a layer keeps of one token, before sharing.
pub(super) fn kv_layer_bytes(model: &Model, kv_bytes: f64) -> f64 {
    match model.attention {
        Attention::Grouped => 2.0 * f64::from(model.kv_heads) * f64::from(model.head_dim) * kv_bytes,
        Attention::Latent => f64::from(model.kv_lora_rank + model.rope_dim) * kv_bytes,
    }
}
