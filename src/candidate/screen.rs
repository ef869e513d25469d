//! Estimates the promising prospects with queueing and drops, with proof, those that cannot be in a better plan.
//!
//! Two tests, both safe for the least bill (formulation study §3):
//! 1. *Dominance with an upper bound.* Estimated option e with k instances carries at least the optimistic capacity
//!    of prospect p for every class p may serve, k price_e <= price_p, and k e takes no more of any finite resource:
//!    then k e also dominates p's true, lower capacity (rule D4).
//! 2. *Beyond a plan already found.* Any plan with p pays at least one instance of p; if that alone is more than a
//!    complete plan found so far, p is in no better plan.
//!
//! Prospects come in order of price, then of optimistic capacity, so that what is tested first tends to win.

use rayon::prelude::*;

use crate::estimate::{Shortfall, capacity};
use crate::requirements::Objective;

use super::Question;
use super::class::Class;
use super::hardware::Hardware;
use super::local::{LocalOption, Prospect, latency_rule, traffic, untrusted};
use super::tally::{Refusal, Tally};
use crate::reason::Op;

/// Prospects estimated at once; between the batches the tests get sharper.
const BATCH: usize = 32;
/// Most instances that may stand for one.
const INSTANCES_FOR_ONE_MAX: f64 = 16.0;

/// Estimates what could matter, in a fixed order.
#[must_use]
pub fn screen<'a>(
    question: &Question<'_, 'a>,
    classes: &[Class<'_>],
    hardware: &[Hardware<'a>],
    mut prospects: Vec<Prospect<'a>>,
    cloud_usd_per_month: Option<f64>,
    tally: &mut Tally,
) -> Vec<LocalOption<'a>> {
    // Stable: equal prices keep the order of the catalog.
    prospects.sort_by(|a, b| a.usd_per_month.total_cmp(&b.usd_per_month));
    let drop = question.prune && question.requirements.objective == Objective::Cost;
    let mut found = Found { options: Vec::new(), cloud_usd_per_month };
    let mut rest = prospects.as_slice();
    while let Some(first) = rest.first() {
        // All of one price at once, the most promising first.
        let same = rest.partition_point(|prospect| prospect.usd_per_month <= first.usd_per_month);
        let (group, later) = rest.split_at(same);
        rest = later;
        if drop && first.usd_per_month > found.incumbent(question, classes) {
            tally.beyond_incumbent += u64::try_from(group.len() + later.len()).unwrap_or(0);
            break;
        }
        let mut group: Vec<(Vec<f64>, &Prospect<'a>)> = group
            .par_iter()
            .map(|prospect| (prospect.upper_rps(question.catalog, classes), prospect))
            .collect();
        group.sort_by(|a, b| b.0.iter().sum::<f64>().total_cmp(&a.0.iter().sum::<f64>()));
        let mut waiting = group.into_iter().peekable();
        while waiting.peek().is_some() {
            let mut batch = Vec::with_capacity(BATCH);
            while batch.len() < BATCH {
                let Some((upper, prospect)) = waiting.next() else { break };
                if drop
                    && found.options.iter().any(|option| beats(question, option, prospect, &upper, hardware))
                {
                    tally.dominated += 1;
                } else {
                    batch.push(prospect);
                }
            }
            tally.estimated += u64::try_from(batch.len()).unwrap_or(0);
            let estimated: Vec<LocalOption<'a>> = batch
                .into_par_iter()
                .map(|prospect| estimate(question, classes, hardware, prospect.clone()))
                .collect();
            for option in estimated {
                if option.serves_any() {
                    found.options.push(option);
                } else if let Some(refusal) = option.refusal.iter().flatten().next() {
                    tally.refuse(1, || crate::plan::label_local(&option), refusal);
                }
            }
        }
    }
    found.options
}

/// One prospect with queueing, for every class it may serve.
#[must_use]
pub fn estimate<'a>(
    question: &Question<'_, 'a>,
    classes: &[Class<'_>],
    hardware: &[Hardware<'a>],
    prospect: Prospect<'a>,
) -> LocalOption<'a> {
    let mut capacities = Vec::with_capacity(classes.len());
    let mut refusals = Vec::with_capacity(classes.len());
    let step = prospect.row.step(question.catalog);
    for (at, class) in classes.iter().enumerate() {
        let (capacity, refusal) = match step {
            step if prospect.may[at] => {
                let traffic = traffic(class, prospect.shared.extra_output[at]);
                let confidence = question.requirements.confidence;
                match capacity(
                    step,
                    &prospect.row.memory,
                    &traffic,
                    &class.workload.latency,
                    confidence,
                    prospect.max_batch,
                ) {
                    Ok(capacity) => match untrusted(step.basis()) {
                        None => (Some(capacity), None),
                        refusal => (None, refusal),
                    },
                    Err(shortfall) => (None, Some(refused(&shortfall))),
                }
            }
            _ => (None, None),
        };
        capacities.push(capacity);
        refusals.push(refusal);
    }
    let hardware = hardware[prospect.hardware].clone();
    LocalOption { prospect, hardware, capacity: capacities, refusal: refusals }
}

fn refused(shortfall: &Shortfall) -> Refusal {
    match shortfall {
        Shortfall::TooSlow { limit, got_ms } => {
            Refusal::figure(latency_rule(limit.measure), *got_ms, Op::AtMost, limit.ms, "ms")
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
    /// The bill of a complete local plan, and of the cheapest mix with hosted models, whichever is dearer: what a
    /// candidate for either must undercut. Infinite until both are known, or where a stock is finite (a plan made
    /// class by class could overdraw it).
    fn incumbent(&self, question: &Question<'_, '_>, classes: &[Class<'_>]) -> f64 {
        let requirements = question.requirements;
        let finite = !requirements.limits.gpus.is_empty()
            || requirements.limits.power_kw.is_some()
            || requirements.limits.max_deployments.is_some()
            || !requirements.owned.is_empty()
            || requirements.availability.is_some();
        if finite {
            return f64::INFINITY;
        }
        let load_factor = 1.0 - requirements.headroom;
        let mut local = 0.0;
        for (at, class) in classes.iter().enumerate() {
            let peak = class.peak_rps();
            let alone = |option: &LocalOption<'_>| {
                let capacity =
                    option.capacity[at].as_ref()?.rps * f64::from(option.prospect.replicas) * load_factor;
                Some((peak / capacity).ceil().max(1.0) * option.prospect.usd_per_month)
            };
            local += self.options.iter().filter_map(alone).fold(f64::INFINITY, f64::min);
        }
        let mixed = match self.cloud_usd_per_month {
            Some(usd) if question.cloud() => {
                usd + self
                    .options
                    .iter()
                    .map(|option| option.prospect.usd_per_month)
                    .fold(f64::INFINITY, f64::min)
            }
            _ => 0.0,
        };
        local.max(mixed)
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
