//! The second opinion: every fleet of a tiny world in turn, the routing of the rest by linear programming.
//!
//! In: a [`Program`] as data. Out: its least objective and the bill that goes with it. It uses none of the
//! crate's rows, pruning, solver or checks; each rule is read anew from what the fields promise.

use bursar::program::{Blend, Goal, Mode, Pool, Program};

use super::routing::{self, Aim, Instances, Paid};

/// The best there is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Best {
    /// Least objective.
    pub(crate) value: f64,
    /// Least USD/month at that objective; `None` where some of it is paid once, and ties may differ in the bill.
    pub(crate) usd_per_month: Option<f64>,
}

/// The best point of a world; `None` where nothing satisfies the rules. Under [`Goal::Cost`] the budget is left out,
/// unless something is paid once.
pub(crate) fn best(world: &Program) -> Option<Best> {
    let bill = |usd: f64| (!pays_once(world)).then_some(usd);
    match world.goal {
        Goal::Cost => sweep(world, Aim::Cost).map(|value| Best { value, usd_per_month: bill(value) }),
        Goal::LeastScore => {
            let value = sweep(world, Aim::Score)?;
            let usd = sweep(world, Aim::CostAtScore(value + 1e-9 * value.abs().max(1.0)))?;
            Some(Best { value, usd_per_month: bill(usd) })
        }
    }
}

/// Is anything paid once and spread over its months?
pub(crate) fn pays_once(world: &Program) -> bool {
    let modes = world.pools.iter().map(|pool| &pool.modes).chain(world.hosts.iter().map(|host| &host.modes));
    modes.flatten().any(|mode| mode.usd_amortised > 0.0)
}

/// About how many linear programs [`best`] solves.
pub(crate) fn work(world: &Program) -> f64 {
    let slots = world.slot_hours.len() as i32;
    let ways = |modes: &[Mode], most: f64| {
        (0..modes.len()).map(|j| (most + 1.0 + j as f64) / (1.0 + j as f64)).product::<f64>()
    };
    let (mut fleets, mut hours) = (1.0, 1.0);
    for (r, pool) in world.pools.iter().enumerate() {
        let most = f64::from(most_instances(world, r));
        fleets *= ways(&pool.modes, most);
        if pool.usd_per_hour.is_some() || by_slot(pool) {
            hours *= most + 1.0;
        }
    }
    for (h, host) in world.hosts.iter().enumerate() {
        let most = f64::from(most_hosts(world, h));
        fleets *= ways(&host.modes, most);
        if host.usd_per_hour.is_some() {
            hours *= most + 1.0;
        }
    }
    let waits = if world.classes.iter().any(|class| !class.served_in.is_empty()) { 8.0 } else { 1.0 };
    let opens = opens(world).len() as f64;
    let each = if linked(world) { hours.powi(slots) * waits } else { hours };
    // Where starts tie the slots, combinations of slots are added up: cheap, but not without end.
    let sums = if starts(world) { hours.powi(slots) / 200.0 } else { 0.0 };
    fleets * (each + sums) * opens / if opens > 1.0 { 3.0 } else { 1.0 }
}

/// May replicas on a host be others in each slot?
fn by_slot(pool: &Pool) -> bool {
    pool.on.is_some() && pool.modes.is_empty()
}

/// Do rules tie the routing of slots together beyond the always-on fleet?
fn linked(world: &Program) -> bool {
    world.both_sides_min.is_some()
        || world.local_share.is_some()
        || world.goal == Goal::LeastScore
        || !world.means.is_empty()
        || (pays_once(world) && world.usd_per_month_max.is_some())
        || world.classes.iter().any(|class| !class.served_in.is_empty())
        || world.pools.iter().any(|pool| pool.unavailability_per_replica > 0.0)
}

/// Is a start paid anywhere?
fn starts(world: &Program) -> bool {
    !world.before.is_empty()
        && (world.pools.iter().any(|pool| pool.usd_per_hour.is_some() && pool.usd_per_start > 0.0)
            || world.hosts.iter().any(|host| host.usd_per_hour.is_some() && host.usd_per_start > 0.0))
}

/// Spares the ladder of a pool asks for; `None` beyond its end.
pub(crate) fn spares(world: &Program, r: usize, needed: u32) -> Option<u32> {
    let Some(ladder) = &world.pools[r].ladder else { return Some(0) };
    if needed == 0 {
        return Some(0);
    }
    (0u32..).zip(&ladder.needed_max).find(|(_, most)| needed <= **most).map(|(spares, _)| spares)
}

