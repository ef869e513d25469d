//! What no estimate may break, whatever the configuration: the data sheet as a bound, and order: fewer resources are
//! never faster.
//!
//! The bounds are worked out here anew from the catalog's rows, weaker than the oracle's own in every doubt.

#![allow(clippy::unwrap_used, reason = "a test may stop at once")]

use bursar::catalog::{Attention, Catalog, Gpu, Model};
use bursar::estimate::{Load, Measures, Outcome, Request, Resolved, single};
use bursar::units::Gib;
use proptest::prelude::*;
use serde_json::json;

const ENGINES: [(&str, Option<&str>); 7] = [
    ("vllm", None),
    ("vllm", Some("0.6")),
    ("sglang", None),
    ("tensorrt-llm", Some("1.0")),
    ("tensorrt-llm", Some("0.9")),
    ("tgi", None),
    ("llama.cpp", None),
];
const LAYOUTS: [(u32, u32, u32); 9] =
    [(1, 1, 1), (1, 1, 1), (2, 1, 1), (4, 1, 1), (8, 1, 1), (2, 2, 1), (1, 2, 1), (1, 1, 2), (4, 1, 2)];
const LOADS: [Load; 4] = [Load::Static, Load::Closed, Load::Open, Load::Max];
/// Six significant digits are compared.
const ROUNDING: f64 = 1e-5;
/// What equal waves may gain over a whole one and a rest.
const WAVES: f64 = 0.1;

/// Any configuration the contract can express, most of which fit.
fn requests() -> impl Strategy<Value = Request> {
    let catalog = Catalog::embedded();
    let names = (0..catalog.models.len(), 0..catalog.gpus.len(), 0..catalog.precisions.len() + 8);
    let shape = (0..ENGINES.len(), 0..LAYOUTS.len(), 0..LOADS.len(), any::<bool>());
    let traffic = (1.0_f64..6000.0, 1.0_f64..1500.0, 0.0_f64..9.0, -3.0_f64..4.0, 0_usize..3);
    (names, shape, traffic).prop_map(|(names, shape, traffic)| {
        let catalog = Catalog::embedded();
        let (tensor, pipeline, data) = LAYOUTS[shape.1];
        let weights = catalog.precisions.get(names.2).map(|fact| fact.id.0.clone());
        let (family, version) = match &weights {
            Some(format) if format.contains("_k") || format.starts_with("iq") => ENGINES[6],
            _ => ENGINES[shape.0],
        };
        let load = LOADS[shape.2];
        let (input, output, clients, rate, hit) = traffic;
        Request {
            id: json!(1),
            model: catalog.models[names.0].id.clone(),
            gpu: catalog.gpus[names.1].id.clone(),
            gpus: Some(tensor * pipeline * data),
            tensor_parallel: Some(tensor),
            pipeline_parallel: Some(pipeline),
            data_parallel: Some(data),
            weights,
            kv: shape.3.then(|| "fp8".to_owned()),
            engine: Some(family.to_owned()),
            engine_version: version.map(str::to_owned),
            load: Some(load),
            concurrency: matches!(load, Load::Static | Load::Closed).then(|| clients.exp2().floor()),
            rate_per_s: (load == Load::Open).then(|| rate.exp2()),
            input_tokens: Some(input.floor()),
            output_tokens: Some(output.floor()),
            max_batch: Some(256),
            prefix_hit: Some([0.0, 0.0, 0.5][hit]),
            ..Request::default()
        }
    })
}

fn measures(catalog: &Catalog, request: &Request) -> Option<Box<Measures>> {
    match single(catalog, request).outcome {
        Outcome::Fits(measures) => Some(measures),
        Outcome::Misfits(_) | Outcome::Refused(_) => None,
    }
}

/// Seconds of the data sheet: what no engine undercuts.
struct Sheet {
    /// First token, ms.
    first_ms: f64,
    /// A further token, ms.
    token_ms: f64,
    /// Requests/s of all GPUs.
    requests_per_s: f64,
}

