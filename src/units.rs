//! One type per unit, with only the arithmetic that means something.
//!
//! In: plain numbers at the borders (files, formulas). Out: quantities that cannot be NaN, negative or
//! confused with one another, and that therefore have a total order. Inside a formula of `estimate/` and
//! inside `solve.rs` a bare `f64` is allowed; its name then ends in the unit.

use std::cmp::Ordering;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A number that no quantity may hold.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[error("{unit} must be a finite number of at least 0, got {got}")]
pub struct NotAQuantity {
    /// Unit of the quantity that was asked for.
    pub unit: &'static str,
    /// The number that was refused.
    pub got: f64,
}

macro_rules! quantity {
    ($(#[$doc:meta])* $name:ident, $unit:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, Default, Serialize, Deserialize, JsonSchema)]
        #[serde(transparent)]
        pub struct $name(f64);

        impl $name {
            /// Unit as it is printed behind a figure.
            pub const UNIT: &'static str = $unit;
            /// Nothing of it.
            pub const ZERO: Self = Self(0.0);

            /// A quantity from a number that must be finite and not negative.
            ///
            /// # Errors
            /// [`NotAQuantity`] for NaN, infinities and negative numbers.
            pub fn new(value: f64) -> Result<Self, NotAQuantity> {
                if value.is_finite() && value >= 0.0 {
                    Ok(Self(value))
                } else {
                    Err(NotAQuantity { unit: $unit, got: value })
                }
            }

            /// A quantity that a formula produced: negative rounding dust becomes 0.
            ///
            /// # Panics
            /// On NaN or infinity, which would be our bug.
            #[must_use]
            pub fn of(value: f64) -> Self {
                assert!(value.is_finite(), "a {} came out as {value}", $unit);
                Self(value.max(0.0))
            }

            /// The bare number, in this type's unit.
            #[must_use]
            pub const fn get(self) -> f64 {
                self.0
            }
        }

        impl PartialEq for $name {
            fn eq(&self, other: &Self) -> bool {
                self.cmp(other) == Ordering::Equal
            }
        }
        impl Eq for $name {}
        impl PartialOrd for $name {
            fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
                Some(self.cmp(other))
            }
        }
        impl Ord for $name {
            fn cmp(&self, other: &Self) -> Ordering {
                self.0.total_cmp(&other.0)
            }
        }
        impl std::ops::Add for $name {
            type Output = Self;
            fn add(self, other: Self) -> Self {
                Self(self.0 + other.0)
            }
        }
        impl std::iter::Sum for $name {
            fn sum<I: Iterator<Item = Self>>(items: I) -> Self {
                items.fold(Self::ZERO, |a, b| a + b)
            }
        }
        impl std::ops::Mul<f64> for $name {
            type Output = Self;
            fn mul(self, factor: f64) -> Self {
                Self::of(self.0 * factor)
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{} {}", self.0, $unit)
            }
        }
    };
}

quantity!(/// US dollars, once.
    Usd, "USD");
quantity!(/// US dollars for an hour.
    UsdPerHour, "USD/h");
quantity!(/// US dollars for a month of the requirements' calendar.
    UsdPerMonth, "USD/month");
quantity!(/// US dollars for one million tokens.
    UsdPerMillionTokens, "USD/Mtok");
quantity!(/// US dollars for one request.
    UsdPerRequest, "USD/request");
quantity!(/// Gibibytes, 2^30 bytes.
    Gib, "GiB");
quantity!(/// Milliseconds.
    Milliseconds, "ms");
quantity!(/// Requests in a second.
    RequestsPerSecond, "requests/s");
quantity!(/// Hours.
    Hours, "h");
quantity!(/// Kilowatts.
    Kilowatts, "kW");

impl UsdPerHour {
    /// The bill of a thing that runs around the clock.
    #[must_use]
    pub fn monthly(self, hours_per_month: Hours) -> UsdPerMonth {
        UsdPerMonth::of(self.get() * hours_per_month.get())
    }
}

impl UsdPerMillionTokens {
    /// Price of a (mean, so possibly fractional) number of tokens.
    #[must_use]
    pub fn for_tokens(self, tokens: f64) -> UsdPerRequest {
        UsdPerRequest::of(self.get() * tokens / 1e6)
    }
}

impl UsdPerRequest {
    /// Bill of a steady mean rate over a month of `hours_per_month`.
    #[must_use]
    pub fn monthly(self, rate: RequestsPerSecond, hours_per_month: Hours) -> UsdPerMonth {
        UsdPerMonth::of(self.get() * rate.get() * 3600.0 * hours_per_month.get())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_what_is_no_quantity() {
        assert!(Usd::new(f64::NAN).is_err());
        assert!(Usd::new(-1.0).is_err());
        assert!(Usd::new(f64::INFINITY).is_err());
        assert_eq!(Usd::new(0.0).map(Usd::get), Ok(0.0));
    }

    #[test]
    fn a_month_is_the_calendar_the_user_named() {
        let price = UsdPerHour::of(0.50);
        assert!((price.monthly(Hours::of(720.0)).get() - 360.0).abs() < 1e-12);
    }
}
