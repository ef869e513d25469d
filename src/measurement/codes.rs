//! Stable codes of the faults of a measurement file. `docs/errors.md` lists each with its cure and
//! `tests/errors/<code>/` holds a file that causes it.

/// No reader knows the file.
pub const UNKNOWN_FORMAT: &str = "E0701";
/// No CSV, no JSON, or a row of another width than the header.
pub const SYNTAX: &str = "E0702";
/// A column that means nothing here.
pub const UNKNOWN_COLUMN: &str = "E0703";
/// A column that must be there is not.
pub const MISSING_COLUMN: &str = "E0704";
/// The same column twice, or both forms of a figure.
pub const DUPLICATE_COLUMN: &str = "E0705";
/// Something needed is stated nowhere.
pub const MISSING_VALUE: &str = "E0706";
/// No number, or one outside its range.
pub const BAD_NUMBER: &str = "E0707";
/// A word outside its closed vocabulary.
pub const UNKNOWN_WORD: &str = "E0708";
/// Text that is no date.
pub const BAD_DATE: &str = "E0709";
/// No row of the file can be used.
pub const NO_ROWS: &str = "E0710";
/// More faults than are worth printing.
pub const TOO_MANY: &str = "E0799";
