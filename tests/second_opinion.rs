//! The solver against a plain enumerator written apart, on tiny random worlds with every rule.
//!
//! `second_opinion/enumerate.rs` tries every fleet and routes the rest with a textbook simplex; it shares nothing
//! with the crate but the data. Feasibility and objective must agree, with pruning and without.

mod second_opinion {
    pub(crate) mod enumerate;
    pub(crate) mod simplex;
    pub(crate) mod worlds;
}

use bursar::program::prune::prune;
use bursar::program::{Goal, Ladder, Point, Program};
use bursar::solve::{Outcome, Solved, solve_program, solve_program_to};
use rayon::prelude::*;
use second_opinion::{enumerate, worlds};

/// Worlds compared with the enumerator.
const WORLDS: u64 = 3000;
/// Worlds of each property and each kind of damage.
const PROPERTY_WORLDS: u64 = 400;
/// About the most linear programs one world may take.
const WORK: f64 = 8000.0;

fn close(x: f64, y: f64, relative: f64) -> bool {
    (x - y).abs() <= relative * x.abs().max(y.abs()).max(1e-2)
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

/// The solver's answer agrees with the enumerator's.
fn agrees(world: &Program, opinion: Option<enumerate::Best>, outcome: &Outcome) -> Result<(), String> {
    let within = |usd: f64| world.usd_per_month_max.is_none_or(|most| usd <= most * (1.0 + 1e-9));
    match (opinion, outcome) {
        (None, Outcome::Infeasible { cheapest: None }) => Ok(()),
        (Some(best), Outcome::Infeasible { cheapest: Some(solved) })
            if world.goal == Goal::Cost && !within(best.usd_per_month) =>
        {
            same(world, best, solved, false)
        }
        (Some(best), Outcome::Solved(solved)) if world.goal != Goal::Cost || within(best.usd_per_month) => {
            same(world, best, solved, true)
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
    if !close(best.usd_per_month, solved.usd_per_month, 1e-5) {
        return Err(format!("{} USD but the enumerator has {}", solved.usd_per_month, best.usd_per_month));
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
        agrees(&world, opinion, &solve_program_to(&world, 0.0))
            .map_err(|fault| format!("unpruned: {fault}"))?;
        let small = prune(&world).program;
        agrees(&small, opinion, &solve_program_to(&small, 0.0)).map_err(|fault| format!("pruned: {fault}"))
    });
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

/// The value of a world, or nothing where it has no plan.
fn value(world: &Program) -> Result<Option<f64>, String> {
    match solve_program_to(world, 0.0) {
        Outcome::Solved(solved) => Ok(Some(solved.value)),
        Outcome::Infeasible { .. } => Ok(None),
        Outcome::Unknown(words) => Err(words),
    }
}

fn unchanged(what: &str, before: Option<f64>, after: Option<f64>) -> Result<(), String> {
    match (before, after) {
        (None, None) => Ok(()),
        (Some(x), Some(y)) if close(x, y, 1e-6) => Ok(()),
        _ => Err(format!("{what}: {before:?} became {after:?}")),
    }
}

#[test]
fn more_budget_never_hurts() {
    over(0..PROPERTY_WORLDS, |seed| {
        let mut world = worlds::world(seed, WORK);
        let mut last: Option<f64> = None;
        for usd in [100.0, 300.0, 600.0, 1000.0, 2000.0, 1e6] {
            world.usd_per_month_max = Some(usd);
            let next = value(&world)?;
            let no_worse = match (last, next) {
                (None, _) => true,
                (Some(_), None) => false,
                (Some(x), Some(y)) => y <= x + 1e-6 * x.abs().max(1e-2),
            };
            if !no_worse {
                return Err(format!("{last:?} became {next:?} with a budget of {usd}"));
            }
            last = next;
        }
        Ok(())
    });
}

#[test]
fn removing_what_the_plan_does_not_use_changes_nothing() {
    over(0..PROPERTY_WORLDS, |seed| {
        let world = worlds::world(seed, WORK);
        let Outcome::Solved(solved) = solve_program_to(&world, 0.0) else { return Ok(()) };
        for r in (0..world.pools.len()).filter(|r| !solved.point.uses_pool(*r)) {
            let mut smaller = world.clone();
            smaller.pools.remove(r);
            unchanged("without an unused pool", Some(solved.value), value(&smaller)?)?;
        }
        for a in (0..world.hosted.len()).filter(|a| !solved.point.uses_hosted(*a)) {
            let mut smaller = world.clone();
            smaller.hosted.remove(a);
            unchanged("without an unused hosted model", Some(solved.value), value(&smaller)?)?;
        }
        Ok(())
    });
}

#[test]
fn an_infeasible_world_stays_so_with_fewer_options() {
    over(0..PROPERTY_WORLDS, |seed| {
        let world = worlds::world(seed, WORK);
        if value(&world)?.is_some() {
            return Ok(());
        }
        for r in 0..world.pools.len() {
            let mut smaller = world.clone();
            smaller.pools.remove(r);
            unchanged("with a pool fewer", None, value(&smaller)?)?;
        }
        Ok(())
    });
}

#[test]
fn money_and_traffic_have_no_natural_unit() {
    over(0..PROPERTY_WORLDS, |seed| {
        let world = worlds::world(seed, WORK);
        let before = value(&world)?;
        for times in [1e-3, 7.0, 1e4] {
            let mut dearer = world.clone();
            dearer.local_usd_per_month *= times;
            dearer.usd_per_month_max = world.usd_per_month_max.map(|usd| usd * times);
            dearer.usd_upfront_max = world.usd_upfront_max.map(|usd| usd * times);
            for pool in &mut dearer.pools {
                pool.usd_per_hour = pool.usd_per_hour.map(|usd| usd * times);
                pool.usd_per_request.iter_mut().for_each(|usd| *usd *= times);
                for mode in &mut pool.modes {
                    mode.usd_per_month *= times;
                    mode.usd_upfront *= times;
                }
            }
            for hosted in &mut dearer.hosted {
                hosted.usd_per_request.iter_mut().flatten().for_each(|usd| *usd *= times);
            }
            let scale = if world.goal == Goal::Cost { times } else { 1.0 };
            unchanged("other money", before.map(|usd| usd * scale), value(&dearer)?)?;

            let mut busier = world.clone();
            for class in &mut busier.classes {
                class.load_rps.iter_mut().chain(&mut class.billed_rps).for_each(|rate| *rate *= times);
            }
            for pool in &mut busier.pools {
                pool.capacity.iter_mut().for_each(|rate| *rate *= times);
                pool.usd_per_request.iter_mut().for_each(|usd| *usd /= times);
            }
            for hosted in &mut busier.hosted {
                hosted.rate_rps.iter_mut().for_each(|rate| *rate *= times);
                hosted.usd_per_request.iter_mut().flatten().for_each(|usd| *usd /= times);
            }
            unchanged("another unit of traffic", before, value(&busier)?)?;
        }
        Ok(())
    });
}

#[test]
fn the_order_of_options_changes_nothing() {
    over(0..PROPERTY_WORLDS, |seed| {
        let world = worlds::world(seed, WORK);
        let mut turned = world.clone();
        turned.pools.reverse();
        turned.hosted.rotate_left(usize::from(!world.hosted.is_empty()));
        unchanged("turned round", value(&world)?, value(&turned)?)?;
        unchanged("turned round and pruned", value(&world)?, value(&prune(&turned).program)?)
    });
}

#[test]
fn merging_equal_slots_changes_nothing() {
    over(0..PROPERTY_WORLDS, |seed| {
        let mut world = worlds::world(seed, 60.0);
        world.slot_hours.push(world.slot_hours[0]);
        for class in &mut world.classes {
            class.load_rps.push(class.load_rps[0]);
            class.billed_rps.push(class.billed_rps[0]);
        }
        let (merged, into) = world.merge_slots();
        let hours: f64 = world.slot_hours.iter().sum();
        let kept: f64 = merged.slot_hours.iter().sum();
        if into.len() != world.slot_hours.len() || (hours - kept).abs() > 1e-9 {
            return Err("hours got lost".into());
        }
        agrees(&world, enumerate::best(&world), &solve_program_to(&world, 0.0))
    });
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

/// Damages solved points in the way of one rule, in every world where that can be done.
fn damaged(rule: &str, damage: impl Fn(&mut Program, &mut Point) -> Option<()> + Sync) {
    let hits: u32 = (0..PROPERTY_WORLDS)
        .into_par_iter()
        .map(|seed| {
            let mut world = worlds::world(seed, WORK);
            let Outcome::Solved(solved) = solve_program_to(&world, 0.0) else { return 0 };
            let mut point = solved.point;
            if damage(&mut world, &mut point).is_none() {
                return 0;
            }
            assert_eq!(point.broken_rule(&world), Some(rule), "seed {seed}");
            1
        })
        .sum();
    assert!(hits >= 10, "only {hits} worlds could be damaged by {rule}");
}

/// A class, target and slot of the largest share on one side.
fn largest(side: &[Vec<Vec<f64>>]) -> Option<(usize, usize, usize)> {
    let mut best = (0.0, None);
    for (c, targets) in side.iter().enumerate() {
        for (target, slots) in targets.iter().enumerate() {
            for (t, share) in slots.iter().enumerate() {
                if *share > best.0 {
                    best = (*share, Some((c, target, t)));
                }
            }
        }
    }
    best.1
}

#[test]
fn damage_to_demand_is_named() {
    damaged("demand", |_, point| {
        let (c, r, t) = largest(&point.local)?;
        point.local[c][r][t] *= 0.99;
        Some(())
    });
    damaged("demand", |_, point| {
        let (c, a, t) = largest(&point.cloud)?;
        point.cloud[c][a][t] *= 1.01; // answered twice
        Some(())
    });
}

#[test]
fn damage_to_capacity_is_named() {
    damaged("capacity", |world, point| {
        let (_, r, t) = largest(&point.local)?;
        if world.pools[r].ladder.is_some() {
            return None; // another slot may run out of spares first
        }
        // One instance fewer than the load needs, whatever was spare.
        let load: f64 = (0..world.classes.len())
            .filter_map(|c| Some(world.instances_for(c, r, t)? * point.local[c][r][t]))
            .sum();
        let fewer = ((load - 1e-4).ceil().max(1.0) as u32) - 1;
        point.hourly[r][t] = if point.hourly[r][t] > 0 { fewer } else { 0 };
        let mut left = fewer - point.hourly[r][t];
        for count in &mut point.always_on[r] {
            *count = (*count).min(left);
            left -= *count;
        }
        (load > 1e-3).then_some(())
    });
    damaged("capacity", |world, point| {
        let (c, r, _) = largest(&point.local)?;
        world.pools[r].capacity[c] = 0.0; // it cannot serve the class at all
        Some(())
    });
    damaged("capacity", |world, point| {
        let r = (0..world.pools.len()).find(|r| world.pools[*r].usd_per_hour.is_none())?;
        point.hourly[r][0] += 1; // nobody sells these hours
        Some(())
    });
}

#[test]
fn damage_to_limits_is_named() {
    damaged("limit", |world, point| {
        let (r, pool) = world.pools.iter().enumerate().find(|(_, pool)| !pool.uses.is_empty())?;
        let (k, amount) = pool.uses[0];
        let more = (world.resources[k].limit / amount).ceil() as u32 + 1;
        *point.always_on[r].first_mut()? += more;
        Some(())
    });
    damaged("usd_upfront", |world, point| {
        let most = world.usd_upfront_max?;
        let found = world.pools.iter().enumerate().find_map(|(r, pool)| {
            let j = pool.modes.iter().position(|mode| mode.usd_upfront > 0.0)?;
            pool.uses.is_empty().then_some((r, j))
        });
        let (r, j) = found?;
        point.always_on[r][j] += (most / world.pools[r].modes[j].usd_upfront).ceil() as u32 + 1;
        Some(())
    });
    damaged("usd_per_month", |world, point| {
        let usd = point.usd_per_month(world);
        world.usd_per_month_max = (usd > 1.0).then_some(usd * 0.999);
        world.usd_per_month_max.map(|_| ())
    });
    damaged("max_deployments", |world, point| {
        let used = u32::try_from(point.deployments(world)).expect("few");
        world.deployments_max = Some(used.checked_sub(1)?);
        Some(())
    });
    damaged("routing", |world, point| {
        let alone = largest(&point.local).is_none() || largest(&point.cloud).is_none();
        world.both_sides_min = Some(0.05);
        alone.then_some(())
    });
}

#[test]
fn damage_to_rate_limits_is_named() {
    damaged("rate_limit", |world, point| {
        let (c, a, t) = largest(&point.cloud)?;
        world.hosted[a].rate_rps[c] = world.classes[c].load_rps[t] * point.cloud[c][a][t] * 0.99;
        Some(())
    });
    damaged("rate_limit", |world, point| {
        let (c, a, _) = largest(&point.cloud)?;
        world.hosted[a].usd_per_request[c] = None; // it does not serve the class
        Some(())
    });
}

#[test]
fn damage_to_availability_is_named() {
    damaged("availability", |world, point| {
        let (_, r, t) = largest(&point.local)?;
        let pool = &mut world.pools[r];
        let have = (point.always_on[r].iter().sum::<u32>() + point.hourly[r][t]) * pool.replicas;
        pool.ladder = Some(Ladder { needed_max: vec![0; have as usize] }); // as many spares as there are replicas
        Some(())
    });
    damaged("availability", |world, point| {
        let (c, a, _) = largest(&point.cloud)?;
        world.classes[c].unavailability_max = Some(0.01);
        world.hosted[a].unavailability = 0.011;
        Some(())
    });
    damaged("availability", |world, point| {
        let (c, r, _) = largest(&point.local)?;
        world.classes[c].unavailability_max = Some(0.01);
        world.pools[r].unavailability = 0.0;
        world.pools[r].unavailability_per_replica = 0.011;
        Some(())
    });
}
