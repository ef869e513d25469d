//! The hybrid question for the terminal, as CSV and as drawings.
//!
//! First the request as understood, then what each share costs, the best one marked, then replicas and volumes, then what
//! the figures rest on.

mod csv;
mod svg;

pub use csv::csv;
pub use svg::svg;

use super::figure;
use super::paint::{Align, Sheet, Style};
use super::phrase;
use super::table::{TableOptions, kind, rule, understood};
use crate::hybrid::{Between, BreakEven, CriticalUse, Hybrid, Notice, Part, SharePoint, Stage};
use crate::recommendation::Status;

/// Workloads that get a column of their own.
const WORKLOADS_MAX: usize = 2;
/// Volumes shown; the other formats have all.
const VOLUMES_SHOWN: usize = 8;
/// Break-evens of either sort that are shown.
const BREAK_EVENS_SHOWN: usize = 12;

/// Fills in the sentences.
pub fn tell(answer: &mut Hybrid) {
    let asked = answer.requirements.clone();
    let shares = answer.shares.iter_mut().filter_map(|point| point.refused.as_mut());
    let replicas = answer.replicas.iter_mut().filter_map(|point| point.refused.as_mut());
    shares.chain(replicas).for_each(|told| phrase::tell_one(told, &asked));
}

/// `shares 3 of 11`.
#[must_use]
pub fn progress(part: Part, done: usize) -> String {
    match part {
        Part::Share => format!("{done} shares solved"),
        Part::Replicas => format!("{done} numbers of replicas solved"),
        Part::Volume => format!("{done} volumes solved"),
        Part::BreakEvens => format!("{done} ranges searched for break-evens"),
    }
}

/// The answer as text.
#[must_use]
pub fn table(answer: &Hybrid, options: &TableOptions) -> String {
    let mut sheet = Sheet::new(options.width.min(100), options.color);
    sheet.blank();
    headline(&mut sheet, answer);
    sheet.blank();
    shares(&mut sheet, answer);
    break_evens(&mut sheet, answer);
    replicas(&mut sheet, answer);
    volumes(&mut sheet, answer);
    sheet.blank();
    notices(&mut sheet, answer);
    let file = &options.file;
    sheet.note(
        "next",
        &format!("bursar recommend {file} · bursar hybrid {file} --svg hybrid.svg · --format json"),
    );
    understood(&answer.requirements, options) + &sheet.finish()
}

/// The best plan in one line.
fn headline(sheet: &mut Sheet, answer: &Hybrid) {
    let Some(best) = answer.optimum() else {
        sheet.hanging(
            2,
            4,
            &[(Style::Bad, "no plan complies".to_owned())],
            &[(
                Style::Plain,
                "at any share; `bursar recommend` finds the smallest changes that work".to_owned(),
            )],
        );
        return;
    };
    let bill = format!("{} / month", figure::usd(best.usd_per_month.unwrap_or(0.0)));
    let share = figure::share(best.local_share);
    let text = format!("{share} of the requests on own engines: {}", best.summary);
    sheet.hanging(2, 4, &[(Style::Bold, bill)], &[(Style::Bold, text)]);
}

/// A figure, or a dash.
fn or_dash(value: Option<f64>, text: impl Fn(f64) -> String) -> String {
    value.map_or_else(|| "-".to_owned(), text)
}

fn money(value: Option<f64>) -> String {
    or_dash(value, |usd| figure::grouped(usd, 2))
}

fn ms(value: Option<f64>) -> String {
    or_dash(value, |ms| figure::grouped(figure::significant(ms, 3), 0))
}

/// What runs, or the rule that stands in the way.
fn runs(answer: &Hybrid, point: &SharePoint) -> String {
    let mark = if point.optimum { "best: " } else { "" };
    match (&point.refused, point.status) {
        (Some(told), _) => phrase::plain(&phrase::sentence(&told.fact, &answer.requirements)),
        (None, Status::Unknown) => "not solved".to_owned(),
        (None, Status::Infeasible) => "nothing complies".to_owned(),
        (None, Status::Optimal | Status::Feasible) => format!("{mark}{}", point.summary),
    }
}

