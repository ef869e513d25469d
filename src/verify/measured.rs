//! Measured options: the user's capacities carry the load, and there are no more replicas than the user has.

use super::{Checker, SHARE_TOLERANCE};
use crate::recommendation::Deployment;

impl Checker<'_> {
    pub(super) fn measured(&mut self, deployment: &Deployment) {
        let Some(row) = self.requirements.measured.iter().find(|row| row.option == deployment.model) else {
            return self.break_rule("demand", format!("{} is not a measured option", deployment.model));
        };
        let replicas = deployment.engine.as_ref().map_or(0, |engine| engine.replicas);
        if row.max_replicas.is_some_and(|most| replicas > most) {
            self.break_rule("max_replicas", format!("{} has {replicas} replicas", deployment.label));
        }
        for slot in 0..self.slots.len() {
            let mut load = 0.0;
            for route in self.routes_to(&deployment.id) {
                let Some(workload) = self.workload(&route.workload) else { continue };
                let rate = self.arriving_rps(route, workload, slot);
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
}
