//! A rule of the user's over a candidate bites: what breaks it is not in the plan, and the checker names it by its id.

#![allow(clippy::unwrap_used, reason = "a test may fail at once")]

mod common;

use bursar::constraint::Rules;
use bursar::recommendation::{Plan, Recommendation, Status};
use bursar::requirements::Read;
use bursar::verify::verify;
use bursar::{Options, Request, recommend};
use common::{BRIEF, read_in, request, world};

/// Requests of the shared list, and a rule that their best plan breaks.
const RULES: [(&str, &str, &str, f64); 8] = [
    ("local", "quality_index", ">=", 50.0),
    ("cloud", "quality_index", ">=", 70.0),
    ("chatbot", "context_tokens", ">=", 150_000.0),
    ("local", "context_tokens", "<=", 100_000.0),
    ("local", "usd_per_hour", ">=", 2.0),
    ("chatbot", "usd_per_hour", ">=", 0.3),
    ("chatbot", "gpus_per_replica", ">=", 1.0),
    ("hybrid", "gpus_per_replica", "<=", 0.0),
];

/// What hosted models may serve in the list, on whatever is cheapest: an engine.
const HYBRID: &str = "
workloads:
  - {name: a, requests: {per_hour: 1000, profile: evening}, tokens: {input: 1000, output: 300}, quality: {tier: very-good}}";

fn rules(left: &str, op: &str, right: &str) -> Rules {
    let folder = tempfile::tempdir().unwrap();
    let text = format!(
        "says = \"s\"\nwhy = \"w\"\nscope = \"candidate\"\nleft = \"{left}\"\nop = \"{op}\"\nright = {right}\n"
    );
    std::fs::write(folder.path().join("mine.toml"), text).unwrap();
    Rules::load(&[folder.path().to_path_buf()]).unwrap()
}

fn answer(read: &Read, rules: &Rules, options: Options) -> Recommendation {
    let (requirements, document) = (&read.requirements, &read.document);
    recommend(&Request { requirements, document, catalog: world(), rules, options }).unwrap()
}

fn broken(read: &Read, rules: &Rules, plan: &Plan) -> Vec<String> {
    verify(&read.requirements, world(), rules, plan).into_iter().map(|broken| broken.rule).collect()
}

fn read(name: &str) -> Read {
    if name == "hybrid" { read_in(world(), HYBRID) } else { request(name) }
}

#[test]
fn a_rule_over_a_candidate_changes_the_plan_and_is_checked() {
    for (name, left, op, right) in RULES {
        let who = format!("{name}: {left} {op} {right}");
        let (read, mine) = (read(name), rules(left, op, &right.to_string()));
        let free = answer(&read, &Rules::builtin(), BRIEF);
        assert!(broken(&read, &Rules::builtin(), &free.plans[0]).is_empty(), "{who}");
        let named = broken(&read, &mine, &free.plans[0]);
        assert!(named.iter().all(|rule| rule == "mine") && !named.is_empty(), "{who}: {named:?}");
        let held = answer(&read, &mine, BRIEF);
        assert_eq!(held.status, Status::Optimal, "{who}");
        assert!(broken(&read, &mine, &held.plans[0]).is_empty(), "{who}");
        assert!(held.plans[0].usd_per_month >= free.plans[0].usd_per_month, "{who}");
        assert!(held.proof.refused.contains_key("mine"), "{who}: {:?}", held.proof.refused);
    }
}

#[test]
fn pruning_keeps_the_best_plan_that_complies() {
    // The cheapest offers of an L4 break the rule, dearer ones of the same GPU do not.
    let read = read_in(
        world(),
        "
workloads:
  - {name: a, requests: {per_second: 5}, tokens: {input: 300, output: 150}, quality: {index: 40}}
allow: {models: ['*Qwen2.5-7B*'], gpus: [l4]}
routing: local",
    );
    for right in ["0.5", "0.81", "1.4"] {
        let mine = rules("usd_per_hour", ">=", right);
        let cost = |prune| answer(&read, &mine, Options { prune, ..BRIEF }).plans[0].usd_per_month;
        assert!((cost(true) - cost(false)).abs() < 0.02, "{right}: {} and {}", cost(true), cost(false));
    }
}

#[test]
fn a_rule_may_name_a_value_of_the_workload() {
    let read = read_in(
        world(),
        "
workloads:
  - {name: a, requests: {per_hour: 1000}, tokens: {input: 500, output: 200}, context_tokens: 131072, quality: {index: 40}}",
    );
    let mine = rules("context_tokens", "==", "\"workload.context_tokens\"");
    let held = answer(&read, &mine, BRIEF);
    assert!(broken(&read, &mine, &held.plans[0]).is_empty());
    let free = answer(&read, &Rules::builtin(), BRIEF);
    assert!(held.plans[0].usd_per_month >= free.plans[0].usd_per_month);
}

#[test]
fn nothing_serves_where_a_rule_leaves_nobody() {
    let mine = rules("context_tokens", ">=", "1e9");
    let held = answer(&request("plain"), &mine, BRIEF);
    assert_eq!(held.status, Status::Infeasible);
    assert!(held.proof.refused.contains_key("mine"));
}
