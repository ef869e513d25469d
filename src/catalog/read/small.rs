//! Tables whose rows are only met while loading, and those of one line each: profiles, tiers, coefficients, sources.

use jiff::civil::Date;
use serde::Serialize;

use super::{Fact, keyed};
use crate::catalog::facts::EconomicFact;
use crate::catalog::table::Row;
use crate::catalog::{Profile, Provenance};

impl Fact for Profile {
    const FILE: &'static str = "profiles.csv";
    const REQUIRED: &'static [&'static str] = &[
        "id", "h00", "h01", "h02", "h03", "h04", "h05", "h06", "h07", "h08", "h09", "h10", "h11", "h12",
        "h13", "h14", "h15", "h16", "h17", "h18", "h19", "h20", "h21", "h22", "h23",
    ];
    const OPTIONAL: &'static [&'static str] = &[];

    fn read(row: &Row<'_>) -> Self {
        let id = row.text("id");
        let mut weights = [0.0; 24];
        for (weight, column) in weights.iter_mut().zip(&Self::REQUIRED[1..]) {
            *weight = row.number(column);
        }
        let mean = weights.iter().sum::<f64>() / 24.0;
        if mean > 0.0 {
            weights.iter_mut().for_each(|weight| *weight /= mean);
        } else {
            row.fail("E0205", "h00", "all 24 weights are 0", "Write at least one weight above 0.");
        }
        Self { id, weights, provenance: row.provenance() }
    }

    keyed!(|row| row.id.clone());
}

/// A row type used only while loading: its columns are its fields.
macro_rules! flat_row {
    ($(#[$doc:meta])* $name:ident, $file:literal, [$($required:literal),*], [$($optional:literal),*],
     { $($field:ident : $kind:ty = $get:ident($column:literal)),* $(,)? }, key $key:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Serialize)]
        pub(in crate::catalog) struct $name {
            $(pub(in crate::catalog) $field: $kind,)*
            pub(in crate::catalog) provenance: Provenance,
        }

        impl Fact for $name {
            const FILE: &'static str = $file;
            const REQUIRED: &'static [&'static str] = &[$($required),*];
            const OPTIONAL: &'static [&'static str] = &[$($optional),*];

            fn read(row: &Row<'_>) -> Self {
                Self { $($field: row.$get($column),)* provenance: row.provenance() }
            }

            fn key(&self) -> (String, String) {
                let key: fn(&Self) -> String = $key;
                (key(self), String::new())
            }

            fn provenance(&mut self) -> Option<&mut Provenance> {
                Some(&mut self.provenance)
            }
        }
    };
}

flat_row!(/// One cut point of a scale.
    TierRow, "tiers.csv", ["scale", "from", "tier"], ["cut"],
    { scale: String = text("scale"), from: Option<Date> = date("from"), tier: String = text("tier"),
      cut: Option<f64> = optional_number("cut") },
    key |row| format!("{}\u{1}{}", row.scale, row.tier));
flat_row!(/// One fitted coefficient or effect.
    CoefficientRow, "coefficients.csv", ["coefficient", "factor", "level", "value"], ["sd_log", "rows"],
    { coefficient: String = text("coefficient"), factor: String = text("factor"), level: String = plain("level"),
      value: f64 = number("value"), sd_log: f64 = number_or_zero("sd_log") },
    key |row| format!("{}\u{1}{}\u{1}{}", row.coefficient, row.factor, row.level));
flat_row!(/// Kernel floor and latency of one GPU at one width.
    KernelRow, "kernels.csv", ["gpu", "bits", "u_us", "kappa_us_per_k"], [],
    { gpu: String = text("gpu"), bits: u32 = count("bits"), u_us: f64 = number("u_us"),
      kappa_us_per_k: f64 = number("kappa_us_per_k") },
    key |row| format!("{}\u{1}{:02}", row.gpu, row.bits));
flat_row!(/// Factor of one interval.
    IntervalRow, "intervals.csv", ["measure", "model_class", "basis", "factor"], [],
    { measure: String = text("measure"), model_class: String = text("model_class"), basis: String = text("basis"),
      factor: f64 = number("factor") },
    key |row| format!("{}\u{1}{}\u{1}{}", row.measure, row.model_class, row.basis));
flat_row!(/// A group with measurements behind it.
    CalibratedRow, "calibrated.csv", ["engine", "gpu", "bits", "model"], [],
    { engine: String = text("engine"), gpu: String = text("gpu"), bits: u32 = count("bits"), model: String = text("model") },
    key |row| format!("{}|{}|{}|{}", row.engine, row.gpu, row.bits, row.model));
flat_row!(/// One fact by key and scope.
    EconomicRow, "economics.csv", ["key", "scope", "value", "unit"], [],
    { name: String = text("key"), scope: String = text("scope"), value: f64 = number("value"), unit: String = text("unit") },
    key |row| format!("{}\u{1}{}", row.name, row.scope));

impl EconomicRow {
    /// The fact without its key.
    pub(in crate::catalog) fn fact(&self) -> EconomicFact {
        EconomicFact { value: self.value, unit: self.unit.clone(), provenance: self.provenance.clone() }
    }
}

/// Title and licence of a source id.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(in crate::catalog) struct SourceRow {
    id: String,
    pub(in crate::catalog) title: String,
    pub(in crate::catalog) url: String,
    pub(in crate::catalog) licence: String,
}

impl Fact for SourceRow {
    const FILE: &'static str = "sources.csv";
    const REQUIRED: &'static [&'static str] = &["id", "title"];
    const OPTIONAL: &'static [&'static str] = &["url", "licence"];

    fn read(row: &Row<'_>) -> Self {
        Self {
            id: row.text("id"),
            title: row.text("title"),
            url: row.cell("url").to_owned(),
            licence: row.cell("licence").to_owned(),
        }
    }

    fn key(&self) -> (String, String) {
        (self.id.clone(), String::new())
    }

    fn provenance(&mut self) -> Option<&mut Provenance> {
        None
    }
}
