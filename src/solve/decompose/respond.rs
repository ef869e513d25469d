//! The best response of one pool alone: how many always-on instances and how many in each slot, in closed form.
//!
//! In: what a served share of each class in each slot is worth, how much of it is open, prices and bounds of the
//! counts. Out: the gain (worth less cost), the counts and the shares.
//!
//! In a slot the open shares are filled in the order of worth per instance, so the worth of N instances is
//! V_t(carries(N)), V_t concave and piecewise linear. With n always on, the slot buys further instances while they pay,
//! F_t(n) = max_m V_t(carries(n + m)) - m h_t, and the pool's gain is max_n sum_t F_t(n) - c n. This is the break-even
//! rule of hybrid plans: worth of the n-th replica against its price. The same closed form prices patterns (worth =
//! multipliers, all open) and local moves (worth = hosted price, open = what others leave).

use super::model::PoolModel;

/// What a part of a class is worth.
#[derive(Debug, Clone, Copy)]
pub(super) struct Worth {
    /// USD/month for the whole class.
    pub(super) usd: f64,
    /// Part of the class that is open at this worth.
    pub(super) open: f64,
}

/// Calls back with each part of a class and slot.
pub(super) type Worths<'a> = dyn Fn(usize, &mut dyn FnMut(Worth)) + 'a;

/// Prices and bounds of one pool's counts.
#[derive(Debug, Clone, Copy)]
pub(super) struct Terms<'a> {
    /// USD/month of an always-on instance; infinite where none is sold.
    pub(super) always_on: f64,
    /// USD/month of an instance in one slot.
    pub(super) hourly: &'a [f64],
    /// Fewest and most always-on instances.
    pub(super) bounds: (usize, usize),
    /// Most instances in any slot.
    pub(super) most: usize,
}

/// What a pool does.
#[derive(Debug, Clone, Default)]
pub(super) struct Response {
    /// Worth less cost.
    pub(super) gain: f64,
    /// Always-on instances.
    pub(super) always_on: usize,
    /// Instances by slot, always-on ones among them.
    pub(super) instances: Vec<usize>,
    /// Class and slot, share.
    pub(super) shares: Vec<(usize, f64)>,
}

impl Response {
    /// Does it have instances?
    pub(super) fn any(&self) -> bool {
        self.instances.iter().any(|n| *n > 0)
    }

    fn clear(&mut self) {
        self.gain = 0.0;
        self.always_on = 0;
        self.instances.clear();
        self.shares.clear();
    }
}

/// Room to work in, kept between calls.
#[derive(Debug, Default)]
pub(super) struct Desk {
    /// By slot, (worth per instance, load, class and slot, load of the whole class), dearest first.
    fills: Vec<(f64, f64, usize, f64)>,
    /// Where a slot's fills begin.
    starts: Vec<usize>,
    /// Worth by slot and instances; after `best_hours`, less the hours bought.
    value: Vec<f64>,
    /// Where a slot's values begin.
    values_at: Vec<usize>,
    /// Values worked out so far.
    pub(super) work: u64,
}

