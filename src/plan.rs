//! A solved program becomes a plan people can read: deployments, routes, bill, measures.
//!
//! In: question, field, formulated program, point. Out: a [`Plan`] of catalog words. Every bill line is rounded once;
//! totals are sums of the rounded lines. `verify.rs` judges what is made here and shares none of its code.

use std::collections::BTreeMap;

use crate::bill;
use crate::candidate::{Class, LocalOption, Question};
use crate::catalog::ServiceTier;
use crate::estimate::{Basis, Estimate, Traffic, held_ms, loaded_among};
use crate::formulate::{Field, Formulated, Guard, Source};
use crate::program::Point;
use crate::recommendation::{
    ApiTerms, BillLine, Deployment, EngineSettings, Kind, MeasureRow, Plan, Route, Scored,
};
use crate::requirements::{LatencyLimit, LatencyMeasure, Statistic};

/// Makes the plan of a point.
#[must_use]
pub fn plan<'q, 'c>(
    question: &Question<'q, 'c>,
    field: &Field<'q, 'c>,
    formulated: &Formulated,
    point: &Point,
    rank: u32,
) -> Plan {
    let mut maker = Maker::new(question, field, formulated, point);
    maker.local_part();
    maker.cloud_part();
    if maker.deployments.iter().any(|deployment| deployment.engine.is_some()) {
        let usd = bill::line(question.requirements.ops_usd_per_month);
        maker
            .bill
            .push(BillLine { item: "operations (people) of the local part".to_owned(), usd_per_month: usd });
    }
    let local = maker.deployments.iter().any(|deployment| deployment.engine.is_some());
    // A fallback that only carries what others drop makes a plan hybrid too: it needs both worlds.
    let cloud = maker.deployments.iter().any(|deployment| deployment.api.is_some());
    let usd_per_month = bill::line(maker.bill.iter().map(|line| line.usd_per_month).sum());
    let requests = requests_per_month(question);
    let mut plan = Plan {
        rank,
        kind: match (local, cloud) {
            (true, true) => Kind::Hybrid,
            (true, false) => Kind::Local,
            (false, _) => Kind::Cloud,
        },
        usd_per_month,
        usd_upfront: 0.0,
        usd_per_request: if requests > 0.0 { usd_per_month / requests } else { 0.0 },
        bill: maker.bill,
        deployments: maker.deployments,
        routing: maker.routing,
        measures: maker.measures,
        binding: Vec::new(),
        reasons: Vec::new(),
    };
    let whole = whole_plan_measures(question, &plan);
    plan.measures.extend(whole);
    plan
}

/// Options on which a class breaks a limit among the others that share its pool (place in [`Field::locals`]).
#[must_use]
pub fn broken_mixtures<'q, 'c>(
    question: &Question<'q, 'c>,
    field: &Field<'q, 'c>,
    formulated: &Formulated,
    point: &Point,
) -> Vec<usize> {
    let maker = Maker::new(question, field, formulated, point);
    let mut broken = Vec::new();
    for (r, (source, _)) in formulated.pools.iter().enumerate() {
        let Source::Catalog(at) = source else { continue };
        let option = &field.locals[*at];
        if !point.uses_pool(r) || option.capacity.iter().flatten().count() < 2 {
            continue;
        }
        let replicas = point.always_on[r].iter().sum::<u32>() * formulated.program.pools[r].replicas;
        let over = |row: &MeasureRow| row.slack.is_some_and(|slack| slack < -MIXTURE_TOLERANCE * row.held_to);
        if maker.local_measures(r, option, replicas, "").iter().any(over) {
            broken.push(*at);
        }
    }
    broken
}

/// Latencies at the planned rate may exceed a limit by the tolerance of the search for the rate.
const MIXTURE_TOLERANCE: f64 = 4e-3;

/// All requests of a month, response-cache hits included.
#[must_use]
pub fn requests_per_month(question: &Question<'_, '_>) -> f64 {
    let rate: f64 = question.requirements.workloads.iter().map(crate::requirements::Workload::mean_rps).sum();
    rate * 3600.0 * question.requirements.hours_per_month
}

