//! Routing of a tiny world with all instances given: one linear program, written from what the fields promise.
//!
//! One column for each class, slot of arrival, slot of service and target: the share of what arrives that goes there.

use bursar::program::{Goal, Program};

use super::simplex::{Row, Sense, minimise};

/// What one sweep over all fleets minimises.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Aim {
    Cost,
    Score,
    CostAtScore(f64),
}

/// What instances cost.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Paid {
    /// USD/month.
    pub(crate) usd: f64,
    /// Paid once, USD/month over its months.
    pub(crate) amortised: f64,
    /// USD paid once.
    pub(crate) upfront: f64,
    /// Score of instance-hours, not yet over all requests.
    pub(crate) score: f64,
}

impl Paid {
    pub(crate) fn plus(self, other: Self) -> Self {
        Self {
            usd: self.usd + other.usd,
            amortised: self.amortised + other.amortised,
            upfront: self.upfront + other.upfront,
            score: self.score + other.score,
        }
    }
}

/// Instances in one slot.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Instances {
    /// All, by pool.
    pub(crate) counts: Vec<u32>,
    /// All, by host.
    pub(crate) host_counts: Vec<u32>,
    /// Those that run only in the slots in use, by pool.
    pub(crate) hours: Vec<u32>,
    /// The same by host.
    pub(crate) host_hours: Vec<u32>,
    /// What the latter cost.
    pub(crate) paid: Paid,
}

/// The monthly budget where it limits the search: not where it is only compared with the optimum.
pub(crate) fn budget(world: &Program) -> Option<f64> {
    let limits = world.goal == Goal::LeastScore || super::enumerate::pays_once(world);
    world.usd_per_month_max.filter(|_| limits)
}

/// What the instances of a slot take of a resource.
pub(crate) fn taken(world: &Program, resource: usize, option: &Instances) -> f64 {
    let of = |uses: &[(usize, f64)], n: u32| {
        uses.iter().filter(|(at, _)| *at == resource).map(|(_, amount)| amount * f64::from(n)).sum::<f64>()
    };
    let own: f64 = world.pools.iter().zip(&option.counts).map(|(pool, n)| of(&pool.uses, *n)).sum();
    let shared: f64 = world.hosts.iter().zip(&option.host_counts).map(|(host, n)| of(&host.uses, *n)).sum();
    own + shared
}

/// A column: class, slot of arrival, place of the slot of service, target.
struct Way {
    c: usize,
    from: usize,
    at: usize,
    target: usize,
}

/// What a target sends where, for one request: pools and hosted models, and the class whose figures hold.
struct Passes {
    through: usize,
    pools: Vec<(usize, f64)>,
    hosted: Vec<(usize, f64)>,
    usd: f64,
}

fn passes(world: &Program, c: usize, target: usize) -> Option<Passes> {
    let (pools, direct) = (world.pools.len(), world.pools.len() + world.hosted.len());
    let passes = if target < pools {
        Passes { through: c, pools: vec![(target, 1.0)], hosted: Vec::new(), usd: 0.0 }
    } else if target < direct {
        Passes { through: c, pools: Vec::new(), hosted: vec![(target - pools, 1.0)], usd: 0.0 }
    } else {
        let blend = &world.blends[target - direct];
        if blend.class != c {
            return None;
        }
        Passes {
            through: blend.through.unwrap_or(c),
            pools: blend.pools.clone(),
            hosted: blend.hosted.clone(),
            usd: blend.usd_per_request,
        }
    };
    let own = passes.pools.iter().all(|(r, _)| world.pools[*r].capacity[passes.through] > 0.0);
    let cloud = passes.hosted.iter().all(|(a, _)| world.hosted[*a].usd_per_request[passes.through].is_some());
    (own && cloud).then_some(passes)
}

