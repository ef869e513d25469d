//! How each table becomes values: its file name, its columns, its rows.
//!
//! In: rows of [`Table`]. Out: one value per row. References to other tables are resolved later, by `load.rs`.

use jiff::civil::Date;
use serde::Serialize;

use super::facts::EconomicFact;
use super::precision::PrecisionFact;
use super::table::{Row, nearest};
use super::{
    Api, ApiLatency, Attention, Billing, Engine, Gpu, Model, Offer, Precision, Profile, Provenance,
    QualityItem, QualityRow, QualityScore, ServiceTier,
};
use crate::units::{Gib, Usd, UsdPerHour, UsdPerMillionTokens};

/// A kind of row: where it stands and how it is read.
pub(super) trait Fact: Sized + Serialize {
    /// File name inside a catalog folder.
    const FILE: &'static str;
    /// Columns that must be there.
    const REQUIRED: &'static [&'static str];
    /// Columns that may be there, beside `source`, `as_of` and `assumed`.
    const OPTIONAL: &'static [&'static str];
    /// Reads one row; faults go to the row's list.
    fn read(row: &Row<'_>) -> Self;
    /// Identity: rows of a later layer replace those with the same first part; both parts are unique in a layer.
    fn key(&self) -> (String, String);
    /// Its provenance, for the titles of sources.
    fn provenance(&mut self) -> Option<&mut Provenance>;
}

/// A day as the second part of a key; an open start sorts first.
fn day(date: Option<Date>) -> String {
    date.map_or_else(String::new, |date| date.to_string())
}

fn usd_per_hour(row: &Row<'_>, column: &str) -> UsdPerHour {
    UsdPerHour::of(row.number(column))
}

fn tokens_price(value: Option<f64>) -> Option<UsdPerMillionTokens> {
    value.map(UsdPerMillionTokens::of)
}

const CAPABILITIES: [&str; 6] = ["tools", "json", "vision", "reasoning", "long-output", "plain"];

fn capabilities(row: &Row<'_>, column: &str) -> Vec<String> {
    let words = row.list(column);
    for word in &words {
        if !CAPABILITIES.contains(&word.as_str()) {
            let cure = nearest(word, CAPABILITIES.iter().copied()).map_or_else(
                || format!("Write some of {}.", CAPABILITIES.join(", ")),
                |known| format!("Did you mean `{known}`?"),
            );
            row.fail("E0207", column, format!("`{word}` is no capability"), cure);
        }
    }
    words
}

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

    fn key(&self) -> (String, String) {
        (self.id.clone(), String::new())
    }

    fn provenance(&mut self) -> Option<&mut Provenance> {
        Some(&mut self.provenance)
    }
}

impl Fact for Gpu {
    const FILE: &'static str = "gpus.csv";
    const REQUIRED: &'static [&'static str] =
        &["id", "vendor", "family", "memory_gb", "bandwidth_gb_s", "tflops_16", "link_class"];
    const OPTIONAL: &'static [&'static str] = &[
        "aliases",
        "name",
        "compute_capability",
        "usable_gib",
        "usable_assumed",
        "tflops_fp8",
        "tops_int8",
        "tflops_fp4",
        "tdp_w",
        "link_gb_s",
        "per_server_max",
        "purchase_usd",
    ];

    fn read(row: &Row<'_>) -> Self {
        /// Share of the marketed memory the driver reports when nothing is known of inline ECC.
        const USABLE_SHARE: f64 = 0.99;
        let id = row.text("id");
        let aliases = row.list("aliases");
        let name = row.optional_text("name").unwrap_or_else(|| id.clone());
        let vendor = row.text("vendor");
        let family = row.text("family");
        let compute_capability = row.optional_number("compute_capability");
        let memory_gb = row.number("memory_gb");
        let usable = row.optional_number("usable_gib");
        let assumed = row.flag("usable_assumed");
        Self {
            id,
            aliases,
            name,
            vendor,
            family,
            compute_capability,
            memory_gb,
            usable: Gib::of(usable.unwrap_or(memory_gb * USABLE_SHARE)),
            usable_assumed: assumed || usable.is_none(),
            bandwidth_gb_s: row.number("bandwidth_gb_s"),
            tflops_16: row.number("tflops_16"),
            tflops_fp8: row.optional_number("tflops_fp8"),
            tops_int8: row.optional_number("tops_int8"),
            tflops_fp4: row.optional_number("tflops_fp4"),
            tdp_w: row.optional_number("tdp_w"),
            link_gb_s: row.optional_number("link_gb_s"),
            link_class: row
                .word("link_class", &[("nvl", "nvl"), ("pcie", "pcie"), ("xe", "xe")])
                .unwrap_or("pcie")
                .to_owned(),
            per_server_max: row.optional_count("per_server_max").unwrap_or(1),
            purchase: row.optional_number("purchase_usd").map(Usd::of),
            provenance: row.provenance(),
        }
    }

    fn key(&self) -> (String, String) {
        (self.id.clone(), String::new())
    }

    fn provenance(&mut self) -> Option<&mut Provenance> {
        Some(&mut self.provenance)
    }
}

