//! The whole program as one matrix.
//!
//! In: a program with equal slots merged. Out: its [`Outcome`]; the slots stay merged.

use super::{Answer, Effort, Outcome, Solved, backend};
use crate::program::{Goal, Matrix, Program};

/// Solves a program: rows, solver, own check.
pub(super) fn solve(program: &Program, effort: Effort<'_>) -> Outcome {
    let solve = |matrix: &Matrix| backend::solve(matrix, effort.backend, effort.gap, u64::MAX);
    let matrix = Matrix::of(program);
    let (mut values, mut bound) = match solve(&matrix) {
        Answer::Found { values, bound } => (values, bound),
        Answer::Infeasible => return Outcome::Infeasible { cheapest: None },
        Answer::Failed(words) => return Outcome::Unknown(words),
    };
    if program.goal == Goal::LeastScore {
        let first = matrix.point(program, &values).tidy(program);
        let second = matrix.then_least_cost(first.objective(program));
        if let Answer::Found { values: cheaper, .. } = solve(&second) {
            values = cheaper;
        }
        bound = bound.min(first.objective(program));
    }
    let point = matrix.point(program, &values).tidy(program);
    if let Some(rule) = point.broken_rule(program) {
        return Outcome::Unknown(format!("the solver's answer breaks {rule}"));
    }
    Outcome::Solved(Solved {
        value: point.objective(program),
        usd_per_month: point.usd_per_month(program),
        bound: bound.min(point.objective(program)),
        point,
    })
}
