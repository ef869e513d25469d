//! The second backend, HiGHS. In: a [`Matrix`]. Out: values and a bound, not yet believed.
//!
//! Traps it guards against:
//! - HiGHS may end with "unbounded or infeasible", and calls an unbounded integer program infeasible: an objective of
//!   zero is bounded, so infeasible is believed only of that, unless no column could lower the objective for ever;
//! - a solution found but a hair outside its tolerance is called infeasible as well: that counts as no answer;
//! - tolerances are absolute and small coefficients are dropped: objective and rows are scaled, tolerances tightened;
//! - a program without columns is called empty, not infeasible;
//! - a program without integers has no bound of its own, and integer programs have no duals: none are read.
//!
//! One thread, a fixed seed, a limit on nodes and none on time: the same matrix gives the same answer.

use std::collections::BTreeMap;

use highs::{Col, HighsModelStatus, HighsSolutionStatus, RowProblem, Sense as Goal, SolvedModel};

use super::{objective, scale_of};
use crate::program::{Matrix, Row, Sense};
use crate::solve::Answer;

/// Name of the backend, for the proof.
pub(super) const NAME: &str = "highs";

/// How far rows (scaled to a largest coefficient of about 1) and whole numbers may be off, and how close a branch is to
/// the best solution when it is dropped unseen (absolute in the scaled objective). HiGHS takes 1e-10 at least; its
/// defaults of 1e-6 and 1e-7 are above what is called equal here.
const TOLERANCE: f64 = 1e-9;
/// Coefficients below this are taken for zero; the least that HiGHS takes.
const NOTHING: f64 = 1e-12;

/// Solves a matrix to a relative gap, or until so many nodes are seen.
pub(super) fn solve(matrix: &Matrix, gap: f64, nodes: u64) -> Answer {
    // Without columns HiGHS calls the program empty, whatever the rows ask for.
    if matrix.columns.is_empty() {
        return without_columns(matrix);
    }
    let scale = scale_of(matrix);
    let solved = match run(matrix, scale, gap, nodes) {
        Ok(solved) => solved,
        Err(words) => return Answer::Failed(words),
    };
    match solved.status() {
        HighsModelStatus::Optimal
        | HighsModelStatus::ReachedSolutionLimit
        | HighsModelStatus::ReachedIterationLimit => found(matrix, scale, &solved, nodes),
        HighsModelStatus::Infeasible if bounded(matrix) => infeasible(matrix, &solved),
        HighsModelStatus::Infeasible | HighsModelStatus::UnboundedOrInfeasible => {
            match run(matrix, 0.0, gap, nodes) {
                Ok(again) if again.status() == HighsModelStatus::Infeasible => infeasible(matrix, &again),
                Ok(again) if again.status() == HighsModelStatus::Optimal => {
                    Answer::Failed("the objective has no lower bound".to_owned())
                }
                Ok(again) => gave_up(&again),
                Err(words) => Answer::Failed(words),
            }
        }
        _ => gave_up(&solved),
    }
}

/// Nothing to decide: do the rows hold of nothing?
fn without_columns(matrix: &Matrix) -> Answer {
    let holds = |row: &Row| match row.sense {
        Sense::AtMost => row.right >= 0.0,
        Sense::AtLeast => row.right <= 0.0,
    };
    if matrix.rows.iter().all(holds) {
        Answer::Found { values: Vec::new(), bound: 0.0 }
    } else {
        Answer::Infeasible
    }
}

