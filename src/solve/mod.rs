//! Solving a program: taken apart where it is in the form for that, else as one matrix. The only room that names a
//! solver's crate.
//!
//! In: a [`Program`]. Out: an [`Outcome`] whose point `program::point` has checked, with a bound on every plan. Work is
//! counted, never time: the same program gives the same answer on any machine, unless the caller's `stop` ends it early.

mod backend;
mod contenders;
mod decompose;
mod repair;
mod whole;

pub use contenders::contenders;

use crate::program::{Goal, Point, Program};
use crate::request::Backend;

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

/// Name of a backend, for the proof.
#[must_use]
pub const fn backend_name(backend: Backend) -> &'static str {
    backend::name(backend)
}

/// How hard to try, and who solves the matrices.
#[derive(Clone, Copy)]
pub struct Effort<'a> {
    /// Relative gap at which a plan is good enough.
    pub gap: f64,
    /// Asked now and then: true ends the search with the best plan so far and its bound.
    pub stop: &'a (dyn Fn() -> bool + Sync),
    /// Who solves the matrices.
    pub backend: Backend,
    /// Is the program written as one matrix, equal slots and all, and not taken apart?
    pub as_one_matrix: bool,
    /// Only as much work as is worth it before something else is tried.
    first_look: bool,
}

impl Effort<'_> {
    /// To a gap, however long it takes, with the default backend.
    #[must_use]
    pub const fn to(gap: f64) -> Effort<'static> {
        Effort::until(gap, &|| false)
    }

    /// To a gap, until `stop` says so.
    #[must_use]
    pub const fn until(gap: f64, stop: &(dyn Fn() -> bool + Sync)) -> Effort<'_> {
        Effort { gap, stop, backend: Backend::Microlp, as_one_matrix: false, first_look: false }
    }

    /// The same with a backend of one's choice.
    #[must_use]
    pub const fn with(self, backend: Backend) -> Self {
        Self { backend, ..self }
    }

    /// The same without merging slots and without taking the program apart: slow, and a second opinion on both.
    #[must_use]
    pub const fn as_one_matrix(self) -> Self {
        Self { as_one_matrix: true, ..self }
    }
}

/// Solves a program: rows, solver, own check; the budget is a cutoff under [`Goal::Cost`].
#[must_use]
pub fn solve_program(program: &Program) -> Outcome {
    solve_program_until(program, Backend::default(), &|| false)
}

/// The same with a backend of one's choice, until `stop` says so.
#[must_use]
pub fn solve_program_until(program: &Program, backend: Backend, stop: &(dyn Fn() -> bool + Sync)) -> Outcome {
    let (merged, _) = program.merge_slots();
    let gap = if merged.slot_hours.len() == 1 { 0.0 } else { 5e-5 };
    solve_program_within(program, Effort::until(gap, stop).with(backend))
}

/// Solves a program to a relative gap of one's own.
#[must_use]
pub fn solve_program_to(program: &Program, gap: f64) -> Outcome {
    solve_program_within(program, Effort::to(gap))
}

/// Solves a program with an effort of one's own.
#[must_use]
pub fn solve_program_within(program: &Program, effort: Effort<'_>) -> Outcome {
    let (merged, into) = if effort.as_one_matrix {
        (program.clone(), (0..program.slot_hours.len()).collect())
    } else {
        program.merge_slots()
    };
    let budget = merged.usd_per_month_max.filter(|_| !merged.budget_is_row());
    let mut free = merged;
    if budget.is_some() {
        free.usd_per_month_max = None;
    }
    match solve_merged(&free, effort) {
        Outcome::Solved(solved) => {
            let solved = Solved { point: solved.point.spread(&into), ..solved };
            match budget {
                Some(most) if solved.usd_per_month > most * (1.0 + 1e-9) + 1e-9 => {
                    Outcome::Infeasible { cheapest: Some(Box::new(solved)) }
                }
                _ => Outcome::Solved(solved),
            }
        }
        Outcome::Infeasible { cheapest: None } => without_budget(program, effort),
        other => other,
    }
}

