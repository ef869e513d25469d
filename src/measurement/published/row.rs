//! One row of a published table, read by column name.
//!
//! In: a record and the columns of its table. Out: typed cells; what cannot be read goes to a shared list of faults. It
//! knows no table.

use std::cell::RefCell;
use std::collections::BTreeMap;

use jiff::civil::Date;

use crate::error::{Fault, Place};

/// Why a row takes no part.
pub(super) struct Skip {
    pub(super) reason: &'static str,
    pub(super) cause: String,
}

impl Skip {
    pub(super) fn new(reason: &'static str, cause: impl Into<String>) -> Self {
        Self { reason, cause: cause.into() }
    }
}

/// One row.
pub(super) struct Row<'r> {
    pub(super) file: &'r str,
    pub(super) line: usize,
    pub(super) columns: &'r BTreeMap<String, usize>,
    pub(super) record: &'r csv::StringRecord,
    pub(super) faults: &'r RefCell<Vec<Fault>>,
}

impl Row<'_> {
    /// Where the row stands.
    pub(super) fn place(&self) -> Place {
        place(self.file, self.line, "")
    }

    /// The cell as it stands; empty where the column is absent.
    pub(super) fn text(&self, column: &str) -> &str {
        self.columns.get(column).and_then(|at| self.record.get(*at)).unwrap_or("")
    }

    /// A finite number of at least 0, or blank.
    pub(super) fn number(&self, column: &str) -> Option<f64> {
        let cell = self.text(column);
        if cell.is_empty() {
            return None;
        }
        let value = cell.parse::<f64>().ok().filter(|value| value.is_finite() && *value >= 0.0);
        if value.is_none() {
            self.fail(column, format!("must be a finite number of at least 0, got `{cell}`"));
        }
        value
    }

    /// A whole number, or blank; 8.0 is 8.
    pub(super) fn count(&self, column: &str) -> Option<u32> {
        let value = self.number(column)?;
        if value.fract() > 0.0 || value > f64::from(u32::MAX) {
            self.fail(column, format!("must be a whole number, got `{value}`"));
            return None;
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "whole, not negative and in range"
        )]
        let count = value as u32;
        Some(count)
    }

    /// A day; of a month alone (`2024-11`) its first; else `None`.
    pub(super) fn date(&self, column: &str) -> Option<Date> {
        let cell = self.text(column);
        cell.parse().ok().or_else(|| format!("{cell}-01").parse().ok())
    }

    fn fail(&self, column: &str, cause: String) {
        self.faults.borrow_mut().push(Fault {
            code: "E0205",
            place: place(self.file, self.line, column),
            cause,
            cure:
                "Write plain digits with a decimal point; leave the cell blank where the figure is unknown."
                    .to_owned(),
        });
    }
}

/// A place in a table.
pub(super) fn place(file: &str, line: usize, column: &str) -> Place {
    Place { file: file.to_owned(), line, column: 0, key: column.to_owned() }
}
