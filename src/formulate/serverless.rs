//! Columns of own engines billed by the second: they carry any share of a class at a price per request, and count as
//! local.

use super::{Field, Formulated, Source};
use crate::candidate::{Question, ServerlessOption};
use crate::program::Hosted;
use crate::requirements::Objective;

/// Numbers of their deployments: beside those of hosted models and measured options.
const NUMBERS_FROM: usize = 2_000_000;

pub(super) fn serverless_columns(question: &Question<'_, '_>, field: &Field<'_, '_>, out: &mut Formulated) {
    let requirements = question.requirements;
    for (at, option) in field.serverless.iter().enumerate() {
        let unavailability = requirements
            .availability
            .map_or(0.0, |_| 1.0 - question.catalog.uptime_share(&option.hardware.provider).unwrap_or(0.0));
        if requirements.availability.is_some_and(|target| unavailability > 1.0 - target) {
            continue;
        }
        let price = |terms: &crate::candidate::serverless::ServerlessTerms| {
            terms.refusal.is_none().then_some(terms.usd_per_request)
        };
        out.program.hosted.push(Hosted {
            id: option.id(),
            deployments: vec![NUMBERS_FROM + at],
            usd_per_request: option.terms.iter().map(price).collect(),
            score: (0..field.classes.len()).map(|c| score(requirements.objective, option, c)).collect(),
            rate_rps: vec![f64::INFINITY; field.classes.len()],
            unavailability,
            local: true,
            ..Default::default()
        });
        out.hosted.push((Source::Serverless(at), None));
    }
}

/// Score of a class: what the objective minimises.
fn score(objective: Objective, option: &ServerlessOption<'_>, class: usize) -> f64 {
    match objective {
        Objective::Quality => -option.prospect.shared.quality.as_ref().map_or(0.0, |scored| scored.index),
        Objective::Latency => option.terms[class].e2e_p95_ms.min(f64::MAX.sqrt()),
        Objective::Cost | Objective::Carbon => 0.0,
    }
}
