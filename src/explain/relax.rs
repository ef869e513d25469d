//! The smallest changes that make a plan exist, each found by solving for it and verified by solving again.
//!
//! In: an infeasible question and its conflict. Out: [`Relaxation`]s with their patch. First each rule alone; where no
//! single change is enough, the smallest set of the conflict's rules, as one patch.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::conflict::{best, without};
use super::summary;
use crate::candidate::Question;
use crate::error::Error;
use crate::formulate::field;
use crate::reason::{Got, Op};
use crate::recommendation::{OneOrMany, Plan, Relaxation};
use crate::request::Request;
use crate::requirements::{LatencyLimit, QualityFloor, Requirements, Routing};
use crate::search::solve_mixed;
use crate::solve::Outcome;
use crate::verify::verify;

/// One change of a request: the rule, from, to, where in the file.
#[derive(Debug, Clone)]
struct Change {
    rule: &'static str,
    from: Value,
    to: Value,
    patch: Vec<(String, Value)>,
}

/// Writes a value into a request.
type SetNumber = Box<dyn Fn(&mut Requirements, f64)>;

/// A rule that can move by degrees or at once.
enum Knob {
    /// Larger is looser; `set` writes a value, `round` rounds it up to one people would write.
    Number { rule: &'static str, from: f64, pointer: String, set: SetNumber, step: f64, tightest_first: bool },
    /// Looser settings, nearest first.
    Steps { rule: &'static str, from: Value, choices: Vec<Choice> },
}

struct Choice {
    to: Value,
    patch: Vec<(String, Value)>,
    set: Box<dyn Fn(&mut Requirements)>,
}

/// Where a knob stands.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Setting {
    /// As the file says.
    Original,
    /// As loose as it goes.
    Loosest,
    /// At a value.
    Value(f64),
    /// At one of its choices.
    Choice(usize),
}

/// Relative width at which the search for a limit stops.
const WIDTH: f64 = 5e-3;
/// Nearest misses tried before the search goes by halves: candidates may miss a second rule as well.
const GUESSES_MAX: u32 = 3;

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

/// Loosens one knob as little as makes a plan exist.
fn turn(question: &Question<'_, '_>, base: &Requirements, knob: &Knob) -> Option<(Change, Setting)> {
    match knob {
        Knob::Steps { rule, from, choices } => choices.iter().enumerate().find_map(|(at, choice)| {
            let mut changed = base.clone();
            (choice.set)(&mut changed);
            best(question, &changed)?;
            let change =
                Change { rule, from: from.clone(), to: choice.to.clone(), patch: choice.patch.clone() };
            Some((change, Setting::Choice(at)))
        }),
        Knob::Number { rule, from, pointer, set, step, tightest_first } => {
            let at = |value: f64| {
                let mut changed = base.clone();
                set(&mut changed, value);
                changed
            };
            let value = match *rule {
                // The cheapest plan without the budget is the smallest budget.
                "usd_per_month" => {
                    let cheapest = best(question, &without(base, "usd_per_month")?)?.usd_per_month;
                    (cheapest / step).ceil() * step
                }
                "usd_per_request" => {
                    let cheapest = best(question, &without(base, "usd_per_request")?)?.usd_per_month;
                    let rate: f64 = base.workloads.iter().map(crate::requirements::Workload::mean_rps).sum();
                    let each = cheapest / (rate * 3600.0 * base.hours_per_month);
                    (each / step).ceil() * step
                }
                _ => smallest(question, rule, *from, *step, *tightest_first, &at)?,
            };
            let patch = vec![(pointer.clone(), number(value))];
            let change = Change { rule, from: number(*from), to: number(value), patch };
            Some((change, Setting::Value(value)))
        }
    }
}

/// The smallest value of a limit, in whole steps, for which a plan exists; `None` where no value helps.
///
/// Where a limit keeps every candidate out, the smallest value is that of the nearest miss: it is tried first, and a
/// little less after it, so that most searches take two solutions instead of twenty.
fn smallest(
    question: &Question<'_, '_>,
    rule: &str,
    from: f64,
    step: f64,
    counts: bool,
    at: &dyn Fn(f64) -> Requirements,
) -> Option<f64> {
    let works = |value: f64| best(question, &at(value)).is_some();
    let width = |high: f64| if counts { step } else { (WIDTH * high).max(step) };
    let most = if counts { from + 1024.0 * step } else { from * 1024.0 };
    let mut low = from;
    let mut found = None;
    for _ in 0..GUESSES_MAX {
        let Some(miss) = nearest_miss(question, rule, &at(low)) else { break };
        let guess = (miss / step - 1e-9).ceil() * step;
        if guess <= low || guess > most {
            break;
        }
        if works(guess) {
            found = Some(guess);
            break;
        }
        low = guess;
    }
    let mut high = match found {
        Some(guess) => {
            let less = guess - width(guess);
            if less > low && !works(less) {
                low = less;
            }
            guess
        }
        None if !works(most) => return None,
        None => {
            let mut high = if counts { low + step } else { low * 2.0 };
            while high < most && !works(high) {
                low = high;
                high = if counts { from + (high - from) * 2.0 } else { high * 2.0 };
            }
            high.min(most)
        }
    };
    while high - low > width(high) * 1.000_001 {
        let middle = ((low + high) / 2.0 / step).round() * step;
        if middle <= low || middle >= high {
            break;
        }
        if works(middle) { high = middle } else { low = middle }
    }
    Some((high / step - 1e-9).ceil() * step)
}

/// What the nearest candidate that a limit refuses would need of it.
fn nearest_miss(question: &Question<'_, '_>, rule: &str, requirements: &Requirements) -> Option<f64> {
    match field(&question.about(requirements)).tally.nearest.get(rule)?.1.got {
        Got::Figure { got, op: Op::AtMost, .. } => Some(got),
        Got::Figure { .. } | Got::Word { .. } => None,
    }
}

/// Whole numbers are written as such.
#[allow(clippy::cast_possible_truncation, reason = "checked to be whole and small")]
fn number(value: f64) -> Value {
    let clean = (value * 1e9).round() / 1e9;
    if clean.fract() == 0.0 && clean.abs() < 1e15 { json!(clean as i64) } else { json!(clean) }
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
        for set in combinations(knobs.len(), size) {
            // One knob for each rule, and some rule of the conflict among them.
            let rules: std::collections::BTreeSet<&str> = set.iter().map(|at| knobs[*at].rule()).collect();
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

fn combinations(n: usize, k: usize) -> Vec<Vec<usize>> {
    use itertools::Itertools;
    (0..n).combinations(k).collect()
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

impl Knob {
    const fn rule(&self) -> &'static str {
        match self {
            Self::Number { rule, .. } | Self::Steps { rule, .. } => rule,
        }
    }

    /// Writes a setting into a request that stands as in the file.
    fn set(&self, setting: Setting, requirements: &mut Requirements) {
        match (self, setting) {
            (_, Setting::Original) => {}
            (Self::Number { rule: "usd_per_month", .. }, Setting::Loosest) => {
                requirements.budget.usd_per_month = None
            }
            (Self::Number { rule: "usd_per_request", .. }, Setting::Loosest) => {
                requirements.budget.usd_per_request = None;
            }
            (Self::Number { from, set, tightest_first, .. }, Setting::Loosest) => {
                set(requirements, if *tightest_first { from + 1024.0 } else { from * 1024.0 });
            }
            (Self::Number { set, .. }, Setting::Value(value)) => set(requirements, value),
            (Self::Steps { choices, .. }, Setting::Loosest) => {
                if let Some(last) = choices.last() {
                    (last.set)(requirements);
                }
            }
            (Self::Steps { choices, .. }, Setting::Choice(at)) => (choices[at].set)(requirements),
            (Self::Number { .. }, Setting::Choice(_)) | (Self::Steps { .. }, Setting::Value(_)) => {}
        }
    }
}

/// Every rule of a request that can be loosened, numbers first.
fn knobs(base: &Requirements) -> Vec<Knob> {
    let mut all = Vec::new();
    if let Some(from) = base.budget.usd_per_month {
        all.push(Knob::Number {
            rule: "usd_per_month",
            from,
            pointer: "/budget/usd_per_month".to_owned(),
            set: Box::new(|requirements, value| requirements.budget.usd_per_month = Some(value)),
            step: 0.01,
            tightest_first: false,
        });
    }
    if let Some(from) = base.budget.usd_per_request {
        all.push(Knob::Number {
            rule: "usd_per_request",
            from,
            pointer: "/budget/usd_per_request".to_owned(),
            set: Box::new(|requirements, value| requirements.budget.usd_per_request = Some(value)),
            step: 1e-6,
            tightest_first: false,
        });
    }
    for (w, workload) in base.workloads.iter().enumerate() {
        for (l, limit) in workload.latency.iter().enumerate() {
            all.push(latency_knob(w, l, limit));
        }
    }
    for (w, workload) in base.workloads.iter().enumerate() {
        all.extend(workload.quality.as_ref().and_then(|floor| quality_knob(w, floor)));
    }
    all.extend(plan_knobs(base));
    all
}

fn latency_knob(w: usize, l: usize, limit: &LatencyLimit) -> Knob {
    let (rule, statistic) = (limit.measure.word(), limit.statistic.word());
    Knob::Number {
        rule,
        from: limit.ms,
        pointer: format!("/workloads/{w}/latency/{rule}/{statistic}"),
        set: Box::new(move |requirements, value| requirements.workloads[w].latency[l].ms = value),
        step: if limit.ms >= 100.0 { 1.0 } else { 0.1 },
        tightest_first: false,
    }
}

/// Tiers below the asked one, or index points downwards.
fn quality_knob(w: usize, floor: &QualityFloor) -> Option<Knob> {
    const TIERS: [&str; 4] = ["excellent", "very-good", "good", "basic"];
    let pointer = format!("/workloads/{w}/quality");
    match floor {
        QualityFloor::Tier { tier, scale } => {
            let at = TIERS.iter().position(|known| known == tier)?;
            let choices: Vec<Choice> = TIERS[at + 1..]
                .iter()
                .map(|lower| {
                    let scale_set = scale.clone();
                    Choice {
                        to: json!(lower),
                        patch: vec![(format!("{pointer}/tier"), json!(lower))],
                        set: Box::new(move |requirements| {
                            requirements.workloads[w].quality = Some(QualityFloor::Tier {
                                tier: (*lower).to_owned(),
                                scale: scale_set.clone(),
                            });
                        }),
                    }
                })
                .collect();
            (!choices.is_empty()).then(|| Knob::Steps { rule: "quality", from: json!(tier), choices })
        }
        QualityFloor::Index(from) => {
            let from = *from;
            let choices: Vec<Choice> = [1.0, 2.0, 5.0, 10.0, 20.0, 40.0, 80.0]
                .into_iter()
                .map(|less: f64| (from - less).max(0.0))
                .map(|lower| Choice {
                    to: number(lower),
                    patch: vec![(format!("{pointer}/index"), number(lower))],
                    set: Box::new(move |requirements| {
                        requirements.workloads[w].quality = Some(QualityFloor::Index(lower));
                    }),
                })
                .collect();
            Some(Knob::Steps { rule: "quality", from: number(from), choices })
        }
        QualityFloor::Benchmark { benchmark, min } => {
            let choices: Vec<Choice> = (1..=9)
                .map(|tenths| {
                    let lower = (min * (1.0 - f64::from(tenths) / 10.0) * 1e4).round() / 1e4;
                    let name = benchmark.clone();
                    Choice {
                        to: number(lower),
                        patch: vec![(format!("{pointer}/min"), number(lower))],
                        set: Box::new(move |requirements| {
                            requirements.workloads[w].quality =
                                Some(QualityFloor::Benchmark { benchmark: name.clone(), min: lower });
                        }),
                    }
                })
                .collect();
            Some(Knob::Steps { rule: "benchmark", from: number(*min), choices })
        }
    }
}

/// Rules of the whole plan: redundancy, counts, memory, power, where engines may run, data, needs.
fn plan_knobs(base: &Requirements) -> Vec<Knob> {
    let mut all = Vec::new();
    if let Some(from) = base.availability {
        let choices = [0.999_9, 0.999, 0.995, 0.99, 0.98, 0.95, 0.9]
            .into_iter()
            .filter(|lower| *lower < from)
            .map(|lower| Choice {
                to: number(lower),
                patch: vec![("/availability".to_owned(), number(lower))],
                set: Box::new(move |requirements| requirements.availability = Some(lower)),
            })
            .collect();
        all.push(Knob::Steps { rule: "availability", from: number(from), choices });
    }
    if let Some(from) = base.limits.memory_gib_per_server {
        all.push(Knob::Number {
            rule: "memory_gib_per_server",
            from,
            pointer: "/limits/memory_gib_per_server".to_owned(),
            set: Box::new(|requirements, value| requirements.limits.memory_gib_per_server = Some(value)),
            step: 0.1,
            tightest_first: false,
        });
    }
    if let Some(from) = base.limits.power_kw {
        all.push(Knob::Number {
            rule: "power_kw",
            from,
            pointer: "/limits/power_kw".to_owned(),
            set: Box::new(|requirements, value| requirements.limits.power_kw = Some(value)),
            step: 0.01,
            tightest_first: false,
        });
    }
    if let Some(from) = base.limits.max_deployments {
        all.push(count_knob(
            "max_deployments",
            f64::from(from),
            "/limits/max_deployments".to_owned(),
            |r, value| {
                r.limits.max_deployments = Some(value);
            },
        ));
    }
    for (gpu, from) in base.limits.gpus.clone() {
        let pointer = format!("/limits/gpus/{gpu}");
        all.push(count_knob("gpus", f64::from(from), pointer, move |r, value| {
            r.limits.gpus.insert(gpu.clone(), value);
        }));
    }
    for (at, row) in base.measured.iter().enumerate() {
        if let Some(from) = row.max_replicas {
            let pointer = format!("/measured/{at}/max_replicas");
            all.push(count_knob("max_replicas", f64::from(from), pointer, move |r, value| {
                r.measured[at].max_replicas = Some(value);
            }));
        }
    }
    let at_once = |rule: &'static str,
                   from: Value,
                   pointer: String,
                   to: Value,
                   set: Box<dyn Fn(&mut Requirements)>| {
        Knob::Steps { rule, from, choices: vec![Choice { to: to.clone(), patch: vec![(pointer, to)], set }] }
    };
    if base.routing != Routing::Hybrid {
        let from = if base.routing == Routing::Local { "local" } else { "cloud" };
        let set = Box::new(|requirements: &mut Requirements| requirements.routing = Routing::Hybrid);
        all.push(at_once("routing", json!(from), "/routing".to_owned(), json!("hybrid"), set));
    }
    for (w, workload) in base.workloads.iter().enumerate() {
        for word in workload.data.clone() {
            let rest: Vec<String> = workload.data.iter().filter(|other| **other != word).cloned().collect();
            let to = json!(rest);
            let set = Box::new(move |r: &mut Requirements| r.workloads[w].data.clone_from(&rest));
            all.push(at_once("data", json!(workload.data), format!("/workloads/{w}/data"), to, set));
        }
        for need in workload.needs.clone() {
            let rest: Vec<String> = workload.needs.iter().filter(|other| **other != need).cloned().collect();
            let to = json!(rest);
            let set = Box::new(move |r: &mut Requirements| r.workloads[w].needs.clone_from(&rest));
            all.push(at_once("needs", json!(workload.needs), format!("/workloads/{w}/needs"), to, set));
        }
        let known =
            workload.lengths.points.iter().map(|(input, output, _)| input + output).fold(0.0, f64::max);
        if workload.context_tokens > known {
            let from = workload.context_tokens;
            let choices = [131_072.0, 65_536.0, 32_768.0, 16_384.0, 8_192.0, 4_096.0, known]
                .into_iter()
                .filter(|less| *less < from && *less >= known)
                .map(|less: f64| Choice {
                    to: number(less.ceil()),
                    patch: vec![(format!("/workloads/{w}/context_tokens"), number(less.ceil()))],
                    set: Box::new(move |r| r.workloads[w].context_tokens = less.ceil()),
                })
                .collect();
            all.push(Knob::Steps { rule: "context_tokens", from: number(from), choices });
        }
    }
    if !base.include_retired {
        let set = Box::new(|requirements: &mut Requirements| requirements.include_retired = true);
        all.push(at_once("retired", json!(false), "/include_retired".to_owned(), json!(true), set));
    }
    for (list, name) in
        [(&base.allow.models, "models"), (&base.allow.gpus, "gpus"), (&base.allow.providers, "providers")]
    {
        if !list.is_empty() {
            let set: Box<dyn Fn(&mut Requirements)> = match name {
                "models" => Box::new(|r| r.allow.models.clear()),
                "gpus" => Box::new(|r| r.allow.gpus.clear()),
                _ => Box::new(|r| r.allow.providers.clear()),
            };
            all.push(at_once("allow", json!(list), format!("/allow/{name}"), json!([]), set));
        }
    }
    all
}

/// A limit on a count: one more, two more ...
fn count_knob(
    rule: &'static str,
    from: f64,
    pointer: String,
    set: impl Fn(&mut Requirements, u32) + 'static,
) -> Knob {
    Knob::Number {
        rule,
        from,
        pointer,
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a whole number of at least 0"
        )]
        set: Box::new(move |requirements, value| set(requirements, value.round().max(0.0) as u32)),
        step: 1.0,
        tightest_first: true,
    }
}
