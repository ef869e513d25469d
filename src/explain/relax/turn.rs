//! Loosens one knob as little as makes a plan exist.

use serde_json::Value;

use super::knob::{Knob, Setting, number};
use crate::candidate::Question;
use crate::explain::conflict::{best, without};
use crate::formulate::field;
use crate::reason::{Got, Op};
use crate::requirements::{Requirements, Workload};

/// One change of a request: the rule, from, to, where in the file.
#[derive(Debug, Clone)]
pub(super) struct Change {
    pub(super) rule: &'static str,
    pub(super) from: Value,
    pub(super) to: Value,
    pub(super) patch: Vec<(String, Value)>,
}

/// Relative width at which the search for a limit stops.
const WIDTH: f64 = 5e-3;
/// Nearest misses tried before the search goes by halves: candidates may miss a second rule as well.
const GUESSES_MAX: u32 = 3;

/// Loosens one knob as little as makes a plan exist.
pub(super) fn turn(
    question: &Question<'_, '_>,
    base: &Requirements,
    knob: &Knob,
) -> Option<(Change, Setting)> {
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
                    let rate: f64 = base.workloads.iter().map(Workload::mean_rps).sum();
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
