//! Load of pools: capacity rows with their rounding, and the spares that go with a load.

use std::ops::Range;

use super::{FRACTION_MIN, Matrix, Meaning, Sense, Shares};
use crate::program::Program;

impl Matrix {
    pub(super) fn load_rows(
        &mut self,
        program: &Program,
        always_on: &[Vec<usize>],
        hourly: &[Vec<Option<usize>>],
        local: &Shares,
    ) {
        for (r, pool) in program.pools.iter().enumerate() {
            // A fleet that is the same all day has its spares all day; with hours bought one by one, each slot has
            // the spares for its own demand.
            let slots = 0..program.slot_hours.len();
            let by_slot = pool.usd_per_hour.is_some();
            let mut spare =
                if by_slot { Vec::new() } else { self.spare_columns(program, r, slots.clone(), local) };
            for t in slots {
                if by_slot {
                    spare = self.spare_columns(program, r, t..t + 1, local);
                }
                let instances: Vec<(usize, f64)> =
                    always_on[r].iter().copied().chain(hourly[r][t]).map(|at| (at, 1.0)).collect();
                let shares: Vec<(usize, f64)> = (0..program.classes.len())
                    .filter_map(|c| Some((local[c][r][t]?, program.instances_for(c, r, t)?)))
                    .collect();
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
    fn spare_columns(
        &mut self,
        program: &Program,
        r: usize,
        slots: Range<usize>,
        local: &Shares,
    ) -> Vec<(usize, f64)> {
        let Some(ladder) = &program.pools[r].ladder else { return Vec::new() };
        let most: f64 = slots
            .map(|t| {
                (0..program.classes.len())
                    .filter(|c| local[*c][r][t].is_some())
                    .filter_map(|c| program.instances_for(c, r, t))
                    .sum::<f64>()
                    * f64::from(program.pools[r].replicas)
            })
            .fold(0.0, f64::max)
            .ceil();
        let mut columns: Vec<(usize, f64)> = Vec::new();
        for rungs in ladder.needed_max.windows(2) {
            if f64::from(rungs[0]) >= most {
                break;
            }
            // No further than there is load, or a ladder without an end would put a huge coefficient in the row.
            let step = f64::from(rungs[1]).min(most) - f64::from(rungs[0]);
            let at = self.column(Meaning::Helper, 1.0, true, 0.0, 0.0, program.goal);
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
