//! The readers of measurements: each format gives the rows it holds, every fault its exact message, noise no panic.
//!
//! `BLESS=1 cargo test --test measurement_readers` writes the messages of `tests/errors/E07*` anew.

#![allow(clippy::unwrap_used, reason = "a test may end in a panic")]

mod common;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use bursar::error::Fault;
use bursar::measurement::{Defaults, Measurement, Measurements, read};
use bursar::requirements::Statistic;
use common::world;
use proptest::prelude::*;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn text_of(name: &str) -> String {
    fs::read_to_string(root().join("tests/measurements").join(name)).unwrap()
}

fn measured(name: &str, defaults: &Defaults) -> Measurements {
    read(&format!("runs/{name}"), &text_of(name), world(), defaults)
        .unwrap_or_else(|faults| panic!("{}", said(&faults)))
}

fn said(faults: &[Fault]) -> String {
    faults.iter().map(|fault| format!("{fault}\n")).collect()
}

fn statistic(row: &Measurement) -> &'static str {
    match row.statistic {
        None => "-",
        Some(Statistic::Mean) => "mean",
        Some(Statistic::P50) => "p50",
        Some(Statistic::P90) => "p90",
        Some(Statistic::P95) => "p95",
        Some(Statistic::P99) => "p99",
    }
}

/// One line a row: where, what and how much.
fn figures(found: &Measurements) -> Vec<String> {
    let line = |row: &Measurement| {
        format!(
            "{}:{} {} {} {:.3}",
            row.place.line,
            row.place.key,
            row.quantity.word(),
            statistic(row),
            row.value
        )
    };
    found.rows.iter().map(line).collect()
}

fn rejected(found: &Measurements) -> Vec<String> {
    let line = |row: &bursar::measurement::Rejected| {
        format!("{}:{} {}: {}", row.place.line, row.place.key, row.reason, row.cause)
    };
    found.rejected.iter().map(line).collect()
}

#[test]
fn a_row_of_the_long_form_holds_one_figure() {
    let found = measured("long.csv", &Defaults::default());
    assert_eq!(
        figures(&found),
        [
            "3:value tpot_ms mean 7.900",
            "4:value ttft_ms p95 148.000",
            "6:value output_tokens_per_s - 5210.000"
        ]
    );
    let first = &found.rows[0];
    assert_eq!((first.source.as_str(), first.as_of.unwrap().to_string().as_str()), ("lab", "2026-03-05"));
    assert_eq!(first.request.weights.as_deref(), Some("fp8"));
    assert_eq!(first.request.engine_version.as_deref(), Some("0.11"));
    assert_eq!(first.request.concurrency, Some(16.0));
    assert!(first.request.id.is_null());
    let last = &found.rows[2];
    assert_eq!((last.source.as_str(), last.as_of.unwrap().to_string().as_str()), ("long.csv", "2026-04-01"));
    assert_eq!((last.request.gpus, last.request.concurrency), (Some(4), None));
}

#[test]
fn a_stranger_leaves_its_row_out_and_not_the_file() {
    let found = measured("long.csv", &Defaults::default());
    assert_eq!(
        rejected(&found),
        [
            "7: unknown-model: no model `Llama-9-8B` in the catalog; did you mean `Llama-2-13B`?",
            "8: unknown-gpu: no gpu `h1000` in the catalog; did you mean `H100`?",
            "9: unknown-engine: no engine `vlm` in the catalog; did you mean `vllm`?",
            "10: unknown-precision: no precision `q4` in the catalog"
        ]
    );
}

#[test]
fn a_row_of_the_wide_form_holds_what_its_cells_do() {
    let found = measured("wide.csv", &Defaults::default());
    assert_eq!(
        figures(&found),
        [
            "3:ttft_ms_p50 ttft_ms p50 94.000",
            "3:ttft_ms_p95 ttft_ms p95 210.000",
            "3:tpot_ms tpot_ms - 21.500",
            "3:requests_per_s requests_per_s - 2.000",
            "4:ttft_ms_p95 ttft_ms p95 390.000",
            "4:tpot_ms tpot_ms - 26.250"
        ]
    );
    assert_eq!(rejected(&found), ["5: nothing-measured: no figure is given"]);
    assert_eq!(found.rows[0].request.rate_per_s, Some(2.0));
}

