//! Interruptible instances: who may use them, and what interruptions cost.
//!
//! In: a question, its hosted models. Out: spot offers as [`Hardware`] with the classes they may serve, and the shares of
//! time and capacity that interruptions take. What is left out is booked under the rule `spot`.
//!
//! With i interruptions an hour, each followed by a wait for another instance and its start-up (r hours together), an
//! instance is away i r of the time at most, and of its capacity 1 - i (r + l) is left, l being half of a request: what
//! was in flight starts again. In the mean, that is: several interruptions in a row are not modelled.

use std::sync::Arc;

use super::Question;
use super::class::Class;
use super::hardware::{Hardware, hours_matter, refused};
use super::hosted::HostedOption;
use super::tally::Tally;
use crate::catalog::{Billing, Catalog};
use crate::reason::Refusal;

/// Work that may wait so long outlasts an interruption: the wait for another instance and its start-up, with room.
pub const WAIT_MIN_H: f64 = 1.0;

/// How often instances of a provider are taken away, and for how long.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interruptions {
    /// Interruptions an hour.
    pub per_hour: f64,
    /// Hours until another instance serves.
    pub recovery_h: f64,
}

impl Interruptions {
    /// Those of a provider; `None` where a fact is missing.
    #[must_use]
    pub fn of(catalog: &Catalog, provider: &str) -> Option<Self> {
        Some(Self {
            per_hour: catalog.spot_interruptions_per_hour(provider)?,
            recovery_h: catalog.spot_recovery_h(provider)?,
        })
    }

    /// Share of time an instance is away.
    #[must_use]
    pub fn away(&self) -> f64 {
        (self.per_hour * self.recovery_h).min(1.0)
    }

    /// Share of an instance's capacity that is left where a request takes so many hours.
    #[must_use]
    pub fn left(&self, request_h: f64) -> f64 {
        (1.0 - self.per_hour * (self.recovery_h + request_h / 2.0)).max(0.0)
    }
}

/// A spot instance type: its interruptions, and the classes that may stand there.
#[derive(Debug, Clone, PartialEq)]
pub struct Spot {
    /// How often it is taken away.
    pub interruptions: Interruptions,
    /// By class, what makes up for it.
    pub cover: Arc<Vec<Cover>>,
}

/// What makes up for interruptions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cover {
    /// Nothing: the class must not stand there.
    Nothing,
    /// The work waits.
    Waits,
    /// A hosted model takes over: place in the list of hosted options.
    Fallback(usize),
}

/// Spot offers in force, with the classes that may use them.
#[must_use]
pub fn spot_hardware<'c>(
    question: &Question<'_, 'c>,
    classes: &[Class<'_>],
    hosted: &[HostedOption<'_>],
    tally: &mut Tally,
) -> Vec<Hardware<'c>> {
    let catalog = question.catalog;
    let cover: Arc<Vec<Cover>> =
        Arc::new((0..classes.len()).map(|at| cover(question, &classes[at], at, hosted)).collect());
    let nobody = cover.iter().all(|cover| *cover == Cover::Nothing);
    let by_hour = hours_matter(question.requirements);
    let mut all = Vec::new();
    for offer in catalog.offers.iter().filter(|offer| offer.billing == Billing::Spot) {
        let Some(gpu) = catalog.gpu(&offer.gpu) else { continue };
        let refusal =
            refused(question.requirements, question.rules, offer, gpu).or_else(|| nobody.then(not_covered));
        let found = Interruptions::of(catalog, &offer.provider);
        match (refusal, found) {
            (None, Some(interruptions)) => {
                let spot = Some(Spot { interruptions, cover: Arc::clone(&cover) });
                let rented = Hardware { spot, ..Hardware::rented(offer, gpu) };
                all.push(if by_hour { rented.only_in_use() } else { rented });
            }
            (refusal, _) => {
                let unknown =
                    || Refusal::word("spot", "how often it is taken away is unknown", "a sourced figure");
                tally.candidates += 1;
                tally.refuse(1, || offer.id.clone(), &refusal.unwrap_or_else(unknown));
            }
        }
    }
    all
}

/// The rule that keeps a class off spot instances.
#[must_use]
pub fn not_covered() -> Refusal {
    Refusal::word("spot", "may be taken away at any time", "work that may wait an hour, or a fallback")
}

/// Work that may wait needs no fallback, unless capacity is promised; the cheapest that complies by itself and can take
/// everything over stands behind the rest.
fn cover(question: &Question<'_, '_>, class: &Class<'_>, at: usize, hosted: &[HostedOption<'_>]) -> Cover {
    let promised = question.requirements.availability.is_some();
    if class.workload.deferrable_hours >= WAIT_MIN_H && !promised {
        return Cover::Waits;
    }
    let complies = |a: &usize| {
        let option = &hosted[*a];
        option.terms[at].refusal.is_none() && option.accepts_all && (!promised || option.uptime.is_some())
    };
    (0..hosted.len())
        .filter(complies)
        .min_by(|a, b| {
            let usd = |a: usize| hosted[a].terms[at].usd_per_request;
            usd(*a).total_cmp(&usd(*b)).then(a.cmp(b))
        })
        .map_or(Cover::Nothing, Cover::Fallback)
}
