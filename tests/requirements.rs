//! What a requirements file means: every key once in three formats, defaults, units, clocks, lengths, patches.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use bursar::requirements::{
    self, LatencyMeasure, Objective, QualityFloor, Read, ReadContext, Routing, Spread, Statistic, Warning,
};
use jiff::civil::date;
use serde_json::json;

/// A small world of names, so that a new fact in the catalog changes no test here.
fn world() -> ReadContext {
    let set = |names: &[&str]| -> BTreeSet<String> { names.iter().map(|name| (*name).to_owned()).collect() };
    let gpus = [
        ("h100-sxm", "h100-sxm"),
        ("h100", "h100-sxm"),
        ("a100-sxm-80", "a100-sxm-80"),
        ("a100-80gb", "a100-sxm-80"),
        ("a10g", "a10g"),
    ];
    ReadContext {
        models: set(&[
            "meta-llama/Llama-3.1-8B-Instruct",
            "openai/gpt-4",
            "anthropic/claude-3-sonnet-20240229",
        ]),
        gpus: gpus.iter().map(|(name, id)| ((*name).to_owned(), (*id).to_owned())).collect(),
        providers: set(&["aws", "openai", "seed-document"]),
        precisions: set(&["bf16", "fp16", "fp8", "int8", "int4"]),
        engines: set(&["vllm", "sglang", "tgi"]),
        regions: set(&["us-east-1", "eu-west-1"]),
        licences: set(&["apache-2.0", "llama3.1"]),
        scales: set(&["2024", "2026"]),
        benchmarks: set(&["mmlu-pro", "gpqa"]),
        ..ReadContext::bare(date(2026, 11, 20))
    }
}

fn folder() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/requirements"))
}

fn read(text: &str) -> Read {
    match requirements::read(text, "test.yaml", None, folder(), &world()) {
        Ok(read) => read,
        Err(faults) => panic!("{}", faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")),
    }
}

/// A file of one workload with more keys of that workload.
fn with(keys: &str) -> String {
    let rest: String = keys.lines().map(|line| format!("    {line}\n")).collect();
    format!("version: 1\nworkloads:\n  - name: a\n{rest}")
}

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-9 * a.abs().max(b.abs()).max(1e-300)
}

#[test]
fn three_formats_say_the_same() {
    let load = |name: &str| requirements::load(&folder().join(name), &world()).unwrap();
    let (yaml, toml, json) = (load("full.yaml"), load("full.toml"), load("full.json"));
    assert_eq!(yaml.requirements, toml.requirements);
    assert_eq!(yaml.requirements, json.requirements);
    assert_eq!(yaml.document, json.document);
    assert_eq!(yaml.document, toml.document);
    assert_eq!(yaml.warnings, json.warnings);
    assert_eq!(yaml.quotes, Some(folder().join("quotes.csv")));
}

#[test]
fn standard_input_is_told_by_its_content() {
    for name in ["full.yaml", "full.toml", "full.json"] {
        let text = std::fs::read_to_string(folder().join(name)).unwrap();
        let read = requirements::read(&text, "-", None, folder(), &world()).unwrap();
        assert_eq!(read.requirements.name, "support-chatbot");
    }
}

