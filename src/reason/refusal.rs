//! Why one candidate cannot serve one class: the rule it breaks, and both sides of it.

use super::{Op, Quantity, Reason, RuleId};

/// Why one candidate cannot serve one class.
#[derive(Debug, Clone, PartialEq)]
pub struct Refusal {
    /// The rule.
    pub rule: RuleId,
    /// The candidate's side, with a figure where the rule has one.
    pub got: Got,
}

/// The two sides of a broken rule.
#[derive(Debug, Clone, PartialEq)]
pub enum Got {
    /// Both are figures.
    Figure {
        /// What the candidate has or needs.
        got: f64,
        /// Comparison.
        op: Op,
        /// What is allowed.
        allowed: f64,
        /// Unit of both.
        unit: &'static str,
    },
    /// Both are words.
    Word {
        /// What the candidate is.
        got: String,
        /// What was asked.
        asked: String,
    },
}

impl Refusal {
    /// A rule broken by a figure.
    #[must_use]
    pub fn figure(rule: &str, got: f64, op: Op, allowed: f64, unit: &'static str) -> Self {
        Self { rule: rule.to_owned(), got: Got::Figure { got, op, allowed, unit } }
    }

    /// A rule broken by a word.
    #[must_use]
    pub fn word(rule: &str, got: impl Into<String>, asked: impl Into<String>) -> Self {
        Self { rule: rule.to_owned(), got: Got::Word { got: got.into(), asked: asked.into() } }
    }

    /// How far the figure misses, as a factor of at least 1; words miss by everything.
    #[must_use]
    pub fn miss(&self) -> f64 {
        match &self.got {
            Got::Figure { got, op: Op::AtMost, allowed, .. } => got / allowed.max(f64::MIN_POSITIVE),
            Got::Figure { got, op: Op::AtLeast | Op::Is, allowed, .. } => {
                allowed / got.max(f64::MIN_POSITIVE)
            }
            Got::Word { .. } => f64::INFINITY,
        }
    }

    /// The fact for the answer.
    #[must_use]
    pub fn reason(&self, who: &str, workload: &str) -> Reason {
        let (who, workload, rule) = (who.to_owned(), workload.to_owned(), self.rule.clone());
        match &self.got {
            Got::Figure { got, op, allowed, unit } => Reason::Breaks {
                who,
                workload,
                rule,
                got: Quantity::new(*got, unit),
                op: *op,
                allowed: Quantity::new(*allowed, unit),
            },
            Got::Word { got, asked } => {
                Reason::Forbidden { who, workload, rule, got: got.clone(), asked: asked.clone() }
            }
        }
    }
}