struct Maker<'m, 'q, 'c> {
    question: &'m Question<'q, 'c>,
    field: &'m Field<'q, 'c>,
    formulated: &'m Formulated,
    point: &'m Point,
    bill: Vec<BillLine>,
    deployments: Vec<Deployment>,
    routing: Vec<Route>,
    measures: Vec<MeasureRow>,
}

impl<'m, 'q, 'c> Maker<'m, 'q, 'c> {
    const fn new(
        question: &'m Question<'q, 'c>,
        field: &'m Field<'q, 'c>,
        formulated: &'m Formulated,
        point: &'m Point,
    ) -> Self {
        Self {
            question,
            field,
            formulated,
            point,
            bill: Vec::new(),
            deployments: Vec::new(),
            routing: Vec::new(),
            measures: Vec::new(),
        }
    }

    fn local_part(&mut self) {
        let hours = self.question.requirements.hours_per_month;
        for (r, (source, guard)) in self.formulated.pools.iter().enumerate() {
            if !self.point.uses_pool(r) {
                continue;
            }
            let option = match source {
                Source::Catalog(at) => &self.field.locals[*at],
                Source::Measured(at) => {
                    self.measured_pool(r, *at);
                    continue;
                }
            };
            let pool = &self.formulated.program.pools[r];
            let instances = (0..pool.modes.len()).map(|j| self.point.always_on[r][j]).sum::<u32>();
            let id = format!("d{}", self.deployments.len() + 1);
            let usd = bill::line(
                option.hardware.price(option.prospect.row.unit.gpus) * f64::from(instances) * hours,
            );
            let price = bill::line(option.hardware.price(option.prospect.row.unit.gpus));
            let (instance, provider) = (&option.hardware.instance, &option.hardware.provider);
            let item = if option.hardware.is_owned() {
                let gpus = instances * option.prospect.row.unit.gpus;
                format!("electricity of {gpus} x {} (owned) around the clock", option.hardware.gpu.name)
            } else {
                let billing = option.hardware.billing.word();
                format!("{instances} x {instance} ({provider}, {billing}) around the clock at ${price}/h")
            };
            self.bill.push(BillLine { item, usd_per_month: usd });
            let settings = self.settings(r, option, instances, *guard);
            let rows = self.local_measures(r, option, settings.replicas, &id);
            self.measures.extend(rows);
            self.deployments.push(Deployment {
                id: id.clone(),
                label: option.label(),
                model: option.prospect.model.id.clone(),
                mode: option.prospect.mode.to_owned(),
                provider: option.hardware.provider.clone(),
                quality: option.prospect.shared.quality.as_ref().map(|q| Scored { index: q.index, sd: q.sd }),
                engine: Some(settings),
                api: None,
                usd_per_month: usd,
                fallback_only: false,
            });
            for (c, class) in self.field.classes.iter().enumerate() {
                let shares = self.point.local[c][r].clone();
                let behind = self.formulated.behind[r][c];
                let fallback = behind.filter(|_| shares.iter().any(|share| *share > 0.0)).map(|f| {
                    let requests =
                        self.requests(c, &shares) * (1.0 - self.question.catalog.replica_availability());
                    let usd = self.field.hosted[f].terms[c].usd_per_request;
                    self.expected_fallback(f, c, requests, usd)
                });
                self.route(class, &id, &shares, fallback);
            }
        }
    }

    fn cloud_part(&mut self) {
        for (a, (source, behind)) in self.formulated.hosted.iter().enumerate() {
            if !self.point.uses_hosted(a) {
                continue;
            }
            let at = match source {
                Source::Catalog(at) => at,
                Source::Measured(at) => {
                    self.measured_hosted(a, *at);
                    continue;
                }
            };
            for (c, class) in self.field.classes.iter().enumerate() {
                let shares = self.point.cloud[c][a].clone();
                if shares.iter().all(|share| *share <= 0.0) {
                    continue;
                }
                let option = &self.field.hosted[*at];
                let requests = self.requests(c, &shares);
                let up = if behind.is_some() { option.uptime.unwrap_or(1.0) } else { 1.0 };
                let price = option.terms[c].usd_per_request;
                let usd = bill::line(requests * up * price);
                let id = self.hosted_deployment(*at, false);
                let item = format!(
                    "{} · {}: {:.0} requests at ${:.6}",
                    option.label(),
                    class.name(),
                    requests * up,
                    price
                );
                self.bill.push(BillLine { item, usd_per_month: usd });
                self.pay(&id, usd);
                let fallback = behind.map(|f| {
                    let price = self.field.hosted[f].terms[c].usd_per_request;
                    self.expected_fallback(f, c, requests * (1.0 - up), price)
                });
                self.hosted_measures(*at, c, &id);
                self.route(class, &id, &shares, fallback);
            }
        }
    }

