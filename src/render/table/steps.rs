//! What one step of each limit is worth: a row for each, the bill it leads to and what runs then.

use super::super::figure;
use super::super::paint::{Align, Sheet, Style};
use super::super::phrase;
use crate::recommendation::{Status, StepValue};

/// The table of steps; those that change nothing in one line, unless everything is asked for.
pub(super) fn write(sheet: &mut Sheet, steps: &[StepValue], all: bool) {
    if steps.is_empty() {
        return;
    }
    let idle = |step: &&StepValue| !step.changes && step.difference.is_some_and(|usd| usd.abs() < 0.005);
    let moved = |step: &StepValue| {
        let of = if step.workload.is_empty() { String::new() } else { format!(" of {}", step.workload) };
        let text = format!("{}{of} {} → {}", step.rule, phrase::value(&step.from), phrase::value(&step.to));
        super::unbroken(&text)
    };
    sheet.blank();
    let head = ["one step of a limit", "$ / month", "difference", "then"];
    let mut rows = vec![(Style::Dim, head.map(str::to_owned).to_vec())];
    for step in steps.iter().filter(|step| all || !idle(step)) {
        let (bill, apart) = match (step.usd_per_month, step.difference) {
            (Some(usd), Some(apart)) => (figure::grouped(usd, 2), signed(apart)),
            _ => ("-".to_owned(), "-".to_owned()),
        };
        let then = match step.status {
            Status::Optimal | Status::Feasible if !step.changes => "the same plan".to_owned(),
            Status::Optimal => step.summary.clone(),
            Status::Feasible => format!("{} (best found)", step.summary),
            Status::Infeasible => "no plan complies".to_owned(),
            Status::Unknown => "stopped before an answer".to_owned(),
        };
        rows.push((Style::Plain, vec![moved(step), bill, apart, then]));
    }
    if rows.len() > 1 {
        sheet.columns(&[Align::Left, Align::Right, Align::Right, Align::Left], &rows);
    }
    let same: Vec<String> = steps.iter().filter(idle).map(moved).collect();
    if !all && !same.is_empty() {
        sheet.note("no change", &same.join(" · "));
    }
    sheet.blank();
}

/// With its sign; 0 has none.
fn signed(usd: f64) -> String {
    if usd.abs() < 0.005 {
        return "0".to_owned();
    }
    let sign = if usd < 0.0 { "-" } else { "+" };
    format!("{sign}{}", figure::grouped(usd.abs(), 2))
}