#[test]
fn flags_fill_the_blanks_of_a_table() {
    let text = "model,gpu,tpot_ms\n,,7\nLlama-3.1-8B,l4,30\n";
    let defaults = Defaults {
        model: Some("Llama-3.3-70B".to_owned()),
        gpu: Some("h100".to_owned()),
        tensor_parallel: Some(4),
        ..Defaults::default()
    };
    let found = read("-", &format!("\u{feff}{text}"), world(), &defaults).unwrap();
    let names: Vec<_> =
        found.rows.iter().map(|row| (row.request.model.as_str(), row.request.gpu.as_str())).collect();
    assert_eq!(names, [("Llama-3.3-70B", "h100"), ("Llama-3.1-8B", "l4")]);
    assert_eq!(found.rows[0].request.tensor_parallel, Some(4));
    let found = read("-", "tpot_ms\n7\n", world(), &defaults).unwrap();
    assert_eq!(
        (found.rows[0].request.model.as_str(), found.rows[0].request.gpu.as_str()),
        ("Llama-3.3-70B", "h100")
    );
}

/// The flags that a tool's file leaves open.
fn on_h100() -> Defaults {
    Defaults { gpu: Some("h100".to_owned()), ..Defaults::default() }
}

/// Load, its number, and the mean lengths of each configuration in the order of the file.
fn loads(found: &Measurements) -> Vec<String> {
    let line = |row: &Measurement| {
        let request = &row.request;
        let number = request.rate_per_s.or(request.concurrency);
        let (input, output) = (request.input_tokens.unwrap(), request.output_tokens.unwrap());
        format!("{:?} {:?} {input} -> {output}", request.load.unwrap(), number)
    };
    let mut lines: Vec<String> = found.rows.iter().map(line).collect();
    lines.dedup();
    lines
}

#[test]
fn vllm_says_the_load_and_its_metadata_the_rest() {
    let found = measured("vllm-closed.json", &Defaults::default());
    assert_eq!(
        figures(&found),
        [
            "1:mean_ttft_ms ttft_ms mean 182.500",
            "1:median_ttft_ms ttft_ms p50 160.250",
            "1:p99_ttft_ms ttft_ms p99 610.000",
            "1:mean_tpot_ms tpot_ms mean 14.500",
            "1:median_tpot_ms tpot_ms p50 14.250",
            "1:p99_tpot_ms tpot_ms p99 15.750",
            "1:output_throughput output_tokens_per_s - 2048.000",
            "1:request_throughput requests_per_s - 8.000"
        ]
    );
    assert_eq!(loads(&found), ["Closed Some(32.0) 1024 -> 256"]);
    let row = &found.rows[0];
    assert_eq!((row.request.model.as_str(), row.request.gpu.as_str()), ("Llama-3.1-8B-Instruct", "H100"));
    assert_eq!((row.request.tensor_parallel, row.request.weights.as_deref()), (Some(2), Some("fp8")));
    assert_eq!(
        (row.request.engine.as_deref(), row.request.engine_version.as_deref()),
        (None, Some("0.11.0"))
    );
    assert_eq!(
        (row.source.as_str(), row.as_of.unwrap().to_string().as_str()),
        ("vllm-closed.json", "2026-03-05")
    );
}

