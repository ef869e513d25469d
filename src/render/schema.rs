//! JSON Schemas (draft 2020-12) of what goes in and comes out, derived from the types that are written.

use schemars::{Schema, schema_for};

use crate::recommendation::Recommendation;

/// What there are schemas of.
pub const NAMES: [&str; 1] = ["result"];

/// The schema of a name.
#[must_use]
pub fn schema(name: &str) -> Option<Schema> {
    match name {
        "result" => Some(schema_for!(Recommendation)),
        _ => None,
    }
}
