//! Load of pools: capacity rows with their rounding, and the spares that go with a load.

use std::ops::Range;

use super::{Columns, FRACTION_MIN, Matrix, Sense};
use crate::program::Program;

impl Matrix {
    pub(super) fn load_rows(&mut self, program: &Program, columns: &Columns) {
        for (r, pool) in program.pools.iter().enumerate() {
            // A fleet that is the same all day has its spares all day; with hours bought one by one, each slot has
            // the spares for its own demand.
            let slots = 0..program.slot_hours.len();
            let by_slot = program.varies(r);
            let mut spare = if by_slot { Vec::new() } else { self.spare_columns(program, r, slots.clone()) };
            for t in slots {
                if by_slot {
                    spare = self.spare_columns(program, r, t..t + 1);
                }
                let instances: Vec<(usize, f64)> = columns.instances(r, t).map(|at| (at, 1.0)).collect();
                let shares = loads(program, columns, r, t);
                if shares.is_empty() {
                    continue;
                }
                // sum_c l x + spares / replicas - N <= 0
                let mut terms = shares.clone();
                terms.extend(instances.iter().map(|(at, one)| (*at, -one)));
                let per_spare = 1.0 / f64::from(pool.replicas);
                terms.extend(spare.iter().map(|(at, _)| (*at, per_spare)));
                self.row("capacity", terms, Sense::AtMost, 0.0);
                // Needed replicas stay on the rung of the ladder that the spares reach.
                if let Some(ladder) = &pool.ladder {
                    let replicas = f64::from(pool.replicas);
                    let mut terms: Vec<_> = shares.iter().map(|(at, l)| (*at, l * replicas)).collect();
                    terms.extend(spare.iter().map(|(at, step)| (*at, -step)));
                    let first = ladder.needed_max.first().copied().unwrap_or(0);
                    self.row("availability", terms, Sense::AtMost, f64::from(first));
                }
                for (at, l) in &shares {
                    self.rounding_row(*at, *l, &instances);
                }
            }
        }
    }

    fn rounding_row(&mut self, share: usize, l: f64, instances: &[(usize, f64)]) {
        let fraction = l - l.floor();
        // Below one instance the row is N >= x, well scaled however small the load is.
        if l < 1.0 || (FRACTION_MIN..=1.0 - FRACTION_MIN).contains(&fraction) {
            // N - (l / f) x >= ceil(l) - l / f
            let slope = l / fraction;
            let mut terms = instances.to_vec();
            terms.push((share, -slope));
            self.row("capacity", terms, Sense::AtLeast, l.ceil() - slope);
        }
    }

    /// One binary for each rung of a pool's ladder: (column, needed replicas it adds).
    fn spare_columns(&mut self, program: &Program, r: usize, slots: Range<usize>) -> Vec<(usize, f64)> {
        let Some(ladder) = &program.pools[r].ladder else { return Vec::new() };
        let replicas = f64::from(program.pools[r].replicas);
        let load = |t: usize| (0..program.classes.len()).map(|c| program.most_on(c, r, t)).sum::<f64>();
        let most: f64 = slots.map(|t| load(t) * replicas).fold(0.0, f64::max).ceil();
        let mut columns: Vec<(usize, f64)> = Vec::new();
        for rungs in ladder.needed_max.windows(2) {
            if f64::from(rungs[0]) >= most {
                break;
            }
            // No further than there is load, or a ladder without an end would put a huge coefficient in the row.
            let step = f64::from(rungs[1]).min(most) - f64::from(rungs[0]);
            let at = self.binary(program.goal);
            if let Some((below, _)) = columns.last() {
                // A higher rung needs the lower one.
                let pair = vec![(at, 1.0), (*below, -1.0)];
                self.row("availability", pair, Sense::AtMost, 0.0);
            }
            columns.push((at, step));
        }
        columns
    }
}

/// Shares that load a pool in a slot, directly or through a blend, and the instances the whole of each would load.
fn loads(program: &Program, columns: &Columns, r: usize, t: usize) -> Vec<(usize, f64)> {
    let pool = &program.pools[r];
    let direct = (0..program.classes.len())
        .filter_map(|c| Some((columns.local[c][r][t]?, program.instances_for(c, r, t)?)));
    let through = program.blends.iter().zip(&columns.blends).filter_map(|(blend, slots)| {
        let seen: f64 = blend.pools.iter().filter(|(at, _)| *at == r).map(|(_, seen)| seen).sum();
        let capacity = pool.capacity[blend.through()] * f64::from(pool.replicas);
        (seen > 0.0).then_some((slots[t]?, program.load_max(blend.class, t) * seen / capacity))
    });
    direct.chain(through).collect()
}
