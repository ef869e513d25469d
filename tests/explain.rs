//! The story behind a stored answer, as people and scripts meet it: depths, verdicts on named options, faults of the file.

#![allow(clippy::unwrap_used, reason = "a test may stop here")]

#[path = "common/run.rs"]
mod run;

use std::fs;

use run::{bursar, example};
use serde_json::Value;
use tempfile::TempDir;

/// An answer on disk.
fn stored(name: &str) -> (TempDir, String, Value) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("result.json").to_string_lossy().into_owned();
    let run = bursar(&["recommend", &example(name), "--format", "json"]);
    fs::write(&file, &run.stdout).unwrap();
    (folder, file, run.json())
}

fn verdicts(file: &str, options: &[&str]) -> Vec<Value> {
    let mut words = vec!["explain", file, "--json"];
    words.extend(options.iter().flat_map(|option| ["--why-not", option]));
    let run = bursar(&words);
    assert_eq!(run.exit, 0, "{}", run.stderr);
    assert!(run.stderr.is_empty(), "the catalog is the same: {}", run.stderr);
    run.json()["why_not"].as_array().unwrap().clone()
}

#[test]
fn a_stored_answer_is_told_at_three_depths() {
    let (_folder, file, answer) = stored("000-1-support-chatbot");
    let told = |depth: &str| {
        let run = bursar(&["explain", &file, "--depth", depth]);
        assert_eq!(run.exit, 0, "{}", run.stderr);
        run.stdout
    };
    let (paragraph, page, everything) = (told("paragraph"), told("page"), told("everything"));
    let label = answer["plans"][0]["deployments"][0]["label"].as_str().unwrap();
    assert!(paragraph.contains(label.split(',').next().unwrap()), "{paragraph}");
    assert!(paragraph.lines().count() <= 8, "{paragraph}");
    for part in ["why not", "proof", "trust"] {
        assert!(page.contains(part) && !page.contains("refused by   "), "{part}: {page}");
    }
    assert!(
        everything.contains("fact") && everything.contains("source") && everything.contains("refused by")
    );
    assert!(paragraph.len() < page.len() && page.len() < everything.len());
    assert_eq!(bursar(&["explain", &file]).stdout, everything, "everything is the default");
}

#[test]
fn an_option_that_cannot_fit_is_told_with_its_memory_sum() {
    let (_folder, file, _) = stored("000-1-support-chatbot");
    let all =
        verdicts(&file, &["Llama-3.1-405B-Instruct bf16 on one l4", "Llama-3.1-405B-Instruct on 1 x l4"]);
    let sum = &all[0]["memory"][0];
    assert_eq!((sum["precision"].as_str(), sum["fits"].as_bool()), (Some("bf16"), Some(false)));
    // 405.9 billion parameters of 2 bytes.
    let weights = sum["weights_gib"].as_f64().unwrap();
    assert!((weights - 405.9e9 * 2.0 / 1_073_741_824.0).abs() < 5.0, "{weights}");
    for verdict in &all {
        assert_eq!(verdict["reason"]["kind"], "breaks", "{verdict}");
        assert_eq!(verdict["reason"]["rule"], "weights_fit", "{verdict}");
        assert!(verdict["usd_per_month"].is_null(), "nothing runs, nothing is paid: {verdict}");
    }
}

#[test]
fn every_rule_an_option_breaks_is_named_with_its_figure() {
    let (_folder, file, _) = stored("000-1-support-chatbot");
    let all =
        verdicts(&file, &["Llama-3.1-8B-Instruct on h100-sxm", "deny-me/unknown-model", "Qwen3-4B q9 on l4"]);
    let rules: Vec<&str> = all[0]["also"]
        .as_array()
        .unwrap()
        .iter()
        .chain([&all[0]["reason"]])
        .map(|told| told["rule"].as_str().unwrap())
        .collect();
    assert!(rules.contains(&"quality") && rules.contains(&"usd_per_month"), "{rules:?}");
    assert!(all[0]["usd_per_month"].as_f64().unwrap() > 500.0);
    assert_eq!(all[1]["reason"]["kind"], "unknown");
    assert_eq!(
        (&all[2]["reason"]["kind"], &all[2]["reason"]["what"]),
        (&"unknown".into(), &"precision".into())
    );
}

