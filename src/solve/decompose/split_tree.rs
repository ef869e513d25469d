//! Branch and bound with the slot bound: a handful of strong nodes where the pattern bound needs thousands.
//!
//! In: a [`Search`] whose root is narrowed and which has a plan. Out: plans for it, and a bound. The search can be
//! taken up again. It branches on the pool whose wanted count
//! differs most between slots, at the count that is paid on average.

use super::bound::{Prices, Space};
use super::slot::Slots;
use super::split::{self, Part, Split};
use super::tree::Search;

struct Node {
    space: Space,
    /// Always-on price by pool and slot.
    gamma: Vec<Vec<f64>>,
    parts: Vec<Part>,
    bound: f64,
    steps: usize,
}

/// Steps at the root and at a node.
const ROOT: usize = 60;
const STEPS: usize = 10;
/// First step length.
const THETA: f64 = 0.25;
/// Part of the open gap that three steps must close.
const WORTH_IT: f64 = 0.04;
/// Steps without a better bound after which the step is cut, and the cut.
const STALL: usize = 5;
const CUT: f64 = 0.6;

/// A node after its steps.
struct Raised {
    bound: f64,
    gamma: Vec<Vec<f64>>,
    /// Paid average of the always-on instances, and how far slots differ in them.
    paid: Vec<f64>,
    spread: Vec<f64>,
}

/// A search that can be taken up again.
pub(super) struct Splitting {
    open: Vec<Node>,
    /// Least bound of what was ruled out.
    floor: f64,
    /// Slots whose integer program was solved, and steps: the measure of work.
    pub(super) work: u64,
}

impl Splitting {
    /// Starts at the narrowed root of a search.
    pub(super) fn new(search: &mut Search<'_>, prices: &Prices) -> Self {
        let root = Node {
            space: search.root.clone(),
            gamma: first_gamma(search, prices),
            parts: split::parts(search.bounder.model, prices),
            bound: f64::NEG_INFINITY,
            steps: ROOT,
        };
        Self { open: vec![root], floor: f64::INFINITY, work: 0 }
    }

    /// No plan costs less, what the root of the search was narrowed by left aside.
    pub(super) fn bound(&self) -> f64 {
        self.open.iter().map(|node| node.bound).fold(self.floor, f64::min)
    }

    /// Searches until it is proven or `more`, told the work done, says no. Returns whether it is proven.
    pub(super) fn run(
        &mut self,
        search: &mut Search<'_>,
        programs: Slots<'_>,
        prices: &Prices,
        more: &mut dyn FnMut(u64) -> bool,
    ) -> bool {
        let once = search.bounder.model.upfront_max.map_or(0.0, |most| prices.upfront * most);
        while let Some(at) = (0..self.open.len())
            .min_by(|a, b| self.open[*a].bound.total_cmp(&self.open[*b].bound).then(a.cmp(b)))
        {
            if self.open[at].bound >= search.cutoff() {
                break;
            }
            if !more(self.work) {
                return false;
            }
            let node = self.open.swap_remove(at);
            self.visit(search, programs, node, once, more, prices);
        }
        true
    }

    fn visit(
        &mut self,
        search: &mut Search<'_>,
        programs: Slots<'_>,
        mut node: Node,
        once: f64,
        more: &mut dyn FnMut(u64) -> bool,
        prices: &Prices,
    ) {
        // What the search has ruled out since.
        for (hours, root) in node.space.hours.iter_mut().flatten().zip(search.root.hours.iter().flatten()) {
            *hours &= *root;
        }
        let Some(raised) = raise(search, programs, &mut node, once, &mut self.work, more, prices) else {
            return;
        };
        node.bound = node.bound.max(raised.bound);
        if node.bound >= search.cutoff() {
            self.floor = self.floor.min(node.bound);
            return;
        }
        for share in [0.3, 0.5, 0.7] {
            let fleet = rounded(&raised.paid, share, &node.space);
            let space = search.root.clone();
            search.try_fleet(&space, &fleet, prices);
        }
        match branch(&node.space, &raised) {
            None => {
                let space = search.root.clone();
                let bound = search.try_fleet(&space, &node.space.least.clone(), prices);
                self.floor = self.floor.min(bound.max(node.bound));
            }
            Some((r, count)) => {
                let mut below = node.space.clone();
                let mut above = node.space;
                below.most[r] = count;
                above.least[r] = count + 1;
                for space in [below, above] {
                    self.open.push(Node {
                        space,
                        gamma: raised.gamma.clone(),
                        parts: node.parts.clone(),
                        bound: node.bound,
                        steps: STEPS,
                    });
                }
            }
        }
    }
}

