//! A solution of a [`Program`]: simple code that believes no solver.
//!
//! Shares are of what is *served* in a slot. For work that may wait that is what the point itself releases there, so
//! rates and requests are asked of the point ([`Point::load`], [`Point::requests`]), not of the program.

use super::Program;

/// Values of a program: counts, and shares by class, target and slot.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Point {
    /// Always-on instances by pool and mode.
    pub always_on: Vec<Vec<u32>>,
    /// Further instances by pool and slot; all replicas of a pool whose replicas stand on a host.
    pub hourly: Vec<Vec<u32>>,
    /// Share by class, pool, slot.
    pub local: Vec<Vec<Vec<f64>>>,
    /// Share by class, hosted model, slot.
    pub cloud: Vec<Vec<Vec<f64>>>,
    /// Share of its class by blend and slot.
    pub blends: Vec<Vec<f64>>,
    /// Always-on instances by host and mode.
    pub host_always_on: Vec<Vec<u32>>,
    /// Further instances by host and slot.
    pub host_hourly: Vec<Vec<u32>>,
    /// For classes that may wait, share of what arrives in a slot that is served in each slot, its own among them: by
    /// class, slot of arrival, slot of service. Empty for a class that is served at once. Shares above are of what is
    /// *served* in a slot.
    pub moved: Vec<Vec<Vec<f64>>>,
}

/// Tolerance on shares and loads, in shares and instances (formulation study §7).
pub const TOLERANCE: f64 = 1e-6;
/// Less than this of what arrives in a slot is not moved: solver dust. Smaller than [`TOLERANCE`], since up to a day of
/// such dust meets in one slot.
const MOVED_MIN: f64 = 1e-9;

impl Point {
    /// Nothing bought, nothing served.
    #[must_use]
    pub fn nothing(program: &Program) -> Self {
        let (slots, classes) = (program.slot_hours.len(), program.classes.len());
        Self {
            always_on: program.pools.iter().map(|pool| vec![0; pool.modes.len()]).collect(),
            hourly: vec![vec![0; slots]; program.pools.len()],
            local: vec![vec![vec![0.0; slots]; program.pools.len()]; classes],
            cloud: vec![vec![vec![0.0; slots]; program.hosted.len()]; classes],
            blends: vec![vec![0.0; slots]; program.blends.len()],
            host_always_on: program.hosts.iter().map(|host| vec![0; host.modes.len()]).collect(),
            host_hourly: vec![vec![0; slots]; program.hosts.len()],
            moved: program
                .classes
                .iter()
                .map(|class| vec![vec![0.0; slots]; class.served_in.len()])
                .collect(),
        }
    }

    /// Instances of a pool in a slot.
    #[must_use]
    pub fn instances(&self, pool: usize, slot: usize) -> u32 {
        self.always_on[pool].iter().sum::<u32>() + self.hourly[pool][slot]
    }

    /// Instances of a host in a slot.
    #[must_use]
    pub fn host_instances(&self, host: usize, slot: usize) -> u32 {
        self.host_always_on[host].iter().sum::<u32>() + self.host_hourly[host][slot]
    }

    /// Requests/s of a class that a slot must be able to carry.
    #[must_use]
    pub fn load(&self, program: &Program, class: usize, slot: usize) -> f64 {
        self.released(class, slot, &program.classes[class].load_rps)
    }

    /// Requests a month of a class that are served in a slot.
    #[must_use]
    pub fn requests(&self, program: &Program, class: usize, slot: usize) -> f64 {
        self.released(class, slot, &program.classes[class].billed_rps) * 3600.0 * program.slot_hours[slot]
    }

    /// Of rates by slot of arrival, what is served in a slot.
    fn released(&self, class: usize, slot: usize, rates: &[f64]) -> f64 {
        match self.moved.get(class) {
            Some(moved) if !moved.is_empty() => {
                rates.iter().zip(moved).map(|(rate, to)| rate * to[slot]).sum()
            }
            _ => rates[slot],
        }
    }