fn shares(sheet: &mut Sheet, answer: &Hybrid) {
    let upfront = answer.shares.iter().any(|point| point.usd_upfront.is_some_and(|usd| usd > 0.0));
    let names: Vec<&str> = answer.requirements.workloads.iter().map(|one| one.name.as_str()).collect();
    let apart = names.len() <= WORKLOADS_MAX;
    let mut head = vec!["local".to_owned(), "$ / month".to_owned()];
    head.extend(upfront.then(|| "$ upfront".to_owned()));
    if names.len() == 1 || !apart {
        head.push("p95 e2e ms".to_owned());
    } else {
        head.extend(names.iter().map(|name| format!("{name} p95")));
    }
    head.extend(["index", "replicas", "API hours", "runs"].map(str::to_owned));
    let mut align = vec![Align::Right; head.len()];
    if let Some(last) = align.last_mut() {
        *last = Align::Left;
    }
    let mut rows = vec![(Style::Dim, head)];
    let mut above = String::new();
    for point in &answer.shares {
        let complies = matches!(point.status, Status::Optimal | Status::Feasible);
        let mut row = vec![figure::share(point.local_share), money(point.usd_per_month)];
        if upfront {
            row.push(money(point.usd_upfront));
        }
        let both = |worst: Option<f64>, mean: Option<f64>| {
            let (worst, mean) = (ms(worst), ms(mean));
            if worst == mean { worst } else { format!("{worst} / {mean}") }
        };
        if apart {
            row.extend((0..names.len()).map(|at| {
                let of = point.latency.get(at);
                let [worst, mean] =
                    [of.and_then(|of| of.e2e_ms_p95_worst), of.and_then(|of| of.e2e_ms_p95_mean)];
                both(worst, mean)
            }));
        } else {
            let worst = point.latency.iter().map(|of| of.e2e_ms_p95_worst).reduce(|a, b| Some(a?.max(b?)));
            row.push(ms(worst.flatten()));
        }
        row.push(or_dash(point.quality_index, |index| figure::grouped(index, 1)));
        row.push(point.replicas.map_or_else(|| "-".to_owned(), |count| count.to_string()));
        row.push(or_dash(point.overflow_hours_per_month, |hours| figure::trimmed(hours, 0)));
        let said = runs(answer, point);
        // The same refusal once is enough.
        let again = point.refused.is_some() && said == above;
        row.push(if again { "as above".to_owned() } else { said.clone() });
        above = said;
        let style = match (point.optimum, complies) {
            (true, _) => Style::Bold,
            (false, true) => Style::Plain,
            (false, false) => Style::Bad,
        };
        rows.push((style, row));
    }
    sheet.columns(&align, &rows);
}

/// `1.2 million`: three digits of a count.
fn count(requests: f64) -> String {
    figure::grouped(figure::significant(requests, 4), 0)
}

fn times(factor: f64) -> String {
    format!("{}x", figure::trimmed(factor, figure::decimals_for(factor, 4)))
}

fn stage(stage: &Stage) -> String {
    format!("{}: {}", kind(stage.kind), stage.summary)
}

/// Where own engines and hosted models meet, then where the best plan changes.
fn break_evens(sheet: &mut Sheet, answer: &Hybrid) {
    sheet.blank();
    let of = |between: Between| -> Vec<&BreakEven> {
        answer.break_evens.iter().filter(|one| one.between == between).collect()
    };
    let row = |one: &BreakEven, what: String| {
        let usd = money(Some(one.usd_per_month));
        (Style::Plain, vec![times(one.factor), count(one.requests_per_month), usd, what])
    };
    let align = [Align::Right, Align::Right, Align::Right, Align::Left];
    let more = |sheet: &mut Sheet, all: usize| {
        if all > BREAK_EVENS_SHOWN {
            sheet.note("", &format!("and {} more: --format json or csv", all - BREAK_EVENS_SHOWN));
        }
    };
    let crossings = of(Between::LocalAndCloud);
    if crossings.is_empty() {
        sheet.note("break-even", &no_break_even(answer));
    } else {
        let head = ["break-even at", "requests / month", "$ / month", "from there on cheaper alone"];
        let mut rows = vec![(Style::Dim, head.map(str::to_owned).to_vec())];
        rows.extend(crossings.iter().take(BREAK_EVENS_SHOWN).map(|one| row(one, stage(&one.to))));
        sheet.columns(&align, &rows);
        more(sheet, crossings.len());
    }
    let changes = of(Between::BestPlans);
    if changes.is_empty() {
        return;
    }
    sheet.blank();
    let head = ["best from", "requests / month", "$ / month", "cheapest of all from there on"];
    let mut rows = vec![(Style::Dim, head.map(str::to_owned).to_vec())];
    let first = answer.volumes.iter().find_map(|point| Some((point, point.best.as_ref()?)));
    rows.extend(first.map(|(point, best)| {
        let usd = money(point.best_usd_per_month);
        (Style::Plain, vec![times(point.factor), count(point.requests_per_month), usd, stage(best)])
    }));
    rows.extend(changes.iter().take(BREAK_EVENS_SHOWN).map(|one| row(one, stage(&one.to))));
    sheet.columns(&align, &rows);
    more(sheet, changes.len());
}

