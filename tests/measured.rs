//! Capacities of one's own: fleets whose optimum is known by hand, APIs with a rate limit, limits on replicas, options
//! that serve nothing, and the catalog beside them.

#![allow(clippy::unwrap_used, reason = "a test may fail at once")]

mod common;

use bursar::Options;
use bursar::reason::Reason;
use bursar::recommendation::{Kind, Plan, Recommendation, Status};
use common::{answer, ask, read_in, world};

fn solved(body: &str) -> Recommendation {
    ask(world(), &read_in(world(), body), Options::default())
}

/// The fleet of a plan: option and replicas, in byte order.
fn fleet(plan: &Plan) -> Vec<(String, u32)> {
    let mut fleet: Vec<(String, u32)> = plan
        .deployments
        .iter()
        .filter_map(|deployment| Some((deployment.model.clone(), deployment.engine.as_ref()?.replicas)))
        .collect();
    fleet.sort();
    fleet
}

/// An optimum known by hand: the fleet and what it costs an hour.
fn costs(body: &str, usd_per_hour: f64, expected: &[(&str, u32)]) {
    let answer = solved(body);
    assert_eq!(answer.status, Status::Optimal, "{body}");
    let plan = &answer.plans[0];
    let got = plan.usd_per_month / 730.0;
    assert!((got / usd_per_hour - 1.0).abs() <= 1e-9, "{got} USD/h, not {usd_per_hour}: {:?}", fleet(plan));
    let expected: Vec<(String, u32)> = expected.iter().map(|(name, n)| ((*name).to_owned(), *n)).collect();
    assert_eq!(fleet(plan), expected);
    // The backend drops branches within 1e-9; what rounding adds to that is of the order of its own unit.
    assert!(answer.proof.gap.unwrap() <= 1e-9 * (1.0 + 1e-6), "not solved to 1e-9: {:?}", answer.proof.gap);
}

/// One bucket of requests, two sizes of GPU: 10 requests/s on 3 a replica at 1 USD/h or 8 at 2.5 USD/h.
/// Four small ones cost 4, one of each 3.5 and carries 11.
#[test]
fn a_large_and_a_small_gpu_together_beat_either_alone() {
    costs(
        "
workloads: [{name: a, requests: {per_second: 10}, tokens: {input: 100, output: 100}}]
measured:
  - {option: small, usd_per_hour: 1, capacity_rps: {a: 3}}
  - {option: large, usd_per_hour: 2.5, capacity_rps: {a: 8}}",
        3.5,
        &[("large", 1), ("small", 1)],
    );
}

/// Two buckets: the cheap GPU is good at short requests, the dear one at long ones; each replica is shared by rate
/// over capacity. Short 6/s, long 2/s. cheap: 4 and 0.5, dear: 6 and 2 (USD/h 1 and 2.2).
/// dear alone: 6/6 + 2/2 = 2 replicas, 4.4. dear 1 for all long, cheap 2 for all short (6/4 = 1.5): 4.2. dear 1 and
/// cheap 1: cheap takes 4 short, dear needs 2/6 + 2/2 > 1. So 4.2.
#[test]
fn buckets_go_to_the_gpu_that_is_good_at_them() {
    costs(
        "
workloads:
  - {name: short, requests: {per_second: 6}, tokens: {input: 100, output: 100}}
  - {name: long, requests: {per_second: 2}, tokens: {input: 4000, output: 400}}
measured:
  - {option: cheap, usd_per_hour: 1, capacity_rps: {short: 4, long: 0.5}}
  - {option: dear, usd_per_hour: 2.2, capacity_rps: {short: 6, long: 2}}",
        4.2,
        &[("cheap", 2), ("dear", 1)],
    );
}

