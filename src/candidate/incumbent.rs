//! What is known of complete plans while candidates are looked at: bills that a better plan must undercut, and options
//! that stand for a candidate at no higher price.
//!
//! In: options estimated so far. Out: figures and verdicts for the tests of `screen.rs`, which names them by number.

use super::Question;
use super::class::Class;
use super::hardware::Hardware;
use super::local::{LocalOption, Prospect};
use super::ranked::no_worse_in_means;

/// Most instances that may stand for one.
const INSTANCES_FOR_ONE_MAX: f64 = 16.0;

/// Options estimated so far, and what they tell of complete plans.
pub(super) struct Found<'a> {
    pub(super) options: Vec<LocalOption<'a>>,
    pub(super) cloud_usd_per_month: Option<f64>,
    /// See [`super::screen::Cloud::usd_most`].
    pub(super) cloud_usd_most: f64,
    /// A known plan above this is none: read where a plan may cost more in all and yet less a month.
    pub(super) usd_max: Option<f64>,
}

impl Found<'_> {
    /// Bills of complete plans known so far: what a candidate for a better one must undercut.
    pub(super) fn incumbents(&self, question: &Question<'_, '_>, classes: &[Class<'_>]) -> Incumbents {
        let alone: Vec<Option<Alone>> =
            (0..classes.len()).map(|at| self.cheapest_alone(question, classes, at)).collect();
        let separate: Option<Vec<&Alone>> = alone.iter().map(Option::as_ref).collect();
        let within = |usd: f64| if self.usd_max.is_some_and(|most| usd > most) { f64::INFINITY } else { usd };
        let local = within(
            separate
                .filter(|plans| fits(question, plans))
                .map_or(f64::INFINITY, |plans| plans.iter().map(|alone| alone.usd_per_month).sum()),
        );
        let deployments = question.deployments_kept_for();
        if question.share_matters {
            // Two routes of a class lose more than one, and two deployments are more than one.
            let free = question.requirements.availability.is_none() && deployments.is_none();
            let mixed = if free { within(local + self.cloud_usd_most) } else { f64::INFINITY };
            return Incumbents { local, mixed };
        }
        let mixed =
            match self.cloud_usd_per_month {
                None => local, // hosted models do not serve everything: a hybrid plan is at best part of a local one
                // A mix needs one instance beside the hosted models of all classes.
                Some(_)
                    if !question.cloud()
                        || deployments.is_some_and(|most| (most as usize) <= classes.len()) =>
                {
                    if question.cloud() { f64::INFINITY } else { 0.0 }
                }
                Some(usd) => {
                    let one = |option: &LocalOption<'_>| {
                        let least = least_instances(question, option);
                        let one = instances_of(question, option, least)?;
                        let index = option.prospect.shared.quality.as_ref().map(|scored| scored.index);
                        let in_mean = (0..classes.len())
                            .any(|at| option.capacity[at].is_some() && classes[at].mean_holds(index));
                        (!option.hardware.is_owned()
                            && in_mean
                            && option.hardware.spot.is_none()
                            && question.requirements.availability.is_none()
                            && fits(question, &[&one]))
                        .then_some(one.usd_per_month)
                    };
                    let cheapest = self.options.iter().filter_map(one).fold(f64::INFINITY, f64::min);
                    // Redundancy: a local plan with a sliver of hosted traffic, itself behind another.
                    within(if question.requirements.availability.is_some() {
                        local + 2.0 * usd
                    } else {
                        usd + cheapest
                    })
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
            if !classes[at].mean_holds(option.prospect.shared.quality.as_ref().map(|scored| scored.index)) {
                continue;
            }
            let needed = (peak / (capacity.rps * (1.0 - requirements.headroom))).ceil().max(1.0);
            let replicas = needed + spares(question, needed, 1.0);
            let instances = (replicas / f64::from(option.prospect.replicas)).ceil();
            let Some(known) =
                instances_of(question, option, instances.max(least_instances(question, option)))
            else {
                continue;
            };
            if best.as_ref().is_none_or(|best| known.usd_per_month < best.usd_per_month) {
                best = Some(known);
            }
        }
        best
    }

    /// W of test 4: what runs in the busiest hour, on the cheapest rented instances by the hour, USD/hour. Each class
    /// by itself; where deployments are counted all on one option, which takes the place of one. Infinite where what
    /// is scarce might not suffice.
    pub(super) fn busiest_hour(&self, question: &Question<'_, '_>, peaks: &[f64]) -> f64 {
        let limits = &question.requirements.limits;
        if limits.power_kw.is_some() {
            return f64::INFINITY;
        }
        let load_factor = 1.0 - question.requirements.headroom;
        let least = |classes: &[usize]| {
            let usd = |option: &LocalOption<'_>| {
                let price = option.hardware.by_hour.as_ref()?.usd_per_hour;
                if option.hardware.spot.is_some() || limits.gpus.contains_key(&option.hardware.gpu.id) {
                    return None;
                }
                let load = |at: &usize| Some(peaks[*at] / (option.capacity[*at].as_ref()?.rps * load_factor));
                let load: f64 = classes.iter().map(load).sum::<Option<f64>>()?;
                let needed = load.ceil().max(1.0);
                let replicas = needed + spares(question, needed, 0.5);
                let instances = (replicas / f64::from(option.prospect.replicas)).ceil();
                Some(price * instances.max(least_instances(question, option)))
            };
            self.options.iter().filter_map(usd).fold(f64::INFINITY, f64::min)
        };
        if question.deployments_kept_for().is_some() {
            least(&(0..peaks.len()).collect::<Vec<_>>())
        } else {
            (0..peaks.len()).map(|at| least(&[at])).sum()
        }
    }

    /// Test 1.
    pub(super) fn beats(
        &self,
        question: &Question<'_, '_>,
        classes: &[Class<'_>],
        peaks: &[f64],
        prospect: &Prospect<'_>,
        upper_rps: &[f64],
        hardware: &[Hardware<'_>],
    ) -> bool {
        let other = &hardware[prospect.hardware];
        self.options.iter().any(|option| {
            no_worse_in_means(question, classes, option, prospect)
                && instances_for_one(question, option, peaks, prospect, upper_rps, other).is_some()
        })
    }
}

/// Instances an option has at least once it is used.
pub(super) fn least_instances(question: &Question<'_, '_>, option: &LocalOption<'_>) -> f64 {
    let least = question.requirements.limits.min_replicas.unwrap_or(0);
    f64::from(least.div_ceil(option.prospect.replicas).max(1))
}

/// So many instances of an option around the clock with nothing paid at once; `None` beyond a million.
fn instances_of(question: &Question<'_, '_>, option: &LocalOption<'_>, instances: f64) -> Option<Alone> {
    let unit_gpus = option.prospect.row.unit.gpus;
    let price = option.hardware.rent(unit_gpus).filter(|_| instances < 1e6)?;
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "below a million")]
    let count = instances as u32;
    Some(Alone {
        usd_per_month: instances * price * question.requirements.hours_per_month,
        gpu: option.hardware.gpu.id.clone(),
        gpus: count * option.hardware.gpus_paid(unit_gpus),
        kw: instances * power_kw(question, &option.hardware, &option.prospect),
        owned: option.hardware.on_premises(),
    })
}

