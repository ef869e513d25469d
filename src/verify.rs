//! The independent checker: re-derives every promise of a plan from the request and the catalog.
//!
//! In: requirements, catalog, rules, a [`Plan`]. Out: every rule the plan breaks, with the figures. It shares no code
//! with `program/`, `solve.rs`, `formulate.rs`, `candidate/` or `plan.rs`, and believes no number of the plan that it
//! can compute: prices come from the catalog, latencies from the oracle, sums from its own additions.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::bill;
use crate::catalog::{Catalog, Precision};
use crate::constraint::Rules;
use crate::estimate::{
    Basis, Memory, Misfit, Shortfall, Step, Traffic, Unit, api_latency, capacity, held_ms, memory,
};
use crate::graph::RequestPath;
use crate::measure::Measure;
use crate::quality;
use crate::recommendation::{Deployment, EngineSettings, Kind, Plan, Route};
use crate::requirements::{QualityFloor, Requirements, Routing, Workload};

/// A rule the plan breaks.
#[derive(Debug, Clone, PartialEq)]
pub struct Broken {
    /// Id of the rule.
    pub rule: String,
    /// Which part of the plan, and the figures.
    pub what: String,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.rule, self.what)
    }
}

/// Money may differ by the rounding of a line for each line.
const MONEY_TOLERANCE: f64 = 1e-4;
/// Shares and loads may differ by what the program calls zero.
const SHARE_TOLERANCE: f64 = 1e-5;
/// Latencies at the planned rate may differ by the tolerance of the search for the rate.
const LATENCY_TOLERANCE: f64 = 5e-3;

/// Everything a plan breaks; empty for a good plan.
#[must_use]
pub fn verify(requirements: &Requirements, catalog: &Catalog, rules: &Rules, plan: &Plan) -> Vec<Broken> {
    let mut checker =
        Checker { requirements, catalog, plan, capacities: BTreeMap::new(), broken: Vec::new() };
    checker.structure();
    checker.money();
    for deployment in &plan.deployments {
        checker.deployment(deployment);
    }
    checker.demand();
    checker.counts();
    checker.availability();
    checker.custom(rules);
    checker.broken
}

struct Checker<'v> {
    requirements: &'v Requirements,
    catalog: &'v Catalog,
    plan: &'v Plan,
    /// Requests/s of one replica by deployment and workload, re-derived here.
    capacities: BTreeMap<(&'v str, &'v str), f64>,
    broken: Vec<Broken>,
}

impl<'v> Checker<'v> {
    fn break_rule(&mut self, rule: &str, what: impl Into<String>) {
        self.broken.push(Broken { rule: rule.to_owned(), what: what.into() });
    }

    fn hourly_share(route: &Route, hour: usize) -> f64 {
        route.by_hour.as_ref().map_or(route.share, |hours| hours.get(hour).copied().unwrap_or(0.0))
    }

    /// Requests/s of a workload that reach a model in an hour, to be billed.
    fn billed_rps(workload: &Workload, hour: usize) -> f64 {
        workload.hourly_rps[hour] * (1.0 - workload.response_hit)
    }

