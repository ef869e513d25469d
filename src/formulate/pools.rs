//! Columns of own engines: plain, or under an availability target with spares or a hosted model behind them.

use super::Numbers;
use super::resources::Resources;
use super::score;
use super::{Field, Formulated, Guard, Source};
use crate::candidate::{LocalOption, Question};
use crate::catalog::Billing;
use crate::program::{Ladder, Mode, Pool};

/// Most replicas of a pool a ladder of spares is made for.
const LADDER_MAX: f64 = 512.0;

pub(super) fn pool_columns(
    question: &Question<'_, '_>,
    field: &Field<'_, '_>,
    numbers: &Numbers,
    resources: &mut Resources<'_>,
    out: &mut Formulated,
) {
    let requirements = question.requirements;
    let classes = field.classes.len();
    let load_factor = 1.0 - requirements.headroom;
    let up = question.catalog.replica_availability();
    // `spot.rs` writes those of spot instances.
    let lasting = |(_, option): &(usize, &LocalOption<'_>)| option.hardware.spot.is_none();
    for (at, option) in field.locals.iter().enumerate().filter(lasting) {
        let capacity: Vec<f64> = option
            .capacity
            .iter()
            .map(|found| found.as_ref().map_or(0.0, |found| found.rps * load_factor))
            .collect();
        let Some(score) = score::of_local(question, requirements.objective, field, option) else { continue };
        let plain = Pool {
            id: option.id(),
            deployment: numbers.engines[at],
            behind: Vec::new(),
            capacity: capacity.clone(),
            replicas: option.prospect.replicas,
            modes: modes(question, option),
            usd_per_hour: option.hardware.by_hour.as_ref().map(|way| way.usd_per_hour),
            usd_per_start: usd_per_start(question, option),
            instances_min: requirements.limits.min_replicas.unwrap_or(0).div_ceil(option.prospect.replicas),
            usd_per_request: vec![0.0; classes],
            score: score.by_class,
            score_per_hour: score.per_hour,
            uses: resources.of(option),
            ladder: None,
            unavailability_per_replica: 0.0,
            unavailability: 0.0,
            ..Default::default()
        };
        let Some(target) = requirements.availability else {
            out.program.pools.push(plain);
            out.pools.push((Source::Catalog(at), Guard::None));
            out.behind.push(vec![None; classes]);
            continue;
        };
        let most: f64 = field
            .classes
            .iter()
            .zip(&capacity)
            .filter(|(_, rps)| **rps > 0.0)
            .map(|(class, rps)| class.peak_rps() / rps)
            .sum();
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to LADDER_MAX")]
        let replicas_max = most.ceil().clamp(1.0, LADDER_MAX) as u32;
        // A whole allowance for a pool that serves alone, half of it for one that shares a class with another route.
        for part in [1.0, 0.5] {
            let allowance = part * (1.0 - target);
            out.program.pools.push(Pool {
                ladder: Some(Ladder::new(up, allowance, replicas_max)),
                unavailability: allowance,
                ..plain.clone()
            });
            out.pools.push((Source::Catalog(at), Guard::Spares));
            out.behind.push(vec![None; classes]);
        }
        let behind: Vec<Option<usize>> = (0..classes)
            .map(|c| {
                (0..field.hosted.len())
                    .filter(|a| {
                        field.hosted[*a].terms[c].refusal.is_none()
                            && field.hosted[*a].uptime.is_some()
                            && field.hosted[*a].accepts_all
                    })
                    .min_by(|a, b| {
                        let usd = |a: usize| field.hosted[a].terms[c].usd_per_request;
                        usd(*a).total_cmp(&usd(*b)).then(a.cmp(b))
                    })
            })
            .collect();
        if behind.iter().zip(&capacity).any(|(behind, rps)| behind.is_some() && *rps > 0.0) {
            let worst = behind
                .iter()
                .flatten()
                .map(|a| 1.0 - field.hosted[*a].uptime.unwrap_or(0.0))
                .fold(0.0, f64::max);
            out.program.pools.push(Pool {
                capacity: capacity
                    .iter()
                    .zip(&behind)
                    .map(|(rps, behind)| if behind.is_some() { *rps } else { 0.0 })
                    .collect(),
                behind: behind.iter().flatten().map(|a| numbers.hosted[*a]).collect(),
                usd_per_request: (0..classes)
                    .map(|c| behind[c].map_or(0.0, |a| (1.0 - up) * field.hosted[a].terms[c].usd_per_request))
                    .collect(),
                unavailability_per_replica: (1.0 - up) * worst,
                score: (0..classes)
                    .map(|c| score::behind(question, field, plain.score[c], up, behind[c], c))
                    .collect(),
                ..plain
            });
            out.pools.push((Source::Catalog(at), Guard::Fallback));
            out.behind.push(behind);
        }
    }
}

/// What it costs to start an instance that is paid by the hour, USD.
pub(super) fn usd_per_start(question: &Question<'_, '_>, option: &LocalOption<'_>) -> f64 {
    let price = option.hardware.by_hour.as_ref().map_or(0.0, |way| way.usd_per_hour);
    price * question.catalog.start_up_s() / 3600.0
}

/// Ways to pay around the clock. On demand is left out where the same instance is sold by the hour for no more: all
/// hours of the month then cost no more either.
pub(super) fn modes(question: &Question<'_, '_>, option: &LocalOption<'_>) -> Vec<Mode> {
    let hardware = &option.hardware;
    let month = hardware.times(option.prospect.row.unit.gpus) * question.requirements.hours_per_month;
    let by_hour = |usd: f64| hardware.by_hour.as_ref().is_some_and(|way| way.usd_per_hour <= usd);
    hardware
        .ways
        .iter()
        .filter(|way| way.billing != Billing::OnDemand || !by_hour(way.usd_per_hour))
        .map(|way| Mode {
            billing: way.billing.word().to_owned(),
            usd_per_month: way.usd_per_hour * month,
            usd_upfront: way.usd_upfront,
            usd_amortised: way.usd_amortised_per_hour * month,
        })
        .collect()
}
