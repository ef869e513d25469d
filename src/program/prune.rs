//! Safe dominance: makes a program smaller and keeps its optimum (formulation study §3, rules D1 to D4).
//!
//! In: a [`Program`]. Out: which modes, pools and hosted columns stay, and who beat whom. Ties go by index,
//! strictly, or two equal options would delete each other. Under [`Goal::LeastScore`] a dominating option must
//! also score no worse for every class and hour, since the score is what is optimised.
//!
//! Every rule swaps the loser for the winner in the same slots, share for share. So what else a share or an instance
//! counts for must be no worse either, and is compared: coefficients of limited means, resources, the side it stands
//! on, starts, least replicas. What a blend passes is never removed; it may remove others.

mod hosted;

use hosted::{hosted_that_stay, means_no_worse, unlimited};

use super::{Goal, Mode, Pool, Program};

/// What stayed, by index into the program that was given.
#[derive(Debug, Clone, PartialEq)]
pub struct Pruned {
    /// The smaller program.
    pub program: Program,
    /// Original index of each pool that stayed.
    pub pools: Vec<usize>,
    /// Original index of each hosted column that stayed.
    pub hosted: Vec<usize>,
    /// Original index of each blend that stayed.
    pub blends: Vec<usize>,
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
        drop_modes(program, &mut pool.modes, pool.usd_per_hour);
    }
    for host in &mut work.hosts {
        drop_modes(program, &mut host.modes, host.usd_per_hour);
    }
    let hosted: Vec<usize> = hosted_that_stay(program);
    let frees = frees_its_deployment(program);
    let blended = |r: usize| work.blends.iter().any(|blend| blend.pools.iter().any(|(at, _)| *at == r));
    let mut order: Vec<usize> = (0..work.pools.len())
        .filter(|r| work.pools[*r].capacity.iter().any(|capacity| *capacity > 0.0))
        .collect();
    order.sort_by(|a, b| cheapest(&work, *a).total_cmp(&cheapest(&work, *b)).then(a.cmp(b)));
    let mut stay: Vec<usize> = Vec::new();
    let mut beaten = Vec::new();
    for s in order {
        if blended(s) {
            stay.push(s);
        } else if hosted_beats_pool(program, &hosted, &frees, s) {
            beaten.push((s, s));
        } else if let Some(r) = stay.iter().find(|r| pool_beats_pool(&work, &frees, **r, s)) {
            beaten.push((s, *r));
        } else {
            stay.push(s);
        }
    }
    stay.sort_unstable();
    let (kept, blends) = work.only(&stay, &hosted);
    Pruned {
        hosted_beaten: program.hosted.len() - hosted.len(),
        program: kept,
        pools: stay,
        hosted,
        blends,
        pools_beaten: beaten,
    }
}

/// D1: among the always-on ways to pay for one thing, one goes if another costs no more (each month where the bill is
/// limited, spread over its months, and upfront where that is limited), or if the hours of the whole month cost no more:
/// hours that are there in every slot never start.
fn drop_modes(program: &Program, modes: &mut Vec<Mode>, usd_per_hour: Option<f64>) {
    let hours: f64 = program.slot_hours.iter().sum();
    let upfront = program.usd_upfront_max.is_some();
    let bill = program.budget_is_row();
    let all = modes.clone();
    let beaten = |i: usize| {
        let mode = &all[i];
        all.iter().enumerate().any(|(j, other)| {
            let no_worse = other.cost() <= mode.cost()
                && (!bill || other.usd_per_month <= mode.usd_per_month)
                && (!upfront || other.usd_upfront <= mode.usd_upfront);
            // One strict order: less cost, then a smaller bill, then less upfront, then the lower index.
            let order = other
                .cost()
                .total_cmp(&mode.cost())
                .then(other.usd_per_month.total_cmp(&mode.usd_per_month))
                .then(other.usd_upfront.total_cmp(&mode.usd_upfront))
                .then(j.cmp(&i));
            no_worse && order.is_lt()
        }) || usd_per_hour.is_some_and(|price| price * hours <= least(program, mode))
    };
    let keep: Vec<bool> = (0..all.len()).map(|i| !beaten(i)).collect();
    let mut at = 0;
    modes.retain(|_| {
        at += 1;
        keep[at - 1]
    });
}

/// What a mode costs at least in all that is summed: the bill alone where it is limited.
fn least(program: &Program, mode: &Mode) -> f64 {
    if program.budget_is_row() { mode.usd_per_month } else { mode.cost() }
}

