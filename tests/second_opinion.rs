//! The solver against a plain enumerator written apart, on tiny random worlds with every rule.
//!
//! `second_opinion/enumerate.rs` tries every fleet and routes the rest with a textbook simplex; it shares nothing
//! with the crate but the data. Feasibility and objective must agree, with pruning and without.
//!
//! More worlds with everything than the default: `BURSAR_WORLDS=5000 cargo test --test second_opinion everything`. With
//! `--features highs` a second solver gives a third opinion (`second_opinion/backends.rs`).

mod second_opinion {
    #[cfg(feature = "highs")]
    mod backends;
    mod damage;
    pub(crate) mod enumerate;
    mod properties;
    pub(crate) mod rich;
    pub(crate) mod routing;
    pub(crate) mod simplex;
    pub(crate) mod worlds;
}

use bursar::program::prune::prune;
use bursar::program::{Goal, Program};
use bursar::solve::{Outcome, Solved, solve_program, solve_program_to};
use rayon::prelude::*;
use second_opinion::{enumerate, worlds};

/// Worlds compared with the enumerator.
const WORLDS: u64 = 3000;
/// Worlds of each property and each kind of damage.
const PROPERTY_WORLDS: u64 = 400;
/// About the most linear programs one world may take.
const WORK: f64 = 8000.0;
/// The same for worlds with everything, whose linear programs are larger.
const RICH_WORK: f64 = 15000.0;

fn close(x: f64, y: f64, relative: f64) -> bool {
    (x - y).abs() <= relative * x.abs().max(y.abs()).max(1e-1)
}

/// Runs a check over seeds and fails with the first few faults.
fn over(seeds: std::ops::Range<u64>, check: impl Fn(u64) -> Result<(), String> + Sync) {
    let mut faults: Vec<(u64, String)> =
        seeds.into_par_iter().filter_map(|seed| check(seed).err().map(|fault| (seed, fault))).collect();
    faults.sort();
    let first: Vec<String> =
        faults.iter().take(20).map(|(seed, fault)| format!("seed {seed}: {fault}")).collect();
    assert!(faults.is_empty(), "{} worlds fail:\n{}", faults.len(), first.join("\n"));
}

/// The solver's answer to a world as it was solved (perhaps pruned) agrees with the enumerator's of the `whole` one.
fn agrees(
    whole: &Program,
    opinion: Option<enumerate::Best>,
    solved_world: &Program,
    outcome: &Outcome,
) -> Result<(), String> {
    if enumerate::pays_once(whole) && whole.goal == Goal::Cost {
        return agrees_where_something_is_paid_once(whole, opinion, solved_world, outcome);
    }
    let usd = |best: enumerate::Best| best.usd_per_month.unwrap_or(best.value);
    let within =
        |best: enumerate::Best| whole.usd_per_month_max.is_none_or(|most| usd(best) <= most * (1.0 + 1e-9));
    match (opinion, outcome) {
        (None, Outcome::Infeasible { cheapest: None }) => Ok(()),
        (Some(best), Outcome::Infeasible { cheapest: Some(solved) })
            if whole.goal == Goal::Cost && !within(best) =>
        {
            same(solved_world, best, solved, false)
        }
        (Some(best), Outcome::Solved(solved)) if whole.goal != Goal::Cost || within(best) => {
            same(solved_world, best, solved, true)
        }
        _ => Err(format!("enumerator {opinion:?}, solver {}", brief(outcome))),
    }
}

/// There the budget is a row, and without a plan the least bill is asked for.
fn agrees_where_something_is_paid_once(
    whole: &Program,
    opinion: Option<enumerate::Best>,
    solved_world: &Program,
    outcome: &Outcome,
) -> Result<(), String> {
    match (opinion, outcome) {
        (Some(best), Outcome::Solved(solved)) => same(solved_world, best, solved, true),
        (None, Outcome::Infeasible { cheapest }) => {
            let mut free = Program { usd_per_month_max: None, ..whole.clone() };
            free.pools.iter_mut().flat_map(|pool| &mut pool.modes).for_each(|mode| mode.usd_amortised = 0.0);
            match (enumerate::best(&free), cheapest) {
                (None, None) => Ok(()),
                (Some(best), Some(solved)) => same(solved_world, best, solved, false),
                other => Err(format!("without a budget: {other:?}")),
            }
        }
        _ => Err(format!("enumerator {opinion:?}, solver {}", brief(outcome))),
    }
}

