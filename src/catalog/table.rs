//! One CSV table: header, rows, and typed cells that gather faults instead of stopping at the first.
//!
//! In: the name of a file and its text. Out: rows whose cells are read by column name; whatever is wrong goes to
//! a shared list of [`Fault`]s with file, line and column name. It knows nothing of what a table means.

use std::cell::{Cell, RefCell};

use jiff::civil::Date;

use super::Provenance;
use crate::error::{Fault, Place};

/// A parsed table of one file.
pub(super) struct Table<'t> {
    file: &'t str,
    columns: Vec<String>,
    records: Vec<(usize, csv::StringRecord)>,
}

/// Faults of one load, in the order found.
pub(super) type Faults = RefCell<Vec<Fault>>;

/// A fault about a place in a catalog file.
pub(super) fn fault(
    code: &'static str,
    file: &str,
    line: usize,
    key: &str,
    cause: impl Into<String>,
    cure: impl Into<String>,
) -> Fault {
    Fault {
        code,
        place: Place { file: file.to_owned(), line, column: 0, key: key.to_owned() },
        cause: cause.into(),
        cure: cure.into(),
    }
}

/// The nearest of some words, if it is near enough to be a slip of the pen.
#[must_use]
pub(crate) fn nearest<'w>(word: &str, words: impl Iterator<Item = &'w str>) -> Option<&'w str> {
    let word = word.to_lowercase();
    words
        .map(|known| (strsim::osa_distance(&word, &known.to_lowercase()), known))
        .filter(|(distance, known)| *distance <= 1 + known.chars().count() / 4)
        .min()
        .map(|(_, known)| known)
}

impl<'t> Table<'t> {
    /// Reads a table whose header must hold `required` and may hold `optional`, in any order.
    pub(super) fn read(
        file: &'t str,
        text: &str,
        required: &[&'static str],
        optional: &[&'static str],
        faults: &Faults,
    ) -> Self {
        let mut reader = csv::ReaderBuilder::new()
            .flexible(true)
            .trim(csv::Trim::Headers)
            .comment(Some(b'#'))
            .from_reader(text.as_bytes());
        let columns: Vec<String> = match reader.headers() {
            Ok(header) => header.iter().map(|name| name.trim_start_matches('\u{feff}').to_owned()).collect(),
            Err(error) => {
                faults.borrow_mut().push(fault(
                    "E0201",
                    file,
                    1,
                    "",
                    format!("cannot be read as CSV: {error}"),
                    "Write comma-separated UTF-8 text with one header line.",
                ));
                Vec::new()
            }
        };
        for name in required {
            if !columns.iter().any(|column| column == name) {
                faults.borrow_mut().push(fault(
                    "E0202",
                    file,
                    1,
                    name,
                    "this column is missing",
                    format!("Add it to the header; the table needs {}.", required.join(", ")),
                ));
            }
        }
        for column in &columns {
            let known = || required.iter().chain(optional).copied();
            if !known().any(|name| name == column) {
                let cure = nearest(column, known())
                    .map_or_else(|| "Remove it.".to_owned(), |name| format!("Did you mean `{name}`?"));
                faults.borrow_mut().push(fault(
                    "E0203",
                    file,
                    1,
                    column,
                    "this table has no such column",
                    cure,
                ));
            }
        }
        let mut records = Vec::new();
        for record in reader.records() {
            match record {
                Ok(record) => {
                    let line =
                        record.position().map_or(0, |place| usize::try_from(place.line()).unwrap_or(0));
                    if record.len() == columns.len() {
                        records.push((line, record));
                    } else {
                        faults.borrow_mut().push(fault(
                            "E0201",
                            file,
                            line,
                            "",
                            format!("the row has {} cells, the header {}", record.len(), columns.len()),
                            "Give each row one cell per column; quote a cell that holds a comma.",
                        ));
                    }
                }
                Err(error) => faults.borrow_mut().push(fault(
                    "E0201",
                    file,
                    0,
                    "",
                    format!("cannot be read as CSV: {error}"),
                    "Write comma-separated UTF-8 text with one header line.",
                )),
            }
        }
        Self { file, columns, records }
    }

    /// Each row, with the list its faults go to.
    pub(super) fn rows<'a>(&'a self, faults: &'a Faults) -> impl Iterator<Item = Row<'a>> {
        self.records.iter().map(move |(line, record)| Row {
            file: self.file,
            columns: &self.columns,
            record,
            line: *line,
            faults,
            next: Cell::new(0),
        })
    }
}

/// One row, read by column name.
pub(super) struct Row<'a> {
    file: &'a str,
    columns: &'a [String],
    record: &'a csv::StringRecord,
    pub(super) line: usize,
    faults: &'a Faults,
    /// Where the next column is expected: readers ask in the order of the shipped headers.
    next: Cell<usize>,
}

impl Row<'_> {
    /// How many faults there are so far; a reader compares it before and after.
    pub(super) fn fault_count(&self) -> usize {
        self.faults.borrow().len()
    }

    /// Adds a fault about one cell of this row.
    pub(super) fn fail(
        &self,
        code: &'static str,
        column: &str,
        cause: impl Into<String>,
        cure: impl Into<String>,
    ) {
        self.faults.borrow_mut().push(fault(code, self.file, self.line, column, cause, cure));
    }

