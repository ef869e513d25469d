//! Where the kind changes along the volume.

use rayon::prelude::*;

use super::answer::Border;
use super::axis::{Axis, Dimension, Value};
use super::cell::{Solved, Solver};
use super::{Ask, Part};
use crate::error::Error;
use crate::recommendation::Status;

/// Relative width at which the search for a volume stops.
const WIDTH: f64 = 1e-4;
/// Steps after which it stops anyway.
const STEPS_MAX: u32 = 60;

/// Neighbours along the volume of different kind.
struct Change<'s> {
    at: usize,
    low: (f64, &'s Solved),
    high: (f64, &'s Solved),
}

/// Changes between neighbouring cells, in the order of the other axis, then of the volume.
pub(super) fn borders(
    solver: &Solver<'_, '_>,
    ask: &Ask<'_>,
    solved: &[Solved],
) -> Result<Vec<Border>, Error> {
    let across = match (ask.x.dimension, ask.y.dimension) {
        (Dimension::Volume, _) => true,
        (_, Dimension::Volume) => false,
        _ => return Ok(Vec::new()),
    };
    let (volume, other) = if across { (ask.x, ask.y) } else { (ask.y, ask.x) };
    let columns = ask.x.values.len();
    // Places in the order of the volume, which may be a list in any order.
    let mut places: Vec<(f64, usize)> =
        volume.values.iter().enumerate().filter_map(|(at, value)| Some((value.number()?, at))).collect();
    places.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut changes: Vec<Change<'_>> = Vec::new();
    for at in 0..other.values.len() {
        let cell =
            |place: usize| if across { &solved[at * columns + place] } else { &solved[place * columns + at] };
        for pair in places.windows(2) {
            let (low, high) = (cell(pair[0].1), cell(pair[1].1));
            let known = low.status != Status::Unknown && high.status != Status::Unknown;
            if known && low.kind() != high.kind() {
                changes.push(Change { at, low: (pair[0].0, low), high: (pair[1].0, high) });
            }
        }
    }
    changes
        .par_iter()
        .map(|change| {
            let border =
                if ask.exact { search(solver, volume, other, change)? } else { plain(change, false) };
            (ask.progress)(Part::Border);
            Ok(border)
        })
        .collect()
}

fn plain(change: &Change<'_>, exact: bool) -> Border {
    Border {
        at: u32::try_from(change.at).unwrap_or(u32::MAX),
        requests_per_day_low: change.low.0,
        requests_per_day_high: change.high.0,
        exact,
        from: change.low.1.side(),
        to: change.high.1.side(),
    }
}

/// The change found by halving: below it the kind of the smaller volume.
fn search(
    solver: &Solver<'_, '_>,
    volume: &Axis,
    other: &Axis,
    change: &Change<'_>,
) -> Result<Border, Error> {
    let kind = change.low.1.kind();
    let (mut low, mut below) = (change.low.0, change.low.1.clone());
    let (mut high, mut above) = (change.high.0, change.high.1.clone());
    for _ in 0..STEPS_MAX {
        if high / low <= 1.0 + WIDTH {
            break;
        }
        let middle = (low * high).sqrt();
        let values = [(volume, Value::Number(middle)), (other, other.values[change.at].clone())];
        let here = solver.solve(&values)?;
        if here.status == Status::Unknown {
            break;
        }
        if here.kind() == kind {
            (low, below) = (middle, here);
        } else {
            (high, above) = (middle, here);
        }
    }
    let exact = high / low <= 1.0 + WIDTH;
    Ok(plain(&Change { at: change.at, low: (low, &below), high: (high, &above) }, exact))
}
