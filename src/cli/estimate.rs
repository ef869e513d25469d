//! `bursar estimate`: what one configuration, or a file of them, does: memory, latencies, throughput.
//!
//! In: flags that mirror the fields of the batch contract, or NDJSON. Out: a table, JSON, or NDJSON in the order of the
//! lines. A configuration that does not fit is an answer, exit code 0; a line that cannot be read is answered too.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, ErrorKind};
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::input::Facts;
use super::{Outcome, say};
use crate::catalog::Catalog;
use crate::error::Error;
use crate::estimate::{self, Load, Request};
use crate::render::estimate::table;

/// Estimate one configuration, or a file of them
#[derive(Debug, clap::Args)]
#[command(
    after_long_help = "Figures are medians with a two-sided 90 % interval. Basis: measured, calibrated (this \
    model was seen with this engine, GPU and precision), extrapolated, assumed (a judgement; wide). The table also says where the time of a \
    token and of a prompt goes, and which single change would make it faster, or what would fit.\n\nExamples:\n  \
    bursar estimate --model meta-llama/Llama-3.1-8B-Instruct --gpu l4 --input-tokens 500 --output-tokens 200\n  \
    bursar estimate --model meta-llama/Llama-3.3-70B-Instruct --gpu h100-sxm --gpus 4 --weights fp8 --load open \
    --rate-per-s 2\n  bursar estimate --batch configurations.ndjson > answers.ndjson"
)]
pub(super) struct Args {
    #[command(flatten)]
    facts: Facts,
    /// Read configurations from this file, one JSON object a line (`-` = stdin), and answer each on a line
    #[arg(long, value_name = "FILE", conflicts_with_all = ["model", "gpu", "format"])]
    batch: Option<PathBuf>,
    /// With --batch: each answer also says where its time goes, as --format json does
    #[arg(long, requires = "batch")]
    breakdown: bool,
    /// Hugging Face id of the model, or an alias
    #[arg(long, required_unless_present = "batch")]
    model: Option<String>,
    /// GPU id or an alias
    #[arg(long, required_unless_present = "batch")]
    gpu: Option<String>,
    /// GPUs of one replica: tensor x pipeline x data parallel
    #[arg(long)]
    gpus: Option<u32>,
    /// GPUs that share each layer [default: all]
    #[arg(long)]
    tensor_parallel: Option<u32>,
    /// Stages the layers are cut into [default: 1]
    #[arg(long)]
    pipeline_parallel: Option<u32>,
    /// Ranks with sequences of their own [default: 1]
    #[arg(long)]
    data_parallel: Option<u32>,
    /// GPUs the experts are spread over [default: 1, as the other weights]
    #[arg(long)]
    expert_parallel: Option<u32>,
    /// Precision of the weights: bf16, fp16, fp8, int8, int4, nvfp4, mxfp4 or a GGUF type [default: as published]
    #[arg(long)]
    weights: Option<String>,
    /// Precision of the KV cache: auto, bf16 or fp8
    #[arg(long)]
    kv: Option<String>,
    /// vllm, sglang, tensorrt-llm, llama.cpp or tgi [default: vllm]
    #[arg(long)]
    engine: Option<String>,
    /// Version of the engine; an unknown one means the nearest generation [default: newest]
    #[arg(long)]
    engine_version: Option<String>,
    /// How requests arrive [default: open with --rate-per-s, else static]
    #[arg(long)]
    load: Option<Load>,
    /// Requests together (static), clients (closed), requests queued (max) [default: 1]
    #[arg(long)]
    concurrency: Option<f64>,
    /// Poisson arrivals, requests/s (open)
    #[arg(long)]
    rate_per_s: Option<f64>,
    /// Prompt, tokens [default: 1024]
    #[arg(long)]
    input_tokens: Option<f64>,
    /// Answer, tokens [default: 256]
    #[arg(long)]
    output_tokens: Option<f64>,
    /// Most sequences in the running batch [default: the engine's]
    #[arg(long)]
    max_batch: Option<u32>,
    /// Longest request, tokens [default: input + output]
    #[arg(long)]
    context_tokens: Option<f64>,
    /// Share of prompt tokens found in the prefix cache
    #[arg(long)]
    prefix_hit: Option<f64>,
    /// Share of each GPU's memory the engine may take [default: the engine's]
    #[arg(long)]
    gpu_memory_utilization: Option<f64>,
    /// How to print
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    Table,
    Json,
}

pub(super) fn run(args: &Args) -> Result<Outcome, Error> {
    let catalog = args.facts.catalog()?;
    match &args.batch {
        Some(file) => batch(&catalog, file, args.breakdown),
        None => one(&catalog, args),
    }
}

fn batch(catalog: &Catalog, file: &Path, parts: bool) -> Result<Outcome, Error> {
    let shown = file.to_string_lossy();
    let fault = |error: &io::Error| {
        Error::fault(
            "E0902",
            &shown,
            format!("cannot be read: {error}"),
            "Give a file of JSON lines, or `-`.",
        )
    };
    let stdout = BufWriter::new(io::stdout().lock());
    let done = if shown == "-" {
        estimate::batch_with(catalog, io::stdin().lock(), stdout, parts)
    } else {
        let reader = BufReader::new(File::open(file).map_err(|error| fault(&error))?);
        estimate::batch_with(catalog, reader, stdout, parts)
    };
    match done {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(fault(&error)),
        _ => Ok(Outcome::Fine),
    }
}

fn one(catalog: &Catalog, args: &Args) -> Result<Outcome, Error> {
    let request = args.request();
    request.check().map_err(|refusal| flag_fault(&refusal.message))?;
    let answer = estimate::single(catalog, &request);
    if let estimate::Outcome::Refused(refusal) = &answer.outcome {
        return Err(flag_fault(&refusal.message));
    }
    say(&match args.format {
        Format::Json => {
            let mut json = answer.to_json();
            if let estimate::Outcome::Fits(measures) = &answer.outcome
                && let Some(parts) = estimate::breakdown(catalog, &request, measures)
            {
                json["breakdown"] = parts.to_json();
            }
            format!("{json:#}\n")
        }
        Format::Table => table(catalog, &request, &answer),
    })?;
    Ok(Outcome::Fine)
}

fn flag_fault(message: &str) -> Error {
    Error::fault("E0903", "estimate", message.to_owned(), "`bursar estimate --help` lists the flags.")
}

impl Args {
    fn request(&self) -> Request {
        Request {
            id: Value::from("estimate"),
            model: self.model.clone().unwrap_or_default(),
            gpu: self.gpu.clone().unwrap_or_default(),
            gpus: self.gpus,
            tensor_parallel: self.tensor_parallel,
            pipeline_parallel: self.pipeline_parallel,
            data_parallel: self.data_parallel,
            expert_parallel: self.expert_parallel,
            weights: self.weights.clone(),
            kv: self.kv.clone(),
            engine: self.engine.clone(),
            engine_version: self.engine_version.clone(),
            load: self.load,
            concurrency: self.concurrency,
            rate_per_s: self.rate_per_s,
            input_tokens: self.input_tokens,
            output_tokens: self.output_tokens,
            max_batch: self.max_batch,
            context_tokens: self.context_tokens,
            prefix_hit: self.prefix_hit,
            gpu_memory_utilization: self.gpu_memory_utilization,
        }
    }
}
