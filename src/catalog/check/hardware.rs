//! Accelerators and what they cost: physics of the chips, prices beside those of their peers.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::{Findings, PRICE_SPREAD, USABLE_LEAST, between};
use crate::catalog::{Billing, Catalog, Offer};

impl Catalog {
    pub(super) fn check_gpus(&self, findings: &mut Findings) {
        const T: &str = "gpus";
        findings.unique(
            T,
            self.gpus.iter().flat_map(|gpu| {
                std::iter::once(&gpu.id).chain(&gpu.aliases).map(|name| (name.as_str(), gpu.id.as_str()))
            }),
        );
        for gpu in &self.gpus {
            let id = &gpu.id;
            findings.provenance(T, id, &gpu.provenance);
            let usable = gpu.usable.get() / gpu.memory_gb;
            findings.unless(between(usable, USABLE_LEAST, 1.0), T, id, "usable memory", || {
                format!("{usable:.3} of the marketed")
            });
            findings.unless(between(gpu.bandwidth_gb_s, 50.0, 30_000.0), T, id, "bandwidth", || {
                gpu.bandwidth_gb_s.to_string()
            });
            findings.unless(between(gpu.tflops_16, 1.0, 20_000.0), T, id, "16-bit peak", || {
                gpu.tflops_16.to_string()
            });
            findings.unless(
                gpu.tflops_fp8.is_none_or(|peak| peak >= gpu.tflops_16 * 0.999),
                T,
                id,
                "fp8 at least as fast as 16 bits",
                || format!("{:?} against {}", gpu.tflops_fp8, gpu.tflops_16),
            );
            findings.unless(
                gpu.tflops_fp4.is_none_or(|peak| peak >= gpu.tflops_fp8.unwrap_or(gpu.tflops_16) * 0.999),
                T,
                id,
                "fp4 at least as fast as fp8",
                || format!("{:?} against {:?}", gpu.tflops_fp4, gpu.tflops_fp8),
            );
            findings.unless(
                gpu.tdp_w.is_none_or(|watts| between(watts, 20.0, 3_000.0)),
                T,
                id,
                "power",
                || format!("{:?}", gpu.tdp_w),
            );
            findings.unless(
                (gpu.vendor == "nvidia") == gpu.compute_capability.is_some(),
                T,
                id,
                "compute capability",
                || format!("vendor {}, {:?}", gpu.vendor, gpu.compute_capability),
            );
        }
    }

    pub(super) fn check_offers(&self, findings: &mut Findings) {
        const T: &str = "offers";
        let mut per_gpu: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
        let each = |offer: &Offer| offer.price.get() / f64::from(offer.count);
        for offer in self.offers.iter().filter(|offer| offer.billing == Billing::OnDemand) {
            per_gpu.entry(&offer.gpu).or_default().push(each(offer));
        }
        let medians: BTreeMap<&str, f64> = per_gpu
            .into_iter()
            .map(|(gpu, mut prices)| {
                prices.sort_by(f64::total_cmp);
                (gpu, prices[prices.len() / 2])
            })
            .collect();
        let on_demand: BTreeMap<(&str, &str, &str, Option<Date>), f64> = self
            .offers
            .iter()
            .filter(|offer| offer.billing == Billing::OnDemand)
            .map(|offer| {
                (
                    (offer.provider.as_str(), offer.instance.as_str(), offer.region.as_str(), offer.from),
                    offer.price.get(),
                )
            })
            .collect();
        for offer in &self.offers {
            let id = &offer.id;
            findings.provenance(T, id, &offer.provenance);
            findings.unless(self.gpu(&offer.gpu).is_some(), T, id, "known GPU", || offer.gpu.clone());
            findings.unless(
                self.gpu(&offer.gpu).is_none_or(|gpu| offer.count >= 1 && offer.count <= gpu.per_server_max),
                T,
                id,
                "GPUs fit a server",
                || format!("{} x {}", offer.count, offer.gpu),
            );
            if offer.billing == Billing::OnDemand
                && let Some(median) = medians.get(offer.gpu.as_str())
            {
                findings.unless(
                    between(each(offer) / median, 1.0 / PRICE_SPREAD, PRICE_SPREAD),
                    T,
                    id,
                    "price near its peers",
                    || format!("{:.2} USD/h a GPU, median {median:.2}", each(offer)),
                );
            }
            if offer.billing == Billing::Spot {
                let key =
                    (offer.provider.as_str(), offer.instance.as_str(), offer.region.as_str(), offer.from);
                findings.unless(
                    on_demand.get(&key).is_none_or(|price| offer.price.get() < *price),
                    T,
                    id,
                    "spot below on-demand",
                    || format!("{} USD/h", offer.price.get()),
                );
            }
            let paid =
                if offer.billing == Billing::Purchase { offer.upfront.get() } else { offer.price.get() };
            findings
                .unless(paid > 0.0, T, id, "a price", || "neither an hourly nor an upfront price".to_owned());
        }
        let rows: Vec<_> =
            self.offers.iter().map(|offer| (offer.id.as_str(), offer.from, offer.until)).collect();
        findings.periods(T, &rows);
    }
}
