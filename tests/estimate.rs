//! What the oracle promises: the published test vectors, physics as a floor, laws of queues, the batch contract.

#![allow(clippy::unwrap_used, reason = "a test may stop at once")]

use bursar::catalog::{Catalog, Precision};
use bursar::estimate::{
    Basis, Demand, Estimate, Load, Misfit, Outcome, Request, Shortfall, Step, Traffic, Unit, api_latency,
    batch, capacity, capacity_upper_bound, closed, loaded, memory, one_sided, single,
};
use bursar::requirements::{LatencyLimit, LatencyMeasure, Lengths, Spread, Statistic};
use proptest::prelude::*;
use serde_json::{Value, json};

fn catalog() -> &'static Catalog {
    Catalog::embedded()
}

fn unit(model: &str, gpu: &str, gpus: u32, weights: &str, engine: (&str, Option<&str>)) -> Unit<'static> {
    let engine = catalog().engine(engine.0, engine.1).expect("the engine is in the catalog");
    let gpu = catalog().gpu(gpu).expect("the GPU is in the catalog");
    Unit {
        model: catalog().model(model).expect("the model is in the catalog"),
        gpu,
        engine,
        gpus,
        tensor_parallel: gpus,
        pipeline_parallel: 1,
        data_parallel: 1,
        expert_parallel: 1,
        weights: Precision::named(weights),
        kv_bytes: 2.0,
        max_batch: engine.default_batch(gpu),
        gpu_memory_utilization: engine.gpu_memory_utilization,
    }
}

fn lengths(points: &[(f64, f64, f64)]) -> Lengths {
    Lengths {
        input_mean: points.iter().map(|(input, _, weight)| input * weight).sum(),
        output_mean: points.iter().map(|(_, output, weight)| output * weight).sum(),
        reasoning_mean: None,
        spread: Spread::Constant,
        points: points.to_vec(),
    }
}

fn traffic(lengths: &Lengths) -> Traffic<'_> {
    Traffic { lengths, extra_output: 0.0, prefix_hit: 0.0, context_tokens: 2048.0 }
}

fn near(got: f64, wanted: f64, share: f64) {
    assert!((got / wanted - 1.0).abs() <= share, "got {got}, wanted {wanted} within {share}");
}

const CURRENT: (&str, Option<&str>) = ("vllm", None);
const V2025: (&str, Option<&str>) = ("vllm", Some("0.10"));

/// The catalog under the coefficients of the oracle study, whose test vectors check the formula apart from any later fit.
fn study() -> Catalog {
    let mut catalog = catalog().clone();
    let mut rows = csv::Reader::from_reader(include_bytes!("data/study-coefficients.csv").as_slice());
    catalog.coefficients.values = rows
        .records()
        .map(|row| row.unwrap())
        .map(|row| ((row[0].to_owned(), row[1].to_owned(), row[2].to_owned()), row[3].parse().unwrap()))
        .collect();
    catalog
}

#[test]
fn test_vector_llama_70b_fp8_on_four_h100() {
    let mut unit = unit("meta-llama/Llama-3.1-70B-Instruct", "h100-sxm", 4, "fp8", V2025);
    unit.kv_bytes = 1.0;
    let step = Step::new(&study(), &unit).unwrap();
    let memory = memory(catalog(), &unit, 2048.0).unwrap();
    let lengths = lengths(&[(1024.0, 1024.0, 1.0)]);
    let demand = Demand::new(&step, &traffic(&lengths));
    near(step.decode(32.0, 1536.0), 14.97, 0.001);
    near(closed(&step, &memory, &demand, 32.0, 256).tpot_ms, 16.48, 0.001);
    near(step.prefill_marginal(1024.0, 0.0), 54.61, 0.001);
    near(step.prefill_alone(1024.0, 0.0), 72.61, 0.001);
}

#[test]
fn test_vector_llama_8b_on_one_a100() {
    let unit = unit("meta-llama/Llama-3.1-8B-Instruct", "a100-sxm-80", 1, "bf16", V2025);
    let step = Step::new(&study(), &unit).unwrap();
    let memory = memory(catalog(), &unit, 2048.0).unwrap();
    let lengths = lengths(&[(1000.0, 250.0, 1.0)]);
    let demand = Demand::new(&step, &traffic(&lengths));
    near(step.decode(16.0, 1125.0), 12.01, 0.001);
    near(closed(&step, &memory, &demand, 16.0, 256).tpot_ms, 15.71, 0.001);
    near(step.prefill_marginal(1000.0, 0.0), 67.69, 0.001);
    near(step.prefill_alone(1000.0, 0.0), 79.88, 0.001);
}

