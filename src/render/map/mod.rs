//! The regime map for the terminal, as CSV and as a heat map.
//!
//! First the request as understood, then the map with its legend, then the kinds along the volume as sentences, then what
//! the figures rest on.

mod csv;
mod svg;

pub use csv::csv;
pub use svg::svg;

use super::figure;
use super::paint::{Align, Sheet, Style};
use super::phrase;
use super::table::{TableOptions, kind, rule, understood};
use crate::reason::Told;
use crate::recommendation::{Kind, Status};
use crate::regimes::{Border, Cell, Notice, Part, Regimes, Scale, Side, Structure, Value};

/// Mark of a place where nothing complies.
const NOTHING: &str = "·";
/// Mark of a place that was not solved.
const UNKNOWN: &str = "?";
/// Lines of the legend that are shown.
const STRUCTURES_SHOWN: usize = 20;
/// Terminal cells of the map beside the labels.
const MAP_WIDTH: usize = 82;

/// Fills in the sentences.
pub fn tell(answer: &mut Regimes) {
    let asked = answer.requirements.clone();
    let told = answer.cells.iter_mut().filter_map(|cell| cell.refused.as_mut());
    told.for_each(|told| phrase::tell_one(told, &asked));
}

/// `3 of 400 cells solved`.
#[must_use]
pub fn progress(part: Part, done: usize, cells: usize) -> String {
    match part {
        Part::Cell => format!("{done} of {cells} cells solved"),
        Part::Border => format!("{done} borders searched"),
    }
}

/// The answer as text.
#[must_use]
pub fn table(answer: &Regimes, options: &TableOptions) -> String {
    let mut sheet = Sheet::new(options.width.min(100), options.color);
    sheet.blank();
    grid(&mut sheet, answer);
    sheet.blank();
    legend(&mut sheet, answer);
    nothing(&mut sheet, answer);
    regimes(&mut sheet, answer);
    sheet.blank();
    notices(&mut sheet, answer);
    let file = &options.file;
    sheet.note(
        "next",
        &format!(
            "bursar recommend {file} · bursar map {file} --x {} --y {} --svg map.svg",
            answer.x.axis, answer.y.axis
        ),
    );
    understood(&answer.requirements, options) + &sheet.finish()
}

/// `1,290`, `0.999`, `good`.
fn label(value: &Value) -> String {
    match value {
        Value::Tier(tier) => tier.clone(),
        Value::Number(number) if number.abs() >= 100.0 => figure::trimmed(*number, 1),
        // Nines are all there is to see of an availability.
        Value::Number(number) => format!("{number}"),
    }
}

/// `volume 1,290 requests/day`.
fn named(scale: &Scale, value: &Value) -> String {
    match scale.unit.as_str() {
        "x" => format!("{} {}x", scale.axis, label(value)),
        "share" | "tier or index" => format!("{} {}", scale.axis, label(value)),
        unit => format!("{} {} {unit}", scale.axis, label(value)),
    }
}

fn mark(cell: &Cell) -> &str {
    match (&cell.structure, cell.status) {
        (Some(mark), _) => mark,
        (None, Status::Unknown) => UNKNOWN,
        (None, _) => NOTHING,
    }
}

/// The map: the last value of the upward axis on top.
fn grid(sheet: &mut Sheet, answer: &Regimes) {
    let labels: Vec<String> = answer.y.values.iter().map(label).collect();
    let side = labels.iter().map(|label| label.chars().count()).max().unwrap_or(0);
    let columns = answer.x.values.len();
    let each = (MAP_WIDTH / columns.max(1)).clamp(1, 4);
    sheet.line(Style::Dim, &format!("  {} ({}) upwards", answer.y.axis, answer.y.unit));
    for (y, label) in labels.iter().enumerate().rev() {
        let mut line = format!("  {label:>side$}  ");
        for x in 0..columns {
            line += &format!("{:<each$}", answer.cell(x, y).map_or(" ", mark));
        }
        sheet.line(Style::Plain, line.trim_end());
    }
    // Values below their columns, as many as there is room for.
    let mut line = " ".repeat(side + 4);
    for (x, value) in answer.x.values.iter().enumerate() {
        let (at, text) = (side + 4 + x * each, label(value));
        let free = line.chars().count();
        if at >= free && at + text.chars().count() <= 100 {
            line += &" ".repeat(at - free);
            line += &text;
            line.push(' ');
        }
    }
    sheet.line(Style::Dim, line.trim_end());
    sheet.line(Style::Dim, &format!("{}{} ({})", " ".repeat(side + 4), answer.x.axis, answer.x.unit));
}

/// `gpt-oss-120b, cerebras`, `Qwen3-4B on l4 + gpt-oss-120b, cerebras`.
fn targets(structure: &Structure) -> String {
    let parts: Vec<&str> =
        [&structure.local, &structure.cloud].into_iter().flatten().map(String::as_str).collect();
    parts.join(" + ")
}

fn legend(sheet: &mut Sheet, answer: &Regimes) {
    if answer.structures.is_empty() {
        sheet.note("no plan", "nothing complies anywhere on this map");
        return;
    }
    let mut rows =
        vec![(Style::Dim, ["", "cells", "kind", "$ / month", "leading targets"].map(str::to_owned).to_vec())];
    for structure in answer.structures.iter().take(STRUCTURES_SHOWN) {
        let (low, high) =
            (figure::usd_plain(structure.usd_per_month_min), figure::usd_plain(structure.usd_per_month_max));
        rows.push((
            Style::Plain,
            vec![
                structure.mark.clone(),
                structure.cells.to_string(),
                kind(structure.kind).to_owned(),
                if low == high { low } else { format!("{low}-{high}") },
                targets(structure),
            ],
        ));
    }
    sheet.columns(&[Align::Right, Align::Right, Align::Right, Align::Right, Align::Left], &rows);
    let more = answer.structures.len().saturating_sub(STRUCTURES_SHOWN);
    if more > 0 {
        sheet.note("", &format!("and {more} more: --format json or csv"));
    }
}

