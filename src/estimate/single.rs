//! One configuration, answered: from a [`Request`] through the catalog to an [`Answer`].
//!
//! In: names and numbers. Out: every measure with its interval, a misfit with its reason, or a refusal. Used by
//! `bursar estimate` for flags and for each line of a batch. It formats nothing but the JSON of the contract.

use serde_json::{Map, Value, json};

use super::{
    Basis, Demand, Distribution, Estimate, Load, Memory, Misfit, Refusal, Request, Resolved, Rigs, Saturated,
    Steady, Step, Unit, closed, load::waves, loaded, max_load, memory, static_batch,
};
use crate::catalog::Catalog;

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
    /// Sequences running together: the mean of the load, the cap when saturated.
    pub batch: f64,
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
    answer(catalog, request, |unit| Step::new(catalog, unit))
}

/// Estimates one request of many.
#[must_use]
pub fn single_on(rigs: &Rigs<'_>, request: &Request) -> Answer {
    let catalog = rigs.catalog();
    answer(catalog, request, |unit| Ok(Step::on(catalog, unit, rigs.of(unit)?)))
}

fn answer(catalog: &Catalog, request: &Request, step: impl Fn(&Unit<'_>) -> Result<Step, Misfit>) -> Answer {
    let outcome = match Resolved::of(catalog, request) {
        Err(refusal) => Outcome::Refused(refusal),
        Ok(resolved) => {
            resolved.measures(catalog, step).map_or_else(Outcome::Misfits, |m| Outcome::Fits(Box::new(m)))
        }
    };
    Answer { id: request.id.clone(), outcome }
}

impl Resolved<'_> {
    fn measures(
        &self,
        catalog: &Catalog,
        step: impl Fn(&Unit<'_>) -> Result<Step, Misfit>,
    ) -> Result<Measures, Misfit> {
        let unit = &self.unit;
        let memory = memory(catalog, unit, self.context_tokens)?;
        let step = step(unit)?;
        let traffic = self.traffic();
        let demand = Demand::new(&step, &traffic);
        let basis = step.basis();
        let factor = |measure: &str| step.interval(&catalog.coefficients, measure);
        let concurrency = self.concurrency.unwrap_or(1.0);
        let bound = Bound::of(&step, demand, self, basis);
        let memories = Memories::of(unit, &memory);
        let cap = unit.max_batch;
        let found = match self.load {
            Load::Static => {
                let ttft = if concurrency > 1.0 { factor("static") } else { factor("ttft") };
                let factors = Factors { ttft, tpot: factor("tpot"), whole: Some(factor("static")) };
                let steady = static_batch(&step, &memory, &demand, concurrency, cap);
                bound.steady(
                    &steady,
                    &factors,
                    bound.together(concurrency, demand.batch_cap(&memory, cap).floor()),
                )
            }
            Load::Closed => {
                let ttft = if concurrency > 1.0 { factor("ttft-loaded") } else { factor("ttft") };
                let factors = Factors { ttft, tpot: factor("tpot"), whole: None };
                let steady = closed(&step, &memory, &demand, concurrency, cap);
                bound.steady(&steady, &factors, bound.in_turn(&steady))
            }
            Load::Max => {
                let whole = factor("saturation");
                let factors =
                    Factors { ttft: factor("ttft-loaded"), tpot: factor("tpot"), whole: Some(whole) };
                let steady = max_load(&step, &memory, &demand, self.concurrency, cap);
                bound.steady(&steady, &factors, bound.in_turn(&steady))
            }
            Load::Open => match loaded(&step, &memory, &traffic, self.rate_per_s, cap) {
                Ok(found) => {
                    let factors = Factors { ttft: factor("ttft-loaded"), tpot: factor("tpot"), whole: None };
                    bound.open(&found, self.rate_per_s, &factors)
                }
                Err(saturated) => {
                    let cap = demand.batch_cap(&memory, cap);
                    bound.saturated(saturated, factor("saturation"), cap)
                }
            },
        };
        Ok(memories.with(found))
    }
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
    batch: f64,
    saturated: Option<Saturated>,
}

/// What no answer may beat: reads, arithmetic and exchanges at the figures of the data sheet.
struct Bound<'s> {
    step: &'s Step,
    demand: Demand,
    output: f64,
    basis: Basis,
    /// Least time of one prompt alone, and of what it adds to others, ms.
    prompt_floor_ms: f64,
    prompt_added_ms: f64,
}

/// Least times under one load, ms.
#[derive(Clone, Copy)]
struct Floors {
    ttft_ms: f64,
    tpot_ms: f64,
    e2e_ms: f64,
}

