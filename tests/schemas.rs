//! The schemas written by hand say what the readers accept and the writers print.

#![allow(clippy::unwrap_used, reason = "a test may fail at once")]

use std::path::Path;

use bursar::render::schema;
use bursar::requirements::{ReadContext, read};
use serde_json::{Value, json};

fn valid(name: &str, value: &Value) -> Result<(), Vec<String>> {
    let validator = jsonschema::validator_for(&schema::schema(name).unwrap()).unwrap();
    let faults: Vec<String> =
        validator.iter_errors(value).map(|fault| format!("{}: {fault}", fault.instance_path())).collect();
    if faults.is_empty() { Ok(()) } else { Err(faults) }
}

/// Does the reader accept it? Names are not looked up, files are not opened.
fn accepted(document: &Value) -> bool {
    let context = ReadContext::bare("2026-11-20".parse().unwrap());
    read(&document.to_string(), "request.json", None, Path::new("tests/requirements"), &context).is_ok()
}

fn least() -> Value {
    json!({"version": 1, "workloads": [{"name": "a", "requests": {"per_day": 10}, "tokens": {"input": 10, "output": 10}}]})
}

#[test]
fn every_good_file_keeps_to_the_schema() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let full: Value =
        serde_json::from_str(&std::fs::read_to_string(root.join("tests/requirements/full.json")).unwrap())
            .unwrap();
    assert_eq!(valid("requirements", &full), Ok(()));
    let context = ReadContext::bare("2026-11-20".parse().unwrap());
    let Ok(examples) = std::fs::read_dir(root.join("examples")) else { return };
    for path in examples.map(|entry| entry.unwrap().path()) {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if !["yaml", "toml", "json"].iter().any(|end| name.ends_with(end)) {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let document = read(&text, &name, None, &root.join("examples"), &context).unwrap().document;
        assert_eq!(valid("requirements", &document), Ok(()), "{name}");
    }
}

#[test]
fn reader_and_schema_refuse_the_same_things() {
    let patches: [(&str, Value); 18] = [
        ("/version", json!(2)),
        ("/workload", json!([])),
        ("/workloads", json!([])),
        ("/workloads/0/name", json!(3)),
        ("/workloads/0/requests", json!({})),
        ("/workloads/0/requests/per_hour", json!(1)),
        ("/workloads/0/requests/profile", json!([1, 2, 3])),
        ("/workloads/0/tokens/input", json!(0)),
        ("/workloads/0/latency", json!({"e2e_ms": {"p96": 100}})),
        ("/workloads/0/quality", json!({"tier": "superb"})),
        ("/workloads/0/quality", json!({"benchmark": "mmlu_pro"})),
        ("/workloads/0/needs", json!(["magic"])),
        ("/budget", json!({"usd_per_month": -5})),
        ("/availability", json!(1.5)),
        ("/confidence", json!(0.3)),
        ("/limits", json!({"gpus": {"h100-sxm": -1}})),
        ("/measured", json!([{"option": "A", "capacity_rps": {"a": 1}}])),
        ("/calendar", json!({"hours_per_month": 1000})),
    ];
    assert!(accepted(&least()) && valid("requirements", &least()).is_ok());
    for (pointer, value) in patches {
        let patch = [(pointer.to_owned(), value.clone())].into();
        let document = bursar::requirements::apply_patch(&least(), &patch).unwrap();
        assert!(!accepted(&document), "the reader accepts {pointer} = {value}");
        assert!(valid("requirements", &document).is_err(), "the schema accepts {pointer} = {value}");
    }
}

#[test]
fn estimates_keep_to_their_schema() {
    let lines = [
        json!({"id": 1, "model": "meta-llama/Llama-3.1-8B-Instruct", "gpu": "l4", "load": "open", "rate_per_s": 0.5}),
        json!({"id": "two", "model": "meta-llama/Llama-3.1-8B-Instruct", "gpu": "h100-sxm", "gpus": 2, "concurrency": 8.0, "output_tokens": 1}),
        json!({"id": 3, "model": "meta-llama/Llama-3.1-70B-Instruct", "gpu": "l4"}),
        json!({"id": 4, "model": "meta-llama/Llama-3.1-8B-Instruct", "gpu": "l4", "load": "max"}),
    ];
    let mut input: String = lines.iter().map(|line| format!("{line}\n")).collect();
    for line in &lines {
        assert_eq!(valid("estimate-request", line), Ok(()), "{line}");
    }
    input += "{\"id\": 5, \"model\": \"nobody/nothing\", \"gpu\": \"l4\"}\nnonsense\n";
    let done = assert_cmd::Command::cargo_bin("bursar")
        .unwrap()
        .args(["estimate", "--batch", "-"])
        .write_stdin(input.clone())
        .output()
        .unwrap();
    let with_parts = assert_cmd::Command::cargo_bin("bursar")
        .unwrap()
        .args(["estimate", "--batch", "-", "--breakdown"])
        .write_stdin(input)
        .output()
        .unwrap();
    for out in [done.stdout, with_parts.stdout] {
        let out = String::from_utf8(out).unwrap();
        assert_eq!(out.lines().count(), 6);
        for line in out.lines() {
            assert_eq!(valid("estimate", &serde_json::from_str(line).unwrap()), Ok(()), "{line}");
        }
    }
}
