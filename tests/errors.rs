//! Every fault of a requirements file: `tests/errors/<code>/<case>` is a faulty file, `<case>.txt` its exact message.
//!
//! `BLESS=1 cargo test --test errors` writes the messages anew; read the diff as a user would. A case of code E0122
//! may hold other codes as well, but its own must be among them.

#![expect(clippy::unwrap_used, reason = "a test may end in a panic")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use bursar::error::Fault;
use bursar::requirements::{self, ReadContext, SIZE_MAX, codes};
use jiff::civil::date;
use proptest::prelude::*;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/errors")
}

/// A small world of names, so that a new fact in the catalog changes no message.
fn world() -> ReadContext {
    let set = |names: &[&str]| -> BTreeSet<String> { names.iter().map(|name| (*name).to_owned()).collect() };
    let gpus =
        [("h100-sxm", "h100-sxm"), ("h100", "h100-sxm"), ("a100-sxm-80", "a100-sxm-80"), ("a10g", "a10g")];
    ReadContext {
        models: set(&[
            "meta-llama/Llama-3.1-8B-Instruct",
            "openai/gpt-4",
            "anthropic/claude-3-sonnet-20240229",
        ]),
        gpus: gpus.iter().map(|(name, id)| ((*name).to_owned(), (*id).to_owned())).collect(),
        providers: set(&["aws", "openai"]),
        precisions: set(&["bf16", "fp16", "fp8", "int8", "int4"]),
        engines: set(&["vllm", "sglang", "tgi"]),
        regions: set(&["us-east-1", "eu-west-1"]),
        licences: set(&["apache-2.0", "llama3.1"]),
        scales: set(&["2024", "2026"]),
        benchmarks: set(&["mmlu-pro", "gpqa"]),
        ..ReadContext::bare(date(2026, 11, 20))
    }
}

fn said(faults: &[Fault]) -> String {
    faults.iter().map(|fault| format!("{fault}\n")).collect()
}

/// Compares with the message on record, or writes it anew.
fn same_as(file: &str, message: &str) {
    let path = root().join(file);
    if std::env::var_os("BLESS").is_some() {
        fs::write(&path, message).unwrap();
    }
    assert_eq!(message, fs::read_to_string(path).unwrap_or_default(), "{file}");
}

fn folders() -> Vec<(String, PathBuf)> {
    let mut folders: Vec<_> = fs::read_dir(root())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), path))
        // Faults of measurements are tested with their readers.
        .filter(|(code, _)| !code.starts_with("E07"))
        .collect();
    folders.sort();
    folders
}

/// Faulty files of a folder: all but messages and the traces and quotes that they name.
fn cases(folder: &Path) -> Vec<PathBuf> {
    let mut cases: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.retain(|path| path.extension().is_some_and(|extension| extension != "txt" && extension != "csv"));
    cases.sort();
    cases
}

#[test]
fn every_faulty_file_gets_its_exact_message() {
    let bless = std::env::var_os("BLESS").is_some();
    let (mut count, mut wrong) = (0, Vec::new());
    for (code, folder) in folders() {
        // Patches, and faults too large to keep, have tests of their own below.
        for case in cases(&folder) {
            count += 1;
            let name = case.file_name().unwrap().to_string_lossy().into_owned();
            let faults = requirements::read_bytes(&fs::read(&case).unwrap(), &name, None, &folder, &world())
                .expect_err(&format!("{code}/{name} has no fault"));
            assert!(faults.iter().any(|fault| fault.code == code), "{code}/{name}:\n{}", said(&faults));
            let message = case.with_file_name(format!("{name}.txt"));
            if bless {
                fs::write(&message, said(&faults)).unwrap();
            } else if fs::read_to_string(&message).unwrap_or_default() != said(&faults) {
                wrong.push(format!("{code}/{name} now says\n{}", said(&faults)));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count >= 45, "{count} faulty files");
}

#[test]
fn every_code_has_a_folder_and_a_line_in_the_docs() {
    let source =
        fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/src/requirements/codes.rs")).unwrap();
    let docs = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/errors.md")).unwrap();
    let of = |text: &str| -> BTreeSet<String> {
        text.match_indices("E01").filter_map(|(at, _)| text.get(at..at + 5)).map(ToOwned::to_owned).collect()
    };
    let with_cases: BTreeSet<String> = folders()
        .into_iter()
        .filter(|(code, folder)| code.starts_with("E01") && fs::read_dir(folder).unwrap().next().is_some())
        .map(|(code, _)| code)
        .collect();
    assert_eq!(of(&source), with_cases, "codes of the reader and folders in tests/errors");
    assert_eq!(of(&source), of(&docs), "codes of the reader and lines in docs/errors.md");
}

#[test]
fn ten_megabytes_of_noise_are_refused_at_once() {
    let mut state = 1_u64;
    let noise: Vec<u8> = std::iter::repeat_with(|| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 56) as u8
    })
    .take(10 * 1024 * 1024)
    .collect();
    let faults = requirements::read_bytes(&noise, "noise.yaml", None, &root(), &world()).unwrap_err();
    same_as("E0102/noise.txt", &said(&faults));
    assert_eq!(faults[0].code, codes::TOO_LARGE);
}

