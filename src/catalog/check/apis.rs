//! Hosted models: names, prices by tier and length, periods, latency.

use std::collections::BTreeMap;

use super::{Findings, between};
use crate::catalog::{Catalog, ServiceTier};

impl Catalog {
    pub(super) fn check_apis(&self, findings: &mut Findings) {
        const T: &str = "apis";
        let standard: Vec<_> = self.apis.iter().filter(|api| api.tier == ServiceTier::Standard).collect();
        findings.unique(
            T,
            standard.iter().flat_map(|api| {
                std::iter::once(&api.id).chain(&api.aliases).map(|name| (name.as_str(), api.id.as_str()))
            }),
        );
        let prices: BTreeMap<&str, (f64, f64)> =
            standard.iter().map(|api| (api.id.as_str(), (api.input.get(), api.output.get()))).collect();
        for api in &self.apis {
            let id = &api.id;
            findings.provenance(T, id, &api.provenance);
            findings.capabilities(T, id, &api.has, &api.lacks);
            let name = id.split_once('@').map_or(id.as_str(), |(name, _)| name);
            let suffix = match api.tier {
                ServiceTier::Standard => "",
                ServiceTier::Batch => "@batch",
                ServiceTier::Flex => "@flex",
            };
            findings.unless(
                id.starts_with(&format!("{}/", api.provider)) && *id == format!("{name}{suffix}"),
                T,
                id,
                "id is provider/name@tier",
                || format!("provider {}, tier {:?}", api.provider, api.tier),
            );
            findings.unless(
                between(api.input.get(), 0.001, 1_000.0) && between(api.output.get(), 0.001, 2_000.0),
                T,
                id,
                "price per million tokens",
                || format!("{} and {}", api.input, api.output),
            );
            if api.tier != ServiceTier::Standard {
                findings.unless(
                    prices.get(name).is_some_and(|(input, output)| {
                        api.input.get() <= *input && api.output.get() <= *output
                    }),
                    T,
                    id,
                    "no dearer than standard",
                    || format!("{} and {}", api.input, api.output),
                );
            }
            findings.unless(
                api.cache_read.is_none_or(|price| price <= api.input),
                T,
                id,
                "cache reads no dearer than input",
                || format!("{:?} against {}", api.cache_read, api.input),
            );
            findings.unless(
                api.long_threshold.is_some() == (api.long_input.is_some() && api.long_output.is_some())
                    && api.long_input.is_none_or(|price| price >= api.input),
                T,
                id,
                "long prompts",
                || format!("{:?} {:?} {:?}", api.long_threshold, api.long_input, api.long_output),
            );
            findings.unless(between(f64::from(api.max_context), 512.0, 2e7), T, id, "context", || {
                api.max_context.to_string()
            });
            for limit in [api.requests_per_minute, api.tokens_per_minute].into_iter().flatten() {
                findings.unless(between(limit, 1.0, 1e12), T, id, "rate limit", || limit.to_string());
            }
            findings.unless(
                !matches!((api.from, api.retired), (Some(from), Some(retired)) if retired <= from),
                T,
                id,
                "retired after it began",
                || format!("{:?} to {:?}", api.from, api.retired),
            );
            findings.unless(
                api.quality_subject
                    .as_ref()
                    .is_none_or(|subject| self.quality.iter().any(|row| row.subject == *subject)),
                T,
                id,
                "known quality subject",
                || format!("{:?}", api.quality_subject),
            );
        }
        let rows: Vec<_> = self.apis.iter().map(|api| (api.id.as_str(), api.from, api.until)).collect();
        findings.periods(T, &rows);
    }

    pub(super) fn check_latency(&self, findings: &mut Findings) {
        const T: &str = "api_latency";
        for row in &self.api_latency {
            findings.provenance(T, &row.api, &row.provenance);
            findings.unless(
                between(row.ttft_ms, 10.0, 120_000.0)
                    && row.ttft_ms_p95.is_none_or(|tail| tail >= row.ttft_ms),
                T,
                &row.api,
                "time to the first token",
                || format!("{} ms, p95 {:?}", row.ttft_ms, row.ttft_ms_p95),
            );
            findings.unless(
                between(row.tokens_per_s, 1.0, 5_000.0)
                    && row.tokens_per_s_slow.is_none_or(|slow| slow <= row.tokens_per_s),
                T,
                &row.api,
                "token rate",
                || format!("{} tokens/s, slow {:?}", row.tokens_per_s, row.tokens_per_s_slow),
            );
        }
    }
}
