//! Ways to get GPUs: instance types of a provider in a region with all their ways to pay, and the user's own servers.
//!
//! In: requirements, rules, the offers of the catalog. Out: [`Hardware`], one for each instance type and place; an offer
//! that is left out is booked under the rule that refused it. What is bought stands apart from what is rented: it
//! stands elsewhere.

use std::collections::BTreeMap;

use crate::catalog::{Billing, Catalog, Gpu, Offer};
use crate::constraint::Rules;
use crate::measure::Measure;
use crate::reason::{Op, Refusal};
use crate::requirements::Requirements;

use super::filter::refused_word;
use super::spot::Spot;
use super::tally::Tally;

/// One way to pay for an instance. Owned: for one GPU.
#[derive(Debug, Clone)]
pub struct Way<'c> {
    /// How it is paid.
    pub billing: Billing,
    /// Offer id, or `owned/<gpu>`.
    pub id: String,
    /// The offer behind it.
    pub offer: Option<&'c Offer>,
    /// Recurring price, USD/hour: rent, or electricity and hosting.
    pub usd_per_hour: f64,
    /// Paid once, USD.
    pub usd_upfront: f64,
    /// What is paid once, spread over its months, USD/hour.
    pub usd_amortised_per_hour: f64,
}

impl Way<'_> {
    /// Recurring price and what is paid once spread over its months, USD/hour.
    #[must_use]
    pub fn whole_usd_per_hour(&self) -> f64 {
        self.usd_per_hour + self.usd_amortised_per_hour
    }
}

/// One instance type in one place, or one GPU of an owned server.
#[derive(Debug, Clone)]
pub struct Hardware<'c> {
    /// The accelerator.
    pub gpu: &'c Gpu,
    /// Id of its first way to pay: an offer, or `owned/<gpu>`.
    pub id: String,
    /// Who sells it; `owned` for the user's own.
    pub provider: String,
    /// Instance type.
    pub instance: String,
    /// Region word; empty for owned.
    pub region: String,
    /// Inside the EU?
    pub in_eu: Option<bool>,
    /// GPUs in an instance. Owned GPUs are taken one replica at a time.
    pub gpus: u32,
    /// Ways to pay around the clock, each billing mode once.
    pub ways: Vec<Way<'c>>,
    /// Paid only in the hours in use, where that may differ from around the clock.
    pub by_hour: Option<Way<'c>>,
    /// Least price of an instance-hour over all ways, what is paid once spread over its months. Owned: of one GPU.
    pub usd_per_hour: f64,
    /// Owned GPUs there are; 0 for rented and bought.
    pub owned: u32,
    /// Bought, so that it stands where the user wants it.
    pub bought: bool,
    /// Offers it stands for: its own and those of the same GPU and size that cost no less.
    pub stands_for: u64,
    /// For instances that may be taken away: how often, and who may stand there.
    pub spot: Option<Spot>,
}

impl<'c> Hardware<'c> {
    /// Rented from an offer.
    #[must_use]
    pub fn rented(offer: &'c Offer, gpu: &'c Gpu) -> Self {
        Self {
            gpu,
            id: offer.id.clone(),
            provider: offer.provider.clone(),
            instance: offer.instance.clone(),
            region: offer.region.clone(),
            in_eu: offer.in_eu,
            gpus: offer.count,
            ways: vec![Way {
                billing: offer.billing,
                id: offer.id.clone(),
                offer: Some(offer),
                usd_per_hour: offer.price.get(),
                usd_upfront: 0.0,
                usd_amortised_per_hour: 0.0,
            }],
            by_hour: None,
            usd_per_hour: offer.price.get(),
            owned: 0,
            bought: false,
            stands_for: 1,
            spot: None,
        }
    }

    /// The same, paid only in the hours in use.
    #[must_use]
    pub fn only_in_use(mut self) -> Self {
        self.by_hour = self.ways.pop();
        self
    }

    /// Billing mode of the first way to pay.
    #[must_use]
    pub fn billing(&self) -> Billing {
        self.all_ways().next().map_or(Billing::Owned, |way| way.billing)
    }

    /// True for the user's own.
    #[must_use]
    pub const fn is_owned(&self) -> bool {
        self.owned > 0
    }

    /// True where it stands at the user's: owned or bought.
    #[must_use]
    pub const fn on_premises(&self) -> bool {
        self.is_owned() || self.bought
    }

    /// Replicas of a unit of so many GPUs in one instance.
    #[must_use]
    pub fn replicas(&self, unit_gpus: u32) -> u32 {
        if self.is_owned() { u32::from(unit_gpus <= self.owned) } else { self.gpus / unit_gpus }
    }