impl Fact for Offer {
    const FILE: &'static str = "offers.csv";
    const REQUIRED: &'static [&'static str] = &["provider", "gpu", "count", "billing", "price_usd_per_hour"];
    const OPTIONAL: &'static [&'static str] =
        &["id", "instance", "region", "in_eu", "upfront_usd", "from", "until"];

    fn read(row: &Row<'_>) -> Self {
        let given = row.optional_text("id");
        let provider = row.text("provider");
        let instance = row.optional_text("instance");
        let gpu = row.text("gpu");
        let count = row.count("count");
        if count == 0 && row.cell("count") == "0" {
            row.fail("E0205", "count", "must be at least 1", "Write how many accelerators the instance has.");
        }
        let instance = instance.unwrap_or_else(|| format!("{count}x-{gpu}"));
        let region = row.optional_text("region").unwrap_or_else(|| "any".to_owned());
        let in_eu = row.optional_flag("in_eu");
        let billing = row.word("billing", &Billing::ALL).unwrap_or(Billing::OnDemand);
        let price = usd_per_hour(row, "price_usd_per_hour");
        let free = row.cell("price_usd_per_hour").parse::<f64>().is_ok_and(|price| price <= 0.0);
        if billing != Billing::Purchase && billing != Billing::Owned && free && price == UsdPerHour::ZERO {
            row.fail(
                "E0205",
                "price_usd_per_hour",
                "must be above 0 for anything rented",
                "Write the price of the whole instance for an hour, or billing `owned` for hardware already paid.",
            );
        }
        let id = given.unwrap_or_else(|| {
            format!("{provider}/{instance}/{region}/{}", billing.word()).to_lowercase().replace(' ', "-")
        });
        let upfront = Usd::of(row.optional_number("upfront_usd").unwrap_or(0.0));
        let (from, until) = (row.date("from"), row.date("until"));
        if let (Some(from), Some(until)) = (from, until)
            && until <= from
        {
            row.fail(
                "E0206",
                "until",
                format!("{until} is not after {from}"),
                "Write the first day the price no longer held.",
            );
        }
        Self {
            id,
            provider,
            instance,
            gpu,
            count,
            region,
            in_eu,
            billing,
            price,
            upfront,
            from,
            until,
            provenance: row.provenance(),
        }
    }

    fn key(&self) -> (String, String) {
        (self.id.clone(), day(self.from))
    }

    fn provenance(&mut self) -> Option<&mut Provenance> {
        Some(&mut self.provenance)
    }
}

