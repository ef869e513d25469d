//! What a plan emits in a month, where it is known of everything that runs.

use super::up_share;
use crate::candidate::Question;
use crate::carbon::{Emission, engine_hour, hosted_request};
use crate::estimate::Basis;
use crate::formulate::Field;
use crate::recommendation::{Deployment, EngineSettings, MeasureRow, Plan, Route};

/// The row `kg_co2e_per_month`: TDP shares and energies of a token are assumptions, so the figure is one.
pub(super) fn row(question: &Question<'_, '_>, field: &Field<'_, '_>, plan: &Plan) -> Option<MeasureRow> {
    let mut all = Emission::default();
    for deployment in &plan.deployments {
        if deployment.engine.is_some() {
            all = all.and(engine_month(question, deployment)?);
        }
    }
    for route in &plan.routing {
        all = all.and(route_month(question, field, plan, route)?);
    }
    let measured = plan.deployments.iter().all(|deployment| deployment.mode == "measured");
    Some(MeasureRow {
        workload: String::new(),
        target: String::new(),
        measure: "kg_co2e_per_month".to_owned(),
        value: all.kg,
        low: all.low,
        high: all.high,
        held_to: all.kg,
        limit: None,
        slack: None,
        basis: if measured { Basis::Measured } else { Basis::Assumed },
    })
}

/// A figure of the user's: taken as it is.
const fn exact(kg: f64) -> Emission {
    Emission { kg, low: kg, high: kg }
}

fn engine_month(question: &Question<'_, '_>, deployment: &Deployment) -> Option<Emission> {
    let engine = deployment.engine.as_ref()?;
    let always_on = instance_hours(question, engine);
    let hours = engine.billed_s_per_month.map_or(always_on, |seconds| seconds / 3600.0);
    if deployment.mode == "measured" {
        let row = question.requirements.measured.iter().find(|row| row.option == deployment.model)?;
        return row.kg_co2e_per_hour.map(|kg| exact(kg).times(hours));
    }
    let gpu = question.catalog.gpu(&engine.gpu)?;
    let (gpus, place) = (engine.gpus_per_instance, (&deployment.provider, &engine.region));
    engine_hour(question.catalog, gpu, gpus, place.0, place.1).map(|hour| hour.times(hours))
}

/// Instance-hours of a month, whatever way they are paid.
fn instance_hours(question: &Question<'_, '_>, engine: &EngineSettings) -> f64 {
    if engine.paid.is_empty() {
        return f64::from(engine.instances) * question.requirements.hours_per_month;
    }
    let slots = question.requirements.slots();
    let there = |slot: usize| engine.paid.iter().map(|paid| f64::from(paid.instances_in(slot))).sum::<f64>();
    slots.iter().enumerate().map(|(at, slot)| there(at) * slot.hours_per_month).sum()
}

/// Requests of a route that reach a hosted model, the one behind its target included.
fn route_month(
    question: &Question<'_, '_>,
    field: &Field<'_, '_>,
    plan: &Plan,
    route: &Route,
) -> Option<Emission> {
    let requirements = question.requirements;
    let deployed = |id: &String| plan.deployments.iter().find(|deployment| deployment.id == *id);
    let workload = requirements.workloads.iter().find(|workload| workload.name == route.workload)?;
    let requests = route.share
        * workload.mean_rps()
        * (1.0 - workload.response_hit)
        * 3600.0
        * requirements.hours_per_month;
    let target = deployed(&route.target)?;
    let up = up_share(question, field, plan, route)?;
    let of = |deployment: &Deployment, part: f64| {
        if deployment.engine.is_some() {
            return Some(Emission::default()); // by the hour
        }
        if deployment.mode == "measured" {
            let row = requirements.measured.iter().find(|row| row.option == deployment.model)?;
            return row.kg_co2e_per_request.map(|kg| exact(kg).times(requests * part));
        }
        let api = question.catalog.api_on(&deployment.model, requirements.as_of)?;
        let extra = workload.thought_tokens(question.catalog, api.thinking && deployment.mode == "default");
        hosted_request(question.catalog, api, &workload.lengths, extra).map(|one| one.times(requests * part))
    };
    let own = of(target, up)?;
    match route.fallback.as_ref().and_then(deployed) {
        Some(behind) => Some(own.and(of(behind, 1.0 - up)?)),
        None => Some(own),
    }
}
