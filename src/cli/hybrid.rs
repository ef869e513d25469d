//! `bursar hybrid FILE`: own engines, hosted models, or how much of each.

use std::io::{IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use clap::ValueEnum;
use jiff::civil::Date;

use super::accuracy::unwritable;
use super::input::{Asked, Facts};
use super::recommend::deadline;
use super::{Outcome, color, say};
use crate::constraint::Rules;
use crate::error::Error;
use crate::hybrid::{Ask, Part, hybrid};
use crate::render::table::TableOptions;
use crate::render::{hybrid as drawn, json};
use crate::request::Stop;
use crate::{Options, Request};

/// Own engines or hosted models: cost by share, by replicas, by volume
#[derive(Debug, clap::Args)]
#[command(
    after_long_help = "Own engines run on rented, bought or owned GPUs; hosted models are APIs. Each row is a plan of its own, \
    solved, proven and verified like the answer of `bursar recommend`; a share at which nothing complies names the rule in \
    the way. docs/hybrid.md explains every figure.\n\n\
    Examples:\n  bursar hybrid request.yaml\n  bursar hybrid request.yaml --steps 20\n  \
    bursar hybrid request.yaml --svg hybrid.svg\n  bursar hybrid request.yaml --format json > hybrid.json\n  \
    bursar hybrid request.yaml --format csv > hybrid.csv\n  cat request.json | bursar hybrid -\n\n\
    Exit code 0: a compliant plan. 1: none complies at the file's volume. 2: the input is at fault."
)]
pub(super) struct Args {
    /// Requirements file (YAML, TOML or JSON); - is stdin
    file: PathBuf,
    /// How the answer is written
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// Steps in which the share of own engines rises from 0 to 100 %
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=100))]
    steps: u32,
    /// Volumes from a tenth to a hundred times the file's, evenly on a logarithmic scale
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u32).range(2..=301))]
    volumes: u32,
    /// Write two plots to this file: cost against share, cost against volume
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    #[command(flatten)]
    facts: Facts,
    /// Add the rule files (*.toml) of this folder
    #[arg(long = "constraints", value_name = "DIR")]
    rules: Vec<PathBuf>,
    /// Use the facts in force on this date instead of the file's own, such as 2026-11-20
    #[arg(long, value_name = "DATE")]
    as_of: Option<Date>,
    /// Threads to work with; the answer is the same with any number [default: all cores]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
    /// End the search after this long; points may then be missing, and answers may differ from run to run
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..))]
    time_limit: Option<u32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people: at most 100 columns
    Table,
    /// For programs: `bursar schema hybrid` describes it
    Json,
    /// For spreadsheets: a row for each point
    Csv,
}

pub(super) fn run(args: &Args) -> Result<Outcome, Error> {
    if let Some(threads) = args.threads {
        // Fails only if the pool exists already, and then it serves as well.
        let _ = rayon::ThreadPoolBuilder::new().num_threads(usize::from(threads)).build_global();
    }
    let asked = Asked::load(&args.file, &args.facts, args.as_of)?;
    let rules = Rules::load(&args.rules)?;
    let request = Request {
        requirements: &asked.read.requirements,
        document: &asked.read.document,
        catalog: &asked.catalog,
        rules: &rules,
        options: Options { stop: args.time_limit.map_or(Stop::NEVER, deadline), ..Options::default() },
    };
    let meter = Meter::default();
    let progress = |part: Part| meter.tick(part);
    let ask = Ask { steps: args.steps, volumes: args.volumes, progress: &progress };
    let answer = hybrid(&request, &ask);
    meter.wipe();
    let mut answer = answer?;
    answer.warnings = asked.warnings();
    drawn::tell(&mut answer);
    let text = match args.format {
        Format::Json => json::pretty(&answer)?,
        Format::Csv => drawn::csv(&answer)?,
        Format::Table => {
            let file = args.file.to_string_lossy().into_owned();
            drawn::table(&answer, &TableOptions { width: 100, color: color(), all: false, file })
        }
    };
    if let Some(path) = &args.svg {
        std::fs::write(path, drawn::svg(&answer)).map_err(|error| unwritable(path, &error))?;
    }
    say(&text)?;
    Ok(if answer.optimum().is_some() { Outcome::Fine } else { Outcome::NoPlan })
}

/// One line on stderr that says how far it is, where stderr is a terminal.
#[derive(Default)]
struct Meter {
    done: [AtomicUsize; 4],
}

impl Meter {
    fn tick(&self, part: Part) {
        let at = match part {
            Part::Share => 0,
            Part::Replicas => 1,
            Part::Volume => 2,
            Part::BreakEvens => 3,
        };
        let done = self.done[at].fetch_add(1, Ordering::Relaxed) + 1;
        if std::io::stderr().is_terminal() {
            // Nobody can be told that stderr is gone.
            let _ = write!(std::io::stderr(), "\r\u{1b}[K{}", drawn::progress(part, done));
        }
    }

    fn wipe(&self) {
        if std::io::stderr().is_terminal() {
            let _ = write!(std::io::stderr(), "\r\u{1b}[K");
        }
    }
}