    /// GPUs paid for by one instance that hosts units of so many GPUs.
    #[must_use]
    pub const fn gpus_paid(&self, unit_gpus: u32) -> u32 {
        if self.is_owned() { unit_gpus } else { self.gpus }
    }

    /// kg CO2e of one instance that hosts units of so many GPUs, for an hour; `None` where a fact is unknown.
    #[must_use]
    pub fn kg_co2e_per_hour(&self, catalog: &Catalog, unit_gpus: u32) -> Option<f64> {
        let gpus = self.gpus_paid(unit_gpus);
        crate::carbon::engine_hour(catalog, self.gpu, gpus, &self.provider, &self.region).map(|hour| hour.kg)
    }

    /// How often the price of a way is paid for one instance that hosts units of so many GPUs.
    #[must_use]
    pub fn times(&self, unit_gpus: u32) -> f64 {
        if self.is_owned() { f64::from(unit_gpus) } else { 1.0 }
    }

    /// Least USD/hour of one instance that hosts units of so many GPUs.
    #[must_use]
    pub fn price(&self, unit_gpus: u32) -> f64 {
        self.usd_per_hour * self.times(unit_gpus)
    }

    /// Least USD/hour of one instance that hosts units of so many GPUs with nothing paid at once.
    #[must_use]
    pub fn rent(&self, unit_gpus: u32) -> Option<f64> {
        let at_once = |way: &&Way<'_>| way.usd_upfront <= 0.0;
        let prices = self.all_ways().filter(at_once).map(|way| way.usd_per_hour);
        prices.min_by(f64::total_cmp).map(|price| price * self.times(unit_gpus))
    }

    /// Every way to pay, hours in use last.
    pub fn all_ways(&self) -> impl Iterator<Item = &Way<'c>> {
        self.ways.iter().chain(&self.by_hour)
    }

    /// The way to pay of a billing word.
    #[must_use]
    pub fn way(&self, billing: &str) -> Option<&Way<'c>> {
        self.all_ways().find(|way| way.billing.word() == billing)
    }

    /// Does `times` of this cost no more than one of `other`, way by way (formulation study §3, D4)? An always-on way
    /// is covered by an always-on one or by the hours of the whole month, hours in use only by hours in use.
    #[must_use]
    pub fn covers(&self, other: &Self, times: f64, upfront_matters: bool) -> bool {
        let no_dearer = |x: &Way<'_>, y: &Way<'_>| {
            times * x.usd_per_hour <= y.usd_per_hour
                && times * x.whole_usd_per_hour() <= y.whole_usd_per_hour()
                && (!upfront_matters || times * x.usd_upfront <= y.usd_upfront)
        };
        other.ways.iter().all(|y| self.all_ways().any(|x| no_dearer(x, y)))
            && other.by_hour.as_ref().is_none_or(|y| self.by_hour.as_ref().is_some_and(|x| no_dearer(x, y)))
    }

    fn with(mut self, way: Way<'c>) -> Self {
        self.usd_per_hour = self.usd_per_hour.min(way.whole_usd_per_hour());
        let cheaper = |known: &Way<'_>| way.whole_usd_per_hour() < known.whole_usd_per_hour();
        if way.billing == Billing::Scheduled {
            if self.by_hour.as_ref().is_none_or(cheaper) {
                self.by_hour = Some(way);
            }
        } else if let Some(known) = self.ways.iter_mut().find(|known| known.billing == way.billing) {
            if cheaper(known) {
                *known = way;
            }
        } else {
            self.ways.push(way);
            self.ways.sort_by_key(|way| way.billing);
        }
        let first = self.all_ways().next().map(|first| first.id.clone());
        self.id = first.unwrap_or(self.id);
        self
    }
}

/// Is a billing mode among those of the request?
#[must_use]
pub fn allowed(requirements: &Requirements, billing: Billing) -> bool {
    let asked = &requirements.allow.billing;
    (asked.is_empty() || asked.contains(&billing)) && !requirements.deny.billing.contains(&billing)
}

/// Nothing is bought unasked: money paid at once needs a budget for it, or its billing mode by name.
fn asked_to_pay(requirements: &Requirements, billing: Billing) -> bool {
    requirements.budget.usd_upfront.is_some_and(|usd| usd > 0.0)
        || (requirements.allow.billing.contains(&billing) && requirements.budget.usd_upfront.is_none())
}

