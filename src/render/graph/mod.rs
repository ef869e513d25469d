//! The request path as a drawing: Graphviz, Mermaid or SVG, with shares on the edges.
//!
//! In: a plan and its requirements. Out: the text of the drawing, the same bytes for the same plan.

mod svg;

use crate::graph::{RequestPath, Stop, Way};
use crate::recommendation::Plan;
use crate::requirements::Requirements;

/// Language of a drawing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Drawing {
    /// Graphviz.
    Dot,
    /// Mermaid flowchart.
    Mermaid,
    /// A file of its own for browsers and slides.
    Svg,
}

/// Draws the request path of a plan.
#[must_use]
pub fn graph(plan: &Plan, requirements: &Requirements, drawing: Drawing) -> String {
    let path = RequestPath::of(plan, requirements);
    match drawing {
        Drawing::Dot => dot(&path, &requirements.name),
        Drawing::Mermaid => mermaid(&path),
        Drawing::Svg => svg::svg(&path, &requirements.name),
    }
}

/// Words of a stop.
fn words(stop: &Stop) -> String {
    match stop {
        Stop::Workload(name) => name.clone(),
        Stop::Cache(hit) => format!("response cache: answers {}", percent(*hit)),
        Stop::Router => "router".to_owned(),
        Stop::Target { id, label, .. } => format!("{id}: {label}"),
    }
}

/// Words of a way; empty where everything goes on.
fn share(way: &Way) -> String {
    match way {
        Way::All => String::new(),
        Way::Missed(share) => percent(*share),
        Way::Share { share, by_hour, premium } => {
            let part = if *premium { " (premium)" } else { "" };
            match by_hour {
                None => format!("{}{part}", percent(*share)),
                Some(hours) => {
                    let least = hours.iter().copied().fold(f64::INFINITY, f64::min);
                    let most = hours.iter().copied().fold(0.0, f64::max);
                    format!("{}, {}-{} by hour{part}", percent(*share), plain(least), percent(most))
                }
            }
        }
        Way::Fallback(_) => "if down".to_owned(),
    }
}

fn percent(share: f64) -> String {
    format!("{} %", plain(share))
}

/// Per cent without the sign, one digit where it tells something.
fn plain(share: f64) -> String {
    let value = 100.0 * share;
    if (value - value.round()).abs() < 0.05 { format!("{value:.0}") } else { format!("{value:.1}") }
}

fn dot(path: &RequestPath, name: &str) -> String {
    let quoted = |text: &str| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
    let mut out = format!("digraph {} {{\n  rankdir=LR;\n  node [fontname=\"sans-serif\"];\n", quoted(name));
    for (at, stop) in path.stops() {
        let shape = match stop {
            Stop::Workload(_) => "shape=oval",
            Stop::Cache(_) => "shape=cylinder",
            Stop::Router => "shape=diamond",
            Stop::Target { local: true, .. } => "shape=box",
            Stop::Target { local: false, .. } => "shape=box, style=rounded",
        };
        out += &format!("  n{at} [label={}, {shape}];\n", quoted(&words(stop)));
    }
    for (from, to, way) in path.ways() {
        let style = if matches!(way, Way::Fallback(_)) { ", style=dashed" } else { "" };
        out += &format!("  n{from} -> n{to} [label={}{style}];\n", quoted(&share(way)));
    }
    out + "}\n"
}

fn mermaid(path: &RequestPath) -> String {
    // Quotes and brackets inside a label are entities; the rest may stand as it is.
    let quoted = |text: &str| format!("\"{}\"", text.replace('#', "#35;").replace('"', "#quot;"));
    let mut out = "flowchart LR\n".to_owned();
    for (at, stop) in path.stops() {
        let (open, close) = match stop {
            Stop::Workload(_) => ("([", "])"),
            Stop::Cache(_) => ("[(", ")]"),
            Stop::Router => ("{", "}"),
            Stop::Target { local: true, .. } => ("[", "]"),
            Stop::Target { local: false, .. } => ("(", ")"),
        };
        out += &format!("  n{at}{open}{}{close}\n", quoted(&words(stop)));
    }
    for (from, to, way) in path.ways() {
        let words = share(way);
        let arrow = if matches!(way, Way::Fallback(_)) { "-.->" } else { "-->" };
        let label = if words.is_empty() { String::new() } else { format!("|{}|", quoted(&words)) };
        out += &format!("  n{from} {arrow}{label} n{to}\n");
    }
    out
}
