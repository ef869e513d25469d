//! One tree for three formats: values with the place where each stands in the file.
//!
//! In: what `yaml.rs`, `toml.rs` and `json.rs` found. Out: [`Node`]s for the sections to read, and the same
//! document as a `serde_json::Value` for patches. It knows no key of the requirements file.

use serde_json::Value as Json;

/// Deepest nesting of lists and maps. A requirements file needs 6; recursion over 64 is safe on any stack.
pub(super) const DEPTH_MAX: usize = 64;
/// Most values in one file, aliases expanded. The largest sensible file (hundreds of workloads) has under 20,000.
pub(super) const NODES_MAX: usize = 100_000;

/// A value and where it starts; both are 0 for a value that comes from no text.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Node {
    /// What it is.
    pub(super) value: Value,
    /// First line is 1.
    pub(super) line: usize,
    /// First column is 1, in characters.
    pub(super) column: usize,
}

/// The value itself.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    /// Nothing, or the word for it.
    Null,
    /// True or false.
    Bool(bool),
    /// Any number; NaN and infinities included, to be refused where they stand.
    Number(f64),
    /// Text, dates included.
    Text(String),
    /// Values in order.
    List(Vec<Node>),
    /// Keys and values in the order of the file, keys unique.
    Map(Vec<Entry>),
}

/// One key of a map.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Entry {
    /// The key.
    pub(super) key: String,
    /// Where the key starts.
    pub(super) line: usize,
    /// Where the key starts.
    pub(super) column: usize,
    /// Its value.
    pub(super) node: Node,
}

impl Node {
    /// The value as a message names it: `text "20%"`, `a list`, `5`.
    pub(super) fn describe(&self) -> String {
        match &self.value {
            Value::Null => "nothing".to_owned(),
            Value::Bool(value) => value.to_string(),
            Value::Number(value) => format!("the number {}", numeral(*value)),
            Value::Text(text) => format!("text {}", quoted(text)),
            Value::List(_) => "a list".to_owned(),
            Value::Map(_) => "a map".to_owned(),
        }
    }

    /// The document as JSON, every number as it was given. NaN and infinities become null: they are faults
    /// wherever they stand, so no reader sees the result.
    pub(super) fn to_json(&self) -> Json {
        match &self.value {
            Value::Null => Json::Null,
            Value::Bool(value) => Json::Bool(*value),
            Value::Number(value) => number_to_json(*value),
            Value::Text(text) => Json::String(text.clone()),
            Value::List(items) => Json::Array(items.iter().map(Self::to_json).collect()),
            Value::Map(entries) => {
                Json::Object(entries.iter().map(|e| (e.key.clone(), e.node.to_json())).collect())
            }
        }
    }

    /// A node without a place, from a (patched) document. `depth` guards against documents no file could hold.
    pub(super) fn from_json(json: &Json) -> Self {
        let value = match json {
            Json::Null => Value::Null,
            Json::Bool(value) => Value::Bool(*value),
            Json::Number(number) => Value::Number(number.as_f64().unwrap_or(f64::NAN)),
            Json::String(text) => Value::Text(text.clone()),
            Json::Array(items) => Value::List(items.iter().map(Self::from_json).collect()),
            Json::Object(map) => Value::Map(
                map.iter()
                    .map(|(key, value)| Entry {
                        key: key.clone(),
                        line: 0,
                        column: 0,
                        node: Self::from_json(value),
                    })
                    .collect(),
            ),
        };
        Self { value, line: 0, column: 0 }
    }
}

/// Whole numbers stay whole in JSON, so that a patched file reads as its author wrote it.
fn number_to_json(value: f64) -> Json {
    /// Largest range in which every whole number has its own f64: 2^53.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if value.fract() == 0.0 && value.abs() < EXACT && !(value == 0.0 && value.is_sign_negative()) {
        #[expect(clippy::cast_possible_truncation, reason = "whole and below 2^53")]
        return Json::from(value as i64);
    }
    serde_json::Number::from_f64(value).map_or(Json::Null, Json::Number)
}

/// A number as a message shows it: plain, or with an exponent where plain would be a row of zeros.
pub(super) fn numeral(value: f64) -> String {
    if value.is_nan() {
        "NaN".to_owned()
    } else if value.is_infinite() {
        if value > 0.0 { "infinity" } else { "-infinity" }.to_owned()
    } else if value != 0.0 && (value.abs() >= 1e15 || value.abs() < 1e-6) {
        format!("{value:e}")
    } else {
        format!("{value}")
    }
}

/// Text in quotes, shortened and with control characters escaped, so that a message stays one line.
pub(super) fn quoted(text: &str) -> String {
    /// Longest text that a message repeats.
    const SHOWN: usize = 40;
    let mut shown: String = text.chars().take(SHOWN).flat_map(char::escape_debug).collect();
    if text.chars().nth(SHOWN).is_some() {
        shown.push('…');
    }
    format!("\"{shown}\"")
}

/// A cure with its full stop.
pub(super) fn sentence(cure: impl Into<String>) -> String {
    let mut cure = cure.into();
    if !cure.ends_with(['.', '?', '…']) {
        cure.push('.');
    }
    cure
}

/// Turns byte offsets into lines and columns.
pub(super) struct Lines<'t> {
    text: &'t str,
    starts: Vec<usize>,
}

impl<'t> Lines<'t> {
    /// Finds where each line of `text` starts.
    pub(super) fn of(text: &'t str) -> Self {
        let starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Self { text, starts }
    }

    /// Byte offset of a line and a column counted in bytes, both from 1, as `serde_json` counts them.
    pub(super) fn offset(&self, line: usize, column: usize) -> usize {
        let start = line.checked_sub(1).and_then(|line| self.starts.get(line)).copied().unwrap_or(0);
        (start + column.saturating_sub(1)).min(self.text.len())
    }

    /// Line and column, both from 1, of a byte offset.
    pub(super) fn place(&self, offset: usize) -> (usize, usize) {
        let line = self.starts.partition_point(|start| *start <= offset).max(1);
        let start = self.starts.get(line - 1).copied().unwrap_or(0);
        let column = self.text.get(start..offset).map_or(1, |before| before.chars().count() + 1);
        (line, column)
    }
}
