//! The answer as data: what `recommend` returns and what `--format json` prints (schema: `bursar schema result`).
//!
//! Everything here is a value that the pipeline filled in; nothing here
//! computes or prints.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::catalog::{Catalog, Precision, Provenance};
use crate::estimate::{Basis, Unit};
use crate::reason::{RuleId, Told};
use crate::requirements::Requirements;

/// Version of the result format.
pub const SCHEMA_VERSION: u32 = 1;

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

/// One thing that runs or is called.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Deployment {
    /// Unique in the plan; routes point to it.
    pub id: String,
    /// How people name it: `Llama-3.1-8B fp8 on 1 x L4, runpod`.
    pub label: String,
    /// Catalog id of the open model or hosted model.
    pub model: String,
    /// `default`, `nothink` ...
    pub mode: String,
    /// Who sells the hardware or serves the API.
    pub provider: String,
    /// Present for own engines.
    pub engine: Option<EngineSettings>,
    /// Present for hosted APIs.
    pub api: Option<ApiTerms>,
    /// Index after quantisation loss, and one standard deviation; absent when unknown.
    pub quality: Option<Scored>,
    /// Its part of the bill, USD/month.
    pub usd_per_month: f64,
    /// True where it only carries what others drop.
    pub fallback_only: bool,
}

impl Deployment {
    /// What tells own engines apart where deployments are counted: the unit and the provider, as words; `None` for
    /// hosted models.
    #[must_use]
    pub fn unit_at_provider(&self) -> Option<String> {
        let engine = self.engine.as_ref()?;
        Some(format!(
            "{} {} {} kv {} on {} x {} tp{} pp{} by {} b{} at {}",
            self.model,
            self.mode,
            engine.weights,
            engine.kv,
            engine.gpus_per_replica,
            engine.gpu,
            engine.tensor_parallel,
            engine.pipeline_parallel,
            engine.generation,
            engine.max_batch,
            self.provider
        ))
    }

    /// The unit that runs, as the oracle reads it; `None` for hosted models, and where the catalog does not know the
    /// model, the GPU or the generation.
    #[must_use]
    pub fn unit<'c>(&self, catalog: &'c Catalog) -> Option<Unit<'c>> {
        let engine = self.engine.as_ref()?;
        Some(Unit {
            model: catalog.model(&self.model)?,
            gpu: catalog.gpu(&engine.gpu)?,
            engine: catalog.engines.iter().find(|known| known.id == engine.generation)?,
            gpus: engine.gpus_per_replica,
            tensor_parallel: engine.tensor_parallel,
            pipeline_parallel: engine.pipeline_parallel,
            data_parallel: engine.data_parallel,
            expert_parallel: engine.expert_parallel,
            weights: Precision::named(&engine.weights),
            kv_bytes: if engine.kv == "fp8" { 1.0 } else { 2.0 },
            max_batch: engine.max_batch,
            gpu_memory_utilization: engine.gpu_memory_utilization,
        })
    }
}

/// Index points and their spread.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Scored {
    /// Index points.
    pub index: f64,
    /// One standard deviation.
    pub sd: f64,
}

