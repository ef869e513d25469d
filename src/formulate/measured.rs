//! Columns of measured options: the capacities are the user's word.

use super::resources::Resources;
use super::{Field, Formulated, Guard, Source, score};
use crate::candidate::{Class, Question};
use crate::program::{Hosted, Ladder, Mode, Pool};

/// The user's own capacities: they already meet latency, quality and context, at load factor 1.
pub(super) fn measured_columns(
    question: &Question<'_, '_>,
    field: &Field<'_, '_>,
    resources: &mut Resources<'_>,
    out: &mut Formulated,
) {
    let requirements = question.requirements;
    let classes = field.classes.len();
    let number = |at: usize| 1_000_000 + at;
    for (at, row) in requirements.measured.iter().enumerate() {
        // An unknown index passes no mean; every other limit is met on the user's word.
        // What the objective cannot judge does not take part either.
        let Some(score) = score::of_measured(question, row) else { continue };
        let may = |class: &Class<'_>| class.workload.quality_mean.is_none() || row.quality_index.is_some();
        let capacity: Vec<f64> = field
            .classes
            .iter()
            .map(|class| row.capacity_rps.get(&class.workload.name).copied().filter(|_| may(class)))
            .map(Option::unwrap_or_default)
            .collect();
        if let Some(usd_per_hour) = row.usd_per_hour.filter(|_| question.local()) {
            let uses =
                row.max_replicas.map(|most| resources.add("max_replicas", &row.option, f64::from(most)));
            let up = question.catalog.replica_availability();
            out.program.pools.push(Pool {
                id: row.option.clone(),
                deployment: number(at),
                behind: Vec::new(),
                capacity,
                replicas: 1,
                modes: vec![Mode {
                    billing: "on-demand".to_owned(),
                    usd_per_month: usd_per_hour * requirements.hours_per_month,
                    usd_upfront: 0.0,
                    ..Default::default()
                }],
                usd_per_hour: None,
                instances_min: requirements.limits.min_replicas.unwrap_or(0),
                usd_per_request: vec![0.0; classes],
                score: vec![score.by_request; classes],
                score_per_hour: score.per_hour,
                uses: uses.map(|resource| (resource, 1.0)).into_iter().collect(),
                ladder: requirements.availability.map(|target| Ladder::new(up, 1.0 - target, 512)),
                unavailability_per_replica: 0.0,
                unavailability: requirements.availability.map_or(0.0, |target| 1.0 - target),
                ..Default::default()
            });
            let guard = if requirements.availability.is_some() { Guard::Spares } else { Guard::None };
            out.pools.push((Source::Measured(at), guard));
            out.behind.push(vec![None; classes]);
        } else if !row.usd_per_request.is_empty() && question.cloud() && requirements.availability.is_none() {
            let price = |class: &Class<'_>| {
                row.capacity_rps
                    .get(&class.workload.name)
                    .filter(|_| may(class))
                    .and_then(|_| row.usd_per_request.get(&class.workload.name))
                    .copied()
            };
            out.program.hosted.push(Hosted {
                id: row.option.clone(),
                deployments: vec![number(at)],
                usd_per_request: field.classes.iter().map(price).collect(),
                score: vec![score.by_request; classes],
                rate_rps: capacity,
                unavailability: 0.0,
                ..Default::default()
            });
            out.hosted.push((Source::Measured(at), None));
        }
    }
}
