//! How each table becomes values: its file name, its columns, its rows.
//!
//! In: rows of [`Table`]. Out: one value per row. References to other tables are resolved later, by `load/`.

mod api;
mod calibration;
mod hardware;
mod model;
mod quality;
mod small;

pub(super) use small::{
    CalibratedRow, CoefficientRow, EconomicRow, IntervalRow, KernelRow, SourceRow, TierRow,
};

use jiff::civil::Date;
use serde::Serialize;

use super::Provenance;
use super::table::{Row, nearest};

/// A kind of row: where it stands and how it is read.
pub(super) trait Fact: Sized + Serialize {
    /// File name inside a catalog folder.
    const FILE: &'static str;
    /// Columns that must be there.
    const REQUIRED: &'static [&'static str];
    /// Columns that may be there, beside `source`, `as_of` and `assumed`.
    const OPTIONAL: &'static [&'static str];
    /// Reads one row; faults go to the row's list.
    fn read(row: &Row<'_>) -> Self;
    /// Identity: rows of a later layer replace those with the same first part; both parts are unique in a layer.
    fn key(&self) -> (String, String);
    /// Its provenance, for the titles of sources.
    fn provenance(&mut self) -> Option<&mut Provenance>;
}

/// What all rows have alike: identity by the words given, provenance by its field.
macro_rules! keyed {
    (|$row:ident| $id:expr) => {
        keyed!(|$row| $id, String::new());
    };
    (|$row:ident| $id:expr, $day:expr) => {
        fn key(&self) -> (String, String) {
            let $row = self;
            ($id, $day)
        }

        fn provenance(&mut self) -> Option<&mut Provenance> {
            Some(&mut self.provenance)
        }
    };
}
use keyed;

/// A day as the second part of a key; an open start sorts first.
fn day(date: Option<Date>) -> String {
    date.map_or_else(String::new, |date| date.to_string())
}

/// A price that ends before it begins is a fault.
fn check_period(row: &Row<'_>, from: Option<Date>, until: Option<Date>) {
    if let (Some(from), Some(until)) = (from, until)
        && until <= from
    {
        row.fail(
            "E0206",
            "until",
            format!("{until} is not after {from}"),
            "Write the first day the price no longer held.",
        );
    }
}

const CAPABILITIES: [&str; 6] = ["tools", "json", "vision", "reasoning", "long-output", "plain"];

fn capabilities(row: &Row<'_>, column: &str) -> Vec<String> {
    let words = row.list(column);
    for word in &words {
        if !CAPABILITIES.contains(&word.as_str()) {
            let cure = nearest(word, CAPABILITIES.iter().copied()).map_or_else(
                || format!("Write some of {}.", CAPABILITIES.join(", ")),
                |known| format!("Did you mean `{known}`?"),
            );
            row.fail("E0207", column, format!("`{word}` is no capability"), cure);
        }
    }
    words
}
