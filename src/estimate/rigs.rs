//! Rigs made once and used often: what the lines of a batch share.
//!
//! In: units of one catalog. Out: the [`Rig`] of each engine, GPU and weight precision, made when first asked for. It
//! changes no figure: a rig is a function of those three.

use std::sync::OnceLock;

use super::{Misfit, Rig, Unit};
use crate::catalog::Catalog;

/// The rigs of a catalog, by the places of engine, GPU and precision in it.
#[derive(Debug)]
pub struct Rigs<'c> {
    catalog: &'c Catalog,
    made: Vec<OnceLock<Box<Rig>>>,
}

impl<'c> Rigs<'c> {
    /// No rig made yet.
    #[must_use]
    pub fn new(catalog: &'c Catalog) -> Self {
        let places = catalog.engines.len() * catalog.gpus.len() * catalog.precisions.len();
        Self { catalog, made: std::iter::repeat_with(OnceLock::new).take(places).collect() }
    }

    /// The catalog they come from.
    #[must_use]
    pub const fn catalog(&self) -> &'c Catalog {
        self.catalog
    }

    /// The rig of a unit whose engine and GPU are rows of the catalog.
    ///
    /// # Errors
    /// [`Misfit::PrecisionUnsupported`] where the catalog has no such precision.
    pub fn of(&self, unit: &Unit<'_>) -> Result<&Rig, Misfit> {
        let catalog = self.catalog;
        let place = catalog
            .engines
            .iter()
            .position(|engine| std::ptr::eq(engine, unit.engine))
            .zip(catalog.gpus.iter().position(|gpu| std::ptr::eq(gpu, unit.gpu)))
            .zip(catalog.precisions.iter().position(|fact| fact.id == unit.weights));
        let Some(((engine, gpu), precision)) = place else {
            return Err(Misfit::PrecisionUnsupported {
                precision: unit.weights.clone(),
                by: "the catalog".to_owned(),
            });
        };
        let at = (engine * catalog.gpus.len() + gpu) * catalog.precisions.len() + precision;
        if let Some(rig) = self.made[at].get() {
            return Ok(rig);
        }
        let rig = Box::new(Rig::new(catalog, unit)?);
        Ok(self.made[at].get_or_init(|| rig))
    }
}
