//! Why, as facts: a closed set of reasons without prose. `render/phrase.rs` gives each its words.

mod refusal;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use refusal::{Got, Refusal};

/// Id of a rule: the stem of its file in `constraints/`.
pub type RuleId = String;

/// A figure with its unit, as it is shown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Quantity {
    /// The number; without bound (a saturated latency) it is `null` in JSON.
    #[serde(deserialize_with = "unbounded")]
    #[schemars(with = "Option<f64>")]
    pub value: f64,
    /// Unit, such as `USD/month`, `ms`, `GiB`, `tokens`, `index`, `share`, `GPUs`; empty for a bare count.
    pub unit: String,
}

/// Reads a number, or `null` as infinity: JSON has no word for it.
///
/// # Errors
/// Those of the format.
pub fn unbounded<'de, D: serde::Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
    Option::<f64>::deserialize(from).map(|number| number.unwrap_or(f64::INFINITY))
}

impl Quantity {
    /// A figure in a unit.
    #[must_use]
    pub fn new(value: f64, unit: &str) -> Self {
        Self { value, unit: unit.to_owned() }
    }
}

/// How a rule compares its left side with its right side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub enum Op {
    /// At most.
    #[serde(rename = "<=")]
    AtMost,
    /// At least.
    #[serde(rename = ">=")]
    AtLeast,
    /// Exactly, or "is one of".
    #[serde(rename = "==")]
    Is,
}

impl Op {
    /// Does `left op right` hold? `<=` and `>=` allow a relative 1e-9 of rounding dust.
    #[must_use]
    pub fn holds(self, left: f64, right: f64) -> bool {
        let dust = 1e-9 * left.abs().max(right.abs());
        match self {
            // left <= right
            Self::AtMost => left <= right + dust,
            // left >= right
            Self::AtLeast => left + dust >= right,
            // left == right
            Self::Is => (left - right).abs() <= dust,
        }
    }
}

/// Why something is so. Every variant has its words in `render/phrase.rs` and a story that shows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Reason {
    /// A candidate breaks a rule by a figure.
    Breaks {
        /// The candidate, as people name it.
        who: String,
        /// The workload it broke it for; empty when for all.
        workload: String,
        /// The rule.
        rule: RuleId,
        /// What it has or needs.
        got: Quantity,
        /// Comparison.
        op: Op,
        /// What is allowed.
        allowed: Quantity,
    },
    /// A candidate breaks a rule that has no figure: an unknown or forbidden word.
    Forbidden {
        /// The candidate.
        who: String,
        /// The workload; empty when for all.
        workload: String,
        /// The rule.
        rule: RuleId,
        /// What it is, such as `unknown` or `us-east-1`.
        got: String,
        /// What is asked, such as `eu-only`.
        asked: String,
    },
    /// Compliant by itself, but dearer (or worse on the objective).
    Dearer {
        /// The candidate.
        who: String,
        /// Its own bill if it served everything it may, USD/month.
        usd_per_month: f64,
        /// The winner's bill, USD/month.
        best_usd_per_month: f64,
    },
    /// Compliant by itself, but worse on an objective that is not the bill.
    WorseOn {
        /// The candidate.
        who: String,
        /// Its own value of the objective: ms, index or kg CO2e a month.
        got: Quantity,
        /// The winner's.
        best: Quantity,
        /// Its own bill, USD/month.
        usd_per_month: f64,
    },
    /// Nothing of that name exists.
    Unknown {
        /// The name, as it was written.
        who: String,
        /// What is unknown: `model`, `gpu`, `precision`, `option`.
        what: String,
        /// The nearest known name.
        nearest: Option<String>,
    },
    /// Never better than another candidate.
    DominatedBy {
        /// The candidate.
        who: String,
        /// The better one.
        by: String,
    },
    /// A rule of the plan that would cost or save money if it moved.
    Binding {
        /// The rule.
        rule: RuleId,
        /// The workload; empty for the whole plan.
        workload: String,
        /// What is left of it.
        left_over: Quantity,
        /// The limit.
        limit: Quantity,
    },
    /// Which target takes what, and why it is there.
    Serves {
        /// The target.
        who: String,
        /// The workload.
        workload: String,
        /// Share of its requests over the month, 0 to 1.
        share: f64,
    },
    /// How much of a deployment is rounding to whole instances and redundancy.
    Surplus {
        /// The deployment.
        who: String,
        /// Peak load over capacity, 0 to 1.
        utilisation_peak: f64,
        /// GPUs paid for but not used by any replica.
        idle_gpus: u32,
        /// Replicas kept for availability.
        spare_replicas: u32,
    },
    /// A target whose index is within one standard deviation of the cut.
    Borderline {
        /// The target.
        who: String,
        /// Its index.
        index: f64,
        /// The cut.
        cut: f64,
        /// Chance that it truly passes.
        probability: f64,
    },
    /// No candidate at all is left for a workload.
    NobodyServes {
        /// The workload.
        workload: String,
        /// The rules that refused, with how many each, most first.
        refused: Vec<(RuleId, u64)>,
    },
}

/// A reason with its finished sentence (filled in by `render/phrase.rs`, empty below it).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Told {
    /// The fact.
    #[serde(flatten)]
    pub fact: Reason,
    /// The sentence.
    pub sentence: String,
}

impl From<Reason> for Told {
    fn from(fact: Reason) -> Self {
        Self { fact, sentence: String::new() }
    }
}
