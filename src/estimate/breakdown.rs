//! Where the time of a decode step and of a prefill goes.
//!
//! In: the terms of a pass and their coefficients, a batch, a context, a prompt. Out: [`Breakdown`]: parts in ms by the
//! arithmetic of `step.rs`. They sum to [`Step::decode`] and [`Step::prefill_alone`] but where a physical floor binds,
//! which is then said. It predicts nothing of its own.

use serde_json::{Map, Value, json};

use super::terms::Terms;
use super::{Coefficient as C, Demand, Load, Measures, Rates, Request, Resolved, Rig, Step, TimeClass};
use crate::catalog::Catalog;

/// What takes time in a pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// Kernels start, and layers do what is no GEMM.
    Overhead,
    /// Dense weights are read; in a prefill the experts too.
    Weights,
    /// The experts that tokens touch are read.
    Experts,
    /// The KV cache is read.
    Cache,
    /// Numbers are multiplied, those of attention included.
    Arithmetic,
    /// GPUs exchange activations: latency, volume and hops between stages.
    Communication,
    /// The engine's own work for each sequence.
    Sequences,
}

impl Part {
    /// How many there are.
    pub const COUNT: usize = 7;
    /// All of them, in the order they are shown.
    pub const ALL: [Self; Self::COUNT] = [
        Self::Overhead,
        Self::Weights,
        Self::Experts,
        Self::Cache,
        Self::Arithmetic,
        Self::Communication,
        Self::Sequences,
    ];

    /// The word of JSON.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Overhead => "overhead",
            Self::Weights => "weights",
            Self::Experts => "experts",
            Self::Cache => "kv_cache",
            Self::Arithmetic => "arithmetic",
            Self::Communication => "communication",
            Self::Sequences => "sequences",
        }
    }
}

/// One pass and its parts, ms.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pass {
    parts_ms: [f64; Part::COUNT],
    /// What the pass takes: the sum of its parts, or the physical floor if that is longer.
    pub total_ms: f64,
}

impl Pass {
    /// Parts with the time they take, in order.
    pub fn parts(&self) -> impl Iterator<Item = (Part, f64)> + '_ {
        Part::ALL.into_iter().zip(self.parts_ms)
    }

    /// All parts together.
    #[must_use]
    pub fn sum_ms(&self) -> f64 {
        self.parts_ms.iter().sum()
    }

    /// True where the parts would be faster than the data sheet allows, so that the floor holds instead.
    #[must_use]
    pub fn floor_binds(&self) -> bool {
        self.total_ms > self.sum_ms() * (1.0 + 1e-9)
    }

    /// The part that takes longest.
    #[must_use]
    pub fn bound_by(&self) -> Part {
        self.parts().max_by(|a, b| a.1.total_cmp(&b.1)).map_or(Part::Overhead, |(part, _)| part)
    }

    fn to_json(self) -> Value {
        let mut object = Map::new();
        for (part, ms) in self.parts() {
            object.insert(part.word().to_owned(), json!(significant(ms)));
        }
        object.insert("total".to_owned(), json!(significant(self.total_ms)));
        object.insert("bound_by".to_owned(), json!(self.bound_by().word()));
        object.insert("floor_binds".to_owned(), json!(self.floor_binds()));
        Value::Object(object)
    }
}

/// Parts of the passes of one configuration under its load.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Breakdown {
    /// Sequences running together: the mean of the load, the cap when saturated.
    pub batch: f64,
    /// Mean context of a running sequence, tokens.
    pub context_tokens: f64,
    /// Mean prompt, tokens, of which `cached_tokens` need no prefill.
    pub prompt_tokens: f64,
    /// Prompt tokens found in the prefix cache.
    pub cached_tokens: f64,
    /// One decode step.
    pub decode: Pass,
    /// One prefill with nothing else running.
    pub prefill: Pass,
    /// What prefills of other requests add to the time between tokens, ms.
    pub interference_ms: f64,
}

