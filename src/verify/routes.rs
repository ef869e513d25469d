//! Where requests go: every route leads somewhere, every request of every hour is served, premium ones by premium
//! targets, and the plan is of the kind that was asked for.

use super::{Checker, SHARE_TOLERANCE};
use crate::graph::RequestPath;
use crate::recommendation::Kind;
use crate::requirements::Routing;

impl Checker<'_> {
    /// Every route leads from a workload of the request to a deployment of the plan; kind and routing agree.
    pub(super) fn structure(&mut self) {
        let ids: Vec<&str> = self.plan.deployments.iter().map(|deployment| deployment.id.as_str()).collect();
        for route in &self.plan.routing {
            let known = |id: &String| ids.contains(&id.as_str());
            if (0..self.slots.len()).any(|slot| Self::share_in(route, slot) < -SHARE_TOLERANCE) {
                self.break_rule("demand", format!("{} gets a share below zero", route.target));
            }
            if route.by_hour.as_ref().is_some_and(|hours| hours.len() != self.slots.len()) {
                self.break_rule("demand", format!("{} gets no share in some hours", route.target));
            }
            if !known(&route.target) || !route.fallback.iter().all(known) {
                self.break_rule("demand", format!("a route leads to {}, which does not run", route.target));
            }
            if self.workload(&route.workload).is_none() {
                self.break_rule("demand", format!("{} is not a workload of the request", route.workload));
            }
        }
        let path = RequestPath::of(self.plan, self.requirements);
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

    /// Every request of every hour goes somewhere, and the premium share to premium targets.
    pub(super) fn demand(&mut self) {
        for workload in &self.requirements.workloads {
            for slot in 0..self.slots.len() {
                let rate = self.billed_rps(workload, slot);
                if rate <= self.dust_rps(workload) {
                    continue;
                }
                let routes = || self.plan.routing.iter().filter(|route| route.workload == workload.name);
                let sum: f64 = routes().map(|route| Self::answered_in(route, slot)).sum();
                if (sum - 1.0).abs() > SHARE_TOLERANCE {
                    self.break_rule(
                        "demand",
                        format!("{sum} of {} served in {}", workload.name, self.hour_of(slot)),
                    );
                    break;
                }
                let premium: f64 =
                    routes().filter(|route| route.premium).map(|route| Self::answered_in(route, slot)).sum();
                // premium share x released >= released premium requests
                let due = self.part_rps(workload, true, slot) / rate;
                if premium + SHARE_TOLERANCE < due {
                    self.break_rule(
                        "premium_share",
                        format!("{premium} of {} in {}", workload.name, self.hour_of(slot)),
                    );
                    break;
                }
            }
        }
    }
}
