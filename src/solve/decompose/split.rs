//! The slot bound: each always-on price is split over the slots, and every slot becomes a program of its own.
//!
//! For any gamma >= 0 of (pool, slot) with sum_t gamma = c, the optima of the slots at replica price min(gamma, h) add
//! up to a lower bound: n always-on instances cost c n = sum_t gamma n, and a slot need not buy more than it uses. A slot
//! is bounded, narrowed and solved with the means of the whole (pattern bound, D5, exact program), for one slot.

use rayon::prelude::*;

use super::ascent::{Climb, Scale, climb, first_prices};
use super::bound::{Bound, Bounder, Prices, Space, Use};
use super::draft::{Draft, Drafter};
use super::last::Last;
use super::model::{Model, PoolModel};
use super::slot::{self, Member, Slot, Slots};
use super::tighten::tighten;

/// One slot by itself.
#[derive(Debug, Clone)]
pub(super) struct Part {
    /// Its model; always-on prices change with gamma.
    model: Model,
    /// Prices of its demands, warm.
    prices: Prices,
    /// Its last plan: always-on and hourly instances by pool, shares.
    last: Option<Last>,
}

/// Bound of a box, and how many always-on instances each slot wants of each pool.
#[derive(Debug, Clone)]
pub(super) struct Split {
    /// No plan in the box costs less.
    pub(super) value: f64,
    /// By pool and slot.
    pub(super) wanted: Vec<Vec<usize>>,
    /// Slots whose integer program was solved.
    pub(super) solved: u64,
}

/// Steps of a slot's own prices between two changes of gamma.
const SLOT_STEPS: usize = 24;
/// Responses of a slot's local search, weighted with their size.
const DRAFT_WORK: u64 = 20_000;

/// The slots of a model.
pub(super) fn parts(model: &Model, prices: &Prices) -> Vec<Part> {
    (0..model.slots)
        .map(|t| {
            let column = |at: usize| at * model.slots + t;
            let pools = model.pools.iter().map(|pool| PoolModel {
                modes: vec![(0.0, 0.0); usize::from(!pool.modes.is_empty())],
                hourly: vec![pool.hourly[t]],
                items: vec![
                    pool.items[t]
                        .iter()
                        .map(|item| super::model::Item { at: item.at / model.slots, ..*item })
                        .collect(),
                ],
                ..pool.clone()
            });
            Part {
                model: Model {
                    slots: 1,
                    classes: model.classes,
                    pools: pools.collect(),
                    hosted: (0..model.classes).map(|c| model.hosted[column(c)].clone()).collect(),
                    hosted_count: model.hosted_count,
                    asked: (0..model.classes).map(|c| model.asked[column(c)]).collect(),
                    limits: model.limits.clone(),
                    upfront_max: None,
                    deployments_max: None,
                },
                prices: Prices {
                    demand: (0..model.classes).map(|c| prices.demand[column(c)]).collect(),
                    resource: (0..model.limits.len()).map(|k| prices.resource[column(k)]).collect(),
                    upfront: 0.0,
                },
                last: None,
            }
        })
        .collect()
}

/// The slot bound of a box at gamma (by pool and slot), `None` where a slot cannot be served at all.
pub(super) fn bound(
    programs: Slots<'_>,
    space: &Space,
    gamma: &[Vec<f64>],
    parts: &mut [Part],
    gap: f64,
    nodes: u64,
) -> Option<Split> {
    let answers: Vec<Option<(f64, Vec<usize>, bool)>> = parts
        .par_iter_mut()
        .enumerate()
        .map(|(t, part)| {
            for (pool, gamma) in part.model.pools.iter_mut().zip(gamma) {
                for mode in &mut pool.modes {
                    mode.0 = gamma[t];
                }
            }
            part.solve(programs, space, t, gap, nodes)
        })
        .collect();
    let mut split =
        Split { value: 0.0, wanted: vec![Vec::with_capacity(parts.len()); gamma.len()], solved: 0 };
    for answer in answers {
        let (value, wanted, solved) = answer?;
        split.value += value;
        split.solved += u64::from(solved);
        for (all, wanted) in split.wanted.iter_mut().zip(wanted) {
            all.push(wanted);
        }
    }
    Some(split)
}

