//! Rows over instances alone: replicas side by side on a host, starts between slots.

use super::columns::{Meaning, Weight};
use super::{Columns, INSTANCES_MAX, Matrix, Sense};
use crate::program::Program;

impl Matrix {
    /// GPUs of the replicas on a host within those of its instances, in each slot.
    pub(super) fn host_rows(&mut self, program: &Program, columns: &Columns) {
        for (h, host) in program.hosts.iter().enumerate() {
            let on: Vec<(usize, f64)> = (0..program.pools.len())
                .filter_map(|r| program.pools[r].on.filter(|(at, _)| *at == h).map(|(_, gpus)| (r, gpus)))
                .filter(|(_, gpus)| *gpus <= host.gpus)
                .collect();
            if on.is_empty() {
                continue;
            }
            // Sizes that divide one another fit where their sum does. Others: an instance holds at most
            // floor(gpus / size) blocks of a size, and a larger replica takes floor(larger / size) of them.
            let mut sizes: Vec<f64> = on.iter().map(|(_, gpus)| *gpus).collect();
            sizes.sort_by(f64::total_cmp);
            sizes.dedup_by(|one, other| one.to_bits() == other.to_bits());
            let divides = |small: f64, large: f64| (large / small).fract() == 0.0;
            let chain = sizes.iter().zip(sizes.iter().skip(1).chain([&host.gpus]));
            let exact = chain.clone().all(|(small, large)| divides(*small, *large));
            let varies = host.usd_per_hour.is_some() || on.iter().any(|(r, _)| program.varies(*r));
            for t in 0..if varies { program.slot_hours.len() } else { 1 } {
                let mut fits = |each: &dyn Fn(f64) -> f64| {
                    let replicas =
                        on.iter().flat_map(|(r, gpus)| columns.instances(*r, t).map(|at| (at, each(*gpus))));
                    let instances = columns.host_instances(h, t).map(|at| (at, -each(host.gpus)));
                    let terms = replicas.chain(instances).filter(|(_, n)| *n != 0.0).collect();
                    self.row("capacity", terms, Sense::AtMost, 0.0);
                };
                fits(&|gpus| gpus / host.gpus);
                for size in sizes.iter().filter(|_| !exact) {
                    fits(&|gpus| (gpus / size).floor());
                }
            }
        }
    }

    /// A start wherever a slot has more hours in use than the slot before it.
    pub(super) fn start_rows(&mut self, program: &Program, columns: &Columns) {
        for (r, pool) in program.pools.iter().enumerate() {
            let most = program.instances_max(r).min(INSTANCES_MAX);
            self.starts(
                program,
                &columns.hourly[r],
                pool.usd_per_hour.map_or(0.0, |_| pool.usd_per_start),
                most,
            );
        }
        for (h, host) in program.hosts.iter().enumerate() {
            let most = program.host_instances_max(h).min(INSTANCES_MAX);
            let usd = host.usd_per_hour.map_or(0.0, |_| host.usd_per_start);
            self.starts(program, &columns.host_hourly[h], usd, most);
        }
    }

    fn starts(&mut self, program: &Program, hours: &[Option<usize>], usd: f64, most: f64) {
        if usd <= 0.0 {
            return;
        }
        for (t, before) in program.before.iter().enumerate().filter(|(t, before)| t != *before) {
            let (Some(now), Some(earlier)) = (hours[t], hours[*before]) else { continue };
            // starts >= m[t] - m[before t]: a whole number wherever the counts are.
            let weight = Weight::usd(usd * program.starts(t));
            let started = self.column(program.goal, Meaning::Helper, most, false, weight);
            let terms = vec![(now, 1.0), (earlier, -1.0), (started, -1.0)];
            self.row("capacity", terms, Sense::AtMost, 0.0);
        }
    }
}
