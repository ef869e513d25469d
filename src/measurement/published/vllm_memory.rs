//! GPU memory by purpose, from start-up logs of vLLM 0.19 on H100 (llm-d planner study, Apache-2.0).
//!
//! In: rows of `vllm_h100_memory_breakdown`. Out: weights, KV pool, and the tokens the pool holds. Not: activations and
//! CUDA graphs, which no measurement is compared with.

use super::names::{self, Layout, Names};
use super::row::{Row, Skip};
use super::{Quantity, Reading, Table};
use crate::estimate::Request;

pub(super) const TABLE: Table =
    Table { columns: &["weight_gib", "kv_cache_gib", "kv_cache_tokens", "gpu_memory_utilization"], read };

fn read(row: &Row<'_>, names: &Names<'_>) -> Result<Reading, Skip> {
    // Blank, or `compressed-tensors`: the checkpoint's name tells.
    let (model, weights) = names.model(row.text("model"))?;
    let gpu = names.gpu(row.text("gpu"))?;
    let generation = (row.text("engine") == "vLLM").then_some("vllm-25");
    let engine = names.engine(row.text("engine"), generation, row.text("engine_version"))?;
    let kv = names::cache(row.text("precision_kv"))?;
    let layout = Layout {
        pipeline: row.count("pp").unwrap_or(1),
        ..Layout::of(row.count("tp").or(row.count("n_gpus")).unwrap_or(1), generation)
    };
    let request = names.request((model, &weights.0), &gpu, layout, kv, engine)?;
    Ok(Reading {
        source: row.text("source").to_owned(),
        as_of: None,
        request: Request {
            context_tokens: row.number("max_model_len"),
            gpu_memory_utilization: row.number("gpu_memory_utilization"),
            ..request
        },
        figures: vec![
            (Quantity::Weights, None, row.number("weight_gib")),
            (Quantity::KvPool, None, row.number("kv_cache_gib")),
            (Quantity::KvPoolTokens, None, row.number("kv_cache_tokens")),
        ],
    })
}
