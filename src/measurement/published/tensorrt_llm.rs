//! Throughput and first-token tables of the TensorRT-LLM documentation (Apache-2.0), releases 0.9, 0.14 and 1.0.
//!
//! In: rows of `tensorrt_llm_docs`. Out: output tokens/s with every request queued at once, of static batches in 0.9, and
//! the time to the first token of one prompt. Mixtures state neither expert nor attention data parallelism.

use jiff::civil::{Date, date};

use super::names::{self, Layout, Names, under};
use super::row::{Row, Skip};
use super::{Quantity, Reading, Table};
use crate::estimate::Load;

pub(super) const TABLE: Table =
    Table { columns: &["ttft_ms", "output_tok_s_total", "tok_s_per_gpu", "engine_version"], read };

/// Requests queued by lengths, as the performance overview of 0.14 and 1.0 lists them under `$num_requests`.
const QUEUED: [(f64, f64, f64); 10] = [
    (128.0, 128.0, 30_000.0),
    (128.0, 2048.0, 3000.0),
    (128.0, 4096.0, 1500.0),
    (500.0, 2000.0, 3000.0),
    (1000.0, 1000.0, 3000.0),
    (1000.0, 2000.0, 1500.0),
    (2048.0, 128.0, 3000.0),
    (2048.0, 2048.0, 1500.0),
    (5000.0, 500.0, 1500.0),
    (20_000.0, 2000.0, 1000.0),
];

fn read(row: &Row<'_>, names: &Names<'_>) -> Result<Reading, Skip> {
    let version = row.text("engine_version");
    let (generation, as_of) = release(version);
    // Since 1.0 the documents write short names for the checkpoints nvidia/Llama-3.3-70B-Instruct-… and 3.1-8B-…
    let named = match (row.text("model"), generation) {
        ("llama3-70b", Some("trtllm-25")) => "meta-llama/Llama-3.3-70B-Instruct",
        ("llama3-8b", Some("trtllm-25")) => "meta-llama/Llama-3.1-8B-Instruct",
        (name, _) => name,
    };
    let (model, _) = names.model(named)?;
    let gpu = names.gpu(row.text("gpu"))?;
    let generation = generation.filter(|_| row.text("engine") == "TensorRT-LLM");
    let engine = names.engine(row.text("engine"), generation, version)?;
    let weights = names::weights(row.text("precision_weights"), model)?;
    let kv = names::cache(row.text("precision_kv"))?;
    let layout = Layout {
        tensor: row.count("tp").unwrap_or(1),
        pipeline: row.count("pp").unwrap_or(1),
        data: 1,
        expert: row.count("ep"),
    };
    let request = names.request((model, weights), &gpu, layout, kv, engine)?;

    let lengths = (row.number("input_tokens"), row.number("output_tokens"));
    let stated = row.number("concurrency_or_batch");
    let (load, together) = match row.text("scenario") {
        "static batch" => (Load::Static, stated),
        "first-token latency bs1" => (Load::Static, Some(stated.unwrap_or(1.0))),
        _ => (Load::Max, stated.or_else(|| queued(lengths))),
    };
    Ok(Reading {
        source: row.text("source").to_owned(),
        as_of,
        request: under(request, load, together, lengths)?,
        figures: vec![
            (Quantity::Ttft, None, row.number("ttft_ms")),
            (Quantity::OutputTokens, None, row.number("output_tok_s_total")),
        ],
    })
}

/// Generation of a release and the month it came out.
fn release(version: &str) -> (Option<&'static str>, Option<Date>) {
    match version.split('.').take(2).collect::<Vec<_>>()[..] {
        ["0", "9"] => (Some("trtllm-23"), Some(date(2024, 4, 1))),
        ["0", "14"] => (Some("trtllm-24"), Some(date(2024, 11, 1))),
        ["1", "0"] => (Some("trtllm-25"), Some(date(2025, 9, 1))),
        _ => (None, None),
    }
}

fn queued((input, output): (Option<f64>, Option<f64>)) -> Option<f64> {
    let listed = QUEUED.iter().find(|(long, answer, _)| Some(*long) == input && Some(*answer) == output);
    listed.map(|(_, _, requests)| *requests)
}
