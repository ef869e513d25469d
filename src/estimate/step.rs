//! Step times of one unit: a decode step and a prefill, in closed form.
//!
//! In: a [`Unit`]. Out: [`Step`], built once, then a handful of multiplications a question. The form is additive
//! (oracle study section 2): D = c_k G + c_w W + c_x X + c_kv KV + c_f F + c_L L' + c_mo M' + c_ar R + c_cb V + c_B B/dp,
//! with G launches, W dense weights read, X experts touched, KV cache read, F arithmetic, L' and M' what is not a
//! GEMM, R and V the all-reduces. Everything but X is linear in the batch. Nothing is ever faster than reading the
//! weights and the cache once at the bandwidth of the data sheet, than the arithmetic at its peak, or than the
//! all-reduces over its link, whatever the coefficients say. It knows no queue and no traffic.

use super::calibration::{Own, Scale, TimeClass};
use super::coefficient::{Coefficient, Rates};
use super::device::{self, Device};
use super::terms::Terms;
use super::{Basis, Misfit, Unit, interval};
use crate::catalog::{Catalog, Coefficients};

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
    // Arithmetic at the peak: a sequence of a step, a token of its context, a token of a prompt, its head, its pairs.
    floor_sequence_ms: f64,
    floor_score_full_ms: f64,
    floor_score_sliding_ms: f64,
    floor_token_ms: f64,
    floor_head_ms: f64,
    floor_pair_full_ms: f64,
    floor_pair_sliding_ms: f64,
    // All-reduces of a token over the link.
    floor_volume_ms: f64,
    // Pipeline stages or independent ranks: each works on its share of the batch.
    lanes: f64,
    pub(super) interference: f64,
    pub(super) max: f64,
    pub(super) server_ms: f64,
    pub(super) ttft: (f64, f64),
    // Factors of a user's own, by which the times above are multiplied already.
    pub(super) scale: Scale,
    basis: Basis,
    // The basis but for the user's own measurements: what they do not speak of rests on it.
    basis_else: Basis,
    mixture: bool,
    max_batch: u32,
    // Two-sided 90 % factors of step times, and of a lone prefill.
    factor_step: f64,
    factor_ttft: f64,
    // The same of a user's own, by class.
    own_90: [Option<f64>; 4],
}

/// What all units of one engine, GPU and weight precision share: coefficients and the facts of the device.
#[derive(Debug, Clone)]
pub struct Rig {
    // Of dense models and of mixtures.
    rates: [Rates; 2],
    device: Device,
    bits: u32,
    bytes_per_weight: f64,
    seen: device::Seen,
    own: bool,
}

impl Rig {
    /// The rig of a unit; the model is not read.
    ///
    /// # Errors
    /// [`Misfit::PrecisionUnsupported`] where the catalog has no such precision.
    pub fn new(catalog: &Catalog, unit: &Unit<'_>) -> Result<Self, Misfit> {
        let fact = device::precision(catalog, &unit.weights)?;
        let bits = fact.bits_class;
        Ok(Self {
            rates: Rates::of(&catalog.coefficients, unit, bits),
            device: Device::of(&catalog.coefficients, unit.gpu, &unit.weights, bits),
            bits,
            bytes_per_weight: fact.bytes_per_weight,
            seen: device::Seen::of(catalog, unit, bits),
            own: Own::any(catalog, unit),
        })
    }

    /// False where no formula carries over to the GPU and its owner measured nothing: every estimate is then a judgement.
    #[must_use]
    pub const fn is_trusted(&self) -> bool {
        self.seen.carries() || self.own
    }

    /// Coefficients of a model of this class.
    #[must_use]
    pub fn rates(&self, mixture: bool) -> &Rates {
        &self.rates[usize::from(mixture)]
    }

    /// What happens in a pass of a unit made for this rig.
    #[must_use]
    pub fn terms(&self, unit: &Unit<'_>) -> Terms {
        Terms::of(unit, self.bytes_per_weight, &self.device)
    }

    /// Bits class of the weights: 16, 8 or 4.
    #[must_use]
    pub const fn bits(&self) -> u32 {
        self.bits
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
        let basis_else = device::basis(catalog, unit, &rig.seen, rig.device.link_assumed);
        let own = if rig.own { Own::of(catalog, unit, rig.bits) } else { Own::default() };
        let mixture = unit.model.is_mixture();
        let step = Self::composed(&rig.terms(unit), rig.rates(mixture), unit.max_batch).scaled(own.scale());
        let own_90 = TimeClass::ALL.map(|class| own.factor_90(class));
        let basis = if unit.model.formula { own.basis(basis_else) } else { basis_else };
        let step = Self { basis, basis_else, own_90, ..step };
        let [factor_step, factor_ttft] =
            ["tpot", "ttft"].map(|measure| step.interval(&catalog.coefficients, measure));
        Self { factor_step, factor_ttft, ..step }
    }

