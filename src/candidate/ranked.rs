//! Screening under an objective other than cost: estimates what could score best and drops the rest, with proof.
//!
//! Four tests, all safe for the best score and, among equal scores, for the least bill:
//! 1. *Beyond the budget.* One instance alone costs more than the bill may be.
//! 2. *Dominance* (rule D4 with an upper bound, as in `screen.rs`) by an estimated option that scores no worse for any
//!    class: its index is no lower, its p95 at the planned rate is no higher than the prospect's when idle, k instances
//!    of it emit no more.
//! 3. *Beyond the best score of each class*, for quality and latency. Where nothing finite couples the options (no
//!    budget, quota, own hardware, power, count of deployments, redundancy, mean), a class moved to an own engine with
//!    a better score makes the plan better. So a prospect whose best imaginable score is worse than one already
//!    estimated, for every class it may serve, is in no best plan, neither of own engines nor beside hosted models.
//! 4. *Beyond a plan already found*, for carbon under the same condition: one instance alone emits more than a plan of
//!    own engines and one of hosted models together.
//!
//! Prospects come by class in order of the best score imaginable, so that test 3 ends the search early.

use rayon::prelude::*;

use super::Question;
use super::class::Class;
use super::hardware::Hardware;
use super::incumbent::instances_for_one;
use super::line::Line;
use super::local::{LocalOption, Prospect, traffic};
use super::place::{prospects, unseen};
use super::screen::{Cloud, estimate, peaks};
use super::tally::Tally;
use crate::catalog::{Model, glob_matches};
use crate::estimate::{idle_e2e_p95, loaded};
use crate::requirements::Objective;

/// Prospects estimated at once; between the batches the tests get sharper.
const BATCH: usize = 32;
/// Scores closer than this are equal.
const TIE: f64 = 1e-9;

/// A prospect and what it could be at best.
struct Ranked<'a> {
    prospect: Prospect<'a>,
    /// Optimistic requests/s of an instance by class.
    upper_rps: Vec<f64>,
    /// Best imaginable score of a request by class; infinite where it may not serve.
    best: Vec<f64>,
    /// kg CO2e of an instance-hour, under carbon.
    kg_per_hour: Option<f64>,
    done: bool,
}