fn answer(request: Value) -> Value {
    let line = request.to_string();
    let request = Request::parse(line.as_bytes()).expect("a request of the contract");
    single(catalog(), &request).to_json()
}

/// Times that the seed documents promise and that reading the weights alone forbids.
#[test]
fn nothing_is_faster_than_reading_the_weights() {
    let cases = [
        ("meta-llama/Llama-2-7b-chat-hf", "rtx-4090", 150, 100, 1300.0),
        ("meta-llama/Llama-2-7b-chat-hf", "a100-sxm-40", 100, 50, 420.0),
        ("meta-llama/Llama-2-13b-chat-hf", "a100-sxm-80", 500, 1000, 12_600.0),
    ];
    for (model, gpu, input, output, floor_ms) in cases {
        for engine in ["vllm", "sglang", "tensorrt-llm", "llama.cpp", "tgi"] {
            let found =
                answer(json!({"id": 1, "model": model, "gpu": gpu, "weights": "fp16", "engine": engine,
                "input_tokens": input, "output_tokens": output, "context_tokens": 2048}));
            assert_eq!(found["fits"], true, "{found}");
            for end in ["value", "low", "high"] {
                let ms = found["e2e_ms"][end].as_f64().unwrap();
                assert!(ms >= floor_ms, "{model} on {gpu} with {engine}: {end} {ms} < {floor_ms}");
            }
        }
    }
}

#[test]
fn the_kv_pool_of_h100_start_up_logs() {
    // vLLM 0.19 on H100 80 GB, utilisation 0.95 (llm-d planner study, Apache-2.0): GiB per GPU of weights and pool.
    let logs = [
        ("Qwen/Qwen3-8B", 1, "bf16", 15.27, 57.5),
        ("Qwen/Qwen2.5-72B-Instruct", 2, "bf16", 67.8, 3.04),
        ("Qwen/Qwen3-30B-A3B", 1, "bf16", 56.88, 15.41),
        ("meta-llama/Llama-3.1-8B-Instruct", 1, "int8", 8.49, 64.6),
        ("microsoft/phi-4", 1, "bf16", 27.39, 46.08),
    ];
    for (model, gpus, weights, weights_gib, pool_gib) in logs {
        let mut unit = unit(model, "h100-sxm", gpus, weights, ("vllm", Some("0.19")));
        unit.gpu_memory_utilization = 0.95;
        let memory = memory(catalog(), &unit, 8192.0).unwrap();
        near(memory.weights_gib, weights_gib, 0.02);
        assert!((memory.kv_pool_gib - pool_gib).abs() <= 0.05 * pool_gib + 0.3, "{model}: {memory:?}");
    }
}

#[test]
fn what_cannot_run_says_why() {
    let fit = |unit: &Unit<'_>, context: f64| memory(catalog(), unit, context).map(|_| ());
    let large = unit("meta-llama/Llama-3.1-70B-Instruct", "rtx-4090", 1, "bf16", CURRENT);
    assert!(matches!(fit(&large, 2048.0), Err(Misfit::WeightsTooLarge { .. })));
    let uneven = unit("meta-llama/Llama-3.1-8B-Instruct", "h100-sxm", 3, "bf16", CURRENT);
    assert!(matches!(fit(&uneven, 2048.0), Err(Misfit::HeadsNotDivisible { .. })));
    let vendor = unit("meta-llama/Llama-3.1-8B-Instruct", "mi300x", 1, "bf16", ("tensorrt-llm", None));
    assert!(matches!(fit(&vendor, 2048.0), Err(Misfit::EngineUnsupported { .. })));
    let format = unit("meta-llama/Llama-3.1-8B-Instruct", "h100-sxm", 1, "q4_k_m", CURRENT);
    assert!(matches!(fit(&format, 2048.0), Err(Misfit::PrecisionUnsupported { .. })));
    let window = unit("meta-llama/Llama-2-7b-chat-hf", "h100-sxm", 1, "bf16", CURRENT);
    assert!(matches!(fit(&window, 100_000.0), Err(Misfit::ContextTooLong { .. })));
    let pool = unit("meta-llama/Llama-3.1-8B-Instruct", "rtx-4090", 1, "bf16", CURRENT);
    assert!(matches!(fit(&pool, 131_072.0), Err(Misfit::PoolTooSmall { .. })));
}

