//! What `llama-bench -o json`, `-o jsonl` or `-o csv` prints: a test a row.
//!
//! In: the object of one test, prompt (pp), generation (tg) or both (pg). Out: one run with one figure, of one request
//! alone. Model, GPU and precision are read from what the tool says of them, unless flags say otherwise.

use serde_json::{Map, Value};

use super::gather::{At, Figure, Found, Run, date, is_figure};
use super::json::{Object, number, text};
use super::{Quantity, name};

/// Precisions of keys that are one byte an element or nearly.
const ONE_BYTE: [&str; 2] = ["q8_0", "fp8"];
/// Precisions of keys that are two bytes an element.
const TWO_BYTES: [&str; 3] = ["f16", "bf16", "fp16"];

/// Is this a test?
pub(super) fn knows(object: &Object) -> bool {
    ["avg_ts", "n_prompt", "n_gen"].iter().all(|key| object.contains_key(*key))
}

/// Reads one test.
pub(super) fn read(found: &mut Found<'_>, at: At, object: &Object) {
    match run(found, at.clone(), object) {
        Ok(run) => found.run(run),
        Err((reason, cause)) => found.reject(&at, reason, cause),
    }
}

fn run(found: &Found<'_>, at: At, object: &Object) -> Result<Run, (&'static str, String)> {
    let catalog = found.catalog;
    let mut fields = Map::new();
    let mut say = |field: &str, value: Value| {
        fields.insert(field.to_owned(), value);
    };
    say("engine", Value::from("llama.cpp"));
    if let Some(build) = number(object, "build_number") {
        say("engine_version", Value::from(build.to_string()));
    }
    if let Some(file) = text(object, "model_filename") {
        say("model", Value::from(name::model_of_file(catalog, file).unwrap_or(file)));
    }
    let described = text(object, "model_type").and_then(|text| name::precision(catalog, text));
    let in_name = || text(object, "model_filename").and_then(|file| name::precision(catalog, file));
    match described.or_else(in_name) {
        Some(weights) => say("weights", Value::from(weights)),
        None if found.defaults.weights.is_some() => {}
        // Not the published checkpoint, which a request without a precision would mean.
        None => {
            let described = text(object, "model_type").unwrap_or_default();
            return Err(("unknown-precision", format!("no precision of `{described}` in the catalog")));
        }
    }
    match text(object, "type_k").unwrap_or("f16") {
        word if TWO_BYTES.contains(&word) => say("kv", Value::from("auto")),
        word if ONE_BYTE.contains(&word) => say("kv", Value::from("fp8")),
        word => {
            return Err((
                "kv-precision",
                format!("keys in {word}: there is a formula for 16 and 8 bits alone"),
            ));
        }
    }
    // Without a GPU the processor did the work.
    let device = text(object, "gpu_info").or_else(|| text(object, "cpu_info")).unwrap_or_default();
    let mut devices: Vec<&str> = device.split(',').map(str::trim).filter(|name| !name.is_empty()).collect();
    let all = devices.len();
    devices.dedup();
    match devices.as_slice() {
        [] => {}
        [one] => say("gpu", Value::from(name::gpu(catalog, one).unwrap_or(one))),
        _ if found.defaults.gpu.is_some() => {}
        _ => return Err(("mixed-gpus", format!("different GPUs together: {device}"))),
    }
    let split = text(object, "split_mode").unwrap_or("layer");
    let count = match found.defaults.gpus {
        Some(count) => count as usize,
        None if split == "none" => 1,
        None => all.max(1),
    };
    if count > 1 && found.defaults.tensor_parallel.is_none() {
        let parallel = if split == "layer" { "pipeline_parallel" } else { "tensor_parallel" };
        say("gpus", Value::from(count));
        say(parallel, Value::from(count));
    }
    let quantity = test(object, &mut fields)?;
    found.defaults.overrule(&mut fields);
    offloaded(found, object, &fields)?;
    let rate = number(object, "avg_ts").filter(|rate| is_figure(*rate));
    let rate = rate.ok_or_else(|| ("nothing-measured", "`avg_ts` is no number above 0".to_owned()))?;
    let tokens = match quantity {
        Quantity::Tpot => 1.0,
        _ => number(object, "n_prompt").unwrap_or(0.0) + number(object, "n_gen").unwrap_or(0.0),
    };
    let figure =
        Figure { key: "avg_ts".to_owned(), quantity, statistic: None, value: 1000.0 * tokens / rate };
    let as_of = text(object, "test_time").and_then(|time| date(time.get(..10)?));
    Ok(Run { at, source: None, as_of, fields, figures: vec![figure] })
}

/// The load of a test, and what it measures. What stands in the cache before it starts is a prefix that is found there.
fn test(object: &Object, fields: &mut Map<String, Value>) -> Result<Quantity, (&'static str, String)> {
    let tokens = |key: &str| number(object, key).filter(|tokens| *tokens >= 0.0).unwrap_or(0.0);
    let (prompt, generated, depth) = (tokens("n_prompt"), tokens("n_gen"), tokens("n_depth"));
    let (quantity, input, output) = match (prompt >= 1.0, generated >= 1.0) {
        (true, false) => (Quantity::Ttft, depth + prompt, 1.0),
        (false, true) => (Quantity::Tpot, depth.max(1.0), generated),
        (true, true) => (Quantity::E2e, depth + prompt, generated),
        (false, false) => return Err(("nothing-measured", "neither prompt nor generation".to_owned())),
    };
    let mut say = |field: &str, value: Value| {
        fields.insert(field.to_owned(), value);
    };
    say("load", Value::from("static"));
    say("concurrency", Value::from(1));
    say("input_tokens", Value::from(input));
    say("output_tokens", Value::from(output));
    if depth > 0.0 && prompt >= 1.0 {
        say("prefix_hit", Value::from(depth / (depth + prompt)));
    }
    Ok(quantity)
}

/// Layers that stay with the processor are not what the formulas describe.
fn offloaded(
    found: &Found<'_>,
    object: &Object,
    fields: &Map<String, Value>,
) -> Result<(), (&'static str, String)> {
    let name = |field: &str| fields.get(field).and_then(Value::as_str).unwrap_or_default();
    let (Some(model), Some(gpu)) = (found.catalog.model(name("model")), found.catalog.gpu(name("gpu")))
    else {
        return Ok(());
    };
    if gpu.vendor == "cpu" {
        return Ok(());
    }
    let layers = number(object, "n_gpu_layers").filter(|layers| *layers >= 0.0);
    if let Some(layers) = layers.filter(|layers| *layers < f64::from(model.layers)) {
        let cause = format!("{layers} of {} layers on the GPU: the processor did the rest", model.layers);
        return Err(("partial-offload", cause));
    }
    if number(object, "n_cpu_moe").is_some_and(|layers| layers > 0.0) {
        return Err(("partial-offload", "experts stayed with the processor".to_owned()));
    }
    Ok(())
}
