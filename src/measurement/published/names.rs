//! Names in published tables: models, GPUs, engine generations and precisions, as the catalog calls them.
//!
//! In: words of a table. Out: ids of the catalog, or the reason why the row takes no part. Only what catalog aliases do not
//! cover is listed here.

use super::row::{Row, Skip};
use crate::catalog::{Catalog, Model, Precision};
use crate::estimate::{Load, Request};

/// Models by names that only these tables use.
const MODELS: &[(&str, &str)] = &[
    ("Llama-3.1-405B FP8", "meta-llama/Llama-3.1-405B-Instruct"),
    ("CodeLlama-34B", "codellama/CodeLlama-34b-Instruct-hf"),
];

/// GPUs by names that only these tables use.
const GPUS: &[(&str, &str)] = &[
    ("H100-SXM", "h100-sxm"),
    ("H200-SXM", "h200-sxm"),
    ("7900 XTX", "rx-7900-xtx"),
    ("3090 24GB", "rtx-3090"),
    ("4080 16GB", "rtx-4080"),
    ("4090 24GB", "rtx-4090"),
    ("RTX 4000 Ada 20GB", "rtx-4000-ada"),
    ("RTX 5000 Ada 32GB", "rtx-5000-ada"),
    ("RTX 6000 Ada 48GB", "rtx-6000-ada"),
    ("RTX A6000 48GB", "rtx-a6000"),
    ("A40 48GB", "a40"),
    ("L40S 48GB", "l40s"),
    ("A100 PCIe 80GB", "a100-pcie-80"),
    ("A100 SXM 80GB", "a100-sxm-80"),
    ("H100 PCIe 80GB", "h100-pcie"),
    ("M2 Ultra 76-Core GPU 192GB", "apple-m2-ultra"),
];

/// How a replica is cut up.
#[derive(Clone, Copy)]
pub(super) struct Layout {
    pub(super) tensor: u32,
    pub(super) pipeline: u32,
    pub(super) data: u32,
    /// `None` where the table does not say.
    pub(super) expert: Option<u32>,
}

impl Layout {
    /// All GPUs share each layer; llama.cpp splits the layers among them instead.
    pub(super) fn of(gpus: u32, generation: Option<&str>) -> Self {
        let splits = generation.is_some_and(|id| id.starts_with("llamacpp"));
        let (tensor, pipeline) = if splits { (1, gpus) } else { (gpus, 1) };
        Self { tensor, pipeline, data: 1, expert: None }
    }
}

/// The catalog, asked by the names of published tables.
pub(super) struct Names<'c>(pub(super) &'c Catalog);

impl<'c> Names<'c> {
    /// A model and the precision of the checkpoint of that name.
    pub(super) fn model(&self, name: &str) -> Result<(&'c Model, Precision), Skip> {
        let name = listed(MODELS, name);
        self.0
            .checkpoint(name)
            .ok_or_else(|| Skip::new("unknown-model", format!("the catalog has no model `{name}`")))
    }

    /// A GPU's id.
    pub(super) fn gpu(&self, name: &str) -> Result<String, Skip> {
        let name = listed(GPUS, name);
        let found = self.0.gpu(name).map(|gpu| gpu.id.clone());
        found.ok_or_else(|| Skip::new("unknown-gpu", format!("the catalog has no GPU `{name}`")))
    }

    /// Engine family and a version that leads to the generation: the stated one if it does, else the generation's first.
    pub(super) fn engine(
        &self,
        word: &str,
        generation: Option<&str>,
        stated: &str,
    ) -> Result<(String, String), Skip> {
        let found = generation.and_then(|id| self.0.engines.iter().find(|engine| engine.id == id));
        let Some(engine) = found else {
            return Err(Skip::new("unknown-engine", format!("the catalog has no generation of `{word}`")));
        };
        let leads = |version: &&str| {
            self.0.engine(&engine.family, Some(version)).is_some_and(|other| other.id == engine.id)
        };
        let version = version_in(stated).filter(leads).unwrap_or(&engine.version_from);
        Ok((engine.family.clone(), version.to_owned()))
    }