#[test]
fn an_unseen_vendor_is_a_judgement_of_a_factor_of_four() {
    let unit = unit("meta-llama/Llama-3.1-8B-Instruct", "gaudi3", 1, "bf16", CURRENT);
    let step = Step::new(catalog(), &unit).unwrap();
    assert_eq!(step.basis(), Basis::Assumed);
    near(step.factor_90_step(), 4.0, 1e-9);
}

#[test]
fn an_almost_idle_unit_answers_as_fast_as_a_lone_request() {
    let unit = unit("meta-llama/Llama-3.1-8B-Instruct", "h100-sxm", 1, "bf16", CURRENT);
    let step = Step::new(catalog(), &unit).unwrap();
    let memory = memory(catalog(), &unit, 2048.0).unwrap();
    let lengths = lengths(&[(500.0, 200.0, 1.0)]);
    let found = loaded(&step, &memory, &traffic(&lengths), 1e-6, 256).unwrap();
    // Behind a server: HTTP, tokenizer and scheduler come first.
    let alone_ms = Demand::new(&step, &traffic(&lengths)).first_ms;
    assert!(alone_ms > step.prefill_alone(500.0, 0.0));
    near(found.ttft.p99, alone_ms, 1e-3);
    near(found.tpot.mean, step.decode(1.0, 600.0), 1e-3);
    near(found.e2e.p50, alone_ms + 199.0 * step.decode(1.0, 600.0), 1e-3);
}

#[test]
fn beyond_saturation_it_says_saturated() {
    let unit = unit("meta-llama/Llama-3.1-8B-Instruct", "h100-sxm", 1, "bf16", CURRENT);
    let step = Step::new(catalog(), &unit).unwrap();
    let memory = memory(catalog(), &unit, 2048.0).unwrap();
    let lengths = lengths(&[(500.0, 200.0, 1.0)]);
    let limit = loaded(&step, &memory, &traffic(&lengths), 1e6, 256).unwrap_err().saturation_rps;
    assert!(loaded(&step, &memory, &traffic(&lengths), limit * 0.99, 256).is_ok());
    let line = answer(
        json!({"id": "s", "model": "meta-llama/Llama-3.1-8B-Instruct", "gpu": "h100-sxm", "load": "open",
        "rate_per_s": 1e6, "input_tokens": 500, "output_tokens": 200}),
    );
    assert_eq!(line["ttft_ms"], Value::Null);
    assert!(line["reason"].as_str().unwrap().starts_with("saturated"));
}

fn limit(measure: LatencyMeasure, statistic: Statistic, ms: f64) -> LatencyLimit {
    LatencyLimit { measure, statistic, ms }
}

#[test]
fn a_limit_no_idle_unit_meets_is_named_with_what_it_reaches() {
    let unit = unit("meta-llama/Llama-2-7b-chat-hf", "rtx-4090", 1, "fp16", CURRENT);
    let step = Step::new(catalog(), &unit).unwrap();
    let memory = memory(catalog(), &unit, 2048.0).unwrap();
    let lengths = lengths(&[(150.0, 100.0, 1.0)]);
    let asked = limit(LatencyMeasure::E2e, Statistic::P95, 1250.0);
    let Err(Shortfall::TooSlow { limit, got_ms }) =
        capacity(&step, &memory, &traffic(&lengths), &[asked], 0.9, 512)
    else {
        panic!("1.25 s is below the weight read");
    };
    assert_eq!(limit, asked);
    assert!(got_ms > 1300.0);
}

