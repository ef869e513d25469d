//! `allow` and `deny`: globs on ids and aliases, case ignored; deny wins.

use crate::catalog::glob_matches;
use crate::reason::Refusal;
use crate::requirements::{Filter, Requirements};

/// A list of a filter, and the names of a thing it is held against.
pub type Pair<'n> = (fn(&Filter) -> &Vec<String>, &'n [&'n str]);

/// The rule (`allow` or `deny`) that keeps a thing out, with the name it is known by.
#[must_use]
pub fn refused_word(requirements: &Requirements, pairs: &[Pair<'_>]) -> Option<Refusal> {
    for (list, names) in pairs {
        let matches = |pattern: &String| names.iter().any(|name| glob_matches(pattern, name));
        let who = names.first().copied().unwrap_or_default();
        if let Some(pattern) = list(&requirements.deny).iter().find(|pattern| matches(pattern)) {
            return Some(Refusal::word("deny", who, pattern.clone()));
        }
        let allowed = list(&requirements.allow);
        if !allowed.is_empty() && !allowed.iter().any(matches) {
            return Some(Refusal::word("allow", who, allowed.join(", ")));
        }
    }
    None
}
