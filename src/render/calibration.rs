//! The report of a calibration for people: what was read, how wrong the oracle was and is, the factors, what to do next.
//!
//! In: [`Report`]. Out: text of at most 100 columns. It judges nothing.

use std::fmt::Write;

use crate::calibrate::Report;
use crate::calibrate::report::{DroppedFact, Errors, FactorFact, RejectedRows, ScoreFact, UnitFact};

/// Units that are listed one by one, at most.
const UNITS_MAX: usize = 12;
/// Rows of a reason that are placed, unless all are asked for.
const PLACES: usize = 3;
/// Width of what a row is called.
const NAME: usize = 47;
/// Columns of a line.
const WIDTH: usize = 98;

/// The report; `all_rejected` lists every row left out.
#[must_use]
pub fn table(report: &Report, all_rejected: bool) -> String {
    let mut text = format!(
        "calibrate  {} used, {} left out, from {}\n",
        counted(report.rows_used, "figure"),
        report.rows_rejected,
        counted(report.files.len(), "file")
    );
    if !report.rejected.is_empty() {
        text.push_str("\n  left out\n");
        report.rejected.iter().for_each(|rows| rejected(&mut text, rows, all_rejected));
    }
    errors(&mut text, report);
    factors(&mut text, report);
    next(&mut text, report);
    text
}

fn counted(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

// Writing to a text cannot fail.
fn put(text: &mut String, line: &str) {
    let _ = writeln!(text, "{}", line.trim_end());
}

fn rejected(text: &mut String, rows: &RejectedRows, all: bool) {
    put(text, &format!("  {:>6}  {}", rows.count, rows.reason));
    let shown = if all { rows.rows.len() } else { PLACES };
    for row in rows.rows.iter().take(shown) {
        put(
            text,
            &cut(&format!("          {}: {}", row.place, row.cause), if all { usize::MAX } else { WIDTH }),
        );
    }
    if rows.rows.len() > shown {
        put(text, &format!("          and {} more; --rejected lists all", rows.rows.len() - shown));
    }
}

/// A text of at most so many characters.
fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let kept: String = text.chars().take(most - 1).collect();
    format!("{}…", kept.trim_end())
}

fn errors(text: &mut String, report: &Report) {
    let hold_out = match report.hold_out {
        "gpu" => "by GPU",
        "curve" => "half of the curves",
        "model" => "by model",
        "source" => "by source",
        _ => "by configuration",
    };
    put(
        text,
        &format!(
            "\n  error in %: median / P90, bias (+ = slower than measured); left out: {hold_out}, in turn"
        ),
    );
    let head = |text: &mut String, name: &str| {
        put(
            text,
            &format!("\n  {name:<NAME$}{:>5}{:>15}{:>15}{:>15}", "rows", "before", "in sample", "left out"),
        );
    };
    head(text, "by measure");
    for group in &report.groups {
        let name = format!("{:<12}{}", group.measure.unwrap_or_default(), group.model_class);
        row(text, &name, group);
    }
    if report.units.len() > UNITS_MAX {
        put(text, &format!("\n  {} units; --format json lists them", report.units.len()));
        return;
    }
    head(text, "by unit");
    for group in &report.units {
        row(text, &group.unit.as_ref().map_or_else(String::new, unit), group);
    }
}

fn row(text: &mut String, name: &str, group: &Errors) {
    let score = |score: Option<ScoreFact>| {
        score.map_or_else(
            || "-".to_owned(),
            |s| {
                let [median, p90, bias] = [s.median, s.p90, s.bias].map(|share| (100.0 * share).min(999.0));
                format!("{median:.0} / {p90:.0} {bias:>+4.0}")
            },
        )
    };
    let (before, inside, outside) = (score(group.before), score(group.in_sample), score(group.out_of_sample));
    let name = cut(name, NAME - 1);
    put(text, &format!("  {name:<NAME$}{:>5}{before:>15}{inside:>15}{outside:>15}", group.rows));
}

/// A unit in one line, the model by the end of its name.
fn unit(unit: &UnitFact) -> String {
    let bits = unit.bits.map_or_else(String::new, |bits| format!(" {bits}-bit"));
    let model = unit.model.as_deref().map_or("any other model", |id| id.rsplit('/').next().unwrap_or(id));
    format!("{model}{bits}, {}, {}", unit.gpu, unit.engine)
}

fn factors(text: &mut String, report: &Report) {
    if report.factors.is_empty() {
        put(text, "\n  no factor is kept");
    } else {
        let head = "times are multiplied by";
        put(text, &format!("\n  {head:<NAME$}{:>13}{:>8}{:>12}  {}", "", "factor", "90 %", "from"));
        report.factors.iter().for_each(|found| factor(text, found));
    }
    if !report.dropped.is_empty() {
        let head = "not kept: median error of left-out rows in %";
        put(text, &format!("\n  {head:<NAME$}{:>13}{:>8}{:>12}", "", "with", "without"));
        report.dropped.iter().for_each(|found| dropped(text, found));
    }
    let refit = &report.refit;
    match (refit.kept, refit.without, refit.with) {
        (true, Some(without), Some(with)) => put(
            text,
            &format!(
                "\n  coefficients: {} moved; mean error of left-out rows {:.1} instead of {:.1} %",
                refit.moved,
                100.0 * with,
                100.0 * without
            ),
        ),
        (false, Some(without), Some(with)) => put(
            text,
            &format!(
                "\n  coefficients stay: a refit predicts left-out rows to {:.1} %, factors alone to {:.1} %",
                100.0 * with,
                100.0 * without
            ),
        ),
        _ => put(text, "\n  coefficients stay: there is nothing to try a refit on"),
    }
}

fn factor(text: &mut String, found: &FactorFact) {
    let name = cut(&unit(&found.unit), NAME - 1);
    let points = match (&found.unit.model, found.tried) {
        (None, _) => counted(found.points, "model"),
        (Some(_), true) => counted(found.rows, "row"),
        (Some(_), false) => "1, untried".to_owned(),
    };
    let range = format!("{:.2}-{:.2}", found.low, found.high);
    put(text, &format!("  {name:<NAME$}{:>13}{:>8.3}{range:>12}  {points}", found.measure, found.factor));
}

fn dropped(text: &mut String, found: &DroppedFact) {
    let name = cut(&unit(&found.unit), NAME - 1);
    let (with, without) = (100.0 * found.with, 100.0 * found.without);
    put(text, &format!("  {name:<NAME$}{:>13}{with:>8.1}{without:>12.1}", found.measure));
}

fn next(text: &mut String, report: &Report) {
    let helps = !report.factors.is_empty() || report.refit.kept;
    if report.factors.iter().any(|factor| !factor.tried) {
        put(
            text,
            "\n  untried: one configuration leaves none to try its factor on; it is shrunken, measure a second",
        );
    }
    text.push('\n');
    match (&report.overlay, helps) {
        (_, false) => {
            put(text, "  nothing to write: left-out rows are predicted no better; the catalog stays as it is")
        }
        (None, true) => put(text, "  next    the same with --output DIR writes an overlay of the catalog"),
        (Some(folder), true) => {
            put(text, &format!("  written {folder}"));
            put(text, &format!("  next    bursar catalog check --catalog {folder}"));
            put(text, &format!("          bursar recommend FILE --catalog {folder}"));
        }
    }
}
