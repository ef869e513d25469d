//! Source ids become titles with their licences.

use std::collections::BTreeMap;

use super::gather::Place;
use crate::catalog::Provenance;
use crate::catalog::read::{Fact, SourceRow};

/// Source ids to titles with their licences.
pub(super) struct Titles {
    known: BTreeMap<String, String>,
    composed: BTreeMap<String, String>,
}

impl Titles {
    pub(super) fn new(rows: Vec<(Place, SourceRow)>) -> Self {
        let known = rows
            .into_iter()
            .map(|(_, row)| {
                let title = if row.licence.is_empty() {
                    row.title.clone()
                } else {
                    format!("{} ({})", row.title, row.licence)
                };
                (row.key().0, title)
            })
            .collect();
        Self { known, composed: BTreeMap::new() }
    }

    pub(super) fn apply(&mut self, provenance: &mut Provenance) {
        if let Some(title) = self.composed.get(&provenance.source) {
            provenance.source.clone_from(title);
            return;
        }
        let parts: Vec<&str> = provenance
            .source
            .split(';')
            .map(|id| self.known.get(id.trim()).map_or(id.trim(), String::as_str))
            .collect();
        let title = parts.join("; ");
        self.composed.insert(provenance.source.clone(), title.clone());
        provenance.source = title;
    }
}

pub(super) fn titled<T: Fact>(rows: Vec<(Place, T)>, titles: &mut Titles) -> Vec<T> {
    rows.into_iter()
        .map(|(_, mut row)| {
            if let Some(provenance) = row.provenance() {
                titles.apply(provenance);
            }
            row
        })
        .collect()
}
