//! Judged rows as rivals: pairs to order, and contenders to choose from.
//!
//! In: judged rows. Out: tables of what [`order`](super::order) and [`choice`](super::choice) find.

use std::collections::BTreeMap;

use super::cells::{class, pick};
use super::choice::{CONFIDENCES, Choices, Contender, choices};
use super::judge::{Fold, Judged, Kind};
use super::order::{Figure, Order, order};
use super::tables::{Table, percent, share};

/// The configuration of a row, without its load.
fn configuration(row: &Judged<'_, '_>) -> String {
    let unit = &row.sample.resolved.unit;
    format!(
        "{} {} {} {} {} {} {} {} {}",
        unit.gpu.id,
        unit.gpus,
        unit.tensor_parallel,
        unit.pipeline_parallel,
        unit.data_parallel,
        unit.expert_parallel,
        unit.weights,
        unit.kv_bytes,
        unit.engine.id
    )
}

/// Model and lengths.
fn asked(row: &Judged<'_, '_>) -> String {
    let resolved = &row.sample.resolved;
    let lengths = &resolved.lengths;
    let (input, output) = (lengths.input_mean, lengths.output_mean);
    format!("{}|{input}|{output}|{}|{:?}", resolved.unit.model.id, resolved.prefix_hit, resolved.load)
}

/// Rows that compete at equal concurrency and number of GPUs.
fn equal(row: &Judged<'_, '_>) -> Option<Figure> {
    let (measured, predicted) = row.figures()?;
    let (resolved, measurement) = (&row.sample.resolved, &row.sample.measurement);
    Some(Figure {
        group: format!(
            "{}|{:?}|{}|{}|{:?}",
            asked(row),
            resolved.concurrency,
            resolved.unit.gpus,
            measurement.quantity.word(),
            measurement.statistic
        ),
        who: configuration(row),
        model: resolved.unit.model.id.clone(),
        measured,
        predicted,
    })
}

/// Rows that compete by tokens/s/GPU, at whatever concurrency and number of GPUs.
fn per_gpu(row: &Judged<'_, '_>) -> Option<Figure> {
    let (measured, predicted) = row.figures()?;
    let resolved = &row.sample.resolved;
    let clients = resolved.concurrency.unwrap_or(1.0);
    let gpus = f64::from(resolved.unit.gpus);
    let rate = |figure: f64| match row.kind {
        Kind::Saturation => figure / gpus,
        _ => 1000.0 * clients / figure / gpus,
    };
    Some(Figure {
        group: asked(row),
        who: format!("{} {clients}", configuration(row)),
        model: resolved.unit.model.id.clone(),
        measured: rate(measured),
        predicted: rate(predicted),
    })
}

/// Pairs of one way to compete, cell by cell and over all of them.
pub(super) fn ordering(
    folds: &[(Fold, Vec<&Judged<'_, '_>>)],
    by_gpu: bool,
) -> (Table, BTreeMap<Fold, Order>) {
    let heads = ["fold", "measure", "class", "pairs", "ordered right %", "models", "each model alike %"];
    let mut table = Table::new(3, &heads);
    let mut whole = BTreeMap::new();
    let kinds: &[Kind] = if by_gpu { &[Kind::Tpot, Kind::Saturation] } else { &Kind::MAIN };
    for (fold, rows) in folds {
        let mut all = Order::default();
        let mut line = |measure: &str, class: &str, found: &Order| {
            let words = [fold.word(), measure, class].map(str::to_owned);
            table.row(words.into_iter().chain([
                found.pairs().to_string(),
                share(found.right(), found.pairs()),
                found.models.len().to_string(),
                percent(found.balanced()),
            ]));
        };
        for kind in kinds {
            for mixture in [false, true] {
                let own = pick(rows, *kind, Some(mixture));
                let figure = |row: &&Judged<'_, '_>| if by_gpu { per_gpu(row) } else { equal(row) };
                let found = order(&own.iter().filter_map(figure).collect::<Vec<_>>());
                if found.pairs() > 0 {
                    line(kind.word(), class(mixture), &found);
                    for (model, (pairs, right)) in found.models {
                        let sum = all.models.entry(model).or_default();
                        *sum = (sum.0 + pairs, sum.1 + right);
                    }
                }
            }
        }
        if all.pairs() > 0 {
            line("all", "both", &all);
            whole.insert(*fold, all);
        }
    }
    (table, whole)
}

/// TPOT rows of a closed loop or a batch, to choose from.
fn contender(row: &Judged<'_, '_>) -> Option<Contender> {
    let (measured_ms, predicted_ms) = row.figures()?;
    let resolved = &row.sample.resolved;
    let clients = resolved.concurrency.unwrap_or(1.0);
    Some(Contender {
        group: asked(row),
        who: format!("{} {clients:08.1}", configuration(row)),
        clients_per_gpu: clients / f64::from(resolved.unit.gpus),
        measured_ms,
        predicted_ms,
        factor_90: row.factor_90,
    })
}

/// What becomes of choices, by fold and confidence; with those of each fold at confidence 0.9.
pub(super) fn choosing(folds: &[(Fold, Vec<&Judged<'_, '_>>)]) -> (Table, BTreeMap<Fold, Choices>) {
    let heads = [
        "fold",
        "class",
        "confidence",
        "groups",
        "choices",
        "break the limit %",
        "of contested ones %",
        "no choice made",
        "regret, median / P90 %",
    ];
    let mut table = Table::new(2, &heads);
    let mut at_90 = BTreeMap::new();
    for (fold, rows) in folds {
        for mixture in [Some(false), Some(true), None] {
            let contenders: Vec<Contender> =
                pick(rows, Kind::Tpot, mixture).into_iter().filter_map(contender).collect();
            for confidence in CONFIDENCES {
                let found = choices(&contenders, confidence);
                if found.groups == 0 {
                    continue;
                }
                let regret = |share: f64| match found.regret(share) {
                    regret if regret.is_finite() => percent(regret),
                    _ => "-".to_owned(),
                };
                let regret = format!("{} / {}", regret(0.5), regret(0.9));
                table.row([
                    fold.word().to_owned(),
                    mixture.map_or("both", class).to_owned(),
                    confidence.to_string(),
                    found.groups.to_string(),
                    found.made.to_string(),
                    share(found.broken, found.made),
                    share(found.broken, found.contested),
                    found.missed.to_string(),
                    regret,
                ]);
                if mixture.is_none() && (confidence - 0.9).abs() < 1e-9 {
                    at_90.insert(*fold, found);
                }
            }
        }
    }
    (table, at_90)
}
