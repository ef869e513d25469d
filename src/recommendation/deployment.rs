//! What runs or is called: own engines with their exact settings and every way they are paid for, hosted models with
//! their prices.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::catalog::{Catalog, Precision};
use crate::estimate::Unit;

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
    /// What a unit runs with; how many copies there are and what they cost is not said. [`Deployment::unit`] is the way
    /// back.
    #[must_use]
    pub fn of(unit: &Unit<'_>) -> Self {
        Self {
            engine: unit.engine.family.clone(),
            generation: unit.engine.id.clone(),
            gpu: unit.gpu.id.clone(),
            gpus_per_replica: unit.gpus,
            tensor_parallel: unit.tensor_parallel,
            pipeline_parallel: unit.pipeline_parallel,
            data_parallel: unit.data_parallel,
            expert_parallel: unit.expert_parallel,
            weights: unit.weights.to_string(),
            kv: if unit.kv_bytes < 1.5 { "fp8" } else { "bf16" }.to_owned(),
            max_batch: unit.max_batch,
            gpu_memory_utilization: unit.gpu_memory_utilization,
            ..Self::default()
        }
    }

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
