//! The answer for the terminal: read in ten seconds, at most 100 columns, no boxes.
//!
//! First the request as understood, then the answer, then the reasons, then how far to trust it, then what to type next.

mod asked;
mod depth;
mod paragraph;
mod refusal;
mod request;
mod steps;
mod targets;
mod time;
mod trust;

use super::figure;
use super::paint::{Sheet, Style};
use super::phrase::{self, Span};
use crate::estimate::Basis;
use crate::reason::{Reason, Told};
use crate::recommendation::{
    BestOfKind, Deployment, Kind, MeasureRow, Plan, Recommendation, RunnerUp, Status,
};
use crate::requirements::{Objective, Requirements, Routing};

/// How the table is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableOptions {
    /// Terminal cells of a line.
    pub width: usize,
    /// With ANSI colours?
    pub color: bool,
    /// Everything: the full bill, measures, settings, routing by hour, facts.
    pub all: bool,
    /// The requirements file as the user named it; the last line says what to type next, unless it is empty.
    pub file: String,
}

impl Default for TableOptions {
    fn default() -> Self {
        Self { width: 100, color: false, all: false, file: "FILE".to_owned() }
    }
}

/// Sentences of a kind that are shown unless everything is asked for.
const SHOWN: usize = 4;

/// The whole answer as text.
#[must_use]
pub fn table(answer: &Recommendation, options: &TableOptions) -> String {
    let mut sheet = Sheet::new(options.width.min(100), options.color);
    let shown = if options.all { usize::MAX } else { SHOWN };
    request::write(&mut sheet, &answer.requirements);
    sheet.blank();
    if let Some(best) = answer.plans.first() {
        headline(&mut sheet, answer, best);
        sheet.blank();
        targets::write(&mut sheet, best, &answer.requirements);
        sheet.blank();
        kinds(&mut sheet, answer);
        targets::bill(&mut sheet, best, &answer.requirements, options.all);
        time::waiting(&mut sheet, best, &answer.requirements);
        time::growth(&mut sheet, answer);
        // The table of targets already says who serves what.
        let news = |told: &&Told| options.all || !matches!(told.fact, Reason::Serves { .. });
        reasons(&mut sheet, "why", best.binding.iter().chain(&best.reasons).filter(news), answer, shown);
    } else {
        refusal::write(&mut sheet, answer, shown);
        kinds(&mut sheet, answer);
    }
    // A request that names its few options gets a verdict on each.
    let named = (1..=NAMED_MODELS_MAX).contains(&answer.requirements.allow.models.len());
    why_not(&mut sheet, answer, if named { shown.max(NAMED_SHOWN) } else { shown });
    asked::write(&mut sheet, answer);
    if !answer.why_not.is_empty() {
        sheet.blank();
    }
    others(&mut sheet, answer);
    steps::write(&mut sheet, &answer.steps, options.all);
    super::pareto::write(&mut sheet, &answer.pareto);
    trust::proof(&mut sheet, answer);
    trust::trust(&mut sheet, answer);
    trust::warnings(&mut sheet, answer);
    if options.all {
        depth::write(&mut sheet, answer);
    }
    if !options.file.is_empty() {
        trust::next(&mut sheet, answer, options);
    }
    sheet.finish()
}

/// The answer in one paragraph, and a verdict on each option that was asked about.
#[must_use]
pub fn paragraph(answer: &Recommendation, options: &TableOptions) -> String {
    let mut sheet = Sheet::new(options.width.min(100), options.color);
    paragraph::write(&mut sheet, answer);
    asked::write(&mut sheet, answer);
    sheet.finish()
}

/// The request as understood, without an answer.
#[must_use]
pub fn understood(asked: &Requirements, options: &TableOptions) -> String {
    let mut sheet = Sheet::new(options.width.min(100), options.color);
    request::write(&mut sheet, asked);
    sheet.finish()
}

