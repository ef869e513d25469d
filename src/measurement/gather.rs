//! What one file yields: figures to use, rows left out, and faults, gathered so that all of them arrive together.
//!
//! In: runs, as fields of the batch contract beside the figures measured. Out: [`Measurements`], or every fault. Numbers
//! are held against the ranges of the contract; names are looked up, and a name that the catalog does not know leaves
//! its row out instead of stopping the file.

use jiff::civil::Date;
use serde_json::{Map, Value};

use super::{Measurement, Measurements, Quantity, Rejected, codes};
use crate::catalog::{Catalog, Precision};
use crate::error::{Fault, Place};
use crate::estimate::{Load, Refusal, Request};
use crate::requirements::Statistic;

/// Faults that are named one by one.
const FAULTS_MAX: usize = 100;
/// Fields of the contract that are text; every other one is a number.
const TEXTS: [&str; 7] = ["model", "gpu", "weights", "kv", "engine", "engine_version", "load"];
/// Words for the precision of keys and values.
const KV_WORDS: [&str; 4] = ["auto", "bf16", "fp16", "fp8"];
/// Figures beyond this are typing errors.
const FIGURE_MAX: f64 = 1e12;

/// What the user states beside a file: it fills the blanks of a table and overrules the file of a tool.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Defaults {
    /// Hugging Face id or alias.
    pub model: Option<String>,
    /// GPU id or alias.
    pub gpu: Option<String>,
    /// GPUs of a replica.
    pub gpus: Option<u32>,
    /// GPUs that share each layer.
    pub tensor_parallel: Option<u32>,
    /// Precision of the weights.
    pub weights: Option<String>,
    /// `auto`, `bf16`, `fp16` or `fp8`.
    pub kv: Option<String>,
    /// Engine family.
    pub engine: Option<String>,
    /// Engine version.
    pub engine_version: Option<String>,
}

impl Defaults {
    /// What is stated, as fields of the contract.
    fn fields(&self) -> impl Iterator<Item = (&'static str, Value)> {
        let text = |text: &Option<String>| text.clone().map(Value::from);
        [
            ("model", text(&self.model)),
            ("gpu", text(&self.gpu)),
            ("gpus", self.gpus.map(Value::from)),
            ("tensor_parallel", self.tensor_parallel.map(Value::from)),
            ("weights", text(&self.weights)),
            ("kv", text(&self.kv)),
            ("engine", text(&self.engine)),
            ("engine_version", text(&self.engine_version)),
        ]
        .into_iter()
        .filter_map(|(name, value)| value.map(|value| (name, value)))
    }

    /// Is this field stated?
    pub(super) fn states(&self, name: &str) -> bool {
        self.fields().any(|(field, _)| field == name)
    }

    /// States what the row leaves open.
    pub(super) fn fill(&self, fields: &mut Map<String, Value>) {
        for (name, value) in self.fields() {
            fields.entry(name).or_insert(value);
        }
    }

    /// States what a tool did not know, or took from a name.
    pub(super) fn overrule(&self, fields: &mut Map<String, Value>) {
        for (name, value) in self.fields() {
            fields.insert(name.to_owned(), value);
        }
    }
}

/// Where a run stands in its file.
#[derive(Debug, Clone, Default)]
pub(super) struct At {
    /// First line is 1; 0 where it is not known.
    pub(super) line: usize,
    /// Path of the run in a JSON document; empty in a table.
    pub(super) key: String,
}

impl At {
    /// The place of something within this one.
    pub(super) fn inside(&self, name: &str) -> Self {
        Self { line: self.line, key: self.key(name) }
    }

    /// The path of something within the run.
    fn key(&self, name: &str) -> String {
        match (self.key.as_str(), name) {
            ("", name) => name.to_owned(),
            (key, "") => key.to_owned(),
            (key, name) => format!("{key}.{name}"),
        }
    }
}

/// One figure of a run.
pub(super) struct Figure {
    /// Column or key it stands under.
    pub(super) key: String,
    pub(super) quantity: Quantity,
    pub(super) statistic: Option<Statistic>,
    pub(super) value: f64,
}

/// One configuration under one load, with what was measured.
pub(super) struct Run {
    pub(super) at: At,
    /// `None` = the file's name.
    pub(super) source: Option<String>,
    pub(super) as_of: Option<Date>,
    /// Fields of the batch contract.
    pub(super) fields: Map<String, Value>,
    pub(super) figures: Vec<Figure>,
}

/// What one file yields so far.
pub(super) struct Found<'f> {
    file: &'f str,
    pub(super) catalog: &'f Catalog,
    pub(super) defaults: &'f Defaults,
    /// Is it the file of a tool, which has no cell to fill?
    pub(super) of_tool: bool,
    faults: Vec<Fault>,
    /// Faults beyond [`FAULTS_MAX`].
    unnamed: usize,
    measurements: Measurements,
}

