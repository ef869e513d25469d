//! What is asked of the pipeline: requirements, catalog and rules, and how much to answer.

use crate::catalog::Catalog;
use crate::constraint::Rules;
use crate::requirements::Requirements;

/// What is asked of the pipeline.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// The requirements, defaults filled in.
    pub requirements: &'a Requirements,
    /// The file as given, for patches that point into it.
    pub document: &'a serde_json::Value,
    /// The catalog.
    pub catalog: &'a Catalog,
    /// The rules.
    pub rules: &'a Rules,
    /// How much to answer.
    pub options: Options,
}

/// Asked now and then during a search: true ends it with the best plan so far, its bound and its gap. Whoever gives it
/// reads the clock; the pipeline does not.
#[derive(Debug, Clone, Copy)]
pub struct Stop(pub fn() -> bool);

impl Stop {
    /// Search until the answer is proven or the work is used up.
    pub const NEVER: Self = Self(|| false);
}

/// Who solves the integer programs. Either proves its answers, and the answers are the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Backend {
    /// Pure Rust, part of every build.
    #[default]
    Microlp,
    /// HiGHS, in builds with the feature `highs`.
    #[cfg(feature = "highs")]
    Highs,
}

impl Backend {
    /// All that are part of this build, the default first.
    pub const ALL: &'static [Self] = &[
        Self::Microlp,
        #[cfg(feature = "highs")]
        Self::Highs,
    ];
}

/// How much to answer.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Plans of different structure to show.
    pub top: usize,
    /// Drop before solving what cannot win? Off only to check that the answer stays the same.
    pub prune: bool,
    /// Look for the smallest changes when nothing fits?
    pub explain_infeasible: bool,
    /// When to end the search early.
    pub stop: Stop,
    /// Find the plans between which cost, quality and latency are traded?
    pub pareto: bool,
    /// Who solves the integer programs.
    pub backend: Backend,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            top: 3,
            prune: true,
            explain_infeasible: true,
            stop: Stop::NEVER,
            pareto: false,
            backend: Backend::default(),
        }
    }
}
