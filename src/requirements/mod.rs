//! What was asked: workloads, budget, limits. Plain data with every default filled in.
//!
//! In: a YAML, TOML or JSON file (see `read.rs`). Out: [`Requirements`], or every fault of the file at once.
//! It knows nothing of prices or plans.

mod blend;
pub mod codes;
mod context;
mod fields;
mod filter;
pub mod glob;
mod hours;
mod json;
mod lengths;
mod limits;
mod measured;
mod node;
mod own_hardware;
mod parse;
mod patch;
mod quality;
mod range;
mod read;
mod requests;
mod slot;
mod suggest;
mod toml;
mod trace;
mod unsupported;
mod warning;
mod workload;
mod yaml;

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use blend::{BlendQuality, Cascade, Router, RouterPoint, Stage};
pub use context::ReadContext;
pub use parse::{Format, SIZE_MAX};
pub use patch::apply_patch;
pub use quality::TIERS;
pub use read::{Read, load, read, read_bytes, read_value};
pub use slot::{DAY_HOURS, Slot};
pub use warning::Warning;
pub use workload::{DATA, NEEDS};

use crate::catalog::{Billing, Catalog};

/// A whole requirements file, normalised.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Requirements {
    /// Version of the file format: 1.
    pub version: u32,
    /// Name of the request; the file's stem by default.
    pub name: String,
    /// Facts in force on this date.
    #[schemars(with = "String")]
    pub as_of: Date,
    /// Traffic classes, in the order of the file.
    pub workloads: Vec<Workload>,
    /// Money limits.
    pub budget: Budget,
    /// Share of time with capacity for the slot's demand; `None` = no redundancy asked.
    pub availability: Option<f64>,
    /// Growth of the volume; `None` = none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub growth: Option<Growth>,
    /// Limits on hardware.
    pub limits: Limits,
    /// Hardware already there.
    pub owned: Vec<Owned>,
    /// What hardware of one's own costs to hold, where the catalog's facts do not fit.
    #[serde(default)]
    pub own_hardware: OwnHardware,
    /// People cost of any local part, USD/month.
    pub ops_usd_per_month: f64,
    /// Only these.
    pub allow: Filter,
    /// Never these.
    pub deny: Filter,
    /// Where engines may run.
    pub routing: Routing,
    /// What is minimised (or, for quality, maximised).
    pub objective: Objective,
    /// One-sided quantile of the estimate error at which latency and capacity are taken.
    pub confidence: f64,
    /// Load factor is 1 - headroom.
    pub headroom: f64,
    /// Hours in a month.
    pub hours_per_month: f64,
    /// Do models retired by `as_of` take part?
    pub include_retired: bool,
    /// Model routers in front of a weak and a strong target.
    #[serde(default)]
    pub routers: Vec<Router>,
    /// Cascades from cheap targets to better ones.
    #[serde(default)]
    pub cascades: Vec<Cascade>,
    /// The user's own capacities instead of the catalog.
    pub measured: Vec<Measured>,
    /// Do catalog candidates take part beside `measured`?
    pub measured_with_catalog: bool,
}

/// One traffic class.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Workload {
    /// Its name, unique in the file.
    pub name: String,
    /// Mean requests/s in each hour of the UTC day at the volume planned for, before `peak_factor` and before the response
    /// cache; on weekdays only where there is a `weekend_rps`.
    pub hourly_rps: [f64; 24],
    /// The same at weekends, where a trace shows that they differ.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weekend_rps: Option<[f64; 24]>,
    /// Arrivals inside an hour are Poisson at rate x this.
    pub peak_factor: f64,
    /// Prompt and answer lengths.
    pub lengths: Lengths,
    /// Limits at the client.
    pub latency: Vec<LatencyLimit>,
    /// Floor every request is held to.
    pub quality: Option<QualityFloor>,
    /// Share of requests with a higher floor.
    pub premium: Option<Premium>,
    /// Least mean index over the requests of the month that reach a model.
    #[serde(default)]
    pub quality_mean: Option<f64>,
    /// `tools`, `json`, `vision`, `reasoning`, `long-output`.
    pub needs: Vec<String>,
    /// Longest request, tokens.
    pub context_tokens: f64,
    /// Share of requests answered by the response cache.
    pub response_hit: f64,
    /// Share of prompt tokens not prefilled.
    pub prefix_hit: f64,
    /// Hours the work may wait.
    pub deferrable_hours: f64,
    /// `no-training`, `eu-only`, `on-premises`.
    pub data: Vec<String>,
}

