//! Rows become the shapes the catalog is read in: scales, coefficients, and the digest of them all.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::catalog::Coefficients;
use crate::catalog::facts::TierScale;
use crate::catalog::read::{CalibratedRow, CoefficientRow, Fact, IntervalRow, KernelRow, TierRow};

pub(super) fn scales(rows: Vec<TierRow>) -> Vec<TierScale> {
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

pub(super) fn coefficients(
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
        calibrations: Vec::new(),
        provenance,
    }
}

/// What the rows of all tables add up to.
pub(super) struct Digester {
    pub(super) sum: Sha256,
    pub(super) line: Vec<u8>,
}

impl Digester {
    pub(super) fn add<T: Serialize>(&mut self, name: &str, rows: &[T]) {
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
