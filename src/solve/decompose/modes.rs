//! Which ways to pay for a fleet of known size, under a limit on what is paid once: exact.
//!
//! In: instances of each pool. Out: instances by mode and the bill, or `None` where the money does not reach. Bills and
//! payments of the pools add up, so the whole is a chain of sums of Pareto sets (USD a month, USD once).

use super::model::Model;

/// A way to pay: USD/month, USD once, instances by mode.
type Way = (f64, f64, Vec<u32>);

/// Pays for `always_on` instances of each pool for the least by the month.
pub(super) fn pay(model: &Model, always_on: &[usize]) -> Option<(f64, Vec<Vec<u32>>)> {
    let mut all: Vec<(f64, f64, Vec<Vec<u32>>)> = vec![(0.0, 0.0, Vec::new())];
    for (pool, count) in model.pools.iter().zip(always_on) {
        let ways = match model.upfront_max {
            Some(most) => splits(&pool.modes, *count, most),
            None => cheapest(&pool.modes, *count),
        };
        let mut next: Vec<(f64, f64, Vec<Vec<u32>>)> = Vec::new();
        for (usd, once, counts) in &all {
            for (more, more_once, split) in &ways {
                if model.upfront_max.is_none_or(|most| once + more_once <= most * (1.0 + 1e-9)) {
                    let mut counts = counts.clone();
                    counts.push(split.clone());
                    next.push((usd + more, once + more_once, counts));
                }
            }
        }
        all = pareto(next);
    }
    all.into_iter().next().map(|(usd, _, counts)| (usd, counts))
}

/// All in the mode that is cheapest by the month.
fn cheapest(modes: &[(f64, f64)], count: usize) -> Vec<Way> {
    let mut split = vec![0; modes.len()];
    if count == 0 {
        return vec![(0.0, 0.0, split)];
    }
    let Some(best) = (0..modes.len()).min_by(|a, b| modes[*a].0.total_cmp(&modes[*b].0)) else {
        return Vec::new();
    };
    split[best] = u32::try_from(count).unwrap_or(u32::MAX);
    vec![(modes[best].0 * f64::from(split[best]), 0.0, split)]
}

/// Every split over the modes that no other beats, the cheapest by the month first.
fn splits(modes: &[(f64, f64)], count: usize, most: f64) -> Vec<Way> {
    let mut ways: Vec<Way> = vec![(0.0, 0.0, vec![0; modes.len()])];
    for _ in 0..count {
        let mut next: Vec<Way> = Vec::new();
        for (usd, once, split) in &ways {
            for (j, (more, more_once)) in modes.iter().enumerate() {
                if once + more_once <= most * (1.0 + 1e-9) {
                    let mut split = split.clone();
                    split[j] += 1;
                    next.push((usd + more, once + more_once, split));
                }
            }
        }
        ways = pareto(next);
    }
    ways
}

/// Those that no other beats in both sums; the cheapest by the month first.
fn pareto<T>(mut all: Vec<(f64, f64, T)>) -> Vec<(f64, f64, T)> {
    all.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    let mut least = f64::INFINITY;
    all.retain(|(_, once, _)| {
        let keep = *once < least;
        least = least.min(*once);
        keep
    });
    all
}

#[cfg(test)]
mod tests {
    use super::{pareto, splits};

    #[test]
    fn a_split_spends_what_there_is_on_the_cheaper_mode() {
        // 10 a month, or 6 and 100 once: with 250 two of three are prepaid.
        let ways = splits(&[(10.0, 0.0), (6.0, 100.0)], 3, 250.0);
        assert_eq!(ways[0], (22.0, 200.0, vec![1, 2]));
        assert_eq!(ways.last().expect("one"), &(30.0, 0.0, vec![3, 0]));
    }

    #[test]
    fn what_is_beaten_in_both_sums_goes() {
        let all = pareto(vec![(3.0, 1.0, 'a'), (1.0, 3.0, 'b'), (2.0, 3.0, 'c'), (2.5, 2.0, 'd')]);
        let names: Vec<char> = all.into_iter().map(|way| way.2).collect();
        assert_eq!(names, ['b', 'd', 'a']);
    }
}
