//! Safe dominance: makes a program smaller and keeps its optimum (formulation study §3, rules D1 to D4).
//!
//! In: a [`Program`]. Out: which modes, pools and hosted columns stay, and who beat whom. Ties go by index,
//! strictly, or two equal options would delete each other. Under [`Goal::LeastScore`] a dominating option must
//! also score no worse for every class, since the score is what is optimised.

use super::{Goal, Pool, Program};

/// What stayed, by index into the program that was given.
#[derive(Debug, Clone, PartialEq)]
pub struct Pruned {
    /// The smaller program.
    pub program: Program,
    /// Original index of each pool that stayed.
    pub pools: Vec<usize>,
    /// Original index of each hosted column that stayed.
    pub hosted: Vec<usize>,
    /// `(loser, winner)` among pools.
    pub pools_beaten: Vec<(usize, usize)>,
    /// Hosted columns that went.
    pub hosted_beaten: usize,
}

/// Most replicas of the dominating pool that may stand for one of the dominated.
const REPLICAS_FOR_ONE_MAX: u32 = 16;

/// Drops what cannot be in a better plan than one that stays.
#[must_use]
pub fn prune(program: &Program) -> Pruned {
    let mut work = program.clone();
    for pool in &mut work.pools {
        drop_modes(pool, program.usd_upfront_max.is_some(), program.slot_hours.iter().sum());
    }
    let hosted: Vec<usize> = hosted_that_stay(program);
    let frees = frees_its_deployment(program);
    let mut order: Vec<usize> = (0..work.pools.len())
        .filter(|r| work.pools[*r].capacity.iter().any(|capacity| *capacity > 0.0))
        .collect();
    order.sort_by(|a, b| cheapest(&work, *a).total_cmp(&cheapest(&work, *b)).then(a.cmp(b)));
    let mut stay: Vec<usize> = Vec::new();
    let mut beaten = Vec::new();
    for s in order {
        if hosted_beats_pool(program, &hosted, &frees, s) {
            beaten.push((s, s));
        } else if let Some(r) = stay.iter().find(|r| pool_beats_pool(&work, &frees, **r, s)) {
            beaten.push((s, *r));
        } else {
            stay.push(s);
        }
    }
    stay.sort_unstable();
    let kept = Program {
        pools: stay.iter().map(|r| work.pools[*r].clone()).collect(),
        hosted: hosted.iter().map(|a| program.hosted[*a].clone()).collect(),
        ..work.clone()
    };
    Pruned {
        hosted_beaten: program.hosted.len() - hosted.len(),
        program: kept,
        pools: stay,
        hosted,
        pools_beaten: beaten,
    }
}

/// D1: within a pool an always-on mode goes if another costs no more each month and upfront, or if the hours of
/// the whole month cost no more.
fn drop_modes(pool: &mut Pool, upfront_matters: bool, hours: f64) {
    let modes = pool.modes.clone();
    let beaten = |i: usize| {
        let mode = &modes[i];
        modes.iter().enumerate().any(|(j, other)| {
            let no_worse = other.usd_per_month <= mode.usd_per_month
                && (!upfront_matters || other.usd_upfront <= mode.usd_upfront);
            // One strict order: less a month, then less upfront, then the lower index.
            let order = other
                .usd_per_month
                .total_cmp(&mode.usd_per_month)
                .then(other.usd_upfront.total_cmp(&mode.usd_upfront))
                .then(j.cmp(&i));
            no_worse && order.is_lt()
        }) || pool.usd_per_hour.is_some_and(|price| price * hours <= mode.usd_per_month)
    };
    let keep: Vec<bool> = (0..modes.len()).map(|i| !beaten(i)).collect();
    let mut at = 0;
    pool.modes.retain(|_| {
        at += 1;
        keep[at - 1]
    });
}

/// Cheapest USD/month of an instance-month over all modes.
fn cheapest(program: &Program, r: usize) -> f64 {
    let hours: f64 = program.slot_hours.iter().sum();
    let pool = &program.pools[r];
    pool.modes
        .iter()
        .map(|mode| mode.usd_per_month)
        .chain(pool.usd_per_hour.map(|price| price * hours))
        .fold(f64::INFINITY, f64::min)
}

