//! The smallest changes that make a plan exist, each found by solving for it and verified by solving again.
//!
//! In: an infeasible question and its conflict. Out: [`Relaxation`]s with their patch. First each rule alone; where no
//! single change is enough, the smallest set of the conflict's rules, as one patch.

mod knob;
mod knobs;
mod turn;

use std::collections::{BTreeMap, BTreeSet};

use itertools::Itertools;
use knob::Setting;
use knobs::knobs;
use serde_json::Value;
use turn::{Change, turn};

use super::conflict::best;
use super::summary;
use crate::candidate::Question;
use crate::error::Error;
use crate::formulate::field;
use crate::recommendation::{OneOrMany, Plan, Relaxation};
use crate::request::Request;
use crate::requirements::Requirements;
use crate::search::solve_mixed;
use crate::solve::Outcome;
use crate::verify::verify;

/// Single changes that work alone, else the smallest set of changes.
///
/// # Errors
/// [`Error::Bug`] when the checker rejects the plan a relaxation buys.
pub fn relaxations(
    request: &Request<'_>,
    question: &Question<'_, '_>,
    conflict: &[String],
) -> Result<Vec<Relaxation>, Error> {
    let base = question.requirements;
    let mut found = Vec::new();
    for knob in knobs(base) {
        if !conflict
            .iter()
            .any(|rule| rule == knob.rule() || (knob.rule() == "benchmark" && rule == "quality"))
        {
            continue; // a rule outside a minimal conflict cannot mend it alone
        }
        if let Some((change, setting)) = turn(question, base, &knob) {
            let mut changed = base.clone();
            knob.set(setting, &mut changed);
            found.extend(tell(request, question, &changed, &[change])?);
        }
    }
    if found.is_empty() {
        found.extend(smallest_set(request, question, conflict)?);
    }
    found.sort_by(|a, b| a.usd_per_month.total_cmp(&b.usd_per_month));
    Ok(found)
}

/// Drops a growing set of the conflict's rules until a plan exists, then tightens each number again.
fn smallest_set(
    request: &Request<'_>,
    question: &Question<'_, '_>,
    conflict: &[String],
) -> Result<Option<Relaxation>, Error> {
    let base = question.requirements;
    let knobs = knobs(base);
    // The world in which the knobs of a set stand as given and all others as in the file.
    let world = |set: &[usize], settings: &[Setting]| {
        let mut changed = base.clone();
        for (at, setting) in set.iter().zip(settings) {
            knobs[*at].set(*setting, &mut changed);
        }
        changed
    };
    for size in 2..=4usize.min(knobs.len()) {
        for set in (0..knobs.len()).combinations(size) {
            // One knob for each rule, and some rule of the conflict among them.
            let rules: BTreeSet<&str> = set.iter().map(|at| knobs[*at].rule()).collect();
            if !rules.iter().any(|rule| conflict.iter().any(|known| known == rule)) {
                continue;
            }
            let mut settings = vec![Setting::Loosest; size];
            if best(question, &world(&set, &settings)).is_none() {
                continue;
            }
            // Put each back as tight as the others, as they stand by now, allow. The budget comes last, since the
            // price follows from the rest.
            let mut order: Vec<usize> = (0..size).collect();
            order.sort_by_key(|i| knobs[set[*i]].rule().starts_with("usd_per"));
            let mut changes = Vec::new();
            for i in order {
                settings[i] = Setting::Original;
                let tight = world(&set, &settings);
                if best(question, &tight).is_none() {
                    let Some((change, setting)) = turn(question, &tight, &knobs[set[i]]) else { break };
                    settings[i] = setting;
                    changes.push(change);
                }
            }
            if !changes.is_empty()
                && let Some(relaxation) = tell(request, question, &world(&set, &settings), &changes)?
            {
                return Ok(Some(relaxation));
            }
        }
    }
    Ok(None)
}

/// Solves the changed request, checks the plan, and writes the relaxation down.
fn tell(
    request: &Request<'_>,
    question: &Question<'_, '_>,
    changed: &Requirements,
    changes: &[Change],
) -> Result<Option<Relaxation>, Error> {
    let Some(plan) = plan_of(question, changed) else { return Ok(None) };
    let broken = verify(changed, request.catalog, request.rules, &plan);
    if let Some(first) = broken.first() {
        return Err(Error::Bug(format!("the checker rejects what a relaxation buys: {first}")));
    }
    let patch: BTreeMap<String, Value> = changes.iter().flat_map(|change| change.patch.clone()).collect();
    let one_or_many = |values: Vec<Value>| match <[Value; 1]>::try_from(values) {
        Ok([one]) => OneOrMany::One(one),
        Err(many) => OneOrMany::Many(many),
    };
    let rules: Vec<String> = changes.iter().map(|change| change.rule.to_owned()).collect();
    Ok(Some(Relaxation {
        rule: match <[String; 1]>::try_from(rules) {
            Ok([one]) => OneOrMany::One(one),
            Err(many) => OneOrMany::Many(many),
        },
        from: one_or_many(changes.iter().map(|change| change.from.clone()).collect()),
        to: one_or_many(changes.iter().map(|change| change.to.clone()).collect()),
        patch,
        usd_per_month: plan.usd_per_month,
        buys: summary(&plan),
        sentence: String::new(),
    }))
}

fn plan_of(question: &Question<'_, '_>, changed: &Requirements) -> Option<Plan> {
    let about = question.about(changed);
    let mut field = field(&about);
    let solved = solve_mixed(&about, &mut field, None);
    match &solved.outcome {
        Outcome::Solved(found) => {
            Some(crate::plan::plan(&about, &field, &solved.formulated, &found.point, 1))
        }
        Outcome::Infeasible { .. } | Outcome::Unknown(_) => None,
    }
}