    /// Replicas of a measured option: the capacity is the user's word.
    fn measured_pool(&mut self, r: usize, at: usize) {
        let requirements = self.question.requirements;
        let row = &requirements.measured[at];
        let replicas: u32 = self.point.always_on[r].iter().sum();
        let price = row.usd_per_hour.unwrap_or(0.0);
        let usd = bill::line(price * f64::from(replicas) * requirements.hours_per_month);
        let id = format!("d{}", self.deployments.len() + 1);
        let item = format!("{replicas} x {} (measured) around the clock at ${price}/h", row.option);
        self.bill.push(BillLine { item, usd_per_month: usd });
        let (utilisation_peak, _) = self.peak(r, replicas);
        self.deployments.push(Deployment {
            id: id.clone(),
            label: format!("{replicas} x {}", row.option),
            model: row.option.clone(),
            mode: "measured".to_owned(),
            provider: "measured".to_owned(),
            engine: Some(EngineSettings {
                engine: "measured".to_owned(),
                gpu: row.option.clone(),
                instance: row.option.clone(),
                offer: row.option.clone(),
                billing: "on-demand".to_owned(),
                replicas,
                instances: replicas,
                usd_per_hour: price,
                capacity_rps: row.capacity_rps.clone(),
                utilisation_peak,
                ..EngineSettings::default()
            }),
            api: None,
            quality: None,
            usd_per_month: usd,
            fallback_only: false,
        });
        for (c, class) in self.field.classes.iter().enumerate() {
            let shares = self.point.local[c][r].clone();
            self.route(class, &id, &shares, None);
        }
    }

    fn measured_hosted(&mut self, a: usize, at: usize) {
        let row = &self.question.requirements.measured[at];
        let id = format!("d{}", self.deployments.len() + 1);
        let mut total = 0.0;
        for (c, class) in self.field.classes.iter().enumerate() {
            let shares = self.point.cloud[c][a].clone();
            let requests = self.requests(c, &shares);
            let price = row.usd_per_request.get(&class.workload.name).copied().unwrap_or(0.0);
            if shares.iter().any(|share| *share > 0.0) {
                let usd = bill::line(requests * price);
                total += usd;
                let item = format!(
                    "{} (measured) · {}: {requests:.0} requests at ${price:.6}",
                    row.option,
                    class.name()
                );
                self.bill.push(BillLine { item, usd_per_month: usd });
                self.route(class, &id, &shares, None);
            }
        }
        self.deployments.push(Deployment {
            id,
            label: row.option.clone(),
            model: row.option.clone(),
            mode: "measured".to_owned(),
            provider: "measured".to_owned(),
            engine: None,
            api: Some(ApiTerms {
                tier: "standard".to_owned(),
                usd_per_mtok_input: 0.0,
                usd_per_mtok_output: 0.0,
                usd_per_request: row.usd_per_request.clone(),
                uptime: None,
            }),
            quality: None,
            usd_per_month: bill::line(total),
            fallback_only: false,
        });
    }

    /// Requests a month of a class at shares by slot.
    fn requests(&self, class: usize, shares: &[f64]) -> f64 {
        shares.iter().enumerate().map(|(t, share)| share * self.formulated.program.requests(class, t)).sum()
    }

    fn expected_fallback(&mut self, at: usize, class: usize, requests: f64, usd_per_request: f64) -> String {
        let id = self.hosted_deployment(at, true);
        let usd = bill::line(requests * usd_per_request);
        let item = format!(
            "{} as fallback · {}: {requests:.0} requests expected at ${usd_per_request:.6}",
            self.field.hosted[at].label(),
            self.field.classes[class].name()
        );
        self.bill.push(BillLine { item, usd_per_month: usd });
        self.pay(&id, usd);
        id
    }