/// D2: a hosted column goes if another unlimited one costs no more for every class it serves.
fn hosted_that_stay(program: &Program) -> Vec<usize> {
    let unlimited = |a: usize, c: usize| {
        let most = program.classes[c].load_rps.iter().copied().fold(0.0, f64::max);
        program.hosted[a].rate_rps[c] >= most
    };
    let cost = program.goal == Goal::Cost;
    let beats = |a: usize, b: usize| {
        let (x, y) = (&program.hosted[a], &program.hosted[b]);
        let mut strictly = a < b;
        for c in 0..program.classes.len() {
            let Some(price) = y.usd_per_request[c] else { continue };
            let Some(other) = x.usd_per_request[c] else { return false };
            if other > price || !unlimited(a, c) || (!cost && x.score[c] > y.score[c]) {
                return false;
            }
            strictly |= other < price || (!cost && x.score[c] < y.score[c]);
        }
        let no_worse_elsewhere = x.unavailability <= y.unavailability
            && (program.deployments_max.is_none()
                || x.deployments.iter().all(|member| y.deployments.contains(member))
                || (x.deployments.len() == 1 && y.deployments.len() == 1 && counted_once(program, b)));
        strictly && no_worse_elsewhere
    };
    let serves = |a: usize| program.hosted[a].usd_per_request.iter().any(Option::is_some);
    let all: Vec<usize> = (0..program.hosted.len()).filter(|a| serves(*a)).collect();
    let free = program.deployments_max.is_none();
    if free && cost {
        // Per class only the cheapest unlimited column and those cheaper but limited, at each level of
        // unavailability: a column worth keeping is kept for some class.
        return all
            .iter()
            .copied()
            .filter(|b| {
                (0..program.classes.len()).any(|c| {
                    program.hosted[*b].usd_per_request[c].is_some_and(|price| {
                        !all.iter().any(|a| {
                            *a != *b
                                && unlimited(*a, c)
                                && program.hosted[*a].unavailability <= program.hosted[*b].unavailability
                                && program.hosted[*a].usd_per_request[c]
                                    .is_some_and(|other| other < price || (other <= price && a < b))
                        })
                    })
                })
            })
            .collect();
    }
    all.iter().copied().filter(|b| !all.iter().any(|a| a != b && beats(*a, *b))).collect()
}

/// Does dropping this hosted column free its one deployment, because no other column counts on it?
fn counted_once(program: &Program, hosted: usize) -> bool {
    program.hosted.iter().enumerate().all(|(a, other)| {
        a == hosted
            || other.deployments.iter().all(|member| !program.hosted[hosted].deployments.contains(member))
    })
}

/// Does dropping this pool free its deployment, because no other pool counts under the same number?
fn frees_its_deployment(program: &Program) -> Vec<bool> {
    let mut pools: std::collections::BTreeMap<usize, usize> = std::collections::BTreeMap::new();
    for pool in &program.pools {
        *pools.entry(pool.deployment).or_default() += 1;
    }
    program.pools.iter().map(|pool| pools[&pool.deployment] == 1).collect()
}

/// D3: a pool goes if, for each class it serves, an unlimited hosted column costs no more than the pool's cheapest
/// replica-hour fully used; where deployments count, the same one for all of them.
///
/// A replica-hour costs at least h and carries at most 3600 capacity requests of a class, so every share it serves
/// costs at least the hosted price.
fn hosted_beats_pool(program: &Program, hosted: &[usize], frees: &[bool], r: usize) -> bool {
    if program.goal != Goal::Cost || program.wants_availability() || program.both_sides_min.is_some() {
        return false;
    }
    let served: Vec<usize> =
        (0..program.classes.len()).filter(|c| program.pools[r].capacity[*c] > 0.0).collect();
    if program.deployments_max.is_none() {
        return served.iter().all(|c| hosted.iter().any(|a| hosted_beats_pool_for(program, *a, r, *c)));
    }
    // Where deployments count, the pool's one must pay for the hosted model's one.
    frees[r]
        && hosted.iter().any(|a| {
            program.hosted[*a].deployments.len() == 1
                && served.iter().all(|c| hosted_beats_pool_for(program, *a, r, *c))
        })
}

