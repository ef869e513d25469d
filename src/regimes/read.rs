//! Reads axes from words such as `volume`, `volume=100..100000` and `quality=basic,good`.
//!
//! In: what stands behind `--x`, `--y` and `--steps`, and the request. Out: both axes, or every fault of them at once.

use std::ops::RangeInclusive;

use super::axis::{Axis, Dimension, STEPS, Value};
use super::change::requests_per_day;
use crate::catalog::nearest;
use crate::error::{Error, Fault, Place};
use crate::requirements::{LatencyMeasure, Requirements, Statistic, TIERS};

/// A fault of an axis.
const CODE: &str = "E0907";
/// Most values of an axis.
const VALUES_MAX: usize = 100;
/// Digits of values between the ends of a range: nobody asks about 1,291.5496 requests.
const DIGITS: i32 = 3;
/// Factors of a range that is not given.
const FACTORS: (f64, f64) = (0.25, 4.0);
const VOLUMES: (f64, f64) = (0.1, 100.0);
const BUDGETS: (f64, f64) = (0.1, 10.0);
const AVAILABILITIES: [f64; 4] = [0.9, 0.99, 0.999, 0.9999];
const HOURS: (f64, f64) = (0.0, 24.0);

/// Both axes for a request.
///
/// # Errors
/// Every fault of the three words.
pub fn axes(x: &str, y: &str, steps: Option<&str>, asked: &Requirements) -> Result<(Axis, Axis), Error> {
    let mut faults = Vec::new();
    let steps = steps_of(steps, &mut faults);
    let across = axis("--x", x, steps.0, asked, &mut faults);
    let up = axis("--y", y, steps.1, asked, &mut faults);
    if let (Some(across), Some(up)) = (&across, &up) {
        if across.dimension == up.dimension {
            let cause = format!("{} is on the other axis already", up.dimension.word());
            faults.push(fault("--y", y, cause, "Put something else on one of the two."));
        }
        let both = |one: &Axis, other: &Axis| {
            one.dimension == Dimension::Latency && matches!(other.dimension, Dimension::LatencyLimit(..))
        };
        if both(across, up) || both(up, across) {
            let cause = "one axis moves a limit that the other moves too".to_owned();
            faults.push(fault("--y", y, cause, "Put two limits on the axes, or latency and something else."));
        }
    }
    match (across, up) {
        (Some(across), Some(up)) if faults.is_empty() => Ok((across, up)),
        _ => Err(Error::Faults(faults)),
    }
}

fn fault(flag: &str, word: &str, cause: String, cure: impl Into<String>) -> Fault {
    let place = Place { file: flag.to_owned(), key: word.to_owned(), ..Place::default() };
    Fault { code: CODE, place, cause, cure: cure.into() }
}

fn steps_of(word: Option<&str>, faults: &mut Vec<Fault>) -> (usize, usize) {
    let Some(word) = word else { return (STEPS, STEPS) };
    let (x, y) = word.split_once('x').unwrap_or((word, word));
    let read =
        |part: &str| part.trim().parse::<usize>().ok().filter(|steps| (2..=VALUES_MAX).contains(steps));
    match (read(x), read(y)) {
        (Some(x), Some(y)) => (x, y),
        _ => {
            let cause = format!("must be from 2 to {VALUES_MAX} values for each axis");
            faults.push(fault("--steps", word, cause, "Write 20 for both axes, or 20x10 for each."));
            (STEPS, STEPS)
        }
    }
}

fn axis(flag: &str, text: &str, steps: usize, asked: &Requirements, faults: &mut Vec<Fault>) -> Option<Axis> {
    let (word, values) = match text.split_once('=') {
        Some((word, values)) => (word.trim(), Some(values.trim())),
        None => (text.trim(), None),
    };
    let found =
        dimension(word).map_err(|cure| (format!("{word:?} is no axis"), cure)).and_then(|dimension| {
            fits(dimension, asked)?;
            let values = match values {
                None => default_values(dimension, steps, asked)?,
                Some(values) => given_values(dimension, values, steps)?,
            };
            Ok(Axis { dimension, values })
        });
    match found {
        Ok(axis) => Some(axis),
        Err((cause, cure)) => {
            faults.push(fault(flag, text, cause, cure));
            None
        }
    }
}

/// Cause and cure.
type Wrong = (String, String);

