//! Is the better of two configurations predicted to be the better one?
//!
//! In: figures of configurations in groups within which they compete. Out: how many pairs are ordered right. Pairs that
//! are measured nearly alike are left out, and so are two measurements of one configuration.

use std::collections::BTreeMap;

/// A configuration in a group.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    /// What competes with each other.
    pub group: String,
    /// The configuration; two figures of one are no pair.
    pub who: String,
    /// The model, for shares in which each counts alike.
    pub model: String,
    /// As measured.
    pub measured: f64,
    /// As predicted.
    pub predicted: f64,
}

/// Pairs measured closer than this are a tie.
pub const APART: f64 = 1.1;

/// How pairs fare.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Order {
    /// Pairs and those ordered right, by model.
    pub models: BTreeMap<String, (usize, usize)>,
}

impl Order {
    /// Pairs.
    #[must_use]
    pub fn pairs(&self) -> usize {
        self.models.values().map(|(pairs, _)| pairs).sum()
    }

    /// Those ordered right.
    #[must_use]
    pub fn right(&self) -> usize {
        self.models.values().map(|(_, right)| right).sum()
    }

    /// Share ordered right, each model counting alike; NaN without pairs.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "counts of pairs")]
    pub fn balanced(&self) -> f64 {
        let shares = self.models.values().map(|(pairs, right)| *right as f64 / *pairs as f64);
        shares.sum::<f64>() / self.models.len() as f64
    }
}

/// Every pair of every group. A prediction that ties two configurations is wrong.
#[must_use]
pub fn order(figures: &[Figure]) -> Order {
    let mut groups: BTreeMap<&str, Vec<&Figure>> = BTreeMap::new();
    for figure in figures {
        groups.entry(&figure.group).or_default().push(figure);
    }
    let mut order = Order::default();
    for group in groups.values() {
        for (at, a) in group.iter().enumerate() {
            for b in &group[at + 1..] {
                let apart = (a.measured / b.measured).max(b.measured / a.measured) > APART;
                if apart && a.who != b.who {
                    let (pairs, right) = order.models.entry(a.model.clone()).or_default();
                    *pairs += 1;
                    *right += usize::from((a.measured - b.measured) * (a.predicted - b.predicted) > 0.0);
                }
            }
        }
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figure(who: &str, measured: f64, predicted: f64) -> Figure {
        Figure { group: "g".into(), who: who.into(), model: "m".into(), measured, predicted }
    }

    #[test]
    fn ties_and_repeats_are_no_pairs() {
        let figures = [
            figure("a", 10.0, 11.0),
            figure("b", 20.0, 15.0),
            figure("b", 30.0, 15.0),
            figure("c", 10.5, 1.0),
        ];
        let order = order(&figures);
        // a-b, a-b', b-c, b'-c; not a-c (measured alike) and not b-b'.
        assert_eq!((order.pairs(), order.right()), (4, 4));
    }

    #[test]
    fn a_predicted_tie_is_wrong() {
        assert_eq!(order(&[figure("a", 1.0, 5.0), figure("b", 2.0, 5.0)]).right(), 0);
    }
}
