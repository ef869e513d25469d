//! Single-stream decoding compared by MLC (llm-perf-bench, Apache-2.0).
//!
//! In: rows of `mlc_llm_perf_bench`. Out: TPOT of one request on llama.cpp and vLLM of 2023; the other engines are none of
//! the catalog's. Lengths are not stated: at batch 1 the cache of a short chat is nothing beside the weights.

use super::names::{self, Layout, Names, under};
use super::row::{Row, Skip};
use super::{Quantity, Reading, Table};
use crate::estimate::Load;

pub(super) const TABLE: Table = Table { columns: &["decode_tok_s", "tp", "scenario", "date"], read };

/// Prompt and answer of a short chat, tokens (assumed).
const LENGTHS: (Option<f64>, Option<f64>) = (Some(64.0), Some(256.0));

fn read(row: &Row<'_>, names: &Names<'_>) -> Result<Reading, Skip> {
    let word = row.text("engine");
    let generation = match word {
        "Llama.cpp" => Some("llamacpp-24"),
        "vLLM" => Some("vllm-23"),
        _ => None,
    };
    let engine = names.engine(word, generation, "")?;
    let (model, _) = names.model(row.text("model"))?;
    // Two A100 hold 138 GB of weights here, so they are those of 80 GB.
    let gpu = if row.text("gpu") == "A100" { "a100-sxm-80" } else { row.text("gpu") };
    let gpu = names.gpu(gpu)?;
    // "Single GPU, 4-bit": GGUF for llama.cpp, AWQ for vLLM.
    let weights = match (row.text("precision_weights").rsplit(", ").next(), generation) {
        (Some("4-bit"), Some("llamacpp-24")) => "q4_k_m",
        (Some("4-bit"), _) => "int4",
        (Some("FP16"), _) => "fp16",
        (word, _) => names::weights(word.unwrap_or_default(), model)?,
    };
    let layout = Layout::of(row.count("n_gpus").unwrap_or(1), generation);
    let request = names.request((model, weights), &gpu, layout, "auto", engine)?;
    let rate = row.number("decode_tok_s").filter(|rate| *rate > 0.0);
    Ok(Reading {
        source: row.text("source").to_owned(),
        as_of: row.date("date"),
        request: under(request, Load::Static, row.number("concurrency_or_batch"), LENGTHS)?,
        figures: vec![(Quantity::Tpot, None, rate.map(|rate| 1000.0 / rate))],
    })
}