impl Workload {
    /// Mean tokens generated before the answer, by a target that thinks: the request's, else the catalog's.
    #[must_use]
    pub fn thought_tokens(&self, catalog: &Catalog, thinks: bool) -> f64 {
        if thinks { self.lengths.reasoning_mean.unwrap_or_else(|| catalog.reasoning_tokens()) } else { 0.0 }
    }
}

/// Lengths of requests, tokens.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Lengths {
    /// Mean prompt, history of earlier turns included.
    pub input_mean: f64,
    /// Mean visible answer.
    pub output_mean: f64,
    /// Reasoning tokens on thinking targets; `None` = the mode's fact.
    pub reasoning_mean: Option<f64>,
    /// How they spread.
    pub spread: Spread,
    /// Weighted points `(input, output, weight)`, weights summing to 1: one point for constant lengths,
    /// quantile pairs for a lognormal, a thinned sample for a trace. In order of input, then output.
    pub points: Vec<(f64, f64, f64)>,
}

/// Where the spread of lengths comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Spread {
    /// Only means were given: constant lengths, `assumed`.
    Constant,
    /// Lognormal through mean and p95.
    Lognormal,
    /// Taken from a trace.
    Trace,
}

/// Which latency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LatencyMeasure {
    /// Time to first token, queueing included.
    Ttft,
    /// (E2E - TTFT) / (output - 1).
    Tpot,
    /// From request to last token.
    E2e,
}

impl LatencyMeasure {
    /// Its key in files, and the id of its rule.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Ttft => "ttft_ms",
            Self::Tpot => "tpot_ms",
            Self::E2e => "e2e_ms",
        }
    }
}

/// Which statistic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Statistic {
    /// Mean.
    Mean,
    /// Median.
    P50,
    /// 90th percentile.
    P90,
    /// 95th percentile.
    P95,
    /// 99th percentile.
    P99,
}

impl Statistic {
    /// Its key in files.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Mean => "mean",
            Self::P50 => "p50",
            Self::P90 => "p90",
            Self::P95 => "p95",
            Self::P99 => "p99",
        }
    }
}

/// `measure.statistic <= ms`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LatencyLimit {
    /// Which latency.
    pub measure: LatencyMeasure,
    /// Which statistic.
    pub statistic: Statistic,
    /// Limit, milliseconds.
    pub ms: f64,
}

/// A floor on quality.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum QualityFloor {
    /// A tier on a dated scale; `scale: None` = the one in force on `as_of`.
    Tier {
        /// `basic`, `good`, `very-good`, `excellent`.
        tier: String,
        /// Pinned scale.
        scale: Option<String>,
    },
    /// Index points.
    Index(f64),
    /// A published score of one benchmark, fraction 0 to 1.
    Benchmark {
        /// Benchmark id.
        benchmark: String,
        /// Least score.
        min: f64,
    },
}

/// At least `share` of requests goes to targets of a higher floor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Premium {
    /// Share, 0 to 1.
    pub share: f64,
    /// The higher floor.
    pub floor: QualityFloor,
}

/// Money limits; `None` = no limit.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Budget {
    /// Recurring bill of a mean month.
    pub usd_per_month: Option<f64>,
    /// Purchases and prepaid commitments.
    pub usd_upfront: Option<f64>,
    /// Monthly bill / requests of the whole plan.
    pub usd_per_request: Option<f64>,
}

/// Growth of the volume: today's x factor^(t / months).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Growth {
    /// By what factor it grows.
    pub factor: f64,
    /// In how many months.
    pub months: f64,
    /// The volume that is planned for, as a factor of today's; rates of the workloads contain it.
    pub plan_for: f64,
}

