//! Fits the coefficients of the oracle to measurements and tells how far they carry.
//!
//! In: [`Measurements`](crate::measurement::Measurements) and a catalog. Out: a [`Fit`] (coefficients with their posterior
//! spread), predictions of rows the fit never saw ([`folds`](fold)), and [`Score`]s. The prediction is that of `estimate`
//! itself, differentiated numerically, so no formula is written twice. Method: oracle study section 3. It touches no file.

mod fit;
mod fold;
mod parameter;
mod prior;
mod sample;
mod score;

pub use fit::{Fit, GAIN_FOLD, GAIN_FULL, fit};
pub use fold::{Held, HoldOut, fold, folds, groups};
pub use parameter::{Parameter, Parameters, Subject};
pub use prior::{Priors, Spread};
pub use sample::{Cell, Sample, samples};
pub use score::{Score, quantile};