/// Where nothing complies, by the rule in the way.
fn nothing(sheet: &mut Sheet, answer: &Regimes) {
    let refused: Vec<&Told> = answer.cells.iter().filter_map(|cell| cell.refused.as_ref()).collect();
    let mut rules: Vec<(&str, usize, &Told)> = Vec::new();
    for told in refused {
        let name = rule(&told.fact).unwrap_or("demand");
        match rules.iter_mut().find(|(known, ..)| *known == name) {
            Some(known) => known.1 += 1,
            None => rules.push((name, 1, told)),
        }
    }
    rules.sort_by_key(|(_, count, _)| std::cmp::Reverse(*count));
    for (at, (name, count, told)) in rules.iter().enumerate() {
        let cells = if *count == 1 { "cell" } else { "cells" };
        let first = if at == 0 { format!("{NOTHING} no plan") } else { String::new() };
        sheet.note(&first, &format!("in {count} {cells} first by {name}, such as: {}", told.sentence));
    }
}

/// `12,345`: a volume, with three digits, or six where it was searched for.
fn volume(requests: f64, exact: bool) -> String {
    let digits = if exact { 5 } else { 3 };
    let rounded = figure::significant(requests, digits);
    figure::grouped(rounded, if rounded >= 100.0 { 0 } else { figure::decimals_for(rounded, digits) })
}

fn side(of: &Side) -> &'static str {
    of.kind.map_or("no plan", word)
}

/// What people say to a kind.
const fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::Local => "own engines",
        Kind::Cloud => "hosted models",
        Kind::Hybrid => "both together",
    }
}

fn crossing(border: &Border) -> String {
    if border.exact {
        volume(border.requests_per_day_high, true)
    } else {
        format!(
            "{} to {}",
            volume(border.requests_per_day_low, false),
            volume(border.requests_per_day_high, false)
        )
    }
}

/// The kinds along the volume, a sentence for each value of the other axis.
fn regimes(sheet: &mut Sheet, answer: &Regimes) {
    let (volumes, other, across) = match (answer.x.axis.as_str(), answer.y.axis.as_str()) {
        ("volume", _) => (&answer.x, &answer.y, true),
        (_, "volume") => (&answer.y, &answer.x, false),
        _ => return,
    };
    sheet.blank();
    let lowest = (0..volumes.values.len()).min_by(|a, b| {
        let of = |at: &usize| volumes.values[*at].number().unwrap_or(0.0);
        of(a).total_cmp(&of(b))
    });
    let head = [other.axis.as_str(), "by requests a day"].map(str::to_owned).to_vec();
    let mut rows = vec![(Style::Dim, head)];
    for (at, value) in other.values.iter().enumerate() {
        let place = u32::try_from(at).unwrap_or(u32::MAX);
        let changes: Vec<&Border> = answer.borders.iter().filter(|border| border.at == place).collect();
        let first = lowest.and_then(|low| if across { answer.cell(low, at) } else { answer.cell(at, low) });
        let said = match changes.first() {
            Some(change) => {
                let parts: Vec<String> = changes
                    .iter()
                    .map(|change| format!("from {} {}", crossing(change), side(&change.to)))
                    .collect();
                format!("{}; {}", side(&change.from), parts.join("; "))
            }
            None => match first {
                Some(cell) if cell.status == Status::Unknown => "not solved".to_owned(),
                Some(cell) => format!("{} at every volume", cell.kind.map_or("no plan", word)),
                None => String::new(),
            },
        };
        rows.push((Style::Plain, vec![label(value), said]));
    }
    sheet.columns(&[Align::Right, Align::Left], &rows);
}

fn notices(sheet: &mut Sheet, answer: &Regimes) {
    sheet.note(
        "read so",
        "each cell is a request of its own, solved and verified apart; a letter is a kind of plan with its leading model \
         and GPU or API, whatever the number of replicas, precision or provider",
    );
    if !answer.borders.is_empty() && answer.borders.iter().any(|border| !border.exact) {
        sheet.note("", "between two volumes the kind changes somewhere: --exact finds where");
    }
    if let Some(words) = assumed(answer) {
        sheet.note("", words);
    }
    for notice in &answer.notices {
        sheet.note("beware", &words(notice));
    }
    for warning in &answer.warnings {
        sheet.note("beware", &warning.sentence);
    }
}

/// What an axis leaves as it is.
fn assumed(answer: &Regimes) -> Option<&'static str> {
    let any = |word: &str| answer.x.axis == word || answer.y.axis == word;
    any("local-price").then_some("local-price moves rent and purchase, not the electricity of owned GPUs")
}

/// What a notice says.
fn words(notice: &Notice) -> String {
    match notice {
        Notice::StoppedEarly => {
            "the time was up: cells are missing, and answers may differ from run to run".to_owned()
        }
        Notice::CellsNotSolved { cells } => format!("{cells} cells ({UNKNOWN}) were not solved"),
        Notice::Gap { gap } => {
            let gap = figure::percent(*gap, 2);
            format!("some plans are the best found, at most {gap} above the proven bound")
        }
    }
}
