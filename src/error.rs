//! Every fault a user can cause: code, place, cause and cure.
//!
//! In: what a reader found wrong. Out: [`Fault`]s, gathered so that all of one file arrive together.
//! Printing them is the work of `cli/`; nothing here writes anything.

use std::fmt;

/// Where in a user's file a fault stands.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Place {
    /// File as the user named it; `-` is standard input.
    pub file: String,
    /// First line is 1; 0 when the fault concerns the whole file.
    pub line: usize,
    /// First column is 1; 0 when unknown.
    pub column: usize,
    /// Dotted path of the key, such as `workloads[0].requests.per_day`; empty for the whole file.
    pub key: String,
}

/// One thing wrong with an input, said so that it can be mended.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fault {
    /// Stable code, such as `E0103`; `docs/errors.md` lists them and each has a folder in `tests/errors/`.
    pub code: &'static str,
    /// Where it stands.
    pub place: Place,
    /// What is wrong, with the value that was found.
    pub cause: String,
    /// What to write instead.
    pub cure: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.code, self.place.file)?;
        if self.place.line > 0 {
            write!(f, ":{}", self.place.line)?;
            if self.place.column > 0 {
                write!(f, ":{}", self.place.column)?;
            }
        }
        if !self.place.key.is_empty() {
            write!(f, " {}", self.place.key)?;
        }
        write!(f, ": {}. {}", self.cause, self.cure)
    }
}

/// What stops the program before it has an answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The input is at fault: every fault that was found. Exit code 2.
    #[error("{}", join(.0))]
    Faults(Vec<Fault>),
    /// An invariant of ours does not hold. Exit code 70.
    #[error("this is a bug in bursar: {0}")]
    Bug(String),
}

fn join(faults: &[Fault]) -> String {
    faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

impl Error {
    /// A single fault about a whole file or a command-line argument.
    #[must_use]
    pub fn fault(code: &'static str, file: &str, cause: impl Into<String>, cure: impl Into<String>) -> Self {
        Self::Faults(vec![Fault {
            code,
            place: Place { file: file.to_owned(), ..Place::default() },
            cause: cause.into(),
            cure: cure.into(),
        }])
    }

    /// Exit code of the program for this error.
    #[must_use]
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::Faults(_) => 2,
            Self::Bug(_) => 70,
        }
    }
}