/// No plan needs more instances of a pool than these: all that may come to a slot, by the heaviest way, and its spares.
fn most_instances(world: &Program, r: usize) -> u32 {
    let pool = &world.pools[r];
    let mut needed: f64 = 0.0;
    for t in 0..world.slot_hours.len() {
        let mut here = 0.0;
        for (c, class) in world.classes.iter().enumerate() {
            let comes = |from: &usize| match class.served_in.get(*from) {
                Some(slots) => slots.contains(&t),
                None => *from == t,
            };
            let load: f64 = (0..world.slot_hours.len()).filter(comes).map(|from| class.load_rps[from]).sum();
            let mut each = if pool.capacity[c] > 0.0 { 1.0 / pool.capacity[c] } else { 0.0 };
            for blend in world.blends.iter().filter(|blend| blend.class == c) {
                let capacity = pool.capacity[blend.through.unwrap_or(c)];
                let seen: f64 = blend.pools.iter().filter(|(at, _)| *at == r).map(|(_, seen)| seen).sum();
                if capacity > 0.0 {
                    each = f64::max(each, seen / capacity);
                }
            }
            here += load * each;
        }
        needed = needed.max(here);
    }
    let needed = (needed - 1e-9).ceil().max(0.0) as u32;
    let last = pool.ladder.as_ref().and_then(|ladder| ladder.needed_max.last().copied()).unwrap_or(needed);
    let needed = needed.min(last);
    let set = world.replicas.unwrap_or(0).div_ceil(pool.replicas);
    (needed + spares(world, r, needed).unwrap_or(0)).div_ceil(pool.replicas).max(pool.instances_min).max(set)
}

/// No plan needs more instances of a host than these: each of its pools apart.
fn most_hosts(world: &Program, h: usize) -> u32 {
    let gpus = world.hosts[h].gpus;
    (0..world.pools.len())
        .filter_map(|r| world.pools[r].on.filter(|(host, _)| *host == h).map(|(_, each)| (r, each)))
        .filter(|(_, each)| *each <= gpus)
        .map(|(r, each)| most_instances(world, r).div_ceil((gpus / each).floor() as u32))
        .sum()
}

/// Sets of targets (pools, then hosted) that may be in use: all of them, or every subset where a rule asks what is.
fn opens(world: &Program) -> Vec<Vec<bool>> {
    let targets = world.pools.len() + world.hosted.len();
    let asked = world.deployments_max.is_some()
        || world.local_usd_per_month > 0.0
        || world.pools.iter().any(|pool| pool.instances_min > 0);
    if !asked {
        return vec![vec![true; targets]];
    }
    let all = (0..1u32 << targets).map(|set| (0..targets).map(|at| set >> at & 1 == 1).collect::<Vec<_>>());
    all.filter(|open| {
        let mut names = std::collections::BTreeSet::new();
        for (r, pool) in world.pools.iter().enumerate() {
            if open[r] {
                names.insert((0, pool.deployment));
            }
        }
        for (a, hosted) in world.hosted.iter().enumerate() {
            if open[world.pools.len() + a] {
                names.extend(hosted.deployments.iter().map(|member| (1, *member)));
            }
        }
        world.deployments_max.is_none_or(|most| names.len() <= most as usize)
    })
    .collect()
}

/// All vectors of so many entries that sum to at most `most`.
fn vectors(entries: usize, most: u32) -> Vec<Vec<u32>> {
    let mut all = vec![Vec::new()];
    for _ in 0..entries {
        all = all
            .iter()
            .flat_map(|head: &Vec<u32>| {
                let left = most - head.iter().sum::<u32>();
                (0..=left).map(move |next| [head.as_slice(), &[next]].concat())
            })
            .collect();
    }
    all
}

/// Something that is bought: a pool, or a host.
struct Bought<'w> {
    modes: &'w [Mode],
    most: u32,
}

