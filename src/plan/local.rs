//! Own engines of a plan: their deployments, exact settings, bill lines and routes.

use std::collections::BTreeMap;

use super::Maker;
use super::paid::{Peak, paid_line};
use super::ways::Column;
use crate::bill;
use crate::candidate::LocalOption;
use crate::formulate::{Guard, Source, away};
use crate::recommendation::{BillLine, Deployment, EngineSettings, Paid, Scored};

impl Maker<'_, '_, '_> {
    pub(super) fn local_part(&mut self) {
        // By host, the first deployment on it: that one pays.
        let mut payers: BTreeMap<usize, String> = BTreeMap::new();
        for (r, (source, guard)) in self.formulated.pools.iter().enumerate() {
            if !self.point.uses_pool(&self.formulated.program, r) {
                continue;
            }
            let option = match source {
                Source::Catalog(at) => &self.field.locals[*at],
                Source::Measured(at) => {
                    self.measured_pool(r, *at);
                    continue;
                }
                // Billed by the second: no pool of instances, see `serverless.rs`.
                Source::Serverless(_) => continue,
            };
            let id = format!("d{}", self.deployments.len() + 1);
            let mut settings = self.settings(r, option, self.paid(r, option), *guard);
            if let Some((host, _)) = self.formulated.program.pools[r].on {
                let payer = payers.entry(host).or_insert_with(|| id.clone());
                self.share(&mut settings, host, payer, &id);
            }
            let usd = bill::line(settings.paid.iter().map(|paid| paid.usd_per_month).sum());
            self.bill.extend(settings.paid.iter().map(|paid| paid_line(option, paid)));
            let rows = self.local_measures(r, option, &id);
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
            for c in 0..self.field.classes.len() {
                let shares = self.point.local[c][r].clone();
                let behind = self.formulated.behind[r][c];
                let fallback = behind.filter(|_| shares.iter().any(|share| *share > 0.0)).map(|f| {
                    let down = match &option.hardware.spot {
                        Some(on) => away(self.question, on),
                        None => 1.0 - self.question.catalog.replica_availability(),
                    };
                    let requests = self.requests(c, &shares) * down;
                    let usd = self.field.hosted[f].terms[c].usd_per_request;
                    self.expected_fallback(f, c, requests, usd)
                });
                self.route(c, &id, &shares, fallback);
                self.way_routes(c, Column::Pool(r), &id);
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
        let Peak { utilisation: utilisation_peak, .. } = self.peak(r);
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
                paid: vec![Paid {
                    offer: row.option.clone(),
                    billing: "on-demand".to_owned(),
                    instances: replicas,
                    usd_per_hour: price,
                    usd_per_month: usd,
                    ..Paid::default()
                }],
                usd_per_hour: price,
                capacity_rps: row.capacity_rps.clone(),
                utilisation_peak,
                ..EngineSettings::default()
            }),
            api: None,
            quality: row.quality_index.map(|index| Scored { index, sd: 0.0 }),
            usd_per_month: usd,
            fallback_only: false,
        });
        for c in 0..self.field.classes.len() {
            let shares = self.point.local[c][r].clone();
            self.route(c, &id, &shares, None);
            self.way_routes(c, Column::Pool(r), &id);
        }
    }

    fn settings(&self, r: usize, option: &LocalOption<'_>, paid: Vec<Paid>, guard: Guard) -> EngineSettings {
        let pool = &self.formulated.program.pools[r];
        let unit = &option.prospect.row.unit;
        let hardware = &option.hardware;
        let slots = 0..self.formulated.program.slot_hours.len();
        let instances = slots.map(|t| self.point.instances(r, t)).max().unwrap_or(0);
        let replicas = instances * pool.replicas;
        let Peak { utilisation, spare } = self.peak(r);
        // The first of the largest: ways are listed in a fixed order.
        let largest = paid.iter().rev().max_by_key(|paid| paid.instances).cloned().unwrap_or_default();
        let serving = || {
            (0..self.field.classes.len())
                .filter(|c| self.passed.local[*c][r].iter().any(|share| *share > 0.0))
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
            max_batch,
            max_model_len,
            replicas,
            spare_replicas: if guard == Guard::Spares { spare } else { 0 },
            offer: largest.offer,
            instance: hardware.instance.clone(),
            region: hardware.region.clone(),
            billing: largest.billing,
            instances,
            gpus_per_instance: hardware.gpus_paid(unit.gpus),
            paid,
            idle_gpus: gpus_paid - replicas * unit.gpus,
            usd_per_hour: largest.usd_per_hour,
            memory_gib_per_server: each * f64::from(pool.replicas),
            capacity_rps: serving()
                .filter_map(|c| Some((self.field.classes[c].name(), option.capacity[c].as_ref()?.rps)))
                .collect(),
            utilisation_peak: utilisation,
            power_kw: bill::power_kw(self.question.catalog, hardware.gpu).map(|kw| kw * f64::from(gpus_paid)),
            ..EngineSettings::of(unit)
        }
    }
}
