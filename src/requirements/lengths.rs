//! `tokens`: how long requests are. Means, lognormals through mean and p95, or a trace, as weighted points.
//!
//! Input and output of a lognormal are taken as independent: real traces correlate weakly, and the file says
//! nothing of it. Every thinning keeps means exactly, because each point is the mean of its bin.

use super::codes;
use super::fields::{At, Map, Reader};
use super::node::{Value, numeral};
use super::range::Range;
use super::warning::Warning;
use super::{Lengths, Spread};

/// Most points of a workload; the oracle's time grows with it.
pub(super) const POINTS_MAX: usize = 64;

/// Inner edges of the eight bins of one dimension, as shares of requests: the percentiles that limits are set at (p50,
/// p90, p95, p99) lie in the middle of a bin, so that its mean stands for them.
const EDGES: [f64; 7] = [0.30, 0.70, 0.86, 0.93, 0.97, 0.985, 0.995];
/// Standard normal quantiles of [`EDGES`].
const EDGES_Z: [f64; 7] = [
    -0.524_400_512_708_040_7,
    0.524_400_512_708_040_7,
    1.080_319_340_814_956,
    1.475_791_028_179_170_8,
    1.880_793_608_151_250_4,
    2.170_090_377_584_56,
    2.575_829_303_548_9,
];
/// Standard normal quantile of 95 %.
const Z95: f64 = 1.644_853_626_951_472_7;

const KEYS: &[&str] = &["input", "output", "reasoning"];
const SPREAD_KEYS: &[&str] = &["mean", "p95"];
const CURE: &str = "Write {input: 150, output: 100}, each a mean or {mean: 150, p95: 500}";
const MEAN: Range = Range::positive("the mean number of tokens, such as 150").from(1.0);
const P95: Range = Range::positive("the 95th percentile of tokens, such as 500").from(1.0);
const REASONING: Range = Range::not_negative("the mean number of reasoning tokens, such as 800");

/// One of `input`, `output`, `reasoning`.
#[derive(Debug, Clone, Copy)]
struct Length {
    mean: f64,
    /// Standard deviation of the logarithm; `None` for a constant.
    sigma: Option<f64>,
}

/// What a trace says of lengths.
pub(super) struct Empirical {
    /// Points, thinned.
    pub(super) points: Vec<(f64, f64, f64)>,
    /// Longest request, tokens.
    pub(super) longest: f64,
}

impl Reader<'_> {
    /// Lengths of a workload, and the longest request they know of.
    pub(super) fn lengths(
        &mut self,
        map: &Map<'_>,
        name: &str,
        turns: u32,
        trace: Option<&Empirical>,
        traced: bool,
    ) -> Option<(Lengths, f64)> {
        let tokens = match (map.get("tokens"), traced) {
            (Some(at), _) => Some(self.map(&at, KEYS, CURE)?),
            (None, true) => None,
            (None, false) => {
                self.required(map, "tokens", CURE)?;
                None
            }
        };
        let reasoning = tokens.as_ref().and_then(|tokens| tokens.get("reasoning"));
        let reasoning = reasoning.and_then(|at| self.length(&at, &REASONING)).map(|length| length.mean);
        let own = tokens.filter(|tokens| !traced || tokens.has("input") || tokens.has("output"));
        let Some(tokens) = own else {
            let trace = trace?;
            let (input_mean, output_mean) = means(&trace.points);
            let points = trace.points.clone();
            let lengths =
                Lengths { input_mean, output_mean, reasoning_mean: reasoning, spread: Spread::Trace, points };
            return Some((lengths, trace.longest));
        };
        let input = self.required(&tokens, "input", "Write the mean number of prompt tokens, such as 150");
        let input = input.and_then(|at| self.length(&at, &MEAN));
        let output = self.required(&tokens, "output", "Write the mean number of answer tokens, such as 100");
        let output = output.and_then(|at| self.length(&at, &MEAN));
        let (input, output) = (input?, output?);
        let constant = input.sigma.is_none() && output.sigma.is_none();
        if constant {
            self.warnings.push(Warning::ConstantLengths { workload: name.to_owned() });
        }
        let points = over_turns(&grid(input, output), turns);
        let longest = points.iter().map(|(input, output, _)| input + output).fold(0.0, f64::max).ceil();
        let (input_mean, output_mean) = means(&points);
        let spread = if constant { Spread::Constant } else { Spread::Lognormal };
        Some((Lengths { input_mean, output_mean, reasoning_mean: reasoning, spread, points }, longest))
    }

    fn length(&mut self, at: &At<'_>, range: &Range) -> Option<Length> {
        if !matches!(at.node.value, Value::Map(_)) {
            return self.number(at, range).map(|mean| Length { mean, sigma: None });
        }
        let map = self.map(at, SPREAD_KEYS, CURE)?;
        let mean = self.required(&map, "mean", "Write the mean beside p95, or the mean alone as a number");
        let mean = mean.and_then(|at| self.number(&at, range));
        let p95 = self.number_at(&map, "p95", &P95);
        let mean = mean?;
        if !map.has("p95") {
            return Some(Length { mean, sigma: None });
        }
        let p95 = p95?;
        match lognormal_sigma(mean, p95) {
            Some(sigma) => Some(Length { mean, sigma: Some(sigma) }),
            None => {
                let (cause, cure) = impossible(mean, p95);
                self.fault(codes::IMPOSSIBLE_SPREAD, at, cause, cure);
                None
            }
        }
    }
}

