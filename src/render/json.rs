//! The answer for programs: pretty JSON, keys in the order of the types, the same bytes for the same answer.

use serde::Serialize;

use crate::error::Error;

/// JSON of any answer, with a line end.
///
/// # Errors
/// [`Error::Bug`] when a value of ours cannot be written.
pub fn pretty<T: Serialize>(answer: &T) -> Result<String, Error> {
    serde_json::to_string_pretty(answer)
        .map(|text| text + "\n")
        .map_err(|error| Error::Bug(format!("an answer cannot be written as JSON: {error}")))
}
