//! Classes of traffic: each workload, cut in two where a premium share is asked.
//!
//! The premium share holds in every slot, so a class of its own with share x demand and the higher floor is exact
//! (formulation study §2): no row and no multiplier.

use crate::requirements::{DAY_HOURS, QualityFloor, Requirements, Slot, Workload};

/// The part of a workload that is held to one floor.
#[derive(Debug, Clone)]
pub struct Class<'r> {
    /// The workload.
    pub workload: &'r Workload,
    /// Its place in the file.
    pub index: usize,
    /// Part of the workload's requests, 0 to 1.
    pub share: f64,
    /// Floor; `None` = any quality, known or not.
    pub floor: Option<&'r QualityFloor>,
    /// True for the premium part.
    pub premium: bool,
    /// Hours between which rates may differ.
    pub slots: Vec<Slot>,
}

impl Class<'_> {
    /// Mean requests/s that reach a model, by slot.
    #[must_use]
    pub fn billed_rps(&self) -> Vec<f64> {
        let reach = self.share * (1.0 - self.workload.response_hit);
        self.slots.iter().map(|slot| self.workload.rps(slot) * reach).collect()
    }

    /// Arrival rate to be carried, by slot: the mean times the peak factor.
    #[must_use]
    pub fn load_rps(&self) -> Vec<f64> {
        self.billed_rps().into_iter().map(|rate| rate * self.workload.peak_factor).collect()
    }

    /// Largest rate to be carried in any hour, requests/s.
    #[must_use]
    pub fn peak_rps(&self) -> f64 {
        self.load_rps().into_iter().fold(0.0, f64::max)
    }

    /// For work that may wait: by slot of arrival, the slots it may be released in, its own first. Empty = at once.
    ///
    /// Whole hours later, on the same kind of day: midnight leads to the next day of that kind.
    #[must_use]
    pub fn served_in(&self) -> Vec<Vec<usize>> {
        let later = self.hours_later();
        let slots = if later == 0 { 0 } else { self.slots.len() };
        let within = |slot: usize| {
            let day = slot / DAY_HOURS * DAY_HOURS;
            (0..=later).map(|hours| day + (slot % DAY_HOURS + hours) % DAY_HOURS).collect()
        };
        (0..slots).map(within).collect()
    }

    /// Whole hours its work may wait, less than a day: beyond it every hour of the day is open.
    fn hours_later(&self) -> usize {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 23")]
        let hours = self.workload.deferrable_hours.clamp(0.0, 23.0).floor() as usize;
        hours
    }

    /// Least rate with which every slot can be carried, requests/s: the busiest hour's, or lower where work may wait
    /// until the hours behind it. What comes in any run of hours has these and the hours of waiting to be served in.
    #[must_use]
    pub fn levelled_rps(&self) -> f64 {
        let (rates, later) = (self.load_rps(), self.hours_later());
        let mut least: f64 = 0.0;
        for day in rates.chunks(DAY_HOURS) {
            for from in 0..day.len() {
                let mut sum = 0.0;
                for length in 1..=day.len() {
                    sum += day[(from + length - 1) % day.len()];
                    let open = u32::try_from((length + later).min(day.len())).unwrap_or(u32::MAX);
                    least = least.max(sum / f64::from(open));
                }
            }
        }
        least
    }

    /// Does anything but its own floor read the index of who serves it?
    #[must_use]
    pub const fn reads_index(&self) -> bool {
        self.workload.quality_mean.is_some()
    }

    /// Would its mean hold if all of it went to a target of such an index?
    #[must_use]
    pub fn mean_holds(&self, index: Option<f64>) -> bool {
        self.workload.quality_mean.is_none_or(|least| index.is_some_and(|index| index >= least))
    }

    /// Requests a month that reach a model.
    #[must_use]
    pub fn requests_per_month(&self) -> f64 {
        let rates = self.billed_rps();
        rates.iter().zip(&self.slots).map(|(rate, slot)| rate * 3600.0 * slot.hours_per_month).sum()
    }

    /// Name of the class in the program.
    #[must_use]
    pub fn name(&self) -> String {
        if self.premium { format!("{} (premium)", self.workload.name) } else { self.workload.name.clone() }
    }
}

/// Classes of a request, in the order of the file.
#[must_use]
pub fn classes(requirements: &Requirements) -> Vec<Class<'_>> {
    let (mut all, slots) = (Vec::new(), requirements.slots());
    for (index, workload) in requirements.workloads.iter().enumerate() {
        let premium = workload.premium.as_ref().filter(|premium| premium.share > 0.0);
        let rest = 1.0 - premium.map_or(0.0, |premium| premium.share);
        if rest > 0.0 {
            let floor = workload.quality.as_ref();
            all.push(Class { workload, index, share: rest, floor, premium: false, slots: slots.clone() });
        }
        if let Some(premium) = premium {
            let floor = Some(&premium.floor);
            all.push(Class {
                workload,
                index,
                share: premium.share,
                floor,
                premium: true,
                slots: slots.clone(),
            });
        }
    }
    all
}
