//! Which numbers mean something under a key, and what to write instead of the others.

use super::node::numeral;

/// Numbers from `low` to `high`, the ends included unless open.
#[derive(Debug, Clone, Copy)]
pub(super) struct Range {
    low: f64,
    low_open: bool,
    high: f64,
    high_open: bool,
    /// Unit of the key, to read "2s" as 2000 where milliseconds are meant.
    unit: Unit,
    /// What to write, as the object of "Write …".
    what: &'static str,
}

/// Unit of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    /// A share of 1.
    Share,
    /// Milliseconds.
    Milliseconds,
    /// US dollars, tokens, GiB … : the number stands for itself.
    Plain,
}

/// Largest amount of money, tokens or time that is taken for meant; above it sums lose cents.
const LARGEST: f64 = 1e12;

impl Range {
    /// More than 0.
    pub(super) const fn positive(what: &'static str) -> Self {
        Self { low: 0.0, low_open: true, high: LARGEST, high_open: false, unit: Unit::Plain, what }
    }

    /// 0 or more.
    pub(super) const fn not_negative(what: &'static str) -> Self {
        Self { low_open: false, ..Self::positive(what) }
    }

    /// From `low` to `high`, both included.
    pub(super) const fn within(low: f64, high: f64, what: &'static str) -> Self {
        Self { low, low_open: false, high, high_open: false, unit: Unit::Plain, what }
    }

    /// A share from 0 to 1, both included.
    pub(super) const fn share(what: &'static str) -> Self {
        Self { unit: Unit::Share, ..Self::within(0.0, 1.0, what) }
    }

    /// Milliseconds, more than 0.
    pub(super) const fn milliseconds(what: &'static str) -> Self {
        Self { unit: Unit::Milliseconds, ..Self::positive(what) }
    }

    /// The same with `low` itself left out.
    pub(super) const fn above(self, low: f64) -> Self {
        Self { low, low_open: true, ..self }
    }

    /// The same with another low end.
    pub(super) const fn from(self, low: f64) -> Self {
        Self { low, low_open: false, ..self }
    }

    /// The same with `high` itself left out.
    pub(super) const fn below(self, high: f64) -> Self {
        Self { high, high_open: true, ..self }
    }

    fn holds(&self, value: f64) -> bool {
        let low = if self.low_open { value > self.low } else { value >= self.low };
        let high = if self.high_open { value < self.high } else { value <= self.high };
        low && high
    }

    /// What a number outside of the range must be; `None` for one inside.
    pub(super) fn broken_by(&self, value: f64) -> Option<String> {
        if self.holds(value) {
            return None;
        }
        let (low, high) = (numeral(self.low), numeral(self.high));
        if self.high >= LARGEST {
            return Some(match value > self.high {
                true => format!("must be at most {high}"),
                false if self.low_open && self.low == 0.0 => "must be positive".to_owned(),
                false if self.low_open => format!("must be more than {low}"),
                false => format!("must be at least {low}"),
            });
        }
        if !self.low_open && !self.high_open {
            return Some(format!("must be from {low} to {high}"));
        }
        let from = if self.low_open { "more than " } else { "at least " };
        let to = if self.high_open { "less than " } else { "at most " };
        Some(format!("must be {from}{low} and {to}{high}"))
    }

    /// "Write …".
    pub(super) fn cure(&self) -> String {
        format!("Write {}", self.what)
    }

    /// Cure for a number outside of the range: a percentage becomes its share.
    pub(super) fn cure_of_number(&self, value: f64) -> String {
        let share = value / 100.0;
        if self.unit == Unit::Share && value > 1.0 && self.holds(share) {
            return format!("For {} % write {}", numeral(value), numeral(rounded(share)));
        }
        self.cure()
    }

    /// Cure for text where a number is expected: the number it stands for, where that is plain.
    pub(super) fn cure_of_text(&self, text: &str) -> String {
        match self.meant_by(text) {
            Some(value) if self.holds(value) => format!("Write {}, without unit or quotes", numeral(value)),
            _ => self.cure(),
        }
    }

    /// The number that text such as "20%", "2s", "$1,500" or "8k" stands for.
    fn meant_by(&self, text: &str) -> Option<f64> {
        let text = text.trim().trim_start_matches(['$', '€', '<', '≤', '=']).trim_start();
        let end =
            text.find(|c: char| !matches!(c, '0'..='9' | '.' | ',' | '_' | '-' | '+')).unwrap_or(text.len());
        let (digits, unit) = text.split_at(end);
        let value: f64 = digits.replace([',', '_'], "").parse().ok()?;
        let factor = match (unit.trim().to_ascii_lowercase().as_str(), self.unit) {
            ("", _) => 1.0,
            ("%" | "percent", Unit::Share) => 0.01,
            ("ms", Unit::Milliseconds) => 1.0,
            ("s" | "sec" | "second" | "seconds", Unit::Milliseconds) => 1e3,
            ("m" | "min" | "minute" | "minutes", Unit::Milliseconds) => 6e4,
            ("k", Unit::Plain) => 1e3,
            ("m", Unit::Plain) => 1e6,
            ("tokens" | "usd" | "dollars" | "$" | "gib" | "kw" | "h" | "hours" | "x", Unit::Plain) => 1.0,
            _ => return None,
        };
        Some(rounded(value * factor))
    }
}

/// 99.9 / 100 is 0.9990000000000001; nobody wants to write that.
fn rounded(value: f64) -> f64 {
    (value * 1e9).round() / 1e9
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_text_stands_for() {
        let share = Range::share("a share");
        assert_eq!(share.cure_of_text("20%"), "Write 0.2, without unit or quotes");
        assert_eq!(share.cure_of_text("120%"), "Write a share");
        assert_eq!(share.cure_of_number(99.9), "For 99.9 % write 0.999");
        let ms = Range::milliseconds("a limit");
        assert_eq!(ms.cure_of_text("2s"), "Write 2000, without unit or quotes");
        let money = Range::positive("a sum");
        assert_eq!(money.cure_of_text("$1,500"), "Write 1500, without unit or quotes");
        assert_eq!(money.cure_of_text("much"), "Write a sum");
    }

    #[test]
    fn says_what_a_number_must_be() {
        assert_eq!(Range::positive("x").broken_by(-5.0).as_deref(), Some("must be positive"));
        assert_eq!(Range::positive("x").broken_by(1e300).as_deref(), Some("must be at most 1000000000000"));
        assert_eq!(
            Range::share("x").below(1.0).broken_by(1.0).as_deref(),
            Some("must be at least 0 and less than 1")
        );
    }
}