/// `$ 182.50 / month   cloud: gpt-3.5-turbo, openai   37 % of the $500 budget`.
fn headline(sheet: &mut Sheet, answer: &Recommendation, best: &Plan) {
    let bill = format!("{} / month", figure::usd(best.usd_per_month));
    let mut items = vec![format!("{}: {}", kind(best.kind), summary(best))];
    if best.usd_upfront > 0.0 {
        items.push(format!("{} upfront", figure::usd(best.usd_upfront)));
        items
            .push(format!("{} a month with it spread", figure::usd(best.usd_per_month + best.usd_amortised)));
    }
    if let Some(budget) = answer.requirements.budget.usd_per_month.filter(|budget| *budget > 0.0) {
        let used =
            figure::percent(best.usd_per_month / budget, usize::from(best.usd_per_month < 0.1 * budget));
        items.push(format!("{used} of the {} budget", figure::usd_plain(budget)));
    }
    if best.usd_per_request > 0.0 {
        items.push(format!("{} a request", figure::usd_fine(best.usd_per_request)));
    }
    if let (Some(value), word) = (answer.proof.value, objective(answer.requirements.objective))
        && !word.is_empty()
    {
        items.push(format!("{} {word}", figure::trimmed(value, figure::decimals_for(value, 4))));
    }
    if answer.status == Status::Feasible {
        items.push("best found, not proven best".to_owned());
    }
    // What runs may be wrapped anywhere, the figures behind it stay together.
    let kept =
        items.iter().enumerate().map(|(index, item)| if index == 0 { item.clone() } else { unbroken(item) });
    let text = kept.collect::<Vec<_>>().join(" · ");
    sheet.hanging(2, 4, &[(Style::Bold, bill)], &[(Style::Bold, text)]);
}

/// With blanks at which no line ends.
fn unbroken(text: &str) -> String {
    text.replace(' ', "\u{a0}")
}

const fn objective(objective: Objective) -> &'static str {
    match objective {
        Objective::Cost => "",
        Objective::Latency => "ms p95 end to end over all requests",
        Objective::Quality => "index points over all requests",
        Objective::Carbon => "kg CO2e a month",
    }
}

/// What runs where, in one line.
fn summary(plan: &Plan) -> String {
    let one = |deployment: &Deployment| match &deployment.engine {
        _ if deployment.fallback_only => format!("{} as fallback", deployment.label),
        Some(engine) if engine.replicas != 1 => format!("{} x ({})", engine.replicas, deployment.label),
        _ => deployment.label.clone(),
    };
    plan.deployments.iter().map(one).collect::<Vec<_>>().join(" + ")
}

/// Best of each kind: one line, and a line for each kind that a rule forbids.
fn kinds(sheet: &mut Sheet, answer: &Recommendation) {
    let priced = |best: &BestOfKind| match (best.usd_per_month, &best.refused) {
        (Some(usd), None) => format!("{} {}", kind(best.kind), figure::usd(usd)),
        // The cheapest of its kind, were it not for that rule.
        (Some(usd), Some(told)) => {
            let by =
                rule(&told.fact).map_or_else(|| "refused".to_owned(), |rule| format!("refused by {rule}"));
            format!("{} {} ({by})", kind(best.kind), figure::usd(usd))
        }
        (None, _) => format!("{} none", kind(best.kind)),
    };
    if answer.kinds.iter().any(|best| best.usd_per_month.is_some()) {
        let line: Vec<String> = answer.kinds.iter().map(priced).collect();
        sheet.note("by kind", &line.join(" · "));
    }
    for best in answer.kinds.iter().filter(|best| best.usd_per_month.is_none()) {
        let Some(told) = &best.refused else { continue };
        // Who asked for one kind only need not be told that the others are out.
        if rule(&told.fact) == Some("routing") && answer.requirements.routing != Routing::Hybrid {
            continue;
        }
        let together = matches!(&told.fact, Reason::Forbidden { got, .. } if got == phrase::NONE_COMPLIES);
        let head = if together { String::new() } else { format!("no {} plan: ", kind(best.kind)) };
        let mut spans = vec![Span::Words(head)];
        spans.extend(phrase::sentence(&told.fact, &answer.requirements));
        sheet.labelled("", &spans);
    }
}

