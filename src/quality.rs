//! One quality index: who has how much of it, what a precision or a mode takes away, and what a floor asks for.
//!
//! In: the frozen index, the items and the dated scales of the catalog. Out: [`Scored`] targets, cut points and
//! verdicts as facts. It refits nothing and never predicts a benchmark score: a raw benchmark floor reads published
//! scores only. Method and constants: the quality study, sections 1 and 3.

use jiff::civil::Date;

use crate::catalog::{Api, Catalog, Model, Precision, QualityItem, QualityRow, TierScale};
use crate::requirements::QualityFloor;

/// Index points lost by switching thinking off, where no score without it was published: 15 pairs, quartiles 5.0 to
/// 10.3 (quality study, section 1, rule 6).
pub const NOTHINK_LOSS: f64 = 6.3;
/// The same at low effort.
pub const LOW_EFFORT_LOSS: f64 = 4.8;
/// The same at medium effort.
pub const MEDIUM_EFFORT_LOSS: f64 = 1.3;
/// Added to the standard deviation of a derived mode.
pub const DERIVED_MODE_SD: f64 = 3.0;
/// Fewer scores than this and a wider spread than [`UNKNOWN_SD`] make a model unknown (rule 5).
const UNKNOWN_SCORES: u32 = 2;
/// See [`UNKNOWN_SCORES`].
const UNKNOWN_SD: f64 = 3.0;
/// From this size on, a precision costs its large-model loss.
const LARGE_PARAMS: f64 = 7e9;
/// Below this size it costs its small-model loss; between, in proportion.
const SMALL_PARAMS: f64 = 4e9;
/// Below this size 4 bits cost twice the small-model loss (5.6 points at 1 billion against 2.8 at 3).
const TINY_PARAMS: f64 = 2e9;

/// Index points of one target, with one standard deviation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scored {
    /// Index, after the loss by precision.
    pub index: f64,
    /// One standard deviation, index points.
    pub sd: f64,
    /// Benchmark scores it rests on.
    pub scores: u32,
    /// True where the mode was derived from another by a mean difference: basis `assumed`.
    pub derived: bool,
}

/// Why a target has no index.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Unknown {
    /// The catalog names no subject of the index for it, or the index has none of that name.
    NoIndex,
    /// Too little to judge by: fewer than two scores and a spread above 3 points.
    TooFewScores {
        /// Scores there are.
        scores: u32,
        /// Their standard deviation.
        sd: f64,
    },
    /// It cannot answer without thinking first.
    ThinksAlways,
}

/// What a target is against a floor.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Verdict {
    /// At or above the floor.
    Passes,
    /// Known, and below the floor.
    Below {
        /// What it has.
        got: f64,
        /// What the floor asks for.
        need: f64,
    },
    /// Unknown never passes.
    Unknown {
        /// What the floor asks for; `None` for the tier `basic`, which asks only that an index exists.
        need: Option<f64>,
    },
}

/// How an index stands to a cut point.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pass {
    /// index >= cut: the mean is compared, not a quantile (rule 4).
    pub ok: bool,
    /// The cut point.
    pub cut: f64,
    /// Probability that the true index reaches the cut.
    pub probability: f64,
    /// Within one standard deviation of the cut.
    pub borderline: bool,
}

/// Modes an open model serves in: `default`, and `nothink` where it thinks by default and can be told not to.
#[must_use]
pub fn modes_of_model(model: &Model) -> &'static [&'static str] {
    modes(model.thinking_by_default, &model.lacks)
}

/// Modes a hosted model serves in.
#[must_use]
pub fn modes_of_api(api: &Api) -> &'static [&'static str] {
    modes(api.thinking, &api.lacks)
}

fn modes(thinks: bool, lacks: &[String]) -> &'static [&'static str] {
    if thinks && !lacks.iter().any(|word| word == "plain") { &["default", "nothink"] } else { &["default"] }
}

