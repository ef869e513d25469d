//! `bursar catalog list|show|check`: the facts, looked up and checked.

use clap::builder::PossibleValuesParser;
use clap::{Subcommand, ValueEnum};
use jiff::civil::Date;

use super::input::Facts;
use super::{Outcome, color, say};
use crate::error::Error;
use crate::render::{json, listing};

/// Look up facts, and check an overlay
#[derive(Debug, clap::Args)]
#[command(
    after_long_help = "Examples:\n  bursar catalog list gpus\n  bursar catalog list apis --match 'openai/*' --as-of \
    2024-03-15\n  bursar catalog show h100-sxm\n  bursar catalog check --catalog my-prices/"
)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List facts of one kind that are in force on a date
    List {
        /// Which kind
        #[arg(value_parser = PossibleValuesParser::new(listing::KINDS))]
        kind: String,
        /// Only ids and aliases that match one of these globs
        #[arg(long = "match", value_name = "GLOB")]
        globs: Vec<String>,
        /// The date [default: the day the catalog was built]
        #[arg(long, value_name = "DATE")]
        as_of: Option<Date>,
        /// How it is written
        #[arg(long, value_enum, default_value_t = Format::Table)]
        format: Format,
        #[command(flatten)]
        facts: Facts,
    },
    /// Show everything known of an id or alias, with sources
    Show {
        /// Id or alias of a model, GPU, offer, API, engine, precision …
        name: String,
        /// How it is written
        #[arg(long, value_enum, default_value_t = Format::Table)]
        format: Format,
        #[command(flatten)]
        facts: Facts,
    },
    /// Check every table of the catalog and its overlays; exit code 1 if a fact is refused
    Check {
        #[command(flatten)]
        facts: Facts,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Table,
    /// For programs
    Json,
}

pub(super) fn run(args: &Args) -> Result<Outcome, Error> {
    match &args.command {
        Command::List { kind, globs, as_of, format, facts } => list(kind, globs, *as_of, *format, facts),
        Command::Show { name, format, facts } => show(name, *format, facts),
        Command::Check { facts } => check(facts),
    }
}

fn list(
    kind: &str,
    globs: &[String],
    as_of: Option<Date>,
    format: Format,
    facts: &Facts,
) -> Result<Outcome, Error> {
    let catalog = facts.catalog()?;
    let day = as_of.unwrap_or(catalog.built);
    let text = match format {
        Format::Table => listing::table(&catalog, kind, day, globs, color()),
        Format::Json => {
            listing::rows(&catalog, kind, day, globs).map(|rows| json::pretty(&rows)).transpose()?
        }
    };
    say(&text.ok_or_else(|| Error::Bug(format!("no list of {kind}")))?)?;
    Ok(Outcome::Fine)
}

fn show(name: &str, format: Format, facts: &Facts) -> Result<Outcome, Error> {
    let catalog = facts.catalog()?;
    let found = listing::find(&catalog, name);
    if found.is_empty() {
        let near = [catalog.suggest_model(name), catalog.suggest_gpu(name), catalog.suggest_api(name)];
        let near: Vec<&str> = near.into_iter().flatten().collect();
        let cure = if near.is_empty() {
            "`bursar catalog list KIND` shows the names.".to_owned()
        } else {
            format!("Did you mean {}?", near.join(" or "))
        };
        return Err(Error::fault("E0903", "catalog", format!("nothing is called {name}"), cure));
    }
    let text = match format {
        Format::Table => listing::show(&catalog, name, color()),
        Format::Json => {
            let rows: Vec<_> = found
                .into_iter()
                .map(|(kind, fact)| serde_json::json!({"kind": kind, "fact": fact}))
                .collect();
            json::pretty(&rows)?
        }
    };
    say(&text)?;
    Ok(Outcome::Fine)
}

fn check(facts: &Facts) -> Result<Outcome, Error> {
    match facts.catalog() {
        Ok(catalog) => {
            let counts = [
                (catalog.models.len(), "models"),
                (catalog.gpus.len(), "GPUs"),
                (catalog.offers.len(), "offers"),
                (catalog.apis.len(), "hosted models"),
                (catalog.quality.len(), "quality rows"),
                (catalog.engines.len(), "engine generations"),
            ];
            let counts: Vec<String> = counts.iter().map(|(count, kind)| format!("{count} {kind}")).collect();
            say(&format!(
                "catalog {} ({})\n  {}\n  nothing wrong\n",
                catalog.built,
                catalog.sha256,
                counts.join(" · ")
            ))?;
            Ok(Outcome::Fine)
        }
        // Here the faults are the result, not the end of the way to one.
        Err(Error::Faults(faults)) => {
            say(&faults.iter().map(|fault| format!("{fault}\n")).collect::<String>())?;
            Ok(Outcome::NoPlan)
        }
        Err(bug @ Error::Bug(_)) => Err(bug),
    }
}