/// Bills of complete plans: with own engines only, and with hosted models beside them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Incumbents {
    pub(super) local: f64,
    pub(super) mixed: f64,
}

impl Incumbents {
    /// Nothing known.
    pub(super) const NONE: Self = Self { local: f64::INFINITY, mixed: f64::INFINITY };
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
        && question.deployments_kept_for().is_none_or(|most| plans.len() <= most as usize)
}

/// Spares beside so many needed replicas, for a part of the unavailability that is allowed.
fn spares(question: &Question<'_, '_>, needed: f64, part: f64) -> f64 {
    let Some(target) = question.requirements.availability else { return 0.0 };
    let up = question.catalog.replica_availability();
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
    let needed = needed.clamp(1.0, 100_000.0) as u32;
    let enough = |spares: &u32| {
        crate::program::availability::shortfall(needed + spares, needed, up) <= part * (1.0 - target)
    };
    (0..4096).find(enough).map_or(f64::INFINITY, f64::from)
}

fn power_kw(question: &Question<'_, '_>, hardware: &Hardware<'_>, prospect: &Prospect<'_>) -> f64 {
    let each = crate::bill::power_kw(question.catalog, hardware.gpu).unwrap_or(f64::INFINITY);
    each * f64::from(hardware.gpus_paid(prospect.row.unit.gpus))
}

