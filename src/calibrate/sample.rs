//! A measurement with everything the fit asks of it worked out once.
//!
//! In: a [`Measurement`] and a catalog. Out: a [`Sample`], or why the row cannot take part: names the catalog lacks, a
//! configuration that does not fit, a figure that beats physics. Its prediction calls the same functions as `bursar estimate`.

use std::collections::BTreeMap;

use crate::catalog::Catalog;
use crate::estimate::{
    Coefficient, Demand, Load, Memory, Rates, Resolved, Rig, Scale, Step, Terms, closed, loaded, max_load,
    memory, static_batch,
};
use crate::measurement::{Measurement, Quantity, Rejected};
use crate::requirements::Statistic;

/// Which formula a row tests: rows of one cell are scored together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cell {
    /// Time between tokens with clients in a loop, or of a static batch.
    Tpot,
    /// Tokens/s with requests always waiting.
    Saturation,
    /// A batch started together, from end to end.
    Static,
    /// Time to the first token with nothing else running.
    TtftAlone,
    /// Time to the first token among other clients.
    TtftLoaded,
    /// End to end, or throughput, of clients in a loop.
    Closed,
    /// Anything under Poisson traffic.
    Open,
    /// Memory.
    Memory,
}

impl Cell {
    /// All of them, in order.
    pub const ALL: [Self; 8] = [
        Self::Tpot,
        Self::Saturation,
        Self::Static,
        Self::TtftAlone,
        Self::TtftLoaded,
        Self::Closed,
        Self::Open,
        Self::Memory,
    ];

    /// The word of reports; the first five are those of `catalog/intervals.csv`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Tpot => "tpot",
            Self::Saturation => "saturation",
            Self::Static => "static",
            Self::TtftAlone => "ttft",
            Self::TtftLoaded => "ttft-loaded",
            Self::Closed => "closed",
            Self::Open => "open",
            Self::Memory => "memory",
        }
    }

    fn of(load: Load, alone: bool, quantity: Quantity) -> Self {
        match (load, quantity) {
            (_, Quantity::Weights | Quantity::KvPool | Quantity::KvPoolTokens) => Self::Memory,
            (Load::Open, _) => Self::Open,
            (Load::Max, _) => Self::Saturation,
            (_, Quantity::Tpot) => Self::Tpot,
            (_, Quantity::Ttft) if alone => Self::TtftAlone,
            (Load::Static, _) => Self::Static,
            (Load::Closed, Quantity::Ttft) => Self::TtftLoaded,
            (Load::Closed, _) => Self::Closed,
        }
    }
}

/// One row of the fit.
#[derive(Debug, Clone)]
pub struct Sample<'c> {
    /// The row.
    pub measurement: Measurement,
    /// The configuration, found in the catalog.
    pub resolved: Resolved<'c>,
    /// The formula it tests.
    pub cell: Cell,
    /// Bits class of the weights.
    pub bits: u32,
    /// Weight in the fit, at most 1.
    pub weight: f64,
    rig: Rig,
    terms: Terms,
    memory: Memory,
}

/// A row measured at a share of memory that the source does not state may have taken this much.
const UTILIZATION_LARGE: f64 = 0.97;

