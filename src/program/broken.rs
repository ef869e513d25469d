//! The first rule a point breaks: the check of what a solver returns, by simple code that shares nothing with the rows.

use super::point::TOLERANCE;
use super::{Point, Program};

impl Point {
    /// The first rule this point breaks, if any, beyond [`TOLERANCE`].
    #[must_use]
    pub fn broken_rule(&self, program: &Program) -> Option<&'static str> {
        self.unserved(program)
            .or_else(|| self.overloaded(program))
            .or_else(|| self.unpacked(program))
            .or_else(|| self.over_a_limit(program))
            .or_else(|| self.over_a_sum(program))
            .or_else(|| self.miscounted(program))
    }

    /// Replicas other than the number that was set.
    fn miscounted(&self, program: &Program) -> Option<&'static str> {
        let count = program.replicas?;
        let there = |t: usize| -> u32 {
            program.pools.iter().enumerate().map(|(r, pool)| self.instances(r, t) * pool.replicas).sum()
        };
        let slots = 0..program.slot_hours.len();
        let off = slots.into_iter().any(|t| there(t) > count) || there(program.busiest_slot()) != count;
        off.then_some("replicas")
    }

    fn unserved(&self, program: &Program) -> Option<&'static str> {
        for (c, class) in program.classes.iter().enumerate() {
            for (from, slots) in class.served_in.iter().enumerate() {
                let within: f64 = slots.iter().map(|to| self.moved[c][from][*to]).sum();
                let all: f64 = self.moved[c][from].iter().sum();
                let all_of_it = (within - 1.0).abs() <= TOLERANCE && (all - within).abs() <= TOLERANCE;
                if class.load_rps[from] > 0.0 && !all_of_it {
                    return Some("demand");
                }
            }
            for t in 0..program.slot_hours.len() {
                let direct: f64 = self.local[c].iter().chain(&self.cloud[c]).map(|target| target[t]).sum();
                let blended: f64 = program
                    .blends
                    .iter()
                    .zip(&self.blends)
                    .filter(|(blend, _)| blend.class == c)
                    .map(|(_, shares)| shares[t])
                    .sum();
                // Served in full, and only once: the bill of a request answered twice is not the bill shown.
                let released = self.load(program, c, t) > 0.0 && !self.idle(program, c, t);
                if released && (direct + blended - 1.0).abs() > TOLERANCE {
                    return Some("demand");
                }
            }
        }
        (0..program.hosted.len()).find_map(|a| self.over_rate(program, a))
    }

    /// A hosted model that is sent what it does not serve, or more than it accepts.
    fn over_rate(&self, program: &Program, a: usize) -> Option<&'static str> {
        let hosted = &program.hosted[a];
        for t in 0..program.slot_hours.len() {
            let mut sent = vec![0.0; program.classes.len()];
            for c in 0..program.classes.len() {
                for (through, share) in self.sent_to_hosted(program, c, a, t) {
                    if hosted.usd_per_request[through].is_none() {
                        return Some("rate_limit");
                    }
                    sent[through] += share * self.load(program, c, t);
                }
            }
            let over = |(rate, most): (&f64, &f64)| *rate > most * (1.0 + TOLERANCE);
            if sent.iter().zip(&hosted.rate_rps).any(over) {
                return Some("rate_limit");
            }
        }
        None
    }

    fn overloaded(&self, program: &Program) -> Option<&'static str> {
        for (r, pool) in program.pools.iter().enumerate() {
            let used = self.uses_pool(program, r);
            for t in 0..program.slot_hours.len() {
                if self.hourly[r][t] > 0 && !program.varies(r) {
                    return Some("capacity"); // nobody sells these hours
                }
                let Some(load) = self.replicas_loaded(program, r, t) else { return Some("capacity") };
                let replicas = self.instances(r, t) * pool.replicas;
                if load > f64::from(replicas) + TOLERANCE * f64::from(pool.replicas) {
                    return Some("capacity");
                }
                match self.replicas_needed(program, r, t) {
                    Some((whole, spares)) if whole == 0 || whole + spares <= replicas => {}
                    _ if pool.ladder.is_none() => {}
                    _ => return Some("availability"),
                }
                if used && self.instances(r, t) < pool.instances_min {
                    return Some("min_replicas");
                }
            }
        }
        None
    }

    /// Replicas that do not fit on the instances of their host: the largest first, each where it fits.
    fn unpacked(&self, program: &Program) -> Option<&'static str> {
        for (h, host) in program.hosts.iter().enumerate() {
            let mut on: Vec<(usize, f64)> = (0..program.pools.len())
                .filter_map(|r| program.pools[r].on.filter(|(at, _)| *at == h).map(|(_, gpus)| (r, gpus)))
                .collect();
            on.sort_by(|one, other| other.1.total_cmp(&one.1));
            for t in 0..program.slot_hours.len() {
                if self.host_hourly[h][t] > 0 && host.usd_per_hour.is_none() {
                    return Some("capacity"); // nobody sells these hours
                }
                let mut left = vec![host.gpus; self.host_instances(h, t) as usize];
                for (r, gpus) in &on {
                    for _ in 0..self.instances(*r, t) {
                        let Some(at) = left.iter().position(|free| free + TOLERANCE >= *gpus) else {
                            return Some("capacity");
                        };
                        left[at] -= gpus;
                    }
                }
            }
        }
        None
    }

    fn over_a_limit(&self, program: &Program) -> Option<&'static str> {
        let over = |sum: f64, most: f64| sum > most * (1.0 + TOLERANCE) + TOLERANCE;
        for (k, resource) in program.resources.iter().enumerate() {
            let of = |uses: &[(usize, f64)]| {
                uses.iter().filter(|(at, _)| *at == k).map(|(_, amount)| amount).sum::<f64>()
            };
            for t in 0..program.slot_hours.len() {
                let pools = program.pools.iter().enumerate();
                let own: f64 = pools.map(|(r, pool)| f64::from(self.instances(r, t)) * of(&pool.uses)).sum();
                let hosts = program.hosts.iter().enumerate();
                let shared: f64 =
                    hosts.map(|(h, host)| f64::from(self.host_instances(h, t)) * of(&host.uses)).sum();
                if over(own + shared + self.drawn(program, k, t), resource.limit) {
                    return Some("limit");
                }
            }
        }
        if let Some(most) = program.usd_upfront_max {
            let paid: f64 = self.paid(program).map(|(mode, count)| mode.usd_upfront * count).sum();
            if over(paid, most) {
                return Some("usd_upfront");
            }
        }
        if program.usd_per_month_max.is_some_and(|most| over(self.usd_per_month(program), most)) {
            return Some("usd_per_month");
        }
        if program.deployments_max.is_some_and(|most| self.deployments(program) > most as usize) {
            return Some("max_deployments");
        }
        for (c, class) in program.classes.iter().enumerate() {
            if class
                .unavailability_max
                .is_some_and(|most| self.unavailability(program, c) > most * (1.0 + 1e-6))
            {
                return Some("availability");
            }
        }
        None
    }

    /// What hosted models draw of a resource in a slot.
    fn drawn(&self, program: &Program, resource: usize, slot: usize) -> f64 {
        let mut drawn = 0.0;
        for (a, hosted) in program.hosted.iter().enumerate() {
            for (_, amounts) in hosted.uses.iter().filter(|(at, _)| *at == resource) {
                for c in 0..program.classes.len() {
                    for (through, share) in self.sent_to_hosted(program, c, a, slot) {
                        drawn += amounts[through] * share * self.load(program, c, slot);
                    }
                }
            }
        }
        drawn
    }

    /// Sums over requests of the whole month: means, and the least share of each side.
    fn over_a_sum(&self, program: &Program) -> Option<&'static str> {
        let per_request = program.per_request();
        let mean = |local: &dyn Fn(usize, usize) -> f64,
                    cloud: &dyn Fn(usize, usize) -> f64,
                    blends: &dyn Fn(usize) -> f64| {
            let mut sum = 0.0;
            for c in 0..program.classes.len() {
                for t in 0..program.slot_hours.len() {
                    let own = self.local[c].iter().enumerate().map(|(r, shares)| shares[t] * local(c, r));
                    let hosted = self.cloud[c].iter().enumerate().map(|(a, shares)| shares[t] * cloud(c, a));
                    let mixed = self.blends.iter().enumerate().filter(|(k, _)| program.blends[*k].class == c);
                    let mixed = mixed.map(|(k, shares)| shares[t] * blends(k));
                    sum += own.chain(hosted).chain(mixed).sum::<f64>()
                        * self.requests(program, c, t)
                        * per_request;
                }
            }
            sum
        };
        for row in &program.means {
            let value = mean(&|c, r| row.local[c][r], &|c, a| row.cloud[c][a], &|k| row.blends[k]);
            let short = if row.at_least { row.limit - value } else { value - row.limit };
            // Coefficients are figures such as an index: of the order of a hundred.
            if short > 100.0 * TOLERANCE * (1.0 + row.limit.abs()) {
                return Some(super::loads::rule_word(&row.rule));
            }
        }
        let engine = |a: usize| f64::from(u8::from(program.hosted[a].local));
        let local = |k: usize| program.blend_local(&program.blends[k]);
        let own = || mean(&|_, _| 1.0, &|_, a| engine(a), &|k| local(k));
        let cloud = || mean(&|_, _| 0.0, &|_, a| 1.0 - engine(a), &|k| 1.0 - local(k));
        if program.both_sides_min.is_some_and(|least| own().min(cloud()) < least - 10.0 * TOLERANCE) {
            return Some("routing");
        }
        if program.local_share.is_some_and(|share| (own() - share).abs() > 10.0 * TOLERANCE) {
            return Some("local_share");
        }
        None
    }

    /// Sum of the unavailabilities of a class's routes.
    fn unavailability(&self, program: &Program, class: usize) -> f64 {
        let mut sum = 0.0;
        for (r, pool) in program.pools.iter().enumerate() {
            if self.class_on_pool(program, class, r) {
                let most = (0..program.slot_hours.len()).map(|t| self.instances(r, t)).max().unwrap_or(0);
                sum += pool.unavailability
                    + pool.unavailability_per_replica * f64::from(most) * f64::from(pool.replicas);
            }
        }
        for (a, hosted) in program.hosted.iter().enumerate() {
            if self.class_on_hosted(program, class, a) {
                sum += hosted.unavailability;
            }
        }
        for (blend, shares) in program.blends.iter().zip(&self.blends) {
            if blend.class == class && shares.iter().any(|share| *share > TOLERANCE) {
                sum += blend.unavailability;
            }
        }
        sum
    }
}
