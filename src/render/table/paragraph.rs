//! The answer in one paragraph: what, why, what binds, what would change it.

use super::super::figure;
use super::super::paint::Sheet;
use super::super::phrase::{self, Span};
use super::{kind, summary};
use crate::reason::Reason;
use crate::recommendation::{Recommendation, Status};
use crate::requirements::Objective;

/// The paragraph.
pub(super) fn write(sheet: &mut Sheet, answer: &Recommendation) {
    let mut said: Vec<String> = Vec::new();
    match answer.plans.first() {
        Some(best) => {
            let proven = if answer.status == Status::Optimal { "proven best" } else { "the best found" };
            let aim = match answer.requirements.objective {
                Objective::Cost => "The cheapest plan",
                Objective::Latency => "The fastest plan",
                Objective::Quality => "The plan of the highest quality",
                Objective::Carbon => "The plan of the least carbon",
            };
            said.push(format!(
                "{aim} that meets every requirement costs {} a month ({}, {proven} under this catalog): {}.",
                figure::usd(best.usd_per_month),
                kind(best.kind),
                summary(best)
            ));
            said.extend(binding(answer));
            said.extend(why_not(answer));
        }
        None => {
            let rules = answer.conflict.join(", ");
            said.push(match answer.status {
                Status::Infeasible if rules.is_empty() => "No plan complies.".to_owned(),
                Status::Infeasible => format!("No plan complies: {rules} cannot all hold."),
                Status::Optimal | Status::Feasible | Status::Unknown => "No plan was found.".to_owned(),
            });
            if let Some(change) = answer.relaxations.first() {
                said.push(format!("The cheapest way out: {}.", change.sentence));
            }
        }
    }
    sheet.hanging(0, 0, &[], &[(super::Style::Plain, said.join(" "))]);
}

/// The limits with the least left.
fn binding(answer: &Recommendation) -> Option<String> {
    let best = answer.plans.first()?;
    let told: Vec<String> = best
        .binding
        .iter()
        .take(2)
        .map(|told| phrase::plain(&phrase::sentence(&told.fact, &answer.requirements)))
        .collect();
    if !told.is_empty() {
        return Some(format!("What binds is {}.", told.join("; ")));
    }
    let part = |row: &&crate::recommendation::MeasureRow| match (row.limit, row.slack) {
        (Some(limit), Some(slack)) if limit > 0.0 => slack / limit,
        _ => f64::INFINITY,
    };
    let nearest = best.measures.iter().min_by(|a, b| part(a).total_cmp(&part(b)))?;
    let left = part(&nearest);
    left.is_finite().then(|| {
        let name = super::targets::title(&nearest.measure);
        format!("No limit binds; the nearest is {name}, with {} of it left.", figure::share(left))
    })
}

/// The first option people would ask about.
fn why_not(answer: &Recommendation) -> Option<String> {
    let other = answer.runners_up.first()?;
    let mut spans = phrase::sentence(&other.reason.fact, &answer.requirements);
    if let (Reason::Dearer { .. }, Some(at)) = (&other.reason.fact, &other.wins_at) {
        let win = figure::usd_fine(at.usd);
        spans.push(Span::Words(format!("; it would win below {win} per {}", at.per)));
    }
    Some(format!("Why not {}.", phrase::plain(&spans)))
}