    fn pay(&mut self, id: &str, usd: f64) {
        if let Some(deployment) = self.deployments.iter_mut().find(|deployment| deployment.id == id) {
            deployment.usd_per_month = bill::line(deployment.usd_per_month + usd);
        }
    }

    /// The deployment of a hosted option, made when first needed.
    fn hosted_deployment(&mut self, at: usize, fallback_only: bool) -> String {
        let option = &self.field.hosted[at];
        let label = option.label();
        let known = self.deployments.iter_mut().find(|deployment| {
            deployment.api.is_some() && deployment.model == option.api.id && deployment.mode == option.mode
        });
        if let Some(deployment) = known {
            deployment.fallback_only &= fallback_only;
            return deployment.id.clone();
        }
        let id = format!("d{}", self.deployments.len() + 1);
        let usd_per_request: BTreeMap<String, f64> = self
            .field
            .classes
            .iter()
            .zip(&option.terms)
            .filter(|(_, terms)| terms.refusal.is_none())
            .map(|(class, terms)| (class.name(), terms.usd_per_request))
            .collect();
        self.deployments.push(Deployment {
            id: id.clone(),
            label,
            model: option.api.id.clone(),
            mode: option.mode.to_owned(),
            provider: option.api.provider.clone(),
            engine: None,
            api: Some(ApiTerms {
                tier: match option.api.tier {
                    ServiceTier::Standard => "standard",
                    ServiceTier::Batch => "batch",
                    ServiceTier::Flex => "flex",
                }
                .to_owned(),
                usd_per_mtok_input: option.api.input.get(),
                usd_per_mtok_output: option.api.output.get(),
                usd_per_request,
                uptime: option.uptime,
            }),
            quality: option.quality.as_ref().map(|q| Scored { index: q.index, sd: q.sd }),
            usd_per_month: 0.0,
            fallback_only,
        });
        id
    }

    fn route(&mut self, class: &Class<'_>, target: &str, shares: &[f64], fallback: Option<String>) {
        let weights = class.billed_rps();
        let all: f64 = weights.iter().sum();
        if shares.iter().all(|share| *share <= 0.0) || all <= 0.0 {
            return;
        }
        let share = shares.iter().zip(&weights).map(|(share, weight)| share * weight).sum::<f64>() / all;
        let varies = shares
            .iter()
            .zip(&weights)
            .filter(|(_, weight)| **weight > 0.0)
            .any(|(share, _)| (share - shares_max(shares, &weights)).abs() > 1e-9);
        self.routing.push(Route {
            workload: class.workload.name.clone(),
            target: target.to_owned(),
            share: share * class.share,
            by_hour: varies.then(|| shares.iter().map(|hour| hour * class.share).collect()),
            fallback,
            premium: class.premium,
        });
    }

    /// Load of the busiest slot over the capacity of the replicas that are needed, and the slot.
    fn peak(&self, r: usize, replicas: u32) -> (f64, usize) {
        let program = &self.formulated.program;
        let mut most = (0.0, 0);
        for t in 0..program.slot_hours.len() {
            let load: f64 = (0..program.classes.len())
                .filter_map(|c| Some(program.instances_for(c, r, t)? * self.point.local[c][r][t]))
                .sum();
            if load > most.0 {
                most = (load, t);
            }
        }
        (most.0 * f64::from(program.pools[r].replicas) / f64::from(replicas.max(1)), most.1)
    }

