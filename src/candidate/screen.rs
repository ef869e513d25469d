//! Estimates the promising prospects with queueing and drops, with proof, those that cannot be in a better plan.
//!
//! Three tests, all safe for the least bill (formulation study §3):
//! 1. *Dominance with an upper bound.* Estimated option e with k instances carries at least the optimistic capacity
//!    of prospect p for every class p may serve, k price_e <= price_p, and k e takes no more of any finite resource:
//!    then k e also dominates p's true, lower capacity (rule D4).
//! 2. *Beyond a plan already found.* Any plan with p pays at least one instance of p; if that alone is more than a
//!    complete plan found so far, p is in no better plan.
//! 3. *Beyond it with the rest at floor prices.* A plan with p also pays for what one instance of p cannot carry, at
//!    the least price any prospect (or hosted model) could ask for it by its optimistic capacity.
//!
//! Prospects come in order of price, then of optimistic capacity, so that what is tested first tends to win.

use rayon::prelude::*;

use crate::estimate::{Shortfall, capacity};
use crate::requirements::{DAY_HOURS, Objective};

use super::Question;
use super::class::Class;
use super::hardware::Hardware;
use super::limit::untrusted;
use super::line::lines;
use super::local::{LocalOption, Prospect, traffic};
use super::place::{prospects, unseen};
use super::tally::Tally;
use crate::reason::{Op, Refusal};

/// Prospects estimated at once; between the batches the tests get sharper.
const BATCH: usize = 32;
/// Estimates after which price floors are worked out.
const FLOOR_FROM: u64 = 1000;
/// Most instances that may stand for one.
const INSTANCES_FOR_ONE_MAX: f64 = 16.0;

/// Estimates what could matter, in a fixed order.
#[must_use]
pub fn screen<'a>(
    question: &Question<'_, 'a>,
    classes: &[Class<'_>],
    kept: &[Hardware<'a>],
    cloud: &Cloud,
    tally: &mut Tally,
) -> Vec<LocalOption<'a>> {
    let lines = lines(question, classes, kept, tally);
    let drop = question.prune && question.requirements.objective == Objective::Cost;
    let mut found = Found { options: Vec::new(), cloud_usd_per_month: cloud.usd_per_month };
    let mut floor: Option<Floor> = None;
    let mut next = 0;
    while next < kept.len() {
        // All of one price at once (owned GPUs too), the most promising first.
        let price =
            |at: usize| (kept[at].is_owned(), if kept[at].is_owned() { 0.0 } else { kept[at].usd_per_hour });
        let end = (next..kept.len()).find(|at| price(*at) != price(next)).unwrap_or(kept.len());
        let places: Vec<usize> = (next..end).collect();
        let incumbents = found.incumbents(question, classes);
        let usd_per_month = price(next).1 * question.requirements.hours_per_month;
        if drop && usd_per_month > incumbents.local.max(incumbents.mixed) {
            let beyond: u64 = kept[next..].iter().map(|hardware| unseen(question, &lines, hardware)).sum();
            tally.candidates += beyond;
            tally.beyond_incumbent += beyond;
            break;
        }
        if drop && floor.is_none() && tally.estimated > FLOOR_FROM && question.requirements.owned.is_empty() {
            // Many to look at: price floors over everything are worth their while.
            let everywhere: Vec<usize> = (0..kept.len()).collect();
            let all = prospects(question, classes, &lines, kept, &everywhere, &mut Tally::default());
            floor = Some(Floor::new(question, classes, &all, &cloud.usd_per_request));
        }
        next = end;
        let group = prospects(question, classes, &lines, kept, &places, tally);
        let mut group: Vec<(Vec<f64>, Prospect<'a>)> =
            group.into_par_iter().map(|p| (p.upper_rps(question.catalog, classes), p)).collect();
        group.sort_by(|a, b| b.0.iter().sum::<f64>().total_cmp(&a.0.iter().sum::<f64>()));
        let mut waiting = group.into_iter().peekable();
        while waiting.peek().is_some() {
            let hopeless =
                Hopeless { floor: floor.as_ref(), incumbents: found.incumbents(question, classes) };
            let mut batch = Vec::with_capacity(BATCH);
            while batch.len() < BATCH {
                let Some((upper, prospect)) = waiting.next() else { break };
                if drop && hopeless.holds(question, &prospect, &upper) {
                    tally.beyond_incumbent += 1;
                } else if drop
                    && found.options.iter().any(|option| beats(question, option, &prospect, &upper, kept))
                {
                    tally.dominated += 1;
                } else {
                    batch.push(prospect);
                }
            }
            tally.estimated += u64::try_from(batch.len()).unwrap_or(0);
            let estimated: Vec<Vec<LocalOption<'a>>> =
                batch.into_par_iter().map(|prospect| estimate(question, classes, kept, prospect)).collect();
            for option in estimated.into_iter().flatten() {
                if option.serves_any() {
                    found.options.push(option);
                } else if let Some(refusal) = option.refusal.iter().flatten().next() {
                    tally.refuse(1, || option.label(), refusal);
                }
            }
        }
    }
    found.options
}

/// Test 3 of the module's header.
struct Hopeless<'f> {
    floor: Option<&'f Floor>,
    incumbents: Incumbents,
}

