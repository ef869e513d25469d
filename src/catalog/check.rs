//! Is a catalog believable? Structure and physics of every row, as findings.
//!
//! In: a loaded [`Catalog`]. Out: [`Finding`]s: table, row, rule, and the figures that broke it. It changes nothing and
//! refuses nothing: loading is strict about form, this is about sense. `tests/catalog.rs` holds the shipped tables to it.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::hf_config::{Latent, parameters};
use super::{Attention, Billing, Catalog, Offer, Provenance, ServiceTier};

/// One row that breaks one rule.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// Table, such as `offers`.
    pub table: &'static str,
    /// Id of the row.
    pub id: String,
    /// Name of the rule.
    pub rule: &'static str,
    /// What was found, in figures.
    pub detail: String,
}

/// Counted parameters may differ from stated ones by this share: norms, biases and vision towers are not counted.
const PARAMETERS_SLACK: f64 = 0.05;
/// A price per GPU this many times off the median of its GPU is a slip or another product.
const PRICE_SPREAD: f64 = 4.0;
/// The driver reports at least this share of what is marketed (Apple wires three quarters of unified memory).
const USABLE_LEAST: f64 = 0.7;

struct Findings(Vec<Finding>);

impl Findings {
    fn unless(
        &mut self,
        holds: bool,
        table: &'static str,
        id: &str,
        rule: &'static str,
        detail: impl FnOnce() -> String,
    ) {
        if !holds {
            self.0.push(Finding { table, id: id.to_owned(), rule, detail: detail() });
        }
    }

    fn provenance(&mut self, table: &'static str, id: &str, provenance: &Provenance) {
        self.unless(!provenance.source.is_empty(), table, id, "sourced", || "no source".to_owned());
        self.unless(is_date(&provenance.as_of), table, id, "dated", || {
            format!("as_of `{}`", provenance.as_of)
        });
    }

    /// Names are told apart by nothing but themselves, case ignored.
    fn unique<'n>(&mut self, table: &'static str, names: impl Iterator<Item = (&'n str, &'n str)>) {
        let mut seen: BTreeMap<String, &str> = BTreeMap::new();
        for (name, id) in names {
            if let Some(other) = seen.insert(name.to_lowercase(), id) {
                self.unless(other == id, table, id, "unique names", || {
                    format!("`{name}` also names {other}")
                });
            }
        }
    }

    fn capabilities(&mut self, table: &'static str, id: &str, has: &[String], lacks: &[String]) {
        let both: Vec<&String> = has.iter().filter(|word| lacks.contains(word)).collect();
        self.unless(both.is_empty(), table, id, "has or lacks", || format!("{both:?} in both lists"));
    }

    /// Two rows of one id hold on no common day.
    fn periods(&mut self, table: &'static str, rows: &[(&str, Option<Date>, Option<Date>)]) {
        for pair in rows.windows(2) {
            let ((id, _, until), (next, from, _)) = (pair[0], pair[1]);
            let apart = id != next || matches!((until, from), (Some(until), Some(from)) if until <= from);
            self.unless(apart, table, id, "one price a day", || {
                format!("until {until:?}, next from {from:?}")
            });
        }
    }
}

/// `2026`, `2026-11` or `2026-11-20`.
fn is_date(text: &str) -> bool {
    let padded = match text.len() {
        4 => format!("{text}-01-01"),
        7 => format!("{text}-01"),
        _ => text.to_owned(),
    };
    padded.parse::<Date>().is_ok()
}

fn between(value: f64, low: f64, high: f64) -> bool {
    (low..=high).contains(&value)
}

impl Catalog {
    /// Every row that breaks a rule of form or physics, in order.
    #[must_use]
    pub fn check(&self) -> Vec<Finding> {
        let mut findings = Findings(Vec::new());
        self.check_models(&mut findings);
        self.check_gpus(&mut findings);
        self.check_offers(&mut findings);
        self.check_apis(&mut findings);
        self.check_latency(&mut findings);
        self.check_quality(&mut findings);
        self.check_engines(&mut findings);
        findings.0.sort();
        findings.0
    }

    fn check_models(&self, findings: &mut Findings) {
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

    fn check_gpus(&self, findings: &mut Findings) {
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

    fn check_offers(&self, findings: &mut Findings) {
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

    fn check_apis(&self, findings: &mut Findings) {
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

    fn check_latency(&self, findings: &mut Findings) {
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

    fn check_quality(&self, findings: &mut Findings) {
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

    fn check_engines(&self, findings: &mut Findings) {
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
