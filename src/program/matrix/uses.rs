//! What is in use at all: people cost, least replicas, the count of deployments, availability of routes in series.

use std::collections::BTreeMap;

use super::columns::{Meaning, Weight};
use super::{Columns, INSTANCES_MAX, Matrix, Sense};
use crate::program::Program;

impl Matrix {
    /// Binaries "is in use" where a rule counts: people cost, least replicas, deployments.
    pub(super) fn use_rows(&mut self, program: &Program, columns: &Columns) {
        if program.local_usd_per_month > 0.0 {
            let weight = Weight::usd(program.local_usd_per_month);
            let any = self.column(program.goal, Meaning::Helper, 1.0, true, weight);
            let engines = (0..program.hosted.len()).filter(|a| program.hosted[*a].local);
            let engines: Vec<usize> = engines
                .flat_map(|a| columns.cloud.iter().flat_map(move |class| class[a].iter().flatten().copied()))
                .collect();
            let blends = (0..program.blends.len()).filter(|k| program.blend_local(&program.blends[*k]) > 0.0);
            let blends: Vec<usize> =
                blends.flat_map(|k| columns.blends[k].iter().flatten().copied()).collect();
            let pools = columns.local.iter().flatten().flatten().flatten().copied();
            let all: Vec<usize> = pools.chain(engines).chain(blends).collect();
            self.only_if("usd_per_month", &all, any);
        }
        self.least_replicas(program, columns);
        if let Some(most) = program.deployments_max {
            let mut count: BTreeMap<(bool, usize), usize> = BTreeMap::new();
            for (r, pool) in program.pools.iter().enumerate() {
                let shares = self::all(program, |c| columns.on_pool(program, c, r));
                let members = pool.behind.iter().map(|member| (true, *member));
                for key in std::iter::once((false, pool.deployment)).chain(members) {
                    let at = *count.entry(key).or_insert_with(|| self.binary(program.goal));
                    self.only_if("max_deployments", &shares, at);
                }
            }
            for (a, hosted) in program.hosted.iter().enumerate() {
                let shares = self::all(program, |c| columns.on_hosted(program, c, a));
                for member in &hosted.deployments {
                    let at = *count.entry((true, *member)).or_insert_with(|| self.binary(program.goal));
                    self.only_if("max_deployments", &shares, at);
                }
            }
            let terms = count.values().map(|at| (*at, 1.0)).collect();
            self.row("max_deployments", terms, Sense::AtMost, f64::from(most));
        }
    }

    /// Each share is 0 unless a binary is 1.
    fn only_if(&mut self, rule: &'static str, shares: &[usize], used: usize) {
        for share in shares {
            self.row(rule, vec![(*share, 1.0), (used, -1.0)], Sense::AtMost, 0.0);
        }
    }

    /// Once a pool is used at all, at least so many instances in each slot.
    fn least_replicas(&mut self, program: &Program, columns: &Columns) {
        for (r, pool) in program.pools.iter().enumerate() {
            let varies = program.varies(r);
            // One instance that is there all day is there in each slot.
            if pool.instances_min == 0 || (pool.instances_min == 1 && !varies) {
                continue;
            }
            let shares = all(program, |c| columns.on_pool(program, c, r));
            let used = self.binary(program.goal);
            self.only_if("min_replicas", &shares, used);
            for t in 0..if varies { program.slot_hours.len() } else { 1 } {
                let mut terms: Vec<(usize, f64)> = columns.instances(r, t).map(|at| (at, 1.0)).collect();
                terms.push((used, -f64::from(pool.instances_min)));
                self.row("min_replicas", terms, Sense::AtLeast, 0.0);
            }
        }
    }

    /// Routes of a class stand in series: what is lost on them stays within what the class may lose.
    pub(super) fn availability_rows(&mut self, program: &Program, columns: &Columns) {
        for (c, class) in program.classes.iter().enumerate() {
            let Some(most) = class.unavailability_max else { continue };
            // Routes of a class stand in series: their unavailabilities add up (Boole's inequality). The row is
            // scaled by the limit so that its coefficients are of the order of one.
            let mut terms: Vec<(usize, f64)> = Vec::new();
            for (r, pool) in program.pools.iter().enumerate() {
                let shares = columns.on_pool(program, c, r);
                if shares.is_empty() {
                    continue;
                }
                if pool.unavailability > 0.0 {
                    terms.push((self.used(program, &shares), pool.unavailability / most));
                }
                if pool.unavailability_per_replica > 0.0 {
                    let each = pool.unavailability_per_replica * f64::from(pool.replicas) / most;
                    let alone = (0..program.classes.len())
                        .all(|other| other == c || columns.on_pool(program, other, r).is_empty());
                    if alone && !program.varies(r) {
                        terms.extend(columns.always_on[r].iter().map(|at| (*at, each)));
                    } else {
                        terms.push((self.lost_if_used(program, columns, r, each, &shares), 1.0));
                    }
                }
            }
            for (a, hosted) in program.hosted.iter().enumerate() {
                let shares = columns.on_hosted(program, c, a);
                if hosted.unavailability > 0.0 && !shares.is_empty() {
                    terms.push((self.used(program, &shares), hosted.unavailability / most));
                }
            }
            for (blend, slots) in program.blends.iter().zip(&columns.blends) {
                let shares: Vec<usize> = slots.iter().flatten().copied().collect();
                if blend.class == c && blend.unavailability > 0.0 && !shares.is_empty() {
                    terms.push((self.used(program, &shares), blend.unavailability / most));
                }
            }
            self.row("availability", terms, Sense::AtMost, 1.0);
        }
    }

    /// A binary that is 1 wherever any of the shares is above 0.
    fn used(&mut self, program: &Program, shares: &[usize]) -> usize {
        let at = self.binary(program.goal);
        self.only_if("availability", shares, at);
        at
    }

    /// A column that is at least `each` times the most instances of a pool in any slot if any of the shares is in
    /// use, and free to be 0 otherwise.
    fn lost_if_used(
        &mut self,
        program: &Program,
        columns: &Columns,
        r: usize,
        each: f64,
        shares: &[usize],
    ) -> usize {
        let most = each * program.instances_max(r).min(INSTANCES_MAX);
        let used = self.used(program, shares);
        let lost = self.column(program.goal, Meaning::Helper, most, false, Weight::default());
        // In use means at least one instance.
        self.row("availability", vec![(used, each), (lost, -1.0)], Sense::AtMost, 0.0);
        for t in 0..if program.varies(r) { program.slot_hours.len() } else { 1 } {
            // each N - lost <= most (1 - used)
            let mut terms: Vec<_> = columns.instances(r, t).map(|at| (at, each)).collect();
            terms.extend([(lost, -1.0), (used, most)]);
            self.row("availability", terms, Sense::AtMost, most);
        }
        lost
    }
}

/// Shares of all classes.
fn all(program: &Program, of_class: impl Fn(usize) -> Vec<usize>) -> Vec<usize> {
    (0..program.classes.len()).flat_map(of_class).collect()
}
