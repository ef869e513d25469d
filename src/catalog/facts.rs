//! Smaller tables: quality index and items, tier scales, day profiles, economics.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::Provenance;

/// The frozen index of one model in one mode.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct QualityRow {
    /// Model, as in the quality study.
    pub subject: String,
    /// `default` (highest published effort), `nothink`, `low`, `medium`.
    pub mode: String,
    /// Index points.
    pub index: f64,
    /// One standard deviation, index points.
    pub sd: f64,
    /// Scores it rests on.
    pub scores: u32,
    /// Hugging Face id, where it is an open model.
    pub hf_id: Option<String>,
    /// API names it is known by.
    pub api_keys: Vec<String>,
    /// Where it comes from.
    pub provenance: Provenance,
}

/// Frozen parameters of one benchmark: score -> index.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct QualityItem {
    /// Benchmark id.
    pub benchmark: String,
    /// Share of right answers by guessing.
    pub chance: f64,
    /// Questions in it, where known.
    pub items: Option<f64>,
    /// Index at which half the chance-corrected score is reached (D).
    pub difficulty: f64,
    /// Index points per logit (W).
    pub width: f64,
    /// Noise in logits (s).
    pub noise_logit: f64,
}

/// One published score that may be redistributed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct QualityScore {
    /// Model, as in [`QualityRow::subject`].
    pub subject: String,
    /// Benchmark id.
    pub benchmark: String,
    /// Fraction, 0 to 1.
    pub score: f64,
    /// Where it comes from.
    pub provenance: Provenance,
}

/// A dated, never edited scale of cut points.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TierScale {
    /// Name of the scale, such as `2026`.
    pub id: String,
    /// First day it is in force.
    pub from: Date,
    /// Cut points by tier word; `basic` has none.
    pub cuts: BTreeMap<String, f64>,
    /// Where it comes from.
    pub provenance: Provenance,
}

/// A named day: 24 weights of mean 1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Profile {
    /// Word files use.
    pub id: String,
    /// Weight of each hour.
    pub weights: [f64; 24],
    /// Where it comes from.
    pub provenance: Provenance,
}

/// Facts by key and scope.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Economics {
    /// `(key, scope)` to value, unit and source: `("provider_uptime", "openai")` is a share of time.
    pub facts: BTreeMap<(String, String), EconomicFact>,
}

/// One such fact.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EconomicFact {
    /// The figure.
    pub value: f64,
    /// Its unit.
    pub unit: String,
    /// Where it comes from.
    pub provenance: Provenance,
}
