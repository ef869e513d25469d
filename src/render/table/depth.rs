//! Everything that the short answer leaves out: measures against limits, engine settings, routing by hour, facts.

use super::super::figure;
use super::super::paint::{Align, Sheet, Style};
use super::super::phrase;
use crate::recommendation::{ApiTerms, EngineSettings, Fact, MeasureRow, Paid, Plan, Recommendation, Route};
use crate::requirements::DAY_HOURS;

/// The sections of `--explain`.
pub(super) fn write(sheet: &mut Sheet, answer: &Recommendation) {
    if let Some(plan) = answer.plans.first() {
        measures(sheet, &plan.measures, plan);
        settings(sheet, plan);
        routing(sheet, plan);
    }
    refused(sheet, answer);
    facts(sheet, &answer.facts);
    sheet.blank();
}

fn measures(sheet: &mut Sheet, rows: &[MeasureRow], plan: &Plan) {
    if rows.is_empty() {
        return;
    }
    sheet.blank();
    let head = ["measure", "at", "value (low-high)", "held to", "limit", "left"];
    let mut lines = vec![(Style::Dim, head.map(str::to_owned).to_vec())];
    let plain = |value: Option<f64>| {
        value.map_or_else(|| "-".to_owned(), |v| figure::trimmed(v, figure::decimals_for(v, 5)))
    };
    for row in rows {
        let label = plan
            .deployments
            .iter()
            .find(|d| d.id == row.target)
            .map_or("the whole plan", |d| d.label.as_str());
        let at =
            if row.workload.is_empty() { label.to_owned() } else { format!("{label} ({})", row.workload) };
        lines.push((
            Style::Plain,
            vec![
                row.measure.clone(),
                at,
                super::interval(row),
                plain(Some(row.held_to)),
                plain(row.limit),
                plain(row.slack),
            ],
        ));
    }
    let align = [Align::Left, Align::Left, Align::Right, Align::Right, Align::Right, Align::Right];
    sheet.columns(&align, &lines);
}

fn settings(sheet: &mut Sheet, plan: &Plan) {
    sheet.blank();
    for deployment in &plan.deployments {
        if let Some(settings) = &deployment.engine {
            sheet.note("engine", &deployment.label);
            sheet.note("", &engine(settings, &deployment.model));
            sheet.note("", &hardware(settings));
            for paid in settings.paid.iter().filter(|_| settings.paid.len() > 1 || tells_more(settings)) {
                sheet.note("paid", &way_to_pay(paid));
            }
        }
        if let Some(terms) = &deployment.api {
            sheet.note("api", &deployment.label);
            sheet.note("", &api(terms));
        }
    }
}

fn engine(settings: &EngineSettings, model: &str) -> String {
    format!(
        "{} ({}) {model} · tensor parallel {} · pipeline {} · data {} · expert {} · weights {} · kv {} · max batch {} · \
         max length {} · memory share {}",
        settings.engine,
        settings.generation,
        settings.tensor_parallel,
        settings.pipeline_parallel,
        settings.data_parallel,
        settings.expert_parallel,
        settings.weights,
        settings.kv,
        settings.max_batch,
        figure::grouped(f64::from(settings.max_model_len), 0),
        figure::trimmed(settings.gpu_memory_utilization, 3),
    )
}

fn hardware(settings: &EngineSettings) -> String {
    if let Some(seconds) = settings.billed_s_per_month {
        return format!(
            "{} ({} x {} each) as they are called · {} · {} · {} an hour, by the second · at most {} s a month",
            settings.instance,
            settings.gpus_per_instance,
            settings.gpu,
            settings.region,
            settings.billing,
            figure::usd_fine(settings.usd_per_hour),
            figure::grouped(seconds, 0),
        );
    }
    let counted = |count: u32, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
    let mut text = format!(
        "{} x {} ({} x {} each) · {} · {} · {} an hour each · {}",
        settings.instances,
        settings.instance,
        settings.gpus_per_instance,
        settings.gpu,
        settings.region,
        settings.billing,
        figure::usd_fine(settings.usd_per_hour),
        counted(settings.replicas, "replica"),
    );
    if settings.spare_replicas > 0 {
        text += &format!(", {} of them spare", settings.spare_replicas);
    }
    if let Some(payer) = &settings.beside {
        text += &format!(" on the instances of {payer}, which pays for them");
    }
    if settings.idle_gpus > 0 {
        text += &format!(" · {} idle", counted(settings.idle_gpus, "GPU"));
    }
    text += &format!(" · {} GiB in use per server", figure::trimmed(settings.memory_gib_per_server, 1));
    for (workload, rate) in &settings.capacity_rps {
        text += &format!(
            " · carries {} requests/s of {workload}",
            figure::trimmed(*rate, figure::decimals_for(*rate, 3))
        );
    }
    text += &format!(" · busy {} at the peak", figure::share(settings.utilisation_peak));
    if let Some(power) = settings.power_kw {
        text += &format!(" · {} kW", figure::trimmed(power, 2));
    }
    text
}

