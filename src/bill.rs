//! What a thing costs: one function per way to pay, rounding of bill lines once and here.
//!
//! In: catalog prices and quantities of use. Out: USD. It decides nothing.

use crate::catalog::{Api, Billing, Catalog, Gpu, Offer};
use crate::requirements::{Lengths, OwnHardware};

/// Rounds a bill line half-even to 1e-6 USD.
#[must_use]
pub fn line(usd: f64) -> f64 {
    (usd * 1e6).round_ties_even() / 1e6
}

/// Electricity of one GPU and its part of the server, USD/hour: TDP/1000 x utilisation / share of the GPUs in the
/// server's power x PUE x price.
///
/// Utilisation is the mean draw over the TDP of a GPU that serves; `None` where the TDP is unknown.
#[must_use]
pub fn power_usd_per_hour(catalog: &Catalog, own: &OwnHardware, gpu: &Gpu) -> Option<f64> {
    let utilisation = own.utilisation.unwrap_or_else(|| catalog.gpu_power_share());
    let pue = own.pue.unwrap_or_else(|| catalog.pue());
    let price = own.electricity_usd_per_kwh.unwrap_or_else(|| catalog.electricity_usd_per_kwh());
    gpu.tdp_w.map(|watts| watts / 1000.0 * utilisation / catalog.gpu_share_of_it_power() * pue * price)
}

/// Room, network and hands for one bought GPU, USD/month: rent of its part of the server's nominal power, or the
/// request's own figure; `None` where the TDP is unknown.
#[must_use]
pub fn hosting_usd_per_month(catalog: &Catalog, own: &OwnHardware, gpu: &Gpu) -> Option<f64> {
    let rent = || {
        gpu.tdp_w.map(|watts| {
            watts / 1000.0 / catalog.gpu_share_of_it_power() * catalog.colocation_usd_per_kw_month()
        })
    };
    own.hosting_usd_per_gpu_month.or_else(rent)
}

/// What holding an instance costs beside what was paid once, USD/hour: the rent; for bought hardware electricity and
/// hosting of its GPUs. `None` where a figure is unknown.
#[must_use]
pub fn usd_per_hour(
    catalog: &Catalog,
    own: &OwnHardware,
    hours_per_month: f64,
    offer: &Offer,
    gpu: &Gpu,
) -> Option<f64> {
    if offer.billing != Billing::Purchase {
        return Some(offer.price.get());
    }
    let power = power_usd_per_hour(catalog, own, gpu)?;
    let hosting = hosting_usd_per_month(catalog, own, gpu)? / hours_per_month;
    Some(offer.price.get() + f64::from(offer.count) * (power + hosting))
}

/// What is paid once for an instance, USD: prepaid rent, or the price of bought hardware with the rest of the server
/// where the seller's price is of the bare devices.
#[must_use]
pub fn usd_upfront(catalog: &Catalog, offer: &Offer) -> f64 {
    let server =
        if offer.billing == Billing::Purchase { catalog.server_factor(&offer.provider) } else { 1.0 };
    offer.upfront.get() * server
}

/// Months over which what is paid once is spread: the term of a commitment, the service life of a purchase.
#[must_use]
pub fn months(catalog: &Catalog, own: &OwnHardware, billing: Billing) -> f64 {
    match billing {
        Billing::Reserved3y => 36.0,
        Billing::Purchase => own.amortisation_months.unwrap_or_else(|| catalog.service_life_months()),
        Billing::OnDemand
        | Billing::Scheduled
        | Billing::Reserved1y
        | Billing::Spot
        | Billing::Serverless
        | Billing::Owned => 12.0,
    }
}

/// Power of one GPU at TDP with PUE, kW; `None` where the TDP is unknown.
#[must_use]
pub fn power_kw(catalog: &Catalog, gpu: &Gpu) -> Option<f64> {
    gpu.tdp_w.map(|watts| watts / 1000.0 * catalog.pue())
}

/// Price of so many seconds of an instance, USD.
#[must_use]
pub fn usd_of_seconds(usd_per_hour: f64, seconds: f64) -> f64 {
    usd_per_hour / 3600.0 * seconds
}

/// Mean price of one request of a class at a hosted model, USD.
///
/// Mean over the points of the lengths: prompt tokens at the cache-read price for the share `prefix_hit` where the
/// provider has one, generated tokens (`extra_output` reasoning tokens included) at the output price, long prompts at
/// the long-context prices.
#[must_use]
pub fn usd_per_request(api: &Api, lengths: &Lengths, extra_output: f64, prefix_hit: f64) -> f64 {
    lengths
        .points
        .iter()
        .map(|(input, output, weight)| weight * one(api, *input, output + extra_output, prefix_hit))
        .sum()
}

fn one(api: &Api, input: f64, output: f64, prefix_hit: f64) -> f64 {
    let long = api.long_threshold.is_some_and(|threshold| input > f64::from(threshold));
    let input_price = if long { api.long_input.unwrap_or(api.input) } else { api.input };
    let output_price = if long { api.long_output.unwrap_or(api.output) } else { api.output };
    let cached = api.cache_read.map_or(0.0, |_| prefix_hit);
    let cache_price = api.cache_read.unwrap_or(input_price);
    input_price.for_tokens(input * (1.0 - cached)).get()
        + cache_price.for_tokens(input * cached).get()
        + output_price.for_tokens(output).get()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn api() -> Api {
        let catalog = Catalog::load(&[]).expect("the shipped catalog is sound");
        let mut api = catalog.apis[0].clone();
        let usd = crate::units::UsdPerMillionTokens::of;
        (api.input, api.output, api.cache_read) = (usd(1.0), usd(4.0), Some(usd(0.1)));
        (api.long_threshold, api.long_input, api.long_output) = (Some(1000), Some(usd(2.0)), Some(usd(6.0)));
        api
    }

    #[test]
    fn cached_tokens_cost_the_cache_price_where_there_is_one() {
        let mut api = api();
        // 200 x 1 + 800 x 0.1 + 100 x 4 = 680 USD per million requests
        assert!((one(&api, 1000.0, 100.0, 0.8) - 680e-6).abs() < 1e-15);
        api.cache_read = None;
        assert!((one(&api, 1000.0, 100.0, 0.8) - 1400e-6).abs() < 1e-15);
    }

    #[test]
    fn long_prompts_pay_the_long_price_for_the_whole_request() {
        let api = api();
        // at the threshold: 1000 x 1 + 100 x 4; beyond it: 1001 x 2 + 100 x 6
        assert!((one(&api, 1000.0, 100.0, 0.0) - 1400e-6).abs() < 1e-15);
        assert!((one(&api, 1001.0, 100.0, 0.0) - 2602e-6).abs() < 1e-15);
    }

    #[test]
    fn a_line_rounds_half_even() {
        assert!((line(0.000_000_5) - 0.0).abs() < 1e-18);
        assert!((line(0.000_001_5) - 0.000_002).abs() < 1e-18);
        assert!((line(91.25) - 91.25).abs() < 1e-12);
    }
}
