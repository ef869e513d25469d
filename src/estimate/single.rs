//! One configuration, answered: from a [`Request`] through the catalog to an [`Answer`].
//!
//! In: names and numbers. Out: every measure with its interval, a misfit with its reason, or a refusal. Used by
//! `bursar estimate` for flags and for each line of a batch. It formats nothing but the JSON of the contract.

use serde_json::{Map, Value, json};

use super::{
    Basis, Demand, Distribution, Estimate, Load, Memory, Misfit, Refusal, Request, Saturated, Steady, Step,
    Traffic, Unit, closed, interval, loaded, max_load, memory, static_batch,
};
use crate::catalog::{Catalog, Precision};
use crate::requirements::{Lengths, Spread};

/// Loads stated by neither flag nor field run this many tokens in and out.
const TOKENS_DEFAULT: (f64, f64) = (1024.0, 256.0);
/// Spread of the parts of memory, two-sided 90 % (start-up logs of vLLM 0.19 on H100, oracle study section 8).
const WEIGHTS_FACTOR: f64 = 1.03;
const ACTIVATION_FACTOR: f64 = 1.4;

/// A latency: one figure, or with its percentiles under open load.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Latency {
    /// The figure; under open load the median of the requests.
    pub value: Estimate,
    /// Mean, p50, p90, p95, p99 under open load.
    pub spread: Option<[Estimate; 5]>,
}

/// Every measure of a configuration that fits.
#[derive(Debug, Clone, PartialEq)]
pub struct Measures {
    /// Time to the first token, ms; `None` when saturated.
    pub ttft_ms: Option<Latency>,
    /// Time between tokens, ms; `None` with one output token.
    pub tpot_ms: Option<Latency>,
    /// Time to the last token, ms.
    pub e2e_ms: Option<Latency>,
    /// Tokens/s of the replica.
    pub output_tokens_per_s: Estimate,
    /// Requests/s of the replica.
    pub requests_per_s: Estimate,
    /// GiB per GPU.
    pub weights_gib: Estimate,
    /// GiB per GPU.
    pub kv_pool_gib: Estimate,
    /// Tokens of the replica.
    pub kv_pool_tokens: Estimate,
    /// Requests of the asked context at once, of the replica.
    pub max_concurrency: Estimate,
    /// Said where the load exceeds what the replica serves.
    pub saturated: Option<Saturated>,
}

/// What became of a request.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// It runs.
    Fits(Box<Measures>),
    /// It cannot run.
    Misfits(Misfit),
    /// The request is at fault.
    Refused(Refusal),
}

/// One answer with the id of its request.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// As given.
    pub id: Value,
    /// What became of it.
    pub outcome: Outcome,
}

/// Estimates one request.
#[must_use]
pub fn single(catalog: &Catalog, request: &Request) -> Answer {
    let outcome = match Resolved::of(catalog, request) {
        Err(refusal) => Outcome::Refused(refusal),
        Ok(resolved) => {
            resolved.measures(catalog).map_or_else(Outcome::Misfits, |m| Outcome::Fits(Box::new(m)))
        }
    };
    Answer { id: request.id.clone(), outcome }
}

/// A request whose names are found and whose defaults are filled.
struct Resolved<'c> {
    unit: Unit<'c>,
    load: Load,
    concurrency: Option<f64>,
    rate_per_s: f64,
    lengths: Lengths,
    context_tokens: f64,
    prefix_hit: f64,
}

fn unknown(what: &str, name: &str, suggestion: Option<&str>) -> Refusal {
    let hint = suggestion.map_or_else(String::new, |word| format!("; did you mean `{word}`?"));
    Refusal::new(&format!("unknown-{what}"), format!("no {what} `{name}` in the catalog{hint}"))
}

