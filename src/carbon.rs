//! What serving emits: kg CO2e of an instance-hour and of a hosted request.
//!
//! In: facts of the catalog (TDP, power shares, PUE, grid intensity by place, energy of a token). Out: kg CO2e with an
//! interval, or `None` where a fact is unknown. Emissions of making the hardware are left out. It decides nothing.
//!
//! - Own engines: GPUs x TDP x `gpu_power_share` / `gpu_share_of_it_power` x PUE x g/kWh. A GPU that is paid for draws
//!   that much busy or not, as the power share is the mean of a serving fleet.
//! - Hosted models: energy of a token x g/kWh. Open models by the formula of EcoLogits, E = PUE x (n (alpha exp(-beta B)
//!   P + gamma) + t x 1.2 kW x n / 8 / B) with P the active parameters in billions, B a batch of 64, n GPUs of 80 GB for
//!   the weights at 16 bits, t the time of a token; others by one assumed figure. A prompt token counts as a share of a
//!   generated one.

use crate::catalog::{Api, Catalog, EconomicFact, Gpu, Model};
use crate::requirements::Lengths;

/// kg CO2e and what it lies between, two-sided 90 %.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Emission {
    /// kg CO2e.
    pub kg: f64,
    /// Low end.
    pub low: f64,
    /// High end.
    pub high: f64,
}

impl Emission {
    const fn around(kg: f64, factor: f64) -> Self {
        Self { kg, low: kg / factor, high: kg * factor }
    }

    /// So many times as much.
    #[must_use]
    pub const fn times(self, factor: f64) -> Self {
        Self { kg: self.kg * factor, low: self.low * factor, high: self.high * factor }
    }

    /// Both together; errors are taken to move together.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self { kg: self.kg + other.kg, low: self.low + other.low, high: self.high + other.high }
    }
}

/// GPU servers draw between half and all of what TDP says (`gpu_power_share` 0.7); a grid is known within a tenth.
const ENGINE_FACTOR: f64 = 1.6;
/// Stated energies of a prompt and the formula lie a factor of three to four apart (Google 0.24 Wh, formula 0.97 Wh).
const HOSTED_FACTOR: f64 = 4.0;

/// Grid intensity at a place of a provider, g CO2e/kWh: that of the region, else of the provider, else the world's.
#[must_use]
pub fn grid<'c>(catalog: &'c Catalog, provider: &str, region: &str) -> Option<(String, &'c EconomicFact)> {
    let place = format!("{provider}/{region}");
    [place.as_str(), provider, "default"].into_iter().find_map(|scope| {
        let fact = catalog.economics.facts.get(&("grid_carbon".to_owned(), scope.to_owned()))?;
        Some((scope.to_owned(), fact))
    })
}

/// kg CO2e of so many GPUs for an hour; `None` where TDP or grid is unknown.
#[must_use]
pub fn engine_hour(
    catalog: &Catalog,
    gpu: &Gpu,
    gpus: u32,
    provider: &str,
    region: &str,
) -> Option<Emission> {
    let figure = |key: &str, scope: &str| catalog.economic(key, scope).map(|fact| fact.value);
    let watts = gpu.tdp_w? * figure("gpu_power_share", "default")?
        / figure("gpu_share_of_it_power", "default")?
        * figure("pue", provider)?;
    let grams = grid(catalog, provider, region)?.1.value;
    Some(Emission::around(f64::from(gpus) * watts / 1000.0 * grams / 1000.0, ENGINE_FACTOR))
}

/// kg CO2e of a mean request to a hosted model; `None` where a fact is missing.
#[must_use]
pub fn hosted_request(
    catalog: &Catalog,
    api: &Api,
    lengths: &Lengths,
    extra_output: f64,
) -> Option<Emission> {
    let figure = |key: &str| catalog.economic(key, "default").map(|fact| fact.value);
    let wh = open_model(catalog, api)
        .and_then(|model| open_token_wh(catalog, api, model))
        .or_else(|| Some(figure("api_energy")? / 1000.0))?;
    let tokens = lengths.output_mean + extra_output + figure("api_energy_input_share")? * lengths.input_mean;
    let grams = grid(catalog, &api.provider, "")?.1.value;
    Some(Emission::around(tokens * wh / 1000.0 * grams / 1000.0, HOSTED_FACTOR))
}

