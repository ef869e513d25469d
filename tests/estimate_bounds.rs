//! What no estimate may break, whatever the configuration: the data sheet as a bound, and order: fewer resources are
//! never faster. And the parts of a pass, which sum to the pass.
//!
//! The bounds are worked out here anew from the catalog's rows, weaker than the oracle's own in every doubt.

#![allow(clippy::unwrap_used, reason = "a test may stop at once")]

use bursar::catalog::{Attention, Catalog, Gpu, Model};
use bursar::estimate::{
    Breakdown, Demand, Load, Measures, Misfit, Outcome, Part, Request, Resolved, Rig, Step, batch_with,
    faster, fitting, memory, single,
};
use bursar::render::estimate::table;
use bursar::units::Gib;
use proptest::prelude::*;
use serde_json::{Value, json};

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

    /// Parts sum to the pass, but where the physical floor holds instead.
    #[test]
    fn parts_sum_to_the_step(request in requests(), batch in 1.0_f64..600.0) {
        let catalog = Catalog::embedded();
        let Ok(asked) = Resolved::of(catalog, &request) else { return Ok(()) };
        let Ok(rig) = Rig::new(catalog, &asked.unit) else { return Ok(()) };
        let step = Step::on(catalog, &asked.unit, &rig);
        let demand = Demand::new(&step, &asked.traffic());
        let cached = demand.input_tokens * asked.prefix_hit;
        let rates = rig.rates(asked.unit.model.is_mixture());
        let found = Breakdown::of(&rig.terms(&asked.unit), rates, &step, &demand, batch, cached);
        prop_assert_eq!(found.decode.total_ms, step.decode(batch, demand.context_tokens));
        prop_assert_eq!(found.prefill.total_ms, step.prefill_alone(demand.input_tokens, cached));
        for (name, pass) in [("decode", found.decode), ("prefill", found.prefill)] {
            let apart = pass.total_ms / pass.sum_ms() - 1.0;
            prop_assert!(pass.floor_binds() || apart.abs() <= 1e-9, "{name}: {pass:?}");
            prop_assert!(apart >= -1e-9 && pass.parts().all(|(_, ms)| ms >= 0.0), "{name}: {pass:?}");
        }
        if found.decode.floor_binds() {
            let floor = step.decode_floor(batch, demand.context_tokens);
            prop_assert_eq!(found.decode.total_ms, floor);
        }
    }
}

fn request(fields: Value) -> Request {
    Request::parse(fields.to_string().as_bytes()).unwrap()
}

#[test]
fn a_small_batch_reads_weights_and_a_long_prompt_multiplies() {
    let request = request(json!({"id": 1, "model": "meta-llama/Llama-3.1-70B-Instruct", "gpu": "h100-sxm",
        "gpus": 4, "input_tokens": 4000, "output_tokens": 200}));
    let found = measures(Catalog::embedded(), &request).unwrap();
    let parts = bursar::estimate::breakdown(Catalog::embedded(), &request, &found).unwrap();
    assert_eq!((parts.decode.bound_by(), parts.prefill.bound_by()), (Part::Weights, Part::Arithmetic));
    assert_eq!(parts.interference_ms, 0.0);
    let tpot = found.tpot_ms.unwrap().value.value;
    assert!((tpot / parts.decode.total_ms - 1.0).abs() < 1e-9);
    let faster = faster(Catalog::embedded(), &request, &found);
    assert!((1..=3).contains(&faster.len()), "{faster:?}");
    let e2e = |measures: &Measures| measures.e2e_ms.unwrap().value.value;
    assert!(faster.iter().all(|tried| 1.05 * e2e(&tried.measures) < e2e(&found)), "{faster:?}");
}

#[test]
fn what_does_not_fit_says_how_much_and_what_would() {
    let request = request(json!({"id": 1, "model": "meta-llama/Llama-3.1-70B-Instruct", "gpu": "h100-sxm"}));
    let answer = single(Catalog::embedded(), &request);
    let Outcome::Misfits(misfit) = &answer.outcome else { panic!("140 GB do not fit 80") };
    let Misfit::WeightsTooLarge { need_gib, have_gib, ledger } = misfit else { panic!("{misfit}") };
    assert_eq!((ledger.need_gib(), ledger.may_take_gib()), (*need_gib, *have_gib));
    let reason = answer.to_json()["reason"].as_str().unwrap().to_owned();
    assert!(reason.starts_with("weights, activations and engine need 1"), "{reason}");
    assert!(
        reason.contains("0.90 x 79.20 GiB usable - weights 131.4") && reason.ends_with(" GiB"),
        "{reason}"
    );
    let tried = fitting(Catalog::embedded(), &request, misfit);
    assert!(tried.len() >= 2, "{tried:?}");
}