/// Can every slot be served at all, whatever it takes? `None` where one cannot: then no plan exists. Else the most that
/// any slot wants of each pool: a fleet that may serve.
pub(super) fn fleet_by_slots(
    search: &mut Search<'_>,
    programs: Slots<'_>,
    prices: &Prices,
) -> Option<Vec<usize>> {
    let gamma = first_gamma(search, prices);
    let mut parts = split::parts(search.bounder.model, prices);
    let split = split::bound(programs, &search.root, &gamma, &mut parts, 0.1, u64::MAX)?;
    Some(split.wanted.iter().map(|wanted| wanted.iter().copied().max().unwrap_or(0)).collect())
}

/// Gamma to begin with: in the proportion of what the first instance is worth in each slot, no more than its hours.
fn first_gamma(search: &mut Search<'_>, prices: &Prices) -> Vec<Vec<f64>> {
    let model = search.bounder.model;
    (0..model.pools.len())
        .map(|r| {
            let usd = search.bounder.mode(r, prices.upfront).map_or(0.0, |(_, usd)| usd);
            let worth: Vec<f64> = (0..model.slots)
                .map(|t| search.bounder.first_worth(r, t, prices).min(model.pools[r].hourly[t]).max(0.0))
                .collect();
            let all: f64 = worth.iter().sum();
            #[allow(clippy::cast_precision_loss, reason = "a few slots")]
            let even = usd / model.slots as f64;
            worth.iter().map(|worth| if all > 0.0 { usd * worth / all } else { even }).collect()
        })
        .collect()
}

/// Raises the bound of a node over gamma; `None` where nothing is left in it.
#[allow(clippy::cast_precision_loss, reason = "counts of instances")]
fn raise(
    search: &mut Search<'_>,
    programs: Slots<'_>,
    node: &mut Node,
    once: f64,
    work: &mut u64,
    more: &mut dyn FnMut(u64) -> bool,
    prices: &Prices,
) -> Option<Raised> {
    let slots = search.bounder.model.slots as f64;
    let usd: Vec<f64> = node.gamma.iter().map(|gamma| gamma.iter().sum()).collect();
    let mut gamma = node.gamma.clone();
    let mut best =
        Raised { bound: f64::NEG_INFINITY, gamma: gamma.clone(), paid: Vec::new(), spread: Vec::new() };
    let mut direction: Vec<Vec<f64>> = gamma.iter().map(|gamma| vec![0.0; gamma.len()]).collect();
    let mut theta = THETA;
    let mut stalled = 0;
    let mut history: Vec<f64> = Vec::new();
    for step in 0..node.steps {
        // No finer than the gap that is still open asks for.
        let apart = (search.cutoff() - best.bound.max(node.bound)) / search.cutoff().abs();
        let slot_gap = (0.03 * apart).clamp(1e-5, 1e-3);
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "300 to 200,000")]
        let nodes = (12.0 / apart.max(1e-9)).clamp(300.0, 2e5) as u64;
        let Split { value, wanted, solved: more_solved } =
            split::bound(programs, &node.space, &gamma, &mut node.parts, slot_gap, nodes)?;
        *work += 1 + more_solved;
        let value = value - once;
        let (paid, spread) = averages(&wanted, &gamma, &usd);
        if value > best.bound {
            best = Raised { bound: value, gamma: gamma.clone(), paid, spread };
            stalled = 0;
        } else {
            stalled += 1;
            if stalled >= STALL {
                (theta, stalled) = (theta * CUT, 0);
                gamma.clone_from(&best.gamma);
            }
        }
        if step % 10 == 9 && step + 1 < node.steps {
            let fleet = rounded(&best.paid, 0.5, &node.space);
            let space = search.root.clone();
            search.try_fleet(&space, &fleet, prices);
        }
        let cutoff = search.cutoff();
        history.push(best.bound.max(node.bound));
        if best.bound >= cutoff || !more(*work) || creeps(&history, cutoff) {
            break;
        }
        // Slope: what a slot wants beyond the mean of all, weighted with the price of the pool.
        let mut norm = 0.0;
        for (r, wanted) in wanted.iter().enumerate() {
            let mean = wanted.iter().sum::<usize>() as f64 / slots;
            for (t, wanted) in wanted.iter().enumerate() {
                let slope = *wanted as f64 - mean;
                direction[r][t] = if step == 0 { slope } else { 0.7 * direction[r][t] + 0.3 * slope };
                norm += usd[r] * direction[r][t] * direction[r][t];
            }
        }
        if norm <= 1e-12 * cutoff.abs() {
            break;
        }
        let length = theta * (cutoff - value).max(1e-4 * cutoff.abs()) / norm;
        for (r, gamma) in gamma.iter_mut().enumerate() {
            if direction[r].iter().any(|d| d.abs() > 1e-12) {
                for (gamma, direction) in gamma.iter_mut().zip(&direction[r]) {
                    *gamma += length * usd[r] * direction;
                }
                onto_simplex(gamma, usd[r]);
            }
        }
    }
    Some(best)
}

