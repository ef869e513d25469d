//! The regime map as one CSV table: a row for each cell, then one for each border; column `table` says which.

use csv::Writer;

use super::targets;
use crate::error::Error;
use crate::recommendation::Status;
use crate::regimes::{Regimes, Value};
use crate::render::table::{kind, rule};

const COLUMNS: [&str; 14] = [
    "table",
    "x",
    "y",
    "status",
    "gap",
    "kind",
    "mark",
    "leading_targets",
    "usd_per_month",
    "usd_amortised",
    "rule",
    "runs",
    "requests_per_day_high",
    "kind_below",
];

const fn status(status: Status) -> &'static str {
    match status {
        Status::Optimal => "optimal",
        Status::Feasible => "feasible",
        Status::Infeasible => "infeasible",
        Status::Unknown => "unknown",
    }
}

fn plain(value: Option<&Value>) -> String {
    match value {
        Some(Value::Number(number)) => number.to_string(),
        Some(Value::Tier(tier)) => tier.clone(),
        None => String::new(),
    }
}

/// All cells and borders, figures as they are in JSON. Of a border, the column of the volume has the last volume below it.
///
/// # Errors
/// [`Error::Bug`] when a row of ours cannot be written.
pub fn csv(answer: &Regimes) -> Result<String, Error> {
    let bug = |error: &dyn std::fmt::Display| Error::Bug(format!("a map cannot be written as CSV: {error}"));
    let text = |value: Option<f64>| value.map(|value| value.to_string()).unwrap_or_default();
    let mut head = COLUMNS.map(str::to_owned);
    (head[1], head[2]) = (format!("x {}", answer.x.axis), format!("y {}", answer.y.axis));
    let mut writer = Writer::from_writer(Vec::new());
    writer.write_record(&head).map_err(|error| bug(&error))?;
    for cell in &answer.cells {
        let structure = answer.structures.iter().find(|one| Some(&one.mark) == cell.structure.as_ref());
        let refused = cell.refused.as_ref().and_then(|told| rule(&told.fact));
        let row = [
            "cell".to_owned(),
            plain(answer.x.values.get(cell.x as usize)),
            plain(answer.y.values.get(cell.y as usize)),
            status(cell.status).to_owned(),
            text(cell.gap),
            cell.kind.map(|of| kind(of).to_owned()).unwrap_or_default(),
            cell.structure.clone().unwrap_or_default(),
            structure.map(targets).unwrap_or_default(),
            text(cell.usd_per_month),
            text(cell.usd_amortised),
            refused.unwrap_or_default().to_owned(),
            cell.summary.clone(),
            String::new(),
            String::new(),
        ];
        writer.write_record(&row).map_err(|error| bug(&error))?;
    }
    for border in &answer.borders {
        let low = border.requests_per_day_low.to_string();
        let across = answer.x.axis == "volume";
        let other = plain(if across { &answer.y } else { &answer.x }.values.get(border.at as usize));
        let (x, y) = if across { (low, other) } else { (other, low) };
        let name =
            |of: Option<crate::recommendation::Kind>| of.map(|of| kind(of).to_owned()).unwrap_or_default();
        let row = [
            if border.exact { "exact border" } else { "border" }.to_owned(),
            x,
            y,
            String::new(),
            String::new(),
            name(border.to.kind),
            String::new(),
            String::new(),
            text(border.to.usd_per_month),
            String::new(),
            String::new(),
            border.to.summary.clone(),
            border.requests_per_day_high.to_string(),
            name(border.from.kind),
        ];
        writer.write_record(&row).map_err(|error| bug(&error))?;
    }
    let bytes = writer.into_inner().map_err(|error| bug(&error))?;
    String::from_utf8(bytes).map_err(|error| bug(&error))
}
