//! The oracle: how much memory a deployment takes and how fast it answers.
//!
//! In: a [`Unit`] (one engine process group serving one model) and a traffic class. Out: memory, step times,
//! latencies under load with percentiles, capacity; each with its interval and [`Basis`]. It knows no price, no
//! quality and no plan, and it never invents a figure where it has no formula: it says [`Misfit`] or `assumed`.
//!
//! Formulas work in bare `f64` whose names end in the unit (`_ms`, `_gib`, `_tokens`, `_per_s`): they add and
//! divide quantities of a dozen units, and a type for each product would hide the equation it stands for.

mod api;
pub mod batch;
pub mod breakdown;
mod calibration;
mod capacity;
mod change;
mod coefficient;
mod contract;
mod device;
mod interval;
mod load;
mod memory;
mod queue;
mod resolve;
mod rigs;
mod serverless;
mod single;
mod step;
mod terms;
mod view;

use serde::{Deserialize, Serialize};

use crate::catalog::{Engine, Gpu, Model, Precision};

pub use api::{ApiEstimate, answered_within, api_latency};
pub use batch::{Summary, batch, batch_with};
pub use breakdown::{Breakdown, Part, Pass, breakdown};
pub use calibration::{Scale, TimeClass};
pub use capacity::{Capacity, Shortfall, capacity, capacity_upper_bound, idle_e2e_p95};
pub use change::{Change, Tried, faster, fitting};
pub use coefficient::{Coefficient, Factor, Rates};
pub use contract::{Load, Refusal, Request};
pub use interval::{Z_90_TWO_SIDED, error_factor, interval, one_sided};
pub use load::{Demand, Steady, Traffic, closed, max_load, static_batch};
pub use memory::{Ledger, Memory, Misfit, memory};
pub use queue::{Distribution, Loaded, Saturated, loaded, loaded_among};
pub use resolve::Resolved;
pub use rigs::Rigs;
pub use serverless::{alone_ms, cold_start_s, waits_for_start};
pub use single::{Answer, Latency, Measures, Outcome, single, single_on};
pub use step::{Rig, Step};
pub use terms::Terms;
pub use view::held_ms;

/// One engine process group serving one model: what is estimated.
#[derive(Debug, Clone)]
pub struct Unit<'c> {
    /// The model.
    pub model: &'c Model,
    /// The accelerator.
    pub gpu: &'c Gpu,
    /// The engine generation.
    pub engine: &'c Engine,
    /// Accelerators of one replica: `tensor_parallel * pipeline_parallel * data_parallel`.
    pub gpus: u32,
    /// GPUs that share each layer.
    pub tensor_parallel: u32,
    /// Stages the layers are cut into.
    pub pipeline_parallel: u32,
    /// Ranks with sequences of their own (attention data parallel for mixtures).
    pub data_parallel: u32,
    /// GPUs the experts are spread over; 1 = as the other weights.
    pub expert_parallel: u32,
    /// Precision of the weights.
    pub weights: Precision,
    /// Bytes of a cached element: 2 or 1.
    pub kv_bytes: f64,
    /// Most sequences in the running batch.
    pub max_batch: u32,
    /// Share of each GPU's memory the engine may take.
    pub gpu_memory_utilization: f64,
}

/// How far an estimate can be trusted, best first.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Basis {
    /// The user's or a provider's own measurement.
    Measured,
    /// This model was seen with this engine, GPU and precision.
    Calibrated,
    /// The model or the GPU was not seen; the form carries over.
    Extrapolated,
    /// No formula carries: a judgement with a wide interval.
    Assumed,
}

impl Basis {
    /// The word files and tables use.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Measured => "measured",
            Self::Calibrated => "calibrated",
            Self::Extrapolated => "extrapolated",
            Self::Assumed => "assumed",
        }
    }
}

/// A figure with its two-sided 90 % interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// Median.
    pub value: f64,
    /// 5th percentile of the error.
    pub low: f64,
    /// 95th percentile of the error.
    pub high: f64,
    /// What it rests on.
    pub basis: Basis,
}

impl Estimate {
    /// `value` divided and multiplied by `factor`.
    #[must_use]
    pub fn around(value: f64, factor: f64, basis: Basis) -> Self {
        Self { value, low: value / factor, high: value * factor, basis }
    }

    /// The same, with no end below `floor`: nothing is faster than physics allows.
    #[must_use]
    pub fn at_least(self, floor: f64) -> Self {
        Self {
            value: self.value.max(floor),
            low: self.low.max(floor),
            high: self.high.max(floor),
            basis: self.basis,
        }
    }

    /// The same, with no end above `ceiling`.
    #[must_use]
    pub fn at_most(self, ceiling: f64) -> Self {
        Self {
            value: self.value.min(ceiling),
            low: self.low.min(ceiling),
            high: self.high.min(ceiling),
            basis: self.basis,
        }
    }
}