/// Cheapest USD/month of an instance-month over all modes; 0 where a replica stands on a host that others pay for.
fn cheapest(program: &Program, r: usize) -> f64 {
    let hours: f64 = program.slot_hours.iter().sum();
    let pool = &program.pools[r];
    if pool.on.is_some() {
        return 0.0;
    }
    pool.modes
        .iter()
        .map(|mode| least(program, mode))
        .chain(pool.usd_per_hour.map(|price| price * hours))
        .fold(f64::INFINITY, f64::min)
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
    if program.goal != Goal::Cost
        || program.wants_availability()
        || program.parts_are_set()
        || program.pools[r].on.is_some()
    {
        return false; // on a host a replica may cost nothing at all
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
    let draws = hosted.uses.iter().any(|(_, amounts)| amounts[c] > 0.0);
    if draws || !means_no_worse(program, |m| program.means[m].cloud[c][a], |m| program.means[m].local[c][r]) {
        return false;
    }
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
    let requests = peak * 3600.0 * pool.capacity[c];
    unlimited(program, a, c) && price * requests <= per_hour + pool.usd_per_request[c] * requests
}

/// D4: `r` removes `s` if for one whole k >= 1, k instances of `r` carry at least what one of `s` does for every
/// class, at no higher price in the same mode, and take no more of any finite resource.
fn pool_beats_pool(program: &Program, frees: &[bool], r: usize, s: usize) -> bool {
    let (x, y) = (&program.pools[r], &program.pools[s]);
    let cost = program.goal == Goal::Cost;
    let redundancy = program.wants_availability();
    let class_no_worse = |c: usize| {
        means_no_worse(program, |m| program.means[m].local[c][r], |m| program.means[m].local[c][s])
            && (cost || x.score[c] <= y.score[c])
    };
    if x.ladder != y.ladder
        || (redundancy && x.unavailability > y.unavailability)
        || (program.deployments_max.is_some() && !x.behind.iter().all(|member| y.behind.contains(member)))
        || (0..program.classes.len()).any(|c| y.capacity[c] > 0.0 && !class_no_worse(c))
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
        // Where every count has the same spares, weaker ones will do: k instances for each of s leave what they leave.
        let end = f64::from(ladder.needed_max.last().copied().unwrap_or(0));
        let same_spares = ladder.needed_max.len() == 2 && ladder.needed_max[0] == 0;
        if (!same_spares && (0..program.classes.len()).any(weaker)) || end < program.replicas_max(r) {
            return false;
        }
        k = k.max(y.replicas.div_ceil(x.replicas));
    }
    if k > REPLICAS_FOR_ONE_MAX {
        return false;
    }
    if program.replicas.is_some() && k * x.replicas != y.replicas {
        return false; // where replicas are counted the same number stands for them
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
    // k of r for each one of s must reach the least of r, as s reaches its own (always-on: at least one all day).
    let least = y.instances_min.max(u32::from(y.usd_per_hour.is_none() && y.on.is_none()));
    if x.instances_min > k.saturating_mul(least) {
        return false;
    }
    if !cost && times * x.score_per_hour > y.score_per_hour {
        return false;
    }
    let resources_covered = (0..program.resources.len()).all(|at| {
        let of =
            |pool: &Pool| pool.uses.iter().filter(|(k, _)| *k == at).map(|(_, amount)| amount).sum::<f64>();
        times * of(x) <= of(y)
    });
    resources_covered && paid_no_more(program, x, y, times)
}

/// D4, the money: k instances of `x` cost no more than one of `y` in the same mode and slots. On a host the price of a
/// replica is its GPUs: k of `x` stand where one of `y` stood.
fn paid_no_more(program: &Program, x: &Pool, y: &Pool, times: f64) -> bool {
    match (x.on, y.on) {
        (Some((host, gpus)), Some((other, of))) => {
            // Replicas that are the same all day do not stand for some that are there when needed.
            let as_free = x.modes.is_empty() || !y.modes.is_empty();
            return host == other && times * gpus <= of && as_free;
        }
        (None, None) => {}
        _ => return false,
    }
    let hours: f64 = program.slot_hours.iter().sum();
    let bill = program.budget_is_row();
    let modes_covered = y.modes.iter().all(|mode| {
        x.modes.iter().any(|other| {
            times * other.cost() <= mode.cost()
                && (!bill || times * other.usd_per_month <= mode.usd_per_month)
                && times * other.usd_upfront <= mode.usd_upfront
        }) || x.usd_per_hour.is_some_and(|price| times * price * hours <= least(program, mode))
    });
    let starts_covered = !program.pays_starts() || times * x.usd_per_start <= y.usd_per_start;
    let hours_covered = y
        .usd_per_hour
        .is_none_or(|price| starts_covered && x.usd_per_hour.is_some_and(|other| times * other <= price));
    modes_covered && hours_covered
}
