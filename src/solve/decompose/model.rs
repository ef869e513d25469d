//! A program in the form the decomposition reads: numbers by slot, pool and class, laid out for arithmetic.
//!
//! In: a [`Program`]. Out: a [`Model`], or `None` where the program has a rule the decomposition has no part for; such
//! a program goes to the whole matrix.
//!
//! A *share* is the part of a class served in a slot, 0..1; money is USD/month; loads are in instances of a pool.

use crate::program::{Goal, Program};

/// A class in a slot, on a pool.
#[derive(Debug, Clone, Copy)]
pub(super) struct Item {
    /// Class and slot: `class * slots + slot`.
    pub(super) at: usize,
    /// Load of the whole class, instances.
    pub(super) load: f64,
    /// What requests cost beside the instances, USD/month for the whole class.
    pub(super) usd: f64,
}

/// A hosted model for a class in a slot.
#[derive(Debug, Clone, Copy)]
pub(super) struct Segment {
    /// Which.
    pub(super) hosted: usize,
    /// USD/month for the whole class.
    pub(super) usd: f64,
    /// Most it can serve, a share.
    pub(super) most: f64,
}

/// One pool.
#[derive(Debug, Clone)]
pub(super) struct PoolModel {
    /// Always-on ways to pay: USD/month in the objective, USD once.
    pub(super) modes: Vec<(f64, f64)>,
    /// USD/month of an instance in a slot only; infinite where nobody sells it.
    pub(super) hourly: Vec<f64>,
    /// What it can serve, by slot.
    pub(super) items: Vec<Vec<Item>>,
    /// Load that so many instances carry, spares aside. Never grows by more than one a step.
    pub(super) carries: Vec<f64>,
    /// Does every instance carry as much as the one before (no spares)?
    pub(super) plain: bool,
    /// Finite resources an instance takes.
    pub(super) uses: Vec<(usize, f64)>,
}

impl PoolModel {
    /// Most instances any plan needs.
    pub(super) const fn most(&self) -> usize {
        self.carries.len() - 1
    }
}

/// The whole.
#[derive(Debug, Clone)]
pub(super) struct Model {
    /// Slots.
    pub(super) slots: usize,
    /// Classes.
    pub(super) classes: usize,
    /// Own engines.
    pub(super) pools: Vec<PoolModel>,
    /// Hosted models by class and slot, the cheapest first.
    pub(super) hosted: Vec<Vec<Segment>>,
    /// How many hosted models there are.
    pub(super) hosted_count: usize,
    /// Is anything to be served of a class in a slot?
    pub(super) asked: Vec<bool>,
    /// Limits of the resources.
    pub(super) limits: Vec<f64>,
    /// Most USD paid once.
    pub(super) upfront_max: Option<f64>,
    /// Most pools and hosted models.
    pub(super) deployments_max: Option<usize>,
}

/// More instances of one pool than this are left to the whole matrix.
const INSTANCES_MAX: f64 = 20_000.0;

impl Model {
    /// Reads a program, the budget left aside.
    pub(super) fn of(program: &Program) -> Option<Self> {
        if !in_form(program) {
            return None;
        }
        let (slots, classes) = (program.slot_hours.len(), program.classes.len());
        let hosted = (0..classes * slots).map(|at| segments(program, at / slots, at % slots)).collect();
        let asked =
            (0..classes * slots).map(|at| program.classes[at / slots].load_rps[at % slots] > 0.0).collect();
        let pools = (0..program.pools.len()).map(|r| pool_model(program, r)).collect::<Option<Vec<_>>>()?;
        Some(Self {
            slots,
            classes,
            pools,
            hosted,
            hosted_count: program.hosted.len(),
            asked,
            limits: program.resources.iter().map(|resource| resource.limit).collect(),
            upfront_max: program.usd_upfront_max,
            deployments_max: program.deployments_max.map(|most| most as usize),
        })
    }
}

impl Model {
    /// The same with everything for nothing: a bound above 0 on it proves that no plan exists (Farkas).
    pub(super) fn costless(&self) -> Self {
        let mut free = self.clone();
        for pool in &mut free.pools {
            pool.modes.iter_mut().for_each(|mode| mode.0 = 0.0);
            pool.hourly.iter_mut().filter(|usd| usd.is_finite()).for_each(|usd| *usd = 0.0);
            pool.items.iter_mut().flatten().for_each(|item| item.usd = 0.0);
        }
        free.hosted.iter_mut().flatten().for_each(|segment| segment.usd = 0.0);
        free
    }
}

