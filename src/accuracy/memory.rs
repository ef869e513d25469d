//! Weights and the room for keys and values, as engines report them at their start.
//!
//! In: judged rows. Out: a table. No coefficient of the fit takes part, so there is no fold; the intervals are those of
//! `estimate`.

use super::bars;
use super::cells::{held, score};
use super::judge::{Judged, Kind};
use super::tables::{Table, errors, share, signed};
use crate::calibrate::Score;
use crate::catalog::Catalog;
use crate::estimate::{Outcome, single};
use crate::measurement::Quantity;

/// Rows by quantity; `sets` names each set of rows.
pub(super) fn table(catalog: &Catalog, sets: &[(&str, &[Judged<'_, '_>])]) -> (Table, Option<Score>) {
    let heads = ["rows of", "measure", "rows", "median / P90 %", "bias %", "inside the interval %", "bar"];
    let mut table = Table::new(2, &heads);
    let mut pool = None;
    for (set, rows) in sets {
        for quantity in [Quantity::Weights, Quantity::KvPool, Quantity::KvPoolTokens] {
            let own: Vec<&Judged<'_, '_>> = rows
                .iter()
                .filter(|row| matches!(row.kind, Kind::Weights | Kind::KvPool))
                .filter(|row| row.sample.measurement.quantity == quantity)
                .collect();
            let Some(score) = score(&own) else { continue };
            let stated: Vec<bool> = own.iter().filter_map(|row| inside(catalog, row)).collect();
            let bar =
                if quantity == Quantity::Weights { String::new() } else { held(&bars::KV_POOL, &score) };
            table.row([
                (*set).to_owned(),
                quantity.word().to_owned(),
                score.rows.to_string(),
                errors(&score),
                signed(score.bias),
                share(stated.iter().filter(|holds| **holds).count(), stated.len()),
                bar,
            ]);
            if quantity == Quantity::KvPool && pool.is_none() {
                pool = Some(score);
            }
        }
    }
    (table, pool)
}

/// Is the figure inside the stated interval? `None` where the oracle says it does not fit.
fn inside(catalog: &Catalog, row: &Judged<'_, '_>) -> Option<bool> {
    let Outcome::Fits(measures) = single(catalog, &row.sample.measurement.request).outcome else {
        return None;
    };
    let stated = match row.sample.measurement.quantity {
        Quantity::Weights => measures.weights_gib,
        Quantity::KvPool => measures.kv_pool_gib,
        _ => measures.kv_pool_tokens,
    };
    Some((stated.low..=stated.high).contains(&row.sample.measurement.value))
}