/// Why own engines and hosted models do not meet.
fn no_break_even(answer: &Hybrid) -> String {
    let both = answer
        .volumes
        .iter()
        .find_map(|point| point.local_usd_per_month.zip(point.cloud_usd_per_month).map(|(l, c)| l < c));
    let any =
        |of: fn(&crate::hybrid::VolumePoint) -> Option<f64>| answer.volumes.iter().any(|p| of(p).is_some());
    let range = match (answer.volumes.first(), answer.volumes.last()) {
        (Some(first), Some(last)) => {
            format!("from {} to {} the file's volume", times(first.factor), times(last.factor))
        }
        _ => "at any volume".to_owned(),
    };
    match both {
        Some(true) => format!("none: own engines alone are cheaper than hosted models alone {range}"),
        Some(false) => format!("none: hosted models alone are cheaper than own engines alone {range}"),
        None if any(|point| point.cloud_usd_per_month) => {
            format!("none: no plan on own engines alone complies {range}{}", because(answer, 1.0))
        }
        None if any(|point| point.local_usd_per_month) => {
            format!("none: no plan on hosted models alone complies {range}{}", because(answer, 0.0))
        }
        None => format!("none: neither own engines alone nor hosted models alone comply {range}"),
    }
}

/// What stands in the way of a share, in brackets.
fn because(answer: &Hybrid, share: f64) -> String {
    let at = answer.shares.iter().find(|point| (point.local_share - share).abs() < 1e-9);
    at.and_then(|point| point.refused.as_ref()).map_or_else(String::new, |told| {
        format!(" ({})", phrase::plain(&phrase::sentence(&told.fact, &answer.requirements)))
    })
}

fn replicas(sheet: &mut Sheet, answer: &Hybrid) {
    if answer.replicas.is_empty() {
        return;
    }
    sheet.blank();
    let head = ["replicas", "$ / month", "local", "its mean use", "runs"].map(str::to_owned).to_vec();
    let mut rows = vec![(Style::Dim, head)];
    for point in &answer.replicas {
        let said = match (&point.refused, point.status) {
            (Some(told), _) => {
                rule(&told.fact).map_or_else(|| "refused".to_owned(), |rule| format!("refused by {rule}"))
            }
            (None, Status::Unknown) => "not solved".to_owned(),
            (None, Status::Infeasible) => "nothing complies with exactly so many".to_owned(),
            (None, Status::Optimal | Status::Feasible) if point.optimum => format!("best: {}", point.summary),
            (None, Status::Optimal | Status::Feasible) => point.summary.clone(),
        };
        rows.push((
            if point.optimum { Style::Bold } else { Style::Plain },
            vec![
                point.replicas.to_string(),
                money(point.usd_per_month),
                or_dash(point.local_share, figure::share),
                or_dash(point.mean_use, |use_| figure::percent(use_, 1)),
                said,
            ],
        ));
    }
    sheet.columns(&[Align::Right, Align::Right, Align::Right, Align::Right, Align::Left], &rows);
    for (at, one) in answer.critical.iter().enumerate() {
        sheet.note(if at == 0 { "a replica" } else { "" }, &critical(answer, one));
    }
}

