//! Two plots in one file: cost against the share of own engines, and cost against volume.

use std::fmt::Write as _;

use crate::hybrid::{Between, Hybrid, SharePoint, VolumePoint};
use crate::recommendation::Status;
use crate::render::figure;
use crate::render::svg::{close, escape, open, word};
use crate::render::table::kind;

const STYLE: &str = "\
.g{stroke:#d0d7de;fill:none}.i{stroke:#24292f;fill:none}.x{stroke:#cf222e;fill:none;stroke-width:1.6}\
.b{stroke:#0969da;fill:none;stroke-width:2.4}.c{stroke:#bc4c00;fill:none;stroke-width:1.4;stroke-dasharray:6 3}\
.l{stroke:#8250df;fill:none;stroke-width:1.4;stroke-dasharray:2 3}.d{fill:#0969da}.o{fill:#1a7f37}\
.v{stroke:#1a7f37;fill:none;stroke-dasharray:4 3}.k{stroke:#8c959f;fill:none;stroke-dasharray:1 3}\
@media(prefers-color-scheme:dark){.g{stroke:#30363d}.i{stroke:#e6edf3}.b{stroke:#58a6ff}.c{stroke:#f0883e}\
.l{stroke:#bc8cff}.d{fill:#58a6ff}.o{fill:#3fb950}.v{stroke:#3fb950}.x{stroke:#ff7b72}}";

/// Left edge, width and height of a field; where each begins.
const LEFT: f64 = 84.0;
const WIDTH: f64 = 600.0;
const HEIGHT: f64 = 260.0;
const TOPS: [f64; 2] = [64.0, 444.0];
/// Height of the whole.
const ALL: f64 = 780.0;

/// The answer as an SVG file.
#[must_use]
pub fn svg(answer: &Hybrid) -> String {
    let title = format!("{}: own engines or hosted models", answer.requirements.name);
    let mut out = open(LEFT + WIDTH + 28.0, ALL, &title, STYLE);
    word(&mut out, "h", LEFT, 22.0, &title);
    by_share(&mut out, answer);
    by_volume(&mut out, answer);
    close(&mut out);
    out
}

/// A mark with words that appear when it is pointed at.
fn tooltip(out: &mut String, shape: &str, words: &str) {
    let _ = writeln!(out, "{shape}<title>{}</title></{}>", escape(words), name_of(shape));
}

/// `circle` of `<circle …>`.
fn name_of(shape: &str) -> &str {
    shape.trim_start_matches('<').split([' ', '>']).next().unwrap_or("g")
}

fn frame(out: &mut String, top: f64, title: &str, across: &str, up: &str) {
    word(out, "h", LEFT, top - 14.0, title);
    let _ =
        writeln!(out, "<rect class=\"i\" x=\"{LEFT}\" y=\"{top}\" width=\"{WIDTH}\" height=\"{HEIGHT}\"/>");
    word(out, "m", LEFT + WIDTH / 2.0, top + HEIGHT + 36.0, across);
    let (x, y) = (16.0, top + HEIGHT / 2.0);
    let _ =
        writeln!(out, "<text class=\"m\" transform=\"translate({x} {y}) rotate(-90)\">{}</text>", escape(up));
}

/// A line through points, broken where one is missing.
fn line(out: &mut String, class: &str, points: impl Iterator<Item = Option<(f64, f64)>>) {
    let mut path = String::new();
    let mut begun = false;
    for point in points {
        if let Some((x, y)) = point {
            let _ = write!(path, "{}{x:.1} {y:.1}", if begun { "L" } else { "M" });
        }
        begun = point.is_some();
    }
    if !path.is_empty() {
        let _ = writeln!(out, "<path class=\"{class}\" d=\"{path}\"/>");
    }
}

