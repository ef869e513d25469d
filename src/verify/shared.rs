//! Instances on which several deployments stand: one of them pays, all their replicas have a place.

use super::Checker;
use crate::recommendation::{Deployment, EngineSettings};

impl Checker<'_> {
    /// The replicas of a deployment, and of those beside it, fit on the instances it pays for.
    pub(super) fn placed(&mut self, deployment: &Deployment, engine: &EngineSettings) {
        let plan = self.plan;
        let engines = || plan.deployments.iter().filter_map(|other| Some((other, other.engine.as_ref()?)));
        let label = &deployment.label;
        if let Some(payer) = &engine.beside {
            let stands = engines().any(|(other, host)| {
                other.id == *payer
                    && host.beside.is_none()
                    && host.offer == engine.offer
                    && host.billing == engine.billing
                    && (&host.gpu, host.gpus_per_instance) == (&engine.gpu, engine.gpus_per_instance)
                    && other.provider == deployment.provider
            });
            if !stands || engine.instances > 0 || !engine.paid.is_empty() {
                self.break_rule("capacity", format!("{label}: does not stand beside {payer}"));
            }
            return;
        }
        let beside: Vec<&EngineSettings> = engines()
            .map(|(_, other)| other)
            .filter(|other| other.beside.as_ref() == Some(&deployment.id))
            .collect();
        if !beside.is_empty() && engine.paid.iter().any(|paid| paid.instances_by_hour.is_some()) {
            self.break_rule("capacity", format!("{label}: shared instances do not run around the clock"));
        }
        // The largest first, each where it fits.
        let mut all: Vec<&EngineSettings> = std::iter::once(engine).chain(beside).collect();
        all.sort_by_key(|other| std::cmp::Reverse(other.gpus_per_replica));
        let mut free = vec![engine.gpus_per_instance; engine.instances as usize];
        for other in all {
            for _ in 0..other.replicas {
                let Some(place) = free.iter_mut().find(|free| **free >= other.gpus_per_replica) else {
                    let gpus = engine.gpus_per_instance * engine.instances;
                    let what = format!("{label}: no place for {} replicas on {gpus} GPUs", other.replicas);
                    return self.break_rule("capacity", what);
                };
                *place -= other.gpus_per_replica;
            }
        }
    }
}
