//! A fleet of known size, slot by slot: exact, and remembered.
//!
//! In: always-on instances of every pool, what may be used. Out: a [`Plan`] with its own bound, or the bound at which
//! the work was broken off because the fleet cannot beat the best plan known.

use std::collections::BTreeMap;
use std::sync::Arc;

use rayon::prelude::*;

use super::bound::{Bound, Bounder, Prices, Space, Use};
use super::model::Model;
use super::modes::pay;
use super::slot::{self, Member, Slot, Slots};
use super::split::{self, Part};
use crate::program::{Point, Program};

/// A plan of the whole.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    /// USD/month.
    pub(super) value: f64,
    /// Instances by pool and mode.
    by_mode: Vec<Vec<u32>>,
    /// By slot: who takes part, and what they do.
    slots: Vec<Answer>,
}

/// What became of a fleet.
#[derive(Debug, Clone)]
pub(super) enum Leaf {
    /// A plan, and a bound on every plan with this fleet.
    Plan(Plan, f64),
    /// No plan with this fleet costs less than this.
    Beyond(f64),
}

/// Who takes part in a slot, and what became of it.
type Answer = Arc<(Vec<Member>, Slot)>;
/// Slot, fleet, hosted models.
type Key = (usize, Vec<(usize, usize)>, Vec<usize>);

/// Slots solved so far.
pub(super) struct Leaves<'a> {
    slots: Slots<'a>,
    model: &'a Model,
    /// Relative gap to which a slot is solved.
    pub(super) gap: f64,
    known: BTreeMap<Key, Answer>,
    /// Each slot by itself, to narrow it before it is solved.
    parts: Vec<Part>,
    /// Slots solved: the measure of work.
    pub(super) solved: u64,
}

/// Slots solved at a time; the same whatever the threads, so that the work broken off is the same.
const TOGETHER: usize = 4;

impl<'a> Leaves<'a> {
    pub(super) fn new(slots: Slots<'a>, model: &'a Model, prices: &Prices, gap: f64) -> Self {
        Self { slots, model, gap, known: BTreeMap::new(), parts: split::parts(model, prices), solved: 0 }
    }

    /// Forgets the slots solved so far.
    pub(super) fn forget(&mut self) {
        self.known.clear();
    }

    /// Solves a fleet, unless it cannot cost less than `cutoff`. `hours` says where instances may be bought by the slot.
    pub(super) fn solve(
        &mut self,
        bounder: &mut Bounder<'_>,
        node: &Space,
        always_on: &[usize],
        prices: &Prices,
        cutoff: f64,
    ) -> Leaf {
        let Some((fleet_usd, by_mode)) = pay(self.model, always_on) else {
            return Leaf::Beyond(f64::INFINITY);
        };
        let floors = self.floors(bounder, node, always_on, prices);
        let slots = self.model.slots;
        let hosted: Vec<usize> =
            (0..self.model.hosted_count).filter(|a| node.hosted[*a] != Use::Out).collect();
        let mut answers: Vec<Option<Answer>> = vec![None; slots];
        let mut missing: Vec<(usize, Key, Vec<Member>)> = Vec::new();
        for (t, answer) in answers.iter_mut().enumerate() {
            let members = self.members(node, always_on, t);
            let fleet = members.iter().filter(|m| m.sunk > 0 || self.model.deployments_max.is_some());
            let key = (t, fleet.map(|m| (m.pool, m.sunk)).collect(), hosted.clone());
            match self.known.get(&key) {
                Some(known) => *answer = Some(Arc::clone(known)),
                None => missing.push((t, key, members)),
            }
        }
        let total = |answers: &[Option<Answer>], bounds: bool| {
            let each = answers.iter().zip(&floors).map(|(answer, floor)| match answer.as_deref() {
                Some((_, Slot::Served(served))) => {
                    if bounds {
                        served.bound
                    } else {
                        served.cost
                    }
                }
                Some((_, Slot::Infeasible)) => f64::INFINITY,
                Some((_, Slot::Unknown)) | None => *floor,
            });
            fleet_usd + each.sum::<f64>()
        };
        for part in missing.chunks(TOGETHER) {
            let so_far = total(&answers, true);
            if so_far >= cutoff {
                return Leaf::Beyond(so_far);
            }
            let solved: Vec<(Vec<Member>, Slot)> = part
                .par_iter()
                .map(|(t, _, members)| self.slot(node, always_on, *t, members, &hosted, prices))
                .collect();
            for ((t, key, _), answer) in part.iter().zip(solved) {
                self.solved += 1;
                let answer = Arc::new(answer);
                self.known.insert(key.clone(), Arc::clone(&answer));
                answers[*t] = Some(answer);
            }
        }
        let bound = total(&answers, true);
        let served = |answer: &Option<Answer>| matches!(answer.as_deref(), Some((_, Slot::Served(_))));
        if !answers.iter().all(served) {
            return Leaf::Beyond(bound);
        }
        let value = total(&answers, false);
        let slots = answers.into_iter().flatten().collect();
        Leaf::Plan(Plan { value, by_mode, slots }, bound)
    }