#[test]
fn an_option_that_complies_wins_below_its_price_and_not_above() {
    let name = "000-1-support-chatbot";
    let (folder, file, answer) = stored(name);
    // The second plan is the best without the first: it complies, and is dearer.
    let second = &answer["plans"][1];
    let label = second["deployments"][0]["label"].as_str().unwrap();
    let verdict = verdicts(&file, &[label]).remove(0);
    assert_eq!(verdict["reason"]["kind"], "dearer", "{verdict}");
    let (alone, best) =
        (verdict["usd_per_month"].as_f64().unwrap(), verdict["best_usd_per_month"].as_f64().unwrap());
    assert!((alone - second["usd_per_month"].as_f64().unwrap()).abs() < 0.005, "{alone}");
    // What it pays is rent alone, so its price falls with the price of the hour.
    let (now, win) =
        (verdict["wins_at"]["usd_now"].as_f64().unwrap(), verdict["wins_at"]["usd"].as_f64().unwrap());
    assert!((win / now - best / alone).abs() < 1e-9);
    // And so it does: a quote a little below turns the answer, one a little above does not.
    let paid = &second["deployments"][0]["engine"]["paid"][0];
    let offer = paid["offer"].as_str().unwrap();
    for (factor, wins) in [(0.99, true), (1.01, false)] {
        let overlay = folder.path().join(format!("at-{factor}"));
        fs::create_dir(&overlay).unwrap();
        let table = fs::read_to_string(run::root().join("catalog/offers.csv")).unwrap();
        let (head, rows) = table.split_once('\n').unwrap();
        let price =
            head.split(',').position(|name| name == "price_usd_per_hour" || name == "usd_per_hour").unwrap();
        let row = rows.lines().find(|row| row.starts_with(&format!("{offer},"))).unwrap();
        let mut cells: Vec<String> = row.split(',').map(str::to_owned).collect();
        cells[price] = format!("{}", win * factor);
        fs::write(overlay.join("offers.csv"), format!("{head}\n{}\n", cells.join(","))).unwrap();
        let run = bursar(&[
            "recommend",
            &example(name),
            "--format",
            "json",
            "--catalog",
            &overlay.to_string_lossy(),
        ]);
        let first = run.json()["plans"][0]["deployments"][0]["label"].clone();
        assert_eq!(first == label, wins, "at {factor} of the price: {first} against {label}");
    }
}

#[test]
fn an_answer_that_cannot_be_read_is_a_fault() {
    let (folder, file, mut answer) = stored("000-1-support-chatbot");
    let fault = |text: &str| {
        let path = folder.path().join("bad.json");
        fs::write(&path, text).unwrap();
        let run = bursar(&["explain", &path.to_string_lossy()]);
        assert!(run.exit == 2 && run.stdout.is_empty(), "exit {}: {}", run.exit, run.stderr);
        run.stderr
    };
    assert!(fault("{").starts_with("E0905"));
    assert!(fault("[]").contains("schema_version"));
    answer["schema_version"] = 99.into();
    assert!(fault(&answer.to_string()).starts_with("E0906"));
    answer["schema_version"] = 1.into();
    answer["plans"] = "none".into();
    assert!(fault(&answer.to_string()).contains("not an answer"));
    assert_eq!(bursar(&["explain", "/nonexistent.json"]).exit, 2);
    // Another catalog is no fault, but is said.
    let text = fs::read_to_string(&file).unwrap().replacen("\"sha256\": \"", "\"sha256\": \"0", 1);
    fs::write(&file, text).unwrap();
    let run = bursar(&["explain", &file]);
    assert_eq!(run.exit, 0);
    assert!(run.stderr.starts_with("warning: the answer rests on catalog"), "{}", run.stderr);
}

/// A request of its own, as JSON, so that patches are applied to the file as given.
const REQUEST: &str = r#"{
  "version": 1,
  "workloads": [{
    "name": "support",
    "requests": {"per_day": 2000},
    "tokens": {"input": 300, "output": 100},
    "latency": {"e2e_ms": {"p95": 6000}},
    "quality": {"tier": "good"},
    "data": ["no-training"]
  }],
  "budget": {"usd_per_month": 400},
  "limits": {"max_deployments": 2}
}"#;

#[test]
fn a_step_of_a_limit_is_worth_what_solving_anew_says() {
    let folder = tempfile::tempdir().unwrap();
    let solve = |document: &Value, more: &[&str]| {
        let file = folder.path().join("request.json").to_string_lossy().into_owned();
        fs::write(&file, document.to_string()).unwrap();
        let mut words = vec!["recommend", &file, "--format", "json", "--top", "1"];
        words.extend(more);
        bursar(&words).json()
    };
    let document: Value = serde_json::from_str(REQUEST).unwrap();
    let answer = solve(&document, &["--explain"]);
    let steps = answer["steps"].as_array().unwrap();
    let rules: Vec<&str> = steps.iter().map(|step| step["rule"].as_str().unwrap()).collect();
    for rule in ["e2e_ms", "quality", "data", "usd_per_month", "max_deployments", "confidence", "headroom"] {
        assert!(rules.contains(&rule), "{rule} is not among {rules:?}");
    }
    let today = answer["plans"][0]["usd_per_month"].as_f64().unwrap();
    for step in steps {
        let patch = serde_json::from_value(step["patch"].clone()).unwrap();
        let anew = solve(&bursar::requirements::apply_patch(&document, &patch).unwrap(), &[]);
        let bill = anew["plans"][0]["usd_per_month"].as_f64();
        assert_eq!(bill, step["usd_per_month"].as_f64(), "{step}");
        assert_eq!(anew["status"], step["status"], "{step}");
        assert_eq!(bill.map(|bill| bill - today), step["difference"].as_f64(), "{step}");
    }
    assert!(steps.iter().any(|step| step["changes"] == true), "some limit matters");
    // The same from the stored answer.
    let file = folder.path().join("result.json").to_string_lossy().into_owned();
    let mut bare = answer.clone();
    bare.as_object_mut().unwrap().remove("steps");
    fs::write(&file, bare.to_string()).unwrap();
    assert_eq!(bursar(&["explain", &file, "--json"]).json()["steps"], answer["steps"]);
}

