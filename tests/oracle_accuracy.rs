//! Estimates against published measurements: one of the middle of each third (source, engine, model, GPU, precision).
//!
//! The fits have seen these rows, so this guards against slips of units and conventions, not against optimism: what
//! the oracle is worth on unseen models and GPUs is in `docs/oracle.md`.

#![allow(clippy::unwrap_used, reason = "a test may stop at once")]

use bursar::calibrate::{Cell, Score, samples};
use bursar::catalog::Catalog;
use bursar::estimate::{Outcome, Request, single};
use bursar::measurement::{self, Defaults};
use serde_json::{Map, Value};

/// `(relative error, inside the stated interval, what)` of each anchor.
fn errors() -> Vec<(f64, bool, String)> {
    let mut reader = csv::Reader::from_reader(include_bytes!("data/oracle_anchors.csv").as_slice());
    let header = reader.headers().unwrap().clone();
    let numbers = [
        "gpus",
        "tensor_parallel",
        "pipeline_parallel",
        "data_parallel",
        "concurrency",
        "input_tokens",
        "output_tokens",
    ];
    reader
        .records()
        .map(|row| {
            let row = row.unwrap();
            let mut object = Map::new();
            object.insert("id".to_owned(), Value::from("anchor"));
            let (mut measure, mut measured) = (String::new(), 0.0);
            for (name, value) in header.iter().zip(&row) {
                match name {
                    "source" => {}
                    "measure" => value.clone_into(&mut measure),
                    "measured" => measured = value.parse().unwrap(),
                    _ if value.is_empty() => {}
                    name if numbers.contains(&name) => {
                        object.insert(name.to_owned(), Value::from(value.parse::<f64>().unwrap()));
                    }
                    name => {
                        object.insert(name.to_owned(), Value::from(value));
                    }
                }
            }
            object.insert("max_batch".to_owned(), Value::from(2048));
            object.insert("gpu_memory_utilization".to_owned(), Value::from(0.95));
            let line = Value::Object(object).to_string();
            let request = Request::parse(line.as_bytes()).unwrap_or_else(|fault| panic!("{line}: {fault:?}"));
            let answer = single(Catalog::embedded(), &request);
            assert!(matches!(answer.outcome, Outcome::Fits(_)), "{line}: {:?}", answer.outcome);
            let found = &answer.to_json()[&measure];
            let at = |end: &str| found[end].as_f64().unwrap();
            let inside = (at("low")..=at("high")).contains(&measured);
            (at("value") / measured - 1.0, inside, line)
        })
        .collect()
}

#[test]
fn published_measurements_are_met_within_the_stated_bands() {
    let errors = errors();
    let mut sizes: Vec<f64> = errors.iter().map(|(error, ..)| error.abs()).collect();
    sizes.sort_by(f64::total_cmp);
    let at = |share: f64| {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "an index"
        )]
        let index = (share * sizes.len() as f64) as usize;
        sizes[index.min(sizes.len() - 1)]
    };
    let inside = errors.iter().filter(|(_, inside, _)| *inside).count();
    let worst = errors.iter().max_by(|a, b| a.0.abs().total_cmp(&b.0.abs())).unwrap();
    let summary = format!(
        "{} anchors: median {:.3}, P90 {:.3}, {inside} inside; worst {worst:?}",
        sizes.len(),
        at(0.5),
        at(0.9)
    );
    assert!(sizes.len() >= 40, "{summary}");
    assert!(at(0.5) <= 0.12, "{summary}");
    assert!(at(0.9) <= 0.35, "{summary}");
    assert!(inside * 100 >= sizes.len() * 87, "{summary}");
}

/// Median error of the shipped coefficients on the published rows this repository carries, by cell and class: a guard
/// against slips, for the fit has seen these rows. `docs/accuracy.md` has the figures of rows it has not.
#[test]
fn published_rows_are_met_cell_by_cell() {
    let bands = [
        (Cell::Tpot, false, 0.12),
        (Cell::Tpot, true, 0.17),
        (Cell::Saturation, false, 0.12),
        (Cell::Saturation, true, 0.18),
        (Cell::Static, false, 0.12),
        (Cell::TtftAlone, false, 0.15),
        (Cell::Closed, false, 0.12),
        (Cell::Closed, true, 0.15),
    ];
    let catalog = Catalog::embedded();
    let text = include_str!("data/published-measurements.csv");
    let found = measurement::read("published-measurements.csv", text, catalog, &Defaults::default()).unwrap();
    let (samples, rejected) = samples(catalog, &found.rows);
    assert!(samples.len() > 1100, "{} rows, {} rejected", samples.len(), rejected.len());
    for (cell, mixture, band) in bands {
        let own = samples.iter().filter(|s| s.cell == cell && s.is_mixture() == mixture && s.is_fitted());
        let residuals: Vec<f64> = own.filter_map(|s| s.residual(s.shipped_rates())).collect();
        let score = Score::of(&residuals).unwrap();
        assert!(score.median <= band, "{cell:?} mixture {mixture}: {score:?}, band {band}");
    }
}