impl Hopeless<'_> {
    fn holds(&self, question: &Question<'_, '_>, prospect: &Prospect<'_>, upper_rps: &[f64]) -> bool {
        self.floor.is_some_and(|floor| {
            let (local, any) = floor.with(prospect, upper_rps, 1.0 - question.requirements.headroom);
            local > self.incumbents.local * (1.0 + 1e-9) && any > self.incumbents.mixed * (1.0 + 1e-9)
        })
    }
}

/// What hosted models charge.
pub struct Cloud {
    /// Bill of the cheapest for every class, if every class has one.
    pub usd_per_month: Option<f64>,
    /// Cheapest price of a request by class; infinite where nobody serves it.
    pub usd_per_request: Vec<f64>,
}

/// One prospect with queueing, for every class it may serve. Several options where the best batch cap differs between
/// classes: one that all share, at a cap good for all, and one for each class at its own.
#[must_use]
pub fn estimate<'a>(
    question: &Question<'_, 'a>,
    classes: &[Class<'_>],
    hardware: &[Hardware<'a>],
    prospect: Prospect<'a>,
) -> Vec<LocalOption<'a>> {
    let shared = at_cap(question, classes, hardware, &prospect, prospect.max_batch);
    let caps: Vec<u32> = shared.capacity.iter().flatten().map(|capacity| capacity.max_batch).collect();
    let Some(mut least) = caps.iter().min().copied() else { return vec![shared] };
    if caps.iter().all(|cap| *cap == least) {
        return vec![LocalOption { max_batch: least, ..shared }];
    }
    let mut all = Vec::new();
    for at in 0..classes.len() {
        if let Some(capacity) = shared.capacity[at] {
            let mut own = LocalOption { max_batch: capacity.max_batch, ..shared.clone() };
            for (other, capacity) in own.capacity.iter_mut().enumerate() {
                if other != at {
                    *capacity = None;
                }
            }
            all.push(own);
        }
    }
    // At a smaller cap a class may want a still smaller one; caps only fall, so this ends.
    loop {
        let together = at_cap(question, classes, hardware, &prospect, least);
        let next = together.capacity.iter().flatten().map(|capacity| capacity.max_batch).min();
        match next {
            Some(next) if next < least => least = next,
            Some(_) => {
                all.insert(0, together);
                return all;
            }
            None => return all,
        }
    }
}