#[test]
fn api_percentiles_without_a_fact_are_assumed() {
    let fact = bursar::catalog::ApiLatency {
        api: "x/y".to_owned(),
        ttft_ms: 400.0,
        ttft_ms_p95: None,
        tokens_per_s: 100.0,
        tokens_per_s_slow: None,
        provenance: bursar::catalog::Provenance::default(),
    };
    let found = api_latency(&fact, &[(500.0, 101.0, 1.0)], 0.0, 0.5);
    assert_eq!(found.basis, Basis::Assumed);
    near(found.ttft.p50, 400.0, 0.01);
    near(found.ttft.p95, 680.0, 0.02);
    near(found.tpot.p95, 10.0 / 0.67, 0.02);
    near(found.e2e.p50, 1400.0, 0.01);
    let careful = api_latency(&fact, &[(500.0, 101.0, 1.0)], 0.0, 0.9);
    assert!(careful.e2e.p95 > found.e2e.p95);
    near(careful.e2e.p95 / careful.margin, found.e2e.p95, 1e-9);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// More of anything never makes an answer faster, and the screening bound is a bound.
    #[test]
    fn capacity_is_monotone_and_bounded(
        input in 20.0_f64..3000.0,
        output in 2.0_f64..800.0,
        e2e_ms in 300.0_f64..60_000.0,
        ttft_ms in 30.0_f64..5_000.0,
        pick in 0_usize..6,
    ) {
        let (model, gpu, gpus, weights) = [
            ("meta-llama/Llama-3.1-8B-Instruct", "h100-sxm", 1, "bf16"),
            ("meta-llama/Llama-3.1-8B-Instruct", "l4", 1, "int4"),
            ("meta-llama/Llama-3.1-70B-Instruct", "a100-sxm-80", 4, "bf16"),
            ("mistralai/Mixtral-8x7B-Instruct-v0.1", "h100-sxm", 2, "bf16"),
            ("Qwen/Qwen3-30B-A3B", "h100-sxm", 1, "fp8"),
            ("deepseek-ai/DeepSeek-V3", "h200-sxm", 8, "fp8"),
        ][pick];
        let unit = unit(model, gpu, gpus, weights, CURRENT);
        let step = Step::new(catalog(), &unit).unwrap();
        let memory = memory(catalog(), &unit, 4096.0).unwrap();
        let lengths = lengths(&[(input, output, 0.6), (input * 1.5, output * 0.5 + 1.0, 0.4)]);
        let traffic = Traffic { lengths: &lengths, extra_output: 0.0, prefix_hit: 0.0, context_tokens: 4096.0 };
        let limits = |e2e: f64, ttft: f64| [
            limit(LatencyMeasure::E2e, Statistic::P95, e2e),
            limit(LatencyMeasure::Ttft, Statistic::P90, ttft),
        ];
        let rps = |e2e: f64, ttft: f64, confidence: f64| {
            capacity(&step, &memory, &traffic, &limits(e2e, ttft), confidence, 512).map_or(0.0, |found| found.rps)
        };
        let found = rps(e2e_ms, ttft_ms, 0.9);
        prop_assert!(found <= capacity_upper_bound(&step, &memory, &traffic) * (1.0 + 1e-9));
        prop_assert!(rps(e2e_ms * 1.3, ttft_ms * 1.3, 0.9) >= found * 0.995);
        prop_assert!(rps(e2e_ms, ttft_ms, 0.6) >= found * 0.995);
        if let Ok(found) = capacity(&step, &memory, &traffic, &limits(e2e_ms, ttft_ms), 0.5, 512) {
            // At confidence 0.5 the limits hold for the median of the error itself.
            let at = loaded(&step, &memory, &traffic, found.rps, found.max_batch).expect("below saturation");
            prop_assert!(at.e2e.p95 <= e2e_ms * 1.001, "{found:?}");
            prop_assert!(at.ttft.p90 <= ttft_ms * 1.001, "{found:?}");
            prop_assert!(found.rps <= 0.85 * found.saturation_rps * (1.0 + 1e-9));
            let order = [at.e2e.p50, at.e2e.p90, at.e2e.p95, at.e2e.p99];
            prop_assert!(order.windows(2).all(|pair| pair[0] <= pair[1]));
        }
    }

    /// Arbitrary bytes are answered, never a panic, one line each.
    #[test]
    fn any_line_is_answered(line in "[^\n\r]{1,80}") {
        prop_assume!(!line.trim().is_empty());
        let mut out = Vec::new();
        let summary = batch(catalog(), line.as_bytes(), &mut out).unwrap();
        prop_assert_eq!(summary.lines, 1);
        let answer: Value = serde_json::from_slice(&out).unwrap();
        prop_assert!(answer.get("error").is_some());
    }
}

