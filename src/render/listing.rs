//! The catalog as people look things up: one table a kind, and one thing with every figure and its source.

use jiff::civil::Date;
use serde::Serialize;
use serde_json::Value;

use super::figure::{decimals_for, grouped, trimmed};
use super::paint::{Align, Sheet, Style};
use super::phrase;
use crate::catalog::{Catalog, any_glob_matches};

/// What can be listed.
pub const KINDS: [&str; 9] =
    ["models", "gpus", "offers", "apis", "engines", "precisions", "quality", "tiers", "profiles"];

/// One row of a listing, as it is shown and as it is.
struct Row {
    aliases: Vec<String>,
    cells: Vec<String>,
    fact: Value,
}

struct Listing {
    align: Vec<Align>,
    head: Vec<&'static str>,
    rows: Vec<Row>,
}

impl Listing {
    /// Columns by title; a title that starts with `>` is of figures.
    fn new(titles: &[&'static str]) -> Self {
        let align =
            titles.iter().map(|title| if title.starts_with('>') { Align::Right } else { Align::Left });
        Self {
            align: align.collect(),
            head: titles.iter().map(|title| title.trim_start_matches('>')).collect(),
            rows: Vec::new(),
        }
    }

    fn add<T: Serialize>(&mut self, fact: &T, aliases: &[String], cells: Vec<String>) {
        // Facts are plain data, which always has a JSON form.
        let fact = serde_json::to_value(fact).unwrap_or_default();
        self.rows.push(Row { aliases: aliases.to_vec(), cells, fact });
    }
}

/// Rows of a kind in force on a day, as a table; `None` for an unknown kind. Empty globs match everything.
#[must_use]
pub fn table(catalog: &Catalog, kind: &str, day: Date, globs: &[String], color: bool) -> Option<String> {
    let listing = listing(catalog, kind, day)?;
    let mut sheet = Sheet::new(100, color);
    let mut rows = vec![(Style::Dim, listing.head.iter().map(|title| (*title).to_owned()).collect())];
    rows.extend(
        listing.rows.into_iter().filter(|row| wanted(row, globs)).map(|row| (Style::Plain, row.cells)),
    );
    sheet.columns(&listing.align, &rows);
    Some(sheet.finish())
}

/// The same rows as data.
#[must_use]
pub fn rows(catalog: &Catalog, kind: &str, day: Date, globs: &[String]) -> Option<Vec<Value>> {
    let listing = listing(catalog, kind, day)?;
    Some(listing.rows.into_iter().filter(|row| wanted(row, globs)).map(|row| row.fact).collect())
}

fn wanted(row: &Row, globs: &[String]) -> bool {
    globs.is_empty() || row.cells.first().is_some_and(|id| any_glob_matches(globs, id, &row.aliases))
}

/// Everything of that id or alias, whatever its kind and date, figure by figure; empty when there is nothing.
#[must_use]
pub fn show(catalog: &Catalog, name: &str, color: bool) -> String {
    let mut sheet = Sheet::new(100, color);
    for (kind, fact) in find(catalog, name) {
        sheet.hanging(0, 4, &[(Style::Bold, name.to_owned())], &[(Style::Dim, kind.to_owned())]);
        let mut lines = Vec::new();
        flatten("", &fact, &mut lines);
        let rows: Vec<_> = lines.into_iter().map(|(key, text)| (Style::Plain, vec![key, text])).collect();
        sheet.columns(&[Align::Left, Align::Left], &rows);
        sheet.blank();
    }
    sheet.finish()
}

/// The facts of an id or alias with their kind.
#[must_use]
pub fn find(catalog: &Catalog, name: &str) -> Vec<(&'static str, Value)> {
    fn matching<'c, T: Serialize>(
        kind: &'static str,
        rows: &'c [T],
        name: &'c str,
        names: impl Fn(&T) -> (&str, &[String]) + 'c,
    ) -> impl Iterator<Item = (&'static str, Value)> + 'c {
        let same = move |row: &&T| {
            let (id, aliases) = names(row);
            id.eq_ignore_ascii_case(name) || aliases.iter().any(|alias| alias.eq_ignore_ascii_case(name))
        };
        rows.iter().filter(same).map(move |row| (kind, serde_json::to_value(row).unwrap_or_default()))
    }
    matching("model", &catalog.models, name, |row| (&row.id, &row.aliases))
        .chain(matching("gpu", &catalog.gpus, name, |row| (&row.id, &row.aliases)))
        .chain(matching("offer", &catalog.offers, name, |row| (&row.id, &[])))
        .chain(matching("api", &catalog.apis, name, |row| (&row.id, &row.aliases)))
        .chain(matching("latency", &catalog.api_latency, name, |row| (&row.api, &[])))
        .chain(matching("engine", &catalog.engines, name, |row| (&row.id, &[])))
        .chain(matching("precision", &catalog.precisions, name, |row| (&row.id.0, &[])))
        .chain(matching("quality", &catalog.quality, name, |row| (&row.subject, &row.api_keys)))
        .chain(matching("score", &catalog.quality_scores, name, |row| (&row.subject, &[])))
        .chain(matching("tiers", &catalog.tiers, name, |row| (&row.id, &[])))
        .chain(matching("profile", &catalog.profiles, name, |row| (&row.id, &[])))
        .collect()
}

/// `provenance.source` and the like, one line a figure; what is unknown is left out.
fn flatten(key: &str, value: &Value, lines: &mut Vec<(String, String)>) {
    match value {
        Value::Object(map) => {
            for (inner, value) in map {
                let path = if key.is_empty() { inner.clone() } else { format!("{key}.{inner}") };
                flatten(&path, value, lines);
            }
        }
        Value::Null => {}
        Value::Array(items) if items.is_empty() => {}
        Value::Array(_) | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            lines.push((key.to_owned(), phrase::value(value)));
        }
    }
}

