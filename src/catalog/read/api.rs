//! `apis.csv` and `api_latency.csv`.

use super::{Fact, capabilities, check_period, day, keyed};
use crate::catalog::table::Row;
use crate::catalog::{Api, ApiLatency, Provenance, ServiceTier};
use crate::units::UsdPerMillionTokens;

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
        "requests_per_minute",
        "tokens_per_minute",
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
            requests_per_minute: row.optional_number("requests_per_minute"),
            tokens_per_minute: row.optional_number("tokens_per_minute"),
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
        check_period(row, api.from, api.until);
        api
    }

    keyed!(|row| row.id.clone(), day(row.from));
}

fn tokens_price(value: Option<f64>) -> Option<UsdPerMillionTokens> {
    value.map(UsdPerMillionTokens::of)
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

    keyed!(|row| row.api.clone());
}
