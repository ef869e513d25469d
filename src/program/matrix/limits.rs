//! Rows over shares and instances alone: demand, finite resources, upfront money, the least share of each side.

use super::{Matrix, Sense, Shares};
use crate::program::{Goal, Program};

impl Matrix {
    pub(super) fn demand_rows(&mut self, program: &Program, local: &Shares, cloud: &Shares) {
        // Costs are at least 0, so nobody serves twice for less; a share to reach or a score below 0 may ask for it.
        let below = |score: &Vec<f64>| score.iter().any(|score| *score < 0.0);
        let serving_twice_pays = program.both_sides_min.is_some()
            || (program.goal == Goal::LeastScore
                && (program.pools.iter().any(|pool| below(&pool.score))
                    || program.hosted.iter().any(|hosted| below(&hosted.score))));
        for c in 0..program.classes.len() {
            for t in 0..program.slot_hours.len() {
                if program.classes[c].load_rps[t] <= 0.0 {
                    continue;
                }
                let of = |side: &Shares| side[c].iter().filter_map(|slots| slots[t]).collect::<Vec<_>>();
                let terms: Vec<_> = of(local).into_iter().chain(of(cloud)).map(|at| (at, 1.0)).collect();
                if serving_twice_pays {
                    self.row("demand", terms.clone(), Sense::AtMost, 1.0);
                }
                self.row("demand", terms, Sense::AtLeast, 1.0);
            }
        }
    }

    pub(super) fn resource_rows(
        &mut self,
        program: &Program,
        always_on: &[Vec<usize>],
        hourly: &[Vec<Option<usize>>],
    ) {
        for (k, resource) in program.resources.iter().enumerate() {
            let users: Vec<(usize, f64)> = program
                .pools
                .iter()
                .enumerate()
                .map(|(r, pool)| {
                    (r, pool.uses.iter().filter(|(at, _)| *at == k).map(|(_, n)| n).sum::<f64>())
                })
                .filter(|(_, amount)| *amount > 0.0)
                .collect();
            if users.is_empty() {
                continue;
            }
            // Without hours bought one by one the row is the same in every slot.
            let varies = users.iter().any(|(r, _)| program.pools[*r].usd_per_hour.is_some());
            let slots = 0..if varies { program.slot_hours.len() } else { 1 };
            for t in slots {
                let instances = |r: usize| always_on[r].iter().copied().chain(hourly[r][t]);
                let terms =
                    users.iter().flat_map(|(r, amount)| instances(*r).map(move |at| (at, *amount))).collect();
                self.row(rule_name(&resource.rule), terms, Sense::AtMost, resource.limit);
            }
        }
        if let Some(most) = program.usd_upfront_max {
            let terms: Vec<_> = program
                .pools
                .iter()
                .enumerate()
                .flat_map(|(r, pool)| {
                    let columns = &always_on[r];
                    pool.modes
                        .iter()
                        .enumerate()
                        .map(move |(j, mode)| (columns[j], mode.usd_upfront / 1000.0))
                })
                .filter(|(_, usd)| *usd > 0.0)
                .collect();
            if !terms.is_empty() {
                self.row("usd_upfront", terms, Sense::AtMost, most / 1000.0);
            }
        }
    }

    /// Each side carries its least share of all requests.
    pub(super) fn share_rows(&mut self, program: &Program, local: &Shares, cloud: &Shares) {
        let Some(least) = program.both_sides_min else { return };
        let all = program.all_requests().max(f64::MIN_POSITIVE);
        for side in [local, cloud] {
            let mut terms = Vec::new();
            for (c, class) in side.iter().enumerate() {
                for target in class {
                    for (t, share) in target.iter().enumerate() {
                        terms.extend(share.map(|at| (at, program.requests(c, t) / all)));
                    }
                }
            }
            self.row("routing", terms, Sense::AtLeast, least);
        }
    }
}

fn rule_name(rule: &str) -> &'static str {
    ["gpus", "owned", "power_kw", "max_replicas", "memory_gib_per_server"]
        .into_iter()
        .find(|known| *known == rule)
        .unwrap_or("limit")
}
