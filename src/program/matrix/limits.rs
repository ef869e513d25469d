//! Rows over shares and instances alone: demand, rates, finite resources, upfront money, sums over the month.

use std::collections::{BTreeMap, BTreeSet};

use super::{Columns, Matrix, Sense};
use crate::program::loads::rule_word;
use crate::program::{Goal, Program};

impl Matrix {
    pub(super) fn demand_rows(&mut self, program: &Program, columns: &Columns) {
        // Costs are at least 0, so nobody serves twice for less; a share or a mean to reach or a score below 0 may ask
        // for it.
        let below = |score: &Vec<f64>| score.iter().any(|score| *score < 0.0);
        let serving_twice_pays = program.parts_are_set()
            || !program.means.is_empty()
            || (program.goal == Goal::LeastScore
                && (program.pools.iter().any(|pool| below(&pool.score))
                    || program.hosted.iter().any(|hosted| below(&hosted.score))
                    || program.blends.iter().any(|blend| blend.score < 0.0)));
        for c in 0..program.classes.len() {
            for t in (0..program.slot_hours.len()).filter(|t| program.load_max(c, *t) > 0.0) {
                let mut terms: Vec<(usize, f64)> =
                    columns.shares(program, c, t).into_iter().map(|at| (at, 1.0)).collect();
                let mut all = 1.0;
                if !program.classes[c].served_in.is_empty() {
                    // Served is what was released: of each arrival the part moved here.
                    all = 0.0;
                    let mut released: BTreeMap<usize, f64> = BTreeMap::new();
                    for (from, to) in columns.moved[c].iter().enumerate() {
                        if let Some(at) = to[t] {
                            *released.entry(at).or_default() -=
                                program.classes[c].load_rps[from] / program.load_max(c, t);
                        }
                    }
                    terms.extend(released);
                }
                if serving_twice_pays {
                    self.row("demand", terms.clone(), Sense::AtMost, all);
                }
                self.row("demand", terms, Sense::AtLeast, all);
            }
            let mut written = BTreeSet::new();
            for later in &columns.moved[c] {
                // Arrivals that may be exchanged share their columns and this row.
                if !later.iter().flatten().all(|at| written.insert(*at)) {
                    continue;
                }
                let terms: Vec<(usize, f64)> = later.iter().flatten().map(|at| (*at, 1.0)).collect();
                if !terms.is_empty() {
                    self.row("demand", terms.clone(), Sense::AtMost, 1.0);
                    self.row("demand", terms, Sense::AtLeast, 1.0);
                }
            }
        }
    }

    /// What reaches a hosted model through blends counts towards its rate; alone, the rate is the bound of the column.
    pub(super) fn rate_rows(&mut self, program: &Program, columns: &Columns) {
        let classes = 0..program.classes.len();
        for (a, hosted) in program.hosted.iter().enumerate() {
            if !program.blends.iter().any(|blend| blend.hosted.iter().any(|(at, _)| *at == a)) {
                continue;
            }
            for (limited, most) in hosted.rate_rps.iter().enumerate().filter(|(_, rate)| rate.is_finite()) {
                for t in 0..program.slot_hours.len() {
                    let sent =
                        |c: usize| columns.sent_to_hosted(program, c, a, t).into_iter().map(move |s| (c, s));
                    let terms: Vec<(usize, f64)> = classes
                        .clone()
                        .flat_map(sent)
                        .filter(|(_, (_, through, _))| *through == limited)
                        .map(|(c, (at, _, seen))| (at, seen * program.load_max(c, t) / most.max(1e-9)))
                        .collect();
                    if !terms.is_empty() {
                        self.row("rate_limit", terms, Sense::AtMost, if *most > 0.0 { 1.0 } else { 0.0 });
                    }
                }
            }
        }
    }

    pub(super) fn resource_rows(&mut self, program: &Program, columns: &Columns) {
        for (k, resource) in program.resources.iter().enumerate() {
            let of = |uses: &[(usize, f64)]| {
                uses.iter().filter(|(at, _)| *at == k).map(|(_, amount)| amount).sum::<f64>()
            };
            let pools: Vec<(usize, f64)> = program
                .pools
                .iter()
                .map(|pool| of(&pool.uses))
                .enumerate()
                .filter(|(_, n)| *n > 0.0)
                .collect();
            let hosts: Vec<(usize, f64)> = program
                .hosts
                .iter()
                .map(|host| of(&host.uses))
                .enumerate()
                .filter(|(_, n)| *n > 0.0)
                .collect();
            let drawn = program.hosted.iter().any(|hosted| hosted.uses.iter().any(|(at, _)| *at == k));
            // Without hours bought one by one the row is the same in every slot.
            let varies = drawn
                || pools.iter().any(|(r, _)| program.varies(*r))
                || hosts.iter().any(|(h, _)| program.hosts[*h].usd_per_hour.is_some());
            // Requests and tokens come in thousands: the row is scaled by the limit.
            let scale = if drawn && resource.limit > 0.0 { 1.0 / resource.limit } else { 1.0 };
            for t in 0..if varies { program.slot_hours.len() } else { 1 } {
                let own = pools
                    .iter()
                    .flat_map(|(r, amount)| columns.instances(*r, t).map(move |at| (at, *amount)));
                let shared = hosts
                    .iter()
                    .flat_map(|(h, amount)| columns.host_instances(*h, t).map(move |at| (at, *amount)));
                let terms: Vec<(usize, f64)> = own
                    .chain(shared)
                    .chain(drawn_by_hosted(program, columns, k, t))
                    .map(|(at, amount)| (at, amount * scale))
                    .collect();
                if !terms.is_empty() {
                    self.row(rule_word(&resource.rule), terms, Sense::AtMost, resource.limit * scale);
                }
            }
        }
        if let Some(most) = program.usd_upfront_max {
            let pools = program.pools.iter().map(|pool| &pool.modes).zip(&columns.always_on);
            let hosts = program.hosts.iter().map(|host| &host.modes).zip(&columns.host_always_on);
            let terms: Vec<_> = pools
                .chain(hosts)
                .flat_map(|(modes, at)| {
                    at.iter().zip(modes).map(|(at, mode)| (*at, mode.usd_upfront / 1000.0))
                })
                .filter(|(_, usd)| *usd > 0.0)
                .collect();
            if !terms.is_empty() {
                self.row("usd_upfront", terms, Sense::AtMost, most / 1000.0);
            }
        }
    }