/// May hours in use be cheaper than around the clock? Where every hour is like every other, what is best in one is best
/// in all, unless a sum over all hours is limited that hours can be traded for.
#[must_use]
pub fn hours_matter(requirements: &Requirements) -> bool {
    use crate::requirements::Objective;
    let flat = requirements.workloads.iter().all(|workload| {
        let same = |rate: &f64| rate.to_bits() == workload.hourly_rps[0].to_bits();
        workload.hourly_rps.iter().chain(workload.weekend_rps.iter().flatten()).all(same)
            && workload.deferrable_hours <= 0.0
    });
    let budget = &requirements.budget;
    let summed = requirements.objective != Objective::Cost
        && (budget.usd_per_month.is_some() || budget.usd_per_request.is_some());
    !flat || summed
}

/// Everything priced on the date of the request, the user's servers first; refusals are booked in `tally`.
#[must_use]
pub fn hardware<'c>(
    requirements: &Requirements,
    rules: &Rules,
    catalog: &'c Catalog,
    tally: &mut Tally,
) -> Vec<Hardware<'c>> {
    let mut all = owned(requirements, catalog, tally);
    let mut places: BTreeMap<(&str, &str, &str, &str, u32, bool), usize> = BTreeMap::new();
    // `serverless.rs` and `spot.rs` ask about theirs.
    let lasting = |offer: &&Offer| !matches!(offer.billing, Billing::Serverless | Billing::Spot);
    for offer in catalog.offers.iter().filter(lasting) {
        let Some(gpu) = catalog.gpu(&offer.gpu) else { continue };
        let ways = match ways(requirements, rules, catalog, offer, gpu) {
            Ok(ways) => ways,
            Err(refusal) => {
                tally.candidates += 1;
                tally.refuse(1, || offer.id.clone(), &refusal);
                continue;
            }
        };
        let bought = offer.billing == Billing::Purchase;
        let key = (
            offer.provider.as_str(),
            offer.instance.as_str(),
            offer.region.as_str(),
            offer.gpu.as_str(),
            offer.count,
            bought,
        );
        let empty = || Hardware {
            ways: Vec::new(),
            usd_per_hour: f64::INFINITY,
            bought,
            stands_for: 0,
            ..Hardware::rented(offer, gpu)
        };
        let at = *places.entry(key).or_insert_with(|| {
            all.push(empty());
            all.len() - 1
        });
        let mut place = ways.into_iter().fold(all[at].clone(), Hardware::with);
        place.stands_for += 1;
        all[at] = place;
    }
    all
}

fn owned<'c>(requirements: &Requirements, catalog: &'c Catalog, tally: &mut Tally) -> Vec<Hardware<'c>> {
    let mut all = Vec::new();
    for owned in &requirements.owned {
        let Some(gpu) = catalog.gpu(&owned.gpu) else { continue };
        if !allowed(requirements, Billing::Owned) {
            let refusal = Refusal::word("allow", "owned", "the billing modes of the request");
            tally.candidates += 1;
            tally.refuse(1, || format!("owned/{}", gpu.id), &refusal);
            continue;
        }
        let way = Way {
            billing: Billing::Owned,
            id: format!("owned/{}", gpu.id),
            offer: None,
            usd_per_hour: crate::bill::power_usd_per_hour(catalog, &requirements.own_hardware, gpu)
                .unwrap_or(0.0),
            usd_upfront: 0.0,
            usd_amortised_per_hour: 0.0,
        };
        all.push(Hardware {
            gpu,
            id: way.id.clone(),
            provider: "owned".to_owned(),
            instance: format!("{} x {}", owned.count, gpu.name),
            region: String::new(),
            in_eu: None,
            gpus: 1,
            usd_per_hour: way.usd_per_hour,
            ways: vec![way],
            by_hour: None,
            owned: owned.count,
            bought: false,
            stands_for: 1,
            spot: None,
        });
    }
    all
}

fn not_in_force(requirements: &Requirements, offer: &Offer) -> Option<Refusal> {
    let day = requirements.as_of;
    let begun = offer.from.is_none_or(|from| from <= day);
    let over = offer.until.is_some_and(|until| until <= day);
    (!begun || over).then(|| Refusal::word("in_force", "not sold on that day", day.to_string()))
}

/// Words about the seller, the place and the GPU, and rules over the price.
fn refused_seller(
    requirements: &Requirements,
    rules: &Rules,
    offer: &Offer,
    gpu: &Gpu,
    usd_per_hour: f64,
) -> Option<Refusal> {
    let gpu_names: Vec<&str> = gpu.names().collect();
    refused_word(
        requirements,
        &[
            (|filter| &filter.providers, &[offer.provider.as_str()]),
            (|filter| &filter.regions, &[offer.region.as_str()]),
            (|filter| &filter.gpus, &gpu_names),
        ],
    )
    .or_else(|| {
        // Here and not where a unit is placed: of those that comply the cheapest is kept, not of all.
        let price = |measure| (measure == Measure::UsdPerHour).then_some(Some(usd_per_hour));
        crate::custom::refusal(rules, requirements, None, &price)
    })
}

