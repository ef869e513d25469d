//! Plans to begin with: pools inserted in the order of what they gain at the prices of the bound, then local search
//! in which every move is an exact best response.
//!
//! In: a [`Drafter`], prices. Out: drafts, the cheapest first. Nothing here proves anything.

use super::bound::{Bound, Prices, Use};
use super::draft::{Draft, Drafter};

/// A move must save this part of the cost.
const WORTH_IT: f64 = 1e-7;

impl Drafter<'_> {
    /// Inserts pools by gain at the prices of a bound, then lets each respond to the rest.
    pub(super) fn insert_by_gain(&mut self, bound: &Bound, prices: &Prices) -> Draft {
        let most = self.model.deployments_max.unwrap_or(usize::MAX);
        let hosted: Vec<bool> = (0..self.model.hosted_count)
            .map(|a| match self.node.hosted[a] {
                Use::In => true,
                Use::Out => false,
                Use::Free => most == usize::MAX || (bound.hosted_chosen[a] && bound.hosted_gain[a] > 0.0),
            })
            .collect();
        let mut draft = self.empty(hosted);
        let mut order: Vec<usize> =
            (0..bound.responses.len()).filter(|r| bound.responses[*r].gain > 0.0).collect();
        order.sort_by(|a, b| bound.responses[*b].gain.total_cmp(&bound.responses[*a].gain).then(a.cmp(b)));
        for r in order {
            if self.deployments(&draft) < most {
                self.respond(&mut draft, r, Some(&prices.demand));
            }
        }
        self.refit(&mut draft, None);
        draft
    }

    /// Every pool in use, but one, responds anew; the smallest first, so that what it held goes to the larger ones.
    fn refit(&mut self, draft: &mut Draft, but: Option<usize>) {
        let mut used: Vec<usize> = Self::used(draft).filter(|r| Some(*r) != but).collect();
        let carried = |draft: &Draft, r: usize| draft.pools[&r].instances.iter().sum::<usize>();
        used.sort_by_key(|r| (carried(draft, *r), *r));
        for r in used {
            self.respond(draft, r, None);
        }
        self.price(draft);
    }

    /// Takes the first of the moves that saves, until none does or the work is used up.
    pub(super) fn improve(&mut self, draft: &mut Draft, prices: &Prices, work_max: u64) {
        let end = self.work + work_max;
        loop {
            let before = draft.cost;
            self.refit_while_it_pays(draft);
            for r in 0..self.model.pools.len() {
                if self.work > end {
                    return;
                }
                self.try_pool(draft, r, prices);
            }
            if self.model.deployments_max.is_some() {
                for a in 0..draft.hosted.len() {
                    if self.work > end {
                        return;
                    }
                    self.try_hosted(draft, a, prices);
                }
            }
            if draft.cost >= before * (1.0 - WORTH_IT) {
                return;
            }
        }
    }

    fn refit_while_it_pays(&mut self, draft: &mut Draft) {
        for _ in 0..8 {
            let mut trial = draft.clone();
            self.refit(&mut trial, None);
            if !self.take(draft, trial) {
                return;
            }
        }
    }

    fn take(&self, draft: &mut Draft, trial: Draft) -> bool {
        let most = self.model.deployments_max.unwrap_or(usize::MAX);
        let better = trial.cost < draft.cost * (1.0 - WORTH_IT)
            && (most == usize::MAX || self.deployments(&trial) <= most);
        if better {
            *draft = trial;
        }
        better
    }

    /// Drops a pool in use, or puts one that is not in: beside the others or in the place of one.
    fn try_pool(&mut self, draft: &mut Draft, r: usize, prices: &Prices) {
        if Self::uses(draft, r) {
            let mut trial = draft.clone();
            Self::remove(&mut trial, r);
            self.refit(&mut trial, None);
            self.take(draft, trial);
            return;
        }
        if self.node.pools[r] == Use::Out {
            return;
        }
        let mut trial = draft.clone();
        if self.respond(&mut trial, r, None) {
            self.refit(&mut trial, None);
            if self.take(draft, trial) {
                return;
            }
        }
        let used: Vec<usize> = Self::used(draft).collect();
        for s in used {
            // In the place of another: to hosted prices, then as if it were first at the prices of the bound.
            let mut trial = draft.clone();
            Self::remove(&mut trial, s);
            if self.respond(&mut trial, r, None) {
                self.refit(&mut trial, Some(r));
                if self.take(draft, trial) {
                    return;
                }
            }
        }
        // Beside all others, taking what it is worth first: the others respond to what it leaves.
        let mut trial = draft.clone();
        let others: Vec<usize> = Self::used(draft).collect();
        for s in &others {
            Self::remove(&mut trial, *s);
        }
        if self.respond(&mut trial, r, Some(&prices.demand)) {
            for s in others {
                self.respond(&mut trial, s, None);
            }
            self.refit(&mut trial, None);
            self.take(draft, trial);
        }
    }

    /// Under a limit on deployments: allows a hosted model, alone or in the place of a pool or another, or drops it.
    fn try_hosted(&mut self, draft: &mut Draft, a: usize, _prices: &Prices) {
        if self.node.hosted[a] == Use::Out {
            return;
        }
        let mut flipped = draft.clone();
        flipped.hosted[a] = !flipped.hosted[a];
        self.refit(&mut flipped, None);
        if self.take(draft, flipped) || draft.hosted[a] {
            return;
        }
        for s in Self::used(draft).collect::<Vec<_>>() {
            let mut trial = draft.clone();
            trial.hosted[a] = true;
            Self::remove(&mut trial, s);
            self.refit(&mut trial, None);
            if self.take(draft, trial) {
                return;
            }
        }
        for b in 0..draft.hosted.len() {
            if draft.hosted[b] {
                let mut trial = draft.clone();
                trial.hosted[a] = true;
                trial.hosted[b] = false;
                self.refit(&mut trial, None);
                if self.take(draft, trial) {
                    return;
                }
            }
        }
    }
}
