//! The program taken apart: demands are priced, pools respond alone, slots are solved one by one.
//!
//! In: a program with equal slots merged and the budget left aside. Out: the best plan found and a bound on every plan, or
//! `None` where the program has a rule this form does not state. Nothing is believed: `program::point` checks the plan.
//! Work is counted, never time, unless the caller says stop.
//!
//! Steps: root bound with drafts on the way; local search; exact slots for the drafts' fleets; what cannot be in a better
//! plan goes; branch and bound with the pattern bound; where that is weak, with the slot bound.

mod ascent;
mod bound;
mod construct;
mod cover;
mod draft;
mod last;
mod leaf;
mod model;
mod modes;
mod outline;
mod respond;
mod slot;
mod split;
mod split_tree;
mod tighten;
mod tree;

use ascent::{Climb, Scale, climb, first_prices};
use bound::{Bounder, Prices, Space, Use};
use draft::{Draft, Drafter};
use leaf::Leaves;
pub(super) use model::{counts_alone, in_form};
pub(super) use outline::{Columns, left};
use slot::Slots;

use model::Model;
use tree::Search;

use super::Effort;
use crate::program::{Point, Program};

/// What the decomposition found.
#[derive(Debug, Clone)]
pub(super) struct Found {
    /// The best plan, not yet checked.
    pub(super) point: Option<Point>,
    /// No plan costs less; infinite where there is none.
    pub(super) bound: f64,
    /// Is the search complete?
    pub(super) proven: bool,
}

/// Rounds of the root bound, each aimed at the best draft so far, and evaluations in each.
const ROUNDS: usize = 8;
const ROUND_STEPS: usize = 50;
/// Evaluations between two drafts.
const DRAFT_EVERY: usize = 10;
/// Drafts kept for local search and for exact slots.
const DRAFTS: usize = 3;
/// Responses of the local search, weighted with their size.
const DRAFT_WORK: u64 = 3_000_000;
/// Evaluations of the pattern bound in a round, weighted with their size: under a second.
const PATTERN_ROUND: u64 = 60_000_000;
/// Gap up to which nothing is known better: rounding.
const FINE: f64 = 5e-10;
/// Evaluations spent on proving to [`FINE`]: some hundredths of a second.
const FINE_WORK: u64 = 3_000_000;
/// Evaluations to prove at the root that there is no plan at all.
const HOPELESS_STEPS: usize = 200;
/// A round is worth another if it leaves less than this part of the gap.
const CLOSES: f64 = 0.8;
/// Rounds after the slot bound.
const ROUNDS_THEN: u64 = 20;

/// How much work a search may do.
struct Limits {
    /// Rounds of the pattern bound before the slot bound is tried.
    pattern_rounds: u64,
    /// Rounds after it.
    rounds_then: u64,
    /// Slots solved under the slot bound.
    slots: u64,
}

impl Effort<'_> {
    /// A first look costs a second or two, the whole search a minute or two.
    const fn limits(&self) -> Limits {
        if self.first_look {
            Limits { pattern_rounds: 1, rounds_then: 0, slots: 200 }
        } else {
            Limits { pattern_rounds: 20, rounds_then: ROUNDS_THEN, slots: 8_000 }
        }
    }
}

/// Solves a program to a gap.
pub(super) fn solve(program: &Program, effort: Effort<'_>) -> Option<Found> {
    let model = Model::of(program)?;
    let fewest = cover::fewest(&model);
    if fewest.is_none_or(|fewest| model.deployments_max.is_some_and(|most| fewest > most)) {
        return Some(Found { point: None, bound: f64::INFINITY, proven: true });
    }
    let slots = Slots { program, backend: effort.backend };
    let gap = effort.gap.max(FINE);
    let costless = model.costless();
    let mut start = Start::new(&model);
    start.raise(FINE, effort);
    let Start { bounder, scale, root, prices, bound, drafts, target, .. } = start;
    let mut search =
        Search::new(bounder, Bounder::new(&costless), Leaves::new(slots, &model, FINE), scale, root, FINE);
    if target.is_finite() {
        try_drafts(&mut search, &drafts, target, &prices);
    }
    if search.best.is_none() {
        let root = search.root.clone();
        if search.hopeless(&root, &prices, HOPELESS_STEPS) {
            return Some(Found { point: None, bound: f64::INFINITY, proven: true });
        }
        match split_tree::fleet_by_slots(&mut search, slots, &prices) {
            None => return Some(Found { point: None, bound: f64::INFINITY, proven: true }),
            Some(fleet) if model.deployments_max.is_none() => {
                let space = search.root.clone();
                search.try_fleet(&space, &fleet, &prices);
            }
            Some(_) => {}
        }
    }
    if search.best.is_some() && !search.tighten_root(&prices) {
        return Some(found(&search, program, true));
    }
    search.begin(prices.clone(), bound);
    // What is small is proven to the last digit; what is not, to the gap that was asked for.
    let mut proven = pattern(&mut search, FINE_WORK, effort);
    search.gap = gap;
    proven = proven || pattern_while_it_closes(&mut search, effort);
    let mut split = f64::NEG_INFINITY;
    if !proven && model.deployments_max.is_none() && search.best.is_some() {
        search.tighten_root(&prices);
        split = split_tree::run(&mut search, slots, &prices, &mut |solved| {
            !(effort.stop)() && solved < effort.limits().slots
        });
        // What the root was narrowed by has bounds of its own.
        split = split.min(search.floor);
        proven = split >= search.cutoff();
    }
    if !proven {
        proven = pattern(&mut search, effort.limits().rounds_then * PATTERN_ROUND, effort);
    }
    let found = found(&search, program, proven);
    Some(Found { bound: found.bound.max(split), ..found })
}

