//! Equal slots become one, and a point of the merged slots one of the original ones.

use super::{Goal, Point, Program};

impl Program {
    /// True where equal slots may be served differently in a better plan: instances differ from slot to slot, and a sum
    /// over all slots is limited; or work moves between slots.
    fn slots_differ(&self) -> bool {
        let summed = self.both_sides_min.is_some()
            || self.local_share.is_some()
            || self.replicas.is_some()
            || !self.means.is_empty()
            || (self.goal == Goal::LeastScore && self.usd_per_month_max.is_some());
        let waits = self.classes.iter().any(|class| !class.served_in.is_empty());
        waits || (summed && (0..self.pools.len()).any(|r| self.varies(r)))
    }

    /// The same program with equal slots merged and their hours added: same optimum, fewer columns.
    /// Returns, for each original slot, the slot it went into.
    ///
    /// Only slots equal for *every* class merge; rounding demands would make a bound, not the answer
    /// (formulation study §3). Nothing merges where equal slots may be served differently. Where a start is paid, only
    /// neighbours merge that are equal and begin as often. *Proof*: give every slot of such a run the counts of the one
    /// that costs least; on the way into and out of the run the counts rise no more than they did through it.
    #[must_use]
    pub fn merge_slots(&self) -> (Self, Vec<usize>) {
        let slots = self.slot_hours.len();
        if self.slots_differ() {
            return (self.clone(), (0..slots).collect());
        }
        let starts = self.pays_starts();
        let mut kept: Vec<usize> = Vec::new();
        let mut into = Vec::with_capacity(slots);
        for slot in 0..slots {
            let run = if starts { self.run(slot) } else { Vec::new() };
            let same = |other: &usize| if starts { run.contains(other) } else { self.equal(slot, *other) };
            into.push(kept.iter().position(same).unwrap_or(kept.len()));
            if into[slot] == kept.len() {
                kept.push(slot);
            }
        }
        let mut merged = self.clone();
        merged.slot_hours = vec![0.0; kept.len()];
        for (slot, at) in into.iter().enumerate() {
            merged.slot_hours[*at] += self.slot_hours[slot];
        }
        merged.before = Vec::new();
        merged.slot_starts = Vec::new();
        if starts {
            merged.slot_starts = kept.iter().map(|slot| self.starts(*slot)).collect();
            merged.before = (0..kept.len())
                .map(|at| {
                    // The run's first slot is the one that has another before it; a circle of equal slots has none.
                    let first = (0..slots).find(|slot| into[*slot] == at && into[self.before[*slot]] != at);
                    first.map_or(at, |slot| into[self.before[slot]])
                })
                .collect();
        }
        for class in &mut merged.classes {
            class.load_rps = kept.iter().map(|slot| class.load_rps[*slot]).collect();
            class.billed_rps = kept.iter().map(|slot| class.billed_rps[*slot]).collect();
        }
        (merged, into)
    }

    /// True where two slots bring the same traffic.
    fn equal(&self, slot: usize, other: usize) -> bool {
        self.classes.iter().all(|class| {
            class.load_rps[slot].to_bits() == class.load_rps[other].to_bits()
                && class.billed_rps[slot].to_bits() == class.billed_rps[other].to_bits()
        })
    }

    /// The slots that are reached from one through equal neighbours that begin as often and last as long.
    fn run(&self, slot: usize) -> Vec<usize> {
        let joined = |one: usize, other: usize| {
            self.equal(one, other)
                && self.starts(one).to_bits() == self.starts(other).to_bits()
                && self.slot_hours[one].to_bits() == self.slot_hours[other].to_bits()
        };
        let mut run = vec![slot];
        let mut at = 0;
        while at < run.len() {
            let here = run[at];
            let after = (0..self.before.len()).filter(|next| self.before[*next] == here);
            for next in std::iter::once(self.before[here]).chain(after) {
                if !run.contains(&next) && joined(here, next) {
                    run.push(next);
                }
            }
            at += 1;
        }
        run
    }
}

impl Point {
    /// A point of merged slots as a point of the original ones.
    #[must_use]
    pub fn spread(&self, into: &[usize]) -> Self {
        let shares = |values: &[f64]| into.iter().map(|at| values[*at]).collect::<Vec<_>>();
        let counts = |values: &[u32]| into.iter().map(|at| values[*at]).collect::<Vec<_>>();
        let side = |side: &[Vec<Vec<f64>>]| {
            side.iter().map(|class| class.iter().map(|slots| shares(slots)).collect()).collect()
        };
        Self {
            always_on: self.always_on.clone(),
            hourly: self.hourly.iter().map(|slots| counts(slots)).collect(),
            local: side(&self.local),
            cloud: side(&self.cloud),
            blends: self.blends.iter().map(|slots| shares(slots)).collect(),
            host_always_on: self.host_always_on.clone(),
            host_hourly: self.host_hourly.iter().map(|slots| counts(slots)).collect(),
            // Slots do not merge where work moves between them.
            moved: self.moved.clone(),
        }
    }
}
