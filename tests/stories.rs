//! Stories: one folder of `tests/scenarios/` for each way in which the answer can turn, worked by hand in its prose.
//!
//! `story.md` works the figures out, `with.yaml` and `without.yaml` differ in one thing, `expected.json` says what
//! comes of each; an optional `catalog/` is laid over the shipped one. Every expected figure must stand in the prose.

#![allow(clippy::unwrap_used, reason = "a test may stop here")]

#[path = "common/run.rs"]
mod run;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use run::bursar;
use serde::Deserialize;
use serde_json::Value;

/// What a story says of one of its requests.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    /// Exit code.
    #[serde(default)]
    exit: i32,
    /// `local`, `cloud` or `hybrid`.
    kind: Option<String>,
    /// Recurring bill, to the cent.
    usd_per_month: Option<f64>,
    /// Paid once, to the cent.
    usd_upfront: Option<f64>,
    /// By workload and target, as `workload > words of the label`: share of the month, to 1e-4.
    #[serde(default)]
    shares: BTreeMap<String, f64>,
    /// Words that must stand in the label of some deployment.
    #[serde(default)]
    runs: Vec<String>,
    /// Words that must not.
    #[serde(default)]
    not: Vec<String>,
    /// Other values of the result, by JSON pointer; numbers to a relative 1e-4.
    #[serde(default)]
    values: BTreeMap<String, Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Both {
    with: Expected,
    without: Expected,
}

fn stories() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios");
    let mut all: Vec<PathBuf> = fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()).collect();
    all.retain(|path| path.join("story.md").exists());
    all.sort();
    all
}

fn answer(story: &Path, file: &str) -> (i32, Value, String) {
    let request = story.join(file).display().to_string();
    let overlay = story.join("catalog").display().to_string();
    let mut words = vec!["recommend", &request, "--format", "json", "--top", "1"];
    if story.join("catalog").exists() {
        words.extend(["--catalog", &overlay]);
    }
    let run = bursar(&words);
    assert!(run.exit <= 1, "{request}: exit {}\n{}", run.exit, run.stderr);
    (run.exit, run.json(), run.stderr)
}

/// What runs, what it costs and how far it carries: must differ between the two requests of a story.
fn essence(answer: &Value) -> Value {
    let plan = &answer["plans"][0];
    let labels: Vec<&Value> =
        plan["deployments"].as_array().into_iter().flatten().map(|deployed| &deployed["label"]).collect();
    serde_json::json!([
        answer["status"],
        plan["usd_per_month"],
        plan["usd_upfront"],
        labels,
        plan["routing"],
        answer["growth"]
    ])
}

fn near(got: f64, expected: f64, tolerance: f64) -> bool {
    (got - expected).abs() <= tolerance
}

/// A figure as the prose may write it: `1415.68`, `1,415.68`, `0.4250`.
fn stands_in(prose: &str, figure: f64) -> bool {
    let plain = prose.replace(',', "");
    let forms = [format!("{figure:.2}"), format!("{figure}"), format!("{figure:.3}"), format!("{figure:.4}")];
    forms.iter().any(|form| plain.contains(form.as_str()))
}

fn holds(story: &str, prose: &str, expected: &Expected, exit: i32, answer: &Value) -> Vec<String> {
    let mut wrong = Vec::new();
    let plan = &answer["plans"][0];
    let mut miss = |what: String| wrong.push(format!("{story}: {what}"));
    if exit != expected.exit {
        miss(format!("exit {exit}, expected {}", expected.exit));
    }
    if let Some(kind) = &expected.kind
        && plan["kind"] != **kind
    {
        miss(format!("kind {}, expected {kind}", plan["kind"]));
    }
    for (key, figure) in [("usd_per_month", expected.usd_per_month), ("usd_upfront", expected.usd_upfront)] {
        let Some(figure) = figure else { continue };
        let got = plan[key].as_f64().unwrap_or(f64::NAN);
        if !near(got, figure, 0.005_001) {
            miss(format!("{key} {got}, expected {figure}"));
        }
        if !stands_in(prose, figure) {
            miss(format!("{figure} is not worked out in story.md"));
        }
    }
    let label = |id: &Value| {
        let deployed = plan["deployments"].as_array().into_iter().flatten().find(|d| d["id"] == *id);
        deployed.and_then(|d| d["label"].as_str()).unwrap_or_default().to_owned()
    };
    for (route, share) in &expected.shares {
        let (workload, target) = route.split_once(" > ").expect("workload > words of a label");
        let got: f64 = plan["routing"]
            .as_array()
            .into_iter()
            .flatten()
            .filter(|r| r["workload"] == workload && label(&r["target"]).contains(target))
            .filter_map(|r| r["share"].as_f64())
            .sum();
        if !near(got, *share, 1e-4) {
            miss(format!("share of {route} {got}, expected {share}"));
        }
        if !stands_in(prose, *share) {
            miss(format!("{share} is not worked out in story.md"));
        }
    }
    let labels: Vec<String> = plan["deployments"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|d| d["label"].as_str().map(str::to_owned))
        .collect();
    for words in &expected.runs {
        if !labels.iter().any(|label| label.contains(words.as_str())) {
            miss(format!("{words:?} does not run, but {labels:?}"));
        }
    }
    for words in &expected.not {
        if labels.iter().any(|label| label.contains(words.as_str())) {
            miss(format!("{words:?} runs: {labels:?}"));
        }
    }
    for (pointer, value) in &expected.values {
        let got = answer.pointer(pointer).unwrap_or(&Value::Null);
        let same = match (got.as_f64(), value.as_f64()) {
            (Some(got), Some(value)) => near(got, value, 1e-4 * value.abs()),
            _ => got == value,
        };
        if !same {
            miss(format!("{pointer} is {got}, expected {value}"));
        }
    }
    wrong
}

#[test]
fn each_story_ends_as_its_prose_says() {
    let mut wrong = Vec::new();
    for story in stories() {
        let name = story.file_name().unwrap().to_string_lossy().into_owned();
        let prose = fs::read_to_string(story.join("story.md")).unwrap();
        let both: Both =
            serde_json::from_str(&fs::read_to_string(story.join("expected.json")).unwrap()).unwrap();
        let mut ends = Vec::new();
        for (file, expected) in [("with.yaml", &both.with), ("without.yaml", &both.without)] {
            let (exit, answer, _) = answer(&story, file);
            wrong.extend(holds(&format!("{name}/{file}"), &prose, expected, exit, &answer));
            ends.push(essence(&answer));
        }
        if ends[0] == ends[1] {
            wrong.push(format!("{name}: the answer does not change"));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}
