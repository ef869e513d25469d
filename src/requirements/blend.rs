//! `routers` and `cascades`: ways through several targets whose quality the user has calibrated.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::codes;
use super::fields::{At, Map, Reader};
use super::node::quoted;
use super::range::Range;
use super::suggest;

/// A model router in front of a weak and a strong target: some requests go to one, the rest to the other.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Router {
    /// Its name, unique among routers and cascades.
    pub name: String,
    /// Workloads that may go through it.
    pub workloads: Vec<String>,
    /// Weak targets: globs on ids and aliases of models, and on measured options.
    pub weak: Vec<String>,
    /// Strong targets, likewise.
    pub strong: Vec<String>,
    /// What routing a request costs, USD.
    pub usd_per_request: f64,
    /// What it adds to the time to the first and to the last token, ms.
    pub added_ms: f64,
    /// Settings it was calibrated at.
    pub points: Vec<RouterPoint>,
}

/// One setting of a router.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RouterPoint {
    /// Share of requests that go to the strong target.
    pub strong_share: f64,
    /// Quality at that setting.
    pub quality: BlendQuality,
}

/// Cheap targets first; a judge passes on what it does not accept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Cascade {
    /// Its name, unique among routers and cascades.
    pub name: String,
    /// Workloads that may go through it.
    pub workloads: Vec<String>,
    /// Stages in their order, at least two.
    pub stages: Vec<Stage>,
    /// Quality of the whole.
    pub quality: BlendQuality,
}

/// One stage of a cascade.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Stage {
    /// Targets: globs on ids and aliases of models, and on measured options.
    pub models: Vec<String>,
    /// Share of the answers of this stage that the judge accepts; 1 at the last stage.
    pub accept_share: f64,
    /// What judging an answer of this stage costs, USD; 0 at the last stage.
    pub judge_usd: f64,
    /// What judging an answer of this stage takes, ms; 0 at the last stage.
    pub judge_ms: f64,
}

/// What a calibration says of quality.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum BlendQuality {
    /// Share of the gap between the weak and the strong (first and last) target's index that is recovered.
    Recovered(f64),
    /// Index points, whatever the targets.
    Index(f64),
}

impl BlendQuality {
    /// Index of a request, from those of the weak (first) and the strong (last) target.
    #[must_use]
    pub fn index(self, weak: Option<f64>, strong: Option<f64>) -> Option<f64> {
        match self {
            Self::Recovered(part) => Some(weak? + part * (strong? - weak?)),
            Self::Index(index) => Some(index),
        }
    }
}

const ROUTER_KEYS: &[&str] =
    &["name", "workloads", "weak", "strong", "usd_per_request", "added_ms", "points"];
const POINT_KEYS: &[&str] = &["strong_share", "recovered", "index"];
const CASCADE_KEYS: &[&str] = &["name", "workloads", "stages", "recovered", "index"];
const STAGE_KEYS: &[&str] = &["models", "accept_share", "judge_usd_per_request", "judge_ms"];
const ROUTER_CURE: &str =
    "Write {name: mf, weak: [small*], strong: [large*], points: [{strong_share: 0.3, recovered: 0.8}]}";
const POINT_CURE: &str = "Write {strong_share: 0.3, recovered: 0.8}, or {strong_share: 0.3, index: 58}";
const CASCADE_CURE: &str = "Write {name: frugal, stages: [{models: [small*], accept_share: 0.7}, {models: [large*]}], recovered: 0.9}";
const STAGE_CURE: &str = "Write {models: [small*], accept_share: 0.7}; the last stage has models only";
const GLOBS_CURE: &str = "Write a list of ids or patterns, such as [gpt-4o-mini, llama-*]";
const SHARE: Range = Range::share("a share more than 0 and less than 1, such as 0.3").above(0.0).below(1.0);
const ACCEPTED: Range =
    Range::share("a share more than 0 and less than 1, such as 0.7").above(0.0).below(1.0);
const RECOVERED: Range = Range::share("the share of the gap in quality that is recovered, from 0 to 1");
const INDEX: Range = Range::within(-1000.0, 1000.0, "index points, such as 58");
const USD: Range = Range::not_negative("what it costs per request, in USD");
const ADDED: Range = Range::not_negative("the milliseconds it adds");

