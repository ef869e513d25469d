//! Is a catalog believable? Structure and physics of every row, as findings.
//!
//! In: a loaded [`Catalog`]. Out: [`Finding`]s: table, row, rule, and the figures that broke it. It changes nothing and
//! refuses nothing: loading is strict about form, this is about sense. `tests/catalog.rs` holds the shipped tables to it.

mod apis;
mod hardware;
mod models;
mod tables;

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::{Catalog, Provenance};

/// One row that breaks one rule.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// Table, such as `offers`.
    pub table: &'static str,
    /// Id of the row.
    pub id: String,
    /// Name of the rule.
    pub rule: &'static str,
    /// What was found, in figures.
    pub detail: String,
}

/// Counted parameters may differ from stated ones by this share: norms, biases and vision towers are not counted.
const PARAMETERS_SLACK: f64 = 0.05;
/// A price per GPU this many times off the median of its GPU is a slip or another product.
const PRICE_SPREAD: f64 = 4.0;
/// The driver reports at least this share of what is marketed (Apple wires three quarters of unified memory).
const USABLE_LEAST: f64 = 0.7;

impl Catalog {
    /// Every row that breaks a rule of form or physics, in order.
    #[must_use]
    pub fn check(&self) -> Vec<Finding> {
        let mut findings = Findings(Vec::new());
        self.check_models(&mut findings);
        self.check_gpus(&mut findings);
        self.check_offers(&mut findings);
        self.check_apis(&mut findings);
        self.check_latency(&mut findings);
        self.check_quality(&mut findings);
        self.check_engines(&mut findings);
        findings.0.sort();
        findings.0
    }
}

struct Findings(Vec<Finding>);

impl Findings {
    fn unless(
        &mut self,
        holds: bool,
        table: &'static str,
        id: &str,
        rule: &'static str,
        detail: impl FnOnce() -> String,
    ) {
        if !holds {
            self.0.push(Finding { table, id: id.to_owned(), rule, detail: detail() });
        }
    }

    fn provenance(&mut self, table: &'static str, id: &str, provenance: &Provenance) {
        self.unless(!provenance.source.is_empty(), table, id, "sourced", || "no source".to_owned());
        self.unless(is_date(&provenance.as_of), table, id, "dated", || {
            format!("as_of `{}`", provenance.as_of)
        });
    }

    /// Names are told apart by nothing but themselves, case ignored.
    fn unique<'n>(&mut self, table: &'static str, names: impl Iterator<Item = (&'n str, &'n str)>) {
        let mut seen: BTreeMap<String, &str> = BTreeMap::new();
        for (name, id) in names {
            if let Some(other) = seen.insert(name.to_lowercase(), id) {
                self.unless(other == id, table, id, "unique names", || {
                    format!("`{name}` also names {other}")
                });
            }
        }
    }

    fn capabilities(&mut self, table: &'static str, id: &str, has: &[String], lacks: &[String]) {
        let both: Vec<&String> = has.iter().filter(|word| lacks.contains(word)).collect();
        self.unless(both.is_empty(), table, id, "has or lacks", || format!("{both:?} in both lists"));
    }

    /// Two rows of one id hold on no common day.
    fn periods(&mut self, table: &'static str, rows: &[(&str, Option<Date>, Option<Date>)]) {
        for pair in rows.windows(2) {
            let ((id, _, until), (next, from, _)) = (pair[0], pair[1]);
            let apart = id != next || matches!((until, from), (Some(until), Some(from)) if until <= from);
            self.unless(apart, table, id, "one price a day", || {
                format!("until {until:?}, next from {from:?}")
            });
        }
    }
}

/// `2026`, `2026-11` or `2026-11-20`.
fn is_date(text: &str) -> bool {
    let padded = match text.len() {
        4 => format!("{text}-01-01"),
        7 => format!("{text}-01"),
        _ => text.to_owned(),
    };
    padded.parse::<Date>().is_ok()
}

fn between(value: f64, low: f64, high: f64) -> bool {
    (low..=high).contains(&value)
}
