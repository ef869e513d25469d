//! Availability: what is up in each slot, by routes in series, fallbacks in parallel and spares.

use super::{Checker, SHARE_TOLERANCE};
use crate::recommendation::{Deployment, Route};
use crate::requirements::Workload;

impl Checker<'_> {
    /// Availability of each workload in each hour: routes in series, a fallback in parallel with its target.
    pub(super) fn availability(&mut self) {
        let Some(target) = self.requirements.availability else { return };
        for workload in &self.requirements.workloads {
            for premium in [false, true] {
                for slot in 0..self.slots.len() {
                    let mut up = 1.0;
                    for route in self
                        .plan
                        .routing
                        .iter()
                        .filter(|route| route.workload == workload.name && route.premium == premium)
                        .filter(|route| Self::share_in(route, slot) > SHARE_TOLERANCE)
                    {
                        up *= 1.0 - self.route_down(route, slot);
                    }
                    if up + 1e-9 < target {
                        self.break_rule(
                            "availability",
                            format!("{}: {up:.6} in {}", workload.name, self.hour_of(slot)),
                        );
                        break;
                    }
                }
            }
        }
    }

    fn route_down(&self, route: &Route, slot: usize) -> f64 {
        let find = |id: &String| self.deployed(id);
        let hosted_down =
            |deployment: &Deployment| 1.0 - self.catalog.uptime_share(&deployment.provider).unwrap_or(0.0);
        let Some(target) = find(&route.target) else { return 1.0 };
        // What is down with its target is no fallback.
        let apart = |other: &&Deployment| other.api.is_some() && other.provider != target.provider;
        let behind = route.fallback.as_ref().and_then(find).filter(apart).map_or(1.0, hosted_down);
        let own = match &target.engine {
            None => hosted_down(target),
            Some(engine) if engine.billing == "serverless" => hosted_down(target),
            Some(engine) => {
                let load: f64 = self
                    .routes_to(&target.id)
                    .filter_map(|other| {
                        let workload = self.workload(&other.workload)?;
                        let capacity = self.capacity_of(&target.id, workload);
                        let rate = self.arriving_rps(other, workload, slot);
                        Some(rate / (capacity * (1.0 - self.requirements.headroom)))
                    })
                    .sum();
                down(engine.replicas_in(slot), load, self.replica_up(target, engine))
            }
        };
        own * behind
    }

    /// Requests/s of one replica: the user's word for measured options, else what was re-derived; 0 where it cannot
    /// serve the workload.
    fn capacity_of(&self, id: &str, workload: &Workload) -> f64 {
        let measured = || {
            let deployment = self.deployed(id)?;
            let mut rows = self.requirements.measured.iter();
            let row = rows.find(|row| deployment.mode == "measured" && row.option == deployment.model)?;
            row.capacity_rps.get(&workload.name).copied()
        };
        self.capacities.get(&(id, workload.name.as_str())).copied().or_else(measured).unwrap_or(0.0)
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