fn brief(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Solved(solved) => format!("{} at {} USD", solved.value, solved.usd_per_month),
        Outcome::Infeasible { cheapest: None } => "infeasible".into(),
        Outcome::Infeasible { cheapest: Some(solved) } => format!("over budget at {}", solved.value),
        Outcome::Unknown(words) => format!("unknown: {words}"),
    }
}

fn same(world: &Program, best: enumerate::Best, solved: &Solved, in_budget: bool) -> Result<(), String> {
    if !close(best.value, solved.value, 1e-6) {
        return Err(format!("value {} but the enumerator has {}", solved.value, best.value));
    }
    if let Some(usd) = best.usd_per_month
        && !close(usd, solved.usd_per_month, 1e-5)
    {
        return Err(format!("{} USD but the enumerator has {usd}", solved.usd_per_month));
    }
    if solved.bound > solved.value {
        return Err(format!("bound {} above the value {}", solved.bound, solved.value));
    }
    if solved.bound > best.value + 1e-7 * best.value.abs().max(1.0) {
        return Err(format!("bound {} is no bound: {}", solved.bound, best.value));
    }
    let mut checked = world.clone();
    if !in_budget {
        checked.usd_per_month_max = None;
    }
    match solved.point.broken_rule(&checked) {
        Some(rule) => Err(format!("the point breaks {rule}")),
        None => Ok(()),
    }
}

#[test]
fn the_optimum_is_the_enumerators_pruned_or_not() {
    over(0..WORLDS, |seed| {
        let world = worlds::world(seed, WORK);
        let opinion = enumerate::best(&world);
        agrees(&world, opinion, &world, &solve_program_to(&world, 0.0))
            .map_err(|fault| format!("unpruned: {fault}"))?;
        let small = prune(&world).program;
        agrees(&world, opinion, &small, &solve_program_to(&small, 0.0))
            .map_err(|fault| format!("pruned: {fault}"))
    });
}

/// Worlds with everything that are compared: as many as `BURSAR_WORLDS` says, or a few hundred.
fn rich_worlds() -> u64 {
    std::env::var("BURSAR_WORLDS").ok().and_then(|count| count.parse().ok()).unwrap_or(400)
}

#[test]
fn the_optimum_is_the_enumerators_with_everything() {
    over(0..rich_worlds(), |seed| {
        let world = worlds::rich_world(seed, RICH_WORK);
        let opinion = enumerate::best(&world);
        agrees(&world, opinion, &world, &solve_program_to(&world, 0.0))
            .map_err(|fault| format!("unpruned: {fault}"))?;
        let small = prune(&world).program;
        agrees(&world, opinion, &small, &solve_program_to(&small, 0.0))
            .map_err(|fault| format!("pruned: {fault}"))
    });
}

#[test]
fn the_optimum_is_the_enumerators_with_parts_set() {
    let seen = std::sync::Mutex::new([0u32; 4]);
    over(0..rich_worlds(), |seed| {
        let world = worlds::parts_world(seed, RICH_WORK);
        let opinion = enumerate::best(&world);
        seen.lock().expect("no check panics")
            [2 * usize::from(world.replicas.is_some()) + usize::from(opinion.is_some())] += 1;
        agrees(&world, opinion, &world, &solve_program_to(&world, 0.0))
            .map_err(|fault| format!("unpruned: {fault}"))?;
        let small = prune(&world).program;
        agrees(&world, opinion, &small, &solve_program_to(&small, 0.0))
            .map_err(|fault| format!("pruned: {fault}"))
    });
    let seen = seen.into_inner().expect("no check panics");
    assert!(
        seen.iter().all(|count| *count >= 20),
        "without and with a plan, by share and by count: {seen:?}"
    );
}

#[test]
fn the_default_gap_holds() {
    over(0..WORLDS / 3, |seed| {
        let world = worlds::world(seed, WORK);
        let (Outcome::Solved(exact), Outcome::Solved(quick)) =
            (solve_program_to(&world, 0.0), solve_program(&world))
        else {
            return Ok(());
        };
        let slack = 1e-8 * exact.value.abs().max(1.0);
        let proven = quick.value - quick.bound <= 1e-4 * quick.value.abs() + slack;
        if proven && quick.bound <= exact.value + 10.0 * slack && quick.value >= exact.value - 10.0 * slack {
            Ok(())
        } else {
            Err(format!("exact {} but {} with bound {}", exact.value, quick.value, quick.bound))
        }
    });
}

