//! What one instance of a prospect carries, class by class on instances by the hour: test 5 of `screen.rs`.
//!
//! In: options found so far. Out: the least USD/hour at which they take over all that one instance of a prospect could
//! carry of each class, at most the class's busiest hour. It says nothing where deployments are counted, where spares
//! are asked, or where power is limited: several options take the place of one.

use super::Question;
use super::hardware::Hardware;
use super::incumbent::least_instances;
use super::local::LocalOption;

/// By class, options rented by the hour that no other undercuts at the same capacity.
pub(super) struct Split {
    classes: Option<Vec<Vec<Hourly>>>,
}

/// An option as one class sees it.
#[derive(Clone, Copy)]
struct Hourly {
    /// Requests/s of an instance, load factor applied.
    rps: f64,
    /// USD/hour of an instance.
    usd: f64,
    /// Instances it has at least.
    least: f64,
}

impl Split {
    pub(super) fn new(question: &Question<'_, '_>, options: &[LocalOption<'_>], classes: usize) -> Self {
        let requirements = question.requirements;
        let limits = &requirements.limits;
        if limits.power_kw.is_some()
            || question.deployments_kept_for().is_some()
            || requirements.availability.is_some()
        {
            return Self { classes: None };
        }
        let load_factor = 1.0 - requirements.headroom;
        let of_class = |at: usize| {
            let by_hour = |option: &LocalOption<'_>| {
                let hardware = &option.hardware;
                if hardware.spot.is_some() || limits.gpus.contains_key(&hardware.gpu.id) {
                    return None; // may be taken away, or may run out
                }
                let usd = hardware.by_hour.as_ref()?.usd_per_hour;
                let rps = option.capacity[at].as_ref()?.rps * load_factor;
                let least = least_instances(question, option);
                Some(Hourly { rps: rps * f64::from(option.prospect.replicas), usd, least })
            };
            let mut all: Vec<Hourly> = options.iter().filter_map(by_hour).collect();
            all.sort_by(|a, b| a.usd.total_cmp(&b.usd).then(b.rps.total_cmp(&a.rps)));
            let mut most = 0.0;
            all.retain(|option| {
                let more = option.rps > most;
                most = option.rps.max(most);
                more
            });
            all
        };
        Self { classes: Some((0..classes).map(of_class).collect()) }
    }

    /// True where no way to pay for an instance is below what takes its place, whatever it carries.
    pub(super) fn beats(&self, peaks: &[f64], upper_rps: &[f64], hardware: &Hardware<'_>) -> bool {
        let Some(classes) = &self.classes else { return false };
        if hardware.is_owned() {
            return false;
        }
        let of_class = |at: usize| {
            let most = upper_rps[at].min(peaks[at]);
            let usd = |option: &Hourly| option.usd * (most / option.rps).ceil().max(option.least);
            classes[at].iter().map(usd).fold(f64::INFINITY, f64::min)
        };
        let usd: f64 = (0..peaks.len()).filter(|at| upper_rps[*at] > 0.0).map(of_class).sum();
        hardware.all_ways().all(|way| way.usd_per_hour >= usd)
    }
}
