//! A Pareto set as a table and as SVG, written by hand: cost across, quality up, latency said beside each point.

use std::fmt::Write as _;

use super::figure;
use super::paint::{Align, Sheet, Style};
use crate::explain::summary;
use crate::recommendation::{ParetoPoint, Recommendation};

/// The section of the table: one row a point, cheapest first.
pub(super) fn write(sheet: &mut Sheet, points: &[ParetoPoint]) {
    if points.is_empty() {
        return;
    }
    sheet.blank();
    let head = ["pareto", "$ / month", "index", "p95 e2e ms", "plan"].map(str::to_owned).to_vec();
    let mut rows = vec![(Style::Dim, head)];
    for (number, point) in (1..).zip(points) {
        let n: u32 = number;
        rows.push((
            Style::Plain,
            vec![
                n.to_string(),
                figure::grouped(point.usd_per_month, 2),
                point.quality_index.map_or_else(|| "-".to_owned(), |index| figure::trimmed(index, 1)),
                point.e2e_ms_p95.map_or_else(|| "-".to_owned(), |ms| figure::grouped(ms, 0)),
                summary(&point.plan),
            ],
        ));
    }
    sheet.columns(&[Align::Right, Align::Right, Align::Right, Align::Right, Align::Left], &rows);
}

const STYLE: &str = "\
text{font:12px system-ui,sans-serif;fill:#24292f}.n{text-anchor:end}.m{text-anchor:middle}.h{font-weight:600}\
.w{fill:#fff}.g{stroke:#d0d7de;fill:none}.i{stroke:#24292f;fill:none}.d{fill:#0969da}.l{stroke:#0969da;fill:none;\
stroke-dasharray:3 3}\
@media(prefers-color-scheme:dark){text{fill:#e6edf3}.w{fill:#0d1117}.g{stroke:#30363d}.i{stroke:#e6edf3}.d{fill:#58a6ff}\
.l{stroke:#58a6ff}}";

/// Left, top, width, height of the field.
const FIELD: (f64, f64, f64, f64) = (70.0, 40.0, 560.0, 320.0);
/// Height of a line of the legend.
const LINE: f64 = 18.0;
/// Smallest and largest radius of a mark: slower points are larger.
const RADIUS: (f64, f64) = (4.0, 11.0);

/// The set as an SVG file; `None` without points.
#[must_use]
pub fn svg(answer: &Recommendation) -> Option<String> {
    let points = &answer.pareto;
    let first = points.first()?;
    let (left, top, width, height) = FIELD;
    // Without a known quality, latency stands upwards.
    let by_quality = first.quality_index.is_some();
    let up_of =
        |point: &ParetoPoint| if by_quality { point.quality_index } else { point.e2e_ms_p95 }.unwrap_or(0.0);
    let (low, high) = span(points.iter().map(|point| point.usd_per_month));
    let (bottom, ceiling) = span(points.iter().map(up_of));
    let (fast, slow) = span(points.iter().filter_map(|point| point.e2e_ms_p95));
    let x = |usd: f64| left + (usd - low) / (high - low) * width;
    let y = |value: f64| top + height - (value - bottom) / (ceiling - bottom) * height;
    let title = format!("{}: cost, quality and latency", answer.requirements.name);
    #[expect(clippy::cast_precision_loss, reason = "at most a dozen points")]
    let total = top + height + 64.0 + LINE * points.len() as f64;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {w} {total}\" width=\"{w}\" height=\"{total}\" \
         role=\"img\" aria-label=\"{t}\">\n<title>{t}</title>\n<style>{STYLE}</style>\n<rect class=\"w\" width=\"{w}\" \
         height=\"{total}\"/>\n",
        w = left + width + 20.0,
        t = escape(&title)
    );
    text(&mut out, "h", left, 18.0, &title);
    for tick in 0..=4 {
        let part = f64::from(tick) / 4.0;
        let (usd, value) = (low + part * (high - low), bottom + part * (ceiling - bottom));
        let (across, up) = (x(usd), y(value));
        let _ = writeln!(out, "<path class=\"g\" d=\"M{across:.1} {top}v{height}M{left} {up:.1}h{width}\"/>");
        text(&mut out, "m", across, top + height + 16.0, &figure::usd_plain(usd.round()));
        text(&mut out, "n", left - 6.0, up + 4.0, &figure::trimmed(value, usize::from(by_quality)));
    }
    let path: Vec<String> =
        points.iter().map(|p| format!("{:.1} {:.1}", x(p.usd_per_month), y(up_of(p)))).collect();
    let _ = writeln!(out, "<path class=\"l\" d=\"M{}\"/>", path.join("L"));
    for (number, point) in (1..).zip(points) {
        let n: u32 = number;
        let (across, up) = (x(point.usd_per_month), y(up_of(point)));
        let slowness = point.e2e_ms_p95.map_or(0.0, |ms| (ms - fast) / (slow - fast));
        let radius = RADIUS.0 + (RADIUS.1 - RADIUS.0) * slowness.clamp(0.0, 1.0);
        let _ = writeln!(out, "<circle class=\"d\" cx=\"{across:.1}\" cy=\"{up:.1}\" r=\"{radius:.1}\"/>");
        text(&mut out, "h", across + radius + 3.0, up - 4.0, &n.to_string());
        let p95 =
            point.e2e_ms_p95.map_or_else(String::new, |ms| format!(" · p95 {} ms", figure::grouped(ms, 0)));
        let index =
            point.quality_index.map_or_else(String::new, |i| format!(" · index {}", figure::trimmed(i, 1)));
        let bill = figure::usd(point.usd_per_month);
        let line = format!("{n}. {bill} / month{index}{p95} · {}", summary(&point.plan));
        text(&mut out, "", left, top + height + 46.0 + LINE * f64::from(n), &line);
    }
    let _ =
        writeln!(out, "<rect class=\"i\" x=\"{left}\" y=\"{top}\" width=\"{width}\" height=\"{height}\"/>");
    text(&mut out, "m", left + width / 2.0, top + height + 36.0, "USD a month; larger marks are slower");
    let (across, middle) = (16.0, top + height / 2.0);
    let what = if by_quality { "mean quality index" } else { "mean p95 end to end, ms" };
    let _ = writeln!(
        out,
        "<text class=\"m\" transform=\"translate({across} {middle}) rotate(-90)\">{what}</text>\n</svg>"
    );
    Some(out)
}

/// From the least to the most with a margin, never empty.
fn span(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let (least, most) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), v| (a.min(v), b.max(v)));
    if !least.is_finite() {
        return (0.0, 1.0);
    }
    let margin = (0.06 * (most - least)).max(1e-3 * most.abs()).max(1e-9);
    (least - margin, most + margin)
}

fn text(out: &mut String, class: &str, x: f64, y: f64, words: &str) {
    let _ = writeln!(out, "<text class=\"{class}\" x=\"{x:.0}\" y=\"{y:.0}\">{}</text>", escape(words));
}

/// Text as XML holds it.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