fn at_cap<'a>(
    question: &Question<'_, 'a>,
    classes: &[Class<'_>],
    hardware: &[Hardware<'a>],
    prospect: &Prospect<'a>,
    max_batch: u32,
) -> LocalOption<'a> {
    let mut capacities = Vec::with_capacity(classes.len());
    let mut refusals = Vec::with_capacity(classes.len());
    let step = prospect.row.step(question.catalog);
    for (at, class) in classes.iter().enumerate() {
        let (found, refusal) = if prospect.may[at] {
            let traffic = traffic(class, prospect.shared.extra_output[at]);
            let (memory, limits) = (&prospect.row.memory, &class.workload.latency);
            match capacity(step, memory, &traffic, limits, question.requirements.confidence, max_batch) {
                Ok(found) => match untrusted(step.basis()) {
                    None => (Some(found), None),
                    refusal => (None, refusal),
                },
                Err(shortfall) => (None, Some(refused(&shortfall))),
            }
        } else {
            (None, None)
        };
        capacities.push(found);
        refusals.push(refusal);
    }
    LocalOption {
        hardware: hardware[prospect.hardware].clone(),
        prospect: prospect.clone(),
        max_batch,
        capacity: capacities,
        refusal: refusals,
    }
}

fn refused(shortfall: &Shortfall) -> Refusal {
    match shortfall {
        Shortfall::TooSlow { limit, got_ms } => {
            Refusal::figure(limit.measure.word(), *got_ms, Op::AtMost, limit.ms, "ms")
        }
        Shortfall::ContextTooLong { need_tokens, have_tokens } => {
            Refusal::figure("context_tokens", *have_tokens, Op::AtLeast, *need_tokens, "tokens")
        }
    }
}

struct Found<'a> {
    options: Vec<LocalOption<'a>>,
    cloud_usd_per_month: Option<f64>,
}

impl Found<'_> {
    /// Bills of complete plans known so far: what a candidate for a better one must undercut.
    fn incumbents(&self, question: &Question<'_, '_>, classes: &[Class<'_>]) -> Incumbents {
        let alone: Vec<Option<Alone>> =
            (0..classes.len()).map(|at| self.cheapest_alone(question, classes, at)).collect();
        let separate: Option<Vec<&Alone>> = alone.iter().map(Option::as_ref).collect();
        let local = separate
            .filter(|plans| fits(question, plans))
            .map_or(f64::INFINITY, |plans| plans.iter().map(|alone| alone.usd_per_month).sum());
        let deployments = question.requirements.limits.max_deployments;
        let mixed = match self.cloud_usd_per_month {
            None => local, // hosted models do not serve everything: a hybrid plan is at best part of a local one
            // A mix needs one instance beside the hosted models of all classes.
            Some(_)
                if !question.cloud() || deployments.is_some_and(|most| (most as usize) <= classes.len()) =>
            {
                if question.cloud() {
                    f64::INFINITY
                } else {
                    0.0
                }
            }
            Some(usd) => {
                let one = |option: &LocalOption<'_>| {
                    let alone = Alone {
                        usd_per_month: option.prospect.usd_per_month,
                        gpu: option.hardware.gpu.id.clone(),
                        gpus: option.hardware.gpus_paid(option.prospect.row.unit.gpus),
                        kw: power_kw(question, &option.hardware, &option.prospect),
                        owned: option.hardware.is_owned(),
                    };
                    (!alone.owned
                        && option.hardware.spot.is_none()
                        && question.requirements.availability.is_none()
                        && fits(question, &[&alone]))
                    .then_some(alone.usd_per_month)
                };
                let cheapest = self.options.iter().filter_map(one).fold(f64::INFINITY, f64::min);
                // Redundancy: a local plan with a sliver of hosted traffic, itself behind another.
                if question.requirements.availability.is_some() { local + 2.0 * usd } else { usd + cheapest }
            }
        };
        Incumbents { local, mixed }
    }

    /// The cheapest way to serve one class with rented instances of one option, spares included.
    fn cheapest_alone(&self, question: &Question<'_, '_>, classes: &[Class<'_>], at: usize) -> Option<Alone> {
        let requirements = question.requirements;
        let peak = classes[at].peak_rps();
        let mut best: Option<Alone> = None;
        // What stands behind spot instances has its price too.
        let whole = |option: &&LocalOption<'_>| !option.hardware.is_owned() && option.hardware.spot.is_none();
        for option in self.options.iter().filter(whole) {
            let Some(capacity) = &option.capacity[at] else { continue };
            let needed = (peak / (capacity.rps * (1.0 - requirements.headroom))).ceil().max(1.0);
            let replicas = needed + spares(question, needed);
            let instances = (replicas / f64::from(option.prospect.replicas)).ceil();
            let usd_per_month = instances * option.prospect.usd_per_month;
            if best.as_ref().is_none_or(|known| usd_per_month < known.usd_per_month) && instances < 1e6 {
                #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "below a million")]
                let count = instances as u32;
                best = Some(Alone {
                    usd_per_month,
                    gpu: option.hardware.gpu.id.clone(),
                    gpus: count * option.hardware.gpus_paid(option.prospect.row.unit.gpus),
                    kw: instances * power_kw(question, &option.hardware, &option.prospect),
                    owned: false,
                });
            }
        }
        best
    }
}