impl<'c> Sample<'c> {
    /// Works a measurement out.
    ///
    /// # Errors
    /// Why the row cannot take part.
    pub fn new(catalog: &'c Catalog, measurement: &Measurement) -> Result<Self, Rejected> {
        let reject = |reason, cause: String| Rejected { place: measurement.place.clone(), reason, cause };
        let request = &measurement.request;
        let mut resolved = Resolved::of(catalog, request).map_err(|refusal| {
            let reason = match refusal.code.as_str() {
                "unknown-model" => "unknown-model",
                "unknown-gpu" => "unknown-gpu",
                "unknown-engine" => "unknown-engine",
                "unknown-precision" => "unknown-precision",
                _ => "inconsistent",
            };
            reject(reason, refusal.message)
        })?;
        if !resolved.unit.model.formula {
            return Err(reject("no-formula", format!("no formula for {}", request.model)));
        }
        if request.context_tokens.is_none() {
            // A run beyond the model's window is still a run.
            resolved.context_tokens = resolved.context_tokens.min(f64::from(resolved.unit.model.max_context));
        }
        let is_latency = matches!(measurement.quantity, Quantity::Ttft | Quantity::Tpot | Quantity::E2e);
        if resolved.load == Load::Max && is_latency {
            let cause = "a latency under saturation holds the wait in the benchmark's own queue".to_owned();
            return Err(reject("queue-included", cause));
        }
        let misfit = |fault| reject("does-not-fit", format!("{fault}"));
        let fits = match memory(catalog, &resolved.unit, resolved.context_tokens) {
            Err(_) if request.gpu_memory_utilization.is_none() => {
                resolved.unit.gpu_memory_utilization = UTILIZATION_LARGE;
                memory(catalog, &resolved.unit, resolved.context_tokens)
            }
            found => found,
        };
        let memory = fits.map_err(misfit)?;
        let rig = Rig::new(catalog, &resolved.unit).map_err(misfit)?;
        let terms = rig.terms(&resolved.unit);
        let alone = resolved.concurrency.unwrap_or(1.0) <= 1.0;
        let cell = Cell::of(resolved.load, alone, measurement.quantity);
        let bits = rig.bits();
        let sample =
            Self { measurement: measurement.clone(), resolved, cell, bits, weight: 1.0, rig, terms, memory };
        match sample.bound() {
            Some(bound) if sample.beats(bound) => Err(reject(
                "faster-than-physics",
                format!("{} is measured, {bound:.4} is the bound of the data sheet", measurement.value),
            )),
            _ => Ok(sample),
        }
    }

    /// True where more of the quantity is better.
    fn is_rate(&self) -> bool {
        matches!(self.measurement.quantity, Quantity::OutputTokens | Quantity::Requests)
    }

    fn beats(&self, bound: f64) -> bool {
        if self.is_rate() { self.measurement.value > bound } else { self.measurement.value < bound }
    }

    /// What the data sheet allows at best, `None` where no bound is at hand.
    fn bound(&self) -> Option<f64> {
        if matches!(self.cell, Cell::Memory | Cell::Open) {
            return None;
        }
        let step = Step::composed(&self.terms, &Rates::ONE, self.resolved.unit.max_batch);
        let demand = Demand::new(&step, &self.resolved.traffic());
        let cap = demand.batch_cap(&self.memory, self.resolved.unit.max_batch);
        let batch = match self.resolved.load {
            Load::Max | Load::Open => cap,
            Load::Static | Load::Closed => self.resolved.concurrency.unwrap_or(1.0).min(cap),
        };
        let token_ms = step.decode_floor(batch, self.resolved.lengths.input_mean);
        let tokens = self.resolved.lengths.output_mean;
        Some(match self.measurement.quantity {
            Quantity::Ttft => step.decode_floor(1.0, 0.0),
            Quantity::Tpot => token_ms,
            Quantity::E2e => (tokens - 1.0) * token_ms,
            Quantity::OutputTokens => 1000.0 * batch / token_ms,
            Quantity::Requests => 1000.0 * batch / (token_ms * tokens),
            Quantity::Weights | Quantity::KvPool | Quantity::KvPoolTokens => return None,
        })
    }

    /// The coefficients that the catalog gives this configuration.
    #[must_use]
    pub fn shipped_rates(&self) -> &Rates {
        self.rig.rates(self.resolved.unit.model.is_mixture())
    }

    /// The figure under some coefficients; `None` where the formula has none (saturated).
    #[must_use]
    pub fn predict(&self, rates: &Rates) -> Option<f64> {
        self.predict_scaled(rates, Scale::ONE)
    }

