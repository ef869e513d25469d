//! How an answer is told: at which depth, and with verdicts on which options. Shared by `recommend` and `explain`.

use clap::ValueEnum;

use super::color;
use crate::answer::{Deeper, deepen};
use crate::error::Error;
use crate::recommendation::Recommendation;
use crate::render::table::{TableOptions, paragraph, table};
use crate::request::Request;

/// Flags of every command that tells an answer.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct Told {
    /// How much is told: the answer in a paragraph, a page, or everything behind it
    #[arg(long, value_enum)]
    pub(super) depth: Option<Depth>,
    /// Ask about an option by name, reasonable or not; may be given several times: "MODEL on GPU", "MODEL fp8 on 2 x
    /// GPU, PROVIDER", "PROVIDER/MODEL" for an API
    #[arg(long, value_name = "OPTION")]
    pub(super) why_not: Vec<String>,
}

/// How much is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Depth {
    /// The answer, why, what binds, what would change it
    Paragraph,
    /// The table: targets, other options, proof and trust
    Page,
    /// Also the full bill, measures, settings, refusals by rule, facts with sources
    Everything,
}

impl Told {
    /// Adds to an answer what the flags want, and the worth of a step of each limit where the depth shows it.
    pub(super) fn deepen(
        &self,
        request: &Request<'_>,
        answer: &mut Recommendation,
        steps: bool,
    ) -> Result<(), Error> {
        let steps = steps && self.depth != Some(Depth::Paragraph) && answer.steps.is_empty();
        if self.why_not.is_empty() && !steps {
            return Ok(());
        }
        deepen(request, answer, Deeper { steps, why_not: &self.why_not })
    }

    /// The answer for people. `file` is what the last line refers to; empty for none.
    pub(super) fn text(&self, answer: &Recommendation, usual: Depth, file: &str) -> String {
        let depth = self.depth.unwrap_or(usual);
        let options = TableOptions {
            width: 100,
            color: color(),
            all: depth == Depth::Everything,
            file: file.to_owned(),
        };
        if depth == Depth::Paragraph { paragraph(answer, &options) } else { table(answer, &options) }
    }
}