/// The axis of a word, or what to write instead.
fn dimension(word: &str) -> Result<Dimension, String> {
    if let Some((_, known)) = Dimension::ALL.iter().find(|(name, _)| *name == word) {
        return Ok(*known);
    }
    let measures = [LatencyMeasure::Ttft, LatencyMeasure::Tpot, LatencyMeasure::E2e];
    let statistics = [Statistic::Mean, Statistic::P50, Statistic::P90, Statistic::P95, Statistic::P99];
    let limits = measures.iter().flat_map(|m| statistics.iter().map(|s| Dimension::LatencyLimit(*m, *s)));
    let mut limits = limits.map(|limit| (limit.word(), limit));
    if let Some((_, limit)) = limits.find(|(name, _)| name == word) {
        return Ok(limit);
    }
    let names = Dimension::ALL.iter().map(|(name, _)| *name);
    Err(match nearest(word, names.clone()) {
        Some(near) => format!("Write {near}."),
        None => {
            let all: Vec<&str> = names.collect();
            format!("Write one of {}, or a limit such as e2e_ms.p95.", all.join(", "))
        }
    })
}

/// May this be moved in this request?
fn fits(dimension: Dimension, asked: &Requirements) -> Result<(), Wrong> {
    let wrong = |cause: &str, cure: &str| Err((cause.to_owned(), cure.to_owned()));
    let catalog = asked.measured.is_empty() || asked.measured_with_catalog;
    match dimension {
        Dimension::Latency if asked.workloads.iter().all(|workload| workload.latency.is_empty()) => {
            wrong("the file has no limit on latency", "Name a limit with its range: e2e_ms.p95=500..8000.")
        }
        Dimension::Availability if !(asked.routers.is_empty() && asked.cascades.is_empty()) => wrong(
            "routers and cascades have no availability yet",
            "Choose another axis, or leave them out of the file.",
        ),
        Dimension::Latency
        | Dimension::LatencyLimit(..)
        | Dimension::Quality
        | Dimension::InputTokens
        | Dimension::OutputTokens
            if !catalog =>
        {
            wrong(
                "measured capacities already meet latency, quality and lengths: nothing would change",
                "Choose volume, budget, local-price, api-price or availability.",
            )
        }
        _ => Ok(()),
    }
}

fn default_values(dimension: Dimension, steps: usize, asked: &Requirements) -> Result<Vec<Value>, Wrong> {
    let own = |(low, high): (f64, f64), value: f64| {
        range(dimension, (rounded(low * value), rounded(high * value)), steps)
    };
    let missing = |example: &str| {
        let cause = format!("the file has no {} to start from", dimension.word());
        Err((cause, format!("Write a range: {}={example}.", dimension.word())))
    };
    match dimension {
        Dimension::Volume => Ok(own(VOLUMES, requests_per_day(asked))),
        Dimension::Latency
        | Dimension::LocalPrice
        | Dimension::ApiPrice
        | Dimension::InputTokens
        | Dimension::OutputTokens => Ok(own(FACTORS, 1.0)),
        Dimension::LatencyLimit(measure, statistic) => {
            let mut limits = asked.workloads.iter().flat_map(|workload| &workload.latency);
            let known = limits.find(|limit| limit.measure == measure && limit.statistic == statistic);
            known.map_or_else(|| missing("500..8000"), |limit| Ok(own(FACTORS, limit.ms)))
        }
        Dimension::Quality => Ok(TIERS.iter().map(|tier| Value::Tier((*tier).to_owned())).collect()),
        Dimension::Budget => match asked.budget.usd_per_month.filter(|usd| *usd > 0.0) {
            None => missing("100..10000"),
            Some(usd) => Ok(own(BUDGETS, usd)),
        },
        Dimension::Availability => Ok(AVAILABILITIES.iter().map(|share| Value::Number(*share)).collect()),
        Dimension::DeferrableHours => Ok(range(dimension, HOURS, steps)),
    }
}

/// Values that mean something on an axis.
const fn allowed(dimension: Dimension) -> RangeInclusive<f64> {
    match dimension {
        Dimension::Volume => 1e-3..=1e12,
        Dimension::Latency | Dimension::LocalPrice | Dimension::ApiPrice => 1e-3..=1e3,
        Dimension::LatencyLimit(..) => 1e-3..=1e9,
        Dimension::Quality => -1000.0..=1000.0,
        Dimension::Budget => 1e-2..=1e12,
        Dimension::Availability => 0.5..=0.999_999_9,
        Dimension::InputTokens | Dimension::OutputTokens => 1e-2..=1e2,
        Dimension::DeferrableHours => 0.0..=720.0,
    }
}

