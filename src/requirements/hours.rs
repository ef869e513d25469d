//! When the requests of a trace came: requests/s by hour of the day, at weekends apart where they differ.
//!
//! In: seconds since 1970 in the workload's clock. Out: [`Rates`]. Nothing here reads files or knows of UTC.

/// A trace of at least this many hours tells one hour of the day from another.
const HOURS_MIN: f64 = 24.0;
/// Each hour of the day must have been seen for so long on weekdays and at weekends to tell them apart: half an hour.
const SEEN_SECONDS_MIN: f64 = 1800.0;
/// Weekends are told apart where more than this share of the requests comes at another time of the day, or not at all,
/// beyond what chance explains.
const DIFFERENCE_MIN: f64 = 0.1;
/// How far beyond, in standard deviations of Poisson counts.
const DEVIATIONS: f64 = 3.0;

const DAY: f64 = 86_400.0;
const WEEK: f64 = 7.0 * DAY;

/// Requests/s by hour of the day.
pub(super) struct Rates {
    /// On any day, or on weekdays where there is a `weekend`; all equal where `hours` < 24.
    pub(super) hourly_rps: [f64; 24],
    /// On Saturdays and Sundays, where they differ.
    pub(super) weekend_rps: Option<[f64; 24]>,
    /// Hours from the first to the last request.
    pub(super) hours: f64,
}

impl Rates {
    /// Requests/s over the calendar, five weekdays to two days of a weekend.
    pub(super) fn mean_rps(&self) -> f64 {
        let mean = |rates: &[f64; 24]| rates.iter().sum::<f64>() / 24.0;
        let usual = mean(&self.hourly_rps);
        self.weekend_rps.as_ref().map_or(usual, |weekend| (5.0 * usual + 2.0 * mean(weekend)) / 7.0)
    }
}

/// Rates of the requests of a trace; `None` where no time passes. Days have a place in the week only where the times
/// are `dated`.
///
/// The first request opens the watch and is not counted: n requests have n - 1 gaps between them.
pub(super) fn rates(seconds: &[f64], dated: bool) -> Option<Rates> {
    let opened = seconds.iter().copied().enumerate().min_by(|a, b| a.1.total_cmp(&b.1))?;
    let (at, first) = opened;
    let last = seconds.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let span = last - first;
    if seconds.len() < 2 || span <= 0.0 {
        return None;
    }
    let hours = span / 3600.0;
    if hours < HOURS_MIN {
        #[expect(clippy::cast_precision_loss, reason = "a count of rows")]
        let mean = (seconds.len() - 1) as f64 / span;
        return Some(Rates { hourly_rps: [mean; 24], weekend_rps: None, hours });
    }
    let mut days = [Day::watched(first, last, false), Day::watched(first, last, true)];
    for second in seconds[..at].iter().chain(&seconds[at + 1..]) {
        days[usize::from(is_weekend(*second))].counts[hour_of_day(*second)] += 1.0;
    }
    let [weekday, weekend] = &days;
    let any: [f64; 24] = std::array::from_fn(|hour| {
        (weekday.counts[hour] + weekend.counts[hour]) / (weekday.seen[hour] + weekend.seen[hour])
    });
    if dated && differ(weekday, weekend, &any) {
        return Some(Rates { hourly_rps: weekday.rps(), weekend_rps: Some(weekend.rps()), hours });
    }
    Some(Rates { hourly_rps: any, weekend_rps: None, hours })
}

/// Weekdays or weekend days together, by hour.
struct Day {
    /// Requests that came.
    counts: [f64; 24],
    /// Seconds that the trace covers.
    seen: [f64; 24],
}

impl Day {
    /// Nothing counted yet, from the first to the last request.
    fn watched(first: f64, last: f64, weekend: bool) -> Self {
        let weeks = ((last - first) / WEEK).floor();
        let days = if weekend { 2.0 } else { 5.0 };
        let mut seen = [weeks * days * 3600.0; 24];
        let from = first + weeks * WEEK;
        let mut start = (from / 3600.0).floor() * 3600.0;
        while start < last {
            if is_weekend(start) == weekend {
                seen[hour_of_day(start)] += (start + 3600.0).min(last) - start.max(from);
            }
            start += 3600.0;
        }
        Self { counts: [0.0; 24], seen }
    }

    fn rps(&self) -> [f64; 24] {
        std::array::from_fn(|hour| self.counts[hour] / self.seen[hour])
    }
}

