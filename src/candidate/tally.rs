//! Who was refused, by which rule and figure: counts for the proof, the nearest miss for the explanation.

use std::collections::BTreeMap;

use crate::reason::{Op, Quantity, Reason, RuleId};

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

/// Counts over the whole search.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Tally {
    /// Candidates looked at.
    pub candidates: u64,
    /// Refused, by the first rule each broke.
    pub refused: BTreeMap<RuleId, u64>,
    /// Dropped because another is never worse.
    pub dominated: u64,
    /// Dropped because one instance alone costs more than a plan already found.
    pub beyond_incumbent: u64,
    /// Estimated with queueing.
    pub estimated: u64,
    /// Nearest miss of each rule: the candidate and its refusal.
    pub nearest: BTreeMap<RuleId, (String, Refusal)>,
}

impl Tally {
    /// Books `count` candidates under a rule.
    pub fn refuse(&mut self, count: u64, who: impl FnOnce() -> String, refusal: &Refusal) {
        if count == 0 {
            return;
        }
        *self.refused.entry(refusal.rule.clone()).or_default() += count;
        let nearer = self.nearest.get(&refusal.rule).is_none_or(|(_, known)| refusal.miss() < known.miss());
        if nearer {
            self.nearest.insert(refusal.rule.clone(), (who(), refusal.clone()));
        }
    }

    /// Adds the counts of another part of the search.
    pub fn add(&mut self, other: Self) {
        self.candidates += other.candidates;
        self.dominated += other.dominated;
        self.beyond_incumbent += other.beyond_incumbent;
        self.estimated += other.estimated;
        for (rule, count) in other.refused {
            *self.refused.entry(rule).or_default() += count;
        }
        for (rule, (who, refusal)) in other.nearest {
            let nearer = self.nearest.get(&rule).is_none_or(|(_, known)| refusal.miss() < known.miss());
            if nearer {
                self.nearest.insert(rule, (who, refusal));
            }
        }
    }
}
