//! Plots as SVG, written by hand: readable on light and on dark ground, in grey, and the same bytes for the same points.
//!
//! In: points. Out: the text of an SVG file. Classes differ by shape as well as by colour. It knows no measurement.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::render::svg::{close, escape, open, word};

/// Names of the two classes, in the order of the points' flag.
const CLASSES: [&str; 2] = ["dense", "MoE"];
/// Colours, line widths and fonts; both grounds bring their own.
const STYLE: &str = "\
.g{stroke:#d0d7de;fill:none}.i{stroke:#24292f;fill:none}.p{fill:#8c959f;fill-opacity:.16}\
.d0{stroke:#0969da;stroke-width:4;stroke-linecap:round;fill:none;stroke-opacity:.55}\
.d1{stroke:#bc4c00;stroke-width:1.2;fill:none;stroke-opacity:.8}\
.s0{stroke:#0969da;fill:none;stroke-width:1.6}.s1{stroke:#bc4c00;fill:none;stroke-width:1.6;stroke-dasharray:6 3}\
@media(prefers-color-scheme:dark){.g{stroke:#30363d}.i{stroke:#e6edf3}\
.p{fill:#8b949e;fill-opacity:.22}.d0,.s0{stroke:#58a6ff}.d1,.s1{stroke:#f0883e}}";

/// Left, top, width and height of the field of a scatter plot.
const FIELD: (f64, f64, f64) = (64.0, 40.0, 440.0);

/// A mark of a class: a dot, or a cross.
fn mark(mixture: bool, x: f64, y: f64) -> String {
    if mixture { format!("M{:.0} {:.0}l5 5m0-5l-5 5", x - 2.5, y - 2.5) } else { format!("M{x:.0} {y:.0}h0") }
}

/// Predicted against measured, both axes logarithmic, with bands of 10 % and 35 %; `None` without points.
///
/// A point is measured, predicted, and whether it is a mixture.
pub(super) fn scatter(title: &str, unit: &str, points: &[(f64, f64, bool)]) -> Option<String> {
    let figures = || points.iter().flat_map(|(a, b, _)| [*a, *b]).filter(|figure| *figure > 0.0);
    let least = figures().min_by(f64::total_cmp)?.log10() - 0.05;
    let most = (figures().max_by(f64::total_cmp)?.log10() + 0.05).max(least + 0.3);
    let (left, top, side) = FIELD;
    let x = |figure: f64| left + (figure.log10() - least) / (most - least) * side;
    let y = |figure: f64| top + side - (figure.log10() - least) / (most - least) * side;
    let mut out = open(left + side + 16.0, top + side + 56.0, title, STYLE);
    word(&mut out, "h", left, 18.0, title);
    for (figure, label) in ticks(least, most) {
        let (across, up) = (x(figure), y(figure));
        let _ = writeln!(out, "<path class=\"g\" d=\"M{across:.1} {top}v{side}M{left} {up:.1}h{side}\"/>",);
        word(&mut out, "m", across, top + side + 16.0, &label);
        word(&mut out, "n", left - 6.0, up + 4.0, &label);
    }
    let _ = writeln!(
        out,
        "<clipPath id=\"f\"><rect x=\"{left}\" y=\"{top}\" width=\"{side}\" height=\"{side}\"/></clipPath>"
    );
    let _ = writeln!(out, "<g clip-path=\"url(#f)\">");
    let (low, high) = (10_f64.powf(least), 10_f64.powf(most));
    for band in [0.35, 0.10] {
        let (over, under) = (1.0 + band, 1.0 - band);
        let _ = writeln!(
            out,
            "<path class=\"p\" d=\"M{:.1} {:.1}L{:.1} {:.1}L{:.1} {:.1}L{:.1} {:.1}z\"/>",
            x(low),
            y(low * over),
            x(high),
            y(high * over),
            x(high),
            y(high * under),
            x(low),
            y(low * under)
        );
    }
    let _ =
        writeln!(out, "<path class=\"i\" d=\"M{:.1} {:.1}L{:.1} {:.1}\"/>", x(low), y(low), x(high), y(high));
    let mut legend = Vec::new();
    for (class, name) in CLASSES.iter().enumerate() {
        let own =
            points.iter().filter(|(a, b, mixture)| usize::from(*mixture) == class && *a > 0.0 && *b > 0.0);
        let count = own.clone().count();
        // Points that would lie on one another are drawn once.
        let marks: BTreeSet<String> = own.map(|(a, b, mixture)| mark(*mixture, x(*a), y(*b))).collect();
        if count > 0 {
            let marks: String = marks.into_iter().collect();
            let _ = writeln!(out, "<path class=\"d{class}\" d=\"{marks}\"/>");
            legend.push((class, format!("{name} ({count})")));
        }
    }
    out.push_str("</g>\n");
    let _ = writeln!(out, "<rect class=\"i\" x=\"{left}\" y=\"{top}\" width=\"{side}\" height=\"{side}\"/>");
    for (at, (class, name)) in legend.iter().enumerate() {
        #[expect(clippy::cast_precision_loss, reason = "two entries")]
        let up = top + 18.0 + 18.0 * at as f64;
        let _ =
            writeln!(out, "<path class=\"d{class}\" d=\"{}\"/>", mark(*class == 1, left + 14.0, up - 4.0));
        word(&mut out, "", left + 24.0, up, name);
    }
    word(&mut out, "n", left + side - 6.0, top + side - 10.0, "bands: 10 % and 35 %");
    word(&mut out, "m", left + side / 2.0, top + side + 38.0, &format!("measured, {unit}"));
    let (across, up) = (14.0, top + side / 2.0);
    let _ = writeln!(
        out,
        "<text class=\"m\" transform=\"translate({across} {up}) rotate(-90)\">predicted, {}</text>",
        escape(unit)
    );
    close(&mut out);
    Some(out)
}