    fn workload(&self, name: &str) -> Option<&'v Workload> {
        self.requirements.workloads.iter().find(|workload| workload.name == name)
    }

    fn routes_to<'s>(&'s self, id: &'s str) -> impl Iterator<Item = &'v Route> + 's {
        self.plan.routing.iter().filter(move |route| route.target == id)
    }

    /// Every route leads from a workload of the request to a deployment of the plan; kind and routing agree.
    fn structure(&mut self) {
        let ids: Vec<&str> = self.plan.deployments.iter().map(|deployment| deployment.id.as_str()).collect();
        for route in &self.plan.routing {
            let known = |id: &String| ids.contains(&id.as_str());
            if (0..24).any(|hour| Self::hourly_share(route, hour) < -SHARE_TOLERANCE) {
                self.break_rule("demand", format!("{} gets a share below zero", route.target));
            }
            if !known(&route.target) || !route.fallback.iter().all(known) {
                self.break_rule("demand", format!("a route leads to {}, which does not run", route.target));
            }
            if self.workload(&route.workload).is_none() {
                self.break_rule("demand", format!("{} is not a workload of the request", route.workload));
            }
        }
        let names: Vec<&str> = self
            .requirements
            .workloads
            .iter()
            .filter(|workload| workload.mean_rps() > 0.0)
            .map(|workload| workload.name.as_str())
            .collect();
        let path = RequestPath::of(self.plan, &names);
        if !path.is_acyclic() {
            self.break_rule("demand", "a request can run in a circle of fallbacks");
        }
        for name in path.stranded() {
            self.break_rule("demand", format!("{name} reaches nothing that serves"));
        }
        let local = self.plan.deployments.iter().any(|deployment| deployment.engine.is_some());
        let cloud = self.plan.deployments.iter().any(|deployment| deployment.api.is_some());
        let allowed = match self.requirements.routing {
            Routing::Local => !cloud,
            Routing::Cloud => !local,
            Routing::Hybrid => true,
        };
        if !allowed {
            self.break_rule("routing", format!("{:?} was asked", self.requirements.routing));
        }
        let kind_fits = match self.plan.kind {
            Kind::Local => local && !cloud,
            Kind::Cloud => cloud && !local,
            Kind::Hybrid => local && cloud,
        };
        if !kind_fits {
            self.break_rule("routing", format!("the plan calls itself {:?}", self.plan.kind));
        }
    }

    /// The bill: lines sum to the total, and catalog prices times use give the same total.
    fn money(&mut self) {
        let lines: f64 = self.plan.bill.iter().map(|line| line.usd_per_month).sum();
        if (lines - self.plan.usd_per_month).abs() > 1e-6 {
            self.break_rule(
                "usd_per_month",
                format!("lines sum to {lines}, the plan says {}", self.plan.usd_per_month),
            );
        }
        let hours = self.requirements.hours_per_month;
        let mut usd = 0.0;
        for deployment in &self.plan.deployments {
            if let Some(engine) = &deployment.engine {
                usd += self.engine_usd_per_hour(deployment, engine) * f64::from(engine.instances) * hours;
            }
        }
        for route in &self.plan.routing {
            usd += self.route_usd(route);
        }
        if self.plan.deployments.iter().any(|deployment| deployment.engine.is_some()) {
            usd += self.requirements.ops_usd_per_month;
        }
        #[allow(clippy::cast_precision_loss, reason = "a handful of lines")]
        let tolerance = MONEY_TOLERANCE * (1.0 + self.plan.bill.len() as f64) + 1e-9 * usd;
        if (usd - self.plan.usd_per_month).abs() > tolerance {
            let said = self.plan.usd_per_month;
            self.break_rule(
                "usd_per_month",
                format!("prices times use give {usd:.6}, the plan says {said:.6}"),
            );
        }
        if let Some(most) = self.requirements.budget.usd_per_month
            && usd > most + tolerance
        {
            self.break_rule("usd_per_month", format!("{usd:.2} is more than the budget of {most:.2}"));
        }
        let rate: f64 = self.requirements.workloads.iter().map(Workload::mean_rps).sum();
        let requests = rate * 3600.0 * hours;
        if (self.plan.usd_per_request * requests - usd).abs() > tolerance {
            self.break_rule("usd_per_request", format!("the plan says {}", self.plan.usd_per_request));
        }
        if let Some(most) = self.requirements.budget.usd_per_request
            && usd > most * requests + tolerance
        {
            self.break_rule("usd_per_request", format!("{:.6} is more than {most:.6}", usd / requests));
        }
        if let Some(most) = self.requirements.budget.usd_upfront
            && self.plan.usd_upfront > most + tolerance
        {
            self.break_rule("usd_upfront", format!("{:.2} is more than {most:.2}", self.plan.usd_upfront));
        }
    }

    fn engine_usd_per_hour(&mut self, deployment: &Deployment, engine: &EngineSettings) -> f64 {
        if deployment.mode == "measured" {
            let row = self.requirements.measured.iter().find(|row| row.option == deployment.model);
            return row.and_then(|row| row.usd_per_hour).unwrap_or(f64::NAN);
        }
        if engine.billing == "owned" {
            let gpu = self.catalog.gpu(&engine.gpu);
            return gpu.map_or(f64::NAN, |gpu| {
                bill::power_usd_per_hour(self.catalog, gpu) * f64::from(engine.gpus_per_instance)
            });
        }
        let day = self.requirements.as_of;
        let offer = self.catalog.offers.iter().find(|offer| {
            offer.id == engine.offer
                && offer.from.is_none_or(|from| from <= day)
                && offer.until.is_none_or(|until| until > day)
        });
        let Some(offer) = offer else {
            self.break_rule("in_force", format!("{} is not sold on {day}", engine.offer));
            return f64::NAN;
        };
        if (offer.gpu.as_str(), offer.count) != (engine.gpu.as_str(), engine.gpus_per_instance)
            || offer.provider != deployment.provider
        {
            self.break_rule("in_force", format!("{} is {} x {}", offer.id, offer.count, offer.gpu));
        }
        offer.price.get()
    }

    /// USD a month of one route to a hosted model, or of the expected use of its fallback.
    fn route_usd(&self, route: &Route) -> f64 {
        let Some(workload) = self.workload(&route.workload) else { return 0.0 };
        let hours = self.requirements.hours_per_month / 24.0;
        let requests: f64 = (0..24)
            .map(|hour| Self::hourly_share(route, hour) * Self::billed_rps(workload, hour) * 3600.0 * hours)
            .sum();
        let find = |id: &String| self.plan.deployments.iter().find(|deployment| deployment.id == *id);
        let price = |deployment: &Deployment| self.usd_per_request(deployment, workload);
        let Some(target) = find(&route.target) else { return f64::NAN };
        let up = if route.fallback.is_none() {
            1.0
        } else if target.engine.is_some() {
            self.catalog.replica_availability()
        } else {
            self.catalog.uptime_share(&target.provider).unwrap_or(0.0)
        };
        let first = if target.api.is_some() { requests * up * price(target) } else { 0.0 };
        let second = route.fallback.as_ref().and_then(find).map_or(0.0, |d| requests * (1.0 - up) * price(d));
        first + second
    }

    fn usd_per_request(&self, deployment: &Deployment, workload: &Workload) -> f64 {
        if deployment.mode == "measured" {
            let row = self.requirements.measured.iter().find(|row| row.option == deployment.model);
            return row.and_then(|row| row.usd_per_request.get(&workload.name).copied()).unwrap_or(f64::NAN);
        }
        let Some(api) = self.catalog.api_on(&deployment.model, self.requirements.as_of) else {
            return f64::NAN;
        };
        bill::usd_per_request(
            api,
            &workload.lengths,
            self.extra_api(deployment, workload),
            workload.prefix_hit,
        )
    }

    fn extra_api(&self, deployment: &Deployment, workload: &Workload) -> f64 {
        let thinks = self
            .catalog
            .api_on(&deployment.model, self.requirements.as_of)
            .is_some_and(|api| api.thinking && deployment.mode == "default");
        workload.thought_tokens(self.catalog, thinks)
    }

    fn deployment(&mut self, deployment: &'v Deployment) {
        if deployment.mode == "measured" {
            self.measured(deployment);
        } else if let Some(engine) = &deployment.engine {
            self.engine(deployment, engine);
        } else {
            self.hosted(deployment);
        }
    }

    fn measured(&mut self, deployment: &Deployment) {
        let Some(row) = self.requirements.measured.iter().find(|row| row.option == deployment.model) else {
            return self.break_rule("demand", format!("{} is not a measured option", deployment.model));
        };
        let replicas = deployment.engine.as_ref().map_or(0, |engine| engine.replicas);
        if row.max_replicas.is_some_and(|most| replicas > most) {
            self.break_rule("max_replicas", format!("{} has {replicas} replicas", deployment.label));
        }
        for hour in 0..24 {
            let mut load = 0.0;
            for route in self.routes_to(&deployment.id) {
                let Some(workload) = self.workload(&route.workload) else { continue };
                let rate =
                    Self::hourly_share(route, hour) * Self::billed_rps(workload, hour) * workload.peak_factor;
                load += match row.capacity_rps.get(&workload.name) {
                    Some(capacity) => rate / capacity,
                    None if rate > 0.0 => f64::INFINITY,
                    None => 0.0,
                };
            }
            let most = if deployment.engine.is_some() { f64::from(replicas) } else { 1.0 };
            if load > most + SHARE_TOLERANCE * (1.0 + most) {
                return self
                    .break_rule("capacity", format!("{} carries {load:.4} of {most}", deployment.label));
            }
        }
    }

    fn unit(&mut self, deployment: &Deployment) -> Option<Unit<'v>> {
        let Some(unit) = deployment.unit(self.catalog) else {
            self.break_rule("in_force", format!("{} names what the catalog does not know", deployment.label));
            return None;
        };
        if unit.model.released.is_some_and(|released| released > self.requirements.as_of) {
            self.break_rule("in_force", format!("{} is not released yet", unit.model.id));
        }
        Some(unit)
    }

    fn engine(&mut self, deployment: &'v Deployment, engine: &EngineSettings) {
        let Some(unit) = self.unit(deployment) else { return };
        let (model, label) = (unit.model, &deployment.label);
        self.words_of_unit(deployment, engine, &unit);
        let paid = engine.gpus_per_instance * engine.instances;
        if engine.replicas * engine.gpus_per_replica > paid {
            self.break_rule("capacity", format!("{label}: {} replicas on {paid} GPUs", engine.replicas));
        }
        let memory = match memory(self.catalog, &unit, f64::from(engine.max_model_len)) {
            Ok(memory) => memory,
            Err(misfit) => return self.break_rule(misfit_rule(&misfit), format!("{label}: {misfit}")),
        };
        let Ok(step) = Step::new(self.catalog, &unit) else {
            return self.break_rule("estimate_trusted", format!("{label}: no formula"));
        };
        if step.basis() == Basis::Assumed {
            self.break_rule("estimate_trusted", format!("{label}: the estimate is a judgement"));
        }
        let thinks = model.thinking_by_default && deployment.mode == "default";
        let mut capacities: BTreeMap<&'v str, f64> = BTreeMap::new();
        let mut mean: f64 = 0.0;
        for workload in self.served(&deployment.id) {
            let extra = workload.thought_tokens(self.catalog, thinks);
            mean = mean.max(workload.lengths.input_mean + workload.lengths.output_mean + extra);
            let need = workload.context_tokens + extra;
            if need > f64::from(model.max_context)
                || memory.sequences(need) < 1.0
                || f64::from(engine.max_model_len) + 1.0 < need
            {
                self.break_rule("context_tokens", format!("{label}: {need} tokens do not fit"));
                continue;
            }
            self.needs(deployment, workload, &model.has, thinks || !model.thinking_by_default);
            self.data_of_engine(deployment, engine, workload);
            let traffic = traffic(workload, extra);
            match capacity(
                &step,
                &memory,
                &traffic,
                &workload.latency,
                self.requirements.confidence,
                engine.max_batch,
            ) {
                Ok(found) => {
                    capacities.insert(&workload.name, found.rps);
                }
                Err(shortfall) => {
                    let rule = match &shortfall {
                        Shortfall::TooSlow { limit, .. } => limit.measure.word(),
                        Shortfall::ContextTooLong { .. } => "context_tokens",
                    };
                    self.break_rule(rule, format!("{label}: {shortfall:?}"));
                }
            }
        }
        for route in self.plan.routing.iter().filter(|route| route.target == deployment.id) {
            self.floor_of(deployment, route, || {
                quality::of_model(self.catalog, model, &deployment.mode, &unit.weights)
            });
        }
        self.capacities.extend(capacities.iter().map(|(name, rps)| ((deployment.id.as_str(), *name), *rps)));
        self.load(deployment, engine, &step, &memory, &capacities, thinks);
        if let Some(most) = self.requirements.limits.memory_gib_per_server {
            let concurrency = f64::from(engine.max_batch).min(memory.sequences(mean.max(1.0)));
            let each = memory.required_gib(concurrency, mean);
            let per_server = f64::from(engine.replicas) / f64::from(engine.instances.max(1));
            let used = each * per_server.ceil();
            if used > most * (1.0 + 1e-6) {
                self.break_rule("memory_gib_per_server", format!("{label}: {used:.1} GiB, limit {most:.1}"));
            }
        }
    }

    fn words_of_unit(&mut self, deployment: &Deployment, engine: &EngineSettings, unit: &Unit<'_>) {
        let requirements = self.requirements;
        let allow = |list: &[String], names: &[&str]| {
            list.is_empty()
                || list.iter().any(|glob| names.iter().any(|name| crate::catalog::glob_matches(glob, name)))
        };
        let deny = |list: &[String], names: &[&str]| {
            list.iter().any(|glob| names.iter().any(|name| crate::catalog::glob_matches(glob, name)))
        };
        let models: Vec<&str> = unit.model.names().collect();
        let gpus: Vec<&str> = unit.gpu.names().collect();
        let (a, d) = (&requirements.allow, &requirements.deny);
        let mut lists = vec![
            (&a.models, &d.models, models),
            (&a.gpus, &d.gpus, gpus),
            (&a.precisions, &d.precisions, vec![engine.weights.as_str()]),
            (&a.engines, &d.engines, vec![engine.engine.as_str()]),
            (&a.licences, &d.licences, vec![unit.model.licence.as_str()]),
        ];
        if engine.billing != "owned" {
            lists.push((&a.providers, &d.providers, vec![deployment.provider.as_str()]));
            lists.push((&a.regions, &d.regions, vec![engine.region.as_str()]));
        }
        let word = |billing: &crate::catalog::Billing| billing.word() == engine.billing;
        if d.billing.iter().any(word) {
            self.break_rule("deny", format!("{}: {}", deployment.label, engine.billing));
        } else if !a.billing.is_empty() && !a.billing.iter().any(word) {
            self.break_rule("allow", format!("{}: {}", deployment.label, engine.billing));
        }
        for (allowed, denied, names) in lists {
            if deny(denied, &names) {
                self.break_rule("deny", format!("{}: {}", deployment.label, names.join(", ")));
            } else if !allow(allowed, &names) {
                self.break_rule("allow", format!("{}: {}", deployment.label, names.join(", ")));
            }
        }
    }

    fn served<'s>(&'s self, id: &'s str) -> Vec<&'v Workload> {
        let mut all: Vec<&Workload> = Vec::new();
        for route in self.routes_to(id) {
            if let Some(workload) = self.workload(&route.workload)
                && !all.iter().any(|known| known.name == workload.name)
            {
                all.push(workload);
            }
        }
        all
    }

    fn needs(&mut self, deployment: &Deployment, workload: &Workload, has: &[String], thinks: bool) {
        for need in &workload.needs {
            if !has.contains(need) || (need == "reasoning" && !thinks) {
                self.break_rule("needs", format!("{} is not known to have {need}", deployment.label));
            }
        }
    }

    fn data_of_engine(&mut self, deployment: &Deployment, engine: &EngineSettings, workload: &Workload) {
        let owned = engine.billing == "owned";
        let in_eu =
            self.catalog.offers.iter().find(|offer| offer.id == engine.offer).and_then(|offer| offer.in_eu);
        for word in &workload.data {
            match word.as_str() {
                "eu-only" if !owned && in_eu != Some(true) => {
                    self.break_rule("data_eu_only", format!("{} is in {}", deployment.label, engine.region));
                }
                "on-premises" if !owned => {
                    self.break_rule("data_on_premises", format!("{} is rented", deployment.label));
                }
                _ => {}
            }
        }
    }

    fn floor_of(
        &mut self,
        deployment: &Deployment,
        route: &Route,
        scored: impl Fn() -> Option<quality::Scored>,
    ) {
        let Some(workload) = self.workload(&route.workload) else { return };
        let premium = workload.premium.as_ref().map(|premium| &premium.floor);
        let floor: Option<&QualityFloor> = if route.premium { premium } else { workload.quality.as_ref() };
        let Some(floor) = floor else { return };
        let subject = self
            .catalog
            .model(&deployment.model)
            .and_then(|model| model.quality_subject.clone())
            .filter(|_| deployment.engine.is_some())
            .or_else(|| {
                self.catalog
                    .api_on(&deployment.model, self.requirements.as_of)
                    .and_then(|api| api.quality_subject.clone())
            });
        let verdict = quality::judge(
            self.catalog,
            self.requirements.as_of,
            floor,
            scored().as_ref(),
            subject.as_deref(),
        );
        if verdict != quality::Verdict::Passes {
            let rule = if matches!(floor, QualityFloor::Benchmark { .. }) { "benchmark" } else { "quality" };
            self.break_rule(rule, format!("{}: {verdict:?}", deployment.label));
        }
    }

    /// Load of every hour within capacity, and every limit held at the rate that follows.
    fn load(
        &mut self,
        deployment: &Deployment,
        engine: &EngineSettings,
        step: &Step,
        memory: &Memory,
        capacities: &BTreeMap<&str, f64>,
        thinks: bool,
    ) {
        let load_factor = 1.0 - self.requirements.headroom;
        let mut most: f64 = 0.0;
        for hour in 0..24 {
            let mut load = 0.0;
            for route in self.routes_to(&deployment.id) {
                let Some(workload) = self.workload(&route.workload) else { continue };
                let rate =
                    Self::hourly_share(route, hour) * Self::billed_rps(workload, hour) * workload.peak_factor;
                if let Some(capacity) = capacities.get(workload.name.as_str()) {
                    load += rate / (capacity * load_factor);
                }
            }
            most = most.max(load);
        }
        let replicas = f64::from(engine.replicas);
        // load <= replicas
        if most > replicas * (1.0 + 2e-3) + SHARE_TOLERANCE {
            self.break_rule(
                "capacity",
                format!("{}: load {most:.4} on {replicas} replicas", deployment.label),
            );
            return;
        }
        let extra = |workload: &Workload| workload.thought_tokens(self.catalog, thinks);
        for workload in self.served(&deployment.id) {
            for limit in &workload.latency {
                let mut worst: f64 = 0.0;
                let mut seen: Vec<Vec<f64>> = Vec::new();
                for hour in 0..24 {
                    let mut among = Vec::new();
                    let mut here = false;
                    for other in self.served(&deployment.id) {
                        let share: f64 = self
                            .routes_to(&deployment.id)
                            .filter(|route| route.workload == other.name)
                            .map(|route| Self::hourly_share(route, hour))
                            .sum();
                        let rate = share * Self::billed_rps(other, hour) * other.peak_factor / replicas;
                        if rate > 0.0 {
                            here |= other.name == workload.name;
                            among.push((traffic(other, extra(other)), rate));
                        }
                    }
                    let rates: Vec<f64> = among.iter().map(|(_, rate)| *rate).collect();
                    // Nobody waits in an hour in which the workload goes elsewhere.
                    if !here || seen.contains(&rates) {
                        continue;
                    }
                    seen.push(rates);
                    let own = traffic(workload, extra(workload));
                    let asked = (limit.measure, limit.statistic);
                    let confidence = self.requirements.confidence;
                    worst =
                        worst.max(held_ms(step, memory, &own, &among, engine.max_batch, confidence, asked));
                }
                // held <= limit
                if worst > limit.ms * (1.0 + LATENCY_TOLERANCE) {
                    let what = format!("{}: {worst:.0} ms, limit {:.0} ms", deployment.label, limit.ms);
                    self.break_rule(limit.measure.word(), what);
                }
            }
        }
    }

    fn hosted(&mut self, deployment: &Deployment) {
        let day = self.requirements.as_of;
        let label = deployment.label.clone();
        let Some(api) = self.catalog.api_on(&deployment.model, day) else {
            return self.break_rule("in_force", format!("{label} has no price on {day}"));
        };
        if api.retired.is_some_and(|retired| retired <= day) && !self.requirements.include_retired {
            self.break_rule("retired", format!("{label} is retired"));
        }
        let names: Vec<&str> = api.names().collect();
        let hit = |list: &[String], names: &[&str]| {
            list.iter().any(|glob| names.iter().any(|name| crate::catalog::glob_matches(glob, name)))
        };
        let (a, d) = (&self.requirements.allow, &self.requirements.deny);
        if hit(&d.models, &names) || hit(&d.providers, &[&api.provider]) {
            self.break_rule("deny", label.clone());
        } else if (!a.models.is_empty() && !hit(&a.models, &names))
            || (!a.providers.is_empty() && !hit(&a.providers, &[&api.provider]))
        {
            self.break_rule("allow", label.clone());
        }
        // Workloads that it serves, also as a fallback.
        let reached: Vec<&Route> = self
            .plan
            .routing
            .iter()
            .filter(|route| route.target == deployment.id || route.fallback.as_ref() == Some(&deployment.id))
            .collect();
        for route in reached {
            let Some(workload) = self.workload(&route.workload) else { continue };
            let extra = self.extra_api(deployment, workload);
            let longest = workload.lengths.points.iter().map(|(_, out, _)| *out).fold(0.0, f64::max) + extra;
            if workload.context_tokens + extra > f64::from(api.max_context) {
                self.break_rule("context_tokens", format!("{label}: window of {}", api.max_context));
            }
            if api.max_output.is_some_and(|most| longest > f64::from(most)) {
                self.break_rule("max_output", format!("{label}: answers of {longest:.0} tokens"));
            }
            let thinks = !api.thinking || deployment.mode == "default";
            self.needs(deployment, workload, &api.has, thinks);
            for word in &workload.data {
                let (rule, known) = match word.as_str() {
                    "no-training" => ("data_no_training", api.no_training),
                    "eu-only" => ("data_eu_only", api.in_eu),
                    _ => ("data_on_premises", Some(false)),
                };
                if known != Some(true) {
                    self.break_rule(rule, label.clone());
                }
            }
            self.floor_of(deployment, route, || quality::of_api(self.catalog, api, &deployment.mode));
            let fact = self.catalog.latency_of(api);
            let latency = fact
                .map(|fact| api_latency(fact, &workload.lengths.points, extra, self.requirements.confidence));
            for limit in &workload.latency {
                let held =
                    latency.as_ref().map_or(f64::INFINITY, |l| l.of(limit.measure).at(limit.statistic));
                if held > limit.ms * (1.0 + 1e-9) {
                    let what = format!("{label}: {held:.0} ms, limit {:.0} ms", limit.ms);
                    self.break_rule(limit.measure.word(), what);
                }
            }
        }
    }

    /// Every request of every hour goes somewhere, and the premium share to premium targets.
    fn demand(&mut self) {
        for workload in &self.requirements.workloads {
            let premium_share = workload.premium.as_ref().map_or(0.0, |premium| premium.share);
            for hour in 0..24 {
                if workload.hourly_rps[hour] <= 0.0 {
                    continue;
                }
                let routes = || self.plan.routing.iter().filter(|route| route.workload == workload.name);
                let sum: f64 = routes().map(|route| Self::hourly_share(route, hour)).sum();
                if (sum - 1.0).abs() > SHARE_TOLERANCE {
                    self.break_rule("demand", format!("{} of {} served in hour {hour}", sum, workload.name));
                    break;
                }
                let premium: f64 =
                    routes().filter(|route| route.premium).map(|route| Self::hourly_share(route, hour)).sum();
                if premium + SHARE_TOLERANCE < premium_share {
                    self.break_rule(
                        "premium_share",
                        format!("{premium} of {} in hour {hour}", workload.name),
                    );
                    break;
                }
            }
        }
    }

    /// Quotas, owned stock, power, deployments.
    fn counts(&mut self) {
        let mut rented: BTreeMap<&str, u32> = BTreeMap::new();
        let mut owned: BTreeMap<&str, u32> = BTreeMap::new();
        let mut power = 0.0;
        let plan = self.plan;
        for engine in plan.deployments.iter().filter_map(|deployment| deployment.engine.as_ref()) {
            let gpus = engine.gpus_per_instance * engine.instances;
            let side = if engine.billing == "owned" { &mut owned } else { &mut rented };
            *side.entry(&engine.gpu).or_default() += gpus;
            let each = self.catalog.gpu(&engine.gpu).and_then(|gpu| bill::power_kw(self.catalog, gpu));
            power += each.unwrap_or(0.0) * f64::from(gpus);
        }
        for (gpu, most) in &self.requirements.limits.gpus {
            let used = rented.get(gpu.as_str()).copied().unwrap_or(0);
            if used > *most {
                self.break_rule("gpus", format!("{used} x {gpu}, at most {most}"));
            }
        }
        for (gpu, used) in &owned {
            let there: u32 = self
                .requirements
                .owned
                .iter()
                .filter(|server| server.gpu == *gpu)
                .map(|server| server.count)
                .sum();
            if *used > there {
                self.break_rule("owned", format!("{used} x {gpu}, {there} owned"));
            }
        }
        if let Some(most) = self.requirements.limits.power_kw
            && power > most * (1.0 + 1e-9)
        {
            self.break_rule("power_kw", format!("{power:.2} kW, at most {most:.2}"));
        }
        // A pool is a unit at a provider, whatever the size of the instances it stands on; an API is one in any mode.
        let used: BTreeSet<_> = plan
            .deployments
            .iter()
            .map(|deployment| {
                let unit = deployment.engine.as_ref().map(|engine| {
                    let layout = (engine.tensor_parallel, engine.pipeline_parallel);
                    (&engine.gpu, &engine.generation, &engine.weights, &engine.kv, layout)
                });
                let mode = deployment.engine.as_ref().map(|_| &deployment.mode);
                (&deployment.model, mode, &deployment.provider, unit)
            })
            .collect();
        let used = used.len();
        if let Some(most) = self.requirements.limits.max_deployments
            && used > most as usize
        {
            self.break_rule("max_deployments", format!("{used}, at most {most}"));
        }
    }

    /// Availability of each workload in each hour: routes in series, a fallback in parallel with its target.
    fn availability(&mut self) {
        let Some(target) = self.requirements.availability else { return };
        for workload in &self.requirements.workloads {
            for premium in [false, true] {
                for hour in 0..24 {
                    let mut up = 1.0;
                    for route in self
                        .plan
                        .routing
                        .iter()
                        .filter(|route| route.workload == workload.name && route.premium == premium)
                        .filter(|route| Self::hourly_share(route, hour) > SHARE_TOLERANCE)
                    {
                        up *= 1.0 - self.route_down(route, hour);
                    }
                    if up + 1e-9 < target {
                        self.break_rule("availability", format!("{}: {up:.6} in hour {hour}", workload.name));
                        break;
                    }
                }
            }
        }
    }

    fn route_down(&self, route: &Route, hour: usize) -> f64 {
        let find = |id: &String| self.plan.deployments.iter().find(|deployment| deployment.id == *id);
        let hosted_down =
            |deployment: &Deployment| 1.0 - self.catalog.uptime_share(&deployment.provider).unwrap_or(0.0);
        let Some(target) = find(&route.target) else { return 1.0 };
        // What is down with its target is no fallback.
        let apart = |other: &&Deployment| other.api.is_some() && other.provider != target.provider;
        let behind = route.fallback.as_ref().and_then(find).filter(apart).map_or(1.0, hosted_down);
        let own = match &target.engine {
            None => hosted_down(target),
            Some(engine) => {
                let load: f64 = self
                    .routes_to(&target.id)
                    .filter_map(|other| {
                        let workload = self.workload(&other.workload)?;
                        let capacity = self.capacity_of(&target.id, workload);
                        let rate = Self::hourly_share(other, hour)
                            * Self::billed_rps(workload, hour)
                            * workload.peak_factor;
                        Some(rate / (capacity * (1.0 - self.requirements.headroom)))
                    })
                    .sum();
                down(engine.replicas, load, self.catalog.replica_availability())
            }
        };
        own * behind
    }

    /// Requests/s of one replica: the user's word for measured options, else what was re-derived; 0 where it cannot
    /// serve the workload.
    fn capacity_of(&self, id: &str, workload: &Workload) -> f64 {
        let measured = || {
            let deployment = self.plan.deployments.iter().find(|deployment| deployment.id == id)?;
            let mut rows = self.requirements.measured.iter();
            let row = rows.find(|row| deployment.mode == "measured" && row.option == deployment.model)?;
            row.capacity_rps.get(&workload.name).copied()
        };
        self.capacities.get(&(id, workload.name.as_str())).copied().or_else(measured).unwrap_or(0.0)
    }

    /// Candidate rules of the user's, which no limit of the request states. Measured options are the user's word.
    fn custom(&mut self, rules: &Rules) {
        let plan = self.plan;
        for deployment in plan.deployments.iter().filter(|deployment| deployment.mode != "measured") {
            for rule in rules.custom_candidate() {
                let mut seen: Vec<f64> = Vec::new();
                for workload in self.reached(&deployment.id) {
                    let Some(allowed) = rule.limit(self.requirements, Some(workload)) else { continue };
                    if seen.contains(&allowed) {
                        continue;
                    }
                    seen.push(allowed);
                    let Some(got) = self.figure(deployment, rule.left) else { break };
                    let (label, unit) = (&deployment.label, rule.left.unit());
                    match got {
                        // left op right
                        Some(got) if rule.op.holds(got, allowed) => {}
                        Some(got) => {
                            self.break_rule(&rule.id, format!("{label}: {got} {unit}, limit {allowed}"))
                        }
                        None => {
                            self.break_rule(&rule.id, format!("{label}: unknown, limit {allowed} {unit}"))
                        }
                    }
                }
            }
        }
    }

    /// Workloads that a deployment serves, also as a fallback.
    fn reached(&self, id: &str) -> Vec<&'v Workload> {
        let reaches = |route: &Route| route.target == id || route.fallback.as_deref() == Some(id);
        let serves = |workload: &&Workload| {
            self.plan.routing.iter().any(|route| route.workload == workload.name && reaches(route))
        };
        self.requirements.workloads.iter().filter(serves).collect()
    }

    /// A deployment's side of a rule: outer `None` for measures that rules do not hold against one deployment, inner
    /// `None` where the catalog does not know the figure.
    fn figure(&mut self, deployment: &Deployment, measure: Measure) -> Option<Option<f64>> {
        let (catalog, day) = (self.catalog, self.requirements.as_of);
        let model = || catalog.model(&deployment.model);
        let api = || catalog.api_on(&deployment.model, day);
        Some(match (measure, &deployment.engine) {
            (Measure::GpusPerReplica, engine) => {
                Some(engine.as_ref().map_or(0.0, |engine| f64::from(engine.gpus_per_replica)))
            }
            (Measure::UsdPerHour, Some(engine)) => {
                Some(self.engine_usd_per_hour(deployment, engine)).filter(|usd| usd.is_finite())
            }
            (Measure::UsdPerHour, None) => Some(0.0),
            (Measure::ContextTokens, Some(_)) => model().map(|model| f64::from(model.max_context)),
            (Measure::ContextTokens, None) => api().map(|api| f64::from(api.max_context)),
            (Measure::QualityIndex, Some(engine)) => {
                let weights = Precision::named(&engine.weights);
                model()
                    .and_then(|model| quality::of_model(catalog, model, &deployment.mode, &weights))
                    .map(|scored| scored.index)
            }
            (Measure::QualityIndex, None) => api()
                .and_then(|api| quality::of_api(catalog, api, &deployment.mode))
                .map(|scored| scored.index),
            _ => return None,
        })
    }
}

