//! Traffic on a unit where the batch is known: static batches, closed loops, saturation.
//!
//! In: step times, memory, lengths. Out: [`Steady`] latencies and rates at a given batch. Queueing of open traffic is
//! in `queue.rs`. Formulas: oracle study sections 2 and 6.

use super::{Memory, Scale, Step, TimeClass};
use crate::requirements::Lengths;

/// Growth of the wait behind other prompts with the clients of a loop: 1 where all start together and stay in step (the
/// mean is B p/2), 0 where they are spread out. Published runs do both. Chosen on dense models left out:
/// the error is 39 / 103 % (median / P90) at the 0.5 of the oracle study and 30 / 84 % at 0.7.
const QUEUE_EXPONENT: f64 = 0.7;

/// The traffic of one class as the estimates read it.
#[derive(Debug, Clone, Copy)]
pub struct Traffic<'r> {
    /// Prompt and answer lengths.
    pub lengths: &'r Lengths,
    /// Tokens generated before the visible answer (reasoning).
    pub extra_output: f64,
    /// Share of prompt tokens not prefilled.
    pub prefix_hit: f64,
    /// Longest request, tokens.
    pub context_tokens: f64,
}

/// Means of a traffic class on one unit.
#[derive(Debug, Clone, Copy)]
pub struct Demand {
    /// Mean prompt, tokens.
    pub input_tokens: f64,
    /// Mean generated tokens, reasoning included.
    pub output_tokens: f64,
    /// Tokens generated before the first visible one.
    pub extra_output: f64,
    /// Mean context of a running sequence: long answers are seen for longer.
    pub context_tokens: f64,
    /// What a running sequence holds of the pool at its 60 % point, tokens.
    pub resident_tokens: f64,
    /// Mean prefill as it adds to running work, ms.
    pub prefill_ms: f64,
    /// Mean prefill alone, ms.
    pub prefill_alone_ms: f64,
    /// Least arithmetic of a token of an answer and its share of the prompt, at the peak of the unit, ms.
    pub arithmetic_floor_ms: f64,
    /// The same of the all-reduces, over the link.
    pub link_floor_ms: f64,
    /// The same behind a server: HTTP, tokenizer and scheduler come before it, ms.
    pub first_ms: f64,
    // Two of these without the factors of a user's own.
    plain_prefill_ms: f64,
    plain_first_ms: f64,
}

impl Demand {
    /// Means over the points of the traffic.
    #[must_use]
    pub fn new(step: &Step, traffic: &Traffic<'_>) -> Self {
        let own = Self::of(step, traffic);
        let plain = if step.scale == Scale::ONE { own } else { Self::of(&step.plain(), traffic) };
        Self { plain_prefill_ms: plain.prefill_ms, plain_first_ms: plain.first_ms, ..own }
    }

    fn of(step: &Step, traffic: &Traffic<'_>) -> Self {
        let (mut input, mut output, mut context, mut resident) = (0.0, 0.0, 0.0, 0.0);
        let (mut prefill_ms, mut alone_ms) = (0.0, 0.0);
        let mut prompt_floors_ms = (0.0, 0.0);
        for &(tokens, answer, weight) in &traffic.lengths.points {
            let generated = (answer + traffic.extra_output).max(1.0);
            let cached = tokens * traffic.prefix_hit;
            input += weight * tokens;
            output += weight * generated;
            context += weight * generated * (tokens + generated / 2.0);
            resident += weight * generated * (tokens + 0.6 * generated);
            prefill_ms += weight * step.prefill_marginal(tokens, cached);
            alone_ms += weight * step.prefill_alone(tokens, cached);
            let (arithmetic_ms, link_ms) = step.prompt_floors(tokens, cached);
            prompt_floors_ms.0 += weight * arithmetic_ms;
            prompt_floors_ms.1 += weight * link_ms;
        }
        let sequence_floors_ms = step.sequence_floors(context / output);
        Self {
            input_tokens: input,
            output_tokens: output,
            extra_output: traffic.extra_output,
            context_tokens: context / output,
            resident_tokens: resident / output,
            prefill_ms,
            plain_prefill_ms: prefill_ms,
            prefill_alone_ms: alone_ms,
            arithmetic_floor_ms: sequence_floors_ms.0 + prompt_floors_ms.0 / output,
            link_floor_ms: sequence_floors_ms.1 + prompt_floors_ms.1 / output,
            first_ms: step.server_ms + alone_ms,
            plain_first_ms: step.server_ms + alone_ms,
        }
    }

