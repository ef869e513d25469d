//! Solved points are damaged in the way of one rule; the check must name that rule.

use bursar::program::{Ladder, Point, Program};
use bursar::solve::{Outcome, solve_program_to};
use rayon::prelude::*;

use super::worlds;
use crate::{PROPERTY_WORLDS, RICH_WORK, WORK};

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
fn damage_to_parts_that_are_set_is_named() {
    damaged("local_share", |world, point| {
        let share = if largest(&point.local).is_none() { 0.01 } else { 0.0 };
        world.local_share = Some(share);
        world.both_sides_min = None;
        Some(())
    });
    damaged("replicas", |world, point| {
        let slots = 0..world.slot_hours.len();
        let there = |t: usize| -> u32 {
            world.pools.iter().enumerate().map(|(r, pool)| point.instances(r, t) * pool.replicas).sum()
        };
        world.replicas = Some(slots.map(there).max()? + 1);
        Some(())
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

/// The same in worlds with everything, as many as it takes.
fn damaged_rich(rule: &str, damage: impl Fn(&mut Program, &mut Point) -> Option<()> + Sync) {
    let hits: u32 = (0..4 * PROPERTY_WORLDS)
        .into_par_iter()
        .map(|seed| {
            let mut world = worlds::rich_world(seed, RICH_WORK);
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

#[test]
fn damage_to_waiting_work_is_named() {
    damaged_rich("demand", |world, point| {
        let c = (0..world.classes.len()).find(|c| !world.classes[*c].served_in.is_empty())?;
        let from = (0..world.slot_hours.len()).find(|t| world.classes[c].load_rps[*t] > 0.0)?;
        point.moved[c][from].iter_mut().for_each(|share| *share *= 0.99);
        Some(())
    });
    damaged_rich("demand", |world, point| {
        // It is served after its window.
        let c = (0..world.classes.len()).find(|c| !world.classes[*c].served_in.is_empty())?;
        let from = (0..world.slot_hours.len()).find(|t| world.classes[c].load_rps[*t] > 0.0)?;
        let to = (0..world.slot_hours.len()).find(|t| point.moved[c][from][*t] > 0.1)?;
        world.classes[c].served_in[from].retain(|slot| *slot != to);
        Some(())
    });
}

#[test]
fn damage_to_shared_instances_is_named() {
    damaged_rich("capacity", |world, point| {
        // The replicas are there, the instances they stand on are not.
        let h = (0..world.hosts.len())
            .find(|h| (0..world.slot_hours.len()).any(|t| point.host_instances(*h, t) > 0))?;
        point.host_always_on[h].fill(0);
        point.host_hourly[h].fill(0);
        Some(())
    });
    damaged_rich("capacity", |world, point| {
        let h = (0..world.hosts.len()).find(|h| world.hosts[*h].usd_per_hour.is_none())?;
        point.host_hourly[h][0] += 1; // nobody sells these hours
        Some(())
    });
}

#[test]
fn damage_to_least_replicas_is_named() {
    damaged_rich("min_replicas", |world, point| {
        let r = (0..world.pools.len()).find(|r| point.uses_pool(world, *r))?;
        let least = (0..world.slot_hours.len()).map(|t| point.instances(r, t)).min()?;
        world.pools[r].instances_min = least + 1;
        Some(())
    });
}

#[test]
fn damage_to_means_and_draws_is_named() {
    damaged_rich("quality_mean", |world, _| {
        let mean = world.means.first_mut()?;
        mean.limit += if mean.at_least { 100.0 } else { -100.0 };
        Some(())
    });
    damaged_rich("limit", |world, point| {
        let (a, hosted) = world.hosted.iter().enumerate().find(|(_, hosted)| !hosted.uses.is_empty())?;
        let drawn = world.classes.iter().enumerate().any(|(c, class)| {
            (0..world.slot_hours.len()).any(|t| class.load_rps[t] * point.cloud[c][a][t] > 0.05)
        });
        let waits = world.classes.iter().any(|class| !class.served_in.is_empty());
        world.resources[hosted.uses[0].0].limit = 1.0;
        (drawn && !waits).then_some(())
    });
}

#[test]
fn damage_to_blends_is_named() {
    damaged_rich("demand", |_, point| {
        let shares = point.blends.iter_mut().flatten().max_by(|x, y| x.total_cmp(y))?;
        let used = *shares > 0.01;
        *shares *= 0.9;
        used.then_some(())
    });
}
