//! Overlay folders: tables of known names, and `models/<org>/<name>/config.json`.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::{Layer, OWN, SHIPPED};
use crate::catalog::table::{Faults, fault, nearest};

/// Reads a folder: tables of known names, and `models/<org>/<name>/config.json`.
pub(super) fn folder_layer(folder: &Path, faults: &Faults) -> Layer<'static> {
    let mut layer = Layer { tables: BTreeMap::new(), configs: Vec::new() };
    let shown = folder.display().to_string();
    let Ok(entries) = fs::read_dir(folder) else {
        faults.borrow_mut().push(fault(
            "E0211",
            &shown,
            0,
            "",
            "cannot be read as a folder",
            "Give the path of a folder with tables named like those of `catalog/`.",
        ));
        return layer;
    };
    let mut names: Vec<PathBuf> = entries.filter_map(Result::ok).map(|entry| entry.path()).collect();
    names.sort();
    for path in names {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if path.extension().is_none_or(|extension| extension != "csv") {
            continue;
        }
        let file = path.display().to_string();
        let known = || SHIPPED.iter().map(|(known, _)| *known).chain(OWN);
        if !known().any(|known| known == name) {
            let cure = nearest(&name, known()).map_or_else(
                || "Rename it, or move it out of the folder.".to_owned(),
                |known| format!("Did you mean `{known}`?"),
            );
            faults.borrow_mut().push(fault("E0212", &file, 0, "", "no table has this name", cure));
        } else if let Some(text) = text_of(&path, faults) {
            layer.tables.insert(name, (file, Cow::Owned(text)));
        }
    }
    for organisation in folders_in(&folder.join("models")) {
        for model in folders_in(&organisation) {
            let path = model.join("config.json");
            if !path.is_file() {
                continue;
            }
            let part = |path: &Path| {
                path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
            };
            let id = format!("{}/{}", part(&organisation), part(&model));
            if let Some(text) = text_of(&path, faults) {
                layer.configs.push((id, path.display().to_string(), text));
            }
        }
    }
    if layer.tables.is_empty() && layer.configs.is_empty() && faults.borrow().is_empty() {
        faults.borrow_mut().push(fault(
            "E0211",
            &shown,
            0,
            "",
            "holds no table and no models/<org>/<name>/config.json",
            "Put tables named like those of `catalog/` into it, or leave the flag out.",
        ));
    }
    layer
}

fn folders_in(folder: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = fs::read_dir(folder)
        .map(|entries| {
            entries.filter_map(Result::ok).map(|entry| entry.path()).filter(|path| path.is_dir()).collect()
        })
        .unwrap_or_default();
    found.sort();
    found
}

fn text_of(path: &Path, faults: &Faults) -> Option<String> {
    match fs::read_to_string(path) {
        Ok(text) => Some(text),
        Err(error) => {
            let file = path.display().to_string();
            faults.borrow_mut().push(fault(
                "E0201",
                &file,
                0,
                "",
                format!("cannot be read: {error}"),
                "Write it as UTF-8 text.",
            ));
            None
        }
    }
}