impl Part {
    /// Bound of the slot, always-on instances it wants, and whether its integer program had to be solved.
    fn solve(
        &mut self,
        programs: Slots<'_>,
        space: &Space,
        t: usize,
        gap: f64,
        nodes: u64,
    ) -> Option<(f64, Vec<usize>, bool)> {
        let model = &self.model;
        let whole = Space {
            hours: space.hours.iter().map(|hours| vec![hours[t]]).collect(),
            hosted: vec![Use::Free; model.hosted_count],
            ..space.clone()
        };
        let mut known = self.last.take().and_then(|last| last.within(&whole));
        let first = first_prices(model, &Bounder::new(model));
        let scale = Scale::new(model, &first);
        let mut bounder = Bounder::new(model);
        let mut narrowed = whole.clone();
        let mut floor = f64::INFINITY;
        let mut cost = known.as_ref().map_or(f64::INFINITY, |last| last.cost(model, &whole));
        for round in 0..2 {
            let target = if cost.is_finite() { cost } else { 2.0 * self.prices.demand.iter().sum::<f64>() };
            let enough = cost - gap * cost.abs();
            let how = Climb { theta: 0.3, steps: SLOT_STEPS, enough, target };
            let peak = climb(&mut bounder, &whole, &self.prices, &scale, how, &mut |_, _, _| {});
            self.prices = peak.prices;
            if peak.value >= enough {
                let wanted = known.as_ref().map(|last| last.wanted(model, &whole))?;
                self.last = known;
                return Some((peak.value, wanted, false));
            }
            if round == 0
                && let Some(draft) = draft(&mut bounder, &whole, &self.prices)
            {
                let drafted = Last::drafted(model, &whole, &draft);
                let usd = drafted.cost(model, &whole);
                if usd < cost {
                    (known, cost) = (Some(drafted), usd);
                }
            }
        }
        if cost.is_finite() && !tighten(&mut bounder, &mut narrowed, &self.prices, cost, &mut floor) {
            let wanted = known.as_ref().map(|last| last.wanted(model, &whole))?;
            self.last = known;
            return Some((floor.min(cost), wanted, false));
        }
        let members = undominated(model, members(model, &whole, &narrowed));
        let hosted: Vec<usize> = (0..model.hosted_count).collect();
        let sunk: f64 = sunk(model, &whole);
        match slot::solve(programs, t, &members, &hosted, gap, nodes) {
            Slot::Served(served) => {
                let last = Last::of(model, &whole, &members, &served);
                let value = (served.bound + sunk).min(floor.max(f64::NEG_INFINITY));
                if known.is_none() || last.cost(model, &whole) <= cost {
                    known = Some(last);
                }
                let wanted = known.as_ref().map(|last| last.wanted(model, &whole))?;
                self.last = known;
                Some((value, wanted, true))
            }
            // What was ruled out cannot do better than the plan that is known.
            Slot::Infeasible if cost.is_finite() => {
                let wanted = known.as_ref().map(|last| last.wanted(model, &whole))?;
                self.last = known;
                Some((floor.min(cost), wanted, true))
            }
            Slot::Infeasible => None,
            Slot::Unknown => {
                let mut bound = Bound::default();
                bounder.evaluate(&whole, &self.prices, &mut bound);
                let wanted =
                    known.as_ref().map_or_else(|| whole.least.clone(), |last| last.wanted(model, &whole));
                self.last = known;
                Some((bound.value, wanted, true))
            }
        }
    }
}

impl Part {
    /// The members that a best plan of the slot can have, the always-on fleet given: those of a box for this slot, less
    /// what its pattern bound rules out and what others make needless.
    pub(super) fn narrow(&self, whole: &Space, demand: &[f64]) -> Vec<Member> {
        let model = &self.model;
        let mut narrowed = whole.clone();
        let mut bounder = Bounder::new(model);
        let first = first_prices(model, &bounder);
        let scale = Scale::new(model, &first);
        let mut prices = Prices { demand: demand.to_vec(), ..first };
        let mut target = 2.0 * demand.iter().sum::<f64>();
        for round in 0..2 {
            let how = Climb { theta: 0.3, steps: SLOT_STEPS, enough: target, target };
            prices = climb(&mut bounder, whole, &prices, &scale, how, &mut |_, _, _| {}).prices;
            if round == 0 {
                let Some(draft) = draft(&mut bounder, whole, &prices) else { break };
                // With some slack: the draft itself stays, so that something is left to solve.
                target = draft.cost + 1e-6 * draft.cost.abs().max(1e-6);
            } else {
                let mut floor = f64::INFINITY;
                if !tighten(&mut bounder, &mut narrowed, &prices, target, &mut floor) {
                    narrowed = whole.clone();
                }
            }
        }
        let member = |r: usize| Member {
            pool: r,
            sunk: whole.least[r],
            extra: None,
            hours: narrowed.hours[r][0] && narrowed.pools[r] != Use::Out,
        };
        let all = (0..model.pools.len())
            .filter(|r| !model.pools[*r].items[0].is_empty() && whole.pools[*r] != Use::Out)
            .map(member)
            .filter(|member| member.sunk > 0 || member.hours);
        undominated(model, all.collect())
    }
}