    fn settings(&self, r: usize, option: &LocalOption<'_>, instances: u32, guard: Guard) -> EngineSettings {
        let pool = &self.formulated.program.pools[r];
        let unit = &option.prospect.row.unit;
        let hardware = &option.hardware;
        let replicas = instances * pool.replicas;
        let (utilisation, _) = self.peak(r, replicas);
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "at most the replicas there are"
        )]
        let needed = (utilisation * f64::from(replicas) - 1e-5).ceil().max(1.0) as u32;
        let serving = || {
            (0..self.field.classes.len()).filter(|c| self.point.local[*c][r].iter().any(|share| *share > 0.0))
        };
        let max_batch = option.max_batch;
        let longest = serving()
            .map(|c| self.field.classes[c].workload.context_tokens + option.prospect.shared.extra_output[c])
            .fold(0.0, f64::max);
        let mean = serving()
            .map(|c| {
                let lengths = &self.field.classes[c].workload.lengths;
                lengths.input_mean + lengths.output_mean + option.prospect.shared.extra_output[c]
            })
            .fold(0.0, f64::max);
        let memory = &option.prospect.row.memory;
        let each = memory.required_gib(f64::from(max_batch).min(memory.sequences(mean)), mean);
        let gpus_paid = hardware.gpus_paid(unit.gpus) * instances;
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a window of tokens")]
        let max_model_len = longest.ceil() as u32;
        EngineSettings {
            engine: unit.engine.family.clone(),
            generation: unit.engine.id.clone(),
            gpu: unit.gpu.id.clone(),
            gpus_per_replica: unit.gpus,
            tensor_parallel: unit.tensor_parallel,
            pipeline_parallel: unit.pipeline_parallel,
            data_parallel: unit.data_parallel,
            expert_parallel: unit.expert_parallel,
            weights: unit.weights.to_string(),
            kv: option.prospect.row.kv_word().to_owned(),
            max_batch,
            max_model_len,
            gpu_memory_utilization: unit.gpu_memory_utilization,
            replicas,
            spare_replicas: if guard == Guard::Spares { replicas - needed.min(replicas) } else { 0 },
            offer: hardware.id.clone(),
            instance: hardware.instance.clone(),
            region: hardware.region.clone(),
            billing: hardware.billing.word().to_owned(),
            instances,
            gpus_per_instance: hardware.gpus_paid(unit.gpus),
            idle_gpus: gpus_paid - replicas * unit.gpus,
            usd_per_hour: hardware.price(unit.gpus),
            memory_gib_per_server: each * f64::from(pool.replicas),
            capacity_rps: serving()
                .filter_map(|c| Some((self.field.classes[c].name(), option.capacity[c].as_ref()?.rps)))
                .collect(),
            utilisation_peak: utilisation,
            power_kw: bill::power_kw(self.question.catalog, hardware.gpu).map(|kw| kw * f64::from(gpus_paid)),
        }
    }

    /// Latencies of each class in its worst hour, among everything that shares the pool in that hour.
    fn local_measures(&self, r: usize, option: &LocalOption<'_>, replicas: u32, id: &str) -> Vec<MeasureRow> {
        let (memory, batch) = (&option.prospect.row.memory, option.max_batch);
        let step = option.prospect.row.step(self.question.catalog);
        let confidence = self.question.requirements.confidence;
        let traffic = |c: usize| {
            crate::candidate::local::traffic(&self.field.classes[c], option.prospect.shared.extra_output[c])
        };
        let mut rows = Vec::new();
        for (c, class) in self.field.classes.iter().enumerate() {
            let mut worst: Vec<Option<MeasureRow>> = vec![None; shown(class).len()];
            for among in self.mixtures(r, c, replicas) {
                let among: Vec<(Traffic<'_>, f64)> =
                    among.iter().map(|(c, rate)| (traffic(*c), *rate)).collect();
                let Ok(at) = loaded_among(step, memory, &traffic(c), &among, batch, 1.0) else { continue };
                for (limit, worst) in shown(class).into_iter().zip(&mut worst) {
                    let asked = (limit.0, limit.1);
                    let held = held_ms(step, memory, &traffic(c), &among, batch, confidence, asked);
                    if worst.as_ref().is_none_or(|known| known.held_to < held) {
                        let value_ms = at.of(limit.0).at(limit.1);
                        let estimate = step.estimate(asked, value_ms, &traffic(c));
                        *worst = Some(row(class, id, limit, estimate, held));
                    }
                }
            }
            rows.extend(worst.into_iter().flatten());
        }
        rows
    }

    /// Requests/s of each class on one replica of a pool, for every distinct hour in which class `c` is there.
    fn mixtures(&self, r: usize, c: usize, replicas: u32) -> Vec<Vec<(usize, f64)>> {
        let program = &self.formulated.program;
        let mut all: Vec<Vec<(usize, f64)>> = Vec::new();
        for t in (0..program.slot_hours.len()).filter(|t| self.point.local[c][r][*t] > 0.0) {
            let rate =
                |c: usize| program.classes[c].load_rps[t] * self.point.local[c][r][t] / f64::from(replicas);
            let mix: Vec<(usize, f64)> =
                (0..program.classes.len()).map(|c| (c, rate(c))).filter(|(_, rate)| *rate > 0.0).collect();
            if !all.contains(&mix) {
                all.push(mix);
            }
        }
        all
    }

    fn hosted_measures(&mut self, at: usize, class_at: usize, id: &str) {
        let class = &self.field.classes[class_at];
        let Some(latency) = &self.field.hosted[at].terms[class_at].latency else { return };
        for limit in shown(class) {
            let held = latency.of(limit.0).at(limit.1);
            let row = row(class, id, limit, latency.estimate(held), held);
            self.measures.push(row);
        }
    }
}

