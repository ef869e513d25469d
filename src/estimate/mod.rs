//! The oracle: candidate + workload -> measures with their basis.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a figure rests on, most trusted first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Basis {
    /// The user's own measurement, or exact arithmetic on stated prices and counts.
    Measured,
    /// Fitted on this engine, GPU and precision.
    Calibrated,
    /// Carried over by a stated rule.
    Extrapolated,
    /// A judgement.
    Assumed,
}
