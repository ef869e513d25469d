//! Where rows come from and under which licence, as far as their file says.
//!
//! In: the text of a table with columns `source`, `licence`, `url`. Out: these, by source. Files without such columns say
//! nothing, and that is no fault.

use std::collections::{BTreeMap, BTreeSet};

/// What a file says of a source.
#[derive(Debug, Clone, Default)]
pub(super) struct Provenance {
    pub(super) licences: BTreeSet<String>,
    pub(super) urls: BTreeSet<String>,
}

/// Adds what a table says.
pub(super) fn gather(found: &mut BTreeMap<String, Provenance>, text: &str) {
    let mut reader = csv::ReaderBuilder::new()
        .flexible(true)
        .trim(csv::Trim::All)
        .comment(Some(b'#'))
        .from_reader(text.as_bytes());
    let Ok(header) = reader.headers() else { return };
    let place = |name: &str| header.iter().position(|head| head == name);
    let (Some(source), licence, url) = (place("source"), place("licence"), place("url")) else { return };
    for record in reader.records().flatten() {
        let cell = |at: Option<usize>| at.and_then(|at| record.get(at)).filter(|cell| !cell.is_empty());
        let (Some(name), licence, url) = (cell(Some(source)), cell(licence), cell(url)) else { continue };
        let entry = found.entry(name.to_owned()).or_default();
        entry.licences.extend(licence.map(str::to_owned));
        entry.urls.extend(url.map(str::to_owned));
    }
}