fn figure(value: f64) -> String {
    trimmed(value, decimals_for(value, 4).max(2))
}

fn optional<T: ToString>(value: Option<T>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| value.to_string())
}

fn listing(catalog: &Catalog, kind: &str, day: Date) -> Option<Listing> {
    Some(match kind {
        "models" => models(catalog, day),
        "gpus" => gpus(catalog),
        "offers" => offers(catalog, day),
        "apis" => apis(catalog, day),
        "engines" => engines(catalog),
        "precisions" => precisions(catalog),
        "quality" => quality(catalog),
        "tiers" => tiers(catalog),
        "profiles" => profiles(catalog),
        _ => return None,
    })
}

fn models(catalog: &Catalog, day: Date) -> Listing {
    let mut out =
        Listing::new(&["model", ">params B", ">active B", ">context", "native", "licence", "released"]);
    for row in catalog.models_on(day) {
        let billions = |params: f64| trimmed(params / 1e9, 1);
        let cells = vec![
            row.id.clone(),
            billions(row.total_params),
            billions(row.active_params),
            grouped(f64::from(row.max_context), 0),
            row.native.to_string(),
            row.licence.clone(),
            optional(row.released),
        ];
        out.add(row, &row.aliases, cells);
    }
    out
}

fn gpus(catalog: &Catalog) -> Listing {
    let mut out =
        Listing::new(&["gpu", "name", ">GB", ">usable GiB", ">GB/s", ">TFLOPS 16", ">W", ">per server"]);
    for row in &catalog.gpus {
        let cells = vec![
            row.id.clone(),
            row.name.clone(),
            figure(row.memory_gb),
            figure(row.usable.get()),
            figure(row.bandwidth_gb_s),
            figure(row.tflops_16),
            optional(row.tdp_w.map(figure)),
            row.per_server_max.to_string(),
        ];
        out.add(row, &row.aliases, cells);
    }
    out
}

fn offers(catalog: &Catalog, day: Date) -> Listing {
    let mut out = Listing::new(&["offer", "gpu", ">count", "billing", ">$ / hour", "as of"]);
    for row in catalog.offers_on(day) {
        let cells = vec![
            row.id.clone(),
            row.gpu.clone(),
            row.count.to_string(),
            row.billing.word().to_owned(),
            grouped(row.price.get(), 4),
            row.provenance.as_of.clone(),
        ];
        out.add(row, &[], cells);
    }
    out
}

fn apis(catalog: &Catalog, day: Date) -> Listing {
    let mut out = Listing::new(&["api", ">$ / Mtok in", ">$ / Mtok out", ">context", "retired", "as of"]);
    for row in catalog.apis_on(day, true) {
        let cells = vec![
            row.id.clone(),
            figure(row.input.get()),
            figure(row.output.get()),
            grouped(f64::from(row.max_context), 0),
            optional(row.retired),
            row.provenance.as_of.clone(),
        ];
        out.add(row, &row.aliases, cells);
    }
    out
}

fn engines(catalog: &Catalog) -> Listing {
    let mut out = Listing::new(&["engine", "family", "from", "until", "candidate", "vendors"]);
    for row in &catalog.engines {
        let candidate = if row.candidate { "yes" } else { "no" };
        let until = optional(row.version_until.clone());
        let vendors = row.vendors.join(", ");
        let cells = vec![
            row.id.clone(),
            row.family.clone(),
            row.version_from.clone(),
            until,
            candidate.to_owned(),
            vendors,
        ];
        out.add(row, &[], cells);
    }
    out
}

fn precisions(catalog: &Catalog) -> Listing {
    let mut out =
        Listing::new(&["precision", ">bytes", ">index lost", ">± index", "engines", ">compute cap."]);
    for row in &catalog.precisions {
        let cells = vec![
            row.id.to_string(),
            trimmed(row.bytes_per_weight, 4),
            figure(row.quality_loss),
            figure(row.quality_loss_sd),
            row.engines.join(", "),
            optional(row.compute_capability_min.map(figure)),
        ];
        out.add(row, &[], cells);
    }
    out
}

fn quality(catalog: &Catalog) -> Listing {
    let mut out = Listing::new(&["model", "mode", ">index", ">± index", ">scores", "Hugging Face id"]);
    for row in &catalog.quality {
        let hf_id = optional(row.hf_id.clone());
        let (index, sd) = (grouped(row.index, 1), grouped(row.sd, 1));
        let cells = vec![row.subject.clone(), row.mode.clone(), index, sd, row.scores.to_string(), hf_id];
        out.add(row, &row.api_keys, cells);
    }
    out
}

fn tiers(catalog: &Catalog) -> Listing {
    let mut out = Listing::new(&["scale", "from", "tier", ">least index"]);
    for row in &catalog.tiers {
        for (tier, cut) in &row.cuts {
            out.add(row, &[], vec![row.id.clone(), row.from.to_string(), tier.clone(), grouped(*cut, 1)]);
        }
    }
    out
}

fn profiles(catalog: &Catalog) -> Listing {
    let mut out = Listing::new(&["profile", "weight of each hour, mean 1"]);
    for row in &catalog.profiles {
        let weights: Vec<String> = row.weights.iter().map(|weight| trimmed(*weight, 2)).collect();
        out.add(row, &[], vec![row.id.clone(), weights.join(" ")]);
    }
    out
}
