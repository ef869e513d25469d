//! `budget`, `limits`, `owned`, `growth`, `calendar` and `quotes`: what bounds the whole plan.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::codes;
use super::fields::{At, Map, Reader};
use super::node::{Node, Value, quoted};
use super::range::Range;
use super::trace::why;
use super::{Budget, Growth, Limits, Owned, RateLimit};

const MONTH: Range = Range::not_negative("the most you would pay per month, in USD");
const UPFRONT: Range = Range::not_negative("the most you would pay at once, in USD");
const REQUEST: Range = Range::not_negative("the most you would pay per request, in USD");
const MEMORY: Range = Range::positive("the memory of a server in GiB, such as 32");
const POWER: Range = Range::positive("the most power in kilowatts, such as 10");
const DEPLOYMENTS: Range = Range::within(1.0, 1000.0, "how many deployments at most, 1 or more");
const REPLICAS: Range = Range::within(1.0, 1000.0, "how many replicas an engine keeps at least, 1 or more");
const QUOTA: Range = Range::within(0.0, 1e6, "how many of these GPUs at most, 0 for none");
const COUNT: Range = Range::within(1.0, 1e6, "how many of these GPUs there are, 1 or more");
const FACTOR: Range = Range::within(0.001, 1000.0, "by what factor the volume grows, such as 3");
const MONTHS: Range = Range::within(1.0, 120.0, "in how many months it grows by the factor, such as 12");
const PLAN_FOR: Range = Range::within(1.0, 1000.0, "the volume to plan for as a factor, 1 for today's");
const REQUESTS: Range = Range::positive("the most requests a minute, such as 500");
const TOKENS: Range = Range::positive("the most tokens a minute, such as 200000");
const HOURS: Range = Range::within(1.0, 744.0, "the hours in a month, such as 730");

/// Hours in a mean month: 365 · 24 / 12.
pub(super) const HOURS_PER_MONTH: f64 = 730.0;

