//! `calibration.csv`: what users measured of their own units. Only overlays hold this table.

use super::{Fact, keyed};
use crate::catalog::table::Row;
use crate::catalog::{Calibration, Provenance};

/// Times that a row may speak of.
const MEASURES: [(&str, &str); 4] =
    [("step", "step"), ("prefill", "prefill"), ("ttft-loaded", "ttft-loaded"), ("saturation", "saturation")];
/// Further off than this is no calibration but another machine.
const FACTOR_MAX: f64 = 100.0;

impl Fact for Calibration {
    const FILE: &'static str = "calibration.csv";
    const REQUIRED: &'static [&'static str] = &["engine", "gpu", "measure", "factor", "sd_log"];
    const OPTIONAL: &'static [&'static str] = &["bits", "model", "rows"];

    fn read(row: &Row<'_>) -> Self {
        let (engine, gpu) = (row.text("engine"), row.text("gpu"));
        let (bits, model) = (row.optional_count("bits"), row.optional_text("model"));
        if let Some(bits) = bits.filter(|bits| ![4, 8, 16].contains(bits)) {
            row.fail("E0205", "bits", format!("must be 4, 8 or 16, got {bits}"), "Leave it blank for any.");
        }
        let measure = row.word("measure", &MEASURES).unwrap_or_default().to_owned();
        let (factor, sd_log) = (row.number("factor"), row.number("sd_log"));
        if !row.cell("factor").is_empty() && !(1.0 / FACTOR_MAX..=FACTOR_MAX).contains(&factor) {
            row.fail(
                "E0205",
                "factor",
                format!("must be from {} to {FACTOR_MAX}, got {factor}", 1.0 / FACTOR_MAX),
                "Write measured time / estimated time.",
            );
        }
        let rows = row.optional_count("rows");
        Self { engine, gpu, bits, model, measure, factor, sd_log, rows, provenance: row.provenance() }
    }

    keyed!(|row| format!(
        "{}|{}|{}|{}|{}",
        row.engine,
        row.gpu,
        row.bits.map_or_else(String::new, |bits| format!("{bits:02}")),
        row.model.as_deref().unwrap_or_default(),
        row.measure
    ));
}
