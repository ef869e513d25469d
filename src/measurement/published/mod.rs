//! Readers of published calibration tables: one file a table, each recognised by its header.
//!
//! In: the name and the text of a file. Out: [`Measurements`] with complete requests, beside the rows that must not be
//! used and why (oracle study, section 8); `None` where the header is none of these tables. A row that repeats an
//! earlier one to the last digit is rejected: it is one run listed twice. Nothing is fitted or estimated here.

mod aiconfigurator;
mod argonne;
mod dstack;
mod ibm;
mod llama_cpp;
mod lmdeploy;
mod mlc;
mod names;
mod prem;
mod row;
mod splitwise;
mod tensorrt_llm;
mod vllm_memory;

use std::cell::RefCell;
use std::collections::BTreeMap;

use jiff::civil::Date;

use self::names::Names;
use self::row::{Row, Skip, place};
use super::{Measurement, Measurements, Quantity, Rejected};
use crate::catalog::Catalog;
use crate::error::Fault;
use crate::estimate::Request;
use crate::requirements::Statistic;

/// What one row says: a configuration and its figures.
struct Reading {
    source: String,
    as_of: Option<Date>,
    request: Request,
    /// Quantity, statistic, value; what the row leaves blank is `None`.
    figures: Vec<(Quantity, Option<Statistic>, Option<f64>)>,
}

/// One published table.
struct Table {
    /// Columns that tell it from every other; the header has them all.
    columns: &'static [&'static str],
    /// A row of it.
    read: fn(&Row<'_>, &Names<'_>) -> Result<Reading, Skip>,
}

/// Every table.
const TABLES: &[Table] = &[
    aiconfigurator::TABLE,
    argonne::TABLE,
    dstack::TABLE,
    ibm::TABLE,
    llama_cpp::TABLE,
    lmdeploy::TABLE,
    mlc::TABLE,
    prem::TABLE,
    splitwise::TABLE,
    tensorrt_llm::TABLE,
    vllm_memory::TABLE,
];

/// What a published table holds, by its header; `None` if it is none of these.
///
/// # Errors
/// Every cell that cannot be read.
#[must_use]
pub fn read(file: &str, text: &str, catalog: &Catalog) -> Option<Result<Measurements, Vec<Fault>>> {
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text.as_bytes());
    let columns: BTreeMap<String, usize> = reader
        .headers()
        .ok()?
        .iter()
        .enumerate()
        .map(|(at, name)| (name.trim_start_matches('\u{feff}').to_owned(), at))
        .collect();
    let table = TABLES.iter().find(|table| table.columns.iter().all(|name| columns.contains_key(*name)))?;

    let faults = RefCell::new(Vec::new());
    let names = Names(catalog);
    let mut found = Measurements::default();
    // Configuration and figures of a row -> the line they stood on first.
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for record in reader.records() {
        let record = match record {
            Ok(record) => record,
            Err(error) => {
                let line = error.position().map_or(0, line_of);
                faults.borrow_mut().push(Fault {
                    code: "E0201",
                    place: place(file, line, ""),
                    cause: format!("cannot be read as CSV: {error}"),
                    cure: "Write comma-separated UTF-8 text, each row with one cell per column.".to_owned(),
                });
                continue;
            }
        };
        let line = record.position().map_or(0, line_of);
        let row = Row { file, line, columns: &columns, record: &record, faults: &faults };
        match (table.read)(&row, &names).and_then(|reading| reading.measurements(&row, &mut seen)) {
            Ok(rows) => found.rows.extend(rows),
            Err(Skip { reason, cause }) => {
                found.rejected.push(Rejected { place: place(file, line, ""), reason, cause });
            }
        }
    }
    let faults = faults.into_inner();
    Some(if faults.is_empty() { Ok(found) } else { Err(faults) })
}

fn line_of(position: &csv::Position) -> usize {
    usize::try_from(position.line()).unwrap_or(0)
}

impl Reading {
    /// One measurement per figure, if there is any and the row is no repetition.
    fn measurements(
        self,
        row: &Row<'_>,
        seen: &mut BTreeMap<String, usize>,
    ) -> Result<Vec<Measurement>, Skip> {
        let figures: Vec<_> = self
            .figures
            .iter()
            .filter_map(|&(quantity, statistic, value)| {
                Some((quantity, statistic, value.filter(|value| *value > 0.0)?))
            })
            .collect();
        if figures.is_empty() {
            return Err(Skip::new("no-figure", "the row states no figure"));
        }
        if let Some(first) = seen.insert(format!("{:?} {figures:?}", self.request), row.line) {
            return Err(Skip::new("duplicate", format!("repeats line {first} to the last digit")));
        }
        Ok(figures
            .into_iter()
            .map(|(quantity, statistic, value)| Measurement {
                place: row.place(),
                source: self.source.clone(),
                as_of: self.as_of,
                request: self.request.clone(),
                quantity,
                statistic,
                value,
            })
            .collect())
    }
}