    /// Means over several classes that share a unit, by their rates; contexts by the tokens each generates.
    #[must_use]
    pub fn mixed(parts: &[(Self, f64)]) -> Self {
        let mean = |weight: &dyn Fn(&Self) -> f64, value: &dyn Fn(&Self) -> f64| {
            let all: f64 = parts.iter().map(|(part, rate)| rate * weight(part)).sum();
            parts.iter().map(|(part, rate)| rate * weight(part) * value(part)).sum::<f64>() / all
        };
        let (requests, tokens) = (|_: &Self| 1.0, |part: &Self| part.output_tokens);
        Self {
            input_tokens: mean(&requests, &|part| part.input_tokens),
            output_tokens: mean(&requests, &|part| part.output_tokens),
            extra_output: mean(&requests, &|part| part.extra_output),
            context_tokens: mean(&tokens, &|part| part.context_tokens),
            resident_tokens: mean(&tokens, &|part| part.resident_tokens),
            prefill_ms: mean(&requests, &|part| part.prefill_ms),
            prefill_alone_ms: mean(&requests, &|part| part.prefill_alone_ms),
            arithmetic_floor_ms: mean(&tokens, &|part| part.arithmetic_floor_ms),
            link_floor_ms: mean(&tokens, &|part| part.link_floor_ms),
            first_ms: mean(&requests, &|part| part.first_ms),
            plain_prefill_ms: mean(&requests, &|part| part.plain_prefill_ms),
            plain_first_ms: mean(&requests, &|part| part.plain_first_ms),
        }
    }

    /// Time a slot spends on one token when `batch` run, ms: D + c_i (B/out) p, and no less than B such tokens and
    /// their prompts cost at the peak of arithmetic and link: c_i is below 1 where an engine overlaps the two.
    #[must_use]
    pub fn slot_ms(&self, step: &Step, batch: f64) -> f64 {
        let slot_ms = step.decode(batch, self.context_tokens)
            + step.interference * batch / self.output_tokens * self.prefill_ms;
        slot_ms.max(self.slot_floor_ms(batch))
    }

    /// Least time of a slot by arithmetic and link, ms.
    pub(super) fn slot_floor_ms(&self, batch: f64) -> f64 {
        batch * self.arithmetic_floor_ms.max(self.link_floor_ms)
    }

    /// Requests/s that `batch` running at once cannot exceed, whatever the engine: reads, arithmetic and exchanges each
    /// at the figure of the data sheet, all of them at the same time.
    #[must_use]
    pub fn ceiling_per_s(&self, step: &Step, batch: f64) -> f64 {
        let least_ms = step.decode_floor(batch, self.context_tokens).max(self.slot_floor_ms(batch));
        1000.0 * batch / (self.output_tokens * least_ms)
    }

    /// Time between tokens a client sees when `batch` run, ms: D + c_i ((B-1)/out) p.
    #[must_use]
    pub fn token_ms(&self, step: &Step, batch: f64) -> f64 {
        step.decode(batch, self.context_tokens)
            + step.interference * (batch - 1.0).max(0.0) / self.output_tokens * self.prefill_ms
    }

    /// Requests/s with `batch` running: X(B) = B / (out (D + c_i (B/out) p)).
    #[must_use]
    pub fn rate_per_s(&self, step: &Step, batch: f64) -> f64 {
        1000.0 * batch / (self.output_tokens * self.slot_ms(step, batch))
    }

    /// The same without the factors of a user's own.
    const fn plain(&self) -> Self {
        Self { prefill_ms: self.plain_prefill_ms, first_ms: self.plain_first_ms, ..*self }
    }

    /// Most sequences that run at once: memory, then the engine's cap.
    #[must_use]
    pub fn batch_cap(&self, memory: &Memory, max_batch: u32) -> f64 {
        memory.sequences(self.resident_tokens).min(f64::from(max_batch)).max(1.0)
    }
}

/// Latencies and rates at a steady batch; medians of the error.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Steady {
    /// Time to the first token, ms.
    pub ttft_ms: f64,
    /// Time between tokens, ms.
    pub tpot_ms: f64,
    /// Time to the last token, ms.
    pub e2e_ms: f64,
    /// Requests/s of the unit.
    pub requests_per_s: f64,
    /// Sequences running together.
    pub batch: f64,
}