/// Hardware limits; `None` = no limit.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Limits {
    /// Weights + activations + KV, summed over a server's GPUs.
    pub memory_gib_per_server: Option<f64>,
    /// Rented GPUs by id, idle ones too.
    pub gpus: std::collections::BTreeMap<String, u32>,
    /// TDP x PUE of self-run GPUs.
    pub power_kw: Option<f64>,
    /// Distinct pools with a replica plus APIs with a share.
    pub max_deployments: Option<u32>,
    /// Replicas that an own engine in use has in every hour.
    pub min_replicas: Option<u32>,
    /// What APIs accept, by pattern over their ids and aliases.
    #[serde(default, skip_serializing_if = "std::collections::BTreeMap::is_empty")]
    pub apis: std::collections::BTreeMap<String, RateLimit>,
}

/// What an API accepts in a minute; `None` = the catalog's word.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RateLimit {
    /// Most requests.
    pub requests_per_minute: Option<f64>,
    /// Most tokens, prompts and answers together.
    pub tokens_per_minute: Option<f64>,
}

/// What hardware of one's own costs to hold; `None` = the catalog's fact.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OwnHardware {
    /// Months over which a purchase is spread.
    pub amortisation_months: Option<f64>,
    /// Price of electricity.
    pub electricity_usd_per_kwh: Option<f64>,
    /// Power of the building over power of the machines.
    pub pue: Option<f64>,
    /// Mean draw of a GPU over its TDP.
    pub utilisation: Option<f64>,
    /// Room, network and hands for a bought GPU.
    pub hosting_usd_per_gpu_month: Option<f64>,
}

/// Hardware already there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Owned {
    /// Accelerator id.
    pub gpu: String,
    /// How many, in one server.
    pub count: u32,
}

/// Globs, case-insensitive; empty = all (in `allow`) or none (in `deny`).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Filter {
    /// Model and API ids and aliases.
    pub models: Vec<String>,
    /// GPU ids and aliases.
    pub gpus: Vec<String>,
    /// Providers.
    pub providers: Vec<String>,
    /// Billing modes.
    pub billing: Vec<Billing>,
    /// Precisions.
    pub precisions: Vec<String>,
    /// Engine families.
    pub engines: Vec<String>,
    /// Regions.
    pub regions: Vec<String>,
    /// Licences.
    pub licences: Vec<String>,
}

/// Where engines may run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Routing {
    /// Own engines only.
    Local,
    /// Hosted APIs only.
    Cloud,
    /// Either or both.
    Hybrid,
}

/// What is optimised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Objective {
    /// Monthly bill.
    Cost,
    /// Request-weighted mean of p95 E2E.
    Latency,
    /// Request-weighted index.
    Quality,
    /// kg CO2e a month.
    Carbon,
}

impl Objective {
    /// Its word in files.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Cost => "cost",
            Self::Latency => "latency",
            Self::Quality => "quality",
            Self::Carbon => "carbon",
        }
    }
}

/// One row of the user's own capacities.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Measured {
    /// Its name.
    pub option: String,
    /// Paid around the clock per replica; makes it local.
    pub usd_per_hour: Option<f64>,
    /// Price of a request by workload name; makes it an API.
    pub usd_per_request: std::collections::BTreeMap<String, f64>,
    /// Most replicas.
    pub max_replicas: Option<u32>,
    /// Requests/s by workload name; one left out cannot be served.
    pub capacity_rps: std::collections::BTreeMap<String, f64>,
    /// Points of the quality index, where known.
    #[serde(default)]
    pub quality_index: Option<f64>,
    /// 95th percentile of the time to the last token at that capacity, ms, where known.
    #[serde(default)]
    pub e2e_ms_p95: Option<f64>,
    /// What a replica emits in an hour, kg CO2e, where known.
    #[serde(default)]
    pub kg_co2e_per_hour: Option<f64>,
    /// What a request to an API emits, kg CO2e, where known.
    #[serde(default)]
    pub kg_co2e_per_request: Option<f64>,
}
