//! What an infeasible request is told is true: the conflict is enough and nothing in it is idle, and each way out
//! works, costs what is said, and is the smallest of its kind.

#![allow(clippy::unwrap_used, reason = "a test may fail at once")]

mod common;

use std::collections::BTreeMap;

use bursar::Options;
use bursar::explain::conflict::{MOVABLE, without};
use bursar::recommendation::{OneOrMany, Recommendation, Relaxation, Status};
use bursar::requirements::{Requirements, apply_patch};
use common::{ask, best, read_document, read_in, world};
use rayon::prelude::*;
use serde_json::{Value, json};

/// Requests that nothing in the frozen world can meet.
const IMPOSSIBLE: [(&str, &str); 19] = [
    (
        "budget",
        "
workloads: [{name: a, requests: {per_second: 5}, tokens: {input: 500, output: 200}, quality: {tier: good}}]
budget: {usd_per_month: 100}",
    ),
    (
        "budget-local",
        "
workloads: [{name: a, requests: {per_second: 30}, tokens: {input: 500, output: 200}, quality: {index: 40}}]
budget: {usd_per_month: 300}
routing: local",
    ),
    (
        "latency",
        "
workloads: [{name: a, requests: {per_hour: 1000}, tokens: {input: 500, output: 400}, latency: {e2e_ms: {p95: 300}}, quality: {tier: good}}]",
    ),
    (
        "latency-local",
        "
workloads: [{name: a, requests: {per_hour: 1000}, tokens: {input: 500, output: 400}, latency: {e2e_ms: {p95: 800}}, quality: {index: 40}}]
routing: local",
    ),
    (
        "first-token",
        "
workloads: [{name: a, requests: {per_hour: 1000}, tokens: {input: 4000, output: 100}, latency: {ttft_ms: {p95: 5}}, quality: {tier: good}}]",
    ),
    (
        "budget-or-latency",
        "
workloads: [{name: a, requests: {per_second: 2}, tokens: {input: 500, output: 200}, latency: {e2e_ms: {p95: 3500}}, quality: {tier: very-good}}]
budget: {usd_per_month: 250}",
    ),
    (
        "quality",
        "
workloads: [{name: a, requests: {per_hour: 100}, tokens: {input: 500, output: 200}, quality: {index: 95}}]",
    ),
    (
        "quality-local",
        "
workloads: [{name: a, requests: {per_hour: 100}, tokens: {input: 500, output: 200}, quality: {tier: excellent}}]
routing: local",
    ),
    (
        "data",
        "
workloads: [{name: a, requests: {per_hour: 100}, tokens: {input: 500, output: 200}, data: [on-premises]}]",
    ),
    (
        "owned-too-few",
        "
workloads: [{name: a, requests: {per_second: 200}, tokens: {input: 500, output: 200}, data: [on-premises], quality: {index: 40}}]
owned: [{gpu: l4, count: 2}]",
    ),
    (
        "quota",
        "
workloads: [{name: a, requests: {per_second: 400}, tokens: {input: 500, output: 200}, quality: {index: 40}}]
limits: {gpus: {l4: 1, a10g: 1, l40s: 1, t4: 1, rtx-4090: 1, a100-sxm-80: 1, h100-sxm: 0}}
routing: local",
    ),
    (
        "power",
        "
workloads: [{name: a, requests: {per_second: 40}, tokens: {input: 500, output: 200}, quality: {index: 40}}]
limits: {power_kw: 0.2}
routing: local",
    ),
    (
        "memory",
        "
workloads: [{name: a, requests: {per_second: 1}, tokens: {input: 500, output: 200}, quality: {tier: good}}]
limits: {memory_gib_per_server: 4}
routing: local",
    ),
    (
        "availability",
        "
workloads: [{name: a, requests: {per_hour: 100}, tokens: {input: 500, output: 200}, quality: {tier: excellent}}]
availability: 0.99999
routing: cloud",
    ),
    (
        "deployments",
        "
workloads:
  - {name: a, requests: {per_hour: 100}, tokens: {input: 500, output: 200}, quality: {tier: excellent}, data: [no-training]}
  - {name: b, requests: {per_hour: 100}, tokens: {input: 500, output: 200}, data: [eu-only]}
limits: {max_deployments: 1}",
    ),
    (
        "context",
        "
workloads: [{name: a, requests: {per_hour: 100}, tokens: {input: 500, output: 200}, context_tokens: 5000000}]",
    ),
    (
        "needs",
        "
workloads: [{name: a, requests: {per_hour: 100}, tokens: {input: 500, output: 200}, needs: [vision], data: [eu-only], quality: {tier: very-good}}]",
    ),
    (
        "two-at-once",
        "
workloads: [{name: a, requests: {per_second: 5}, tokens: {input: 500, output: 400}, latency: {e2e_ms: {p95: 900}}, quality: {index: 40}}]
budget: {usd_per_month: 50}
routing: local",
    ),
    (
        "measured",
        "
workloads:
  - {name: a, requests: {per_second: 10}, tokens: {input: 100, output: 100}}
  - {name: b, requests: {per_second: 5}, tokens: {input: 100, output: 100}}
measured:
  - {option: gpu, usd_per_hour: 1, max_replicas: 2, capacity_rps: {a: 2, b: 1}}
  - {option: big, usd_per_hour: 3, max_replicas: 1, capacity_rps: {a: 6, b: 4}}
budget: {usd_per_month: 3000}",
    ),
];

