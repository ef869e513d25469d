//! Columns of own engines billed by the second: they carry any share of a class at a price per request, and count as
//! local.

use super::{Field, Formulated, Source, score};
use crate::candidate::Question;
use crate::program::Hosted;

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
        let judged = |c: usize| score::of_serverless(question, requirements.objective, option, c);
        // What the objective cannot judge does not take part.
        let price = |c: usize| {
            let terms = &option.terms[c];
            (terms.refusal.is_none() && judged(c).is_some()).then_some(terms.usd_per_request)
        };
        let classes = 0..field.classes.len();
        out.program.hosted.push(Hosted {
            id: option.id(),
            deployments: vec![NUMBERS_FROM + at],
            usd_per_request: classes.clone().map(price).collect(),
            score: classes.clone().map(|c| judged(c).unwrap_or(0.0)).collect(),
            rate_rps: vec![f64::INFINITY; field.classes.len()],
            unavailability,
            local: true,
            ..Default::default()
        });
        out.hosted.push((Source::Serverless(at), None));
    }
}
