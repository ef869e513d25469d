//! Own engines billed by the second: what a request costs at most, and how long it takes at most, for every class.
//!
//! In: a question and its classes. Out: [`ServerlessOption`]s; what is left out is booked by rule.
//!
//! Every request is taken to find no engine warm, to have one to itself, and to keep it warm behind it for the whole
//! window. So it waits for the cold start at every percentile, and is billed for cold start + service + window. Both
//! are upper bounds whatever the arrivals are: an engine found warm saves the start, requests that overlap share a
//! window and, batched, take no longer together than one after the other. The bound is linear in requests and tight
//! where they are rare. Counting warm engines would need P(none warm) = exp(-rate x (service + window)) small; then
//! this bound pays for several engines around the clock, and a rented instance is cheaper.

use rayon::prelude::*;

use super::Question;
use super::class::Class;
use super::hardware::{Hardware, refused};
use super::limit::untrusted;
use super::line::lines;
use super::local::{Prospect, traffic};
use super::place::prospects;
use super::tally::Tally;
use crate::bill;
use crate::catalog::Billing;
use crate::estimate::{alone_ms, cold_start_s, waits_for_start};
use crate::reason::{Op, Refusal};
use crate::requirements::{LatencyMeasure, Objective, Statistic};

/// A unit at a provider that bills by the second.
#[derive(Debug, Clone)]
pub struct ServerlessOption<'a> {
    /// What runs.
    pub prospect: Prospect<'a>,
    /// Where.
    pub hardware: Hardware<'a>,
    /// From a request that finds no engine to one that serves it, seconds.
    pub cold_start_s: f64,
    /// Terms by class.
    pub terms: Vec<ServerlessTerms>,
}

/// What a class would get.
#[derive(Debug, Clone)]
pub struct ServerlessTerms {
    /// Most seconds a request is billed for.
    pub billed_s: f64,
    /// Most a request costs, USD.
    pub usd_per_request: f64,
    /// p95 E2E at the median of the error, ms: what the objective latency minimises.
    pub e2e_p95_ms: f64,
    /// The first rule it breaks; `None` = it may serve.
    pub refusal: Option<Refusal>,
}

impl ServerlessOption<'_> {
    /// Unique, in a fixed form.
    #[must_use]
    pub fn id(&self) -> String {
        super::local::id(&self.prospect, &self.hardware)
    }

    /// How people name it: `Llama-3.1-8B-Instruct fp8 on 1 x l4, modal`.
    #[must_use]
    pub fn label(&self) -> String {
        super::local::label(&self.prospect, &self.hardware)
    }

    /// True where it may serve some class.
    #[must_use]
    pub fn serves_any(&self) -> bool {
        self.terms.iter().any(|terms| terms.refusal.is_none())
    }
}

/// Every unit at a provider that bills by the second and could be in a better plan, the cheapest hardware first.
#[must_use]
pub fn serverless_options<'a>(
    question: &Question<'_, 'a>,
    classes: &[Class<'_>],
    tally: &mut Tally,
) -> Vec<ServerlessOption<'a>> {
    let kept = hardware(question, tally);
    if kept.is_empty() {
        return Vec::new();
    }
    let lines = lines(question, classes, &kept, tally);
    let requirements = question.requirements;
    // A dearer one goes only where nothing but the price of a request counts.
    let drop = question.prune
        && requirements.objective == Objective::Cost
        && requirements.availability.is_none()
        && question.deployments_kept_for().is_none();
    let mut cheapest = vec![f64::INFINITY; classes.len()];
    let mut found: Vec<ServerlessOption<'a>> = Vec::new();
    for at in 0..kept.len() {
        let group = prospects(question, classes, &lines, &kept, &[at], tally);
        let listed = group.len();
        let estimated: Vec<Result<ServerlessOption<'a>, Refusal>> = group
            .into_par_iter()
            .filter(|prospect| !(drop && beaten(question, prospect, &kept[at], &cheapest)))
            .map(|prospect| option(question, classes, &kept[at], prospect))
            .collect();
        tally.dominated += u64::try_from(listed - estimated.len()).unwrap_or(0);
        for result in estimated {
            tally.estimated += 1;
            match result {
                Ok(option) if option.serves_any() => {
                    for (known, terms) in cheapest.iter_mut().zip(&option.terms) {
                        if terms.refusal.is_none() {
                            *known = known.min(terms.usd_per_request);
                        }
                    }
                    found.push(option);
                }
                Ok(option) => {
                    if let Some(refusal) = option.terms.iter().find_map(|terms| terms.refusal.as_ref()) {
                        tally.refuse(1, || option.id(), refusal);
                    }
                }
                Err(refusal) => tally.refuse(1, || kept[at].id.clone(), &refusal),
            }
        }
    }
    if drop {
        // Of those that serve, only the cheapest of some class can be in a better plan.
        let all = found.len();
        found.retain(|option| {
            option
                .terms
                .iter()
                .zip(&cheapest)
                .any(|(terms, least)| terms.refusal.is_none() && terms.usd_per_request <= *least)
        });
        tally.dominated += u64::try_from(all - found.len()).unwrap_or(0);
    }
    found
}

