//! What each part of the fit is worth: the same rows with the part taken away.
//!
//! In: the samples to fit and those never fitted. Out: a table of errors, models left out | unseen files. It fits once, and
//! once for every model, for each part.

use super::judge::APART;
use super::tables::{Table, errors};
use crate::calibrate::{Cell, GAIN_FULL, HoldOut, Parameters, Part, Priors, Sample, Score, fit, fold};

/// What is scored, and the head of its column.
const COLUMNS: [(Cell, bool, &str); 5] = [
    (Cell::Tpot, false, "TPOT dense"),
    (Cell::Tpot, true, "TPOT MoE"),
    (Cell::Saturation, false, "saturation dense"),
    (Cell::Static, false, "static dense"),
    (Cell::TtftAlone, false, "TTFT, one prompt, dense"),
];

/// Errors with all parts, and without each.
pub(super) fn table(fitted: &[Sample<'_>], unseen: &[Sample<'_>]) -> Table {
    let heads: Vec<&str> = std::iter::once("without").chain(COLUMNS.map(|(_, _, head)| head)).collect();
    let mut table = Table::new(1, &heads);
    table.row(row("nothing: the whole", &Priors::study(), fitted, unseen));
    for part in Part::ALL {
        table.row(row(part.words(), &Priors::study().without(part), fitted, unseen));
    }
    table
}

fn row(words: &str, priors: &Priors, fitted: &[Sample<'_>], unseen: &[Sample<'_>]) -> Vec<String> {
    let parameters = Parameters::of(priors, fitted);
    let whole = fit(fitted.iter(), &parameters, &parameters.start(), GAIN_FULL);
    let models = fold(fitted, &parameters, &whole, HoldOut::Model);
    let others: Vec<Option<f64>> =
        unseen.iter().map(|sample| sample.residual(&whole.rates(sample))).collect();
    let score = |samples: &[Sample<'_>], residuals: &[Option<f64>], cell: Cell, mixture: bool| {
        let own = |sample: &Sample<'_>| {
            sample.is_fitted()
                && sample.cell == cell
                && sample.is_mixture() == mixture
                && sample.is_trusted()
                && sample.resolved.unit.engine.id != APART
        };
        let rows = samples.iter().zip(residuals).filter(|(sample, _)| own(sample));
        let residuals: Vec<f64> = rows.filter_map(|(_, residual)| *residual).collect();
        Score::of(&residuals).map_or_else(|| "-".to_owned(), |score| errors(&score))
    };
    let cells = COLUMNS.map(|(cell, mixture, _)| {
        format!("{} ; {}", score(fitted, &models, cell, mixture), score(unseen, &others, cell, mixture))
    });
    std::iter::once(words.to_owned()).chain(cells).collect()
}