fn impossible(mean: f64, p95: f64) -> (String, String) {
    if p95 <= mean {
        let cause = format!("p95 {} is not above the mean {}", numeral(p95), numeral(mean));
        return (cause, "Write a p95 above the mean, or the mean alone for constant lengths".to_owned());
    }
    let most = (mean * (Z95 * Z95 / 2.0).exp()).floor();
    (
        format!("no lognormal has mean {} and p95 {}", numeral(mean), numeral(p95)),
        format!(
            "A p95 is at most 3.868 times the mean, here {}; for a longer tail give a trace",
            numeral(most)
        ),
    )
}

/// The smaller s of exp(mu + s²/2) = mean and exp(mu + z·s) = p95, so s² / 2 − z·s + ln(p95/mean) = 0, hence
/// s = z − √(z² − 2·ln(p95/mean)). No s exists where p95 ≤ mean or p95/mean > exp(z²/2) = 3.868.
fn lognormal_sigma(mean: f64, p95: f64) -> Option<f64> {
    let log_ratio = (p95 / mean).ln();
    let root = Z95 * Z95 - 2.0 * log_ratio;
    (log_ratio > 0.0 && root >= 0.0).then(|| Z95 - root.sqrt())
}

/// Mean of each bin and its share: one bin for a constant, eight for a lognormal.
fn bins(length: Length) -> Vec<(f64, f64)> {
    let Some(sigma) = length.sigma else {
        return vec![(length.mean, 1.0)];
    };
    // Partial expectation of a lognormal up to quantile z: mean · Φ(z − s). Differences telescope to the mean.
    let below = |z: f64| length.mean * normal_cdf(z - sigma);
    let mut points = Vec::with_capacity(EDGES.len() + 1);
    let (mut share_before, mut sum_before) = (0.0, 0.0);
    for (edge, z) in EDGES.iter().zip(EDGES_Z) {
        let sum = below(z);
        points.push(((sum - sum_before) / (edge - share_before), edge - share_before));
        (share_before, sum_before) = (*edge, sum);
    }
    points.push(((length.mean - sum_before) / (1.0 - share_before), 1.0 - share_before));
    points
}

/// Every pair of an input bin and an output bin.
fn grid(input: Length, output: Length) -> Vec<(f64, f64, f64)> {
    let outputs = bins(output);
    let pairs = bins(input).into_iter().flat_map(|(input, share)| {
        outputs.iter().map(move |(output, other)| (input, *output, share * other))
    });
    pairs.collect()
}

/// Points over the turns of a conversation. Each turn is a request; its prompt holds the new text of this and
/// every earlier turn and all earlier answers: prompt of turn k = k·input + (k − 1)·output.
fn over_turns(points: &[(f64, f64, f64)], turns: u32) -> Vec<(f64, f64, f64)> {
    let share = 1.0 / f64::from(turns);
    let all = (1..=turns).flat_map(|turn| {
        let turn = f64::from(turn);
        points.iter().map(move |(input, output, weight)| {
            (turn * input + (turn - 1.0) * output, *output, weight * share)
        })
    });
    thinned(all.collect())
}

/// At most [`POINTS_MAX`] points of the same means, in order of input, then output, weights summing to 1.
pub(super) fn thinned(mut points: Vec<(f64, f64, f64)>) -> Vec<(f64, f64, f64)> {
    let order = |a: &(f64, f64, f64), b: &(f64, f64, f64)| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1));
    points.sort_by(order);
    points.dedup_by(|later, first| {
        let same = order(later, first).is_eq();
        if same {
            first.2 += later.2;
        }
        same
    });
    if points.len() > POINTS_MAX {
        let mut kept = Vec::with_capacity(POINTS_MAX);
        for mut column in split(&points) {
            column.sort_by(|a, b| a.1.total_cmp(&b.1).then(a.0.total_cmp(&b.0)));
            kept.extend(split(&column).iter().map(|bin| centre(bin)));
        }
        kept.sort_by(order);
        points = kept;
    }
    let total: f64 = points.iter().map(|point| point.2).sum();
    points.into_iter().map(|(input, output, weight)| (input, output, weight / total)).collect()
}

