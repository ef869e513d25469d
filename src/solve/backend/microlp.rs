//! The default backend, microlp: pure Rust. In: a [`Matrix`]. Out: values and a bound, not yet believed.

use good_lp::solvers::microlp::microlp;
use good_lp::{Expression, ProblemVariables, SolverModel, Variable, constraint, variable};
use microlp::{SolveOptions, SolveOutcome};

use super::{objective, scale_of};
use crate::program::{Matrix, Row, Sense};
use crate::solve::Answer;

/// Name of the backend, for the proof.
pub(super) const NAME: &str = "microlp";

/// Branches whose bound is this close to the best solution are dropped unseen (relative, and absolute in the scaled
/// objective).
const PRUNED_WITHIN: f64 = 1e-10;

/// Solves a matrix to a relative gap, or until so many nodes are seen.
pub(super) fn solve(matrix: &Matrix, gap: f64, nodes: u64) -> Answer {
    let mut variables = ProblemVariables::new();
    let scale = scale_of(matrix);
    let columns: Vec<Variable> = matrix
        .columns
        .iter()
        .map(|column| {
            let definition = variable().min(0.0).max(column.upper);
            variables.add(if column.integer { definition.integer() } else { definition })
        })
        .collect();
    let weighed: Expression =
        matrix.columns.iter().zip(&columns).map(|(column, at)| column.weight * scale * *at).sum();
    let mut model = variables.minimise(weighed).using(microlp);
    for row in &matrix.rows {
        let Row { terms, sense, right, .. } = row;
        let left: Expression = terms.iter().map(|(at, coefficient)| *coefficient * columns[*at]).sum();
        model.add_constraint(match sense {
            Sense::AtMost => constraint!(left <= *right),
            Sense::AtLeast => constraint!(left >= *right),
        });
    }
    let mut options = SolveOptions::default();
    options.mip_gap = gap;
    options.node_limit = Some(nodes);
    options.tolerances.prune_epsilon = PRUNED_WITHIN;
    match model.as_inner().solve_with(options).map(SolveOutcome::into_solution) {
        Ok(Ok(solution)) => {
            // Columns were added in order, so values come back in order.
            let values: Vec<f64> = solution.iter().map(|(_, value)| value).collect();
            let value = objective(matrix, &values);
            let proven = solution.gap().unwrap_or(1.0).min(1.0);
            // A relative gap g of an incumbent v proves v - g |v|. The solver drops branches within its own slack
            // and still says 0.
            let slack = PRUNED_WITHIN * value.abs().max(1.0 / scale);
            Answer::Found { bound: value - (proven * value.abs()).max(slack), values }
        }
        Ok(Err(_)) => Answer::Failed(format!("no plan within {} nodes of the search", nodes)),
        Err(microlp::Error::Infeasible) => Answer::Infeasible,
        Err(other) => Answer::Failed(other.to_string()),
    }
}
