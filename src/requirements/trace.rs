//! A request trace as CSV: when requests came and how long they were.
//!
//! In: `timestamp,input_tokens,output_tokens`, or Azure's `TIMESTAMP,ContextTokens,GeneratedTokens`. Out: requests/s
//! by hour of day (see `hours.rs`), and lengths thinned to weighted points. Nothing here needs the rows in order; only a file beyond
//! [`IN_MEMORY_MAX`] must be sorted, as the replay of such a file streams it.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use jiff::civil::DateTime;

use super::codes;
use super::fields::{At, Reader};
use super::hours::{Rates, rates};
use super::lengths::{Empirical, thinned};
use super::node::{quoted, sentence};
use crate::error::{Fault, Place};

/// Largest trace that may be unsorted.
const IN_MEMORY_MAX: u64 = 1024 * 1024 * 1024;
/// Plain seconds count from 1970 where they are past 1973; smaller ones count from anything, and have no weekday.
const DATED_SECONDS_MIN: f64 = 1e8;
/// Bad rows that are named one by one.
const ROWS_NAMED: usize = 5;

const HEADERS: [[&str; 3]; 2] =
    [["timestamp", "input_tokens", "output_tokens"], ["timestamp", "contexttokens", "generatedtokens"]];
const HEADER_CURE: &str =
    "Let the first line be timestamp,input_tokens,output_tokens or TIMESTAMP,ContextTokens,GeneratedTokens";

/// What a trace says.
pub(super) struct Trace {
    /// When they came.
    pub(super) rates: Rates,
    /// Lengths.
    pub(super) lengths: Empirical,
}

struct Row {
    seconds: f64,
    dated: bool,
    input: f64,
    output: f64,
}

impl Reader<'_> {
    /// The trace named at `at`, of a workload whose clock is so many hours ahead of UTC.
    pub(super) fn trace(&mut self, at: &At<'_>, utc_offset: f64) -> Option<Trace> {
        let name = self.text(at, "the path of a trace, such as trace.csv")?;
        let path = self.base_dir.join(name);
        match File::open(&path).and_then(|file| Ok((file.metadata()?, file))) {
            Ok((about, file)) if about.is_file() => self.rows(at, name, file, about.len(), utc_offset),
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

    fn rows(&mut self, at: &At<'_>, name: &str, file: File, bytes: u64, utc_offset: f64) -> Option<Trace> {
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
        let (mut latest, mut bad, mut dated) = (f64::NEG_INFINITY, 0_usize, true);
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
            match row(&record, utc_offset) {
                Ok(row) => {
                    if bytes > IN_MEMORY_MAX && row.seconds < latest {
                        let cure = "Sort the file by timestamp; unsorted traces are read up to 1 GiB";
                        self.row_fault(name, line, "a request before the one above it", cure);
                        return None;
                    }
                    latest = row.seconds;
                    dated &= row.dated;
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
        let Some(rates) = rates(&seconds, dated) else {
            let cause = format!("{} holds {} and spans no time", quoted(name), requests(seconds.len()));
            self.fault(
                codes::BAD_TRACE,
                at,
                cause,
                "Give a trace of at least two requests at different times",
            );
            return None;
        };
        Some(Trace { rates, lengths: Empirical { points: thinned(lengths), longest } })
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

fn row(record: &csv::ByteRecord, utc_offset: f64) -> Result<Row, (String, &'static str)> {
    if record.len() != 3 {
        return Err((
            format!("expected 3 fields, found {}", record.len()),
            "Write timestamp, input and output tokens",
        ));
    }
    let field =
        |index: usize| String::from_utf8_lossy(record.get(index).unwrap_or_default()).trim().to_owned();
    let time = field(0);
    let Some((seconds, dated)) = seconds(&time, utc_offset) else {
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
    Ok(Row { seconds, dated, input: tokens(1, "input", 1.0)?, output: tokens(2, "output", 1.0)? })
}

/// Seconds since 1970 in the clock of the workload, and whether they name a day. A time without an offset stands in
/// that clock, one with `Z` or an offset is turned into it; a plain number of seconds is taken as it stands.
fn seconds(text: &str, utc_offset: f64) -> Option<(f64, bool)> {
    if let Ok(number) = text.parse::<f64>() {
        let known = number.is_finite() && number.abs() < 1e12;
        return known.then_some((number, number >= DATED_SECONDS_MIN));
    }
    let (moment, ahead) = match text.parse::<jiff::Timestamp>() {
        Ok(moment) => (moment, utc_offset * 3600.0),
        Err(_) => (jiff::tz::TimeZone::UTC.to_timestamp(text.parse::<DateTime>().ok()?).ok()?, 0.0),
    };
    #[expect(clippy::cast_precision_loss, reason = "microseconds are enough for a rate by the hour")]
    Some((moment.as_nanosecond() as f64 / 1e9 + ahead, true))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_times_of_several_kinds() {
        assert_eq!(seconds("12.5", 0.0), Some((12.5, false)));
        assert_eq!(seconds("1700000000", 2.0), Some((1_700_000_000.0, true)));
        assert_eq!(seconds("1970-01-02 00:00:00.5", 2.0), Some((86_400.5, true)));
        assert_eq!(seconds("1970-01-01T01:00:00Z", 0.0), Some((3600.0, true)));
        assert_eq!(seconds("1970-01-01T01:00:00Z", -5.5), Some((-16_200.0, true)));
        assert_eq!(seconds("1970-01-01T01:00:00+01:00", 0.0), Some((0.0, true)));
        let fraction = seconds("2023-11-16 18:17:03.9799600", 0.0).map(|(second, _)| second.fract());
        assert_eq!(fraction.map(|f| (f * 1e6).round()), Some(979_960.0));
        assert_eq!(seconds("yesterday", 0.0), None);
        assert_eq!(seconds("NaN", 0.0), None);
    }
}