impl<'f> Found<'f> {
    pub(super) const fn new(file: &'f str, catalog: &'f Catalog, defaults: &'f Defaults) -> Self {
        let measurements = Measurements { rows: Vec::new(), rejected: Vec::new() };
        Self { file, catalog, defaults, of_tool: false, faults: Vec::new(), unnamed: 0, measurements }
    }

    fn place(&self, at: &At, name: &str) -> Place {
        Place { file: self.file.to_owned(), line: at.line, column: 0, key: at.key(name) }
    }

    /// Notes a fault; one said before is not repeated.
    pub(super) fn fault(
        &mut self,
        code: &'static str,
        at: &At,
        name: &str,
        cause: impl Into<String>,
        cure: impl Into<String>,
    ) {
        let fault = Fault { code, place: self.place(at, name), cause: cause.into(), cure: cure.into() };
        if self.faults.len() >= FAULTS_MAX {
            self.unnamed += 1;
        } else if !self.faults.contains(&fault) {
            self.faults.push(fault);
        }
    }

    /// Leaves a run out.
    pub(super) fn reject(&mut self, at: &At, reason: &'static str, cause: impl Into<String>) {
        let place = self.place(at, "");
        self.measurements.rejected.push(Rejected { place, reason, cause: cause.into() });
    }

    /// Takes in what another reader found.
    pub(super) fn take(&mut self, measurements: Measurements) {
        self.measurements.rows.extend(measurements.rows);
        self.measurements.rejected.extend(measurements.rejected);
    }

    /// Takes a run in, notes its faults, or leaves it out.
    pub(super) fn run(&mut self, run: Run) {
        let Some(request) = self.request(&run.at, &run.fields) else { return };
        if let Err((reason, cause)) = self.names(&request) {
            self.reject(&run.at, reason, cause);
            return;
        }
        if run.figures.is_empty() {
            self.reject(&run.at, "nothing-measured", "no figure is given");
            return;
        }
        let source = run.source.unwrap_or_else(|| file_name(self.file).to_owned());
        for figure in run.figures {
            self.measurements.rows.push(Measurement {
                place: self.place(&run.at, &figure.key),
                source: source.clone(),
                as_of: run.as_of,
                request: request.clone(),
                quantity: figure.quantity,
                statistic: figure.statistic,
                value: figure.value,
            });
        }
    }

    /// The request of a row; every faulty field is noted, not only the first.
    pub(super) fn request(&mut self, at: &At, fields: &Map<String, Value>) -> Option<Request> {
        let mut sound = true;
        for (name, example) in [("model", "meta-llama/Llama-3.1-8B-Instruct"), ("gpu", "h100-sxm")] {
            if !fields.contains_key(name) {
                sound = false;
                let (cause, flag) = ("is stated neither here nor by a flag", format!("--{name} {example}"));
                if self.of_tool {
                    // Said once of the whole file: a flag mends every run.
                    let whole = At::default();
                    self.fault(
                        codes::MISSING_VALUE,
                        &whole,
                        name,
                        cause,
                        format!("Pass it, such as {flag}."),
                    );
                } else {
                    let cure = format!("Write it, or pass it, such as {flag}.");
                    self.fault(codes::MISSING_VALUE, at, name, cause, cure);
                }
            }
        }
        for (name, value) in fields {
            if let Err(refusal) = Request::from_object(&alone(name, value)) {
                sound = false;
                self.refused(at, name, &refusal);
            }
            let word = value.as_str().unwrap_or_default();
            if name == "kv" && !KV_WORDS.iter().any(|known| known.eq_ignore_ascii_case(word)) {
                sound = false;
                self.unknown_word(at, name, word, &KV_WORDS);
            }
        }
        if !sound {
            return None;
        }
        let mut whole = fields.clone();
        whole.insert("id".to_owned(), Value::Bool(true));
        let mut request = Request::from_object(&whole).ok()?;
        request.id = Value::Null;
        if request.load == Some(Load::Open) && request.rate_per_s.is_none() {
            let cure = "Write the requests/s, or another load.";
            self.fault(codes::MISSING_VALUE, at, "rate_per_s", "is blank, but the load is open", cure);
            return None;
        }
        Some(request)
    }