/// Index of an open model in a mode at a weight precision; `None` = unknown, which passes no floor.
#[must_use]
pub fn of_model(catalog: &Catalog, model: &Model, mode: &str, weights: &Precision) -> Option<Scored> {
    score_model(catalog, model, mode, weights).ok()
}

/// Index of an open model in a mode at a weight precision.
///
/// # Errors
/// [`Unknown`], with the reason.
pub fn score_model(
    catalog: &Catalog,
    model: &Model,
    mode: &str,
    weights: &Precision,
) -> Result<Scored, Unknown> {
    if mode == "nothink" && model.lacks.iter().any(|word| word == "plain") {
        return Err(Unknown::ThinksAlways);
    }
    let scored = score(
        catalog,
        Some(model.quality_subject.as_deref().unwrap_or(&model.id)),
        mode,
        model.thinking_by_default,
    )?;
    Ok(after_precision(catalog, model, weights, scored))
}

/// Index of a hosted model in a mode; `None` = unknown, which passes no floor.
#[must_use]
pub fn of_api(catalog: &Catalog, api: &Api, mode: &str) -> Option<Scored> {
    score_api(catalog, api, mode).ok()
}

/// Index of a hosted model in a mode.
///
/// # Errors
/// [`Unknown`], with the reason.
pub fn score_api(catalog: &Catalog, api: &Api, mode: &str) -> Result<Scored, Unknown> {
    if mode == "nothink" && api.lacks.iter().any(|word| word == "plain") {
        return Err(Unknown::ThinksAlways);
    }
    score(catalog, api.quality_subject.as_deref(), mode, api.thinking)
}

fn row<'c>(catalog: &'c Catalog, subject: &str, mode: &str) -> Option<&'c QualityRow> {
    let at = catalog
        .quality
        .binary_search_by(|row| (row.subject.as_str(), row.mode.as_str()).cmp(&(subject, mode)))
        .ok()?;
    catalog.quality.get(at)
}

/// Index of a subject the frozen index does not hold, by its published scores and the frozen items.
fn from_scores(catalog: &Catalog, subject: &str) -> Option<Scored> {
    let scores: Vec<(String, f64)> = catalog
        .quality_scores
        .iter()
        .filter(|row| row.subject == subject)
        .map(|row| (row.benchmark.clone(), row.score))
        .collect();
    score_new_model(&scores, &catalog.quality_items).scored
}

fn score(catalog: &Catalog, subject: Option<&str>, mode: &str, thinks: bool) -> Result<Scored, Unknown> {
    let subject = subject.ok_or(Unknown::NoIndex)?;
    if catalog.quality.binary_search_by(|row| row.subject.as_str().cmp(subject)).is_err() {
        let fresh = from_scores(catalog, subject).ok_or(Unknown::NoIndex)?;
        let loss = match mode {
            "nothink" => NOTHINK_LOSS,
            "low" => LOW_EFFORT_LOSS,
            "medium" => MEDIUM_EFFORT_LOSS,
            _ => 0.0,
        };
        if fresh.scores < UNKNOWN_SCORES && fresh.sd > UNKNOWN_SD {
            return Err(Unknown::TooFewScores { scores: fresh.scores, sd: fresh.sd });
        }
        let derived = loss > 0.0;
        let sd = fresh.sd + if derived { DERIVED_MODE_SD } else { 0.0 };
        return Ok(Scored { index: fresh.index - loss, sd, derived, ..fresh });
    }
    // A target that does not think is scored by the row without thinking, where there is one.
    let wanted = if !thinks && mode == "default" && row(catalog, subject, "nothink").is_some() {
        "nothink"
    } else {
        mode
    };
    let (found, loss) = match row(catalog, subject, wanted) {
        Some(found) => (found, None),
        None => {
            let loss = match wanted {
                "nothink" => NOTHINK_LOSS,
                "low" => LOW_EFFORT_LOSS,
                "medium" => MEDIUM_EFFORT_LOSS,
                _ => return Err(Unknown::NoIndex),
            };
            (row(catalog, subject, "default").ok_or(Unknown::NoIndex)?, Some(loss))
        }
    };
    if found.scores < UNKNOWN_SCORES && found.sd > UNKNOWN_SD {
        return Err(Unknown::TooFewScores { scores: found.scores, sd: found.sd });
    }
    Ok(Scored {
        index: found.index - loss.unwrap_or(0.0),
        sd: found.sd + if loss.is_some() { DERIVED_MODE_SD } else { 0.0 },
        scores: found.scores,
        derived: loss.is_some(),
    })
}

