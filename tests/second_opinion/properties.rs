//! What must hold of every program whatever its optimum is: more budget, traffic, options, other units, another order.

use bursar::program::prune::prune;
use bursar::program::{Class, Goal, Mode, Program};
use bursar::solve::{Outcome, solve_program_to};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::{enumerate, worlds};
use crate::{PROPERTY_WORLDS, RICH_WORK, WORK, agrees, close, over};

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
        for r in (0..world.pools.len()).filter(|r| !solved.point.uses_pool(&world, *r)) {
            let mut smaller = world.clone();
            smaller.pools.remove(r);
            unchanged("without an unused pool", Some(solved.value), value(&smaller)?)?;
        }
        for a in (0..world.hosted.len()).filter(|a| !solved.point.uses_hosted(&world, *a)) {
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
        agrees(&world, enumerate::best(&world), &world, &solve_program_to(&world, 0.0))
    });
}

fn rich_value(
    seed: u64,
    change: impl Fn(&mut Program),
) -> Result<(Program, Option<f64>, Option<f64>), String> {
    let world = worlds::rich_world(seed, RICH_WORK);
    let mut other = world.clone();
    change(&mut other);
    let (before, after) = (value(&world)?, value(&other)?);
    Ok((world, before, after))
}

/// After a change that may only help, the value is no higher and there is a plan where there was one.
fn no_worse(before: Option<f64>, after: Option<f64>) -> Result<(), String> {
    let slack = |x: f64| 1e-6 * x.abs().max(1e-1);
    match (before, after) {
        (None, _) => Ok(()),
        (Some(x), Some(y)) if y <= x + slack(x) => Ok(()),
        _ => Err(format!("{before:?} became {after:?}")),
    }
}

#[test]
fn prices_have_no_unit_with_everything() {
    over(0..PROPERTY_WORLDS, |seed| {
        let (world, before, after) = rich_value(seed, |world| {
            world.local_usd_per_month *= 8.0;
            world.usd_per_month_max = world.usd_per_month_max.map(|usd| usd * 8.0);
            world.usd_upfront_max = world.usd_upfront_max.map(|usd| usd * 8.0);
            let dearer = |modes: &mut Vec<Mode>| {
                for mode in modes {
                    mode.usd_per_month *= 8.0;
                    mode.usd_upfront *= 8.0;
                    mode.usd_amortised *= 8.0;
                }
            };
            for pool in &mut world.pools {
                dearer(&mut pool.modes);
                pool.usd_per_hour = pool.usd_per_hour.map(|usd| usd * 8.0);
                pool.usd_per_start *= 8.0;
                pool.usd_per_request.iter_mut().for_each(|usd| *usd *= 8.0);
            }
            for host in &mut world.hosts {
                dearer(&mut host.modes);
                host.usd_per_hour = host.usd_per_hour.map(|usd| usd * 8.0);
                host.usd_per_start *= 8.0;
            }
            world
                .hosted
                .iter_mut()
                .flat_map(|a| a.usd_per_request.iter_mut().flatten())
                .for_each(|usd| *usd *= 8.0);
            world.blends.iter_mut().for_each(|blend| blend.usd_per_request *= 8.0);
        })?;
        let times = if world.goal == Goal::Cost { 8.0 } else { 1.0 };
        unchanged("prices times eight", before.map(|usd| usd * times), after)
    });
}

#[test]
fn more_options_and_looser_limits_never_cost_more() {
    over(0..PROPERTY_WORLDS, |seed| {
        let world = worlds::rich_world(seed, RICH_WORK);
        let all = value(&world)?;
        let pools: Vec<usize> = (0..world.pools.len()).collect();
        let hosted: Vec<usize> = (0..world.hosted.len()).collect();
        for gone in &pools {
            let rest: Vec<usize> = pools.iter().copied().filter(|r| r != gone).collect();
            no_worse(value(&world.only(&rest, &hosted).0)?, all).map_err(|e| format!("pool {gone}: {e}"))?;
        }
        for gone in &hosted {
            let rest: Vec<usize> = hosted.iter().copied().filter(|a| a != gone).collect();
            no_worse(value(&world.only(&pools, &rest).0)?, all).map_err(|e| format!("hosted {gone}: {e}"))?;
        }
        let mut looser = world.clone();
        looser.resources.iter_mut().for_each(|resource| resource.limit += 2.0);
        looser.usd_upfront_max = looser.usd_upfront_max.map(|usd| usd + 1000.0);
        looser.deployments_max = looser.deployments_max.map(|most| most + 1);
        for mean in &mut looser.means {
            mean.limit += if mean.at_least { -5.0 } else { 5.0 };
        }
        no_worse(all, value(&looser)?).map_err(|e| format!("looser: {e}"))
    });
}

#[test]
fn faster_replicas_and_less_traffic_never_cost_more() {
    over(0..PROPERTY_WORLDS, |seed| {
        let (world, before, after) = rich_value(seed, |world| {
            // What a looser latency limit does: each replica carries more.
            world.pools.iter_mut().flat_map(|pool| &mut pool.capacity).for_each(|rate| *rate *= 1.25);
        })?;
        no_worse(before, after).map_err(|e| format!("capacity: {e}"))?;
        // A score is a mean over requests, and a share to reach or a mean follows the mix.
        if world.goal == Goal::LeastScore || world.both_sides_min.is_some() || !world.means.is_empty() {
            return Ok(());
        }
        let (_, before, after) = rich_value(seed, |world| {
            for class in &mut world.classes {
                class.load_rps.iter_mut().chain(&mut class.billed_rps).for_each(|rate| *rate *= 0.8);
            }
        })?;
        no_worse(before, after).map_err(|e| format!("traffic: {e}"))
    });
}