impl<'c> Resolved<'c> {
    fn of(catalog: &'c Catalog, request: &Request) -> Result<Self, Refusal> {
        let (model, published) = catalog
            .checkpoint(&request.model)
            .ok_or_else(|| unknown("model", &request.model, catalog.suggest_model(&request.model)))?;
        let gpu = catalog
            .gpu(&request.gpu)
            .ok_or_else(|| unknown("gpu", &request.gpu, catalog.suggest_gpu(&request.gpu)))?;
        let family = request.engine.as_deref().unwrap_or("vllm");
        let engine = catalog
            .engine(family, request.engine_version.as_deref())
            .ok_or_else(|| unknown("engine", family, catalog.suggest_engine(family)))?;
        let weights = match request.weights.as_deref() {
            Some(name) => Precision::named(name),
            // A 16-bit checkpoint runs in the 16-bit type the GPU has.
            None if published.0 == "bf16" && gpu.compute_capability.is_some_and(|cc| cc < 8.0) => {
                Precision::named("fp16")
            }
            None => published,
        };
        if catalog.precision(&weights).is_none() {
            return Err(unknown("precision", &weights.0, catalog.suggest_precision(&weights.0)));
        }
        let kv_bytes = match request.kv.as_deref().unwrap_or("auto") {
            word if ["auto", "bf16", "fp16"].iter().any(|w| word.eq_ignore_ascii_case(w)) => 2.0,
            word if word.eq_ignore_ascii_case("fp8") => 1.0,
            word => {
                return Err(Refusal::new(
                    "unknown-value",
                    format!("`kv` is auto, bf16 or fp8, not `{word}`"),
                ));
            }
        };
        let (gpus, tensor_parallel, pipeline_parallel, data_parallel) = layout(request)?;
        let load =
            request.load.unwrap_or(if request.rate_per_s.is_some() { Load::Open } else { Load::Static });
        let rate_per_s = match (load, request.rate_per_s) {
            (Load::Open, None) => {
                return Err(Refusal::new("missing-field", "`rate_per_s` is required under open load"));
            }
            (_, rate) => rate.unwrap_or(0.0),
        };
        let input = request.input_tokens.unwrap_or(TOKENS_DEFAULT.0);
        let output = request.output_tokens.unwrap_or(TOKENS_DEFAULT.1);
        // Whoever states a batch has an engine that was started for it.
        let stated = match load {
            Load::Static | Load::Closed => request.concurrency.unwrap_or(1.0).ceil(),
            Load::Open | Load::Max => 1.0,
        };
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "positive; saturates")]
        let stated = stated as u32;
        Ok(Self {
            unit: Unit {
                model,
                gpu,
                engine,
                gpus,
                tensor_parallel,
                pipeline_parallel,
                data_parallel,
                expert_parallel: request.expert_parallel.unwrap_or(1),
                weights,
                kv_bytes,
                max_batch: request.max_batch.unwrap_or_else(|| engine.max_batch.max(stated)),
                gpu_memory_utilization: request
                    .gpu_memory_utilization
                    .unwrap_or(engine.gpu_memory_utilization),
            },
            load,
            concurrency: request.concurrency,
            rate_per_s,
            lengths: Lengths {
                input_mean: input,
                output_mean: output,
                reasoning_mean: None,
                spread: Spread::Constant,
                points: vec![(input, output, 1.0)],
            },
            context_tokens: request.context_tokens.unwrap_or(input + output),
            prefix_hit: request.prefix_hit.unwrap_or(0.0),
        })
    }

    fn measures(&self, catalog: &Catalog) -> Result<Measures, Misfit> {
        let unit = &self.unit;
        let memory = memory(catalog, unit, self.context_tokens)?;
        let step = Step::new(catalog, unit)?;
        let traffic = Traffic {
            lengths: &self.lengths,
            extra_output: 0.0,
            prefix_hit: self.prefix_hit,
            context_tokens: self.context_tokens,
        };
        let demand = Demand::new(&step, &traffic);
        let (basis, mixture) = (step.basis(), step.is_mixture());
        let factor = |measure: &str| interval(&catalog.coefficients, measure, mixture, basis);
        let concurrency = self.concurrency.unwrap_or(1.0);
        let bound = Bound { step: &step, demand, output: self.lengths.output_mean, basis };
        let memories = Memories::of(unit, &memory);
        let cap = unit.max_batch;
        let found = match self.load {
            Load::Static => {
                let ttft = if concurrency > 1.0 { factor("static") } else { factor("ttft") };
                let factors = Factors { ttft, tpot: factor("tpot"), whole: Some(factor("static")) };
                bound.steady(&static_batch(&step, &memory, &demand, concurrency, cap), &factors)
            }
            Load::Closed => {
                let ttft = if concurrency > 1.0 { factor("ttft-loaded") } else { factor("ttft") };
                let factors = Factors { ttft, tpot: factor("tpot"), whole: None };
                bound.steady(&closed(&step, &memory, &demand, concurrency, cap), &factors)
            }
            Load::Max => {
                let whole = factor("saturation");
                let factors =
                    Factors { ttft: factor("ttft-loaded"), tpot: factor("tpot"), whole: Some(whole) };
                bound.steady(&max_load(&step, &memory, &demand, self.concurrency, cap), &factors)
            }
            Load::Open => match loaded(&step, &memory, &traffic, self.rate_per_s, cap) {
                Ok(found) => {
                    let factors = Factors { ttft: factor("ttft-loaded"), tpot: factor("tpot"), whole: None };
                    bound.open(&found, self.rate_per_s, &factors)
                }
                Err(saturated) => bound.saturated(saturated, factor("saturation")),
            },
        };
        Ok(memories.with(found))
    }
}

