//! A request trace as CSV: when requests came and how long they were.
//!
//! In: `timestamp,input_tokens,output_tokens`, or Azure's `TIMESTAMP,ContextTokens,GeneratedTokens`. Out: requests/s
//! by hour of day, and lengths thinned to weighted points. Nothing here needs the rows in order; only a file beyond
//! [`IN_MEMORY_MAX`] must be sorted, as the replay of such a file streams it.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use jiff::civil::DateTime;

use super::codes;
use super::fields::{At, Reader};
use super::lengths::{Empirical, thinned};
use super::node::{quoted, sentence};
use crate::error::{Fault, Place};

/// Largest trace that may be unsorted.
const IN_MEMORY_MAX: u64 = 1024 * 1024 * 1024;
/// A trace of at least this many hours tells one hour of the day from another.
const DAY_HOURS: f64 = 24.0;
/// Bad rows that are named one by one.
const ROWS_NAMED: usize = 5;

const HEADERS: [[&str; 3]; 2] =
    [["timestamp", "input_tokens", "output_tokens"], ["timestamp", "contexttokens", "generatedtokens"]];
const HEADER_CURE: &str =
    "Let the first line be timestamp,input_tokens,output_tokens or TIMESTAMP,ContextTokens,GeneratedTokens";

/// What a trace says.
pub(super) struct Trace {
    /// Requests/s by hour of the trace's clock; all equal where `hours` < 24.
    pub(super) hourly_rps: [f64; 24],
    /// Hours from the first to the last request.
    pub(super) hours: f64,
    /// Lengths.
    pub(super) lengths: Empirical,
}

struct Row {
    seconds: f64,
    input: f64,
    output: f64,
}

impl Reader<'_> {
    /// The trace named at `at`.
    pub(super) fn trace(&mut self, at: &At<'_>) -> Option<Trace> {
        let name = self.text(at, "the path of a trace, such as trace.csv")?;
        let path = self.base_dir.join(name);
        match File::open(&path).and_then(|file| Ok((file.metadata()?, file))) {
            Ok((about, file)) if about.is_file() => self.rows(at, name, file, about.len()),
            Ok(_) => {
                let cause = format!("{} is not a file", quoted(name));
                self.fault(
                    codes::MISSING_FILE,
                    at,
                    cause,
                    "Write the path of a CSV file, relative to this file",
                );
                None
            }
            Err(error) => {
                let cause = format!("{} cannot be read: {}", quoted(name), why(&error));
                self.fault(
                    codes::MISSING_FILE,
                    at,
                    cause,
                    "Write a path relative to this file, or an absolute one",
                );
                None
            }
        }
    }

    fn rows(&mut self, at: &At<'_>, name: &str, file: File, bytes: u64) -> Option<Trace> {
        let mut csv = csv::ReaderBuilder::new().flexible(true).from_reader(BufReader::new(file));
        let header = csv.headers().map(|header| {
            header
                .iter()
                .map(|name| name.trim_start_matches('\u{feff}').trim().to_ascii_lowercase())
                .collect::<Vec<_>>()
        });
        if !header.as_ref().is_ok_and(|header| HEADERS.iter().any(|known| header == known)) {
            let cause = match header {
                Ok(header) if header.is_empty() => "the trace is empty".to_owned(),
                Ok(header) => format!("unknown header {}", quoted(&header.join(","))),
                Err(_) => "the first line is not UTF-8 text".to_owned(),
            };
            self.row_fault(name, 1, cause, HEADER_CURE);
            return None;
        }
        let (mut seconds, mut lengths) = (Vec::new(), Vec::new());
        let (mut latest, mut bad) = (f64::NEG_INFINITY, 0_usize);
        let mut record = csv::ByteRecord::new();
        loop {
            match csv.read_byte_record(&mut record) {
                Ok(false) => break,
                Ok(true) => {}
                Err(error) => {
                    self.row_fault(name, 0, format!("the trace cannot be read: {error}"), "Mend the file");
                    return None;
                }
            }
            let line = record.position().map_or(0, |position| usize::try_from(position.line()).unwrap_or(0));
            match row(&record) {
                Ok(row) => {
                    if bytes > IN_MEMORY_MAX && row.seconds < latest {
                        let cure = "Sort the file by timestamp; unsorted traces are read up to 1 GiB";
                        self.row_fault(name, line, "a request before the one above it", cure);
                        return None;
                    }
                    latest = row.seconds;
                    seconds.push(row.seconds);
                    lengths.push((row.input, row.output, 1.0));
                }
                Err((cause, cure)) => {
                    bad += 1;
                    if bad <= ROWS_NAMED {
                        self.row_fault(name, line, cause, cure);
                    }
                }
            }
        }
        if bad > ROWS_NAMED {
            let cause = format!("{} more rows cannot be read", bad - ROWS_NAMED);
            self.row_fault(name, 0, cause, "Mend or remove them");
        }
        if bad > 0 {
            return None;
        }
        let longest = lengths.iter().map(|(input, output, _)| input + output).fold(0.0, f64::max);
        let Some((hourly_rps, hours)) = rates(&seconds) else {
            let cause = format!("{} holds {} and spans no time", quoted(name), requests(seconds.len()));
            self.fault(
                codes::BAD_TRACE,
                at,
                cause,
                "Give a trace of at least two requests at different times",
            );
            return None;
        };
        Some(Trace { hourly_rps, hours, lengths: Empirical { points: thinned(lengths), longest } })
    }

    /// A fault inside the trace file itself.
    fn row_fault(&mut self, name: &str, line: usize, cause: impl Into<String>, cure: &str) {
        let file = Path::new(name).to_string_lossy().into_owned();
        let place = Place { file, line, column: 0, key: String::new() };
        self.faults.push(Fault { code: codes::BAD_TRACE, place, cause: cause.into(), cure: sentence(cure) });
    }
}

