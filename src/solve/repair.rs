//! Plans for programs with a rule of another form, made from those of a program that can be taken apart: found easily,
//! proven by others or not at all.
//!
//! In: a program, and a plan of a freer or narrower one. Out: a plan that keeps every rule, or nothing.

use super::{Effort, Outcome, Solved, apart, freed};
use crate::program::{Class, Goal, Hosted, Point, Pool, Program};

/// A plan of a freer program with the least instances raised, if it keeps every rule; what was proven of the freer one
/// holds for it.
pub(super) fn lifted(program: &Program, free: &Solved) -> Option<Solved> {
    let mut point = free.point.clone();
    for (r, pool) in program.pools.iter().enumerate().filter(|(_, pool)| pool.instances_min > 0) {
        if !point.uses_pool(program, r) {
            continue;
        }
        let always: u32 = point.always_on[r].iter().sum();
        let short = pool.instances_min.saturating_sub(always);
        // Around the clock by the mode that is in use, or the cheapest, where that costs less than hours in every slot.
        let hours: f64 = program.slot_hours.iter().sum();
        let mode =
            (0..pool.modes.len()).min_by(|a, b| pool.modes[*a].cost().total_cmp(&pool.modes[*b].cost()));
        match (mode, pool.usd_per_hour) {
            (Some(mode), usd) if usd.is_none_or(|usd| pool.modes[mode].cost() <= usd * hours) => {
                point.always_on[r][mode] += short;
                for count in &mut point.hourly[r] {
                    *count = count.saturating_sub(short);
                }
            }
            _ => point.hourly[r].iter_mut().for_each(|count| *count = (*count).max(short)),
        }
    }
    stands(program, point, free.bound)
}

/// A plan in which nothing waits, passes several targets or stands beside others, limits of hosted models are divided
/// and the bill leads: for programs that nobody solved. Its bound is what can be said without solving.
pub(super) fn narrower(program: &Program, effort: Effort<'_>) -> Option<Solved> {
    let mut small = Program { goal: Goal::Cost, hosts: Vec::new(), blends: Vec::new(), ..program.clone() };
    for class in &mut small.classes {
        class.served_in.clear();
    }
    for pool in small.pools.iter_mut().filter(|pool| pool.on.is_some()) {
        pool.on = None;
        pool.capacity.iter_mut().for_each(|capacity| *capacity = 0.0);
    }
    divide_rates(&mut small);
    let Outcome::Solved(found) = apart(&freed(&small)?, Effort { first_look: true, ..effort })? else {
        return None;
    };
    let nothing = Point::nothing(program);
    let mut point = Point {
        blends: nothing.blends,
        host_always_on: nothing.host_always_on,
        host_hourly: nothing.host_hourly,
        moved: nothing.moved,
        ..found.point
    };
    for moved in &mut point.moved {
        for (slot, later) in moved.iter_mut().enumerate() {
            later[slot] = 1.0;
        }
    }
    lifted(program, &Solved { point, bound: floor(program), ..found })
}

/// Shared limits of hosted models as limits of each model and class: equal parts by model, by peak load among classes.
fn divide_rates(program: &mut Program) {
    let peak = |class: &Class| class.load_rps.iter().copied().fold(0.0, f64::max);
    let peaks: Vec<f64> = program.classes.iter().map(peak).collect();
    let all: f64 = peaks.iter().sum();
    let mut models = vec![0.0; program.resources.len()];
    for (k, _) in program.hosted.iter().flat_map(|hosted| &hosted.uses) {
        models[*k] += 1.0;
    }
    for hosted in &mut program.hosted {
        for (k, amounts) in std::mem::take(&mut hosted.uses) {
            for (c, amount) in amounts.iter().enumerate().filter(|(_, amount)| **amount > 0.0) {
                let part = program.resources[k].limit / models[k] * peaks[c] / all.max(f64::MIN_POSITIVE);
                hosted.rate_rps[c] = hosted.rate_rps[c].min(part / amount);
            }
        }
    }
}

/// The point with its figures, if it keeps every rule.
fn stands(program: &Program, point: Point, bound: f64) -> Option<Solved> {
    let point = point.tidy(program);
    point.broken_rule(program).is_none().then(|| {
        let value = point.objective(program);
        Solved { value, usd_per_month: point.usd_per_month(program), bound: bound.min(value), point }
    })
}

/// What no plan is below: nothing for the bill; for a score, every request at the least score of its class.
fn floor(program: &Program) -> f64 {
    if program.goal == Goal::Cost {
        return 0.0;
    }
    let of = |class: usize| {
        let pools = program.pools.iter().map(|pool: &Pool| pool.score[class]);
        let hosted = program.hosted.iter().map(|hosted: &Hosted| hosted.score[class]);
        let blends = program.blends.iter().filter(|blend| blend.class == class).map(|blend| blend.score);
        let least = pools.chain(hosted).chain(blends).fold(f64::INFINITY, f64::min);
        let requests: f64 = (0..program.slot_hours.len()).map(|slot| program.requests(class, slot)).sum();
        if requests > 0.0 { least * requests } else { 0.0 }
    };
    (0..program.classes.len()).map(of).sum::<f64>() * program.per_request()
}
