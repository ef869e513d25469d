//! What the plan says of time: work that waits, and how far the plan carries as the volume grows.

use super::super::figure;
use super::super::paint::Sheet;
use super::super::phrase::Span;
use crate::recommendation::{Deferral, GrowthPath, Plan, Recommendation};
use crate::requirements::{DAY_HOURS, Requirements, Workload};

/// `17 % of reports waits, at most 8 h, into 20:00-06:00 UTC`, a line for each workload that waits.
pub(super) fn waiting(sheet: &mut Sheet, plan: &Plan, asked: &Requirements) {
    let mut label = "waiting";
    for workload in &asked.workloads {
        let own: Vec<&Deferral> =
            plan.deferral.iter().filter(|moved| moved.workload == workload.name).collect();
        if own.is_empty() {
            continue;
        }
        let hours = own.iter().map(|moved| waited(moved)).max().unwrap_or(0);
        let share = figure::share(share(workload, asked, &own));
        let text = format!(
            "{share} of {} waits, at most {hours} h, into {}",
            workload.name,
            released_in(&own, asked)
        );
        sheet.note(label, &text);
        label = "";
    }
}

fn waited(moved: &Deferral) -> u32 {
    (moved.to_hour + 24 - moved.from_hour % 24) % 24
}

/// Share of a workload's requests that waits.
fn share(workload: &Workload, asked: &Requirements, own: &[&Deferral]) -> f64 {
    let slots = asked.slots();
    let requests =
        |slot: usize| slots.get(slot).map_or(0.0, |slot| workload.rps(slot) * slot.hours_per_month);
    let premium = workload.premium.as_ref().map_or(0.0, |premium| premium.share);
    let part = |moved: &Deferral| if moved.premium { premium } else { 1.0 - premium };
    let all: f64 = (0..slots.len()).map(requests).sum();
    let moved: f64 =
        own.iter().map(|moved| moved.share * part(moved) * requests(moved.from_hour as usize)).sum();
    if all > 0.0 { moved / all } else { 0.0 }
}

/// The hours into which work waits, as ranges of the UTC day.
fn released_in(own: &[&Deferral], asked: &Requirements) -> String {
    let days = asked.slots().len().div_ceil(DAY_HOURS);
    let mut parts = Vec::new();
    for day in 0..days {
        let mut open = [false; DAY_HOURS];
        for moved in own.iter().filter(|moved| moved.to_hour as usize / DAY_HOURS == day) {
            open[moved.to_hour as usize % DAY_HOURS] = true;
        }
        let ranges = ranges(&open);
        if ranges.is_empty() {
            continue;
        }
        let kind = match (days, day) {
            (1, _) => "",
            (_, 0) => " on weekdays",
            _ => " at weekends",
        };
        parts.push(format!("{} UTC{kind}", ranges.join(", ")));
    }
    parts.join(" and ")
}

/// `20:00-06:00` for each run of hours, midnight inside a run.
fn ranges(open: &[bool; DAY_HOURS]) -> Vec<String> {
    if open.iter().all(|hour| *hour) {
        return vec!["any hour".to_owned()];
    }
    let before = |hour: usize| open[(hour + DAY_HOURS - 1) % DAY_HOURS];
    (0..DAY_HOURS)
        .filter(|hour| open[*hour] && !before(*hour))
        .map(|start| {
            let length = (1..DAY_HOURS).find(|n| !open[(start + n) % DAY_HOURS]).unwrap_or(DAY_HOURS);
            format!("{start:02}:00-{:02}:00", (start + length) % DAY_HOURS)
        })
        .collect()
}

/// Where the plan breaks as the volume grows, and what takes over.
pub(super) fn growth(sheet: &mut Sheet, answer: &Recommendation) {
    let Some(path) = &answer.growth else { return };
    let mut lines: Vec<Vec<Span>> = Vec::new();
    let words = |text: String| Span::Words(text);
    if let Some(usd) = path.usd_per_month_today {
        lines.push(vec![
            words(format!(
                "planned for {} today's volume; today, fleet and routing kept, ",
                times(path.plan_for)
            )),
            Span::Figure(format!("{} / month", figure::usd(usd))),
        ]);
    }
    let whole = format!("{} in {} months: ", times(path.factor), figure::trimmed(path.months, 1));
    if let Some(at) = &path.breaks_at {
        let until = format!("{whole}the plan holds up to {}, then breaks ", reached(at.factor, at.month));
        lines.push(vec![words(until), Span::Rule(at.rule.clone())]);
    } else if grows(path) {
        lines.push(vec![words(format!("{whole}the plan holds to the end"))]);
    }
    for step in &path.steps {
        let from = format!("from {}: ", reached(step.factor, step.month));
        lines.push(match step.usd_per_month {
            Some(usd) => vec![
                words(from),
                Span::Figure(format!("{} / month", figure::usd(usd))),
                words(": ".to_owned()),
                Span::Candidate(step.summary.clone()),
            ],
            None => vec![words(format!("{from}nothing complies"))],
        });
    }
    if !path.complete {
        lines.push(vec![words("further steps follow".to_owned())]);
    }
    for (index, spans) in lines.iter().enumerate() {
        sheet.labelled(if index == 0 { "growth" } else { "" }, spans);
    }
}

/// Does the volume change, or is there only one to plan for?
fn grows(path: &GrowthPath) -> bool {
    path.factor.total_cmp(&1.0).is_ne()
}

/// `3x`.
pub(super) fn times(factor: f64) -> String {
    format!("{}x", figure::trimmed(factor, figure::decimals_for(factor, 4)))
}

fn reached(factor: f64, month: f64) -> String {
    format!("{} (month {})", times(factor), figure::trimmed(month, 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_stand_in_runs_around_midnight() {
        let open = |hours: &[usize]| -> [bool; 24] { std::array::from_fn(|hour| hours.contains(&hour)) };
        assert_eq!(ranges(&open(&[22, 23, 0, 1])), ["22:00-02:00"]);
        assert_eq!(ranges(&open(&[3, 5, 6])), ["03:00-04:00", "05:00-07:00"]);
        assert_eq!(ranges(&[true; 24]), ["any hour"]);
        assert!(ranges(&[false; 24]).is_empty());
    }
}
