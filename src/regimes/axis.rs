//! What is moved along an axis, and its values.
//!
//! `read.rs` reads them from words, `change.rs` makes the request of a value.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::answer::Scale;
use crate::requirements::{LatencyMeasure, Statistic};

/// Values of an axis where nothing else is said.
pub const STEPS: usize = 12;

/// What is moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dimension {
    /// Requests a day over all workloads; each keeps its part and its hours.
    Volume,
    /// A factor on every latency limit.
    Latency,
    /// One limit on latency, ms, in every workload.
    LatencyLimit(LatencyMeasure, Statistic),
    /// The floor on quality of every workload.
    Quality,
    /// The most to pay in a month, USD.
    Budget,
    /// Share of time with capacity for the demand.
    Availability,
    /// A factor on what rented and bought GPUs cost.
    LocalPrice,
    /// A factor on what hosted models cost.
    ApiPrice,
    /// A factor on the tokens of prompts.
    InputTokens,
    /// A factor on the tokens of answers.
    OutputTokens,
    /// Hours the work of every workload may wait.
    DeferrableHours,
}

impl Dimension {
    /// Every axis that has a word of its own.
    pub const ALL: [(&'static str, Self); 10] = [
        ("volume", Self::Volume),
        ("latency", Self::Latency),
        ("quality", Self::Quality),
        ("budget", Self::Budget),
        ("availability", Self::Availability),
        ("local-price", Self::LocalPrice),
        ("api-price", Self::ApiPrice),
        ("input-tokens", Self::InputTokens),
        ("output-tokens", Self::OutputTokens),
        ("deferrable-hours", Self::DeferrableHours),
    ];

    /// Its word on the command line; `e2e_ms.p95` for a limit.
    #[must_use]
    pub fn word(self) -> String {
        if let Self::LatencyLimit(measure, statistic) = self {
            return format!("{}.{}", measure.word(), statistic.word());
        }
        Self::ALL
            .iter()
            .find(|(_, known)| *known == self)
            .map_or_else(String::new, |(word, _)| (*word).to_owned())
    }

    /// Unit of its values.
    #[must_use]
    pub const fn unit(self) -> &'static str {
        match self {
            Self::Volume => "requests/day",
            Self::Latency | Self::LocalPrice | Self::ApiPrice | Self::InputTokens | Self::OutputTokens => "x",
            Self::LatencyLimit(..) => "ms",
            Self::Quality => "tier or index",
            Self::Budget => "USD/month",
            Self::Availability => "share",
            Self::DeferrableHours => "h",
        }
    }
}

/// A value on an axis.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Value {
    /// A number in the unit of the axis.
    Number(f64),
    /// A tier of quality.
    Tier(String),
}

impl Value {
    /// The number, where it is one.
    #[must_use]
    pub const fn number(&self) -> Option<f64> {
        match self {
            Self::Number(value) => Some(*value),
            Self::Tier(_) => None,
        }
    }
}

/// An axis.
#[derive(Debug, Clone, PartialEq)]
pub struct Axis {
    /// What is moved.
    pub dimension: Dimension,
    /// Where to, at least one value, each once.
    pub values: Vec<Value>,
}

impl Axis {
    pub(super) fn scale(&self) -> Scale {
        Scale {
            axis: self.dimension.word(),
            unit: self.dimension.unit().to_owned(),
            values: self.values.clone(),
        }
    }
}
