//! What an objective other than cost minimises: scores of requests and of instance-hours.
//!
//! In: options. Out: scores, or `None` for an option the objective cannot judge because a fact is unknown: it has no
//! column then. Latency of an own engine is taken at the most it may carry: a lighter load is faster, never slower.

use super::Field;
use crate::candidate::local::traffic;
use crate::candidate::{Class, HostedOption, LocalOption, Question, ServerlessOption};
use crate::carbon;
use crate::estimate::loaded;
use crate::requirements::{Measured, Objective};

/// Carbon is scored in mg of a request, so that scores are of the order of one.
pub const MG_PER_KG: f64 = 1e6;

/// Scores of an own engine.
pub(super) struct Local {
    /// Of a request, by class.
    pub(super) by_class: Vec<f64>,
    /// Of an instance-hour.
    pub(super) per_hour: f64,
}

/// Scores of a measured option.
pub(super) struct OfMeasured {
    /// Of a request.
    pub(super) by_request: f64,
    /// Of a replica-hour.
    pub(super) per_hour: f64,
}

pub(super) fn of_local(
    question: &Question<'_, '_>,
    objective: Objective,
    field: &Field<'_, '_>,
    option: &LocalOption<'_>,
) -> Option<Local> {
    let classes = field.classes.len();
    let flat = |score: f64| Local { by_class: vec![score; classes], per_hour: 0.0 };
    match objective {
        Objective::Cost => Some(flat(0.0)),
        Objective::Quality => Some(flat(-option.prospect.shared.quality.as_ref()?.index)),
        Objective::Latency => Some(Local {
            by_class: (0..classes).map(|c| p95(question, field, option, c)).collect(),
            per_hour: 0.0,
        }),
        Objective::Carbon => {
            let hour = option.hardware.kg_co2e_per_hour(question.catalog, option.prospect.row.unit.gpus)?;
            Some(Local { by_class: vec![0.0; classes], per_hour: hour * MG_PER_KG })
        }
    }
}

/// 95th percentile of the time to the last token at the planned rate, ms; 0 where the class is not served.
fn p95(question: &Question<'_, '_>, field: &Field<'_, '_>, option: &LocalOption<'_>, class: usize) -> f64 {
    let Some(capacity) = &option.capacity[class] else { return 0.0 };
    let (row, extra) = (option.prospect.row, option.prospect.shared.extra_output[class]);
    let traffic = traffic(&field.classes[class], extra);
    let step = row.step(question.catalog);
    loaded(step, &row.memory, &traffic, capacity.rps, capacity.max_batch)
        .map_or(SATURATED_MS, |at| at.e2e.p95)
}

/// Stands for a time that grows without bound: a day and more.
const SATURATED_MS: f64 = 1e8;

pub(super) fn of_hosted(
    question: &Question<'_, '_>,
    objective: Objective,
    option: &HostedOption<'_>,
    class: &Class<'_>,
    at: usize,
) -> Option<f64> {
    match objective {
        Objective::Cost => Some(0.0),
        Objective::Quality => Some(-option.quality.as_ref()?.index),
        Objective::Latency => {
            option.terms[at].latency.as_ref().map(|latency| latency.e2e.p95 / latency.margin)
        }
        Objective::Carbon => {
            let extra = option.terms[at].extra_output;
            carbon::hosted_request(question.catalog, option.api, &class.workload.lengths, extra)
                .map(|emission| emission.kg * MG_PER_KG)
        }
    }
}

pub(super) fn of_serverless(
    question: &Question<'_, '_>,
    objective: Objective,
    option: &ServerlessOption<'_>,
    at: usize,
) -> Option<f64> {
    match objective {
        Objective::Cost => Some(0.0),
        Objective::Quality => Some(-option.prospect.shared.quality.as_ref()?.index),
        Objective::Latency => Some(option.terms[at].e2e_p95_ms.min(SATURATED_MS)),
        Objective::Carbon => {
            let hardware = &option.hardware;
            let hour = carbon::engine_hour(
                question.catalog,
                hardware.gpu,
                hardware.gpus,
                &hardware.provider,
                &hardware.region,
            )?;
            Some(hour.kg * MG_PER_KG * option.terms[at].billed_s / 3600.0)
        }
    }
}

/// Score of a request whose target has another behind it: what is expected of both; a percentile is the target's own.
pub(super) fn behind(
    question: &Question<'_, '_>,
    field: &Field<'_, '_>,
    own: f64,
    up: f64,
    fallback: Option<usize>,
    class: usize,
) -> f64 {
    let objective = question.requirements.objective;
    let of = |f: usize| of_hosted(question, objective, &field.hosted[f], &field.classes[class], class);
    let Some(other) = fallback.and_then(of) else { return own };
    match objective {
        // An own engine emits by the hour, also while it is down; a hosted model by the request.
        Objective::Carbon if own <= 0.0 => (1.0 - up) * other,
        Objective::Carbon | Objective::Quality => up * own + (1.0 - up) * other,
        Objective::Cost | Objective::Latency => own,
    }
}

pub(super) fn of_measured(question: &Question<'_, '_>, row: &Measured) -> Option<OfMeasured> {
    let by_request = |score: f64| OfMeasured { by_request: score, per_hour: 0.0 };
    match question.requirements.objective {
        Objective::Cost => Some(by_request(0.0)),
        Objective::Quality => row.quality_index.map(|index| by_request(-index)),
        Objective::Latency => row.e2e_ms_p95.map(by_request),
        Objective::Carbon => match row.usd_per_hour {
            Some(_) => {
                row.kg_co2e_per_hour.map(|kg| OfMeasured { by_request: 0.0, per_hour: kg * MG_PER_KG })
            }
            None => row.kg_co2e_per_request.map(|kg| by_request(kg * MG_PER_KG)),
        },
    }
}
