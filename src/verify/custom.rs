//! The user's own rules over a candidate, which no limit of the request states.

use super::Checker;
use crate::catalog::Precision;
use crate::constraint::Rules;
use crate::measure::Measure;
use crate::quality;
use crate::recommendation::Deployment;

impl Checker<'_> {
    /// Candidate rules of the user's, which no limit of the request states. Measured options are the user's word.
    pub(super) fn custom(&mut self, rules: &Rules) {
        let plan = self.plan;
        for deployment in plan.deployments.iter().filter(|deployment| deployment.mode != "measured") {
            for rule in rules.custom_candidate() {
                let mut seen: Vec<f64> = Vec::new();
                for workload in self.reached(&deployment.id) {
                    let Some(allowed) = rule.limit(self.requirements, Some(workload)) else { continue };
                    if seen.contains(&allowed) {
                        continue;
                    }
                    seen.push(allowed);
                    let (label, unit) = (&deployment.label, rule.left.unit());
                    for got in self.figures(deployment, rule.left) {
                        match got {
                            // left op right
                            Some(got) if rule.op.holds(got, allowed) => {}
                            Some(got) => {
                                self.break_rule(&rule.id, format!("{label}: {got} {unit}, limit {allowed}"))
                            }
                            None => {
                                self.break_rule(&rule.id, format!("{label}: unknown, limit {allowed} {unit}"))
                            }
                        }
                    }
                }
            }
        }
    }

    /// A deployment's side of a rule; the price of an instance has one figure for each way to pay.
    fn figures(&mut self, deployment: &Deployment, measure: Measure) -> Vec<Option<f64>> {
        match (measure, &deployment.engine) {
            (Measure::UsdPerHour, Some(engine)) if engine.paid.is_empty() => {
                vec![Some(self.engine_usd_per_hour(deployment, engine)).filter(|usd| usd.is_finite())]
            }
            (Measure::UsdPerHour, Some(engine)) => engine
                .paid
                .iter()
                .map(|paid| {
                    Some(self.paid_usd_per_hour(deployment, engine, paid)).filter(|usd| usd.is_finite())
                })
                .collect(),
            _ => self.figure(deployment, measure).into_iter().collect(),
        }
    }

    /// A deployment's side of a rule: outer `None` for measures that rules do not hold against one deployment, inner
    /// `None` where the catalog does not know the figure.
    fn figure(&mut self, deployment: &Deployment, measure: Measure) -> Option<Option<f64>> {
        let (catalog, day) = (self.catalog, self.requirements.as_of);
        let model = || catalog.model(&deployment.model);
        let api = || catalog.api_on(&deployment.model, day);
        Some(match (measure, &deployment.engine) {
            (Measure::GpusPerReplica, engine) => {
                Some(engine.as_ref().map_or(0.0, |engine| f64::from(engine.gpus_per_replica)))
            }
            (Measure::UsdPerHour, None) => Some(0.0),
            (Measure::ContextTokens, Some(_)) => model().map(|model| f64::from(model.max_context)),
            (Measure::ContextTokens, None) => api().map(|api| f64::from(api.max_context)),
            (Measure::QualityIndex, Some(engine)) => {
                let weights = Precision::named(&engine.weights);
                model()
                    .and_then(|model| quality::of_model(catalog, model, &deployment.mode, &weights))
                    .map(|scored| scored.index)
            }
            (Measure::QualityIndex, None) => api()
                .and_then(|api| quality::of_api(catalog, api, &deployment.mode))
                .map(|scored| scored.index),
            _ => return None,
        })
    }
}
