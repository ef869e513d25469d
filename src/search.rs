//! The best plan of a field: prunes, solves, and holds what comes out to the limits that no single row states.
//!
//! In: a question and its field, perhaps of one kind only. Out: [`Best`], a solved program and the columns it was
//! solved with. Pools that several classes share may be lowered in the field on the way.

use crate::candidate::Question;
use crate::formulate::packed::{fractional, packed};
use crate::formulate::{Field, Formulated, field as options, formulate};
use crate::program::Program;
use crate::program::prune::prune;
use crate::recommendation::Kind;
use crate::solve::{Outcome, Solved, contenders, solve_program_until};

/// What came of one program.
pub struct Best {
    /// Columns that were solved.
    pub formulated: Formulated,
    /// Columns dropped as dominated.
    pub dominated: usize,
    /// The outcome.
    pub outcome: Outcome,
}

/// Prunes and solves. The count of deployments is tried without first: it seldom binds, and without it pruning leaves a
/// handful of columns. An optimum of the freer program that respects the count is an optimum, and where nothing at all
/// complies without the count nothing does with it. `None` where it binds and the field was screened without it.
fn solve(question: &Question<'_, '_>, field: &Field<'_, '_>, whole: &Formulated) -> Option<Best> {
    if let Some(most) = whole.program.deployments_max {
        let free = crate::program::Program { deployments_max: None, ..whole.program.clone() };
        let (pools, hosted): (Vec<usize>, Vec<usize>) =
            ((0..whole.pools.len()).collect(), (0..whole.hosted.len()).collect());
        let mut best = solve_once(question, field, &whole.keep(free, &pools, &hosted));
        best.formulated.program.deployments_max = Some(most);
        let done = match &best.outcome {
            Outcome::Solved(found) => found.point.deployments(&best.formulated.program) <= most as usize,
            Outcome::Infeasible { cheapest } => cheapest.is_none(),
            Outcome::Unknown(_) => false,
        };
        if done {
            return Some(best);
        }
        if !field.kept_for_count {
            return None;
        }
    }
    Some(solve_once(question, field, whole))
}

/// Solves; screens again for the count of deployments where it binds.
fn solve_counted<'q, 'c>(
    question: &Question<'q, 'c>,
    field: &mut Field<'q, 'c>,
    write: &dyn Fn(&Field<'q, 'c>) -> Formulated,
) -> Best {
    let whole = write(field);
    solve(question, field, &whole).unwrap_or_else(|| {
        field.take_in(options(&Question { count_matters: true, ..question.clone() }));
        field.kept_for_count = true;
        let whole = write(field);
        solve_once(question, field, &whole)
    })
}

/// The best with an instance for each pool, or with its engines side by side where that costs less.
fn solve_once(question: &Question<'_, '_>, field: &Field<'_, '_>, whole: &Formulated) -> Best {
    let alone = solve_columns(question, whole);
    side_by_side(question, field, whole, &alone).unwrap_or(alone)
}

/// The engines of a plan side by side on instances of the same type, where that costs less. How far another such plan may
/// be below it is bounded by replicas at their part of an instance's price.
fn side_by_side(
    question: &Question<'_, '_>,
    field: &Field<'_, '_>,
    whole: &Formulated,
    alone: &Best,
) -> Option<Best> {
    let Outcome::Solved(found) = &alone.outcome else { return None };
    let program = &alone.formulated.program;
    let used: Vec<usize> = (0..program.pools.len()).filter(|r| found.point.uses_pool(program, *r)).collect();
    let hosted: Vec<usize> = (0..program.hosted.len()).collect();
    let engines = alone.formulated.keep(program.only(&used, &hosted).0, &used, &hosted);
    let formulated = packed(question, field, &engines)?;
    let outcome = solve_program_until(&formulated.program, question.backend, &question.stop.0);
    let Outcome::Solved(shared) = settled(outcome, &formulated.program) else { return None };
    if shared.value >= found.value * (1.0 - SHARING_GAIN_MIN) {
        return None;
    }
    let parts = prune(&fractional(question, field, whole)?.program).program;
    let bound = match solve_program_until(&parts, question.backend, &question.stop.0) {
        Outcome::Solved(parts) => parts.bound.min(shared.value),
        Outcome::Infeasible { .. } | Outcome::Unknown(_) => 0.0, // no bill is below nothing
    };
    let outcome = Outcome::Solved(Solved { bound, ..shared });
    Some(Best { formulated, dominated: alone.dominated, outcome })
}

