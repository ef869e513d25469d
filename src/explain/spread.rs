//! What equal lengths hide: p95 E2E if lengths were lognormal with a coefficient of variation of 1.
//!
//! In: a plan and a workload of which only mean token counts are known. Out: p95 E2E of each of its targets with spread
//! lengths of the same means, medians of the error. It changes no verdict; the warning says what to measure.

use super::Question;
use crate::estimate::{Step, Traffic, api_latency, loaded, memory, one_sided};
use crate::recommendation::{Deployment, EngineSettings, Plan};
use crate::requirements::{Lengths, Workload};

/// Equal shares a length is cut into.
const SHARES: u32 = 40;

/// p95 E2E in ms of the slowest target of a workload under spread lengths; `None` where nothing can be said.
#[must_use]
pub fn e2e_p95_ms(question: &Question<'_, '_>, plan: &Plan, workload: &Workload) -> Option<f64> {
    let lengths = spread(&workload.lengths);
    plan.routing
        .iter()
        .filter(|route| route.workload == workload.name)
        .filter_map(|route| plan.deployments.iter().find(|deployment| deployment.id == route.target))
        .filter_map(|deployment| match &deployment.engine {
            Some(engine) => local(question, plan, deployment, engine, workload, &lengths),
            None => hosted(question, deployment, workload, &lengths),
        })
        .fold(None, |worst: Option<f64>, ms| Some(worst.map_or(ms, |known| known.max(ms))))
}

/// Lengths of the same means whose input and output are each lognormal with a coefficient of variation of 1, long
/// answers behind long prompts.
fn spread(lengths: &Lengths) -> Lengths {
    let sigma = std::f64::consts::LN_2.sqrt();
    let quantile = |share: f64| one_sided(1.644_853_626_951_472_7_f64.exp(), share).ln();
    let raw: Vec<f64> =
        (0..SHARES).map(|i| (sigma * quantile((f64::from(i) + 0.5) / f64::from(SHARES))).exp()).collect();
    let mean = raw.iter().sum::<f64>() / f64::from(SHARES);
    let weight = 1.0 / f64::from(SHARES);
    let of = |factor: &f64| (lengths.input_mean * factor / mean, lengths.output_mean * factor / mean, weight);
    let points = raw.iter().map(of).collect();
    Lengths { points, ..lengths.clone() }
}

fn hosted(
    question: &Question<'_, '_>,
    deployment: &Deployment,
    workload: &Workload,
    lengths: &Lengths,
) -> Option<f64> {
    let api = question.catalog.api_on(&deployment.model, question.requirements.as_of)?;
    if question.catalog.window_of(api).is_some() {
        return None; // its window says nothing of lengths
    }
    let fact = question.catalog.latency_of(api)?;
    let thinks = api.thinking && deployment.mode == "default";
    let extra = workload.thought_tokens(question.catalog, thinks);
    let latency = api_latency(fact, &lengths.points, extra, question.requirements.confidence);
    Some(latency.e2e.p95 / latency.margin)
}

fn local(
    question: &Question<'_, '_>,
    plan: &Plan,
    deployment: &Deployment,
    engine: &EngineSettings,
    workload: &Workload,
    lengths: &Lengths,
) -> Option<f64> {
    let catalog = question.catalog;
    let unit = deployment.unit(catalog)?;
    let (step, memory) = (Step::new(catalog, &unit).ok()?, memory(catalog, &unit, 1.0).ok()?);
    let thinks = unit.model.thinking_by_default && deployment.mode == "default";
    let traffic = Traffic {
        lengths,
        extra_output: workload.thought_tokens(question.catalog, thinks),
        prefix_hit: workload.prefix_hit,
        context_tokens: workload.context_tokens,
    };
    let share: f64 = plan
        .routing
        .iter()
        .filter(|route| route.target == deployment.id && route.workload == workload.name)
        .map(|route| route.share)
        .sum();
    let peak = workload.busiest_rps();
    let rate = peak * workload.peak_factor * (1.0 - workload.response_hit) * share
        / f64::from(engine.replicas.max(1));
    loaded(&step, &memory, &traffic, rate, engine.max_batch).ok().map(|at| at.e2e.p95)
}
