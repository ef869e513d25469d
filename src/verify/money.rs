//! The bill: catalog prices times use give what the plan says, within every budget.

use super::paid::Due;
use super::{Checker, MONEY_TOLERANCE};
use crate::bill;
use crate::recommendation::{Deployment, Route};
use crate::requirements::Workload;

impl Checker<'_> {
    /// The bill: lines sum to the total, and catalog prices times use give the same total.
    pub(super) fn money(&mut self) {
        let lines: f64 = self.plan.bill.iter().map(|line| line.usd_per_month).sum();
        if (lines - self.plan.usd_per_month).abs() > 1e-6 {
            self.break_rule(
                "usd_per_month",
                format!("lines sum to {lines}, the plan says {}", self.plan.usd_per_month),
            );
        }
        let hours = self.requirements.hours_per_month;
        let Due { mut usd_per_month, usd_upfront, usd_amortised } = self.engines_due();
        let usd = &mut usd_per_month;
        for route in &self.plan.routing {
            *usd += self.route_usd(route);
            *usd += self.way_usd(route);
        }
        if self.plan.deployments.iter().any(|deployment| deployment.engine.is_some()) {
            *usd += self.requirements.ops_usd_per_month;
        }
        let usd = usd_per_month;
        #[allow(clippy::cast_precision_loss, reason = "a handful of lines")]
        let tolerance = MONEY_TOLERANCE * (1.0 + self.plan.bill.len() as f64) + 1e-9 * usd;
        if (usd - self.plan.usd_per_month).abs() > tolerance {
            let said = self.plan.usd_per_month;
            self.break_rule(
                "usd_per_month",
                format!("prices times use give {usd:.6}, the plan says {said:.6}"),
            );
        }
        if let Some(most) = self.requirements.budget.usd_per_month
            && usd > most + tolerance
        {
            self.break_rule("usd_per_month", format!("{usd:.2} is more than the budget of {most:.2}"));
        }
        let rate: f64 = self.requirements.workloads.iter().map(Workload::mean_rps).sum();
        let requests = rate * 3600.0 * hours;
        if (self.plan.usd_per_request * requests - usd).abs() > tolerance {
            self.break_rule("usd_per_request", format!("the plan says {}", self.plan.usd_per_request));
        }
        if let Some(most) = self.requirements.budget.usd_per_request
            && usd > most * requests + tolerance
        {
            self.break_rule("usd_per_request", format!("{:.6} is more than {most:.6}", usd / requests));
        }
        for (what, derived, said) in [
            ("paid once", usd_upfront, self.plan.usd_upfront),
            ("spread over months", usd_amortised, self.plan.usd_amortised),
        ] {
            if (derived - said).abs() > tolerance + 1e-9 * derived {
                self.break_rule("usd_upfront", format!("{derived:.6} {what}, the plan says {said:.6}"));
            }
        }
        if let Some(most) = self.requirements.budget.usd_upfront
            && usd_upfront > most + tolerance
        {
            self.break_rule("usd_upfront", format!("{usd_upfront:.2} is more than {most:.2}"));
        }
    }

    /// USD a month of one route to a hosted model, or of the expected use of its fallback.
    fn route_usd(&mut self, route: &Route) -> f64 {
        let Some(workload) = self.workload(&route.workload) else { return 0.0 };
        let requests: f64 = (0..self.slots.len())
            .map(|slot| {
                Self::share_in(route, slot)
                    * self.billed_rps(workload, slot)
                    * 3600.0
                    * self.slots[slot].hours_per_month
            })
            .sum();
        let Some(target) = self.deployed(&route.target) else { return f64::NAN };
        if target.engine.as_ref().is_some_and(|engine| engine.billing == "serverless") {
            return requests * self.serverless_usd(target, workload);
        }
        let find = |id: &String| self.deployed(id);
        let price = |deployment: &Deployment| self.usd_per_request(deployment, workload);
        let up = if route.fallback.is_none() {
            1.0
        } else if let Some(engine) = &target.engine {
            self.replica_up(target, engine)
        } else {
            self.catalog.uptime_share(&target.provider).unwrap_or(0.0)
        };
        let first = if target.api.is_some() { requests * up * price(target) } else { 0.0 };
        let second = route.fallback.as_ref().and_then(find).map_or(0.0, |d| requests * (1.0 - up) * price(d));
        first + second
    }

    fn usd_per_request(&self, deployment: &Deployment, workload: &Workload) -> f64 {
        if deployment.mode == "measured" {
            let row = self.requirements.measured.iter().find(|row| row.option == deployment.model);
            return row.and_then(|row| row.usd_per_request.get(&workload.name).copied()).unwrap_or(f64::NAN);
        }
        let Some(api) = self.catalog.api_on(&deployment.model, self.requirements.as_of) else {
            return f64::NAN;
        };
        bill::usd_per_request(
            api,
            &workload.lengths,
            self.extra_api(deployment, workload),
            workload.prefix_hit,
        )
    }

    pub(super) fn extra_api(&self, deployment: &Deployment, workload: &Workload) -> f64 {
        let thinks = self
            .catalog
            .api_on(&deployment.model, self.requirements.as_of)
            .is_some_and(|api| api.thinking && deployment.mode == "default");
        workload.thought_tokens(self.catalog, thinks)
    }
}
