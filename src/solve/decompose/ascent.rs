//! Raises the pattern bound: a deflected subgradient with Polyak steps, scaled by the prices themselves.
//!
//! In: a box, prices to begin with, a target. Out: the best prices and bound found. Demand is measured in shares, so the
//! price of a share is the right metric: a step moves all prices by about the same factor.

use super::bound::{Bound, Bounder, Prices, Space};
use super::model::Model;

/// How to climb.
#[derive(Debug, Clone, Copy)]
pub(super) struct Climb {
    /// First step length, relative to Polyak's.
    pub(super) theta: f64,
    /// Evaluations.
    pub(super) steps: usize,
    /// A bound this high settles the matter.
    pub(super) enough: f64,
    /// Value aimed at: the best plan known, or a guess above the bound.
    pub(super) target: f64,
}

/// What a climb found.
#[derive(Debug, Clone)]
pub(super) struct Peak {
    /// Best bound.
    pub(super) value: f64,
    /// Its prices.
    pub(super) prices: Prices,
    /// Always-on instances of each pool, averaged over the later steps.
    pub(super) always_on: Vec<f64>,
    /// Is each pool and each hosted model chosen? Averaged likewise.
    pub(super) pools: Vec<f64>,
    /// Likewise.
    pub(super) hosted: Vec<f64>,
}

/// Weight of the new subgradient in the direction (Camerini, Fratta and Maffioli 1975 deflect likewise).
const FRESH: f64 = 0.3;
/// Steps without a better bound after which the step is cut.
const STALL: usize = 15;
/// The cut.
const CUT: f64 = 0.6;
/// Weight of a new response in the averages.
const AVERAGE: f64 = 0.08;

/// First prices: what the cheapest target would take if instances could be split.
pub(super) fn first_prices(model: &Model, bounder: &Bounder<'_>) -> Prices {
    let mut demand = vec![f64::INFINITY; model.asked.len()];
    for (at, segments) in model.hosted.iter().enumerate() {
        if let Some(segment) = segments.first() {
            demand[at] = segment.usd;
        }
    }
    for (r, pool) in model.pools.iter().enumerate() {
        #[allow(clippy::cast_precision_loss, reason = "a few slots")]
        let around = bounder.mode(r, 0.0).map_or(f64::INFINITY, |(_, usd)| usd / model.slots as f64);
        for (t, items) in pool.items.iter().enumerate() {
            for item in items {
                let usd = item.usd + item.load * around.min(pool.hourly[t]);
                demand[item.at] = demand[item.at].min(usd);
            }
        }
    }
    for usd in &mut demand {
        if !usd.is_finite() {
            *usd = 0.0;
        }
    }
    Prices { demand, resource: vec![0.0; model.limits.len() * model.slots], upfront: 0.0 }
}

/// Metric of the steps, and the most a price is worth raising to.
pub(super) struct Scale {
    demand: Vec<f64>,
    resource: Vec<f64>,
    cap: Vec<f64>,
}

impl Scale {
    pub(super) fn new(model: &Model, first: &Prices) -> Self {
        // Where any count of deployments may be used, nobody pays more than an unlimited hosted model asks.
        let unlimited = |at: usize| {
            model.hosted[at].iter().find(|segment| segment.most >= 1.0).map_or(f64::INFINITY, |s| s.usd)
        };
        let cap = (0..model.asked.len())
            .map(|at| if model.deployments_max.is_none() { unlimited(at) } else { f64::INFINITY })
            .collect();
        let resource = (0..model.limits.len()).map(|k| {
            let each = |pool: &super::model::PoolModel| {
                let amount = pool.uses.iter().find(|(at, _)| *at == k)?.1;
                let usd = pool.modes.iter().map(|mode| mode.0).fold(f64::INFINITY, f64::min);
                let hours: f64 = pool.hourly.iter().sum();
                #[allow(clippy::cast_precision_loss, reason = "a few slots")]
                let slots = model.slots as f64;
                Some(0.05 * usd.min(hours) / slots / amount)
            };
            model.pools.iter().filter_map(each).fold(f64::INFINITY, f64::min)
        });
        Self {
            demand: first.demand.iter().map(|usd| 0.05 * usd).collect(),
            resource: resource.map(|usd| if usd.is_finite() { usd } else { 0.0 }).collect(),
            cap,
        }
    }
}

impl Scale {
    /// Metric of the price at an index into demands, resources and upfront money, in this order.
    fn metric(&self, slots: usize, now: &Prices, i: usize) -> f64 {
        match i.checked_sub(now.demand.len()) {
            None => now.demand[i].max(self.demand[i]),
            Some(k) if k < now.resource.len() => now.resource[k].max(self.resource[k / slots]),
            Some(_) => now.upfront.max(UPFRONT),
        }
    }

