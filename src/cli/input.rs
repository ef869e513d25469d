//! Gathers what a command works on: the catalog with its overlays, the requirements file, the rules.

use std::fs;
use std::path::{Path, PathBuf};

use jiff::civil::Date;
use rayon::prelude::*;

use super::warn;
use crate::catalog::Catalog;
use crate::error::{Error, Fault, Place};
use crate::measurement::{self, Defaults, Measurements};
use crate::recommendation;
use crate::requirements::{self, Read, ReadContext};

/// Options of every command that reads the catalog.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct Facts {
    /// Lay the tables of this folder over the catalog; later folders win
    #[arg(long = "catalog", value_name = "DIR")]
    pub(super) folders: Vec<PathBuf>,
}

impl Facts {
    /// The catalog under its overlays.
    pub(super) fn catalog(&self) -> Result<Catalog, Error> {
        Catalog::load(&self.folders)
    }
}

/// A requirements file and the facts it is judged by.
pub(super) struct Asked {
    pub(super) catalog: Catalog,
    pub(super) read: Read,
}

impl Asked {
    /// Reads the file under the catalog; `as_of` stands in for the file's own date; its quotes join the offers.
    pub(super) fn load(file: &Path, facts: &Facts, as_of: Option<Date>) -> Result<Self, Error> {
        let mut catalog = facts.catalog()?;
        let context = ReadContext::from(&catalog);
        let mut read = requirements::load(file, &context).map_err(Error::Faults)?;
        if let Some(date) = as_of {
            // Through the document, so that patches and second readings see the same date.
            let patch = [("/as_of".to_owned(), serde_json::Value::from(date.to_string()))].into();
            let document = requirements::apply_patch(&read.document, &patch).map_err(Error::Faults)?;
            let name = file.to_string_lossy();
            let folder = if name == "-" { Path::new("") } else { file.parent().unwrap_or(Path::new("")) };
            read = requirements::read_value(&document, &name, folder, &context).map_err(Error::Faults)?;
        }
        if let Some(quotes) = &read.quotes {
            let shown = quotes.to_string_lossy();
            let text = fs::read_to_string(quotes).map_err(|error| unreadable(&shown, &error))?;
            catalog.offers.extend(catalog.read_offers_csv(&shown, &text).map_err(Error::Faults)?);
            catalog.offers.sort_by(|a, b| a.id.cmp(&b.id).then(a.from.cmp(&b.from)));
        }
        Ok(Self { catalog, read })
    }

    /// The reader's warnings as part of an answer.
    pub(super) fn warnings(&self) -> Vec<recommendation::Warning> {
        let kind = |warning: &requirements::Warning| {
            let fact = serde_json::to_value(warning).ok()?;
            Some(fact.get("kind")?.as_str()?.to_owned())
        };
        let told = |warning: &requirements::Warning| recommendation::Warning {
            code: format!("R-{}", kind(warning).unwrap_or_default()),
            sentence: warning.to_string(),
        };
        self.read.warnings.iter().map(told).collect()
    }

    /// Says the reader's warnings on stderr.
    pub(super) fn warn(&self) {
        self.read.warnings.iter().for_each(|warning| warn(&warning.to_string()));
    }
}

/// A file of measurements as it was read.
pub(super) struct Measured {
    /// As the user named it.
    pub(super) name: String,
    pub(super) text: String,
    pub(super) measurements: Measurements,
}

/// Files of measurements (`-` = stdin), or every fault of all of them.
pub(super) fn measured(
    files: &[PathBuf],
    catalog: &Catalog,
    defaults: &Defaults,
) -> Result<Vec<Measured>, Error> {
    let texts: Vec<(String, std::io::Result<String>)> = files
        .iter()
        .map(|file| {
            let name = file.to_string_lossy().into_owned();
            let text = if name == "-" {
                std::io::read_to_string(std::io::stdin())
            } else {
                fs::read_to_string(file)
            };
            (name, text)
        })
        .collect();
    let found: Vec<Result<Measured, Vec<Fault>>> = texts
        .into_par_iter()
        .map(|(name, text)| {
            let text = text.map_err(|error| {
                vec![Fault {
                    code: "E0902",
                    place: Place { file: name.clone(), ..Place::default() },
                    cause: format!("cannot be read: {error}"),
                    cure: "Give a file of measurements.".to_owned(),
                }]
            })?;
            let measurements = measurement::read(&name, &text, catalog, defaults)?;
            Ok(Measured { name, text, measurements })
        })
        .collect();
    let (mut read, mut faults) = (Vec::new(), Vec::new());
    for file in found {
        match file {
            Ok(file) => read.push(file),
            Err(found) => faults.extend(found),
        }
    }
    if faults.is_empty() { Ok(read) } else { Err(Error::Faults(faults)) }
}

fn unreadable(file: &str, error: &std::io::Error) -> Error {
    Error::Faults(vec![Fault {
        code: "E0902",
        place: Place { file: file.to_owned(), key: "quotes".to_owned(), ..Place::default() },
        cause: format!("cannot be read: {error}"),
        cure: "Paths are relative to the requirements file.".to_owned(),
    }])
}

/// The text of a file; `-` is stdin.
pub(super) fn read_text(file: &Path) -> Result<String, Error> {
    let name = file.to_string_lossy();
    let text = if name == "-" { std::io::read_to_string(std::io::stdin()) } else { fs::read_to_string(file) };
    text.map_err(|error| {
        let cure = "Give a file, or - for standard input.";
        Error::fault("E0902", &name, format!("cannot be read: {error}"), cure)
    })
}