struct Case {
    name: &'static str,
    requirements: Requirements,
    document: Value,
    answer: Recommendation,
}

/// Every impossible request with its answer, solved once.
fn cases() -> &'static [Case] {
    static CASES: std::sync::OnceLock<Vec<Case>> = std::sync::OnceLock::new();
    CASES.get_or_init(|| {
        let solve = |(name, body): &(&'static str, &str)| {
            let read = read_in(world(), body);
            let answer = ask(world(), &read, Options::default());
            Case { name, requirements: read.requirements, document: read.document, answer }
        };
        IMPOSSIBLE.iter().map(solve).collect()
    })
}

fn feasible(requirements: &Requirements) -> bool {
    best(world(), requirements).is_some()
}

/// Fails with every fault of every case.
fn over_cases(check: impl Fn(&Case) -> Vec<String> + Sync) {
    let faults: Vec<String> = cases()
        .par_iter()
        .flat_map(|case| {
            check(case).into_iter().map(|what| format!("{}: {what}", case.name)).collect::<Vec<_>>()
        })
        .collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// All rules a request may drop.
fn rules() -> impl Iterator<Item = &'static str> {
    MOVABLE.into_iter().chain(["usd_per_month"])
}

/// The request with only some of its movable rules.
fn only(requirements: &Requirements, kept: &[&str]) -> Requirements {
    rules()
        .filter(|rule| !kept.contains(rule))
        .fold(requirements.clone(), |world, rule| without(&world, rule).unwrap_or(world))
}

#[test]
fn each_is_infeasible_and_says_why() {
    over_cases(|case| {
        let mut faults = Vec::new();
        if case.answer.status != Status::Infeasible || !case.answer.plans.is_empty() {
            faults.push(format!("{:?}", case.answer.status));
        }
        if case.answer.conflict.is_empty() {
            faults.push("no conflict".to_owned());
        }
        if case.answer.relaxations.is_empty() {
            faults.push("no way out".to_owned());
        }
        faults
    });
}

#[test]
fn the_conflict_alone_still_fails() {
    over_cases(|case| {
        let kept: Vec<&str> = case.answer.conflict.iter().map(String::as_str).collect();
        match best(world(), &only(&case.requirements, &kept)) {
            Some(plan) => vec![format!("{kept:?} alone has a plan at {}", plan.usd_per_month)],
            None => Vec::new(),
        }
    });
}

#[test]
fn without_any_one_of_the_conflict_there_is_a_plan() {
    over_cases(|case| {
        let all: Vec<&str> = case.answer.conflict.iter().map(String::as_str).collect();
        let mut faults = Vec::new();
        for left_out in &all {
            let kept: Vec<&str> = all.iter().copied().filter(|rule| rule != left_out).collect();
            if !feasible(&only(&case.requirements, &kept)) {
                faults.push(format!("{left_out} is idle in {all:?}"));
            }
        }
        faults
    });
}

#[test]
fn every_way_out_works_at_the_price_stated() {
    over_cases(|case| {
        let mut faults = Vec::new();
        for relaxation in &case.answer.relaxations {
            match best(world(), &patched(case, &relaxation.patch)) {
                None => faults.push(format!("{:?} has no plan", relaxation.patch)),
                Some(plan) if !close(plan.usd_per_month, relaxation.usd_per_month) => faults.push(format!(
                    "{:?} costs {}, {} was said",
                    relaxation.patch, plan.usd_per_month, relaxation.usd_per_month
                )),
                Some(_) => {}
            }
        }
        faults
    });
}

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-4 * a.abs().max(b.abs())
}

/// The request as the patched file reads.
fn patched(case: &Case, patch: &BTreeMap<String, Value>) -> Requirements {
    let document = apply_patch(&case.document, patch).unwrap();
    read_document(world(), &document).requirements
}

