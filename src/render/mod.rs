//! From the answer as data to what people and programs read. Nothing here prints, and nothing here decides.
//!
//! `phrase.rs` holds the only English; `table.rs` is for the terminal, `json.rs` for programs, `schema.rs` says what
//! the JSON looks like. `figure.rs` writes numbers, `paint.rs` lays out lines.

pub mod calibration;
pub mod estimate;
pub mod figure;
pub mod graph;
pub mod hybrid;
pub mod json;
pub mod listing;
pub mod map;
pub mod paint;
pub mod pareto;
pub mod phrase;
pub mod schema;
pub mod svg;
pub mod table;