/// Figures with a line, 1-2-5 where there is room.
fn ticks(least: f64, most: f64) -> Vec<(f64, String)> {
    let steps: &[f64] = if most - least > 2.6 { &[1.0] } else { &[1.0, 2.0, 5.0] };
    #[expect(clippy::cast_possible_truncation, reason = "exponents are small")]
    let decades = least.floor() as i32..=most.ceil() as i32;
    decades
        .flat_map(|decade| steps.iter().map(move |step| (step * 10_f64.powi(decade), decade)))
        .filter(|(figure, _)| (least..=most).contains(&figure.log10()))
        .map(|(figure, decade)| {
            let digits = usize::try_from(-decade).unwrap_or(0);
            (figure, format!("{figure:.digits$}"))
        })
        .collect()
}

/// A line of the coverage plot: its name, its class, and points of nominal and achieved shares.
pub(super) struct Line {
    pub(super) name: String,
    pub(super) mixture: bool,
    pub(super) points: Vec<(f64, f64)>,
}

/// Achieved against nominal coverage, a panel for each class; `None` without lines.
pub(super) fn coverage(title: &str, lines: &[Line]) -> Option<String> {
    if lines.is_empty() {
        return None;
    }
    const SIDE: f64 = 250.0;
    const NAMES: f64 = 130.0;
    let top = 60.0;
    let mut out = open(2.0 * (SIDE + NAMES) + 60.0, top + SIDE + 56.0, title, STYLE);
    word(&mut out, "h", 60.0, 18.0, title);
    for (class, name) in CLASSES.iter().enumerate() {
        let left = if class == 0 { 60.0 } else { 60.0 + SIDE + NAMES };
        let part = |share: f64| share * SIDE;
        let (x, y) = (|share: f64| left + part(share), |share: f64| top + SIDE - part(share));
        word(&mut out, "m", left + SIDE / 2.0, top - 12.0, name);
        for share in super::coverage::LEVELS {
            let (across, up) = (x(share), y(share));
            let _ =
                writeln!(out, "<path class=\"g\" d=\"M{across:.1} {top}v{SIDE}M{left} {up:.1}h{SIDE}\"/>");
            let label = format!("{:.0}", 100.0 * share);
            // 95 would stand on 90.
            if share < 0.92 {
                word(&mut out, "m", across, top + SIDE + 16.0, &label);
                if class == 0 {
                    word(&mut out, "n", left - 6.0, up + 4.0, &label);
                }
            }
        }
        let _ =
            writeln!(out, "<rect class=\"i\" x=\"{left}\" y=\"{top}\" width=\"{SIDE}\" height=\"{SIDE}\"/>");
        let _ = writeln!(
            out,
            "<path class=\"i\" d=\"M{:.1} {:.1}L{:.1} {:.1}\"/>",
            x(0.0),
            y(0.0),
            x(1.0),
            y(1.0)
        );
        let mut own: Vec<&Line> = lines.iter().filter(|line| usize::from(line.mixture) == class).collect();
        let end = |line: &Line| line.points.last().map_or(0.0, |point| point.1);
        own.sort_by(|a, b| end(b).total_cmp(&end(a)).then_with(|| a.name.cmp(&b.name)));
        let mut label_at = top - 8.0;
        for line in own {
            let mut path = String::new();
            for (at, (nominal, achieved)) in line.points.iter().enumerate() {
                let _ =
                    write!(path, "{}{:.1} {:.1}", if at == 0 { "M" } else { "L" }, x(*nominal), y(*achieved));
            }
            let _ = writeln!(out, "<path class=\"s{class}\" d=\"{path}\"/>");
            let marks: String = line
                .points
                .iter()
                .map(|(nominal, achieved)| mark(class == 1, x(*nominal), y(*achieved)))
                .collect();
            let _ = writeln!(out, "<path class=\"d{class}\" d=\"{marks}\"/>");
            // Names stand under one another, at the height of their line where there is room.
            label_at = (label_at + 14.0).max(y(end(line)) + 4.0);
            let (from, to) = (x(0.95), left + SIDE + 6.0);
            let _ = writeln!(
                out,
                "<path class=\"g\" d=\"M{from:.1} {:.1}L{to:.1} {:.1}\"/>",
                y(end(line)),
                label_at - 4.0
            );
            word(&mut out, "", to + 2.0, label_at, &line.name);
        }
        word(&mut out, "m", left + SIDE / 2.0, top + SIDE + 38.0, "stated, %");
    }
    let _ = writeln!(
        out,
        "<text class=\"m\" transform=\"translate(16 {:.0}) rotate(-90)\">achieved, %</text>",
        top + SIDE / 2.0
    );
    close(&mut out);
    Some(out)
}