#[test]
fn vllm_appends_a_run_a_line() {
    let found = measured("vllm-appended.json", &on_h100());
    assert_eq!(
        figures(&found),
        [
            "1:mean_ttft_ms ttft_ms mean 40.000",
            "1:p50_ttft_ms ttft_ms p50 35.000",
            "1:p90_ttft_ms ttft_ms p90 60.000",
            "1:p95_ttft_ms ttft_ms p95 70.000",
            "1:mean_tpot_ms tpot_ms mean 9.500",
            "1:mean_e2el_ms e2e_ms mean 2462.500",
            "1:output_throughput output_tokens_per_s - 2048.000",
            "1:request_throughput requests_per_s - 8.000",
            "2:mean_tpot_ms tpot_ms mean 21.000",
            "2:output_throughput output_tokens_per_s - 2048.000",
            "2:request_throughput requests_per_s - 8.000"
        ]
    );
    assert_eq!(loads(&found), ["Open Some(4.0) 1024 -> 256", "Max Some(320.0) 1024 -> 256"]);
    let reasons: Vec<_> = found.rejected.iter().map(|row| (row.place.line, row.reason)).collect();
    assert_eq!(
        reasons,
        [
            (3, "bursty-arrivals"),
            (4, "ramp-up"),
            (5, "speculative-decoding"),
            (6, "nothing-completed"),
            (7, "nothing-generated")
        ]
    );
}

#[test]
fn flags_overrule_the_file_of_a_tool() {
    let defaults = Defaults {
        model: Some("Llama-3.3-70B".to_owned()),
        gpu: Some("l4".to_owned()),
        gpus: Some(4),
        tensor_parallel: Some(4),
        weights: Some("int4".to_owned()),
        kv: Some("fp8".to_owned()),
        engine: Some("sglang".to_owned()),
        engine_version: Some("0.5".to_owned()),
    };
    let request = &measured("vllm-closed.json", &defaults).rows[0].request;
    assert_eq!((request.model.as_str(), request.gpu.as_str()), ("Llama-3.3-70B", "l4"));
    assert_eq!((request.gpus, request.tensor_parallel), (Some(4), Some(4)));
    assert_eq!((request.weights.as_deref(), request.kv.as_deref()), (Some("int4"), Some("fp8")));
    assert_eq!((request.engine.as_deref(), request.engine_version.as_deref()), (Some("sglang"), Some("0.5")));
}

#[test]
fn guidellm_runs_a_strategy_a_benchmark() {
    let found = measured("guidellm-0.5.json", &on_h100());
    assert_eq!(
        loads(&found),
        [
            "Closed Some(1.0) 1000 -> 256",
            "Max Some(512.0) 1000 -> 256",
            "Closed Some(16.0) 1000 -> 256",
            "Open Some(4.5) 1000 -> 256"
        ]
    );
    let p95: Vec<_> = found.rows.iter().filter(|row| row.statistic == Some(Statistic::P95)).collect();
    assert_eq!((p95[0].quantity.word(), p95[0].value), ("ttft_ms", 44.0));
    assert_eq!(p95[0].place.key, "benchmarks[0].metrics.time_to_first_token_ms.successful.percentiles.p95");
    assert_eq!((p95[2].quantity.word(), p95[2].value), ("e2e_ms", 1934.5));
    assert_eq!(p95[0].as_of.unwrap().to_string(), "2026-03-05");
    let reasons: Vec<_> = found.rejected.iter().map(|row| (row.place.key.as_str(), row.reason)).collect();
    assert_eq!(reasons, [("benchmarks[5]", "unknown-load"), ("benchmarks[6]", "nothing-generated")]);
    // 5 statistics of 3 times, and 2 rates.
    assert_eq!(found.rows.len(), 5 * 17);
}

#[test]
fn guidellm_of_other_versions_is_read_as_well() {
    let found = measured("guidellm-0.2.json", &on_h100());
    assert_eq!(loads(&found), ["Closed Some(8.0) 1000 -> 256"]);
    assert_eq!(found.rows[0].request.model, "Qwen/Qwen2.5-7B-Instruct");
    assert_eq!(found.rows[0].as_of.unwrap().to_string(), "2025-04-24");
}

