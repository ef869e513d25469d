//! What a plan promises in figures: latencies of each class in its worst hour, money, power and counts of the whole.

use std::collections::BTreeSet;

use super::Maker;
use crate::candidate::{Class, LocalOption, Question};
use crate::estimate::{Basis, Estimate, Traffic, held_ms, loaded_among};
use crate::formulate::{Field, Source};
use crate::recommendation::{Deployment, EngineSettings, MeasureRow, Plan};
use crate::requirements::{LatencyLimit, LatencyMeasure, Statistic};

impl Maker<'_, '_, '_> {
    /// Latencies of each class in its worst hour, among everything that shares the pool in that hour.
    pub(super) fn local_measures(&self, r: usize, option: &LocalOption<'_>, id: &str) -> Vec<MeasureRow> {
        let (memory, batch) = (&option.prospect.row.memory, option.max_batch);
        let step = option.prospect.row.step(self.question.catalog);
        let confidence = self.question.requirements.confidence;
        let traffic = |c: usize| {
            crate::candidate::local::traffic(&self.field.classes[c], option.prospect.shared.extra_output[c])
        };
        let mut rows = Vec::new();
        for (c, class) in self.field.classes.iter().enumerate() {
            let mut worst: Vec<Option<MeasureRow>> = vec![None; shown(class).len()];
            for among in self.mixtures(r, c) {
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
    fn mixtures(&self, r: usize, c: usize) -> Vec<Vec<(usize, f64)>> {
        let program = &self.formulated.program;
        // Those that are there carry what those taken away would.
        let there = match self.formulated.pools[r].0 {
            Source::Catalog(at) => self.field.locals[at].hardware.spot.as_ref(),
            Source::Measured(_) | Source::Serverless(_) => None,
        };
        let here = 1.0 - there.map_or(0.0, |on| on.interruptions.away());
        let mut all: Vec<Vec<(usize, f64)>> = Vec::new();
        for t in (0..program.slot_hours.len()).filter(|t| self.passed.local[c][r][*t] > 0.0) {
            let replicas = f64::from(self.replicas_in(r, t).max(1)) * here;
            let rate = |c: usize| self.point.load(program, c, t) * self.passed.local[c][r][t] / replicas;
            let mix: Vec<(usize, f64)> =
                (0..program.classes.len()).map(|c| (c, rate(c))).filter(|(_, rate)| *rate > 0.0).collect();
            if !all.contains(&mix) {
                all.push(mix);
            }
        }
        all
    }

    pub(super) fn hosted_measures(&mut self, at: usize, class_at: usize, id: &str) {
        let class = &self.field.classes[class_at];
        let Some(latency) = &self.field.hosted[at].terms[class_at].latency else { return };
        for limit in shown(class) {
            let held = latency.of(limit.0).at(limit.1);
            let row = row(class, id, limit, latency.estimate(held), held);
            self.measures.push(row);
        }
    }
}

pub(super) type Shown = (LatencyMeasure, Statistic, Option<LatencyLimit>);

/// The limits of a class, and p95 E2E where it is not among them: people always ask.
pub(super) fn shown(class: &Class<'_>) -> Vec<Shown> {
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

pub(super) fn row(
    class: &Class<'_>,
    target: &str,
    shown: Shown,
    estimate: Estimate,
    held: f64,
) -> MeasureRow {
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
pub(super) fn whole_plan_measures(
    question: &Question<'_, '_>,
    field: &Field<'_, '_>,
    plan: &Plan,
) -> Vec<MeasureRow> {
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
    let apis: BTreeSet<&str> =
        plan.deployments.iter().filter(|d| d.api.is_some()).map(|d| d.model.as_str()).collect();
    let engines: Vec<&EngineSettings> = plan.deployments.iter().filter_map(|d| d.engine.as_ref()).collect();
    // A unit at a provider counts once, whatever its instances.
    let units: BTreeSet<_> = plan.deployments.iter().filter_map(Deployment::unit_at_provider).collect();
    let mut rows = super::quality::mean_rows(question, field, plan);
    rows.extend([
        exact("usd_per_month", plan.usd_per_month, requirements.budget.usd_per_month),
        exact("usd_per_request", plan.usd_per_request, requirements.budget.usd_per_request),
        #[allow(clippy::cast_precision_loss, reason = "a count of deployments")]
        exact(
            "deployments",
            (apis.len() + units.len()) as f64,
            requirements.limits.max_deployments.map(f64::from),
        ),
    ]);
    rows.extend(super::carbon::row(question, field, plan));
    if plan.usd_upfront > 0.0 || requirements.budget.usd_upfront.is_some() {
        rows.push(exact("usd_upfront", plan.usd_upfront, requirements.budget.usd_upfront));
    }
    if !engines.is_empty() {
        let power: f64 = engines.iter().filter_map(|engine| engine.power_kw).sum();
        rows.push(exact("power_kw", power, requirements.limits.power_kw));
        let memory = engines.iter().map(|engine| engine.memory_gib_per_server).fold(0.0, f64::max);
        rows.push(exact("memory_gib_per_server", memory, requirements.limits.memory_gib_per_server));
    }
    rows
}
