//! The catalog facts a shown plan rests on, each with its source and date (invariant 2).

use serde_json::json;

use crate::catalog::{Billing, EconomicFact, Provenance};
use crate::recommendation::{Deployment, Fact, Recommendation};
use crate::request::Request;
use crate::requirements::Objective;

/// Facts behind every shown plan, by id, each once.
#[must_use]
pub fn of(request: &Request<'_>, answer: &Recommendation) -> Vec<Fact> {
    let catalog = request.catalog;
    let mut all: Vec<Fact> = Vec::new();
    let mut add = |id: String, value: serde_json::Value, provenance: &Provenance| {
        all.push(Fact { id, value, provenance: provenance.clone() });
    };
    for deployment in answer.plans.iter().flat_map(|plan| &plan.deployments) {
        if let Some(engine) = &deployment.engine {
            if engine.paid.is_empty()
                && let Some(offer) = catalog.offers.iter().find(|offer| offer.id == engine.offer)
            {
                add(format!("offer {} usd_per_hour", offer.id), json!(offer.price.get()), &offer.provenance);
            }
            for key in economics_behind(&engine.billing) {
                if let Some(fact) = catalog.economic(key, &deployment.provider) {
                    add(
                        format!("economics {key} {}", deployment.provider),
                        json!(fact.value),
                        &fact.provenance,
                    );
                }
            }
            for paid in &engine.paid {
                if let Some(offer) = catalog.offers.iter().find(|offer| offer.id == paid.offer) {
                    if offer.billing != Billing::Purchase {
                        let id = format!("offer {} usd_per_hour", offer.id);
                        add(id, json!(offer.price.get()), &offer.provenance);
                    }
                    if offer.upfront.get() > 0.0 {
                        let id = format!("offer {} usd_upfront", offer.id);
                        add(id, json!(offer.upfront.get()), &offer.provenance);
                    }
                }
                for (key, scope) in economics(&paid.billing, &deployment.provider) {
                    let own = &request.requirements.own_hardware;
                    let said = match key {
                        "electricity_price" => own.electricity_usd_per_kwh.is_some(),
                        "pue" => own.pue.is_some(),
                        "gpu_power_share" => own.utilisation.is_some(),
                        "service_life" => own.amortisation_months.is_some(),
                        "colocation_rent" => own.hosting_usd_per_gpu_month.is_some(),
                        _ => false,
                    };
                    if let Some(fact) = catalog.economic(key, scope).filter(|_| !said) {
                        add(format!("{key} ({})", fact.unit), json!(fact.value), &fact.provenance);
                    }
                }
            }
            if let Some(model) = catalog.model(&deployment.model) {
                add(format!("model {} total_params", model.id), json!(model.total_params), &model.provenance);
            }
            if let Some(gpu) = catalog.gpu(&engine.gpu) {
                add(format!("gpu {} bandwidth_gb_s", gpu.id), json!(gpu.bandwidth_gb_s), &gpu.provenance);
                add(format!("gpu {} usable_gib", gpu.id), json!(gpu.usable.get()), &gpu.provenance);
            }
            if let Some(generation) = catalog.engines.iter().find(|known| known.id == engine.generation) {
                let id = format!("engine {} gpu_memory_utilization", generation.id);
                add(id, json!(generation.gpu_memory_utilization), &generation.provenance);
            }
        } else if let Some(api) = catalog.api_on(&deployment.model, request.requirements.as_of) {
            add(format!("api {} usd_per_mtok_input", api.id), json!(api.input.get()), &api.provenance);
            add(format!("api {} usd_per_mtok_output", api.id), json!(api.output.get()), &api.provenance);
            if let Some(window) = catalog.window_of(api) {
                add(format!("api {} window_hours", api.id), json!(window.value), &window.provenance);
            } else if let Some(latency) = catalog.latency_of(api) {
                add(format!("api {} ttft_ms", api.id), json!(latency.ttft_ms), &latency.provenance);
                add(format!("api {} tokens_per_s", api.id), json!(latency.tokens_per_s), &latency.provenance);
            }
        }
        if request.requirements.objective == Objective::Carbon {
            for (name, fact) in emissions(request, deployment) {
                add(format!("{name} ({})", fact.unit), json!(fact.value), &fact.provenance);
            }
            let gpu = deployment.engine.as_ref().and_then(|engine| catalog.gpu(&engine.gpu));
            if let Some((gpu, watts)) = gpu.and_then(|gpu| Some((gpu, gpu.tdp_w?))) {
                add(format!("gpu {} tdp_w", gpu.id), json!(watts), &gpu.provenance);
            }
        }
        if let Some((row, id)) = quality_row(catalog, deployment) {
            add(format!("quality {id} index"), json!(row.index), &row.provenance);
        }
    }
    all.sort_by(|a, b| a.id.cmp(&b.id));
    all.dedup_by(|a, b| a.id == b.id);
    all
}

/// What a deployment's emissions rest on; nothing where the user said what it emits.
fn emissions<'c>(request: &Request<'c>, deployment: &Deployment) -> Vec<(String, &'c EconomicFact)> {
    let catalog = request.catalog;
    match &deployment.engine {
        _ if deployment.mode == "measured" => Vec::new(),
        Some(engine) => crate::carbon::facts_of_engine(catalog, &deployment.provider, &engine.region),
        None => catalog
            .api_on(&deployment.model, request.requirements.as_of)
            .map(|api| crate::carbon::facts_of_request(catalog, api))
            .unwrap_or_default(),
    }
}

/// Keys of the economic facts a way to pay rests on.
fn economics_behind(billing: &str) -> &'static [&'static str] {
    match billing {
        "spot" => &["spot_gap", "spot_interruptions", "start_up"],
        "serverless" => &["engine_start", "serverless_cold_start", "serverless_keep_warm", "weights_load"],
        _ => &[],
    }
}

/// Economic facts behind a way to pay: key and scope.
fn economics<'p>(billing: &str, provider: &'p str) -> Vec<(&'static str, &'p str)> {
    const HELD: [&str; 4] = ["electricity_price", "pue", "gpu_power_share", "gpu_share_of_it_power"];
    let held = || HELD.into_iter().map(|key| (key, "default"));
    match billing {
        "scheduled" => vec![("start_up", "default")],
        "owned" => held().collect(),
        "purchase" => held()
            .chain([("colocation_rent", "default"), ("service_life", "default"), ("server_factor", provider)])
            .collect(),
        _ => Vec::new(),
    }
}

fn quality_row<'c>(
    catalog: &'c crate::catalog::Catalog,
    deployment: &crate::recommendation::Deployment,
) -> Option<(&'c crate::catalog::QualityRow, String)> {
    let subject = match &deployment.engine {
        Some(_) => catalog.model(&deployment.model)?.quality_subject.clone()?,
        None => catalog.apis.iter().find(|api| api.id == deployment.model)?.quality_subject.clone()?,
    };
    let rows = || catalog.quality.iter().filter(|row| row.subject == subject);
    let row = rows().find(|row| row.mode == deployment.mode).or_else(|| rows().next())?;
    Some((row, format!("{subject} {}", row.mode)))
}
