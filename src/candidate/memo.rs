//! What units carry, remembered between questions that ask about the same traffic.
//!
//! In: traffic, limits and a confidence, for which a [`Memo`] gives a number; then a unit and that number. Out: what the
//! oracle says, worked out once for each unit. Nothing but these and the batch cap enters a capacity, so an answer with
//! this memory is the answer without it.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::estimate::{Capacity, Shortfall, Traffic};
use crate::requirements::LatencyLimit;

/// Every traffic with its limits that was asked about, as the bits of its figures, with its number.
#[derive(Debug, Default)]
pub(super) struct Memo {
    asked: Mutex<BTreeMap<Vec<u64>, u32>>,
}

impl Memo {
    /// The number of what is asked. The order in which numbers are given reaches no answer.
    pub(super) fn number(&self, traffic: &Traffic<'_>, limits: &[LatencyLimit], confidence: f64) -> u32 {
        let lengths = traffic.lengths;
        let mut bits: Vec<u64> = Vec::with_capacity(16 + 3 * (limits.len() + lengths.points.len()));
        bits.extend([traffic.extra_output, traffic.context_tokens, traffic.prefix_hit].map(f64::to_bits));
        bits.extend([lengths.input_mean, lengths.output_mean, confidence].map(f64::to_bits));
        bits.extend([lengths.reasoning_mean.map_or(u64::MAX, f64::to_bits), lengths.spread as u64]);
        bits.push(limits.len() as u64);
        for limit in limits {
            bits.extend([limit.measure as u64, limit.statistic as u64, limit.ms.to_bits()]);
        }
        for (input, output, weight) in &lengths.points {
            bits.extend([input, output, weight].map(|value| value.to_bits()));
        }
        let mut asked = unpoisoned(&self.asked);
        let next = u32::try_from(asked.len()).unwrap_or(u32::MAX);
        *asked.entry(bits).or_insert(next)
    }
}

/// What one unit carries, by the number of what was asked.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// By the batch cap, too.
    capacities: Mutex<BTreeMap<(u32, u32), Result<Capacity, Shortfall>>>,
    upper_bounds: Mutex<BTreeMap<u32, f64>>,
}

impl Known {
    pub(super) fn capacity(
        &self,
        (asked, max_batch): (u32, u32),
        compute: impl FnOnce() -> Result<Capacity, Shortfall>,
    ) -> Result<Capacity, Shortfall> {
        recall(&self.capacities, (asked, max_batch), compute)
    }

    pub(super) fn upper_bound(&self, asked: u32, compute: impl FnOnce() -> f64) -> f64 {
        recall(&self.upper_bounds, asked, compute)
    }
}

/// The value of a key. Two threads may both compute it, and come to the same.
fn recall<K: Ord, V: Copy>(known: &Mutex<BTreeMap<K, V>>, key: K, compute: impl FnOnce() -> V) -> V {
    let before = unpoisoned(known).get(&key).copied();
    before.unwrap_or_else(|| {
        let value = compute();
        unpoisoned(known).insert(key, value);
        value
    })
}

/// A panic elsewhere leaves every entry whole.
fn unpoisoned<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}