/// The exact engine settings.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EngineSettings {
    /// `vllm`, `sglang`, `tensorrt-llm`, `llama.cpp`.
    pub engine: String,
    /// Generation whose coefficients were used.
    pub generation: String,
    /// Accelerator id.
    pub gpu: String,
    /// GPUs of one replica.
    pub gpus_per_replica: u32,
    /// Tensor parallel degree.
    pub tensor_parallel: u32,
    /// Pipeline parallel degree.
    pub pipeline_parallel: u32,
    /// Data parallel degree.
    pub data_parallel: u32,
    /// Expert parallel degree.
    pub expert_parallel: u32,
    /// Weights.
    pub weights: String,
    /// KV cache: `bf16` or `fp8`.
    pub kv: String,
    /// Most sequences in a batch.
    pub max_batch: u32,
    /// Longest request, tokens.
    pub max_model_len: u32,
    /// Share of GPU memory the engine may take.
    pub gpu_memory_utilization: f64,
    /// Copies that run, in the busiest hour.
    pub replicas: u32,
    /// Copies beyond the peak's need, kept for availability.
    pub spare_replicas: u32,
    /// Offer id of the largest part.
    pub offer: String,
    /// Instance type.
    pub instance: String,
    /// Region.
    pub region: String,
    /// Billing word of the largest part.
    pub billing: String,
    /// Whole instances paid for, in the busiest hour.
    pub instances: u32,
    /// How they are paid for, one entry for each way.
    pub paid: Vec<Paid>,
    /// The deployment on whose instances it stands, and which pays for them; then `instances` is 0 here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub beside: Option<String>,
    /// GPUs in an instance.
    pub gpus_per_instance: u32,
    /// GPUs paid for that no replica uses.
    pub idle_gpus: u32,
    /// Price of an instance of the largest part, USD/hour.
    pub usd_per_hour: f64,
    /// Weights + activations + KV for the planned concurrency, summed over a server's GPUs, GiB.
    pub memory_gib_per_server: f64,
    /// Requests/s one replica may carry, by workload.
    pub capacity_rps: BTreeMap<String, f64>,
    /// Load of the busiest hour over capacity.
    pub utilisation_peak: f64,
    /// Power drawn at TDP with PUE, kW; absent where TDP is unknown.
    pub power_kw: Option<f64>,
    /// Most seconds a month that are billed, where billing is `serverless`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub billed_s_per_month: Option<f64>,
}

impl EngineSettings {
    /// Billing word and offer of each way to pay; of the engine itself where it is billed by the second.
    #[must_use]
    pub fn ways(&self) -> Vec<(&str, &str)> {
        if self.paid.is_empty() {
            return vec![(&self.billing, &self.offer)];
        }
        self.paid.iter().map(|paid| (paid.billing.as_str(), paid.offer.as_str())).collect()
    }

    /// Instances there are in a slot of the day.
    #[must_use]
    pub fn instances_in(&self, slot: usize) -> u32 {
        self.paid.iter().map(|paid| paid.instances_in(slot)).sum()
    }

    /// Copies that run in a slot of the day.
    #[must_use]
    pub fn replicas_in(&self, slot: usize) -> u32 {
        if self.paid.iter().all(|paid| paid.instances_by_hour.is_none()) {
            return self.replicas;
        }
        self.replicas * self.instances_in(slot) / self.instances.max(1)
    }
}

/// One way in which instances of an own engine are paid for.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Paid {
    /// Offer id; `owned/<gpu>` for the user's own.
    pub offer: String,
    /// Billing word.
    pub billing: String,
    /// Instances, in the busiest hour.
    pub instances: u32,
    /// Instances by hour of the UTC day; absent where they run around the clock.
    pub instances_by_hour: Option<Vec<u32>>,
    /// Price of an instance, USD/hour; for what is bought or owned its electricity and hosting.
    pub usd_per_hour: f64,
    /// Recurring bill, USD/month.
    pub usd_per_month: f64,
    /// Paid once for all of them, USD.
    pub usd_upfront: f64,
    /// What is paid once, spread over its months, USD/month.
    pub usd_amortised: f64,
}

impl Paid {
    /// Instances there are in a slot of the day.
    #[must_use]
    pub fn instances_in(&self, slot: usize) -> u32 {
        match &self.instances_by_hour {
            Some(hours) => hours.get(slot).copied().unwrap_or(0),
            None => self.instances,
        }
    }
}

/// What an API charges.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ApiTerms {
    /// Service tier.
    pub tier: String,
    /// USD per million prompt tokens.
    pub usd_per_mtok_input: f64,
    /// USD per million generated tokens.
    pub usd_per_mtok_output: f64,
    /// USD per request, by workload.
    pub usd_per_request: BTreeMap<String, f64>,
    /// Share of time it is up, where known.
    pub uptime: Option<f64>,
}

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
    /// What the price is of: `instance hour`, `request`.
    pub per: String,
    /// Today.
    pub usd_now: f64,
    /// It would win below this.
    pub usd: f64,
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
