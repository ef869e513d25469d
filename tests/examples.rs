//! Every example is listed in examples/README.md with its exit code, reads without a fault, and ends with that code on
//! the real catalog.

#![allow(clippy::unwrap_used, reason = "a test may stop here")]

#[path = "common/run.rs"]
mod run;

use std::collections::BTreeMap;

use run::{bursar, root};

/// File and exit code, from the tables of examples/README.md.
fn listed() -> BTreeMap<String, i32> {
    let text = std::fs::read_to_string(root().join("examples/README.md")).unwrap();
    let row = |line: &str| {
        let mut cells = line.strip_prefix("| `")?.split('|');
        let file = cells.next()?.trim().trim_end_matches('`').to_owned();
        Some((file, cells.next()?.trim().parse().ok()?))
    };
    text.lines().filter_map(row).collect()
}

#[test]
fn every_example_is_listed() {
    let mut there: Vec<String> = std::fs::read_dir(root().join("examples"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| [".yaml", ".toml", ".json"].iter().any(|end| name.ends_with(end)))
        .collect();
    there.sort();
    assert_eq!(listed().into_keys().collect::<Vec<_>>(), there);
}

#[test]
fn every_example_reads_without_a_fault() {
    for file in listed().into_keys() {
        let run = bursar(&["check", &format!("examples/{file}")]);
        assert_eq!(run.exit, 0, "{file}: {}{}", run.stdout, run.stderr);
    }
}

#[test]
fn every_example_keeps_to_the_schema_of_requests() {
    let schema = bursar(&["schema", "requirements"]).json();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let text = std::fs::read_to_string(root().join("examples/eu-private.json")).unwrap();
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    let faults: Vec<String> = validator.iter_errors(&value).map(|fault| fault.to_string()).collect();
    assert!(faults.is_empty(), "{faults:?}");
}

#[test]
fn every_example_ends_as_listed() {
    let mut wrong = Vec::new();
    for (file, exit) in listed() {
        let run = bursar(&["recommend", &format!("examples/{file}")]);
        if run.exit != exit {
            wrong.push(format!("{file}: exit {} instead of {exit}: {}", run.exit, run.stderr.trim()));
        }
        // A path or id without blanks cannot be broken; nothing else is wider than a terminal.
        for line in run.stdout.lines() {
            let wide = line.chars().count() > 100 && line.trim().contains(' ');
            if wide && line.split_whitespace().all(|word| word.chars().count() < 60) {
                wrong.push(format!("{file}: wider than 100 columns: {line}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
