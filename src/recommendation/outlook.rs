//! Beyond the one best plan of today: the Pareto set, and how far the plan carries as the volume grows.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Plan;
use crate::reason::RuleId;

/// A plan that no other beats in cost, quality and latency together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ParetoPoint {
    /// Recurring bill of a mean month.
    pub usd_per_month: f64,
    /// Mean index over all requests that reach a model; absent where one is unknown.
    pub quality_index: Option<f64>,
    /// Mean over those requests of the p95 time to the last token at their target, ms; absent where one is unknown.
    pub e2e_ms_p95: Option<f64>,
    /// Relative gap of its program.
    pub gap: f64,
    /// The plan, verified.
    pub plan: Plan,
}

/// How far a plan carries as the volume grows, and what takes over then. Volumes are factors of today's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GrowthPath {
    /// By what factor the volume grows.
    pub factor: f64,
    /// In how many months.
    pub months: f64,
    /// The volume for which every rule of the plan holds.
    pub plan_for: f64,
    /// Bill at today's volume, fleet and routing of the plan kept; absent where it was made for today's.
    pub usd_per_month_today: Option<f64>,
    /// Where the plan first breaks, its fleet as bought, its requests routed anew; absent where it holds to the end.
    pub breaks_at: Option<GrowthBreak>,
    /// What takes over, in order.
    pub steps: Vec<GrowthStep>,
    /// False where further steps follow that were not looked for.
    pub complete: bool,
}

/// Where a plan first breaks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GrowthBreak {
    /// The volume.
    pub factor: f64,
    /// The month in which it is reached.
    pub month: f64,
    /// The rule it breaks there.
    pub rule: RuleId,
}

/// A plan that takes over from the one before it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GrowthStep {
    /// The volume from which on.
    pub factor: f64,
    /// The month in which it is reached.
    pub month: f64,
    /// Its bill at that volume; absent where nothing complies.
    pub usd_per_month: Option<f64>,
    /// One line naming what runs.
    pub summary: String,
}
