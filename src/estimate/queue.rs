//! Open Poisson traffic on one unit: occupancy, waiting, percentiles.
//!
//! In: step times, memory, traffic, a rate. Out: [`Loaded`], or [`Saturated`] where no steady state exists. A birth-death
//! chain with death rates X(1..cap) gives the occupancy, insensitive to the length law below the cap (Cohen 1979,
//! Kelly 1979). An arrival that finds k running is served at tau(k+1) (PASTA); one that finds the cap reached waits
//! Exp(X(cap) - lambda). To that come, where something runs, the prefill queue (with probability lambda p an exponential of
//! mean p/(2(1 - lambda p))) and one partial step U(0,1) D, then the prefill itself (oracle study section 6). Good to load
//! 0.85; beyond, finalists belong in an event simulation. Times in ms, rates in 1/ms unless named otherwise.

use serde::{Deserialize, Serialize};

use super::{Demand, Memory, Step, Traffic};

/// Mean and percentiles of one latency, ms; medians of the error.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Distribution {
    /// Mean.
    pub mean: f64,
    /// Median.
    pub p50: f64,
    /// 90th percentile.
    pub p90: f64,
    /// 95th percentile.
    pub p95: f64,
    /// 99th percentile.
    pub p99: f64,
}

impl Distribution {
    /// The same for every request.
    #[must_use]
    pub const fn always(ms: f64) -> Self {
        Self { mean: ms, p50: ms, p90: ms, p95: ms, p99: ms }
    }
}

/// What open traffic sees.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Loaded {
    /// Time to the first visible token, queueing included, ms.
    pub ttft: Distribution,
    /// Time between visible tokens, ms.
    pub tpot: Distribution,
    /// Time to the last token, ms.
    pub e2e: Distribution,
    /// Rate over saturation rate.
    pub utilisation: f64,
    /// Mean sequences running.
    pub mean_batch: f64,
    /// Rate at which the unit saturates, requests/s.
    pub capacity_rps_saturated: f64,
}

/// The rate reaches what the unit can serve: no steady state.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Saturated {
    /// Rate at which the unit saturates, requests/s.
    pub saturation_rps: f64,
}

/// Step times and death rates by occupancy, filled as far as they are asked for.
pub(super) struct Table<'s> {
    step: &'s Step,
    pub(super) demand: Demand,
    /// `tau[k-1]`: time between tokens with k running.
    tau_ms: Vec<f64>,
    /// `death[k-1]`: X(k).
    death_per_ms: Vec<f64>,
}

/// What an arrival finds, with what it means for it.
#[derive(Debug, Clone, Copy)]
struct Atom {
    probability: f64,
    tau_ms: f64,
    finds: Finds,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Finds {
    Idle,
    Running,
    Full,
}

/// Stationary view of an arrival at one rate and batch cap.
pub(super) struct Occupancy {
    atoms: Vec<Atom>,
    idle: f64,
    running: f64,
    full: f64,
    /// Rate of the wait for a slot.
    wait_per_ms: f64,
    /// Probability and rate of the prefill queue.
    queue: f64,
    queue_per_ms: f64,
    /// One step at the mean occupancy.
    partial_ms: f64,
    pub(super) utilisation: f64,
    pub(super) mean_batch: f64,
}

/// A bin holds one in so many of the sequences running: step times in it differ by less than that.
const BIN_WIDTH: usize = 8;
/// Probability below which further states are left out.
const NEGLIGIBLE: f64 = 1e-10;

impl<'s> Table<'s> {
    pub(super) fn new(step: &'s Step, demand: Demand) -> Self {
        Self { step, demand, tau_ms: Vec::new(), death_per_ms: Vec::new() }
    }

    fn state(&mut self, running: usize) -> (f64, f64) {
        while self.tau_ms.len() < running {
            #[expect(clippy::cast_precision_loss, reason = "batches are small")]
            let batch = (self.tau_ms.len() + 1) as f64;
            let decode_ms = self.step.decode(batch, self.demand.context_tokens);
            let prefill_ms = self.step.interference / self.demand.output_tokens * self.demand.prefill_ms;
            self.tau_ms.push(decode_ms + (batch - 1.0) * prefill_ms);
            let slot_ms = (decode_ms + batch * prefill_ms).max(self.demand.slot_floor_ms(batch));
            self.death_per_ms.push(batch / (self.demand.output_tokens * slot_ms));
        }
        (self.tau_ms[running - 1], self.death_per_ms[running - 1])
    }

