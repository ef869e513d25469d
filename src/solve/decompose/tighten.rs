//! What a bound rules out: counts and hours with which no plan beats the best one known (formulation study §3, D5).
//!
//! With L the bound and G the gain of one pool in it, L + G - G(n) bounds every plan with n instances of that pool.

use super::bound::{Bound, Bounder, Prices, Space, Use};

/// Narrows a box; `false` where nothing is left in it. `floor` falls to the least bound of what was ruled out.
pub(super) fn tighten(
    bounder: &mut Bounder<'_>,
    node: &mut Space,
    prices: &Prices,
    cutoff: f64,
    floor: &mut f64,
) -> bool {
    let mut bound = Bound::default();
    bounder.evaluate(node, prices, &mut bound);
    if bound.value >= cutoff {
        *floor = floor.min(bound.value);
        return false;
    }
    let limited = bounder.model.deployments_max.is_some();
    for r in 0..node.pools.len() {
        if node.pools[r] == Use::Out {
            continue;
        }
        // Without the pool's own part. One that is not chosen would take the place of the least that is.
        let without = match (bound.chosen[r], node.pools[r]) {
            (true, _) => bound.value + bound.responses[r].gain,
            (false, _) => bound.value + bound.marginal,
        };
        let profile = bounder.profile(r, node, prices);
        let mut beyond = |gain: f64| {
            let out = without - gain >= cutoff;
            if out {
                *floor = floor.min(without - gain);
            }
            out
        };
        for (t, gain) in profile.with_hours.iter().enumerate() {
            if node.hours[r][t] && beyond(*gain) {
                node.hours[r][t] = false;
            }
        }
        while node.most[r] > node.least[r] && beyond(profile.by_count[node.most[r]]) {
            node.most[r] -= 1;
        }
        // Without it another may take its deployment, so a count of 0 stays where deployments are limited.
        while node.least[r] < node.most[r]
            && (node.least[r] > 0 || !limited || node.pools[r] == Use::In)
            && beyond(profile.by_count[node.least[r]])
        {
            node.least[r] += 1;
        }
        if node.least[r] == node.most[r] && node.least[r] > 0 && beyond(profile.by_count[node.least[r]]) {
            return false;
        }
        if node.most[r] == 0 && !node.hours[r].contains(&true) && node.pools[r] == Use::Free {
            node.pools[r] = Use::Out;
        }
    }
    if limited {
        for a in 0..node.hosted.len() {
            let apart = node.hosted[a] == Use::Free && !bound.hosted_chosen[a];
            let with = bound.value + bound.marginal - bound.hosted_gain[a];
            if apart && with >= cutoff {
                *floor = floor.min(with);
                node.hosted[a] = Use::Out;
            }
        }
    }
    true
}
