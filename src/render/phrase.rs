//! The only English: what each [`Reason`] says. In: facts. Out: spans, and finished sentences in the answer.
//!
//! A sentence says what was needed, what we got and how far apart they are. The match has no `_` arm: a new reason
//! does not compile until it has words here.

use super::figure;
use crate::reason::{Op, Quantity, Reason, RuleId, Told};
use crate::recommendation::{OneOrMany, Recommendation, Relaxation};
use crate::requirements::{LatencyLimit, LatencyMeasure, Requirements};

/// A piece of a sentence that a renderer may mark.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Span {
    /// Plain words.
    Words(String),
    /// Id of a rule.
    Rule(RuleId),
    /// A candidate or a plan's part, as people name it.
    Candidate(String),
    /// A finished figure with its unit.
    Figure(String),
}

impl Span {
    /// Its text without marks.
    #[must_use]
    pub fn text(&self) -> &str {
        match self {
            Self::Words(text) | Self::Rule(text) | Self::Candidate(text) | Self::Figure(text) => text,
        }
    }
}

/// The sentence without marks.
#[must_use]
pub fn plain(spans: &[Span]) -> String {
    spans.iter().map(Span::text).collect()
}

/// Fills every sentence of the answer that is still empty or stale.
pub fn tell(answer: &mut Recommendation) {
    let asked = answer.requirements.clone();
    let told = |reason: &mut Told| reason.sentence = plain(&sentence(&reason.fact, &asked));
    for plan in &mut answer.plans {
        plan.binding.iter_mut().chain(&mut plan.reasons).for_each(told);
    }
    answer.kinds.iter_mut().filter_map(|best| best.refused.as_mut()).for_each(told);
    answer.runners_up.iter_mut().map(|other| &mut other.reason).for_each(told);
    answer.runners_up.iter_mut().flat_map(|other| &mut other.also).for_each(told);
    answer.why_not.iter_mut().for_each(|other| told(&mut other.reason));
    answer.why_not.iter_mut().flat_map(|other| &mut other.also).for_each(told);
    answer.conflict_reasons.iter_mut().for_each(told);
    for change in answer.relaxations.iter_mut().filter(|change| change.sentence.is_empty()) {
        change.sentence = relaxation(change);
    }
}

/// Writes the sentence of one reason.
pub fn tell_one(told: &mut Told, asked: &Requirements) {
    told.sentence = plain(&sentence(&told.fact, asked));
}

/// `budget usd_per_month 500 → 612 gives a plan at $611.20/month: …`.
fn relaxation(change: &Relaxation) -> String {
    let bill = figure::usd(change.usd_per_month);
    format!("{} gives a plan at {bill}/month: {}", moves(change).join(" and "), change.buys)
}

/// Each rule that moves, as `rule from → to`.
#[must_use]
pub fn moves(change: &Relaxation) -> Vec<String> {
    let list = |value: &OneOrMany<serde_json::Value>| match value {
        // A list read back from JSON cannot be told from one value that is a list; several rules have several values.
        OneOrMany::One(serde_json::Value::Array(many)) => many.clone(),
        OneOrMany::One(one) => vec![one.clone()],
        OneOrMany::Many(many) => many.clone(),
    };
    let rules = match &change.rule {
        OneOrMany::One(rule) => vec![rule.clone()],
        OneOrMany::Many(rules) => rules.clone(),
    };
    // With one rule, a list is that rule's own value.
    let (from, to) = if rules.len() == 1 {
        let one = |value: &OneOrMany<serde_json::Value>| match value {
            OneOrMany::One(one) => vec![one.clone()],
            OneOrMany::Many(many) if many.len() == 1 => many.clone(),
            OneOrMany::Many(many) => vec![serde_json::Value::Array(many.clone())],
        };
        (one(&change.from), one(&change.to))
    } else {
        (list(&change.from), list(&change.to))
    };
    let step = |(index, rule): (usize, &RuleId)| {
        let at = |values: &[serde_json::Value]| values.get(index).map_or_else(|| "none".to_owned(), value);
        format!("{rule} {} → {}", at(&from), at(&to))
    };
    rules.iter().enumerate().map(step).collect()
}

