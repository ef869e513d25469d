//! Looking into the JSON that benchmark tools write: paths, and numbers that may stand in quotes.
//!
//! In: a value and where to look. Out: what is there, if it is of the wanted kind. It reports no fault.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::{Map, Value};

/// An object of a document.
pub(super) type Object = Map<String, Value>;

/// What stands at a dotted path.
pub(super) fn at<'v>(object: &'v Object, path: &str) -> Option<&'v Value> {
    let (first, rest) = path.split_once('.').unwrap_or((path, ""));
    let value = object.get(first)?;
    if rest.is_empty() { Some(value) } else { at(value.as_object()?, rest) }
}

/// The number there, also as text; a table of text gives no other.
pub(super) fn number(object: &Object, path: &str) -> Option<f64> {
    let number = match at(object, path)? {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    };
    number.filter(|number| number.is_finite())
}

/// The text there, unless it is blank.
pub(super) fn text<'v>(object: &'v Object, path: &str) -> Option<&'v str> {
    at(object, path)?.as_str().map(str::trim).filter(|text| !text.is_empty())
}

/// The first of several paths that leads to text.
pub(super) fn first_text<'v>(object: &'v Object, paths: &[&str]) -> Option<&'v str> {
    paths.iter().find_map(|path| text(object, path))
}

/// The day of a moment, seconds since 1970, in UTC.
pub(super) fn day(seconds: f64) -> Option<Date> {
    #[expect(clippy::cast_possible_truncation, reason = "whole seconds tell the day; the cast saturates")]
    let moment = jiff::Timestamp::from_second(seconds as i64).ok()?;
    Some(TimeZone::UTC.to_datetime(moment).date())
}