/// P(fewer than ceil(load) of n replicas are up).
fn down(n: u32, load: f64, up: f64) -> f64 {
    let needed = (load - 1e-4).ceil().max(0.0);
    let mut enough = 0.0;
    for failed in 0..=n {
        if f64::from(n - failed) >= needed {
            let mut ways = 1.0;
            for i in 0..failed {
                ways *= f64::from(n - i) / f64::from(i + 1);
            }
            let exponent = |count: u32| i32::try_from(count).unwrap_or(i32::MAX);
            enough += ways * up.powi(exponent(n - failed)) * (1.0 - up).powi(exponent(failed));
        }
    }
    (1.0 - enough).max(0.0)
}

fn traffic(workload: &Workload, extra_output: f64) -> Traffic<'_> {
    Traffic {
        lengths: &workload.lengths,
        extra_output,
        prefix_hit: workload.prefix_hit,
        context_tokens: workload.context_tokens + extra_output,
    }
}

/// The rule that a unit breaks which cannot run at all.
const fn misfit_rule(misfit: &Misfit) -> &'static str {
    match misfit {
        Misfit::WeightsTooLarge { .. } => "weights_fit",
        Misfit::PoolTooSmall { .. } | Misfit::ContextTooLong { .. } => "context_tokens",
        Misfit::HeadsNotDivisible { .. } | Misfit::LayoutImpossible { .. } => "parallelism",
        Misfit::PrecisionUnsupported { .. } => "precision_supported",
        Misfit::EngineUnsupported { .. } => "engine_supported",
        Misfit::NoFormula { .. } => "estimate_trusted",
    }
}
