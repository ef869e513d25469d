//! LMDeploy TurboMind 0.2 on A100 (documentation of InternLM/lmdeploy, Apache-2.0).
//!
//! In: rows of `lmdeploy_a100`. Out: "static inference": batches of equal requests, mean TTFT, median TPOT (published in
//! whole ms) and output tokens/s; and a closed loop of chats whose mean lengths follow from its three rates.

use jiff::civil::date;

use super::names::{self, Layout, Names, under};
use super::row::{Row, Skip};
use super::{Quantity, Reading, Table};
use crate::estimate::Load;
use crate::requirements::Statistic;

pub(super) const TABLE: Table =
    Table { columns: &["ttft_ms", "output_tok_s_total", "memory_gb", "tpot_p50_ms", "tpot_p95_ms"], read };

fn read(row: &Row<'_>, names: &Names<'_>) -> Result<Reading, Skip> {
    let (model, _) = names.model(row.text("model"))?;
    let gpu = names.gpu(row.text("gpu"))?;
    let generation = row.text("engine").starts_with("LMDeploy").then_some("lmdeploy-24");
    let engine = names.engine(row.text("engine"), generation, row.text("engine_version"))?;
    let weights = names::weights(row.text("precision_weights"), model)?;
    let kv = names::cache(row.text("precision_kv"))?;
    let layout = Layout::of(row.count("n_gpus").unwrap_or(1), generation);
    let request = names.request((model, weights), &gpu, layout, kv, engine)?;

    let together = row.number("concurrency_or_batch");
    let output_per_s = row.number("output_tok_s_total");
    let (load, lengths) = if row.text("scenario").starts_with("static") {
        (Load::Static, (row.number("input_tokens"), row.number("output_tokens")))
    } else {
        let all = row.number("total_tok_s").zip(output_per_s).map(|(total, output)| total - output);
        let each = |tokens: Option<f64>| tokens.zip(row.number("req_s")).map(|(tokens, rate)| tokens / rate);
        (Load::Closed, (each(all), each(output_per_s)))
    };
    Ok(Reading {
        source: row.text("source").to_owned(),
        as_of: Some(date(2024, 1, 1)),
        request: under(request, load, together, lengths)?,
        figures: vec![
            (Quantity::Ttft, Some(Statistic::Mean), row.number("ttft_ms")),
            (Quantity::Tpot, Some(Statistic::P50), row.number("tpot_p50_ms")),
            (Quantity::OutputTokens, None, output_per_s),
        ],
    })
}