/// Do weekends differ from weekdays by more than `DIFFERENCE_MIN` beyond chance? With rate p in an hour on any day, the
/// difference of the two rates has variance p / seen + p / seen, and its size the mean and spread of a half-normal.
fn differ(weekday: &Day, weekend: &Day, any: &[f64; 24]) -> bool {
    if weekday.seen.iter().chain(&weekend.seen).any(|seen| *seen < SEEN_SECONDS_MIN) {
        return false;
    }
    let (on, off) = (weekday.rps(), weekend.rps());
    let (mut difference, mut chance, mut variance) = (0.0, 0.0, 0.0);
    for hour in 0..24 {
        difference += (on[hour] - off[hour]).abs();
        let spread = any[hour] * (1.0 / weekday.seen[hour] + 1.0 / weekend.seen[hour]);
        chance += (spread * std::f64::consts::FRAC_2_PI).sqrt();
        variance += spread * (1.0 - std::f64::consts::FRAC_2_PI);
    }
    difference > DIFFERENCE_MIN * any.iter().sum::<f64>() + chance + DEVIATIONS * variance.sqrt()
}

/// 1 January 1970 was a Thursday.
fn is_weekend(second: f64) -> bool {
    ((second / DAY).floor() + 3.0).rem_euclid(7.0) >= 5.0
}

fn hour_of_day(second: f64) -> usize {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 23 by construction")]
    let hour = (second.rem_euclid(DAY) / 3600.0) as usize;
    hour.min(23)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Monday 5 January 1970.
    const MONDAY: f64 = 4.0 * DAY;

    /// Requests evenly spaced, so many an hour on weekdays and at weekends, from a moment on for some days.
    fn paced(from: f64, days: f64, weekday: f64, weekend: f64) -> Vec<f64> {
        let mut times = vec![from];
        let mut hour = from;
        while hour < from + days * DAY {
            let count = if is_weekend(hour) { weekend } else { weekday };
            let gap = 3600.0 / count;
            let mut after = gap;
            while after <= 3600.0 {
                times.push(hour + after - 1e-6);
                after += gap;
            }
            hour += 3600.0;
        }
        times
    }

    #[test]
    fn an_hour_is_divided_by_the_time_it_was_seen() {
        // Two and a half days at one request a minute, from noon: every hour shows the same rate.
        let times: Vec<f64> = (0..=3600).map(|minute| 43_200.0 + f64::from(minute) * 60.0).collect();
        let rates = rates(&times, true).unwrap();
        assert!((rates.hours - 60.0).abs() < 1e-9);
        for rate in rates.hourly_rps {
            assert!((rate * 60.0 - 1.0).abs() < 0.01, "{rate}");
        }
    }

    #[test]
    fn a_weekend_unlike_the_week_stands_apart() {
        let found = rates(&paced(MONDAY, 7.0, 40.0, 10.0), true).unwrap();
        let weekend = found.weekend_rps.unwrap();
        assert!((found.hourly_rps[5] * 3600.0 - 40.0).abs() < 0.01, "{}", found.hourly_rps[5] * 3600.0);
        assert!((weekend[5] * 3600.0 - 10.0).abs() < 0.01);
    }

    #[test]
    fn weekends_stay_where_they_are_alike_unknown_or_unseen() {
        let alike = |times: &[f64], dated| rates(times, dated).unwrap().weekend_rps.is_none();
        assert!(alike(&paced(MONDAY, 14.0, 40.0, 38.0), true), "a difference of 5 %");
        assert!(alike(&paced(MONDAY, 7.0, 40.0, 10.0), false), "seconds since anything");
        assert!(alike(&paced(MONDAY, 5.4, 40.0, 10.0), true), "not all hours of a weekend");
        assert!(alike(&paced(MONDAY, 7.0, 1.0, 0.6), true), "a few requests are chance");
        assert!(!alike(&paced(MONDAY - 2.5 * DAY, 7.0, 40.0, 10.0), true));
    }

    #[test]
    fn whole_weeks_and_the_rest_are_seen() {
        let day = Day::watched(MONDAY + 1800.0, MONDAY + 8.0 * DAY, false);
        assert!((day.seen[0] - (5.0 * 3600.0 + 1800.0)).abs() < 1e-6);
        assert!((day.seen[1] - 6.0 * 3600.0).abs() < 1e-6);
        assert!((Day::watched(MONDAY, MONDAY + 8.0 * DAY, true).seen[7] - 2.0 * 3600.0).abs() < 1e-6);
    }
}