/// Test 1, for one option: how many instances of it stand for one of the prospect, if they beat it.
pub(super) fn instances_for_one(
    question: &Question<'_, '_>,
    option: &LocalOption<'_>,
    peaks: &[f64],
    prospect: &Prospect<'_>,
    upper_rps: &[f64],
    other: &Hardware<'_>,
) -> Option<f64> {
    // What may be taken away stands in for nothing that may not, nor for what is taken away less often.
    if option.hardware.spot.is_some() && option.hardware.spot != other.spot {
        return None;
    }
    let requirements = question.requirements;
    let replicas = f64::from(option.prospect.replicas);
    let mut one_for_one: f64 = 1.0;
    let mut everything = 0.0;
    for (at, upper) in upper_rps.iter().enumerate() {
        if *upper > 0.0 {
            let Some(capacity) = &option.capacity[at] else { return None };
            one_for_one = one_for_one.max((upper / (capacity.rps * replicas)).ceil());
            everything += peaks[at] / (capacity.rps * replicas * (1.0 - requirements.headroom));
        }
    }
    let k = if requirements.availability.is_some() {
        one_for_one
    } else {
        one_for_one.min(everything.ceil().max(1.0))
    };
    let times = option.hardware.times(option.prospect.row.unit.gpus) / other.times(prospect.row.unit.gpus);
    let upfront = requirements.budget.usd_upfront.is_some();
    if k > INSTANCES_FOR_ONE_MAX
        || k < least_instances(question, option)
        || !option.hardware.covers(other, k * times, upfront)
    {
        return None;
    }
    if requirements.availability.is_some()
        && k * f64::from(option.prospect.replicas) > f64::from(prospect.replicas)
    {
        return None; // more replicas may fail
    }
    let limited = |gpu: &str| requirements.limits.gpus.contains_key(gpu);
    let stock = |hardware: &Hardware<'_>| (hardware.is_owned(), hardware.bought);
    let same_gpu = option.hardware.gpu.id == other.gpu.id && stock(&option.hardware) == stock(other);
    let gpus = |hardware: &Hardware<'_>, prospect: &Prospect<'_>| {
        f64::from(hardware.gpus_paid(prospect.row.unit.gpus))
    };
    let takes_no_more = k * gpus(&option.hardware, &option.prospect) <= gpus(other, prospect);
    let stock_is_finite =
        option.hardware.is_owned() || (!option.hardware.bought && limited(&option.hardware.gpu.id));
    if stock_is_finite && !(same_gpu && takes_no_more) {
        return None;
    }
    let power = |hardware: &Hardware<'_>, prospect: &Prospect<'_>| {
        crate::bill::power_kw(question.catalog, hardware.gpu).unwrap_or(f64::INFINITY)
            * gpus(hardware, prospect)
    };
    let powered = requirements.limits.power_kw.is_none()
        || k * power(&option.hardware, &option.prospect) <= power(other, prospect);
    powered.then_some(k)
}
