//! Prices nobody can undercut: for test 3 of `screen.rs`.

use rayon::prelude::*;

use super::Question;
use super::class::Class;
use super::local::Prospect;
use crate::requirements::DAY_HOURS;

/// Prices nobody can undercut, from optimistic capacities.
pub(super) struct Floor {
    /// By class, USD/month for one request/s of capacity.
    local: Vec<f64>,
    /// By class, USD for one request by any means.
    any: Vec<f64>,
    /// Least bill of own engines for the busiest slot.
    local_total: f64,
    /// Least bill of everything.
    any_total: f64,
    /// By class, requests a month that one request/s of always-on capacity can serve at most.
    reach: Vec<f64>,
}

impl Floor {
    pub(super) fn new(
        question: &Question<'_, '_>,
        classes: &[Class<'_>],
        prospects: &[Prospect<'_>],
        cloud_usd_per_request: &[f64],
    ) -> Self {
        let uppers: Vec<(Vec<f64>, &Prospect<'_>)> =
            prospects.par_iter().map(|p| (p.upper_rps(question.catalog, classes), p)).collect();
        let hours = question.requirements.hours_per_month;
        let load_factor = 1.0 - question.requirements.headroom;
        let mut floor =
            Self { local: Vec::new(), any: Vec::new(), local_total: 0.0, any_total: 0.0, reach: Vec::new() };
        for (at, class) in classes.iter().enumerate() {
            let local = uppers
                .iter()
                .filter(|(upper, _)| upper[at] > 0.0)
                .map(|(upper, prospect)| prospect.usd_per_month / (upper[at] * load_factor))
                .fold(f64::INFINITY, f64::min);
            let reach = 3600.0 * hours / class.workload.peak_factor;
            let any = (local / reach).min(cloud_usd_per_request[at]);
            floor.any_total += any * class.requests_per_month();
            floor.local.push(local);
            floor.any.push(any);
            floor.reach.push(reach);
        }
        // Work that may wait loads no hour for certain, but a day as a whole with its mean.
        let slots = classes.first().map_or(0, |class| class.slots.len());
        let priced: Vec<(Vec<f64>, f64, bool)> = classes
            .iter()
            .zip(&floor.local)
            .map(|(class, usd)| (class.load_rps(), *usd, class.served_in().is_empty()))
            .collect();
        let in_slot = |slot: usize, waiting: bool| -> f64 {
            priced
                .iter()
                .filter(|(_, _, at_once)| *at_once || waiting)
                .map(|(load, usd, _)| load[slot] * usd)
                .sum()
        };
        let by_slot: Vec<f64> = (0..slots).map(|slot| in_slot(slot, true)).collect();
        let means = by_slot.chunks(DAY_HOURS).map(|day| day.iter().sum::<f64>() / 24.0);
        floor.local_total = (0..slots).map(|slot| in_slot(slot, false)).chain(means).fold(0.0, f64::max);
        floor
    }

    /// Least bills of a local plan, and of any plan, that has an instance of the prospect: its price, and the least
    /// price of all that one instance cannot carry.
    pub(super) fn with(&self, prospect: &Prospect<'_>, upper: &[f64], load_factor: f64) -> (f64, f64) {
        let most = |value: &dyn Fn(usize) -> f64| {
            (0..upper.len()).filter(|at| upper[*at] > 0.0).map(value).fold(0.0, f64::max)
        };
        let local = most(&|at| upper[at] * load_factor * self.local[at]);
        let any = most(&|at| upper[at] * load_factor * self.reach[at] * self.any[at]);
        (
            prospect.usd_per_month + (self.local_total - local).max(0.0),
            prospect.usd_per_month + (self.any_total - any).max(0.0),
        )
    }
}
