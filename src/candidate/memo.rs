//! What units carry, remembered between questions that ask about the same traffic.
//!
//! In: a unit, traffic, limits, a confidence, a batch cap. Out: what the oracle says, worked out once. Nothing but those
//! enters a capacity, so an answer with this memory is the answer without it.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use super::unit::UnitRow;
use crate::catalog::Catalog;
use crate::estimate::{Capacity, Shortfall, Traffic, capacity, capacity_upper_bound};
use crate::requirements::LatencyLimit;

/// Parts of the memory, so that threads seldom wait for one another.
const SHARDS: usize = 64;

type Answer = Result<Capacity, Shortfall>;
/// Place of a unit, number of what is asked of it, batch cap.
type Key = (usize, u32, u32);

/// The memory of a [`super::Bench`].
#[derive(Debug)]
pub(super) struct Memo {
    /// Every traffic with its limits that was asked about, as the bits of its figures, with its number.
    asked: Mutex<BTreeMap<Vec<u64>, u32>>,
    capacities: Vec<Mutex<BTreeMap<Key, Answer>>>,
    upper_bounds: Vec<Mutex<BTreeMap<(usize, u32), f64>>>,
}

impl Memo {
    pub(super) fn new() -> Self {
        Self {
            asked: Mutex::default(),
            capacities: (0..SHARDS).map(|_| Mutex::default()).collect(),
            upper_bounds: (0..SHARDS).map(|_| Mutex::default()).collect(),
        }
    }

    /// The number of what is asked: the order in which numbers are given reaches no answer.
    fn number(&self, traffic: &Traffic<'_>, limits: &[LatencyLimit], confidence: f64) -> u32 {
        let mut bits: Vec<u64> = Vec::with_capacity(12 + 3 * (limits.len() + traffic.lengths.points.len()));
        bits.extend([traffic.extra_output, traffic.context_tokens, traffic.prefix_hit].map(f64::to_bits));
        bits.extend([traffic.lengths.input_mean, traffic.lengths.output_mean, confidence].map(f64::to_bits));
        bits.extend([
            traffic.lengths.reasoning_mean.map_or(u64::MAX, f64::to_bits),
            traffic.lengths.spread as u64,
        ]);
        bits.push(limits.len() as u64);
        for limit in limits {
            bits.extend([limit.measure as u64, limit.statistic as u64, limit.ms.to_bits()]);
        }
        for (input, output, weight) in &traffic.lengths.points {
            bits.extend([input, output, weight].map(|value| value.to_bits()));
        }
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        let next = u32::try_from(asked.len()).unwrap_or(u32::MAX);
        *asked.entry(bits).or_insert(next)
    }
}

/// Units of a bench never move, so their place in memory names them.
fn place(row: &UnitRow<'_>) -> (usize, usize) {
    let address = std::ptr::from_ref(row).addr();
    (address, address / size_of::<UnitRow<'_>>() % SHARDS)
}

/// What a unit carries; remembered where there is a memory.
pub(super) fn capacity_of(
    memo: Option<&Memo>,
    catalog: &Catalog,
    row: &UnitRow<'_>,
    (traffic, limits): (&Traffic<'_>, &[LatencyLimit]),
    confidence: f64,
    max_batch: u32,
) -> Answer {
    let compute = || capacity(row.step(catalog), &row.memory, traffic, limits, confidence, max_batch);
    let Some(memo) = memo else { return compute() };
    let (address, shard) = place(row);
    let key = (address, memo.number(traffic, limits, confidence), max_batch);
    let known = || memo.capacities[shard].lock().unwrap_or_else(PoisonError::into_inner);
    let before = known().get(&key).copied();
    before.unwrap_or_else(|| {
        let answer = compute();
        known().insert(key, answer);
        answer
    })
}

/// What a unit carries at most, whatever the limits; remembered where there is a memory.
pub(super) fn upper_bound_of(
    memo: Option<&Memo>,
    catalog: &Catalog,
    row: &UnitRow<'_>,
    traffic: &Traffic<'_>,
) -> f64 {
    let compute = || capacity_upper_bound(row.step(catalog), &row.memory, traffic);
    let Some(memo) = memo else { return compute() };
    let (address, shard) = place(row);
    let key = (address, memo.number(traffic, &[], 0.0));
    let known = || memo.upper_bounds[shard].lock().unwrap_or_else(PoisonError::into_inner);
    let before = known().get(&key).copied();
    before.unwrap_or_else(|| {
        let answer = compute();
        known().insert(key, answer);
        answer
    })
}