/// Cuts points, in their order, at [`EDGES`] of their weight; empty bins are left out.
fn split(points: &[(f64, f64, f64)]) -> Vec<Vec<(f64, f64, f64)>> {
    let total: f64 = points.iter().map(|point| point.2).sum();
    let mut bins = vec![Vec::new(); EDGES.len() + 1];
    let mut before = 0.0;
    for point in points {
        let middle = (before + point.2 / 2.0) / total;
        before += point.2;
        bins[EDGES.partition_point(|edge| *edge < middle)].push(*point);
    }
    bins.retain(|bin| !bin.is_empty());
    bins
}

fn centre(points: &[(f64, f64, f64)]) -> (f64, f64, f64) {
    let weight: f64 = points.iter().map(|point| point.2).sum();
    let (input, output) = means(points);
    (input, output, weight)
}

/// Weighted means of input and output.
fn means(points: &[(f64, f64, f64)]) -> (f64, f64) {
    let (input, output, weight) = points.iter().fold((0.0, 0.0, 0.0), |sum, (input, output, weight)| {
        (sum.0 + input * weight, sum.1 + output * weight, sum.2 + weight)
    });
    (input / weight, output / weight)
}

/// Φ by the rational Chebyshev fit of erfc in Numerical Recipes (2nd ed., §6.2), relative error below 1.2e-7:
/// means are exact all the same, because the bins telescope.
fn normal_cdf(z: f64) -> f64 {
    const C: [f64; 10] = [
        -1.265_512_23,
        1.000_023_68,
        0.374_091_96,
        0.096_784_18,
        -0.186_288_06,
        0.278_868_07,
        -1.135_203_98,
        1.488_515_87,
        -0.822_152_23,
        0.170_872_77,
    ];
    let x = z.abs() / std::f64::consts::SQRT_2;
    let t = 1.0 / (1.0 + 0.5 * x);
    let sum = C.iter().rev().fold(0.0, |sum, c| sum * t + c);
    let upper = 0.5 * t * (sum - x * x).exp();
    if z > 0.0 { 1.0 - upper } else { upper }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lognormal(mean: f64, p95: f64) -> Length {
        Length { mean, sigma: lognormal_sigma(mean, p95) }
    }

    #[test]
    fn a_lognormal_goes_through_mean_and_p95() {
        let sigma = lognormal_sigma(150.0, 400.0).unwrap();
        let mu = 150.0_f64.ln() - sigma * sigma / 2.0;
        assert!(((mu + Z95 * sigma).exp() - 400.0).abs() < 1e-9);
        assert!(lognormal_sigma(150.0, 150.0).is_none());
        assert!(lognormal_sigma(150.0, 150.0 * 3.87).is_none());
        assert!(lognormal_sigma(150.0, 150.0 * 3.86).is_some());
    }

    #[test]
    fn bins_keep_the_mean_and_grow() {
        let bins = bins(lognormal(150.0, 500.0));
        let mean: f64 = bins.iter().map(|(value, share)| value * share).sum();
        assert!((mean - 150.0).abs() < 1e-9);
        assert!(bins.windows(2).all(|pair| pair[0].0 < pair[1].0));
        assert!((bins[4].0 / 500.0 - 1.0).abs() < 0.03, "the bin of p95 stands for it: {}", bins[4].0);
    }

    #[test]
    fn turns_keep_the_mean_of_a_conversation() {
        let points = over_turns(&grid(lognormal(150.0, 500.0), lognormal(100.0, 300.0)), 5);
        assert!(points.len() <= POINTS_MAX);
        let (input, output) = means(&points);
        // Mean over k = 1..5 of k·150 + (k − 1)·100 = 3·150 + 2·100.
        assert!((input - 650.0).abs() < 1e-9, "{input}");
        assert!((output - 100.0).abs() < 1e-9);
        assert!((points.iter().map(|point| point.2).sum::<f64>() - 1.0).abs() < 1e-12);
    }

    #[test]
    fn the_normal_distribution_is_the_normal_distribution() {
        for (edge, z) in EDGES.iter().zip(EDGES_Z) {
            assert!((normal_cdf(z) - edge).abs() < 1e-7);
        }
    }
}
