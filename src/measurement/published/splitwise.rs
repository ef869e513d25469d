//! Prompt and token times by batch from the performance model of Splitwise (MIT; Patel et al., ISCA 2024).
//!
//! In: rows of `splitwise_perf_model`. Out: TTFT and TPOT of static batches on vLLM of 2023. Rows on power-capped GPUs are
//! left out: the catalog has no such GPU.

use jiff::civil::date;

use super::names::Names;
use super::row::{Row, Skip};
use super::{Quantity, Reading, Table};

pub(super) const TABLE: Table = Table { columns: &["ttft_ms", "tpot_ms", "n_repeats", "tpot_std_ms"], read };

fn read(row: &Row<'_>, names: &Names<'_>) -> Result<Reading, Skip> {
    let gpu = row.text("gpu");
    if gpu.ends_with("-pcap") {
        return Err(Skip::new("power-capped", format!("`{gpu}` runs below its power limit")));
    }
    let (model, _) = names.model(row.text("model"))?;
    let gpu = names.gpu(gpu)?;
    let generation = (row.text("engine") == "vLLM").then_some("vllm-23");
    let engine = names.engine(row.text("engine"), generation, row.text("engine_version"))?;
    let request = names.static_batch(row, model, &gpu, generation, engine)?;
    Ok(Reading {
        source: row.text("source").to_owned(),
        as_of: Some(date(2023, 11, 30)),
        request,
        figures: vec![
            (Quantity::Ttft, None, row.number("ttft_ms")),
            (Quantity::Tpot, None, row.number("tpot_ms")),
        ],
    })
}
