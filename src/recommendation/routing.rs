//! Who gets what: shares by target and hour, ways through routers and cascades, work that waits.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A workload's share to a target.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Route {
    /// Workload.
    pub workload: String,
    /// Deployment id.
    pub target: String,
    /// Share of the workload's requests over the month that reach a model (cache hits apart), 0 to 1.
    pub share: f64,
    /// Share of what is released in each hour of the UTC day, where it varies: 24 values, or 48 (weekdays, then weekends)
    /// where the request tells them apart.
    pub by_hour: Option<Vec<f64>>,
    /// Deployment that takes over when the target is down.
    pub fallback: Option<String>,
    /// True for the part held to the premium floor.
    pub premium: bool,
    /// The router or cascade on whose way the target stands; `share` is then of the requests that reach the target.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub via: Option<Via>,
}

/// A place on the way through a router or a cascade.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Via {
    /// Its name in the request.
    pub name: String,
    /// Which of the two.
    pub kind: ViaKind,
    /// Number of the way in the plan: routes of one way belong together.
    pub way: u32,
    /// Setting of a router, from 0 in the order of its points.
    pub point: u32,
    /// 0 = weak target or first stage, and so on.
    pub stage: u32,
    /// Part of the requests that reach the target which it answers; the others are passed on.
    pub answered: f64,
}

/// A router or a cascade.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ViaKind {
    /// Each request goes to one of two targets.
    Router,
    /// A request goes on until an answer is accepted.
    Cascade,
}

/// Part of a workload that waits. What no such row moves is released as it arrives.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Deferral {
    /// Workload.
    pub workload: String,
    /// True for the part held to the premium floor.
    pub premium: bool,
    /// Hour of the UTC day in which it arrives, 0 to 23; 24 more at weekends, where the request tells them apart.
    pub from_hour: u32,
    /// Hour in which it is released, counted likewise.
    pub to_hour: u32,
    /// Share of what arrives in `from_hour` of that part, 0 to 1.
    pub share: f64,
}
