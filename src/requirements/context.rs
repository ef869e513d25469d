//! What the reader must know of the catalog: the names that mean something, and the named days.
//!
//! Plain data, so that the reader needs no loader and a test can write its own world.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use crate::catalog::Catalog;

/// Names and days of a catalog. An empty set means "unknown": names are then not checked against it.
#[derive(Debug, Clone, PartialEq)]
pub struct ReadContext {
    /// Default of `as_of`.
    pub built: Date,
    /// Named days: 24 weights of mean 1.
    pub profiles: BTreeMap<String, [f64; 24]>,
    /// Ids and aliases of models and hosted models.
    pub models: BTreeSet<String>,
    /// Lower-case id or alias of an accelerator, to its id.
    pub gpus: BTreeMap<String, String>,
    /// Who sells hardware or serves models.
    pub providers: BTreeSet<String>,
    /// Precision names, lower-case.
    pub precisions: BTreeSet<String>,
    /// Engine families.
    pub engines: BTreeSet<String>,
    /// Region words of offers.
    pub regions: BTreeSet<String>,
    /// Licence ids.
    pub licences: BTreeSet<String>,
    /// Ids of tier scales.
    pub scales: BTreeSet<String>,
    /// Benchmark ids.
    pub benchmarks: BTreeSet<String>,
}

impl ReadContext {
    /// A context that knows only the three named days and checks no name against a catalog.
    #[must_use]
    pub fn bare(built: Date) -> Self {
        Self {
            built,
            profiles: BTreeMap::from([
                ("flat".to_owned(), [1.0; 24]),
                ("business-hours".to_owned(), share_in_hours(0.85, 8, 17)),
                ("evening".to_owned(), share_in_hours(0.60, 17, 22)),
            ]),
            models: BTreeSet::new(),
            gpus: BTreeMap::new(),
            providers: BTreeSet::new(),
            precisions: BTreeSet::new(),
            engines: BTreeSet::new(),
            regions: BTreeSet::new(),
            licences: BTreeSet::new(),
            scales: BTreeSet::new(),
            benchmarks: BTreeSet::new(),
        }
    }
}

/// A day of mean 1 with `share` of the requests evenly in the hours from `from` up to `until`, and the rest evenly.
fn share_in_hours(share: f64, from: u8, until: u8) -> [f64; 24] {
    let inside = f64::from(until - from);
    std::array::from_fn(|hour| {
        let weight = if (usize::from(from)..usize::from(until)).contains(&hour) {
            share / inside
        } else {
            (1.0 - share) / (24.0 - inside)
        };
        24.0 * weight
    })
}

impl From<&Catalog> for ReadContext {
    fn from(catalog: &Catalog) -> Self {
        let lower = |name: &String| name.to_ascii_lowercase();
        let mut models = BTreeSet::new();
        let mut providers = BTreeSet::new();
        for model in &catalog.models {
            models.insert(model.id.clone());
            models.extend(model.aliases.iter().cloned());
        }
        for api in &catalog.apis {
            models.insert(api.id.clone());
            models.extend(api.aliases.iter().cloned());
            providers.insert(api.provider.clone());
        }
        providers.extend(catalog.offers.iter().map(|offer| offer.provider.clone()));
        let mut gpus = BTreeMap::new();
        for gpu in &catalog.gpus {
            for alias in &gpu.aliases {
                gpus.entry(lower(alias)).or_insert_with(|| gpu.id.clone());
            }
        }
        // An id always means itself, also where it is an alias of another.
        gpus.extend(catalog.gpus.iter().map(|gpu| (lower(&gpu.id), gpu.id.clone())));
        Self {
            built: catalog.built,
            profiles: catalog.profiles.iter().map(|profile| (profile.id.clone(), profile.weights)).collect(),
            models,
            gpus,
            providers,
            precisions: catalog.precisions.iter().map(|fact| lower(&fact.id.0)).collect(),
            engines: catalog.engines.iter().map(|engine| engine.family.clone()).collect(),
            regions: catalog.offers.iter().map(|offer| offer.region.clone()).collect(),
            licences: catalog.models.iter().map(|model| model.licence.clone()).collect(),
            scales: catalog.tiers.iter().map(|scale| scale.id.clone()).collect(),
            benchmarks: catalog.quality_items.iter().map(|item| item.benchmark.clone()).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn named_days_have_mean_one_and_their_share() {
        let context = ReadContext::bare(Date::constant(2026, 11, 20));
        for weights in context.profiles.values() {
            assert!((weights.iter().sum::<f64>() - 24.0).abs() < 1e-12);
        }
        let business: f64 = context.profiles["business-hours"][8..17].iter().sum();
        assert!((business / 24.0 - 0.85).abs() < 1e-12);
    }
}
