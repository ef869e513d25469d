//! What a plan promises of the quality of a workload's answers over the month.

use super::up_share;
use crate::candidate::Question;
use crate::estimate::Basis;
use crate::formulate::Field;
use crate::recommendation::{MeasureRow, Plan, Scored, Via, ViaKind};
use crate::requirements::{Objective, Workload};

/// Factor from one standard deviation to the end of a two-sided 90 % interval.
const SD_90: f64 = 1.645;

/// Mean index of each workload that is held to one, and of all where quality is the objective.
pub(super) fn mean_rows(question: &Question<'_, '_>, field: &Field<'_, '_>, plan: &Plan) -> Vec<MeasureRow> {
    let requirements = question.requirements;
    let shown = |w: &&Workload| w.quality_mean.is_some() || requirements.objective == Objective::Quality;
    requirements
        .workloads
        .iter()
        .filter(shown)
        .filter_map(|workload| {
            let mean = mean_index(question, field, plan, &workload.name)?;
            let measured = plan.deployments.iter().all(|deployment| deployment.mode == "measured");
            Some(MeasureRow {
                workload: workload.name.clone(),
                target: String::new(),
                measure: "quality_mean".to_owned(),
                value: mean.index,
                low: mean.index - SD_90 * mean.sd,
                high: mean.index + SD_90 * mean.sd,
                held_to: mean.index,
                limit: workload.quality_mean,
                slack: workload.quality_mean.map(|least| mean.index - least),
                basis: if measured { Basis::Measured } else { Basis::Calibrated },
            })
        })
        .collect()
}

/// Mean over the routes of a workload, those behind others with the requests expected there; `None` where any of them
/// has no known index. Errors of different models are taken to move together: their spreads add up.
#[must_use]
fn mean_index(
    question: &Question<'_, '_>,
    field: &Field<'_, '_>,
    plan: &Plan,
    workload: &str,
) -> Option<Scored> {
    let mut mean = Scored { index: 0.0, sd: 0.0 };
    let mut share = 0.0;
    for route in plan.routing.iter().filter(|route| route.workload == workload) {
        if let Some(via) = &route.via {
            let way = way_scored(question, plan, via)?;
            mean.index += route.share * via.answered * way.index;
            mean.sd += route.share * via.answered * way.sd;
            share += route.share * via.answered;
            continue;
        }
        let deployed = |id: &String| plan.deployments.iter().find(|deployment| deployment.id == *id);
        let target = deployed(&route.target)?;
        let up = up_share(question, field, plan, route)?;
        let mut add = |scored: Scored, part: f64| {
            mean.index += route.share * part * scored.index;
            mean.sd += route.share * part * scored.sd;
        };
        add(target.quality?, up);
        if let Some(behind) = &route.fallback {
            add(deployed(behind)?.quality?, 1.0 - up);
        }
        share += route.share;
    }
    (share > 0.0).then(|| Scored { index: mean.index / share, sd: mean.sd / share })
}

/// Index of a way by its calibration; its spread is the larger of its ends'.
fn way_scored(question: &Question<'_, '_>, plan: &Plan, via: &Via) -> Option<Scored> {
    let requirements = question.requirements;
    let quality = match via.kind {
        ViaKind::Router => {
            let router = requirements.routers.iter().find(|router| router.name == via.name)?;
            router.points.get(via.point as usize)?.quality
        }
        ViaKind::Cascade => requirements.cascades.iter().find(|cascade| cascade.name == via.name)?.quality,
    };
    let mut on_way: Vec<(u32, Scored)> = Vec::new();
    for other in &plan.routing {
        if let Some(stage) = other.via.as_ref().filter(|other| other.way == via.way) {
            let target = plan.deployments.iter().find(|deployment| deployment.id == other.target)?;
            on_way.extend(target.quality.map(|scored| (stage.stage, scored)));
        }
    }
    on_way.sort_by_key(|(stage, _)| *stage);
    let end = |scored: Option<&(u32, Scored)>| scored.map(|(_, scored)| *scored);
    let (first, last) = (end(on_way.first()), end(on_way.last()));
    let sd = first.iter().chain(&last).map(|scored| scored.sd).fold(0.0, f64::max);
    Some(Scored { index: quality.index(first.map(|s| s.index), last.map(|s| s.index))?, sd })
}