fn sheet(asked: &Resolved<'_>) -> Sheet {
    let (unit, model, gpu) = (&asked.unit, asked.unit.model, asked.unit.gpu);
    let gpus = f64::from(unit.gpus);
    let (tensor, pipeline, data) =
        (f64::from(unit.tensor_parallel), f64::from(unit.pipeline_parallel), f64::from(unit.data_parallel));
    let catalog = Catalog::embedded();
    let fact = catalog.precisions.iter().find(|fact| fact.id == unit.weights).unwrap();
    let (bandwidth, peak) = (gpu.bandwidth_gb_s * 1e6 * gpus, peak(gpu, &unit.weights.0) * 1e9 * gpus);
    let (input, output) = (asked.lengths.input_mean, asked.lengths.output_mean);
    let cached = input * asked.prefix_hit;
    let (fresh, further) = (input - cached, output - 1.0);

    let width = f64::from(model.vocab) * f64::from(model.hidden);
    // The input embedding is looked up, not multiplied; the head runs once a sequence.
    let passed = model.active_params - if model.tied_embeddings { 0.0 } else { width };
    let body = passed - width;
    let held = |tokens: f64| {
        let window = model.sliding_window.map_or(f64::INFINITY, f64::from);
        f64::from(model.full_attention_layers) * tokens + f64::from(model.sliding_layers) * tokens.min(window)
    };
    let scores = |tokens: f64| {
        let heads = match model.attention {
            Attention::Grouped => 2.0 * f64::from(model.heads * model.head_dim),
            Attention::Latent => f64::from(model.heads) * (256.0 + f64::from(model.rope_dim)),
        };
        heads * tokens * held(tokens)
    };
    let attention_ms = (scores(input) - scores(cached)) / (gpu.tflops_16 * 1e9 * gpus);
    let prompt_ms = 2.0 * body * fresh / peak + attention_ms;
    let weights_ms = passed * fact.bytes_per_weight.min(2.0) / bandwidth;
    let cache_ms = held(input) * layer_bytes(model) * unit.kv_bytes / bandwidth;

    let ways = match (unit.engine.family.as_str(), model.is_mixture()) {
        ("llama.cpp", _) => 1.0,
        (_, true) => tensor * data,
        (_, false) => tensor,
    };
    let link = gpu.link_gb_s.unwrap_or(32.0) * 1e6;
    let exchange_ms =
        2.0 * f64::from(model.layers) * f64::from(model.hidden) * 2.0 * 2.0 * (ways - 1.0) / ways / link;
    let lanes = if model.is_mixture() { pipeline } else { pipeline * data };

    let token_ms = (weights_ms + cache_ms).max(2.0 * passed / peak).max(exchange_ms);
    let arithmetic_ms = prompt_ms + 2.0 * passed * further / peak;
    let exchanges_ms = exchange_ms * (fresh + further) / lanes;
    let batch = f64::from(unit.max_batch);
    let reads_ms = further * (weights_ms / batch + cache_ms);
    Sheet {
        first_ms: prompt_ms.max(exchange_ms * fresh),
        token_ms,
        requests_per_s: 1000.0 / arithmetic_ms.max(exchanges_ms).max(reads_ms),
    }
}

fn peak(gpu: &Gpu, weights: &str) -> f64 {
    let own = match weights {
        "fp8" => gpu.tflops_fp8,
        "int8" => gpu.tops_int8,
        "nvfp4" | "mxfp4" => gpu.tflops_fp4,
        _ => None,
    };
    own.unwrap_or(gpu.tflops_16)
}

fn layer_bytes(model: &Model) -> f64 {
    match model.attention {
        Attention::Grouped => 2.0 * f64::from(model.kv_heads * model.head_dim),
        Attention::Latent => f64::from(model.kv_lora_rank + model.rope_dim),
    }
}

