//! From texts to a [`Catalog`]: shipped tables, then overlay folders, later wins.
//!
//! In: the tables inside the binary and the paths of overlays. Out: a catalog whose rows stand in byte order of
//! their ids, or every fault of every file at once. The order of rows in a file never reaches the result.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use jiff::civil::Date;
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::facts::TierScale;
use super::hf_config;
use super::precision::PrecisionFact;
use super::read::{
    CalibratedRow, CoefficientRow, EconomicRow, Fact, IntervalRow, KernelRow, SourceRow, TierRow,
};
use super::table::{Faults, Table, fault, nearest};
use super::{
    Api, ApiLatency, Catalog, Coefficients, Economics, Engine, Gpu, Model, Offer, Profile, Provenance,
    QualityItem, QualityRow, QualityScore,
};
use crate::error::{Error, Fault};

/// The shipped tables by file name.
const SHIPPED: [(&str, &str); 18] = [
    ("api_latency.csv", include_str!("../../catalog/api_latency.csv")),
    ("apis.csv", include_str!("../../catalog/apis.csv")),
    ("calibrated.csv", include_str!("../../catalog/calibrated.csv")),
    ("coefficients.csv", include_str!("../../catalog/coefficients.csv")),
    ("economics.csv", include_str!("../../catalog/economics.csv")),
    ("engines.csv", include_str!("../../catalog/engines.csv")),
    ("gpus.csv", include_str!("../../catalog/gpus.csv")),
    ("intervals.csv", include_str!("../../catalog/intervals.csv")),
    ("kernels.csv", include_str!("../../catalog/kernels.csv")),
    ("models.csv", include_str!("../../catalog/models.csv")),
    ("offers.csv", include_str!("../../catalog/offers.csv")),
    ("precisions.csv", include_str!("../../catalog/precisions.csv")),
    ("profiles.csv", include_str!("../../catalog/profiles.csv")),
    ("quality_index.csv", include_str!("../../catalog/quality_index.csv")),
    ("quality_items.csv", include_str!("../../catalog/quality_items.csv")),
    ("quality_scores.csv", include_str!("../../catalog/quality_scores.csv")),
    ("sources.csv", include_str!("../../catalog/sources.csv")),
    ("tiers.csv", include_str!("../../catalog/tiers.csv")),
];
/// Day the shipped tables were built.
const BUILT: &str = include_str!("../../catalog/built.txt");

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