    /// A batch started together, as the tables of one engine and one box state it.
    pub(super) fn static_batch(
        &self,
        row: &Row<'_>,
        model: &Model,
        gpu: &str,
        generation: Option<&str>,
        engine: (String, String),
    ) -> Result<Request, Skip> {
        let weights = weights(row.text("precision_weights"), model)?;
        let kv = cache(row.text("precision_kv"))?;
        let layout = Layout::of(row.count("n_gpus").unwrap_or(1), generation);
        let request = self.request((model, weights), gpu, layout, kv, engine)?;
        let lengths = (row.number("input_tokens"), row.number("output_tokens"));
        under(request, Load::Static, row.number("concurrency_or_batch"), lengths)
    }

    /// A request of everything but load and lengths.
    pub(super) fn request(
        &self,
        (model, weights): (&Model, &str),
        gpu: &str,
        layout: Layout,
        kv: &str,
        (family, version): (String, String),
    ) -> Result<Request, Skip> {
        Ok(Request {
            model: model.id.clone(),
            gpu: self.gpu(gpu)?,
            gpus: Some(layout.tensor * layout.pipeline * layout.data),
            tensor_parallel: Some(layout.tensor),
            pipeline_parallel: Some(layout.pipeline),
            data_parallel: Some(layout.data),
            expert_parallel: layout.expert,
            weights: Some(weights.to_owned()),
            kv: Some(kv.to_owned()),
            engine: Some(family),
            engine_version: Some(version),
            ..Request::default()
        })
    }
}

fn listed<'n>(table: &[(&str, &'n str)], name: &'n str) -> &'n str {
    table.iter().find(|(word, _)| word.eq_ignore_ascii_case(name)).map_or(name, |(_, id)| id)
}

/// The version in a cell: `0.2` of `~0.2 (2023)`; a month such as `2024-11` is none.
fn version_in(cell: &str) -> Option<&str> {
    let word = cell.trim_start_matches('~').split_whitespace().next()?;
    (word.starts_with(|sign: char| sign.is_ascii_digit()) && word.contains('.')).then_some(word)
}

/// The catalog's word for the precision of weights; 4-bit floats of a model published in MXFP4 are MXFP4.
pub(super) fn weights(word: &str, model: &Model) -> Result<&'static str, Skip> {
    Ok(match word {
        // Tables that compare precisions leave the native one unlabelled.
        "" | "fp16/bf16" | "bf16" => "bf16",
        "fp16" | "F16" | "full_prec" => "fp16",
        "fp8" => "fp8",
        "fp4" if model.native.0 == "mxfp4" => "mxfp4",
        "fp4" => "nvfp4",
        "int8" | "int8_sq" => "int8",
        "Q4_K_M" => "q4_k_m",
        other => return Err(Skip::new("unknown-precision", format!("no precision is called `{other}`"))),
    })
}

/// The contract's word for the precision of the cache; int8 takes the bytes of fp8.
pub(super) fn cache(word: &str) -> Result<&'static str, Skip> {
    Ok(match word {
        "" | "auto" => "auto",
        "fp16/bf16" | "bf16" | "fp16" | "f16" => "bf16",
        "fp8" | "int8" => "fp8",
        other => {
            return Err(Skip::new("unknown-precision", format!("no cache precision is called `{other}`")));
        }
    })
}

/// Cuts the load and the lengths into a request.
pub(super) fn under(
    request: Request,
    load: Load,
    concurrency: Option<f64>,
    (input, output): (Option<f64>, Option<f64>),
) -> Result<Request, Skip> {
    let (Some(input), Some(output)) = (input, output.filter(|output| *output >= 1.0)) else {
        return Err(Skip::new("no-lengths", "prompt and answer lengths are not stated"));
    };
    if concurrency.is_none_or(|clients| clients < 1.0) && matches!(load, Load::Static | Load::Closed) {
        return Err(Skip::new("no-concurrency", "the number of requests together is not stated"));
    }
    Ok(Request {
        load: Some(load),
        concurrency,
        input_tokens: Some(input),
        output_tokens: Some(output),
        ..request
    })
}

/// Refuses rows where clients wait for admission: the first token takes longer than all others, so the running batch is
/// smaller than the number of clients, and unknown.
pub(super) fn admitted(ttft_ms: Option<f64>, tpot_ms: Option<f64>, output: Option<f64>) -> Result<(), Skip> {
    let (Some(ttft_ms), Some(tpot_ms), Some(output)) = (ttft_ms, tpot_ms, output) else { return Ok(()) };
    if ttft_ms > output * tpot_ms {
        let cause = format!("first token after {ttft_ms} ms, {output} tokens at {tpot_ms} ms");
        return Err(Skip::new("admission-limited", cause));
    }
    Ok(())
}