/// Every end of every latency, and every rate.
fn hold_to(found: &Measures, sheet: &Sheet, output: f64) -> Result<(), TestCaseError> {
    let whole_ms = (output - 1.0).mul_add(sheet.token_ms, sheet.first_ms);
    let latencies = [
        ("ttft", found.ttft_ms, sheet.first_ms),
        ("tpot", found.tpot_ms, sheet.token_ms),
        ("e2e", found.e2e_ms, whole_ms),
    ];
    for (name, latency, least) in latencies {
        let Some(latency) = latency else { continue };
        for end in latency.spread.iter().flatten().chain([&latency.value]) {
            prop_assert!(
                end.low <= end.value && end.value <= end.high && end.low >= least * (1.0 - ROUNDING),
                "{name} {end:?} beats {least}"
            );
        }
    }
    let most = sheet.requests_per_s * (1.0 + ROUNDING);
    prop_assert!(found.requests_per_s.high <= most, "{:?} beats {most}", found.requests_per_s);
    prop_assert!(found.output_tokens_per_s.high <= most * output, "{:?}", found.output_tokens_per_s);
    Ok(())
}

/// A catalog in which one GPU has less of something.
fn with_less(gpu: &str, resource: usize, share: f64) -> Catalog {
    let mut catalog = Catalog::embedded().clone();
    let row = catalog.gpus.iter_mut().find(|row| row.id == gpu).unwrap();
    match resource {
        0 => row.bandwidth_gb_s *= share,
        1 => {
            row.tflops_16 *= share;
            for peak in [&mut row.tflops_fp8, &mut row.tops_int8, &mut row.tflops_fp4] {
                *peak = peak.map(|figure| figure * share);
            }
        }
        2 => row.link_gb_s = Some(row.link_gb_s.unwrap_or(32.0) * share),
        _ => row.usable = Gib::new(row.usable.get() * share).unwrap(),
    }
    catalog
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, max_global_rejects: 200_000, ..ProptestConfig::default() })]

    /// No end of a latency beats the data sheet, no end of a rate exceeds it.
    #[test]
    fn no_estimate_beats_the_data_sheet(request in requests()) {
        let catalog = Catalog::embedded();
        let Some(found) = measures(catalog, &request) else { return Ok(()) };
        let asked = Resolved::of(catalog, &request).unwrap();
        hold_to(&found, &sheet(&asked), asked.lengths.output_mean)?;
    }

    /// Less bandwidth, arithmetic or link never makes anything faster; less memory never carries more.
    #[test]
    fn fewer_resources_are_never_faster(request in requests(), resource in 0_usize..4, share in 0.3_f64..1.0) {
        let Some(before) = measures(Catalog::embedded(), &request) else { return Ok(()) };
        let less = with_less(&request.gpu, resource, share);
        // Engines start with smaller defaults below 70 GiB, which frees memory: another engine, not a smaller GPU.
        let large = |catalog: &Catalog| bursar::catalog::engine::is_large(catalog.gpu(&request.gpu).unwrap());
        prop_assume!(large(&less) == large(Catalog::embedded()));
        let Some(after) = measures(&less, &request) else {
            prop_assert_eq!(resource, 3, "only memory decides what fits");
            return Ok(());
        };
        let rates = (before.requests_per_s.value, after.requests_per_s.value);
        // A batch in waves runs whole ones and a rest; where a step is at its floor, waves that a smaller pool makes more
        // equal take a little less.
        let waves = resource == 3 && request.load == Some(Load::Static);
        let share = if waves { WAVES } else { ROUNDING };
        prop_assert!(rates.1 <= rates.0 * (1.0 + share), "rates {rates:?}");
        if resource == 3 {
            prop_assert!(after.max_concurrency.value <= before.max_concurrency.value);
            return Ok(());
        }
        for (name, before, after) in [
            ("ttft", before.ttft_ms, after.ttft_ms),
            ("tpot", before.tpot_ms, after.tpot_ms),
            ("e2e", before.e2e_ms, after.e2e_ms),
        ] {
            match (before, after) {
                (Some(before), Some(after)) => {
                    let (before, after) = (before.value.value, after.value.value);
                    prop_assert!(after >= before * (1.0 - ROUNDING), "{name} {before} -> {after}");
                }
                (None, Some(_)) => prop_assert!(false, "{name}: saturated before, not after"),
                (_, None) => {}
            }
        }
    }
}