#[test]
fn llama_bench_measures_one_request_alone() {
    let found = measured("llama-bench.json", &Defaults::default());
    assert_eq!(
        figures(&found),
        [
            "0:[0].avg_ts ttft_ms - 64.000",
            "0:[1].avg_ts tpot_ms - 8.000",
            "0:[2].avg_ts tpot_ms - 10.000",
            "0:[3].avg_ts ttft_ms - 80.000",
            "0:[4].avg_ts e2e_ms - 1000.000",
            "0:[7].avg_ts tpot_ms - 8.000",
            "0:[10].avg_ts tpot_ms - 20.000"
        ]
    );
    assert_eq!(
        loads(&found),
        [
            "Static Some(1.0) 512 -> 1",
            "Static Some(1.0) 1 -> 128",
            "Static Some(1.0) 4096 -> 128",
            "Static Some(1.0) 2048 -> 1",
            "Static Some(1.0) 512 -> 128",
            "Static Some(1.0) 1 -> 128",
            "Static Some(1.0) 1 -> 64"
        ]
    );
    let request = &found.rows[0].request;
    assert_eq!((request.model.as_str(), request.gpu.as_str()), ("Qwen2.5-7B-Instruct", "rtx-4090"));
    assert_eq!((request.weights.as_deref(), request.kv.as_deref()), (Some("q4_k_m"), Some("auto")));
    assert_eq!(
        (request.engine.as_deref(), request.engine_version.as_deref()),
        (Some("llama.cpp"), Some("5163"))
    );
    assert_eq!(found.rows[0].as_of.unwrap().to_string(), "2026-03-05");
    assert_eq!(found.rows[3].request.prefix_hit, Some(0.75));
    let two = &found.rows[5].request;
    assert_eq!((two.gpus, two.pipeline_parallel, two.kv.as_deref()), (Some(2), Some(2), Some("fp8")));
    assert_eq!(found.rows[6].request.weights.as_deref(), Some("q8_0"));
    let reasons: Vec<_> = found.rejected.iter().map(|row| (row.place.key.as_str(), row.reason)).collect();
    assert_eq!(
        reasons,
        [
            ("[5]", "partial-offload"),
            ("[6]", "kv-precision"),
            ("[8]", "mixed-gpus"),
            ("[9]", "unknown-gpu"),
            ("[11]", "unknown-model"),
            ("[12]", "unknown-precision")
        ]
    );
}

#[test]
fn llama_bench_says_the_same_in_each_of_its_formats() {
    let rows = |name: &str| {
        let found = measured(name, &Defaults::default());
        found.rows.into_iter().map(|row| (row.request, row.quantity, row.value)).collect::<Vec<_>>()
    };
    let json = rows("llama-bench.json");
    assert_eq!(rows("llama-bench.jsonl"), json[..2]);
    assert_eq!(rows("llama-bench.csv"), json[..2]);
}

fn folders() -> Vec<PathBuf> {
    let mut folders: Vec<_> =
        fs::read_dir(root().join("tests/errors")).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.retain(|path| path.file_name().unwrap().to_string_lossy().starts_with("E07"));
    folders.sort();
    folders
}

/// Compares with the message on record, or writes it anew.
fn same_as(path: &Path, message: &str) {
    if std::env::var_os("BLESS").is_some() {
        fs::write(path, message).unwrap();
    }
    assert_eq!(message, fs::read_to_string(path).unwrap_or_default(), "{}", path.display());
}

#[test]
fn every_faulty_file_gets_its_exact_message() {
    for folder in folders() {
        let code = folder.file_name().unwrap().to_string_lossy().into_owned();
        let mut cases: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        cases.retain(|path| path.extension().is_some_and(|extension| extension != "txt"));
        cases.sort();
        for case in cases {
            let name = case.file_name().unwrap().to_string_lossy().into_owned();
            let faults = read(&name, &fs::read_to_string(&case).unwrap(), world(), &Defaults::default())
                .expect_err(&format!("{code}/{name} has no fault"));
            assert!(faults.iter().any(|fault| fault.code == code), "{code}/{name}:\n{}", said(&faults));
            same_as(&case.with_file_name(format!("{name}.txt")), &said(&faults));
        }
    }
}

#[test]
fn more_faults_than_anyone_reads_are_counted() {
    let rows: String = (0..150).map(|row| format!("Llama-3.1-8B,h100,-{row}\n")).collect();
    let faults =
        read("many.csv", &format!("model,gpu,tpot_ms\n{rows}"), world(), &Defaults::default()).unwrap_err();
    assert_eq!(faults.len(), 101);
    same_as(&root().join("tests/errors/E0799/many.txt"), &said(&faults[100..]));
}

