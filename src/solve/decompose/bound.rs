//! The pattern bound: price the demands, let each pool and hosted model respond alone, and what is left of the prices is
//! a lower bound on every plan. Arithmetic only, so the certificate is the prices.
//!
//! For any v >= 0 of (class, slot), kappa >= 0 of (resource, slot), eta >= 0 of upfront money:
//! L = sum v - sum kappa Q - eta U - (best choice of gains), where the gain of a pool is its best response at worth v with
//! c = min_j (c_j + eta u_j) + sum_t kappa a, h_t + kappa a, and that of a hosted model is sum (v - a)+. Without a limit on
//! deployments every positive gain is chosen; with it the D largest, those forced in among them: the cardinality stays
//! in the subproblem and needs no multiplier. Any multipliers are valid (Lagrange; Geoffrion 1974).

use super::model::Model;
use super::respond::{Desk, Profile, Response, Terms, Worth};

/// May a pool or hosted model be used?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    /// Not decided.
    Free,
    /// It counts as a deployment.
    In,
    /// It is not used.
    Out,
}

/// Decisions taken so far: a box of always-on counts, and what may be used.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Space {
    /// Fewest always-on instances by pool.
    pub(super) least: Vec<usize>,
    /// Most always-on instances by pool.
    pub(super) most: Vec<usize>,
    /// By pool.
    pub(super) pools: Vec<Use>,
    /// By hosted model.
    pub(super) hosted: Vec<Use>,
    /// May instances of a pool be bought in a slot alone? By pool and slot.
    pub(super) hours: Vec<Vec<bool>>,
}

impl Space {
    /// Everything open.
    pub(super) fn whole(model: &Model) -> Self {
        let most = |pool: &super::model::PoolModel| {
            let paid = |u: f64| {
                #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped by most")]
                model
                    .upfront_max
                    .filter(|_| u > 0.0)
                    .map_or(usize::MAX, |all| (all / u + 1e-9).floor() as usize)
            };
            pool.modes.iter().map(|(_, u)| paid(*u)).max().unwrap_or(0).min(pool.most())
        };
        Self {
            least: vec![0; model.pools.len()],
            most: model.pools.iter().map(most).collect(),
            pools: vec![Use::Free; model.pools.len()],
            hosted: vec![Use::Free; model.hosted_count],
            hours: model
                .pools
                .iter()
                .map(|pool| pool.hourly.iter().map(|usd| usd.is_finite()).collect())
                .collect(),
        }
    }

    /// Deployments already counted.
    pub(super) fn counted(&self) -> usize {
        self.pools.iter().chain(&self.hosted).filter(|state| **state == Use::In).count()
    }
}

/// Prices of the bound.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Prices {
    /// USD/month of the whole of a class in a slot.
    pub(super) demand: Vec<f64>,
    /// USD/month of a unit of a resource in a slot: `resource * slots + slot`.
    pub(super) resource: Vec<f64>,
    /// USD/month of a USD paid once.
    pub(super) upfront: f64,
}

/// One evaluation of the bound.
#[derive(Debug, Clone, Default)]
pub(super) struct Bound {
    /// No plan in the box costs less; infinite where no plan is left.
    pub(super) value: f64,
    /// What is short (positive) of each class and slot: 1 - share served.
    pub(super) short: Vec<f64>,
    /// Use beyond the limit of each resource and slot.
    pub(super) over: Vec<f64>,
    /// USD paid once beyond the limit.
    pub(super) over_upfront: f64,
    /// By pool.
    pub(super) responses: Vec<Response>,
    /// By pool: is its response part of the bound?
    pub(super) chosen: Vec<bool>,
    /// By hosted model.
    pub(super) hosted_gain: Vec<f64>,
    /// By hosted model.
    pub(super) hosted_chosen: Vec<bool>,
    /// Least gain among free choices that took the last deployment; 0 while some are left.
    pub(super) marginal: f64,
}

