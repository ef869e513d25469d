//! A solution of a [`Program`], and its own bill and faults: simple code that believes no solver.

use super::{Goal, Program};

/// Values of a program: counts, and shares by class, target and slot.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Point {
    /// Always-on instances by pool and mode.
    pub always_on: Vec<Vec<u32>>,
    /// Further instances by pool and slot.
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
    /// For classes that may wait, share of what arrives in a slot that is served in another: by class, slot of
    /// arrival, slot of service. Empty for a class that is served at once. Shares above are of what is *served* in a
    /// slot.
    pub moved: Vec<Vec<Vec<f64>>>,
}

/// Tolerance on shares and loads, in shares and instances (formulation study §7).
pub const TOLERANCE: f64 = 1e-6;

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
            moved: vec![Vec::new(); classes],
        }
    }

    /// Instances of a pool in a slot.
    #[must_use]
    pub fn instances(&self, pool: usize, slot: usize) -> u32 {
        self.always_on[pool].iter().sum::<u32>() + self.hourly[pool][slot]
    }

    /// True where a pool carries any share.
    #[must_use]
    pub fn uses_pool(&self, pool: usize) -> bool {
        self.local.iter().any(|class| class[pool].iter().any(|share| *share > TOLERANCE))
    }

    /// True where a hosted model carries any share.
    #[must_use]
    pub fn uses_hosted(&self, hosted: usize) -> bool {
        self.cloud.iter().any(|class| class[hosted].iter().any(|share| *share > TOLERANCE))
    }

    /// Drops share dust, gives back instances nobody needs and makes the shares of each slot sum to one.
    #[must_use]
    pub fn tidy(mut self, program: &Program) -> Self {
        let slots = program.slot_hours.len();
        for c in 0..program.classes.len() {
            for t in 0..slots {
                for share in
                    self.local[c].iter_mut().chain(self.cloud[c].iter_mut()).map(|slots| &mut slots[t])
                {
                    if *share < TOLERANCE {
                        *share = 0.0;
                    }
                }
                let sum: f64 = self.local[c].iter().chain(&self.cloud[c]).map(|target| target[t]).sum();
                if sum > 0.0 {
                    for share in self.local[c].iter_mut().chain(self.cloud[c].iter_mut()).map(|s| &mut s[t]) {
                        *share /= sum;
                    }
                }
            }
        }
        for r in 0..program.pools.len() {
            if !self.uses_pool(r) {
                self.always_on[r].iter_mut().for_each(|count| *count = 0);
                self.hourly[r].iter_mut().for_each(|count| *count = 0);
            }
        }
        self
    }

    /// USD/month.
    #[must_use]
    pub fn usd_per_month(&self, program: &Program) -> f64 {
        let mut usd = 0.0;
        for (r, pool) in program.pools.iter().enumerate() {
            for (j, mode) in pool.modes.iter().enumerate() {
                usd += f64::from(self.always_on[r][j]) * mode.usd_per_month;
            }
            for (t, hours) in program.slot_hours.iter().enumerate() {
                usd += f64::from(self.hourly[r][t]) * hours * pool.usd_per_hour.unwrap_or(0.0);
                for c in 0..program.classes.len() {
                    usd += self.local[c][r][t] * program.bill(c, t, pool.usd_per_request[c]);
                }
            }
        }
        for (a, hosted) in program.hosted.iter().enumerate() {
            for t in 0..program.slot_hours.len() {
                for c in 0..program.classes.len() {
                    usd += self.cloud[c][a][t] * program.bill(c, t, hosted.usd_per_request[c].unwrap_or(0.0));
                }
            }
        }
        if (0..program.pools.len()).any(|r| self.uses_pool(r)) {
            usd += program.local_usd_per_month;
        }
        usd
    }

    /// Value of the objective.
    #[must_use]
    pub fn objective(&self, program: &Program) -> f64 {
        match program.goal {
            Goal::Cost => self.usd_per_month(program),
            Goal::LeastScore => {
                let mut sum = 0.0;
                for c in 0..program.classes.len() {
                    for t in 0..program.slot_hours.len() {
                        let requests = program.requests(c, t);
                        for (r, pool) in program.pools.iter().enumerate() {
                            sum += self.local[c][r][t] * pool.score[c] * requests;
                        }
                        for (a, hosted) in program.hosted.iter().enumerate() {
                            sum += self.cloud[c][a][t] * hosted.score[c] * requests;
                        }
                    }
                }
                sum / program.all_requests().max(f64::MIN_POSITIVE)
            }
        }
    }

    /// The first rule this point breaks, if any, beyond [`TOLERANCE`].
    #[must_use]
    pub fn broken_rule(&self, program: &Program) -> Option<&'static str> {
        let slots = program.slot_hours.len();
        for c in 0..program.classes.len() {
            for t in 0..slots {
                let sum: f64 = self.local[c].iter().chain(&self.cloud[c]).map(|target| target[t]).sum();
                // Served in full, and only once: the bill of a request answered twice is not the bill shown.
                if program.classes[c].load_rps[t] > 0.0 && (sum - 1.0).abs() > TOLERANCE {
                    return Some("demand");
                }
                for (a, hosted) in program.hosted.iter().enumerate() {
                    let share = self.cloud[c][a][t];
                    if share > 0.0
                        && (hosted.usd_per_request[c].is_none()
                            || share * program.classes[c].load_rps[t]
                                > hosted.rate_rps[c] * (1.0 + TOLERANCE))
                    {
                        return Some("rate_limit");
                    }
                }
            }
        }
        for (r, pool) in program.pools.iter().enumerate() {
            for t in 0..slots {
                if self.hourly[r][t] > 0 && pool.usd_per_hour.is_none() {
                    return Some("capacity"); // nobody sells these hours
                }
                let mut load = 0.0;
                for c in 0..program.classes.len() {
                    if self.local[c][r][t] > 0.0 {
                        let Some(each) = program.instances_for(c, r, t) else { return Some("capacity") };
                        load += each * self.local[c][r][t];
                    }
                }
                let replicas = f64::from(self.instances(r, t) * pool.replicas);
                let needed = load * f64::from(pool.replicas);
                if needed > replicas + TOLERANCE * f64::from(pool.replicas) {
                    return Some("capacity");
                }
                if let Some(ladder) = &pool.ladder {
                    let whole = (needed - TOLERANCE * 10.0).ceil().max(0.0);
                    #[allow(
                        clippy::cast_possible_truncation,
                        clippy::cast_sign_loss,
                        reason = "a count of replicas"
                    )]
                    let enough = ladder
                        .spares(whole as u32)
                        .is_some_and(|spares| whole + f64::from(spares) <= replicas + TOLERANCE);
                    if whole > 0.0 && !enough {
                        return Some("availability");
                    }
                }
            }
        }
        self.broken_limit(program)
    }

    fn broken_limit(&self, program: &Program) -> Option<&'static str> {
        let slots = program.slot_hours.len();
        for (k, resource) in program.resources.iter().enumerate() {
            for t in 0..slots {
                let used: f64 = program
                    .pools
                    .iter()
                    .enumerate()
                    .flat_map(|(r, pool)| {
                        pool.uses
                            .iter()
                            .filter(move |(at, _)| *at == k)
                            .map(move |(_, amount)| f64::from(self.instances(r, t)) * amount)
                    })
                    .sum();
                if used > resource.limit * (1.0 + TOLERANCE) + TOLERANCE {
                    return Some("limit");
                }
            }
        }
        if let Some(most) = program.usd_upfront_max {
            let paid: f64 = program
                .pools
                .iter()
                .zip(&self.always_on)
                .flat_map(|(pool, counts)| pool.modes.iter().zip(counts))
                .map(|(mode, count)| mode.usd_upfront * f64::from(*count))
                .sum();
            if paid > most * (1.0 + TOLERANCE) + TOLERANCE {
                return Some("usd_upfront");
            }
        }
        if let Some(most) = program.usd_per_month_max
            && self.usd_per_month(program) > most * (1.0 + TOLERANCE) + TOLERANCE
        {
            return Some("usd_per_month");
        }
        if let Some(most) = program.deployments_max
            && self.deployments(program) > most as usize
        {
            return Some("max_deployments");
        }
        for (c, class) in program.classes.iter().enumerate() {
            if let Some(most) = class.unavailability_max
                && self.unavailability(program, c) > most * (1.0 + 1e-6)
            {
                return Some("availability");
            }
        }
        if let Some(least) = program.both_sides_min {
            let all = program.all_requests().max(f64::MIN_POSITIVE);
            for side in [&self.local, &self.cloud] {
                let carried: f64 = side
                    .iter()
                    .enumerate()
                    .flat_map(|(c, targets)| {
                        targets.iter().flat_map(move |slots| {
                            slots
                                .iter()
                                .enumerate()
                                .map(move |(t, share)| share * program.requests(c, t) / all)
                        })
                    })
                    .sum();
                if carried < least - 10.0 * TOLERANCE {
                    return Some("routing");
                }
            }
        }
        None
    }

    /// Distinct pools and hosted models in use.
    #[must_use]
    pub fn deployments(&self, program: &Program) -> usize {
        let local = (0..program.pools.len()).filter(|r| self.uses_pool(*r)).flat_map(|r| {
            let pool = &program.pools[r];
            std::iter::once((false, pool.deployment)).chain(pool.behind.iter().map(|member| (true, *member)))
        });
        let cloud = (0..program.hosted.len())
            .filter(|a| self.uses_hosted(*a))
            .flat_map(|a| program.hosted[a].deployments.iter().map(|member| (true, *member)));
        local.chain(cloud).collect::<std::collections::BTreeSet<_>>().len()
    }

    /// Sum of the unavailabilities of a class's routes.
    fn unavailability(&self, program: &Program, class: usize) -> f64 {
        let mut sum = 0.0;
        for (r, pool) in program.pools.iter().enumerate() {
            if self.local[class][r].iter().any(|share| *share > TOLERANCE) {
                let most = (0..program.slot_hours.len()).map(|t| self.instances(r, t)).max().unwrap_or(0);
                sum += pool.unavailability
                    + pool.unavailability_per_replica * f64::from(most) * f64::from(pool.replicas);
            }
        }
        for (a, hosted) in program.hosted.iter().enumerate() {
            if self.cloud[class][a].iter().any(|share| *share > TOLERANCE) {
                sum += hosted.unavailability;
            }
        }
        sum
    }
}
