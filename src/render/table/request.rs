//! The request as understood: what will be served, how fast, how well, within which limits.

use super::super::figure;
use super::super::paint::{Sheet, Style};
use crate::requirements::{
    Filter, LatencyMeasure, Objective, QualityFloor, Requirements, Routing, Spread, Workload,
};

/// Longest item that is kept on one line: half of the least width a table is written for.
const ITEM_WIDTH_MAX: usize = 50;

/// One line for a single workload; else the whole, then a line for each workload.
pub(super) fn write(sheet: &mut Sheet, asked: &Requirements) {
    if let [only] = asked.workloads.as_slice() {
        let items: Vec<String> = workload(only, asked).into_iter().chain(limits(asked)).collect();
        line(sheet, 0, &asked.name, &items);
        return;
    }
    line(sheet, 0, &asked.name, &limits(asked));
    for one in &asked.workloads {
        line(sheet, 2, &one.name, &workload(one, asked));
    }
}

fn line(sheet: &mut Sheet, indent: usize, name: &str, items: &[String]) {
    // An item stays on one line where it can; a long list of names cannot.
    let whole = |item: &String| item.chars().count() <= ITEM_WIDTH_MAX;
    let text: Vec<String> =
        items.iter().map(|item| if whole(item) { super::unbroken(item) } else { item.clone() }).collect();
    sheet.hanging(indent, indent + 4, &[(Style::Bold, name.to_owned())], &[(Style::Plain, text.join(" · "))]);
}

fn workload(workload: &Workload, asked: &Requirements) -> Vec<String> {
    let mut items = vec![volume(workload, asked)];
    let mean = workload.mean_rps();
    let busiest = workload.busiest_rps();
    if mean > 0.0 && busiest > 1.005 * mean {
        items.push(format!("busiest hour {}x the mean", figure::trimmed(busiest / mean, 1)));
    }
    if (workload.peak_factor - 1.0).abs() > 1e-9 {
        items.push(format!("peak factor {}", figure::trimmed(workload.peak_factor, 2)));
    }
    items.push(lengths(workload));
    items.extend(workload.latency.iter().map(|limit| {
        let name = match limit.measure {
            LatencyMeasure::Ttft => "ttft",
            LatencyMeasure::Tpot => "tpot",
            LatencyMeasure::E2e => "e2e",
        };
        format!("{} {name} ≤ {} ms", limit.statistic.word(), figure::trimmed(limit.ms, 1))
    }));
    items.extend(workload.quality.as_ref().map(floor));
    items.extend(workload.quality_mean.map(|m| format!("mean quality ≥ index {}", figure::trimmed(m, 1))));
    items.extend(
        workload
            .premium
            .as_ref()
            .map(|p| format!("{} of requests {}", figure::share(p.share), floor(&p.floor))),
    );
    if !workload.needs.is_empty() {
        items.push(format!("needs {}", workload.needs.join(", ")));
    }
    // Said only where the request asks for more than its lengths need.
    let longest = workload.lengths.points.iter().map(|(input, output, _)| input + output).fold(0.0, f64::max);
    if workload.context_tokens > longest + 0.5 {
        items.push(format!("context {} tokens", figure::grouped(workload.context_tokens, 0)));
    }
    if workload.response_hit > 0.0 {
        items.push(format!("response cache {}", figure::share(workload.response_hit)));
    }
    if workload.prefix_hit > 0.0 {
        items.push(format!("prefix cache {}", figure::share(workload.prefix_hit)));
    }
    if workload.deferrable_hours > 0.0 {
        items.push(format!("may wait {} h", figure::trimmed(workload.deferrable_hours, 1)));
    }
    items.extend(workload.data.iter().cloned());
    items
}

/// In the period in which the number is roundest: 1,000 requests/hour rather than 24,000 a day.
fn volume(workload: &Workload, asked: &Requirements) -> String {
    let per_second = workload.mean_rps() / asked.plan_for();
    let periods =
        [(86_400.0, "day"), (3600.0, "hour"), (1.0, "second"), (3600.0 * asked.hours_per_month, "month")];
    let digits = |value: f64| {
        // Twelve digits hide the dust of dividing by 24 and multiplying again.
        let text = format!("{value:.11e}");
        text.split('e').next().unwrap_or_default().trim_end_matches('0').len()
    };
    let (seconds, period) =
        periods.into_iter().min_by_key(|(seconds, _)| digits(per_second * seconds)).unwrap_or(periods[0]);
    let value = per_second * seconds;
    format!("{} requests/{period}", figure::trimmed(value, figure::decimals_for(value, 4)))
}

