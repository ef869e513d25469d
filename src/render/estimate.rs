//! The answer of `bursar estimate` for people: a row a measure, where the time goes, what would be faster or would fit.
//!
//! In: a request, its answer, the catalog to ask further. Out: text of at most 100 columns, numbers right-aligned,
//! nothing that relies on colour.

use super::figure::grouped;
use crate::catalog::Catalog;
use crate::estimate::{
    self, Answer, Breakdown, Change, Estimate, Latency, Measures, Misfit, Outcome, Part, Pass, Request, Tried,
};

/// Longest bar, signs; one stands for 5 %.
const BAR: f64 = 20.0;

/// The whole answer.
#[must_use]
pub fn table(catalog: &Catalog, request: &Request, answer: &Answer) -> String {
    let mut text = format!("{} on {} x {}\n\n", request.model, request.gpus.unwrap_or(1), request.gpu);
    match &answer.outcome {
        Outcome::Fits(measures) => {
            text.push_str(&rows(measures));
            if let Some(parts) = estimate::breakdown(catalog, request, measures) {
                text.push_str(&breakdown(&parts));
            }
            text.push_str(&faster(&estimate::faster(catalog, request, measures)));
        }
        Outcome::Misfits(misfit) => {
            text.push_str(&does_not_fit(misfit));
            text.push_str(&fitting(&estimate::fitting(catalog, request, misfit)));
        }
        Outcome::Refused(refusal) => text.push_str(&format!("  {}\n", refusal.message)),
    }
    text
}

fn rows(measures: &Measures) -> String {
    let mut text = format!("  {:<22}{:>12}{:>12}{:>12}  basis\n", "", "median", "low", "high");
    if let Some(saturated) = measures.saturated {
        text = format!(
            "  saturated: the load reaches {} requests/s\n\n{text}",
            figure(saturated.saturation_rps)
        );
    }
    let mut row = |name: &str, found: &Estimate| {
        let (value, low, high) = (figure(found.value), figure(found.low), figure(found.high));
        text.push_str(&format!("  {name:<22}{value:>12}{low:>12}{high:>12}  {}\n", found.basis.word()));
    };
    let latencies: [(&str, Option<Latency>); 3] =
        [("TTFT ms", measures.ttft_ms), ("TPOT ms", measures.tpot_ms), ("E2E ms", measures.e2e_ms)];
    for (name, latency) in latencies.iter().filter_map(|(name, latency)| latency.map(|found| (name, found))) {
        row(name, &latency.value);
        if let Some(spread) = latency.spread {
            for (statistic, found) in ["mean", "p50", "p90", "p95", "p99"].into_iter().zip(&spread) {
                row(&format!("  {statistic}"), found);
            }
        }
    }
    row("output tokens/s", &measures.output_tokens_per_s);
    row("requests/s", &measures.requests_per_s);
    row("weights GiB per GPU", &measures.weights_gib);
    row("KV pool GiB per GPU", &measures.kv_pool_gib);
    row("KV pool tokens", &measures.kv_pool_tokens);
    row("longest requests held", &measures.max_concurrency);
    text
}

/// Parts of a decode step and of a prefill, the longest part named.
fn breakdown(found: &Breakdown) -> String {
    let batch = grouped(found.batch, usize::from(found.batch.fract() > 0.05 && found.batch < 10.0));
    let of_step = format!("batch {batch}, context {} tokens", grouped(found.context_tokens, 0));
    let mut text = pass("decode step ms", &found.decode, &of_step);
    if found.interference_ms > 0.005 * found.decode.total_ms {
        let (ms, name) = (figure(found.interference_ms), "prompts in between");
        text.push_str(&format!("    {name:<20}{ms:>12}  added to the time between tokens\n"));
    }
    let cached = match found.cached_tokens {
        cached if cached > 0.0 => format!(", {} of them cached", grouped(cached, 0)),
        _ => String::new(),
    };
    let of_prompt = format!("{} tokens alone{cached}", grouped(found.prompt_tokens, 0));
    text.push_str(&pass("prefill ms", &found.prefill, &of_prompt));
    text
}

fn pass(title: &str, pass: &Pass, of: &str) -> String {
    let bound = part_words(pass.bound_by());
    let total = figure(pass.total_ms);
    let mut text = format!("\n  {title:<22}{total:>12}  {of}; bound by {bound}\n");
    let sum_ms = pass.sum_ms().max(f64::MIN_POSITIVE);
    for (part, ms) in pass.parts().filter(|(_, ms)| *ms > 0.0) {
        let share = ms / sum_ms;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to 20")]
        let bar = "#".repeat((BAR * share).round() as usize);
        let row = format!("    {:<20}{:>12}{:>5.0} %  {bar}", part_words(part), figure(ms), 100.0 * share);
        text.push_str(row.trim_end());
        text.push('\n');
    }
    if pass.floor_binds() {
        text.push_str("    faster than the data sheet allows: the physical floor holds instead of the sum\n");
    }
    text
}