/// The case of the paper in small: four GPU types, three buckets, one of which the smallest GPU cannot serve at all.
/// L4 0.8 (4, 1, none), A10G 1.1 (5, 2, 0.4), A100 3.7 (22, 9, 3), H100 7.5 (40, 16, 6) at 10, 4, 1 requests/s.
/// A100 alone: 10/22 + 4/9 + 1/3 = 1.23, two: 7.4. One A100 and one L4 (0.23 of an A100 is 5.2 of the first bucket,
/// an L4 carries 4) falls short; one A100 and one A10G: 0.2323 x 22 = 5.11 > 5 short by first bucket, but 2 of the
/// second bucket weigh 0.2222, also short. One A100 and two L4: first bucket 8 on them: (2/22 + 4/9 + 1/3) < 1: 5.3.
/// One A100, one L4, one A10G costs 5.6; one H100: 10/40 + 4/16 + 1/6 < 1 costs 7.5.
#[test]
fn a_bucket_that_a_gpu_cannot_serve_goes_elsewhere() {
    costs(
        "
workloads:
  - {name: s, requests: {per_second: 10}, tokens: {input: 100, output: 100}}
  - {name: m, requests: {per_second: 4}, tokens: {input: 1000, output: 200}}
  - {name: l, requests: {per_second: 1}, tokens: {input: 8000, output: 400}}
measured:
  - {option: L4, usd_per_hour: 0.8, capacity_rps: {s: 4, m: 1}}
  - {option: A10G, usd_per_hour: 1.1, capacity_rps: {s: 5, m: 2, l: 0.4}}
  - {option: A100, usd_per_hour: 3.7, capacity_rps: {s: 22, m: 9, l: 3}}
  - {option: H100, usd_per_hour: 7.5, capacity_rps: {s: 40, m: 16, l: 6}}",
        5.3,
        &[("A100", 1), ("L4", 2)],
    );
}

/// Three at most: the fourth request a second has to go to the dear one.
#[test]
fn no_more_replicas_than_there_are() {
    let body = |most: u32| {
        format!(
            "
workloads: [{{name: a, requests: {{per_second: 10}}, tokens: {{input: 100, output: 100}}}}]
measured:
  - {{option: few, usd_per_hour: 1, max_replicas: {most}, capacity_rps: {{a: 2}}}}
  - {{option: dear, usd_per_hour: 3, capacity_rps: {{a: 2}}}}"
        )
    };
    costs(&body(3), 9.0, &[("dear", 2), ("few", 3)]);
    costs(&body(5), 5.0, &[("few", 5)]);
}

/// A replica is full at its capacity, not beyond: 6 requests/s on 3 a replica are two, 6.01 are three.
#[test]
fn the_load_factor_is_one() {
    let body = |rate: f64| {
        format!(
            "
workloads: [{{name: a, requests: {{per_second: {rate}}}, tokens: {{input: 100, output: 100}}}}]
measured: [{{option: gpu, usd_per_hour: 1.01, capacity_rps: {{a: 3}}}}]"
        )
    };
    costs(&body(6.0), 2.02, &[("gpu", 2)]);
    costs(&body(6.01), 3.03, &[("gpu", 3)]);
}

/// Peak and response cache: 10/s x 1.5 x (1 - 0.2) = 12/s on 4 a replica.
#[test]
fn peaks_are_carried_and_cached_answers_are_not() {
    costs(
        "
workloads:
  - name: a
    requests: {per_second: 10, peak_factor: 1.5}
    tokens: {input: 100, output: 100}
    cache: {response_hit: 0.2}
measured: [{option: gpu, usd_per_hour: 2, capacity_rps: {a: 4}}]",
        6.0,
        &[("gpu", 3)],
    );
}