fn lengths(workload: &Workload) -> String {
    let lengths = &workload.lengths;
    let (input, output) = (figure::trimmed(lengths.input_mean, 0), figure::trimmed(lengths.output_mean, 0));
    let spread = match lengths.spread {
        Spread::Constant => "",
        Spread::Lognormal => " (lognormal)",
        Spread::Trace => " (trace)",
    };
    let thought = lengths.reasoning_mean.filter(|tokens| *tokens > 0.0);
    let thought =
        thought.map_or(String::new(), |tokens| format!(" + {} reasoning", figure::trimmed(tokens, 0)));
    format!("{input} → {output}{thought} tokens{spread}")
}

fn floor(floor: &QualityFloor) -> String {
    match floor {
        QualityFloor::Tier { tier, scale: Some(scale) } => format!("quality ≥ {tier} ({scale})"),
        QualityFloor::Tier { tier, scale: None } => format!("quality ≥ {tier}"),
        QualityFloor::Index(index) => format!("quality ≥ index {}", figure::trimmed(*index, 1)),
        QualityFloor::Benchmark { benchmark, min } => format!("{benchmark} ≥ {}", figure::trimmed(*min, 4)),
    }
}

fn limits(asked: &Requirements) -> Vec<String> {
    let mut items = Vec::new();
    let budget = &asked.budget;
    items.extend(budget.usd_per_month.map(|usd| format!("≤ {}/month", figure::usd_plain(usd))));
    items.extend(budget.usd_upfront.map(|usd| format!("upfront ≤ {}", figure::usd_plain(usd))));
    items.extend(budget.usd_per_request.map(|usd| format!("≤ {}/request", figure::usd_plain(usd))));
    items.extend(asked.availability.map(|share| format!("availability ≥ {}", figure::percent(share, 4))));
    if let Some(growth) = &asked.growth {
        if growth.plan_for > 1.0 {
            items.push(format!("planned for {} that volume", super::time::times(growth.plan_for)));
        }
        if growth.factor.total_cmp(&1.0).is_ne() {
            let months = figure::trimmed(growth.months, 1);
            items.push(format!("{} in {months} months", super::time::times(growth.factor)));
        }
    }
    let hardware = &asked.limits;
    items.extend(
        hardware.memory_gib_per_server.map(|gib| format!("≤ {} GiB per server", figure::trimmed(gib, 1))),
    );
    items.extend(hardware.gpus.iter().map(|(gpu, count)| format!("≤ {count} x {gpu}")));
    items.extend(hardware.power_kw.map(|kw| format!("≤ {} kW", figure::trimmed(kw, 2))));
    items.extend(hardware.max_deployments.map(|count| format!("≤ {count} deployments")));
    items.extend(hardware.min_replicas.map(|count| format!("≥ {count} replicas of an engine")));
    items.extend(asked.owned.iter().map(|owned| format!("owns {} x {}", owned.count, owned.gpu)));
    items.extend(filter("allow", &asked.allow));
    items.extend(filter("deny", &asked.deny));
    match asked.routing {
        Routing::Local => items.push("local only".to_owned()),
        Routing::Cloud => items.push("cloud only".to_owned()),
        Routing::Hybrid => {}
    }
    match asked.objective {
        Objective::Cost => {}
        Objective::Latency => items.push("lowest latency".to_owned()),
        Objective::Quality => items.push("highest quality".to_owned()),
        Objective::Carbon => items.push("lowest carbon".to_owned()),
    }
    if asked.include_retired {
        items.push("retired models too".to_owned());
    }
    if !asked.measured.is_empty() {
        items.push(format!("{} measured options", asked.measured.len()));
    }
    if asked.headroom > 0.0 {
        items.push(format!("headroom {}", figure::share(asked.headroom)));
    }
    items.push(format!("confidence {}", figure::percent(asked.confidence, 1)));
    items.push(format!("as of {}", asked.as_of));
    items
}

/// `allow models llama*, mistral*`: the first few words of each list.
fn filter(word: &str, filter: &Filter) -> Vec<String> {
    let billing: Vec<String> = filter.billing.iter().map(|mode| mode.word().to_owned()).collect();
    let lists = [
        ("models", &filter.models),
        ("gpus", &filter.gpus),
        ("providers", &filter.providers),
        ("billing", &billing),
        ("precisions", &filter.precisions),
        ("engines", &filter.engines),
        ("regions", &filter.regions),
        ("licences", &filter.licences),
    ];
    let few = |list: &[String]| match list {
        [first, second, third, rest @ ..] if !rest.is_empty() => {
            format!("{first}, {second}, {third} and {} more", rest.len())
        }
        short => short.join(", "),
    };
    lists
        .iter()
        .filter(|(_, list)| !list.is_empty())
        .map(|(key, list)| format!("{word} {key} {}", few(list)))
        .collect()
}
