//! llama.cpp on many GPUs, one request (published by XiongjieDai; no licence stated: fit with it, ship no row of it).
//!
//! In: rows of `llamacpp_xiongjiedai`. Out: TTFT from the rate of reading a prompt, TPOT from the rate of writing. Several
//! GPUs split the layers among them.

use super::names::{self, Layout, Names, under};
use super::row::{Row, Skip};
use super::{Quantity, Reading, Table};
use crate::estimate::Load;

pub(super) const TABLE: Table =
    Table { columns: &["prefill_tok_s", "decode_tok_s", "precision_weights"], read };

fn read(row: &Row<'_>, names: &Names<'_>) -> Result<Reading, Skip> {
    if row.text("notes") == "OOM" {
        return Err(Skip::new("no-figure", "the weights did not fit"));
    }
    let (model, _) = names.model(row.text("model"))?;
    let gpu = names.gpu(row.text("gpu"))?;
    let generation = (row.text("engine") == "llama.cpp").then_some("llamacpp-24");
    let engine = names.engine(row.text("engine"), generation, row.text("engine_version"))?;
    let weights = names::weights(row.text("precision_weights"), model)?;
    let kv = names::cache(row.text("precision_kv"))?;
    let layout = Layout::of(row.count("n_gpus").unwrap_or(1), generation);
    let request = names.request((model, weights), &gpu, layout, kv, engine)?;

    let rate = |column: &str| row.number(column).filter(|rate| *rate > 0.0);
    let (input, output) = (row.number("input_tokens"), row.number("output_tokens"));
    let ttft_ms = rate("prefill_tok_s").zip(input).map(|(rate, tokens)| 1000.0 * tokens / rate);
    let tpot_ms = rate("decode_tok_s").map(|rate| 1000.0 / rate);
    // A run that only reads its prompt ends with the first token.
    let output = output.map(|tokens| tokens.max(1.0));
    Ok(Reading {
        source: row.text("source").to_owned(),
        as_of: row.date("engine_version"),
        request: under(request, Load::Static, row.number("concurrency_or_batch"), (input, output))?,
        figures: vec![(Quantity::Ttft, None, ttft_ms), (Quantity::Tpot, None, tpot_ms)],
    })
}