#[test]
fn every_code_has_a_folder_and_a_line_in_the_docs() {
    let of = |text: &str| -> BTreeSet<String> {
        text.match_indices("E07").filter_map(|(at, _)| text.get(at..at + 5)).map(ToOwned::to_owned).collect()
    };
    let source = fs::read_to_string(root().join("src/measurement/codes.rs")).unwrap();
    let docs = fs::read_to_string(root().join("docs/errors.md")).unwrap();
    let with_cases: BTreeSet<String> = folders()
        .iter()
        .filter(|folder| fs::read_dir(folder).unwrap().next().is_some())
        .map(|folder| folder.file_name().unwrap().to_string_lossy().into_owned())
        .collect();
    assert_eq!(of(&source), with_cases, "codes of the readers and folders in tests/errors");
    assert_eq!(of(&source), of(&docs), "codes of the readers and lines in docs/errors.md");
}

/// Every file of the folder, to be damaged.
const SOUND: [&str; 9] = [
    "long.csv",
    "wide.csv",
    "vllm-closed.json",
    "vllm-appended.json",
    "guidellm-0.5.json",
    "guidellm-0.2.json",
    "llama-bench.json",
    "llama-bench.jsonl",
    "llama-bench.csv",
];

fn survives(bytes: &[u8]) {
    if let Err(faults) = read("noise", &String::from_utf8_lossy(bytes), world(), &Defaults::default()) {
        assert!(!faults.is_empty());
        for fault in faults {
            assert!(!fault.cause.is_empty() && !fault.cure.is_empty(), "{fault}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        survives(&bytes);
    }

    #[test]
    fn arbitrary_cells_never_panic(text in "[-a-z0-9.,\"#:{}\\[\\]\n ]{0,120}") {
        survives(format!("model,gpu,gpus,as_of,measure,statistic,value\n{text}").as_bytes());
    }

    #[test]
    fn any_value_under_any_key_never_panics(
        which in 2..8_usize,
        pointer in 0..1000_usize,
        value in prop_oneof![
            any::<f64>().prop_map(serde_json::Value::from),
            any::<i64>().prop_map(serde_json::Value::from),
            any::<bool>().prop_map(serde_json::Value::from),
            ".{0,12}".prop_map(serde_json::Value::from),
            Just(serde_json::json!(null)),
            Just(serde_json::json!([])),
            Just(serde_json::json!({})),
        ],
    ) {
        let text = text_of(SOUND[which]);
        let first = serde_json::Deserializer::from_str(&text).into_iter::<serde_json::Value>().next();
        let mut document = first.unwrap().unwrap();
        let mut pointers = Vec::new();
        walk(&document, String::new(), &mut pointers);
        *document.pointer_mut(&pointers[pointer % pointers.len()]).unwrap() = value;
        survives(document.to_string().as_bytes());
    }

    #[test]
    fn damaged_files_never_panic(
        which in 0..SOUND.len(),
        from in any::<prop::sample::Index>(),
        length in 0..40_usize,
        put in "[-a-zé0-9{}\\[\\],\".\n ]{0,8}",
    ) {
        let mut bytes = text_of(SOUND[which]).into_bytes();
        let from = from.index(bytes.len());
        let until = (from + length).min(bytes.len());
        bytes.splice(from..until, put.into_bytes());
        survives(&bytes);
    }
}

fn walk(value: &serde_json::Value, path: String, found: &mut Vec<String>) {
    match value {
        serde_json::Value::Object(map) => {
            for (key, value) in map {
                walk(value, format!("{path}/{}", key.replace('~', "~0").replace('/', "~1")), found);
            }
        }
        serde_json::Value::Array(items) => {
            for (index, value) in items.iter().enumerate() {
                walk(value, format!("{path}/{index}"), found);
            }
        }
        _ => {}
    }
    found.push(path);
}
