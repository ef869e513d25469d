//! What each number of replicas costs, and from which use on one pays.
//!
//! The table has the engines of the best plan alone (or, where that has none, of the best plan that has), beside all
//! hosted models. So its rows differ in nothing but how many there are.

use std::collections::BTreeSet;

use rayon::prelude::*;

use super::answer::{CriticalUse, Notice, ReplicaPoint};
use super::solved::{Found, Sound, of_kind, solve};
use super::{Ask, Part, figures};
use crate::candidate::Question;
use crate::error::Error;
use crate::explain::summary;
use crate::formulate::{Field, Formulated, Source, formulate};
use crate::recommendation::{Kind, Status};
use crate::verify::{has_replicas, local_share};

/// Rows beyond the best number.
const BEYOND: u32 = 2;
/// Most rows; of more, some in between are left out.
const ROWS_MAX: u32 = 24;

/// The table, and critical uses.
#[derive(Default)]
pub(super) struct ByReplicas {
    pub(super) points: Vec<ReplicaPoint>,
    pub(super) critical: Vec<CriticalUse>,
}

pub(super) fn replicas<'q, 'c>(
    question: &Question<'q, 'c>,
    field: &Field<'q, 'c>,
    best: &Found,
    ask: &Ask<'_>,
    notices: &mut Vec<Notice>,
) -> Result<ByReplicas, Error> {
    let Found::Plan(best) = best else { return Ok(ByReplicas::default()) };
    let model = if pools_of(best).is_empty() { with_engines(question, field)? } else { None };
    let model = model.as_deref().unwrap_or(best);
    let engines = pools_of(model);
    if engines.is_empty() {
        return Ok(ByReplicas::default());
    }
    let labels = model.plan.deployments.iter().filter(|one| counted(one.engine.as_ref()));
    notices.push(Notice::ReplicasOf { engines: labels.map(engine_name).collect() });
    let requirements = question.requirements;
    let optimum = figures::replicas(requirements, &best.plan);
    let solved: Vec<(u32, Found)> = rows(optimum)
        .into_par_iter()
        .map(|count| {
            let found = with_replicas(question, field, &engines, count)?;
            (ask.progress)(Part::Replicas);
            Ok((count, found))
        })
        .collect::<Result<_, Error>>()?;
    let mut points = Vec::new();
    let mut before: Option<(f64, f64)> = None;
    for (count, found) in &solved {
        if let Found::Unknown(words) = found {
            notices.push(Notice::GaveUp { words: words.clone() });
        }
        let sound = if let Found::Plan(sound) = found { Some(sound) } else { None };
        let now = sound.map(|sound| figures::busy(requirements, &sound.plan));
        let mean_use = before.zip(now).and_then(|((busy, there), (more_busy, more_there))| {
            let more = more_there - there;
            (more > 0.0).then(|| ((more_busy - busy) / more).clamp(0.0, 1.0))
        });
        before = now;
        points.push(ReplicaPoint {
            replicas: *count,
            optimum: *count == optimum && best.over.is_none(),
            status: match (found, sound) {
                (_, Some(sound)) => sound.status(),
                (Found::Unknown(_), _) => Status::Unknown,
                _ => Status::Infeasible,
            },
            usd_per_month: sound.map(|sound| sound.plan.usd_per_month),
            local_share: sound.map(|sound| local_share(requirements, &sound.plan)),
            mean_use,
            summary: sound.map(|sound| summary(&sound.plan)).unwrap_or_default(),
            gap: sound.map(|sound| sound.gap),
            refused: sound.and_then(|sound| sound.over.clone()).map(Into::into),
        });
    }
    Ok(ByReplicas { points, critical: critical(question, field, model) })
}

/// Numbers of the deployments that the plan has pools of.
fn pools_of(sound: &Sound) -> BTreeSet<usize> {
    let program = &sound.formulated.program;
    (0..program.pools.len())
        .filter(|r| sound.point.uses_pool(program, *r))
        .map(|r| program.pools[r].deployment)
        .collect()
}

/// The cheaper of the best plans on own engines and on both.
fn with_engines<'q, 'c>(
    question: &Question<'q, 'c>,
    field: &Field<'q, 'c>,
) -> Result<Option<Box<Sound>>, Error> {
    let mut found: Vec<Box<Sound>> = Vec::new();
    for kind in [Kind::Hybrid, Kind::Local] {
        if let Found::Plan(sound) = of_kind(question, &mut field.clone(), kind)?
            && !pools_of(&sound).is_empty()
        {
            found.push(sound);
        }
    }
    Ok(found.into_iter().min_by(|a, b| a.cost().total_cmp(&b.cost())))
}

/// From none to two more than the best plan has; evenly fewer where these are many.
fn rows(optimum: u32) -> Vec<u32> {
    let last = optimum.saturating_add(BEYOND);
    if last < ROWS_MAX {
        return (0..=last).collect();
    }
    let near = optimum - BEYOND;
    let spaced = ROWS_MAX - 2 * BEYOND - 1;
    let mut all: Vec<u32> = (0..spaced).map(|k| near / spaced * k).collect();
    all.extend(near..=last);
    all
}