/// Does the program have only rules the decomposition states?
pub(in crate::solve) fn in_form(program: &Program) -> bool {
    let plain_pool = |pool: &crate::program::Pool| {
        // A fleet that is the same all day has its first instance in every slot.
        let least = pool.instances_min == 0 || (pool.instances_min == 1 && pool.usd_per_hour.is_none());
        pool.usd_per_start <= 0.0 && least && pool.on.is_none()
    };
    program.goal == Goal::Cost
        && program.hosts.is_empty()
        && program.blends.is_empty()
        && program.means.is_empty()
        && !program.parts_are_set()
        && program.usd_per_month_max.is_none()
        && program.local_usd_per_month <= 0.0
        && program
            .classes
            .iter()
            .all(|class| class.served_in.is_empty() && class.unavailability_max.is_none())
        && program.hosted.iter().all(|hosted| hosted.uses.is_empty())
        && program.pools.iter().all(plain_pool)
        && counts_alone(program)
}

/// Where deployments are limited: is each pool and each hosted model one of its own?
pub(in crate::solve) fn counts_alone(program: &Program) -> bool {
    if program.deployments_max.is_none() {
        return true;
    }
    let mut pools: Vec<usize> = program.pools.iter().map(|pool| pool.deployment).collect();
    pools.sort_unstable();
    let mut hosted: Vec<&Vec<usize>> = program.hosted.iter().map(|hosted| &hosted.deployments).collect();
    hosted.sort_unstable();
    pools.windows(2).all(|pair| pair[0] != pair[1])
        && hosted.windows(2).all(|pair| pair[0] != pair[1])
        && hosted.iter().all(|members| members.len() == 1)
        && program.pools.iter().all(|pool| pool.behind.is_empty())
}

fn segments(program: &Program, class: usize, slot: usize) -> Vec<Segment> {
    let load = program.classes[class].load_rps[slot];
    if load <= 0.0 {
        return Vec::new();
    }
    let mut all: Vec<Segment> = program
        .hosted
        .iter()
        .enumerate()
        .filter_map(|(hosted, column)| {
            let usd = program.bill(class, slot, column.usd_per_request[class]?);
            let most = (column.rate_rps[class] / load).min(1.0);
            (most > 0.0).then_some(Segment { hosted, usd, most })
        })
        .collect();
    all.sort_by(|a, b| a.usd.total_cmp(&b.usd).then(a.hosted.cmp(&b.hosted)));
    all
}

fn pool_model(program: &Program, r: usize) -> Option<PoolModel> {
    let pool = &program.pools[r];
    let of_resource = |k: usize| pool.uses.iter().filter(|(at, _)| *at == k).map(|(_, n)| n).sum::<f64>();
    let uses: Vec<(usize, f64)> =
        (0..program.resources.len()).map(|k| (k, of_resource(k))).filter(|(_, n)| *n > 0.0).collect();
    // No more than there is stock for; the dust keeps a limit of 8 from being 7.999...
    let in_stock = uses
        .iter()
        .map(|(k, amount)| (program.resources[*k].limit / amount + 1e-9).floor())
        .fold(f64::INFINITY, f64::min);
    let most = program.instances_max(r).min(in_stock).max(0.0);
    if most > INSTANCES_MAX {
        return None;
    }
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0..INSTANCES_MAX")]
    let most = most as usize;
    let slots = program.slot_hours.len();
    let items = (0..slots).map(|t| {
        let item = |c: usize| {
            let load = program.instances_for(c, r, t).filter(|load| *load > 0.0)?;
            Some(Item { at: c * slots + t, load, usd: program.bill(c, t, pool.usd_per_request[c]) })
        };
        (0..program.classes.len()).filter_map(item).collect()
    });
    Some(PoolModel {
        modes: pool
            .modes
            .iter()
            .map(|mode| (mode.usd_per_month + mode.usd_amortised, mode.usd_upfront))
            .collect(),
        hourly: program
            .slot_hours
            .iter()
            .map(|hours| pool.usd_per_hour.map_or(f64::INFINITY, |usd| usd * hours))
            .collect(),
        items: items.collect(),
        carries: (0..=most).map(|n| carries(pool, n)).collect(),
        plain: pool.ladder.is_none(),
        uses,
    })
}

/// Load that n instances carry, in instances: the most replicas needed whose spares are there too.
#[allow(clippy::cast_precision_loss, reason = "at most INSTANCES_MAX instances")]
fn carries(pool: &crate::program::Pool, n: usize) -> f64 {
    let replicas = n as f64 * f64::from(pool.replicas);
    let Some(ladder) = &pool.ladder else { return n as f64 };
    let needed = |(spares, most): (usize, &u32)| (replicas - spares as f64).min(f64::from(*most));
    let most = ladder.needed_max.iter().enumerate().map(needed).fold(0.0, f64::max);
    most / f64::from(pool.replicas)
}