/// Offers by the second, cheapest first.
fn hardware<'a>(question: &Question<'_, 'a>, tally: &mut Tally) -> Vec<Hardware<'a>> {
    let (requirements, catalog) = (question.requirements, question.catalog);
    let limits = &requirements.limits;
    let mut all = Vec::new();
    for offer in catalog.offers.iter().filter(|offer| offer.billing == Billing::Serverless) {
        let Some(gpu) = catalog.gpu(&offer.gpu) else { continue };
        // How many run at once is the provider's affair: no promise about GPUs or power can be made.
        let unbounded = limits
            .gpus
            .get(&gpu.id)
            .map(|most| Refusal::word("gpus", "as many as come", most.to_string()))
            .or_else(|| {
                limits.power_kw.map(|kw| Refusal::word("power_kw", "as much as comes", kw.to_string()))
            });
        if let Some(refusal) = refused(requirements, question.rules, offer, gpu).or(unbounded) {
            tally.candidates += 1;
            tally.refuse(1, || offer.id.clone(), &refusal);
            continue;
        }
        all.push(Hardware::rented(offer, gpu));
    }
    all.sort_by(|a, b| a.usd_per_hour.total_cmp(&b.usd_per_hour).then_with(|| a.id.cmp(&b.id)));
    all
}

/// True where the cold start and the window alone cost more than what serves each of its classes already.
fn beaten(
    question: &Question<'_, '_>,
    prospect: &Prospect<'_>,
    hardware: &Hardware<'_>,
    cheapest: &[f64],
) -> bool {
    let Some(cold_s) = cold_start_s(question.catalog, &hardware.provider, &prospect.row.memory) else {
        return false;
    };
    let keep_warm_s = question.catalog.keep_warm_s(&hardware.provider).unwrap_or(0.0);
    let least = bill::usd_of_seconds(hardware.usd_per_hour, cold_s + keep_warm_s);
    cheapest.iter().zip(prospect.may.iter()).all(|(known, may)| !may || least > *known)
}

fn option<'a>(
    question: &Question<'_, 'a>,
    classes: &[Class<'_>],
    hardware: &Hardware<'a>,
    prospect: Prospect<'a>,
) -> Result<ServerlessOption<'a>, Refusal> {
    let catalog = question.catalog;
    let memory = &prospect.row.memory;
    let unknown =
        |what: &str| Refusal::word("estimate_trusted", format!("{what} unknown"), "a sourced figure");
    let cold_start_s =
        cold_start_s(catalog, &hardware.provider, memory).ok_or_else(|| unknown("cold start"))?;
    // A start that takes too long by itself needs no estimate.
    let start_ms = |measure, _| if waits_for_start(measure) { cold_start_s * 1000.0 } else { 0.0 };
    let by_class: Vec<Option<Refusal>> =
        classes.iter().map(|class| super::limit::latency_refusal(class, &start_ms)).collect();
    if let Some(refusal) = super::limit::nobody(&by_class) {
        return Err(refusal.clone());
    }
    let step = prospect.row.step(catalog);
    if let Some(refusal) = untrusted(step.basis()) {
        return Err(refusal);
    }
    let keep_warm_s = catalog.keep_warm_s(&hardware.provider).ok_or_else(|| unknown("keep-warm window"))?;
    let confidence = question.requirements.confidence;
    let terms = classes
        .iter()
        .enumerate()
        .map(|(at, class)| {
            // Refused already: no estimate changes that.
            let masked = (!prospect.may[at]).then(|| Refusal::word("capacity", "none", "some"));
            if let Some(refusal) = masked.or_else(|| by_class[at].clone()) {
                return ServerlessTerms {
                    billed_s: f64::INFINITY,
                    usd_per_request: f64::INFINITY,
                    e2e_p95_ms: f64::INFINITY,
                    refusal: Some(refusal),
                };
            }
            let traffic = traffic(class, prospect.shared.extra_output[at]);
            let alone = |asked| alone_ms(step, memory, &traffic, confidence, asked);
            let with_start = |(measure, statistic): (LatencyMeasure, Statistic)| {
                let wait_ms = if waits_for_start(measure) { cold_start_s * 1000.0 } else { 0.0 };
                alone((measure, statistic)).map_or(f64::INFINITY, |(_, held)| held + wait_ms)
            };
            let service_s = alone((LatencyMeasure::E2e, Statistic::Mean))
                .map_or(f64::INFINITY, |(_, held)| held / 1000.0);
            let billed_s = cold_start_s + service_s + keep_warm_s;
            let refusal =
                super::limit::latency_refusal(class, &|measure, statistic| with_start((measure, statistic)));
            let p95 = alone((LatencyMeasure::E2e, Statistic::P95)).map_or(f64::INFINITY, |(value, _)| value);
            ServerlessTerms {
                billed_s,
                usd_per_request: bill::usd_of_seconds(hardware.usd_per_hour, billed_s),
                e2e_p95_ms: p95 + cold_start_s * 1000.0,
                refusal: refusal.or_else(|| {
                    (!billed_s.is_finite())
                        .then(|| Refusal::figure("capacity", 0.0, Op::AtLeast, 1.0, "requests"))
                }),
            }
        })
        .collect();
    Ok(ServerlessOption { hardware: hardware.clone(), cold_start_s, terms, prospect })
}