    /// The same with times multiplied, as a user's own measurements have it.
    fn predict_scaled(&self, rates: &Rates, scale: Scale) -> Option<f64> {
        match self.measurement.quantity {
            Quantity::Weights => return Some(self.memory.weights_gib),
            Quantity::KvPool => return Some(self.memory.kv_pool_gib),
            Quantity::KvPoolTokens => return Some(self.memory.kv_pool_tokens),
            Quantity::Ttft | Quantity::Tpot | Quantity::E2e | Quantity::OutputTokens | Quantity::Requests => {
            }
        }
        let unit = &self.resolved.unit;
        let step = Step::composed(&self.terms, rates, unit.max_batch).scaled(scale);
        let traffic = self.resolved.traffic();
        let demand = Demand::new(&step, &traffic);
        let (memory, cap) = (&self.memory, unit.max_batch);
        let together = self.resolved.concurrency.unwrap_or(1.0);
        let steady = match self.resolved.load {
            Load::Static => static_batch(&step, memory, &demand, together, cap),
            Load::Closed => closed(&step, memory, &demand, together, cap),
            Load::Max => max_load(&step, memory, &demand, self.resolved.concurrency, cap),
            Load::Open => {
                let rate = self.resolved.rate_per_s;
                let found = loaded(&step, memory, &traffic, rate, cap).ok()?;
                let law = match self.measurement.quantity {
                    Quantity::Ttft => found.ttft,
                    Quantity::Tpot => found.tpot,
                    Quantity::E2e => found.e2e,
                    Quantity::Requests => return Some(rate),
                    _ => return Some(rate * self.resolved.lengths.output_mean),
                };
                return Some(law.at(self.measurement.statistic.unwrap_or(Statistic::P50)));
            }
        };
        Some(match self.measurement.quantity {
            Quantity::Ttft => steady.ttft_ms,
            Quantity::Tpot => steady.tpot_ms,
            Quantity::E2e => steady.e2e_ms,
            Quantity::Requests => steady.requests_per_s,
            _ => steady.requests_per_s * self.resolved.lengths.output_mean,
        })
    }

    /// ln(predicted / measured), times so that positive is slower than measured.
    #[must_use]
    pub fn residual(&self, rates: &Rates) -> Option<f64> {
        self.residual_scaled(rates, Scale::ONE)
    }

    /// The same with times multiplied.
    pub(super) fn residual_scaled(&self, rates: &Rates, scale: Scale) -> Option<f64> {
        let predicted = self.predict_scaled(rates, scale)?;
        let log = (predicted / self.measurement.value).ln();
        log.is_finite().then_some(if self.is_rate() { -log } else { log })
    }

    /// Derivatives of the residual by the logarithm of each coefficient, forward differences.
    #[must_use]
    pub fn slopes(&self, rates: &Rates, residual: f64) -> [f64; Coefficient::COUNT] {
        const STEP: f64 = 1e-4;
        let mut slopes = [0.0; Coefficient::COUNT];
        for coefficient in Coefficient::ALL {
            let mut moved = *rates;
            moved[coefficient] *= STEP.exp();
            if let Some(after) = self.residual(&moved) {
                slopes[coefficient as usize] = (after - residual) / STEP;
            }
        }
        slopes
    }

    /// True where the model takes part as a mixture of experts.
    #[must_use]
    pub const fn is_mixture(&self) -> bool {
        self.resolved.unit.model.is_mixture()
    }

    /// True where the formula carries to the GPU.
    #[must_use]
    pub const fn is_trusted(&self) -> bool {
        self.rig.is_trusted()
    }

    /// True where the row may be fitted: a mean or a median of a load whose formula is closed.
    #[must_use]
    pub fn is_fitted(&self) -> bool {
        let middle = matches!(self.measurement.statistic, None | Some(Statistic::Mean | Statistic::P50));
        middle && !matches!(self.cell, Cell::Open | Cell::Memory)
    }
}

/// Rows of a source, cell and engine generation beyond which their weight is shared (oracle study section 3).
const ROWS_FULL: f64 = 60.0;

/// All measurements worked out and weighted, and those that cannot take part.
#[must_use]
pub fn samples<'c>(catalog: &'c Catalog, rows: &[Measurement]) -> (Vec<Sample<'c>>, Vec<Rejected>) {
    let (mut samples, mut rejected) = (Vec::new(), Vec::new());
    for row in rows {
        match Sample::new(catalog, row) {
            Ok(sample) => samples.push(sample),
            Err(reason) => rejected.push(reason),
        }
    }
    let key = |sample: &Sample<'_>| {
        (sample.measurement.source.clone(), sample.cell, sample.resolved.unit.engine.id.clone())
    };
    let mut counts: BTreeMap<_, f64> = BTreeMap::new();
    for sample in samples.iter().filter(|sample| sample.is_fitted()) {
        *counts.entry(key(sample)).or_default() += 1.0;
    }
    for sample in &mut samples {
        let rows = counts.get(&key(sample)).copied().unwrap_or(1.0);
        sample.weight = (ROWS_FULL / rows).sqrt().min(1.0);
    }
    (samples, rejected)
}
