//! Numbers as people read them. In: a value and its unit or interval. Out: text with no digit more than it warrants.
//!
//! Rounding for the eye happens here and nowhere else.

use crate::reason::Quantity;

/// `1234567.891` with 2 decimals is `1,234,567.89`.
#[must_use]
pub fn grouped(value: f64, decimals: usize) -> String {
    if !value.is_finite() {
        return "unbounded".to_owned();
    }
    let text = format!("{:.decimals$}", value.abs());
    let (whole, rest) = text.split_at(text.find('.').unwrap_or(text.len()));
    let mut out = String::with_capacity(text.len() + text.len() / 3 + 1);
    // "-0" would read as a mistake.
    if value < 0.0 && text.bytes().any(|byte| (b'1'..=b'9').contains(&byte)) {
        out.push('-');
    }
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index) % 3 == 0 {
            out.push(',');
        }
        out.push(digit);
    }
    out + rest
}

/// Decimals that leave `digits` significant ones; at least 0.
#[must_use]
pub fn decimals_for(value: f64, digits: i32) -> usize {
    if value == 0.0 || !value.is_finite() {
        return 0;
    }
    let first = magnitude(value);
    usize::try_from(digits - 1 - first).unwrap_or(0).min(12)
}

/// Exponent of the first significant digit: 3 for 2,340 and -2 for 0.045.
fn magnitude(value: f64) -> i32 {
    // A finite f64 lies within 10^±324, so the cast is exact.
    #[expect(clippy::cast_possible_truncation, reason = "bounded by the range of f64")]
    let exponent = value.abs().log10().floor() as i32;
    exponent
}