/// The rule that keeps an offer of one way to pay out, whatever runs on it.
pub(super) fn refused(
    requirements: &Requirements,
    rules: &Rules,
    offer: &Offer,
    gpu: &Gpu,
) -> Option<Refusal> {
    let billing = || {
        let words = "the billing modes of the request";
        (!allowed(requirements, offer.billing)).then(|| Refusal::word("allow", offer.billing.word(), words))
    };
    not_in_force(requirements, offer)
        .or_else(billing)
        .or_else(|| refused_seller(requirements, rules, offer, gpu, offer.price.get()))
}

/// The ways in which an offer may be paid, or the rule that keeps it out, whatever runs on it.
fn ways<'c>(
    requirements: &Requirements,
    rules: &Rules,
    catalog: &Catalog,
    offer: &'c Offer,
    gpu: &Gpu,
) -> Result<Vec<Way<'c>>, Refusal> {
    if let Some(refusal) = not_in_force(requirements, offer) {
        return Err(refusal);
    }
    let on_demand = offer.billing == Billing::OnDemand;
    let mut billings = vec![offer.billing];
    if on_demand && (hours_matter(requirements) || !allowed(requirements, Billing::OnDemand)) {
        billings.push(Billing::Scheduled);
    }
    billings.retain(|billing| allowed(requirements, *billing));
    if billings.is_empty() {
        return Err(Refusal::word("allow", offer.billing.word(), "the billing modes of the request"));
    }
    let own = &requirements.own_hardware;
    let hours = requirements.hours_per_month;
    let unknown = || Refusal::word("in_force", "a price that depends on an unknown power", "a known one");
    let usd_per_hour = crate::bill::usd_per_hour(catalog, own, hours, offer, gpu).ok_or_else(unknown)?;
    let usd_upfront = crate::bill::usd_upfront(catalog, offer);
    let paid_once = usd_upfront > 0.0 || offer.billing == Billing::Purchase;
    let most = requirements.budget.usd_upfront.unwrap_or(f64::INFINITY);
    if paid_once && (!asked_to_pay(requirements, offer.billing) || usd_upfront > most) {
        let most = if most.is_finite() { most } else { 0.0 };
        return Err(Refusal::figure("usd_upfront", usd_upfront, Op::AtMost, most, "USD"));
    }
    let months = crate::bill::months(catalog, own, offer.billing);
    if let Some(refusal) = refused_seller(requirements, rules, offer, gpu, usd_per_hour) {
        return Err(refusal);
    }
    let way = |billing| Way {
        billing,
        id: offer.id.clone(),
        offer: Some(offer),
        usd_per_hour,
        usd_upfront,
        usd_amortised_per_hour: usd_upfront / months / hours,
    };
    Ok(billings.into_iter().map(way).collect())
}

/// Of each (GPU, instance size) those that no other covers way by way, and the same among those inside the EU where
/// one class asks for it. The rest is dominated: the same unit on it carries the same at no lower price, on the same
/// stock. Owned first, then by price.
#[must_use]
pub fn undominated<'c>(all: &[Hardware<'c>], requirements: &Requirements) -> Vec<Hardware<'c>> {
    let eu_asked = requirements.workloads.iter().any(|workload| workload.data.iter().any(|w| w == "eu-only"));
    let upfront = requirements.budget.usd_upfront.is_some();
    // May one stand for the other? Of the same kind, and allowed wherever the other is.
    let same = |x: &Hardware<'_>, y: &Hardware<'_>| {
        x.gpu.id == y.gpu.id
            && x.gpus == y.gpus
            && x.is_owned() == y.is_owned()
            && x.owned >= y.owned
            && x.bought == y.bought
            && x.spot.is_some() == y.spot.is_some()
            && (!eu_asked || x.on_premises() || x.in_eu == Some(true) || y.in_eu != Some(true))
    };
    let mut order: Vec<&Hardware<'c>> = all.iter().collect();
    order.sort_by(|a, b| {
        (!a.is_owned())
            .cmp(&!b.is_owned())
            .then(a.usd_per_hour.total_cmp(&b.usd_per_hour))
            .then_with(|| a.id.cmp(&b.id))
            .then(b.owned.cmp(&a.owned))
    });
    let mut kept: Vec<Hardware<'c>> = Vec::new();
    for hardware in order {
        match kept.iter_mut().find(|known| same(known, hardware) && known.covers(hardware, 1.0, upfront)) {
            Some(known) => known.stands_for += hardware.stands_for,
            None => kept.push(hardware.clone()),
        }
    }
    kept
}
