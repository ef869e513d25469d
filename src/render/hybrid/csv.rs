//! The hybrid question as one CSV table: a row for each point, column `table` says of which part.

use csv::Writer;

use crate::error::Error;
use crate::hybrid::{Between, Hybrid};
use crate::recommendation::Status;
use crate::render::table::{kind, rule};

/// Columns beside the two of each workload.
const COLUMNS: [&str; 21] = [
    "table",
    "optimum",
    "status",
    "local_share",
    "replicas",
    "volume_factor",
    "requests_per_month",
    "kind",
    "usd_per_month",
    "usd_upfront",
    "cloud_usd_per_month",
    "local_usd_per_month",
    "within_budget",
    "quality_index",
    "overflow_hours_per_month",
    "mean_use",
    "critical_use",
    "gap",
    "rule",
    "runs",
    "runs_below",
];

const fn status(status: Status) -> &'static str {
    match status {
        Status::Optimal => "optimal",
        Status::Feasible => "feasible",
        Status::Infeasible => "infeasible",
        Status::Unknown => "unknown",
    }
}

/// All tables, figures as they are in JSON.
///
/// # Errors
/// [`Error::Bug`] when a row of ours cannot be written.
pub fn csv(answer: &Hybrid) -> Result<String, Error> {
    let workloads: Vec<&str> = answer.requirements.workloads.iter().map(|one| one.name.as_str()).collect();
    let mut head: Vec<String> = COLUMNS.map(str::to_owned).to_vec();
    for name in &workloads {
        head.extend([format!("e2e_ms_p95_worst {name}"), format!("e2e_ms_p95_mean {name}")]);
    }
    let mut rows = vec![head.clone()];
    let mut row = |cells: Vec<(&str, String)>| {
        let cell = |name: &String| {
            cells.iter().find(|(known, _)| known == name).map(|(_, text)| text.clone()).unwrap_or_default()
        };
        rows.push(head.iter().map(cell).collect());
    };
    let text = |value: Option<f64>| value.map(|value| value.to_string()).unwrap_or_default();
    for point in &answer.shares {
        let latency: Vec<(String, Option<f64>)> = point
            .latency
            .iter()
            .flat_map(|of| {
                [("worst", of.e2e_ms_p95_worst), ("mean", of.e2e_ms_p95_mean)]
                    .map(|(what, ms)| (format!("e2e_ms_p95_{what} {}", of.workload), ms))
            })
            .collect();
        let refused = point.refused.as_ref().and_then(|told| rule(&told.fact));
        let mut cells = vec![
            ("table", "share".to_owned()),
            ("optimum", point.optimum.to_string()),
            ("status", status(point.status).to_owned()),
            ("local_share", point.local_share.to_string()),
            ("replicas", point.replicas.map(|count| count.to_string()).unwrap_or_default()),
            ("kind", point.plan.as_ref().map(|plan| kind(plan.kind).to_owned()).unwrap_or_default()),
            ("usd_per_month", text(point.usd_per_month)),
            ("usd_upfront", text(point.usd_upfront)),
            ("quality_index", text(point.quality_index)),
            ("overflow_hours_per_month", text(point.overflow_hours_per_month)),
            ("gap", text(point.gap)),
            ("rule", refused.unwrap_or_default().to_owned()),
            ("runs", point.summary.clone()),
        ];
        cells.extend(latency.iter().map(|(name, ms)| (name.as_str(), text(*ms))));
        row(cells);
    }
    for point in &answer.replicas {
        let refused = point.refused.as_ref().and_then(|told| rule(&told.fact));
        row(vec![
            ("table", "replicas".to_owned()),
            ("optimum", point.optimum.to_string()),
            ("status", status(point.status).to_owned()),
            ("local_share", text(point.local_share)),
            ("replicas", point.replicas.to_string()),
            ("usd_per_month", text(point.usd_per_month)),
            ("mean_use", text(point.mean_use)),
            ("gap", text(point.gap)),
            ("rule", refused.unwrap_or_default().to_owned()),
            ("runs", point.summary.clone()),
        ]);
    }
    for one in &answer.critical {
        row(vec![
            ("table", "critical-use".to_owned()),
            ("critical_use", one.utilisation.to_string()),
            ("requests_per_month", one.break_even_requests_per_month.to_string()),
            ("rule", one.hosted_refused_by.clone().unwrap_or_default()),
            ("runs", format!("{} for {}", one.engine, one.workload)),
            ("runs_below", one.hosted.clone()),
        ]);
    }
    for point in &answer.volumes {
        let best = point.best.as_ref();
        row(vec![
            ("table", "volume".to_owned()),
            ("volume_factor", point.factor.to_string()),
            ("requests_per_month", point.requests_per_month.to_string()),
            ("kind", best.map(|best| kind(best.kind).to_owned()).unwrap_or_default()),
            ("replicas", best.map(|best| best.replicas.to_string()).unwrap_or_default()),
            ("usd_per_month", text(point.best_usd_per_month)),
            ("cloud_usd_per_month", text(point.cloud_usd_per_month)),
            ("local_usd_per_month", text(point.local_usd_per_month)),
            ("within_budget", point.within_budget.to_string()),
            ("runs", best.map(|best| best.summary.clone()).unwrap_or_default()),
        ]);
    }
    for one in &answer.break_evens {
        let table = match one.between {
            Between::LocalAndCloud => "break-even of local and cloud",
            Between::BestPlans => "break-even of best plans",
        };
        row(vec![
            ("table", table.to_owned()),
            ("volume_factor", one.factor.to_string()),
            ("requests_per_month", one.requests_per_month.to_string()),
            ("kind", kind(one.to.kind).to_owned()),
            ("replicas", one.to.replicas.to_string()),
            ("usd_per_month", one.usd_per_month.to_string()),
            ("runs", one.to.summary.clone()),
            ("runs_below", one.from.summary.clone()),
        ]);
    }
    let mut writer = Writer::from_writer(Vec::new());
    let bug =
        |error: &dyn std::fmt::Display| Error::Bug(format!("an answer cannot be written as CSV: {error}"));
    for row in &rows {
        writer.write_record(row).map_err(|error| bug(&error))?;
    }
    let bytes = writer.into_inner().map_err(|error| bug(&error))?;
    String::from_utf8(bytes).map_err(|error| bug(&error))
}
