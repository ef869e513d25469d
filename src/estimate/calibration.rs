//! What a user's own measurements say of a unit: factors on its times, and how wrong they still may be.
//!
//! In: the calibration rows of the catalog, a unit. Out: the [`Scale`] of its times, and the spread of what is left. The most
//! specific row of a class of times wins: this model before a model of its shape before any model, these bits before any.

use super::device::same_shape;
use super::interval::{FACTOR_MEASURED, Z_90_TWO_SIDED};
use super::{Basis, Unit};
use crate::catalog::{Calibration, Catalog};

/// Times that are calibrated together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TimeClass {
    /// A running batch: decode steps, and the prefills between them.
    Step,
    /// Time to the first token of a lone prompt.
    Prefill,
    /// Time to the first token among other clients, in a closed loop; as `Step` unless told.
    TtftLoaded,
    /// A batch that is always full; as `Step` unless told.
    Saturation,
}

impl TimeClass {
    /// All of them; each is fitted under those before it.
    pub const ALL: [Self; 4] = [Self::Step, Self::Prefill, Self::TtftLoaded, Self::Saturation];

    /// The word of files.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Step => "step",
            Self::Prefill => "prefill",
            Self::TtftLoaded => "ttft-loaded",
            Self::Saturation => "saturation",
        }
    }

    /// The measure of the interval table that tells how wrong such times are.
    #[must_use]
    pub const fn measure(self) -> &'static str {
        match self {
            Self::Step => "tpot",
            Self::Prefill => "ttft",
            Self::TtftLoaded => "ttft-loaded",
            Self::Saturation => "saturation",
        }
    }
}

/// Factors on the times of a unit, by class.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scale(pub [f64; 4]);

impl Scale {
    /// As fitted for all.
    pub const ONE: Self = Self([1.0; 4]);

    /// The factor of a class.
    #[must_use]
    pub const fn of(&self, class: TimeClass) -> f64 {
        self.0[class as usize]
    }

    /// Factors as far as they are told: full batches and queues are as slow as steps, a lone prompt is as it was.
    #[must_use]
    pub fn told(logs: [Option<f64>; 4]) -> Self {
        let [step, prefill, loaded, saturation] = logs;
        let steps = step.unwrap_or(0.0);
        Self(
            [steps, prefill.unwrap_or(0.0), loaded.unwrap_or(steps), saturation.unwrap_or(steps)]
                .map(f64::exp),
        )
    }

    /// What the catalog says of a unit whose weights are of this class of bits.
    #[must_use]
    pub fn known(catalog: &Catalog, unit: &Unit<'_>, bits: u32) -> Self {
        Own::of(catalog, unit, bits).scale()
    }
}

/// The rows that speak of a unit, by class.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Own<'c>([Option<&'c Calibration>; 4]);

impl<'c> Own<'c> {
    pub(super) fn of(catalog: &'c Catalog, unit: &Unit<'_>, bits: u32) -> Self {
        let mut best: [Option<((u8, bool), &Calibration)>; 4] = [None; 4];
        for row in &catalog.coefficients.calibrations {
            let fits = row.engine == unit.engine.id
                && row.gpu == unit.gpu.id
                && row.bits.is_none_or(|own| own == bits);
            let class = TimeClass::ALL.into_iter().find(|class| class.word() == row.measure);
            let (true, Some(class)) = (fits, class) else { continue };
            let near = match row.model.as_deref() {
                None => 0,
                Some(id) if id == unit.model.id => 2,
                Some(id) if catalog.models.iter().any(|m| m.id == id && same_shape(m, unit.model)) => 1,
                Some(_) => continue,
            };
            let rank = (near, row.bits.is_some());
            let slot = &mut best[class as usize];
            if slot.is_none_or(|(known, _)| rank > known) {
                *slot = Some((rank, row));
            }
        }
        Self(best.map(|slot| slot.map(|(_, row)| row)))
    }

    /// Does any row speak of this engine and GPU?
    pub(super) fn any(catalog: &Catalog, unit: &Unit<'_>) -> bool {
        let of = |row: &Calibration| row.engine == unit.engine.id && row.gpu == unit.gpu.id;
        catalog.coefficients.calibrations.iter().any(of)
    }

    pub(super) fn scale(&self) -> Scale {
        Scale::told(self.0.map(|row| row.map(|row| row.factor.ln())))
    }

    /// Two-sided 90 % factor of what is left in a class, where a row speaks of it.
    pub(super) fn factor_90(&self, class: TimeClass) -> Option<f64> {
        self.0[class as usize].map(|row| (Z_90_TWO_SIDED * row.sd_log).exp().max(FACTOR_MEASURED))
    }

    /// What step times rest on: a row of the model itself is as good as a published one, a row of any model carries over.
    pub(super) fn basis(&self, else_basis: Basis) -> Basis {
        match self.0[TimeClass::Step as usize] {
            Some(row) if row.model.is_some() => else_basis.min(Basis::Calibrated),
            Some(_) => else_basis.min(Basis::Extrapolated),
            None => else_basis,
        }
    }
}
