//! What is in use at all: people cost, the count of deployments, availability of routes in series.

use std::collections::BTreeMap;

use super::{INSTANCES_MAX, Matrix, Meaning, Sense, Shares};
use crate::program::Program;

impl Matrix {
    /// Binaries "is in use" where a rule counts: people cost, deployments.
    pub(super) fn use_rows(&mut self, program: &Program, local: &Shares, cloud: &Shares) {
        let goal = program.goal;
        if program.local_usd_per_month > 0.0 {
            let any = self.column(Meaning::Helper, 1.0, true, program.local_usd_per_month, 0.0, goal);
            for at in local.iter().flatten().flatten().flatten() {
                self.row("usd_per_month", vec![(*at, 1.0), (any, -1.0)], Sense::AtMost, 0.0);
            }
        }
        if let Some(most) = program.deployments_max {
            let mut count: BTreeMap<(bool, usize), usize> = BTreeMap::new();
            let mut used = |matrix: &mut Self, key: (bool, usize)| {
                *count.entry(key).or_insert_with(|| matrix.column(Meaning::Helper, 1.0, true, 0.0, 0.0, goal))
            };
            for (r, pool) in program.pools.iter().enumerate() {
                let keys =
                    std::iter::once((false, pool.deployment)).chain(pool.behind.iter().map(|m| (true, *m)));
                for key in keys.collect::<Vec<_>>() {
                    let at = used(self, key);
                    for share in local.iter().flat_map(|class| class[r].iter().flatten()) {
                        self.row("max_deployments", vec![(*share, 1.0), (at, -1.0)], Sense::AtMost, 0.0);
                    }
                }
            }
            for (a, hosted) in program.hosted.iter().enumerate() {
                for member in &hosted.deployments {
                    let at = used(self, (true, *member));
                    for share in cloud.iter().flat_map(|class| class[a].iter().flatten()) {
                        self.row("max_deployments", vec![(*share, 1.0), (at, -1.0)], Sense::AtMost, 0.0);
                    }
                }
            }
            let terms = count.values().map(|at| (*at, 1.0)).collect();
            self.row("max_deployments", terms, Sense::AtMost, f64::from(most));
        }
    }

    /// Routes of a class stand in series: what is lost on them stays within what the class may lose.
    pub(super) fn availability_rows(
        &mut self,
        program: &Program,
        local: &Shares,
        cloud: &Shares,
        always_on: &[Vec<usize>],
        hourly: &[Vec<Option<usize>>],
    ) {
        let goal = program.goal;
        for (c, class) in program.classes.iter().enumerate() {
            let Some(most) = class.unavailability_max else { continue };
            // Routes of a class stand in series: their unavailabilities add up (Boole's inequality). The row is
            // scaled by the limit so that its coefficients are of the order of one.
            let mut terms: Vec<(usize, f64)> = Vec::new();
            for (r, pool) in program.pools.iter().enumerate() {
                if pool.unavailability > 0.0 && local[c][r].iter().any(Option::is_some) {
                    let at = self.column(Meaning::Helper, 1.0, true, 0.0, 0.0, goal);
                    for share in local[c][r].iter().flatten() {
                        self.row("availability", vec![(*share, 1.0), (at, -1.0)], Sense::AtMost, 0.0);
                    }
                    terms.push((at, pool.unavailability / most));
                }
                if pool.unavailability_per_replica > 0.0 && local[c][r].iter().any(Option::is_some) {
                    let each = pool.unavailability_per_replica * f64::from(pool.replicas) / most;
                    let alone = (0..program.classes.len())
                        .all(|other| other == c || local[other][r].iter().all(Option::is_none));
                    if alone && pool.usd_per_hour.is_none() {
                        terms.extend(always_on[r].iter().map(|at| (*at, each)));
                    } else {
                        let lost =
                            self.lost_if_used(program, r, each, &local[c][r], &always_on[r], &hourly[r]);
                        terms.push((lost, 1.0));
                    }
                }
            }
            for (a, hosted) in program.hosted.iter().enumerate() {
                if hosted.unavailability > 0.0 && cloud[c][a].iter().any(Option::is_some) {
                    let at = self.column(Meaning::Helper, 1.0, true, 0.0, 0.0, goal);
                    for share in cloud[c][a].iter().flatten() {
                        self.row("availability", vec![(*share, 1.0), (at, -1.0)], Sense::AtMost, 0.0);
                    }
                    terms.push((at, hosted.unavailability / most));
                }
            }
            self.row("availability", terms, Sense::AtMost, 1.0);
        }
    }

    /// A column that is at least `each` times the most instances of a pool in any slot if any of the shares is in
    /// use, and free to be 0 otherwise.
    fn lost_if_used(
        &mut self,
        program: &Program,
        r: usize,
        each: f64,
        shares: &[Option<usize>],
        always_on: &[usize],
        hourly: &[Option<usize>],
    ) -> usize {
        let most = each * program.instances_max(r).min(INSTANCES_MAX);
        let used = self.column(Meaning::Helper, 1.0, true, 0.0, 0.0, program.goal);
        let lost = self.column(Meaning::Helper, most, false, 0.0, 0.0, program.goal);
        for share in shares.iter().flatten() {
            self.row("availability", vec![(*share, 1.0), (used, -1.0)], Sense::AtMost, 0.0);
        }
        // In use means at least one instance.
        self.row("availability", vec![(used, each), (lost, -1.0)], Sense::AtMost, 0.0);
        let slots = if program.pools[r].usd_per_hour.is_some() { hourly.len() } else { 1 };
        for hours in &hourly[..slots] {
            // each N - lost <= most (1 - used)
            let mut terms: Vec<_> = always_on.iter().copied().chain(*hours).map(|at| (at, each)).collect();
            terms.extend([(lost, -1.0), (used, most)]);
            self.row("availability", terms, Sense::AtMost, most);
        }
        lost
    }
}
