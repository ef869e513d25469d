//! Typed reading of one value at a time: what was expected, what was found, what to write instead.
//!
//! In: nodes. Out: plain values, or `None` with the fault on record, so that reading goes on and finds the rest.

use std::path::Path;

use jiff::civil::Date;

use super::codes;
use super::context::ReadContext;
use super::node::{Entry, Node, Value, numeral, quoted, sentence};
use super::range::Range;
use super::suggest;
use super::warning::Warning;
use crate::error::{Fault, Place};

/// A node and the dotted key that leads to it.
#[derive(Debug, Clone)]
pub(super) struct At<'n> {
    pub(super) node: &'n Node,
    pub(super) key: String,
}

impl<'n> At<'n> {
    /// The `index`-th item of a list that stands here.
    pub(super) fn item(&self, index: usize, node: &'n Node) -> Self {
        At { node, key: format!("{}[{index}]", self.key) }
    }
}

/// A map whose keys have been checked.
#[derive(Debug, Clone)]
pub(super) struct Map<'n> {
    pub(super) at: At<'n>,
    entries: &'n [Entry],
}

impl<'n> Map<'n> {
    /// The value of a key, if it is there.
    pub(super) fn get(&self, key: &str) -> Option<At<'n>> {
        let entry = self.entries.iter().find(|entry| entry.key == key)?;
        Some(self.under(entry))
    }

    /// True where the key is there, whatever its value.
    pub(super) fn has(&self, key: &str) -> bool {
        self.entries.iter().any(|entry| entry.key == key)
    }

    /// Every key with its value, in the order of the file.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&'n Entry, At<'n>)> + '_ {
        self.entries.iter().map(|entry| (entry, self.under(entry)))
    }

    fn under(&self, entry: &'n Entry) -> At<'n> {
        let parent = &self.at.key;
        // A key with a dot of its own, such as a model id, is quoted as TOML would.
        let name = if entry.key.contains(['.', ' ']) { quoted(&entry.key) } else { plain_key(&entry.key) };
        let key = if parent.is_empty() { name } else { format!("{parent}.{name}") };
        At { node: &entry.node, key }
    }
}

/// A key as a message shows it: shortened, control characters escaped.
fn plain_key(key: &str) -> String {
    quoted(key).trim_matches('"').to_owned()
}

/// Reads one file and keeps what is wrong with it.
pub(super) struct Reader<'c> {
    pub(super) file: &'c str,
    pub(super) base_dir: &'c Path,
    pub(super) context: &'c ReadContext,
    pub(super) faults: Vec<Fault>,
    pub(super) warnings: Vec<Warning>,
}

