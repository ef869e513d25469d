//! Programs with a known optimum: fleets that can be checked by hand, and two cases of our formulation study.
//!
//! The cases in `program/*.json` were drawn at random for the study; their optimum is the one HiGHS finds without
//! pruning. The fleets ask for the GPUs that carry fixed rates for the least USD/hour.

use std::collections::BTreeMap;

use bursar::program::prune::prune;
use bursar::program::{Class, Goal, Hosted, Mode, Pool, Program, Resource};
use bursar::solve::{Outcome, solve_program, solve_program_to};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    #[serde(rename = "about")]
    _about: String,
    #[serde(rename = "source")]
    _source: String,
    hours_per_slot: f64,
    load_factor: f64,
    usd_per_month: Option<f64>,
    gpus_max: BTreeMap<String, f64>,
    load_rps: BTreeMap<String, Vec<f64>>,
    hosted: Vec<CaseHosted>,
    pools: Vec<CasePool>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CaseHosted {
    id: String,
    usd_per_request: Vec<Option<f64>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CasePool {
    id: String,
    gpu: String,
    gpus: f64,
    usd_per_hour: f64,
    usd_per_month: BTreeMap<String, f64>,
    capacity_rps: Vec<f64>,
}

fn class(name: &str, load_rps: Vec<f64>) -> Class {
    Class {
        name: name.into(),
        billed_rps: load_rps.clone(),
        load_rps,
        unavailability_max: None,
        ..Default::default()
    }
}

fn pool(id: &str, deployment: usize, capacity: Vec<f64>, modes: Vec<Mode>) -> Pool {
    let classes = capacity.len();
    Pool {
        id: id.into(),
        deployment,
        behind: Vec::new(),
        capacity,
        replicas: 1,
        modes,
        usd_per_hour: None,
        usd_per_request: vec![0.0; classes],
        score: vec![0.0; classes],
        uses: Vec::new(),
        ladder: None,
        unavailability_per_replica: 0.0,
        unavailability: 0.0,
        ..Default::default()
    }
}

fn mode(billing: &str, usd_per_month: f64) -> Mode {
    Mode { billing: billing.into(), usd_per_month, usd_upfront: 0.0, ..Default::default() }
}

fn program(slot_hours: Vec<f64>, classes: Vec<Class>, pools: Vec<Pool>) -> Program {
    Program {
        slot_hours,
        classes,
        pools,
        hosted: Vec::new(),
        resources: Vec::new(),
        local_usd_per_month: 0.0,
        usd_per_month_max: None,
        usd_upfront_max: None,
        deployments_max: None,
        both_sides_min: None,
        goal: Goal::Cost,
        ..Default::default()
    }
}

fn case(text: &str) -> (Program, Option<f64>) {
    let case: Case = serde_json::from_str(text).expect("a case");
    let classes: Vec<Class> = case.load_rps.iter().map(|(name, load)| class(name, load.clone())).collect();
    let slots = classes[0].load_rps.len();
    let keys: Vec<&String> = case.gpus_max.keys().collect();
    let pools = case.pools.iter().enumerate().map(|(r, row)| {
        let capacity = row.capacity_rps.iter().map(|rate| rate * case.load_factor).collect();
        let modes = row.usd_per_month.iter().map(|(billing, usd)| mode(billing, *usd)).collect();
        let mut pool = pool(&row.id, r, capacity, modes);
        pool.usd_per_hour = Some(row.usd_per_hour);
        pool.uses = keys.iter().position(|key| **key == row.gpu).map(|k| (k, row.gpus)).into_iter().collect();
        pool
    });
    let mut program = program(vec![case.hours_per_slot; slots], classes.clone(), pools.collect());
    program.hosted = case
        .hosted
        .iter()
        .enumerate()
        .map(|(a, row)| Hosted {
            id: row.id.clone(),
            deployments: vec![a],
            usd_per_request: row.usd_per_request.clone(),
            score: vec![0.0; classes.len()],
            rate_rps: vec![f64::INFINITY; classes.len()],
            unavailability: 0.0,
            ..Default::default()
        })
        .collect();
    program.resources = case
        .gpus_max
        .iter()
        .map(|(key, limit)| Resource { rule: "gpus".into(), key: key.clone(), limit: *limit })
        .collect();
    (program, case.usd_per_month)
}

fn value(program: &Program) -> Option<f64> {
    match solve_program(program) {
        Outcome::Solved(solved) => {
            assert_eq!(solved.point.broken_rule(program), None);
            assert!(solved.bound <= solved.value);
            Some(solved.value)
        }
        Outcome::Infeasible { cheapest: None } => None,
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn reaches(program: &Program, usd: Option<f64>) {
    for program in [program, &prune(program).program] {
        match (value(program), usd) {
            (Some(found), Some(usd)) => {
                assert!((found - usd).abs() <= 1e-9 * usd, "{found} instead of {usd}")
            }
            (found, usd) => assert_eq!(found, usd),
        }
    }
}

#[test]
fn two_reserved_pools_and_a_hosted_model_share_a_small_workload() {
    let (program, usd) = case(include_str!("program/one-workload-small.json"));
    reaches(&program, usd);
    let Outcome::Solved(solved) = solve_program(&program) else { panic!("solved") };
    let used: Vec<&str> = (0..program.pools.len())
        .filter(|r| solved.point.uses_pool(&program, *r))
        .map(|r| program.pools[r].id.as_str())
        .collect();
    assert_eq!(used, ["m8-8b/l4x4/fp8/prov4", "m8-8b/l4x1/fp8/prov5"]);
    assert_eq!(prune(&program).pools.len(), 5);
}

#[test]
fn quotas_that_are_too_small_are_infeasible_and_lifting_them_cures_it() {
    let (mut program, usd) = case(include_str!("program/quotas-too-small.json"));
    assert_eq!(usd, None);
    let pruned = prune(&program).program;
    assert_eq!(value(&pruned), None);
    program.resources.clear();
    program.pools.iter_mut().for_each(|pool| pool.uses.clear());
    assert!(matches!(solve_program_to(&prune(&program).program, 0.5), Outcome::Solved(_)));
}

/// GPUs as (USD/hour, requests/s by bucket; 0 = cannot serve), and the rates to carry.
fn fleet(gpus: &[(f64, &[f64])], rates: &[f64]) -> Program {
    let classes = rates.iter().map(|rate| class("bucket", vec![*rate])).collect();
    let pools = gpus.iter().enumerate().map(|(r, (usd, capacity))| {
        pool(&format!("gpu {r}"), r, capacity.to_vec(), vec![mode("on-demand", *usd)])
    });
    program(vec![1.0], classes, pools.collect())
}

#[test]
fn one_large_gpu_beats_two_small_ones_and_both_beat_two_large() {
    let gpus: [(f64, &[f64]); 2] = [(1.0, &[2.0]), (1.5, &[4.0])];
    reaches(&fleet(&gpus, &[3.0]), Some(1.5)); // one large; two small cost 2
    reaches(&fleet(&gpus, &[5.0]), Some(2.5)); // one of each; two large or three small cost 3
    reaches(&fleet(&gpus, &[7.0]), Some(3.0)); // two large
}

#[test]
fn a_fleet_that_is_exactly_full_needs_no_spare() {
    reaches(&fleet(&[(1.0, &[0.3])], &[0.9]), Some(3.0));
    reaches(&fleet(&[(1.0, &[2.0, 4.0])], &[1.0, 2.0]), Some(1.0)); // half of each
    reaches(&fleet(&[(1.0, &[2.0])], &[4.001]), Some(3.0));
}

#[test]
fn what_is_left_of_the_gpu_that_must_be_there_is_used() {
    // Only the second serves the long bucket; half of it is left, which carries the 0.4 the first cannot.
    let gpus: [(f64, &[f64]); 2] = [(1.0, &[4.0, 0.0]), (1.2, &[1.0, 1.0])];
    reaches(&fleet(&gpus, &[4.4, 0.5]), Some(2.2));
    reaches(&fleet(&gpus, &[4.6, 0.5]), Some(3.2));
}

#[test]
fn two_gpus_that_together_beat_a_third_do_not_remove_it() {
    // The counterexample of the study: at half load of each, the one that serves both is the cheapest.
    let gpus: [(f64, &[f64]); 3] = [(1.0, &[2.0, 0.0]), (1.0, &[0.0, 2.0]), (1.5, &[1.0, 1.0])];
    reaches(&fleet(&gpus, &[0.5, 0.5]), Some(1.5));
    reaches(&fleet(&gpus, &[2.0, 2.0]), Some(2.0));
    // USD per request at full load is no dominance either.
    reaches(&fleet(&[(10.0, &[10.0]), (1.2, &[1.0])], &[1.0]), Some(1.2));
}

#[test]
fn a_bucket_nobody_serves_is_infeasible() {
    reaches(&fleet(&[(1.0, &[2.0, 0.0])], &[1.0, 1e-6]), None);
}

#[test]
fn the_cost_of_a_fleet_is_monotone_and_subadditive_in_the_rate() {
    let gpus: [(f64, &[f64]); 3] = [(1.03, &[2.9, 1.9]), (2.72, &[11.9, 4.7]), (6.31, &[21.2, 6.1])];
    let cost = |rate: f64| value(&fleet(&gpus, &[0.7 * rate, 0.3 * rate])).expect("every bucket is served");
    let costs: Vec<f64> = (1..=24).map(|rate| cost(f64::from(rate))).collect();
    for a in 0..costs.len() {
        assert!(a == 0 || costs[a] >= costs[a - 1] - 1e-9);
        for b in 0..costs.len() - 1 - a {
            assert!(costs[a + b + 1] <= costs[a] + costs[b] + 1e-9, "{} and {}", a + 1, b + 1);
        }
    }
}
