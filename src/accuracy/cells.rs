//! Figures by cell: measure, class of model, and what the fit did not see.
//!
//! In: judged rows. Out: tables.

use std::collections::BTreeMap;

use super::bars::{self, Bar};
use super::coverage::{Coverage, LEVELS};
use super::judge::{Fold, Judged, Kind};
use super::tables::{Table, errors, factor, percent, signed};
use crate::calibrate::Score;

/// Rows of one measure and class.
pub(super) fn pick<'j, 's, 'c>(
    rows: &[&'j Judged<'s, 'c>],
    kind: Kind,
    mixture: Option<bool>,
) -> Vec<&'j Judged<'s, 'c>> {
    let holds = |row: &Judged<'_, '_>| row.kind == kind && mixture.is_none_or(|m| row.is_mixture() == m);
    rows.iter().filter(|row| holds(row)).copied().collect()
}

/// The word of a class.
pub(super) const fn class(mixture: bool) -> &'static str {
    if mixture { "MoE" } else { "dense" }
}

/// The name of a measure, with a mark where it carries no promise.
pub(super) fn name(kind: Kind) -> String {
    format!("{}{}", kind.word(), if kind.is_indicative() { " (indicative)" } else { "" })
}

/// The score of some rows.
pub(super) fn score(rows: &[&Judged<'_, '_>]) -> Option<Score> {
    Score::of(&rows.iter().filter_map(|row| row.residual).collect::<Vec<_>>())
}

/// A bar beside what became of it.
pub(super) fn held(bar: &Bar, score: &Score) -> String {
    let one = |(median, p90): (f64, f64)| {
        let met = 100.0 * score.median <= median && 100.0 * score.p90 <= p90;
        let p90 = if p90.is_finite() { format!(" / {p90:.0}") } else { String::new() };
        format!("{median:.0}{p90} {}", if met { "met" } else { "missed" })
    };
    let then = bar.then.map(|then| format!("; {}", one(then)));
    format!("{}{}", one(bar.now), then.unwrap_or_default())
}

/// Errors of whoever knows the sources; blank where a fold leaves nothing to know of them.
fn at_source(rows: &[&Judged<'_, '_>], fold: Fold) -> String {
    if matches!(fold, Fold::Source | Fold::Unseen) {
        return String::new();
    }
    let residuals: Vec<f64> = rows.iter().filter_map(|row| row.at_source).collect();
    Score::of(&residuals).map_or_else(String::new, |score| errors(&score))
}

/// Every cell of one fold, beside the study and the bars.
pub(super) fn by_cell(rows: &[&Judged<'_, '_>], fold: Fold) -> Table {
    let heads = [
        "measure",
        "class",
        "rows",
        "median / P90 %",
        "bias %",
        "source known",
        "inside 90 % interval",
        "its factor",
        "study",
        "bar",
    ];
    let mut table = Table::new(2, &heads);
    for kind in Kind::MAIN {
        for mixture in [false, true] {
            let own = pick(rows, kind, Some(mixture));
            let (Some(score), Some(coverage)) = (score(&own), Coverage::of(&own)) else { continue };
            let bar = bars::bar(fold, kind, mixture);
            table.row([
                name(kind),
                class(mixture).to_owned(),
                score.rows.to_string(),
                errors(&score),
                signed(score.bias),
                at_source(&own, fold),
                percent(coverage.inside[2]),
                factor(coverage.factor),
                bars::study(fold, kind, mixture).to_owned(),
                bar.map_or_else(String::new, |bar| held(&bar, &score)),
            ]);
        }
    }
    table
}

/// Every group of rows, cell by cell.
pub(super) fn by_group<'j, 's, 'c>(
    rows: &[&'j Judged<'s, 'c>],
    head: &'static str,
    group: impl Fn(&Judged<'s, 'c>) -> String,
) -> Table {
    let mut groups: BTreeMap<(String, Kind, bool), Vec<&'j Judged<'s, 'c>>> = BTreeMap::new();
    for row in rows.iter().filter(|row| Kind::MAIN.contains(&row.kind)) {
        groups.entry((group(row), row.kind, row.is_assumed())).or_default().push(row);
    }
    let heads = [head, "measure", "rows", "median / P90 %", "bias %", "inside 90 % interval"];
    let mut table = Table::new(2, &heads);
    for ((group, kind, assumed), own) in groups {
        let (Some(score), Some(coverage)) = (score(&own), Coverage::of(&own)) else { continue };
        table.row([
            group,
            format!("{}{}", kind.word(), if assumed { ", assumed" } else { "" }),
            score.rows.to_string(),
            errors(&score),
            signed(score.bias),
            percent(coverage.inside[2]),
        ]);
    }
    table
}

/// Nominal against achieved coverage of every cell of some folds.
pub(super) fn intervals(folds: &[(Fold, Vec<&Judged<'_, '_>>)]) -> Table {
    let heads = [
        "fold",
        "measure",
        "class",
        "rows",
        "factor of 90 %",
        "50 %",
        "80 %",
        "90 %",
        "95 %",
        "faster than low",
        "slower than high",
        "bar",
    ];
    let mut table = Table::new(3, &heads);
    for (fold, rows) in folds {
        for kind in Kind::MAIN {
            for mixture in [false, true] {
                let Some(found) = Coverage::of(&pick(rows, kind, Some(mixture))) else { continue };
                let (low, high) = bars::INSIDE;
                let met = (low..=high).contains(&found.inside[2]) && found.factor <= bars::FACTOR;
                let words = [fold.word(), kind.word(), class(mixture)].map(str::to_owned);
                let figures = [found.rows.to_string(), factor(found.factor)];
                let shares = found.inside.iter().chain(&found.beyond).map(|share| percent(*share));
                let bar = if met { "met" } else { "missed" };
                table.row(words.into_iter().chain(figures).chain(shares).chain([bar.to_owned()]));
            }
        }
    }
    debug_assert_eq!(LEVELS.len(), 4, "the heads name the levels");
    table
}