/// Do the last steps close too little of what is open? Then a branch closes more.
fn creeps(history: &[f64], cutoff: f64) -> bool {
    let [.., before, _, _, now] = history else { return false };
    now - before < WORTH_IT * (cutoff - now)
}

/// By pool: instances paid on average, sum gamma n / c, and the range of what slots want.
#[allow(clippy::cast_precision_loss, reason = "counts of instances")]
fn averages(wanted: &[Vec<usize>], gamma: &[Vec<f64>], usd: &[f64]) -> (Vec<f64>, Vec<f64>) {
    let of = |r: usize| {
        let paid: f64 = wanted[r].iter().zip(&gamma[r]).map(|(n, gamma)| *n as f64 * gamma).sum();
        let range = wanted[r].iter().max().unwrap_or(&0) - wanted[r].iter().min().unwrap_or(&0);
        (if usd[r] > 0.0 { paid / usd[r] } else { 0.0 }, range as f64)
    };
    (0..wanted.len()).map(of).unzip()
}

/// Nearest point with the given sum and no negative part.
#[allow(clippy::cast_precision_loss, reason = "a few slots")]
fn onto_simplex(x: &mut [f64], sum: f64) {
    let mut sorted = x.to_vec();
    sorted.sort_by(|a, b| b.total_cmp(a));
    let (mut so_far, mut shift) = (0.0, 0.0);
    for (i, value) in sorted.iter().enumerate() {
        so_far += value;
        let by = (so_far - sum) / (i + 1) as f64;
        if value - by > 0.0 {
            shift = by;
        }
    }
    for value in x.iter_mut() {
        *value = (*value - shift).max(0.0);
    }
    let now: f64 = x.iter().sum();
    if now > 0.0 {
        // The sum must be what the instance costs and no more, or the bound is none.
        x.iter_mut().for_each(|value| *value *= sum / now * (1.0 - 1e-15));
    }
}

/// A fleet from paid averages, those of a fraction above `share` rounded up.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "counts of instances")]
fn rounded(paid: &[f64], share: f64, space: &Space) -> Vec<usize> {
    paid.iter()
        .enumerate()
        .map(|(r, paid)| {
            ((paid + 1.0 - share).floor().max(0.0) as usize).clamp(space.least[r], space.most[r])
        })
        .collect()
}

/// The pool to branch on, and the most of its lower half.
#[allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "counts of instances"
)]
fn branch(space: &Space, raised: &Raised) -> Option<(usize, usize)> {
    let usd = |r: usize| raised.gamma[r].iter().sum::<f64>();
    (0..space.least.len())
        .filter(|r| space.most[*r] > space.least[*r])
        .map(|r| {
            let mean = raised.paid[r];
            let apart = (mean - mean.round()).abs();
            ((apart + 0.05 * raised.spread[r] + 1e-6) * usd(r), r)
        })
        .max_by(|a, b| a.0.total_cmp(&b.0).then(b.1.cmp(&a.1)))
        .map(|(_, r)| {
            let count = raised.paid[r].max(0.0).floor() as usize;
            (r, count.clamp(space.least[r], space.most[r] - 1))
        })
}

#[cfg(test)]
mod tests {
    use super::onto_simplex;

    #[test]
    fn the_nearest_point_of_the_simplex() {
        let mut x = [3.0, 1.0, -2.0];
        onto_simplex(&mut x, 2.0);
        assert!((x[0] - 2.0).abs() < 1e-12 && x[1] == 0.0 && x[2] == 0.0);
        let mut x = [1.0, 1.0, 0.4];
        onto_simplex(&mut x, 3.0);
        assert!((x.iter().sum::<f64>() - 3.0).abs() < 1e-12 && (x[0] - x[2] - 0.6).abs() < 1e-12);
    }
}
