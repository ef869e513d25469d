//! `measured`: the user's own capacities in place of the catalog.

use std::collections::BTreeMap;

use super::Measured;
use super::codes;
use super::fields::{At, Map, Reader};
use super::node::{Node, Value, quoted};
use super::range::Range;
use super::suggest;

const KEYS: &[&str] = &[
    "option",
    "usd_per_hour",
    "usd_per_request",
    "max_replicas",
    "capacity_rps",
    "quality_index",
    "e2e_ms_p95",
    "kg_co2e_per_hour",
    "kg_co2e_per_request",
];
const CURE: &str = "Write {option: A10G, usd_per_hour: 1.01, capacity_rps: {support: 3.1}}";
const HOUR: Range = Range::positive("what a replica costs per hour, in USD");
const REQUEST: Range = Range::positive("what a request costs, in USD");
const CAPACITY: Range =
    Range::positive("the requests a second one replica serves; leave the workload out where it serves none");
const INDEX: Range = Range::within(-1000.0, 1000.0, "points of the quality index, such as 45");
const MILLISECONDS: Range = Range::milliseconds("the 95th percentile of a whole answer in milliseconds");
const EMISSION: Range = Range::not_negative("what it emits, in kg CO2e");
const REPLICAS: Range = Range::within(1.0, 1e6, "how many replicas at most, 1 or more");

impl Reader<'_> {
    /// Every row; `workloads` are the names in the file.
    pub(super) fn measured(&mut self, at: &At<'_>, workloads: &[&str]) -> Vec<Measured> {
        let Some(items) = self.list(at, "Write a list of options, each with a price and capacity_rps") else {
            return Vec::new();
        };
        self.unique_names(&items, "option", "option");
        items.iter().filter_map(|item| self.measured_row(item, workloads)).collect()
    }

    fn measured_row(&mut self, at: &At<'_>, workloads: &[&str]) -> Option<Measured> {
        let map = self.map(at, KEYS, CURE)?;
        let option = self.required(&map, "option", "Give the option a name, such as A10G");
        let option = option.and_then(|at| self.text(&at, "a name, such as A10G"));
        if map.has("usd_per_hour") == map.has("usd_per_request") {
            let cause = match map.has("usd_per_hour") {
                true => "two prices are given: usd_per_hour, usd_per_request",
                false => "no price is given",
            };
            let cure = "Write usd_per_hour for an engine of your own, or usd_per_request for an API";
            self.fault(codes::NOT_EXACTLY_ONE, at, cause, cure);
        }
        let usd_per_hour = self.number_at(&map, "usd_per_hour", &HOUR);
        let max_replicas = map.get("max_replicas").and_then(|at| self.whole(&at, &REPLICAS));
        if let Some(at) =
            map.get("max_replicas").filter(|_| !map.has("usd_per_hour") && map.has("usd_per_request"))
        {
            let cause = "an API has no replicas";
            self.fault(
                codes::CONTRADICTION,
                &at,
                cause,
                "Remove it; capacity_rps is the rate limit of an API",
            );
        }
        let capacity =
            self.required(&map, "capacity_rps", "Write requests a second by workload, or {} for none");
        let capacity_rps = capacity.and_then(|at| self.by_workload(&at, workloads, &CAPACITY));
        let usd_per_request = match map.get("usd_per_request") {
            Some(at) => self.request_prices(&at, &map, workloads),
            None => Some(BTreeMap::new()),
        };
        Some(Measured {
            option: option?.to_owned(),
            usd_per_hour,
            usd_per_request: usd_per_request?,
            max_replicas,
            capacity_rps: capacity_rps?,
            quality_index: self.number_at(&map, "quality_index", &INDEX),
            kg_co2e_per_hour: self.emission(&map, "kg_co2e_per_hour", "usd_per_hour"),
            kg_co2e_per_request: self.emission(&map, "kg_co2e_per_request", "usd_per_request"),
            e2e_ms_p95: self.number_at(&map, "e2e_ms_p95", &MILLISECONDS),
        })
    }

    /// What it emits, in the same measure as its price.
    fn emission(&mut self, map: &Map<'_>, key: &str, price: &str) -> Option<f64> {
        let at = map.get(key)?;
        if !map.has(price) {
            let cause = format!("{key} goes with {price}");
            self.fault(codes::CONTRADICTION, &at, cause, "Write what it emits as it is priced");
        }
        self.number(&at, &EMISSION)
    }

    /// One price for every workload, or a price by workload.
    fn request_prices(
        &mut self,
        at: &At<'_>,
        row: &Map<'_>,
        workloads: &[&str],
    ) -> Option<BTreeMap<String, f64>> {
        if !matches!(at.node.value, Value::Map(_)) {
            let price = self.number(at, &REQUEST)?;
            return Some(workloads.iter().map(|name| ((*name).to_owned(), price)).collect());
        }
        let prices = self.by_workload(at, workloads, &REQUEST)?;
        if let Some(capacity) = row.get("capacity_rps")
            && let Value::Map(entries) = &capacity.node.value
        {
            let Value::Map(priced) = &at.node.value else { return None };
            for entry in entries.iter().filter(|entry| workloads.contains(&entry.key.as_str())) {
                if !priced.iter().any(|price| price.key == entry.key) {
                    let missing = At { node: at.node, key: format!("{}.{}", at.key, entry.key) };
                    let cause = format!("{} has a capacity but no price", quoted(&entry.key));
                    self.fault(
                        codes::MISSING_KEY,
                        &missing,
                        cause,
                        "Write its price, or leave out its capacity",
                    );
                }
            }
        }
        Some(prices)
    }

    fn by_workload(
        &mut self,
        at: &At<'_>,
        workloads: &[&str],
        range: &Range,
    ) -> Option<BTreeMap<String, f64>> {
        let map = self.open_map(at, "Write a map by workload, such as {support: 3.1}")?;
        let mut numbers = BTreeMap::new();
        for (entry, at) in map.iter() {
            if !workloads.contains(&entry.key.as_str()) {
                let key = Node { value: Value::Null, line: entry.line, column: entry.column };
                let name_at = At { node: &key, key: at.key.clone() };
                let cause = format!("{} is no workload of this file", quoted(&entry.key));
                self.fault(codes::UNKNOWN_NAME, &name_at, cause, suggest::instead(&entry.key, workloads));
            }
            if let Some(number) = self.number(&at, range) {
                numbers.insert(entry.key.clone(), number);
            }
        }
        Some(numbers)
    }
}