fn by_share(out: &mut String, answer: &Hybrid) {
    let top = TOPS[0];
    let costs = || answer.shares.iter().filter_map(cost);
    let most = costs().fold(0.0, f64::max).max(1e-9) * 1.08;
    let x = |share: f64| LEFT + share * WIDTH;
    let y = |usd: f64| top + HEIGHT - usd / most * HEIGHT;
    for k in 0..=5 {
        let part = f64::from(k) / 5.0;
        let (across, up) = (x(part), top + HEIGHT - part * HEIGHT);
        let _ = writeln!(out, "<path class=\"g\" d=\"M{across:.1} {top}v{HEIGHT}M{LEFT} {up:.1}h{WIDTH}\"/>");
        word(out, "m", across, top + HEIGHT + 16.0, &figure::percent(part, 0));
        word(out, "n", LEFT - 6.0, up + 4.0, &axis_money(part * most));
    }
    line(out, "b", answer.shares.iter().map(|point| cost(point).map(|usd| (x(point.local_share), y(usd)))));
    for point in &answer.shares {
        let across = x(point.local_share);
        let share = figure::share(point.local_share);
        let refused = point.refused.as_ref().map(|told| told.sentence.as_str()).unwrap_or_default();
        match cost(point) {
            Some(usd) => {
                let up = y(usd);
                let bill = figure::usd(usd);
                let complies = matches!(point.status, Status::Optimal | Status::Feasible);
                let words = if complies {
                    format!("{share} local: {bill} a month, {}", point.summary)
                } else {
                    format!("{share} local: {bill} a month, but {refused}")
                };
                let shape = match (point.optimum, complies) {
                    (true, _) => format!("<circle class=\"o\" cx=\"{across:.1}\" cy=\"{up:.1}\" r=\"7\">"),
                    (false, true) => {
                        format!("<circle class=\"d\" cx=\"{across:.1}\" cy=\"{up:.1}\" r=\"4\">")
                    }
                    (false, false) => cross(across, up),
                };
                tooltip(out, &shape, &words);
                if point.optimum {
                    let class = if point.local_share > 0.7 { "n" } else { "" };
                    let beside = if point.local_share > 0.7 { across - 10.0 } else { across + 10.0 };
                    word(out, class, beside, up + 18.0, &format!("optimum: {bill}, {share} local"));
                }
            }
            None => tooltip(
                out,
                &cross(across, top + HEIGHT),
                &format!("{share} local: nothing complies. {refused}"),
            ),
        }
    }
    frame(
        out,
        top,
        "Cost against local share",
        "share of the month's requests on own engines; crosses break a rule",
        "USD a month",
    );
}

fn cross(x: f64, y: f64) -> String {
    format!("<path class=\"x\" d=\"M{:.1} {:.1}l8 8m0-8l-8 8\">", x - 4.0, y - 4.0)
}

/// Bill of a point with what is paid once spread over its months.
fn cost(point: &SharePoint) -> Option<f64> {
    Some(point.usd_per_month? + point.usd_amortised.unwrap_or(0.0))
}

fn axis_money(usd: f64) -> String {
    format!("${}", figure::grouped(usd, if usd < 10.0 { 2 } else { 0 }))
}