fn sweep(world: &Program, aim: Aim) -> Option<f64> {
    let mut best: Option<f64> = None;
    for open in opens(world) {
        let pools = (0..world.pools.len()).map(|r| Bought {
            modes: &world.pools[r].modes,
            most: if open[r] { most_instances(world, r) } else { 0 },
        });
        let hosts = (0..world.hosts.len())
            .map(|h| Bought { modes: &world.hosts[h].modes, most: most_hosts(world, h) });
        let bought: Vec<Bought<'_>> = pools.chain(hosts).collect();
        let engines = (0..world.hosted.len()).any(|a| world.hosted[a].local && open[world.pools.len() + a]);
        let local = engines || (0..world.pools.len()).any(|r| open[r]);
        let usd = if local { world.local_usd_per_month } else { 0.0 };
        let paid = Paid { usd, ..Paid::default() };
        fleets(world, aim, &open, &bought, &mut Vec::new(), paid, &mut best);
    }
    best
}

/// Every always-on fleet; `paid` grows by what each costs.
fn fleets(
    world: &Program,
    aim: Aim,
    open: &[bool],
    bought: &[Bought<'_>],
    fleet: &mut Vec<u32>,
    paid: Paid,
    best: &mut Option<f64>,
) {
    let hopeless = aim != Aim::Score && best.is_some_and(|best| paid.usd + paid.amortised >= best);
    let over = routing::budget(world).is_some_and(|most| paid.usd > most + 1e-9);
    if hopeless || over || world.usd_upfront_max.is_some_and(|most| paid.upfront > most + 1e-9) {
        return;
    }
    let Some(next) = bought.get(fleet.len()) else {
        *best = lower(*best, fleet_value(world, aim, open, fleet, paid, *best));
        return;
    };
    let hours: f64 = world.slot_hours.iter().sum();
    let per_hour = match world.pools.get(fleet.len()) {
        Some(pool) => pool.score_per_hour,
        None => world.hosts[fleet.len() - world.pools.len()].score_per_hour,
    };
    for counts in vectors(next.modes.len(), next.most) {
        let mut more = paid;
        for (mode, n) in next.modes.iter().zip(&counts) {
            more.usd += mode.usd_per_month * f64::from(*n);
            more.amortised += mode.usd_amortised * f64::from(*n);
            more.upfront += mode.usd_upfront * f64::from(*n);
            more.score += per_hour * hours * f64::from(*n);
        }
        fleet.push(counts.iter().sum());
        fleets(world, aim, open, bought, fleet, more, best);
        fleet.pop();
    }
}

/// Best value with the always-on fleet fixed, or nothing.
fn fleet_value(
    world: &Program,
    aim: Aim,
    open: &[bool],
    fleet: &[u32],
    paid: Paid,
    best: Option<f64>,
) -> Option<f64> {
    let slots: Vec<Vec<Instances>> =
        (0..world.slot_hours.len()).map(|t| slot_fleets(world, open, fleet, t)).collect();
    if slots.iter().any(Vec::is_empty) {
        return None;
    }
    if linked(world) {
        let mut least = best;
        products(&slots, &mut Vec::new(), &mut |chosen| {
            let hours = chosen.iter().fold(paid, |sum, slot| sum.plus(slot.paid));
            let all = Paid { usd: hours.usd + started(world, chosen), ..hours };
            let hopeless = aim != Aim::Score && least.is_some_and(|least| all.usd + all.amortised >= least);
            if !hopeless {
                let peak = (0..world.pools.len())
                    .map(|r| chosen.iter().map(|slot| slot.counts[r]).max().unwrap_or(0))
                    .collect::<Vec<u32>>();
                for routes in routes(world, open, &peak) {
                    let at: Vec<(usize, &Instances)> = chosen.iter().copied().enumerate().collect();
                    least = lower(least, routing::route(world, aim, &routes, &at, all));
                }
            }
        });
        return least;
    }
    let mut least = None;
    for routes in routes(world, open, &fleet[..world.pools.len()]) {
        // What each fleet of each slot costs with its requests; only those that serve them all.
        let priced: Vec<Vec<(Instances, f64)>> = slots
            .iter()
            .enumerate()
            .map(|(t, options)| {
                let value = |option: &Instances| {
                    let value = routing::route(world, aim, &routes, &[(t, option)], option.paid)?;
                    Some((option.clone(), value))
                };
                options.iter().filter_map(value).collect()
            })
            .collect();
        let fixed = paid.usd + paid.amortised;
        if starts(world) {
            let options: Vec<Vec<Instances>> =
                priced.iter().map(|slot| slot.iter().map(|(option, _)| option.clone()).collect()).collect();
            let value = |t: usize, option: &Instances| {
                let found = priced[t].iter().find(|(other, _)| other == option);
                found.map_or(f64::INFINITY, |(_, value)| *value)
            };
            products(&options, &mut Vec::new(), &mut |chosen| {
                let served: f64 = chosen.iter().enumerate().map(|(t, option)| value(t, option)).sum();
                least = lower(least, Some(fixed + served + started(world, chosen)));
            });
        } else {
            let cheapest = |slot: &Vec<(Instances, f64)>| slot.iter().map(|(_, usd)| *usd).reduce(f64::min);
            let sum = priced.iter().map(cheapest).try_fold(fixed, |sum, slot| Some(sum + slot?));
            least = lower(least, sum);
        }
    }
    least
}

pub(crate) fn lower(one: Option<f64>, other: Option<f64>) -> Option<f64> {
    match (one, other) {
        (Some(x), Some(y)) => Some(x.min(y)),
        (x, y) => x.or(y),
    }
}

/// Every choice of one option in each slot.
fn products<'o>(
    slots: &'o [Vec<Instances>],
    chosen: &mut Vec<&'o Instances>,
    each: &mut dyn FnMut(&[&'o Instances]),
) {
    match slots.get(chosen.len()) {
        None => each(chosen),
        Some(options) => {
            for option in options {
                chosen.push(option);
                products(slots, chosen, each);
                chosen.pop();
            }
        }
    }
}

/// USD a month for starts: an instance more than in the slot before starts on every day of the slot.
fn started(world: &Program, chosen: &[&Instances]) -> f64 {
    let mut usd = 0.0;
    for (t, before) in world.before.iter().enumerate() {
        let days = world.slot_starts.get(t).copied().unwrap_or(world.slot_hours[t]);
        let more = |now: &[u32], then: &[u32], at: usize| f64::from(now[at]) - f64::from(then[at]);
        for (r, pool) in world.pools.iter().enumerate().filter(|(_, pool)| pool.usd_per_hour.is_some()) {
            usd += days * pool.usd_per_start * more(&chosen[t].hours, &chosen[*before].hours, r).max(0.0);
        }
        for (h, host) in world.hosts.iter().enumerate().filter(|(_, host)| host.usd_per_hour.is_some()) {
            let (now, then) = (&chosen[t].host_hours, &chosen[*before].host_hours);
            usd += days * host.usd_per_start * more(now, then, h).max(0.0);
        }
    }
    usd
}

/// Every way to add instances in one slot that the rules on instances allow, with its price.
fn slot_fleets(world: &Program, open: &[bool], fleet: &[u32], t: usize) -> Vec<Instances> {
    let pools = world.pools.len();
    let mut all = vec![Vec::new()];
    for at in 0..fleet.len() {
        let most = match world.pools.get(at) {
            Some(pool) if open.get(at) == Some(&true) && (pool.usd_per_hour.is_some() || by_slot(pool)) => {
                most_instances(world, at)
            }
            None if world.hosts[at - pools].usd_per_hour.is_some() => most_hosts(world, at - pools),
            _ => 0,
        };
        all = all
            .iter()
            .flat_map(|head: &Vec<u32>| (0..=most).map(move |next| [head.as_slice(), &[next]].concat()))
            .collect();
    }
    let complete = |more: Vec<u32>| {
        let mut paid = Paid::default();
        for (at, n) in more.iter().enumerate() {
            let (price, score) = match world.pools.get(at) {
                Some(pool) => (pool.usd_per_hour, pool.score_per_hour),
                None => (world.hosts[at - pools].usd_per_hour, world.hosts[at - pools].score_per_hour),
            };
            paid.usd += f64::from(*n) * world.slot_hours[t] * price.unwrap_or(0.0);
            paid.score += f64::from(*n) * world.slot_hours[t] * score;
        }
        let total: Vec<u32> = fleet.iter().zip(&more).map(|(steady, n)| steady + n).collect();
        Instances {
            counts: total[..pools].to_vec(),
            host_counts: total[pools..].to_vec(),
            hours: more[..pools].to_vec(),
            host_hours: more[pools..].to_vec(),
            paid,
        }
    };
    all.into_iter()
        .map(complete)
        .filter(|option| allowed(world, open, option) && as_many_as_set(world, option, t))
        .collect()
}

/// Where the number of replicas is set: no more of them in any slot, and no fewer where most requests arrive.
fn as_many_as_set(world: &Program, option: &Instances, t: usize) -> bool {
    let Some(count) = world.replicas else { return true };
    let there: u32 = world.pools.iter().zip(&option.counts).map(|(pool, n)| pool.replicas * n).sum();
    let arrives: Vec<f64> = (0..world.slot_hours.len())
        .map(|slot| world.classes.iter().map(|class| class.load_rps[slot]).sum())
        .collect();
    let busiest = arrives.iter().position(|rate| arrives.iter().all(|other| other <= rate));
    if busiest == Some(t) { there == count } else { there <= count }
}

fn allowed(world: &Program, open: &[bool], option: &Instances) -> bool {
    let least = (0..world.pools.len()).all(|r| !open[r] || option.counts[r] >= world.pools[r].instances_min);
    let enough = (0..world.resources.len())
        .all(|k| routing::taken(world, k, option) <= world.resources[k].limit + 1e-9);
    let packed = (0..world.hosts.len()).all(|h| {
        let on = |r: usize| world.pools[r].on.filter(|(host, _)| *host == h).map(|(_, gpus)| gpus);
        let replicas: Vec<f64> = (0..world.pools.len())
            .filter_map(|r| Some(vec![on(r)?; option.counts[r] as usize]))
            .flatten()
            .collect();
        packs(&replicas, &mut vec![world.hosts[h].gpus; option.host_counts[h] as usize])
    });
    least && enough && packed
}

/// Can all replicas be placed? Every place for every replica is tried.
fn packs(replicas: &[f64], free: &mut Vec<f64>) -> bool {
    let Some((gpus, rest)) = replicas.split_first() else { return true };
    for at in 0..free.len() {
        if free[at] >= *gpus {
            free[at] -= gpus;
            let done = packs(rest, free);
            free[at] += gpus;
            if done {
                return true;
            }
        }
    }
    false
}

/// Which targets (pools, hosted, blends) each class may use so that its unavailabilities, added up, stay within its
/// limit: the largest such sets, in every combination. A blend needs all it passes.
fn routes(world: &Program, open: &[bool], peak: &[u32]) -> Vec<Vec<Vec<bool>>> {
    let (pools, direct) = (world.pools.len(), world.pools.len() + world.hosted.len());
    let targets = direct + world.blends.len();
    let parts = |blend: &Blend| -> Vec<usize> {
        let own = blend.pools.iter().filter(|(_, seen)| *seen > 0.0).map(|(r, _)| *r);
        own.chain(blend.hosted.iter().filter(|(_, seen)| *seen > 0.0).map(|(a, _)| pools + a)).collect()
    };
    let closed = |set: u32| {
        let has = |at: usize| set >> at & 1 == 1;
        (0..direct).all(|at| open[at] || !has(at))
            && world
                .blends
                .iter()
                .enumerate()
                .all(|(k, blend)| !has(direct + k) || parts(blend).into_iter().all(&has))
    };
    let lost: Vec<f64> = (0..targets)
        .map(|at| match (world.pools.get(at), world.hosted.get(at.wrapping_sub(pools))) {
            (Some(pool), _) => {
                pool.unavailability
                    + pool.unavailability_per_replica * f64::from(peak[at]) * f64::from(pool.replicas)
            }
            (None, Some(hosted)) => hosted.unavailability,
            (None, None) => world.blends[at - direct].unavailability,
        })
        .collect();
    let sum = |set: u32| (0..targets).filter(|at| set >> at & 1 == 1).map(|at| lost[at]).sum::<f64>();
    let mut all: Vec<Vec<Vec<bool>>> = vec![Vec::new()];
    for class in &world.classes {
        let most = class.unavailability_max.map_or(f64::INFINITY, |most| most * (1.0 + 1e-9));
        let fits: Vec<u32> = (0..1u32 << targets).filter(|set| closed(*set) && sum(*set) <= most).collect();
        let within = |small: u32, large: u32| small & large == small && small != large;
        let largest = fits.iter().filter(|set| !fits.iter().any(|other| within(**set, *other)));
        let sets: Vec<Vec<bool>> =
            largest.map(|set| (0..targets).map(|at| set >> at & 1 == 1).collect()).collect();
        all = all
            .iter()
            .flat_map(|head| {
                sets.iter().map(move |set| [head.as_slice(), std::slice::from_ref(set)].concat())
            })
            .collect();
    }
    all
}
