//! Stable codes of the faults this reader finds. `docs/errors.md` lists each with its cure and
//! `tests/errors/<code>/` holds a file that causes it.

/// The file cannot be read.
pub const UNREADABLE: &str = "E0101";
/// The file is larger than the reader accepts.
pub const TOO_LARGE: &str = "E0102";
/// A number outside the range that means something.
pub const OUT_OF_RANGE: &str = "E0103";
/// The bytes are not text.
pub const NOT_TEXT: &str = "E0104";
/// The file holds nothing.
pub const EMPTY: &str = "E0105";
/// The text is no YAML, TOML or JSON.
pub const SYNTAX: &str = "E0106";
/// Nested too deep, too many values, or aliases that expand without end.
pub const TOO_COMPLEX: &str = "E0107";
/// The format cannot be told from the file's name.
pub const UNKNOWN_FORMAT: &str = "E0108";
/// A key that means nothing here.
pub const UNKNOWN_KEY: &str = "E0110";
/// A key that must be there is not.
pub const MISSING_KEY: &str = "E0111";
/// A value of the wrong type.
pub const WRONG_TYPE: &str = "E0112";
/// The same key twice.
pub const DUPLICATE_KEY: &str = "E0113";
/// NaN, an infinity, or a number too large to hold.
pub const NOT_FINITE: &str = "E0114";
/// A fraction where only whole numbers mean something.
pub const NOT_WHOLE: &str = "E0115";
/// A word outside its closed vocabulary.
pub const UNKNOWN_WORD: &str = "E0116";
/// Text that is no date.
pub const BAD_DATE: &str = "E0117";
/// An empty text or list where something is needed.
pub const NOTHING_GIVEN: &str = "E0118";
/// A version of the format this program does not read.
pub const WRONG_VERSION: &str = "E0119";
/// Not exactly one of the keys of which one is needed.
pub const NOT_EXACTLY_ONE: &str = "E0120";
/// A profile that is no day of 24 hours.
pub const BAD_PROFILE: &str = "E0121";
/// A file that the requirements name cannot be read.
pub const MISSING_FILE: &str = "E0122";
/// A row or header of a trace that cannot be read.
pub const BAD_TRACE: &str = "E0123";
/// A mean and a p95 that no lognormal goes through.
pub const IMPOSSIBLE_SPREAD: &str = "E0130";
/// Keys that exclude each other.
pub const CONTRADICTION: &str = "E0131";
/// Two things of the same name.
pub const DUPLICATE_NAME: &str = "E0140";
/// A name that stands for nothing in the catalog or in the file.
pub const UNKNOWN_NAME: &str = "E0150";
/// A patch that does not fit the file.
pub const BAD_PATCH: &str = "E0180";
/// A key whose feature is not built yet.
pub const NOT_SUPPORTED_YET: &str = "E0190";
/// More faults than are worth printing.
pub const TOO_MANY: &str = "E0199";
