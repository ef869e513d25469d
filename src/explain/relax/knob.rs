//! A rule of a request that can be loosened, by degrees or at once, and where it stands.

use serde_json::{Value, json};

use crate::requirements::Requirements;

/// Writes a value into a request.
pub(super) type SetNumber = Box<dyn Fn(&mut Requirements, f64)>;

/// A rule that can move by degrees or at once.
pub(super) enum Knob {
    /// Larger is looser; `set` writes a value, `round` rounds it up to one people would write.
    Number { rule: &'static str, from: f64, pointer: String, set: SetNumber, step: f64, tightest_first: bool },
    /// Looser settings, nearest first.
    Steps { rule: &'static str, from: Value, choices: Vec<Choice> },
}

pub(super) struct Choice {
    pub(super) to: Value,
    pub(super) patch: Vec<(String, Value)>,
    pub(super) set: Box<dyn Fn(&mut Requirements)>,
}

/// Where a knob stands.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Setting {
    /// As the file says.
    Original,
    /// As loose as it goes.
    Loosest,
    /// At a value.
    Value(f64),
    /// At one of its choices.
    Choice(usize),
}

impl Knob {
    pub(super) const fn rule(&self) -> &'static str {
        match self {
            Self::Number { rule, .. } | Self::Steps { rule, .. } => rule,
        }
    }

    /// Writes a setting into a request that stands as in the file.
    pub(super) fn set(&self, setting: Setting, requirements: &mut Requirements) {
        match (self, setting) {
            (_, Setting::Original) => {}
            (Self::Number { rule: "usd_per_month", .. }, Setting::Loosest) => {
                requirements.budget.usd_per_month = None
            }
            (Self::Number { rule: "usd_per_request", .. }, Setting::Loosest) => {
                requirements.budget.usd_per_request = None;
            }
            (Self::Number { from, set, tightest_first, .. }, Setting::Loosest) => {
                set(requirements, if *tightest_first { from + 1024.0 } else { from * 1024.0 });
            }
            (Self::Number { set, .. }, Setting::Value(value)) => set(requirements, value),
            (Self::Steps { choices, .. }, Setting::Loosest) => {
                if let Some(last) = choices.last() {
                    (last.set)(requirements);
                }
            }
            (Self::Steps { choices, .. }, Setting::Choice(at)) => (choices[at].set)(requirements),
            (Self::Number { .. }, Setting::Choice(_)) | (Self::Steps { .. }, Setting::Value(_)) => {}
        }
    }
}

/// Whole numbers are written as such.
#[allow(clippy::cast_possible_truncation, reason = "checked to be whole and small")]
pub(super) fn number(value: f64) -> Value {
    let clean = (value * 1e9).round() / 1e9;
    if clean.fract() == 0.0 && clean.abs() < 1e15 { json!(clean as i64) } else { json!(clean) }
}
