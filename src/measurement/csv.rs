//! Our own CSV of measurements (`docs/measurements.md`): a row a figure, or a row a run with a column a figure.
//!
//! In: a header of the batch contract's fields beside the figures. Out: runs. It judges no figure but that it is one.

use ::csv::{ReaderBuilder, StringRecord, Trim};
use serde_json::Map;

use super::gather::{At, Figure, Found, Run, cell_value, date, is_figure};
use super::{Quantity, STATISTICS, codes};
use crate::catalog::nearest;
use crate::estimate::Request;
use crate::requirements::Statistic;

/// Columns that are read over.
const READ_OVER: [&str; 4] = ["id", "note", "url", "licence"];
/// Columns beside the fields and the figures.
const OTHERS: [&str; 5] = ["source", "as_of", "measure", "statistic", "value"];

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Column {
    Field(&'static str),
    Source,
    AsOf,
    Measure,
    Statistic,
    Value,
    Figure(Quantity, Option<Statistic>),
    ReadOver,
    Unknown,
}

fn fields() -> impl Iterator<Item = &'static str> {
    Request::FIELDS.into_iter().filter(|field| *field != "id")
}

fn quantity(word: &str) -> Option<Quantity> {
    Quantity::ALL.into_iter().find(|quantity| quantity.word() == word)
}

fn statistic(word: &str) -> Option<Statistic> {
    STATISTICS.iter().find(|(known, _)| *known == word).map(|(_, statistic)| *statistic)
}

fn column(name: &str) -> Column {
    if let Some(field) = fields().find(|field| *field == name) {
        return Column::Field(field);
    }
    if let Some(quantity) = quantity(name) {
        return Column::Figure(quantity, None);
    }
    if let Some((measure, word)) = name.rsplit_once('_')
        && let (Some(quantity), Some(statistic)) = (quantity(measure), statistic(word))
        && quantity.is_latency()
    {
        return Column::Figure(quantity, Some(statistic));
    }
    match name {
        "source" => Column::Source,
        "as_of" => Column::AsOf,
        "measure" => Column::Measure,
        "statistic" => Column::Statistic,
        "value" => Column::Value,
        name if READ_OVER.contains(&name) => Column::ReadOver,
        _ => Column::Unknown,
    }
}

/// Is any column of this header one of ours, beside those that any table may have?
pub(super) fn knows(header: &StringRecord) -> bool {
    header.iter().any(|name| matches!(column(name), Column::Field(_) | Column::Figure(..) | Column::Measure))
}

/// A reader as lenient as tables need.
pub(super) fn reader(text: &str) -> ::csv::Reader<&[u8]> {
    ReaderBuilder::new().flexible(true).trim(Trim::All).comment(Some(b'#')).from_reader(text.as_bytes())
}

/// Reads a table.
pub(super) fn read(found: &mut Found<'_>, text: &str) {
    let mut reader = reader(text);
    let header = match reader.headers() {
        Ok(header) => header.clone(),
        Err(fault) => return syntax(found, &At::default(), &fault),
    };
    let line = line_of(text, &header);
    let columns: Vec<Column> = header.iter().map(column).collect();
    if !check_header(found, &At { line, ..At::default() }, &header, &columns) {
        return;
    }
    each(found, text, columns.len(), |found, at, record| row(found, at, &header, &columns, record));
}

/// Every row as wide as the header; another width is a fault, and a row of blanks is none.
pub(super) fn each<'f>(
    found: &mut Found<'f>,
    text: &str,
    width: usize,
    mut take: impl FnMut(&mut Found<'f>, At, &StringRecord),
) {
    for record in reader(text).records() {
        match record {
            Err(fault) => syntax(found, &At::default(), &fault),
            Ok(record) if record.iter().all(str::is_empty) => {}
            Ok(record) => {
                let at = At { line: line_of(text, &record), key: String::new() };
                if record.len() == width {
                    take(found, at, &record);
                } else {
                    let cause = format!("the row has {} cells, the header {width}", record.len());
                    let cure = "Give each row one cell per column; quote a cell that holds a comma.";
                    found.fault(codes::SYNTAX, &at, "", cause, cure);
                }
            }
        }
    }
}

