//! Closed loops of production-like lengths on TGIS of 2023 (IBM LLM-Pilot, CDLA-Permissive-2.0).
//!
//! In: rows of `ibm_llm_pilot`. Out: mean TTFT and TPOT, percentiles of TTFT, and those of the time between two tokens: a
//! percentile over tokens, not over requests. Lengths are means of a mixture.

use jiff::civil::date;

use super::names::{self, Layout, Names, admitted, under};
use super::row::{Row, Skip};
use super::{Quantity, Reading, Table};
use crate::estimate::Load;
use crate::requirements::Statistic;

pub(super) const TABLE: Table = Table {
    columns: &["ttft_ms", "tpot_ms", "ttft_p50_ms", "ttft_p95_ms", "itl_p50_ms", "itl_p95_ms"],
    read,
};

fn read(row: &Row<'_>, names: &Names<'_>) -> Result<Reading, Skip> {
    let (model, _) = names.model(row.text("model"))?;
    // Its `gpu_features.csv`: an A100 of 40 GB and 1,555 GB/s without NVLink, an H100 SXM.
    let gpu = if row.text("gpu") == "A100" { "a100-pcie-40" } else { row.text("gpu") };
    let gpu = names.gpu(gpu)?;
    let generation = row.text("engine").starts_with("TGIS").then_some("tgis-23");
    let engine = names.engine(row.text("engine"), generation, row.text("engine_version"))?;
    let weights = names::weights(row.text("precision_weights"), model)?;
    let layout = Layout::of(row.count("n_gpus").unwrap_or(1), generation);
    let request = names.request((model, weights), &gpu, layout, "auto", engine)?;
    let lengths = (row.number("input_tokens"), row.number("output_tokens"));
    let (ttft_ms, tpot_ms) = (row.number("ttft_ms"), row.number("tpot_ms"));
    admitted(ttft_ms, tpot_ms, lengths.1)?;
    let mean = Some(Statistic::Mean);
    Ok(Reading {
        source: row.text("source").to_owned(),
        as_of: row.date("engine_version").or(Some(date(2023, 10, 1))),
        request: under(request, Load::Closed, row.number("concurrency_or_batch"), lengths)?,
        figures: vec![
            (Quantity::Ttft, mean, ttft_ms),
            (Quantity::Ttft, Some(Statistic::P50), row.number("ttft_p50_ms")),
            (Quantity::Ttft, Some(Statistic::P95), row.number("ttft_p95_ms")),
            (Quantity::Tpot, mean, tpot_ms),
            (Quantity::Tpot, Some(Statistic::P50), row.number("itl_p50_ms")),
            (Quantity::Tpot, Some(Statistic::P95), row.number("itl_p95_ms")),
        ],
    })
}