/// Is there more to say than a price around the clock?
fn tells_more(settings: &EngineSettings) -> bool {
    settings.paid.iter().any(|paid| paid.instances_by_hour.is_some() || paid.usd_upfront > 0.0)
}

/// One way to pay: how many, when, and what it costs by the month and at once.
fn way_to_pay(paid: &Paid) -> String {
    let mut text = format!("{} x {}", paid.instances, paid.offer);
    if let Some(hours) = &paid.instances_by_hour {
        let counts: Vec<String> = hours.iter().map(u32::to_string).collect();
        text += &format!(" · by hour of the day (UTC) {}", counts.join(" "));
    }
    text += &format!(" · {} an hour each", figure::usd_fine(paid.usd_per_hour));
    text += &format!(" · {} a month", figure::usd(paid.usd_per_month));
    if paid.usd_upfront > 0.0 {
        text += &format!(" · {} upfront", figure::usd(paid.usd_upfront));
        text += &format!(", {} a month of it", figure::usd(paid.usd_amortised));
    }
    text
}

fn api(terms: &ApiTerms) -> String {
    let mut text = format!(
        "{} tier · {} in, {} out per million tokens",
        terms.tier,
        figure::usd_fine(terms.usd_per_mtok_input),
        figure::usd_fine(terms.usd_per_mtok_output)
    );
    for (workload, usd) in &terms.usd_per_request {
        text += &format!(" · {} a request of {workload}", figure::usd_fine(*usd));
    }
    if let Some(uptime) = terms.uptime {
        text += &format!(" · uptime {}", figure::percent(uptime, 4));
    }
    text
}

fn routing(sheet: &mut Sheet, plan: &Plan) {
    sheet.blank();
    let label =
        |id: &str| plan.deployments.iter().find(|d| d.id == id).map_or(id.to_owned(), |d| d.label.clone());
    for (index, route) in plan.routing.iter().enumerate() {
        let mut text =
            format!("{} → {} {}", route.workload, label(&route.target), figure::share(route.share));
        if route.premium {
            text += " (premium)";
        }
        if let Some(via) = &route.via {
            text += &format!(" through {}", via.name);
        }
        if let Some(fallback) = &route.fallback {
            text += &format!(", then {}", label(fallback));
        }
        sheet.note(if index == 0 { "routing" } else { "" }, &text);
        by_hour(sheet, route);
    }
}

/// A bar for each hour of the UTC day (one row for weekdays and one for weekends where they differ), and the figures it stands for.
fn by_hour(sheet: &mut Sheet, route: &Route) {
    const BARS: [&str; 9] = ["·", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];
    let Some(hours) = &route.by_hour else { return };
    let bar = |share: &f64| {
        // 0 is a dot; every other share has a bar, however small.
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to 0..=8")]
        let height = (share * 8.0).ceil().clamp(0.0, 8.0) as usize;
        BARS[height.min(8)]
    };
    let bars: Vec<String> =
        hours.chunks(DAY_HOURS).map(|day| day.iter().map(bar).collect::<String>()).collect();
    let (low, high) =
        hours.iter().fold((1.0_f64, 0.0_f64), |(low, high), share| (low.min(*share), high.max(*share)));
    let range = format!("{} to {}", figure::share(low), figure::share(high));
    match bars.as_slice() {
        [weekday, weekend] => {
            sheet.note("", &format!("00 {weekday} 24 UTC on weekdays, {range}"));
            sheet.note("", &format!("00 {weekend} 24 UTC at weekends"));
        }
        days => sheet.note("", &format!("00 {} 24 UTC, {range}", days.concat())),
    }
}

fn refused(sheet: &mut Sheet, answer: &Recommendation) {
    if answer.proof.refused.is_empty() {
        return;
    }
    sheet.blank();
    let mut rows = vec![(Style::Dim, vec!["refused by".to_owned(), "candidates".to_owned()])];
    for (rule, number) in &answer.proof.refused {
        rows.push((Style::Plain, vec![rule.clone(), super::trust::count(*number)]));
    }
    sheet.columns(&[Align::Left, Align::Right], &rows);
}

fn facts(sheet: &mut Sheet, facts: &[Fact]) {
    if facts.is_empty() {
        return;
    }
    sheet.blank();
    let head = ["fact", "value", "as of", "source"].map(str::to_owned).to_vec();
    let mut rows = vec![(Style::Dim, head)];
    for fact in facts {
        let assumed = if fact.provenance.assumed { " (assumed)" } else { "" };
        let source = format!("{}{assumed}", fact.provenance.source);
        rows.push((
            Style::Plain,
            vec![fact.id.clone(), phrase::value(&fact.value), fact.provenance.as_of.clone(), source],
        ));
    }
    sheet.columns(&[Align::Left, Align::Right, Align::Left, Align::Left], &rows);
}
