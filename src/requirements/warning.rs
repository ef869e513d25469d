//! What is allowed but worth a second look. Each says what to try next.

use std::fmt;

use jiff::civil::Date;
use serde::Serialize;

use super::node::numeral;

/// One such thing.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Warning {
    /// Only means of the token counts were given.
    ConstantLengths {
        /// Name of the workload.
        workload: String,
    },
    /// A pattern with a wildcard that no name of the catalog matches.
    MatchesNothing {
        /// Dotted key of the pattern.
        key: String,
        /// The pattern.
        pattern: String,
    },
    /// `as_of` is more than a year after the newest fact.
    FarFuture {
        /// Date asked for.
        as_of: Date,
        /// Date of the catalog.
        built: Date,
    },
    /// One latency limit can never bind because another is tighter.
    LimitNeverBinds {
        /// Name of the workload.
        workload: String,
        /// The looser limit, as `ttft_ms.p95`.
        looser: String,
        /// The tighter limit.
        tighter: String,
    },
    /// `context_tokens` is below the longest request that the lengths describe.
    ContextBelowLengths {
        /// Name of the workload.
        workload: String,
        /// What the file says.
        context_tokens: f64,
        /// Longest request known.
        longest: f64,
    },
    /// A trace of less than a day says nothing of the hours.
    ShortTrace {
        /// Name of the workload.
        workload: String,
        /// Hours it spans.
        hours: f64,
    },
    /// Patterns over providers or regions could not be checked, because quotes may name others.
    UncheckedBesideQuotes {
        /// Dotted key of the pattern.
        key: String,
        /// The name.
        name: String,
    },
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ConstantLengths { workload } => write!(
                f,
                "{workload}: only mean token counts are given, so every request counts as equally long; \
                 write {{mean: …, p95: …}} or a trace for honest percentiles"
            ),
            Self::MatchesNothing { key, pattern } => {
                write!(
                    f,
                    "{key}: {pattern} matches nothing in the catalog; `bursar catalog list` shows the names"
                )
            }
            Self::FarFuture { as_of, built } => {
                write!(
                    f,
                    "as_of: {as_of} is long after {built}, the date of the catalog; prices will have moved"
                )
            }
            Self::LimitNeverBinds { workload, looser, tighter } => {
                write!(
                    f,
                    "{workload}: the limit {looser} can never bind, because {tighter} is tighter; remove it"
                )
            }
            Self::ContextBelowLengths { workload, context_tokens, longest } => write!(
                f,
                "{workload}: context_tokens {} is below the longest request described, {} tokens; \
                 longer requests would be cut off",
                numeral(*context_tokens),
                numeral(*longest)
            ),
            Self::ShortTrace { workload, hours } => write!(
                f,
                "{workload}: the trace spans {hours:.1} h, so its rate is taken as even over the day; \
                 add a profile, or give a trace of at least 24 h"
            ),
            Self::UncheckedBesideQuotes { key, name } => {
                write!(f, "{key}: {name} is not in the catalog; taken for a name in the quotes file")
            }
        }
    }
}