/// Lowers an index by what a precision costs; a checkpoint published in few bits was scored so and loses nothing.
fn after_precision(catalog: &Catalog, model: &Model, weights: &Precision, scored: Scored) -> Scored {
    if *weights == model.native {
        return scored;
    }
    let Some(fact) = catalog.precision(weights) else { return scored };
    if catalog.precision(&model.native).is_some_and(|native| fact.bytes_per_weight >= native.bytes_per_weight)
    {
        return scored;
    }
    let small_share = ((LARGE_PARAMS - model.total_params) / (LARGE_PARAMS - SMALL_PARAMS)).clamp(0.0, 1.0);
    let tiny = if model.total_params < TINY_PARAMS && fact.bits_class == 4 { 2.0 } else { 1.0 };
    let loss = fact.quality_loss + small_share * (fact.quality_loss_small * tiny - fact.quality_loss);
    Scored { index: scored.index - loss, sd: scored.sd.hypot(fact.quality_loss_sd), ..scored }
}

/// The scale pinned by name, else the one in force on a day.
#[must_use]
pub fn scale<'c>(catalog: &'c Catalog, as_of: Date, pinned: Option<&str>) -> Option<&'c TierScale> {
    match pinned {
        Some(name) => catalog.tiers.iter().find(|scale| scale.id == name),
        None => catalog.tiers.iter().rfind(|scale| scale.from <= as_of).or(catalog.tiers.first()),
    }
}

/// Cut point of a floor, index points; `None` for the tier `basic`, for unknown words, and for benchmark floors.
#[must_use]
pub fn cut(catalog: &Catalog, as_of: Date, floor: &QualityFloor) -> Option<f64> {
    match floor {
        QualityFloor::Tier { tier, scale: pinned } => {
            scale(catalog, as_of, pinned.as_deref()).and_then(|scale| scale.cuts.get(tier)).copied()
        }
        QualityFloor::Index(index) => Some(*index),
        QualityFloor::Benchmark { .. } => None,
    }
}

/// How an index stands to a cut point.
#[must_use]
pub fn passes(cut: f64, scored: Scored) -> Pass {
    Pass {
        ok: scored.index >= cut,
        cut,
        probability: probability(scored.index, scored.sd, cut),
        borderline: (scored.index - cut).abs() <= scored.sd,
    }
}

/// A target against a floor. `subject` is what a raw benchmark floor looks up.
#[must_use]
pub fn judge(
    catalog: &Catalog,
    as_of: Date,
    floor: &QualityFloor,
    scored: Option<&Scored>,
    subject: Option<&str>,
) -> Verdict {
    let (got, need) = match floor {
        QualityFloor::Benchmark { benchmark, min } => {
            (subject.and_then(|subject| published(catalog, subject, benchmark)), Some(*min))
        }
        QualityFloor::Tier { .. } | QualityFloor::Index(_) => {
            (scored.map(|scored| scored.index), cut(catalog, as_of, floor))
        }
    };
    match (got, need) {
        (None, need) => Verdict::Unknown { need },
        (Some(_), None) => Verdict::Passes,
        (Some(got), Some(need)) if got >= need => Verdict::Passes,
        (Some(got), Some(need)) => Verdict::Below { got, need },
    }
}