impl Fact for Api {
    const FILE: &'static str = "apis.csv";
    const REQUIRED: &'static [&'static str] =
        &["id", "provider", "input_usd_per_mtok", "output_usd_per_mtok", "max_context"];
    const OPTIONAL: &'static [&'static str] = &[
        "aliases",
        "quality_subject",
        "tier",
        "cache_read_usd_per_mtok",
        "long_threshold",
        "long_input_usd_per_mtok",
        "long_output_usd_per_mtok",
        "max_output",
        "has",
        "lacks",
        "thinking",
        "no_training",
        "in_eu",
        "from",
        "until",
        "retired",
    ];

    fn read(row: &Row<'_>) -> Self {
        const TIERS: [(ServiceTier, &str); 3] =
            [(ServiceTier::Standard, "standard"), (ServiceTier::Batch, "batch"), (ServiceTier::Flex, "flex")];
        let id = row.text("id");
        let aliases = row.list("aliases");
        let provider = row.text("provider");
        let quality_subject = row.optional_text("quality_subject");
        let tier = if row.cell("tier").is_empty() {
            ServiceTier::Standard
        } else {
            row.word("tier", &TIERS).unwrap_or(ServiceTier::Standard)
        };
        let api = Self {
            id,
            aliases,
            provider,
            quality_subject,
            tier,
            input: UsdPerMillionTokens::of(row.number("input_usd_per_mtok")),
            output: UsdPerMillionTokens::of(row.number("output_usd_per_mtok")),
            cache_read: tokens_price(row.optional_number("cache_read_usd_per_mtok")),
            long_threshold: row.optional_count("long_threshold"),
            long_input: tokens_price(row.optional_number("long_input_usd_per_mtok")),
            long_output: tokens_price(row.optional_number("long_output_usd_per_mtok")),
            max_context: row.count("max_context"),
            max_output: row.optional_count("max_output"),
            has: capabilities(row, "has"),
            lacks: capabilities(row, "lacks"),
            thinking: row.flag("thinking"),
            no_training: row.optional_flag("no_training"),
            in_eu: row.optional_flag("in_eu"),
            from: row.date("from"),
            until: row.date("until"),
            retired: row.date("retired"),
            provenance: row.provenance(),
        };
        if let (Some(from), Some(until)) = (api.from, api.until)
            && until <= from
        {
            row.fail(
                "E0206",
                "until",
                format!("{until} is not after {from}"),
                "Write the first day the price no longer held.",
            );
        }
        api
    }

    fn key(&self) -> (String, String) {
        (self.id.clone(), day(self.from))
    }

    fn provenance(&mut self) -> Option<&mut Provenance> {
        Some(&mut self.provenance)
    }
}

impl Fact for ApiLatency {
    const FILE: &'static str = "api_latency.csv";
    const REQUIRED: &'static [&'static str] = &["api", "ttft_ms", "tokens_per_s"];
    const OPTIONAL: &'static [&'static str] = &["ttft_ms_p95", "tokens_per_s_slow"];

    fn read(row: &Row<'_>) -> Self {
        Self {
            api: row.text("api"),
            ttft_ms: row.number("ttft_ms"),
            ttft_ms_p95: row.optional_number("ttft_ms_p95"),
            tokens_per_s: row.number("tokens_per_s"),
            tokens_per_s_slow: row.optional_number("tokens_per_s_slow"),
            provenance: row.provenance(),
        }
    }

    fn key(&self) -> (String, String) {
        (self.api.clone(), String::new())
    }

    fn provenance(&mut self) -> Option<&mut Provenance> {
        Some(&mut self.provenance)
    }
}

impl Fact for QualityRow {
    const FILE: &'static str = "quality_index.csv";
    const REQUIRED: &'static [&'static str] = &["subject", "mode", "index", "sd", "scores"];
    const OPTIONAL: &'static [&'static str] = &["hf_id", "api_keys"];

    fn read(row: &Row<'_>) -> Self {
        Self {
            subject: row.text("subject"),
            mode: row.text("mode"),
            index: row.signed("index"),
            sd: row.number("sd"),
            scores: row.count("scores"),
            hf_id: row.optional_text("hf_id"),
            api_keys: row.list("api_keys"),
            provenance: row.provenance(),
        }
    }

    fn key(&self) -> (String, String) {
        (format!("{}\u{1}{}", self.subject, self.mode), String::new())
    }

    fn provenance(&mut self) -> Option<&mut Provenance> {
        Some(&mut self.provenance)
    }
}

impl Fact for QualityItem {
    const FILE: &'static str = "quality_items.csv";
    const REQUIRED: &'static [&'static str] = &["benchmark", "chance", "difficulty", "width", "noise_logit"];
    const OPTIONAL: &'static [&'static str] = &["domain", "items"];

    fn read(row: &Row<'_>) -> Self {
        Self {
            benchmark: row.text("benchmark"),
            chance: row.number("chance"),
            items: row.optional_number("items"),
            difficulty: row.signed("difficulty"),
            width: row.number("width"),
            noise_logit: row.number("noise_logit"),
        }
    }

    fn key(&self) -> (String, String) {
        (self.benchmark.clone(), String::new())
    }

    fn provenance(&mut self) -> Option<&mut Provenance> {
        None
    }
}