    /// A fault of the batch contract, said of one field.
    fn refused(&mut self, at: &At, name: &str, refusal: &Refusal) {
        let cause = refusal.message.strip_prefix(&format!("`{name}` ")).unwrap_or(&refusal.message);
        let (code, cure) = match refusal.code.as_str() {
            "unknown-value" => (codes::UNKNOWN_WORD, "Write one of these words."),
            _ if TEXTS.contains(&name) => (codes::MISSING_VALUE, "Write a name."),
            "out-of-range" => {
                (codes::BAD_NUMBER, "Write a number it can be, or leave it blank where it is not known.")
            }
            _ => (codes::BAD_NUMBER, "Write plain digits, or leave it blank where it is not known."),
        };
        self.fault(code, at, name, cause, cure);
    }

    /// A word that is none of a few.
    pub(super) fn unknown_word(&mut self, at: &At, name: &str, word: &str, known: &[&str]) {
        let cure = crate::catalog::nearest(word, known.iter().copied()).map_or_else(
            || format!("Write one of {}.", known.join(", ")),
            |near| format!("Did you mean `{near}`?"),
        );
        self.fault(codes::UNKNOWN_WORD, at, name, format!("`{word}` is none of its words"), cure);
    }

    /// Names that the catalog does not know: the reason, and what may have been meant.
    fn names(&self, request: &Request) -> Result<(), (&'static str, String)> {
        let catalog = self.catalog;
        let unknown = |what: &str, name: &str, near: Option<&str>| {
            let hint = near.map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
            format!("no {what} `{name}` in the catalog{hint}")
        };
        let (model, gpu) = (&request.model, &request.gpu);
        if catalog.model(model).is_none() {
            return Err(("unknown-model", unknown("model", model, catalog.suggest_model(model))));
        }
        if catalog.gpu(gpu).is_none() {
            return Err(("unknown-gpu", unknown("gpu", gpu, catalog.suggest_gpu(gpu))));
        }
        if let Some(engine) = &request.engine
            && catalog.engine(engine, None).is_none()
        {
            return Err(("unknown-engine", unknown("engine", engine, catalog.suggest_engine(engine))));
        }
        if let Some(weights) = &request.weights
            && catalog.precision(&Precision::named(weights)).is_none()
        {
            let near = catalog.suggest_precision(weights);
            return Err(("unknown-precision", unknown("precision", weights, near)));
        }
        Ok(())
    }

    /// Everything found, or every fault.
    pub(super) fn finish(mut self) -> Result<Measurements, Vec<Fault>> {
        if self.unnamed > 0 {
            let cause = format!("{} more faults", self.unnamed);
            let place = self.place(&At::default(), "");
            let cure = "Mend those listed first.".to_owned();
            self.faults.push(Fault { code: codes::TOO_MANY, place, cause, cure });
        }
        if self.faults.is_empty() && self.measurements.rows.is_empty() {
            let cause = match self.measurements.rejected.as_slice() {
                [] => "no row follows the header".to_owned(),
                [first, rest @ ..] => {
                    let others = if rest.is_empty() {
                        String::new()
                    } else {
                        format!(", the first of {} rows left out", rest.len() + 1)
                    };
                    format!("no row can be used: {} ({}{others})", first.cause, first.reason)
                }
            };
            let cure = if self.of_tool {
                "Give at least one run to use; --model and --gpu name what the tool calls otherwise."
            } else {
                "Give at least one row to use."
            };
            self.fault(codes::NO_ROWS, &At::default(), "", cause, cure);
        }
        if self.faults.is_empty() { Ok(self.measurements) } else { Err(self.faults) }
    }
}

/// A request with this field and the least that the contract demands, to hear what is wrong with the field.
fn alone(name: &str, value: &Value) -> Map<String, Value> {
    let mut object = Map::new();
    for (needed, any) in [("id", Value::Bool(true)), ("model", "-".into()), ("gpu", "-".into())] {
        object.insert(needed.to_owned(), any);
    }
    object.insert(name.to_owned(), value.clone());
    object
}

/// What a cell holds for a field of the contract: text, or a number where it can be read as one.
pub(super) fn cell_value(field: &str, cell: &str) -> Value {
    if TEXTS.contains(&field) {
        return Value::from(cell);
    }
    if let Ok(whole) = cell.parse::<i64>() {
        return Value::from(whole);
    }
    let number = cell.parse::<f64>().ok().and_then(serde_json::Number::from_f64);
    number.map_or_else(|| Value::from(cell), Value::Number)
}

/// A figure that can be one: finite and above 0.
pub(super) fn is_figure(value: f64) -> bool {
    value > 0.0 && value <= FIGURE_MAX
}

/// A day (2026-11-20), or a month, which stands for its first day.
pub(super) fn date(text: &str) -> Option<Date> {
    match text.len() {
        10 => text.parse().ok(),
        7 => format!("{text}-01").parse().ok(),
        _ => None,
    }
}

/// The last part of a path.
pub(super) fn file_name(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().filter(|name| !name.is_empty()).unwrap_or(path)
}
