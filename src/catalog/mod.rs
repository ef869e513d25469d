//! What exists: models, accelerators, engines, offers, hosted models, quality; every figure sourced and dated.
//!
//! In: the tables under `catalog/` (inside the binary), then overlay folders, later wins. Out: an immutable
//! [`Catalog`] whose rows stand in byte order of their ids, so that the order of a file never reaches an answer.
//! It judges no plan and knows no workload.

pub mod api;
pub mod check;
pub mod engine;
pub mod facts;
pub mod gpu;
mod hf_config;
mod load;
pub mod lookup;
pub mod model;
pub mod offer;
pub mod precision;
mod read;
mod table;
pub mod words;

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use api::{Api, ApiLatency, ServiceTier};
pub use engine::{Calibration, Coefficients, Engine};
pub use facts::{EconomicFact, Economics, Profile, QualityItem, QualityRow, QualityScore, TierScale};
pub use gpu::Gpu;
pub use lookup::{any_glob_matches, glob_matches};
pub use model::{Attention, Model};
pub use offer::{Billing, Offer};
pub use precision::Precision;
pub(crate) use table::nearest;

/// Where a row comes from and when it was true.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize, JsonSchema)]
pub struct Provenance {
    /// Document, file or page, with its licence where one is stated.
    pub source: String,
    /// Date of the figure as the source gives it (`2026-11-20`, `2026-11` or `2026`).
    pub as_of: String,
    /// True where the row holds a judgement of ours rather than a published figure.
    pub assumed: bool,
}

/// All facts the program knows, after every overlay.
#[derive(Debug, Clone)]
pub struct Catalog {
    /// Day the shipped tables were built; the default of `as_of`.
    pub built: Date,
    /// SHA-256 over the loaded rows in their canonical order, in hexadecimal.
    pub sha256: String,
    /// Open models, by id.
    pub models: Vec<Model>,
    /// Accelerators, by id.
    pub gpus: Vec<Gpu>,
    /// Priced ways to get hardware, by id.
    pub offers: Vec<Offer>,
    /// Hosted models at a service tier, by id; one row per price period.
    pub apis: Vec<Api>,
    /// Latency facts of hosted models.
    pub api_latency: Vec<ApiLatency>,
    /// The frozen quality index, one row per model and mode.
    pub quality: Vec<QualityRow>,
    /// Frozen benchmark parameters, to score a new model.
    pub quality_items: Vec<QualityItem>,
    /// Published benchmark scores that may be redistributed, for raw floors.
    pub quality_scores: Vec<QualityScore>,
    /// Dated tier scales.
    pub tiers: Vec<TierScale>,
    /// Precisions and what they cost in quality.
    pub precisions: Vec<precision::PrecisionFact>,
    /// Serving engines.
    pub engines: Vec<Engine>,
    /// Fitted step-time coefficients and their spreads.
    pub coefficients: Coefficients,
    /// Named day profiles.
    pub profiles: Vec<Profile>,
    /// Uptime, electricity, PUE and the like.
    pub economics: Economics,
}