/// A published score, fraction 0 to 1; never a predicted one. `mmlu_pro` and `mmlu-pro` are the same word.
#[must_use]
pub fn published(catalog: &Catalog, subject: &str, benchmark: &str) -> Option<f64> {
    let same = |a: &str, b: &str| a.replace('_', "-").eq_ignore_ascii_case(&b.replace('_', "-"));
    catalog
        .quality_scores
        .iter()
        .find(|row| row.subject == subject && same(&row.benchmark, benchmark))
        .map(|row| row.score)
}

/// Probability that the true index reaches the cut: Phi((index - cut) / sd).
#[must_use]
pub fn probability(index: f64, sd: f64, cut: f64) -> f64 {
    if sd > 0.0 {
        normal(((index - cut) / sd).clamp(-40.0, 40.0))
    } else if index >= cut {
        1.0
    } else {
        0.0
    }
}

/// Normal distribution function; error below 7.5e-8 (Abramowitz and Stegun 26.2.17).
fn normal(z: f64) -> f64 {
    const COEFFICIENTS: [f64; 5] =
        [0.319_381_530, -0.356_563_782, 1.781_477_937, -1.821_255_978, 1.330_274_429];
    let t = 1.0 / (1.0 + 0.231_641_9 * z.abs());
    let tail = COEFFICIENTS.iter().rev().fold(0.0, |sum, c| (sum + c) * t) * (-z * z / 2.0).exp()
        / (2.0 * std::f64::consts::PI).sqrt();
    if z >= 0.0 { 1.0 - tail } else { tail }
}

/// Why a score of a new model was left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeftOut {
    /// No parameters for the benchmark.
    UnknownBenchmark,
    /// Not a fraction between 0 and 1.
    NotAFraction,
    /// At guessing, or as good as perfect: it says only "below" or "above".
    AtTheBound,
    /// More than 25 index points from what the other scores say.
    FarFromTheRest,
}

/// The index of a model that the frozen table does not have.
#[derive(Debug, Clone, PartialEq)]
pub struct NewModel {
    /// Index and spread; `None` where nothing could be used, or where two scores contradict each other.
    pub scored: Option<Scored>,
    /// Benchmarks used.
    pub used: Vec<String>,
    /// Benchmarks left out, and why.
    pub left_out: Vec<(String, LeftOut)>,
}

/// What one score says: an index and the weight it deserves.
struct Said {
    benchmark: String,
    index: f64,
    weight: f64,
}

/// Chance-corrected scores outside this range say only "below" or "above".
const CLIP: (f64, f64) = (0.01, 0.985);
/// Spread of the domains around the general index, points (the closed form's constant).
const DOMAIN_SD: f64 = 3.0;
/// Farthest a score may be from the rest, points.
const FARTHEST: f64 = 25.0;
/// No index is known better than this (floor of the study).
const LEAST_SD: f64 = 1.5;

/// Scores a new model by the frozen items: x_j = D_j + W_j y_j, index = sum x_j g_j / sum g_j with
/// g_j = 1 / (W_j^2 (s_j^2 + v_j) + 3.0^2) (quality study, section 3).
#[must_use]
pub fn score_new_model(scores: &[(String, f64)], items: &[QualityItem]) -> NewModel {
    let mut said = Vec::new();
    let mut left_out = Vec::new();
    for (benchmark, score) in scores {
        let same = |item: &&QualityItem| item.benchmark.eq_ignore_ascii_case(&benchmark.replace('_', "-"));
        match items.iter().find(same).ok_or(LeftOut::UnknownBenchmark).and_then(|item| says(item, *score)) {
            Ok((index, weight)) => said.push(Said { benchmark: benchmark.clone(), index, weight }),
            Err(why) => left_out.push((benchmark.clone(), why)),
        }
    }
    said.sort_by(|a, b| a.benchmark.cmp(&b.benchmark));
    while let Some((worst, distance)) = farthest(&said)
        && distance > FARTHEST
    {
        if said.len() == 2 {
            // Two scores that contradict each other: nothing says which of them is wrong.
            left_out.extend(said.drain(..).map(|one| (one.benchmark, LeftOut::FarFromTheRest)));
            break;
        }
        left_out.push((said.remove(worst).benchmark, LeftOut::FarFromTheRest));
    }
    let total: f64 = said.iter().map(|one| one.weight).sum();
    let scored = (total > 0.0).then(|| Scored {
        index: mean(said.iter()),
        sd: total.powf(-0.5).max(LEAST_SD),
        scores: u32::try_from(said.len()).unwrap_or(u32::MAX),
        derived: false,
    });
    NewModel { scored, used: said.into_iter().map(|one| one.benchmark).collect(), left_out }
}