/// A JSON value as a requirements file would show it.
#[must_use]
pub fn value(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::Null => "none".to_owned(),
        serde_json::Value::Number(number) => number.as_f64().map_or_else(
            || number.to_string(),
            |number| figure::trimmed(number, figure::decimals_for(number, 6)),
        ),
        serde_json::Value::String(text) => text.clone(),
        serde_json::Value::Array(items) if items.is_empty() => "[]".to_owned(),
        serde_json::Value::Array(items) => items.iter().map(self::value).collect::<Vec<_>>().join(", "),
        serde_json::Value::Bool(_) | serde_json::Value::Object(_) => value.to_string(),
    }
}

/// What a reason says, given what was asked.
#[must_use]
pub fn sentence(reason: &Reason, asked: &Requirements) -> Vec<Span> {
    match reason {
        Reason::Breaks { who, workload, rule, got, op, allowed } => {
            breaks(who, workload, rule, got, *op, allowed, asked)
        }
        Reason::Forbidden { who, workload, rule, got, asked: wanted } => {
            forbidden(who, workload, rule, got, wanted, asked)
        }
        Reason::Dearer { who, usd_per_month, best_usd_per_month } => {
            dearer(who, *usd_per_month, *best_usd_per_month)
        }
        Reason::WorseOn { who, got, best, usd_per_month } => worse(who, got, best, *usd_per_month),
        Reason::Unknown { who, what, nearest } => {
            let mut out = vec![candidate(who), words(format!(": the catalog knows no {what} of that name"))];
            if let Some(name) = nearest {
                out.extend([words("; did you mean "), candidate(name), words("?")]);
            }
            out
        }
        Reason::DominatedBy { who, by } => {
            vec![candidate(who), words(": "), candidate(by), words(" is never worse, on any rule or price")]
        }
        Reason::Binding { rule, workload, left_over, limit } => {
            binding(rule, workload, left_over, limit, asked)
        }
        Reason::Serves { who, workload, share } => {
            let mut out = vec![candidate(who), words(" serves "), figure(figure::share(*share))];
            out.push(words(if one_workload(asked) {
                " of the requests".to_owned()
            } else {
                format!(" of {workload}")
            }));
            out
        }
        Reason::Surplus { who, utilisation_peak, idle_gpus, spare_replicas } => {
            surplus(who, *utilisation_peak, *idle_gpus, *spare_replicas)
        }
        Reason::Borderline { who, index, cut, probability } => vec![
            candidate(who),
            words(": borderline, index "),
            figure(figure::grouped(*index, 1)),
            words(" is within its error of the floor "),
            figure(figure::grouped(*cut, 1)),
            words(", P(passes) = "),
            figure(figure::grouped(*probability, 2)),
        ],
        Reason::NobodyServes { workload, refused } => nobody(workload, refused, asked),
    }
}

fn breaks(
    who: &str,
    workload: &str,
    rule: &str,
    got: &Quantity,
    op: Op,
    allowed: &Quantity,
    asked: &Requirements,
) -> Vec<Span> {
    let mut out = vec![candidate(who), words(": ")];
    let noun = subject(rule, workload, Some(allowed.value), asked);
    if !got.value.is_finite() {
        // Saturated: no finite figure exists, and none is shown.
        out.extend([words(format!("saturated, {noun} grows without bound")), words(" against ")]);
        out.extend([words(bound(op)), figure(figure::quantity(allowed))]);
        return finish(out, workload, rule, asked);
    }
    let (have, limit, apart) = figure::against(got, allowed);
    out.extend([words(format!("{noun} ")), figure(have)]);
    if is_latency(rule) && asked.confidence > 0.5 {
        out.push(words(format!(" at {} confidence", figure::percent(asked.confidence, 1))));
    }
    out.extend([words(" against "), words(bound(op)), figure(limit)]);
    match op {
        Op::AtMost => out.extend([words(", "), figure(apart), words(" too much")]),
        Op::AtLeast => out.extend([words(", "), figure(apart), words(" short")]),
        Op::Is => {}
    }
    finish(out, workload, rule, asked)
}

/// What is left: "index 3.2 left" would read like an index of 3.2; points are meant.
fn remaining(apart: &Quantity) -> String {
    if apart.unit == "index" {
        return format!("{} points", figure::grouped(apart.value, 1));
    }
    if apart.unit == "ms" {
        // The difference of an estimate and a limit: two digits are known at best.
        return figure::quantity(&Quantity::new(figure::significant(apart.value, 2), "ms"));
    }
    figure::quantity(apart)
}