    /// Solves a slot: among those that its own bound leaves, or among all where that says nothing.
    fn slot(
        &self,
        node: &Space,
        always_on: &[usize],
        t: usize,
        all: &[Member],
        hosted: &[usize],
        prices: &Prices,
    ) -> (Vec<Member>, Slot) {
        let slots = self.model.slots;
        let whole = Space {
            least: always_on.to_vec(),
            most: always_on.to_vec(),
            pools: node.pools.clone(),
            hosted: node.hosted.clone(),
            hours: node.hours.iter().map(|hours| vec![hours[t]]).collect(),
        };
        let demand: Vec<f64> = (0..self.model.classes).map(|c| prices.demand[c * slots + t]).collect();
        let members = self.parts[t].narrow(&whole, &demand);
        match slot::solve(self.slots, t, &members, hosted, self.gap, u64::MAX) {
            served @ Slot::Served(_) => (members, served),
            other if members.len() == all.len() => (members, other),
            _ => (all.to_vec(), slot::solve(self.slots, t, all, hosted, self.gap, u64::MAX)),
        }
    }

    /// Who takes part in a slot.
    fn members(&self, node: &Space, always_on: &[usize], t: usize) -> Vec<Member> {
        (0..self.model.pools.len())
            .filter(|r| !self.model.pools[*r].items[t].is_empty() && node.pools[*r] != Use::Out)
            .map(|r| Member { pool: r, sunk: always_on[r], extra: None, hours: node.hours[r][t] })
            .filter(|member| member.sunk > 0 || member.hours)
            .collect()
    }

    /// What each slot costs at least with this fleet, at the prices of a bound; nothing where resources are priced,
    /// as their prices do not split by slot.
    fn floors(
        &self,
        bounder: &mut Bounder<'_>,
        node: &Space,
        always_on: &[usize],
        prices: &Prices,
    ) -> Vec<f64> {
        let (model, slots) = (self.model, self.model.slots);
        if prices.resource.iter().any(|usd| *usd > 0.0) || model.deployments_max.is_some() {
            return vec![0.0; slots];
        }
        let fixed = Space { least: always_on.to_vec(), most: always_on.to_vec(), ..node.clone() };
        let mut bound = Bound::default();
        bounder.evaluate(&fixed, &Prices { upfront: 0.0, ..prices.clone() }, &mut bound);
        // The Lagrangian of a slot: what is bought there, and the prices of what stays short.
        let mut floors = vec![0.0; slots];
        for (at, short) in bound.short.iter().enumerate() {
            floors[at % slots] += prices.demand[at] * short;
        }
        for (at, segments) in model.hosted.iter().enumerate() {
            for segment in segments.iter().filter(|segment| prices.demand[at] > segment.usd) {
                floors[at % slots] += segment.usd * segment.most;
            }
        }
        for (pool, response) in model.pools.iter().zip(&bound.responses) {
            for (t, n) in response.instances.iter().enumerate() {
                if *n > response.always_on {
                    #[allow(clippy::cast_precision_loss, reason = "a count of instances")]
                    let bought = (n - response.always_on) as f64;
                    floors[t] += pool.hourly[t] * bought;
                }
            }
            for (at, share) in &response.shares {
                let item = pool.items[at % slots].iter().find(|item| item.at == *at);
                floors[at % slots] += item.map_or(0.0, |item| item.usd * share);
            }
        }
        for floor in &mut floors {
            *floor -= 1e-9 * floor.abs();
        }
        floors
    }
}

impl Plan {
    /// As a point of the program.
    pub(super) fn point(&self, program: &Program) -> Point {
        let mut point = Point::nothing(program);
        point.always_on.clone_from(&self.by_mode);
        for (t, slot) in self.slots.iter().enumerate() {
            let (members, Slot::Served(served)) = &**slot else { continue };
            for (member, hourly) in members.iter().zip(&served.hourly) {
                point.hourly[member.pool][t] = *hourly;
            }
            for (c, r, share) in &served.local {
                point.local[*c][*r][t] = *share;
            }
            for (c, a, share) in &served.cloud {
                point.cloud[*c][*a][t] = *share;
            }
        }
        point
    }
}
