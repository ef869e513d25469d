//! The request, and the prices, at a value of an axis.

use super::axis::{Axis, Dimension, Value};
use crate::catalog::Catalog;
use crate::requirements::{LatencyLimit, QualityFloor, Requirements, Workload};
use crate::units::{Usd, UsdPerHour, UsdPerMillionTokens};

/// Seconds of a day.
const DAY_S: f64 = 86_400.0;
/// Two lengths closer than this (relative) are the same.
const SAME: f64 = 1e-9;

/// Requests a day over all workloads, response-cache hits included.
pub(super) fn requests_per_day(requirements: &Requirements) -> f64 {
    requirements.workloads.iter().map(Workload::mean_rps).sum::<f64>() * DAY_S
}

/// The request at a value of an axis. Prices of the catalog are the work of [`Prices`].
pub(super) fn changed(asked: &Requirements, dimension: Dimension, value: &Value) -> Requirements {
    let mut next = asked.clone();
    let number = match (dimension, value) {
        (Dimension::Quality, _) => {
            let floor = match value {
                Value::Number(index) => QualityFloor::Index(*index),
                Value::Tier(tier) => QualityFloor::Tier { tier: tier.clone(), scale: None },
            };
            for workload in &mut next.workloads {
                // A scale that the file pins stays pinned.
                let pinned = match (&workload.quality, &floor) {
                    (Some(QualityFloor::Tier { scale, .. }), QualityFloor::Tier { tier, .. }) => {
                        QualityFloor::Tier { tier: tier.clone(), scale: scale.clone() }
                    }
                    _ => floor.clone(),
                };
                workload.quality = Some(pinned);
            }
            return next;
        }
        (_, Value::Number(number)) => *number,
        (_, Value::Tier(_)) => return next,
    };
    match dimension {
        Dimension::Volume => return asked.at_volume(number / requests_per_day(asked)),
        Dimension::Latency => {
            let limits = next.workloads.iter_mut().flat_map(|workload| &mut workload.latency);
            limits.for_each(|limit| limit.ms *= number);
        }
        Dimension::LatencyLimit(measure, statistic) => {
            for workload in &mut next.workloads {
                let mut known = workload.latency.iter_mut();
                match known.find(|limit| limit.measure == measure && limit.statistic == statistic) {
                    Some(limit) => limit.ms = number,
                    None => workload.latency.push(LatencyLimit { measure, statistic, ms: number }),
                }
            }
        }
        Dimension::Budget => next.budget.usd_per_month = Some(number),
        Dimension::Availability => next.availability = Some(number),
        Dimension::LocalPrice => {
            let prices = next.measured.iter_mut().filter_map(|row| row.usd_per_hour.as_mut());
            prices.for_each(|price| *price *= number);
        }
        Dimension::ApiPrice => {
            let prices = next.measured.iter_mut().flat_map(|row| row.usd_per_request.values_mut());
            prices.for_each(|price| *price *= number);
        }
        Dimension::InputTokens => next.workloads.iter_mut().for_each(|one| lengthen(one, number, 1.0)),
        Dimension::OutputTokens => next.workloads.iter_mut().for_each(|one| lengthen(one, 1.0, number)),
        Dimension::DeferrableHours => {
            next.workloads.iter_mut().for_each(|workload| workload.deferrable_hours = number);
        }
        Dimension::Quality => {}
    }
    next
}

/// Longer prompts and answers. The longest request grows along; one that the file sets apart from the lengths stays
/// where it is, as long as the lengths are below it.
fn lengthen(workload: &mut Workload, input: f64, output: f64) {
    let longest = |workload: &Workload| {
        workload.lengths.points.iter().map(|(input, output, _)| input + output).fold(0.0, f64::max)
    };
    let before = longest(workload);
    let lengths = &mut workload.lengths;
    lengths.input_mean *= input;
    lengths.output_mean *= output;
    for point in &mut lengths.points {
        point.0 *= input;
        point.1 *= output;
    }
    let after = longest(workload);
    let follows = workload.context_tokens <= before * (1.0 + SAME);
    workload.context_tokens = if follows { after } else { workload.context_tokens.max(after) };
}

/// Factors on the prices of the catalog, as bits, so that they can be ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Prices {
    local: u64,
    api: u64,
}

impl Prices {
    /// Those of a place on some axes.
    pub(super) fn at(places: &[(&Axis, usize)]) -> Self {
        let values: Vec<(&Axis, Value)> =
            places.iter().map(|(axis, at)| (*axis, axis.values[*at].clone())).collect();
        Self::of(&values)
    }

    /// Those of values of some axes.
    pub(super) fn of(values: &[(&Axis, Value)]) -> Self {
        let factor = |dimension: Dimension| {
            let on = values.iter().find(|(axis, _)| axis.dimension == dimension);
            on.and_then(|(_, value)| value.number()).unwrap_or(1.0).to_bits()
        };
        Self { local: factor(Dimension::LocalPrice), api: factor(Dimension::ApiPrice) }
    }

    /// The catalog at these prices.
    pub(super) fn apply(self, catalog: &Catalog) -> Catalog {
        let mut priced = catalog.clone();
        let (local, api) = (f64::from_bits(self.local), f64::from_bits(self.api));
        if self.local != 1.0f64.to_bits() {
            for offer in &mut priced.offers {
                offer.price = UsdPerHour::of(offer.price.get() * local);
                offer.upfront = Usd::of(offer.upfront.get() * local);
            }
        }
        if self.api != 1.0f64.to_bits() {
            let times = |price: UsdPerMillionTokens| UsdPerMillionTokens::of(price.get() * api);
            for hosted in &mut priced.apis {
                hosted.input = times(hosted.input);
                hosted.output = times(hosted.output);
                hosted.cache_read = hosted.cache_read.map(times);
                hosted.long_input = hosted.long_input.map(times);
                hosted.long_output = hosted.long_output.map(times);
            }
        }
        priced
    }
}
