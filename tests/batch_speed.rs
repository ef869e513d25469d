//! A batch of 20,000 mixed configurations: the same bytes as one at a time, and in release within three seconds.
//!
//! `cargo test --release --test batch_speed -- --ignored` leaves the lines in `target/tmp/mixed.ndjson`, to be timed by
//! hand as well. The lines are a deterministic walk over every model, GPU, precision, engine and load; a quarter are open.

#![allow(clippy::unwrap_used, reason = "a test may stop at once")]

use std::fmt::Write as _;
use std::time::Instant;

use bursar::catalog::Catalog;
use bursar::estimate::{Request, batch, single};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// `count` lines, the same ones on every machine.
fn mixed(count: usize) -> String {
    let catalog = Catalog::embedded();
    let mut rng = ChaCha8Rng::seed_from_u64(20_000);
    let mut text = String::new();
    for id in 0..count {
        let mut pick = |most: usize| rng.random_range(0..most);
        let model = &catalog.models[pick(catalog.models.len())].id;
        // Half of the lines run on the GPUs people rent most.
        let popular = ["h100-sxm", "a100-sxm-80", "l4", "l40s", "rtx-4090", "h200-sxm", "b200-sxm"];
        let gpu = match pick(2) {
            0 => popular[pick(popular.len())],
            _ => &catalog.gpus[pick(catalog.gpus.len())].id,
        };
        let gpus = [1, 1, 2, 4, 8][pick(5)];
        let weights = ["", "", "bf16", "fp8", "int4", "int8", "q4_k_m"][pick(7)];
        let engine = match weights {
            "q4_k_m" => "llama.cpp",
            _ => ["vllm", "vllm", "vllm", "sglang", "tensorrt-llm"][pick(5)],
        };
        let load = match pick(8) {
            0 | 1 => format!(r#""load":"open","rate_per_s":{}"#, [0.2, 0.5, 1.0, 2.0, 5.0, 20.0][pick(6)]),
            2 | 3 => format!(r#""load":"closed","concurrency":{}"#, 1 + pick(200)),
            4 => r#""load":"max""#.to_owned(),
            _ => format!(r#""load":"static","concurrency":{}"#, 1 << pick(8)),
        };
        let (input, output) = (16 + pick(4000), 1 + pick(1000));
        write!(
            text,
            r#"{{"id":{id},"model":"{model}","gpu":"{gpu}","gpus":{gpus},"engine":"{engine}",{load}"#
        )
        .unwrap();
        if !weights.is_empty() {
            write!(text, r#","weights":"{weights}""#).unwrap();
        }
        if pick(4) == 0 {
            text.push_str(r#","kv":"fp8""#);
        }
        writeln!(text, r#","input_tokens":{input},"output_tokens":{output}}}"#).unwrap();
    }
    text
}

#[test]
fn a_batch_says_what_each_line_says_alone() {
    let lines = mixed(600);
    let mut together = Vec::new();
    batch(Catalog::embedded(), lines.as_bytes(), &mut together).unwrap();
    let alone = |line: &str| {
        let request = Request::parse(line.as_bytes()).unwrap();
        format!("{}\n", single(Catalog::embedded(), &request).to_json())
    };
    assert_eq!(String::from_utf8(together).unwrap(), lines.lines().map(alone).collect::<String>());
}

#[test]
#[ignore = "a timing: run it in release"]
fn twenty_thousand_lines_take_at_most_three_seconds() {
    let lines = mixed(20_000);
    std::fs::write(concat!(env!("CARGO_TARGET_TMPDIR"), "/mixed.ndjson"), &lines).unwrap();
    let start = Instant::now();
    let mut answers = Vec::new();
    let summary = batch(Catalog::embedded(), lines.as_bytes(), &mut answers).unwrap();
    let seconds = start.elapsed().as_secs_f64();
    assert_eq!((summary.lines, summary.errors), (20_000, 0), "{summary:?}");
    assert!(summary.fits > 8_000, "{summary:?}");
    assert!(cfg!(debug_assertions) || seconds <= 3.0, "{seconds:.2} s");
}
