//! The program taken apart: demands are priced, pools respond alone, slots are solved one by one.
//!
//! In: a program with equal slots merged and the budget left aside. Out: the best plan found and a bound on every plan, or
//! `None` where the program has a rule this form does not state. Nothing is believed: `program::point` checks the plan.
//! Work is counted, never time, unless the caller says stop.
//!
//! Steps: root bound with drafts on the way; local search; exact slots for the drafts' fleets; what cannot be in a better
//! plan goes; branch and bound with the pattern bound and with the slot bound, in turns.

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
use split_tree::Splitting;

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
/// Gap up to which nothing is known better: rounding.
const FINE: f64 = 5e-10;
/// Evaluations spent on proving to [`FINE`]: some hundredths of a second.
const FINE_WORK: u64 = 3_000_000;
/// Gap of a slot in a leaf, as a part of the gap that was asked for.
const LEAF_GAP: f64 = 0.05;
/// Evaluations to prove at the root that there is no plan at all.
const HOPELESS_STEPS: usize = 200;
/// Work of the first turn of each bound: some hundredths of a second. Turns grow, so that what the weaker bound costs is
/// a part of the whole, whichever it is.
const TURN: u64 = 2_000_000;
const TURNS_GROW: u64 = 2;
/// A bound that leaves more than this many times what the other leaves open gets a short turn.
const BEHIND: f64 = 2.0;
/// How much shorter.
const SHORT: u64 = 3;
/// What a slot solved costs in evaluations, for each class and pool; and at least.
const SLOT_WORK: u64 = 600;
const SLOT_WORK_MIN: u64 = 50_000;

impl Effort<'_> {
    /// Work in all: a first look costs a second or two, the whole search a minute or two.
    const fn work(&self) -> u64 {
        if self.first_look { 60_000_000 } else { 4_000_000_000 }
    }
}

/// Solves a program to a gap.
pub(super) fn solve(program: &Program, effort: Effort<'_>) -> Option<Found> {
    let slots = Slots { program, backend: effort.backend };
    let model = Model::of(program)?;
    let fewest = cover::fewest(&model);
    if fewest.is_none_or(|fewest| model.deployments_max.is_some_and(|most| fewest > most)) {
        return Some(Found { point: None, bound: f64::INFINITY, proven: true });
    }
    let gap = effort.gap.max(FINE);
    let costless = model.costless();
    let mut start = Start::new(&model);
    start.raise(FINE, effort);
    let Start { bounder, scale, root, prices, bound, drafts, target, .. } = start;
    let leaves = Leaves::new(slots, &model, &prices, FINE);
    let mut search = Search::new(bounder, Bounder::new(&costless), leaves, scale, root, FINE);
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
    search.leaves.gap = FINE.max(LEAF_GAP * gap);
    let mut split = f64::NEG_INFINITY;
    if !proven {
        (proven, split) = in_turns(&mut search, slots, &prices, effort);
    }
    let found = found(&search, program, proven);
    Some(Found { bound: found.bound.max(split), ..found })
}

/// Branch and bound with the pattern bound and, where deployments are not limited, with the slot bound: in turns, as
/// nobody knows beforehand which closes sooner. Each profits from the plans of the other. Returns whether it is proven,
/// and the slot bound.
fn in_turns(search: &mut Search<'_>, slots: Slots<'_>, prices: &Prices, effort: Effort<'_>) -> (bool, f64) {
    let mut splitting: Option<Splitting> = None;
    let mut split = f64::NEG_INFINITY;
    let (mut turn, mut spent) = (TURN, 0);
    let size = (search.bounder.model.classes * search.bounder.model.pools.len()) as u64;
    let slot_work = (SLOT_WORK * size).max(SLOT_WORK_MIN);
    loop {
        let open = |search: &Search<'_>, bound: f64| search.cutoff() - bound;
        let behind = open(search, search.bound()) > BEHIND * open(search, split);
        let work = if behind { turn / SHORT } else { turn };
        if pattern(search, work, effort) {
            return (true, split);
        }
        spent += work;
        if (effort.stop)() || spent > effort.work() {
            return (false, split);
        }
        if search.bounder.model.deployments_max.is_none() && search.best.is_some() {
            let first = splitting.is_none();
            if first {
                search.tighten_root(prices);
            }
            let splitting = splitting.get_or_insert_with(|| Splitting::new(search, prices));
            let behind = !first && open(search, split) > BEHIND * open(search, search.bound());
            let some = (if behind { turn / SHORT } else { turn }).div_ceil(slot_work);
            let end = splitting.work + some;
            let proven = splitting.run(search, slots, prices, &mut |work| !(effort.stop)() && work < end);
            // What the root was narrowed by has bounds of its own.
            split = splitting.bound().min(search.floor);
            if proven && split >= search.cutoff() {
                return (true, split);
            }
            spent += some * slot_work;
        }
        turn *= TURNS_GROW;
    }
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
