//! The second opinion: every fleet of a tiny world in turn, the routing of the rest by linear programming.
//!
//! In: a [`Program`] as data. Out: its least objective and the bill that goes with it. It uses none of the
//! crate's rows, pruning, solver or checks; each rule is read anew from what the fields promise.

use bursar::program::{Goal, Program};

use super::simplex::{Row, Sense, minimise};

/// The best there is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Best {
    /// Least objective.
    pub(crate) value: f64,
    /// Least USD/month at that objective.
    pub(crate) usd_per_month: f64,
}

/// What one sweep over all fleets minimises.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Aim {
    Cost,
    Score,
    CostAtScore(f64),
}

/// The best point of a world; `None` where nothing satisfies the rules. Under [`Goal::Cost`] the budget is left out.
pub(crate) fn best(world: &Program) -> Option<Best> {
    match world.goal {
        Goal::Cost => sweep(world, Aim::Cost).map(|value| Best { value, usd_per_month: value }),
        Goal::LeastScore => {
            let value = sweep(world, Aim::Score)?;
            let usd_per_month = sweep(world, Aim::CostAtScore(value + 1e-9 * value.abs().max(1.0)))?;
            Some(Best { value, usd_per_month })
        }
    }
}

/// About how many linear programs [`best`] solves.
pub(crate) fn work(world: &Program) -> f64 {
    let hourly = |r: usize| if world.pools[r].usd_per_hour.is_some() { 1.0 } else { 0.0 };
    let mut fleets = 1.0;
    for r in 0..world.pools.len() {
        let most = f64::from(most_instances(world, r));
        for j in 0..world.pools[r].modes.len() {
            fleets *= (most + 1.0 + j as f64) / (1.0 + j as f64);
        }
        let slots = if coupled(world) { world.slot_hours.len() as f64 } else { 1.0 };
        fleets *= (most + 1.0).powf(slots * hourly(r));
    }
    fleets * opens(world).len() as f64 / if opens(world).len() > 1 { 3.0 } else { 1.0 }
}

/// Do rules tie the slots together beyond the always-on fleet?
fn coupled(world: &Program) -> bool {
    world.both_sides_min.is_some()
        || world.goal == Goal::LeastScore
        || world.pools.iter().any(|pool| pool.unavailability_per_replica > 0.0)
}

/// Rate of a class on a pool in replicas.
fn replicas_for(world: &Program, c: usize, r: usize, t: usize) -> f64 {
    world.classes[c].load_rps[t] / world.pools[r].capacity[c]
}

/// Spares the ladder of a pool asks for; `None` beyond its end.
fn spares(world: &Program, r: usize, needed: u32) -> Option<u32> {
    let Some(ladder) = &world.pools[r].ladder else { return Some(0) };
    if needed == 0 {
        return Some(0);
    }
    (0u32..).zip(&ladder.needed_max).find(|(_, most)| needed <= **most).map(|(spares, _)| spares)
}

/// No plan needs more instances of a pool than these: all the load, and its spares.
fn most_instances(world: &Program, r: usize) -> u32 {
    let pool = &world.pools[r];
    let needed = (0..world.slot_hours.len())
        .map(|t| {
            (0..world.classes.len())
                .filter(|c| pool.capacity[*c] > 0.0)
                .map(|c| replicas_for(world, c, r, t))
                .sum::<f64>()
        })
        .fold(0.0, f64::max);
    let needed = (needed - 1e-9).ceil().max(0.0) as u32;
    let last = pool.ladder.as_ref().and_then(|ladder| ladder.needed_max.last().copied()).unwrap_or(needed);
    let needed = needed.min(last);
    (needed + spares(world, r, needed).unwrap_or(0)).div_ceil(pool.replicas)
}

