//! What own engines cost: each way to pay by its offer in the catalog and the hours it stands there.

use super::{Checker, MONEY_TOLERANCE};
use crate::bill;
use crate::catalog::{Billing, Catalog, Offer};
use crate::recommendation::{Deployment, EngineSettings, Paid};

/// Sums of money, by when they fall due.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Due {
    pub(super) usd_per_month: f64,
    pub(super) usd_upfront: f64,
    pub(super) usd_amortised: f64,
}

impl<'v> Checker<'v> {
    /// What all own engines cost, derived from offers, electricity and hours; what a plan says otherwise is named.
    pub(super) fn engines_due(&mut self) -> Due {
        let mut all = Due::default();
        let plan = self.plan;
        for deployment in &plan.deployments {
            // What is billed by the second has no instances: see `serverless.rs`.
            let lasting = |engine: &&EngineSettings| engine.billed_s_per_month.is_none();
            let Some(engine) = deployment.engine.as_ref().filter(lasting) else { continue };
            self.counts_of(deployment, engine);
            for paid in &engine.paid {
                let due = self.due(deployment, engine, paid);
                let said = (paid.usd_per_month, paid.usd_upfront, paid.usd_amortised);
                let rules = [
                    ("usd_per_month", due.usd_per_month, said.0),
                    ("usd_upfront", due.usd_upfront, said.1),
                    ("usd_upfront", due.usd_amortised, said.2),
                ];
                for (rule, derived, said) in rules {
                    if (derived - said).abs() > MONEY_TOLERANCE + 1e-9 * derived {
                        let what = format!(
                            "{}: {derived:.6} for {}, it says {said:.6}",
                            deployment.label, paid.offer
                        );
                        self.break_rule(rule, what);
                    }
                }
                all.usd_per_month += due.usd_per_month;
                all.usd_upfront += due.usd_upfront;
                all.usd_amortised += due.usd_amortised;
            }
        }
        all
    }

    /// Counts of the ways to pay add up to the instances of the deployment.
    fn counts_of(&mut self, deployment: &Deployment, engine: &EngineSettings) {
        let slots = engine.paid.iter().filter_map(|paid| paid.instances_by_hour.as_ref().map(Vec::len)).max();
        let most = (0..slots.unwrap_or(1)).map(|slot| engine.instances_in(slot)).max().unwrap_or(0);
        let least = self.requirements.limits.min_replicas.unwrap_or(0);
        let fewest = (0..slots.unwrap_or(1)).map(|slot| engine.replicas_in(slot)).min().unwrap_or(0);
        if fewest < least {
            let what = format!("{}: {fewest} replicas in some hour, at least {least}", deployment.label);
            self.break_rule("min_replicas", what);
        }
        if most != engine.instances {
            let what =
                format!("{}: {most} instances are paid for, {} run", deployment.label, engine.instances);
            self.break_rule("capacity", what);
        }
        if engine.beside.is_some() {
            return; // the deployment it stands beside pays
        }
        let known = |paid: &Paid| paid.offer == engine.offer && paid.billing == engine.billing;
        if !engine.paid.iter().any(known) {
            let what = format!("{}: nothing is paid for {}", deployment.label, engine.offer);
            self.break_rule("in_force", what);
        }
        for paid in &engine.paid {
            let Some(hours) = &paid.instances_by_hour else { continue };
            if hours.len() != self.slots.len() || hours.iter().max() != Some(&paid.instances) {
                self.break_rule(
                    "capacity",
                    format!("{}: hours of {} disagree", deployment.label, paid.offer),
                );
            }
            if !matches!(paid.billing.as_str(), "scheduled" | "spot") {
                let what = format!("{}: {} is not sold by the hour in use", deployment.label, paid.billing);
                self.break_rule("allow", what);
            }
        }
    }

    /// One way to pay: price x hours, starts included, and what is paid once.
    fn due(&mut self, deployment: &Deployment, engine: &EngineSettings, paid: &Paid) -> Due {
        let price = self.paid_usd_per_hour(deployment, engine, paid);
        let hours = self.requirements.hours_per_month;
        let in_use = match &paid.instances_by_hour {
            None => f64::from(paid.instances) * hours,
            Some(by_hour) => {
                let start_up = self.catalog.start_up_s() / 3600.0;
                by_hour
                    .iter()
                    .enumerate()
                    .map(|(slot, count)| {
                        // A day is a circle: what runs in its last hour need not be started for its first.
                        let day = slot - slot % 24;
                        let before = by_hour[day + (slot - day + 23) % 24];
                        let each = self.slots.get(slot).map_or(f64::NAN, |slot| slot.hours_per_month);
                        each * (f64::from(*count) + f64::from(count.saturating_sub(before)) * start_up)
                    })
                    .sum()
            }
        };
        let (usd_upfront, usd_amortised) = self.paid_once(deployment, engine, paid);
        Due { usd_per_month: price * in_use, usd_upfront, usd_amortised }
    }

