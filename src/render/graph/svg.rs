//! The request path as SVG: a column for each kind of stop, boxes in the order of the plan, curves with their shares.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use unicode_width::UnicodeWidthStr;

use super::{share, words};
use crate::graph::{RequestPath, Stop, Way};
use crate::render::svg::{close, open, word};

/// Colours and lines beside those of every drawing.
const STYLE: &str = ".e{fill:none;stroke:#57606a;stroke-width:1.4;marker-end:url(#a)}.a{fill:#57606a}.f{stroke-dasharray:5 4}\
.b{fill:#f6f8fa;stroke:#57606a}.l{fill:#ddf4ff;stroke:#0969da}.c{fill:#fff1e5;stroke:#bc4c00}.s{font-size:11px}\
@media(prefers-color-scheme:dark){.e{stroke:#8b949e}.a{fill:#8b949e}.b{fill:#161b22;stroke:#8b949e}.l{fill:#0c2d6b;stroke:#58a6ff}\
.c{fill:#5a1e02;stroke:#f0883e}}";

/// The end of a way.
const ARROW: &str = "<marker id=\"a\" viewBox=\"0 0 8 8\" refX=\"8\" refY=\"4\" markerWidth=\"8\" markerHeight=\"8\" \
orient=\"auto\"><path class=\"a\" d=\"M0 0L8 4L0 8z\"/></marker>\n";

/// Height of a box, and of a row with the room between.
const BOX: f64 = 34.0;
const ROW: f64 = 62.0;
/// Room between columns, where shares are written.
const GAP: f64 = 150.0;
/// Room around everything.
const EDGE: f64 = 20.0;
/// Room for the title.
const TOP: f64 = 44.0;

struct Placed {
    x: f64,
    y: f64,
    width: f64,
}

#[expect(clippy::cast_precision_loss, reason = "a handful of boxes and letters")]
pub(super) fn svg(path: &RequestPath, name: &str) -> String {
    let behind: Vec<usize> =
        path.ways().filter(|(_, _, way)| matches!(way, Way::Fallback(_))).map(|(_, to, _)| to).collect();
    let leads: Vec<usize> =
        path.ways().filter(|(_, _, way)| matches!(way, Way::Share { .. })).map(|(_, to, _)| to).collect();
    let column = |at: usize, stop: &Stop| match stop {
        Stop::Workload(_) => 0,
        Stop::Cache(_) => 1,
        Stop::Router => 2,
        // What only takes over stands behind the others.
        Stop::Target { .. } if behind.contains(&at) && !leads.contains(&at) => 4,
        Stop::Target { .. } => 3,
    };
    let mut columns: BTreeMap<usize, Vec<(usize, String)>> = BTreeMap::new();
    for (at, stop) in path.stops() {
        columns.entry(column(at, stop)).or_default().push((at, words(stop)));
    }
    let tallest = columns.values().map(Vec::len).max().unwrap_or(0) as f64;
    let mut placed: BTreeMap<usize, Placed> = BTreeMap::new();
    let mut x = EDGE;
    for stops in columns.values() {
        let width = stops.iter().map(|(_, text)| 7.0 * text.width() as f64 + 20.0).fold(0.0, f64::max);
        let first = TOP + (tallest - stops.len() as f64) * ROW / 2.0;
        for (row, (at, _)) in stops.iter().enumerate() {
            placed.insert(*at, Placed { x, y: first + row as f64 * ROW, width });
        }
        x += width + GAP;
    }
    let (width, height) = ((x - GAP + EDGE).max(240.0), TOP + tallest * ROW + EDGE / 2.0);
    let title = format!("Request path of {name}");
    let mut out = open(width, height, &title, STYLE);
    word(&mut out, "h", EDGE, 24.0, &title);
    out.push_str(ARROW);
    for (from, to, way) in path.ways() {
        let (a, b) = (&placed[&from], &placed[&to]);
        let (x0, y0) = (a.x + a.width, a.y + BOX / 2.0);
        let (x1, y1) = (b.x, b.y + BOX / 2.0);
        let dashed = if matches!(way, Way::Fallback(_)) { " f" } else { "" };
        if x1 > x0 {
            let bend = (x1 - x0) / 2.0;
            let _ = writeln!(
                out,
                "<path class=\"e{dashed}\" d=\"M{x0:.0} {y0:.0}C{:.0} {y0:.0} {:.0} {y1:.0} {x1:.0} {y1:.0}\"/>",
                x0 + bend,
                x1 - bend
            );
        } else {
            // To a target of the same column: around the right side.
            let side = x0.max(b.x + b.width) + 40.0;
            let _ = writeln!(
                out,
                "<path class=\"e{dashed}\" d=\"M{x0:.0} {y0:.0}C{side:.0} {y0:.0} {side:.0} {y1:.0} {:.0} {y1:.0}\"/>",
                b.x + b.width
            );
        }
        let text = share(way);
        if !text.is_empty() {
            // Near the end, where ways that part lie apart.
            let (x, y) =
                if x1 > x0 { (x1 - 6.0, y1 - 6.0) } else { (x0.max(b.x + b.width) + 4.0, (y0 + y1) / 2.0) };
            word(&mut out, if x1 > x0 { "s n" } else { "s" }, x, y, &text);
        }
    }
    for (at, stop) in path.stops() {
        let Some(place) = placed.get(&at) else { continue };
        let (class, round) = match stop {
            Stop::Workload(_) => ("b", BOX / 2.0),
            Stop::Cache(_) | Stop::Router => ("b", 3.0),
            Stop::Target { local: true, .. } => ("l", 3.0),
            Stop::Target { local: false, .. } => ("c", 10.0),
        };
        let _ = writeln!(
            out,
            "<rect class=\"{class}\" x=\"{:.0}\" y=\"{:.0}\" width=\"{:.0}\" height=\"{BOX}\" rx=\"{round}\"/>",
            place.x, place.y, place.width
        );
        word(&mut out, "m", place.x + place.width / 2.0, place.y + BOX / 2.0 + 4.0, &words(stop));
    }
    close(&mut out);
    out
}
