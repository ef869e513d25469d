//! Hosted models: prices by service tier and period, latency facts. Tables `catalog/apis.csv`, `catalog/api_latency.csv`.

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Provenance;
use crate::units::UsdPerMillionTokens;

/// Service tier of a hosted model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ServiceTier {
    /// Answered at once.
    Standard,
    /// Answered within a window of hours, cheaper.
    Batch,
    /// Answered when there is room, cheaper.
    Flex,
}

/// One hosted model at one tier over one price period.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Api {
    /// `provider/name` with the provider's own API name; `@batch` or `@flex` behind it off the standard tier.
    pub id: String,
    /// LiteLLM, OpenRouter and models.dev names.
    pub aliases: Vec<String>,
    /// Who serves it.
    pub provider: String,
    /// Key of `quality_index.csv`.
    pub quality_subject: Option<String>,
    /// Tier.
    pub tier: ServiceTier,
    /// Price of prompt tokens.
    pub input: UsdPerMillionTokens,
    /// Price of generated tokens, reasoning included.
    pub output: UsdPerMillionTokens,
    /// Price of prompt tokens read from the provider's cache.
    pub cache_read: Option<UsdPerMillionTokens>,
    /// Prompt length from which `long_input` and `long_output` hold, tokens.
    pub long_threshold: Option<u32>,
    /// Price of prompt tokens of long prompts.
    pub long_input: Option<UsdPerMillionTokens>,
    /// Price of generated tokens behind long prompts.
    pub long_output: Option<UsdPerMillionTokens>,
    /// Window, prompt and answer together, tokens.
    pub max_context: u32,
    /// Longest answer, tokens.
    pub max_output: Option<u32>,
    /// Most requests a minute, where a limit is known.
    pub requests_per_minute: Option<f64>,
    /// Most tokens a minute, prompt and answer together, where a limit is known.
    pub tokens_per_minute: Option<f64>,
    /// Known capabilities.
    pub has: Vec<String>,
    /// Capabilities known to be absent.
    pub lacks: Vec<String>,
    /// True where it reasons before it answers and bills that.
    pub thinking: bool,
    /// Does the provider promise not to train on the traffic? `None` = unknown.
    pub no_training: Option<bool>,
    /// Can it be served from the EU? `None` = unknown.
    pub in_eu: Option<bool>,
    /// First day of this price.
    pub from: Option<Date>,
    /// First day it no longer held. Retirement does not end a price row.
    pub until: Option<Date>,
    /// Day the provider shut or shuts it down.
    pub retired: Option<Date>,
    /// Where the price comes from.
    pub provenance: Provenance,
}

/// How fast a hosted model answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ApiLatency {
    /// Id of the API (standard tier).
    pub api: String,
    /// Median time to the first token, ms.
    pub ttft_ms: f64,
    /// 95th percentile of the same, where published.
    pub ttft_ms_p95: Option<f64>,
    /// Median tokens a second of one stream.
    pub tokens_per_s: f64,
    /// 5th percentile (slow end) of the same, where published.
    pub tokens_per_s_slow: Option<f64>,
    /// Where the figures come from.
    pub provenance: Provenance,
}
