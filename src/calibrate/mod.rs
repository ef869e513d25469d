//! Fits the coefficients of the oracle to measurements and tells how far they carry.
//!
//! In: [`Measurements`](crate::measurement::Measurements) and a catalog. Out: a [`Fit`] (coefficients with their posterior
//! spread), predictions of rows the fit never saw ([`folds`](fold)), and [`Score`]s. The prediction is that of `estimate`
//! itself, differentiated numerically, so no formula is written twice. Method: oracle study section 3. A user's own rows
//! become [`Own`]: factors and coefficients that help rows left out, as tables of an [`overlay`]. It touches no file.

mod ablation;
mod fit;
mod fold;
pub mod overlay;
mod parameter;
mod prior;
pub mod report;
mod sample;
mod scalar;
mod score;
mod screen;
mod user;

pub use ablation::Part;
pub use fit::{Fit, GAIN_FOLD, GAIN_FULL, fit};
pub use fold::{Held, HoldOut, fold, folds, groups};
pub use parameter::{Parameter, Parameters, Subject};
pub use prior::{Priors, Spread};
pub use report::Report;
pub use sample::{Cell, Sample, samples};
pub use score::{Score, quantile};
pub use screen::screen;
pub use user::{Dropped, Own, Place, Refit, Residuals, UnitFactor, own};