#[test]
fn worlds_cover_every_rule_both_ways() {
    // A generator that never draws a rule, or draws only hopeless worlds, tests nothing.
    let mut feasible = 0;
    let mut seen = std::collections::BTreeMap::<&str, (u32, u32)>::new();
    for seed in 0..400 {
        let world = worlds::world(seed, WORK);
        let solved = matches!(solve_program(&world), Outcome::Solved(_));
        feasible += u32::from(solved);
        let rules = [
            ("availability", world.wants_availability()),
            ("both_sides", world.both_sides_min.is_some()),
            ("budget", world.usd_per_month_max.is_some()),
            ("deployments", world.deployments_max.is_some()),
            ("hourly", world.pools.iter().any(|pool| pool.usd_per_hour.is_some())),
            ("ladder", world.pools.iter().any(|pool| pool.ladder.is_some())),
            ("limit", world.pools.iter().any(|pool| !pool.uses.is_empty())),
            ("local", world.local_usd_per_month > 0.0),
            ("rate", world.hosted.iter().any(|a| a.rate_rps.iter().any(|rate| rate.is_finite()))),
            ("score", world.goal == Goal::LeastScore),
            ("upfront", world.usd_upfront_max.is_some()),
        ];
        for (rule, present) in rules {
            let entry = seen.entry(rule).or_default();
            entry.0 += u32::from(present && solved);
            entry.1 += u32::from(present && !solved);
        }
    }
    assert!((150..=370).contains(&feasible), "{feasible} of 400 feasible");
    for (rule, (yes, no)) in seen {
        assert!(yes >= 10 && no >= 3, "{rule}: {yes} feasible, {no} infeasible worlds have it");
    }
}

#[test]
fn a_target_without_a_route_is_infeasible_not_a_fault() {
    let mut world = worlds::world(1, WORK);
    world.pools.clear();
    world.hosted.clear();
    assert_eq!(solve_program(&world), Outcome::Infeasible { cheapest: None });
    world.classes.iter_mut().for_each(|class| class.load_rps.fill(0.0));
    world.both_sides_min = None;
    let Outcome::Solved(solved) = solve_program(&world) else { panic!("nothing to do is easily done") };
    assert_eq!(solved.usd_per_month, 0.0);
}

#[test]
fn rich_worlds_use_what_they_have() {
    // As above: each feature must decide something in plans, not only be there.
    let mut seen = std::collections::BTreeMap::<&str, u32>::new();
    for seed in 0..1200 {
        let world = worlds::rich_world(seed, RICH_WORK);
        let Outcome::Solved(solved) = solve_program(&world) else { continue };
        let point = &solved.point;
        let slots = 0..world.slot_hours.len();
        let starts = world.pays_starts()
            && point.hourly.iter().zip(&world.pools).any(|(hours, pool)| {
                pool.usd_per_start > 0.0 && hours.iter().any(|count| *count != hours[0])
            });
        let shared = (0..world.hosts.len()).any(|h| {
            let on = |r: &usize| world.pools[*r].on.is_some_and(|(host, _)| host == h);
            (0..world.pools.len()).filter(on).filter(|r| point.uses_pool(&world, *r)).count() > 1
        });
        let moved = point.moved.iter().any(|class| {
            class
                .iter()
                .enumerate()
                .any(|(from, to)| to.iter().enumerate().any(|(t, share)| t != from && *share > 1e-3))
        });
        let blended = |through: bool| {
            point.blends.iter().zip(&world.blends).any(|(shares, blend)| {
                blend.through.is_some() == through && shares.iter().any(|share| *share > 1e-3)
            })
        };
        let least =
            (0..world.pools.len()).any(|r| world.pools[r].instances_min > 1 && point.uses_pool(&world, r));
        let drawn =
            (0..world.hosted.len()).any(|a| !world.hosted[a].uses.is_empty() && point.uses_hosted(&world, a));
        let engine = (0..world.hosted.len()).any(|a| world.hosted[a].local && point.uses_hosted(&world, a));
        let hosts = |of: &dyn Fn(usize, usize) -> u32| {
            (0..world.hosts.len()).any(|h| slots.clone().any(|t| of(h, t) > 0))
        };
        for (feature, present) in [
            ("starts", starts),
            ("shared instances", shared),
            ("hosts", hosts(&|h, t| point.host_instances(h, t))),
            ("moved", moved),
            ("blends", blended(false)),
            ("blends through another class", blended(true)),
            ("least replicas", least),
            ("draws", drawn),
            ("engines", engine),
            ("means", !world.means.is_empty()),
            ("paid once", point.usd_amortised(&world) > 0.0),
        ] {
            *seen.entry(feature).or_default() += u32::from(present);
        }
    }
    assert!(seen.values().all(|count| *count >= 5), "{seen:?}");
}
