//! What there is only so much of: quotas, owned GPUs, power, deployments.

use std::collections::{BTreeMap, BTreeSet};

use super::Checker;
use crate::bill;

impl Checker<'_> {
    /// Quotas, owned stock, power, deployments.
    pub(super) fn counts(&mut self) {
        let plan = self.plan;
        let engines = || plan.deployments.iter().filter_map(|deployment| deployment.engine.as_ref());
        let slots = engines()
            .flat_map(|engine| &engine.paid)
            .filter_map(|paid| paid.instances_by_hour.as_ref().map(Vec::len))
            .max()
            .unwrap_or(1);
        // The busiest hour of each: what is rented by the hour counts only in the hours in which it runs.
        let mut rented: BTreeMap<&str, u32> = BTreeMap::new();
        let mut owned: BTreeMap<&str, u32> = BTreeMap::new();
        let mut power: f64 = 0.0;
        for slot in 0..slots {
            let mut here: BTreeMap<(&str, &str), u32> = BTreeMap::new();
            let mut drawn = 0.0;
            for engine in engines() {
                let each = self.catalog.gpu(&engine.gpu).and_then(|gpu| bill::power_kw(self.catalog, gpu));
                for paid in &engine.paid {
                    let gpus = engine.gpus_per_instance * paid.instances_in(slot);
                    let side = match paid.billing.as_str() {
                        "owned" => "owned",
                        "purchase" => "bought",
                        _ => "rented",
                    };
                    *here.entry((side, &engine.gpu)).or_default() += gpus;
                    drawn += each.unwrap_or(0.0) * f64::from(gpus);
                }
            }
            power = power.max(drawn);
            for ((side, gpu), gpus) in here {
                let all = match side {
                    "owned" => &mut owned,
                    "rented" => &mut rented,
                    _ => continue,
                };
                let most = all.entry(gpu).or_default();
                *most = gpus.max(*most);
            }
        }
        for (gpu, most) in &self.requirements.limits.gpus {
            let used = rented.get(gpu.as_str()).copied().unwrap_or(0);
            if used > *most {
                self.break_rule("gpus", format!("{used} x {gpu}, at most {most}"));
            }
        }
        for (gpu, used) in &owned {
            let there: u32 = self
                .requirements
                .owned
                .iter()
                .filter(|server| server.gpu == *gpu)
                .map(|server| server.count)
                .sum();
            if *used > there {
                self.break_rule("owned", format!("{used} x {gpu}, {there} owned"));
            }
        }
        if let Some(most) = self.requirements.limits.power_kw
            && power > most * (1.0 + 1e-9)
        {
            self.break_rule("power_kw", format!("{power:.2} kW, at most {most:.2}"));
        }
        // A pool is a unit at a provider, whatever the size of the instances it stands on; an API is one in any mode.
        let used: BTreeSet<_> = plan
            .deployments
            .iter()
            .map(|deployment| {
                let unit = deployment.engine.as_ref().map(|engine| {
                    let layout = (engine.gpus_per_replica, engine.tensor_parallel, engine.pipeline_parallel);
                    (&engine.gpu, &engine.generation, &engine.weights, &engine.kv, layout, engine.max_batch)
                });
                let mode = deployment.engine.as_ref().map(|_| &deployment.mode);
                (&deployment.model, mode, &deployment.provider, unit)
            })
            .collect();
        let used = used.len();
        if let Some(most) = self.requirements.limits.max_deployments
            && used > most as usize
        {
            self.break_rule("max_deployments", format!("{used}, at most {most}"));
        }
    }
}