/// Bills of complete plans: with own engines only, and with hosted models beside them.
#[derive(Debug, Clone, Copy)]
struct Incumbents {
    local: f64,
    mixed: f64,
}

/// One class on one option: its bill and what it takes of finite stock.
struct Alone {
    usd_per_month: f64,
    gpu: String,
    gpus: u32,
    kw: f64,
    owned: bool,
}

/// Do plans made class by class respect the limits they share?
fn fits(question: &Question<'_, '_>, plans: &[&Alone]) -> bool {
    let limits = &question.requirements.limits;
    let within = limits.gpus.iter().all(|(gpu, most)| {
        plans.iter().filter(|plan| plan.gpu == *gpu && !plan.owned).map(|plan| plan.gpus).sum::<u32>()
            <= *most
    });
    let kw: f64 = plans.iter().map(|plan| plan.kw).sum();
    within
        && limits.power_kw.is_none_or(|most| kw <= most)
        && limits.max_deployments.is_none_or(|most| plans.len() <= most as usize)
}

/// Spares beside so many needed replicas.
fn spares(question: &Question<'_, '_>, needed: f64) -> f64 {
    let Some(target) = question.requirements.availability else { return 0.0 };
    let up = question.catalog.replica_availability();
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
    let needed = needed.clamp(1.0, 100_000.0) as u32;
    let enough =
        |spares: &u32| crate::program::availability::shortfall(needed + spares, needed, up) <= 1.0 - target;
    (0..4096).find(enough).map_or(f64::INFINITY, f64::from)
}

fn power_kw(question: &Question<'_, '_>, hardware: &Hardware<'_>, prospect: &Prospect<'_>) -> f64 {
    let each = crate::bill::power_kw(question.catalog, hardware.gpu).unwrap_or(f64::INFINITY);
    each * f64::from(hardware.gpus_paid(prospect.row.unit.gpus))
}

/// Prices nobody can undercut, from optimistic capacities: for test 3 of the module's header.
struct Floor {
    /// By class, USD/month for one request/s of capacity.
    local: Vec<f64>,
    /// By class, USD for one request by any means.
    any: Vec<f64>,
    /// Least bill of own engines for the busiest slot.
    local_total: f64,
    /// Least bill of everything.
    any_total: f64,
    /// By class, requests a month that one request/s of always-on capacity can serve at most.
    reach: Vec<f64>,
}

