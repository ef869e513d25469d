//! Finite resources and what an option takes of them: GPU quotas, owned GPUs, power, limits of measured options.

use std::collections::BTreeMap;

use crate::bill::power_kw;
use crate::candidate::{LocalOption, Question};
use crate::catalog::Catalog;
use crate::program::Resource;

/// Finite resources: GPU quotas, owned GPUs, power, limits of measured options.
pub(super) struct Resources<'q> {
    pub(super) list: Vec<Resource>,
    catalog: &'q Catalog,
}

impl<'q> Resources<'q> {
    pub(super) fn new(question: &Question<'_, 'q>) -> Self {
        let requirements = question.requirements;
        let resource =
            |rule: &str, key: &str, limit: f64| Resource { rule: rule.into(), key: key.into(), limit };
        let mut list: Vec<Resource> = requirements
            .limits
            .gpus
            .iter()
            .map(|(gpu, count)| resource("gpus", gpu, f64::from(*count)))
            .collect();
        let mut owned: BTreeMap<&str, u32> = BTreeMap::new();
        for server in &requirements.owned {
            *owned.entry(&server.gpu).or_default() += server.count;
        }
        list.extend(owned.iter().map(|(gpu, count)| resource("owned", gpu, f64::from(*count))));
        list.extend(requirements.limits.power_kw.map(|kw| resource("power_kw", "", kw)));
        Self { list, catalog: question.catalog }
    }

    pub(super) fn add(&mut self, rule: &str, key: &str, limit: f64) -> usize {
        self.list.push(Resource { rule: rule.to_owned(), key: key.to_owned(), limit });
        self.list.len() - 1
    }

    pub(super) fn of(&self, option: &LocalOption<'_>) -> Vec<(usize, f64)> {
        let hardware = &option.hardware;
        let gpus = f64::from(hardware.gpus_paid(option.prospect.row.unit.gpus));
        let mut uses = Vec::new();
        for (at, resource) in self.list.iter().enumerate() {
            let amount = match resource.rule.as_str() {
                "gpus" if resource.key == hardware.gpu.id && !hardware.on_premises() => gpus,
                "owned" if resource.key == hardware.gpu.id && hardware.is_owned() => gpus,
                "power_kw" => {
                    // An unknown draw fits under no limit.
                    power_kw(self.catalog, hardware.gpu).map_or(resource.limit * 2.0 + 1.0, |kw| kw * gpus)
                }
                _ => 0.0,
            };
            if amount > 0.0 {
                uses.push((at, amount));
            }
        }
        uses
    }
}