const fn part_words(part: Part) -> &'static str {
    match part {
        Part::Overhead => "launches and layers",
        Part::Weights => "weights",
        Part::Experts => "experts",
        Part::Cache => "KV cache",
        Part::Arithmetic => "arithmetic",
        Part::Communication => "communication",
        Part::Sequences => "engine per sequence",
    }
}

/// Changes worth trying, each with what it leads to.
fn faster(tried: &[Tried]) -> String {
    if tried.is_empty() {
        return String::new();
    }
    let mut text =
        format!("\n  {:<34}{:>12}{:>12}{:>12}\n", "what would be faster", "TPOT ms", "TTFT ms", "tokens/s");
    for Tried { changes, measures } in tried {
        let of = |latency: Option<Latency>| {
            latency.map_or_else(|| "-".to_owned(), |latency| figure(latency.value.value))
        };
        let (tpot, ttft) = (of(measures.tpot_ms), of(measures.ttft_ms));
        let tokens = figure(measures.output_tokens_per_s.value);
        text.push_str(&format!("    {:<32}{tpot:>12}{ttft:>12}{tokens:>12}\n", in_words(changes)));
    }
    text
}

fn in_words(changes: &[Change]) -> String {
    let one = |change: &Change| match change {
        Change::Weights(precision) => format!("{precision} weights"),
        Change::Cache8 => "fp8 KV cache".to_owned(),
        Change::Gpus { gpus, tensor_parallel } => format!("{gpus} GPUs, tensor parallel {tensor_parallel}"),
        Change::Gpu(id) => id.clone(),
    };
    changes.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// Why it does not fit, with the memory of one GPU item by item.
fn does_not_fit(misfit: &Misfit) -> String {
    let (ledger, why) = match misfit {
        Misfit::WeightsTooLarge { ledger, .. } => (ledger, "no room for weights and engine".to_owned()),
        Misfit::PoolTooSmall { need_tokens, have_tokens, ledger } => {
            let (need, have) = (grouped(*need_tokens, 0), grouped(*have_tokens, 0));
            (ledger, format!("a context of {need} tokens, a KV pool of {have} tokens"))
        }
        Misfit::ContextTooLong { .. }
        | Misfit::HeadsNotDivisible { .. }
        | Misfit::LayoutImpossible { .. }
        | Misfit::PrecisionUnsupported { .. }
        | Misfit::EngineUnsupported { .. }
        | Misfit::NoFormula { .. } => return format!("  does not fit: {misfit}\n"),
    };
    let mut text = format!("  does not fit: {why}\n\n  GiB per GPU\n");
    let mut row = |name: &str, value: f64| text.push_str(&format!("    {name:<32}{value:>12.2}\n"));
    row(&format!("usable, of {} GB nominal", grouped(ledger.nominal_gb, 0)), ledger.usable_gib);
    row(&format!("may take, {:.2} of it", ledger.utilization), ledger.may_take_gib());
    row("weights", ledger.weights_gib);
    row("activations", ledger.activation_gib);
    row("outside the framework", ledger.non_torch_gib);
    let pool_gib = ledger.pool_gib();
    match misfit {
        Misfit::PoolTooSmall { need_tokens, have_tokens, .. } => {
            row("left for the KV cache", pool_gib);
            row("missing", pool_gib * (need_tokens / have_tokens - 1.0));
        }
        _ => row("missing, before any KV cache", -pool_gib),
    }
    text
}

fn fitting(tried: &[Tried]) -> String {
    if tried.is_empty() {
        return String::new();
    }
    let mut text = format!("\n  {:<34}{:>12}{:>12}\n", "what would fit", "KV tokens", "TPOT ms");
    for Tried { changes, measures } in tried {
        let tpot = measures.tpot_ms.map_or_else(|| "-".to_owned(), |latency| figure(latency.value.value));
        let pool = figure(measures.kv_pool_tokens.value);
        text.push_str(&format!("    {:<32}{pool:>12}{tpot:>12}\n", in_words(changes)));
    }
    text
}

/// Three significant digits: the intervals warrant no more.
fn figure(value: f64) -> String {
    let magnitude = if value > 0.0 { value.log10().floor() } else { 0.0 };
    if magnitude >= 2.0 {
        let unit = 10_f64.powf(magnitude - 2.0);
        format!("{:.0}", (value / unit).round() * unit)
    } else if magnitude >= 1.0 {
        format!("{value:.1}")
    } else if magnitude >= 0.0 {
        format!("{value:.2}")
    } else {
        format!("{value:.3}")
    }
}