/// Estimates what could matter, in a fixed order.
#[must_use]
pub fn ranked<'a>(
    question: &Question<'_, 'a>,
    classes: &[Class<'_>],
    lines: &[Line<'a>],
    kept: &[Hardware<'a>],
    cloud: &Cloud,
    tally: &mut Tally,
) -> Vec<LocalOption<'a>> {
    let uncoupled = uncoupled(question);
    let mut search = Search {
        question,
        classes,
        kept,
        options: Vec::new(),
        peaks: peaks(classes),
        scores: Vec::new(),
        best: vec![f64::INFINITY; classes.len()],
    };
    for group in groups(question, lines, uncoupled) {
        let index = group.first().and_then(|line| line.shared.quality.as_ref()).map(|scored| scored.index);
        let hopeless =
            |index: f64| search.best.iter().all(|found| -index > found + TIE * found.abs().max(1.0));
        if uncoupled && question.requirements.objective == Objective::Quality && index.is_some_and(hopeless) {
            let unseen: u64 = kept.iter().map(|hardware| unseen(question, &group, hardware)).sum();
            tally.candidates += unseen;
            tally.beyond_incumbent += unseen;
            continue;
        }
        let all = rank_all(question, classes, &group, kept, tally);
        search.look(all, uncoupled, cloud, tally);
    }
    search.options
}

/// Lines that are looked at together. For quality where nothing couples the options, those of one index, the highest
/// first: what is below the best of every class need not even be placed.
fn groups<'a>(question: &Question<'_, '_>, lines: &[Line<'a>], uncoupled: bool) -> Vec<Vec<Line<'a>>> {
    if question.requirements.objective != Objective::Quality || !uncoupled {
        return vec![lines.to_vec()];
    }
    let index =
        |line: &Line<'_>| line.shared.quality.as_ref().map_or(f64::NEG_INFINITY, |scored| scored.index);
    let mut sorted = lines.to_vec();
    sorted.sort_by(|a, b| index(b).total_cmp(&index(a)));
    sorted.chunk_by(|a, b| index(a) <= index(b)).map(<[Line<'a>]>::to_vec).collect()
}

/// Units of some lines within the budget, each with what it could be at best.
fn rank_all<'a>(
    question: &Question<'_, 'a>,
    classes: &[Class<'_>],
    lines: &[Line<'a>],
    kept: &[Hardware<'a>],
    tally: &mut Tally,
) -> Vec<Ranked<'a>> {
    let places: Vec<usize> = (0..kept.len()).collect();
    let budget = question.requirements.usd_per_month_max().unwrap_or(f64::INFINITY) * (1.0 + TIE);
    let mut all: Vec<Ranked<'a>> = prospects(question, classes, lines, kept, &places, tally)
        .into_par_iter()
        .map(|prospect| rank(question, classes, kept, prospect))
        .collect();
    let before = all.len();
    all.retain(|one| one.prospect.usd_per_month <= budget);
    tally.beyond_incumbent += u64::try_from(before - all.len()).unwrap_or(0);
    all
}

/// By the best score imaginable for a class, then by price; under carbon by what an instance emits.
fn order(all: &[Ranked<'_>], class: usize, objective: Objective) -> Vec<usize> {
    let mut order: Vec<usize> = (0..all.len()).collect();
    let first = |one: &Ranked<'_>| match objective {
        Objective::Carbon => one.kg_per_hour.unwrap_or(f64::INFINITY),
        Objective::Cost | Objective::Latency | Objective::Quality => one.best[class],
    };
    order.sort_by(|a, b| {
        let (x, y) = (&all[*a], &all[*b]);
        first(x)
            .total_cmp(&first(y))
            .then(x.prospect.usd_per_month.total_cmp(&y.prospect.usd_per_month))
            .then(y.upper_rps[class].total_cmp(&x.upper_rps[class]))
            .then(a.cmp(b))
    });
    order
}

fn rank<'a>(
    question: &Question<'_, 'a>,
    classes: &[Class<'_>],
    kept: &[Hardware<'a>],
    prospect: Prospect<'a>,
) -> Ranked<'a> {
    let upper_rps = prospect.upper_rps(question.catalog, classes);
    let step = prospect.row.step(question.catalog);
    let best = (0..classes.len()).map(|at| {
        if !prospect.may[at] {
            return f64::INFINITY;
        }
        match question.requirements.objective {
            // Unknown cannot be judged, so it has no column.
            Objective::Quality => {
                prospect.shared.quality.as_ref().map_or(f64::INFINITY, |scored| -scored.index)
            }
            Objective::Latency => {
                idle_e2e_p95(step, &traffic(&classes[at], prospect.shared.extra_output[at]))
            }
            Objective::Carbon | Objective::Cost => 0.0,
        }
    });
    let best = best.collect();
    let kg_per_hour = (question.requirements.objective == Objective::Carbon)
        .then(|| kept[prospect.hardware].kg_co2e_per_hour(question.catalog, prospect.row.unit.gpus))
        .flatten();
    Ranked { prospect, upper_rps, best, kg_per_hour, done: false }
}

struct Search<'s, 'q, 'a> {
    question: &'s Question<'q, 'a>,
    classes: &'s [Class<'s>],
    kept: &'s [Hardware<'a>],
    options: Vec<LocalOption<'a>>,
    /// Most of each class that one hour may have to carry, requests/s.
    peaks: Vec<f64>,
    /// Score of each option by class.
    scores: Vec<Vec<f64>>,
    /// Best score found by class.
    best: Vec<f64>,
}

impl<'a> Search<'_, '_, 'a> {
    const fn hours(&self) -> f64 {
        self.question.requirements.hours_per_month
    }

    /// Estimates what could matter of some prospects.
    fn look(&mut self, mut all: Vec<Ranked<'a>>, uncoupled: bool, cloud: &Cloud, tally: &mut Tally) {
        for class in 0..self.classes.len() {
            let mut order = order(&all, class, self.question.requirements.objective);
            order.retain(|at| all[*at].best[class].is_finite());
            let mut waiting = order.into_iter().peekable();
            while waiting.peek().is_some() {
                let found_kg = self.kg_found(cloud);
                let mut batch = Vec::with_capacity(BATCH);
                while batch.len() < BATCH {
                    let Some(at) = waiting.next() else { break };
                    let one = &mut all[at];
                    if std::mem::replace(&mut one.done, true) {
                        continue;
                    }
                    let emits_more = one.kg_per_hour.is_some_and(|kg| kg * self.hours() > found_kg);
                    if uncoupled && (self.outscored(one) || emits_more) {
                        tally.beyond_incumbent += 1;
                    } else if (0..self.options.len()).any(|at| self.beats(at, one)) {
                        tally.dominated += 1;
                    } else {
                        batch.push(one.prospect.clone());
                    }
                }
                tally.estimated += u64::try_from(batch.len()).unwrap_or(0);
                self.estimate(batch, tally);
            }
        }
    }

    fn estimate(&mut self, batch: Vec<Prospect<'a>>, tally: &mut Tally) {
        let (question, classes, kept) = (self.question, self.classes, self.kept);
        let estimated: Vec<Vec<LocalOption<'a>>> =
            batch.into_par_iter().map(|prospect| estimate(question, classes, kept, prospect)).collect();
        for option in estimated.into_iter().flatten() {
            if !option.serves_any() {
                if let Some(refusal) = option.refusal.iter().flatten().next() {
                    tally.refuse(1, || option.label(), refusal);
                }
                continue;
            }
            let scores: Vec<f64> = (0..classes.len()).map(|at| self.score(&option, at)).collect();
            for (best, score) in self.best.iter_mut().zip(&scores) {
                *best = best.min(*score);
            }
            self.options.push(option);
            self.scores.push(scores);
        }
    }