fn requests(count: usize) -> String {
    if count == 1 { "one request".to_owned() } else { format!("{count} requests") }
}

/// Why a file cannot be opened, in words that are the same on every system.
pub(super) fn why(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "there is no such file".to_owned(),
        std::io::ErrorKind::PermissionDenied => "permission is denied".to_owned(),
        _ => error.to_string(),
    }
}

fn row(record: &csv::ByteRecord) -> Result<Row, (String, &'static str)> {
    if record.len() != 3 {
        return Err((
            format!("expected 3 fields, found {}", record.len()),
            "Write timestamp, input and output tokens",
        ));
    }
    let field =
        |index: usize| String::from_utf8_lossy(record.get(index).unwrap_or_default()).trim().to_owned();
    let time = field(0);
    let Some(seconds) = seconds(&time) else {
        let cure = "Write a time such as 2026-11-20 08:40:00.123, or seconds";
        return Err((format!("{} is not a time", quoted(&time)), cure));
    };
    let tokens = |index: usize, what: &str, least: f64| {
        let text = field(index);
        match text.parse::<f64>() {
            Ok(value) if value >= least && value <= 1e9 => Ok(value),
            _ => Err((
                format!("{} is not a number of {what} tokens", quoted(&text)),
                "Write a number of at least 1",
            )),
        }
    };
    Ok(Row { seconds, input: tokens(1, "input", 1.0)?, output: tokens(2, "output", 1.0)? })
}

/// Seconds since 1970 of a date and time, or a number of seconds as it stands. A time with `Z` or an offset counts
/// in UTC, one without in the clock of the workload.
fn seconds(text: &str) -> Option<f64> {
    if let Ok(number) = text.parse::<f64>() {
        return (number.is_finite() && number.abs() < 1e12).then_some(number);
    }
    let nanoseconds = match text.parse::<jiff::Timestamp>() {
        Ok(moment) => moment.as_nanosecond(),
        Err(_) => {
            let civil = text.parse::<DateTime>().ok()?;
            jiff::tz::TimeZone::UTC.to_timestamp(civil).ok()?.as_nanosecond()
        }
    };
    #[expect(clippy::cast_precision_loss, reason = "microseconds are enough for a rate by the hour")]
    Some(nanoseconds as f64 / 1e9)
}

/// Requests/s by hour of day, and the hours spanned; `None` where no time passes.
fn rates(seconds: &[f64]) -> Option<([f64; 24], f64)> {
    let first = seconds.iter().copied().fold(f64::INFINITY, f64::min);
    let last = seconds.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let span = last - first;
    if seconds.len() < 2 || span <= 0.0 {
        return None;
    }
    #[expect(clippy::cast_precision_loss, reason = "a count of rows")]
    let mean = (seconds.len() - 1) as f64 / span;
    let hours = span / 3600.0;
    if hours < DAY_HOURS {
        return Some(([mean; 24], hours));
    }
    let mut counts = [0.0_f64; 24];
    for second in seconds {
        counts[hour_of_day(*second)] += 1.0;
    }
    let whole_days = (span / 86_400.0).floor();
    let rest = span - whole_days * 86_400.0;
    let from = first.rem_euclid(86_400.0);
    let rps = std::array::from_fn(|hour| {
        // Time of this hour of day that the trace covers: once a whole day, and what the rest overlaps.
        #[expect(clippy::cast_precision_loss, reason = "0 to 23")]
        let start = hour as f64 * 3600.0;
        let overlap = |start: f64| (start + 3600.0).min(from + rest) - start.max(from);
        let rest_covered = overlap(start).max(0.0) + overlap(start + 86_400.0).max(0.0);
        counts[hour] / (whole_days * 3600.0 + rest_covered)
    });
    Some((rps, hours))
}

fn hour_of_day(second: f64) -> usize {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 23 by construction")]
    let hour = (second.rem_euclid(86_400.0) / 3600.0) as usize;
    hour.min(23)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_times_of_several_kinds() {
        assert_eq!(seconds("12.5"), Some(12.5));
        assert_eq!(seconds("1970-01-02 00:00:00.5"), Some(86_400.5));
        assert_eq!(seconds("1970-01-01T01:00:00Z"), Some(3600.0));
        assert_eq!(seconds("1970-01-01T01:00:00+01:00"), Some(0.0));
        assert_eq!(
            seconds("2023-11-16 18:17:03.9799600").map(f64::fract).map(|f| (f * 1e6).round()),
            Some(979_960.0)
        );
        assert_eq!(seconds("yesterday"), None);
        assert_eq!(seconds("NaN"), None);
    }

    #[test]
    fn an_hour_is_divided_by_the_time_it_was_seen() {
        // Two and a half days at one request a minute, from noon: every hour shows the same rate.
        let times: Vec<f64> = (0..=3600).map(|minute| 43_200.0 + f64::from(minute) * 60.0).collect();
        let (rps, hours) = rates(&times).unwrap();
        assert!((hours - 60.0).abs() < 1e-9);
        for rate in rps {
            assert!((rate * 60.0 - 1.0).abs() < 0.01, "{rate}");
        }
    }
}
