//! From texts to a [`Catalog`]: shipped tables, then overlay folders, later wins.
//!
//! In: the tables inside the binary and the paths of overlays. Out: a catalog whose rows stand in byte order of
//! their ids, or every fault of every file at once. The order of rows in a file never reaches the result.

mod assemble;
mod folder;
mod gather;
mod resolve;
mod titles;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::OnceLock;

use assemble::{Digester, coefficients, scales};
use folder::folder_layer;
use gather::{gather, gather_models, rows, twice};
use jiff::civil::Date;
use resolve::{resolve, resolve_calibrations};
use sha2::{Digest, Sha256};
use titles::{Titles, titled};

use super::precision::PrecisionFact;
use super::read::{
    CalibratedRow, CoefficientRow, EconomicRow, Fact, IntervalRow, KernelRow, SourceRow, TierRow,
};
use super::table::{Faults, fault};
use super::{
    Api, ApiLatency, Calibration, Catalog, Coefficients, Economics, Engine, Gpu, Model, Offer, Profile,
    QualityItem, QualityRow, QualityScore,
};
use crate::error::{Error, Fault};

/// The shipped tables by file name.
const SHIPPED: [(&str, &str); 18] = [
    ("api_latency.csv", include_str!("../../../catalog/api_latency.csv")),
    ("apis.csv", include_str!("../../../catalog/apis.csv")),
    ("calibrated.csv", include_str!("../../../catalog/calibrated.csv")),
    ("coefficients.csv", include_str!("../../../catalog/coefficients.csv")),
    ("economics.csv", include_str!("../../../catalog/economics.csv")),
    ("engines.csv", include_str!("../../../catalog/engines.csv")),
    ("gpus.csv", include_str!("../../../catalog/gpus.csv")),
    ("intervals.csv", include_str!("../../../catalog/intervals.csv")),
    ("kernels.csv", include_str!("../../../catalog/kernels.csv")),
    ("models.csv", include_str!("../../../catalog/models.csv")),
    ("offers.csv", include_str!("../../../catalog/offers.csv")),
    ("precisions.csv", include_str!("../../../catalog/precisions.csv")),
    ("profiles.csv", include_str!("../../../catalog/profiles.csv")),
    ("quality_index.csv", include_str!("../../../catalog/quality_index.csv")),
    ("quality_items.csv", include_str!("../../../catalog/quality_items.csv")),
    ("quality_scores.csv", include_str!("../../../catalog/quality_scores.csv")),
    ("sources.csv", include_str!("../../../catalog/sources.csv")),
    ("tiers.csv", include_str!("../../../catalog/tiers.csv")),
];

/// Tables that only overlays hold: what users measured themselves.
const OWN: [&str; 1] = [Calibration::FILE];

/// Day the shipped tables were built.
const BUILT: &str = include_str!("../../../catalog/built.txt");

/// One source of tables: the binary, or a folder.
struct Layer<'t> {
    /// Path and text by file name.
    tables: BTreeMap<String, (String, Cow<'t, str>)>,
    /// Id, path and text of each raw `config.json`.
    configs: Vec<(String, String, String)>,
}

impl Catalog {
    /// The catalog inside the binary.
    ///
    /// # Panics
    /// Never in a released binary: `tests/catalog.rs` loads the same bytes.
    #[must_use]
    pub fn embedded() -> &'static Self {
        static EMBEDDED: OnceLock<Catalog> = OnceLock::new();
        EMBEDDED.get_or_init(|| {
            build(&[shipped()])
                .expect("the shipped tables load without a fault; tests/catalog.rs loads the same bytes")
        })
    }

    /// The shipped catalog under overlay folders; of rows with the same id the last folder's hold.
    ///
    /// # Errors
    /// Every fault of every overlay.
    pub fn load(overlays: &[PathBuf]) -> Result<Self, Error> {
        if overlays.is_empty() {
            return Ok(Self::embedded().clone());
        }
        let faults = Faults::default();
        let mut layers = vec![shipped()];
        for folder in overlays {
            layers.push(folder_layer(folder, &faults));
        }
        let found = faults.into_inner();
        match build(&layers) {
            Ok(catalog) if found.is_empty() => Ok(catalog),
            Ok(_) => Err(Error::Faults(found)),
            Err(more) => Err(Error::Faults(found.into_iter().chain(more).collect())),
        }
    }

    /// A catalog from texts alone: `(file name, text)`, instead of the shipped tables. For tests and frozen worlds.
    ///
    /// # Errors
    /// Every fault of every table.
    pub fn from_texts(tables: &[(&str, &str)]) -> Result<Self, Vec<Fault>> {
        let layer = Layer {
            tables: tables
                .iter()
                .map(|(name, text)| ((*name).to_owned(), ((*name).to_owned(), Cow::Borrowed(*text))))
                .collect(),
            configs: Vec::new(),
        };
        build(&[layer])
    }

    /// The shipped tables by file name.
    #[must_use]
    pub fn shipped_texts() -> &'static [(&'static str, &'static str)] {
        &SHIPPED
    }

    /// Offers of a user's quotes file, in the schema of `catalog/offers.csv`; GPU aliases become ids.
    ///
    /// # Errors
    /// Every fault of the file.
    pub fn read_offers_csv(&self, file: &str, text: &str) -> Result<Vec<Offer>, Vec<Fault>> {
        let faults = Faults::default();
        let mut offers = BTreeMap::new();
        for (line, mut offer) in rows::<Offer>(file, text, &faults) {
            if let Some(id) = self.gpu(&offer.gpu).map(|gpu| gpu.id.clone()) {
                offer.gpu = id;
            } else {
                let cure = self.suggest_gpu(&offer.gpu).map_or_else(
                    || "`bursar catalog list gpus` names them.".to_owned(),
                    |id| format!("Did you mean `{id}`?"),
                );
                faults.borrow_mut().push(fault(
                    "E0208",
                    file,
                    line,
                    "gpu",
                    format!("unknown GPU `{}`", offer.gpu),
                    cure,
                ));
            }
            let key = offer.key();
            if offers.insert(key, offer).is_some() {
                faults.borrow_mut().push(twice(file, line, "id"));
            }
        }
        let found = faults.into_inner();
        if found.is_empty() { Ok(offers.into_values().collect()) } else { Err(found) }
    }
}

