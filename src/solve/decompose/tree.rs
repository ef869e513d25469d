//! Branch and bound on always-on counts, and on what is used where deployments are limited, with the pattern bound.
//!
//! Best bound first, so that the bound of the whole rises with every node. A leaf is a fleet of known size, which
//! `leaf.rs` solves slot by slot.

use super::ascent::{Climb, Peak, Scale, climb};
use super::bound::{Bounder, Prices, Space, Use};
use super::leaf::{Leaf, Leaves, Plan};
use super::tighten::tighten;

/// A part of the search that is still open.
#[derive(Debug, Clone)]
struct Node {
    space: Space,
    prices: Prices,
    bound: f64,
}

/// The state of a search.
pub(super) struct Search<'a> {
    /// Bounds.
    pub(super) bounder: Bounder<'a>,
    /// Slots.
    pub(super) leaves: Leaves<'a>,
    /// Metric of the prices.
    pub(super) scale: Scale,
    /// Decisions that hold for every plan that beats the best one.
    pub(super) root: Space,
    /// The best plan so far.
    pub(super) best: Option<Plan>,
    /// Least bound of all that was ruled out.
    pub(super) floor: f64,
    /// Relative gap at which the search ends.
    pub(super) gap: f64,
    open: Vec<Node>,
    /// Bounds of the program with everything for nothing: above 0, no plan exists.
    costless: Bounder<'a>,
}

/// Evaluations at a node, warm.
const STEPS: usize = 60;
/// Evaluations to prove that a node has no plan at all.
const HOPELESS_STEPS: usize = 30;
/// First step length at a node: warm prices need small steps, or the parent's bound is lost.
const THETA: f64 = 0.15;
/// A count this far from a whole number is worth branching on.
const FRACTIONAL: f64 = 0.03;

impl<'a> Search<'a> {
    pub(super) fn new(
        bounder: Bounder<'a>,
        costless: Bounder<'a>,
        leaves: Leaves<'a>,
        scale: Scale,
        root: Space,
        gap: f64,
    ) -> Self {
        Self {
            bounder,
            leaves,
            scale,
            root,
            best: None,
            floor: f64::INFINITY,
            gap,
            open: Vec::new(),
            costless,
        }
    }

    /// What a plan must cost less than.
    pub(super) fn cutoff(&self) -> f64 {
        self.best.as_ref().map_or(f64::INFINITY, |best| best.value - self.gap * best.value.abs())
    }

    /// No plan costs less than this.
    pub(super) fn bound(&self) -> f64 {
        let best = self.best.as_ref().map_or(f64::INFINITY, |best| best.value);
        self.open.iter().map(|node| node.bound).fold(self.floor, f64::min).min(best)
    }

    /// Starts at the root with prices and a bound.
    pub(super) fn begin(&mut self, prices: Prices, bound: f64) {
        self.open.push(Node { space: self.root.clone(), prices, bound });
    }

    /// Tries a fleet; what may be used is that of `space`.
    pub(super) fn try_fleet(&mut self, space: &Space, always_on: &[usize], prices: &Prices) -> f64 {
        // Hours are barred for the whole search only: what is remembered of a slot must hold in every node.
        let space = Space { hours: self.root.hours.clone(), ..space.clone() };
        let cutoff = self.cutoff();
        match self.leaves.solve(&mut self.bounder, &space, always_on, prices, cutoff) {
            Leaf::Plan(plan, bound) => {
                if self.best.as_ref().is_none_or(|best| plan.value < best.value) {
                    self.best = Some(plan);
                }
                bound
            }
            Leaf::Beyond(bound) => bound,
        }
    }

    /// Narrows what holds for every better plan.
    pub(super) fn tighten_root(&mut self, prices: &Prices) -> bool {
        let cutoff = self.cutoff();
        tighten(&mut self.bounder, &mut self.root, prices, cutoff, &mut self.floor)
    }

    /// Searches until it is proven, the work is used up or somebody says stop. Returns whether it is proven.
    pub(super) fn run(&mut self, more: &mut dyn FnMut(&Self) -> bool) -> bool {
        while let Some(at) = (0..self.open.len())
            .min_by(|a, b| self.open[*a].bound.total_cmp(&self.open[*b].bound).then(a.cmp(b)))
        {
            if self.open[at].bound >= self.cutoff() {
                break;
            }
            if !more(self) {
                return false;
            }
            let node = self.open.swap_remove(at);
            self.visit(node);
        }
        // What is left open is beyond the cutoff.
        let rest = self.open.iter().map(|node| node.bound).fold(f64::INFINITY, f64::min);
        self.floor = self.floor.min(rest);
        self.open.clear();
        true
    }

    /// Is it proven that no plan is in a box, whatever it may cost?
    pub(super) fn hopeless(&mut self, space: &Space, prices: &Prices, steps: usize) -> bool {
        let all: f64 = prices.demand.iter().sum();
        let how = Climb { theta: 0.5, steps, enough: 1e-3 * all, target: 0.2 * all };
        let peak = climb(&mut self.costless, space, prices, &self.scale, how, &mut |_, _, _| {});
        peak.value > 1e-6 * peak.prices.demand.iter().sum::<f64>()
    }