    /// Size of a direction, those parts left out that a limit of the prices stops.
    fn norm(&self, slots: usize, now: &Prices, direction: &[f64]) -> f64 {
        let part = |(i, along): (usize, &f64)| {
            let at_rest = match i.checked_sub(now.demand.len()) {
                None => *along > 0.0 && now.demand[i] >= self.cap[i],
                Some(k) if k < now.resource.len() => *along < 0.0 && now.resource[k] <= 0.0,
                Some(_) => *along < 0.0 && now.upfront <= 0.0,
            };
            if at_rest { 0.0 } else { self.metric(slots, now, i) * along * along }
        };
        direction.iter().enumerate().map(part).sum()
    }

    /// Moves the prices along a direction, within their limits.
    fn step(&self, slots: usize, now: &mut Prices, direction: &[f64], length: f64) {
        for (i, along) in direction.iter().enumerate() {
            let step = length * self.metric(slots, now, i) * along;
            match i.checked_sub(now.demand.len()) {
                None => now.demand[i] = (now.demand[i] + step).clamp(0.0, self.cap[i]),
                Some(k) if k < now.resource.len() => now.resource[k] = (now.resource[k] + step).max(0.0),
                Some(_) => now.upfront = (now.upfront + step).max(0.0),
            }
        }
    }
}

/// Least metric of the price of upfront money, USD/month of a USD: what prepaying saves is of this order.
const UPFRONT: f64 = 0.01;

/// Raises the bound of a box.
pub(super) fn climb(
    bounder: &mut Bounder<'_>,
    node: &Space,
    from: &Prices,
    scale: &Scale,
    how: Climb,
    visit: &mut dyn FnMut(usize, &Bound, &Prices),
) -> Peak {
    let model = bounder.model;
    let slots = model.slots;
    let mut now = from.clone();
    let mut bound = Bound::default();
    bounder.evaluate(node, &now, &mut bound);
    let mut peak = Peak {
        value: bound.value,
        prices: now.clone(),
        always_on: count(&bound),
        pools: chosen(&bound.chosen),
        hosted: chosen(&bound.hosted_chosen),
    };
    let mut direction = vec![0.0; now.demand.len() + now.resource.len() + 1];
    let (mut theta, mut stalled) = (how.theta, 0);
    for step in 0..how.steps {
        if peak.value >= how.enough || !bound.value.is_finite() {
            break;
        }
        // Where the slope is zero the bound is met by a plan.
        let slopes = bound.short.iter().chain(&bound.over).chain(std::iter::once(&bound.over_upfront));
        for (direction, slope) in direction.iter_mut().zip(slopes) {
            *direction = if step == 0 { *slope } else { (1.0 - FRESH) * *direction + FRESH * slope };
        }
        let norm = scale.norm(slots, &now, &direction);
        if norm <= 1e-12 * how.target.abs() {
            break;
        }
        let length = theta * (how.target - bound.value).max(1e-4 * how.target.abs()) / norm;
        scale.step(slots, &mut now, &direction, length);
        bounder.evaluate(node, &now, &mut bound);
        average(&mut peak.always_on, &count(&bound));
        average(&mut peak.pools, &chosen(&bound.chosen));
        average(&mut peak.hosted, &chosen(&bound.hosted_chosen));
        visit(step, &bound, &now);
        if bound.value > peak.value + 1e-9 * peak.value.abs() {
            peak.value = bound.value;
            peak.prices.clone_from(&now);
            stalled = 0;
        } else {
            stalled += 1;
            if stalled >= STALL {
                (theta, stalled) = (theta * CUT, 0);
                now.clone_from(&peak.prices);
                bounder.evaluate(node, &now, &mut bound);
            }
        }
    }
    peak
}

#[allow(clippy::cast_precision_loss, reason = "counts of instances")]
fn count(bound: &Bound) -> Vec<f64> {
    bound
        .responses
        .iter()
        .zip(&bound.chosen)
        .map(|(response, chosen)| if *chosen { response.always_on as f64 } else { 0.0 })
        .collect()
}

fn chosen(chosen: &[bool]) -> Vec<f64> {
    chosen.iter().map(|chosen| f64::from(u8::from(*chosen))).collect()
}

fn average(mean: &mut [f64], new: &[f64]) {
    for (mean, new) in mean.iter_mut().zip(new) {
        *mean += AVERAGE * (new - *mean);
    }
}
