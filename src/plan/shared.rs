//! Deployments that stand on shared instances: the first pays for all of them, the others stand beside it.

use super::Maker;
use crate::bill;
use crate::recommendation::EngineSettings;

impl Maker<'_, '_, '_> {
    /// Makes the settings of a deployment those of one on a host that `payer` pays for.
    pub(super) fn share(&self, settings: &mut EngineSettings, host: usize, payer: &str, id: &str) {
        if payer != id {
            settings.beside = Some(payer.to_owned());
            settings.paid.clear();
            settings.instances = 0;
            settings.idle_gpus = 0;
            settings.power_kw = settings.power_kw.map(|_| 0.0);
            return;
        }
        let program = &self.formulated.program;
        let instances: u32 = self.point.host_always_on[host].iter().sum();
        let gpus = settings.gpus_per_instance * instances;
        let taken: f64 = (0..program.pools.len())
            .filter_map(|r| {
                let (_, each) = program.pools[r].on.filter(|(at, _)| *at == host)?;
                Some(each * f64::from(self.point.instances(r, 0)))
            })
            .sum();
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "GPUs of the instances")]
        let taken = taken.round() as u32;
        settings.instances = instances;
        settings.idle_gpus = gpus.saturating_sub(taken);
        let gpu = self.question.catalog.gpu(&settings.gpu);
        settings.power_kw =
            gpu.and_then(|gpu| bill::power_kw(self.question.catalog, gpu)).map(|kw| kw * f64::from(gpus));
    }
}