/// The rule a reason names, if it names one.
pub(in crate::render) fn rule(reason: &Reason) -> Option<&str> {
    match reason {
        Reason::Breaks { rule, .. } | Reason::Forbidden { rule, .. } | Reason::Binding { rule, .. } => {
            Some(rule)
        }
        Reason::Dearer { .. }
        | Reason::WorseOn { .. }
        | Reason::Unknown { .. }
        | Reason::DominatedBy { .. }
        | Reason::Serves { .. }
        | Reason::Surplus { .. }
        | Reason::Borderline { .. }
        | Reason::NobodyServes { .. } => None,
    }
}

fn reasons<'a>(
    sheet: &mut Sheet,
    label: &str,
    told: impl Iterator<Item = &'a Told>,
    answer: &Recommendation,
    shown: usize,
) {
    say(sheet, label, told.map(|told| phrase::sentence(&told.fact, &answer.requirements)), shown);
}

/// Sentences under a label; the same one is said once.
fn say(sheet: &mut Sheet, label: &str, sentences: impl Iterator<Item = Vec<Span>>, shown: usize) {
    let mut said: Vec<Vec<Span>> = Vec::new();
    for spans in sentences {
        if said.len() < shown && !said.contains(&spans) {
            sheet.labelled(if said.is_empty() { label } else { "" }, &spans);
            said.push(spans);
        }
    }
}

/// Up to this many models in `allow` a request names its options.
const NAMED_MODELS_MAX: usize = 12;
/// Verdicts shown for such a request.
const NAMED_SHOWN: usize = 10;

/// The options people would ask about first, each with the rule or price that decided.
fn why_not(sheet: &mut Sheet, answer: &Recommendation, shown: usize) {
    let sentence = |other: &RunnerUp| {
        let mut spans = phrase::sentence(&other.reason.fact, &answer.requirements);
        spans.extend(own_figures(other));
        spans
    };
    say(sheet, "why not", answer.runners_up.iter().map(sentence), shown);
}

fn own_figures(other: &RunnerUp) -> Vec<Span> {
    let mut spans = Vec::new();
    for more in &other.also {
        if let Reason::Breaks { rule, got, allowed, .. } = &more.fact {
            let (got, allowed) = (figure::quantity(got), figure::quantity(allowed));
            spans.push(Span::Words(format!("; also {got} against {allowed} [{rule}]")));
        }
    }
    // A rule on money, and a dearer option, name their bill themselves.
    let named = match &other.reason.fact {
        Reason::Dearer { .. } => true,
        Reason::Breaks { rule, .. } => rule == "usd_per_month",
        _ => false,
    };
    if let (Some(usd), false) = (other.usd_per_month, named) {
        spans.push(Span::Words("; alone ".to_owned()));
        spans.push(Span::Figure(format!("{} / month", figure::usd(usd))));
    }
    if let Some(row) = targets::latency_row(other.measures.iter()) {
        spans.push(Span::Words(format!("; {} ", targets::title(&row.measure))));
        spans.push(Span::Figure(interval(row)));
    }
    if let Some(at) = &other.wins_at {
        let (win, now) = (figure::usd_fine(at.usd), figure::usd_fine(at.usd_now));
        spans.push(Span::Words("; wins below ".to_owned()));
        spans.push(Span::Figure(win));
        spans.push(Span::Words(format!(" per {} (now {now})", at.per)));
    }
    spans
}

fn interval(row: &MeasureRow) -> String {
    if !row.value.is_finite() {
        return "saturated".to_owned();
    }
    format!("{} {}", figure::with_interval(row.value, row.low, row.high), mark(row.basis))
}

/// Plans of rank 2 and on, one line each.
fn others(sheet: &mut Sheet, answer: &Recommendation) {
    for (index, plan) in answer.plans.iter().skip(1).enumerate() {
        let text = format!(
            "{}. {} / month  {}: {}",
            plan.rank,
            figure::usd(plan.usd_per_month),
            kind(plan.kind),
            summary(plan)
        );
        sheet.note(if index == 0 { "other plans" } else { "" }, &text);
    }
}

pub(in crate::render) const fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Local => "local",
        Kind::Cloud => "cloud",
        Kind::Hybrid => "hybrid",
    }
}

/// The sign of what a figure rests on; the trust line explains it.
const fn mark(basis: Basis) -> &'static str {
    match basis {
        Basis::Measured => "●",
        Basis::Calibrated => "◐",
        Basis::Extrapolated => "○",
        Basis::Assumed => "?",
    }
}
