//! Markdown tables and the figures in them: as many digits as a figure is worth.
//!
//! In: cells. Out: text. It knows no measurement.

use std::fmt::{self, Write as _};

use crate::calibrate::Score;

/// A table; its first columns are words, the others figures.
pub(super) struct Table {
    heads: Vec<&'static str>,
    words: usize,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table without rows whose first `words` columns are set to the left.
    pub(super) fn new(words: usize, heads: &[&'static str]) -> Self {
        Self { heads: heads.to_vec(), words, rows: Vec::new() }
    }

    pub(super) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "| {} |", self.heads.join(" | "))?;
        let rules = (0..self.heads.len()).map(|at| if at < self.words { "---" } else { "--:" });
        writeln!(f, "| {} |", rules.collect::<Vec<_>>().join(" | "))?;
        for row in &self.rows {
            let cells: Vec<String> = row.iter().map(|cell| cell.replace('|', "\\|")).collect();
            writeln!(f, "| {} |", cells.join(" | "))?;
        }
        Ok(())
    }
}

/// A share in percent: one digit behind the point below 10.
pub(super) fn percent(share: f64) -> String {
    // No minus before a zero.
    let value = if share.abs() < 5e-4 { 0.0 } else { 100.0 * share };
    if value.abs() < 9.95 { format!("{value:.1}") } else { format!("{value:.0}") }
}

/// A count of a whole in percent; `-` of nothing.
#[expect(clippy::cast_precision_loss, reason = "counts of rows")]
pub(super) fn share(part: usize, whole: usize) -> String {
    if whole == 0 { "-".to_owned() } else { percent(part as f64 / whole as f64) }
}

/// A signed share in percent.
pub(super) fn signed(share: f64) -> String {
    let text = percent(share);
    if text.starts_with('-') { text } else { format!("+{text}") }
}

/// Median and P90 of the absolute relative error.
pub(super) fn errors(score: &Score) -> String {
    format!("{:.1} / {}", 100.0 * score.median, percent(score.p90))
}

/// A factor of an interval.
pub(super) fn factor(value: f64) -> String {
    format!("{value:.2}")
}

/// A heading with its table, or nothing where the table is empty.
pub(super) fn section(out: &mut String, heading: &str, words: &str, table: &Table) {
    if !table.is_empty() {
        let _ = write!(out, "\n{heading}\n\n{words}\n\n{table}");
    }
}
