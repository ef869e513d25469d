//! Closed-loop runs collected by aiconfigurator (`silicon_sample`, Apache-2.0): InferenceX and NVIDIA's own.
//!
//! In: rows of `aiconfigurator_silicon_e2e`. Out: TTFT and TPOT at a number of clients. Prefill and decode on GPUs of their
//! own, and replicas larger than a server, are left out.

use super::names::{self, Layout, Names, admitted, under};
use super::row::{Row, Skip};
use super::{Quantity, Reading, Table};
use crate::estimate::Load;
use crate::requirements::Statistic;

pub(super) const TABLE: Table =
    Table { columns: &["ttft_ms", "tpot_ms", "mode", "moe_tp", "attention_dp", "gemm_quant"], read };

/// GPUs of a server: aggregated rows beyond it are disaggregated ones under a wrong label (oracle study, section 8).
const SERVER_GPUS: u32 = 8;

/// Words in a run's name or image that tell of draft tokens.
const SPECULATIVE: [&str; 6] = ["mtp", "eagle", "eagle3", "medusa", "specdec", "speculative"];

fn read(row: &Row<'_>, names: &Names<'_>) -> Result<Reading, Skip> {
    if row.text("mode") != "agg" || row.count("prefill_workers").or(row.count("decode_workers")).is_some() {
        return Err(Skip::new("disaggregated", "prefill and decode run on GPUs of their own"));
    }
    let run = row.text("id");
    let words = || run.split(|sign: char| !sign.is_ascii_alphanumeric());
    if let Some(word) = words().find(|word| SPECULATIVE.iter().any(|said| word.eq_ignore_ascii_case(said))) {
        return Err(Skip::new("speculative", format!("the run's name says `{word}`")));
    }
    let layout = layout(row)?;
    // InferenceX runs DeepSeek-R1 only; one of its exports names it by the base model.
    let named = if run.starts_with("dsr1_") { "deepseek-ai/DeepSeek-R1" } else { row.text("model") };
    let (model, _) = names.model(named)?;
    let gpu = names.gpu(row.text("gpu"))?;
    let precision = row.text("precision_weights");
    if model.id == "Qwen/Qwen3-32B" && gpu == "gb200" && precision.is_empty() {
        return Err(Skip::new("misreported", "these runs take 42 ms a token for 2 clients and 8 ms for 1"));
    }
    let as_of = row.date("date");
    let engine = row.text("engine");
    let generation = match engine {
        "trtllm" if as_of.is_some_and(|day| day.year() >= 2026) => Some("trtllm-26"),
        "trtllm" => Some("trtllm-25"),
        "vllm" => Some("vllm-25"),
        "sglang" => Some("sglang-25"),
        _ => None,
    };
    let engine = names.engine(engine, generation, row.text("engine_version"))?;
    let weights = names::weights(precision, model)?;
    // The table does not name the cache's precision; recipes for weights of 8 bits or fewer keep it at 8 (assumed).
    let kv = if weights == "bf16" { "auto" } else { "fp8" };

    let lengths = (row.number("input_tokens"), row.number("output_tokens"));
    let (ttft_ms, tpot_ms) = (row.number("ttft_ms"), row.number("tpot_ms"));
    admitted(ttft_ms, tpot_ms, lengths.1)?;
    let request = names.request((model, weights), &gpu, layout, kv, engine)?;
    let inference_x = row.text("source").starts_with("inferencex");
    let statistic = inference_x.then_some(Statistic::P50);
    Ok(Reading {
        source: if inference_x { "InferenceX".to_owned() } else { row.text("source").to_owned() },
        as_of,
        request: under(request, Load::Closed, row.number("concurrency_or_batch"), lengths)?,
        figures: vec![(Quantity::Ttft, statistic, ttft_ms), (Quantity::Tpot, statistic, tpot_ms)],
    })
}

/// GPUs and how they share the work. Some rows multiply tensor by expert parallelism: 64 GPUs for 8.
fn layout(row: &Row<'_>) -> Result<Layout, Skip> {
    let at_least_one = |column: &str| row.count(column).unwrap_or(1).max(1);
    let (pipeline, expert, moe) = (at_least_one("pp"), at_least_one("ep"), at_least_one("moe_tp"));
    let product = expert > 1 && moe == expert;
    let gpus = if product { moe * pipeline } else { at_least_one("n_gpus") };
    if gpus > SERVER_GPUS {
        let cause = format!("{gpus} GPUs in one replica, a server has {SERVER_GPUS}");
        return Err(Skip::new("more-than-one-server", cause));
    }
    let stage = (gpus / pipeline).max(1);
    // Ranks with attention of their own; the product of the label counts them as often as the GPUs.
    let data = at_least_one("attention_dp").min(stage);
    Ok(Layout { tensor: stage / data, pipeline, data, expert: Some(expert.min(stage)) })
}
