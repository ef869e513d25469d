//! `quality`: the floor of every request, a higher one for a premium share, and the mean over the month.

use super::codes;
use super::fields::{At, Map, Reader};
use super::node::{Value, numeral, quoted};
use super::range::Range;
use super::suggest;
use super::{Premium, QualityFloor};

/// Tier words, from low to high.
pub const TIERS: [&str; 4] = ["basic", "good", "very-good", "excellent"];

const FLOOR_KEYS: [&str; 5] = ["tier", "scale", "index", "benchmark", "min"];
const KEYS: &[&str] = &["tier", "scale", "index", "benchmark", "min", "premium", "mean"];
const PREMIUM_KEYS: &[&str] = &["share", "tier", "scale", "index", "benchmark", "min"];
const CURE: &str = "Write {tier: good}, {index: 45} or {benchmark: mmlu_pro, min: 0.55}";
const PREMIUM_CURE: &str = "Write {share: 0.2, tier: excellent}";
const INDEX: Range = Range::within(-1000.0, 1000.0, "index points, such as 45");
const SCORE: Range = Range::share("a score as a share from 0 to 1, such as 0.55");
const SHARE: Range = Range::share("the share of premium requests, more than 0 and at most 1").above(0.0);

/// What a workload asks of the quality of its answers.
#[derive(Default)]
pub(super) struct Asked {
    /// Floor of every request.
    pub(super) floor: Option<QualityFloor>,
    /// Higher floor of a share.
    pub(super) premium: Option<Premium>,
    /// Least mean over the month, index points.
    pub(super) mean: Option<f64>,
}

impl Reader<'_> {
    /// Floor, premium share and mean of a workload.
    pub(super) fn quality(&mut self, at: &At<'_>) -> Asked {
        let Some(map) = self.map(at, KEYS, CURE) else { return Asked::default() };
        let premium = map.get("premium").and_then(|at| self.premium(&at));
        let mean = self.number_at(&map, "mean", &INDEX);
        // Premium share and mean may stand alone.
        let alone = map.has("premium") || map.has("mean");
        let floor =
            if alone && !FLOOR_KEYS.iter().any(|key| map.has(key)) { None } else { self.floor(&map, CURE) };
        Asked { floor, premium, mean }
    }

    fn premium(&mut self, at: &At<'_>) -> Option<Premium> {
        let map = self.map(at, PREMIUM_KEYS, PREMIUM_CURE)?;
        let share = self.required(&map, "share", PREMIUM_CURE).and_then(|at| self.number(&at, &SHARE));
        let floor = self.floor(&map, PREMIUM_CURE);
        Some(Premium { share: share?, floor: floor? })
    }

    fn floor(&mut self, map: &Map<'_>, cure: &str) -> Option<QualityFloor> {
        let given: Vec<&str> =
            ["tier", "index", "benchmark"].into_iter().filter(|key| map.has(key)).collect();
        if given.len() != 1 {
            let cause = match given.as_slice() {
                [] => "no floor is given".to_owned(),
                several => format!("{} floors are given: {}", several.len(), several.join(", ")),
            };
            self.fault(codes::NOT_EXACTLY_ONE, &map.at, cause, format!("{cure}; exactly one of them"));
        }
        for (key, of) in [("scale", "tier"), ("min", "benchmark")] {
            if let Some(at) = map.get(key).filter(|_| !map.has(of)) {
                let cause = format!("{key} means something only beside {of}");
                self.fault(codes::CONTRADICTION, &at, cause, format!("Add {of}, or remove {key}"));
            }
        }
        let tier = map.get("tier").map(|at| self.tier(&at, map));
        let index = map.get("index").map(|at| self.number(&at, &INDEX).map(QualityFloor::Index));
        let benchmark = map.get("benchmark").map(|at| self.benchmark(&at, map));
        if given.len() == 1 { tier.or(index).or(benchmark).flatten() } else { None }
    }

    fn tier(&mut self, at: &At<'_>, map: &Map<'_>) -> Option<QualityFloor> {
        let words = TIERS.map(|tier| (tier, tier));
        let tier = self.word(at, "a quality tier", &words);
        let scale = match map.get("scale") {
            Some(at) => Some(self.scale(&at)?),
            None => None,
        };
        Some(QualityFloor::Tier { tier: tier?.to_owned(), scale })
    }

    /// Scales are named after years, so a bare number is as good as text.
    fn scale(&mut self, at: &At<'_>) -> Option<String> {
        let scale = match at.node.value {
            Value::Number(year) => numeral(year),
            _ => self.text(at, "the name of a tier scale, such as 2026")?.to_owned(),
        };
        let context = self.context;
        self.known(at, &scale, "tier scale", context.scales.iter().map(String::as_str)).then_some(scale)
    }

    fn benchmark(&mut self, at: &At<'_>, map: &Map<'_>) -> Option<QualityFloor> {
        let context = self.context;
        let benchmark = self.text(at, "the name of a benchmark, such as mmlu_pro").and_then(|name| {
            // `mmlu_pro` and `mmlu-pro` are the same benchmark; the catalog's spelling is kept.
            let plain = |name: &str| name.to_ascii_lowercase().replace('_', "-");
            let same = context.benchmarks.iter().find(|known| plain(known) == plain(name));
            let spelled = same.map_or(name, String::as_str).to_owned();
            let all = context.benchmarks.iter().map(String::as_str);
            self.known(at, &spelled, "benchmark", all).then_some(spelled)
        });
        let cure = "Write the least score as a share, such as 0.55";
        let min = self.required(map, "min", cure).and_then(|at| self.number(&at, &SCORE));
        Some(QualityFloor::Benchmark { benchmark: benchmark?, min: min? })
    }

    /// True for a name that the catalog has, and for every name where the catalog is not known.
    pub(super) fn known<'n>(
        &mut self,
        at: &At<'_>,
        name: &str,
        what: &str,
        names: impl Iterator<Item = &'n str>,
    ) -> bool {
        let names: Vec<&str> = names.collect();
        if names.is_empty() || names.iter().any(|known| known.eq_ignore_ascii_case(name)) {
            return true;
        }
        let cause = format!("{} is no {what} of the catalog", quoted(name));
        self.fault(codes::UNKNOWN_NAME, at, cause, suggest::instead(name, &names));
        false
    }
}
