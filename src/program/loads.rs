//! What a program's figures add up to: loads, bills, ranges. Arithmetic over plain data, no decisions.
//!
//! Work that may wait has no load of its own in a slot before it is decided how much is served there. Its shares are
//! therefore of the *most* that may come to a slot; for work that is served at once that is what arrives.

use std::collections::BTreeSet;

use super::{Blend, Goal, Mode, Program};

impl Mode {
    /// USD/month with what was paid once spread over its months.
    #[must_use]
    pub fn cost(&self) -> f64 {
        self.usd_per_month + self.usd_amortised
    }
}

impl Blend {
    /// The class whose capacities, prices and rate limits hold on its way.
    #[must_use]
    pub fn through(&self) -> usize {
        self.through.unwrap_or(self.class)
    }
}

impl Program {
    /// Most requests/s of a class that a slot may have to carry.
    #[must_use]
    pub fn load_max(&self, class: usize, slot: usize) -> f64 {
        self.most_released(class, slot, &self.classes[class].load_rps)
    }

    /// Requests a month of a class at [`Program::load_max`].
    #[must_use]
    pub fn requests_max(&self, class: usize, slot: usize) -> f64 {
        self.most_released(class, slot, &self.classes[class].billed_rps) * 3600.0 * self.slot_hours[slot]
    }

    fn most_released(&self, class: usize, slot: usize, rates: &[f64]) -> f64 {
        let served_in = &self.classes[class].served_in;
        if served_in.is_empty() {
            return rates[slot];
        }
        rates.iter().zip(served_in).filter(|(_, slots)| slots.contains(&slot)).map(|(rate, _)| rate).sum()
    }

    /// For work that may wait, the slots among which all of them may be exchanged: those of the arrivals of a slot, if
    /// the arrivals of each of them may be served in the same. What is served when is then free but for the sum.
    #[must_use]
    pub fn exchanged(&self, class: usize, from: usize) -> Option<Vec<usize>> {
        let served_in = &self.classes[class].served_in;
        let set =
            |slot: usize| served_in.get(slot).map(|slots| slots.iter().copied().collect::<BTreeSet<_>>());
        let own = set(from)?;
        own.iter().all(|slot| set(*slot).as_ref() == Some(&own)).then(|| own.into_iter().collect())
    }

    /// Load of the most of a class in a slot on a pool, in instances; `None` where the pool cannot serve it.
    #[must_use]
    pub fn instances_for(&self, class: usize, pool: usize, slot: usize) -> Option<f64> {
        let pool = &self.pools[pool];
        (pool.capacity[class] > 0.0)
            .then(|| self.load_max(class, slot) / (pool.capacity[class] * f64::from(pool.replicas)))
    }

    /// Bill of the most of a class in a slot at a price per request, USD/month.
    #[must_use]
    pub fn bill(&self, class: usize, slot: usize, usd_per_request: f64) -> f64 {
        usd_per_request * self.requests_max(class, slot)
    }

    /// Requests a month of a class that arrive in a slot.
    #[must_use]
    pub fn requests(&self, class: usize, slot: usize) -> f64 {
        self.classes[class].billed_rps[slot] * 3600.0 * self.slot_hours[slot]
    }

    /// Requests a month of everything.
    #[must_use]
    pub fn all_requests(&self) -> f64 {
        (0..self.classes.len())
            .flat_map(|class| (0..self.slot_hours.len()).map(move |slot| (class, slot)))
            .map(|(class, slot)| self.requests(class, slot))
            .sum()
    }

    /// One over the requests a month of everything; 0 where there are none.
    #[must_use]
    pub fn per_request(&self) -> f64 {
        let all = self.all_requests();
        if all > 0.0 { 1.0 / all } else { 0.0 }
    }

