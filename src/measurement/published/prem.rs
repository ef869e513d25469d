//! Single-stream runs of many engines on an A100 (premAI-io/benchmarks, MIT).
//!
//! In: rows of `prem_a100_bs1`. Out: no measurement: the table names neither model nor lengths, so no row says what ran.

use super::names::Names;
use super::row::{Row, Skip};
use super::{Reading, Table};

pub(super) const TABLE: Table = Table { columns: &["engine", "table", "section", "value"], read };

fn read(_: &Row<'_>, _: &Names<'_>) -> Result<Reading, Skip> {
    Err(Skip::new("incomplete", "the table names neither model nor lengths"))
}
