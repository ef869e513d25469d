//! `workloads`: one traffic class each, put together from the sections below it.

use std::collections::BTreeMap;

use super::codes;
use super::fields::{At, Map, Reader};
use super::node::quoted;
use super::range::Range;
use super::warning::Warning;
use super::{LatencyLimit, LatencyMeasure, Statistic, Workload};

const KEYS: &[&str] = &[
    "name",
    "requests",
    "tokens",
    "turns",
    "latency",
    "quality",
    "needs",
    "context_tokens",
    "cache",
    "deferrable_hours",
    "data",
];
const CURE: &str = "Write a map with name, requests and tokens";

/// Words of `needs`.
pub const NEEDS: [&str; 5] = ["tools", "json", "vision", "reasoning", "long-output"];
/// Words of `data`.
pub const DATA: [&str; 3] = ["no-training", "eu-only", "on-premises"];

const MEASURES: [(LatencyMeasure, &str); 3] =
    [(LatencyMeasure::Ttft, "ttft_ms"), (LatencyMeasure::Tpot, "tpot_ms"), (LatencyMeasure::E2e, "e2e_ms")];
const STATISTICS: [(Statistic, &str); 5] = [
    (Statistic::Mean, "mean"),
    (Statistic::P50, "p50"),
    (Statistic::P90, "p90"),
    (Statistic::P95, "p95"),
    (Statistic::P99, "p99"),
];

const TURNS: Range = Range::within(1.0, 1000.0, "how many requests a conversation has, 1 or more");
const LIMIT: Range = Range::milliseconds("the longest time in milliseconds, such as 2000");
const CONTEXT: Range = Range::positive("the tokens of the longest request, such as 8192").from(1.0);
const HIT: Range = Range::share("a share from 0 up to but not including 1, such as 0.2").below(1.0);
const WAIT: Range = Range::within(0.0, 720.0, "how many hours the work may wait, 0 for not at all");

