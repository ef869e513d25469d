//! `gpus.csv`, `offers.csv`, `precisions.csv` and `engines.csv`.

use super::{Fact, check_period, day, keyed};
use crate::catalog::precision::PrecisionFact;
use crate::catalog::table::Row;
use crate::catalog::{Billing, Engine, Gpu, Offer, Precision, Provenance};
use crate::units::{Gib, Usd, UsdPerHour};

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

    keyed!(|row| row.id.clone());
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
        let price = UsdPerHour::of(row.number("price_usd_per_hour"));
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
        check_period(row, from, until);
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

    keyed!(|row| row.id.clone(), day(row.from));
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

    keyed!(|row| row.id.0.clone());
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
    const OPTIONAL: &'static [&'static str] =
        &["version_until", "newest", "candidate", "max_batch_large_gpu"];

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
            max_batch_large_gpu: row.optional_count("max_batch_large_gpu"),
            prefill_chunk: row.count("prefill_chunk"),
            provenance: row.provenance(),
        }
    }

    keyed!(|row| row.id.clone());
}
