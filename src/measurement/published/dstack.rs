//! Llama 3.1 405B FP8 on four and eight MI300X with vLLM (dstack benchmarks, Apache-2.0): batches and open traffic.
//!
//! In: rows of `dstack_mi300x`. Out: time to the last token of static batches; TTFT and TPOT of open traffic that the
//! server keeps up with, and the saturation throughput where it does not. "Offline" rows queue N requests at once: a
//! static batch. "2FP8" is two replicas of four GPUs side by side, whose batch rows copy those of one.

use super::names::{self, Layout, Names, under};
use super::row::{Row, Skip};
use super::{Quantity, Reading, Table};
use crate::estimate::Load;
use crate::requirements::Statistic;

pub(super) const TABLE: Table = Table {
    columns: &["e2e_ms", "output_tok_s_total", "config", "qps_target", "ttft_p50_ms", "tpot_p50_ms"],
    read,
};

/// Below this share of the offered rate the queue grows for as long as the run lasts (assumed).
const KEEPS_UP: f64 = 0.95;

fn read(row: &Row<'_>, names: &Names<'_>) -> Result<Reading, Skip> {
    let config = row.text("config");
    let twice = config.contains("2FP8");
    let rate = row.number("qps_target");
    if config.ends_with("meta") {
        let cause =
            "four times as slow as the other FP8 checkpoint: its scales had no fast kernel on this GPU";
        return Err(Skip::new("no-fast-kernel", cause));
    }
    if twice && rate.is_none() {
        return Err(Skip::new("duplicate", "copies the rows of one replica of four GPUs"));
    }
    let (model, _) = names.model(row.text("model"))?;
    let gpu = names.gpu(row.text("gpu"))?;
    // vLLM of 2024-11 is 0.6.
    let generation = (row.text("engine") == "vLLM").then_some("vllm-24");
    let engine = names.engine(row.text("engine"), generation, row.text("engine_version"))?;
    let weights = names::weights(row.text("precision_weights"), model)?;
    let gpus = row.count("n_gpus").unwrap_or(1);
    let data = if twice { 2 } else { 1 };
    let layout = Layout { tensor: gpus / data, data, ..Layout::of(gpus, generation) };
    let request = names.request((model, weights), &gpu, layout, "auto", engine)?;
    let lengths = (row.number("input_tokens"), row.number("output_tokens"));
    let tokens_per_s = row.number("output_tok_s_total");

    let median = Some(Statistic::P50);
    let (request, figures) = if let Some(rate) = rate {
        let served = tokens_per_s.zip(lengths.1).map_or(rate, |(tokens, each)| tokens / each);
        if served < KEEPS_UP * rate {
            let figures = vec![(Quantity::OutputTokens, None, tokens_per_s)];
            (under(request, Load::Max, None, lengths)?, figures)
        } else {
            let mut request = under(request, Load::Open, None, lengths)?;
            request.rate_per_s = Some(rate);
            let (ttft_ms, tpot_ms) = (row.number("ttft_p50_ms"), row.number("tpot_p50_ms"));
            (request, vec![(Quantity::Ttft, median, ttft_ms), (Quantity::Tpot, median, tpot_ms)])
        }
    } else {
        let figures = vec![(Quantity::E2e, None, row.number("e2e_ms"))];
        (under(request, Load::Static, row.number("concurrency_or_batch"), lengths)?, figures)
    };
    Ok(Reading { source: row.text("source").to_owned(), as_of: row.date("date"), request, figures })
}
