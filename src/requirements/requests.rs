//! `requests`: how many, and when in the day.

use super::codes;
use super::fields::{At, Map, Reader};
use super::node::{Value, numeral, quoted, sentence};
use super::range::Range;
use super::suggest;
use super::trace::Trace;
use super::warning::Warning;

const KEYS: &[&str] =
    &["per_second", "per_hour", "per_day", "per_month", "trace", "profile", "peak_factor", "utc_offset"];
const RATES: [&str; 5] = ["per_second", "per_hour", "per_day", "per_month", "trace"];
const CURE: &str = "Write how many requests come, such as {per_day: 1000}";
const RATE: Range = Range::positive("how many requests come, such as 1000");
const PEAK: Range = Range::within(1.0, 1000.0, "how far bursts inside an hour exceed its mean, 1 or more");
const OFFSET: Range =
    Range::within(-12.0, 14.0, "hours the workload's clock is ahead of UTC, such as 1 or -5 or 5.5");
const WEIGHT: Range = Range::not_negative("the weight of an hour, 0 or more");

/// Fewer requests than one in 30 years, or more than a billion a second, are a slip of the pen; sums stay exact
/// between them.
const RPS_MIN: f64 = 1e-9;
const RPS_MAX: f64 = 1e9;

/// What `requests` says.
pub(super) struct Requests {
    pub(super) hourly_rps: [f64; 24],
    pub(super) weekend_rps: Option<[f64; 24]>,
    pub(super) peak_factor: f64,
}

impl Reader<'_> {
    /// Rates by UTC hour, and the trace where one is named.
    pub(super) fn requests(
        &mut self,
        at: &At<'_>,
        name: &str,
        hours_per_month: f64,
    ) -> (Option<Requests>, Option<Trace>) {
        let Some(map) = self.map(at, KEYS, CURE) else { return (None, None) };
        let given: Vec<&str> = RATES.into_iter().filter(|key| map.has(key)).collect();
        if given.len() != 1 {
            let cause = match given.as_slice() {
                [] => "no rate is given".to_owned(),
                several => format!("{} rates are given: {}", several.len(), several.join(", ")),
            };
            let cure = "Write exactly one of per_second, per_hour, per_day, per_month, trace";
            self.fault(codes::NOT_EXACTLY_ONE, at, cause, cure);
        }
        let peak_factor = self.number_at(&map, "peak_factor", &PEAK).unwrap_or(1.0);
        let offset = self.number_at(&map, "utc_offset", &OFFSET).unwrap_or(0.0);
        let profile = map.get("profile").map(|at| self.profile(&at));
        let trace = map.get("trace").and_then(|at| self.trace(&at, offset));
        let mean = self.mean_rps(&map, hours_per_month);
        let local = match (mean, &trace) {
            (Some(mean), _) => {
                let weights = profile.unwrap_or(Some([1.0; 24]));
                weights.map(|weights| (weights.map(|weight| weight * mean), None))
            }
            (None, Some(trace)) => {
                let rates = &trace.rates;
                if rates.hours < 24.0 && profile.is_none() {
                    self.warnings.push(Warning::ShortTrace { workload: name.to_owned(), hours: rates.hours });
                }
                match profile {
                    Some(weights) => weights.map(|weights| (weights.map(|w| w * rates.mean_rps()), None)),
                    None => Some((rates.hourly_rps, rates.weekend_rps)),
                }
            }
            (None, None) => None,
        };
        let requests = local.map(|(weekday, weekend)| Requests {
            hourly_rps: in_utc(weekday, offset),
            weekend_rps: weekend.map(|weekend| in_utc(weekend, offset)),
            peak_factor,
        });
        (requests, trace)
    }

    fn mean_rps(&mut self, map: &Map<'_>, hours_per_month: f64) -> Option<f64> {
        let seconds = [
            ("per_second", 1.0),
            ("per_hour", 3600.0),
            ("per_day", 86_400.0),
            ("per_month", hours_per_month * 3600.0),
        ];
        let mut mean = None;
        for (key, seconds) in seconds {
            let Some(at) = map.get(key) else { continue };
            let Some(count) = self.number(&at, &RATE) else { continue };
            let rps = count / seconds;
            if !(RPS_MIN..=RPS_MAX).contains(&rps) {
                let cause = format!("{} is {} requests a second", numeral(count), numeral(rps));
                let cure = "Write a rate between one request in 30 years and a billion a second";
                self.fault(codes::OUT_OF_RANGE, &at, cause, cure);
                continue;
            }
            mean = Some(rps);
        }
        mean
    }

    /// 24 weights of mean 1, by hour of the workload's clock.
    fn profile(&mut self, at: &At<'_>) -> Option<[f64; 24]> {
        if let Value::List(items) = &at.node.value {
            if items.len() != 24 {
                let cause = format!("a profile has 24 weights, one an hour; found {}", items.len());
                self.fault(
                    codes::BAD_PROFILE,
                    at,
                    cause,
                    "Write 24 numbers, the first for the hour from 0:00",
                );
                return None;
            }
            let weights: Vec<f64> = items
                .iter()
                .enumerate()
                .filter_map(|(hour, node)| self.number(&at.item(hour, node), &WEIGHT))
                .collect();
            let weights: [f64; 24] = weights.try_into().ok()?;
            let mean = weights.iter().sum::<f64>() / 24.0;
            // Below this, dividing by the mean could overflow.
            if mean < 1e-12 {
                self.fault(
                    codes::BAD_PROFILE,
                    at,
                    "every weight is 0",
                    "Give at least one hour a weight above 0",
                );
                return None;
            }
            return Some(weights.map(|weight| weight / mean));
        }
        let name = self.text(at, "flat, business-hours, evening, or a list of 24 weights")?;
        let context = self.context;
        if let Some(weights) = context.profiles.get(name) {
            return Some(*weights);
        }
        let known: Vec<&str> = context.profiles.keys().map(String::as_str).collect();
        let cure = format!("{} A list of 24 weights will do, too", sentence(suggest::instead(name, &known)));
        self.fault(codes::BAD_PROFILE, at, format!("{} is no known profile", quoted(name)), cure);
        None
    }
}

/// Rates by UTC hour from rates by hour of a clock that is `offset` hours ahead. UTC hour u covers the clock's hours
/// from u + offset; with a fraction of an hour it takes its share of both, so the mean stays. Hours that pass midnight stay
/// with their day: Friday night of the clock is a weekday's, wherever UTC has Saturday already.
fn in_utc(local: [f64; 24], offset: f64) -> [f64; 24] {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 23 by construction")]
    let whole = offset.floor().rem_euclid(24.0) as usize;
    let part = offset - offset.floor();
    std::array::from_fn(|utc| (1.0 - part) * local[(utc + whole) % 24] + part * local[(utc + whole + 1) % 24])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_is_turned_into_utc() {
        let mut local = [0.0; 24];
        local[8] = 1.0;
        // 8:00 in New York (UTC-5) is 13:00 UTC; 8:00 in Delhi (UTC+5.5) is 2:30.
        assert!((in_utc(local, -5.0)[13] - 1.0).abs() < 1e-12);
        let delhi = in_utc(local, 5.5);
        assert!((delhi[2] - 0.5).abs() < 1e-12 && (delhi[3] - 0.5).abs() < 1e-12);
    }
}