impl Fact for QualityScore {
    const FILE: &'static str = "quality_scores.csv";
    const REQUIRED: &'static [&'static str] = &["subject", "benchmark", "score"];
    const OPTIONAL: &'static [&'static str] = &[];

    fn read(row: &Row<'_>) -> Self {
        let (subject, benchmark) = (row.text("subject"), row.text("benchmark"));
        let score = row.number("score");
        if score > 1.0 {
            row.fail(
                "E0205",
                "score",
                format!("must be a fraction between 0 and 1, got {score}"),
                "Divide a percentage by 100.",
            );
        }
        Self { subject, benchmark, score, provenance: row.provenance() }
    }

    fn key(&self) -> (String, String) {
        (format!("{}\u{1}{}", self.subject, self.benchmark), String::new())
    }

    fn provenance(&mut self) -> Option<&mut Provenance> {
        Some(&mut self.provenance)
    }
}

impl Fact for PrecisionFact {
    const FILE: &'static str = "precisions.csv";
    const REQUIRED: &'static [&'static str] =
        &["id", "bytes_per_weight", "bits_class", "quality_loss", "quality_loss_small", "quality_loss_sd"];
    const OPTIONAL: &'static [&'static str] = &["engines", "compute_capability_min"];

    fn read(row: &Row<'_>) -> Self {
        Self {
            id: Precision::named(&row.text("id")),
            bytes_per_weight: row.number("bytes_per_weight"),
            bits_class: row.word("bits_class", &[(16, "16"), (8, "8"), (4, "4")]).unwrap_or(16),
            quality_loss: row.number("quality_loss"),
            quality_loss_small: row.number("quality_loss_small"),
            quality_loss_sd: row.number("quality_loss_sd"),
            engines: row.list("engines"),
            compute_capability_min: row.optional_number("compute_capability_min"),
            provenance: row.provenance(),
        }
    }

    fn key(&self) -> (String, String) {
        (self.id.0.clone(), String::new())
    }

    fn provenance(&mut self) -> Option<&mut Provenance> {
        Some(&mut self.provenance)
    }
}

impl Fact for Engine {
    const FILE: &'static str = "engines.csv";
    const REQUIRED: &'static [&'static str] = &[
        "id",
        "family",
        "version_from",
        "vendors",
        "gpu_memory_utilization",
        "activation_gib",
        "non_torch_gib",
        "non_torch_gib_parallel",
        "max_batch",
        "prefill_chunk",
    ];
    const OPTIONAL: &'static [&'static str] = &["version_until", "newest", "candidate"];

    fn read(row: &Row<'_>) -> Self {
        Self {
            id: row.text("id"),
            family: row.text("family"),
            version_from: row.text("version_from"),
            version_until: row.optional_text("version_until"),
            newest: row.flag("newest"),
            candidate: row.flag("candidate"),
            vendors: row.list("vendors"),
            gpu_memory_utilization: row.number("gpu_memory_utilization"),
            activation_gib: row.number("activation_gib"),
            non_torch_gib: row.number("non_torch_gib"),
            non_torch_gib_parallel: row.number("non_torch_gib_parallel"),
            max_batch: row.count("max_batch"),
            prefill_chunk: row.count("prefill_chunk"),
            provenance: row.provenance(),
        }
    }

    fn key(&self) -> (String, String) {
        (self.id.clone(), String::new())
    }

    fn provenance(&mut self) -> Option<&mut Provenance> {
        Some(&mut self.provenance)
    }
}

impl Fact for Profile {
    const FILE: &'static str = "profiles.csv";
    const REQUIRED: &'static [&'static str] = &[
        "id", "h00", "h01", "h02", "h03", "h04", "h05", "h06", "h07", "h08", "h09", "h10", "h11", "h12",
        "h13", "h14", "h15", "h16", "h17", "h18", "h19", "h20", "h21", "h22", "h23",
    ];
    const OPTIONAL: &'static [&'static str] = &[];

    fn read(row: &Row<'_>) -> Self {
        let id = row.text("id");
        let mut weights = [0.0; 24];
        for (weight, column) in weights.iter_mut().zip(&Self::REQUIRED[1..]) {
            *weight = row.number(column);
        }
        let mean = weights.iter().sum::<f64>() / 24.0;
        if mean > 0.0 {
            weights.iter_mut().for_each(|weight| *weight /= mean);
        } else {
            row.fail("E0205", "h00", "all 24 weights are 0", "Write at least one weight above 0.");
        }
        Self { id, weights, provenance: row.provenance() }
    }

    fn key(&self) -> (String, String) {
        (self.id.clone(), String::new())
    }

    fn provenance(&mut self) -> Option<&mut Provenance> {
        Some(&mut self.provenance)
    }
}