/// Hands the matrix to HiGHS, its objective times `scale`.
fn run(matrix: &Matrix, scale: f64, gap: f64, nodes: u64) -> Result<SolvedModel, String> {
    let mut problem = RowProblem::default();
    let columns: Vec<Col> = matrix
        .columns
        .iter()
        .map(|column| {
            problem.add_column_with_integrality(column.weight * scale, 0.0..=column.upper, column.integer)
        })
        .collect();
    for row in &matrix.rows {
        let (terms, right) = scaled(row);
        let terms = terms.into_iter().map(|(at, coefficient)| (columns[at], coefficient));
        match row.sense {
            Sense::AtMost => problem.add_row(..=right, terms),
            Sense::AtLeast => problem.add_row(right.., terms),
        };
    }
    let mut model = problem
        .try_optimise(Goal::Minimise)
        .map_err(|status| format!("HiGHS does not take the program: {status:?}"))?;
    let nodes = i32::try_from(nodes).unwrap_or(i32::MAX);
    let set = [
        model.try_set_option("parallel", "off"),
        model.try_set_option("threads", 1),
        model.try_set_option("random_seed", 0),
        model.try_set_option("mip_max_nodes", nodes),
        model.try_set_option("mip_rel_gap", gap),
        model.try_set_option("mip_abs_gap", TOLERANCE),
        model.try_set_option("mip_feasibility_tolerance", TOLERANCE),
        model.try_set_option("primal_feasibility_tolerance", TOLERANCE),
        model.try_set_option("dual_feasibility_tolerance", TOLERANCE),
        model.try_set_option("small_matrix_value", NOTHING),
    ];
    if set.iter().any(Result::is_err) {
        return Err("HiGHS does not know one of its options".to_owned());
    }
    model.try_solve().map_err(|status| format!("HiGHS stopped: {status:?}"))
}

/// A row whose largest coefficient is about 1, each column once. By a power of two, so that nothing is rounded.
fn scaled(row: &Row) -> (Vec<(usize, f64)>, f64) {
    let mut terms = BTreeMap::<usize, f64>::new();
    for (at, coefficient) in &row.terms {
        *terms.entry(*at).or_default() += coefficient;
    }
    let most = terms.values().fold(0.0_f64, |most, coefficient| most.max(coefficient.abs()));
    let factor = if most > 0.0 { (-most.log2().round()).exp2() } else { 1.0 };
    (terms.into_iter().map(|(at, coefficient)| (at, coefficient * factor)).collect(), row.right * factor)
}

/// Is there a least objective whatever the rows say?
fn bounded(matrix: &Matrix) -> bool {
    matrix.columns.iter().all(|column| column.weight >= 0.0 || column.upper.is_finite())
}

fn integer(matrix: &Matrix) -> bool {
    matrix.columns.iter().any(|column| column.integer)
}

/// What HiGHS found, with what it proves.
fn found(matrix: &Matrix, scale: f64, solved: &SolvedModel, nodes: u64) -> Answer {
    if solved.primal_solution_status() != HighsSolutionStatus::Feasible {
        return Answer::Failed(format!("no plan within {nodes} nodes of the search"));
    }
    let values = solved.get_solution().columns().to_vec();
    let value = objective(matrix, &values);
    let proven = if integer(matrix) {
        solved.double_info_value(c"mip_dual_bound").unwrap_or(f64::NEG_INFINITY) / scale
    } else {
        value
    };
    // Branches within the tolerance are dropped, and the bound is told as if they had been seen.
    let slack = TOLERANCE * value.abs().max(1.0 / scale);
    // Where no column can lower the objective below zero, neither can a plan.
    let floor =
        if matrix.columns.iter().all(|column| column.weight >= 0.0) { 0.0 } else { f64::NEG_INFINITY };
    Answer::Found { bound: (proven - slack).min(value).max(floor.min(value)), values }
}

/// Infeasible, unless a solution in whole numbers was found and thrown away for its rounding. Without integers the
/// point that comes with the word is only where the simplex ended.
fn infeasible(matrix: &Matrix, solved: &SolvedModel) -> Answer {
    if !integer(matrix) || solved.primal_solution_status() == HighsSolutionStatus::None {
        Answer::Infeasible
    } else {
        Answer::Failed("HiGHS found a plan outside its own tolerance".to_owned())
    }
}

fn gave_up(solved: &SolvedModel) -> Answer {
    Answer::Failed(format!("HiGHS ended with {:?}", solved.status()))
}