    /// Terms times coefficients, without basis or interval.
    #[must_use]
    pub fn composed(terms: &Terms, c: &Rates, max_batch: u32) -> Self {
        use Coefficient as C;
        let t = terms;
        let kv_ms = c[C::Cache].mul_add(t.kv_layer_ms, c[C::Arithmetic] * t.score_layer_ms);
        let pair_ms = c[C::Prefill] * t.pair_layer_ms;
        let alone_ms = c[C::PrefillLayer] * t.layers + c[C::AllReduce] * t.reduces + t.hops_ms;
        Self {
            fixed_ms: c[C::Launch] * t.launches_ms
                + c[C::Weights] * t.weights_ms
                + c[C::Layer] * t.layers
                + c[C::MixtureLayer] * t.mixture_layers
                + c[C::AllReduce] * t.reduces
                + t.hops_ms,
            sequence_ms: c[C::Arithmetic] * (t.token_ms + t.head_ms)
                + c[C::Volume] * t.volume_ms
                + c[C::Sequence] / t.ranks,
            experts_ms: c[C::Experts] * t.experts_ms,
            expert_miss: t.expert_miss,
            kv_full_ms: kv_ms * t.full_layers,
            kv_sliding_ms: kv_ms * t.sliding_layers,
            window_tokens: t.window_tokens,
            prefill_token_ms: c[C::Prefill] * t.token_ms + c[C::PrefillVolume] * t.volume_ms,
            prefill_fixed_ms: c[C::Prefill] * t.head_ms,
            prefill_full_ms: pair_ms * t.full_layers,
            prefill_sliding_ms: pair_ms * t.sliding_layers,
            prefill_alone_ms: c[C::Weights] * t.weights_ms + alone_ms,
            prefill_static_ms: alone_ms,
            prefill_experts_ms: c[C::Weights] * t.experts_ms,
            floor_weights_ms: t.weights_ms,
            floor_experts_ms: t.experts_ms,
            floor_kv_full_ms: t.kv_layer_ms * t.full_layers,
            floor_kv_sliding_ms: t.kv_layer_ms * t.sliding_layers,
            floor_sequence_ms: t.token_ms + t.head_ms,
            floor_score_full_ms: t.score_layer_ms * t.full_layers,
            floor_score_sliding_ms: t.score_layer_ms * t.sliding_layers,
            floor_token_ms: t.token_ms,
            floor_head_ms: t.head_ms,
            floor_pair_full_ms: t.pair_layer_ms * t.full_layers,
            floor_pair_sliding_ms: t.pair_layer_ms * t.sliding_layers,
            floor_volume_ms: t.volume_ms,
            lanes: t.lanes,
            interference: c[C::Interference],
            max: c[C::Max],
            server_ms: c[C::Server],
            ttft: (c[C::TtftStep], c[C::TtftQueue]),
            scale: Scale::ONE,
            basis: Basis::Assumed,
            basis_else: Basis::Assumed,
            mixture: t.mixture,
            max_batch,
            factor_step: 1.0,
            factor_ttft: 1.0,
            own_90: [None; 4],
        }
    }