/// The facts of place and power behind [`engine_hour`], each with its name.
#[must_use]
pub fn facts_of_engine<'c>(
    catalog: &'c Catalog,
    provider: &str,
    region: &str,
) -> Vec<(String, &'c EconomicFact)> {
    let mut all = named(catalog, &[("gpu_power_share", "default"), ("gpu_share_of_it_power", "default")]);
    all.extend(named(catalog, &[("pue", provider)]));
    all.extend(grid(catalog, provider, region).map(|(place, fact)| (format!("grid_carbon {place}"), fact)));
    all
}

/// The facts of energy and place behind [`hosted_request`], each with its name.
#[must_use]
pub fn facts_of_request<'c>(catalog: &'c Catalog, api: &Api) -> Vec<(String, &'c EconomicFact)> {
    const FORMULA: [&str; 6] = [
        "api_energy_alpha",
        "api_energy_batch",
        "api_energy_beta",
        "api_energy_gamma",
        "api_energy_gpu_memory",
        "api_energy_server_power",
    ];
    let by_formula = open_model(catalog, api).is_some_and(|it| open_token_wh(catalog, api, it).is_some());
    let mut all = named(catalog, &[("api_energy_input_share", "default")]);
    if by_formula {
        all.extend(FORMULA.iter().flat_map(|key| named(catalog, &[(*key, "default")])));
        all.extend(named(catalog, &[("pue", &api.provider)]));
    } else {
        all.extend(named(catalog, &[("api_energy", "default")]));
    }
    all.extend(grid(catalog, &api.provider, "").map(|(place, fact)| (format!("grid_carbon {place}"), fact)));
    all
}

/// Facts by key and scope, with the key as name.
fn named<'c>(catalog: &'c Catalog, keys: &[(&str, &str)]) -> Vec<(String, &'c EconomicFact)> {
    let known = |(key, scope): &(&str, &str)| Some(((*key).to_owned(), catalog.economic(key, scope)?));
    keys.iter().filter_map(known).collect()
}

/// The open model behind a hosted one, where the catalog has it.
fn open_model<'c>(catalog: &'c Catalog, api: &Api) -> Option<&'c Model> {
    let subject = api.quality_subject.as_ref()?;
    catalog
        .models
        .iter()
        .find(|model| model.quality_subject.as_ref() == Some(subject) || model.id == *subject)
}

/// Energy of a generated token by the formula of the header, Wh.
fn open_token_wh(catalog: &Catalog, api: &Api, model: &Model) -> Option<f64> {
    let figure = |key: &str| catalog.economic(key, "default").map(|fact| fact.value);
    let billions = |parameters: f64| parameters / 1e9;
    let batch = figure("api_energy_batch")?;
    // 16 bits a weight: 2 GB for a billion, a fifth for the rest, rounded up to a power of two.
    let needed =
        (1.2 * 2.0 * billions(model.total_params) / figure("api_energy_gpu_memory")?).ceil().max(1.0);
    let gpus = needed.log2().ceil().exp2();
    let of_gpus = figure("api_energy_alpha")?
        * (-figure("api_energy_beta")? * batch).exp()
        * billions(model.active_params)
        + figure("api_energy_gamma")?;
    let seconds = 1.0 / catalog.latency_of(api).map_or(TOKENS_PER_S, |fact| fact.tokens_per_s);
    let of_server = seconds / 3600.0 * 1000.0 * figure("api_energy_server_power")? * gpus / 8.0 / batch;
    Some(catalog.economic("pue", &api.provider)?.value * (gpus * of_gpus + of_server))
}

/// Token rate where there is no fact; it decides a small part of the sum.
const TOKENS_PER_S: f64 = 60.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_hour_of_an_h100_in_virginia() {
        let catalog = Catalog::embedded();
        let gpu = catalog.gpu("h100-sxm").expect("the catalog has it");
        let hour = engine_hour(catalog, gpu, 8, "aws", "us-east-1").expect("known");
        // 8 x 0.7 kW x 0.7 / 0.8 x 1.2 = 5.88 kW; x 343.48 g/kWh
        assert!((hour.kg - 5.88 * 0.343_48).abs() < 1e-9, "{}", hour.kg);
        assert!(grid(catalog, "nobody", "nowhere").is_some_and(|(scope, _)| scope == "default"));
    }
}