/// One batch of `batch` requests started together.
///
/// e2e = B p + c_pL L' + c_ar R + (out-1) D, or P + (out-1) D alone. What memory does not hold runs afterwards.
#[must_use]
pub fn static_batch(step: &Step, memory: &Memory, demand: &Demand, batch: f64, max_batch: u32) -> Steady {
    // Requests are whole: a wave of 2.9 and a rest of 0.1 would be three and one.
    let cap = demand.batch_cap(memory, max_batch).floor();
    waves(batch, cap, demand.output_tokens, |b| {
        let ttft_ms = if b <= 1.0 {
            demand.prefill_alone_ms
        } else {
            (b * demand.prefill_ms + step.prefill_overhead()).max(demand.prefill_alone_ms)
        };
        (ttft_ms, step.decode(b, demand.context_tokens))
    })
}

/// A batch in waves of at most `cap`, given what a wave of b takes to its first tokens and from token to token, ms.
pub(super) fn waves(batch: f64, cap: f64, output_tokens: f64, times: impl Fn(f64) -> (f64, f64)) -> Steady {
    let wave = |b: f64| {
        let (ttft_ms, tpot_ms) = times(b);
        (ttft_ms, tpot_ms, ttft_ms + (output_tokens - 1.0) * tpot_ms)
    };
    let waves = (batch / cap).floor();
    let rest = batch - waves * cap;
    let (ttft_ms, tpot_ms, first_ms) = wave(batch.min(cap));
    let mut e2e_ms = if waves >= 1.0 { waves * first_ms } else { 0.0 };
    if rest > 1e-9 {
        e2e_ms += wave(rest.max(1.0)).2;
    }
    Steady { ttft_ms, tpot_ms, e2e_ms, requests_per_s: 1000.0 * batch / e2e_ms, batch: batch.min(cap) }
}

/// `clients` that each send the next request when the last is answered.
///
/// tpot = D + c_i ((B-1)/out) p; ttft = a_0 + P + a_tau tpot + a_s p (B-1)^0.7; beyond the batch cap clients wait.
#[must_use]
pub fn closed(step: &Step, memory: &Memory, demand: &Demand, clients: f64, max_batch: u32) -> Steady {
    let cap = demand.batch_cap(memory, max_batch);
    let batch = clients.min(cap).max(1.0);
    let tpot_ms = demand.token_ms(step, batch);
    let (one_step, queue) = step.ttft;
    // A lone client finds no step to wait for and no queue.
    let busy = (batch - 1.0).min(1.0);
    // A user's own factor is on the whole of it, not on its parts.
    let (plain, own) = (demand.plain(), step.scale);
    let plain_ms = plain.first_ms
        + one_step * plain.token_ms(&step.plain(), batch) * busy
        + queue * plain.prefill_ms * (batch - 1.0).powf(QUEUE_EXPONENT);
    let served_ms =
        plain_ms * own.of(TimeClass::Prefill).powf(1.0 - busy) * own.of(TimeClass::TtftLoaded).powf(busy);
    let cycle_ms = served_ms + (demand.output_tokens - 1.0) * tpot_ms;
    let requests_per_s = 1000.0 * batch / cycle_ms;
    let wait_ms = (clients.max(1.0) / requests_per_s * 1000.0 - cycle_ms).max(0.0);
    Steady { ttft_ms: served_ms + wait_ms, tpot_ms, e2e_ms: cycle_ms + wait_ms, requests_per_s, batch }
}

/// Saturation: every slot busy, requests always waiting. 1/X = c_max (D + c_i (B/out) p) / B per token.
///
/// With N requests queued and no more to come, N/B waves pass and the last one leaves a batch that empties for half an
/// answer: span = c_max (N/B out (D + c_i (B/out) p) + out D(B/2)/2), and X = N/span.
#[must_use]
pub fn max_load(
    step: &Step,
    memory: &Memory,
    demand: &Demand,
    queued: Option<f64>,
    max_batch: u32,
) -> Steady {
    let cap = demand.batch_cap(memory, max_batch);
    let batch = queued.map_or(cap, |queued| cap.min(queued)).max(1.0);
    // As in the closed loop, a user's own factor is on the whole of it.
    let (plain, full) = (demand.plain(), step.plain());
    let factor = step.scale.of(TimeClass::Saturation) * step.max;
    let answer_ms = factor * demand.output_tokens * plain.slot_ms(&full, batch);
    let drain_ms = factor * demand.output_tokens * full.decode(batch / 2.0, demand.context_tokens) / 2.0;
    let requests_per_ms = match queued {
        Some(queued) if queued > batch => queued / (queued / batch * answer_ms + drain_ms),
        _ => batch / answer_ms,
    };
    Steady {
        ttft_ms: demand.prefill_alone_ms,
        tpot_ms: demand.token_ms(step, batch),
        e2e_ms: answer_ms,
        requests_per_s: 1000.0 * requests_per_ms,
        batch,
    }
}