/// Reads a folder: tables of known names, and `models/<org>/<name>/config.json`.
fn folder_layer(folder: &Path, faults: &Faults) -> Layer<'static> {
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
        if !SHIPPED.iter().any(|(known, _)| *known == name) {
            let cure = nearest(&name, SHIPPED.iter().map(|(known, _)| *known)).map_or_else(
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

fn twice(file: &str, line: usize, column: &str) -> Fault {
    fault(
        "E0209",
        file,
        line,
        column,
        "this row says the same thing a second time",
        "Remove one, or give them different periods.",
    )
}

/// Reads the rows of one text; a row with a fault is left out.
fn rows<T: Fact>(file: &str, text: &str, faults: &Faults) -> Vec<(usize, T)> {
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
fn gather<T: Fact>(layers: &[Layer<'_>], faults: &Faults) -> Vec<(Place, T)> {
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

/// Where a row stands.
#[derive(Debug, Clone)]
struct Place {
    file: String,
    line: usize,
}

/// What the rows of all tables add up to.
struct Digester {
    sum: Sha256,
    line: Vec<u8>,
}

impl Digester {
    fn add<T: Serialize>(&mut self, name: &str, rows: &[T]) {
        self.sum.update(name.as_bytes());
        for row in rows {
            self.line.clear();
            // Serialising plain data to memory cannot fail; an empty line would only weaken the digest.
            if serde_json::to_writer(&mut self.line, row).is_ok() {
                self.line.push(b'\n');
            }
            self.sum.update(&self.line);
        }
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
        coefficients: coefficients(coefficient_rows, kernel_rows, interval_rows, calibrated_rows),
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

/// Models of the tables and of raw configurations; in one layer a table row outranks a configuration of its id.
fn gather_models(layers: &[Layer<'_>], faults: &Faults) -> Vec<(Place, Model)> {
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

/// GPU aliases in offers become ids; what names nothing is a fault.
fn resolve(
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
            let cure = nearest(&offer.gpu, gpus.iter().map(|gpu| gpu.id.as_str()))
                .map_or_else(|| "Add it to gpus.csv first.".to_owned(), |id| format!("Did you mean `{id}`?"));
            faults.borrow_mut().push(fault(
                "E0208",
                &place.file,
                place.line,
                "gpu",
                format!("unknown GPU `{}`", offer.gpu),
                cure,
            ));
        }
    }
    let known: BTreeSet<&str> = apis.iter().map(|(_, api)| api.id.as_str()).collect();
    for (place, row) in latency {
        if !known.contains(row.api.as_str()) {
            let cure = nearest(&row.api, known.iter().copied())
                .map_or_else(|| "Add it to apis.csv first.".to_owned(), |id| format!("Did you mean `{id}`?"));
            faults.borrow_mut().push(fault(
                "E0208",
                &place.file,
                place.line,
                "api",
                format!("unknown API `{}`", row.api),
                cure,
            ));
        }
    }
}

fn titled<T: Fact>(rows: Vec<(Place, T)>, titles: &mut Titles) -> Vec<T> {
    rows.into_iter()
        .map(|(_, mut row)| {
            if let Some(provenance) = row.provenance() {
                titles.apply(provenance);
            }
            row
        })
        .collect()
}

/// Source ids to titles with their licences.
struct Titles {
    known: BTreeMap<String, String>,
    composed: BTreeMap<String, String>,
}

impl Titles {
    fn new(rows: Vec<(Place, SourceRow)>) -> Self {
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

    fn apply(&mut self, provenance: &mut Provenance) {
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

fn scales(rows: Vec<TierRow>) -> Vec<TierScale> {
    let mut scales: BTreeMap<String, TierScale> = BTreeMap::new();
    for row in rows {
        let scale = scales.entry(row.scale.clone()).or_insert_with(|| TierScale {
            id: row.scale.clone(),
            from: row.from.unwrap_or(Date::MIN),
            cuts: BTreeMap::new(),
            provenance: row.provenance.clone(),
        });
        // `basic` has no cut point: it is listed so that its word is known, and anything with an index passes it.
        if let Some(cut) = row.cut {
            scale.cuts.insert(row.tier, cut);
        }
    }
    let mut scales: Vec<TierScale> = scales.into_values().collect();
    scales.sort_by(|a, b| (a.from, &a.id).cmp(&(b.from, &b.id)));
    scales
}

fn coefficients(
    rows: Vec<CoefficientRow>,
    kernels: Vec<KernelRow>,
    intervals: Vec<IntervalRow>,
    calibrated: Vec<CalibratedRow>,
) -> Coefficients {
    let provenance = rows.first().map(|row| row.provenance.clone()).unwrap_or_default();
    Coefficients {
        spreads: rows
            .iter()
            .map(|row| ((row.coefficient.clone(), row.factor.clone(), row.level.clone()), row.sd_log))
            .collect(),
        values: rows.into_iter().map(|row| ((row.coefficient, row.factor, row.level), row.value)).collect(),
        kernels: kernels
            .into_iter()
            .map(|row| ((row.gpu, row.bits), (row.u_us, row.kappa_us_per_k)))
            .collect(),
        intervals: intervals
            .into_iter()
            .map(|row| ((row.measure, row.model_class, row.basis), row.factor))
            .collect(),
        seen: calibrated.iter().map(|row| row.key().0).collect(),
        provenance,
    }
}