/// Branch and bound with the pattern bound in rounds, as long as a round closes a good part of the gap that is open.
fn pattern_while_it_closes(search: &mut Search<'_>, effort: Effort<'_>) -> bool {
    let mut open = f64::INFINITY;
    for round in 0..effort.limits().pattern_rounds {
        if pattern(search, PATTERN_ROUND, effort) {
            return true;
        }
        let now = search.cutoff() - search.bound();
        // Programs of slots grow with the classes, the pattern bound hardly does.
        let early = round < search.bounder.model.classes as u64 / 4;
        if (effort.stop)() || (!early && now.is_finite() && now > CLOSES * open) {
            break;
        }
        open = now;
    }
    false
}

/// Branch and bound with the pattern bound, for so much work.
fn pattern(search: &mut Search<'_>, work_max: u64, effort: Effort<'_>) -> bool {
    let end = search.bounder.work() + work_max;
    search.run(&mut |search| !(effort.stop)() && search.bounder.work() < end)
}

fn found(search: &Search<'_>, program: &Program, proven: bool) -> Found {
    Found { point: search.best.as_ref().map(|plan| plan.point(program)), bound: search.bound(), proven }
}

/// The root: its bound, and drafts found on the way.
struct Start<'a> {
    bounder: Bounder<'a>,
    drafter: Drafter<'a>,
    scale: Scale,
    root: Space,
    prices: Prices,
    bound: f64,
    drafts: Vec<Draft>,
    /// The cheapest draft that serves everything.
    target: f64,
}

impl<'a> Start<'a> {
    fn new(model: &'a Model) -> Self {
        let bounder = Bounder::new(model);
        let root = Space::whole(model);
        let prices = first_prices(model, &bounder);
        Self {
            drafter: Drafter::new(model, root.clone()),
            scale: Scale::new(model, &prices),
            bounder,
            root,
            prices,
            bound: f64::NEG_INFINITY,
            drafts: Vec::new(),
            target: f64::INFINITY,
        }
    }

    fn raise(&mut self, gap: f64, effort: Effort<'_>) {
        for round in 0..ROUNDS {
            let guess = 2.0 * self.prices.demand.iter().sum::<f64>();
            let how = Climb {
                theta: if round == 0 { 1.0 } else { 0.5 },
                steps: ROUND_STEPS,
                enough: self.target * (1.0 - gap),
                target: if self.target.is_finite() { self.target } else { guess },
            };
            let (drafter, drafts) = (&mut self.drafter, &mut self.drafts);
            let peak = climb(
                &mut self.bounder,
                &self.root,
                &self.prices,
                &self.scale,
                how,
                &mut |step, bound, prices| {
                    if step % DRAFT_EVERY == DRAFT_EVERY - 1 {
                        keep(drafts, drafter.insert_by_gain(bound, prices));
                    }
                },
            );
            self.bound = self.bound.max(peak.value);
            self.prices = peak.prices;
            if round == 1 || round == ROUNDS - 1 {
                for draft in &mut self.drafts {
                    self.drafter.improve(draft, &self.prices, DRAFT_WORK);
                }
            }
            for draft in &self.drafts {
                if self.drafter.complete(draft) {
                    self.target = self.target.min(draft.cost);
                }
            }
            if (effort.stop)() || self.bound >= self.target * (1.0 - gap) {
                break;
            }
        }
        self.drafts.sort_by(|a, b| a.cost.total_cmp(&b.cost));
    }
}

/// Keeps the cheapest few drafts that differ.
fn keep(drafts: &mut Vec<Draft>, draft: Draft) {
    if drafts.iter().any(|other| (other.cost - draft.cost).abs() <= 1e-9 * draft.cost.abs()) {
        return;
    }
    drafts.push(draft);
    drafts.sort_by(|a, b| a.cost.total_cmp(&b.cost));
    drafts.truncate(DRAFTS);
}

/// Turns drafts into plans: their fleets, slot by slot.
fn try_drafts(search: &mut Search<'_>, drafts: &[Draft], target: f64, prices: &Prices) {
    // A draft is a plan nobody has checked: hours are barred for these trials only, and with some slack.
    let mut narrowed = search.root.clone();
    let slack = target * (1.0 + 1e-6);
    let mut floor = f64::INFINITY;
    if !tighten::tighten(&mut search.bounder, &mut narrowed, prices, slack, &mut floor) {
        narrowed = search.root.clone();
    }
    let whole = std::mem::replace(&mut search.root.hours, narrowed.hours);
    let model = search.bounder.model;
    for draft in drafts {
        let mut space = search.root.clone();
        if model.deployments_max.is_some() {
            let used = |used: bool| if used { Use::In } else { Use::Out };
            space.pools = (0..model.pools.len()).map(|r| used(Drafter::uses(draft, r))).collect();
            space.hosted = draft.hosted.iter().map(|allowed| used(*allowed)).collect();
        }
        let always_on = |r: usize| draft.pools.get(&r).map_or(0, |response| response.always_on);
        let fleet: Vec<usize> = (0..model.pools.len()).map(always_on).collect();
        search.try_fleet(&space, &fleet, prices);
    }
    search.root.hours = whole;
    // What was remembered of slots with hours barred holds for these trials only.
    search.leaves.forget();
}