    /// Saturation rate at a batch cap, 1/ms.
    pub(super) fn saturation_per_ms(&self, cap: usize) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "batches are small")]
        let batch = cap as f64;
        self.demand.rate_per_s(self.step, batch) / 1000.0
    }

    /// The stationary chain at `rate_per_ms` < saturation.
    pub(super) fn occupancy(&mut self, rate_per_ms: f64, cap: usize) -> Occupancy {
        let saturation = self.saturation_per_ms(cap);
        let utilisation = rate_per_ms / saturation;
        let mut weights = Vec::with_capacity(64);
        let (mut weight, mut sum, mut mean) = (1.0_f64, 1.0_f64, 0.0_f64);
        weights.push(1.0);
        let mut reached = 0_usize;
        for running in 1..=cap {
            let (_, death) = self.state(running);
            let ratio = rate_per_ms / death;
            weight *= ratio;
            weights.push(weight);
            sum += weight;
            #[expect(clippy::cast_precision_loss, reason = "batches are small")]
            let batch = running as f64;
            mean += weight * batch;
            reached = running;
            if ratio < 1.0 && weight < NEGLIGIBLE * sum {
                break;
            }
            if weight > 1e200 {
                for w in &mut weights {
                    *w *= 1e-200;
                }
                weight *= 1e-200;
                sum *= 1e-200;
                mean *= 1e-200;
            }
        }
        // Beyond the cap the ratio is constant: a geometric tail, during which `cap` run.
        let mut full = 0.0;
        if reached == cap {
            let tail = weight * utilisation / (1.0 - utilisation);
            #[expect(clippy::cast_precision_loss, reason = "batches are small")]
            let batch = cap as f64;
            sum += tail;
            mean += tail * batch;
            full = (weight + tail) / sum;
            weights.truncate(cap);
        }
        let mean_batch = mean / sum;
        let atoms = self.atoms(&weights, sum, full, cap);
        let idle = weights[0] / sum;
        let prefill_ms = self.demand.prefill_ms;
        let queue = (rate_per_ms * prefill_ms).min(0.99);
        Occupancy {
            atoms,
            idle,
            running: (1.0 - idle - full).max(0.0),
            full,
            wait_per_ms: saturation - rate_per_ms,
            queue,
            queue_per_ms: 2.0 * (1.0 - queue) / prefill_ms.max(1e-9),
            partial_ms: self.step.decode(mean_batch.max(1.0), self.demand.context_tokens),
            utilisation,
            mean_batch,
        }
    }

    /// The states an arrival finds, each by itself or in bins whose bounds do not depend on the load.
    ///
    /// Slower steps shift a birth-death chain upwards in likelihood ratio, so within each fixed bin as well: the law of
    /// the bins is ordered as that of the states is, and nothing gets faster where a resource is taken away.
    fn atoms(&mut self, weights: &[f64], sum: f64, full: f64, cap: usize) -> Vec<Atom> {
        let mut atoms = Vec::with_capacity(32);
        let (tau_ms, _) = self.state(1);
        atoms.push(Atom { probability: weights[0] / sum, tau_ms, finds: Finds::Idle });
        let mut from = 1;
        while from < weights.len() {
            let until = (from + (from / BIN_WIDTH).max(1)).min(weights.len());
            let (mut bin, mut bin_tau) = (0.0, 0.0);
            for (found, weight) in weights.iter().enumerate().take(until).skip(from) {
                let (tau_ms, _) = self.state(found + 1);
                bin += weight / sum;
                bin_tau += weight / sum * tau_ms;
            }
            if bin > 0.0 {
                atoms.push(Atom { probability: bin, tau_ms: bin_tau / bin, finds: Finds::Running });
            }
            from = until;
        }
        if full > 0.0 {
            let (tau_ms, _) = self.state(cap);
            atoms.push(Atom { probability: full, tau_ms, finds: Finds::Full });
        }
        atoms
    }
}

/// An exponential wait is over after this many of its means but for 1e-12.
const CERTAIN: f64 = 28.0;

/// P(U(0, width) <= t).
fn uniform(t: f64, width: f64) -> f64 {
    (t / width).clamp(0.0, 1.0)
}

/// P(U(0, width) + Exp(rate) <= t).
fn uniform_exponential(t: f64, width: f64, rate: f64) -> f64 {
    if t <= 0.0 {
        return 0.0;
    }
    let inside = t.min(width);
    let mass = (-rate * (t - inside)).exp() - (-rate * t).exp();
    ((inside - mass / rate) / width).clamp(0.0, 1.0)
}