#[test]
fn every_key_arrives() {
    let text = std::fs::read_to_string(folder().join("full.yaml")).unwrap();
    let read = read(&text);
    let all = &read.requirements;
    let support = &all.workloads[0];
    assert_eq!(support.peak_factor, 1.5);
    // 85 % of 1,000 requests in nine hours; 8:00 at UTC-5 is 13:00 UTC.
    assert!(close(support.hourly_rps[13], 850.0 / 9.0 / 3600.0));
    assert!(close(support.hourly_rps[12], 150.0 / 15.0 / 3600.0));
    assert!(close(support.mean_rps(), 1000.0 / 86_400.0));
    assert_eq!(support.lengths.spread, Spread::Lognormal);
    assert_eq!(support.lengths.points.len(), 64);
    assert_eq!(support.lengths.reasoning_mean, Some(800.0));
    let limits: Vec<_> = support.latency.iter().map(|l| (l.measure, l.statistic, l.ms)).collect();
    assert_eq!(
        limits,
        [
            (LatencyMeasure::Ttft, Statistic::P95, 500.0),
            (LatencyMeasure::Tpot, Statistic::Mean, 50.0),
            (LatencyMeasure::E2e, Statistic::P95, 2000.0),
        ]
    );
    assert_eq!(
        support.quality,
        Some(QualityFloor::Tier { tier: "good".to_owned(), scale: Some("2024".to_owned()) })
    );
    assert_eq!(support.premium.as_ref().map(|premium| premium.share), Some(0.2));
    assert_eq!(support.needs, ["json", "tools"]);
    assert_eq!((support.response_hit, support.prefix_hit), (0.2, 0.5));
    let reports = &all.workloads[1];
    // The calendar of this file has 720 hours a month.
    assert!(close(reports.mean_rps(), 730.0 / (720.0 * 3600.0)));
    assert!(close(reports.hourly_rps[23], 2.0 * reports.hourly_rps[0]));
    // Three turns: prompts of 2000, 4800 and 7600 tokens.
    assert!(close(reports.lengths.input_mean, 4800.0));
    assert_eq!(reports.lengths.points.len(), 3);
    assert_eq!(reports.context_tokens, 8400.0);
    assert_eq!(
        reports.quality,
        Some(QualityFloor::Benchmark { benchmark: "mmlu-pro".to_owned(), min: 0.55 })
    );
    assert_eq!(all.budget.usd_per_month, Some(500.0));
    assert_eq!(all.availability, Some(0.999));
    assert_eq!(all.limits.gpus, BTreeMap::from([("a10g".to_owned(), 0), ("h100-sxm".to_owned(), 4)]));
    assert_eq!((all.owned[0].gpu.as_str(), all.owned[0].count), ("a100-sxm-80", 4));
    assert_eq!(all.measured.len(), 4);
    assert_eq!(all.measured[1].usd_per_request["support"], 0.0006);
    assert!(all.measured[3].capacity_rps.is_empty());
    assert!(all.measured_with_catalog && all.include_retired);
}

#[test]
fn defaults_are_those_of_the_contract() {
    let read = read(&with("requests: {per_day: 1000}\ntokens: {input: 150, output: 100}"));
    let all = &read.requirements;
    assert_eq!(all.name, "test");
    assert_eq!(all.as_of, date(2026, 11, 20));
    assert_eq!((all.routing, all.objective), (Routing::Hybrid, Objective::Cost));
    assert_eq!((all.confidence, all.headroom, all.hours_per_month), (0.9, 0.0, 730.0));
    assert_eq!(all.budget, requirements::Budget::default());
    assert!(all.availability.is_none() && !all.include_retired && all.measured.is_empty());
    let workload = &all.workloads[0];
    assert_eq!(workload.peak_factor, 1.0);
    assert_eq!(workload.context_tokens, 250.0);
    assert_eq!(workload.lengths.points, [(150.0, 100.0, 1.0)]);
    assert_eq!(workload.lengths.spread, Spread::Constant);
    assert!(workload.hourly_rps.iter().all(|rate| close(*rate, 1000.0 / 86_400.0)));
    assert_eq!(read.warnings, [Warning::ConstantLengths { workload: "a".to_owned() }]);
}

#[test]
fn rates_of_every_unit_are_requests_a_second() {
    for (key, seconds) in
        [("per_second", 1.0), ("per_hour", 3600.0), ("per_day", 86_400.0), ("per_month", 730.0 * 3600.0)]
    {
        let read = read(&with(&format!("requests: {{{key}: 7}}\ntokens: {{input: 10, output: 10}}")));
        assert!(close(read.requirements.workloads[0].mean_rps(), 7.0 / seconds), "{key}");
    }
}

#[test]
fn a_trace_gives_rates_and_lengths() {
    let read = read(&with("requests: {trace: trace.csv}"));
    let workload = &read.requirements.workloads[0];
    // 49 rows, one an hour from midnight, over 48 hours.
    assert!(close(workload.hourly_rps[5], 1.0 / 3600.0), "{}", workload.hourly_rps[5]);
    assert_eq!(workload.lengths.spread, Spread::Trace);
    assert!(workload.lengths.points.len() <= 64);
    let mean: f64 = workload.lengths.points.iter().map(|(input, _, weight)| input * weight).sum();
    assert!(close(mean, workload.lengths.input_mean));
    assert!(close(mean, (1..=49).map(|i| f64::from(i * 10)).sum::<f64>() / 49.0));
    assert_eq!(workload.context_tokens, 490.0 + 49.0 + 4.0);
}