    /// Score of a request of a class; infinite where it is not served or cannot be judged.
    fn score(&self, option: &LocalOption<'_>, class: usize) -> f64 {
        let Some(capacity) = &option.capacity[class] else { return f64::INFINITY };
        match self.question.requirements.objective {
            Objective::Quality => {
                option.prospect.shared.quality.as_ref().map_or(f64::INFINITY, |scored| -scored.index)
            }
            Objective::Latency => {
                let row = option.prospect.row;
                let traffic = traffic(&self.classes[class], option.prospect.shared.extra_output[class]);
                let step = row.step(self.question.catalog);
                loaded(step, &row.memory, &traffic, capacity.rps, capacity.max_batch)
                    .map_or(f64::INFINITY, |at| at.e2e.p95)
            }
            Objective::Carbon | Objective::Cost => 0.0,
        }
    }

    /// Test 3 of the module's header.
    fn outscored(&self, one: &Ranked<'_>) -> bool {
        one.best
            .iter()
            .zip(&self.best)
            .all(|(best, found)| !best.is_finite() || *best > found + TIE * found.abs().max(1.0))
    }

    /// Test 2 of the module's header.
    fn beats(&self, at: usize, one: &Ranked<'a>) -> bool {
        let (option, scores) = (&self.options[at], &self.scores[at]);
        let scores_no_worse =
            one.best.iter().zip(scores).all(|(best, score)| !best.is_finite() || score <= best);
        if !scores_no_worse {
            return false;
        }
        let other = &self.kept[one.prospect.hardware];
        let (prospect, upper) = (&one.prospect, &one.upper_rps);
        let Some(k) = instances_for_one(self.question, option, &self.peaks, prospect, upper, other) else {
            return false;
        };
        let emits_no_more = one.kg_per_hour.is_none_or(|kg| {
            let own = option.hardware.kg_co2e_per_hour(self.question.catalog, option.prospect.row.unit.gpus);
            own.is_some_and(|own| k * own <= kg)
        });
        emits_no_more && no_worse_in_means(self.question, self.classes, option, &one.prospect)
    }

    /// What a plan of own engines and one of hosted models emit together, kg CO2e a month: no best plan of any kind
    /// emits more.
    fn kg_found(&self, cloud: &Cloud) -> f64 {
        let alone = |at: usize| {
            let peak = self.classes[at].peak_rps();
            let load_factor = 1.0 - self.question.requirements.headroom;
            self.options
                .iter()
                .filter_map(|option| {
                    let capacity =
                        option.capacity[at].as_ref()?.rps * load_factor * f64::from(option.prospect.replicas);
                    let each = option
                        .hardware
                        .kg_co2e_per_hour(self.question.catalog, option.prospect.row.unit.gpus)?;
                    Some((peak / capacity).ceil().max(1.0) * each * self.hours())
                })
                .fold(f64::INFINITY, f64::min)
        };
        let local: f64 = (0..self.classes.len()).map(alone).sum();
        (local + cloud.kg_co2e_per_month.unwrap_or(0.0)) * (1.0 + TIE)
    }
}

/// Is the index of an option no lower where a mean over requests or a router reads it?
pub(super) fn no_worse_in_means(
    question: &Question<'_, '_>,
    classes: &[Class<'_>],
    option: &LocalOption<'_>,
    prospect: &Prospect<'_>,
) -> bool {
    let reads =
        |at: usize| prospect.may[at] && (question.index_matters.is_some() || classes[at].reads_index());
    if !(0..classes.len()).any(reads) {
        return true;
    }
    // It must stand in wherever a router or a cascade names the other.
    let named = |model: &Model, globs: &[String]| {
        globs.iter().any(|glob| model.names().any(|name| glob_matches(glob, name)))
    };
    if question.roles().any(|globs| named(prospect.model, globs) && !named(option.prospect.model, globs)) {
        return false;
    }
    match (&option.prospect.shared.quality, &prospect.shared.quality) {
        (Some(own), Some(other)) => own.index >= other.index,
        (_, None) => true,
        (None, Some(_)) => false,
    }
}

/// Does nothing that there is only so much of couple the options?
fn uncoupled(question: &Question<'_, '_>) -> bool {
    let requirements = question.requirements;
    let limits = &requirements.limits;
    requirements.usd_per_month_max().is_none()
        && requirements.availability.is_none()
        && limits.gpus.is_empty()
        && limits.power_kw.is_none()
        && question.deployments_kept_for().is_none()
        && requirements.owned.is_empty()
        && requirements.workloads.iter().all(|workload| workload.quality_mean.is_none())
        && requirements.routers.is_empty()
        && requirements.cascades.is_empty()
}
