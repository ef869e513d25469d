//! Latencies under load, and the word "saturated": where the oracle is weakest, told apart.
//!
//! In: judged rows and runs. Out: sections of the page.

use std::collections::BTreeMap;

use super::judge::{Fold, Judged, Kind, Run};
use super::tables::{Table, errors, section, share, signed};
use crate::calibrate::Score;
use crate::requirements::Statistic;

/// A run that serves less than this share of what is offered falls behind.
const SERVED_LEAST: f64 = 0.9;

/// Clients of a closed loop, up to and including.
const CLIENTS: [(f64, &str); 5] =
    [(4.0, "2-4"), (16.0, "5-16"), (64.0, "17-64"), (256.0, "65-256"), (f64::INFINITY, "over 256")];

/// Every fold's rows and runs.
pub(super) type Folds<'j, 's, 'c> = [(Fold, Vec<&'j Judged<'s, 'c>>, &'j [Run<'s>])];

/// The sections on load.
pub(super) fn tell(out: &mut String, folds: &Folds<'_, '_, '_>) {
    closed(out, folds);
    open(out, folds);
    saturated(out, folds);
}

fn scored(rows: &[&Judged<'_, '_>]) -> Option<[String; 3]> {
    let residuals: Vec<f64> = rows.iter().filter_map(|row| row.residual).collect();
    let score = Score::of(&residuals)?;
    Some([score.rows.to_string(), errors(&score), signed(score.bias)])
}

fn closed(out: &mut String, folds: &Folds<'_, '_, '_>) {
    let mut table = Table::new(3, &["fold", "class", "clients", "rows", "median / P90 %", "bias %"]);
    for (fold, rows, _) in folds {
        for mixture in [false, true] {
            let mut from = 0.0;
            for (until, name) in CLIENTS {
                let clients = |row: &Judged<'_, '_>| row.sample.resolved.concurrency.unwrap_or(1.0);
                let own: Vec<&Judged<'_, '_>> = rows
                    .iter()
                    .filter(|row| row.kind == Kind::TtftLoaded && row.is_mixture() == mixture)
                    .filter(|row| (clients(row) > from) && clients(row) <= until)
                    .copied()
                    .collect();
                from = until;
                if let Some(figures) = scored(&own) {
                    let words = [fold.word(), class(mixture), name].map(str::to_owned);
                    table.row(words.into_iter().chain(figures));
                }
            }
        }
    }
    let words =
        "Indicative: how long a prompt waits among other clients depends on how the benchmark starts them.";
    section(out, "### TTFT in a closed loop, by clients", words, &table);
}

fn class(mixture: bool) -> &'static str {
    if mixture { "MoE" } else { "dense" }
}

fn statistic(row: &Judged<'_, '_>) -> &'static str {
    match row.sample.measurement.statistic {
        None => "mean or median",
        Some(Statistic::Mean) => "mean",
        Some(Statistic::P50) => "p50",
        Some(Statistic::P90) => "p90",
        Some(Statistic::P95) => "p95",
        Some(Statistic::P99) => "p99",
    }
}

fn open(out: &mut String, folds: &Folds<'_, '_, '_>) {
    let heads =
        ["fold", "measure", "statistic", "rows", "called saturated", "scored", "median / P90 %", "bias %"];
    let mut table = Table::new(3, &heads);
    for (fold, rows, _) in folds {
        for kind in [Kind::OpenTtft, Kind::OpenTpot, Kind::OpenE2e] {
            let mut by: BTreeMap<&str, Vec<&Judged<'_, '_>>> = BTreeMap::new();
            for row in rows.iter().filter(|row| row.kind == kind) {
                by.entry(statistic(row)).or_default().push(row);
            }
            for (name, own) in by {
                let none = own.iter().filter(|row| row.residual.is_none()).count();
                let figures = scored(&own).unwrap_or_else(|| ["0", "-", "-"].map(str::to_owned));
                let words = [fold.word(), kind.word(), name].map(str::to_owned);
                table.row(words.into_iter().chain([own.len().to_string(), none.to_string()]).chain(figures));
            }
        }
    }
    let words = "Indicative: Poisson traffic, dense and MoE together. A run that the oracle calls saturated has no \
                 figure to score.";
    section(out, "### Open load, by statistic", words, &table);
}

fn saturated(out: &mut String, folds: &Folds<'_, '_, '_>) {
    let heads = [
        "fold",
        "the run",
        "runs",
        "steady, margin included",
        "steady, but for the margin",
        "saturated, but for the margin",
        "saturated, margin included",
        "called saturated %",
    ];
    let mut table = Table::new(2, &heads);
    for (fold, _, runs) in folds {
        let fate = |run: &Run<'_>| run.served.map(|served| served >= SERVED_LEAST);
        let names =
            [(Some(true), "served what was offered"), (Some(false), "fell behind"), (None, "does not say")];
        for (own, name) in names {
            let runs: Vec<&Run<'_>> = runs.iter().filter(|run| fate(run) == own).collect();
            if runs.is_empty() {
                continue;
            }
            let count =
                |holds: &dyn Fn([bool; 3]) -> bool| runs.iter().filter(|run| holds(run.steady)).count();
            let counts = [
                count(&|[_, _, slow]| slow),
                count(&|[_, even, slow]| even && !slow),
                count(&|[fast, even, _]| fast && !even),
                count(&|[fast, _, _]| !fast),
            ];
            let words = [fold.word().to_owned(), name.to_owned(), runs.len().to_string()];
            let called = share(counts[2] + counts[3], runs.len());
            table.row(words.into_iter().chain(counts.map(|n| n.to_string())).chain([called]));
        }
    }
    let words = "A run that the oracle calls saturated although it served at least 90 % of what was offered is one \
                 error; a steady answer for a run that fell behind is the other. The margin is the one-sided 0.9 \
                 quantile of the error of a model that was not seen: at confidence 0.9 a rate is called steady only with \
                 the margin included.";
    section(out, "### Saturated or not", words, &table);
    let mut wrong: BTreeMap<&str, [usize; 2]> = BTreeMap::new();
    for run in folds.iter().filter(|(fold, ..)| *fold == Fold::Model).flat_map(|(_, _, runs)| runs.iter()) {
        let served = run.served.map(|served| served >= SERVED_LEAST);
        match (served, run.steady[1]) {
            (Some(true), false) => wrong.entry(run.source).or_default()[0] += 1,
            (Some(false), true) => wrong.entry(run.source).or_default()[1] += 1,
            _ => {}
        }
    }
    let mut table = Table::new(1, &["source", "served, called saturated", "fell behind, called steady"]);
    for (source, counts) in wrong {
        table.row([source.to_owned()].into_iter().chain(counts.map(|n| n.to_string())));
    }
    section(out, "Where it errs:", "Runs, model left out.", &table);
}