/// GPUs and parallelisms whose product they are.
fn layout(request: &Request) -> Result<(u32, u32, u32, u32), Refusal> {
    let (pp, dp) = (request.pipeline_parallel.unwrap_or(1), request.data_parallel.unwrap_or(1));
    let others = u64::from(pp) * u64::from(dp);
    let gpus = u64::from(request.gpus.unwrap_or(1));
    let tp = match (request.tensor_parallel, request.gpus) {
        (Some(tp), _) => u64::from(tp),
        (None, Some(_)) => (gpus / others).max(1),
        (None, None) => 1,
    };
    let product = tp * others;
    if request.gpus.is_some() && product != gpus {
        let message =
            format!("`gpus` is {gpus}, but tensor {tp} x pipeline {pp} x data parallel {dp} is {product}");
        return Err(Refusal::new("inconsistent", message));
    }
    let narrow = |n: u64| u32::try_from(n).map_err(|_| Refusal::new("out-of-range", "too many GPUs"));
    Ok((narrow(product)?, narrow(tp)?, pp, dp))
}

/// Two-sided 90 % factors of one answer; `whole` = of e2e and rates, else they follow from their parts.
struct Factors {
    ttft: f64,
    tpot: f64,
    whole: Option<f64>,
}

/// Times and rates of one answer.
struct Found {
    ttft_ms: Option<Latency>,
    tpot_ms: Option<Latency>,
    e2e_ms: Option<Latency>,
    requests_per_s: Estimate,
    output_tokens_per_s: Estimate,
    saturated: Option<Saturated>,
}

/// What no answer may beat: the weights are read once a token.
struct Bound<'s> {
    step: &'s Step,
    demand: Demand,
    output: f64,
    basis: Basis,
}

