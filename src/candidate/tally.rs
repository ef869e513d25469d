//! Who was refused, by which rule and figure: counts for the proof, the nearest miss for the explanation.

use std::collections::BTreeMap;

use crate::reason::{Refusal, RuleId};

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

    /// What the parts of a search found, in their order, each with its counts.
    pub fn gather<T>(&mut self, parts: Vec<(Vec<T>, Self)>) -> Vec<T> {
        let mut all = Vec::new();
        for (found, counts) in parts {
            all.extend(found);
            self.add(counts);
        }
        all
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
