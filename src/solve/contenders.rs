//! The columns worth writing into a matrix, where a rule of another form keeps a program from being taken apart.
//!
//! In: a program. Out: the columns that may be in a best plan. A freer program that can be taken apart bounds every plan
//! from below; a plan made from the columns of its drafts tells what a better one must undercut; what the bound then
//! rules out is in no better plan.

use super::decompose::{self, Columns};
use super::{Effort, Outcome, freed, whole};
use crate::program::Program;
use crate::request::Backend;

/// Programs of fewer columns are written whole at once.
const MANY: usize = 48;
/// More pools and hosted models than this for one number that counts, and the freer program counts nothing.
const SHARED_MAX: usize = 8;

/// The columns that may be in a best plan, where that says less than all.
#[must_use]
pub fn contenders(program: &Program, backend: Backend, stop: &(dyn Fn() -> bool + Sync)) -> Option<Columns> {
    let (mut merged, _) = program.merge_slots();
    if !merged.budget_is_row() {
        merged.usd_per_month_max = None; // a cutoff, read from the answer
    }
    let columns = merged.pools.len() + merged.hosted.len();
    let taken_apart = merged.slot_hours.len() > 1 && decompose::in_form(&merged);
    if columns < MANY || taken_apart {
        return None;
    }
    let free = counting(freed(&merged)?, &merged);
    let effort = Effort { first_look: true, ..Effort::until(0.0, stop).with(backend) };
    let left = decompose::left(&free, effort, &mut |(pools, hosted)| {
        let (few, _) = merged.only(pools, hosted);
        match whole::solve(&few, Effort { gap: 1e-4, ..effort }) {
            Outcome::Solved(found) => Some(found.value),
            Outcome::Infeasible { .. } | Outcome::Unknown(_) => None,
        }
    })?;
    (left.0.len() + left.1.len() < columns).then_some(left)
}

/// The freer program with as much of the count of deployments as its form states: each column counts by itself, and
/// where several count as one, as many more are allowed.
fn counting(mut free: Program, whole: &Program) -> Program {
    let Some(most) = whole.deployments_max.filter(|_| free.deployments_max.is_none()) else { return free };
    let mut together = std::collections::BTreeMap::new();
    for pool in &whole.pools {
        *together.entry((true, pool.deployment)).or_insert(0_usize) += 1;
    }
    for number in whole.hosted.iter().flat_map(|hosted| &hosted.deployments) {
        *together.entry((false, *number)).or_insert(0) += 1;
    }
    let shared = together.values().copied().max().unwrap_or(1);
    if shared > SHARED_MAX {
        return free;
    }
    free.deployments_max = Some(most * u32::try_from(shared).unwrap_or(u32::MAX));
    for (r, pool) in free.pools.iter_mut().enumerate() {
        pool.deployment = r;
        pool.behind.clear();
    }
    for (a, hosted) in free.hosted.iter_mut().enumerate() {
        hosted.deployments = vec![a];
    }
    free
}
