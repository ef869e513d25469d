//! Ways to get GPUs: offers in force, sold in whole instances, and the user's own servers.

use std::collections::BTreeMap;

use crate::catalog::{Billing, Catalog, Gpu, Offer};
use crate::constraint::Rules;
use crate::measure::Measure;
use crate::reason::Refusal;
use crate::requirements::{Filter, Requirements};

use super::filter::refused_word;
use super::spot::Spot;
use super::tally::Tally;

/// One instance type at a price, or one GPU of an owned server.
#[derive(Debug, Clone)]
pub struct Hardware<'c> {
    /// The accelerator.
    pub gpu: &'c Gpu,
    /// Offer id, or `owned/<gpu>`.
    pub id: String,
    /// Who sells it; `owned` for the user's own.
    pub provider: String,
    /// Instance type.
    pub instance: String,
    /// Region word; empty for owned.
    pub region: String,
    /// Inside the EU?
    pub in_eu: Option<bool>,
    /// Billing word.
    pub billing: Billing,
    /// GPUs in an instance. Owned GPUs are taken one replica at a time.
    pub gpus: u32,
    /// Price of an instance around the clock, USD/hour. Owned: electricity of one GPU.
    pub usd_per_hour: f64,
    /// Owned GPUs there are; 0 for rented.
    pub owned: u32,
    /// The offer behind it.
    pub offer: Option<&'c Offer>,
    /// Offers it stands for: itself and those of the same GPU and size that cost no less.
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
            billing: offer.billing,
            gpus: offer.count,
            usd_per_hour: offer.price.get(),
            owned: 0,
            offer: Some(offer),
            stands_for: 1,
            spot: None,
        }
    }
}

impl Hardware<'_> {
    /// True for the user's own.
    #[must_use]
    pub const fn is_owned(&self) -> bool {
        self.owned > 0
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

    /// USD/hour of one instance that hosts units of so many GPUs.
    #[must_use]
    pub fn price(&self, unit_gpus: u32) -> f64 {
        if self.is_owned() { self.usd_per_hour * f64::from(unit_gpus) } else { self.usd_per_hour }
    }
}

/// Everything priced on the date of the request, the user's servers first; refusals are booked in `tally` and
/// returned by offer for those who ask about one.
#[must_use]
pub fn hardware<'c>(
    requirements: &Requirements,
    rules: &Rules,
    catalog: &'c Catalog,
    tally: &mut Tally,
) -> Vec<Hardware<'c>> {
    let mut all = Vec::new();
    for owned in &requirements.owned {
        let Some(gpu) = catalog.gpu(&owned.gpu) else { continue };
        let asked = &requirements.allow.billing;
        let allowed = asked.is_empty() || asked.contains(&Billing::Owned);
        if !allowed || requirements.deny.billing.contains(&Billing::Owned) {
            let refusal = Refusal::word("allow", "owned", "the billing modes of the request");
            tally.candidates += 1;
            tally.refuse(1, || format!("owned/{}", gpu.id), &refusal);
            continue;
        }
        all.push(Hardware {
            gpu,
            id: format!("owned/{}", gpu.id),
            provider: "owned".to_owned(),
            instance: format!("{} x {}", owned.count, gpu.name),
            region: String::new(),
            in_eu: None,
            billing: Billing::Owned,
            gpus: 1,
            usd_per_hour: crate::bill::power_usd_per_hour(catalog, gpu),
            owned: owned.count,
            offer: None,
            stands_for: 1,
            spot: None,
        });
    }
    // `serverless.rs` and `spot.rs` ask about theirs.
    let lasting = |offer: &&Offer| !matches!(offer.billing, Billing::Serverless | Billing::Spot);
    for offer in catalog.offers.iter().filter(lasting) {
        let Some(gpu) = catalog.gpu(&offer.gpu) else { continue };
        if let Some(refusal) = refused(requirements, rules, offer, gpu) {
            tally.candidates += 1;
            tally.refuse(1, || offer.id.clone(), &refusal);
            continue;
        }
        all.push(Hardware::rented(offer, gpu));
    }
    all
}

/// The rule that keeps an offer out, whatever runs on it.
pub(super) fn refused(
    requirements: &Requirements,
    rules: &Rules,
    offer: &Offer,
    gpu: &Gpu,
) -> Option<Refusal> {
    let day = requirements.as_of;
    let begun = offer.from.is_none_or(|from| from <= day);
    let over = offer.until.is_some_and(|until| until <= day);
    if !begun || over {
        return Some(Refusal::word("in_force", "not sold on that day", day.to_string()));
    }
    if !matches!(offer.billing, Billing::OnDemand | Billing::Serverless | Billing::Spot) {
        return Some(Refusal::word("allow", offer.billing.word(), "on-demand, spot, serverless or owned"));
    }
    let billing = |filter: &Filter| filter.billing.contains(&offer.billing);
    if !requirements.allow.billing.is_empty() && !billing(&requirements.allow) || billing(&requirements.deny)
    {
        return Some(Refusal::word("allow", offer.billing.word(), "the billing modes of the request"));
    }
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
        let price = |measure| (measure == Measure::UsdPerHour).then(|| Some(offer.price.get()));
        crate::custom::refusal(rules, requirements, None, &price)
    })
}

/// Of each (GPU, instance size), the cheapest instance, and the cheapest inside the EU where one class asks for it.
/// The rest is dominated: the same unit on it carries the same at no lower price, on the same stock. Owned first, then
/// by price.
#[must_use]
pub fn cheapest_of_each<'c>(all: &[Hardware<'c>], eu_asked: bool) -> Vec<Hardware<'c>> {
    let mut best: BTreeMap<(String, u32, bool, bool, bool), &Hardware<'c>> = BTreeMap::new();
    for hardware in all {
        let groups: &[bool] =
            if eu_asked && hardware.in_eu == Some(true) { &[false, true] } else { &[false] };
        for eu in groups {
            let spot = hardware.spot.is_some();
            let key = (hardware.gpu.id.clone(), hardware.gpus, hardware.is_owned(), spot, *eu);
            let better = best
                .get(&key)
                .is_none_or(|known| (hardware.usd_per_hour, &hardware.id) < (known.usd_per_hour, &known.id));
            if better {
                best.insert(key, hardware);
            }
        }
    }
    let mut kept: Vec<Hardware<'c>> = Vec::new();
    for ((gpu, gpus, owned, spot, eu), hardware) in &best {
        let same = |other: &&Hardware<'_>| {
            (other.gpu.id == *gpu && other.gpus == *gpus)
                && (other.is_owned() == *owned && other.spot.is_some() == *spot)
        };
        let count = u64::try_from(all.iter().filter(same).count()).unwrap_or(1);
        match kept.iter_mut().find(|other| other.id == hardware.id) {
            Some(_) => {}
            // The cheapest inside the EU is one of those the cheapest of all stands for.
            None if *eu => {
                kept.iter_mut().filter(|other| same(&&**other)).for_each(|other| other.stands_for -= 1);
                kept.push(Hardware { stands_for: 1, ..(*hardware).clone() });
            }
            None => kept.push(Hardware { stands_for: count, ..(*hardware).clone() }),
        }
    }
    kept.sort_by(|a, b| {
        (!a.is_owned())
            .cmp(&!b.is_owned())
            .then(a.usd_per_hour.total_cmp(&b.usd_per_hour))
            .then_with(|| a.id.cmp(&b.id))
    });
    kept
}