    /// The cell as it stands; empty where the column is absent.
    pub(super) fn cell(&self, column: &str) -> &str {
        let expected = self.next.get();
        let index = if self.columns.get(expected).is_some_and(|name| name == column) {
            Some(expected)
        } else {
            self.columns.iter().position(|name| name == column)
        };
        index.map_or("", |index| {
            self.next.set(index + 1);
            self.record.get(index).map_or("", str::trim)
        })
    }

    /// A cell that must not be blank.
    pub(super) fn text(&self, column: &str) -> String {
        let cell = self.cell(column);
        if cell.is_empty() {
            self.fail("E0204", column, "is blank", "Write a value; only optional cells may stay blank.");
        }
        cell.to_owned()
    }

    /// A cell that may be blank.
    pub(super) fn optional_text(&self, column: &str) -> Option<String> {
        let cell = self.cell(column);
        (!cell.is_empty()).then(|| cell.to_owned())
    }

    /// A cell that may be blank, as text.
    pub(super) fn plain(&self, column: &str) -> String {
        self.cell(column).to_owned()
    }

    /// A finite number of at least 0; blank is 0.
    pub(super) fn number_or_zero(&self, column: &str) -> f64 {
        self.optional_number(column).unwrap_or(0.0)
    }

    /// A list written with semicolons.
    pub(super) fn list(&self, column: &str) -> Vec<String> {
        self.cell(column)
            .split(';')
            .map(str::trim)
            .filter(|item| !item.is_empty())
            .map(str::to_owned)
            .collect()
    }

    /// A finite number of at least 0, or blank.
    pub(super) fn optional_number(&self, column: &str) -> Option<f64> {
        let cell = self.cell(column);
        if cell.is_empty() {
            return None;
        }
        match cell.parse::<f64>() {
            Ok(value) if value.is_finite() && value >= 0.0 => Some(value),
            _ => {
                self.fail(
                    "E0205",
                    column,
                    format!("must be a finite number of at least 0, got `{cell}`"),
                    "Write plain digits with a decimal point; leave the cell blank where the figure is unknown.",
                );
                None
            }
        }
    }

    /// A finite number of at least 0.
    pub(super) fn number(&self, column: &str) -> f64 {
        self.required(column, self.optional_number(column))
    }

    /// A finite number, which may be negative.
    pub(super) fn signed(&self, column: &str) -> f64 {
        let cell = self.cell(column);
        cell.parse::<f64>().ok().filter(|value| value.is_finite()).unwrap_or_else(|| {
            self.fail(
                "E0205",
                column,
                format!("must be a finite number, got `{cell}`"),
                "Write plain digits.",
            );
            0.0
        })
    }

    /// A whole number, or blank.
    pub(super) fn optional_count(&self, column: &str) -> Option<u32> {
        let cell = self.cell(column);
        if cell.is_empty() {
            return None;
        }
        cell.parse::<u32>().map_or_else(
            |_| {
                self.fail(
                    "E0205",
                    column,
                    format!("must be a whole number of at least 0, got `{cell}`"),
                    "Write plain digits; leave the cell blank where the figure is unknown.",
                );
                None
            },
            Some,
        )
    }

    /// A whole number.
    pub(super) fn count(&self, column: &str) -> u32 {
        self.required(column, self.optional_count(column))
    }

    fn required<T: Default>(&self, column: &str, value: Option<T>) -> T {
        if value.is_none() && self.cell(column).is_empty() {
            self.fail("E0204", column, "is blank", "Write a value; only optional cells may stay blank.");
        }
        value.unwrap_or_default()
    }

    /// `true`, `false`, or blank.
    pub(super) fn optional_flag(&self, column: &str) -> Option<bool> {
        match self.cell(column) {
            "" => None,
            "true" => Some(true),
            "false" => Some(false),
            other => {
                self.fail(
                    "E0207",
                    column,
                    format!("must be true or false, got `{other}`"),
                    "Write true, false or nothing.",
                );
                None
            }
        }
    }

    /// `true` or `false`; blank is false.
    pub(super) fn flag(&self, column: &str) -> bool {
        self.optional_flag(column).unwrap_or(false)
    }

    /// A day such as 2026-11-20, or blank.
    pub(super) fn date(&self, column: &str) -> Option<Date> {
        let cell = self.cell(column);
        if cell.is_empty() {
            return None;
        }
        cell.parse::<Date>().map_or_else(
            |_| {
                self.fail("E0206", column, format!("is no date: `{cell}`"), "Write it as 2026-11-20.");
                None
            },
            Some,
        )
    }

    /// One of a few words.
    pub(super) fn word<T: Copy>(&self, column: &str, words: &[(T, &'static str)]) -> Option<T> {
        let cell = self.cell(column);
        let found = words.iter().find(|(_, word)| *word == cell).map(|(value, _)| *value);
        if found.is_none() {
            let all: Vec<&str> = words.iter().map(|(_, word)| *word).collect();
            self.fail(
                "E0207",
                column,
                format!("`{cell}` is none of its words"),
                format!("Write one of {}.", all.join(", ")),
            );
        }
        found
    }

    /// Source, date and whether it is a judgement. A user's own row without a source has its file as source.
    pub(super) fn provenance(&self) -> Provenance {
        let source = self.cell("source");
        Provenance {
            source: if source.is_empty() { self.file.to_owned() } else { source.to_owned() },
            as_of: self.cell("as_of").to_owned(),
            assumed: self.flag("assumed"),
        }
    }
}
