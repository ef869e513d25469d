//! What runs and what it gets: one row for each workload and target, figures right-aligned; then the bill.

use super::super::figure;
use super::super::paint::{Align, Sheet, Style};
use crate::recommendation::{Deployment, MeasureRow, Plan, Route};
use crate::requirements::Requirements;

/// The table of targets.
pub(super) fn write(sheet: &mut Sheet, plan: &Plan, asked: &Requirements) {
    let several = asked.workloads.len() > 1;
    let latency = latency_row(plan.measures.iter()).map(|row| row.measure.clone());
    let mut head = vec!["target".to_owned(), "replicas".to_owned(), "share".to_owned()];
    let mut align = vec![Align::Left, Align::Right, Align::Right];
    if several {
        head.insert(0, "workload".to_owned());
        align.insert(0, Align::Left);
    }
    if let Some(measure) = &latency {
        head.push(format!("{} ms", title(measure)));
        align.push(Align::Right);
    }
    head.extend(["quality".to_owned(), "$ / month".to_owned()]);
    align.extend([Align::Right, Align::Right]);

    let mut rows = vec![(Style::Dim, head)];
    let mut billed: Vec<&str> = Vec::new();
    for (deployment, route) in served(plan) {
        let workload = route.map_or("", |route| route.workload.as_str());
        let mut row = Vec::new();
        if several {
            row.push(workload.to_owned());
        }
        row.push(label(plan, deployment, route));
        row.push(replicas(deployment));
        row.push(route.map_or_else(|| "fallback".to_owned(), |route| figure::share(route.share)));
        if let Some(measure) = &latency {
            let own = |row: &&MeasureRow| {
                row.target == deployment.id
                    && row.measure == *measure
                    && (workload.is_empty() || row.workload == workload)
            };
            row.push(plan.measures.iter().find(own).map_or_else(|| "-".to_owned(), super::interval));
        }
        row.push(
            deployment
                .quality
                .map_or_else(|| "unknown".to_owned(), |scored| figure::scored(scored.index, scored.sd)),
        );
        // A deployment that serves several workloads is paid once.
        let paid = billed.contains(&deployment.id.as_str());
        row.push(if paid { "shared".to_owned() } else { figure::grouped(deployment.usd_per_month, 2) });
        billed.push(&deployment.id);
        rows.push((Style::Plain, row));
    }
    sheet.columns(&align, &rows);
}

/// Routes with a share in the order of the plan, then what only stands by.
fn served(plan: &Plan) -> Vec<(&Deployment, Option<&Route>)> {
    let find = |id: &str| plan.deployments.iter().find(|deployment| deployment.id == id);
    let busy = plan.routing.iter().filter(|route| route.share > 0.0);
    let mut rows: Vec<(&Deployment, Option<&Route>)> =
        busy.filter_map(|route| find(&route.target).map(|deployment| (deployment, Some(route)))).collect();
    let idle = |deployment: &&Deployment| !rows.iter().any(|(other, _)| other.id == deployment.id);
    let standby: Vec<&Deployment> = plan.deployments.iter().filter(idle).collect();
    rows.extend(standby.into_iter().map(|deployment| (deployment, None)));
    rows
}

fn replicas(deployment: &Deployment) -> String {
    match &deployment.engine {
        None => "-".to_owned(),
        Some(engine) if engine.billed_s_per_month.is_some() => "on call".to_owned(),
        Some(engine) if engine.spare_replicas > 0 => {
            format!("{}+{}", engine.replicas.saturating_sub(engine.spare_replicas), engine.spare_replicas)
        }
        Some(engine) => engine.replicas.to_string(),
    }
}

/// The label, and a mark where only a part of the workload is held to the premium floor.
fn label(plan: &Plan, deployment: &Deployment, route: Option<&Route>) -> String {
    let split = |route: &&Route| {
        plan.routing.iter().any(|other| other.workload == route.workload && other.premium != route.premium)
    };
    match route.filter(split) {
        Some(route) if route.premium => format!("{} (premium)", deployment.label),
        _ => match route.and_then(|route| route.via.as_ref()) {
            Some(via) => format!("{} (through {})", deployment.label, via.name),
            None => deployment.label.clone(),
        },
    }
}

/// The latency to show: p95 end to end where it is known, else the first latency there is.
pub(super) fn latency_row<'a>(rows: impl Iterator<Item = &'a MeasureRow>) -> Option<&'a MeasureRow> {
    let rows: Vec<&MeasureRow> = rows.filter(|row| row.measure.contains("_ms")).collect();
    let usual = rows.iter().copied().find(|row| row.measure == "e2e_ms_p95");
    usual.or_else(|| rows.first().copied())
}

/// `e2e_ms_p95` is `p95 e2e`.
pub(super) fn title(measure: &str) -> String {
    match measure.split_once("_ms_") {
        Some((name, statistic)) => format!("{statistic} {name}"),
        None => measure.replace('_', " "),
    }
}

/// The bill, where it says more than the table of targets; people cost is said whenever engines are run.
pub(super) fn bill(sheet: &mut Sheet, plan: &Plan, asked: &Requirements, all: bool) {
    let rows = plan.deployments.iter().map(|deployment| deployment.usd_per_month);
    let repeats = plan.bill.len() <= 1 || plan.bill.iter().map(|line| line.usd_per_month).eq(rows);
    let itemised = all || !repeats;
    if itemised {
        for (index, line) in plan.bill.iter().enumerate() {
            let label = if index == 0 { "bill" } else { "" };
            sheet.note(label, &format!("{} {}", figure::usd(line.usd_per_month), line.item));
        }
    }
    let local = plan.deployments.iter().any(|deployment| deployment.engine.is_some());
    let said = itemised && plan.bill.iter().any(|line| line.item.contains("people"));
    if local && asked.ops_usd_per_month <= 0.0 && !said {
        sheet.note("people", "$0.00 for looking after own engines; set ops_usd_per_month to count it");
    }
}
