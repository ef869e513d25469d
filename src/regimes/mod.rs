//! The regime map: over two axes, which structure of a plan wins.
//!
//! In: a [`Request`] and two [`Axis`]. Out: [`Regimes`]; each of its cells is a request of its own, solved like that of
//! `recommend`, and its plan was accepted by the independent checker. What units carry is worked out once for all cells.
//! It draws nothing and writes no prose.

mod answer;
mod axis;
mod border;
mod cell;
mod change;
mod read;
mod structure;

pub use answer::{Border, Cell, Notice, Regimes, SCHEMA_VERSION, Scale, Side, Structure};
pub use axis::{Axis, Dimension, STEPS, Value};
pub use read::axes;

use std::collections::BTreeMap;

use rayon::prelude::*;

use crate::candidate::Bench;
use crate::catalog::Catalog;
use crate::error::Error;
use crate::recommendation::{CatalogStamp, Status};
use crate::request::Request;
use cell::Solver;
use change::Prices;

/// How much to answer.
#[derive(Clone, Copy)]
pub struct Ask<'a> {
    /// Across.
    pub x: &'a Axis,
    /// Upwards.
    pub y: &'a Axis,
    /// Search for the volumes at which the kind changes, where an axis is the volume?
    pub exact: bool,
    /// Told whenever a part is done.
    pub progress: &'a (dyn Fn(Part) + Sync),
}

/// A part of the work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// One cell.
    Cell,
    /// One border.
    Border,
}

/// Answers the question.
///
/// # Errors
/// A rule of the user's that cannot be held; [`Error::Bug`] when the independent checker rejects a plan.
pub fn regimes(request: &Request<'_>, ask: &Ask<'_>) -> Result<Regimes, Error> {
    // Prices are facts, so a price axis needs a catalog for each of its values; all else is common to them.
    let (columns, rows) = (ask.x.values.len(), ask.y.values.len());
    let places: Vec<(usize, usize)> = (0..rows).flat_map(|y| (0..columns).map(move |x| (x, y))).collect();
    let prices = |(x, y): (usize, usize)| Prices::at(&[(ask.x, x), (ask.y, y)]);
    let mut catalogs: BTreeMap<Prices, Catalog> = BTreeMap::new();
    for place in &places {
        let at = prices(*place);
        catalogs.entry(at).or_insert_with(|| at.apply(request.catalog));
    }
    let bench = Bench::new(request.catalog, &request.requirements.owned).remembering();
    let solver = Solver { request, bench: &bench, catalogs: &catalogs };
    let solved: Vec<cell::Solved> = places
        .par_iter()
        .map(|(x, y)| {
            let cell =
                solver.solve(&[(ask.x, ask.x.values[*x].clone()), (ask.y, ask.y.values[*y].clone())])?;
            (ask.progress)(Part::Cell);
            Ok(cell)
        })
        .collect::<Result<_, Error>>()?;
    let structures = structure::legend(&solved);
    let cells: Vec<Cell> =
        places.iter().zip(&solved).map(|((x, y), solved)| solved.cell((*x, *y), &structures)).collect();
    let borders = border::borders(&solver, ask, &solved)?;
    let mut notices = Vec::new();
    let open = |cell: &&Cell| cell.status == Status::Unknown;
    let unsolved = cells.iter().filter(open).count();
    if unsolved > 0 {
        let cells = u32::try_from(unsolved).unwrap_or(u32::MAX);
        notices.push(Notice::CellsNotSolved { cells });
    }
    if (request.options.stop.0)() {
        notices.push(Notice::StoppedEarly);
    }
    if let Some(gap) = cells
        .iter()
        .filter(|cell| cell.status == Status::Feasible)
        .filter_map(|cell| cell.gap)
        .reduce(f64::max)
    {
        notices.push(Notice::Gap { gap });
    }
    Ok(Regimes {
        schema_version: SCHEMA_VERSION,
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        as_of: request.requirements.as_of.to_string(),
        catalog: CatalogStamp {
            built: request.catalog.built.to_string(),
            sha256: request.catalog.sha256.clone(),
        },
        requirements: request.requirements.clone(),
        x: ask.x.scale(),
        y: ask.y.scale(),
        cells,
        structures,
        borders,
        notices,
        warnings: Vec::new(),
    })
}