/// Best routing over some slots with given instances; `paid` is what the instances cost.
pub(crate) fn route(
    world: &Program,
    aim: Aim,
    routes: &[Vec<bool>],
    slots: &[(usize, &Instances)],
    paid: Paid,
) -> Option<f64> {
    let (pools, direct) = (world.pools.len(), world.pools.len() + world.hosted.len());
    let requests =
        |c: usize, from: usize| world.classes[c].billed_rps[from] * 3600.0 * world.slot_hours[from];
    let mut all = 0.0;
    for c in 0..world.classes.len() {
        all += (0..world.slot_hours.len()).map(|t| requests(c, t)).sum::<f64>();
    }
    let mut ways: Vec<Way> = Vec::new();
    let mut rows: Vec<Row> = Vec::new();
    let mut arrivals: Vec<(usize, usize)> = Vec::new();
    for (c, class) in world.classes.iter().enumerate() {
        let froms: Vec<usize> = if class.served_in.is_empty() {
            slots.iter().map(|(t, _)| *t).collect()
        } else {
            (0..world.slot_hours.len()).collect()
        };
        for from in froms.into_iter().filter(|from| class.load_rps[*from] > 0.0) {
            arrivals.push((c, from));
            for (at, (t, _)) in slots.iter().enumerate() {
                let served = class.served_in.get(from).map_or(*t == from, |later| later.contains(t));
                for target in (0..direct + world.blends.len()).filter(|target| routes[c][*target] && served) {
                    if passes(world, c, target).is_some() {
                        ways.push(Way { c, from, at, target });
                    }
                }
            }
        }
    }
    let sent: Vec<Passes> =
        ways.iter().map(|way| passes(world, way.c, way.target).expect("checked above")).collect();
    let load = |i: usize| world.classes[ways[i].c].load_rps[ways[i].from];
    let of = |f: &dyn Fn(usize) -> f64| (0..ways.len()).map(f).collect::<Vec<f64>>();
    for (c, from) in &arrivals {
        let here = of(&|i| f64::from(u8::from(ways[i].c == *c && ways[i].from == *from)));
        rows.push((here, Sense::Equal, 1.0));
    }
    for (at, (_, option)) in slots.iter().enumerate() {
        for r in 0..pools {
            let have = option.counts[r] * world.pools[r].replicas;
            // The most replicas that may be needed so that they and their spares are there.
            let enough = |needed: u32| {
                super::enumerate::spares(world, r, needed).is_some_and(|spares| needed + spares <= have)
            };
            let usable = (0..=have).rev().find(|needed| enough(*needed)).unwrap_or(0);
            let terms = of(&|i| {
                let seen: f64 =
                    sent[i].pools.iter().filter(|(pool, _)| *pool == r).map(|(_, seen)| seen).sum();
                if ways[i].at == at && seen > 0.0 {
                    seen * load(i) / world.pools[r].capacity[sent[i].through]
                } else {
                    0.0
                }
            });
            if terms.iter().any(|term| *term > 0.0) {
                rows.push((terms, Sense::AtMost, f64::from(usable)));
            }
        }
        for (a, hosted) in world.hosted.iter().enumerate() {
            let reaches = |i: usize| {
                let seen = sent[i].hosted.iter().filter(|(other, _)| *other == a).map(|(_, seen)| seen);
                if ways[i].at == at { seen.sum::<f64>() * load(i) } else { 0.0 }
            };
            for (limited, most) in hosted.rate_rps.iter().enumerate().filter(|(_, rate)| rate.is_finite()) {
                let terms = of(&|i| if sent[i].through == limited { reaches(i) / most } else { 0.0 });
                if terms.iter().any(|term| *term > 0.0) {
                    rows.push((terms, Sense::AtMost, 1.0));
                }
            }
        }
        for (k, resource) in world.resources.iter().enumerate() {
            let terms = of(&|i| {
                let mut drawn = 0.0;
                for (a, seen) in &sent[i].hosted {
                    for (_, amounts) in world.hosted[*a].uses.iter().filter(|(at, _)| *at == k) {
                        drawn += seen * load(i) * amounts[sent[i].through];
                    }
                }
                if ways[i].at == at { drawn } else { 0.0 }
            });
            if terms.iter().any(|term| *term > 0.0) {
                rows.push((terms, Sense::AtMost, resource.limit - taken(world, k, option)));
            }
        }
    }
    let part = |i: usize| requests(ways[i].c, ways[i].from) / all;
    for mean in &world.means {
        let terms = of(&|i| {
            let (c, target) = (ways[i].c, ways[i].target);
            let coefficient = if target < pools {
                mean.local[c][target]
            } else if target < direct {
                mean.cloud[c][target - pools]
            } else {
                mean.blends[target - direct]
            };
            coefficient * part(i)
        });
        rows.push((terms, if mean.at_least { Sense::AtLeast } else { Sense::AtMost }, mean.limit));
    }
    let local = |i: usize| {
        let engines = sent[i].hosted.iter().filter(|(a, _)| world.hosted[*a].local);
        let own: f64 = sent[i].pools.iter().chain(engines).map(|(_, seen)| seen).sum();
        let whole: f64 = sent[i].pools.iter().chain(&sent[i].hosted).map(|(_, seen)| seen).sum();
        own / whole
    };
    if let Some(share) = world.local_share {
        rows.push((of(&|i| local(i) * part(i)), Sense::AtLeast, share));
        rows.push((of(&|i| local(i) * part(i)), Sense::AtMost, share));
    }
    if let Some(least) = world.both_sides_min {
        rows.push((of(&|i| local(i) * part(i)), Sense::AtLeast, least));
        rows.push((of(&|i| (1.0 - local(i)) * part(i)), Sense::AtLeast, least));
    }
    let cost = of(&|i| {
        let mut usd = sent[i].usd;
        for (r, seen) in &sent[i].pools {
            usd += seen * world.pools[*r].usd_per_request[sent[i].through];
        }
        for (a, seen) in &sent[i].hosted {
            usd += seen * world.hosted[*a].usd_per_request[sent[i].through].expect("checked above");
        }
        usd * requests(ways[i].c, ways[i].from)
    });
    let score = of(&|i| {
        let (c, target) = (ways[i].c, ways[i].target);
        let each = if target < pools {
            world.pools[target].score[c]
        } else if target < direct {
            world.hosted[target - pools].score[c]
        } else {
            world.blends[target - direct].score
        };
        each * part(i)
    });
    if let Some(most) = budget(world) {
        let scale = most.max(1.0);
        rows.push((cost.iter().map(|usd| usd / scale).collect(), Sense::AtMost, (most - paid.usd) / scale));
    }
    let fixed = paid.score / all.max(f64::MIN_POSITIVE);
    match aim {
        Aim::Cost => minimise(&cost, &rows).map(|(value, _)| value + paid.usd + paid.amortised),
        Aim::Score => minimise(&score, &rows).map(|(value, _)| value + fixed),
        Aim::CostAtScore(most) => {
            rows.push((score, Sense::AtMost, most - fixed));
            minimise(&cost, &rows).map(|(value, _)| value + paid.usd + paid.amortised)
        }
    }
}