/// The cheapest plan with so many replicas of some deployments, each of them in use.
fn with_replicas<'q, 'c>(
    question: &Question<'q, 'c>,
    field: &Field<'q, 'c>,
    engines: &BTreeSet<usize>,
    count: u32,
) -> Result<Found, Error> {
    if count == 0 {
        return of_kind(question, &mut field.clone(), Kind::Cloud);
    }
    // Pools that were bought only to make up the number; what is left out once stays out.
    let mut idle: BTreeSet<String> = BTreeSet::new();
    loop {
        let write = |field: &Field<'q, 'c>| only(&formulate(question, field), engines, &idle, count);
        let found = solve(question, &mut field.clone(), &write)?;
        let Found::Plan(sound) = &found else { return Ok(found) };
        let program = &sound.formulated.program;
        let before = idle.len();
        idle.extend(
            (0..program.pools.len())
                .filter(|r| !sound.point.uses_pool(program, *r))
                .filter(|r| (0..program.slot_hours.len()).any(|t| sound.point.instances(*r, t) > 0))
                .map(|r| pool_key(&sound.formulated, r)),
        );
        if idle.len() > before {
            continue;
        }
        if !has_replicas(question.requirements, &sound.plan, count) {
            return Err(Error::Bug(format!("{count} replicas were set: {}", summary(&sound.plan))));
        }
        return Ok(found);
    }
}

/// Pools of some deployments alone, all hosted models that are not own engines, and the number of replicas set.
fn only(whole: &Formulated, engines: &BTreeSet<usize>, idle: &BTreeSet<String>, count: u32) -> Formulated {
    let stays = |r: &usize| {
        engines.contains(&whole.program.pools[*r].deployment) && !idle.contains(&pool_key(whole, *r))
    };
    let pools: Vec<usize> = (0..whole.pools.len()).filter(stays).collect();
    let hosted: Vec<usize> = (0..whole.hosted.len()).filter(|a| !whole.program.hosted[*a].local).collect();
    let (mut program, _) = whole.program.only(&pools, &hosted);
    program.replicas = Some(count);
    whole.keep(program, &pools, &hosted)
}

/// What tells pools of a program apart.
fn pool_key(formulated: &Formulated, r: usize) -> String {
    let pool = &formulated.program.pools[r];
    format!("{:?} {} {:?}", formulated.pools[r], pool.id, pool.unavailability)
}

/// An engine whose replicas are counted: one that is not billed by the second.
fn counted(engine: Option<&crate::recommendation::EngineSettings>) -> bool {
    engine.is_some_and(|engine| engine.billed_s_per_month.is_none())
}

/// How people name an engine, without how many there are.
fn engine_name(deployed: &crate::recommendation::Deployment) -> String {
    if deployed.mode == "measured" { deployed.model.clone() } else { deployed.label.clone() }
}

/// Critical uses of the engines of a plan, by class they serve.
fn critical(question: &Question<'_, '_>, field: &Field<'_, '_>, model: &Sound) -> Vec<CriticalUse> {
    let requirements = question.requirements;
    let whole = formulate(question, field);
    let mut all: Vec<CriticalUse> = Vec::new();
    for deployed in model.plan.deployments.iter().filter(|one| counted(one.engine.as_ref())) {
        let Some(usd_per_hour) = figures::usd_per_hour(requirements, deployed) else { continue };
        for (c, class) in field.classes.iter().enumerate() {
            let serves = model.plan.routing.iter().any(|route| {
                route.target == deployed.id
                    && route.workload == class.workload.name
                    && route.premium == class.premium
            });
            let complying = whole
                .program
                .hosted
                .iter()
                .zip(&whole.hosted)
                .filter(|(hosted, _)| !hosted.local)
                .filter_map(|(hosted, (source, behind))| {
                    let name = match source {
                        Source::Catalog(at) if behind.is_none() => field.hosted[*at].label(),
                        _ => hosted.id.clone(),
                    };
                    Some((name, None, hosted.usd_per_request[c]?))
                })
                .min_by(|a, b| a.2.total_cmp(&b.2));
            let refused = || {
                let refused = field.hosted.iter().filter_map(|option| {
                    let terms = &option.terms[c];
                    Some((option, terms.refusal.as_ref()?, terms.usd_per_request))
                });
                refused
                    .filter(|(_, _, usd)| usd.is_finite() && *usd > 0.0)
                    .min_by(|a, b| a.1.miss().total_cmp(&b.1.miss()).then(a.0.api.id.cmp(&b.0.api.id)))
                    .map(|(option, refusal, usd)| (option.label(), Some(refusal.rule.clone()), usd))
            };
            let rps = figures::capacity_rps(requirements, deployed, &class.name());
            let hosted = complying.or_else(refused).filter(|(_, _, usd)| *usd > 0.0);
            if let (true, Some((hosted, refused, usd_per_request)), Some(capacity_rps)) =
                (serves, hosted, rps)
            {
                all.push(CriticalUse {
                    engine: engine_name(deployed),
                    workload: class.name(),
                    usd_per_hour,
                    capacity_rps,
                    hosted,
                    hosted_refused_by: refused,
                    usd_per_request,
                    break_even_requests_per_month: usd_per_hour * requirements.hours_per_month
                        / usd_per_request,
                    utilisation: usd_per_hour / (3600.0 * capacity_rps * usd_per_request),
                });
            }
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::rows;

    #[test]
    fn rows_reach_two_beyond_the_best_and_are_never_many() {
        assert_eq!(rows(0), [0, 1, 2]);
        assert_eq!(rows(3), [0, 1, 2, 3, 4, 5]);
        let many = rows(1000);
        assert_eq!(many.first(), Some(&0));
        assert_eq!(many[many.len() - 5..], [998, 999, 1000, 1001, 1002]);
        assert!(many.len() <= 24 && many.windows(2).all(|pair| pair[0] < pair[1]));
    }
}
