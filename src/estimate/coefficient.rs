//! The coefficients of the step formula: their names, and the effects that a configuration gives them.
//!
//! In: engine, GPU, weight precision, class of model. Out: [`Rates`]: c_j = exp(beta_j + sum of effects), a level never
//! seen has no effect (oracle study section 2). The same names stand in `catalog/coefficients.csv`.

use std::ops::{Index, IndexMut};

use super::Unit;
use crate::catalog::Coefficients;

/// One coefficient of the formula; names as in the oracle study, section 2.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Coefficient {
    /// c_k: launches and latency of GEMMs.
    Launch,
    /// c_w: dense weights read.
    Weights,
    /// c_x: experts read.
    Experts,
    /// c_kv: cache read.
    Cache,
    /// c_f: arithmetic of a decode step.
    Arithmetic,
    /// c_L: what is not a GEMM, ms a layer.
    Layer,
    /// c_mo: sorting and routing of experts, ms a layer.
    MixtureLayer,
    /// c_ar: one all-reduce, ms.
    AllReduce,
    /// c_cb: volume of the all-reduces.
    Volume,
    /// c_B: one more sequence, ms.
    Sequence,
    /// c_p: arithmetic of a prefill.
    Prefill,
    /// c_pL: a layer of a lone prefill, ms.
    PrefillLayer,
    /// c_pcb: volume of the all-reduces of a prefill.
    PrefillVolume,
    /// c_i: prefills that interfere with running work.
    Interference,
    /// c_max: a slot under saturation.
    Max,
    /// a_0: what a server adds before the first token, ms: HTTP, tokenizer, scheduler.
    Server,
    /// a_tau: a step in the TTFT of a closed loop.
    TtftStep,
    /// a_s: the queue of prefills in the TTFT of a closed loop.
    TtftQueue,
}

impl Coefficient {
    /// How many there are.
    pub const COUNT: usize = 18;
    /// All of them, in order.
    pub const ALL: [Self; Self::COUNT] = [
        Self::Launch,
        Self::Weights,
        Self::Experts,
        Self::Cache,
        Self::Arithmetic,
        Self::Layer,
        Self::MixtureLayer,
        Self::AllReduce,
        Self::Volume,
        Self::Sequence,
        Self::Prefill,
        Self::PrefillLayer,
        Self::PrefillVolume,
        Self::Interference,
        Self::Max,
        Self::Server,
        Self::TtftStep,
        Self::TtftQueue,
    ];

    /// The word of files.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Launch => "c_k",
            Self::Weights => "c_w",
            Self::Experts => "c_x",
            Self::Cache => "c_kv",
            Self::Arithmetic => "c_f",
            Self::Layer => "c_L",
            Self::MixtureLayer => "c_mo",
            Self::AllReduce => "c_ar",
            Self::Volume => "c_cb",
            Self::Sequence => "c_B",
            Self::Prefill => "c_p",
            Self::PrefillLayer => "c_pL",
            Self::PrefillVolume => "c_pcb",
            Self::Interference => "c_i",
            Self::Max => "c_max",
            Self::Server => "a_0",
            Self::TtftStep => "a_tau",
            Self::TtftQueue => "a_s",
        }
    }

    /// The coefficient of a word.
    #[must_use]
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|coefficient| coefficient.word() == word)
    }
}

/// What gives a coefficient an effect of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Factor {
    /// No effect: the base value.
    Base,
    /// Family of engines.
    EngineFamily,
    /// Engine generation.
    Engine,
    /// GPU.
    Gpu,
    /// Family of GPUs.
    GpuFamily,
    /// Bits of a weight: 16, 8, 4.
    WeightBits,
    /// Class of the link between GPUs.
    Link,
    /// `dense` or `moe`.
    Class,
}

impl Factor {
    /// All of them, in order.
    pub const ALL: [Self; 8] = [
        Self::Base,
        Self::EngineFamily,
        Self::Engine,
        Self::Gpu,
        Self::GpuFamily,
        Self::WeightBits,
        Self::Link,
        Self::Class,
    ];

    /// The word of files.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Base => "base",
            Self::EngineFamily => "engine_family",
            Self::Engine => "engine",
            Self::Gpu => "gpu",
            Self::GpuFamily => "gpu_family",
            Self::WeightBits => "weight_bits",
            Self::Link => "link",
            Self::Class => "class",
        }
    }

    /// The factor of a word.
    #[must_use]
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|factor| factor.word() == word)
    }

    /// The level of this factor that a unit has; `bits` is the bits class of its weights.
    #[must_use]
    pub fn level<'u>(self, unit: &'u Unit<'_>, bits: u32) -> &'u str {
        match self {
            Self::Base => "",
            Self::EngineFamily => &unit.engine.family,
            Self::Engine => &unit.engine.id,
            Self::Gpu => &unit.gpu.id,
            Self::GpuFamily => &unit.gpu.family,
            Self::WeightBits => match bits {
                16 => "16",
                8 => "8",
                _ => "4",
            },
            Self::Link => &unit.gpu.link_class,
            Self::Class => class(unit.model.is_mixture()),
        }
    }
}

/// The level of [`Factor::Class`].
pub(super) const fn class(mixture: bool) -> &'static str {
    if mixture { "moe" } else { "dense" }
}

/// Every coefficient of one configuration.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rates([f64; Coefficient::COUNT]);

impl Rates {
    /// All coefficients 1.
    pub const ONE: Self = Self([1.0; Coefficient::COUNT]);

    /// One pass over the table: every row whose level is that of the unit multiplies its coefficient.
    pub(super) fn of(coefficients: &Coefficients, unit: &Unit<'_>, bits: u32) -> [Self; 2] {
        let mut rates = [Self::ONE; 2];
        for ((coefficient, factor, level), value) in &coefficients.values {
            let (Some(coefficient), Some(factor)) = (Coefficient::named(coefficient), Factor::named(factor))
            else {
                continue;
            };
            for (rates, mixture) in rates.iter_mut().zip([false, true]) {
                let own = match factor {
                    // A rig serves both classes: its model is not known yet.
                    Factor::Class => class(mixture),
                    _ => factor.level(unit, bits),
                };
                if own == level {
                    rates[coefficient] *= value;
                }
            }
        }
        rates
    }
}

impl Index<Coefficient> for Rates {
    type Output = f64;

    fn index(&self, coefficient: Coefficient) -> &f64 {
        &self.0[coefficient as usize]
    }
}

impl IndexMut<Coefficient> for Rates {
    fn index_mut(&mut self, coefficient: Coefficient) -> &mut f64 {
        &mut self.0[coefficient as usize]
    }
}
