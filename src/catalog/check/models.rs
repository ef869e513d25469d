//! Open models: names, layers, heads, experts, counted parameters.

use super::{Findings, PARAMETERS_SLACK, between};
use crate::catalog::hf_config::{Latent, parameters};
use crate::catalog::{Attention, Catalog};

impl Catalog {
    pub(super) fn check_models(&self, findings: &mut Findings) {
        const T: &str = "models";
        findings.unique(
            T,
            self.models.iter().flat_map(|model| {
                std::iter::once(&model.id)
                    .chain(&model.aliases)
                    .map(|name| (name.as_str(), model.id.as_str()))
            }),
        );
        for model in &self.models {
            let id = &model.id;
            findings.provenance(T, id, &model.provenance);
            findings.capabilities(T, id, &model.has, &model.lacks);
            let kinds = model.full_attention_layers + model.sliding_layers;
            findings.unless(kinds <= model.layers, T, id, "layers add up", || {
                format!("{kinds} of {} layers", model.layers)
            });
            findings.unless(
                (model.sliding_layers > 0) == model.sliding_window.is_some(),
                T,
                id,
                "a window for sliding layers",
                || format!("{} sliding layers, window {:?}", model.sliding_layers, model.sliding_window),
            );
            findings.unless(
                model.kv_heads > 0 && model.kv_heads <= model.heads && model.heads % model.kv_heads == 0,
                T,
                id,
                "heads share key-value heads evenly",
                || format!("{} heads, {} key-value heads", model.heads, model.kv_heads),
            );
            findings.unless(
                model.experts_per_token <= model.experts
                    && (model.experts == 0) == (model.moe_intermediate == 0),
                T,
                id,
                "experts",
                || {
                    format!(
                        "{} of {} experts, width {}",
                        model.experts_per_token, model.experts, model.moe_intermediate
                    )
                },
            );
            findings.unless(
                model.active_params <= model.total_params * 1.0001 && between(model.total_params, 5e7, 5e12),
                T,
                id,
                "active within total",
                || format!("{} active of {}", model.active_params, model.total_params),
            );
            // Linear layers, latent query ranks and parts beyond the formula are not in the table: only what is counted whole is compared.
            if model.formula && kinds == model.layers && model.attention == Attention::Grouped {
                let (counted, _) = parameters(model, Latent { query_rank: 0, nope_dim: 0 });
                let off = counted / model.total_params - 1.0;
                findings.unless(off.abs() <= PARAMETERS_SLACK, T, id, "counted parameters", || {
                    format!("counted {:.2}e9, stated {:.2}e9", counted / 1e9, model.total_params / 1e9)
                });
            }
            findings.unless(
                model.attention == Attention::Grouped || (model.kv_lora_rank > 0 && model.rope_dim > 0),
                T,
                id,
                "latent widths",
                || "latent attention without its widths".to_owned(),
            );
            findings.unless(self.precision(&model.native).is_some(), T, id, "known precision", || {
                model.native.0.clone()
            });
            findings.unless(
                model
                    .quality_subject
                    .as_ref()
                    .is_none_or(|subject| self.quality.iter().any(|row| row.subject == *subject)),
                T,
                id,
                "known quality subject",
                || format!("{:?}", model.quality_subject),
            );
            findings.unless(between(f64::from(model.max_context), 512.0, 2e7), T, id, "context", || {
                model.max_context.to_string()
            });
        }
    }
}
