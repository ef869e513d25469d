//! Programs with a known optimum: fleets that can be checked by hand, and the twelve cases of our formulation study.
//!
//! The cases in `program/` were drawn at random for the study, which states the best value and the best bound known.
//! The fleets ask for the GPUs that carry fixed rates for the least USD/hour.

mod program_cases {
    pub(crate) mod load;
}

use bursar::program::prune::prune;
use bursar::program::{Class, Goal, Mode, Pool, Program};
use bursar::request::Backend;
use bursar::solve::{Outcome, solve_program, solve_program_to, solve_program_until};
use program_cases::load::{Case, case};

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

fn by(backend: Backend, program: &Program) -> Outcome {
    solve_program_until(program, backend, &|| false)
}

/// The value that every backend of this build finds.
fn value(program: &Program) -> Option<f64> {
    let value_by = |backend: &Backend| match by(*backend, program) {
        Outcome::Solved(solved) => {
            assert_eq!(solved.point.broken_rule(program), None, "{backend:?}");
            assert!(solved.bound <= solved.value, "{backend:?}");
            Some(solved.value)
        }
        Outcome::Infeasible { cheapest: None } => None,
        other => panic!("{backend:?}: {other:?}"),
    };
    let values: Vec<Option<f64>> = Backend::ALL.iter().map(value_by).collect();
    for other in &values[1..] {
        let same = match (values[0], other) {
            (Some(usd), Some(other)) => (usd - other).abs() <= 1e-8 * usd,
            (usd, other) => usd.is_none() && other.is_none(),
        };
        assert!(same, "backends {:?} find {values:?}", Backend::ALL);
    }
    values[0]
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
    let Case { program, usd_per_month, .. } = case("01-one-workload-small");
    let usd = usd_per_month.expect("there is a plan");
    for program in [&program, &prune(&program).program] {
        let found = value(program).expect("solved");
        assert!((found - usd).abs() <= 1e-6 * usd, "{found} instead of {usd}");
    }
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
    let Case { mut program, usd_per_month, .. } = case("05-infeasible");
    assert_eq!(usd_per_month, None);
    assert_eq!(value(&prune(&program).program), None);
    program.resources.clear();
    program.pools.iter_mut().for_each(|pool| pool.uses.clear());
    assert!(matches!(solve_program_to(&prune(&program).program, 0.5), Outcome::Solved(_)));
}

/// The best known value is reached within 1e-4 by every backend of this build, and the bound is one.
#[track_caller]
fn reaches_the_best_known(name: &str) {
    let case = case(name);
    let program = prune(&case.program).program;
    for backend in Backend::ALL {
        is_the_best_known(&format!("{name}, {backend:?}"), &case, &program, by(*backend, &program));
    }
}

#[track_caller]
fn is_the_best_known(name: &str, case: &Case, program: &Program, outcome: Outcome) {
    let Outcome::Solved(solved) = outcome else { panic!("{name}: {outcome:?}") };
    let (usd, bound) = case.usd_per_month.zip(case.bound_usd_per_month).expect("there is a plan");
    let gap = (solved.value - solved.bound) / solved.value;
    assert_eq!(solved.point.broken_rule(program), None);
    assert!((solved.value - usd).abs() <= 1e-4 * usd, "{name}: {} instead of {usd}", solved.value);
    assert!(gap <= 1e-4, "{name}: gap {gap}");
    // Our bound stays below their plan, theirs below ours.
    assert!(solved.bound <= usd * (1.0 + 1e-9), "{name}: bound {} above {usd}", solved.bound);
    assert!(bound <= solved.value * (1.0 + 1e-9), "{name}: {} below the bound {bound}", solved.value);
}

#[test]
fn one_to_five_workloads_reach_the_best_known() {
    for name in [
        "02-one-workload-two-pools",
        "03-one-workload-all-rules",
        "04-two-workloads",
        "06-five-workloads",
        "07-five-workloads-whole-catalog",
        "08-five-workloads-all-rules",
    ] {
        reaches_the_best_known(name);
    }
}

/// Minutes in a build without optimisation: `cargo test --release --test program_cases -- --ignored`.
#[test]
#[ignore = "minutes without optimisation; run with --release"]
fn the_hard_cases_reach_the_best_known() {
    for name in ["09-five-workloads-hard", "10-five-workloads-heavy", "11-twenty-workloads", "12-wide-scales"]
    {
        reaches_the_best_known(name);
    }
}

/// Nothing pruned, no slots merged, nothing taken apart: the second solver finds what the first does with all three.
#[cfg(feature = "highs")]
#[track_caller]
fn the_plain_matrix_agrees(name: &str) {
    use bursar::solve::{Effort, solve_program_within};
    let case = case(name);
    let effort = Effort::to(5e-5).with(Backend::Highs).as_one_matrix();
    let outcome = solve_program_within(&case.program, effort);
    if case.usd_per_month.is_none() {
        assert_eq!(outcome, Outcome::Infeasible { cheapest: None }, "{name}");
        return;
    }
    is_the_best_known(name, &case, &case.program, outcome);
}

#[cfg(feature = "highs")]
#[test]
fn small_plain_matrices_have_the_best_known() {
    for name in ["01-one-workload-small", "02-one-workload-two-pools", "05-infeasible"] {
        the_plain_matrix_agrees(name);
    }
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
