//! What the plan says it emits: power of the GPUs it pays for and requests to hosted models, by the catalog.

use super::Checker;
use crate::carbon::{engine_hour, hosted_request};
use crate::recommendation::{Deployment, Route};
use crate::requirements::Workload;

impl Checker<'_> {
    /// The row `kg_co2e_per_month` is what engines and requests add up to.
    pub(super) fn carbon(&mut self) {
        let Some(said) = self.plan.measures.iter().find(|row| row.measure == "kg_co2e_per_month") else {
            return;
        };
        let said = said.value;
        let engines: Option<f64> = self
            .plan
            .deployments
            .iter()
            .filter(|deployment| deployment.engine.is_some())
            .map(|deployment| self.engine_kg(deployment))
            .sum();
        let requests: Option<f64> = self.plan.routing.iter().map(|route| self.route_kg(route)).sum();
        let got = engines.zip(requests).map(|(engines, requests)| engines + requests);
        if got.is_none_or(|kg| (kg - said).abs() > 1e-6 * kg.abs().max(1.0)) {
            self.break_rule("objective", format!("the plan says {said:.6} kg CO2e, its parts give {got:?}"));
        }
    }

    fn engine_kg(&self, deployment: &Deployment) -> Option<f64> {
        let engine = deployment.engine.as_ref()?;
        let mut always_on = 0.0;
        for (at, slot) in self.slots.iter().enumerate() {
            let there: u32 = engine.paid.iter().map(|paid| paid.instances_in(at)).sum();
            let there = if engine.paid.is_empty() { engine.instances } else { there };
            always_on += f64::from(there) * slot.hours_per_month;
        }
        let hours = engine.billed_s_per_month.map_or(always_on, |seconds| seconds / 3600.0);
        if deployment.mode == "measured" {
            let row = self.requirements.measured.iter().find(|row| row.option == deployment.model)?;
            return Some(row.kg_co2e_per_hour? * hours);
        }
        let gpu = self.catalog.gpu(&engine.gpu)?;
        let region =
            self.catalog.offers.iter().find(|offer| offer.id == engine.offer).map(|o| o.region.as_str());
        let region = region.unwrap_or_default();
        let hour = engine_hour(self.catalog, gpu, engine.gpus_per_instance, &deployment.provider, region)?;
        Some(hour.kg * hours)
    }

    fn route_kg(&self, route: &Route) -> Option<f64> {
        let workload = self.workload(&route.workload)?;
        let requests: f64 = (0..self.slots.len())
            .map(|slot| {
                let rate = Self::share_in(route, slot) * self.billed_rps(workload, slot);
                rate * 3600.0 * self.slots[slot].hours_per_month
            })
            .sum();
        let target = self.deployed(&route.target)?;
        let up = self.up_share(route, target)?;
        let mut kg = requests * up * self.request_kg(target, workload)?;
        if let Some(behind) = &route.fallback {
            kg += requests * (1.0 - up) * self.request_kg(self.deployed(behind)?, workload)?;
        }
        Some(kg)
    }

    /// kg CO2e of a request; own engines emit by the hour.
    fn request_kg(&self, deployment: &Deployment, workload: &Workload) -> Option<f64> {
        if deployment.engine.is_some() {
            return Some(0.0);
        }
        if deployment.mode == "measured" {
            let row = self.requirements.measured.iter().find(|row| row.option == deployment.model)?;
            return row.kg_co2e_per_request;
        }
        let api = self.catalog.api_on(&deployment.model, self.requirements.as_of)?;
        let extra = self.extra_api(deployment, workload);
        hosted_request(self.catalog, api, &workload.lengths, extra).map(|emission| emission.kg)
    }
}
