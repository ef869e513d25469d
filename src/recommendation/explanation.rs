//! Why not something else, what would have to change, what the answer rests on and what to beware of.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Kind, MeasureRow, Status};
use crate::catalog::Provenance;
use crate::reason::{RuleId, Told};

/// Why not this one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RunnerUp {
    /// The option.
    pub label: String,
    /// Catalog id of its model.
    pub model: String,
    /// Kind.
    pub kind: Kind,
    /// Its bill if it served everything alone.
    pub usd_per_month: Option<f64>,
    /// The rule or price that decided.
    pub reason: Told,
    /// Further rules it would break.
    pub also: Vec<Told>,
    /// Price at which it would win, where a price decides.
    pub wins_at: Option<WinsAt>,
    /// Its own measures.
    pub measures: Vec<MeasureRow>,
}

/// A price that would turn the answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct WinsAt {
    /// What the price is of: `instance hour`, `spot instance hour`, `million input tokens, output alike`.
    pub per: String,
    /// Today.
    pub usd_now: f64,
    /// It would win below this.
    pub usd: f64,
}

/// An option that was asked about, and what became of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct WhyNot {
    /// The words of the question.
    pub asked: String,
    /// What they were taken to mean.
    pub label: String,
    /// Catalog id of the model or API; absent where the catalog knows none of that name.
    pub model: Option<String>,
    /// The rule or price that decided.
    pub reason: Told,
    /// Every further rule it breaks by itself.
    pub also: Vec<Told>,
    /// Its bill alone: within every rule where it complies, else without the rules it breaks.
    pub usd_per_month: Option<f64>,
    /// One line naming what would run then.
    pub summary: String,
    /// The bill of the best plan.
    pub best_usd_per_month: Option<f64>,
    /// Price at which it would win alone, where a price decides.
    pub wins_at: Option<WinsAt>,
    /// What it needs and has of memory, in the precision asked for or published, and in the smallest where that fails.
    pub memory: Vec<MemorySum>,
    /// Its latencies in that plan, against the limits asked for.
    pub measures: Vec<MeasureRow>,
}

/// What the answer becomes where one limit is moved by a step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StepValue {
    /// The rule.
    pub rule: RuleId,
    /// The workload whose limit it is; empty for the whole plan.
    pub workload: String,
    /// Where it stands.
    pub from: serde_json::Value,
    /// Where it is moved to.
    pub to: serde_json::Value,
    /// The bill then; absent where nothing complies.
    pub usd_per_month: Option<f64>,
    /// That bill less today's, USD/month.
    pub difference: Option<f64>,
    /// What came out.
    pub status: Status,
    /// Does something else run than now?
    pub changes: bool,
    /// One line naming what runs then.
    pub summary: String,
    /// JSON pointer into the file -> value; applying is assigning.
    pub patch: BTreeMap<String, serde_json::Value>,
}

/// The memory of one GPU of an engine, item by item, GiB.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MemorySum {
    /// Precision of the weights.
    pub precision: String,
    /// GPUs that share the model.
    pub gpus: u32,
    /// Accelerator id.
    pub gpu: String,
    /// Weights.
    pub weights_gib: f64,
    /// Peak of activations.
    pub activation_gib: f64,
    /// Memory outside the framework.
    pub engine_gib: f64,
    /// Keys and values of one longest request.
    pub longest_request_gib: Option<f64>,
    /// What the driver reports.
    pub usable_gib: f64,
    /// Share of it the engine may take.
    pub utilization: f64,
    /// Is the sum within what it may take?
    pub fits: bool,
}

/// One value, or one for each rule of a set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum OneOrMany<T> {
    /// A single change.
    One(T),
    /// A set of changes.
    Many(Vec<T>),
}

/// A smallest change that makes a plan exist.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Relaxation {
    /// Rule or rules that move.
    pub rule: OneOrMany<RuleId>,
    /// From (null = absent).
    pub from: OneOrMany<serde_json::Value>,
    /// To.
    pub to: OneOrMany<serde_json::Value>,
    /// JSON pointer into the file as given -> value; applying is assigning.
    pub patch: BTreeMap<String, serde_json::Value>,
    /// Bill of the plan it buys.
    pub usd_per_month: f64,
    /// One line naming that plan.
    pub buys: String,
    /// The sentence.
    pub sentence: String,
}

/// A catalog fact that a shown plan rests on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Fact {
    /// Which, such as `offer aws/g6.xlarge/us-east-1/on-demand price_usd_per_hour`.
    pub id: String,
    /// Its value.
    pub value: serde_json::Value,
    /// Where it comes from.
    #[serde(flatten)]
    pub provenance: Provenance,
}

/// Something to beware of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Warning {
    /// Stable code, such as `W01-constant-lengths`.
    pub code: String,
    /// The sentence.
    pub sentence: String,
}
