//! The JSON report of GuideLLM (`guidellm benchmark … --output-path report.json`), versions 0.2 to 0.7.
//!
//! In: a report, each of whose `benchmarks` ran one strategy. Out: a run a benchmark, from its successful requests. The
//! report does not say on what it was measured: that comes from flags.

use serde_json::{Map, Value};

use super::Quantity;
use super::gather::{At, Figure, Found, Run, is_figure};
use super::json::{Object, at as find, day, first_text, number};
use super::name;
use crate::requirements::Statistic;

/// Where versions keep the strategy of a benchmark: 0.2 and 0.3, 0.4, from 0.5 on.
const STRATEGIES: [&str; 3] = ["args.strategy", "scheduler.strategy", "config.strategy"];
/// Where versions keep the model, in a benchmark.
const MODELS: [&str; 3] = ["worker.backend_model", "benchmarker.backend.model", "config.backend.model"];
/// The same in the report.
const REPORT_MODELS: [&str; 2] = ["args.model", "args.backend.model"];
/// Where versions keep the moment of the start.
const STARTS: [&str; 3] = ["start_time", "run_stats.start_time", "scheduler_metrics.start_time"];
/// Times by their key, with their milliseconds. `time_per_output_token_ms` counts the first token in, so it is not ours.
const LATENCIES: [(&str, Quantity, f64); 3] = [
    ("time_to_first_token_ms", Quantity::Ttft, 1.0),
    ("inter_token_latency_ms", Quantity::Tpot, 1.0),
    ("request_latency", Quantity::E2e, 1000.0),
];
/// Rates by their key; the mean over the time of the run is the rate of the run.
const RATES: [(&str, Quantity); 2] =
    [("output_tokens_per_second", Quantity::OutputTokens), ("requests_per_second", Quantity::Requests)];
/// Statistics by their key within a distribution.
const STATISTICS: [(&str, Statistic); 5] = [
    ("mean", Statistic::Mean),
    ("median", Statistic::P50),
    ("percentiles.p90", Statistic::P90),
    ("percentiles.p95", Statistic::P95),
    ("percentiles.p99", Statistic::P99),
];

/// Is this a report?
pub(super) fn knows(object: &Object) -> bool {
    object.get("benchmarks").is_some_and(Value::is_array)
}

/// Reads every benchmark of a report.
pub(super) fn read(found: &mut Found<'_>, at: &At, report: &Object) {
    let benchmarks = report.get("benchmarks").and_then(Value::as_array).into_iter().flatten();
    for (index, benchmark) in benchmarks.enumerate() {
        let at = at.inside(&format!("benchmarks[{index}]"));
        match benchmark.as_object() {
            Some(benchmark) => read_one(found, at, report, benchmark),
            None => found.reject(&at, "nothing-measured", "it is no object"),
        }
    }
}

fn read_one(found: &mut Found<'_>, at: At, report: &Object, benchmark: &Object) {
    let mut fields = Map::new();
    if let Some(model) = first_text(benchmark, &MODELS).or_else(|| first_text(report, &REPORT_MODELS)) {
        let known = name::model(found.catalog, model).unwrap_or(model);
        fields.insert("model".to_owned(), Value::from(known));
    }
    if let Err((reason, cause)) = load(benchmark, &mut fields) {
        return found.reject(&at, reason, cause);
    }
    let as_of = STARTS.iter().find_map(|path| number(benchmark, path)).and_then(day);
    found.defaults.overrule(&mut fields);
    found.run(Run { at, source: None, as_of, fields, figures: figures(benchmark) });
}

/// How requests came, and how long they were on average.
fn load(benchmark: &Object, fields: &mut Map<String, Value>) -> Result<(), (&'static str, String)> {
    let strategy = STRATEGIES.iter().find_map(|path| find(benchmark, path)?.as_object());
    let Some((strategy, kind)) =
        strategy.and_then(|strategy| Some((strategy, first_text(strategy, &["type_", "kind"])?)))
    else {
        return Err(("unknown-load", "it does not say how requests came".to_owned()));
    };
    let (load, field, value) = match kind {
        "synchronous" => ("closed", "concurrency", Some(1.0)),
        "concurrent" => ("closed", "concurrency", number(strategy, "streams")),
        "throughput" => ("max", "concurrency", number(strategy, "max_concurrency")),
        // Even arrivals queue less than Poisson ones; below saturation the difference is small.
        "constant" | "poisson" => ("open", "rate_per_s", number(strategy, "rate")),
        other => return Err(("unknown-load", format!("no load is like strategy `{other}`"))),
    };
    if value.is_none() && load != "max" {
        return Err(("unknown-load", format!("strategy `{kind}` without its number")));
    }
    fields.insert("load".to_owned(), Value::from(load));
    if let Some(value) = value {
        fields.insert(field.to_owned(), Value::from(value));
    }
    let mean = |key: &str| number(benchmark, &format!("metrics.{key}.successful.mean"));
    let output = mean("output_token_count").filter(|tokens| *tokens >= 1.0);
    let (Some(input), Some(output)) = (mean("prompt_token_count"), output) else {
        return Err((
            "nothing-generated",
            "no request was completed with a known number of tokens".to_owned(),
        ));
    };
    fields.insert("input_tokens".to_owned(), Value::from(input));
    fields.insert("output_tokens".to_owned(), Value::from(output));
    Ok(())
}

/// Every figure above 0: a time that was not taken is written as 0.
fn figures(benchmark: &Object) -> Vec<Figure> {
    let mut figures = Vec::new();
    let mut take = |key: String, quantity, statistic, factor: f64| {
        let value = number(benchmark, &key).map(|value| value * factor).filter(|value| is_figure(*value));
        figures.extend(value.map(|value| Figure { key, quantity, statistic, value }));
    };
    for (metric, quantity, ms) in LATENCIES {
        for (word, statistic) in STATISTICS {
            take(format!("metrics.{metric}.successful.{word}"), quantity, Some(statistic), ms);
        }
    }
    for (metric, quantity) in RATES {
        take(format!("metrics.{metric}.successful.mean"), quantity, None, 1.0);
    }
    figures
}
