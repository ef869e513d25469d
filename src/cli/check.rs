//! `bursar check FILE`: reads a requirements file and says what it understood, or every fault.

use std::path::PathBuf;

use super::input::{Asked, Facts};
use super::{Outcome, color, say};
use crate::constraint::Rules;
use crate::error::Error;
use crate::render::table::{TableOptions, understood};

/// Read a requirements file and report every fault in it
#[derive(Debug, clap::Args)]
#[command(
    after_long_help = "Examples:\n  bursar check request.yaml\n  bursar check request.yaml --constraints my-rules/\n  \
    cat request.json | bursar check -\n\nEvery fault is reported with its file, line, cause and cure; exit code 2 if \
    there is one."
)]
pub(super) struct Args {
    /// Requirements file (YAML, TOML or JSON); - is stdin
    file: PathBuf,
    #[command(flatten)]
    facts: Facts,
    /// Read the rule files of this folder too
    #[arg(long = "constraints", value_name = "DIR")]
    rules: Vec<PathBuf>,
}

pub(super) fn run(args: &Args) -> Result<Outcome, Error> {
    let asked = Asked::load(&args.file, &args.facts, None);
    let (asked, rules) = match (asked, Rules::load(&args.rules)) {
        (Err(Error::Faults(mut faults)), Err(Error::Faults(more))) => {
            faults.extend(more);
            return Err(Error::Faults(faults));
        }
        (asked, rules) => (asked?, rules?),
    };
    asked.warn();
    let options = TableOptions { color: color(), ..TableOptions::default() };
    let custom = rules.custom_candidate().chain(rules.custom_plan()).count();
    let rules = if custom > 0 { format!("  {custom} rules of your own\n") } else { String::new() };
    say(&format!("{}{rules}  nothing wrong\n", understood(&asked.read.requirements, &options)))?;
    Ok(Outcome::Fine)
}