/// Nothing satisfies the rules. Where the budget is one of the rows under [`Goal::Cost`]: the least bill without it.
fn without_budget(program: &Program, effort: Effort<'_>) -> Outcome {
    if program.goal != Goal::Cost || !program.budget_is_row() {
        return Outcome::Infeasible { cheapest: None };
    }
    let mut free = Program { usd_per_month_max: None, ..program.clone() };
    // The budget limits the bill alone, so what is paid once has no say in how small the bill can be.
    let pools = free.pools.iter_mut().map(|pool| &mut pool.modes);
    let hosts = free.hosts.iter_mut().map(|host| &mut host.modes);
    pools.chain(hosts).flatten().for_each(|mode| mode.usd_amortised = 0.0);
    match solve_program_within(&free, effort) {
        Outcome::Solved(solved) => Outcome::Infeasible { cheapest: Some(Box::new(solved)) },
        other => other,
    }
}

/// Solves a program whose equal slots are merged.
fn solve_merged(program: &Program, effort: Effort<'_>) -> Outcome {
    if effort.as_one_matrix {
        return whole::solve(program, effort);
    }
    // One slot is one matrix; taking it apart gains nothing.
    if program.slot_hours.len() == 1 {
        return match whole::solve(program, effort) {
            Outcome::Unknown(words) => apart(program, effort).unwrap_or(Outcome::Unknown(words)),
            known => known,
        };
    }
    if let Some(outcome) = apart(program, effort) {
        return outcome;
    }
    // A rule of another form: without it first. A plan that keeps the rule anyway is the answer.
    let freer = freed(program).and_then(|free| apart(&free, Effort { first_look: true, ..effort }));
    let checked = match freer {
        Some(Outcome::Infeasible { .. }) => return Outcome::Infeasible { cheapest: None },
        Some(Outcome::Solved(free)) => Some(free),
        _ => None,
    };
    let bound = checked.as_ref().map_or(f64::NEG_INFINITY, |free| free.bound);
    let keeps = checked.and_then(|free| repair::lifted(program, &free));
    if let Some(solved) = &keeps
        && solved.value - solved.bound <= effort.gap * solved.value.abs()
    {
        return Outcome::Solved(solved.clone());
    }
    // The whole matrix cannot be broken off, so it is not begun once somebody said stop.
    if (effort.stop)() {
        return keeps
            .or_else(|| repair::narrower(program, effort))
            .map_or_else(|| Outcome::Unknown("no plan found before the stop".into()), Outcome::Solved);
    }
    match (whole::solve(program, effort), keeps) {
        (Outcome::Solved(solved), Some(other)) if other.value < solved.value => {
            Outcome::Solved(Solved { bound: bound.max(solved.bound).min(other.value), ..other })
        }
        (Outcome::Solved(solved), _) => {
            Outcome::Solved(Solved { bound: bound.max(solved.bound).min(solved.value), ..solved })
        }
        (Outcome::Unknown(_), Some(other)) => Outcome::Solved(other),
        (Outcome::Unknown(words), None) => {
            repair::narrower(program, effort).map_or(Outcome::Unknown(words), Outcome::Solved)
        }
        (outcome, _) => outcome,
    }
}

/// The same program without the rules the decomposition does not state, where dropping them only frees the plan.
fn freed(program: &Program) -> Option<Program> {
    let adds_ways = !program.hosts.is_empty()
        || !program.blends.is_empty()
        || program.classes.iter().any(|class| !class.served_in.is_empty());
    if program.goal != Goal::Cost || adds_ways {
        return None;
    }
    let mut free = program.clone();
    free.means.clear();
    free.local_usd_per_month = 0.0;
    free.usd_per_month_max = None;
    free.both_sides_min = None;
    free.local_share = None;
    free.replicas = None;
    for class in &mut free.classes {
        class.unavailability_max = None;
    }
    for pool in &mut free.pools {
        pool.usd_per_start = 0.0;
        pool.instances_min = 0;
    }
    for hosted in &mut free.hosted {
        hosted.uses.clear();
    }
    if !decompose::counts_alone(&free) {
        free.deployments_max = None;
    }
    Some(free)
}

/// Takes a program apart and checks what comes back; `None` where it is not in the form for that, or where the search
/// ended without a plan and without a proof that there is none.
fn apart(program: &Program, effort: Effort<'_>) -> Option<Outcome> {
    let found = decompose::solve(program, effort)?;
    let Some(point) = found.point else {
        return found.proven.then_some(Outcome::Infeasible { cheapest: None });
    };
    let point = point.tidy(program);
    // A plan that does not stand the check is our fault; the whole matrix answers instead.
    point.broken_rule(program).is_none().then(|| {
        Outcome::Solved(Solved {
            value: point.objective(program),
            usd_per_month: point.usd_per_month(program),
            bound: found.bound.min(point.objective(program)),
            point,
        })
    })
}