/// `of replica pays from 42.5 % mean use on: $3.67/h for 4 requests/s, $0.0006 a request at api`.
fn critical(answer: &Hybrid, one: &CriticalUse) -> String {
    let pays = if one.utilisation > 1.0 {
        format!("never pays, it would have to be {} busy", figure::percent(one.utilisation, 1))
    } else {
        format!("pays from {} mean use on", figure::percent(one.utilisation, 1))
    };
    let whom = if answer.requirements.workloads.len() > 1 {
        format!(" with {}", one.workload)
    } else {
        String::new()
    };
    let refused =
        one.hosted_refused_by.as_ref().map_or_else(String::new, |rule| format!(" (refused by {rule})"));
    format!(
        "of {}{whom} {pays}: {}/h for {} requests/s against {} a request at {}{refused}; around the clock it costs what {} \
         requests a month cost there",
        one.engine,
        figure::usd_fine(one.usd_per_hour),
        figure::trimmed(one.capacity_rps, figure::decimals_for(one.capacity_rps, 3)),
        figure::usd_fine(one.usd_per_request),
        one.hosted,
        count(one.break_even_requests_per_month)
    )
}

fn volumes(sheet: &mut Sheet, answer: &Hybrid) {
    // Evenly, the file's own volume and both ends among them.
    let step = answer.volumes.len().saturating_sub(1).div_ceil(VOLUMES_SHOWN - 1).max(1);
    let own = answer.volumes.iter().position(|point| (point.factor - 1.0).abs() < 1e-9).unwrap_or(0);
    let last = answer.volumes.len().saturating_sub(1);
    let among = |at: usize| at % step == own % step || at == 0 || at == last;
    let shown: Vec<_> =
        answer.volumes.iter().enumerate().filter(|(at, _)| among(*at)).map(|(_, point)| point).collect();
    if shown.is_empty() {
        return;
    }
    sheet.blank();
    let head = ["volume", "requests / month", "$ cloud", "$ local", "$ best", "best plan"];
    let mut rows = vec![(Style::Dim, head.map(str::to_owned).to_vec())];
    for point in shown {
        let best = point.best.as_ref().map_or_else(|| "nothing complies".to_owned(), stage);
        let best =
            if point.within_budget || point.best.is_none() { best } else { format!("over budget; {best}") };
        rows.push((
            Style::Plain,
            vec![
                times(point.factor),
                count(point.requests_per_month),
                money(point.cloud_usd_per_month),
                money(point.local_usd_per_month),
                money(point.best_usd_per_month),
                best,
            ],
        ));
    }
    let right = Align::Right;
    sheet.columns(&[right, right, right, right, right, Align::Left], &rows);
}

/// What the answer takes for granted.
fn notices(sheet: &mut Sheet, answer: &Hybrid) {
    sheet.note(
        "read so",
        "local is the share of the month's requests that own engines serve, on rented, bought or owned GPUs; p95 is at \
         the slowest target / over the requests; API hours are those with any request at a hosted model",
    );
    sheet.note(
        "",
        "by volume the limits on money are left out and what is paid once is spread over its months; each plan was \
         solved and verified apart",
    );
    let open = answer.shares.iter().filter(|point| point.status == Status::Feasible);
    if let Some(gap) = open.filter_map(|point| point.gap).reduce(f64::max) {
        let gap = figure::percent(gap, 2);
        sheet
            .note("beware", &format!("some shares are the best found, at most {gap} above the proven bound"));
    }
    for notice in &answer.notices {
        sheet.note("beware", &words(notice));
    }
    for warning in &answer.warnings {
        sheet.note("beware", &warning.sentence);
    }
}

/// What a notice says.
fn words(notice: &Notice) -> String {
    match notice {
        Notice::ObjectiveIsCost { asked } => {
            format!("the file asks for the least {asked} or the best; here every plan is the cheapest")
        }
        Notice::ReplicasOf { engines } => {
            format!("by replicas: {} alone, beside all hosted models", engines.join(" and "))
        }
        Notice::MoreBreakEvens { from_requests_per_month, to_requests_per_month } => {
            #[expect(clippy::cast_precision_loss, reason = "a count for the eye")]
            let (from, to) = (*from_requests_per_month as f64, *to_requests_per_month as f64);
            format!(
                "between {} and {} requests a month the best plan changes more often than is listed",
                count(from),
                count(to)
            )
        }
        Notice::StoppedEarly => {
            "the time was up: points are missing, and answers may differ from run to run".to_owned()
        }
        Notice::GaveUp { words } => format!("a point was not solved: {words}"),
    }
}
