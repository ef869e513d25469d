//! Engines that start when a request comes and are billed by the second.
//!
//! In: a unit's step times, facts of its provider. Out: its cold start, and the latency of a request that has an engine
//! to itself. It knows no price.
//!
//! A cold start is what stands between a request and an engine that can serve it: boot of the container, start of the
//! engine (imports, compilation from a cache, capture of graphs), and the weights on their way into memory. None of
//! the three is left out; a provider whose boot nobody knows has no cold start.

use super::{Memory, Step, Traffic, held_ms, loaded};
use crate::catalog::Catalog;
use crate::requirements::{LatencyMeasure, Statistic};

/// Bytes of a GiB over those of a GB.
const GB_PER_GIB: f64 = 1.073_741_824;
/// Requests/s at which nobody meets anybody.
const LONE_RPS: f64 = 1e-9;

/// Seconds from a request that finds no engine to one that serves it: boot + engine start + GB of weights x seconds
/// per GB. `None` where a fact is missing.
#[must_use]
pub fn cold_start_s(catalog: &Catalog, provider: &str, memory: &Memory) -> Option<f64> {
    let weights_gb = memory.weights_gib * memory.gpus * GB_PER_GIB;
    let boot_s = catalog.serverless_boot_s(provider)?;
    Some(boot_s + catalog.engine_start_s()? + weights_gb * catalog.weights_load_s_per_gb()?)
}

/// Latency of a request alone on an engine, ms: the median of the error and what a limit is held to, without the
/// cold start.
#[must_use]
pub fn alone_ms(
    step: &Step,
    memory: &Memory,
    traffic: &Traffic<'_>,
    confidence: f64,
    asked: (LatencyMeasure, Statistic),
) -> Option<(f64, f64)> {
    let value = loaded(step, memory, traffic, LONE_RPS, 1).ok()?.of(asked.0).at(asked.1);
    let held = held_ms(step, memory, traffic, &[(*traffic, LONE_RPS)], 1, confidence, asked);
    held.is_finite().then_some((value, held))
}

/// Whether a latency begins with the cold start: all but the time between tokens.
#[must_use]
pub fn waits_for_start(measure: LatencyMeasure) -> bool {
    measure != LatencyMeasure::Tpot
}
