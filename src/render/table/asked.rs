//! Verdicts on options that were asked about by name: the rule or price that decided, then the arithmetic.

use super::super::figure;
use super::super::paint::Sheet;
use super::super::phrase::{self, Span};
use crate::reason::Reason;
use crate::recommendation::{MemorySum, Recommendation, WhyNot};
use crate::requirements::Requirements;

/// Every verdict, in the order asked, each behind a blank line.
pub(super) fn write(sheet: &mut Sheet, answer: &Recommendation) {
    for other in &answer.why_not {
        sheet.blank();
        sheet.note("asked", &format!("why not {}?", other.asked.trim()));
        sheet.labelled("", &phrase::sentence(&other.reason.fact, &answer.requirements));
        for more in &other.also {
            let mut spans = vec![Span::Words("also ".to_owned())];
            spans.extend(phrase::sentence(&more.fact, &answer.requirements));
            sheet.labelled("", &spans);
        }
        other.memory.iter().for_each(|sum| sheet.note("memory", &memory(sum)));
        latency(sheet, other, &answer.requirements);
        price(sheet, other);
    }
}

/// `bf16 on 1 x l4: weights 756.2 + activations 1.2 + engine 0.6 = 758.0 GiB per GPU against 0.9 x 22.2 = 20.0 GiB`.
fn memory(sum: &MemorySum) -> String {
    let gib = |value: f64| figure::grouped(value, 1);
    let mut need = sum.weights_gib + sum.activation_gib + sum.engine_gib;
    let mut text = format!(
        "{} on {} x {}: weights {} + activations {} + engine {}",
        sum.precision,
        sum.gpus,
        sum.gpu,
        gib(sum.weights_gib),
        gib(sum.activation_gib),
        gib(sum.engine_gib)
    );
    if let Some(one) = sum.longest_request_gib {
        need += one;
        text += &format!(" + one longest request {}", figure::grouped(one, 2));
    }
    let have = sum.utilization * sum.usable_gib;
    let word = if sum.fits { "fits" } else { "does not fit" };
    text + &format!(
        " = {} GiB per GPU against {} x {} = {} GiB: {word}",
        gib(need),
        figure::trimmed(sum.utilization, 2),
        gib(sum.usable_gib),
        gib(have)
    )
}

fn latency(sheet: &mut Sheet, other: &WhyNot, asked: &Requirements) {
    for (index, row) in other.measures.iter().enumerate() {
        let mut text = format!("{} {}", super::targets::title(&row.measure), super::interval(row));
        if let Some(limit) = row.limit {
            let held = figure::grouped(figure::significant(row.held_to, 3), 0);
            let confidence = figure::percent(asked.confidence, 1);
            text += &format!(" ms, {held} at {confidence} confidence, limit {}", figure::grouped(limit, 0));
        }
        if asked.workloads.len() > 1 {
            text += &format!(" ({})", row.workload);
        }
        sheet.note(if index == 0 { "latency" } else { "" }, &text);
    }
}

fn price(sheet: &mut Sheet, other: &WhyNot) {
    let Some(usd) = other.usd_per_month else { return };
    let complies = !matches!(other.reason.fact, Reason::Breaks { .. } | Reason::Forbidden { .. });
    let mut text = format!("alone {} / month", figure::usd(usd));
    if !complies {
        text += " without the rules it breaks";
    }
    if let Some(best) = other.best_usd_per_month {
        text += &format!(" against {}", figure::usd(best));
    }
    text += &format!(": {}", other.summary);
    if let Some(at) = &other.wins_at {
        let (win, now) = (figure::usd_fine(at.usd), figure::usd_fine(at.usd_now));
        text += &format!("; wins alone below {win} per {} (now {now})", at.per);
    }
    sheet.note("price", &text);
}
