//! What a point costs and scores, added up anew from the prices of its program.

use super::{Goal, Mode, Point, Program};

impl Point {
    /// All instances that are paid for, by mode.
    pub(super) fn paid<'p>(&'p self, program: &'p Program) -> impl Iterator<Item = (&'p Mode, f64)> + 'p {
        let pools = program.pools.iter().map(|pool| &pool.modes).zip(&self.always_on);
        let hosts = program.hosts.iter().map(|host| &host.modes).zip(&self.host_always_on);
        pools.chain(hosts).flat_map(|(modes, counts)| modes.iter().zip(counts.iter().map(|n| f64::from(*n))))
    }

    /// USD/month, what was paid once left out.
    #[must_use]
    pub fn usd_per_month(&self, program: &Program) -> f64 {
        let mut usd: f64 = self.paid(program).map(|(mode, count)| mode.usd_per_month * count).sum();
        for (r, pool) in program.pools.iter().enumerate() {
            usd += hours_usd(program, &self.hourly[r], pool.usd_per_hour, pool.usd_per_start);
        }
        for (h, host) in program.hosts.iter().enumerate() {
            usd += hours_usd(program, &self.host_hourly[h], host.usd_per_hour, host.usd_per_start);
        }
        for c in 0..program.classes.len() {
            for t in 0..program.slot_hours.len() {
                usd += self.requests(program, c, t) * self.usd_per_request(program, c, t);
            }
        }
        if program.local_usd_per_month > 0.0 && self.uses_local(program) {
            usd += program.local_usd_per_month;
        }
        usd
    }

    /// USD a request of a class costs on average in a slot, instances left out.
    fn usd_per_request(&self, program: &Program, class: usize, slot: usize) -> f64 {
        let mut usd = 0.0;
        for (r, pool) in program.pools.iter().enumerate() {
            usd += self.local[class][r][slot] * pool.usd_per_request[class];
        }
        for (a, hosted) in program.hosted.iter().enumerate() {
            usd += self.cloud[class][a][slot] * hosted.usd_per_request[class].unwrap_or(0.0);
        }
        for (blend, shares) in program.blends.iter().zip(&self.blends) {
            if blend.class == class {
                usd += shares[slot] * program.blend_usd(blend).unwrap_or(0.0);
            }
        }
        usd
    }

    /// What was paid once, spread over its months, USD/month.
    #[must_use]
    pub fn usd_amortised(&self, program: &Program) -> f64 {
        self.paid(program).map(|(mode, count)| mode.usd_amortised * count).sum()
    }

    /// Value of the objective.
    #[must_use]
    pub fn objective(&self, program: &Program) -> f64 {
        match program.goal {
            Goal::Cost => self.usd_per_month(program) + self.usd_amortised(program),
            Goal::LeastScore => self.score(program),
        }
    }

    fn score(&self, program: &Program) -> f64 {
        let mut sum = 0.0;
        for (t, hours) in program.slot_hours.iter().enumerate() {
            for (r, pool) in program.pools.iter().enumerate() {
                sum += f64::from(self.instances(r, t)) * hours * pool.score_per_hour;
            }
            for (h, host) in program.hosts.iter().enumerate() {
                sum += f64::from(self.host_instances(h, t)) * hours * host.score_per_hour;
            }
            for c in 0..program.classes.len() {
                let requests = self.requests(program, c, t);
                for (r, pool) in program.pools.iter().enumerate() {
                    sum += self.local[c][r][t] * pool.score[c] * requests;
                }
                for (a, hosted) in program.hosted.iter().enumerate() {
                    sum += self.cloud[c][a][t] * hosted.score[c] * requests;
                }
                for (blend, shares) in program.blends.iter().zip(&self.blends) {
                    if blend.class == c {
                        sum += shares[t] * blend.score * requests;
                    }
                }
            }
        }
        sum * program.per_request()
    }
}

/// Hours in use and their starts, USD/month: a start wherever a slot has more than the one before it.
fn hours_usd(program: &Program, counts: &[u32], per_hour: Option<f64>, per_start: f64) -> f64 {
    let Some(price) = per_hour else { return 0.0 };
    let mut usd = 0.0;
    for (t, count) in counts.iter().enumerate() {
        usd += f64::from(*count) * program.slot_hours[t] * price;
        if let Some(before) = program.before.get(t) {
            usd += f64::from(count.saturating_sub(counts[*before])) * program.starts(t) * per_start;
        }
    }
    usd
}