#[test]
fn runners_up_cost_what_they_cost_alone_with_every_way_to_pay() {
    let (_folder, file, answer) = stored("business-hours");
    let best = answer["plans"][0]["usd_per_month"].as_f64().unwrap();
    let dearer = |other: &&Value| other["reason"]["kind"] == "dearer" && other["kind"] == "local";
    let others: Vec<&Value> =
        answer["runners_up"].as_array().unwrap().iter().filter(dearer).take(2).collect();
    assert!(!others.is_empty(), "some own engine complies and is dearer");
    for other in others {
        let label = other["label"].as_str().unwrap();
        // Model on GPU, whatever the precision and the provider.
        let gpu = label.split(" x ").nth(1).unwrap().split(',').next().unwrap();
        let verdict = verdicts(&file, &[&format!("{} on {gpu}", other["model"].as_str().unwrap())]).remove(0);
        assert_eq!(verdict["usd_per_month"], other["usd_per_month"], "{label}");
        assert_eq!(verdict["wins_at"], other["wins_at"], "{label}");
        assert!(other["usd_per_month"].as_f64().unwrap() >= best - 0.005, "{label} would have won");
    }
}

#[test]
fn what_is_cheaper_and_loses_is_told_the_true_reason() {
    let folder = tempfile::tempdir().unwrap();
    let answer = |text: &str| {
        let file = folder.path().join("request.yaml").to_string_lossy().into_owned();
        fs::write(&file, text).unwrap();
        bursar(&["recommend", &file, "--format", "json", "--top", "1"]).json()
    };
    let workload =
        "version: 1\nworkloads:\n  - {name: a, requests: {per_hour: 300}, tokens: {input: 500, output: 200}";
    let mean = answer(&format!("{workload}, quality: {{mean: 55}}}}\nrouting: cloud\n"));
    let fast = answer(&format!(
        "{workload}, quality: {{tier: good}}}}\nbudget: {{usd_per_month: 900}}\nobjective: latency\n"
    ));
    let (mut by_mean, mut by_objective) = (0, 0);
    for (answer, mean) in [(&mean, true), (&fast, false)] {
        let best = answer["plans"][0]["usd_per_month"].as_f64().unwrap();
        for other in answer["runners_up"].as_array().unwrap() {
            let cheaper = other["usd_per_month"].as_f64().is_some_and(|usd| usd < best - 0.005);
            assert!(!cheaper || other["reason"]["kind"] != "dearer", "{other}");
            by_mean += u32::from(mean && cheaper && other["reason"]["rule"] == "quality_mean");
            by_objective += u32::from(!mean && other["reason"]["kind"] == "worse-on");
        }
    }
    assert!(by_mean > 0, "{}", mean["runners_up"]);
    assert!(by_objective > 0, "{}", fast["runners_up"]);
}

#[test]
fn carbon_names_the_grid_and_the_energy_it_rests_on() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("request.yaml").to_string_lossy().into_owned();
    let request = |routing: &str| {
        format!(
            "version: 1\nobjective: carbon\nrouting: {routing}\nworkloads:\n  - {{name: a, requests: {{per_hour: 300}}, \
             tokens: {{input: 500, output: 200}}, quality: {{tier: good}}}}\n"
        )
    };
    for (routing, named) in [
        ("cloud", &["grid_carbon", "api_energy_input_share"][..]),
        ("local", &["grid_carbon", "gpu_power_share", "gpu_share_of_it_power", "pue", "tdp_w"]),
    ] {
        fs::write(&file, request(routing)).unwrap();
        let answer = bursar(&["recommend", &file, "--format", "json", "--top", "1"]).json();
        let facts: Vec<&str> =
            answer["facts"].as_array().unwrap().iter().map(|fact| fact["id"].as_str().unwrap()).collect();
        for key in named {
            assert!(facts.iter().any(|id| id.contains(key)), "{key} is not among {facts:?}");
        }
    }
}
