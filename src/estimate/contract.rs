//! One estimate request, as a line of JSON or as flags.
//!
//! In: a JSON object by the batch contract (`docs/oracle.md`). Out: a typed [`Request`] with absent fields as `None`, or
//! the [`Refusal`] that says which field is wrong and what to write. Integral reals are integers: 8.0 is 8. It looks
//! nothing up in the catalog.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// How requests arrive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Load {
    /// One batch of `concurrency` started together.
    #[default]
    Static,
    /// `concurrency` clients in a loop.
    Closed,
    /// Poisson arrivals at `rate_per_s`.
    Open,
    /// Saturation.
    Max,
}

/// Why a line has no answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// Stable code, such as `unknown-field`.
    pub code: String,
    /// What is wrong and what to write.
    pub message: String,
}

impl Refusal {
    pub(super) fn new(code: &str, message: impl Into<String>) -> Self {
        Self { code: code.to_owned(), message: message.into() }
    }
}

/// What to estimate; absent fields take the defaults of the contract.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Request {
    /// Given back unchanged.
    pub id: Value,
    /// Hugging Face id or alias.
    pub model: String,
    /// GPU id or alias.
    pub gpu: String,
    /// GPUs of a replica.
    pub gpus: Option<u32>,
    /// GPUs that share each layer.
    pub tensor_parallel: Option<u32>,
    /// Stages.
    pub pipeline_parallel: Option<u32>,
    /// Ranks.
    pub data_parallel: Option<u32>,
    /// GPUs the experts are spread over.
    pub expert_parallel: Option<u32>,
    /// Precision of the weights.
    pub weights: Option<String>,
    /// `auto`, `bf16` or `fp8`.
    pub kv: Option<String>,
    /// Engine family.
    pub engine: Option<String>,
    /// Engine version.
    pub engine_version: Option<String>,
    /// How requests arrive; `None` = static without a rate, open with one.
    pub load: Option<Load>,
    /// Requests together (static, closed) or queued (max).
    pub concurrency: Option<f64>,
    /// Requests/s (open).
    pub rate_per_s: Option<f64>,
    /// Prompt, tokens.
    pub input_tokens: Option<f64>,
    /// Answer, tokens.
    pub output_tokens: Option<f64>,
    /// Most sequences in the running batch.
    pub max_batch: Option<u32>,
    /// Longest request, tokens.
    pub context_tokens: Option<f64>,
    /// Share of prompt tokens not prefilled.
    pub prefix_hit: Option<f64>,
    /// Share of each GPU's memory the engine may take.
    pub gpu_memory_utilization: Option<f64>,
}

/// Every field of the contract.
const FIELDS: [&str; 21] = [
    "id",
    "model",
    "gpu",
    "gpus",
    "tensor_parallel",
    "pipeline_parallel",
    "data_parallel",
    "expert_parallel",
    "weights",
    "kv",
    "engine",
    "engine_version",
    "load",
    "concurrency",
    "rate_per_s",
    "input_tokens",
    "output_tokens",
    "max_batch",
    "context_tokens",
    "prefix_hit",
    "gpu_memory_utilization",
];
/// GPUs, batches and parallelisms beyond this are typing errors.
const COUNT_MAX: f64 = 1e6;
/// Tokens and rates beyond this are typing errors.
const REAL_MAX: f64 = 1e9;