impl Reader<'_> {
    /// Records a fault at a value.
    pub(super) fn fault(
        &mut self,
        code: &'static str,
        at: &At<'_>,
        cause: impl Into<String>,
        cure: impl Into<String>,
    ) {
        let place = Place {
            file: self.file.to_owned(),
            line: at.node.line,
            column: at.node.column,
            key: at.key.clone(),
        };
        self.faults.push(Fault { code, place, cause: cause.into(), cure: sentence(cure) });
    }

    fn wrong_type(&mut self, at: &At<'_>, expected: &str, cure: impl Into<String>) {
        let cause = match at.node.value {
            Value::Null => format!("expected {expected}, found nothing"),
            _ => format!("expected {expected}, found {}", at.node.describe()),
        };
        let cure = match at.node.value {
            Value::Null => "Write a value or remove the key".to_owned(),
            _ => cure.into(),
        };
        self.fault(codes::WRONG_TYPE, at, cause, cure);
    }

    /// A map with keys of its own choosing.
    pub(super) fn open_map<'n>(&mut self, at: &At<'n>, cure: &str) -> Option<Map<'n>> {
        let Value::Map(entries) = &at.node.value else {
            self.wrong_type(at, "a map", cure);
            return None;
        };
        Some(Map { at: at.clone(), entries })
    }

    /// A map with known keys; each unknown one is a fault.
    pub(super) fn map<'n>(&mut self, at: &At<'n>, known: &[&str], cure: &str) -> Option<Map<'n>> {
        let map = self.open_map(at, cure)?;
        for (entry, under) in map.iter() {
            if known.contains(&entry.key.as_str()) {
                continue;
            }
            let key_node = Node { value: Value::Null, line: entry.line, column: entry.column };
            let key_at = At { node: &key_node, key: under.key };
            let cure = if entry.key == "<<" {
                "Merge keys are not part of YAML 1.2; write the keys out".to_owned()
            } else {
                suggest::instead(&entry.key, known)
            };
            self.fault(codes::UNKNOWN_KEY, &key_at, "unknown key", cure);
        }
        Some(map)
    }

    /// Something the format can say and this version would not honour.
    pub(super) fn not_yet(&mut self, at: &At<'_>, what: &str) {
        let cause = format!("not supported yet: {what}");
        self.fault(codes::NOT_SUPPORTED_YET, at, cause, super::unsupported::CURE);
    }

    /// A key that must be there.
    pub(super) fn required<'n>(&mut self, map: &Map<'n>, key: &str, cure: &str) -> Option<At<'n>> {
        let found = map.get(key);
        if found.is_none() {
            let dot = if map.at.key.is_empty() { "" } else { "." };
            let missing = At { node: map.at.node, key: format!("{}{dot}{key}", map.at.key) };
            self.fault(codes::MISSING_KEY, &missing, "the key is missing", cure);
        }
        found
    }

    /// Items of a list.
    pub(super) fn list<'n>(&mut self, at: &At<'n>, cure: &str) -> Option<Vec<At<'n>>> {
        let Value::List(items) = &at.node.value else {
            self.wrong_type(at, "a list", cure);
            return None;
        };
        Some(items.iter().enumerate().map(|(index, node)| at.item(index, node)).collect())
    }

    /// A number in its range.
    pub(super) fn number(&mut self, at: &At<'_>, range: &Range) -> Option<f64> {
        let value = match &at.node.value {
            Value::Number(value) => *value,
            Value::Text(text) => {
                let cure = range.cure_of_text(text);
                self.wrong_type(at, "a number", cure);
                return None;
            }
            Value::Null | Value::Bool(_) | Value::List(_) | Value::Map(_) => {
                self.wrong_type(at, "a number", range.cure());
                return None;
            }
        };
        if !value.is_finite() {
            let cause = format!("must be a finite number, got {}", numeral(value));
            let cure = format!("{}, or remove the key", range.cure());
            self.fault(codes::NOT_FINITE, at, cause, cure);
            return None;
        }
        if let Some(must) = range.broken_by(value) {
            let cause = format!("{must}, got {}", numeral(value));
            self.fault(codes::OUT_OF_RANGE, at, cause, range.cure_of_number(value));
            return None;
        }
        Some(value)
    }

    /// A number under a key, if the key is there.
    pub(super) fn number_at(&mut self, map: &Map<'_>, key: &str, range: &Range) -> Option<f64> {
        let at = map.get(key)?;
        self.number(&at, range)
    }

    /// A whole number in its range.
    pub(super) fn whole(&mut self, at: &At<'_>, range: &Range) -> Option<u32> {
        let value = self.number(at, range)?;
        if value.fract() != 0.0 {
            let cause = format!("must be a whole number, got {}", numeral(value));
            let cure = format!("Write {} or {}", numeral(value.floor()), numeral(value.ceil()));
            self.fault(codes::NOT_WHOLE, at, cause, cure);
            return None;
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "whole and in a range of u32"
        )]
        Some(value as u32)
    }

    /// True or false.
    pub(super) fn boolean(&mut self, at: &At<'_>) -> Option<bool> {
        if let Value::Bool(value) = at.node.value {
            return Some(value);
        }
        let word = match &at.node.value {
            Value::Text(text) => text.to_ascii_lowercase(),
            _ => at.node.describe(),
        };
        let cure = match word.as_str() {
            "true" | "yes" | "on" | "y" | "the number 1" => "Write true, without quotes",
            "false" | "no" | "off" | "n" | "the number 0" => "Write false, without quotes",
            _ => "Write true or false",
        };
        self.wrong_type(at, "true or false", cure);
        None
    }

    /// Text that says something.
    pub(super) fn text<'n>(&mut self, at: &At<'n>, what: &str) -> Option<&'n str> {
        let Value::Text(text) = &at.node.value else {
            let cure = match at.node.value {
                Value::Number(value) => format!("Put it in quotes: \"{}\"", numeral(value)),
                Value::Bool(value) => format!("Put it in quotes: \"{value}\""),
                Value::Null | Value::Text(_) | Value::List(_) | Value::Map(_) => format!("Write {what}"),
            };
            self.wrong_type(at, "text", cure);
            return None;
        };
        if text.trim().is_empty() {
            self.fault(codes::NOTHING_GIVEN, at, "the text is empty", format!("Write {what}"));
            return None;
        }
        Some(text)
    }

    /// One word of a closed vocabulary.
    pub(super) fn word<T: Copy>(&mut self, at: &At<'_>, what: &str, words: &[(T, &str)]) -> Option<T> {
        let text = self.text(at, what)?;
        if let Some((value, _)) = words.iter().find(|(_, word)| *word == text) {
            return Some(*value);
        }
        let words: Vec<&str> = words.iter().map(|(_, word)| *word).collect();
        let cause = format!("{} is not {what}", quoted(text));
        self.fault(codes::UNKNOWN_WORD, at, cause, suggest::instead(text, &words));
        None
    }

    /// A list of words of a closed vocabulary; the same word twice counts once.
    pub(super) fn words(&mut self, at: &At<'_>, what: &str, words: &[&'static str]) -> Vec<String> {
        let pairs: Vec<(&'static str, &str)> = words.iter().map(|word| (*word, *word)).collect();
        let cure = format!("Write a list such as [{}]", words.first().unwrap_or(&""));
        let mut found = Vec::new();
        for item in self.list(at, &cure).unwrap_or_default() {
            if let Some(word) = self.word(&item, what, &pairs) {
                found.push(word.to_owned());
            }
        }
        found.sort();
        found.dedup();
        found
    }

    /// A day of the calendar.
    pub(super) fn date(&mut self, at: &At<'_>) -> Option<Date> {
        const CURE: &str = "Write a day as year-month-day, such as 2026-11-20";
        let Value::Text(text) = &at.node.value else {
            self.wrong_type(at, "a date", CURE);
            return None;
        };
        let shape = text.len() == 10 && text.bytes().filter(|byte| *byte == b'-').count() == 2;
        match text.parse::<Date>() {
            Ok(date) if shape => Some(date),
            _ => {
                self.fault(
                    codes::BAD_DATE,
                    at,
                    format!("{} is not a day of the calendar", quoted(text)),
                    CURE,
                );
                None
            }
        }
    }
}