fn shipped() -> Layer<'static> {
    Layer {
        tables: SHIPPED
            .iter()
            .map(|(name, text)| ((*name).to_owned(), (format!("catalog/{name}"), Cow::Borrowed(*text))))
            .collect(),
        configs: Vec::new(),
    }
}

fn build(layers: &[Layer<'_>]) -> Result<Catalog, Vec<Fault>> {
    let faults = Faults::default();
    let mut titles = Titles::new(gather::<SourceRow>(layers, &faults));
    let mut digester = Digester { sum: Sha256::new(), line: Vec::new() };
    let mut models = gather_models(layers, &faults);
    let mut offers = gather::<Offer>(layers, &faults);
    let gpus = titled(gather::<Gpu>(layers, &faults), &mut titles);
    let api_rows = gather::<Api>(layers, &faults);
    let latency_rows = gather::<ApiLatency>(layers, &faults);
    resolve(&mut offers, &gpus, &api_rows, &latency_rows, &faults);
    for (_, model) in &mut models {
        titles.apply(&mut model.provenance);
    }
    let models: Vec<Model> = models.into_iter().map(|(_, model)| model).collect();
    let offers = titled(offers, &mut titles);
    let apis = titled(api_rows, &mut titles);
    let api_latency = titled(latency_rows, &mut titles);
    let quality = titled(gather::<QualityRow>(layers, &faults), &mut titles);
    let quality_items = titled(gather::<QualityItem>(layers, &faults), &mut titles);
    let quality_scores = titled(gather::<QualityScore>(layers, &faults), &mut titles);
    let precisions = titled(gather::<PrecisionFact>(layers, &faults), &mut titles);
    let engines = titled(gather::<Engine>(layers, &faults), &mut titles);
    let profiles = titled(gather::<Profile>(layers, &faults), &mut titles);
    let tier_rows = titled(gather::<TierRow>(layers, &faults), &mut titles);
    let coefficient_rows = titled(gather::<CoefficientRow>(layers, &faults), &mut titles);
    let kernel_rows = titled(gather::<KernelRow>(layers, &faults), &mut titles);
    let interval_rows = titled(gather::<IntervalRow>(layers, &faults), &mut titles);
    let calibrated_rows = titled(gather::<CalibratedRow>(layers, &faults), &mut titles);
    let calibrations = gather::<Calibration>(layers, &faults);
    resolve_calibrations(&calibrations, &engines, &gpus, &models, &faults);
    let calibrations = titled(calibrations, &mut titles);
    let economic_rows = titled(gather::<EconomicRow>(layers, &faults), &mut titles);
    let found = faults.into_inner();
    if !found.is_empty() {
        return Err(found);
    }
    digester.add("models", &models);
    digester.add("gpus", &gpus);
    digester.add("offers", &offers);
    digester.add("apis", &apis);
    digester.add("api_latency", &api_latency);
    digester.add("quality_index", &quality);
    digester.add("quality_items", &quality_items);
    digester.add("quality_scores", &quality_scores);
    digester.add("precisions", &precisions);
    digester.add("engines", &engines);
    digester.add("profiles", &profiles);
    digester.add("tiers", &tier_rows);
    digester.add("coefficients", &coefficient_rows);
    digester.add("kernels", &kernel_rows);
    digester.add("intervals", &interval_rows);
    digester.add("calibrated", &calibrated_rows);
    digester.add("economics", &economic_rows);
    if !calibrations.is_empty() {
        digester.add("calibration", &calibrations);
    }
    let built = BUILT.trim().parse::<Date>().unwrap_or(Date::constant(2026, 11, 20));
    let mut catalog = Catalog {
        built,
        sha256: String::new(),
        models,
        gpus,
        offers,
        apis,
        api_latency,
        quality,
        quality_items,
        quality_scores,
        tiers: scales(tier_rows),
        precisions,
        engines,
        coefficients: Coefficients {
            calibrations,
            ..coefficients(coefficient_rows, kernel_rows, interval_rows, calibrated_rows)
        },
        profiles,
        economics: Economics {
            facts: economic_rows
                .iter()
                .map(|row| ((row.name.clone(), row.scope.clone()), row.fact()))
                .collect(),
        },
    };
    digester.sum.update(built.to_string().as_bytes());
    catalog.sha256 = digester.sum.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(catalog)
}
