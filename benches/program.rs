//! Time to proof of a program against its number of pools, slots and classes, and of pruning alone.
//!
//! The programs are synthetic and seeded: GPUs of four sizes whose price and capacity grow with the size and vary by
//! a third, one in five unable to serve a class, three hosted models, a day of two to four levels.
#![allow(missing_docs, reason = "divan's main")]

#[path = "../tests/program_cases/load.rs"]
#[allow(dead_code, reason = "the tests read what is known of a case")]
mod load;

use bursar::program::prune::prune;
use bursar::program::{Class, Goal, Hosted, Mode, Pool, Program};
use bursar::solve::{Outcome, solve_program};
use divan::Bencher;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

fn main() {
    divan::main();
}

/// A program of so many pools, slots and classes.
fn synthetic(pools: usize, slots: usize, classes: usize, hours_in_use: bool) -> Program {
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let mut vary = |most: f64| rng.random_range(1.0 / most..most);
    let classes: Vec<Class> = (0..classes)
        .map(|c| {
            let base = vary(4.0);
            let load_rps: Vec<f64> = (0..slots).map(|t| base * (1.0 + 2.0 * t as f64) * vary(1.2)).collect();
            Class {
                name: format!("class {c}"),
                billed_rps: load_rps.clone(),
                load_rps,
                unavailability_max: None,
                ..Default::default()
            }
        })
        .collect();
    let count = classes.len();
    let pools: Vec<Pool> = (0..pools)
        .map(|r| {
            let gpus = f64::from(1u32 << (r % 4));
            let usd = 700.0 * gpus * vary(1.3);
            Pool {
                id: format!("pool {r}"),
                deployment: r,
                behind: Vec::new(),
                capacity: (0..count)
                    .map(|_| if vary(2.0) < 0.8 { 0.0 } else { 2.0 * gpus.powf(1.05) * vary(1.3) })
                    .collect(),
                replicas: 1,
                modes: vec![
                    Mode {
                        billing: "on-demand".into(),
                        usd_per_month: usd,
                        usd_upfront: 0.0,
                        ..Default::default()
                    },
                    Mode {
                        billing: "reserved-1y".into(),
                        usd_per_month: usd * 0.65,
                        usd_upfront: 0.0,
                        ..Default::default()
                    },
                ],
                usd_per_hour: hours_in_use.then_some(usd / 700.0),
                usd_per_request: vec![0.0; count],
                score: vec![0.0; count],
                uses: Vec::new(),
                ladder: None,
                unavailability_per_replica: 0.0,
                unavailability: 0.0,
                ..Default::default()
            }
        })
        .collect();
    let hosted = (0..3)
        .map(|a| Hosted {
            id: format!("hosted {a}"),
            deployments: vec![a],
            usd_per_request: (0..count).map(|_| Some(3e-4 * vary(2.0))).collect(),
            score: vec![0.0; count],
            rate_rps: vec![f64::INFINITY; count],
            unavailability: 0.0,
            ..Default::default()
        })
        .collect();
    Program {
        slot_hours: vec![730.0 / slots as f64; slots],
        classes,
        pools,
        hosted,
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

fn proven(bencher: Bencher<'_, '_>, program: &Program) {
    bencher.bench_local(|| {
        let outcome = solve_program(&prune(divan::black_box(program)).program);
        assert!(matches!(outcome, Outcome::Solved(_)));
        outcome
    });
}

#[divan::bench(args = [10, 100, 1000], sample_count = 10)]
fn by_pools(bencher: Bencher<'_, '_>, pools: usize) {
    proven(bencher, &synthetic(pools, 2, 2, false));
}

#[divan::bench(args = [1, 2, 4, 8, 24], sample_count = 10)]
fn by_slots(bencher: Bencher<'_, '_>, slots: usize) {
    proven(bencher, &synthetic(100, slots, 2, false));
}

#[divan::bench(args = [1, 2, 3, 5], sample_count = 10)]
fn by_classes(bencher: Bencher<'_, '_>, classes: usize) {
    proven(bencher, &synthetic(100, 2, classes, false));
}

#[divan::bench(args = [1, 2, 4], sample_count = 5)]
fn with_hours_in_use_by_slots(bencher: Bencher<'_, '_>, slots: usize) {
    proven(bencher, &synthetic(100, slots, 1, true));
}

/// Cases of the formulation study, pruned and proven to 1e-4; see `tests/program/`.
#[divan::bench(
    args = [
        "02-one-workload-two-pools",
        "03-one-workload-all-rules",
        "04-two-workloads",
        "06-five-workloads",
        "07-five-workloads-whole-catalog",
        "08-five-workloads-all-rules",
        "09-five-workloads-hard",
    ],
    sample_count = 3
)]
fn cases_of_the_study(bencher: Bencher<'_, '_>, name: &str) {
    proven(bencher, &load::case(name).program);
}

/// Pruning of the same, for cases of ten thousand offers.
#[divan::bench(
    args = ["03-one-workload-all-rules", "07-five-workloads-whole-catalog", "08-five-workloads-all-rules"],
    sample_count = 10
)]
fn pruning_of_the_study(bencher: Bencher<'_, '_>, name: &str) {
    let program = load::case(name).program;
    bencher.bench_local(|| prune(divan::black_box(&program)));
}

#[divan::bench(args = [100, 1000, 10_000], sample_count = 10)]
fn pruning_by_pools(bencher: Bencher<'_, '_>, pools: usize) {
    let program = synthetic(pools, 24, 5, true);
    bencher.bench_local(|| prune(divan::black_box(&program)));
}