    /// The same with its times multiplied, by class, once; the reads at full bandwidth stay.
    #[must_use]
    pub fn scaled(self, scale: Scale) -> Self {
        let step = scale.of(TimeClass::Step);
        let prefill = scale.of(TimeClass::Prefill);
        Self {
            fixed_ms: step * self.fixed_ms,
            sequence_ms: step * self.sequence_ms,
            experts_ms: step * self.experts_ms,
            kv_full_ms: step * self.kv_full_ms,
            kv_sliding_ms: step * self.kv_sliding_ms,
            prefill_token_ms: step * self.prefill_token_ms,
            prefill_fixed_ms: step * self.prefill_fixed_ms,
            prefill_full_ms: step * self.prefill_full_ms,
            prefill_sliding_ms: step * self.prefill_sliding_ms,
            prefill_alone_ms: step * self.prefill_alone_ms,
            prefill_static_ms: step * self.prefill_static_ms,
            prefill_experts_ms: step * self.prefill_experts_ms,
            server_ms: prefill * self.server_ms,
            scale,
            ..self
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
        step_ms.max(self.floor_of(lane, touched, context_tokens))
    }

    /// Least time any such step can take, ms: weights and cache read once at full bandwidth, arithmetic at the peak,
    /// all-reduces over the link; the longest of the three, for they may overlap.
    #[must_use]
    pub fn decode_floor(&self, batch: f64, context_tokens: f64) -> f64 {
        let lane = (batch / self.lanes).max(1.0);
        self.floor_of(lane, self.touched(lane), context_tokens)
    }

    fn floor_of(&self, lane: f64, touched: f64, context_tokens: f64) -> f64 {
        let window = context_tokens.min(self.window_tokens);
        let kv_ms = self.floor_kv_full_ms * context_tokens + self.floor_kv_sliding_ms * window;
        let read_ms = self.floor_weights_ms + self.floor_experts_ms * touched + lane * kv_ms;
        let score_ms = self.floor_score_full_ms * context_tokens + self.floor_score_sliding_ms * window;
        read_ms.max(lane * (self.floor_sequence_ms + score_ms)).max(lane * self.floor_volume_ms)
    }

    /// Least time of the arithmetic and of the exchanges that one more sequence adds to a step of the unit, ms.
    pub(super) fn sequence_floors(&self, context_tokens: f64) -> (f64, f64) {
        let window = context_tokens.min(self.window_tokens);
        let score_ms = self.floor_score_full_ms * context_tokens + self.floor_score_sliding_ms * window;
        ((self.floor_sequence_ms + score_ms) / self.lanes, self.floor_volume_ms / self.lanes)
    }

    /// Least time of the arithmetic and of the exchanges that a prompt adds to running work of the unit, ms.
    pub(super) fn prompt_floors(&self, tokens: f64, cached: f64) -> (f64, f64) {
        let (arithmetic_ms, link_ms) = self.prefill_floors(tokens, cached);
        (arithmetic_ms / self.lanes, link_ms / self.lanes)
    }

    fn prefill_floors(&self, tokens: f64, cached: f64) -> (f64, f64) {
        let pairs = |s: f64| {
            self.floor_pair_full_ms * s * s + self.floor_pair_sliding_ms * s * s.min(self.window_tokens)
        };
        let fresh = (tokens - cached).max(0.0);
        let arithmetic_ms =
            self.floor_token_ms * fresh + self.floor_head_ms + pairs(tokens) - pairs(cached.min(tokens));
        (arithmetic_ms, self.floor_volume_ms * fresh)
    }

    /// Least time of a prefill with nothing else running, ms.
    #[must_use]
    pub fn prefill_floor(&self, tokens: f64, cached: f64) -> f64 {
        let touched = self.touched((tokens - cached).max(1.0));
        let (arithmetic_ms, link_ms) = self.prefill_floors(tokens, cached);
        arithmetic_ms.max(link_ms).max(self.floor_weights_ms + self.floor_experts_ms * touched)
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
        let work_ms =
            self.prefill_token_ms * fresh + self.prefill_fixed_ms + pairs(tokens) - pairs(cached.min(tokens));
        let (arithmetic_ms, link_ms) = self.prefill_floors(tokens, cached);
        work_ms.max(arithmetic_ms).max(link_ms)
    }

    /// Prefill of a prompt with nothing else running, ms.
    #[must_use]
    pub fn prefill_alone(&self, tokens: f64, cached: f64) -> f64 {
        let touched = self.touched((tokens - cached).max(1.0));
        let alone_ms =
            self.prefill_work(tokens, cached) + self.prefill_alone_ms + self.prefill_experts_ms * touched;
        let alone_ms = alone_ms * self.scale.of(TimeClass::Prefill) / self.scale.of(TimeClass::Step);
        alone_ms.max(self.floor_weights_ms + self.floor_experts_ms * touched)
    }

    /// The same without the factors of a user's own, which stand in `scale`.
    #[must_use]
    pub(super) fn plain(&self) -> Self {
        if self.scale == Scale::ONE {
            return *self;
        }
        Self { scale: Scale::ONE, ..self.scaled(Scale(self.scale.0.map(f64::recip))) }
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

    /// Factor of the two-sided 90 % interval of a measure of the interval table; a user's own narrows what they speak of.
    #[must_use]
    pub fn interval(&self, coefficients: &Coefficients, measure: &str) -> f64 {
        let own = |class: TimeClass| self.own_90[class as usize];
        let table = |basis: Basis| interval(coefficients, measure, self.mixture, basis);
        let found = match measure {
            "tpot" | "static" => own(TimeClass::Step),
            "ttft" => own(TimeClass::Prefill),
            "ttft-loaded" => own(TimeClass::TtftLoaded),
            // Full batches were not measured: no surer than where others measured them.
            "saturation" => own(TimeClass::Saturation)
                .or_else(|| own(TimeClass::Step).map(|step| step.max(table(Basis::Calibrated)))),
            _ => None,
        };
        found.unwrap_or_else(|| table(self.basis_else))
    }

    /// True for a mixture of experts; intervals differ.
    #[must_use]
    pub const fn is_mixture(&self) -> bool {
        self.mixture
    }
}