impl Reader<'_> {
    /// Every router; `workloads` are the names in the file.
    pub(super) fn routers(&mut self, at: &At<'_>, workloads: &[&str]) -> Vec<Router> {
        let Some(items) = self.list(at, ROUTER_CURE) else { return Vec::new() };
        self.unique_names(&items, "name", "router");
        items.iter().filter_map(|item| self.router(item, workloads)).collect()
    }

    fn router(&mut self, at: &At<'_>, workloads: &[&str]) -> Option<Router> {
        let map = self.map(at, ROUTER_KEYS, ROUTER_CURE)?;
        let name = self.blend_name(&map);
        let served = self.blend_workloads(&map, workloads);
        let weak = self.globs(&map, "weak");
        let strong = self.globs(&map, "strong");
        let usd_per_request = self.number_at(&map, "usd_per_request", &USD).unwrap_or(0.0);
        let added_ms = self.number_at(&map, "added_ms", &ADDED).unwrap_or(0.0);
        let points =
            self.required(&map, "points", ROUTER_CURE).and_then(|at| self.filled_list(&at, POINT_CURE));
        let points = points?.iter().map(|item| self.router_point(item)).collect::<Option<Vec<_>>>();
        Some(Router {
            name: name?,
            workloads: served?,
            weak: weak?,
            strong: strong?,
            usd_per_request,
            added_ms,
            points: points?,
        })
    }

    fn router_point(&mut self, at: &At<'_>) -> Option<RouterPoint> {
        let map = self.map(at, POINT_KEYS, POINT_CURE)?;
        let share = self.required(&map, "strong_share", POINT_CURE).and_then(|at| self.number(&at, &SHARE));
        let quality = self.blend_quality(&map, POINT_CURE);
        Some(RouterPoint { strong_share: share?, quality: quality? })
    }

    /// Every cascade; `workloads` are the names in the file.
    pub(super) fn cascades(&mut self, at: &At<'_>, workloads: &[&str]) -> Vec<Cascade> {
        let Some(items) = self.list(at, CASCADE_CURE) else { return Vec::new() };
        self.unique_names(&items, "name", "cascade");
        items.iter().filter_map(|item| self.cascade(item, workloads)).collect()
    }

    fn cascade(&mut self, at: &At<'_>, workloads: &[&str]) -> Option<Cascade> {
        let map = self.map(at, CASCADE_KEYS, CASCADE_CURE)?;
        let name = self.blend_name(&map);
        let served = self.blend_workloads(&map, workloads);
        let quality = self.blend_quality(&map, CASCADE_CURE);
        let items =
            self.required(&map, "stages", CASCADE_CURE).and_then(|at| self.filled_list(&at, STAGE_CURE))?;
        if items.len() < 2 {
            self.fault(codes::NOTHING_GIVEN, &items[0], "a cascade has at least two stages", CASCADE_CURE);
            return None;
        }
        let last = items.len() - 1;
        let stages: Option<Vec<Stage>> =
            items.iter().enumerate().map(|(stage, item)| self.stage(item, stage == last)).collect();
        Some(Cascade { name: name?, workloads: served?, stages: stages?, quality: quality? })
    }

    fn stage(&mut self, at: &At<'_>, last: bool) -> Option<Stage> {
        let map = self.map(at, STAGE_KEYS, STAGE_CURE)?;
        let models = self.globs(&map, "models");
        if last {
            for key in &STAGE_KEYS[1..] {
                if let Some(at) = map.get(key) {
                    let cause = "the last stage answers whatever reaches it";
                    self.fault(codes::CONTRADICTION, &at, cause, "Remove it, or add a stage behind it");
                }
            }
            return Some(Stage { models: models?, accept_share: 1.0, judge_usd: 0.0, judge_ms: 0.0 });
        }
        let accepted =
            self.required(&map, "accept_share", STAGE_CURE).and_then(|at| self.number(&at, &ACCEPTED));
        let judge_usd = self.number_at(&map, "judge_usd_per_request", &USD).unwrap_or(0.0);
        let judge_ms = self.number_at(&map, "judge_ms", &ADDED).unwrap_or(0.0);
        Some(Stage { models: models?, accept_share: accepted?, judge_usd, judge_ms })
    }

    fn blend_name(&mut self, map: &Map<'_>) -> Option<String> {
        let at = self.required(map, "name", "Give it a name, such as mf")?;
        self.text(&at, "a name, such as mf").map(str::to_owned)
    }

    /// Exactly one of `recovered` and `index`.
    fn blend_quality(&mut self, map: &Map<'_>, cure: &str) -> Option<BlendQuality> {
        if map.has("recovered") == map.has("index") {
            let cause = match map.has("recovered") {
                true => "two qualities are given: recovered, index",
                false => "no quality is given",
            };
            self.fault(codes::NOT_EXACTLY_ONE, &map.at, cause, cure);
            return None;
        }
        let recovered = self.number_at(map, "recovered", &RECOVERED).map(BlendQuality::Recovered);
        recovered.or_else(|| self.number_at(map, "index", &INDEX).map(BlendQuality::Index))
    }

    /// Names of workloads; all of them where none is given.
    fn blend_workloads(&mut self, map: &Map<'_>, workloads: &[&str]) -> Option<Vec<String>> {
        let Some(at) = map.get("workloads") else {
            return Some(workloads.iter().map(|name| (*name).to_owned()).collect());
        };
        let items = self.list(&at, "Write a list of names of workloads")?;
        let mut names = Vec::new();
        for item in &items {
            let name = self.text(item, "the name of a workload")?;
            if !workloads.contains(&name) {
                let cause = format!("{} is no workload of this file", quoted(name));
                self.fault(codes::UNKNOWN_NAME, item, cause, suggest::instead(name, workloads));
            }
            names.push(name.to_owned());
        }
        Some(names)
    }

    fn globs(&mut self, map: &Map<'_>, key: &str) -> Option<Vec<String>> {
        let at = self.required(map, key, GLOBS_CURE)?;
        let items = self.filled_list(&at, GLOBS_CURE)?;
        items.iter().map(|item| self.text(item, "an id or a pattern").map(str::to_owned)).collect()
    }

    /// A list of at least one thing.
    fn filled_list<'n>(&mut self, at: &At<'n>, cure: &str) -> Option<Vec<At<'n>>> {
        let items = self.list(at, cure)?;
        if items.is_empty() {
            self.fault(codes::NOTHING_GIVEN, at, "the list is empty", cure);
            return None;
        }
        Some(items)
    }
}
