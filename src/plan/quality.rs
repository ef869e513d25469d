//! What a plan promises of the quality of a workload's answers over the month.

use super::up_share;
use crate::candidate::Question;
use crate::estimate::Basis;
use crate::formulate::Field;
use crate::recommendation::{MeasureRow, Plan, Scored};
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
