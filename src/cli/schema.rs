//! `bursar schema NAME`: the JSON Schema of what goes in and comes out.

use clap::builder::PossibleValuesParser;

use super::{Outcome, say};
use crate::error::Error;
use crate::render::{json, schema};

/// Print the JSON Schema of a format
#[derive(Debug, clap::Args)]
#[command(
    after_long_help = "Examples:\n  bursar schema result > result.schema.json\n  bursar schema requirements > requirements.schema.json"
)]
pub(super) struct Args {
    /// Which format
    #[arg(value_parser = PossibleValuesParser::new(schema::NAMES))]
    name: String,
}

pub(super) fn run(args: &Args) -> Result<Outcome, Error> {
    let schema =
        schema::schema(&args.name).ok_or_else(|| Error::Bug(format!("no schema of {}", args.name)))?;
    say(&json::pretty(&schema)?)?;
    Ok(Outcome::Fine)
}