/// The line of a record. Its position is where the reader stood before it: before blank lines and comments.
fn line_of(text: &str, record: &StringRecord) -> usize {
    let Some(place) = record.position() else { return 0 };
    let number = |count: u64| usize::try_from(count).unwrap_or(0);
    let rest = text.get(number(place.byte())..).unwrap_or_default();
    let skipped = rest.lines().take_while(|line| line.is_empty() || line.starts_with('#')).count();
    number(place.line()) + skipped
}

/// The file is no CSV at this place.
pub(super) fn syntax(found: &mut Found<'_>, at: &At, fault: &::csv::Error) {
    let cause = format!("cannot be read as CSV: {fault}");
    found.fault(codes::SYNTAX, at, "", cause, "Write comma-separated UTF-8 text with one header line.");
}

/// Faults of the header; false where the rows cannot be read by it.
fn check_header(found: &mut Found<'_>, at: &At, header: &StringRecord, columns: &[Column]) -> bool {
    let mut sound = true;
    for (index, (name, column)) in header.iter().zip(columns).enumerate() {
        if *column == Column::Unknown {
            let known = || {
                fields().chain(OTHERS).chain(READ_OVER).chain(Quantity::ALL.into_iter().map(Quantity::word))
            };
            let cure = match nearest(name, known()) {
                Some(near) => format!("Did you mean `{near}`?"),
                None => "Remove it, or call it `note`, which is read over.".to_owned(),
            };
            let cause =
                if name.is_empty() { "a column without a name" } else { "is no column of this table" };
            found.fault(codes::UNKNOWN_COLUMN, at, name, cause, cure);
        } else if *column != Column::ReadOver && columns[..index].contains(column) {
            sound = false;
            found.fault(
                codes::DUPLICATE_COLUMN,
                at,
                name,
                "this column is there twice",
                "Keep one of the two.",
            );
        }
    }
    let has = |wanted: Column| columns.contains(&wanted);
    for name in ["model", "gpu"] {
        if !has(Column::Field(name)) && !found.defaults.states(name) {
            sound = false;
            let cure = format!("Add it to the header, or pass --{name}.");
            found.fault(codes::MISSING_COLUMN, at, name, "this column is missing", cure);
        }
    }
    let wide = columns.iter().any(|column| matches!(column, Column::Figure(..)));
    let long = [(Column::Measure, "measure"), (Column::Value, "value")];
    match long.map(|(column, _)| has(column)) {
        [false, false] if !wide => {
            sound = false;
            let words: Vec<&str> = Quantity::ALL.into_iter().map(Quantity::word).collect();
            let cure = format!(
                "Add the columns `measure` and `value`, or a column for each figure: {}.",
                words.join(", ")
            );
            found.fault(codes::MISSING_COLUMN, at, "measure", "no column holds a figure", cure);
        }
        [true, true] | [true, false] | [false, true] if wide => {
            sound = false;
            let cure = "Keep `measure` and `value`, or the columns of the figures.";
            found.fault(
                codes::DUPLICATE_COLUMN,
                at,
                "measure",
                "figures have columns of their own here",
                cure,
            );
        }
        there => {
            for ((_, name), _) in long.into_iter().zip(there).filter(|(_, there)| !there && !wide) {
                sound = false;
                let cure = "Add it to the header; `measure` and `value` belong together.";
                found.fault(codes::MISSING_COLUMN, at, name, "this column is missing", cure);
            }
        }
    }
    if has(Column::Statistic) && wide {
        sound = false;
        let cure = "Name the statistic in the column, such as `ttft_ms_p95`.";
        found.fault(codes::DUPLICATE_COLUMN, at, "statistic", "figures have columns of their own here", cure);
    }
    sound
}