    /// USD a request of a blend costs with all it passes; `None` where a target on its way cannot serve it.
    #[must_use]
    pub fn blend_usd(&self, blend: &Blend) -> Option<f64> {
        let class = blend.through();
        let mut usd = blend.usd_per_request;
        for (r, seen) in &blend.pools {
            let pool = &self.pools[*r];
            if pool.capacity[class] <= 0.0 {
                return None;
            }
            usd += seen * pool.usd_per_request[class];
        }
        for (a, seen) in &blend.hosted {
            usd += seen * self.hosted[*a].usd_per_request[class]?;
        }
        Some(usd)
    }

    /// Part of a request of a blend that counts to the local side.
    #[must_use]
    pub fn blend_local(&self, blend: &Blend) -> f64 {
        let own: f64 = blend.pools.iter().map(|(_, seen)| seen).sum();
        let (engines, cloud) = blend.hosted.iter().fold((0.0, 0.0), |(engines, cloud), (a, seen)| {
            if self.hosted[*a].local { (engines + seen, cloud) } else { (engines, cloud + seen) }
        });
        let local: f64 = own + engines;
        if local + cloud > 0.0 { local / (local + cloud) } else { 0.0 }
    }

    /// True where it is said how much the local side carries or how many replicas it has: then neither side stands for
    /// the other.
    #[must_use]
    pub fn parts_are_set(&self) -> bool {
        self.both_sides_min.is_some() || self.local_share.is_some() || self.replicas.is_some()
    }

    /// The first slot in which most requests/s arrive, over all classes.
    #[must_use]
    pub fn busiest_slot(&self) -> usize {
        let load = |slot: usize| self.classes.iter().map(|class| class.load_rps[slot]).sum::<f64>();
        let slots = 0..self.slot_hours.len();
        slots.fold(0, |most, slot| if load(slot) > load(most) { slot } else { most })
    }

    /// True where redundancy is asked for any class.
    #[must_use]
    pub fn wants_availability(&self) -> bool {
        self.classes.iter().any(|class| class.unavailability_max.is_some())
    }

    /// True where a start is paid.
    #[must_use]
    pub fn pays_starts(&self) -> bool {
        let pool = self.pools.iter().any(|pool| pool.usd_per_hour.is_some() && pool.usd_per_start > 0.0);
        let host = self.hosts.iter().any(|host| host.usd_per_hour.is_some() && host.usd_per_start > 0.0);
        !self.before.is_empty() && (pool || host)
    }

    /// Days a month on which a slot begins.
    #[must_use]
    pub fn starts(&self, slot: usize) -> f64 {
        self.slot_starts.get(slot).copied().unwrap_or(self.slot_hours[slot])
    }

    /// True where the monthly budget is a row; otherwise it is a cutoff on the objective.
    #[must_use]
    pub fn budget_is_row(&self) -> bool {
        let modes =
            self.pools.iter().map(|pool| &pool.modes).chain(self.hosts.iter().map(|host| &host.modes));
        self.usd_per_month_max.is_some()
            && (self.goal == Goal::LeastScore || modes.flatten().any(|mode| mode.usd_amortised > 0.0))
    }

    /// True where the instances of a pool may differ from slot to slot.
    #[must_use]
    pub fn varies(&self, pool: usize) -> bool {
        let pool = &self.pools[pool];
        pool.usd_per_hour.is_some() || (pool.on.is_some() && pool.modes.is_empty())
    }

    /// No plan needs more instances of a pool than these: they carry all there is, with the spares for it, or are as
    /// many as are set.
    #[must_use]
    pub fn instances_max(&self, pool: usize) -> f64 {
        let set = self.replicas.unwrap_or(0).div_ceil(self.pools[pool].replicas.max(1));
        self.instances_needed(pool).max(f64::from(set))
    }