fn lines(input: &str) -> Vec<Value> {
    let mut out = Vec::new();
    batch(catalog(), input.as_bytes(), &mut out).unwrap();
    String::from_utf8(out).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn a_batch_keeps_order_and_ids_and_answers_faults() {
    let base = r#""model":"META-LLAMA/llama-3.1-8b-instruct","gpu":"h100-sxm""#;
    let found = lines(&format!(
        "{{\"id\":\"a\",{base},\"concurrency\":8.0,\"gpus\":1.0}}\n\n{{\"id\":2,{base},\"load\":\"open\"}}\nno json\n\
         {{\"id\":3,{base},\"concurency\":8}}\n{{\"id\":4,\"model\":\"meta-llama/Llama-3.1-8B-Instuct\",\"gpu\":\"h100-sxm\"}}\n\
         {{\"id\":5,{base},\"concurrency\":-1}}\n{{\"id\":6,{base},\"gpus\":1.5}}\n{{\"id\":7,{base},\"gpus\":4,\"tensor_parallel\":3}}\n\
         {{\"id\":8,{base},\"output_tokens\":1}}\n{{\"id\":9,{base},\"load\":\"soon\"}}\n{{\"id\":10,{base},\"context_tokens\":1e6}}\n"
    ));
    let ids: Vec<&Value> = found.iter().map(|answer| &answer["id"]).collect();
    assert_eq!(
        ids,
        [
            &json!("a"),
            &json!(2),
            &Value::Null,
            &json!(3),
            &json!(4),
            &json!(5),
            &json!(6),
            &json!(7),
            &json!(8),
            &json!(9),
            &json!(10)
        ]
    );
    let code = |at: usize| found[at]["error"]["code"].as_str().unwrap_or_default();
    assert_eq!(found[0]["fits"], true);
    assert_eq!(code(1), "missing-field");
    assert_eq!(code(2), "invalid-json");
    assert_eq!(code(3), "unknown-field");
    assert!(found[3]["error"]["message"].as_str().unwrap().contains("`concurrency`"));
    assert_eq!(code(4), "unknown-model");
    assert!(found[4]["error"]["message"].as_str().unwrap().contains("meta-llama/Llama-3.1-8B-Instruct"));
    assert_eq!(code(5), "out-of-range");
    assert_eq!(code(6), "out-of-range");
    assert_eq!(code(7), "inconsistent");
    assert_eq!(found[8]["tpot_ms"], Value::Null);
    assert_eq!(found[8]["fits"], true);
    assert_eq!(code(9), "unknown-value");
    assert_eq!(found[10]["fits"], false);
    assert!(found[10]["reason"].is_string() && found[10]["e2e_ms"].is_null());
    for measure in [
        "ttft_ms",
        "tpot_ms",
        "e2e_ms",
        "output_tokens_per_s",
        "requests_per_s",
        "weights_gib",
        "kv_pool_gib",
        "kv_pool_tokens",
        "max_concurrency",
    ] {
        let figure = &found[0][measure];
        let of = |end: &str| figure[end].as_f64().unwrap();
        assert!(of("low") <= of("value") && of("value") <= of("high"), "{measure}: {figure}");
        assert!(figure["basis"].is_string());
    }
}

#[test]
fn open_load_adds_percentiles_and_closed_does_not() {
    let base = json!({"id": 1, "model": "meta-llama/Llama-3.1-8B-Instruct", "gpu": "h100-sxm", "input_tokens": 500,
        "output_tokens": 200});
    let with = |more: Value| {
        let mut request = base.clone();
        request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        answer(request)
    };
    let open = with(json!({"load": "open", "rate_per_s": 5}));
    for measure in ["ttft_ms", "tpot_ms", "e2e_ms"] {
        let at = |q: &str| open[measure][q]["value"].as_f64().unwrap();
        assert!(at("p50") <= at("p90") && at("p90") <= at("p95") && at("p95") <= at("p99"));
        assert!(open[measure]["mean"]["basis"].is_string());
    }
    let closed = with(json!({"load": "closed", "concurrency": 16}));
    assert_eq!(closed["ttft_ms"].get("p95"), None);
    let most = with(json!({"load": "max"}));
    let tokens = |found: &Value| found["output_tokens_per_s"]["value"].as_f64().unwrap();
    assert!(tokens(&most) > tokens(&closed));
}

#[test]
fn a_batch_gives_the_same_bytes_whatever_the_threads() {
    let line = |id: u32| {
        format!(
            "{{\"id\":{id},\"model\":\"Qwen/Qwen3-30B-A3B\",\"gpu\":\"h100-sxm\",\"concurrency\":{}}}\n",
            id % 60 + 1
        )
    };
    let input: String = (0..9000).map(line).collect();
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let mut out = Vec::new();
            batch(catalog(), input.as_bytes(), &mut out).unwrap();
            out
        })
    };
    assert_eq!(run(1), run(4));
}

#[test]
fn an_interval_never_reaches_below_the_floor() {
    let around = Estimate::around(10.0, 2.0, Basis::Calibrated).at_least(8.0);
    assert_eq!((around.low, around.value, around.high), (8.0, 10.0, 20.0));
    near(one_sided(1.68, 0.9), 1.498, 0.001);
}

#[test]
fn flags_are_held_to_the_same_ranges_as_lines() {
    let request = Request { load: Some(Load::Closed), concurrency: Some(f64::NAN), ..Request::default() };
    assert!(request.check().is_err());
    let unknown = Request { model: "no/such".to_owned(), gpu: "h100-sxm".to_owned(), ..Request::default() };
    assert!(matches!(single(catalog(), &unknown).outcome, Outcome::Refused(_)));
}