/// Found where no single rule, only all of them together, leaves nothing of a kind.
pub(super) const NONE_COMPLIES: &str = "none complies";

fn forbidden(
    who: &str,
    workload: &str,
    rule: &str,
    got: &str,
    wanted: &str,
    asked: &Requirements,
) -> Vec<Span> {
    let mut out = vec![candidate(who)];
    if got == NONE_COMPLIES {
        out.push(words(": none meets every rule together"));
        return finish(out, workload, rule, asked);
    }
    out.push(words(match rule {
        "allow" => format!(" is not among what you allow ({wanted}): {got}"),
        "deny" => format!(" is on your deny list ({wanted})"),
        "licence" => format!(": licence {got}, you allow {wanted}"),
        "in_force" => format!(": not in force on {wanted} ({got})"),
        "retired" => format!(": {got}; `{wanted}` would admit it"),
        "routing" => format!(" is {got}, routing asks for {wanted}"),
        "needs" => format!(": {wanted} is {got}, and the workload needs it"),
        "quality" | "benchmark" => format!(": quality {got}, the floor is {wanted}; unknown never passes"),
        "estimate_trusted" => {
            format!(": its speed is {got}, which is no promise; `measured` admits your own figures")
        }
        "precision_supported" | "engine_supported" | "parallelism" => format!(": {got}, needs {wanted}"),
        "data_no_training" | "data_eu_only" | "data_on_premises" => {
            format!(": {wanted} asked for, it is {got}")
        }
        _ => format!(": {wanted} asked for, it has {got}"),
    }));
    finish(out, workload, rule, asked)
}

fn dearer(who: &str, bill: f64, best: f64) -> Vec<Span> {
    let monthly = |usd: f64| figure::quantity(&Quantity::new(usd, "USD/month"));
    let mut out = vec![candidate(who), words(": complies, at "), figure(monthly(bill))];
    // Bills are shown to the cent; a smaller difference is a tie.
    let apart = bill - best;
    if apart.abs() < 0.005 {
        out.push(words(", the same; ties go to fewer deployments, then lower latency, then higher quality"));
    } else if apart > 0.0 {
        out.extend([words(", "), figure(monthly(apart)), words(" more")]);
        if best > 0.0 && bill / best >= 1.5 {
            out.extend([words(" ("), figure(format!("{}x", figure::trimmed(bill / best, 1))), words(")")]);
        }
    } else {
        out.push(words(", but is worse on the objective"));
    }
    out
}

/// Complies, and loses on what is minimised or maximised.
fn worse(who: &str, got: &Quantity, best: &Quantity, bill: f64) -> Vec<Span> {
    let bill = figure::quantity(&Quantity::new(bill, "USD/month"));
    let mut out = vec![candidate(who), words(": complies, at "), figure(bill)];
    let (have, winner, apart) = figure::against(got, best);
    if (got.value - best.value).abs() <= 1e-6 * best.value.abs() {
        out.extend([words(", and is as good on the objective: "), figure(have)]);
    } else {
        out.extend([words(", but is worse on the objective: "), figure(have), words(" against ")]);
        out.extend([figure(winner), words(", "), figure(apart), words(" apart")]);
    }
    out
}

fn binding(rule: &str, workload: &str, left: &Quantity, limit: &Quantity, asked: &Requirements) -> Vec<Span> {
    let noun = subject(rule, workload, Some(limit.value), asked);
    let mut out = vec![words(format!("{noun}: "))];
    let nothing = left.value.abs() <= 1e-6 * limit.value.abs().max(1e-6);
    let (left, limit) = (remaining(left), figure::quantity(limit));
    out.push(if nothing { words("nothing left of ") } else { figure(left) });
    if !nothing {
        out.push(words(" left of "));
    }
    out.push(figure(limit));
    finish(out, workload, rule, asked)
}

