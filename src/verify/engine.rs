//! Own engines: words, memory, context, latency and load of one deployment, by the oracle.

use std::collections::BTreeMap;

use super::{Checker, LATENCY_TOLERANCE, SHARE_TOLERANCE, listed};
use crate::catalog::Billing;
use crate::estimate::{Basis, Memory, Misfit, Shortfall, Step, Traffic, Unit, capacity, held_ms, memory};
use crate::quality;
use crate::recommendation::{Deployment, EngineSettings};
use crate::requirements::Workload;

impl<'v> Checker<'v> {
    pub(super) fn engine(&mut self, deployment: &'v Deployment, engine: &EngineSettings) {
        let Some(unit) = self.unit(deployment) else { return };
        let (model, label) = (unit.model, &deployment.label);
        self.words_of_unit(deployment, engine, &unit);
        self.placed(deployment, engine);
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

    pub(super) fn unit(&mut self, deployment: &Deployment) -> Option<Unit<'v>> {
        let Some(unit) = deployment.unit(self.catalog) else {
            self.break_rule("in_force", format!("{} names what the catalog does not know", deployment.label));
            return None;
        };
        if unit.model.released.is_some_and(|released| released > self.requirements.as_of) {
            self.break_rule("in_force", format!("{} is not released yet", unit.model.id));
        }
        Some(unit)
    }

    pub(super) fn words_of_unit(
        &mut self,
        deployment: &Deployment,
        engine: &EngineSettings,
        unit: &Unit<'_>,
    ) {
        let requirements = self.requirements;
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
        if engine.ways().iter().any(|(billing, _)| *billing != "owned") {
            lists.push((&a.providers, &d.providers, vec![deployment.provider.as_str()]));
            lists.push((&a.regions, &d.regions, vec![engine.region.as_str()]));
        }
        for (used, _) in engine.ways() {
            let word = |billing: &Billing| billing.word() == used;
            if d.billing.iter().any(word) {
                self.break_rule("deny", format!("{}: {used}", deployment.label));
            } else if !a.billing.is_empty() && !a.billing.iter().any(word) {
                self.break_rule("allow", format!("{}: {used}", deployment.label));
            }
        }
        for (allowed, denied, names) in lists {
            if listed(denied, &names) {
                self.break_rule("deny", format!("{}: {}", deployment.label, names.join(", ")));
            } else if !allowed.is_empty() && !listed(allowed, &names) {
                self.break_rule("allow", format!("{}: {}", deployment.label, names.join(", ")));
            }
        }
    }

    pub(super) fn data_of_engine(
        &mut self,
        deployment: &Deployment,
        engine: &EngineSettings,
        workload: &Workload,
    ) {
        // Owned and bought hardware stands where the user wants it.
        let ways = engine.ways();
        let rented = || ways.iter().filter(|(billing, _)| !matches!(*billing, "owned" | "purchase"));
        let in_eu = |id: &str| self.catalog.offers.iter().find(|offer| offer.id == id)?.in_eu;
        let (elsewhere, rents) =
            (rented().any(|(_, offer)| in_eu(offer) != Some(true)), rented().next().is_some());
        for word in &workload.data {
            match word.as_str() {
                "eu-only" if elsewhere => {
                    self.break_rule("data_eu_only", format!("{} is in {}", deployment.label, engine.region));
                }
                "on-premises" if rents => {
                    self.break_rule("data_on_premises", format!("{} is rented", deployment.label));
                }
                _ => {}
            }
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
        for slot in 0..self.slots.len() {
            let mut load = 0.0;
            for route in self.routes_to(&deployment.id) {
                let Some(workload) = self.workload(&route.workload) else { continue };
                let rate = self.arriving_rps(route, workload, slot);
                if let Some(capacity) = capacities.get(workload.name.as_str()) {
                    load += rate / (capacity * load_factor);
                }
            }
            // Those that are there carry what those taken away would.
            let replicas = f64::from(engine.replicas_in(slot)) * (1.0 - self.spot_away(deployment, engine));
            // load <= replicas
            if load > replicas * (1.0 + 2e-3) + SHARE_TOLERANCE {
                let what = format!("{}: load {load:.4} on {replicas} replicas", deployment.label);
                return self.break_rule("capacity", format!("{what} in slot {slot}"));
            }
        }
        let extra = |workload: &Workload| workload.thought_tokens(self.catalog, thinks);
        for workload in self.served(&deployment.id) {
            for limit in &workload.latency {
                let mut worst: f64 = 0.0;
                let mut seen: Vec<Vec<f64>> = Vec::new();
                for slot in 0..self.slots.len() {
                    let replicas = f64::from(engine.replicas_in(slot).max(1));
                    let mut among = Vec::new();
                    let mut here = false;
                    for other in self.served(&deployment.id) {
                        let share: f64 = self
                            .routes_to(&deployment.id)
                            .filter(|route| route.workload == other.name)
                            .map(|route| Self::share_in(route, slot))
                            .sum();
                        let rate = share * self.billed_rps(other, slot) * other.peak_factor / replicas;
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