/// Sets of targets (pools, then hosted) that may be in use: all of them, or every subset where a rule counts.
fn opens(world: &Program) -> Vec<Vec<bool>> {
    let targets = world.pools.len() + world.hosted.len();
    if world.deployments_max.is_none() && world.local_usd_per_month <= 0.0 {
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

/// Counts of one pool: always-on by mode, hourly by slot (empty where slots are looked at one by one).
type Counts = (Vec<u32>, Vec<u32>);

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

/// All vectors of so many entries, each at most `most`.
fn grid(entries: usize, most: u32) -> Vec<Vec<u32>> {
    let mut all = vec![Vec::new()];
    for _ in 0..entries {
        all = all
            .iter()
            .flat_map(|head: &Vec<u32>| (0..=most).map(move |next| [head.as_slice(), &[next]].concat()))
            .collect();
    }
    all
}

fn sweep(world: &Program, aim: Aim) -> Option<f64> {
    let mut best: Option<f64> = None;
    for open in opens(world) {
        let choices: Vec<Vec<Counts>> = (0..world.pools.len())
            .map(|r| {
                let pool = &world.pools[r];
                let most = if open[r] { most_instances(world, r) } else { 0 };
                let slots =
                    if pool.usd_per_hour.is_some() && coupled(world) { world.slot_hours.len() } else { 0 };
                vectors(pool.modes.len(), most)
                    .into_iter()
                    .flat_map(|modes| grid(slots, most).into_iter().map(move |hours| (modes.clone(), hours)))
                    .collect()
            })
            .collect();
        let local = (0..world.pools.len()).any(|r| open[r]);
        let paid = if local { world.local_usd_per_month } else { 0.0 };
        fleets(world, aim, &open, &choices, &mut Vec::new(), paid, &mut best);
    }
    best
}

/// Every combination of the pools' choices; `paid` grows by what each costs.
fn fleets(
    world: &Program,
    aim: Aim,
    open: &[bool],
    choices: &[Vec<Counts>],
    fleet: &mut Vec<Counts>,
    paid: f64,
    best: &mut Option<f64>,
) {
    let hopeless = aim != Aim::Score && best.is_some_and(|best| paid >= best);
    let over =
        world.goal == Goal::LeastScore && world.usd_per_month_max.is_some_and(|most| paid > most + 1e-9);
    if hopeless || over {
        return;
    }
    let r = fleet.len();
    let Some(pool) = world.pools.get(r) else {
        if let Some(value) = fleet_value(world, aim, open, fleet, paid)
            && best.is_none_or(|best| value < best)
        {
            *best = Some(value);
        }
        return;
    };
    for choice in &choices[r] {
        let modes: f64 =
            pool.modes.iter().zip(&choice.0).map(|(mode, n)| mode.usd_per_month * f64::from(*n)).sum();
        let hours: f64 = choice
            .1
            .iter()
            .zip(&world.slot_hours)
            .map(|(n, hours)| f64::from(*n) * hours * pool.usd_per_hour.expect("hourly"))
            .sum();
        fleet.push(choice.clone());
        fleets(world, aim, open, choices, fleet, paid + modes + hours, best);
        fleet.pop();
    }
}

/// Best value with the fleet fixed, or nothing.
fn fleet_value(world: &Program, aim: Aim, open: &[bool], fleet: &[Counts], paid: f64) -> Option<f64> {
    let upfront: f64 = world
        .pools
        .iter()
        .zip(fleet)
        .flat_map(|(pool, (modes, _))| pool.modes.iter().zip(modes))
        .map(|(mode, n)| mode.usd_upfront * f64::from(*n))
        .sum();
    if world.usd_upfront_max.is_some_and(|most| upfront > most + 1e-9) {
        return None;
    }
    let slots = world.slot_hours.len();
    let steady: Vec<u32> = fleet.iter().map(|(modes, _)| modes.iter().sum()).collect();
    let mut least: Option<f64> = None;
    if coupled(world) {
        let counts: Vec<Vec<u32>> = (0..slots)
            .map(|t| (0..fleet.len()).map(|r| steady[r] + fleet[r].1.get(t).copied().unwrap_or(0)).collect())
            .collect();
        if counts.iter().any(|counts| !resources_last(world, counts)) {
            return None;
        }
        let peak: Vec<u32> =
            (0..fleet.len()).map(|r| counts.iter().map(|slot| slot[r]).max().unwrap_or(0)).collect();
        for routes in routes(world, open, &peak) {
            let all: Vec<(usize, &[u32])> = (0..slots).map(|t| (t, counts[t].as_slice())).collect();
            let value = route(world, aim, &routes, &all, paid);
            least = lower(least, value);
        }
        return least;
    }
    for routes in routes(world, open, &steady) {
        let mut sum = Some(paid);
        for t in 0..slots {
            let mut slot: Option<f64> = None;
            for (counts, price) in slot_fleets(world, open, &steady, t) {
                if resources_last(world, &counts) && slot.is_none_or(|slot| price < slot) {
                    slot = lower(slot, route(world, aim, &routes, &[(t, &counts)], price));
                }
            }
            sum = sum.zip(slot).map(|(sum, slot)| sum + slot);
        }
        least = lower(least, sum);
    }
    least
}

fn lower(one: Option<f64>, other: Option<f64>) -> Option<f64> {
    match (one, other) {
        (Some(x), Some(y)) => Some(x.min(y)),
        (x, y) => x.or(y),
    }
}

/// Every way to add hourly instances in one slot, with its price.
fn slot_fleets(world: &Program, open: &[bool], steady: &[u32], t: usize) -> Vec<(Vec<u32>, f64)> {
    let mut all = vec![(Vec::new(), 0.0)];
    for (r, pool) in world.pools.iter().enumerate() {
        let most = match pool.usd_per_hour {
            Some(_) if open[r] => most_instances(world, r),
            _ => 0,
        };
        all = all
            .into_iter()
            .flat_map(|(head, price): (Vec<u32>, f64)| {
                let each = pool.usd_per_hour.unwrap_or(0.0) * world.slot_hours[t];
                (0..=most)
                    .map(move |n| ([head.as_slice(), &[steady[r] + n]].concat(), price + f64::from(n) * each))
            })
            .collect();
    }
    all
}

fn resources_last(world: &Program, counts: &[u32]) -> bool {
    world.resources.iter().enumerate().all(|(k, resource)| {
        let mut used = 0.0;
        for (pool, n) in world.pools.iter().zip(counts) {
            for (at, amount) in &pool.uses {
                if *at == k {
                    used += amount * f64::from(*n);
                }
            }
        }
        used <= resource.limit + 1e-9
    })
}

/// Which targets each class may use so that its unavailabilities, added up, stay within its limit: the largest
/// such sets, in every combination.
fn routes(world: &Program, open: &[bool], peak: &[u32]) -> Vec<Vec<Vec<bool>>> {
    let pools = world.pools.len();
    let targets = pools + world.hosted.len();
    let mut all: Vec<Vec<Vec<bool>>> = vec![Vec::new()];
    for class in &world.classes {
        let lost: Vec<f64> = (0..targets)
            .map(|at| {
                if at < pools {
                    let pool = &world.pools[at];
                    pool.unavailability
                        + pool.unavailability_per_replica * f64::from(peak[at]) * f64::from(pool.replicas)
                } else {
                    world.hosted[at - pools].unavailability
                }
            })
            .collect();
        let sets: Vec<Vec<bool>> = match class.unavailability_max {
            None => vec![open.to_vec()],
            Some(most) => {
                let sum =
                    |set: u32| (0..targets).filter(|at| set >> at & 1 == 1).map(|at| lost[at]).sum::<f64>();
                let fits = |set: u32| sum(set) <= most * (1.0 + 1e-9);
                let allowed = |set: u32| (0..targets).all(|at| open[at] || set >> at & 1 == 0);
                (0..1u32 << targets)
                    .filter(|set| allowed(*set) && fits(*set))
                    .filter(|set| {
                        (0..targets).all(|at| set >> at & 1 == 1 || !open[at] || !fits(set | 1 << at))
                    })
                    .map(|set| (0..targets).map(|at| set >> at & 1 == 1).collect())
                    .collect()
            }
        };
        all = all
            .iter()
            .flat_map(|head| {
                sets.iter().map(move |set| [head.as_slice(), std::slice::from_ref(set)].concat())
            })
            .collect();
    }
    all
}

/// Best routing over some slots with given instances; `paid` is what the instances cost.
fn route(
    world: &Program,
    aim: Aim,
    routes: &[Vec<bool>],
    slots: &[(usize, &[u32])],
    paid: f64,
) -> Option<f64> {
    let pools = world.pools.len();
    let requests = |c: usize, t: usize| world.classes[c].billed_rps[t] * 3600.0 * world.slot_hours[t];
    let mut all = 0.0;
    for c in 0..world.classes.len() {
        for t in 0..world.slot_hours.len() {
            all += requests(c, t);
        }
    }
    // One column for each class, target and slot that may serve.
    let mut columns: Vec<(usize, usize, usize)> = Vec::new();
    for (at, (t, counts)) in slots.iter().enumerate() {
        for (c, class) in world.classes.iter().enumerate() {
            for target in 0..pools + world.hosted.len() {
                let serves = if target < pools {
                    world.pools[target].capacity[c] > 0.0 && counts[target] > 0
                } else {
                    world.hosted[target - pools].usd_per_request[c].is_some()
                };
                if class.load_rps[*t] > 0.0 && serves && routes[c][target] {
                    columns.push((at, c, target));
                }
            }
        }
    }
    let price = |(at, c, target): &(usize, usize, usize)| {
        let each = if *target < pools {
            world.pools[*target].usd_per_request[*c]
        } else {
            world.hosted[target - pools].usd_per_request[*c].expect("serves")
        };
        each * requests(*c, slots[*at].0)
    };
    let score = |(at, c, target): &(usize, usize, usize)| {
        let each = if *target < pools {
            world.pools[*target].score[*c]
        } else {
            world.hosted[target - pools].score[*c]
        };
        each * requests(*c, slots[*at].0) / all
    };
    let of = |f: &dyn Fn(&(usize, usize, usize)) -> f64| columns.iter().map(f).collect::<Vec<f64>>();
    let mut rows: Vec<Row> = Vec::new();
    for (at, (t, counts)) in slots.iter().enumerate() {
        for (c, class) in world.classes.iter().enumerate() {
            if class.load_rps[*t] > 0.0 {
                let here = of(&|column| f64::from(u8::from(column.0 == at && column.1 == c)));
                rows.push((here, Sense::Equal, 1.0));
            }
        }
        for r in 0..pools {
            let have = counts[r] * world.pools[r].replicas;
            // The most replicas that may be needed so that they and their spares are there.
            let usable = (0..=have)
                .rev()
                .find(|needed| spares(world, r, *needed).is_some_and(|spares| needed + spares <= have))
                .unwrap_or(0);
            if have > 0 {
                let load = of(&|column| {
                    if column.0 == at && column.2 == r { replicas_for(world, column.1, r, *t) } else { 0.0 }
                });
                rows.push((load, Sense::AtMost, f64::from(usable)));
            }
        }
    }
    for (i, (at, c, target)) in columns.iter().enumerate() {
        if *target >= pools {
            let most = world.hosted[target - pools].rate_rps[*c] / world.classes[*c].load_rps[slots[*at].0];
            if most < 1.0 {
                let mut terms = vec![0.0; columns.len()];
                terms[i] = 1.0;
                rows.push((terms, Sense::AtMost, most));
            }
        }
    }
    if let Some(least) = world.both_sides_min {
        for local in [true, false] {
            let side = of(&|column| {
                if (column.2 < pools) == local { requests(column.1, slots[column.0].0) / all } else { 0.0 }
            });
            rows.push((side, Sense::AtLeast, least));
        }
    }
    let cost = of(&price);
    if let (Goal::LeastScore, Some(most)) = (world.goal, world.usd_per_month_max) {
        let scale = most.max(1.0);
        rows.push((cost.iter().map(|usd| usd / scale).collect(), Sense::AtMost, (most - paid) / scale));
    }
    match aim {
        Aim::Cost => minimise(&cost, &rows).map(|(value, _)| value + paid),
        Aim::Score => minimise(&of(&score), &rows).map(|(value, _)| value),
        Aim::CostAtScore(most) => {
            rows.push((of(&score), Sense::AtMost, most));
            minimise(&cost, &rows).map(|(value, _)| value + paid)
        }
    }
}
