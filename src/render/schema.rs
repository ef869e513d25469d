//! JSON Schemas (draft 2020-12) of what goes in and comes out.
//!
//! The answer's is derived from its types. Files and estimates are read and written by hand, so theirs are written by
//! hand too, in `schemas/`, and tests hold them to what the readers accept and the writers print.

use schemars::schema_for;
use serde_json::Value;

use crate::hybrid::Hybrid;
use crate::recommendation::Recommendation;
use crate::regimes::Regimes;

/// What there are schemas of.
pub const NAMES: [&str; 6] = ["result", "hybrid", "map", "requirements", "estimate", "estimate-request"];

/// The schema of a name.
#[must_use]
pub fn schema(name: &str) -> Option<Value> {
    let shipped = |text: &str| serde_json::from_str(text).ok();
    match name {
        "result" => Some(schema_for!(Recommendation).to_value()),
        "hybrid" => Some(schema_for!(Hybrid).to_value()),
        "map" => Some(schema_for!(Regimes).to_value()),
        "requirements" => shipped(include_str!("schemas/requirements.json")),
        "estimate" => shipped(include_str!("schemas/estimate.json")),
        "estimate-request" => shipped(include_str!("schemas/estimate-request.json")),
        _ => None,
    }
}
