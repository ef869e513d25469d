//! Rows of one kind over all layers: a later layer replaces what has the same id, a layer says nothing twice.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::Layer;
use crate::catalog::read::Fact;
use crate::catalog::table::{Faults, Table, fault};
use crate::catalog::{Model, hf_config};
use crate::error::Fault;

/// Where a row stands.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub(super) file: String,
    pub(super) line: usize,
}

/// Reads the rows of one text; a row with a fault is left out.
pub(super) fn rows<T: Fact>(file: &str, text: &str, faults: &Faults) -> Vec<(usize, T)> {
    let mut optional = T::OPTIONAL.to_vec();
    optional.extend(["source", "as_of", "assumed"]);
    let table = Table::read(file, text, T::REQUIRED, &optional, faults);
    if faults.borrow().iter().any(|fault| fault.place.file == file && fault.place.line <= 1) {
        return Vec::new();
    }
    let mut found = Vec::new();
    for row in table.rows(faults) {
        let before = row.fault_count();
        let value = T::read(&row);
        if row.fault_count() == before {
            found.push((row.line, value));
        }
    }
    found
}

/// Rows of one kind over all layers, in byte order of their keys, with the place each was read from.
pub(super) fn gather<T: Fact>(layers: &[Layer<'_>], faults: &Faults) -> Vec<(Place, T)> {
    let mut merged: BTreeMap<(String, String), (Place, T)> = BTreeMap::new();
    for layer in layers {
        let Some((file, text)) = layer.tables.get(T::FILE) else { continue };
        let mut fresh: BTreeMap<(String, String), (Place, T)> = BTreeMap::new();
        for (line, value) in rows::<T>(file, text, faults) {
            let key = value.key();
            if fresh.insert(key, (Place { file: file.clone(), line }, value)).is_some() {
                faults.borrow_mut().push(twice(file, line, T::REQUIRED.first().copied().unwrap_or("id")));
            }
        }
        overlay(&mut merged, fresh);
    }
    merged.into_values().collect()
}

/// Models of the tables and of raw configurations; in one layer a table row outranks a configuration of its id.
pub(super) fn gather_models(layers: &[Layer<'_>], faults: &Faults) -> Vec<(Place, Model)> {
    let mut merged: BTreeMap<(String, String), (Place, Model)> = BTreeMap::new();
    for layer in layers {
        let mut fresh = BTreeMap::new();
        for (id, file, text) in &layer.configs {
            match hf_config::model(id, file, text) {
                Ok(mut model) => {
                    hf_config::keep_known(
                        &mut model,
                        merged.get(&(id.clone(), String::new())).map(|(_, known)| known),
                    );
                    fresh.insert((id.clone(), String::new()), (Place { file: file.clone(), line: 0 }, model));
                }
                Err(found) => faults.borrow_mut().extend(found),
            }
        }
        overlay(&mut merged, fresh);
        let one = Layer {
            tables: layer.tables.get(Model::FILE).map_or_else(BTreeMap::new, |(file, text)| {
                BTreeMap::from([(Model::FILE.to_owned(), (file.clone(), Cow::Borrowed(text.as_ref())))])
            }),
            configs: Vec::new(),
        };
        let listed = gather::<Model>(&[one], faults)
            .into_iter()
            .map(|(place, model)| (model.key(), (place, model)))
            .collect();
        overlay(&mut merged, listed);
    }
    merged.into_values().collect()
}

/// Later rows replace all earlier ones with the same first part of the key.
fn overlay<T>(merged: &mut BTreeMap<(String, String), T>, fresh: BTreeMap<(String, String), T>) {
    if merged.is_empty() {
        *merged = fresh;
        return;
    }
    let ids: BTreeSet<String> = fresh.keys().map(|(id, _)| id.clone()).collect();
    merged.retain(|(id, _), _| !ids.contains(id));
    merged.extend(fresh);
}

pub(super) fn twice(file: &str, line: usize, column: &str) -> Fault {
    fault(
        "E0209",
        file,
        line,
        column,
        "this row says the same thing a second time",
        "Remove one, or give them different periods.",
    )
}
