//! Work that waits: what each hour releases of what came before it, every wait within what the request allows.

use std::collections::BTreeMap;

use super::{Checker, SHARE_TOLERANCE};
use crate::recommendation::Deferral;
use crate::requirements::{DAY_HOURS, Workload};

/// Waits may exceed the hours asked for by rounding dust only.
const HOURS_TOLERANCE: f64 = 1e-9;

impl Checker<'_> {
    /// Works out what every slot releases of both parts of each workload, and holds each move to the hours it may wait.
    pub(super) fn waiting(&mut self) {
        for workload in &self.requirements.workloads {
            let premium_share = workload.premium.as_ref().map_or(0.0, |premium| premium.share);
            for (premium, part) in [(false, 1.0 - premium_share), (true, premium_share)] {
                let arriving: Vec<f64> = self
                    .slots
                    .iter()
                    .map(|slot| workload.rps(slot) * (1.0 - workload.response_hit) * part)
                    .collect();
                let released = self.released(workload, premium, &arriving);
                self.released.insert((workload.name.as_str(), premium), released);
            }
        }
        let stranger = self.plan.deferral.iter().find(|moved| self.workload(&moved.workload).is_none());
        if let Some(moved) = stranger {
            let what = format!("{} waits, and is not a workload of the request", moved.workload);
            self.break_rule("deferrable", what);
        }
    }

    /// Requests/s by slot of one part of a workload after every move.
    fn released(&mut self, workload: &Workload, premium: bool, arriving: &[f64]) -> Vec<f64> {
        let mut released = arriving.to_vec();
        let mut left: BTreeMap<usize, f64> = BTreeMap::new();
        let plan = self.plan;
        let own = |moved: &&Deferral| moved.workload == workload.name && moved.premium == premium;
        for moved in plan.deferral.iter().filter(own) {
            let (from, to) = (moved.from_hour as usize, moved.to_hour as usize);
            let slots = arriving.len();
            // Hours of one kind of day: midnight leads to the next day of the same kind.
            if from >= slots || to >= slots || from / DAY_HOURS != to / DAY_HOURS {
                let what = format!("{} waits from hour {from} to hour {to}", workload.name);
                return self.refuse_wait(what, released);
            }
            let waited = u32::try_from((to + DAY_HOURS - from) % DAY_HOURS).unwrap_or(u32::MAX);
            // wait <= deferrable_hours
            if f64::from(waited) > workload.deferrable_hours + HOURS_TOLERANCE {
                let most = workload.deferrable_hours;
                let what = format!("{} waits {waited} h, at most {most} h", workload.name);
                return self.refuse_wait(what, released);
            }
            let gone = left.entry(from).or_insert(0.0);
            *gone += moved.share;
            if !(0.0..=1.0).contains(&moved.share) || *gone > 1.0 + SHARE_TOLERANCE {
                let what = format!("{} of {} leaves hour {from}", *gone, workload.name);
                return self.refuse_wait(what, released);
            }
            released[from] -= moved.share * arriving[from];
            released[to] += moved.share * arriving[from];
        }
        released.iter().map(|rate| rate.max(0.0)).collect()
    }

    fn refuse_wait(&mut self, what: String, released: Vec<f64>) -> Vec<f64> {
        self.break_rule("deferrable", what);
        released
    }

    /// Requests/s of one part of a workload that reach a model in a slot.
    pub(super) fn part_rps(&self, workload: &Workload, premium: bool, slot: usize) -> f64 {
        self.released.get(&(workload.name.as_str(), premium)).map_or(0.0, |rates| rates[slot])
    }

    /// Below this rate a slot that work has left counts as empty, requests/s; 0 for work that does not wait.
    pub(super) fn dust_rps(&self, workload: &Workload) -> f64 {
        let waits = self.plan.deferral.iter().any(|moved| moved.workload == workload.name);
        if waits { SHARE_TOLERANCE * workload.busiest_rps() } else { 0.0 }
    }
}
