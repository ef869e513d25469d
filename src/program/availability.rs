//! Redundancy: how many spare replicas a pool needs so that enough are up.
//!
//! Replicas are independent with availability `a`: k needed of n holds with P(Bin(n, a) >= k).

/// Spares by replicas needed.
#[derive(Debug, Clone, PartialEq)]
pub struct Ladder {
    /// Entry s: the largest number of needed replicas for which s spares are enough. Never falls.
    pub needed_max: Vec<u32>,
}

impl Ladder {
    /// Spares so that P(Bin(needed + spares, up) >= needed) >= 1 - `unavailability_max`, up to `replicas_max`
    /// needed replicas.
    #[must_use]
    pub fn new(up: f64, unavailability_max: f64, replicas_max: u32) -> Self {
        let mut needed_max = Vec::new();
        let mut reached = 0;
        let mut spares = 0;
        while reached < replicas_max && spares < 64 {
            while reached < replicas_max
                && shortfall(reached + 1 + spares, reached + 1, up) <= unavailability_max
            {
                reached += 1;
            }
            needed_max.push(reached);
            spares += 1;
        }
        Self { needed_max }
    }

    /// Spares for so many needed replicas; `None` beyond the ladder's end.
    #[must_use]
    pub fn spares(&self, needed: u32) -> Option<u32> {
        if needed == 0 {
            return Some(0);
        }
        self.needed_max.iter().position(|most| needed <= *most).and_then(|at| u32::try_from(at).ok())
    }
}

/// P(Bin(n, up) < k): the share of time with too few replicas.
#[must_use]
pub fn shortfall(n: u32, k: u32, up: f64) -> f64 {
    if k == 0 {
        return 0.0;
    }
    // Terms for j = n - i replicas up, i down, from all up downwards: the tail beyond n - k down is the shortfall.
    let down = 1.0 - up;
    let mut term = up.powi(i32::try_from(n).unwrap_or(i32::MAX));
    let mut enough = term;
    for i in 1..=n.saturating_sub(k) {
        term *= f64::from(n - i + 1) / f64::from(i) * down / up;
        enough += term;
    }
    (1.0 - enough).max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shortfall_is_the_binomial_tail() {
        assert!((shortfall(1, 1, 0.995) - 0.005).abs() < 1e-12);
        assert!((shortfall(2, 1, 0.995) - 0.000_025).abs() < 1e-12);
        let by_hand = 1.0 - (0.9f64.powi(3) + 3.0 * 0.9f64.powi(2) * 0.1);
        assert!((shortfall(3, 2, 0.9) - by_hand).abs() < 1e-12);
    }

    #[test]
    fn a_ladder_gives_the_least_spares() {
        let ladder = Ladder::new(0.995, 1e-3, 60);
        for needed in 1..=60 {
            let spares = ladder.spares(needed).expect("inside the ladder");
            assert!(shortfall(needed + spares, needed, 0.995) <= 1e-3);
            assert!(spares == 0 || shortfall(needed + spares - 1, needed, 0.995) > 1e-3);
        }
    }

    #[test]
    fn pooling_never_needs_more_spares() {
        // What dominance relies on when two pools become one.
        for (up, most) in [(0.995, 1e-3), (0.99, 1e-2), (0.98, 1e-4)] {
            let ladder = Ladder::new(up, most, 80);
            for a in 1..40 {
                for b in 1..40 {
                    assert!(
                        ladder.spares(a + b) <= ladder.spares(a).zip(ladder.spares(b)).map(|(x, y)| x + y)
                    );
                }
            }
        }
    }
}
