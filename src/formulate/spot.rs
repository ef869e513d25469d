//! Columns of spot instances: work that may wait, and work with a hosted model behind it.

use super::resources::Resources;
use super::{Field, Formulated, Guard, Numbers, Source, pools, score};
use crate::candidate::Question;
use crate::candidate::local::{LocalOption, traffic};
use crate::candidate::spot::{Cover, Spot};
use crate::estimate::alone_ms;
use crate::program::Pool;
use crate::requirements::{LatencyMeasure, Statistic};

pub(super) fn spot_columns(
    question: &Question<'_, '_>,
    field: &Field<'_, '_>,
    numbers: &Numbers,
    resources: &mut Resources<'_>,
    out: &mut Formulated,
) {
    let requirements = question.requirements;
    let classes = field.classes.len();
    for (at, option) in field.locals.iter().enumerate() {
        let Some(on) = &option.hardware.spot else { continue };
        let capacity = capacity(question, field, option, on);
        let behind: Vec<Option<usize>> = on
            .cover
            .iter()
            .map(|cover| match cover {
                Cover::Fallback(a) => Some(*a),
                Cover::Waits | Cover::Nothing => None,
            })
            .collect();
        let away = away(question, on);
        let Some(score) = score::of_local(question, requirements.objective, field, option) else { continue };
        let column = |guard: Guard, may: &dyn Fn(usize) -> bool| -> Option<Pool> {
            let capacity: Vec<f64> = (0..classes).map(|c| if may(c) { capacity[c] } else { 0.0 }).collect();
            let own = |c: usize| behind[c].filter(|_| guard == Guard::Fallback && capacity[c] > 0.0);
            let mut counted: Vec<usize> = (0..classes).filter_map(own).map(|a| numbers.hosted[a]).collect();
            counted.sort_unstable();
            counted.dedup();
            let worst = (0..classes)
                .filter_map(own)
                .map(|a| 1.0 - field.hosted[a].uptime.unwrap_or(0.0))
                .fold(0.0, f64::max);
            capacity.iter().any(|rps| *rps > 0.0).then(|| Pool {
                id: option.id(),
                behind: counted,
                replicas: option.prospect.replicas,
                deployment: numbers.engines[at],
                modes: pools::modes(question, option),
                usd_per_hour: option.hardware.by_hour.as_ref().map(|way| way.usd_per_hour),
                usd_per_start: pools::usd_per_start(question, option),
                instances_min: requirements
                    .limits
                    .min_replicas
                    .unwrap_or(0)
                    .div_ceil(option.prospect.replicas),
                usd_per_request: (0..classes)
                    .map(|c| own(c).map_or(0.0, |a| away * field.hosted[a].terms[c].usd_per_request))
                    .collect(),
                score: (0..classes)
                    .map(|c| score::behind(question, field, score.by_class[c], 1.0 - away, own(c), c))
                    .collect(),
                score_per_hour: score.per_hour,
                uses: resources.of(option),
                unavailability_per_replica: requirements.availability.map_or(0.0, |_| away * worst),
                capacity: capacity.clone(),
                ..Default::default()
            })
        };
        // Without a fallback it is a local plan; with one, work that waits may stand beside work that does not.
        let waits = |c: usize| on.cover[c] == Cover::Waits;
        let plain = column(Guard::None, &waits);
        if let Some(pool) = plain {
            out.program.pools.push(pool);
            out.pools.push((Source::Catalog(at), Guard::None));
            out.behind.push(vec![None; classes]);
        }
        if behind.iter().any(Option::is_some) {
            let guarded = column(Guard::Fallback, &|c| on.cover[c] != Cover::Nothing);
            if let Some(pool) = guarded {
                out.program.pools.push(pool);
                out.pools.push((Source::Catalog(at), Guard::Fallback));
                out.behind.push(behind);
            }
        }
    }
}

/// Share of requests that a fallback serves: an instance is away, or, where redundancy is asked, down for other reasons.
pub(crate) fn away(question: &Question<'_, '_>, on: &Spot) -> f64 {
    let up = question.requirements.availability.map_or(1.0, |_| question.catalog.replica_availability());
    1.0 - up * (1.0 - on.interruptions.away())
}

/// Requests/s of one replica by class: what interruptions leave of it.
fn capacity(
    question: &Question<'_, '_>,
    field: &Field<'_, '_>,
    option: &LocalOption<'_>,
    on: &Spot,
) -> Vec<f64> {
    let load_factor = 1.0 - question.requirements.headroom;
    let of = |c: usize| {
        let found = option.capacity[c].as_ref()?;
        let row = option.prospect.row;
        let traffic = traffic(&field.classes[c], option.prospect.shared.extra_output[c]);
        let asked = (LatencyMeasure::E2e, Statistic::Mean);
        let step = row.step(question.catalog);
        let (_, request_ms) = alone_ms(step, &row.memory, &traffic, question.requirements.confidence, asked)?;
        Some(found.rps * load_factor * on.interruptions.left(request_ms / 3_600_000.0))
    };
    (0..field.classes.len()).map(|c| of(c).unwrap_or(0.0)).collect()
}
