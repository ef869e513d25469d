//! The smaller tables: quality, engines, coefficients, profiles, economics.

use super::{Findings, between};
use crate::catalog::Catalog;

impl Catalog {
    pub(super) fn check_quality(&self, findings: &mut Findings) {
        const T: &str = "quality_index";
        for row in &self.quality {
            let id = format!("{}@{}", row.subject, row.mode);
            findings.provenance(T, &id, &row.provenance);
            findings.unless(
                between(row.index, -30.0, 120.0) && between(row.sd, 0.5, 20.0),
                T,
                &id,
                "range",
                || format!("{} ± {}", row.index, row.sd),
            );
            findings.unless(row.scores > 0, T, &id, "rests on scores", || "0 scores".to_owned());
        }
        for item in &self.quality_items {
            findings.unless(
                between(item.chance, 0.0, 0.9) && item.width > 0.0 && item.noise_logit > 0.0,
                "quality_items",
                &item.benchmark,
                "range",
                || format!("{item:?}"),
            );
        }
        for row in &self.quality_scores {
            let id = format!("{}@{}", row.subject, row.benchmark);
            findings.provenance("quality_scores", &id, &row.provenance);
            findings.unless(between(row.score, 0.0, 1.0), "quality_scores", &id, "fraction", || {
                row.score.to_string()
            });
        }
        for scale in &self.tiers {
            let cut = |tier: &str| scale.cuts.get(tier).copied().unwrap_or(f64::NAN);
            findings.provenance("tiers", &scale.id, &scale.provenance);
            findings.unless(
                cut("good") < cut("very-good") && cut("very-good") < cut("excellent"),
                "tiers",
                &scale.id,
                "rising cut points",
                || format!("{:?}", scale.cuts),
            );
        }
        for fact in &self.precisions {
            findings.provenance("precisions", &fact.id.0, &fact.provenance);
            findings.unless(
                between(fact.bytes_per_weight, 0.15, 4.1) && fact.quality_loss_small >= fact.quality_loss,
                "precisions",
                &fact.id.0,
                "range",
                || format!("{fact:?}"),
            );
        }
    }

    pub(super) fn check_engines(&self, findings: &mut Findings) {
        for engine in &self.engines {
            findings.provenance("engines", &engine.id, &engine.provenance);
            let newest =
                self.engines.iter().filter(|other| other.family == engine.family && other.newest).count();
            findings.unless(newest == 1, "engines", &engine.id, "one newest generation", || {
                format!("{newest} of {}", engine.family)
            });
            findings.unless(
                between(engine.gpu_memory_utilization, 0.3, 1.0)
                    && engine.max_batch > 0
                    && engine.max_batch_large_gpu.is_none_or(|most| most >= engine.max_batch)
                    && engine.prefill_chunk > 0,
                "engines",
                &engine.id,
                "range",
                || format!("{engine:?}"),
            );
        }
        for ((measure, class, basis), factor) in &self.coefficients.intervals {
            findings.unless(
                between(*factor, 1.0, 10.0),
                "intervals",
                &format!("{measure} {class} {basis}"),
                "range",
                || factor.to_string(),
            );
        }
        for (name, _, _) in self.coefficients.values.keys() {
            let base = (name.clone(), "base".to_owned(), String::new());
            findings.unless(
                self.coefficients.values.contains_key(&base),
                "coefficients",
                name,
                "a base value",
                || "effects without a base".to_owned(),
            );
        }
        for (gpu, _) in self.coefficients.kernels.keys().filter(|(gpu, _)| gpu != "unknown") {
            findings.unless(self.gpu(gpu).is_some(), "kernels", gpu, "known GPU", || gpu.clone());
        }
        for row in &self.coefficients.calibrations {
            const T: &str = "calibration";
            let (model, bits) = (row.model.as_deref().unwrap_or("*"), row.bits.unwrap_or(0));
            let id = format!("{} {} {bits} {model} {}", row.engine, row.gpu, row.measure);
            findings.provenance(T, &id, &row.provenance);
            findings.unless(between(row.sd_log, 0.001, 1.5), T, &id, "range", || row.sd_log.to_string());
        }
        for profile in &self.profiles {
            findings.provenance("profiles", &profile.id, &profile.provenance);
        }
        for ((key, scope), fact) in &self.economics.facts {
            let id = format!("{key} {scope}");
            findings.provenance("economics", &id, &fact.provenance);
            findings.unless(
                !fact.unit.starts_with("share") || between(fact.value, 0.0, 1.0),
                "economics",
                &id,
                "a share",
                || fact.value.to_string(),
            );
        }
    }
}