fn shares_max(shares: &[f64], weights: &[f64]) -> f64 {
    shares
        .iter()
        .zip(weights)
        .filter(|(_, weight)| **weight > 0.0)
        .map(|(share, _)| *share)
        .fold(0.0, f64::max)
}

type Shown = (LatencyMeasure, Statistic, Option<LatencyLimit>);

/// The limits of a class, and p95 E2E where it is not among them: people always ask.
fn shown(class: &Class<'_>) -> Vec<Shown> {
    let mut all: Vec<Shown> =
        class.workload.latency.iter().map(|limit| (limit.measure, limit.statistic, Some(*limit))).collect();
    if !all
        .iter()
        .any(|(measure, statistic, _)| (*measure, *statistic) == (LatencyMeasure::E2e, Statistic::P95))
    {
        all.push((LatencyMeasure::E2e, Statistic::P95, None));
    }
    all
}

/// `e2e_ms_p95`.
#[must_use]
pub fn measure_name(measure: LatencyMeasure, statistic: Statistic) -> String {
    format!("{}_{}", measure.word(), statistic.word())
}

fn row(class: &Class<'_>, target: &str, shown: Shown, estimate: Estimate, held: f64) -> MeasureRow {
    MeasureRow {
        workload: class.workload.name.clone(),
        target: target.to_owned(),
        measure: measure_name(shown.0, shown.1),
        value: estimate.value,
        low: estimate.low,
        high: estimate.high,
        held_to: held,
        limit: shown.2.map(|limit| limit.ms),
        slack: shown.2.map(|limit| limit.ms - held),
        basis: estimate.basis,
    }
}

/// Money, power and counts of the whole plan: exact arithmetic.
fn whole_plan_measures(question: &Question<'_, '_>, plan: &Plan) -> Vec<MeasureRow> {
    let requirements = question.requirements;
    let exact = |measure: &str, value: f64, limit: Option<f64>| MeasureRow {
        workload: String::new(),
        target: String::new(),
        measure: measure.to_owned(),
        value,
        low: value,
        high: value,
        held_to: value,
        limit,
        slack: limit.map(|limit| limit - value),
        basis: Basis::Measured,
    };
    // A hosted model in two modes is one API.
    let apis: std::collections::BTreeSet<&str> =
        plan.deployments.iter().filter(|d| d.api.is_some()).map(|d| d.model.as_str()).collect();
    let engines: Vec<&EngineSettings> = plan.deployments.iter().filter_map(|d| d.engine.as_ref()).collect();
    let mut rows = vec![
        exact("usd_per_month", plan.usd_per_month, requirements.budget.usd_per_month),
        exact("usd_per_request", plan.usd_per_request, requirements.budget.usd_per_request),
        #[allow(clippy::cast_precision_loss, reason = "a count of deployments")]
        exact(
            "deployments",
            (apis.len() + engines.len()) as f64,
            requirements.limits.max_deployments.map(f64::from),
        ),
    ];
    if !engines.is_empty() {
        let power: f64 = engines.iter().filter_map(|engine| engine.power_kw).sum();
        rows.push(exact("power_kw", power, requirements.limits.power_kw));
        let memory = engines.iter().map(|engine| engine.memory_gib_per_server).fold(0.0, f64::max);
        rows.push(exact("memory_gib_per_server", memory, requirements.limits.memory_gib_per_server));
    }
    rows
}
