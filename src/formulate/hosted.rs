//! Columns of hosted models: alone, and under an availability target with another provider behind them.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use super::resources::Resources;
use super::{Field, Formulated, Source, score};
use crate::candidate::{HostedOption, Question};
use crate::program::Hosted;

pub(super) fn hosted_columns(
    question: &Question<'_, '_>,
    field: &Field<'_, '_>,
    members: &[usize],
    resources: &mut Resources<'_>,
    out: &mut Formulated,
) {
    let requirements = question.requirements;
    let serving: Vec<usize> = (0..field.hosted.len()).filter(|a| field.hosted[*a].serves_any()).collect();
    let judged = |a: usize, c: usize| {
        score::of_hosted(question, requirements.objective, &field.hosted[a], &field.classes[c], c)
    };
    let price = |a: usize, c: usize| {
        let terms = &field.hosted[a].terms[c];
        // What the objective cannot judge does not take part.
        (terms.refusal.is_none() && judged(a, c).is_some()).then_some(terms.usd_per_request)
    };
    let score_of = |a: usize, c: usize| judged(a, c).unwrap_or(0.0);
    let classes = field.classes.len();
    let uses = limited(field, &serving, resources);
    for a in &serving {
        let unavailability = match requirements.availability {
            None => 0.0,
            // Unknown uptime is no uptime.
            Some(_) => 1.0 - field.hosted[*a].uptime.unwrap_or(0.0),
        };
        if requirements.availability.is_some_and(|target| unavailability > 1.0 - target) {
            continue;
        }
        out.program.hosted.push(Hosted {
            id: field.hosted[*a].api.id.clone(),
            deployments: vec![members[*a]],
            usd_per_request: (0..classes).map(|c| price(*a, c)).collect(),
            score: (0..classes).map(|c| score_of(*a, c)).collect(),
            rate_rps: rates(&field.hosted[*a]),
            uses: uses[*a].clone(),
            unavailability,
            ..Default::default()
        });
        out.hosted.push((Source::Catalog(*a), None));
    }
    let Some(target) = requirements.availability else { return };
    for p in &serving {
        let Some(up) = field.hosted[*p].uptime.filter(|up| 1.0 - up > 1.0 - target) else { continue };
        for f in fallbacks(question, field, &serving, *p, target, &price) {
            let other = field.hosted[f].uptime.unwrap_or(0.0);
            out.program.hosted.push(Hosted {
                id: format!("{} with {} behind it", field.hosted[*p].api.id, field.hosted[f].api.id),
                deployments: vec![members[*p], members[f]],
                usd_per_request: (0..classes)
                    .map(|c| Some(up * price(*p, c)? + (1.0 - up) * price(f, c)?))
                    .collect(),
                score: (0..classes)
                    .map(|c| score::behind(question, field, score_of(*p, c), up, Some(f), c))
                    .collect(),
                rate_rps: rates(&field.hosted[*p]),
                uses: uses[*p].clone(),
                unavailability: (1.0 - up) * (1.0 - other),
                ..Default::default()
            });
            out.hosted.push((Source::Catalog(*p), Some(f)));
        }
    }
}

/// Rate limits that can bind become finite resources of an API, whatever mode it runs in; what a request/s of each class
/// takes of them, by place in [`Field::hosted`].
fn limited(
    field: &Field<'_, '_>,
    serving: &[usize],
    resources: &mut Resources<'_>,
) -> Vec<Vec<(usize, Vec<f64>)>> {
    let mut uses = vec![Vec::new(); field.hosted.len()];
    let mut known: BTreeMap<&str, [Option<usize>; 2]> = BTreeMap::new();
    for a in serving {
        let option = &field.hosted[*a];
        if option.accepts_all {
            continue;
        }
        let (id, accepts) = (option.api.id.as_str(), option.accepts);
        let [requests, tokens] = *known.entry(id).or_insert_with(|| {
            let mut add = |what: &str, most: Option<f64>| {
                most.map(|most| resources.add("rate_limit", &format!("{id} {what}"), most))
            };
            [
                add("requests_per_s", accepts.requests_per_minute.map(|most| most / 60.0)),
                add("kilotokens_per_s", accepts.tokens_per_minute.map(|most| most / 60_000.0)),
            ]
        });
        uses[*a].extend(requests.map(|at| (at, vec![1.0; field.classes.len()])));
        uses[*a]
            .extend(tokens.map(|at| (at, option.terms.iter().map(|terms| terms.tokens / 1000.0).collect())));
    }
    uses
}

/// Requests/s an API accepts of each class where no other is sent there: implied by the resources above, and known before
/// solving.
fn rates(option: &HostedOption<'_>) -> Vec<f64> {
    let per_s = |most: Option<f64>| most.map_or(f64::INFINITY, |most| most / 60.0);
    let (requests, tokens) =
        (per_s(option.accepts.requests_per_minute), per_s(option.accepts.tokens_per_minute));
    option.terms.iter().map(|terms| requests.min(tokens / terms.tokens.max(f64::MIN_POSITIVE))).collect()
}

/// Hosted models of another provider that bring the pair to the target: the cheapest for each class, or, where
/// deployments are counted, all that no other of their provider beats.
fn fallbacks(
    question: &Question<'_, '_>,
    field: &Field<'_, '_>,
    serving: &[usize],
    p: usize,
    target: f64,
    price: &dyn Fn(usize, usize) -> Option<f64>,
) -> Vec<usize> {
    let up = |a: usize| field.hosted[a].uptime.unwrap_or(0.0);
    let fits = |f: &usize| {
        // What stands behind another must be able to take everything over.
        field.hosted[*f].accepts_all
            && field.hosted[*f].api.provider != field.hosted[p].api.provider
            && (1.0 - up(p)) * (1.0 - up(*f)) <= 1.0 - target
    };
    let able: Vec<usize> = serving.iter().copied().filter(fits).collect();
    if question.requirements.limits.max_deployments.is_none() {
        let mut chosen: Vec<usize> = (0..field.classes.len())
            .filter_map(|c| {
                able.iter()
                    .copied()
                    .filter(|f| price(*f, c).is_some())
                    .min_by(|a, b| price(*a, c).partial_cmp(&price(*b, c)).unwrap_or(Ordering::Equal))
            })
            .collect();
        chosen.sort_unstable();
        chosen.dedup();
        return chosen;
    }
    let beaten = |b: usize| {
        able.iter().any(|a| {
            *a != b
                && field.hosted[*a].api.provider == field.hosted[b].api.provider
                && up(*a) >= up(b)
                && (0..field.classes.len()).all(|c| match (price(*a, c), price(b, c)) {
                    (_, None) => true,
                    (None, Some(_)) => false,
                    (Some(x), Some(y)) => x < y || (x <= y && *a < b),
                })
        })
    };
    able.iter().copied().filter(|b| !beaten(*b)).collect()
}