    fn visit(&mut self, mut node: Node) {
        if self.best.is_none() && self.hopeless(&node.space, &node.prices, HOPELESS_STEPS) {
            return;
        }
        let cutoff = self.cutoff();
        let target = if cutoff.is_finite() { cutoff } else { 2.0 * node.bound.abs() + 1.0 };
        let how = Climb { theta: THETA, steps: STEPS, enough: cutoff, target };
        let peak = climb(&mut self.bounder, &node.space, &node.prices, &self.scale, how, &mut |_, _, _| {});
        node.bound = node.bound.max(peak.value);
        if node.bound >= cutoff {
            self.floor = self.floor.min(node.bound);
            return;
        }
        if !tighten(&mut self.bounder, &mut node.space, &peak.prices, cutoff, &mut self.floor) {
            return;
        }
        self.settle(&mut node.space);
        if decided(&node.space, self.bounder.model.deployments_max) {
            let fleet = node.space.least.clone();
            let space = if self.bounder.model.deployments_max.is_some() { &node.space } else { &self.root };
            let bound = self.try_fleet(&space.clone(), &fleet, &peak.prices);
            self.floor = self.floor.min(bound.max(node.bound));
            return;
        }
        node.prices = peak.prices.clone();
        for space in self.branch(&node.space, &peak) {
            self.open.push(Node { space, prices: node.prices.clone(), bound: node.bound });
        }
    }

    /// What follows from the decisions: no deployment left, or one that has instances.
    fn settle(&self, space: &mut Space) {
        for r in 0..space.pools.len() {
            if space.least[r] > 0 && space.pools[r] == Use::Free {
                space.pools[r] = Use::In;
            }
        }
        if self.bounder.model.deployments_max.is_some_and(|most| space.counted() >= most) {
            for r in 0..space.pools.len() {
                if space.pools[r] == Use::Free {
                    space.pools[r] = Use::Out;
                    space.most[r] = 0;
                }
            }
            for state in &mut space.hosted {
                if *state == Use::Free {
                    *state = Use::Out;
                }
            }
        }
        for r in 0..space.pools.len() {
            if space.pools[r] == Use::Out {
                space.most[r] = space.least[r];
            }
        }
    }

    /// Splits a box in two.
    fn branch(&self, space: &Space, peak: &Peak) -> Vec<Space> {
        if self.bounder.model.deployments_max.is_some()
            && let Some((hosted, at)) = undecided(space, peak)
        {
            let mut with = space.clone();
            let mut without = space.clone();
            if hosted {
                with.hosted[at] = Use::In;
                without.hosted[at] = Use::Out;
            } else {
                with.pools[at] = Use::In;
                without.pools[at] = Use::Out;
                without.most[at] = 0;
            }
            return vec![with, without];
        }
        let Some((r, count)) = self.fractional(space, peak) else { return Vec::new() };
        let mut below = space.clone();
        let mut above = space.clone();
        below.most[r] = count;
        above.least[r] = count + 1;
        vec![below, above]
    }

    /// The pool to branch on, and the most of its lower half.
    #[allow(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "counts of instances"
    )]
    fn fractional(&self, space: &Space, peak: &Peak) -> Option<(usize, usize)> {
        let open = (0..space.least.len()).filter(|r| space.most[*r] > space.least[*r]);
        let scored = open.map(|r| {
            let mean = peak.always_on[r].clamp(space.least[r] as f64, space.most[r] as f64);
            let apart = (mean - mean.round()).abs();
            let usd = self.bounder.mode(r, peak.prices.upfront).map_or(0.0, |(_, usd)| usd);
            let score = if apart > FRACTIONAL {
                apart * usd
            } else {
                1e-6 * usd * (space.most[r] - space.least[r]) as f64
            };
            (score, r, mean)
        });
        let (_, r, mean) = scored.max_by(|a, b| a.0.total_cmp(&b.0).then(b.1.cmp(&a.1)))?;
        let count = if (mean - mean.round()).abs() > FRACTIONAL {
            mean.floor() as usize
        } else if mean.round() as usize > space.least[r] {
            mean.round() as usize - 1
        } else {
            mean.round() as usize
        };
        Some((r, count.clamp(space.least[r], space.most[r] - 1)))
    }
}

/// A pool or hosted model (true) whose use is not decided: the one whose average is nearest to a half.
fn undecided(space: &Space, peak: &Peak) -> Option<(bool, usize)> {
    let pools = (0..space.pools.len()).map(|r| (space.pools[r], peak.pools[r], false, r));
    let hosted = (0..space.hosted.len()).map(|a| (space.hosted[a], peak.hosted[a], true, a));
    pools
        .chain(hosted)
        .filter(|(state, ..)| *state == Use::Free)
        .map(|(_, mean, hosted, at)| ((mean - 0.5).abs(), hosted, at))
        .min_by(|a, b| a.0.total_cmp(&b.0).then((a.1, a.2).cmp(&(b.1, b.2))))
        .map(|(_, hosted, at)| (hosted, at))
}

/// Is the fleet known, and do the deployments that may be used respect their limit?
fn decided(space: &Space, deployments_max: Option<usize>) -> bool {
    let fleet = space.least.iter().zip(&space.most).all(|(least, most)| least == most);
    let usable = space.pools.iter().chain(&space.hosted).filter(|state| **state != Use::Out).count();
    fleet && deployments_max.is_none_or(|most| usable <= most)
}
