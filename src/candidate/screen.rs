//! Estimates the promising prospects with queueing and drops, with proof, those that cannot be in a better plan.
//!
//! Five tests, all safe for the least cost (formulation study §3):
//! 1. *Dominance with an upper bound.* Estimated option e with k instances carries at least the optimistic capacity
//!    of prospect p for every class p may serve, or all there is of those classes; k of e cost no more than one of p
//!    way by way; and k e takes no more of any finite resource: then k e also dominates p's true capacity (rule D4).
//! 2. *Beyond a plan already found.* Any plan with p pays at least one instance of p around the clock; if that alone
//!    is more than a complete plan found so far, p is in no better plan.
//! 3. *Beyond it with the rest at floor prices.* A plan with p also pays for what one instance of p cannot carry, at
//!    the least price any prospect (or hosted model) could ask for it by its optimistic capacity.
//! 4. *Beyond the busiest hour.* Where hours in use are sold, p may run for an hour only and 2 and 3 say nothing. But
//!    in every hour in which p runs, what it carries can be carried by the cheapest instances of each class by the
//!    hour, at most W for the busiest hour; if no way to pay for p is below W an hour, those take its place. (With an
//!    availability target W has the spares of a class that two routes share.)
//!
//! 5. *Class by class.* What one instance of p carries of each class can be carried by instances by the hour (`split.rs`);
//!    if no way to pay for p is below them together, those take its place.
//!
//! Where the share of own engines is set (`Question::share_matters`), a plan for any share is one for everything on own
//! engines, with part of the requests sent to hosted models: the plan of tests 2 and 3.
//!
//! Prospects come in order of price, then of optimistic capacity, so that what is tested first tends to win.

use rayon::prelude::*;

use crate::estimate::{Shortfall, capacity};
use crate::requirements::Objective;

use super::Question;
use super::class::Class;
use super::floor::Floor;
use super::hardware::Hardware;
use super::incumbent::{Found, Incumbents};
use super::limit::untrusted;
use super::line::lines;
use super::local::{LocalOption, Prospect, traffic};
use super::place::{prospects, unseen};
use super::ranked::ranked;
use super::split::Split;
use super::tally::Tally;
use crate::reason::{Op, Refusal};

