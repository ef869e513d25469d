//! Rows that are no measurement of what they seem to be: left out by name, before anything is worked out.
//!
//! In: [`Measurement`]s. Out: those to use, in an order that does not depend on the files', and the rest with reasons.

use std::collections::BTreeMap;

use crate::estimate::Load;
use crate::measurement::{Measurement, Quantity, Rejected};
use crate::requirements::Statistic;

/// An open load that serves less than this share of what arrives grows a queue: its times tell how long the run was.
const SERVED_LEAST: f64 = 0.9;

/// Rows to use and rows left out.
#[must_use]
pub fn screen(rows: &[Measurement]) -> (Vec<Measurement>, Vec<Rejected>) {
    let run = |row: &Measurement| format!("{}|{:?}", row.place.file, row.request);
    // Share of the offered rate that a run served, where it says so.
    let mut served: BTreeMap<String, f64> = BTreeMap::new();
    for row in rows.iter().filter(|row| row.request.load == Some(Load::Open)) {
        let per_request = match row.quantity {
            Quantity::Requests => 1.0,
            Quantity::OutputTokens => row.request.output_tokens.unwrap_or(0.0),
            _ => continue,
        };
        if let Some(rate) = row.request.rate_per_s.filter(|_| per_request > 0.0) {
            let share = served.entry(run(row)).or_insert(0.0);
            *share = share.max(row.value / per_request / rate);
        }
    }
    let (mut kept, mut rejected) = (Vec::new(), Vec::new());
    for row in rows {
        let load = row.request.load;
        let tail = matches!(row.statistic, Some(Statistic::P90 | Statistic::P95 | Statistic::P99));
        let found = match (load, row.quantity.is_latency()) {
            // Latencies under saturation are left out with their own reason, by `Sample`.
            (load, true) if tail && !matches!(load, Some(Load::Open | Load::Max)) => {
                Some(("tail-of-a-fixed-load", "percentiles are estimated under open load alone".to_owned()))
            }
            (Some(Load::Open), true) => {
                served.get(&run(row)).filter(|share| **share < SERVED_LEAST).map(|share| {
                    ("overloaded", format!("{:.0} % of the arriving requests were served", 100.0 * share))
                })
            }
            (Some(Load::Open), false)
                if matches!(row.quantity, Quantity::Requests | Quantity::OutputTokens) =>
            {
                Some(("rate-is-given", "below saturation what arrives leaves".to_owned()))
            }
            _ => None,
        };
        match found {
            None => kept.push(row.clone()),
            Some((reason, cause)) => rejected.push(Rejected { place: row.place.clone(), reason, cause }),
        }
    }
    kept.sort_by_cached_key(order);
    (kept, rejected)
}

/// Everything a row says; where it stands comes last.
fn order(row: &Measurement) -> String {
    format!(
        "{:?}|{}|{:?}|{:e}|{}|{:?}",
        row.request,
        row.quantity.word(),
        row.statistic,
        row.value,
        row.source,
        row.as_of
    )
}