impl Occupancy {
    /// P(wait for a slot, prefill queue and partial step <= t), by what the arrival finds.
    fn waits_below(&self, finds: Finds, t: f64) -> f64 {
        if t < 0.0 {
            return 0.0;
        }
        let (width, queue) = (self.partial_ms, self.queue);
        match finds {
            Finds::Idle => 1.0,
            Finds::Running => {
                if t >= width && (queue <= 0.0 || t - width >= CERTAIN / self.queue_per_ms) {
                    return 1.0;
                }
                (1.0 - queue) * uniform(t, width) + queue * uniform_exponential(t, width, self.queue_per_ms)
            }
            Finds::Full => {
                let slot = self.wait_per_ms;
                if t - width >= CERTAIN / slot.min(self.queue_per_ms) {
                    return 1.0;
                }
                // Two equal rates would divide by zero: the law is continuous in them, so they are held apart.
                let line = if (slot - self.queue_per_ms).abs() < 1e-6 * slot {
                    slot * (1.0 + 1e-6)
                } else {
                    self.queue_per_ms
                };
                let by_slot = uniform_exponential(t, width, slot);
                let by_line = uniform_exponential(t, width, line);
                let both = (line * by_slot - slot * by_line) / (line - slot);
                ((1.0 - queue) * by_slot + queue * both).clamp(0.0, 1.0)
            }
        }
    }

    /// P(TTFT <= t): waits, then the prefill (times `prefill_scale`), then the reasoning tokens.
    pub(super) fn ttft_below(&self, t: f64, traffic: &Traffic<'_>, prefills: &[f64], scale: f64) -> f64 {
        if traffic.extra_output > 0.0 {
            return self.below(t, traffic, prefills, scale, |_| traffic.extra_output);
        }
        let mut total = 0.0;
        let points = traffic.lengths.points.iter().zip(prefills);
        let mut points = points.map(|(&(_, _, weight), prefill_ms)| (weight, *prefill_ms)).peekable();
        while let Some((mut weight, prefill_ms)) = points.next() {
            // Points stand in the order of their prompts, and each prompt is there once for every answer.
            while let Some((more, _)) = points.next_if(|(_, other)| other.to_bits() == prefill_ms.to_bits()) {
                weight += more;
            }
            let rest = t - scale * prefill_ms;
            if rest >= 0.0 {
                total += weight
                    * (self.idle
                        + self.running * self.waits_below(Finds::Running, rest)
                        + if self.full > 0.0 {
                            self.full * self.waits_below(Finds::Full, rest)
                        } else {
                            0.0
                        });
            }
        }
        total
    }

    /// P(E2E <= t).
    pub(super) fn e2e_below(&self, t: f64, traffic: &Traffic<'_>, prefills: &[f64], scale: f64) -> f64 {
        self.below(t, traffic, prefills, scale, |answer| (answer - 1.0).max(0.0) + traffic.extra_output)
    }

    fn below(
        &self,
        t: f64,
        traffic: &Traffic<'_>,
        prefills: &[f64],
        scale: f64,
        steps: impl Fn(f64) -> f64,
    ) -> f64 {
        let mut total = 0.0;
        for (&(_, answer, weight), prefill_ms) in traffic.lengths.points.iter().zip(prefills) {
            let rest = t - scale * prefill_ms;
            let count = steps(answer);
            for atom in &self.atoms {
                let left = rest - count * atom.tau_ms;
                if left >= 0.0 {
                    total += weight * atom.probability * self.waits_below(atom.finds, left);
                }
            }
        }
        total
    }

    /// P(TPOT <= t).
    pub(super) fn tpot_below(&self, t: f64) -> f64 {
        self.atoms.iter().filter(|atom| atom.tau_ms <= t).map(|atom| atom.probability).sum()
    }

    /// Mean TPOT.
    pub(super) fn tpot_mean(&self) -> f64 {
        self.atoms.iter().map(|atom| atom.probability * atom.tau_ms).sum()
    }

    /// Mean of all waits before the prefill.
    pub(super) fn wait_mean(&self) -> f64 {
        let busy = self.running + self.full;
        self.full / self.wait_per_ms + busy * (self.queue / self.queue_per_ms + self.partial_ms / 2.0)
    }

    fn tpot(&self) -> Distribution {
        let at = |q: f64| {
            let mut sum = 0.0;
            self.atoms
                .iter()
                .find(|atom| {
                    sum += atom.probability;
                    sum >= q
                })
                .or(self.atoms.last())
                .map_or(0.0, |atom| atom.tau_ms)
        };
        Distribution { mean: self.tpot_mean(), p50: at(0.5), p90: at(0.9), p95: at(0.95), p99: at(0.99) }
    }
}

/// Lengths are points, so a distribution function has steps, and one may end at a percentile that is asked for. Then it
/// counts as reached, here and where a limit is held: whether rounding puts the sum of the weights below or above the
/// percentile is of no account, and a lighter load is never slower.
pub(super) const STEP: f64 = 1e-9;