    /// Price of an instance-hour of an engine that is paid in one way.
    pub(super) fn engine_usd_per_hour(&mut self, deployment: &Deployment, engine: &EngineSettings) -> f64 {
        let (offer, billing) = (engine.offer.clone(), engine.billing.clone());
        self.paid_usd_per_hour(deployment, engine, &Paid { offer, billing, ..Paid::default() })
    }

    /// What is paid once, and what of it falls on a month. Nothing is bought unasked.
    fn paid_once(&mut self, deployment: &Deployment, engine: &EngineSettings, paid: &Paid) -> (f64, f64) {
        if deployment.mode == "measured" || paid.billing == "owned" {
            return (0.0, 0.0);
        }
        let (catalog, requirements) = (self.catalog, self.requirements);
        let Some(offer) = self.offer(deployment, engine, paid) else { return (f64::NAN, f64::NAN) };
        let usd = bill::usd_upfront(catalog, offer) * f64::from(paid.instances);
        let months = bill::months(catalog, &requirements.own_hardware, offer.billing);
        let asked = requirements.budget.usd_upfront.is_some_and(|most| most > 0.0)
            || requirements.allow.billing.contains(&offer.billing);
        if !asked && (usd > 0.0 || offer.billing == Billing::Purchase) {
            self.break_rule("usd_upfront", format!("{}: {usd:.2} at once, unasked", deployment.label));
        }
        (usd, usd / months)
    }

    /// Price of an instance-hour under one way to pay, by the catalog.
    pub(super) fn paid_usd_per_hour(
        &mut self,
        deployment: &Deployment,
        engine: &EngineSettings,
        paid: &Paid,
    ) -> f64 {
        if deployment.mode == "measured" {
            let row = self.requirements.measured.iter().find(|row| row.option == deployment.model);
            return row.and_then(|row| row.usd_per_hour).unwrap_or(f64::NAN);
        }
        if paid.billing == "owned" {
            let gpu = self.catalog.gpu(&engine.gpu);
            let own = &self.requirements.own_hardware;
            return gpu.map_or(f64::NAN, |gpu| {
                bill::power_usd_per_hour(self.catalog, own, gpu).unwrap_or(0.0)
                    * f64::from(engine.gpus_per_instance)
            });
        }
        let (catalog, own) = (self.catalog, &self.requirements.own_hardware);
        let hours = self.requirements.hours_per_month;
        let (Some(offer), Some(gpu)) = (self.offer(deployment, engine, paid), catalog.gpu(&engine.gpu))
        else {
            return f64::NAN;
        };
        bill::usd_per_hour(catalog, own, hours, offer, gpu).unwrap_or(f64::NAN)
    }

    /// The offer behind a way to pay: in force, of that hardware and seller.
    fn offer(&mut self, deployment: &Deployment, engine: &EngineSettings, paid: &Paid) -> Option<&'v Offer> {
        let day = self.requirements.as_of;
        let in_force = |offer: &&Offer| {
            offer.id == paid.offer
                && offer.from.is_none_or(|from| from <= day)
                && offer.until.is_none_or(|until| until > day)
        };
        let catalog: &'v Catalog = self.catalog;
        let Some(offer) = catalog.offers.iter().find(in_force) else {
            self.break_rule("in_force", format!("{} is not sold on {day}", paid.offer));
            return None;
        };
        // Hours in use are sold at the price on demand.
        let word = offer.billing.word();
        if word != paid.billing && (word, paid.billing.as_str()) != ("on-demand", "scheduled") {
            self.break_rule("allow", format!("{} is sold {word}, not {}", offer.id, paid.billing));
        }
        if (offer.gpu.as_str(), offer.count) != (engine.gpu.as_str(), engine.gpus_per_instance)
            || offer.provider != deployment.provider
        {
            self.break_rule("in_force", format!("{} is {} x {}", offer.id, offer.count, offer.gpu));
        }
        Some(offer)
    }
}
