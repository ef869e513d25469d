//! A solved program becomes a plan people can read: deployments, routes, bill, measures.
//!
//! In: question, field, formulated program, point. Out: a [`Plan`] of catalog words. Every bill line is rounded once;
//! totals are sums of the rounded lines. `verify/` judges what is made here and shares none of its code.

mod carbon;
mod hosted;
mod local;
mod measures;
mod paid;
mod quality;
mod serverless;
mod shared;
mod waiting;
mod ways;

pub use measures::measure_name;

use measures::whole_plan_measures;

use crate::bill;
use crate::candidate::Question;
use crate::formulate::{Field, Formulated, Source, away};
use crate::program::Point;
use crate::recommendation::{BillLine, Deployment, Kind, MeasureRow, Paid, Plan, Route};
use crate::requirements::Workload;

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
    maker.way_fees();
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
    let deferral = maker.deferral();
    let paid = |of: fn(&Paid) -> f64| -> f64 {
        maker
            .deployments
            .iter()
            .filter_map(|d| d.engine.as_ref())
            .flat_map(|engine| &engine.paid)
            .map(of)
            .sum()
    };
    let mut plan = Plan {
        rank,
        kind: match (local, cloud) {
            (true, true) => Kind::Hybrid,
            (true, false) => Kind::Local,
            (false, _) => Kind::Cloud,
        },
        usd_per_month,
        usd_upfront: bill::line(paid(|paid| paid.usd_upfront)),
        usd_amortised: bill::line(paid(|paid| paid.usd_amortised)),
        usd_per_request: if requests > 0.0 { usd_per_month / requests } else { 0.0 },
        bill: maker.bill,
        deployments: maker.deployments,
        routing: maker.routing,
        deferral,
        measures: maker.measures,
        binding: Vec::new(),
        reasons: Vec::new(),
    };
    let whole = whole_plan_measures(question, field, &plan);
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
        if !point.uses_pool(&formulated.program, r) || option.capacity.iter().flatten().count() < 2 {
            continue;
        }
        let over = |row: &MeasureRow| row.slack.is_some_and(|slack| slack < -MIXTURE_TOLERANCE * row.held_to);
        if maker.local_measures(r, option, "").iter().any(over) {
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
    let rate: f64 = question.requirements.workloads.iter().map(Workload::mean_rps).sum();
    rate * 3600.0 * question.requirements.hours_per_month
}

struct Maker<'m, 'q, 'c> {
    question: &'m Question<'q, 'c>,
    field: &'m Field<'q, 'c>,
    formulated: &'m Formulated,
    point: &'m Point,
    /// The same with what passes routers and cascades among the shares of the targets.
    passed: Point,
    bill: Vec<BillLine>,
    deployments: Vec<Deployment>,
    routing: Vec<Route>,
    measures: Vec<MeasureRow>,
}

impl<'m, 'q, 'c> Maker<'m, 'q, 'c> {
    fn new(
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
            passed: ways::passed(formulated, point),
            bill: Vec::new(),
            deployments: Vec::new(),
            routing: Vec::new(),
            measures: Vec::new(),
        }
    }

    /// Requests a month of a class at shares by slot.
    fn requests(&self, class: usize, shares: &[f64]) -> f64 {
        shares
            .iter()
            .enumerate()
            .map(|(t, share)| share * self.point.requests(&self.formulated.program, class, t))
            .sum()
    }

    fn route(&mut self, class_at: usize, target: &str, shares: &[f64], fallback: Option<String>) {
        let weights = self.released(class_at);
        let all: f64 = weights.iter().sum();
        let class = &self.field.classes[class_at];
        if shares.iter().all(|share| *share <= 0.0) || all <= 0.0 {
            return;
        }
        let share = shares.iter().zip(&weights).map(|(share, weight)| share * weight).sum::<f64>() / all;
        let varies = shares
            .iter()
            .zip(&weights)
            .filter(|(_, weight)| **weight > 0.0)
            .any(|(share, _)| (share - shares_max(shares, &weights)).abs() > 1e-9)
            || self.splits_unevenly(class_at);
        self.routing.push(Route {
            workload: class.workload.name.clone(),
            target: target.to_owned(),
            share: share * class.share,
            by_hour: varies.then(|| {
                shares.iter().enumerate().map(|(t, share)| share * self.part(class_at, t)).collect()
            }),
            fallback,
            premium: class.premium,
            via: None,
        });
    }
}

/// Share of the time in which the target of a route answers itself.
fn up_share(question: &Question<'_, '_>, field: &Field<'_, '_>, plan: &Plan, route: &Route) -> Option<f64> {
    if route.fallback.is_none() {
        return Some(1.0);
    }
    let target = plan.deployments.iter().find(|deployment| deployment.id == route.target)?;
    let Some(engine) = &target.engine else { return question.catalog.uptime_share(&target.provider) };
    let on = |option: &&crate::candidate::LocalOption<'_>| option.hardware.id == engine.offer;
    let spot = field.locals.iter().find(on).and_then(|option| option.hardware.spot.as_ref());
    Some(spot.map_or_else(|| question.catalog.replica_availability(), |on| 1.0 - away(question, on)))
}

fn shares_max(shares: &[f64], weights: &[f64]) -> f64 {
    shares
        .iter()
        .zip(weights)
        .filter(|(_, weight)| **weight > 0.0)
        .map(|(share, _)| *share)
        .fold(0.0, f64::max)
}
