//! A draft of a plan: counts and shares of each pool, the rest left to hosted models or, at a penalty, to nobody.
//!
//! Its one operation is the exact best response of a pool to what the others leave open. A draft is a guess that
//! `leaf.rs` turns into a plan; nothing here proves anything.

use std::collections::BTreeMap;

use super::bound::Space;
use super::model::Model;
use super::respond::{Desk, Response, Terms, Worth};

/// Counts and shares.
#[derive(Debug, Clone)]
pub(super) struct Draft {
    /// What pools in use do; a draft uses few of many.
    pub(super) pools: BTreeMap<usize, Response>,
    /// By hosted model: may it serve?
    pub(super) hosted: Vec<bool>,
    /// Share of each class and slot that no pool serves.
    pub(super) open: Vec<f64>,
    /// USD/month, penalties among them.
    pub(super) cost: f64,
}

/// Works on drafts of one model.
pub(super) struct Drafter<'a> {
    /// The model.
    pub(super) model: &'a Model,
    /// Decisions a draft keeps to.
    pub(super) node: Space,
    /// USD/month for leaving a class unserved in a slot.
    penalty: Vec<f64>,
    desk: Desk,
    /// Responses so far, weighted with their size: the measure of work.
    pub(super) work: u64,
}

impl<'a> Drafter<'a> {
    pub(super) fn new(model: &'a Model, node: Space) -> Self {
        let mut penalty = vec![0.0_f64; model.asked.len()];
        for (at, segments) in model.hosted.iter().enumerate() {
            penalty[at] = segments.iter().map(|segment| segment.usd).fold(0.0, f64::max);
        }
        for pool in &model.pools {
            let month: f64 = pool.hourly.iter().sum();
            let each = pool.modes.iter().map(|mode| mode.0).fold(month, f64::min);
            for item in pool.items.iter().flatten() {
                penalty[item.at] = penalty[item.at].max(each * (item.load.ceil() + 1.0));
            }
        }
        let penalty = penalty.iter().map(|usd| 3.0 * usd).collect();
        Self { model, node, penalty, desk: Desk::default(), work: 0 }
    }

    /// Nothing bought, any hosted model allowed that the decisions allow.
    pub(super) fn empty(&self, hosted: Vec<bool>) -> Draft {
        let mut draft = Draft {
            pools: BTreeMap::new(),
            hosted,
            open: self.model.asked.iter().map(|asked| f64::from(u8::from(*asked))).collect(),
            cost: 0.0,
        };
        self.price(&mut draft);
        draft
    }

    /// True where a pool has instances.
    pub(super) fn uses(draft: &Draft, r: usize) -> bool {
        draft.pools.get(&r).is_some_and(Response::any)
    }

    /// Pools in use.
    pub(super) fn used(draft: &Draft) -> impl Iterator<Item = usize> {
        draft.pools.iter().filter(|(_, response)| response.any()).map(|(r, _)| *r)
    }

    /// Deployments of a draft: pools in use and hosted models allowed.
    pub(super) fn deployments(&self, draft: &Draft) -> usize {
        Self::used(draft).count() + draft.hosted.iter().filter(|allowed| **allowed).count()
    }

    /// Is everything served by somebody?
    pub(super) fn complete(&self, draft: &Draft) -> bool {
        (0..draft.open.len()).all(|at| {
            let hosted: f64 =
                self.model.hosted[at].iter().filter(|s| draft.hosted[s.hosted]).map(|s| s.most).sum();
            draft.open[at] <= hosted + 1e-9
        })
    }

    /// Parts of what is open of a class and slot, each with what its server asks.
    fn parts(&self, hosted: &[bool], at: usize, open: f64, part: &mut dyn FnMut(Worth)) {
        let mut left = open;
        for segment in &self.model.hosted[at] {
            if left <= 0.0 {
                return;
            }
            if hosted[segment.hosted] {
                let open = segment.most.min(left);
                part(Worth { usd: segment.usd, open });
                left -= open;
            }
        }
        if left > 1e-12 {
            part(Worth { usd: self.penalty[at], open: left });
        }
    }

    /// Adds up what a draft costs.
    #[allow(clippy::cast_precision_loss, reason = "counts of instances")]
    pub(super) fn price(&self, draft: &mut Draft) {
        let mut usd = 0.0;
        for (r, response) in &draft.pools {
            let pool = &self.model.pools[*r];
            let each = pool.modes.iter().map(|mode| mode.0).fold(f64::INFINITY, f64::min);
            if response.always_on > 0 {
                usd += each * response.always_on as f64;
            }
            for (t, n) in response.instances.iter().enumerate() {
                if *n > response.always_on {
                    usd += pool.hourly[t] * (n - response.always_on) as f64;
                }
            }
            for (at, share) in &response.shares {
                let item = pool.items[at % self.model.slots].iter().find(|item| item.at == *at);
                usd += item.map_or(0.0, |item| item.usd * share);
            }
        }
        for (at, open) in draft.open.iter().enumerate() {
            if *open > 0.0 {
                self.parts(&draft.hosted, at, *open, &mut |worth| usd += worth.usd * worth.open);
            }
        }
        draft.cost = usd;
    }

