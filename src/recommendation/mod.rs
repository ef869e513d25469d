//! The answer as data: what `recommend` returns and what `--format json` prints (schema: `bursar schema result`).
//!
//! Everything here is a value that the pipeline filled in; nothing here
//! computes or prints.

mod deployment;
mod explanation;
mod outlook;
mod routing;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::estimate::Basis;
use crate::reason::{RuleId, Told};
use crate::requirements::Requirements;

pub use deployment::{ApiTerms, Deployment, EngineSettings, Paid, Scored};
pub use explanation::{Fact, MemorySum, OneOrMany, Relaxation, RunnerUp, StepValue, Warning, WhyNot, WinsAt};
pub use outlook::{GrowthBreak, GrowthPath, GrowthStep, ParetoPoint};
pub use routing::{Deferral, Route, Via, ViaKind};

/// Version of the result format.
pub const SCHEMA_VERSION: u32 = 1;

/// Relative gap up to which a plan is called optimal.
pub const OPTIMAL_GAP: f64 = 1e-4;

/// What came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// Proven best within a relative gap of 1e-4.
    Optimal,
    /// Verified, but the gap is larger.
    Feasible,
    /// Proven that nothing complies.
    Infeasible,
    /// Stopped with neither.
    Unknown,
}

/// Which world a plan lives in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Own engines only.
    Local,
    /// Hosted APIs only.
    Cloud,
    /// Both.
    Hybrid,
}

/// The whole answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Recommendation {
    /// Version of this format.
    pub schema_version: u32,
    /// Version of the program.
    pub tool_version: String,
    /// What came out.
    pub status: Status,
    /// Date of the facts.
    pub as_of: String,
    /// Which catalog.
    pub catalog: CatalogStamp,
    /// What was asked, defaults filled in.
    pub requirements: Requirements,
    /// Plans, best first, each of another structure.
    pub plans: Vec<Plan>,
    /// The best plan of each kind, or why there is none.
    pub kinds: Vec<BestOfKind>,
    /// Plans between which cost, quality and latency are traded, cheapest first; empty unless asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pareto: Vec<ParetoPoint>,
    /// What was proven and how.
    pub proof: Proof,
    /// Why not something else.
    pub runners_up: Vec<RunnerUp>,
    /// What one step of each limit is worth, in the order of the file; empty unless asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<StepValue>,
    /// Options that were asked about by name, in the order asked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub why_not: Vec<WhyNot>,
    /// Rules that cannot all hold, minimal; empty unless infeasible.
    pub conflict: Vec<RuleId>,
    /// Why there is nothing: facts behind the conflict.
    pub conflict_reasons: Vec<Told>,
    /// Smallest changes that make a plan exist; empty unless infeasible.
    pub relaxations: Vec<Relaxation>,
    /// How far the first plan carries as the volume grows; absent unless growth is asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub growth: Option<GrowthPath>,
    /// Catalog facts the shown plans rest on.
    pub facts: Vec<Fact>,
    /// What to beware of.
    pub warnings: Vec<Warning>,
}

/// Which catalog answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CatalogStamp {
    /// Day it was built.
    pub built: String,
    /// Hash of its rows.
    pub sha256: String,
}

/// One way to serve everything.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Plan {
    /// 1 is best.
    pub rank: u32,
    /// Which world it lives in.
    pub kind: Kind,
    /// Recurring bill of a mean month.
    pub usd_per_month: f64,
    /// Paid once: purchases and prepaid commitments.
    pub usd_upfront: f64,
    /// What is paid once, spread over its months, USD/month: part of the cost that is minimised, of no bill and no
    /// monthly budget.
    pub usd_amortised: f64,
    /// Monthly bill over all requests of a month.
    pub usd_per_request: f64,
    /// Lines that sum exactly to `usd_per_month`.
    pub bill: Vec<BillLine>,
    /// What runs.
    pub deployments: Vec<Deployment>,
    /// Who gets what.
    pub routing: Vec<Route>,
    /// Work that waits: what arrives in one hour and is released in another.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub deferral: Vec<Deferral>,
    /// Each workload and limit.
    pub measures: Vec<MeasureRow>,
    /// Rules with little or nothing left.
    pub binding: Vec<Told>,
    /// Why this plan.
    pub reasons: Vec<Told>,
}

/// One line of the bill.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BillLine {
    /// What is paid for.
    pub item: String,
    /// USD, rounded half-even to 1e-6.
    pub usd_per_month: f64,
}

/// One promise and how it stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MeasureRow {
    /// Workload; empty for the whole plan.
    pub workload: String,
    /// Deployment it was measured at; empty for the whole plan.
    pub target: String,
    /// Name with unit and statistic, such as `e2e_ms_p95`.
    pub measure: String,
    /// Median-error value in the worst hour; `null` in JSON where it grows without bound (saturated).
    #[serde(deserialize_with = "crate::reason::unbounded")]
    #[schemars(with = "Option<f64>")]
    pub value: f64,
    /// Low end of the two-sided 90 % interval.
    #[serde(deserialize_with = "crate::reason::unbounded")]
    #[schemars(with = "Option<f64>")]
    pub low: f64,
    /// High end.
    #[serde(deserialize_with = "crate::reason::unbounded")]
    #[schemars(with = "Option<f64>")]
    pub high: f64,
    /// The value the rule was held to: the one-sided `confidence` quantile for latency, else `value`.
    #[serde(deserialize_with = "crate::reason::unbounded")]
    #[schemars(with = "Option<f64>")]
    pub held_to: f64,
    /// Limit, where the request has one.
    pub limit: Option<f64>,
    /// What is left of the limit.
    pub slack: Option<f64>,
    /// What the figure rests on.
    pub basis: Basis,
}

/// Best plan of one kind, or the reason there is none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BestOfKind {
    /// Which kind.
    pub kind: Kind,
    /// Its bill.
    pub usd_per_month: Option<f64>,
    /// One line naming what runs.
    pub summary: String,
    /// Why there is none.
    pub refused: Option<Told>,
}

/// What was proven.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Proof {
    /// Objective word.
    pub objective: String,
    /// Value of the plan, recomputed; absent without a plan.
    pub value: Option<f64>,
    /// Proven bound.
    pub bound: Option<f64>,
    /// Relative gap between the two.
    pub gap: Option<f64>,
    /// Candidates looked at, before any rule.
    pub candidates: u64,
    /// Refused, by rule.
    pub refused: BTreeMap<RuleId, u64>,
    /// Dropped because another is never worse.
    pub dominated: u64,
    /// Dropped because one instance alone costs more than a plan already found.
    pub beyond_incumbent: u64,
    /// Estimated with queueing.
    pub estimated: u64,
    /// Columns of the program.
    pub solved: u64,
    /// Solver.
    pub backend: String,
    /// True when the independent checker accepted every shown plan.
    pub verified: bool,
}