/// A plan of one slot, if the first guess is one.
fn draft(bounder: &mut Bounder<'_>, whole: &Space, prices: &Prices) -> Option<Draft> {
    let mut drafter = Drafter::new(bounder.model, whole.clone());
    let mut bound = Bound::default();
    bounder.evaluate(whole, prices, &mut bound);
    let mut draft = drafter.insert_by_gain(&bound, prices);
    drafter.improve(&mut draft, prices, DRAFT_WORK);
    drafter.complete(&draft).then_some(draft)
}

/// What the fewest always-on instances cost at gamma.
#[allow(clippy::cast_precision_loss, reason = "counts of instances")]
fn sunk(model: &Model, space: &Space) -> f64 {
    let each = |(pool, n): (&PoolModel, &usize)| pool.modes.first().map_or(0.0, |mode| mode.0) * *n as f64;
    model.pools.iter().zip(&space.least).map(each).sum()
}

/// Who takes part: sunk is what the box forces, the rest what is left after narrowing.
fn members(model: &Model, whole: &Space, narrowed: &Space) -> Vec<Member> {
    (0..model.pools.len())
        .filter(|r| !model.pools[*r].items[0].is_empty() && whole.pools[*r] != Use::Out)
        .map(|r| {
            let most = narrowed.most[r].saturating_sub(whole.least[r]);
            let usd = model.pools[r].modes.first().map_or(0.0, |mode| mode.0);
            let hours = narrowed.hours[r][0];
            // Where hours are sold for less, there is no need for both.
            let extra = (most > 0 && !(hours && model.pools[r].hourly[0] <= usd)).then_some((usd, most));
            Member { pool: r, sunk: whole.least[r], extra, hours }
        })
        .filter(|member| member.sunk > 0 || member.extra.is_some() || member.hours)
        .collect()
}

/// Drops members that others make needless (formulation study §3, D4, at the prices of the slot): k instances of r carry
/// what one of s does, cost no more and take no more of anything, and there are as many of r as anybody needs.
fn undominated(model: &Model, members: Vec<Member>) -> Vec<Member> {
    let price = |m: &Member| {
        let hours = if m.hours { model.pools[m.pool].hourly[0] } else { f64::INFINITY };
        (m.extra.map_or(f64::INFINITY, |(usd, _)| usd).min(hours), hours)
    };
    let all: Vec<(f64, f64)> = members
        .iter()
        .map(|m| {
            let (least, hours) = price(m);
            let pool = &model.pools[m.pool];
            let enough = m.extra.is_some_and(|(_, most)| {
                let load: f64 = pool.items[0].iter().map(|item| item.load).sum();
                pool.carries[(m.sunk + most).min(pool.most())] >= load
            });
            (least, if enough { least } else { hours })
        })
        .collect();
    let beats = |i: usize, j: usize| {
        let (r, s) = (&model.pools[members[i].pool], &model.pools[members[j].pool]);
        let mut k = 1.0_f64;
        for item in &s.items[0] {
            match r.items[0].iter().find(|other| other.at == item.at) {
                Some(other) if other.usd <= item.usd => k = k.max((other.load / item.load).ceil()),
                _ => return false,
            }
        }
        let scarce = r
            .uses
            .iter()
            .all(|(at, each)| s.uses.iter().any(|(other, most)| at == other && k * each <= *most));
        let (usd, other) = (k * all[i].1, all[j].0);
        r.plain && s.plain && scarce && (usd < other || (usd <= other && i < j))
    };
    let keep: Vec<bool> = (0..members.len())
        .map(|j| members[j].sunk > 0 || !(0..members.len()).any(|i| i != j && beats(i, j)))
        .collect();
    members.into_iter().zip(keep).filter(|(_, keep)| *keep).map(|(member, _)| member).collect()
}