/// A little less of each change: the budget 1 %, a limit on latency 2 %, a count 1, other figures 2 %.
fn less(pointer: &str, to: &Value, from: &Value) -> Option<Value> {
    let to = to.as_f64()?;
    let from = from.as_f64()?;
    let count = pointer.starts_with("/limits/gpus/")
        || pointer.ends_with("/max_deployments")
        || pointer.ends_with("/max_replicas");
    let back = if count {
        to - 1.0
    } else if pointer.starts_with("/budget") {
        to * 0.99
    } else if pointer.contains("/quality")
        || pointer == "/availability"
        || pointer.ends_with("/context_tokens")
    {
        return None; // steps: the next one back is tried below
    } else {
        to * 0.98
    };
    // Not beyond what the file says already.
    let back = if to > from { back.max(from) } else { back };
    Some(if count { json!(back.round() as i64) } else { json!(back) })
}

#[test]
fn a_little_less_is_not_enough() {
    over_cases(|case| {
        let mut faults = Vec::new();
        for relaxation in &case.answer.relaxations {
            let from = many(&relaxation.from);
            let to = many(&relaxation.to);
            // A change is one pointer; its from and to stand in the same place of the lists.
            for (pointer, value) in &relaxation.patch {
                let Some(at) = to.iter().position(|to| *to == value) else { continue };
                let Some(less) = less(pointer, value, from[at]) else { continue };
                let mut patch = relaxation.patch.clone();
                patch.insert(pointer.clone(), less.clone());
                if let Some(plan) = best(world(), &patched(case, &patch)) {
                    faults.push(format!(
                        "{pointer} {less} instead of {value} is enough: {} USD/month",
                        plan.usd_per_month
                    ));
                }
            }
        }
        faults
    });
}

fn many<T>(values: &OneOrMany<T>) -> Vec<&T> {
    match values {
        OneOrMany::One(one) => vec![one],
        OneOrMany::Many(many) => many.iter().collect(),
    }
}

#[test]
fn changes_of_a_set_stand_in_lists_of_one_length() {
    over_cases(|case| {
        let mut faults = Vec::new();
        for relaxation in &case.answer.relaxations {
            let Relaxation { rule, from, to, patch, .. } = relaxation;
            let lengths = [many(rule).len(), many(from).len(), many(to).len(), patch.len()];
            if lengths.iter().any(|length| *length != lengths[0]) {
                faults.push(format!("{lengths:?} of {rule:?}"));
            }
            if patch.values().any(Value::is_null) {
                faults.push(format!("null in {patch:?}"));
            }
            let singles = matches!(rule, OneOrMany::One(_));
            if singles != (lengths[0] == 1) {
                faults.push(format!("{rule:?} is not {} changes", lengths[0]));
            }
        }
        faults
    });
}

#[test]
fn ways_out_come_cheapest_first() {
    over_cases(|case| {
        let prices: Vec<f64> = case.answer.relaxations.iter().map(|r| r.usd_per_month).collect();
        if prices.windows(2).all(|pair| pair[0] <= pair[1]) {
            Vec::new()
        } else {
            vec![format!("{prices:?}")]
        }
    });
}

/// The smallest budget and the smallest limit on latency are there whenever they work alone; where no single change
/// is enough, a set of changes is.
#[test]
fn the_smallest_budget_and_latency_are_there_when_they_work_alone() {
    over_cases(|case| {
        let mut faults = Vec::new();
        let alone = |pointer: &str| {
            case.answer.relaxations.iter().any(|r| r.patch.len() == 1 && r.patch.contains_key(pointer))
        };
        if let Some(free) = without(&case.requirements, "usd_per_month")
            && feasible(&free) != alone("/budget/usd_per_month")
        {
            faults.push("the budget alone".to_owned());
        }
        for (w, workload) in case.requirements.workloads.iter().enumerate() {
            for (l, limit) in workload.latency.iter().enumerate() {
                let mut free = case.requirements.clone();
                free.workloads[w].latency[l].ms = 1e9;
                let place = serde_json::to_value(limit).unwrap();
                let key = format!(
                    "/workloads/{w}/latency/{}_ms/{}",
                    place["measure"].as_str().unwrap(),
                    place["statistic"].as_str().unwrap()
                );
                if feasible(&free) != alone(&key) {
                    faults.push(format!("{key} alone"));
                }
            }
        }
        faults
    });
}

/// What the file does not say is not a way out by itself: the smallest change is one of a rule that was asked for.
#[test]
fn every_change_is_of_a_rule_of_the_conflict_or_a_set() {
    over_cases(|case| {
        let known = |rule: &str| {
            let rule = if rule == "benchmark" { "quality" } else { rule };
            case.answer.conflict.iter().any(|of| of == rule)
        };
        let idle = |relaxation: &&Relaxation| !many(&relaxation.rule).into_iter().any(|rule| known(rule));
        let found = case.answer.relaxations.iter().filter(idle);
        found.map(|relaxation| format!("{:?} not in {:?}", relaxation.rule, case.answer.conflict)).collect()
    });
}
