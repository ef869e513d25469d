//! `models.csv`.

use super::{Fact, capabilities, keyed};
use crate::catalog::table::Row;
use crate::catalog::{Attention, Model, Precision, Provenance};

impl Fact for Model {
    const FILE: &'static str = "models.csv";
    const REQUIRED: &'static [&'static str] =
        &["id", "total_params", "layers", "hidden", "heads", "kv_heads", "head_dim", "vocab", "max_context"];
    const OPTIONAL: &'static [&'static str] = &[
        "aliases",
        "family",
        "active_params",
        "full_attention_layers",
        "sliding_layers",
        "sliding_window",
        "intermediate",
        "moe_intermediate",
        "experts",
        "experts_per_token",
        "shared_experts",
        "first_dense_layers",
        "gated",
        "tied_embeddings",
        "attention",
        "kv_lora_rank",
        "rope_dim",
        "native",
        "licence",
        "released",
        "has",
        "lacks",
        "quality_subject",
        "thinking_by_default",
        "formula",
    ];

    fn read(row: &Row<'_>) -> Self {
        let id = row.text("id");
        let aliases = row.list("aliases");
        let family = row.cell("family").to_owned();
        let total_params = row.number("total_params");
        let active_params = row.optional_number("active_params").unwrap_or(total_params);
        let layers = row.count("layers");
        let full_attention_layers = row.optional_count("full_attention_layers");
        let sliding_layers = row.optional_count("sliding_layers").unwrap_or(0);
        Self {
            id,
            aliases,
            family,
            total_params,
            active_params,
            layers,
            full_attention_layers: full_attention_layers
                .unwrap_or_else(|| layers.saturating_sub(sliding_layers)),
            sliding_layers,
            sliding_window: row.optional_count("sliding_window"),
            hidden: row.count("hidden"),
            heads: row.count("heads"),
            kv_heads: row.count("kv_heads"),
            head_dim: row.count("head_dim"),
            intermediate: row.optional_count("intermediate").unwrap_or(0),
            moe_intermediate: row.optional_count("moe_intermediate").unwrap_or(0),
            experts: row.optional_count("experts").unwrap_or(0),
            experts_per_token: row.optional_count("experts_per_token").unwrap_or(0),
            shared_experts: row.optional_count("shared_experts").unwrap_or(0),
            first_dense_layers: row.optional_count("first_dense_layers").unwrap_or(0),
            gated: row.optional_flag("gated").unwrap_or(true),
            vocab: row.count("vocab"),
            tied_embeddings: row.flag("tied_embeddings"),
            attention: if row.cell("attention").is_empty() {
                Attention::Grouped
            } else {
                row.word("attention", &[(Attention::Grouped, "grouped"), (Attention::Latent, "latent")])
                    .unwrap_or(Attention::Grouped)
            },
            kv_lora_rank: row.optional_count("kv_lora_rank").unwrap_or(0),
            rope_dim: row.optional_count("rope_dim").unwrap_or(0),
            max_context: row.count("max_context"),
            native: Precision::named(match row.cell("native") {
                "" => "bf16",
                name => name,
            }),
            licence: row.optional_text("licence").unwrap_or_else(|| "unknown".to_owned()),
            released: row.date("released"),
            has: capabilities(row, "has"),
            lacks: capabilities(row, "lacks"),
            quality_subject: row.optional_text("quality_subject"),
            thinking_by_default: row.flag("thinking_by_default"),
            formula: row.optional_flag("formula").unwrap_or(true),
            provenance: row.provenance(),
        }
    }

    keyed!(|row| row.id.clone());
}
