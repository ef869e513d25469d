//! A quick proof that no plan exists under a limit on deployments: too few of them to serve every class.
//!
//! A set cover over classes, exact for the few classes there are: least deployments to cover each set of classes, the
//! amount each can carry left aside.

use super::model::Model;

/// More classes than this are not tabled.
const CLASSES_MAX: usize = 16;

/// Fewest pools and hosted models that serve every class; `None` where no count does, or where it is not known to be more
/// than 0.
pub(super) fn fewest(model: &Model) -> Option<usize> {
    if model.classes > CLASSES_MAX {
        return Some(0);
    }
    let class = |at: usize| 1_usize << (at / model.slots);
    let mut sets: Vec<usize> = model
        .pools
        .iter()
        .filter(|pool| pool.most() > 0)
        .map(|pool| pool.items.iter().flatten().map(|item| class(item.at)).fold(0, |a, b| a | b))
        .collect();
    let mut hosted = vec![0; model.hosted_count];
    for (at, segments) in model.hosted.iter().enumerate() {
        for segment in segments {
            hosted[segment.hosted] |= class(at);
        }
    }
    sets.extend(hosted);
    sets.sort_unstable();
    sets.dedup();
    let wanted = (0..model.asked.len()).filter(|at| model.asked[*at]).map(class).fold(0, |a, b| a | b);
    let mut least: Vec<Option<usize>> = vec![None; 1 << model.classes];
    least[0] = Some(0);
    // Sets grow as bits are added, so every table entry is final when it is read.
    for covered in 0..least.len() {
        let Some(count) = least[covered] else { continue };
        for set in &sets {
            let next = &mut least[covered | set];
            if covered | set != covered && next.is_none_or(|now| count + 1 < now) {
                *next = Some(count + 1);
            }
        }
    }
    (0..least.len()).filter(|covered| covered & wanted == wanted).filter_map(|covered| least[covered]).min()
}