fn by_volume(out: &mut String, answer: &Hybrid) {
    let top = TOPS[1];
    let all = |point: &VolumePoint| {
        [point.cloud_usd_per_month, point.local_usd_per_month, point.best_usd_per_month]
    };
    let costs = || answer.volumes.iter().flat_map(all).flatten().filter(|usd| *usd > 0.0);
    let low = costs().fold(f64::INFINITY, f64::min);
    let high = costs().fold(0.0, f64::max);
    let (Some(first), Some(last)) = (answer.volumes.first(), answer.volumes.last()) else { return };
    let (least, most) = if low.is_finite() { (low.log10() - 0.05, high.log10() + 0.05) } else { (0.0, 1.0) };
    let (from, to) = (first.requests_per_month.log10(), last.requests_per_month.log10());
    let x = |requests: f64| LEFT + (requests.log10() - from) / (to - from).max(1e-9) * WIDTH;
    let y = |usd: f64| top + HEIGHT - (usd.log10() - least) / (most - least).max(1e-9) * HEIGHT;
    for (value, label) in decades(from, to) {
        let across = x(value);
        let _ = writeln!(out, "<path class=\"g\" d=\"M{across:.1} {top}v{HEIGHT}\"/>");
        word(out, "m", across, top + HEIGHT + 16.0, &label);
    }
    for (value, label) in decades(least, most) {
        let up = y(value);
        let _ = writeln!(out, "<path class=\"g\" d=\"M{LEFT} {up:.1}h{WIDTH}\"/>");
        word(out, "n", LEFT - 6.0, up + 4.0, &format!("${label}"));
    }
    type Curve = (&'static str, &'static str, fn(&VolumePoint) -> Option<f64>);
    let curves: [Curve; 3] = [
        ("c", "hosted models alone", |point| point.cloud_usd_per_month),
        ("l", "own engines alone", |point| point.local_usd_per_month),
        ("b", "best plan", |point| point.best_usd_per_month),
    ];
    for (at, (class, name, of)) in (0..).zip(curves) {
        let known = |point: &VolumePoint| of(point).filter(|usd| *usd > 0.0);
        line(
            out,
            class,
            answer.volumes.iter().map(|point| known(point).map(|usd| (x(point.requests_per_month), y(usd)))),
        );
        let at: u32 = at;
        let up = top + 16.0 + 18.0 * f64::from(at);
        let _ = writeln!(out, "<path class=\"{class}\" d=\"M{} {up:.0}h28\"/>", LEFT + 10.0);
        word(out, "", LEFT + 44.0, up + 4.0, name);
    }
    for point in &answer.volumes {
        if let (Some(usd), Some(best)) = (point.best_usd_per_month.filter(|usd| *usd > 0.0), &point.best) {
            let requests = figure::grouped(figure::significant(point.requests_per_month, 4), 0);
            let over = if point.within_budget { "" } else { ", over budget" };
            let words = format!(
                "{requests} requests a month: {} a month{over}, {}: {}",
                figure::usd(usd),
                kind(best.kind),
                best.summary
            );
            let (across, up) = (x(point.requests_per_month), y(usd));
            tooltip(out, &format!("<circle class=\"d\" cx=\"{across:.1}\" cy=\"{up:.1}\" r=\"3\">"), &words);
        }
    }
    for one in &answer.break_evens {
        let across = x(one.requests_per_month);
        let requests = figure::grouped(figure::significant(one.requests_per_month, 4), 0);
        let (from, to) = (kind(one.from.kind), kind(one.to.kind));
        let (class, words) = match one.between {
            Between::LocalAndCloud => {
                ("v", format!("{requests} requests a month: {from} alone is cheaper below, {to} alone above"))
            }
            Between::BestPlans => (
                "k",
                format!("{requests} requests a month: {from} {} → {to} {}", one.from.summary, one.to.summary),
            ),
        };
        tooltip(out, &format!("<path class=\"{class}\" d=\"M{across:.1} {top}v{HEIGHT}\">"), &words);
        if one.between == Between::LocalAndCloud {
            word(out, "n", across - 4.0, top + HEIGHT - 8.0, &format!("break-even {requests}"));
        }
    }
    let here = first.requests_per_month / first.factor;
    word(out, "m", x(here), top + HEIGHT + 52.0, "↑ the file's volume");
    frame(
        out,
        top,
        "Cost against volume",
        "requests a month (log); lines upright are break-evens",
        "USD a month (log), limits on money left out",
    );
}

/// Powers of ten between two exponents.
fn decades(least: f64, most: f64) -> Vec<(f64, String)> {
    #[expect(clippy::cast_possible_truncation, reason = "exponents are small")]
    let range = least.ceil() as i32..=most.floor() as i32;
    range
        .map(|exponent| {
            let digits = usize::try_from(-exponent).unwrap_or(0);
            let value = 10_f64.powi(exponent);
            (value, figure::grouped(value, digits))
        })
        .collect()
}