/// `12.5` not `12.500`, `4` not `4.0`: at most `decimals` decimals, trailing zeros dropped.
#[must_use]
pub fn trimmed(value: f64, decimals: usize) -> String {
    let text = grouped(value, decimals);
    if !text.contains('.') {
        return text;
    }
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Money: two decimals; under a cent four significant digits.
#[must_use]
pub fn usd(value: f64) -> String {
    let small = value != 0.0 && value.abs() < 0.01;
    let text = if small { trimmed(value.abs(), decimals_for(value, 4)) } else { grouped(value.abs(), 2) };
    let sign = if value < 0.0 && text != "0.00" { "-" } else { "" };
    format!("{sign}${text}")
}

/// The price of a small thing: under a dollar four significant digits, and never fewer than cents.
#[must_use]
pub fn usd_fine(value: f64) -> String {
    if value.abs() >= 1.0 || value == 0.0 {
        return usd(value);
    }
    let sign = if value < 0.0 { "-" } else { "" };
    format!("{sign}${}", trimmed_to(&grouped(value.abs(), decimals_for(value, 4).max(2)), 2))
}

/// Money that someone wrote down as a limit: `$500`, not `$500.00`.
#[must_use]
pub fn usd_plain(value: f64) -> String {
    let text = usd(value);
    text.strip_suffix(".00").map_or(text.clone(), str::to_owned)
}

/// A share of 1 as per cent, with up to `decimals` decimals.
#[must_use]
pub fn percent(share: f64, decimals: usize) -> String {
    format!("{} %", trimmed(100.0 * share, decimals))
}

/// A share of the traffic: whole per cents, and more digits near the ends so that a sliver is not called 0 or 100 %.
#[must_use]
pub fn share(value: f64) -> String {
    let distance = value.min(1.0 - value);
    let decimals = if distance <= 0.0 || distance >= 0.095 { 0 } else { decimals_for(100.0 * distance, 2) };
    percent(value, decimals.min(6))
}

/// A figure with its unit.
#[must_use]
pub fn quantity(figure: &Quantity) -> String {
    with_decimals(figure, usual_decimals(figure))
}

/// A figure, the one it is held against, and how far apart they are: never the same text for different values.
#[must_use]
pub fn against(got: &Quantity, allowed: &Quantity) -> (String, String, String) {
    if got.unit == "ms" {
        return estimated(got, allowed);
    }
    let start = usual_decimals(got).max(usual_decimals(allowed));
    let differs = |more: &usize| with_decimals(got, *more) != with_decimals(allowed, *more) || got == allowed;
    let decimals = (start..start + 6).find(differs).unwrap_or(start + 6);
    let (have, exact) = (with_decimals(got, decimals), with_decimals(allowed, decimals));
    // The limit is as round as the user wrote it.
    let plain = with_decimals(allowed, usual_decimals(allowed));
    let apart = Quantity::new((got.value - allowed.value).abs(), &got.unit);
    let apart = if apart.unit == "index" {
        // "index 3.2 short" would read like an index of 3.2; points are meant.
        format!("{} points", trimmed(apart.value, decimals))
    } else {
        with_decimals(&apart, decimals)
    };
    (have.clone(), if plain == have { exact } else { plain }, apart)
}

/// Latencies are estimates that no more than three digits of are known; the limit is exact. More digits only where
/// fewer would put the two on one side or make them look alike.
fn estimated(got: &Quantity, allowed: &Quantity) -> (String, String, String) {
    let above = got.value > allowed.value;
    let apart = |digits: &i32| {
        let value = significant(got.value, *digits);
        got.value == allowed.value || (value != allowed.value && (value > allowed.value) == above)
    };
    let digits = (3..9).find(apart).unwrap_or(9);
    let have = Quantity::new(significant(got.value, digits), &got.unit);
    let apart = Quantity::new((have.value - allowed.value).abs(), &got.unit);
    let decimals = usual_decimals(&have).max(decimals_for(have.value, digits));
    (
        with_decimals(&have, decimals),
        with_decimals(allowed, usual_decimals(allowed)),
        with_decimals(&apart, decimals),
    )
}

/// Rounded to so many significant digits.
#[must_use]
pub fn significant(value: f64, digits: i32) -> f64 {
    if value == 0.0 || !value.is_finite() {
        return value;
    }
    let step = 10_f64.powi(magnitude(value) - digits + 1);
    (value / step).round() * step
}

fn usual_decimals(figure: &Quantity) -> usize {
    let value = figure.value.abs();
    match figure.unit.as_str() {
        "USD/month" | "USD" | "USD/h" => 2,
        "USD/request" => decimals_for(value, 4).max(2),
        "ms" if value >= 100.0 => 0,
        "ms" => decimals_for(value, 3).min(3),
        "GiB" | "GiB per GPU" if value >= 100.0 => 0,
        "GiB" | "GiB per GPU" | "index" => 1,
        "share" => decimals_for(100.0 * value.min(1.0 - value).abs().max(1e-9), 2).min(4),
        "tokens" | "GPUs" => 0,
        _ => decimals_for(value, 3).min(6),
    }
}

fn with_decimals(figure: &Quantity, decimals: usize) -> String {
    let value = figure.value;
    match figure.unit.as_str() {
        "USD/month" => format!("{}/month", money(value, decimals)),
        "USD" => money(value, decimals),
        "USD/h" => format!("{}/h", money(value, decimals)),
        "USD/request" if decimals <= usual_decimals(figure) => format!("{}/request", usd_fine(value)),
        "USD/request" => format!("{}/request", money(value, decimals)),
        "share" => percent(value, decimals),
        "index" => format!("index {}", trimmed(value, decimals)),
        "yes-no" => if value > 0.5 { "yes" } else { "no" }.to_owned(),
        "GPUs" | "replicas" => {
            let text = trimmed(value, decimals);
            let unit = if text == "1" { figure.unit.trim_end_matches('s') } else { &figure.unit };
            format!("{text} {unit}")
        }
        "" => trimmed(value, decimals),
        unit => format!("{} {unit}", trimmed(value, decimals)),
    }
}

fn money(value: f64, decimals: usize) -> String {
    if value != 0.0 && value.abs() < 0.01 {
        return usd(value);
    }
    let sign = if value < 0.0 { "-" } else { "" };
    let text = grouped(value.abs(), decimals);
    // Two decimals, or as many more as tell two amounts apart.
    let text = if decimals > 2 { trimmed_to(&text, 2) } else { text };
    format!("{sign}${text}")
}

/// Drops trailing zeros but leaves at least `decimals`.
fn trimmed_to(text: &str, decimals: usize) -> String {
    let keep = text.find('.').map_or(text.len(), |dot| dot + 1 + decimals);
    let (head, tail) = text.split_at(keep.min(text.len()));
    format!("{head}{}", tail.trim_end_matches('0'))
}

/// `value (low-high)` with the digits that the interval warrants: its half-width keeps two (JCGM 100:2008, 7.2.6).
#[must_use]
pub fn with_interval(value: f64, low: f64, high: f64) -> String {
    let half = (high - low).abs() / 2.0;
    if half <= 1e-9 * value.abs() || !half.is_finite() {
        return trimmed(value, decimals_for(value, 4));
    }
    let (value, low, high) = (rounded(value, half), rounded(low, half), rounded(high, half));
    let decimals = usize::try_from(1 - magnitude(half)).unwrap_or(0).min(6);
    format!("{} ({}-{})", grouped(value, decimals), grouped(low, decimals), grouped(high, decimals))
}

/// To the second significant digit of `half`.
fn rounded(value: f64, half: f64) -> f64 {
    let step = 10_f64.powi(magnitude(half) - 1);
    (value / step).round() * step
}

/// An index and its spread: `47 ± 4`, or one decimal where the spread is under 2 points.
#[must_use]
pub fn scored(index: f64, sd: f64) -> String {
    let decimals = usize::from(sd < 2.0);
    format!("{} ± {}", grouped(index, decimals), grouped(sd, decimals))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_grouped_and_zero_has_no_sign() {
        assert_eq!(grouped(1_234_567.891, 2), "1,234,567.89");
        assert_eq!(grouped(999.0, 0), "999");
        assert_eq!(grouped(-0.001, 2), "0.00");
        assert_eq!(grouped(-1234.5, 1), "-1,234.5");
        assert_eq!(grouped(f64::INFINITY, 0), "unbounded");
    }

    #[test]
    fn money_keeps_cents_and_tiny_prices_keep_digits() {
        assert_eq!(usd(182.5), "$182.50");
        assert_eq!(usd(0.000_425), "$0.000425");
        assert_eq!(usd(-3.0), "-$3.00");
        assert_eq!(usd_fine(0.0207), "$0.0207");
        assert_eq!(usd_fine(0.43), "$0.43");
        assert_eq!(usd_fine(0.000_082_5), "$0.0000825");
        assert_eq!(usd_fine(12.0), "$12.00");
        assert_eq!(usd_plain(500.0), "$500");
        assert_eq!(usd_plain(0.01), "$0.01");
    }

    #[test]
    fn digits_follow_the_interval() {
        assert_eq!(with_interval(2857.6, 1905.1, 4286.4), "2,900 (1,900-4,300)");
        assert_eq!(with_interval(2857.6, 2700.0, 3020.0), "2,860 (2,700-3,020)");
        assert_eq!(with_interval(12.345, 12.0, 12.8), "12.35 (12.00-12.80)");
        assert_eq!(with_interval(500.0, 500.0, 500.0), "500");
    }

    #[test]
    fn a_figure_over_its_limit_never_reads_like_the_limit() {
        let said = |[got, allowed, apart]: [&str; 3]| (got.to_owned(), allowed.to_owned(), apart.to_owned());
        let pair = against(&Quantity::new(2000.3, "ms"), &Quantity::new(2000.0, "ms"));
        assert_eq!(pair, said(["2,000.3 ms", "2,000 ms", "0.3 ms"]));
        let pair = against(&Quantity::new(500.004, "USD/month"), &Quantity::new(500.0, "USD/month"));
        assert_eq!(pair, said(["$500.004/month", "$500.00/month", "$0.004/month"]));
        let pair = against(&Quantity::new(2857.6, "ms"), &Quantity::new(2000.0, "ms"));
        assert_eq!(pair, said(["2,860 ms", "2,000 ms", "860 ms"]));
    }

    #[test]
    fn shares_near_the_ends_keep_their_digits() {
        assert_eq!(share(1.0), "100 %");
        assert_eq!(share(0.3652), "37 %");
        assert_eq!(share(0.99951), "99.951 %");
        assert_eq!(share(0.004), "0.4 %");
        assert_eq!(quantity(&Quantity::new(0.999, "share")), "99.9 %");
        assert_eq!(quantity(&Quantity::new(1.0, "GPUs")), "1 GPU");
    }
}