impl Request {
    /// Every field of the contract.
    pub(crate) const FIELDS: [&'static str; 21] = FIELDS;

    /// A request from one line.
    ///
    /// # Errors
    /// The id as far as it could be read, and the first fault.
    pub fn parse(line: &[u8]) -> Result<Self, (Value, Refusal)> {
        let value: Value = serde_json::from_slice(line)
            .map_err(|fault| (Value::Null, Refusal::new("invalid-json", format!("not JSON: {fault}"))))?;
        let Value::Object(object) = value else {
            return Err((Value::Null, Refusal::new("not-an-object", "write one JSON object a line")));
        };
        let id = object.get("id").cloned().unwrap_or(Value::Null);
        Self::from_object(&object).map_err(|refusal| (id, refusal))
    }

    /// A request from an object that has an `id`.
    ///
    /// # Errors
    /// The first fault.
    pub(crate) fn from_object(object: &Map<String, Value>) -> Result<Self, Refusal> {
        for key in object.keys() {
            if !FIELDS.contains(&key.as_str()) {
                return Err(unknown_field(key));
            }
        }
        let fields = Fields(object);
        let required = |name: &str| {
            fields.text(name)?.ok_or_else(|| Refusal::new("missing-field", format!("`{name}` is required")))
        };
        let id = object.get("id").filter(|id| !id.is_null()).cloned();
        Ok(Self {
            id: id.ok_or_else(|| Refusal::new("missing-field", "`id` is required"))?,
            model: required("model")?,
            gpu: required("gpu")?,
            gpus: fields.count("gpus")?,
            tensor_parallel: fields.count("tensor_parallel")?,
            pipeline_parallel: fields.count("pipeline_parallel")?,
            data_parallel: fields.count("data_parallel")?,
            expert_parallel: fields.count("expert_parallel")?,
            weights: fields.text("weights")?,
            kv: fields.text("kv")?,
            engine: fields.text("engine")?,
            engine_version: fields.version("engine_version")?,
            load: fields.text("load")?.as_deref().map(load).transpose()?,
            concurrency: fields.positive("concurrency", REAL_MAX)?,
            rate_per_s: fields.positive("rate_per_s", REAL_MAX)?,
            input_tokens: fields.real("input_tokens", 0.0, REAL_MAX)?,
            output_tokens: fields.real("output_tokens", 1.0, REAL_MAX)?,
            max_batch: fields.count("max_batch")?,
            context_tokens: fields.positive("context_tokens", REAL_MAX)?,
            prefix_hit: fields.real("prefix_hit", 0.0, 1.0)?,
            gpu_memory_utilization: fields.positive("gpu_memory_utilization", 1.0)?,
        })
    }
}

impl Request {
    /// Holds the numbers of a request made from flags against the ranges of the contract.
    ///
    /// # Errors
    /// The first number out of range.
    pub fn check(&self) -> Result<(), Refusal> {
        let reals = [
            ("concurrency", self.concurrency, f64::MIN_POSITIVE, REAL_MAX),
            ("rate_per_s", self.rate_per_s, f64::MIN_POSITIVE, REAL_MAX),
            ("input_tokens", self.input_tokens, 0.0, REAL_MAX),
            ("output_tokens", self.output_tokens, 1.0, REAL_MAX),
            ("context_tokens", self.context_tokens, f64::MIN_POSITIVE, REAL_MAX),
            ("prefix_hit", self.prefix_hit, 0.0, 1.0),
            ("gpu_memory_utilization", self.gpu_memory_utilization, f64::MIN_POSITIVE, 1.0),
        ];
        let counts = [
            ("gpus", self.gpus),
            ("tensor_parallel", self.tensor_parallel),
            ("pipeline_parallel", self.pipeline_parallel),
            ("data_parallel", self.data_parallel),
            ("expert_parallel", self.expert_parallel),
            ("max_batch", self.max_batch),
        ]
        .map(|(name, count)| (name, count.map(f64::from), 1.0, COUNT_MAX));
        for (name, value, least, most) in reals.into_iter().chain(counts) {
            if let Some(value) = value.filter(|value| !(least..=most).contains(value)) {
                return Err(out_of_range(name, least, most, &value));
            }
        }
        Ok(())
    }
}

fn out_of_range(name: &str, least: f64, most: f64, got: &dyn std::fmt::Display) -> Refusal {
    let least = if least == f64::MIN_POSITIVE { "more than 0".to_owned() } else { format!("{least}") };
    Refusal::new("out-of-range", format!("`{name}` must be from {least} to {most}, got {got}"))
}

/// The load of a word.
fn load(word: &str) -> Result<Load, Refusal> {
    match word.to_ascii_lowercase().as_str() {
        "static" => Ok(Load::Static),
        "closed" => Ok(Load::Closed),
        "open" => Ok(Load::Open),
        "max" => Ok(Load::Max),
        _ => {
            Err(Refusal::new("unknown-value", format!("`load` is static, closed, open or max, not `{word}`")))
        }
    }
}

fn unknown_field(key: &str) -> Refusal {
    let nearest = nearest(key, FIELDS.into_iter());
    let hint = nearest.map_or_else(
        || format!("the fields are {}", FIELDS.join(", ")),
        |field| format!("did you mean `{field}`?"),
    );
    Refusal::new("unknown-field", format!("`{key}` is no field of an estimate; {hint}"))
}

/// The word nearest to `given`, if it is near at all.
fn nearest<'w>(given: &str, words: impl Iterator<Item = &'w str>) -> Option<&'w str> {
    let given = given.to_ascii_lowercase();
    words
        .map(|word| (strsim::jaro_winkler(&given, &word.to_ascii_lowercase()), word))
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0).then(b.1.cmp(a.1)))
        .map(|(_, word)| word)
}

/// Typed access to the fields of one object; null is absent.
struct Fields<'o>(&'o Map<String, Value>);

impl Fields<'_> {
    fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    fn text(&self, name: &str) -> Result<Option<String>, Refusal> {
        self.get(name)
            .map(|value| match value {
                Value::String(text) => Ok(text.clone()),
                other => Err(wrong(name, "text", other)),
            })
            .transpose()
    }

    /// A version may be written as a number: 0.6 is "0.6".
    fn version(&self, name: &str) -> Result<Option<String>, Refusal> {
        match self.get(name) {
            Some(Value::Number(number)) => Ok(Some(number.to_string())),
            _ => self.text(name),
        }
    }

    fn real(&self, name: &str, least: f64, most: f64) -> Result<Option<f64>, Refusal> {
        let Some(value) = self.get(name) else { return Ok(None) };
        let number = value.as_f64().ok_or_else(|| wrong(name, "a number", value))?;
        if number.is_finite() && (least..=most).contains(&number) {
            Ok(Some(number))
        } else {
            Err(out_of_range(name, least, most, value))
        }
    }

    fn positive(&self, name: &str, most: f64) -> Result<Option<f64>, Refusal> {
        self.real(name, f64::MIN_POSITIVE, most)
    }

    fn count(&self, name: &str) -> Result<Option<u32>, Refusal> {
        let Some(number) = self.real(name, 1.0, COUNT_MAX)? else { return Ok(None) };
        if number.fract() > 0.0 {
            return Err(Refusal::new(
                "out-of-range",
                format!("`{name}` must be a whole number, got {number}"),
            ));
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "whole and from 1 to a million"
        )]
        let count = number as u32;
        Ok(Some(count))
    }
}

fn wrong(name: &str, wanted: &str, got: &Value) -> Refusal {
    Refusal::new("wrong-type", format!("`{name}` must be {wanted}, got {got}"))
}
