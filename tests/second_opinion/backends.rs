//! Two solvers that share no code, on the same worlds: taken apart and as one matrix, pruned and not.
//!
//! As many worlds as `BURSAR_WORLDS` says, or a few hundred.

use bursar::program::prune::prune;
use bursar::program::{Goal, Program};
use bursar::request::Backend;
use bursar::solve::{Effort, Outcome, Solved, solve_program_within};

use super::{enumerate, worlds};
use crate::{RICH_WORK, WORK, agrees, brief, close, over, rich_worlds};

/// A plain world and one with everything.
fn both_kinds(seed: u64) -> [Program; 2] {
    [worlds::world(seed, WORK), worlds::rich_world(seed, RICH_WORK)]
}

fn by(backend: Backend, world: &Program) -> Outcome {
    solve_program_within(world, Effort::to(0.0).with(backend))
}

fn whole(backend: Backend, world: &Program) -> Outcome {
    solve_program_within(world, Effort::to(0.0).with(backend).as_one_matrix())
}

/// One value and one verdict, and neither bound above the other's plan.
fn alike(world: &Program, one: &Outcome, other: &Outcome) -> Result<(), String> {
    let same = |one: &Solved, other: &Solved| {
        close(one.value, other.value, 1e-6)
            && (world.goal == Goal::Cost || close(one.usd_per_month, other.usd_per_month, 1e-5))
            && one.bound <= other.value + 1e-7 * other.value.abs().max(1.0)
            && other.bound <= one.value + 1e-7 * one.value.abs().max(1.0)
    };
    let fine = match (one, other) {
        (Outcome::Solved(one), Outcome::Solved(other)) => {
            same(one, other)
                && one.point.broken_rule(world).is_none()
                && other.point.broken_rule(world).is_none()
        }
        (Outcome::Infeasible { cheapest: None }, Outcome::Infeasible { cheapest: None }) => true,
        (Outcome::Infeasible { cheapest: Some(one) }, Outcome::Infeasible { cheapest: Some(other) }) => {
            same(one, other)
        }
        _ => false,
    };
    if fine { Ok(()) } else { Err(format!("{} and {}", brief(one), brief(other))) }
}

#[test]
fn both_backends_find_the_same_optimum() {
    over(0..rich_worlds(), |seed| {
        both_kinds(seed).iter().try_for_each(|world| {
            for (what, world) in [("unpruned", world), ("pruned", &prune(world).program)] {
                alike(world, &by(Backend::Microlp, world), &by(Backend::Highs, world))
                    .map_err(|fault| format!("{what}: {fault}"))?;
            }
            Ok(())
        })
    });
}

/// Nothing pruned, no slots merged, nothing taken apart: by the enumerator, by either backend, and as it is usually done.
#[test]
fn the_plain_matrix_has_the_same_optimum() {
    over(0..rich_worlds(), |seed| {
        both_kinds(seed).iter().try_for_each(|world| {
            let plain = whole(Backend::Highs, world);
            agrees(world, enumerate::best(world), world, &plain)
                .map_err(|fault| format!("highs: {fault}"))?;
            alike(world, &plain, &whole(Backend::Microlp, world))
                .map_err(|fault| format!("highs and microlp, one matrix: {fault}"))?;
            let usual = by(Backend::Microlp, &prune(world).program);
            // The point of the pruned world has other columns; its value and verdict are compared.
            match (&plain, &usual) {
                (Outcome::Solved(plain), Outcome::Solved(usual)) if close(plain.value, usual.value, 1e-6) => {
                    Ok(())
                }
                (Outcome::Infeasible { .. }, Outcome::Infeasible { .. }) => Ok(()),
                _ => Err(format!("one matrix {}, apart and pruned {}", brief(&plain), brief(&usual))),
            }
        })
    });
}

#[test]
fn highs_answers_the_same_twice() {
    over(0..rich_worlds() / 4, |seed| {
        both_kinds(seed).iter().try_for_each(|world| {
            let (one, other) = (whole(Backend::Highs, world), whole(Backend::Highs, world));
            if one == other { Ok(()) } else { Err(format!("{} and {}", brief(&one), brief(&other))) }
        })
    });
}
