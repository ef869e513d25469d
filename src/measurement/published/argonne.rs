//! Static batches of Argonne's LLM-Inference-Bench (BSD-3; arXiv 2411.00136): input as long as output.
//!
//! In: rows of `argonne_llm_inference_bench`. Out: time to the last token of the batch, and to the first where it was
//! studied. Throughput is the same figure said differently and left out.

use jiff::civil::date;

use super::names::Names;
use super::row::{Row, Skip};
use super::{Quantity, Reading, Table};

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
    let request = names.static_batch(row, model, &gpu, generation, engine)?;
    Ok(Reading {
        source: row.text("source").to_owned(),
        as_of: Some(date(2024, 10, 31)),
        request,
        figures: vec![
            (Quantity::Ttft, None, row.number("ttft_ms")),
            (Quantity::E2e, None, row.number("e2e_ms")),
        ],
    })
}