impl Bound<'_> {
    fn steady(&self, steady: &Steady, factors: &Factors) -> Found {
        let steps = (self.output - 1.0).max(0.0);
        let token_floor_ms = self.step.decode_floor(steady.batch, self.demand.context_tokens);
        let first_floor_ms = self.step.decode_floor(1.0, 0.0);
        let ttft = Estimate::around(steady.ttft_ms, factors.ttft, self.basis).at_least(first_floor_ms);
        let tpot = Estimate::around(steady.tpot_ms, factors.tpot, self.basis).at_least(token_floor_ms);
        let e2e = factors
            .whole
            .map_or_else(
                // Errors of a unit move together: the ends of the sum are the sums of the ends.
                || Estimate {
                    value: steady.e2e_ms,
                    low: steps.mul_add(tpot.low, ttft.low),
                    high: steps.mul_add(tpot.high, ttft.high),
                    basis: self.basis,
                },
                |factor| Estimate::around(steady.e2e_ms, factor, self.basis),
            )
            .at_least(steps.mul_add(token_floor_ms, first_floor_ms));
        let rate = |per_request: f64| Estimate {
            value: steady.requests_per_s * per_request,
            low: steady.requests_per_s * per_request * e2e.value / e2e.high,
            high: steady.requests_per_s * per_request * e2e.value / e2e.low,
            basis: self.basis,
        };
        let plain = |value| Latency { value, spread: None };
        Found {
            ttft_ms: Some(plain(ttft)),
            tpot_ms: (self.output > 1.0).then(|| plain(tpot)),
            e2e_ms: Some(plain(e2e)),
            requests_per_s: rate(1.0),
            output_tokens_per_s: rate(self.output),
            saturated: None,
        }
    }

    fn open(&self, loaded: &super::Loaded, rate_per_s: f64, factors: &Factors) -> Found {
        let steps = (self.output - 1.0).max(0.0);
        let token_floor_ms = self.step.decode_floor(1.0, self.demand.context_tokens);
        let first_floor_ms = self.step.decode_floor(1.0, 0.0);
        let latency = |law: &Distribution, factor: f64, floor_ms: f64| {
            let of = |value: f64| Estimate::around(value, factor, self.basis).at_least(floor_ms);
            Latency {
                value: of(law.p50),
                spread: Some([law.mean, law.p50, law.p90, law.p95, law.p99].map(of)),
            }
        };
        let whole =
            (loaded.ttft.mean * factors.ttft + steps * loaded.tpot.mean * factors.tpot) / loaded.e2e.mean;
        // What arrives leaves: below saturation the rate is given, not estimated.
        let given = |value: f64| Estimate { value, low: value, high: value, basis: self.basis };
        Found {
            ttft_ms: Some(latency(&loaded.ttft, factors.ttft, first_floor_ms)),
            tpot_ms: (self.output > 1.0).then(|| latency(&loaded.tpot, factors.tpot, token_floor_ms)),
            e2e_ms: Some(latency(&loaded.e2e, whole, steps.mul_add(token_floor_ms, first_floor_ms))),
            requests_per_s: given(rate_per_s),
            output_tokens_per_s: given(rate_per_s * self.output),
            saturated: None,
        }
    }

    fn saturated(&self, saturated: Saturated, factor: f64) -> Found {
        let rate = |value: f64| Estimate::around(value, factor, self.basis);
        Found {
            ttft_ms: None,
            tpot_ms: None,
            e2e_ms: None,
            requests_per_s: rate(saturated.saturation_rps),
            output_tokens_per_s: rate(saturated.saturation_rps * self.output),
            saturated: Some(saturated),
        }
    }
}

/// The memory figures with their intervals.
struct Memories {
    weights_gib: Estimate,
    kv_pool_gib: Estimate,
    kv_pool_tokens: Estimate,
    max_concurrency: Estimate,
}

impl Memories {
    fn of(unit: &Unit<'_>, memory: &Memory) -> Self {
        let basis = if !unit.model.formula {
            Basis::Assumed
        } else if unit.engine.family == "vllm" && unit.gpu.id.starts_with("h100") {
            Basis::Calibrated
        } else {
            Basis::Extrapolated
        };
        let spread =
            memory.weights_gib * (WEIGHTS_FACTOR - 1.0) + memory.activation_gib * (ACTIVATION_FACTOR - 1.0);
        let pool = |value: f64| {
            let share = spread / memory.kv_pool_gib;
            Estimate { value, low: value * (1.0 - share).max(0.0), high: value * (1.0 + share), basis }
        };
        Self {
            weights_gib: Estimate::around(memory.weights_gib, WEIGHTS_FACTOR, basis),
            kv_pool_gib: pool(memory.kv_pool_gib),
            kv_pool_tokens: pool(memory.kv_pool_tokens),
            max_concurrency: pool(memory.max_concurrency),
        }
    }

