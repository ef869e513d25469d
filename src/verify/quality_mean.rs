//! Means over the month: the index of every target by the catalog, weighted by the requests that reach it.

use std::collections::BTreeMap;

use super::{Checker, SHARE_TOLERANCE};
use crate::catalog::Catalog;
use crate::quality;
use crate::recommendation::{Deployment, Plan, Route};
use crate::requirements::{Requirements, Workload};

impl Checker<'_> {
    /// Each workload's mean index reaches what it asks for, and is what the plan says.
    pub(super) fn quality_mean(&mut self) {
        for workload in &self.requirements.workloads {
            let said = self
                .plan
                .measures
                .iter()
                .find(|row| row.measure == "quality_mean" && row.workload == workload.name)
                .map(|row| row.value);
            if (workload.quality_mean.is_none() && said.is_none()) || workload.mean_rps() <= 0.0 {
                continue;
            }
            let mean = self.mean_index(workload);
            let mut wrong = Vec::new();
            match (workload.quality_mean, mean) {
                (Some(_), None) => wrong.push("a target's index is unknown".to_owned()),
                // mean >= least
                (Some(least), Some(mean)) if mean < least - tolerance(least) => {
                    wrong.push(format!("mean {mean:.4}, at least {least}"));
                }
                _ => {}
            }
            match (said, mean) {
                (Some(said), Some(mean)) if (said - mean).abs() > tolerance(mean) => {
                    wrong.push(format!("the plan says {said:.4}, its routes give {mean:.4}"));
                }
                (None, Some(_)) => wrong.push("the plan does not say its mean".to_owned()),
                _ => {}
            }
            for what in wrong {
                self.break_rule("quality_mean", format!("{}: {what}", workload.name));
            }
        }
    }

    fn mean_index(&self, workload: &Workload) -> Option<f64> {
        let (mut points, mut requests) = (0.0, 0.0);
        for route in self.plan.routing.iter().filter(|route| route.workload == workload.name) {
            // A way has one index, whoever of it answers.
            let index = match &route.via {
                Some(via) => self.way_index(route, via)?,
                None => self.route_index(route)?,
            };
            for (slot, hours) in self.slots.iter().map(|slot| slot.hours_per_month).enumerate() {
                let here = Self::answered_in(route, slot) * self.billed_rps(workload, slot) * hours;
                points += here * index;
                requests += here;
            }
        }
        (requests > 0.0).then(|| points / requests)
    }

    /// Index expected of a request on a route, its fallback included.
    fn route_index(&self, route: &Route) -> Option<f64> {
        let target = self.deployed(&route.target)?;
        let own = self.index_of(target)?;
        let Some(behind) = &route.fallback else { return Some(own) };
        let up = self.up_share(route, target)?;
        Some(up * own + (1.0 - up) * self.index_of(self.deployed(behind)?)?)
    }

    /// Share of the time in which the target of a route answers itself.
    pub(super) fn up_share(&self, route: &Route, target: &Deployment) -> Option<f64> {
        match (&route.fallback, &target.engine) {
            (None, _) => Some(1.0),
            (Some(_), Some(engine)) => Some(self.replica_up(target, engine)),
            (Some(_), None) => self.catalog.uptime_share(&target.provider),
        }
    }

    /// Index of a deployment by the catalog, or by the user's word.
    pub(super) fn index_of(&self, deployment: &Deployment) -> Option<f64> {
        if deployment.mode == "measured" {
            let row = self.requirements.measured.iter().find(|row| row.option == deployment.model)?;
            return row.quality_index;
        }
        if let Some(unit) = deployment.unit(self.catalog) {
            return quality::of_model(self.catalog, unit.model, &deployment.mode, &unit.weights)
                .map(|scored| scored.index);
        }
        let api = self.catalog.api_on(&deployment.model, self.requirements.as_of)?;
        quality::of_api(self.catalog, api, &deployment.mode).map(|scored| scored.index)
    }
}

/// Mean index over all requests of a plan that reach a model, by the catalog; `None` where one is unknown.
#[must_use]
pub fn mean_index(requirements: &Requirements, catalog: &Catalog, plan: &Plan) -> Option<f64> {
    let slots = requirements.slots();
    let mut checker = Checker {
        requirements,
        catalog,
        plan,
        slots,
        released: BTreeMap::new(),
        capacities: BTreeMap::new(),
        broken: Vec::new(),
    };
    checker.waiting();
    let (mut points, mut requests) = (0.0, 0.0);
    for workload in requirements.workloads.iter().filter(|workload| workload.mean_rps() > 0.0) {
        let reached = workload.mean_rps() * (1.0 - workload.response_hit);
        points += reached * checker.mean_index(workload)?;
        requests += reached;
    }
    (requests > 0.0).then(|| points / requests)
}

/// What shares that are called zero can move a mean by.
fn tolerance(index: f64) -> f64 {
    SHARE_TOLERANCE * index.abs().max(100.0)
}