impl Breakdown {
    /// Parts of a step of `batch` sequences and of a prefill of the mean prompt.
    #[must_use]
    pub fn of(terms: &Terms, rates: &Rates, step: &Step, demand: &Demand, batch: f64, cached: f64) -> Self {
        let (context, prompt) = (demand.context_tokens, demand.input_tokens);
        Self {
            batch,
            context_tokens: context,
            prompt_tokens: prompt,
            cached_tokens: cached,
            decode: Pass {
                parts_ms: decode(terms, rates, batch, context).map(|ms| ms * step.scale.of(TimeClass::Step)),
                total_ms: step.decode(batch, context),
            },
            prefill: Pass {
                parts_ms: prefill(terms, rates, prompt, cached)
                    .map(|ms| ms * step.scale.of(TimeClass::Prefill)),
                total_ms: step.prefill_alone(prompt, cached),
            },
            interference_ms: demand.token_ms(step, batch) - step.decode(batch, context),
        }
    }

    /// The object of `breakdown` in JSON.
    #[must_use]
    pub fn to_json(&self) -> Value {
        json!({
            "batch": significant(self.batch),
            "context_tokens": significant(self.context_tokens),
            "prompt_tokens": significant(self.prompt_tokens),
            "decode_ms": self.decode.to_json(),
            "interference_ms": significant(self.interference_ms),
            "prefill_ms": self.prefill.to_json(),
        })
    }
}

/// Where the time of a request goes that was answered with these measures; `None` for one that was refused.
#[must_use]
pub fn breakdown(catalog: &Catalog, request: &Request, measures: &Measures) -> Option<Breakdown> {
    let asked = Resolved::of(catalog, request).ok()?;
    let rig = Rig::new(catalog, &asked.unit).ok()?;
    let step = Step::on(catalog, &asked.unit, &rig);
    let demand = Demand::new(&step, &asked.traffic());
    let rates = rig.rates(asked.unit.model.is_mixture());
    let cached = demand.input_tokens * asked.prefix_hit;
    let batch = measures.batch.max(1.0);
    let found = Breakdown::of(&rig.terms(&asked.unit), rates, &step, &demand, batch, cached);
    // Requests started together have no prompts in between.
    let interference_ms = if asked.load == Load::Static { 0.0 } else { found.interference_ms };
    Some(Breakdown { interference_ms, ..found })
}

/// Parts of a decode step, in the order of [`Part::ALL`].
fn decode(t: &Terms, c: &Rates, batch: f64, context_tokens: f64) -> [f64; Part::COUNT] {
    let lane = (batch / t.lanes).max(1.0);
    let held = t.full_layers * context_tokens + t.sliding_layers * context_tokens.min(t.window_tokens);
    [
        c[C::Launch] * t.launches_ms + c[C::Layer] * t.layers + c[C::MixtureLayer] * t.mixture_layers,
        c[C::Weights] * t.weights_ms,
        c[C::Experts] * t.experts_ms * touched(t, lane),
        c[C::Cache] * t.kv_layer_ms * held * lane,
        c[C::Arithmetic] * (t.token_ms + t.head_ms + t.score_layer_ms * held) * lane,
        c[C::AllReduce] * t.reduces + c[C::Volume] * t.volume_ms * lane + t.hops_ms,
        c[C::Sequence] / t.ranks * lane,
    ]
}

/// Parts of a lone prefill of `tokens`, of which `cached` are found.
fn prefill(t: &Terms, c: &Rates, tokens: f64, cached: f64) -> [f64; Part::COUNT] {
    let fresh = (tokens - cached).max(0.0);
    let pairs = |s: f64| t.full_layers * s * s + t.sliding_layers * s * s.min(t.window_tokens);
    let scores_ms = t.pair_layer_ms * (pairs(tokens) - pairs(cached.min(tokens)));
    [
        c[C::PrefillLayer] * t.layers,
        c[C::Weights] * t.weights_ms,
        c[C::Weights] * t.experts_ms * touched(t, fresh.max(1.0)),
        0.0,
        c[C::Prefill] * (t.token_ms * fresh + t.head_ms + scores_ms),
        c[C::AllReduce] * t.reduces + c[C::PrefillVolume] * t.volume_ms * fresh + t.hops_ms,
        0.0,
    ]
}

/// Share of the experts that `tokens` tokens touch.
fn touched(t: &Terms, tokens: f64) -> f64 {
    if t.mixture { 1.0 - t.expert_miss.powf(tokens) } else { 0.0 }
}

/// Six significant digits, as the rest of the contract.
fn significant(value: f64) -> f64 {
    super::single::rounded(value)
}