impl Desk {
    /// Sorts what is open on a pool by worth per instance. `worth` names the parts of one class and slot.
    fn open(&mut self, pool: &PoolModel, worth: &Worths<'_>) {
        self.fills.clear();
        self.starts.clear();
        for items in &pool.items {
            let start = self.fills.len();
            self.starts.push(start);
            for item in items {
                worth(item.at, &mut |part| {
                    let gain = part.usd - item.usd;
                    if gain > 0.0 && part.open > 0.0 {
                        self.fills.push((gain / item.load, item.load * part.open, item.at, item.load));
                    }
                });
            }
            self.fills[start..].sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.2.cmp(&b.2)));
        }
        self.starts.push(self.fills.len());
    }

    fn slot(&self, t: usize) -> &[(f64, f64, usize, f64)] {
        &self.fills[self.starts[t]..self.starts[t + 1]]
    }

    /// Can no count of this pool pay? Worth of N instances is at most N times that of the first.
    fn hopeless(&self, terms: &Terms<'_>) -> bool {
        let mut sum = 0.0;
        for (t, hourly) in terms.hourly.iter().enumerate() {
            let mut left = 1.0;
            let mut first = 0.0;
            for (dense, load, ..) in self.slot(t) {
                let part = load.min(left);
                first += dense * part;
                left -= part;
                if left <= 0.0 {
                    break;
                }
            }
            if first > *hourly {
                return false;
            }
            sum += first;
        }
        sum <= terms.always_on
    }

    /// Fills `value` with F_t(n) for n = 0 ..= the last instance that can pay. Where each instance is worth no more than
    /// the one before, the table ends once the last one pays in no slot alone nor around the clock.
    fn best_hours_that_pay(&mut self, pool: &PoolModel, terms: &Terms<'_>) {
        let mut upto = 16.max(2 * terms.bounds.0);
        while pool.plain && upto < terms.most {
            if self.best_hours(pool, terms, upto) {
                return;
            }
            upto *= 4;
        }
        self.best_hours(pool, terms, terms.most);
    }

    /// Fills `value` with F_t(n) for n = 0 ..= `upto` or the instances that carry all there is. Returns whether the last
    /// instance pays nowhere.
    fn best_hours(&mut self, pool: &PoolModel, terms: &Terms<'_>, upto: usize) -> bool {
        let (mut around, mut pays) = (0.0, false);
        self.value.clear();
        self.values_at.clear();
        for (t, hourly) in terms.hourly.iter().enumerate() {
            let start = self.value.len();
            self.values_at.push(start);
            let fills = &self.fills[self.starts[t]..self.starts[t + 1]];
            let (mut at, mut used, mut carried, mut worth) = (0, 0.0, 0.0, 0.0);
            for carries in &pool.carries[..=upto] {
                while at < fills.len() && carried < *carries {
                    let part = (fills[at].1 - used).min(carries - carried);
                    worth += fills[at].0 * part;
                    carried += part;
                    used += part;
                    if used >= fills[at].1 {
                        at += 1;
                        used = 0.0;
                    }
                }
                self.value.push(worth);
                if at == fills.len() {
                    break;
                }
            }
            let values = &mut self.value[start..];
            if values.len() > upto
                && let [.., before, last] = values
            {
                pays |= *last - *before > *hourly;
                around += (*last - *before).min(*hourly);
            }
            for n in (1..values.len()).rev() {
                values[n - 1] = values[n - 1].max(values[n] - hourly);
            }
        }
        self.values_at.push(self.value.len());
        self.work += self.value.len() as u64;
        !pays && around <= terms.always_on
    }

    /// F_t(n).
    fn best(&self, t: usize, n: usize) -> f64 {
        let (start, end) = (self.values_at[t], self.values_at[t + 1]);
        self.value[(start + n).min(end - 1)]
    }

    /// Gain with n instances always on.
    #[allow(clippy::cast_precision_loss, reason = "a count of instances")]
    fn gain(&self, terms: &Terms<'_>, n: usize) -> f64 {
        let hours: f64 = (0..terms.hourly.len()).map(|t| self.best(t, n)).sum();
        if n == 0 { hours } else { hours - terms.always_on * n as f64 }
    }

    /// Instances beyond which no slot has anything left to serve.
    fn enough(&self) -> usize {
        self.values_at.windows(2).map(|pair| pair[1] - pair[0] - 1).max().unwrap_or(0)
    }

    /// The best response.
    pub(super) fn respond(
        &mut self,
        pool: &PoolModel,
        terms: &Terms<'_>,
        worth: &Worths<'_>,
        out: &mut Response,
    ) {
        out.clear();
        self.open(pool, worth);
        let (least, most) = terms.bounds;
        if least == 0 && self.hopeless(terms) {
            return;
        }
        self.best_hours_that_pay(pool, terms);
        let last = self.enough().min(most).max(least);
        let mut best = least;
        let mut gain = self.gain(terms, least);
        if terms.always_on.is_finite() {
            for n in least + 1..=last {
                let now = self.gain(terms, n);
                if now > gain {
                    (gain, best) = (now, n);
                }
            }
        }
        out.gain = gain;
        out.always_on = best;
        for (t, hourly) in terms.hourly.iter().enumerate() {
            let mut instances = best;
            let end = self.values_at[t + 1] - self.values_at[t] - 1;
            // Buy while the value after buying is what the table holds.
            while instances < end && self.best(t, instances + 1) - hourly >= self.best(t, instances) {
                instances += 1;
            }
            out.instances.push(instances);
            let mut left = pool.carries[instances.min(terms.most)];
            for (_, load, at, whole) in &self.fills[self.starts[t]..self.starts[t + 1]] {
                if left <= 0.0 {
                    break;
                }
                let part = load.min(left);
                left -= part;
                out.shares.push((*at, part / whole));
            }
        }
    }

    /// After `respond` with these terms or a fresh `profile`: gains by count of always-on instances, 0 ..= `upto`.
    pub(super) fn profile(&mut self, pool: &PoolModel, terms: &Terms<'_>, worth: &Worths<'_>) -> Profile {
        self.open(pool, worth);
        self.best_hours(pool, terms, terms.most);
        let most = if terms.always_on.is_finite() { terms.bounds.1 } else { 0 };
        let by_count: Vec<f64> = (0..=most).map(|n| self.gain(terms, n)).collect();
        // The best gain with at least one instance bought in a slot alone.
        let (least, last) = (terms.bounds.0, most.max(terms.bounds.0));
        let with_hours = (0..terms.hourly.len())
            .map(|t| {
                let hourly = terms.hourly[t];
                (least..=last)
                    .filter(|n| *n < terms.most)
                    .map(|n| self.gain(terms, n) - self.best(t, n) + self.best(t, n + 1) - hourly)
                    .fold(f64::NEG_INFINITY, f64::max)
            })
            .collect();
        Profile { by_count, with_hours }
    }
}

/// What a pool gains under each decision.
#[derive(Debug, Clone)]
pub(super) struct Profile {
    /// By always-on instances.
    pub(super) by_count: Vec<f64>,
    /// By slot, with an instance bought there alone.
    pub(super) with_hours: Vec<f64>,
}
