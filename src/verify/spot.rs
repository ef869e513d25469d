//! Spot instances: who may stand there, and how much of them interruptions take.

use super::Checker;
use crate::recommendation::{Deployment, EngineSettings};

/// Work that may wait so many hours needs no fallback.
const WAIT_MIN_H: f64 = 1.0;

impl Checker<'_> {
    /// Every class on spot instances waits long enough, or has a hosted model behind it.
    pub(super) fn spot(&mut self, deployment: &Deployment, engine: &EngineSettings) {
        if engine.billing != "spot" {
            return;
        }
        let label = &deployment.label;
        if self.interruptions(deployment).is_none() {
            self.break_rule("spot", format!("{label}: nobody knows how often it is taken away"));
        }
        let promised = self.requirements.availability.is_some();
        let plan = self.plan;
        for route in plan.routing.iter().filter(|route| route.target == deployment.id) {
            let Some(workload) = self.workload(&route.workload) else { continue };
            let waits = workload.deferrable_hours >= WAIT_MIN_H && !promised;
            let behind = route.fallback.as_ref().and_then(|id| self.deployed(id));
            if !waits && behind.is_none_or(|other| other.api.is_none()) {
                self.break_rule("spot", format!("{label}: nothing makes up for it under {}", workload.name));
            }
        }
    }

    /// Interruptions an hour x hours until another instance serves; 0 where instances are not taken away.
    pub(super) fn spot_away(&self, deployment: &Deployment, engine: &EngineSettings) -> f64 {
        if engine.billing != "spot" {
            return 0.0;
        }
        self.interruptions(deployment).map_or(1.0, |(per_hour, recovery_h)| (per_hour * recovery_h).min(1.0))
    }

    /// Share of time a replica is there, so that nothing behind it is used. Where no redundancy is asked, only
    /// interruptions count.
    pub(super) fn replica_up(&self, deployment: &Deployment, engine: &EngineSettings) -> f64 {
        let up = self.catalog.replica_availability();
        if engine.billing != "spot" {
            return up;
        }
        let up = self.requirements.availability.map_or(1.0, |_| up);
        up * (1.0 - self.spot_away(deployment, engine))
    }

    fn interruptions(&self, deployment: &Deployment) -> Option<(f64, f64)> {
        let of = |key: &str, scope: &str| self.catalog.economic(key, scope).map(|fact| fact.value);
        let per_hour = of("spot_interruptions", &deployment.provider)?;
        let wait_s = of("spot_gap", &deployment.provider)? + of("start_up", "default")?;
        Some((per_hour, wait_s / 3600.0))
    }
}