#[test]
fn as_much_as_is_read_at_all_ends_in_a_fault_and_in_time() {
    for name in ["a.yaml", "a.toml", "a.json"] {
        for filler in ["a", "[", "{", "- ", "a: ", "\n", "\"", "a = 1\n", "&a [*a, ", "? "] {
            let text = filler.repeat(SIZE_MAX / 16 / filler.len());
            requirements::read(&text, name, None, &root(), &world()).unwrap_err();
        }
    }
}

#[test]
fn a_missing_file_and_a_folder_are_faults() {
    let missing = requirements::load(&root().join("E0101/nowhere.yaml"), &world()).unwrap_err();
    let folder = requirements::load(&root().join("E0101"), &world()).unwrap_err();
    let shown = format!("{}{}", said(&missing), said(&folder)).replace(&*root().to_string_lossy(), "…");
    same_as("E0101/unreadable.txt", &shown);
}

#[test]
fn a_patch_that_does_not_fit_is_a_fault() {
    let document = serde_json::json!({"version": 1, "workloads": [{"name": "a"}]});
    let patch = ["budget", "/workloads/3/name", "/workloads/-", "/version/minor"]
        .map(|pointer| (pointer.to_owned(), serde_json::json!(1)))
        .into();
    let faults = requirements::apply_patch(&document, &patch).unwrap_err();
    same_as("E0180/patch.txt", &said(&faults));
}

#[test]
fn more_faults_than_anyone_reads_are_counted() {
    let keys: String = (0..150).map(|key| format!("wrong{key}: 1\n")).collect();
    let text = format!("version: 1\n{keys}");
    let faults = requirements::read(&text, "many.yaml", None, &root(), &world()).unwrap_err();
    assert_eq!(faults.len(), 101);
    same_as("E0199/many.txt", &said(&faults[100..]));
}

/// The whole example, to be damaged.
fn full(extension: &str) -> String {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/requirements").join(format!("full.{extension}"));
    fs::read_to_string(path).unwrap()
}

fn survives(bytes: &[u8], name: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/requirements");
    if let Err(faults) = requirements::read_bytes(bytes, name, None, &folder, &world()) {
        assert!(!faults.is_empty());
        for fault in faults {
            let message = fault.to_string();
            assert!(!message.contains('\n') && !fault.cure.is_empty(), "{message:?}");
        }
    }
}

const NAMES: [&str; 4] = ["x.yaml", "x.toml", "x.json", "-"];

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300), name in 0..4_usize) {
        survives(&bytes, NAMES[name]);
    }

    #[test]
    fn arbitrary_text_never_panics(text in "[-a-z0-9:{}\\[\\],&*!|>'\"%@`#?=. \n\t]{0,120}", name in 0..4_usize) {
        survives(text.as_bytes(), NAMES[name]);
    }

    #[test]
    fn damaged_files_never_panic(
        which in 0..3_usize,
        from in any::<prop::sample::Index>(),
        length in 0..40_usize,
        put in "[-a-z0-9:{}\\[\\],&*!'\"=.\n ]{0,8}",
    ) {
        let name = NAMES[which];
        let text = full(name.strip_prefix("x.").unwrap());
        let mut bytes = text.into_bytes();
        let from = from.index(bytes.len());
        let until = (from + length).min(bytes.len());
        bytes.splice(from..until, put.into_bytes());
        survives(&bytes, name);
    }

    #[test]
    fn any_value_under_any_key_never_panics(
        pointer in 0..1000_usize,
        value in prop_oneof![
            any::<f64>().prop_map(serde_json::Value::from),
            any::<i64>().prop_map(serde_json::Value::from),
            any::<bool>().prop_map(serde_json::Value::from),
            ".{0,12}".prop_map(serde_json::Value::from),
            Just(serde_json::json!([])),
            Just(serde_json::json!({})),
            Just(serde_json::json!([[{}]])),
        ],
    ) {
        let mut document: serde_json::Value = serde_json::from_str(&full("json")).unwrap();
        let mut pointers = Vec::new();
        walk(&document, String::new(), &mut pointers);
        *document.pointer_mut(&pointers[pointer % pointers.len()]).unwrap() = value;
        survives(document.to_string().as_bytes(), "x.json");
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