/// Sharing is worth while from this gain on, relative: less is within what a solver leaves open.
const SHARING_GAIN_MIN: f64 = 1e-6;

fn solve_columns(question: &Question<'_, '_>, whole: &Formulated) -> Best {
    if question.prune {
        let pruned = prune(&whole.program);
        let mut formulated = whole.keep(pruned.program, &pruned.pools, &pruned.hosted);
        let mut dominated = pruned.pools_beaten.len() + pruned.hosted_beaten;
        if let Some((pools, hosted)) = contenders(&formulated.program, question.backend, &question.stop.0) {
            dominated += formulated.pools.len() + formulated.hosted.len() - pools.len() - hosted.len();
            formulated = formulated.keep(formulated.program.only(&pools, &hosted).0, &pools, &hosted);
        }
        let outcome = solve_program_until(&formulated.program, question.backend, &question.stop.0);
        let outcome = settled(outcome, &formulated.program);
        return Best { formulated, dominated, outcome };
    }
    let pools: Vec<usize> = (0..whole.pools.len()).collect();
    let hosted: Vec<usize> = (0..whole.hosted.len()).collect();
    let formulated = whole.keep(whole.program.clone(), &pools, &hosted);
    let outcome = solve_program_until(&formulated.program, question.backend, &question.stop.0);
    let outcome = settled(outcome, &formulated.program);
    Best { formulated, dominated: 0, outcome }
}

/// Of the plans of one price, one in which little work waits.
fn settled(outcome: Outcome, program: &Program) -> Outcome {
    match outcome {
        Outcome::Solved(found) => {
            Outcome::Solved(Solved { point: found.point.clone().settled(program), ..found })
        }
        Outcome::Infeasible { .. } | Outcome::Unknown(_) => outcome,
    }
}

/// Solves; while a class breaks a limit among the others that share its pool, lowers that pool's load and solves again.
///
/// The load row adds up what each class would load a replica with alone; a mixture can be worse than its parts (long
/// prompts of one class stall the answers of another), so its limits are recomputed for the mixture that came out.
/// Beside a pool that failed stands, from then on, the same for each class alone; after a few steps only those stay.
#[must_use]
pub fn solve_mixed<'q, 'c>(
    question: &Question<'q, 'c>,
    field: &mut Field<'q, 'c>,
    kind: Option<Kind>,
) -> Best {
    let write = |field: &Field<'q, 'c>| {
        let whole = formulate(question, field);
        match kind {
            Some(kind) => whole.of_kind(kind),
            None => whole,
        }
    };
    solve_with(question, field, &write)
}

/// The same with a program of one's own, written anew whenever the field changes.
#[must_use]
pub fn solve_with<'q, 'c>(
    question: &Question<'q, 'c>,
    field: &mut Field<'q, 'c>,
    write: &dyn Fn(&Field<'q, 'c>) -> Formulated,
) -> Best {
    let mut best = solve_counted(question, field, write);
    if field.classes.len() < 2 {
        return best;
    }
    let mut steps: Vec<u32> = Vec::new();
    while let Outcome::Solved(found) = &best.outcome {
        let broken = crate::plan::broken_mixtures(question, field, &best.formulated, &found.point);
        if broken.is_empty() {
            break;
        }
        steps.resize(field.locals.len(), 0);
        for at in broken {
            if steps[at] == 0 {
                let option = field.locals[at].clone();
                for class in 0..field.classes.len() {
                    if option.capacity[class].is_some() {
                        let mut alone = option.clone();
                        for (other, capacity) in alone.capacity.iter_mut().enumerate() {
                            if other != class {
                                *capacity = None;
                            }
                        }
                        field.locals.push(alone);
                    }
                }
            }
            steps[at] += 1;
            for capacity in &mut field.locals[at].capacity {
                match capacity {
                    Some(_) if steps[at] > DERATINGS_MAX => *capacity = None,
                    Some(capacity) => capacity.rps *= DERATING,
                    None => {}
                }
            }
        }
        best = solve_counted(question, field, write);
    }
    best
}

/// Step by which the load of a shared pool is lowered.
const DERATING: f64 = 0.95;
/// Steps after which a pool is given up as shared.
const DERATINGS_MAX: u32 = 4;