#[test]
fn the_batch_an_engine_starts_with_depends_on_the_gpu() {
    let catalog = Catalog::embedded();
    let batch = |engine: &str, gpu: &str| {
        let request = request(json!({"id": 1, "model": "Qwen/Qwen3-8B", "gpu": gpu, "engine": engine}));
        Resolved::of(catalog, &request).unwrap().unit.max_batch
    };
    let found = ["h100-sxm", "mi300x", "a100-sxm-80", "l4", "l40s"].map(|gpu| batch("vllm", gpu));
    assert_eq!(found, [1024, 1024, 256, 256, 256]);
    assert_eq!([batch("sglang", "l4"), batch("sglang", "h100-sxm")], [2048, 2048]);
    // A cap below the engine's own is told to the engine, whose profiling run then sees fewer sequences.
    let activation = |cap: Value| {
        let fields = json!({"id": 1, "model": "Qwen/Qwen3-8B", "gpu": "h100-sxm", "max_batch": cap});
        let asked = Resolved::of(catalog, &request(fields)).unwrap().unit;
        memory(catalog, &asked, 2048.0).unwrap().activation_gib
    };
    assert!(activation(json!(256)) < activation(json!(null)));
    assert_eq!(activation(json!(2048)), activation(json!(null)));
}

#[test]
fn parts_stand_in_a_batch_only_when_asked_for() {
    let line =
        json!({"id": 1, "model": "Qwen/Qwen3-30B-A3B", "gpu": "h100-sxm", "load": "open", "rate_per_s": 500});
    let misfit = json!({"id": 2, "model": "meta-llama/Llama-3.1-70B-Instruct", "gpu": "l4"});
    let input = format!("{line}\n{misfit}\nnonsense\n");
    let run = |parts: bool| -> Vec<Value> {
        let mut out = Vec::new();
        batch_with(Catalog::embedded(), input.as_bytes(), &mut out, parts).unwrap();
        String::from_utf8(out).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    assert!(run(false).iter().all(|answer| answer.get("breakdown").is_none()));
    let with = run(true);
    assert!(with[1].get("breakdown").is_none() && with[2].get("breakdown").is_none());
    // Saturated: the parts are those at the cap.
    let parts = &with[0]["breakdown"];
    assert!(with[0]["reason"].as_str().unwrap().starts_with("saturated"));
    assert!(parts["batch"].as_f64().unwrap() > 100.0, "{parts}");
    assert!(parts["decode_ms"]["experts"].as_f64().unwrap() > 0.0, "{parts}");
}

#[test]
fn the_table_keeps_to_100_columns_of_plain_text() {
    for fields in [
        json!({"id": 1, "model": "Qwen/Qwen3-30B-A3B", "gpu": "l40s", "gpus": 2, "load": "closed", "concurrency": 16}),
        json!({"id": 1, "model": "meta-llama/Llama-3.1-8B-Instruct", "gpu": "l4", "load": "open", "rate_per_s": 90}),
        json!({"id": 1, "model": "meta-llama/Llama-3.1-70B-Instruct", "gpu": "l40s", "gpus": 2}),
        json!({"id": 1, "model": "meta-llama/Llama-3.1-8B-Instruct", "gpu": "l4", "input_tokens": 100_000}),
        json!({"id": 1, "model": "meta-llama/Llama-3.1-8B-Instruct", "gpu": "a100-sxm-80", "prefix_hit": 0.5}),
    ] {
        let request = request(fields);
        let text = table(Catalog::embedded(), &request, &single(Catalog::embedded(), &request));
        assert!(
            text.is_ascii() && text.lines().all(|line| line.len() <= 100 && line == line.trim_end()),
            "{text}"
        );
        let further = ["what would be faster", "what would fit"];
        assert!(further.iter().any(|words| text.contains(words)), "{text}");
    }
}