/// Prospects estimated at once; between the batches the tests get sharper.
const BATCH: usize = 32;
/// Estimates after which price floors are worked out.
const FLOOR_FROM: u64 = 1000;

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
    if question.prune && question.requirements.objective != Objective::Cost {
        return ranked(question, classes, &lines, kept, cloud, tally);
    }
    let drop = question.prune;
    let budget = question.requirements.budget.usd_per_month.is_some()
        || question.requirements.budget.usd_per_request.is_some();
    let mut found = Found {
        options: Vec::new(),
        cloud_usd_per_month: cloud.usd_per_month,
        cloud_usd_most: cloud.usd_most,
        usd_max: question.requirements.usd_per_month_max().filter(|_| {
            budget && kept.iter().any(|hardware| hardware.all_ways().any(|way| way.usd_upfront > 0.0))
        }),
    };
    // Tests 2 and 3 speak of prices around the clock, test 4 of prices by the hour.
    let by_hour = kept.iter().any(|hardware| hardware.by_hour.is_some());
    let around_the_clock = drop && !by_hour;
    let mut floor: Option<Floor> = None;
    let mut next = 0;
    let peaks = peaks(classes);
    while next < kept.len() {
        // All of one price at once (owned GPUs too), the most promising first.
        let price =
            |at: usize| (kept[at].is_owned(), if kept[at].is_owned() { 0.0 } else { kept[at].usd_per_hour });
        let end = (next..kept.len()).find(|at| price(*at) != price(next)).unwrap_or(kept.len());
        let mut places: Vec<usize> = (next..end).collect();
        let incumbents =
            if around_the_clock { found.incumbents(question, classes) } else { Incumbents::NONE };
        let usd_per_month = price(next).1 * question.requirements.hours_per_month;
        let most = question.index_matters.unwrap_or_else(|| incumbents.local.max(incumbents.mixed));
        if around_the_clock && usd_per_month > most {
            let beyond: u64 = kept[next..].iter().map(|hardware| unseen(question, &lines, hardware)).sum();
            tally.candidates += beyond;
            tally.beyond_incumbent += beyond;
            break;
        }
        if around_the_clock
            && floor.is_none()
            && tally.estimated > FLOOR_FROM
            && question.requirements.owned.is_empty()
        {
            // Many to look at: price floors over everything are worth their while.
            let everywhere: Vec<usize> = (0..kept.len()).collect();
            let all = prospects(question, classes, &lines, kept, &everywhere, &mut Tally::default());
            floor = Some(Floor::new(question, classes, &all, &cloud.usd_per_request));
        }
        next = end;
        // What runs at the least price may be no plan where an index is read.
        if drop && by_hour && !classes.iter().any(|class| question.reads_index(class)) {
            let most = found.busiest_hour(question, &peaks);
            places.retain(|at| {
                let beyond =
                    kept[*at].all_ways().all(|way| way.usd_per_hour >= most) && !kept[*at].is_owned();
                if beyond {
                    let count: u64 = unseen(question, &lines, &kept[*at]);
                    tally.candidates += count;
                    tally.beyond_incumbent += count;
                }
                !beyond
            });
        }
        let group = prospects(question, classes, &lines, kept, &places, tally);
        let mut group: Vec<(Vec<f64>, Prospect<'a>)> =
            group.into_par_iter().map(|p| (p.upper_rps(question.catalog, classes), p)).collect();
        group.sort_by(|a, b| b.0.iter().sum::<f64>().total_cmp(&a.0.iter().sum::<f64>()));
        let mut waiting = group.into_iter().peekable();
        while waiting.peek().is_some() {
            let known = if floor.is_some() { found.incumbents(question, classes) } else { Incumbents::NONE };
            let hopeless = Hopeless { floor: floor.as_ref(), incumbents: known };
            let split = (drop && by_hour && !classes.iter().any(|class| question.reads_index(class)))
                .then(|| Split::new(question, &found.options, peaks.len()));
            let mut batch = Vec::with_capacity(BATCH);
            while batch.len() < BATCH {
                let Some((upper, prospect)) = waiting.next() else { break };
                if around_the_clock
                    && question.index_matters.is_none()
                    && hopeless.holds(question, &prospect, &upper)
                {
                    tally.beyond_incumbent += 1;
                } else if split
                    .as_ref()
                    .is_some_and(|split| split.beats(&peaks, &upper, &kept[prospect.hardware]))
                    || drop && found.beats(question, classes, &peaks, &prospect, &upper, kept)
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
    /// What any part of the requests that hosted models may serve costs there at most, USD/month.
    pub usd_most: f64,
    /// Cheapest price of a request by class; infinite where nobody serves it.
    pub usd_per_request: Vec<f64>,
    /// What the cleanest for every class emit, kg CO2e a month, if every class has one.
    pub kg_co2e_per_month: Option<f64>,
}

/// Most of each class that one hour may have to carry, requests/s: work that may wait may all be served in one.
pub(super) fn peaks(classes: &[Class<'_>]) -> Vec<f64> {
    let most = |class: &Class<'_>| {
        let load = class.load_rps();
        if class.served_in().is_empty() { load.into_iter().fold(0.0, f64::max) } else { load.iter().sum() }
    };
    classes.iter().map(most).collect()
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
            let compute =
                || capacity(step, memory, &traffic, limits, question.requirements.confidence, max_batch);
            let found = match prospect.shared.asked.get(at) {
                Some(asked) => prospect.row.known().capacity((asked.0, max_batch), compute),
                None => compute(),
            };
            match found {
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