impl Floor {
    fn new(
        question: &Question<'_, '_>,
        classes: &[Class<'_>],
        prospects: &[Prospect<'_>],
        cloud_usd_per_request: &[f64],
    ) -> Self {
        let uppers: Vec<(Vec<f64>, &Prospect<'_>)> =
            prospects.par_iter().map(|p| (p.upper_rps(question.catalog, classes), p)).collect();
        let hours = question.requirements.hours_per_month;
        let load_factor = 1.0 - question.requirements.headroom;
        let mut floor =
            Self { local: Vec::new(), any: Vec::new(), local_total: 0.0, any_total: 0.0, reach: Vec::new() };
        for (at, class) in classes.iter().enumerate() {
            let local = uppers
                .iter()
                .filter(|(upper, _)| upper[at] > 0.0)
                .map(|(upper, prospect)| prospect.usd_per_month / (upper[at] * load_factor))
                .fold(f64::INFINITY, f64::min);
            let reach = 3600.0 * hours / class.workload.peak_factor;
            let any = (local / reach).min(cloud_usd_per_request[at]);
            floor.any_total += any * class.requests_per_month();
            floor.local.push(local);
            floor.any.push(any);
            floor.reach.push(reach);
        }
        // Work that may wait loads no hour for certain, but a day as a whole with its mean.
        let slots = classes.first().map_or(0, |class| class.slots.len());
        let priced: Vec<(Vec<f64>, f64, bool)> = classes
            .iter()
            .zip(&floor.local)
            .map(|(class, usd)| (class.load_rps(), *usd, class.served_in().is_empty()))
            .collect();
        let in_slot = |slot: usize, waiting: bool| -> f64 {
            priced
                .iter()
                .filter(|(_, _, at_once)| *at_once || waiting)
                .map(|(load, usd, _)| load[slot] * usd)
                .sum()
        };
        let by_slot: Vec<f64> = (0..slots).map(|slot| in_slot(slot, true)).collect();
        let means = by_slot.chunks(DAY_HOURS).map(|day| day.iter().sum::<f64>() / 24.0);
        floor.local_total = (0..slots).map(|slot| in_slot(slot, false)).chain(means).fold(0.0, f64::max);
        floor
    }

    /// Least bills of a local plan, and of any plan, that has an instance of the prospect: its price, and the least
    /// price of all that one instance cannot carry.
    fn with(&self, prospect: &Prospect<'_>, upper: &[f64], load_factor: f64) -> (f64, f64) {
        let most = |value: &dyn Fn(usize) -> f64| {
            (0..upper.len()).filter(|at| upper[*at] > 0.0).map(value).fold(0.0, f64::max)
        };
        let local = most(&|at| upper[at] * load_factor * self.local[at]);
        let any = most(&|at| upper[at] * load_factor * self.reach[at] * self.any[at]);
        (
            prospect.usd_per_month + (self.local_total - local).max(0.0),
            prospect.usd_per_month + (self.any_total - any).max(0.0),
        )
    }
}

/// Test 1 of the module's header.
fn beats(
    question: &Question<'_, '_>,
    option: &LocalOption<'_>,
    prospect: &Prospect<'_>,
    upper_rps: &[f64],
    hardware: &[Hardware<'_>],
) -> bool {
    let other = &hardware[prospect.hardware];
    // What may be taken away stands in for nothing that may not, nor for what is taken away less often.
    if option.hardware.spot.is_some() && option.hardware.spot != other.spot {
        return false;
    }
    let mut k: f64 = 1.0;
    for (at, upper) in upper_rps.iter().enumerate() {
        if *upper > 0.0 {
            let Some(capacity) = &option.capacity[at] else { return false };
            k = k.max((upper / (capacity.rps * f64::from(option.prospect.replicas))).ceil());
        }
    }
    let requirements = question.requirements;
    if k > INSTANCES_FOR_ONE_MAX || k * option.prospect.usd_per_month > prospect.usd_per_month {
        return false;
    }
    if requirements.availability.is_some()
        && k * f64::from(option.prospect.replicas) > f64::from(prospect.replicas)
    {
        return false; // more replicas may fail
    }
    let limited = |gpu: &str| requirements.limits.gpus.contains_key(gpu);
    let same_gpu = option.hardware.gpu.id == other.gpu.id && option.hardware.is_owned() == other.is_owned();
    let gpus = |hardware: &Hardware<'_>, prospect: &Prospect<'_>| {
        f64::from(hardware.gpus_paid(prospect.row.unit.gpus))
    };
    let takes_no_more = k * gpus(&option.hardware, &option.prospect) <= gpus(other, prospect);
    let stock_is_finite = option.hardware.is_owned() || limited(&option.hardware.gpu.id);
    if stock_is_finite && !(same_gpu && takes_no_more) {
        return false;
    }
    let power = |hardware: &Hardware<'_>, prospect: &Prospect<'_>| {
        crate::bill::power_kw(question.catalog, hardware.gpu).unwrap_or(f64::INFINITY)
            * gpus(hardware, prospect)
    };
    requirements.limits.power_kw.is_none()
        || k * power(&option.hardware, &option.prospect) <= power(other, prospect)
}
