//! Classes of traffic: each workload, cut in two where a premium share is asked.
//!
//! The premium share holds in every slot, so a class of its own with share x demand and the higher floor is exact
//! (formulation study §2): no row and no multiplier.

use crate::requirements::{QualityFloor, Requirements, Slot, Workload};

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
