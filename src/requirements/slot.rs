//! Slots: the hours of the UTC day between which rates may differ, told apart by weekday and weekend where some
//! workload asks for it.
//!
//! A month is a mean one: a weekday hour stands for 5/7, a weekend hour for 2/7 of `hours_per_month` / 24 hours. The
//! weekend is the workload's own Saturday and Sunday, its hours turned into UTC like any other; the weekends of
//! workloads in different time zones count as one, though they begin some hours apart.

use super::{Requirements, Workload};

/// Hours of a day.
pub const DAY_HOURS: usize = 24;
/// Weekdays and weekend days of a week.
const WEEK: (f64, f64) = (5.0, 2.0);

/// One hour of the day, on weekdays, at weekends or on any day.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Slot {
    /// Hour of the UTC day, 0 to 23.
    pub hour: usize,
    /// Saturdays and Sundays only; false for weekdays, and where no workload tells them apart for any day.
    pub weekend: bool,
    /// Hours of a mean month it stands for.
    pub hours_per_month: f64,
}

impl Requirements {
    /// Most USD/month: the tighter of the monthly budget and the budget per request at the mean volume.
    #[must_use]
    pub fn usd_per_month_max(&self) -> Option<f64> {
        let rate: f64 = self.workloads.iter().map(Workload::mean_rps).sum();
        let each = self.budget.usd_per_request.map(|usd| usd * rate * 3600.0 * self.hours_per_month);
        [self.budget.usd_per_month, each].into_iter().flatten().reduce(f64::min)
    }

    /// The slots of the request: 24, or 48 (weekday hours, then weekend hours) where some workload has a weekend.
    #[must_use]
    pub fn slots(&self) -> Vec<Slot> {
        let each = self.hours_per_month / 24.0;
        let day = |weekend, hours_per_month| {
            (0..DAY_HOURS).map(move |hour| Slot { hour, weekend, hours_per_month })
        };
        if self.workloads.iter().all(|workload| workload.weekend_rps.is_none()) {
            return day(false, each).collect();
        }
        let (weekdays, weekend) = WEEK;
        let days = weekdays + weekend;
        day(false, each * weekdays / days).chain(day(true, each * weekend / days)).collect()
    }

    /// The volume that is planned for, as a factor of today's.
    #[must_use]
    pub fn plan_for(&self) -> f64 {
        self.growth.map_or(1.0, |growth| growth.plan_for)
    }

    /// The same request at another volume, as a factor of its own.
    #[must_use]
    pub fn at_volume(&self, times: f64) -> Self {
        let mut scaled = self.clone();
        for workload in &mut scaled.workloads {
            let rates = workload.hourly_rps.iter_mut().chain(workload.weekend_rps.iter_mut().flatten());
            rates.for_each(|rate| *rate *= times);
        }
        scaled
    }
}

impl Workload {
    /// Mean requests/s in a slot, before `peak_factor` and before the response cache.
    #[must_use]
    pub fn rps(&self, slot: &Slot) -> f64 {
        match &self.weekend_rps {
            Some(weekend) if slot.weekend => weekend[slot.hour],
            _ => self.hourly_rps[slot.hour],
        }
    }

    /// Mean requests/s over the calendar, before the response cache.
    #[must_use]
    pub fn mean_rps(&self) -> f64 {
        let mean = |rates: &[f64; DAY_HOURS]| rates.iter().sum::<f64>() / 24.0;
        let (weekdays, days) = (WEEK.0, WEEK.0 + WEEK.1);
        let usual = mean(&self.hourly_rps);
        self.weekend_rps.as_ref().map_or(usual, |at| (usual * weekdays + mean(at) * WEEK.1) / days)
    }

    /// Mean requests/s of the busiest hour, before `peak_factor` and before the response cache.
    #[must_use]
    pub fn busiest_rps(&self) -> f64 {
        self.hourly_rps.iter().chain(self.weekend_rps.iter().flatten()).copied().fold(0.0, f64::max)
    }
}
