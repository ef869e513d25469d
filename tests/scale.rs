//! Drawn programs: the optimum stands with and without pruning, under spares and counted deployments as well; and where
//! there is no plan, that is proven. Their times are measured in `benches/scale.rs`.

mod program_cases {
    pub(crate) mod draw;
}

use bursar::program::Program;
use bursar::program::prune::prune;
use bursar::solve::{Effort, Outcome, solve_program, solve_program_to, solve_program_within};
use program_cases::draw::{Draw, Form, draw, with};

/// The value of the best plan, proven to 1e-4; `None` where none exists.
fn value(program: &Program) -> Option<f64> {
    match solve_program(program) {
        Outcome::Solved(solved) => {
            assert_eq!(solved.point.broken_rule(program), None);
            assert!(solved.value - solved.bound <= 1e-4 * solved.value, "gap of {solved:?}");
            Some(solved.value)
        }
        Outcome::Infeasible { .. } => None,
        Outcome::Unknown(words) => panic!("{words}"),
    }
}

#[track_caller]
fn pruning_keeps_the_optimum(what: Draw, seeds: std::ops::Range<u64>) -> (usize, usize) {
    let (mut plans, mut none, mut smaller) = (0, 0, 0);
    for seed in seeds {
        let program = draw(what, seed);
        let pruned = prune(&program).program;
        smaller += program.pools.len() - pruned.pools.len();
        match (value(&program), value(&pruned)) {
            (Some(all), Some(kept)) => {
                plans += 1;
                assert!((all - kept).abs() <= 2e-4 * all, "seed {seed}: {kept} instead of {all}");
            }
            (None, None) => none += 1,
            (all, kept) => panic!("seed {seed}: {kept:?} instead of {all:?}"),
        }
    }
    assert!(smaller > 0);
    (plans, none)
}

#[test]
fn pruning_keeps_the_optimum_of_plain_programs() {
    let (plans, _) = pruning_keeps_the_optimum(Draw { hosted: 3, ..Draw::plain(2, 90) }, 0..12);
    assert!(plans > 6);
}

#[test]
fn pruning_keeps_the_optimum_with_a_spare_everywhere_and_few_deployments() {
    let what = Draw { hosted: 2, redundant: Some(2), ..Draw::plain(2, 150) };
    let (plans, _) = pruning_keeps_the_optimum(what, 0..12);
    assert!(plans > 3);
}

/// To a coarse gap: what matters is whether there is a plan.
#[test]
fn five_workloads_without_hosted_models_on_two_deployments_are_decided() {
    let what = Draw { hosted: 0, rates: 10.0, redundant: Some(2), ..Draw::plain(5, 3_000) };
    let mut none = 0;
    for seed in 0..6 {
        let program = prune(&draw(what, seed)).program;
        match solve_program_to(&program, 0.3) {
            Outcome::Solved(solved) => assert_eq!(solved.point.broken_rule(&program), None),
            Outcome::Infeasible { .. } => none += 1,
            Outcome::Unknown(words) => panic!("seed {seed}: {words}"),
        }
    }
    assert!(none >= 3, "{none} without a plan");
}

#[test]
fn a_search_that_is_stopped_at_once_still_has_a_plan_for_every_form() {
    let forms = [Form::Starts, Form::LeastTwo, Form::Rates, Form::Waits, Form::LeastScore];
    for form in forms {
        for seed in 0..4 {
            let program = prune(&with(form, draw(Draw::plain(2, 300), seed))).program;
            let outcome = solve_program_within(&program, Effort::until(1e-4, &|| true));
            let Outcome::Solved(solved) = outcome else { panic!("{form:?}, seed {seed}: {outcome:?}") };
            assert_eq!(solved.point.broken_rule(&program), None, "{form:?}, seed {seed}");
            assert!(solved.bound <= solved.value && solved.bound.is_finite(), "{form:?}, seed {seed}");
        }
    }
}

/// What a stopped search gives is a plan like any other: the best one is no dearer, and no bound is above it.
#[test]
fn what_a_stopped_search_gives_is_no_better_than_the_best() {
    for form in [Form::Starts, Form::LeastTwo, Form::Rates, Form::LeastScore] {
        for seed in 0..3 {
            let program = prune(&with(form, draw(Draw::plain(1, 60), seed))).program;
            let best = value(&program).expect("hosted models serve what nobody else does");
            let Outcome::Solved(early) = solve_program_within(&program, Effort::until(1e-4, &|| true)) else {
                panic!("{form:?}, seed {seed}")
            };
            let slack = 1e-4 * best.abs() + 1e-9;
            assert!(early.bound <= best + slack && best <= early.value + slack, "{form:?}, seed {seed}");
        }
    }
}
