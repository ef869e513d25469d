//! The request path of a plan: what it holds, what it proves, how it is drawn.

#![allow(clippy::unwrap_used, reason = "a test may stop here")]

#[path = "common/run.rs"]
mod run;

use bursar::graph::{RequestPath, Stop, Way};
use bursar::recommendation::{Plan, Recommendation};
use run::{bursar, example};

/// The answer to `examples/NAME.yaml`.
fn answer(name: &str) -> Recommendation {
    serde_json::from_value(bursar(&["recommend", &example(name), "--format", "json", "--top", "1"]).json())
        .unwrap()
}

fn path(answer: &Recommendation) -> RequestPath {
    RequestPath::of(&answer.plans[0], &answer.requirements)
}

/// A target with a fallback behind it, as `001-1-chatbot` asks for 99.9 %.
fn guarded() -> (Recommendation, String, String) {
    let answer = answer("001-1-chatbot");
    let route = answer.plans[0].routing.iter().find(|route| route.fallback.is_some()).unwrap().clone();
    (answer, route.target, route.fallback.unwrap())
}

#[test]
fn a_path_leads_from_every_workload_to_what_serves_it() {
    let answer = answer("001-1-chatbot");
    let path = path(&answer);
    assert!(path.is_acyclic());
    assert!(path.stranded().is_empty());
    let starts = path.stops().filter(|(_, stop)| matches!(stop, Stop::Workload(_))).count();
    assert_eq!(starts, answer.requirements.workloads.len());
    let shares: f64 = path
        .ways()
        .filter_map(|(_, _, way)| match way {
            Way::Share { share, .. } => Some(*share),
            _ => None,
        })
        .sum();
    assert!((shares - 1.0).abs() < 1e-9);
}

#[test]
fn a_fallback_is_parallel_and_targets_are_in_series() {
    let (mut answer, target, fallback) = guarded();
    let name = answer.requirements.workloads[0].name.clone();
    let up = |id: &str| if id == target { 0.99 } else { 0.98 };
    let whole =
        |path: &RequestPath, apart: bool| path.availability(&name, false, 0, &up, &|_, _| apart).unwrap();
    // 1 - 0.01 x 0.02 beside one another; what falls with its target is no fallback.
    assert!((whole(&path(&answer), true) - 0.9998).abs() < 1e-12);
    assert!((whole(&path(&answer), false) - 0.99).abs() < 1e-12);
    // Half to each: both must be up.
    let plan: &mut Plan = &mut answer.plans[0];
    let first = plan.routing.iter().position(|route| route.target == target).unwrap();
    plan.routing[first].fallback = None;
    plan.routing[first].share = 0.5;
    let mut second = plan.routing[first].clone();
    second.target = fallback;
    plan.routing.push(second);
    assert!((whole(&path(&answer), true) - 0.99 * 0.98).abs() < 1e-12);
}

#[test]
fn a_circle_and_a_dead_end_are_seen() {
    let (mut answer, target, fallback) = guarded();
    let mut back = answer.plans[0].routing[0].clone();
    back.target = fallback;
    back.fallback = Some(target);
    answer.plans[0].routing.push(back);
    assert!(!path(&answer).is_acyclic());
    answer.plans[0].routing.clear();
    assert_eq!(path(&answer).stranded(), [answer.requirements.workloads[0].name.as_str()]);
}

#[test]
fn drawings_name_every_target_and_its_share() {
    let story = "tests/scenarios/response-cache/with.yaml";
    let draw = |language: &str| {
        let run = bursar(&["recommend", story, "--graph", language]);
        assert_eq!(run.exit, 0, "{}", run.stderr);
        run.stdout
    };
    let dot = draw("dot");
    assert!(dot.starts_with("digraph \"with\" {"), "{dot}");
    assert!(dot.contains("[label=\"response cache: answers 40 %\", shape=cylinder]"), "{dot}");
    assert!(dot.contains("[label=\"60 %\"]") && dot.contains("d1: 1 x box"), "{dot}");
    let mermaid = draw("mermaid");
    assert!(mermaid.starts_with("flowchart LR\n") && mermaid.contains("-->|\"100 %\"|"), "{mermaid}");
    let svg = draw("svg");
    assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n") && svg.contains("<title>"), "{svg}");
    for open in ["<svg", "<style", "<text", "<marker", "<title"] {
        let close = open.replace('<', "</") + ">";
        assert_eq!(svg.matches(open).count(), svg.matches(&close).count(), "{open}");
    }
    // Drawn from the answer alone: the same again.
    assert_eq!(svg, draw("svg"));
}

#[test]
fn nothing_to_draw_is_told_as_such() {
    let run = bursar(&["recommend", &example("impossible"), "--graph", "dot"]);
    assert_eq!(run.exit, 1);
    assert!(!run.stdout.contains("digraph"));
}