    /// Requests a class sends to a pool for one request of its own in a slot, with the class whose capacity holds.
    pub(super) fn sent_to_pool<'p>(
        &'p self,
        program: &'p Program,
        class: usize,
        pool: usize,
        slot: usize,
    ) -> impl Iterator<Item = (usize, f64)> + 'p {
        let blends = program.blends.iter().zip(&self.blends).filter(move |(blend, _)| blend.class == class);
        let through = blends.flat_map(move |(blend, shares)| {
            let seen = blend.pools.iter().filter(move |(r, _)| *r == pool);
            seen.map(move |(_, seen)| (blend.through(), seen * shares[slot]))
        });
        std::iter::once((class, self.local[class][pool][slot]))
            .chain(through)
            .filter(|(_, share)| *share > 0.0)
    }

    /// The same for a hosted model.
    pub(super) fn sent_to_hosted<'p>(
        &'p self,
        program: &'p Program,
        class: usize,
        hosted: usize,
        slot: usize,
    ) -> impl Iterator<Item = (usize, f64)> + 'p {
        let blends = program.blends.iter().zip(&self.blends).filter(move |(blend, _)| blend.class == class);
        let through = blends.flat_map(move |(blend, shares)| {
            let seen = blend.hosted.iter().filter(move |(a, _)| *a == hosted);
            seen.map(move |(_, seen)| (blend.through(), seen * shares[slot]))
        });
        std::iter::once((class, self.cloud[class][hosted][slot]))
            .chain(through)
            .filter(|(_, share)| *share > 0.0)
    }

    /// True where a class loads a pool, directly or through a blend.
    pub(super) fn class_on_pool(&self, program: &Program, class: usize, pool: usize) -> bool {
        let slots = 0..program.slot_hours.len();
        slots
            .into_iter()
            .any(|t| self.sent_to_pool(program, class, pool, t).any(|(_, share)| share > TOLERANCE))
    }

    /// True where a class loads a hosted model, directly or through a blend.
    pub(super) fn class_on_hosted(&self, program: &Program, class: usize, hosted: usize) -> bool {
        let slots = 0..program.slot_hours.len();
        slots
            .into_iter()
            .any(|t| self.sent_to_hosted(program, class, hosted, t).any(|(_, share)| share > TOLERANCE))
    }

    /// True where a pool carries any share.
    #[must_use]
    pub fn uses_pool(&self, program: &Program, pool: usize) -> bool {
        (0..program.classes.len()).any(|class| self.class_on_pool(program, class, pool))
    }

    /// True where a hosted model carries any share.
    #[must_use]
    pub fn uses_hosted(&self, program: &Program, hosted: usize) -> bool {
        (0..program.classes.len()).any(|class| self.class_on_hosted(program, class, hosted))
    }

    /// True where anything of the local side carries any share.
    #[must_use]
    pub fn uses_local(&self, program: &Program) -> bool {
        (0..program.pools.len()).any(|r| self.uses_pool(program, r))
            || (0..program.hosted.len()).any(|a| program.hosted[a].local && self.uses_hosted(program, a))
    }

    /// Load of a pool in a slot, in replicas; `None` where it is sent what it cannot serve.
    #[must_use]
    pub fn replicas_loaded(&self, program: &Program, pool: usize, slot: usize) -> Option<f64> {
        let mut load = 0.0;
        for class in 0..program.classes.len() {
            for (through, share) in self.sent_to_pool(program, class, pool, slot) {
                let capacity = program.pools[pool].capacity[through];
                if capacity <= 0.0 {
                    return None;
                }
                load += share * self.load(program, class, slot) / capacity;
            }
        }
        Some(load)
    }

    /// Replicas a load needs, and the spares for them; `None` beyond the ladder of the pool.
    #[must_use]
    pub fn replicas_needed(&self, program: &Program, pool: usize, slot: usize) -> Option<(u32, u32)> {
        let whole = (self.replicas_loaded(program, pool, slot)? - TOLERANCE * 10.0).ceil().max(0.0);
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count of replicas")]
        let whole = whole as u32;
        let spares = program.pools[pool].ladder.as_ref().map_or(Some(0), |ladder| ladder.spares(whole))?;
        Some((whole, spares))
    }

    /// Drops share dust, gives back instances nobody needs and makes the shares of each slot sum to one.
    #[must_use]
    pub fn tidy(mut self, program: &Program) -> Self {
        for slots in self.moved.iter_mut().flatten() {
            slots.iter_mut().filter(|share| **share < MOVED_MIN).for_each(|share| *share = 0.0);
            let sum: f64 = slots.iter().sum();
            if sum > 0.0 {
                slots.iter_mut().for_each(|share| *share /= sum);
            }
        }
        for c in 0..program.classes.len() {
            for t in 0..program.slot_hours.len() {
                let idle = self.idle(program, c, t);
                let mut sum = 0.0;
                for share in self.shares_mut(program, c, t) {
                    if *share < TOLERANCE || idle {
                        *share = 0.0;
                    }
                    sum += *share;
                }
                if sum > 0.0 {
                    self.shares_mut(program, c, t).for_each(|share| *share /= sum);
                }
            }
        }
        // Where the number of replicas is set, idle ones may be among them.
        let pools = if program.replicas.is_some() { 0 } else { program.pools.len() };
        for r in 0..pools {
            if !self.uses_pool(program, r) {
                self.always_on[r].fill(0);
                self.hourly[r].fill(0);
            } else if program.pools[r].on.is_some() {
                self.give_back(program, r);
            }
        }
        let hosts = if program.replicas.is_some() { 0 } else { program.hosts.len() };
        for h in 0..hosts {
            let on = |r: usize| program.pools[r].on.is_some_and(|(host, _)| host == h);
            if !(0..program.pools.len()).any(|r| on(r) && self.uses_pool(program, r)) {
                self.host_always_on[h].fill(0);
                self.host_hourly[h].fill(0);
            }
        }
        self
    }

    /// Replicas on a host cost nothing, so a solver may leave more than there is use for.
    fn give_back(&mut self, program: &Program, r: usize) {
        let least = program.pools[r].instances_min;
        let needed: Vec<u32> = (0..program.slot_hours.len())
            .map(|t| {
                let needed =
                    self.replicas_needed(program, r, t).map(|(whole, spares)| (whole + spares).max(least));
                needed.unwrap_or(u32::MAX).min(self.instances(r, t))
            })
            .collect();
        if program.varies(r) {
            self.hourly[r] = needed;
        } else if let Some(count) = self.always_on[r].first_mut() {
            *count = needed.into_iter().max().unwrap_or(*count);
        }
    }

    /// True where work that may wait is (but for dust) not served in a slot.
    pub(super) fn idle(&self, program: &Program, class: usize, slot: usize) -> bool {
        !program.classes[class].served_in.is_empty()
            && self.load(program, class, slot) <= TOLERANCE * program.load_max(class, slot)
    }

    /// All shares of a class in a slot.
    fn shares_mut<'p>(
        &'p mut self,
        program: &'p Program,
        class: usize,
        slot: usize,
    ) -> impl Iterator<Item = &'p mut f64> + 'p {
        let blends =
            self.blends.iter_mut().zip(&program.blends).filter(move |(_, blend)| blend.class == class);
        let direct = self.local[class].iter_mut().chain(self.cloud[class].iter_mut());
        direct.chain(blends.map(|(shares, _)| shares)).map(move |shares| &mut shares[slot])
    }

    /// Distinct pools and hosted models in use.
    #[must_use]
    pub fn deployments(&self, program: &Program) -> usize {
        let local = (0..program.pools.len()).filter(|r| self.uses_pool(program, *r)).flat_map(|r| {
            let pool = &program.pools[r];
            std::iter::once((false, pool.deployment)).chain(pool.behind.iter().map(|member| (true, *member)))
        });
        let cloud = (0..program.hosted.len())
            .filter(|a| self.uses_hosted(program, *a))
            .flat_map(|a| program.hosted[a].deployments.iter().map(|member| (true, *member)));
        local.chain(cloud).collect::<std::collections::BTreeSet<_>>().len()
    }
}