#[test]
fn the_azure_header_is_read_too_and_a_short_trace_is_flat() {
    let read = read(&with("requests: {trace: azure.csv}\ntokens: {reasoning: 500}"));
    let workload = &read.requirements.workloads[0];
    assert!(workload.hourly_rps.iter().all(|rate| close(*rate, 0.1)));
    assert_eq!(workload.lengths.reasoning_mean, Some(500.0));
    assert!(matches!(read.warnings[0], Warning::ShortTrace { .. }));
}

#[test]
fn aliases_within_reason_are_expanded() {
    let read = read(
        "version: 1\nworkloads:\n  - &first\n    name: a\n    requests: &rate {per_day: 10}\n    tokens: &t {input: 10, output: 10}\n  - {name: b, requests: *rate, tokens: *t}\n",
    );
    assert_eq!(read.requirements.workloads[0].hourly_rps, read.requirements.workloads[1].hourly_rps);
}

#[test]
fn a_patched_document_reads_as_if_written_so() {
    let read = read(&with("requests: {per_day: 1000}\ntokens: {input: 150, output: 100}"));
    let patch = BTreeMap::from([
        ("/budget/usd_per_month".to_owned(), json!(612)),
        ("/workloads/0/latency/e2e_ms/p95".to_owned(), json!(2340)),
    ]);
    let document = requirements::apply_patch(&read.document, &patch).unwrap();
    let again = requirements::read_value(&document, "test.yaml", folder(), &world()).unwrap();
    assert_eq!(again.requirements.budget.usd_per_month, Some(612.0));
    assert_eq!(again.requirements.workloads[0].latency[0].ms, 2340.0);
    assert_eq!(again.requirements.workloads[0].hourly_rps, read.requirements.workloads[0].hourly_rps);
}

#[test]
fn doubtful_files_warn() {
    let read = read(&with(
        "requests: {per_day: 1000}\ntokens: {input: {mean: 150, p95: 500}, output: 100}\ncontext_tokens: 200\nlatency: {e2e_ms: {p95: 2000}, ttft_ms: {p95: 5000}}",
    )
    .replace("version: 1", "version: 1\nas_of: 2030-01-01\nallow: {models: [\"nobody/*\"]}"));
    let kinds: Vec<_> = read.warnings.iter().map(ToString::to_string).collect();
    assert_eq!(
        kinds,
        [
            "as_of: 2030-01-01 is long after 2026-11-20, the date of the catalog; prices will have moved",
            "a: the limit ttft_ms.p95 can never bind, because e2e_ms.p95 is tighter; remove it",
            "a: context_tokens 200 is below the longest request described, 2198 tokens; longer requests would be cut off",
            "allow.models[0]: nobody/* matches nothing in the catalog; `bursar catalog list` shows the names",
        ]
    );
}

#[test]
fn the_examples_of_the_manual_read() {
    let manual = include_str!("../docs/requirements.md");
    let examples: Vec<&str> =
        manual.split("```yaml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert_eq!(examples.len(), 5);
    read(examples[0]);
    let least = read(examples[1]);
    // The others show a section only.
    let limited = read(&format!("{}{}", examples[1], examples[2]));
    assert_eq!(limited.requirements.limits.apis.len(), 2);
    let routed = read(&format!("{}{}", examples[1], examples[3])).requirements;
    assert_eq!((routed.routers.len(), routed.cascades.len()), (1, 1));
    let measured = format!("{}{}", examples[1], examples[4]);
    assert_eq!(read(&measured).requirements.measured.len(), 2);
    assert_eq!(least.requirements.workloads.len(), 1);
}

#[test]
fn the_manual_names_every_key() {
    let manual = include_str!("../docs/requirements.md");
    let text = std::fs::read_to_string(folder().join("full.yaml")).unwrap();
    fn keys(value: &serde_json::Value, found: &mut BTreeSet<String>) {
        if let Some(map) = value.as_object() {
            for (key, value) in map {
                found.insert(key.clone());
                // What stands below these is named by the user.
                if !matches!(key.as_str(), "gpus" | "capacity_rps" | "usd_per_request") {
                    keys(value, found);
                }
            }
        }
        for item in value.as_array().into_iter().flatten() {
            keys(item, found);
        }
    }
    let mut found = BTreeSet::new();
    keys(&read(&text).document, &mut found);
    for key in found {
        assert!(manual.contains(&key), "docs/requirements.md does not name {key}");
    }
}
