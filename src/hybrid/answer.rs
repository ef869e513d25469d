//! The answer as data: what `--format json` prints (schema: `bursar schema hybrid`).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::reason::{RuleId, Told};
use crate::recommendation::{CatalogStamp, Kind, Plan, Status, Warning};
use crate::requirements::Requirements;

/// Version of this format.
pub const SCHEMA_VERSION: u32 = 1;

/// The answer to the hybrid question.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Hybrid {
    /// Version of this format.
    pub schema_version: u32,
    /// Version of the program.
    pub tool_version: String,
    /// Date of the facts.
    pub as_of: String,
    /// Which catalog.
    pub catalog: CatalogStamp,
    /// What was asked, defaults filled in.
    pub requirements: Requirements,
    /// Cheapest plans by share of own engines, rising; the best of all is among them, marked.
    pub shares: Vec<SharePoint>,
    /// Cheapest plans by number of replicas, rising.
    pub replicas: Vec<ReplicaPoint>,
    /// From which use on a replica pays.
    pub critical: Vec<CriticalUse>,
    /// Cost by volume, rising; the limits on money are left out.
    pub volumes: Vec<VolumePoint>,
    /// Volumes at which something else becomes cheapest, rising.
    pub break_evens: Vec<BreakEven>,
    /// What the answer takes for granted, and what is missing of it.
    pub notices: Vec<Notice>,
    /// What to beware of in the file.
    pub warnings: Vec<Warning>,
}

impl Hybrid {
    /// The best plan of all, or what stands in its way.
    #[must_use]
    pub fn optimum(&self) -> Option<&SharePoint> {
        self.shares.iter().find(|point| point.optimum)
    }
}

/// The cheapest plan at a share of own engines.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SharePoint {
    /// Share of the requests of the month that reach a model which own engines serve, 0 to 1.
    pub local_share: f64,
    /// True for the best plan of all.
    pub optimum: bool,
    /// How it was solved; `infeasible` where nothing complies.
    pub status: Status,
    /// Recurring bill of a mean month; also given where only a budget is exceeded.
    pub usd_per_month: Option<f64>,
    /// Paid once.
    pub usd_upfront: Option<f64>,
    /// What is paid once, spread over its months, USD/month.
    pub usd_amortised: Option<f64>,
    /// Latency of each workload.
    pub latency: Vec<WorkloadLatency>,
    /// Mean index over the requests that reach a model; absent where one is unknown.
    pub quality_index: Option<f64>,
    /// Replicas of own engines in the busiest hour.
    pub replicas: Option<u32>,
    /// Hours a month in which any request goes to a hosted model.
    pub overflow_hours_per_month: Option<f64>,
    /// What runs, in one line.
    pub summary: String,
    /// Relative gap that is left of the proof.
    pub gap: Option<f64>,
    /// The rule that stands in the way.
    pub refused: Option<Told>,
    /// The plan, verified.
    pub plan: Option<Plan>,
}

/// 95th percentile of the time to the last token.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct WorkloadLatency {
    /// Workload.
    pub workload: String,
    /// At its slowest target in its worst hour, ms; absent where one is unknown.
    pub e2e_ms_p95_worst: Option<f64>,
    /// Mean over its requests, each at its own target, ms; absent where one is unknown.
    pub e2e_ms_p95_mean: Option<f64>,
}

/// The cheapest plan with a number of replicas.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ReplicaPoint {
    /// Replicas of own engines in the hour in which most requests arrive; no more in any other.
    pub replicas: u32,
    /// True for as many as the best plan has.
    pub optimum: bool,
    /// How it was solved; `infeasible` where nothing complies.
    pub status: Status,
    /// Recurring bill of a mean month; also given where only a budget is exceeded.
    pub usd_per_month: Option<f64>,
    /// Share of the requests that own engines serve, 0 to 1.
    pub local_share: Option<f64>,
    /// Mean use of the replicas beyond the row above, 0 to 1, in the hours in which they run.
    pub mean_use: Option<f64>,
    /// What runs, in one line.
    pub summary: String,
    /// Relative gap that is left of the proof.
    pub gap: Option<f64>,
    /// The rule that stands in the way.
    pub refused: Option<Told>,
}

/// The mean use from which on a replica costs less than the requests it takes from a hosted model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CriticalUse {
    /// The engine.
    pub engine: String,
    /// Workload, or its premium part.
    pub workload: String,
    /// Price of a replica, USD/hour, what is paid once spread over its months.
    pub usd_per_hour: f64,
    /// Requests/s of one replica, load factor applied.
    pub capacity_rps: f64,
    /// The cheapest hosted model that complies; where none does, the one that is nearest to it.
    pub hosted: String,
    /// The rule that hosted model breaks.
    pub hosted_refused_by: Option<RuleId>,
    /// Its price of a request.
    pub usd_per_request: f64,
    /// Requests a month that cost there as much as one replica around the clock: break-even by prices alone.
    pub break_even_requests_per_month: f64,
    /// usd_per_hour / (3600 x capacity_rps x usd_per_request); above 1 no replica pays.
    pub utilisation: f64,
}

/// Cost at a volume, limits on money left out. Costs are of a mean month, what is paid once spread over its months.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct VolumePoint {
    /// Volume as a factor of the file's own.
    pub factor: f64,
    /// Requests of a month, response-cache hits included.
    pub requests_per_month: f64,
    /// Cheapest plan on hosted models alone; absent where none complies.
    pub cloud_usd_per_month: Option<f64>,
    /// Cheapest plan on own engines alone; absent where none complies.
    pub local_usd_per_month: Option<f64>,
    /// Cheapest plan of all; absent where none complies.
    pub best_usd_per_month: Option<f64>,
    /// What that plan is.
    pub best: Option<Stage>,
    /// True where it is within the limits on money of the file, too.
    pub within_budget: bool,
}

/// What runs over a range of volumes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Stage {
    /// Which kind of plan.
    pub kind: Kind,
    /// Replicas in the busiest hour.
    pub replicas: u32,
    /// What runs, in one line.
    pub summary: String,
}

/// A volume at which something else becomes cheapest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BreakEven {
    /// What is compared.
    pub between: Between,
    /// The volume as a factor of the file's own; on the side on which `to` is cheapest.
    pub factor: f64,
    /// Requests of a month there, response-cache hits included.
    pub requests_per_month: f64,
    /// Cost there, USD/month.
    pub usd_per_month: f64,
    /// Cheapest below.
    pub from: Stage,
    /// Cheapest above.
    pub to: Stage,
}

/// What is compared at a break-even.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Between {
    /// Own engines alone and hosted models alone.
    LocalAndCloud,
    /// The best plans of all kinds: another kind, another engine or another number of replicas.
    BestPlans,
}

/// What the answer takes for granted, or what is missing of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Notice {
    /// The file asks for another objective; this question is about cost.
    ObjectiveIsCost {
        /// What the file asks for.
        asked: String,
    },
    /// The table by replicas has these engines alone beside all hosted models.
    ReplicasOf {
        /// The engines.
        engines: Vec<String>,
    },
    /// So many break-evens between best plans were looked for between two volumes; there may be more.
    MoreBreakEvens {
        /// Requests a month below, rounded.
        from_requests_per_month: u64,
        /// Requests a month above, rounded.
        to_requests_per_month: u64,
    },
    /// The time was up before everything was asked.
    StoppedEarly,
    /// The solver gave up on a point.
    GaveUp {
        /// Its words.
        words: String,
    },
}
