//! The JSON that `vllm bench serve --save-result` writes, and `--append-result` line by line.
//!
//! In: the object of one run; its keys are those of `vllm/benchmarks/serve.py`. Out: one run. The file does not say on what
//! it was measured: that comes from flags, or from `--metadata KEY=VALUE`, which vLLM puts beside the other keys.

use serde_json::{Map, Value};

use super::gather::{At, Figure, Found, Run, cell_value, is_figure};
use super::json::{Object, number, text};
use super::name;
use super::{Quantity, STATISTICS};

/// Keys of `--metadata` and the fields of the contract they state.
const METADATA: [(&str, &str); 18] = [
    ("gpu", "gpu"),
    ("gpus", "gpus"),
    ("tensor_parallel", "tensor_parallel"),
    ("tensor_parallel_size", "tensor_parallel"),
    ("pipeline_parallel", "pipeline_parallel"),
    ("pipeline_parallel_size", "pipeline_parallel"),
    ("data_parallel", "data_parallel"),
    ("data_parallel_size", "data_parallel"),
    ("expert_parallel", "expert_parallel"),
    ("weights", "weights"),
    ("kv", "kv"),
    ("engine", "engine"),
    ("engine_version", "engine_version"),
    ("vllm_version", "engine_version"),
    ("max_batch", "max_batch"),
    ("context_tokens", "context_tokens"),
    ("prefix_hit", "prefix_hit"),
    ("gpu_memory_utilization", "gpu_memory_utilization"),
];
/// Times, as the middle of their keys. Time between tokens is `tpot`; `itl` weighs each gap and not each request.
const LATENCIES: [(&str, Quantity); 3] =
    [("ttft", Quantity::Ttft), ("tpot", Quantity::Tpot), ("e2el", Quantity::E2e)];
/// Rates of the whole run.
const RATES: [(&str, Quantity); 2] =
    [("output_throughput", Quantity::OutputTokens), ("request_throughput", Quantity::Requests)];

/// Is this the result of a run?
pub(super) fn knows(object: &Object) -> bool {
    object.contains_key("request_throughput") && object.contains_key("total_input_tokens")
}

/// Reads one run.
pub(super) fn read(found: &mut Found<'_>, at: At, object: &Object) {
    let mut fields = Map::new();
    for (key, field) in METADATA {
        match object.get(key) {
            Some(Value::String(cell)) if !cell.trim().is_empty() => {
                fields.insert(field.to_owned(), cell_value(field, cell.trim()));
            }
            Some(value @ Value::Number(_)) => {
                fields.insert(field.to_owned(), value.clone());
            }
            _ => {}
        }
    }
    if let Some(model) = text(object, "model_id") {
        let known = name::model(found.catalog, model).unwrap_or(model);
        fields.insert("model".to_owned(), Value::from(known));
    }
    // Any server of the OpenAI interface is measured with `openai`: only a name of an engine says which one it was.
    if let Some(engine) = text(object, "backend").filter(|name| found.catalog.engine(name, None).is_some()) {
        fields.entry("engine").or_insert_with(|| Value::from(engine));
    }
    if let Err((reason, cause)) = load(object, &mut fields) {
        return found.reject(&at, reason, cause);
    }
    let as_of = text(object, "date").and_then(|date| date.get(..8)?.parse().ok());
    found.defaults.overrule(&mut fields);
    found.run(Run { at, source: None, as_of, fields, figures: figures(object) });
}

/// How requests came, and how long they were on average.
fn load(object: &Object, fields: &mut Map<String, Value>) -> Result<(), (&'static str, String)> {
    if text(object, "ramp_up_strategy").is_some() {
        return Err(("ramp-up", "the request rate rose during the run".to_owned()));
    }
    if number(object, "spec_decode_num_drafts").is_some_and(|drafts| drafts > 0.0) {
        return Err((
            "speculative-decoding",
            "the server guessed tokens ahead, for which there is no formula".to_owned(),
        ));
    }
    let completed = number(object, "completed").unwrap_or(0.0);
    if completed < 1.0 {
        return Err(("nothing-completed", "no request was completed".to_owned()));
    }
    let mean = |key: &str| number(object, key).map(|total| total / completed);
    let (input, output) = (mean("total_input_tokens"), mean("total_output_tokens"));
    let (Some(input), Some(output)) = (input, output.filter(|output| *output >= 1.0)) else {
        return Err(("nothing-generated", "no token was generated".to_owned()));
    };
    fields.insert("input_tokens".to_owned(), Value::from(input));
    fields.insert("output_tokens".to_owned(), Value::from(output));
    let prompts = number(object, "num_prompts").unwrap_or(completed);
    let mut say = |load: &str, field: &str, value: f64| {
        fields.insert("load".to_owned(), Value::from(load));
        fields.insert(field.to_owned(), Value::from(value));
    };
    // "inf" is no finite number: everything is sent at once, or as soon as a client is free.
    match (number(object, "request_rate"), number(object, "max_concurrency")) {
        (Some(rate), _) => {
            let burstiness = number(object, "burstiness").unwrap_or(1.0);
            if burstiness < 1.0 {
                let cause = format!("burstiness {burstiness}: requests came in bursts, not one by one");
                return Err(("bursty-arrivals", cause));
            }
            say("open", "rate_per_s", rate);
        }
        (None, Some(clients)) => say("closed", "concurrency", clients.min(prompts)),
        (None, None) => say("max", "concurrency", prompts),
    }
    Ok(())
}

/// Every figure above 0: a time that was not taken is written as 0.
fn figures(object: &Object) -> Vec<Figure> {
    let mut figures: Vec<Figure> = Vec::new();
    for (latency, quantity) in LATENCIES {
        for (word, statistic) in STATISTICS {
            let key = format!("{word}_{latency}_ms");
            let said = |figure: &Figure| (figure.quantity, figure.statistic) == (quantity, Some(statistic));
            if let Some(value) = number(object, &key).filter(|value| is_figure(*value))
                && !figures.iter().any(said)
            {
                figures.push(Figure { key, quantity, statistic: Some(statistic), value });
            }
        }
    }
    for (key, quantity) in RATES {
        if let Some(value) = number(object, key).filter(|value| is_figure(*value)) {
            figures.push(Figure { key: key.to_owned(), quantity, statistic: None, value });
        }
    }
    figures
}