impl Reader<'_> {
    /// Every workload of the file.
    pub(super) fn workloads(&mut self, root: &Map<'_>, hours_per_month: f64) -> Vec<Workload> {
        let cure = "Write a list of at least one workload with name, requests and tokens";
        let Some(at) = self.required(root, "workloads", cure) else { return Vec::new() };
        let Some(items) = self.list(&at, cure) else { return Vec::new() };
        if items.is_empty() {
            self.fault(codes::NOTHING_GIVEN, &at, "the list of workloads is empty", cure);
        }
        self.unique_names(&items, "name", "workload");
        items.iter().filter_map(|item| self.workload(item, hours_per_month)).collect()
    }

    /// Faults every name that stands twice under `key` in a list of maps.
    pub(super) fn unique_names(&mut self, items: &[At<'_>], key: &str, what: &str) {
        let mut first_at: BTreeMap<&str, String> = BTreeMap::new();
        for item in items {
            let super::node::Value::Map(entries) = &item.node.value else { continue };
            let Some(entry) = entries.iter().find(|entry| entry.key == key) else { continue };
            let super::node::Value::Text(name) = &entry.node.value else { continue };
            let at = At { node: &entry.node, key: format!("{}.{key}", item.key) };
            if let Some(first) = first_at.get(name.as_str()) {
                let cause = format!("{} is already the name of {first}", quoted(name));
                self.fault(codes::DUPLICATE_NAME, &at, cause, format!("Give each {what} a name of its own"));
            } else {
                first_at.insert(name, item.key.clone());
            }
        }
    }

    fn workload(&mut self, at: &At<'_>, hours_per_month: f64) -> Option<Workload> {
        let map = self.map(at, KEYS, CURE)?;
        let name = self.required(&map, "name", "Give the workload a name, such as support");
        let name = name.and_then(|at| self.text(&at, "a name, such as support"));
        // Warnings name the workload; without a name the key stands in for it.
        let shown = name.unwrap_or(&at.key).to_owned();
        let requests_at =
            self.required(&map, "requests", "Write how many requests come, such as {per_day: 1000}");
        let (requests, trace) = match &requests_at {
            Some(at) => self.requests(at, &shown, hours_per_month),
            None => (None, None),
        };
        let traced = requests_at.is_some_and(|at| self.names_trace(&at));
        let turns =
            map.get("turns").and_then(|at| self.turns(&at, traced && !map.has("tokens"))).unwrap_or(1);
        let lengths = self.lengths(&map, &shown, turns, trace.as_ref().map(|trace| &trace.lengths), traced);
        let latency = map.get("latency").map(|at| self.latency(&at, &shown)).unwrap_or_default();
        let quality = map.get("quality").map(|at| self.quality(&at)).unwrap_or_default();
        let needs = map.get("needs").map(|at| self.words(&at, "a need", &NEEDS)).unwrap_or_default();
        let data = map.get("data").map(|at| self.words(&at, "a data rule", &DATA)).unwrap_or_default();
        let context = self.number_at(&map, "context_tokens", &CONTEXT);
        let (response_hit, prefix_hit) = map.get("cache").map(|at| self.cache(&at)).unwrap_or_default();
        let deferrable_hours = map.get("deferrable_hours").map_or(0.0, |at| self.deferrable(&at));
        let (lengths, longest) = lengths?;
        let context_tokens = context.unwrap_or(longest);
        if context_tokens < longest {
            let workload = shown.clone();
            self.warnings.push(Warning::ContextBelowLengths { workload, context_tokens, longest });
        }
        let requests = requests?;
        Some(Workload {
            name: name?.to_owned(),
            hourly_rps: requests.hourly_rps,
            weekend_rps: requests.weekend_rps,
            peak_factor: requests.peak_factor,
            lengths,
            latency,
            quality: quality.floor,
            premium: quality.premium,
            quality_mean: quality.mean,
            needs,
            context_tokens,
            response_hit,
            prefix_hit,
            deferrable_hours,
            data,
        })
    }

    fn names_trace(&self, at: &At<'_>) -> bool {
        match &at.node.value {
            super::node::Value::Map(entries) => entries.iter().any(|entry| entry.key == "trace"),
            _ => false,
        }
    }

    fn turns(&mut self, at: &At<'_>, lengths_from_trace: bool) -> Option<u32> {
        let turns = self.whole(at, &TURNS)?;
        if turns > 1 && lengths_from_trace {
            let cause = "the prompts of a trace already hold the earlier turns";
            self.fault(codes::CONTRADICTION, at, cause, "Remove turns, or give tokens of the first turn");
            return None;
        }
        Some(turns)
    }

    fn latency(&mut self, at: &At<'_>, workload: &str) -> Vec<LatencyLimit> {
        let keys = MEASURES.map(|(_, key)| key);
        let statistics = STATISTICS.map(|(_, key)| key);
        let Some(map) = self.map(at, &keys, "Write {e2e_ms: {p95: 2000}}") else { return Vec::new() };
        let mut limits = Vec::new();
        for (measure, key) in MEASURES {
            let Some(at) = map.get(key) else { continue };
            let cure = match at.node.value {
                super::node::Value::Number(ms) => format!("Write {{p95: {}}}", super::node::numeral(ms)),
                _ => "Write {p95: 2000}; any of mean, p50, p90, p95, p99".to_owned(),
            };
            let Some(section) = self.map(&at, &statistics, &cure) else { continue };
            for (statistic, key) in STATISTICS {
                if let Some(ms) = self.number_at(&section, key, &LIMIT) {
                    limits.push(LatencyLimit { measure, statistic, ms });
                }
            }
        }
        self.warn_of_loose_limits(&limits, workload);
        limits
    }

    /// TTFT is part of E2E, and a lower percentile is below a higher one: a limit that another already implies
    /// never binds.
    fn warn_of_loose_limits(&mut self, limits: &[LatencyLimit], workload: &str) {
        for loose in limits {
            let implied = limits.iter().find(|tight| {
                let part = loose.measure == LatencyMeasure::Ttft && tight.measure == LatencyMeasure::E2e;
                let same = loose.measure == tight.measure;
                let lower = loose.statistic != Statistic::Mean
                    && tight.statistic != Statistic::Mean
                    && loose.statistic < tight.statistic;
                (part && (lower || loose.statistic == tight.statistic) && loose.ms > tight.ms)
                    || (same && lower && loose.ms >= tight.ms)
            });
            if let Some(tight) = implied {
                self.warnings.push(Warning::LimitNeverBinds {
                    workload: workload.to_owned(),
                    looser: spelled(loose),
                    tighter: spelled(tight),
                });
            }
        }
    }

    fn cache(&mut self, at: &At<'_>) -> (f64, f64) {
        let cure = "Write {response_hit: 0.2, prefix_hit: 0.5}";
        let Some(map) = self.map(at, &["response_hit", "prefix_hit"], cure) else { return (0.0, 0.0) };
        let response_hit = self.number_at(&map, "response_hit", &HIT).unwrap_or(0.0);
        let prefix_hit = self.number_at(&map, "prefix_hit", &HIT).unwrap_or(0.0);
        (response_hit, prefix_hit)
    }

    fn deferrable(&mut self, at: &At<'_>) -> f64 {
        self.number(at, &WAIT).unwrap_or(0.0)
    }
}

fn spelled(limit: &LatencyLimit) -> String {
    let measure = MEASURES.iter().find(|(measure, _)| *measure == limit.measure).map_or("", |(_, key)| key);
    let statistic = STATISTICS.iter().find(|(known, _)| *known == limit.statistic).map_or("", |(_, key)| key);
    format!("{measure}.{statistic}")
}
