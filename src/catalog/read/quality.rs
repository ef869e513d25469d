//! `quality_index.csv`, `quality_items.csv` and `quality_scores.csv`.

use super::{Fact, keyed};
use crate::catalog::table::Row;
use crate::catalog::{Provenance, QualityItem, QualityRow, QualityScore};

impl Fact for QualityRow {
    const FILE: &'static str = "quality_index.csv";
    const REQUIRED: &'static [&'static str] = &["subject", "mode", "index", "sd", "scores"];
    const OPTIONAL: &'static [&'static str] = &["hf_id", "api_keys"];

    fn read(row: &Row<'_>) -> Self {
        Self {
            subject: row.text("subject"),
            mode: row.text("mode"),
            index: row.signed("index"),
            sd: row.number("sd"),
            scores: row.count("scores"),
            hf_id: row.optional_text("hf_id"),
            api_keys: row.list("api_keys"),
            provenance: row.provenance(),
        }
    }

    keyed!(|row| format!("{}\u{1}{}", row.subject, row.mode));
}

impl Fact for QualityItem {
    const FILE: &'static str = "quality_items.csv";
    const REQUIRED: &'static [&'static str] = &["benchmark", "chance", "difficulty", "width", "noise_logit"];
    const OPTIONAL: &'static [&'static str] = &["domain", "items"];

    fn read(row: &Row<'_>) -> Self {
        Self {
            benchmark: row.text("benchmark"),
            chance: row.number("chance"),
            items: row.optional_number("items"),
            difficulty: row.signed("difficulty"),
            width: row.number("width"),
            noise_logit: row.number("noise_logit"),
        }
    }

    fn key(&self) -> (String, String) {
        (self.benchmark.clone(), String::new())
    }

    fn provenance(&mut self) -> Option<&mut Provenance> {
        None
    }
}

impl Fact for QualityScore {
    const FILE: &'static str = "quality_scores.csv";
    const REQUIRED: &'static [&'static str] = &["subject", "benchmark", "score"];
    const OPTIONAL: &'static [&'static str] = &[];

    fn read(row: &Row<'_>) -> Self {
        let (subject, benchmark) = (row.text("subject"), row.text("benchmark"));
        let score = row.number("score");
        if score > 1.0 {
            row.fail(
                "E0205",
                "score",
                format!("must be a fraction between 0 and 1, got {score}"),
                "Divide a percentage by 100.",
            );
        }
        Self { subject, benchmark, score, provenance: row.provenance() }
    }

    keyed!(|row| format!("{}\u{1}{}", row.subject, row.benchmark));
}