    /// Sums over all requests of the month: limited means, and the least share of each side.
    pub(super) fn sum_rows(&mut self, program: &Program, columns: &Columns) {
        for mean in &program.means {
            let terms =
                weighted(program, columns, &|c, r| mean.local[c][r], &|c, a| mean.cloud[c][a], &|k| {
                    mean.blends[k]
                });
            let sense = if mean.at_least { Sense::AtLeast } else { Sense::AtMost };
            self.row(rule_word(&mean.rule), terms, sense, mean.limit);
        }
        let engine = |a: usize| f64::from(u8::from(program.hosted[a].local));
        let part = |k: usize| program.blend_local(&program.blends[k]);
        let own = || weighted(program, columns, &|_, _| 1.0, &|_, a| engine(a), &part);
        let cloud = || weighted(program, columns, &|_, _| 0.0, &|_, a| 1.0 - engine(a), &|k| 1.0 - part(k));
        if let Some(least) = program.both_sides_min {
            self.row("routing", own(), Sense::AtLeast, least);
            self.row("routing", cloud(), Sense::AtLeast, least);
        }
        if let Some(share) = program.local_share {
            // Every request is served once, so what is not local is not below 1 - share either.
            self.row("local_share", own(), Sense::AtLeast, share);
            self.row("local_share", cloud(), Sense::AtLeast, 1.0 - share);
        }
    }

    /// Replicas of all pools: no more in any slot, no fewer in the busiest.
    pub(super) fn replica_rows(&mut self, program: &Program, columns: &Columns) {
        let Some(count) = program.replicas else { return };
        let varies = (0..program.pools.len()).any(|r| program.varies(r));
        let busiest = if varies { program.busiest_slot() } else { 0 };
        for t in 0..if varies { program.slot_hours.len() } else { 1 } {
            let of_pool = |r: usize| {
                let each = f64::from(program.pools[r].replicas);
                columns.instances(r, t).map(move |at| (at, each))
            };
            let terms: Vec<(usize, f64)> = (0..program.pools.len()).flat_map(of_pool).collect();
            if t == busiest {
                self.row("replicas", terms.clone(), Sense::AtLeast, f64::from(count));
            }
            self.row("replicas", terms, Sense::AtMost, f64::from(count));
        }
    }
}

/// What a request/s of hosted models draws of a resource in a slot, by column.
fn drawn_by_hosted(program: &Program, columns: &Columns, resource: usize, t: usize) -> Vec<(usize, f64)> {
    let mut terms = Vec::new();
    for (a, hosted) in program.hosted.iter().enumerate() {
        for (_, amounts) in hosted.uses.iter().filter(|(at, _)| *at == resource) {
            for c in 0..program.classes.len() {
                for (at, through, seen) in columns.sent_to_hosted(program, c, a, t) {
                    terms.push((at, amounts[through] * seen * program.load_max(c, t)));
                }
            }
        }
    }
    terms
}

/// Terms of a mean over all requests: coefficients by class and target, by blend.
fn weighted(
    program: &Program,
    columns: &Columns,
    local: &dyn Fn(usize, usize) -> f64,
    cloud: &dyn Fn(usize, usize) -> f64,
    blends: &dyn Fn(usize) -> f64,
) -> Vec<(usize, f64)> {
    let per_request = program.per_request();
    let mut terms = Vec::new();
    let mut add = |slots: &[Option<usize>], class: usize, coefficient: f64| {
        for (t, share) in slots.iter().enumerate() {
            if let (Some(at), true) = (share, coefficient != 0.0) {
                terms.push((*at, coefficient * program.requests_max(class, t) * per_request));
            }
        }
    };
    for c in 0..program.classes.len() {
        columns.local[c].iter().enumerate().for_each(|(r, slots)| add(slots, c, local(c, r)));
        columns.cloud[c].iter().enumerate().for_each(|(a, slots)| add(slots, c, cloud(c, a)));
    }
    for (k, slots) in columns.blends.iter().enumerate() {
        add(slots, program.blends[k].class, blends(k));
    }
    terms
}