/// Works out bounds of one model.
pub(super) struct Bounder<'a> {
    /// The model.
    pub(super) model: &'a Model,
    desk: Desk,
    hourly: Vec<Vec<f64>>,
    /// Evaluations so far, each weighted with the size of the model.
    evaluated: u64,
}

impl<'a> Bounder<'a> {
    pub(super) fn new(model: &'a Model) -> Self {
        Self { model, desk: Desk::default(), hourly: vec![Vec::new(); model.pools.len()], evaluated: 0 }
    }

    /// Work done so far: sizes of what was evaluated, and values tabled for it.
    pub(super) const fn work(&self) -> u64 {
        self.evaluated + self.desk.work
    }

    /// The cheapest always-on mode of a pool at a price of upfront money: index, price.
    pub(super) fn mode(&self, r: usize, upfront: f64) -> Option<(usize, f64)> {
        let modes = &self.model.pools[r].modes;
        (0..modes.len())
            .map(|j| (j, modes[j].0 + upfront * modes[j].1))
            .min_by(|a, b| a.1.total_cmp(&b.1).then(a.0.cmp(&b.0)))
    }

    /// Prices of a pool at given multipliers: always-on; the hourly ones go to `self.hourly[r]`.
    fn price(&mut self, r: usize, node: &Space, prices: &Prices) -> f64 {
        let (pool, slots) = (&self.model.pools[r], self.model.slots);
        let mut always_on = self.mode(r, prices.upfront).map_or(f64::INFINITY, |(_, usd)| usd);
        let hourly = &mut self.hourly[r];
        hourly.clear();
        for t in 0..slots {
            let scarce: f64 = pool.uses.iter().map(|(k, n)| prices.resource[k * slots + t] * n).sum();
            always_on += scarce;
            hourly.push(if node.hours[r][t] { pool.hourly[t] + scarce } else { f64::INFINITY });
        }
        always_on
    }

    /// The bound of a box at given prices.
    pub(super) fn evaluate(&mut self, node: &Space, prices: &Prices, out: &mut Bound) {
        let model = self.model;
        self.evaluated += (model.pools.len() * model.slots * (model.classes + 1)) as u64;
        out.responses.resize_with(model.pools.len(), Response::default);
        for r in 0..model.pools.len() {
            if node.pools[r] == Use::Out {
                out.responses[r] = Response { instances: Vec::new(), ..Response::default() };
                continue;
            }
            let always_on = self.price(r, node, prices);
            let terms = Terms {
                always_on,
                hourly: &self.hourly[r],
                bounds: (node.least[r], node.most[r]),
                most: model.pools[r].most(),
            };
            let worth =
                |at: usize, part: &mut dyn FnMut(Worth)| part(Worth { usd: prices.demand[at], open: 1.0 });
            self.desk.respond(&model.pools[r], &terms, &worth, &mut out.responses[r]);
        }
        out.hosted_gain.clear();
        out.hosted_gain.resize(model.hosted_count, 0.0);
        for (at, segments) in model.hosted.iter().enumerate() {
            for segment in segments {
                out.hosted_gain[segment.hosted] += (prices.demand[at] - segment.usd).max(0.0) * segment.most;
            }
        }
        self.choose(node, out);
        self.add_up(node, prices, out);
    }

    /// Which responses take part.
    fn choose(&self, node: &Space, out: &mut Bound) {
        let model = self.model;
        let gains = |out: &Bound, i: usize| match i.checked_sub(model.pools.len()) {
            // Instances that must be there count whatever they gain.
            None if node.least[i] > 0 => (Use::In, out.responses[i].gain),
            None => (node.pools[i], out.responses[i].gain),
            Some(a) => (node.hosted[a], out.hosted_gain[a]),
        };
        let count = model.pools.len() + model.hosted_count;
        let mut taken: Vec<bool> = vec![false; count];
        let mut free: Vec<(f64, usize)> = Vec::new();
        let mut room = model.deployments_max.unwrap_or(usize::MAX);
        for (i, taken) in taken.iter_mut().enumerate() {
            match gains(out, i) {
                (Use::In, _) => {
                    *taken = true;
                    room = room.saturating_sub(1);
                }
                (Use::Free, gain) if gain > 0.0 => free.push((gain, i)),
                _ => {}
            }
        }
        out.marginal = 0.0;
        if free.len() > room {
            free.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
            out.marginal = if room == 0 { f64::INFINITY } else { free[room - 1].0 };
            free.truncate(room);
        }
        for (_, i) in free {
            taken[i] = true;
        }
        out.hosted_chosen = taken.split_off(model.pools.len());
        out.chosen = taken;
    }