fn given_values(dimension: Dimension, text: &str, steps: usize) -> Result<Vec<Value>, Wrong> {
    let of = |text: &str| value(dimension, text.trim());
    if let Some((low, high)) = text.split_once("..") {
        let (low, high) = (of(low)?, of(high)?);
        let ends = low.number().zip(high.number());
        let Some((low, high)) = ends.filter(|(low, high)| low < high) else {
            return Err((
                format!("{text:?} is no range from a smaller number to a larger one"),
                format!("Write {}={}.", dimension.word(), example(dimension)),
            ));
        };
        return Ok(range(dimension, (low, high), steps));
    }
    let values: Vec<Value> = text.split(',').map(of).collect::<Result<_, _>>()?;
    let twice = values.iter().enumerate().any(|(at, value)| values[..at].contains(value));
    if twice || values.len() > VALUES_MAX {
        let cause = if twice {
            "a value stands there twice".to_owned()
        } else {
            format!("more than {VALUES_MAX} values")
        };
        return Err((cause, "Write each value once, or a range.".to_owned()));
    }
    Ok(values)
}

fn example(dimension: Dimension) -> &'static str {
    match dimension {
        Dimension::Volume => "100..100000",
        Dimension::LatencyLimit(..) => "500..8000",
        Dimension::Quality => "20..70, or quality=basic,good",
        Dimension::Budget => "100..10000",
        Dimension::Availability => "0.9..0.9999",
        Dimension::DeferrableHours => "0..24",
        Dimension::Latency
        | Dimension::LocalPrice
        | Dimension::ApiPrice
        | Dimension::InputTokens
        | Dimension::OutputTokens => "0.5..4",
    }
}

fn value(dimension: Dimension, text: &str) -> Result<Value, Wrong> {
    let write = || format!("Write {}={}.", dimension.word(), example(dimension));
    let number = text.replace('_', "").parse::<f64>().ok().filter(|number| number.is_finite());
    match number {
        Some(number) => {
            let allowed = allowed(dimension);
            if allowed.contains(&number) {
                return Ok(Value::Number(number));
            }
            let cause =
                format!("{text} must be from {} to {} {}", allowed.start(), allowed.end(), dimension.unit());
            Err((cause, write()))
        }
        None if dimension == Dimension::Quality => {
            if TIERS.contains(&text) {
                return Ok(Value::Tier(text.to_owned()));
            }
            let near = nearest(text, TIERS.iter().copied());
            let cure = near.map_or_else(
                || format!("Write tiers ({}) or index points.", TIERS.join(", ")),
                |near| format!("Write {near}."),
            );
            Err((format!("{text:?} is no tier and no index"), cure))
        }
        None => Err((format!("{text:?} is no number"), write())),
    }
}

/// Values from one end to the other: factors, volumes and money evenly by ratio, index points and hours evenly by
/// difference, availability evenly by its nines.
fn range(dimension: Dimension, (low, high): (f64, f64), steps: usize) -> Vec<Value> {
    let last = u32::try_from(steps.max(2) - 1).unwrap_or(u32::MAX);
    let at = |k: u32| {
        let part = f64::from(k) / f64::from(last);
        if k == 0 {
            return low;
        }
        if k == last {
            return high;
        }
        match dimension {
            Dimension::Quality | Dimension::DeferrableHours => rounded(low + (high - low) * part),
            Dimension::Availability => 1.0 - rounded((1.0 - low) * ((1.0 - high) / (1.0 - low)).powf(part)),
            _ => rounded(low * (high / low).powf(part)),
        }
    };
    let mut values: Vec<f64> = (0..=last).map(at).collect();
    values.dedup();
    values.into_iter().map(Value::Number).collect()
}

/// Three digits of a number.
fn rounded(value: f64) -> f64 {
    if value == 0.0 {
        return 0.0;
    }
    // Through decimal digits, so that 0.3 is 0.3.
    let digits = usize::try_from(DIGITS - 1).unwrap_or(0);
    format!("{value:.digits$e}").parse().unwrap_or(value)
}