fn says(item: &QualityItem, score: f64) -> Result<(f64, f64), LeftOut> {
    if !(0.0..=1.0).contains(&score) {
        return Err(LeftOut::NotAFraction);
    }
    let above_chance = (score - item.chance) / (1.0 - item.chance);
    if above_chance <= CLIP.0 || above_chance >= CLIP.1 {
        return Err(LeftOut::AtTheBound);
    }
    let logit = (above_chance / (1.0 - above_chance)).ln();
    // Sampling noise of n questions; where n is unknown the item's own noise stands alone.
    let sampling = item.items.filter(|items| *items > 0.0).map_or(0.0, |items| {
        score * (1.0 - score) / (items * ((1.0 - item.chance) * above_chance * (1.0 - above_chance)).powi(2))
    });
    let variance = item.width.powi(2) * (item.noise_logit.powi(2) + sampling) + DOMAIN_SD.powi(2);
    Ok((item.difficulty + item.width * logit, 1.0 / variance))
}

fn mean<'s>(said: impl Iterator<Item = &'s Said>) -> f64 {
    let (sum, weights) =
        said.fold((0.0, 0.0), |(sum, weights), one| (sum + one.index * one.weight, weights + one.weight));
    sum / weights
}

/// The score farthest from the mean of the others, with its distance.
fn farthest(said: &[Said]) -> Option<(usize, f64)> {
    if said.len() < 2 {
        return None;
    }
    (0..said.len())
        .map(|at| {
            let others = said.iter().enumerate().filter(|(other, _)| *other != at).map(|(_, one)| one);
            (at, (said[at].index - mean(others)).abs())
        })
        .max_by(|a, b| a.1.total_cmp(&b.1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_normal_distribution_is_that_of_the_tables() {
        for (z, p) in [(0.0, 0.5), (1.0, 0.841_344_7), (-1.96, 0.024_997_9), (3.0, 0.998_650_1)] {
            assert!((normal(z) - p).abs() < 1e-6, "{z}: {}", normal(z));
        }
        assert!(probability(40.0, 0.0, 45.0) < 1e-12);
        assert!((probability(45.0, 2.0, 45.0) - 0.5).abs() < 1e-6);
    }

    #[test]
    fn scores_that_contradict_each_other_give_no_index() {
        let items = [item("a", 40.0), item("b", 40.0), item("c", 40.0)];
        let far = score_new_model(&[("a".to_owned(), 0.9), ("b".to_owned(), 0.05)], &items);
        assert_eq!(far.scored, None);
        let two_agree =
            score_new_model(&[("a".to_owned(), 0.5), ("b".to_owned(), 0.52), ("c".to_owned(), 0.96)], &items);
        assert_eq!(two_agree.left_out, [("c".to_owned(), LeftOut::FarFromTheRest)]);
        assert_eq!(two_agree.used, ["a", "b"]);
    }

    fn item(name: &str, difficulty: f64) -> QualityItem {
        QualityItem {
            benchmark: name.to_owned(),
            chance: 0.0,
            items: Some(500.0),
            difficulty,
            width: 10.0,
            noise_logit: 0.2,
        }
    }
}