fn row(found: &mut Found<'_>, at: At, header: &StringRecord, columns: &[Column], record: &StringRecord) {
    let mut run = Run { at, source: None, as_of: None, fields: Map::new(), figures: Vec::new() };
    let mut sound = true;
    let mut long = Long::default();
    for ((name, column), cell) in header.iter().zip(columns).zip(record) {
        match column {
            Column::Measure => long.measure = Some(cell),
            Column::Value => long.value = cell,
            Column::Statistic => long.statistic = cell,
            _ if cell.is_empty() => {}
            Column::Field(field) => {
                run.fields.insert((*field).to_owned(), cell_value(field, cell));
            }
            Column::Source => run.source = Some(cell.to_owned()),
            Column::AsOf => {
                run.as_of = date(cell);
                if run.as_of.is_none() {
                    sound = false;
                    let cure = "Write it as 2026-11-20, or 2026-11.";
                    found.fault(codes::BAD_DATE, &run.at, name, format!("is no date: `{cell}`"), cure);
                }
            }
            Column::Figure(quantity, statistic) => match figure(found, &run.at, name, cell) {
                Some(value) => run.figures.push(Figure {
                    key: name.to_owned(),
                    quantity: *quantity,
                    statistic: *statistic,
                    value,
                }),
                None => sound = false,
            },
            Column::ReadOver | Column::Unknown => {}
        }
    }
    if long.measure.is_some() {
        match long.figure(found, &run.at) {
            Some(figure) => run.figures.push(figure),
            None => sound = false,
        }
    }
    found.defaults.fill(&mut run.fields);
    if sound {
        found.run(run);
    } else {
        // Its other faults are worth hearing now.
        found.request(&run.at, &run.fields);
    }
}

/// A number above 0.
fn figure(found: &mut Found<'_>, at: &At, name: &str, cell: &str) -> Option<f64> {
    let value = cell.parse::<f64>().ok().filter(|value| is_figure(*value));
    if value.is_none() {
        let cause = format!("must be a number above 0, got `{cell}`");
        found.fault(codes::BAD_NUMBER, at, name, cause, "Write plain digits in the unit of the measure.");
    }
    value
}

/// The cells of a row that holds one figure.
#[derive(Default)]
struct Long<'r> {
    measure: Option<&'r str>,
    statistic: &'r str,
    value: &'r str,
}

impl Long<'_> {
    /// The figure, with every fault of its cells.
    fn figure(&self, found: &mut Found<'_>, at: &At) -> Option<Figure> {
        let words = Quantity::ALL.map(Quantity::word);
        let quantity = match self.measure.unwrap_or_default() {
            "" => {
                let cure = format!("Write one of {}.", words.join(", "));
                found.fault(codes::MISSING_VALUE, at, "measure", "is blank", cure);
                None
            }
            word => {
                let quantity = quantity(word);
                if quantity.is_none() {
                    found.unknown_word(at, "measure", word, &words);
                }
                quantity
            }
        };
        let statistic = match self.statistic {
            "" => Some(None),
            word => statistic(word).map(Some),
        };
        if statistic.is_none() {
            // p75 is a slip for none of them, however near it looks.
            let words = STATISTICS.map(|(word, _)| word).join(", ");
            let cause = format!("`{}` is none of its words", self.statistic);
            found.fault(codes::UNKNOWN_WORD, at, "statistic", cause, format!("Write one of {words}."));
        } else if let (Some(quantity), Some(Some(statistic))) = (quantity, statistic)
            && !quantity.is_latency()
            && statistic != Statistic::Mean
        {
            let cause = format!("`{}` is known of times, not of `{}`", self.statistic, quantity.word());
            found.fault(codes::UNKNOWN_WORD, at, "statistic", cause, "Leave it blank.");
            return None;
        }
        let value = if self.value.is_empty() {
            found.fault(
                codes::MISSING_VALUE,
                at,
                "value",
                "is blank",
                "Write the figure, or remove the row.",
            );
            None
        } else {
            figure(found, at, "value", self.value)
        };
        Some(Figure { key: "value".to_owned(), quantity: quantity?, statistic: statistic?, value: value? })
    }
}