#[test]
fn k_times_the_traffic_costs_at_most_k_times() {
    // Without stock, quota, rate limit or budget k copies of a plan serve k times the traffic.
    over(0..PROPERTY_WORLDS, |seed| {
        let mut world = worlds::rich_world(seed, RICH_WORK);
        world.resources.clear();
        world.hosts.iter_mut().for_each(|host| host.uses.clear());
        world.pools.iter_mut().for_each(|pool| pool.uses.clear());
        for hosted in &mut world.hosted {
            hosted.uses.clear();
            hosted.rate_rps.fill(f64::INFINITY);
        }
        (world.usd_per_month_max, world.usd_upfront_max, world.goal) = (None, None, Goal::Cost);
        // Spares beyond the end of a ladder are not known; k copies lose k times as many replicas.
        world.pools.iter_mut().for_each(|pool| pool.ladder = None);
        world.classes.iter_mut().for_each(|class| class.unavailability_max = None);
        let Some(one) = value(&world)? else { return Ok(()) };
        for k in [2.0, 3.0] {
            let mut busier = world.clone();
            for class in &mut busier.classes {
                class.load_rps.iter_mut().chain(&mut class.billed_rps).for_each(|rate| *rate *= k);
            }
            no_worse(Some(k * one), value(&busier)?).map_err(|e| format!("{k} times: {e}"))?;
        }
        Ok(())
    });
}

/// Indices of classes, pools, hosted models and slots in another order.
fn turned(world: &Program, rng: &mut ChaCha8Rng) -> Program {
    let mut order = |n: usize| {
        let mut order: Vec<usize> = (0..n).collect();
        for at in (1..n).rev() {
            order.swap(at, rng.random_range(0..=at));
        }
        order
    };
    let (classes, slots) = (order(world.classes.len()), order(world.slot_hours.len()));
    let (pools, hosted) = (order(world.pools.len()), order(world.hosted.len()));
    let place = |order: &[usize], old: usize| order.iter().position(|at| *at == old).expect("a permutation");
    let (mut new, _) = world.only(&pools, &hosted);
    let by_slot = |values: &[f64]| slots.iter().map(|t| values[*t]).collect::<Vec<f64>>();
    let class = |old: &Class| Class {
        load_rps: by_slot(&old.load_rps),
        billed_rps: by_slot(&old.billed_rps),
        served_in: if old.served_in.is_empty() {
            Vec::new()
        } else {
            let moved = |t: &usize| old.served_in[*t].iter().map(|to| place(&slots, *to)).collect();
            slots.iter().map(moved).collect()
        },
        ..old.clone()
    };
    new.classes = classes.iter().map(|c| class(&world.classes[*c])).collect();
    new.slot_hours = by_slot(&world.slot_hours);
    if !world.slot_starts.is_empty() {
        new.slot_starts = by_slot(&world.slot_starts);
    }
    if !world.before.is_empty() {
        new.before = slots.iter().map(|t| place(&slots, world.before[*t])).collect();
    }
    let by_class = |values: &Vec<f64>| classes.iter().map(|c| values[*c]).collect::<Vec<f64>>();
    for pool in &mut new.pools {
        pool.capacity = by_class(&pool.capacity);
        pool.usd_per_request = by_class(&pool.usd_per_request);
        pool.score = by_class(&pool.score);
    }
    for hosted in &mut new.hosted {
        hosted.usd_per_request = classes.iter().map(|c| hosted.usd_per_request[*c]).collect();
        hosted.score = by_class(&hosted.score);
        hosted.rate_rps = by_class(&hosted.rate_rps);
        hosted.uses.iter_mut().for_each(|(_, amounts)| *amounts = by_class(amounts));
    }
    for blend in &mut new.blends {
        blend.class = place(&classes, blend.class);
        blend.through = blend.through.map(|c| place(&classes, c));
    }
    for mean in &mut new.means {
        mean.local = classes.iter().map(|c| mean.local[*c].clone()).collect();
        mean.cloud = classes.iter().map(|c| mean.cloud[*c].clone()).collect();
    }
    new
}

#[test]
fn the_order_of_anything_changes_nothing() {
    over(0..PROPERTY_WORLDS, |seed| {
        let world = worlds::rich_world(seed, RICH_WORK);
        let other = turned(&world, &mut ChaCha8Rng::seed_from_u64(seed));
        let before = value(&world)?;
        unchanged("turned round", before, value(&other)?)?;
        unchanged("turned round and pruned", before, value(&prune(&other).program)?)
    });
}

#[test]
fn equal_neighbours_merge_where_starts_are_paid() {
    over(0..2 * PROPERTY_WORLDS, |seed| {
        let mut world = worlds::rich_world(seed, 40.0);
        if world.before.is_empty() {
            return Ok(());
        }
        // Every slot twice, in a row.
        let twice = |values: &[f64]| values.iter().flat_map(|x| [*x, *x]).collect::<Vec<f64>>();
        let slots = world.slot_hours.len();
        world.slot_hours = twice(&world.slot_hours);
        world.slot_starts = twice(&world.slot_starts);
        world.before = (0..2 * slots).map(|t| (t + 2 * slots - 1) % (2 * slots)).collect();
        for class in &mut world.classes {
            if !class.served_in.is_empty() {
                return Ok(());
            }
            class.load_rps = twice(&class.load_rps);
            class.billed_rps = twice(&class.billed_rps);
        }
        if enumerate::work(&world) > 20.0 * RICH_WORK {
            return Ok(());
        }
        agrees(&world, enumerate::best(&world), &world, &solve_program_to(&world, 0.0))
    });
}
