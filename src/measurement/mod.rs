//! What somebody measured: a configuration, the figure, and where it was published.
//!
//! In: files. Out: [`Measurements`], rows that can be fitted or compared, beside those rejected and why. Readers give rows
//! as they stand; whether a row is possible at all is judged by `calibrate`. No estimate is made here.

pub mod codes;
mod csv;
mod gather;
mod guidellm;
mod json;
mod llama_bench;
mod name;
pub mod published;
mod read;
mod vllm;

use jiff::civil::Date;

use crate::error::Place;
use crate::estimate::Request;
use crate::requirements::Statistic;

pub use gather::Defaults;
pub use read::read;

/// Statistics and their words; the median comes before `p50`, which says the same.
const STATISTICS: [(&str, Statistic); 6] = [
    ("mean", Statistic::Mean),
    ("median", Statistic::P50),
    ("p50", Statistic::P50),
    ("p90", Statistic::P90),
    ("p95", Statistic::P95),
    ("p99", Statistic::P99),
];

/// What was measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Quantity {
    /// Time to the first token, ms.
    Ttft,
    /// Time between tokens after the first, ms.
    Tpot,
    /// Time to the last token, ms; of the whole batch under a static load.
    E2e,
    /// Generated tokens/s of a replica.
    OutputTokens,
    /// Requests/s of a replica.
    Requests,
    /// Weights, GiB per GPU.
    Weights,
    /// Room for keys and values, GiB per GPU.
    KvPool,
    /// Tokens the pool of a replica holds.
    KvPoolTokens,
}

impl Quantity {
    /// Every quantity.
    pub const ALL: [Self; 8] = [
        Self::Ttft,
        Self::Tpot,
        Self::E2e,
        Self::OutputTokens,
        Self::Requests,
        Self::Weights,
        Self::KvPool,
        Self::KvPoolTokens,
    ];

    /// The word of files: the field of the batch contract.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Ttft => "ttft_ms",
            Self::Tpot => "tpot_ms",
            Self::E2e => "e2e_ms",
            Self::OutputTokens => "output_tokens_per_s",
            Self::Requests => "requests_per_s",
            Self::Weights => "weights_gib",
            Self::KvPool => "kv_pool_gib",
            Self::KvPoolTokens => "kv_pool_tokens",
        }
    }

    /// Is it a time of one request, of which there are percentiles?
    #[must_use]
    pub const fn is_latency(self) -> bool {
        matches!(self, Self::Ttft | Self::Tpot | Self::E2e)
    }
}

/// One figure.
#[derive(Debug, Clone, PartialEq)]
pub struct Measurement {
    /// Where the row stands.
    pub place: Place,
    /// Who published it; rows of one source are weighted together and left out together.
    pub source: String,
    /// Day of the run, or of its publication.
    pub as_of: Option<Date>,
    /// The configuration and the load; its `id` is null.
    pub request: Request,
    /// What was measured.
    pub quantity: Quantity,
    /// Which statistic; `None` = a mean or median, the source does not say.
    pub statistic: Option<Statistic>,
    /// The figure, in the unit of the quantity.
    pub value: f64,
}

/// A row that takes no part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejected {
    /// Where the row stands.
    pub place: Place,
    /// Stable name of the reason, such as `unknown-model` or `admission-limited`.
    pub reason: &'static str,
    /// The reason with its figures.
    pub cause: String,
}

/// What a file holds.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Measurements {
    /// Rows to use.
    pub rows: Vec<Measurement>,
    /// Rows left out, each with its reason.
    pub rejected: Vec<Rejected>,
}
