//! Who solves a matrix: the only folder that names a solver's crate. The rest of the program does not know which one
//! answers.
//!
//! In: a [`Matrix`] and a [`Backend`]. Out: an [`Answer`], not yet believed: a status is no proof, so `program::point`
//! recomputes feasibility and objective of whatever comes back. Work is counted in nodes, never in time.

#[cfg(feature = "highs")]
mod highs;
mod microlp;

use super::Answer;
use crate::program::Matrix;
use crate::request::Backend;

/// Its name, for the proof.
pub(super) const fn name(backend: Backend) -> &'static str {
    match backend {
        Backend::Microlp => microlp::NAME,
        #[cfg(feature = "highs")]
        Backend::Highs => highs::NAME,
    }
}

/// Solves a matrix to a relative gap, or until so many nodes are seen.
pub(super) fn solve(matrix: &Matrix, backend: Backend, gap: f64, nodes: u64) -> Answer {
    let nodes = nodes.min(nodes_max(matrix));
    match backend {
        Backend::Microlp => microlp::solve(matrix, gap, nodes),
        #[cfg(feature = "highs")]
        Backend::Highs => highs::solve(matrix, gap, nodes),
    }
}

/// Nodes after which the search stops with what it has: work is counted, never time, so that the same request gives
/// the same answer on any machine. A node costs about (rows + columns)^1.5.
#[allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a budget"
)]
fn nodes_max(matrix: &Matrix) -> u64 {
    const WORK: f64 = 1e9;
    let size = (matrix.columns.len() + matrix.rows.len()).max(1) as f64;
    (WORK / size.powf(1.5)).clamp(100.0, 1e6) as u64
}

/// A factor that brings the objective's weights to the order of a thousand: tolerances of a solver are absolute, money
/// is not.
fn scale_of(matrix: &Matrix) -> f64 {
    let most = matrix.columns.iter().map(|column| column.weight.abs()).fold(0.0, f64::max);
    if most > 0.0 { 1e3 / most } else { 1.0 }
}

/// Objective of some values of the columns.
fn objective(matrix: &Matrix, values: &[f64]) -> f64 {
    matrix.columns.iter().zip(values).map(|(column, x)| column.weight * x).sum()
}