impl Reader<'_> {
    /// Money limits.
    pub(super) fn budget(&mut self, at: &At<'_>) -> Budget {
        let keys = ["usd_per_month", "usd_upfront", "usd_per_request"];
        let Some(map) = self.map(at, &keys, "Write {usd_per_month: 500}") else { return Budget::default() };
        let usd_upfront = self.number_at(&map, "usd_upfront", &UPFRONT);
        Budget {
            usd_per_month: self.number_at(&map, "usd_per_month", &MONTH),
            usd_upfront,
            usd_per_request: self.number_at(&map, "usd_per_request", &REQUEST),
        }
    }

    /// Hardware limits.
    pub(super) fn limits(&mut self, at: &At<'_>) -> Limits {
        let keys = ["memory_gib_per_server", "gpus", "power_kw", "max_deployments", "min_replicas", "apis"];
        let Some(map) = self.map(at, &keys, "Write {max_deployments: 3}") else { return Limits::default() };
        let mut gpus = BTreeMap::new();
        if let Some(quotas) = map.get("gpus").and_then(|at| self.open_map(&at, "Write {h100-sxm: 4}")) {
            for (entry, at) in quotas.iter() {
                let key = Node { value: Value::Null, line: entry.line, column: entry.column };
                let name_at = At { node: &key, key: at.key.clone() };
                let id = self.gpu(&name_at, &entry.key);
                let count = self.whole(&at, &QUOTA);
                let (Some(id), Some(count)) = (id, count) else { continue };
                if gpus.insert(id.clone(), count).is_some() {
                    let cause = format!("{id} has a limit already, by another of its names");
                    self.fault(codes::DUPLICATE_KEY, &name_at, cause, "Keep one of the two");
                }
            }
        }
        let max_deployments = map.get("max_deployments").and_then(|at| self.whole(&at, &DEPLOYMENTS));
        let apis = map.get("apis").map(|at| self.rate_limits(&at)).unwrap_or_default();
        Limits {
            memory_gib_per_server: self.number_at(&map, "memory_gib_per_server", &MEMORY),
            gpus,
            power_kw: self.number_at(&map, "power_kw", &POWER),
            max_deployments,
            apis,
            min_replicas: map.get("min_replicas").and_then(|at| self.whole(&at, &REPLICAS)),
        }
    }

    /// What APIs accept in a minute, by pattern over their names.
    fn rate_limits(&mut self, at: &At<'_>) -> BTreeMap<String, RateLimit> {
        let cure = "Write {openai/gpt-4o-mini: {requests_per_minute: 500, tokens_per_minute: 200000}}";
        let Some(map) = self.open_map(at, cure) else { return BTreeMap::new() };
        let context = self.context;
        let names: Vec<&str> = context.models.iter().map(String::as_str).collect();
        let mut limits = BTreeMap::new();
        for (entry, at) in map.iter() {
            let key = Node { value: Value::Null, line: entry.line, column: entry.column };
            let name_at = At { node: &key, key: at.key.clone() };
            self.check_pattern(&name_at, &entry.key, "model", &names, false);
            let keys = ["requests_per_minute", "tokens_per_minute"];
            let Some(limit) = self.map(&at, &keys, "Write {requests_per_minute: 500}") else { continue };
            let limit = RateLimit {
                requests_per_minute: self.number_at(&limit, "requests_per_minute", &REQUESTS),
                tokens_per_minute: self.number_at(&limit, "tokens_per_minute", &TOKENS),
            };
            limits.insert(entry.key.clone(), limit);
        }
        limits
    }

    /// Hardware already there.
    pub(super) fn owned(&mut self, at: &At<'_>) -> Vec<Owned> {
        let cure = "Write a list such as [{gpu: a100-sxm-80, count: 4}]";
        let mut owned = Vec::new();
        for item in self.list(at, cure).unwrap_or_default() {
            let Some(map) = self.map(&item, &["gpu", "count"], "Write {gpu: a100-sxm-80, count: 4}") else {
                continue;
            };
            let gpu = self.required(&map, "gpu", "Write the id of the GPU, such as a100-sxm-80");
            let gpu = gpu.and_then(|at| {
                let name = self.text(&at, "the id of a GPU, such as a100-sxm-80")?;
                self.gpu(&at, name)
            });
            let count = self.required(&map, "count", "Write how many of these GPUs there are");
            let count = count.and_then(|at| self.whole(&at, &COUNT));
            if let (Some(gpu), Some(count)) = (gpu, count) {
                owned.push(Owned { gpu, count });
            }
        }
        owned
    }

    /// The id of an accelerator named by id or alias.
    fn gpu(&mut self, at: &At<'_>, name: &str) -> Option<String> {
        let context = self.context;
        if context.gpus.is_empty() {
            return Some(name.to_owned());
        }
        if let Some(id) = context.gpus.get(&name.to_ascii_lowercase()) {
            return Some(id.clone());
        }
        let mut ids: Vec<&str> = context.gpus.values().map(String::as_str).collect();
        ids.sort_unstable();
        ids.dedup();
        self.known(at, name, "GPU", ids.into_iter());
        None
    }

    /// Growth of the volume; `None` where it changes nothing.
    pub(super) fn growth(&mut self, at: &At<'_>) -> Option<Growth> {
        let cure = "Write {factor: 3, months: 12, plan_for: 1}";
        let map = self.map(at, &["factor", "months", "plan_for"], cure)?;
        let factor = self.required(&map, "factor", cure).and_then(|at| self.number(&at, &FACTOR));
        let months = self.required(&map, "months", cure).and_then(|at| self.number(&at, &MONTHS));
        let plan_for = match map.get("plan_for") {
            Some(at) => self.number(&at, &PLAN_FOR),
            None => Some(1.0),
        };
        let growth = Growth { factor: factor?, months: months?, plan_for: plan_for? };
        let changes = growth.factor.total_cmp(&1.0).is_ne() || growth.plan_for.total_cmp(&1.0).is_ne();
        changes.then_some(growth)
    }

    /// Hours in a month.
    pub(super) fn hours_per_month(&mut self, root: &Map<'_>) -> f64 {
        let calendar = root.get("calendar");
        let map = calendar.and_then(|at| self.map(&at, &["hours_per_month"], "Write {hours_per_month: 730}"));
        map.and_then(|map| self.number_at(&map, "hours_per_month", &HOURS)).unwrap_or(HOURS_PER_MONTH)
    }

    /// The user's own offers: only that the file is there is checked here.
    pub(super) fn quotes(&mut self, at: &At<'_>) -> Option<PathBuf> {
        let name = self.text(at, "the path of a CSV file of offers, such as quotes.csv")?;
        let path = self.base_dir.join(name);
        let cause = match std::fs::metadata(&path) {
            Ok(about) if about.is_file() => return Some(path),
            Ok(_) => format!("{} is not a file", quoted(name)),
            Err(error) => format!("{} cannot be read: {}", quoted(name), why(&error)),
        };
        self.fault(codes::MISSING_FILE, at, cause, "Write a path relative to this file, or an absolute one");
        None
    }
}