    /// The value and its slopes.
    #[allow(clippy::cast_precision_loss, reason = "counts of instances")]
    fn add_up(&self, node: &Space, prices: &Prices, out: &mut Bound) {
        let (model, slots) = (self.model, self.model.slots);
        out.short.clear();
        out.short.extend(model.asked.iter().map(|asked| f64::from(u8::from(*asked))));
        out.over.clear();
        out.over.extend((0..model.limits.len() * slots).map(|at| -model.limits[at / slots]));
        out.over_upfront = model.upfront_max.map_or(0.0, |most| -most);
        let demand: f64 = prices.demand.iter().zip(&out.short).map(|(v, asked)| v * asked).sum();
        let resource: f64 = prices.resource.iter().zip(&out.over).map(|(k, limit)| k * limit).sum();
        let mut value = demand + resource + prices.upfront * out.over_upfront;
        let mut size = demand - resource - prices.upfront * out.over_upfront;
        for (r, pool) in model.pools.iter().enumerate().filter(|(r, _)| out.chosen[*r]) {
            let response = &out.responses[r];
            value -= response.gain;
            size += response.gain.abs();
            for (at, share) in &response.shares {
                out.short[*at] -= share;
            }
            for (k, amount) in &pool.uses {
                for (t, n) in response.instances.iter().enumerate() {
                    out.over[k * slots + t] += amount * *n as f64;
                }
            }
            if model.upfront_max.is_some()
                && let Some((j, _)) = self.mode(r, prices.upfront)
            {
                out.over_upfront += pool.modes[j].1 * response.always_on as f64;
            }
        }
        for (at, segments) in model.hosted.iter().enumerate() {
            for segment in segments {
                let gain = (prices.demand[at] - segment.usd) * segment.most;
                if gain > 0.0 && out.hosted_chosen[segment.hosted] {
                    out.short[at] -= segment.most;
                    value -= gain;
                    size += gain;
                }
            }
        }
        // Rounding of the sum itself.
        out.value = value - 1e-12 * size;
        if model.deployments_max.is_some_and(|most| node.counted() > most) {
            out.value = f64::INFINITY;
        }
    }

    /// What the first instance of a pool is worth in a slot.
    pub(super) fn first_worth(&self, r: usize, t: usize, prices: &Prices) -> f64 {
        let dense = |item: &super::model::Item| ((prices.demand[item.at] - item.usd) / item.load, item.load);
        let mut fills: Vec<(f64, f64)> = self.model.pools[r].items[t].iter().map(dense).collect();
        fills.sort_by(|a, b| b.0.total_cmp(&a.0));
        let (mut left, mut worth) = (1.0_f64, 0.0);
        for (dense, load) in fills {
            let part = load.min(left);
            worth += dense.max(0.0) * part;
            left -= part;
        }
        worth
    }

    /// Gains of one pool under each decision, at the prices of a bound.
    pub(super) fn profile(&mut self, r: usize, node: &Space, prices: &Prices) -> Profile {
        let always_on = self.price(r, node, prices);
        let pool = &self.model.pools[r];
        let terms = Terms {
            always_on,
            hourly: &self.hourly[r],
            bounds: (node.least[r], node.most[r]),
            most: pool.most(),
        };
        let worth =
            |at: usize, part: &mut dyn FnMut(Worth)| part(Worth { usd: prices.demand[at], open: 1.0 });
        self.desk.profile(pool, &terms, &worth)
    }
}
