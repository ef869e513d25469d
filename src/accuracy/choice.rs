//! The optimiser's curse: who picks the best of many predictions picks errors, so how often does the pick fail?
//!
//! In: contenders with predicted and measured time between tokens. Out: for a confidence, how many picks break their limit
//! when measured, and what the margin costs. A pick is the highest predicted tokens/s/GPU among those whose predicted
//! TPOT, times the one-sided quantile of its interval, is within the limit. It plans nothing.

use std::collections::BTreeMap;

use crate::calibrate::quantile;
use crate::estimate::one_sided;

/// Limits on the time between tokens, ms.
pub const LIMITS_MS: [f64; 9] = [8.0, 10.0, 12.5, 15.0, 20.0, 25.0, 30.0, 40.0, 50.0];
/// Confidences that are told.
pub const CONFIDENCES: [f64; 4] = [0.5, 0.75, 0.9, 0.95];

/// A configuration under a number of clients.
#[derive(Debug, Clone, PartialEq)]
pub struct Contender {
    /// Contenders of one group are chosen among: same model, lengths and load.
    pub group: String,
    /// The configuration and its clients; one measured twice is one contender.
    pub who: String,
    /// Clients a GPU.
    pub clients_per_gpu: f64,
    /// Time between tokens as measured, ms.
    pub measured_ms: f64,
    /// As predicted, ms.
    pub predicted_ms: f64,
    /// Factor of the stated two-sided 90 % interval.
    pub factor_90: f64,
}

impl Contender {
    fn tokens_per_s(&self, tpot_ms: f64) -> f64 {
        1000.0 * self.clients_per_gpu / tpot_ms
    }
}

/// What became of the choices at one confidence.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Choices {
    /// Groups with two contenders or more.
    pub groups: usize,
    /// Choices made.
    pub made: usize,
    /// Those that break the limit when measured.
    pub broken: usize,
    /// Choices among contenders of which some break the limit when measured: there was something to get wrong.
    pub contested: usize,
    /// Limits that some contender meets when measured, and none when predicted.
    pub missed: usize,
    /// Of choices that keep the limit: 1 - tokens/s/GPU over that of the best that keeps it.
    regrets: Vec<f64>,
}

impl Choices {
    /// Share of the choices that break their limit; NaN of none.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "counts of choices")]
    pub fn broken_share(&self) -> f64 {
        self.broken as f64 / self.made as f64
    }

    /// A quantile of the regret; NaN of none.
    #[must_use]
    pub fn regret(&self, share: f64) -> f64 {
        quantile(&self.regrets, share)
    }
}

/// Chooses in every group under every limit of [`LIMITS_MS`].
#[must_use]
pub fn choices(contenders: &[Contender], confidence: f64) -> Choices {
    let mut choices = Choices::default();
    for group in groups(contenders) {
        choices.groups += 1;
        for limit_ms in LIMITS_MS {
            let held = |c: &&Contender| c.predicted_ms * one_sided(c.factor_90, confidence) <= limit_ms;
            let predicted = |c: &Contender| c.tokens_per_s(c.predicted_ms);
            let measured = |c: &Contender| c.tokens_per_s(c.measured_ms);
            // The first of equals, in the order of names.
            let chosen = group
                .iter()
                .filter(held)
                .reduce(|best, next| if predicted(next) > predicted(best) { next } else { best });
            let best =
                group.iter().filter(|c| c.measured_ms <= limit_ms).map(measured).max_by(f64::total_cmp);
            let Some(chosen) = chosen else {
                choices.missed += usize::from(best.is_some());
                continue;
            };
            choices.made += 1;
            choices.contested += usize::from(group.iter().any(|c| c.measured_ms > limit_ms));
            match best {
                Some(best) if chosen.measured_ms <= limit_ms => {
                    choices.regrets.push(1.0 - measured(chosen) / best);
                }
                _ => choices.broken += 1,
            }
        }
    }
    choices
}

/// Groups of two and more, each contender once: with the median of its measurements.
fn groups(contenders: &[Contender]) -> Vec<Vec<Contender>> {
    let mut groups: BTreeMap<&str, BTreeMap<&str, Vec<&Contender>>> = BTreeMap::new();
    for contender in contenders {
        groups.entry(&contender.group).or_default().entry(&contender.who).or_default().push(contender);
    }
    let once = |same: Vec<&Contender>| {
        let measured: Vec<f64> = same.iter().map(|c| c.measured_ms).collect();
        Contender { measured_ms: quantile(&measured, 0.5), ..same[0].clone() }
    };
    let whole = |group: BTreeMap<&str, Vec<&Contender>>| group.into_values().map(once).collect::<Vec<_>>();
    groups.into_values().map(whole).filter(|group| group.len() > 1).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Twelve groups of forty contenders whose errors are spread over e^-0.5 .. e^0.5 by a fixed rule.
    fn fixed() -> Vec<Contender> {
        let mut all = Vec::new();
        for group in 0..12_u32 {
            for at in 0..40_u32 {
                let clients = f64::from(1 + at % 10 * 6);
                let measured_ms = (4.0 + f64::from(group)) * (1.0 + clients / 40.0) / f64::from(1 + at / 10);
                let error = f64::from((group * 131 + at * 71) % 101) / 101.0 - 0.5;
                all.push(Contender {
                    group: format!("{group:02}"),
                    who: format!("{at:02}"),
                    clients_per_gpu: clients / f64::from(1 + at / 10),
                    measured_ms,
                    predicted_ms: measured_ms * error.exp(),
                    factor_90: 1.6,
                });
            }
        }
        all
    }

    #[test]
    fn more_confidence_breaks_fewer_limits() {
        let found = CONFIDENCES.map(|confidence| choices(&fixed(), confidence));
        let shares = found.each_ref().map(Choices::broken_share);
        assert!(shares.windows(2).all(|pair| pair[1] <= pair[0]), "{shares:?}");
        assert!(shares[0] > 0.2 && shares[3] < 0.5 * shares[0], "{shares:?}");
        let missed = found.each_ref().map(|choices| choices.missed);
        assert!(missed.windows(2).all(|pair| pair[1] >= pair[0]), "{missed:?}");
    }

    #[test]
    fn a_perfect_oracle_regrets_nothing() {
        let perfect: Vec<Contender> =
            fixed().into_iter().map(|c| Contender { predicted_ms: c.measured_ms, ..c }).collect();
        let found = choices(&perfect, 0.5);
        assert_eq!((found.broken, found.missed), (0, 0));
        assert!(found.regret(0.9).abs() < 1e-12);
        assert!(found.made > found.groups);
    }
}