/// An API takes no more than its limit. 5 requests/s at 0.0001 USD, an API for 2 of them; a GPU carries 4 at 1 USD/h.
/// One GPU takes 4, the API 1: 1 USD/h + 3,600 x 0.0001 = 1.36 USD/h.
#[test]
fn an_api_has_a_rate_limit() {
    let body = |limit: f64| {
        format!(
            "
workloads: [{{name: a, requests: {{per_second: 5}}, tokens: {{input: 100, output: 100}}}}]
measured:
  - {{option: gpu, usd_per_hour: 1, capacity_rps: {{a: 4}}}}
  - {{option: api, usd_per_request: 0.0001, capacity_rps: {{a: {limit}}}}}"
        )
    };
    costs(&body(2.0), 1.36, &[("gpu", 1)]);
    assert_eq!(solved(&body(2.0)).plans[0].kind, Kind::Hybrid);
    // Too little of it: two GPUs carry all.
    costs(&body(0.5), 2.0, &[("gpu", 2)]);
    // The API alone would be 1.8 USD/h: still dearer than 1.36.
    costs(&body(100.0), 1.36, &[("gpu", 1)]);
}

#[test]
fn an_api_alone_is_a_cloud_plan_and_its_price_may_differ_by_workload() {
    let answer = solved(
        "
workloads:
  - {name: a, requests: {per_second: 1}, tokens: {input: 100, output: 100}}
  - {name: b, requests: {per_second: 2}, tokens: {input: 100, output: 100}}
measured: [{option: api, usd_per_request: {a: 0.001, b: 0.0005}, capacity_rps: {a: 10, b: 10}}]",
    );
    let plan = &answer.plans[0];
    assert_eq!(plan.kind, Kind::Cloud);
    let expected = 3600.0 * 730.0 * (0.001 + 2.0 * 0.0005);
    assert!((plan.usd_per_month - expected).abs() < 1e-5, "{} not {expected}", plan.usd_per_month);
}

/// By hour: the fleet is paid around the clock and carries the busiest hour, 25/s on 10 a replica.
#[test]
fn a_day_with_a_busy_hour_pays_for_it_all_day() {
    let mut weights = vec!["0.5"; 24];
    weights[12] = "12.5";
    let body = format!(
        "
workloads: [{{name: a, requests: {{per_second: 2, profile: [{}]}}, tokens: {{input: 100, output: 100}}}}]
measured: [{{option: gpu, usd_per_hour: 1, capacity_rps: {{a: 10}}}}]",
        weights.join(", ")
    );
    costs(&body, 3.0, &[("gpu", 3)]);
}

#[test]
fn an_option_that_serves_nothing_is_no_fault() {
    costs(
        "
workloads: [{name: a, requests: {per_second: 3}, tokens: {input: 100, output: 100}}]
measured:
  - {option: none, usd_per_hour: 0.01, capacity_rps: {}}
  - {option: gpu, usd_per_hour: 1, capacity_rps: {a: 4}}",
        1.0,
        &[("gpu", 1)],
    );
}

/// Nobody serves b: no plan, and the answer names the workload.
#[test]
fn a_workload_that_nobody_serves_is_explained() {
    let answer = solved(
        "
workloads:
  - {name: a, requests: {per_second: 3}, tokens: {input: 100, output: 100}}
  - {name: b, requests: {per_second: 3}, tokens: {input: 100, output: 100}}
measured: [{option: gpu, usd_per_hour: 1, capacity_rps: {a: 4}}]
budget: {usd_per_month: 10}",
    );
    assert_eq!(answer.status, Status::Infeasible);
    assert!(answer.plans.is_empty() && answer.relaxations.is_empty());
    let said: Vec<&Reason> = answer.conflict_reasons.iter().map(|told| &told.fact).collect();
    assert!(
        said.iter().any(|reason| matches!(reason, Reason::NobodyServes { workload, .. } if workload == "b")),
        "{said:?}"
    );
    assert!(!said.iter().any(|r| matches!(r, Reason::NobodyServes { workload, .. } if workload == "a")));
}

