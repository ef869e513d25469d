//! `allow` and `deny`: globs over the names of the catalog.

use super::Filter;
use super::codes;
use super::fields::{At, Map, Reader};
use super::glob;
use super::node::quoted;
use super::suggest;
use super::warning::Warning;
use crate::catalog::Billing;

const KEYS: &[&str] =
    &["models", "gpus", "providers", "billing", "precisions", "engines", "regions", "licences"];
const CURE: &str = "Write a map of lists, such as {gpus: [h100-*], precisions: [fp8]}";

impl Reader<'_> {
    /// One filter. Beside `quotes`, a provider or region may be one that only the quotes file names.
    pub(super) fn filter(&mut self, at: &At<'_>, quotes: bool) -> Filter {
        let Some(map) = self.map(at, KEYS, CURE) else { return Filter::default() };
        let context = self.context;
        let models: Vec<&str> = context.models.iter().map(String::as_str).collect();
        let gpus: Vec<&str> = context.gpus.keys().chain(context.gpus.values()).map(String::as_str).collect();
        let names =
            |set: &'_ std::collections::BTreeSet<String>| -> Vec<String> { set.iter().cloned().collect() };
        let (providers, precisions) = (names(&context.providers), names(&context.precisions));
        let (engines, regions, licences) =
            (names(&context.engines), names(&context.regions), names(&context.licences));
        Filter {
            models: self.patterns(&map, "models", "model", &models, false),
            gpus: self.patterns(&map, "gpus", "GPU", &gpus, false),
            providers: self.patterns(&map, "providers", "provider", &slices(&providers), quotes),
            billing: self.billing(&map),
            precisions: self.patterns(&map, "precisions", "precision", &slices(&precisions), false),
            engines: self.patterns(&map, "engines", "engine", &slices(&engines), false),
            regions: self.patterns(&map, "regions", "region", &slices(&regions), quotes),
            licences: self.patterns(&map, "licences", "licence", &slices(&licences), false),
        }
    }

    fn patterns(
        &mut self,
        map: &Map<'_>,
        key: &str,
        what: &str,
        names: &[&str],
        quotes: bool,
    ) -> Vec<String> {
        let Some(at) = map.get(key) else { return Vec::new() };
        let cure = format!("Write a list of {what}s, such as [{}]", names.first().unwrap_or(&"…"));
        let mut patterns = Vec::new();
        for item in self.list(&at, &cure).unwrap_or_default() {
            let Some(pattern) = self.text(&item, &format!("a {what} or a pattern such as a*")) else {
                continue;
            };
            self.check_pattern(&item, pattern, what, names, quotes);
            patterns.push(pattern.to_owned());
        }
        patterns
    }

    pub(super) fn check_pattern(
        &mut self,
        at: &At<'_>,
        pattern: &str,
        what: &str,
        names: &[&str],
        quotes: bool,
    ) {
        if names.is_empty() || names.iter().any(|name| glob::matches(pattern, name)) {
            return;
        }
        let (key, pattern) = (at.key.clone(), pattern.to_owned());
        if glob::is_wild(&pattern) {
            self.warnings.push(Warning::MatchesNothing { key, pattern });
        } else if quotes {
            self.warnings.push(Warning::UncheckedBesideQuotes { key, name: pattern });
        } else {
            let cause = format!("{} is no {what} of the catalog", quoted(&pattern));
            self.fault(codes::UNKNOWN_NAME, at, cause, suggest::instead(&pattern, names));
        }
    }

    fn billing(&mut self, map: &Map<'_>) -> Vec<Billing> {
        let Some(at) = map.get("billing") else { return Vec::new() };
        let mut modes = Vec::new();
        for item in self.list(&at, "Write a list such as [on-demand, owned]").unwrap_or_default() {
            let Some(mode) = self.word(&item, "a billing mode", &Billing::ALL) else { continue };
            modes.push(mode);
        }
        modes
    }
}

fn slices(names: &[String]) -> Vec<&str> {
    names.iter().map(String::as_str).collect()
}
