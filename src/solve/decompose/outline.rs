//! What the root bound tells of the columns of a program: which ones drafts use, and which ones no plan better than a
//! known one can use.
//!
//! In: a program in form, and somebody who finds a plan from few columns. Out: the columns that are left. They hold
//! for any program whose plans all cost at least what the same plan costs here.

use super::bound::Use;
use super::draft::{Draft, Drafter};
use super::model::Model;
use super::{Effort, FINE, Start, tighten};
use crate::program::Program;

/// Places of columns: pools, hosted models.
pub(in crate::solve) type Columns = (Vec<usize>, Vec<usize>);

/// Rounds of narrowing: a narrower box has better prices.
const NARROWINGS: usize = 3;

/// Columns that a plan below the one that `plan` finds may use, those of that plan among them; `None` where the program
/// is not in form or no plan was found from the columns of the drafts.
pub(in crate::solve) fn left(
    program: &Program,
    effort: Effort<'_>,
    plan: &mut dyn FnMut(&Columns) -> Option<f64>,
) -> Option<Columns> {
    let model = Model::of(program)?;
    let mut start = Start::new(&model);
    start.raise(FINE, effort);
    let drafted = drafted(&model, &start.drafts);
    let value = plan(&drafted)?;
    let cutoff = value + 1e-9 * value.abs();
    let mut floor = f64::INFINITY;
    for _ in 0..NARROWINGS {
        let open = |start: &Start<'_>| start.root.pools.iter().filter(|state| **state != Use::Out).count();
        let before = open(&start);
        if !tighten::tighten(&mut start.bounder, &mut start.root, &start.prices, cutoff, &mut floor) {
            return Some(drafted); // nothing is better than the plan that was found
        }
        if open(&start) * 10 > before * 9 {
            break;
        }
        start.target = cutoff;
        start.raise(FINE, effort);
    }
    let (mut pools, mut hosted) = drafted;
    pools.extend((0..model.pools.len()).filter(|r| start.root.pools[*r] != Use::Out));
    hosted.extend((0..model.hosted_count).filter(|a| start.root.hosted[*a] != Use::Out));
    for columns in [&mut pools, &mut hosted] {
        columns.sort_unstable();
        columns.dedup();
    }
    Some((pools, hosted))
}

/// Pools that drafts use, and the cheapest hosted models that serve what they leave.
fn drafted(model: &Model, drafts: &[Draft]) -> Columns {
    let pools =
        (0..model.pools.len()).filter(|r| drafts.iter().any(|draft| Drafter::uses(draft, *r))).collect();
    let mut hosted = Vec::new();
    for segments in &model.hosted {
        let mut share = 0.0;
        for segment in segments {
            hosted.push(segment.hosted);
            share += segment.most;
            if share >= 1.0 {
                break;
            }
        }
    }
    hosted.sort_unstable();
    hosted.dedup();
    (pools, hosted)
}