    fn with(self, found: Found) -> Measures {
        Measures {
            ttft_ms: found.ttft_ms,
            tpot_ms: found.tpot_ms,
            e2e_ms: found.e2e_ms,
            output_tokens_per_s: found.output_tokens_per_s,
            requests_per_s: found.requests_per_s,
            weights_gib: self.weights_gib,
            kv_pool_gib: self.kv_pool_gib,
            kv_pool_tokens: self.kv_pool_tokens,
            max_concurrency: self.max_concurrency,
            saturated: found.saturated,
        }
    }
}

/// Figures of the contract, in its order.
const MEASURES: [&str; 9] = [
    "ttft_ms",
    "tpot_ms",
    "e2e_ms",
    "output_tokens_per_s",
    "requests_per_s",
    "weights_gib",
    "kv_pool_gib",
    "kv_pool_tokens",
    "max_concurrency",
];

impl Answer {
    /// The line of the contract.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut object = Map::new();
        object.insert("id".to_owned(), self.id.clone());
        match &self.outcome {
            Outcome::Refused(refusal) => {
                object.insert("error".to_owned(), json!({"code": refusal.code, "message": refusal.message}));
            }
            Outcome::Misfits(misfit) => {
                object.insert("fits".to_owned(), Value::Bool(false));
                object.insert("reason".to_owned(), Value::String(misfit.to_string()));
                for name in MEASURES {
                    object.insert(name.to_owned(), Value::Null);
                }
            }
            Outcome::Fits(measures) => {
                object.insert("fits".to_owned(), Value::Bool(true));
                let reason = measures.saturated.map_or(Value::Null, |s| {
                    Value::String(format!(
                        "saturated: the load reaches {} requests/s",
                        rounded(s.saturation_rps)
                    ))
                });
                object.insert("reason".to_owned(), reason);
                for (name, value) in MEASURES.into_iter().zip(measures.values()) {
                    object.insert(name.to_owned(), value);
                }
            }
        }
        Value::Object(object)
    }
}

impl Measures {
    fn values(&self) -> [Value; 9] {
        let latency = |found: Option<Latency>| found.map_or(Value::Null, |l| latency_json(&l));
        [
            latency(self.ttft_ms),
            latency(self.tpot_ms),
            latency(self.e2e_ms),
            Value::Object(figure(&self.output_tokens_per_s)),
            Value::Object(figure(&self.requests_per_s)),
            Value::Object(figure(&self.weights_gib)),
            Value::Object(figure(&self.kv_pool_gib)),
            Value::Object(figure(&self.kv_pool_tokens)),
            Value::Object(figure(&self.max_concurrency)),
        ]
    }
}

fn latency_json(latency: &Latency) -> Value {
    let mut object = figure(&latency.value);
    if let Some(spread) = &latency.spread {
        for (name, estimate) in ["mean", "p50", "p90", "p95", "p99"].into_iter().zip(spread) {
            object.insert(name.to_owned(), Value::Object(figure(estimate)));
        }
    }
    Value::Object(object)
}

fn figure(estimate: &Estimate) -> Map<String, Value> {
    let mut object = Map::new();
    object.insert("value".to_owned(), json!(rounded(estimate.value)));
    object.insert("low".to_owned(), json!(rounded(estimate.low)));
    object.insert("high".to_owned(), json!(rounded(estimate.high)));
    object.insert("basis".to_owned(), json!(estimate.basis.word()));
    object
}

/// Six significant digits: more than any interval warrants, few enough to read.
fn rounded(value: f64) -> f64 {
    if value == 0.0 || !value.is_finite() {
        return value;
    }
    format!("{value:.5e}").parse().unwrap_or(value)
}