#[test]
fn too_few_replicas_give_no_plan_and_say_how_many_are_needed() {
    let read = read_in(
        world(),
        "
workloads: [{name: a, requests: {per_second: 10}, tokens: {input: 100, output: 100}}]
measured: [{option: gpu, usd_per_hour: 1, max_replicas: 2, capacity_rps: {a: 2}}]",
    );
    let answer = ask(world(), &read, Options::default());
    assert_eq!(answer.status, Status::Infeasible);
    assert_eq!(answer.conflict, ["max_replicas"]);
    let relaxation = &answer.relaxations[0];
    assert_eq!(relaxation.patch["/measured/0/max_replicas"], 5);
    assert!((relaxation.usd_per_month - 5.0 * 730.0).abs() < 1e-6);
}

/// Quality, latency and context are taken as met: what the user measured has no index and no estimate.
#[test]
fn measured_options_meet_quality_latency_and_context() {
    costs(
        "
workloads:
  - name: a
    requests: {per_second: 3}
    tokens: {input: 100, output: 100}
    latency: {e2e_ms: {p95: 1}}
    quality: {tier: excellent}
    context_tokens: 1000000
measured: [{option: gpu, usd_per_hour: 1, capacity_rps: {a: 4}}]",
        1.0,
        &[("gpu", 1)],
    );
}

/// Only when asked does the catalog take part beside them.
#[test]
fn the_catalog_takes_part_only_when_asked() {
    let body = |more: &str| {
        format!(
            "
workloads: [{{name: a, requests: {{per_second: 1}}, tokens: {{input: 100, output: 100}}, quality: {{index: 40}}}}]
measured: [{{option: gold, usd_per_hour: 100, capacity_rps: {{a: 4}}}}]{more}"
        )
    };
    costs(&body(""), 100.0, &[("gold", 1)]);
    let alone = solved(&body(""));
    assert_eq!(alone.proof.candidates, 1);
    let beside = solved(&body("\nmeasured_with_catalog: true"));
    assert!(beside.plans[0].usd_per_month < 73_000.0);
    assert!(beside.proof.candidates > 1);
    // And the other way round: a gift beats the whole catalog.
    let gift = solved(&body("\nmeasured_with_catalog: true").replace("100, capacity", "0.0001, capacity"));
    assert_eq!(fleet(&gift.plans[0]), [("gold".to_owned(), 1)]);
}

#[test]
fn routing_holds_for_measured_options_too() {
    let body = |routing: &str| {
        format!(
            "
workloads: [{{name: a, requests: {{per_second: 1}}, tokens: {{input: 100, output: 100}}}}]
measured:
  - {{option: gpu, usd_per_hour: 9, capacity_rps: {{a: 4}}}}
  - {{option: api, usd_per_request: 0.0001, capacity_rps: {{a: 4}}}}
routing: {routing}"
        )
    };
    assert_eq!(solved(&body("hybrid")).plans[0].kind, Kind::Cloud);
    costs(&body("local"), 9.0, &[("gpu", 1)]);
    assert_eq!(solved(&body("cloud")).plans[0].kind, Kind::Cloud);
}

/// The order of the rows changes nothing, not even which of two equal options is taken.
#[test]
fn the_order_of_rows_does_not_matter() {
    let rows = [
        "{option: x, usd_per_hour: 1.5, capacity_rps: {a: 3, b: 1}}",
        "{option: y, usd_per_hour: 2.5, capacity_rps: {a: 4, b: 3}}",
        "{option: z, usd_per_hour: 4, capacity_rps: {a: 9, b: 4}}",
    ];
    let of = |order: [usize; 3]| {
        let list: Vec<&str> = order.iter().map(|at| rows[*at]).collect();
        let read = read_in(
            world(),
            &format!(
                "
workloads:
  - {{name: a, requests: {{per_second: 13}}, tokens: {{input: 100, output: 100}}}}
  - {{name: b, requests: {{per_second: 5}}, tokens: {{input: 100, output: 100}}}}
measured: [{}]",
                list.join(", ")
            ),
        );
        let plan = answer(world(), &read.requirements, &read.document, Options::default()).plans.remove(0);
        (plan.usd_per_month.to_bits(), fleet(&plan))
    };
    let first = of([0, 1, 2]);
    for order in [[0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        assert_eq!(of(order), first);
    }
}