impl<'s> Bound<'s> {
    fn of(step: &'s Step, demand: Demand, asked: &Resolved<'_>, basis: Basis) -> Self {
        let input = asked.lengths.input_mean;
        let cached = input * asked.prefix_hit;
        let (arithmetic_ms, link_ms) = step.prompt_floors(input, cached);
        Self {
            step,
            demand,
            output: asked.lengths.output_mean,
            basis,
            prompt_floor_ms: step.prefill_floor(input, cached),
            prompt_added_ms: arithmetic_ms.max(link_ms),
        }
    }

    fn token_floor_ms(&self, batch: f64) -> f64 {
        self.step.decode_floor(batch, self.demand.context_tokens)
    }

    /// A batch started together, in waves of `cap`: all prompts, then all tokens.
    fn together(&self, batch: f64, cap: f64) -> Floors {
        let wave = |b: f64| ((b * self.prompt_added_ms).max(self.prompt_floor_ms), self.token_floor_ms(b));
        let least = waves(batch, cap, self.output.max(1.0), wave);
        Floors { ttft_ms: least.ttft_ms, tpot_ms: least.tpot_ms, e2e_ms: least.e2e_ms }
    }

    /// Requests that follow each other: one alone, and by Little's law all those present over the largest rate.
    fn in_turn(&self, steady: &Steady) -> Floors {
        let tpot_ms = self.token_floor_ms(steady.batch);
        let alone_ms = (self.output - 1.0).max(0.0).mul_add(tpot_ms, self.prompt_floor_ms);
        let present = steady.requests_per_s * steady.e2e_ms;
        let by_rate_ms = present / self.demand.ceiling_per_s(self.step, steady.batch);
        Floors { ttft_ms: self.prompt_floor_ms, tpot_ms, e2e_ms: alone_ms.max(by_rate_ms) }
    }

    fn steady(&self, steady: &Steady, factors: &Factors, floors: Floors) -> Found {
        let steps = (self.output - 1.0).max(0.0);
        let ttft = Estimate::around(steady.ttft_ms, factors.ttft, self.basis).at_least(floors.ttft_ms);
        let tpot = Estimate::around(steady.tpot_ms, factors.tpot, self.basis).at_least(floors.tpot_ms);
        let e2e = factors
            .whole
            .map_or_else(
                // Errors of a unit move together: the ends of the sum are the sums of the ends.
                || Estimate {
                    value: steady.e2e_ms.max(steps.mul_add(tpot.value, ttft.value)),
                    low: steps.mul_add(tpot.low, ttft.low),
                    high: steps.mul_add(tpot.high, ttft.high),
                    basis: self.basis,
                },
                |factor| Estimate::around(steady.e2e_ms, factor, self.basis),
            )
            .at_least(floors.e2e_ms);
        // Those present are given: rates are theirs over the time each takes.
        let present = steady.requests_per_s * steady.e2e_ms;
        let rate = |per_request: f64| Estimate {
            value: present * per_request / e2e.value,
            low: present * per_request / e2e.high,
            high: present * per_request / e2e.low,
            basis: self.basis,
        };
        let plain = |value| Latency { value, spread: None };
        Found {
            ttft_ms: Some(plain(ttft)),
            tpot_ms: (self.output > 1.0).then(|| plain(tpot)),
            e2e_ms: Some(plain(e2e)),
            requests_per_s: rate(1.0),
            output_tokens_per_s: rate(self.output),
            batch: steady.batch,
            saturated: None,
        }
    }

    fn open(&self, loaded: &super::Loaded, rate_per_s: f64, factors: &Factors) -> Found {
        let steps = (self.output - 1.0).max(0.0);
        let (token_floor_ms, first_floor_ms) = (self.token_floor_ms(1.0), self.prompt_floor_ms);
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
            batch: loaded.mean_batch,
            saturated: None,
        }
    }

    fn saturated(&self, saturated: Saturated, factor: f64, cap: f64) -> Found {
        let ceiling_per_s = self.demand.ceiling_per_s(self.step, cap);
        let rate = |value: f64| {
            let most = ceiling_per_s * value / saturated.saturation_rps;
            Estimate::around(value, factor, self.basis).at_most(most)
        };
        Found {
            ttft_ms: None,
            tpot_ms: None,
            e2e_ms: None,
            requests_per_s: rate(saturated.saturation_rps),
            output_tokens_per_s: rate(saturated.saturation_rps * self.output),
            batch: cap,
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
            batch: found.batch,
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
pub(super) fn rounded(value: f64) -> f64 {
    if value == 0.0 || !value.is_finite() {
        return value;
    }
    format!("{value:.5e}").parse().unwrap_or(value)
}
