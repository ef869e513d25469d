//! The only file that names the solver. In: a [`Matrix`]. Out: values and a bound, not yet believed.
//!
//! Traps it guards against: a status string is no proof, so `program::point` recomputes feasibility and objective;
//! money is scaled so that the objective is of the order of a thousand.

use good_lp::solvers::microlp::microlp;
use good_lp::{Expression, ProblemVariables, SolverModel, Variable, constraint, variable};
use microlp::{SolveOptions, SolveOutcome};

use crate::program::{Goal, Matrix, Point, Program, Row, Sense};

/// What the solver says.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// Values of the columns and a proven bound on the objective.
    Found {
        /// By column.
        values: Vec<f64>,
        /// No solution has a lower objective.
        bound: f64,
    },
    /// No values satisfy the rows.
    Infeasible,
    /// The solver gave up: its words.
    Failed(String),
}

/// Name of the backend, for the proof.
pub const BACKEND: &str = "microlp";

/// Branches whose bound is this close to the best solution are dropped unseen (microlp's `prune_epsilon`: relative,
/// and absolute in the scaled objective).
const PRUNED_WITHIN: f64 = 1e-9;

/// Solves a matrix to a relative gap.
#[must_use]
pub fn solve(matrix: &Matrix, gap: f64) -> Answer {
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
    let objective: Expression =
        matrix.columns.iter().zip(&columns).map(|(column, at)| column.weight * scale * *at).sum();
    let mut model = variables.minimise(objective).using(microlp);
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
    options.node_limit = Some(nodes_max(matrix));
    match model.as_inner().solve_with(options).map(SolveOutcome::into_solution) {
        Ok(Ok(solution)) => {
            // Columns were added in order, so values come back in order.
            let values: Vec<f64> = solution.iter().map(|(_, value)| value).collect();
            let value: f64 = matrix.columns.iter().zip(&values).map(|(column, x)| column.weight * x).sum();
            let proven = solution.gap().unwrap_or(1.0).min(1.0);
            // A relative gap g of an incumbent v proves v - g |v|. The solver drops branches within its own slack
            // and still says 0.
            let slack = PRUNED_WITHIN * value.abs().max(1.0 / scale);
            Answer::Found { bound: value - (proven * value.abs()).max(slack), values }
        }
        Ok(Err(_)) => Answer::Failed(format!("no plan within {} nodes of the search", nodes_max(matrix))),
        Err(microlp::Error::Infeasible) => Answer::Infeasible,
        Err(other) => Answer::Failed(other.to_string()),
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

/// A factor that brings the objective's weights to the order of a thousand.
fn scale_of(matrix: &Matrix) -> f64 {
    let most = matrix.columns.iter().map(|column| column.weight.abs()).fold(0.0, f64::max);
    if most > 0.0 { 1e3 / most } else { 1.0 }
}

/// A point of a program that was checked, and the bound proven for it.
#[derive(Debug, Clone, PartialEq)]
pub struct Solved {
    /// The point.
    pub point: Point,
    /// Its objective, recomputed.
    pub value: f64,
    /// Its bill, recomputed, USD/month.
    pub usd_per_month: f64,
    /// No point has a lower objective.
    pub bound: f64,
}

/// What became of a program.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// The best point found.
    Solved(Solved),
    /// Nothing satisfies the rules; under [`Goal::Cost`] the cheapest bill when only the budget is in the way.
    Infeasible {
        /// Least USD/month without the budget, if anything exists then.
        cheapest: Option<Box<Solved>>,
    },
    /// The solver gave up or returned what does not stand the check.
    Unknown(String),
}

/// Solves a program: rows, solver, own check; the budget is a cutoff under [`Goal::Cost`].
#[must_use]
pub fn solve_program(program: &Program) -> Outcome {
    let (merged, _) = program.merge_slots();
    solve_program_to(program, if merged.slot_hours.len() == 1 { 0.0 } else { 5e-5 })
}

/// Solves a program to a relative gap of one's own.
#[must_use]
pub fn solve_program_to(program: &Program, gap: f64) -> Outcome {
    let (merged, into) = program.merge_slots();
    let budget = merged.usd_per_month_max;
    let mut free = merged.clone();
    if !merged.budget_is_row() {
        free.usd_per_month_max = None;
    }
    let matrix = Matrix::of(&free);
    let (mut values, mut bound) = match solve(&matrix, gap) {
        Answer::Found { values, bound } => (values, bound),
        Answer::Infeasible => return without_budget(program, gap),
        Answer::Failed(words) => return Outcome::Unknown(words),
    };
    if program.goal == Goal::LeastScore {
        let first = matrix.point(&free, &values).tidy(&free);
        if let Answer::Found { values: cheaper, .. } =
            solve(&matrix.then_least_cost(first.objective(&free)), gap)
        {
            values = cheaper;
        }
        bound = bound.min(first.objective(&free));
    }
    let point = matrix.point(&free, &values).tidy(&free);
    if let Some(rule) = point.broken_rule(&free) {
        return Outcome::Unknown(format!("the solver's answer breaks {rule}"));
    }
    let solved = Solved {
        value: point.objective(&free),
        usd_per_month: point.usd_per_month(&free),
        bound: bound.min(point.objective(&free)),
        point: point.spread(&into),
    };
    match budget {
        Some(most) if !merged.budget_is_row() && solved.usd_per_month > most * (1.0 + 1e-9) + 1e-9 => {
            Outcome::Infeasible { cheapest: Some(Box::new(solved)) }
        }
        _ => Outcome::Solved(solved),
    }
}

/// Nothing satisfies the rows. Where the budget is one of them under [`Goal::Cost`]: the least bill without it.
fn without_budget(program: &Program, gap: f64) -> Outcome {
    if program.goal != Goal::Cost || !program.budget_is_row() {
        return Outcome::Infeasible { cheapest: None };
    }
    let mut free = Program { usd_per_month_max: None, ..program.clone() };
    // The budget limits the bill alone, so what is paid once has no say in how small the bill can be.
    let pools = free.pools.iter_mut().map(|pool| &mut pool.modes);
    let hosts = free.hosts.iter_mut().map(|host| &mut host.modes);
    pools.chain(hosts).flatten().for_each(|mode| mode.usd_amortised = 0.0);
    match solve_program_to(&free, gap) {
        Outcome::Solved(solved) => Outcome::Infeasible { cheapest: Some(Box::new(solved)) },
        other => other,
    }
}
