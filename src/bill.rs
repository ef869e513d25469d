//! What a thing costs: one function per way to pay, rounding of bill lines once and here.
//!
//! In: catalog prices and quantities of use. Out: USD. It decides nothing.

use crate::catalog::{Api, Catalog, Gpu};
use crate::requirements::Lengths;

/// Rounds a bill line half-even to 1e-6 USD.
#[must_use]
pub fn line(usd: f64) -> f64 {
    (usd * 1e6).round_ties_even() / 1e6
}

/// Electricity of one GPU at its TDP with PUE, USD/hour: TDP/1000 x PUE x price.
///
/// TDP around the clock is an upper figure; a serving GPU draws less.
#[must_use]
pub fn power_usd_per_hour(catalog: &Catalog, gpu: &Gpu) -> f64 {
    power_kw(catalog, gpu).unwrap_or(0.0) * catalog.electricity_usd_per_kwh()
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
