//! The regime map as a heat map: a hue for each kind, a shade and a letter for each structure.

use std::fmt::Write as _;

use super::{label, mark, named, targets};
use crate::recommendation::{Kind, Status};
use crate::regimes::{Cell, Regimes};
use crate::render::figure;
use crate::render::svg::{close, escape, open, word};
use crate::render::table::kind;

const STYLE: &str = ".n0{fill:#d0d7de}.u{fill:none;stroke:#8c959f}.t{fill:#1f2328}.l{fill:#1f2328}\
@media(prefers-color-scheme:dark){.n0{fill:#30363d}.t{fill:#0d1117}}";

/// Left edge and top of the map; width and height it may take.
const LEFT: f64 = 110.0;
const TOP: f64 = 48.0;
const WIDTH: f64 = 620.0;
const HEIGHT: f64 = 420.0;
/// Height of a line of the legend.
const LINE: f64 = 20.0;
/// Lines of the legend.
const LINES_MAX: usize = 30;
/// Labels below the map stand at least so far apart.
const LABEL_WIDTH: f64 = 56.0;

/// The answer as an SVG file.
#[must_use]
pub fn svg(answer: &Regimes) -> String {
    let (columns, rows) = (count(answer.x.values.len()), count(answer.y.values.len()));
    let (wide, high) = ((WIDTH / columns).min(60.0), (HEIGHT / rows).min(40.0));
    let bottom = TOP + high * rows;
    let lines = answer.structures.len().min(LINES_MAX);
    let title =
        format!("{}: which plan wins by {} and {}", answer.requirements.name, answer.x.axis, answer.y.axis);
    let mut out = open(LEFT + WIDTH + 30.0, bottom + 70.0 + LINE * count(lines + 2), &title, STYLE);
    word(&mut out, "h", LEFT, 22.0, &title);
    for cell in &answer.cells {
        let (x, y) = (LEFT + wide * f64::from(cell.x), bottom - high * (f64::from(cell.y) + 1.0));
        let class = match (cell.kind, cell.status) {
            (Some(_), _) => String::new(),
            (None, Status::Unknown) => " class=\"u\"".to_owned(),
            (None, _) => " class=\"n0\"".to_owned(),
        };
        let fill = cell
            .structure
            .as_deref()
            .map_or_else(String::new, |mark| format!(" fill=\"{}\"", shade(answer, mark)));
        let (w, h) = (wide - 1.0, high - 1.0);
        let _ = writeln!(
            out,
            "<g><rect{class}{fill} x=\"{x:.1}\" y=\"{y:.1}\" width=\"{w:.1}\" height=\"{h:.1}\"/><text class=\"m t\" \
             x=\"{:.1}\" y=\"{:.1}\">{}</text><title>{}</title></g>",
            x + w / 2.0,
            y + h / 2.0 + 4.0,
            escape(mark(cell)),
            escape(&tooltip(answer, cell))
        );
    }
    for (y, value) in answer.y.values.iter().enumerate() {
        word(&mut out, "n", LEFT - 6.0, bottom - high * (count(y) + 0.5) + 4.0, &label(value));
    }
    let mut free = 0.0;
    for (x, value) in answer.x.values.iter().enumerate() {
        let at = LEFT + wide * (count(x) + 0.5);
        if at >= free {
            word(&mut out, "m", at, bottom + 16.0, &label(value));
            free = at + LABEL_WIDTH;
        }
    }
    word(
        &mut out,
        "m",
        LEFT + wide * columns / 2.0,
        bottom + 36.0,
        &format!("{} ({})", answer.x.axis, answer.x.unit),
    );
    let middle = TOP + high * rows / 2.0;
    let up = escape(&format!("{} ({})", answer.y.axis, answer.y.unit));
    let _ =
        writeln!(out, "<text class=\"m\" transform=\"translate(16 {middle:.0}) rotate(-90)\">{up}</text>");
    legend(&mut out, answer, bottom + 60.0);
    close(&mut out);
    out
}

fn count(of: usize) -> f64 {
    u32::try_from(of).map_or(f64::MAX, f64::from)
}

/// A colour of the kind's hue, lighter for structures that win less often.
fn shade(answer: &Regimes, mark: &str) -> String {
    let Some(structure) = answer.structures.iter().find(|one| one.mark == mark) else {
        return "#d0d7de".to_owned();
    };
    let (hue, saturation) = match structure.kind {
        Kind::Local => (212, 80),
        Kind::Cloud => (30, 90),
        Kind::Hybrid => (140, 45),
    };
    let of_kind = || answer.structures.iter().filter(|one| one.kind == structure.kind);
    let rank = of_kind().position(|one| one.mark == mark).unwrap_or(0);
    let light = (58 + 6 * rank).min(88);
    format!("hsl({hue} {saturation}% {light}%)")
}

fn tooltip(answer: &Regimes, cell: &Cell) -> String {
    let value = |scale: &crate::regimes::Scale, at: u32| {
        scale.values.get(at as usize).map_or_else(String::new, |value| named(scale, value))
    };
    let place = format!("{}, {}", value(&answer.x, cell.x), value(&answer.y, cell.y));
    let what = match (cell.kind, cell.usd_per_month) {
        (Some(of), Some(usd)) => format!("{}, {} a month: {}", kind(of), figure::usd(usd), cell.summary),
        _ if cell.status == Status::Unknown => "not solved".to_owned(),
        _ => format!("nothing complies. {}", cell.refused.as_ref().map_or("", |told| &told.sentence)),
    };
    format!("{place}: {what}")
}

fn legend(out: &mut String, answer: &Regimes, top: f64) {
    let line = |out: &mut String, at: usize, fill: &str, sign: &str, words: &str| {
        let y = top + LINE * count(at);
        let _ = writeln!(out, "<rect {fill} x=\"{LEFT}\" y=\"{y:.0}\" width=\"18\" height=\"16\"/>");
        word(out, "m t", LEFT + 9.0, y + 12.0, sign);
        word(out, "", LEFT + 26.0, y + 12.0, words);
    };
    for (at, structure) in answer.structures.iter().take(LINES_MAX).enumerate() {
        let words = format!("{}: {} ({} cells)", kind(structure.kind), targets(structure), structure.cells);
        line(out, at, &format!("fill=\"{}\"", shade(answer, &structure.mark)), &structure.mark, &words);
    }
    if answer.cells.iter().any(|cell| cell.kind.is_none()) {
        let at = answer.structures.len().min(LINES_MAX);
        line(out, at, "class=\"n0\"", super::NOTHING, "nothing complies");
    }
}