    fn instances_needed(&self, pool: usize) -> f64 {
        let Some(ladder) = &self.pools[pool].ladder else {
            let replicas = f64::from(self.pools[pool].replicas);
            return (self.replicas_max(pool) / replicas)
                .ceil()
                .max(f64::from(self.pools[pool].instances_min));
        };
        let replicas = f64::from(self.pools[pool].replicas);
        let needed = self.replicas_max(pool).min(f64::from(ladder.needed_max.last().copied().unwrap_or(0)));
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "at most a rung of the ladder"
        )]
        let spares = ladder.spares(needed as u32).unwrap_or(0);
        ((needed + f64::from(spares)) / replicas).ceil().max(f64::from(self.pools[pool].instances_min))
    }

    /// No plan needs more instances of a host than these: each pool on it with all its replicas.
    #[must_use]
    pub fn host_instances_max(&self, host: usize) -> f64 {
        let gpus = self.hosts[host].gpus;
        (0..self.pools.len())
            .filter_map(|r| self.pools[r].on.filter(|(at, _)| *at == host).map(|(_, each)| (r, each)))
            .filter(|(_, each)| *each <= gpus)
            .map(|(r, each)| (self.instances_max(r) / (gpus / each).floor()).ceil())
            .sum()
    }

    /// Whole replicas of a pool that carry everything it can serve, in the busiest slot.
    pub(crate) fn replicas_max(&self, pool: usize) -> f64 {
        let carried =
            |slot: usize| (0..self.classes.len()).map(|class| self.most_on(class, pool, slot)).sum::<f64>();
        let most = (0..self.slot_hours.len()).map(carried).fold(0.0, f64::max);
        (most * f64::from(self.pools[pool].replicas)).ceil()
    }

    /// Most instances of a pool that a class may load in a slot, directly or through a blend.
    pub(crate) fn most_on(&self, class: usize, pool: usize, slot: usize) -> f64 {
        let through = self.blends.iter().filter(|blend| blend.class == class).flat_map(|blend| {
            let at = blend.through();
            blend.pools.iter().filter(|(r, _)| *r == pool).map(move |(_, seen)| (at, *seen))
        });
        let target = &self.pools[pool];
        std::iter::once((class, 1.0))
            .chain(through)
            .filter(|(at, _)| target.capacity[*at] > 0.0)
            .map(|(at, seen)| {
                self.load_max(class, slot) * seen / (target.capacity[at] * f64::from(target.replicas))
            })
            .fold(0.0, f64::max)
    }

    /// The same program with only some pools and hosted models, by index; blends that lose a part go. Returns the
    /// blends that stay as well.
    #[must_use]
    pub fn only(&self, pools: &[usize], hosted: &[usize]) -> (Self, Vec<usize>) {
        let place = |kept: &[usize], of: &[(usize, f64)]| -> Option<Vec<(usize, f64)>> {
            of.iter()
                .map(|(at, seen)| Some((kept.iter().position(|other| other == at)?, *seen)))
                .collect::<Option<Vec<_>>>()
        };
        let mut stay = Vec::new();
        let mut blends = Vec::new();
        for (k, blend) in self.blends.iter().enumerate() {
            if let (Some(own), Some(cloud)) = (place(pools, &blend.pools), place(hosted, &blend.hosted)) {
                stay.push(k);
                blends.push(Blend { pools: own, hosted: cloud, ..blend.clone() });
            }
        }
        let mut program = Self {
            pools: pools.iter().map(|r| self.pools[*r].clone()).collect(),
            hosted: hosted.iter().map(|a| self.hosted[*a].clone()).collect(),
            blends,
            ..self.clone()
        };
        for (mean, whole) in program.means.iter_mut().zip(&self.means) {
            mean.local = whole.local.iter().map(|class| pools.iter().map(|r| class[*r]).collect()).collect();
            mean.cloud = whole.cloud.iter().map(|class| hosted.iter().map(|a| class[*a]).collect()).collect();
            mean.blends = stay.iter().map(|k| whole.blends[*k]).collect();
        }
        (program, stay)
    }
}

/// The id of a rule that limits a sum, as rows bear it.
pub(super) fn rule_word(rule: &str) -> &'static str {
    [
        "gpus",
        "owned",
        "power_kw",
        "max_replicas",
        "memory_gib_per_server",
        "rate_limit",
        "quality_mean",
        "carbon",
    ]
    .into_iter()
    .find(|known| *known == rule)
    .unwrap_or("limit")
}