/// A row type used only while loading: its columns are its fields.
macro_rules! flat_row {
    ($(#[$doc:meta])* $name:ident, $file:literal, [$($required:literal),*], [$($optional:literal),*],
     { $($field:ident : $kind:ty = $get:ident($column:literal)),* $(,)? }, key $key:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Serialize)]
        pub(super) struct $name {
            $(pub(super) $field: $kind,)*
            pub(super) provenance: Provenance,
        }

        impl Fact for $name {
            const FILE: &'static str = $file;
            const REQUIRED: &'static [&'static str] = &[$($required),*];
            const OPTIONAL: &'static [&'static str] = &[$($optional),*];

            fn read(row: &Row<'_>) -> Self {
                Self { $($field: row.$get($column),)* provenance: row.provenance() }
            }

            fn key(&self) -> (String, String) {
                let key: fn(&Self) -> String = $key;
                (key(self), String::new())
            }

            fn provenance(&mut self) -> Option<&mut Provenance> {
                Some(&mut self.provenance)
            }
        }
    };
}

flat_row!(/// One cut point of a scale.
    TierRow, "tiers.csv", ["scale", "from", "tier"], ["cut"],
    { scale: String = text("scale"), from: Option<Date> = date("from"), tier: String = text("tier"),
      cut: Option<f64> = optional_number("cut") },
    key |row| format!("{}\u{1}{}", row.scale, row.tier));
flat_row!(/// One fitted coefficient or effect.
    CoefficientRow, "coefficients.csv", ["coefficient", "factor", "level", "value"], ["sd_log", "rows"],
    { coefficient: String = text("coefficient"), factor: String = text("factor"), level: String = plain("level"),
      value: f64 = number("value"), sd_log: f64 = number_or_zero("sd_log") },
    key |row| format!("{}\u{1}{}\u{1}{}", row.coefficient, row.factor, row.level));
flat_row!(/// Kernel floor and latency of one GPU at one width.
    KernelRow, "kernels.csv", ["gpu", "bits", "u_us", "kappa_us_per_k"], [],
    { gpu: String = text("gpu"), bits: u32 = count("bits"), u_us: f64 = number("u_us"),
      kappa_us_per_k: f64 = number("kappa_us_per_k") },
    key |row| format!("{}\u{1}{:02}", row.gpu, row.bits));
flat_row!(/// Factor of one interval.
    IntervalRow, "intervals.csv", ["measure", "model_class", "basis", "factor"], [],
    { measure: String = text("measure"), model_class: String = text("model_class"), basis: String = text("basis"),
      factor: f64 = number("factor") },
    key |row| format!("{}\u{1}{}\u{1}{}", row.measure, row.model_class, row.basis));
flat_row!(/// A group with measurements behind it.
    CalibratedRow, "calibrated.csv", ["engine", "gpu", "bits", "model"], [],
    { engine: String = text("engine"), gpu: String = text("gpu"), bits: u32 = count("bits"), model: String = text("model") },
    key |row| format!("{}|{}|{}|{}", row.engine, row.gpu, row.bits, row.model));
flat_row!(/// One fact by key and scope.
    EconomicRow, "economics.csv", ["key", "scope", "value", "unit"], [],
    { name: String = text("key"), scope: String = text("scope"), value: f64 = number("value"), unit: String = text("unit") },
    key |row| format!("{}\u{1}{}", row.name, row.scope));

impl EconomicRow {
    /// The fact without its key.
    pub(super) fn fact(&self) -> EconomicFact {
        EconomicFact { value: self.value, unit: self.unit.clone(), provenance: self.provenance.clone() }
    }
}

/// Title and licence of a source id.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct SourceRow {
    id: String,
    pub(super) title: String,
    pub(super) url: String,
    pub(super) licence: String,
}

impl Fact for SourceRow {
    const FILE: &'static str = "sources.csv";
    const REQUIRED: &'static [&'static str] = &["id", "title"];
    const OPTIONAL: &'static [&'static str] = &["url", "licence"];

    fn read(row: &Row<'_>) -> Self {
        Self {
            id: row.text("id"),
            title: row.text("title"),
            url: row.cell("url").to_owned(),
            licence: row.cell("licence").to_owned(),
        }
    }

    fn key(&self) -> (String, String) {
        (self.id.clone(), String::new())
    }

    fn provenance(&mut self) -> Option<&mut Provenance> {
        None
    }
}