fn surplus(who: &str, utilisation: f64, idle: u32, spare: u32) -> Vec<Span> {
    let mut out =
        vec![candidate(who), words(": busy "), figure(figure::share(utilisation)), words(" at the peak")];
    if idle > 0 {
        let gpus = figure::quantity(&Quantity::new(f64::from(idle), "GPUs"));
        out.extend([words(", "), figure(gpus), words(" paid for but idle (instances are sold whole)")]);
    }
    if spare > 0 {
        let spares = figure::quantity(&Quantity::new(f64::from(spare), "replicas"));
        out.extend([words(", "), figure(spares), words(" kept for availability")]);
    }
    out
}

fn nobody(workload: &str, refused: &[(RuleId, u64)], asked: &Requirements) -> Vec<Span> {
    let whom = if one_workload(asked) { "the requests".to_owned() } else { workload.to_owned() };
    let mut out = vec![words(format!("nothing is left to serve {whom}"))];
    for (index, (rule, count)) in refused.iter().enumerate() {
        #[expect(clippy::cast_precision_loss, reason = "a count for the eye")]
        let count = figure::grouped(*count as f64, 0);
        out.push(words(if index == 0 { ": refused by " } else { ", " }));
        out.extend([Span::Rule(rule.clone()), words(" "), figure(count)]);
    }
    out
}

/// Behind the figures: whom it concerns, and the rule's id.
fn finish(mut out: Vec<Span>, workload: &str, rule: &str, asked: &Requirements) -> Vec<Span> {
    if !workload.is_empty() && !one_workload(asked) {
        out.push(words(format!(" for {workload}")));
    }
    out.extend([words(" ["), Span::Rule(rule.to_owned()), words("]")]);
    out
}

fn one_workload(asked: &Requirements) -> bool {
    asked.workloads.len() <= 1
}

const fn bound(op: Op) -> &'static str {
    match op {
        Op::AtMost => "at most ",
        Op::AtLeast => "at least ",
        Op::Is => "exactly ",
    }
}

fn is_latency(rule: &str) -> bool {
    latency(rule).is_some()
}

fn latency(rule: &str) -> Option<(LatencyMeasure, &'static str)> {
    match rule {
        "ttft_ms" => Some((LatencyMeasure::Ttft, "time to first token")),
        "tpot_ms" => Some((LatencyMeasure::Tpot, "time per token")),
        "e2e_ms" => Some((LatencyMeasure::E2e, "end-to-end latency")),
        _ => None,
    }
}

/// The workload behind its premium part, `support` for `support (premium)`.
fn ordinary(workload: &str) -> &str {
    workload.strip_suffix(" (premium)").unwrap_or(workload)
}

/// What a rule is about. A latency rule names the statistic whose limit is meant.
fn subject(rule: &str, workload: &str, limit: Option<f64>, asked: &Requirements) -> String {
    if let Some((measure, noun)) = latency(rule) {
        let mut limits = asked
            .workloads
            .iter()
            .filter(|w| workload.is_empty() || w.name == ordinary(workload))
            .flat_map(|w| &w.latency);
        let same =
            |l: &&LatencyLimit| l.measure == measure && limit.is_none_or(|ms| (l.ms - ms).abs() <= 1e-9 * ms);
        return limits
            .find(same)
            .map_or_else(|| noun.to_owned(), |l| format!("{} {noun}", l.statistic.word()));
    }
    match rule {
        "usd_per_month" => "monthly bill",
        "usd_upfront" => "upfront cost",
        "usd_per_request" => "cost of a request",
        "memory_gib_per_server" => "memory per server",
        "weights_fit" => "memory per GPU",
        "context_tokens" => "longest request",
        "max_output" => "longest answer",
        "quality" => "quality",
        "benchmark" => "benchmark score",
        "rate_limit" => "requests at the peak",
        "gpus" => "rented GPUs",
        "owned" => "owned GPUs in use",
        "power_kw" => "power",
        "max_deployments" => "deployments",
        "availability" => "availability",
        "capacity" => "load",
        "demand" => "requests served",
        "premium_share" => "premium share",
        "max_replicas" | "min_replicas" => "replicas",
        "parallelism" => "GPUs of a replica",
        other => return other.replace('_', " "),
    }
    .to_owned()
}

fn words(text: impl Into<String>) -> Span {
    Span::Words(text.into())
}

fn candidate(who: &str) -> Span {
    Span::Candidate(who.to_owned())
}

fn figure(text: String) -> Span {
    Span::Figure(text)
}