    /// Takes a pool out.
    pub(super) fn remove(draft: &mut Draft, r: usize) {
        for (at, share) in draft.pools.remove(&r).into_iter().flat_map(|response| response.shares) {
            draft.open[at] = (draft.open[at] + share).min(1.0);
        }
    }

    /// Puts a pool at its best response, to hosted prices or to given ones (then to everything, as if it were first).
    /// Returns whether it serves anything.
    pub(super) fn respond(&mut self, draft: &mut Draft, r: usize, prices: Option<&[f64]>) -> bool {
        Self::remove(draft, r);
        let model = self.model;
        let pool = &model.pools[r];
        if self.node.pools[r] == super::bound::Use::Out {
            return false;
        }
        let (most, always_on) = self.room(draft, r);
        if most == 0 {
            return false;
        }
        let Some((usd, count)) = always_on else { return false };
        let hourly: Vec<f64> = (0..model.slots)
            .map(|t| if self.node.hours[r][t] { pool.hourly[t] } else { f64::INFINITY })
            .collect();
        let least = self.node.least[r].min(count);
        let terms = Terms {
            always_on: usd,
            hourly: &hourly,
            bounds: (least, self.node.most[r].min(count).max(least)),
            most: most.min(pool.most()),
        };
        self.work += (model.slots * (model.classes + 1)) as u64;
        let mut desk = std::mem::take(&mut self.desk);
        let mut response = Response::default();
        let (open, hosted) = (&draft.open, &draft.hosted);
        let worth = |at: usize, part: &mut dyn FnMut(Worth)| match prices {
            Some(prices) => part(Worth { usd: prices[at], open: open[at] }),
            None => self.parts(hosted, at, open[at], part),
        };
        desk.respond(pool, &terms, &worth, &mut response);
        self.desk = desk;
        if response.shares.is_empty() && least == 0 {
            return false;
        }
        for (at, share) in &response.shares {
            draft.open[*at] = (draft.open[*at] - share).max(0.0);
        }
        let any = response.any();
        draft.pools.insert(r, response);
        any
    }

    /// Most instances in any slot that resources leave; and the price and most of always-on ones that the money left
    /// to pay once buys (the cheapest mode that any is left for).
    #[allow(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "counts of instances"
    )]
    fn room(&self, draft: &Draft, r: usize) -> (usize, Option<(f64, usize)>) {
        let (model, pool) = (self.model, &self.model.pools[r]);
        let mut most = pool.most();
        for (k, amount) in &pool.uses {
            let mut peak = 0.0_f64;
            for t in 0..model.slots {
                let used: f64 = draft
                    .pools
                    .iter()
                    .filter(|(_, response)| !response.instances.is_empty())
                    .filter_map(|(other, response)| {
                        let each = model.pools[*other].uses.iter().find(|(at, _)| at == k)?.1;
                        Some(each * response.instances[t] as f64)
                    })
                    .sum();
                peak = peak.max(used);
            }
            most = most.min(((model.limits[*k] - peak) / amount + 1e-9).max(0.0).floor() as usize);
        }
        let left = model.upfront_max.map(|all| all - self.paid_once(draft));
        let best = pool
            .modes
            .iter()
            .map(|(usd, once)| match left {
                Some(left) if *once > 0.0 => (*usd, (left / once + 1e-9).max(0.0).floor() as usize),
                _ => (*usd, most),
            })
            .filter(|(_, count)| *count > 0)
            .min_by(|a, b| a.0.total_cmp(&b.0));
        (most, Some(best.map_or((f64::INFINITY, 0), |(usd, count)| (usd, count.min(most)))))
    }

    /// USD paid once, each pool at its cheapest mode by the month.
    #[allow(clippy::cast_precision_loss, reason = "counts of instances")]
    fn paid_once(&self, draft: &Draft) -> f64 {
        draft
            .pools
            .iter()
            .filter(|(_, response)| response.always_on > 0)
            .map(|(r, response)| {
                let mode = self.model.pools[*r].modes.iter().min_by(|a, b| a.0.total_cmp(&b.0));
                mode.map_or(0.0, |mode| mode.1) * response.always_on as f64
            })
            .sum()
    }
}