/// Percentiles of a law given by its distribution function.
fn percentiles(mean: f64, below: impl Fn(f64) -> f64) -> Distribution {
    let mut low = 0.0_f64;
    let mut at = |q: f64| {
        let q = q - STEP;
        let mut high = mean.max(low).max(1e-6);
        while below(high) < q && high < 1e15 {
            low = high;
            high *= 2.0;
        }
        for _ in 0..60 {
            if high - low <= 1e-5 * high {
                break;
            }
            let middle = f64::midpoint(low, high);
            if below(middle) < q {
                low = middle;
            } else {
                high = middle;
            }
        }
        high
    };
    Distribution { mean, p50: at(0.5), p90: at(0.9), p95: at(0.95), p99: at(0.99) }
}

/// Prefill alone of every point of the traffic behind a server, ms.
pub(super) fn prefills(step: &Step, traffic: &Traffic<'_>) -> Vec<f64> {
    let alone = |&(input, _, _): &(f64, f64, f64)| {
        step.server_ms + step.prefill_alone(input, input * traffic.prefix_hit)
    };
    traffic.lengths.points.iter().map(alone).collect()
}

/// All latencies at an occupancy.
pub(super) fn describe(
    occupancy: &Occupancy,
    demand: &Demand,
    traffic: &Traffic<'_>,
    prefills: &[f64],
    prefill_scale: f64,
    saturation_per_ms: f64,
) -> Loaded {
    let ttft_mean =
        occupancy.wait_mean() + prefill_scale * demand.first_ms + demand.extra_output * occupancy.tpot_mean();
    let visible = (demand.output_tokens - demand.extra_output - 1.0).max(0.0);
    let e2e_mean = ttft_mean + visible * occupancy.tpot_mean();
    Loaded {
        ttft: percentiles(ttft_mean, |t| occupancy.ttft_below(t, traffic, prefills, prefill_scale)),
        tpot: occupancy.tpot(),
        e2e: percentiles(e2e_mean, |t| occupancy.e2e_below(t, traffic, prefills, prefill_scale)),
        utilisation: occupancy.utilisation,
        mean_batch: occupancy.mean_batch,
        capacity_rps_saturated: saturation_per_ms * 1000.0,
    }
}

/// Most sequences that run at once, whole ones.
pub(super) fn whole_cap(demand: &Demand, memory: &Memory, max_batch: u32) -> usize {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "at least 1, at most max_batch"
    )]
    let cap = demand.batch_cap(memory, max_batch) as usize;
    cap.max(1)
}

/// Latencies of Poisson traffic of `rate_per_s` on one unit that runs at most `max_batch` sequences.
///
/// # Errors
/// [`Saturated`] where the rate reaches the saturation rate X(cap).
pub fn loaded(
    step: &Step,
    memory: &Memory,
    traffic: &Traffic<'_>,
    rate_per_s: f64,
    max_batch: u32,
) -> Result<Loaded, Saturated> {
    loaded_among(step, memory, traffic, &[(*traffic, rate_per_s)], max_batch, 1.0)
}

/// Latencies that one class sees on a unit that several share: the occupancy is that of all of them together, the
/// lengths are the class's own. Rates in requests/s; the lone prefill takes `prefill_scale` times its estimate.
///
/// # Errors
/// [`Saturated`] where their rates together reach the saturation rate of the mixture.
pub fn loaded_among(
    step: &Step,
    memory: &Memory,
    own: &Traffic<'_>,
    among: &[(Traffic<'_>, f64)],
    max_batch: u32,
    prefill_scale: f64,
) -> Result<Loaded, Saturated> {
    let parts: Vec<(Demand, f64)> = among
        .iter()
        .map(|(traffic, rate)| (Demand::new(step, traffic), rate.max(f64::MIN_POSITIVE)))
        .collect();
    let demand = if let [(one, _)] = parts.as_slice() { *one } else { Demand::mixed(&parts) };
    let cap = whole_cap(&demand, memory, max_batch);
    let mut table = Table::new(step, demand);
    let saturation_per_ms = table.saturation_per_ms(cap);
    let rate_per_ms = parts.iter().map(|(_, rate)| rate).sum::<f64>() / 1000.0;
    if rate_per_ms >= saturation_per_ms {
        return Err(Saturated { saturation_rps: saturation_per_ms * 1000.0 });
    }
    let occupancy = table.occupancy(rate_per_ms, cap);
    let own_demand = Demand::new(step, own);
    Ok(describe(&occupancy, &own_demand, own, &prefills(step, own), prefill_scale, saturation_per_ms))
}
