//! Names that point into other tables: GPU aliases in offers become ids, and what names nothing is a fault.

use std::collections::{BTreeMap, BTreeSet};

use super::gather::Place;
use crate::catalog::table::{Faults, fault, nearest};
use crate::catalog::{Api, ApiLatency, Calibration, Engine, Gpu, Model, Offer};
use crate::error::Fault;

/// GPU aliases in offers become ids; what names nothing is a fault.
pub(super) fn resolve(
    offers: &mut [(Place, Offer)],
    gpus: &[Gpu],
    apis: &[(Place, Api)],
    latency: &[(Place, ApiLatency)],
    faults: &Faults,
) {
    let mut names: BTreeMap<String, &str> = BTreeMap::new();
    for gpu in gpus {
        for alias in &gpu.aliases {
            names.entry(alias.to_lowercase()).or_insert(&gpu.id);
        }
    }
    for gpu in gpus {
        names.insert(gpu.id.to_lowercase(), &gpu.id);
    }
    for (place, offer) in offers {
        if let Some(id) = names.get(&offer.gpu.to_lowercase()) {
            if offer.gpu != *id {
                offer.gpu = (*id).to_owned();
            }
        } else {
            let known = nearest(&offer.gpu, gpus.iter().map(|gpu| gpu.id.as_str()));
            faults.borrow_mut().push(unknown(place, ("gpu", "GPU"), &offer.gpu, known, "gpus.csv"));
        }
    }
    let known: BTreeSet<&str> = apis.iter().map(|(_, api)| api.id.as_str()).collect();
    for (place, row) in latency {
        if !known.contains(row.api.as_str()) {
            let known = nearest(&row.api, known.iter().copied());
            faults.borrow_mut().push(unknown(place, ("api", "API"), &row.api, known, "apis.csv"));
        }
    }
}

/// What users measured is of engines, GPUs and models that exist.
pub(super) fn resolve_calibrations(
    rows: &[(Place, Calibration)],
    engines: &[Engine],
    gpus: &[Gpu],
    models: &[Model],
    faults: &Faults,
) {
    let engines: BTreeSet<&str> = engines.iter().map(|engine| engine.id.as_str()).collect();
    let gpus: BTreeSet<&str> = gpus.iter().map(|gpu| gpu.id.as_str()).collect();
    let models: BTreeSet<&str> = models.iter().map(|model| model.id.as_str()).collect();
    for (place, row) in rows {
        let named = [
            (("engine", "engine generation"), Some(&row.engine), &engines, "engines.csv"),
            (("gpu", "GPU"), Some(&row.gpu), &gpus, "gpus.csv"),
            (("model", "model"), row.model.as_ref(), &models, "models.csv"),
        ];
        for (column, name, known, table) in named {
            let Some(name) = name.filter(|name| !known.contains(name.as_str())) else { continue };
            let near = nearest(name, known.iter().copied());
            faults.borrow_mut().push(unknown(place, column, name, near, table));
        }
    }
}

/// A name that no row of a table bears.
fn unknown(
    place: &Place,
    (column, noun): (&str, &str),
    name: &str,
    known: Option<&str>,
    table: &str,
) -> Fault {
    let cure =
        known.map_or_else(|| format!("Add it to {table} first."), |id| format!("Did you mean `{id}`?"));
    fault("E0208", &place.file, place.line, column, format!("unknown {noun} `{name}`"), cure)
}
