//! Work that waits: what each slot releases, and which hours it comes from.

use super::Maker;
use crate::recommendation::Deferral;

/// Less than this share of an hour's arrivals is not worth a line.
const SHARE_MIN: f64 = 1e-9;

impl Maker<'_, '_, '_> {
    /// Share of what a class brings in one slot that is released in another.
    fn moved(&self, class: usize, from: usize, to: usize) -> f64 {
        let moved = self.point.moved.get(class).filter(|moved| !moved.is_empty() && from != to);
        moved.map_or(0.0, |moved| moved[from][to])
    }

    /// Does any work of a class wait?
    fn waits(&self, class: usize) -> bool {
        let slots = 0..self.formulated.program.slot_hours.len();
        slots.clone().any(|from| slots.clone().any(|to| self.moved(class, from, to) > SHARE_MIN))
    }

    /// Requests a month of a class that each slot releases.
    pub(super) fn released(&self, class: usize) -> Vec<f64> {
        let program = &self.formulated.program;
        (0..program.slot_hours.len()).map(|slot| self.point.requests(program, class, slot)).collect()
    }

    /// Part of its workload's requests that a class makes up in a slot.
    pub(super) fn part(&self, class: usize, slot: usize) -> f64 {
        if !self.splits_unevenly(class) {
            return self.field.classes[class].share;
        }
        let own = self.released(class)[slot];
        let all: f64 = self.siblings(class).map(|other| self.released(other)[slot]).sum();
        if all > 0.0 { own / all } else { self.field.classes[class].share }
    }

    /// True where a workload has two parts that may wait differently.
    pub(super) fn splits_unevenly(&self, class: usize) -> bool {
        self.siblings(class).count() > 1 && self.siblings(class).any(|other| self.waits(other))
    }

    /// Every class of the same workload, itself included.
    fn siblings(&self, class: usize) -> impl Iterator<Item = usize> + '_ {
        let workload = self.field.classes[class].index;
        (0..self.field.classes.len()).filter(move |other| self.field.classes[*other].index == workload)
    }

    /// Every move, by class, hour of arrival and hour of release.
    pub(super) fn deferral(&self) -> Vec<Deferral> {
        let slots = self.formulated.program.slot_hours.len();
        let hour = |slot: usize| u32::try_from(slot).unwrap_or(u32::MAX);
        let mut all = Vec::new();
        for (c, class) in self.field.classes.iter().enumerate() {
            let arriving = class.billed_rps();
            for from in (0..slots).filter(|from| arriving[*from] > 0.0) {
                for to in 0..slots {
                    let share = self.moved(c, from, to);
                    if share > SHARE_MIN {
                        all.push(Deferral {
                            workload: class.workload.name.clone(),
                            premium: class.premium,
                            from_hour: hour(from),
                            to_hour: hour(to),
                            share: share.min(1.0),
                        });
                    }
                }
            }
        }
        all
    }
}
