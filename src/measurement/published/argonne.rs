//! Static batches of Argonne's LLM-Inference-Bench (BSD-3; arXiv 2411.00136): input as long as output.
//!
//! In: rows of `argonne_llm_inference_bench`. Out: time to the last token of the batch, and to the first where it was
//! studied. Throughput is the same figure said differently and left out.

use jiff::civil::date;

use super::names::{self, Layout, Names, under};
use super::row::{Row, Skip};
use super::{Quantity, Reading, Table};
use crate::estimate::Load;

pub(super) const TABLE: Table =
    Table { columns: &["ttft_ms", "e2e_ms", "precision_kv", "flag_faster_than_weight_bound"], read };

fn read(row: &Row<'_>, names: &Names<'_>) -> Result<Reading, Skip> {
    if row.text("flag_faster_than_weight_bound").eq_ignore_ascii_case("true") {
        return Err(Skip::new("faster-than-weight-read", "a token takes less than one read of the weights"));
    }
    let (model, _) = names.model(row.text("model"))?;
    let engine = row.text("engine");
    let generation = match engine {
        "TensorRT-LLM" => Some("trtllm-24"),
        "vLLM" => Some("vllm-24"),
        "llama.cpp" => Some("llamacpp-24"),
        "Deepspeed-MII" => Some("dsmii-24"),
        _ => None,
    };
    let gpu = names.gpu(row.text("gpu"))?;
    let engine = names.engine(engine, generation, "")?;
    let weights = names::weights(row.text("precision_weights"), model)?;
    let kv = names::cache(row.text("precision_kv"))?;
    let layout = Layout::of(row.count("n_gpus").unwrap_or(1), generation);
    let request = names.request((model, weights), &gpu, layout, kv, engine)?;
    let lengths = (row.number("input_tokens"), row.number("output_tokens"));
    Ok(Reading {
        source: row.text("source").to_owned(),
        as_of: Some(date(2024, 10, 31)),
        request: under(request, Load::Static, row.number("concurrency_or_batch"), lengths)?,
        figures: vec![
            (Quantity::Ttft, None, row.number("ttft_ms")),
            (Quantity::E2e, None, row.number("e2e_ms")),
        ],
    })
}
