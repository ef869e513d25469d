//! What figures are held against: the study that the form comes from, and the bars set for this program.
//!
//! Shares in percent, median and P90 of the absolute relative error. Constants alone; what would change them is another
//! study, or a bar set higher.

use super::judge::{Fold, Kind};

/// Bars on median and P90: the one to meet now, and the one after it.
pub(super) struct Bar {
    pub(super) now: (f64, f64),
    pub(super) then: Option<(f64, f64)>,
}

/// The bar on a cell of rows that were not seen; the curve fold has none, for it has seen their models and GPUs.
pub(super) fn bar(fold: Fold, kind: Kind, mixture: bool) -> Option<Bar> {
    let bar = |now, then| Some(Bar { now, then });
    match (kind, mixture) {
        _ if matches!(fold, Fold::Curve) => None,
        (Kind::Tpot, false) => bar((14.0, 45.0), Some((10.0, 35.0))),
        (Kind::Tpot, true) => bar((20.0, 55.0), Some((12.0, 40.0))),
        (Kind::Static, _) if matches!(fold, Fold::Source | Fold::Unseen) => bar((25.0, 55.0), None),
        (Kind::Saturation, _) => bar((14.0, 45.0), Some((8.0, 30.0))),
        (Kind::TtftAlone, _) => bar((12.0, 30.0), Some((8.0, 20.0))),
        (Kind::TtftLoaded, _) => bar((50.0, f64::INFINITY), None),
        _ => None,
    }
}

/// Memory that engines report.
pub(super) const KV_POOL: Bar = Bar { now: (2.0, 5.0), then: None };
/// Shares of rows inside stated 90 % intervals, and their median factor.
pub(super) const INSIDE: (f64, f64) = (0.87, 0.97);
pub(super) const FACTOR: f64 = 1.75;
/// Share of pairs ordered right, now and then.
pub(super) const ORDERED: [f64; 2] = [0.85, 0.92];
/// Share of choices at confidence 0.9 that break their limit, and median regret; now and then.
pub(super) const BROKEN: [f64; 2] = [0.10, 0.05];
pub(super) const REGRET: [f64; 2] = [0.55, 0.15];

/// The study's figure for a cell; one for both classes where it tells none apart.
pub(super) const fn study(fold: Fold, kind: Kind, mixture: bool) -> &'static str {
    match (fold, kind, mixture) {
        (Fold::Model, Kind::Tpot, false) => "10.8 / 41",
        (Fold::Model, Kind::Tpot, true) => "15.9 / 40",
        (Fold::Model, Kind::Saturation, false) => "9.2 / 26",
        (Fold::Model, Kind::Saturation, true) => "13.5 / 52",
        (Fold::Model, Kind::Static, _) => "7.2 / 27",
        (Fold::Model, Kind::TtftAlone, _) => "12.8 / 33",
        (Fold::Model, Kind::TtftLoaded, false) => "34.5 / 91",
        (Fold::Model, Kind::TtftLoaded, true) => "38.5 / 91",
        (Fold::Gpu, Kind::Tpot, false) => "12.0 / 35",
        (Fold::Gpu, Kind::Tpot, true) => "13.9 / 35",
        (Fold::Gpu, Kind::Saturation, false) => "10.5 / 26",
        (Fold::Gpu, Kind::Saturation, true) => "16.6 / 59",
        (Fold::Gpu, Kind::Static, _) => "13.7 / 32",
        (Fold::Gpu, Kind::TtftAlone, _) => "11.5 / 30",
        (Fold::Gpu, Kind::TtftLoaded, false) => "33.7 / 74",
        (Fold::Gpu, Kind::TtftLoaded, true) => "41.7 / 110",
        (Fold::Source, Kind::Tpot, false) => "11.3 / 48",
        (Fold::Source, Kind::Tpot, true) => "17.1 / 45",
        (Fold::Curve, Kind::Tpot, false) => "5.4 / 19",
        (Fold::Curve, Kind::Tpot, true) => "9.7 / 26",
        (Fold::Curve, Kind::Saturation, false) => "7.8 / 20",
        (Fold::Curve, Kind::Saturation, true) => "11.5 / 45",
        (Fold::Curve, Kind::Static, _) => "6.2 / 20",
        (Fold::Curve, Kind::TtftAlone, _) => "8.0 / 26",
        _ => "",
    }
}