/// D3 for one class.
fn hosted_beats_pool_for(program: &Program, a: usize, r: usize, c: usize) -> bool {
    let (hosted, pool, class) = (&program.hosted[a], &program.pools[r], &program.classes[c]);
    let Some(price) = hosted.usd_per_request[c] else { return false };
    let hours: f64 = program.slot_hours.iter().sum();
    let per_hour = cheapest(program, r) / hours / f64::from(pool.replicas);
    // Billed requests may be fewer than the load a replica must carry (peak factor), never more.
    let peak = class
        .load_rps
        .iter()
        .zip(&class.billed_rps)
        .filter(|(load, _)| **load > 0.0)
        .map(|(load, billed)| billed / load)
        .fold(0.0, f64::max);
    let unlimited = hosted.rate_rps[c] >= class.load_rps.iter().copied().fold(0.0, f64::max);
    let requests = peak * 3600.0 * pool.capacity[c];
    unlimited && price * requests <= per_hour + pool.usd_per_request[c] * requests
}

/// D4: `r` removes `s` if for one whole k >= 1, k instances of `r` carry at least what one of `s` does for every
/// class, at no higher price in the same mode, and take no more of any finite resource.
fn pool_beats_pool(program: &Program, frees: &[bool], r: usize, s: usize) -> bool {
    let (x, y) = (&program.pools[r], &program.pools[s]);
    let cost = program.goal == Goal::Cost;
    let redundancy = program.wants_availability();
    if x.ladder != y.ladder
        || (redundancy && x.unavailability > y.unavailability)
        || (program.deployments_max.is_some() && !x.behind.iter().all(|member| y.behind.contains(member)))
        || (!cost && (0..program.classes.len()).any(|c| y.capacity[c] > 0.0 && x.score[c] > y.score[c]))
        || (program.deployments_max.is_some() && x.deployment != y.deployment && !frees[s])
    {
        return false;
    }
    let per_instance = |pool: &Pool, c: usize| pool.capacity[c] * f64::from(pool.replicas);
    let mut k = 1u32;
    for c in 0..program.classes.len() {
        if y.capacity[c] > 0.0 {
            if x.capacity[c] <= 0.0 || x.usd_per_request[c] > y.usd_per_request[c] {
                return false;
            }
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to 17")]
            let need = (per_instance(y, c) / per_instance(x, c)).ceil().clamp(1.0, 17.0) as u32;
            k = k.max(need);
        }
    }
    if let Some(ladder) = &y.ladder {
        // At least as many replicas, each at least as strong: as many are needed at most, and as many spares are
        // left. (Fewer, stronger ones lose more with each spare.) The ladder must reach what r may have to carry.
        let weaker = |c: usize| y.capacity[c] > 0.0 && x.capacity[c] < y.capacity[c];
        let end = f64::from(ladder.needed_max.last().copied().unwrap_or(0));
        if (0..program.classes.len()).any(weaker) || end < program.replicas_max(r) {
            return false;
        }
        k = k.max(y.replicas.div_ceil(x.replicas));
    }
    if k > REPLICAS_FOR_ONE_MAX {
        return false;
    }
    let times = f64::from(k);
    if redundancy && x.unavailability_per_replica > 0.0 {
        // More replicas may fail; and what s carried apart would fall on every class of r.
        let lost = |pool: &Pool| pool.unavailability_per_replica * f64::from(pool.replicas);
        let served = x.capacity.iter().filter(|capacity| **capacity > 0.0).count();
        if times * lost(x) > lost(y) || served > 1 {
            return false;
        }
    }
    let hours: f64 = program.slot_hours.iter().sum();
    let modes_covered = y.modes.iter().all(|mode| {
        x.modes.iter().any(|other| {
            times * other.usd_per_month <= mode.usd_per_month && times * other.usd_upfront <= mode.usd_upfront
        }) || x.usd_per_hour.is_some_and(|price| times * price * hours <= mode.usd_per_month)
    });
    let hours_covered =
        y.usd_per_hour.is_none_or(|price| x.usd_per_hour.is_some_and(|other| times * other <= price));
    let resources_covered = (0..program.resources.len()).all(|at| {
        let of =
            |pool: &Pool| pool.uses.iter().filter(|(k, _)| *k == at).map(|(_, amount)| amount).sum::<f64>();
        times * of(x) <= of(y)
    });
    modes_covered && hours_covered && resources_covered
}
