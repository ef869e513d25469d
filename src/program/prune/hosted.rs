//! Dominance among hosted models (D2), and what D3 and D4 ask of any swap of one target for another.

use crate::program::{Goal, Hosted, Program};

/// Does a hosted column accept all there is of a class, whatever else passes it?
pub(super) fn unlimited(program: &Program, a: usize, c: usize) -> bool {
    let most = (0..program.slot_hours.len()).map(|t| program.load_max(c, t)).fold(0.0, f64::max);
    let rate = program.hosted[a].rate_rps[c];
    let passed = program.blends.iter().any(|blend| blend.hosted.iter().any(|(at, _)| *at == a));
    rate >= if passed { f64::INFINITY } else { most }
}

/// Are a request's coefficients in all limited means no worse: `new` by mean against `old` by mean?
pub(super) fn means_no_worse(
    program: &Program,
    new: impl Fn(usize) -> f64,
    old: impl Fn(usize) -> f64,
) -> bool {
    program.means.iter().enumerate().all(
        |(m, mean)| {
            if mean.at_least { new(m) >= old(m) } else { new(m) <= old(m) }
        },
    )
}

/// Could each share of a class on hosted column `b` be served by `a` instead, for no more of anything but deployments?
fn replaces(program: &Program, a: usize, b: usize, c: usize) -> bool {
    let (x, y) = (&program.hosted[a], &program.hosted[b]);
    let (Some(other), Some(price)) = (x.usd_per_request[c], y.usd_per_request[c]) else { return false };
    let amount = |of: &Hosted, k: usize| {
        of.uses.iter().filter(|(at, _)| *at == k).map(|(_, by_class)| by_class[c]).sum::<f64>()
    };
    // An own engine brings the cost of a local part; where both sides must carry a share, neither stands for the other.
    let side =
        x.local == y.local || (!program.parts_are_set() && (program.local_usd_per_month <= 0.0 || y.local));
    other <= price
        && unlimited(program, a, c)
        && x.unavailability <= y.unavailability
        && (program.goal == Goal::Cost || x.score[c] <= y.score[c])
        && (0..program.resources.len()).all(|k| amount(x, k) <= amount(y, k))
        && means_no_worse(program, |m| program.means[m].cloud[c][a], |m| program.means[m].cloud[c][b])
        && side
}

/// D2: a hosted column goes if another unlimited one costs no more for every class it serves.
pub(super) fn hosted_that_stay(program: &Program) -> Vec<usize> {
    let cost = program.goal == Goal::Cost;
    let blended = |b: usize| program.blends.iter().any(|blend| blend.hosted.iter().any(|(at, _)| *at == b));
    // Better in something that every comparison reads, or equal and earlier.
    let strictly = |a: usize, b: usize, c: usize| {
        let (x, y) = (&program.hosted[a], &program.hosted[b]);
        let price = |of: &Hosted| of.usd_per_request[c].unwrap_or(f64::INFINITY);
        price(x) < price(y) || (!cost && price(x) <= price(y) && x.score[c] < y.score[c])
    };
    let served = |b: usize| {
        (0..program.classes.len()).filter(move |c| program.hosted[b].usd_per_request[*c].is_some())
    };
    let beats = |a: usize, b: usize| {
        let (x, y) = (&program.hosted[a], &program.hosted[b]);
        let counts_no_more = program.deployments_max.is_none()
            || x.deployments.iter().all(|member| y.deployments.contains(member))
            || (x.deployments.len() == 1 && y.deployments.len() == 1 && counted_once(program, b));
        let better = served(b).any(|c| strictly(a, b, c)) || (a < b && !served(b).any(|c| strictly(b, a, c)));
        counts_no_more && served(b).all(|c| replaces(program, a, b, c)) && better
    };
    let all: Vec<usize> = (0..program.hosted.len()).filter(|a| served(*a).next().is_some()).collect();
    if program.deployments_max.is_none() && cost {
        // Where deployments do not count each class may have another in its place: per class the cheapest, and those
        // cheaper but limited, or better in something else.
        let beaten_for = |b: usize, c: usize| {
            all.iter().any(|a| {
                *a != b
                    && replaces(program, *a, b, c)
                    && (strictly(*a, b, c) || (*a < b && !strictly(b, *a, c)))
            })
        };
        return all
            .iter()
            .copied()
            .filter(|b| blended(*b) || served(*b).any(|c| !beaten_for(*b, c)))
            .collect();
    }
    all.iter().copied().filter(|b| blended(*b) || !all.iter().any(|a| a != b && beats(*a, *b))).collect()
}

/// Does dropping this hosted column free its one deployment, because no other column counts on it?
fn counted_once(program: &Program, hosted: usize) -> bool {
    program.hosted.iter().enumerate().all(|(a, other)| {
        a == hosted
            || other.deployments.iter().all(|member| !program.hosted[hosted].deployments.contains(member))
    })
}
