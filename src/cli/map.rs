//! `bursar map FILE`: which structure of a plan wins over two axes.

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
use crate::regimes::{Ask, Part, axes, regimes};
use crate::render::table::TableOptions;
use crate::render::{json, map as drawn};
use crate::request::Stop;
use crate::{Options, Request};

/// Which plan wins where: own engines, hosted models or both, over two axes
#[derive(Debug, clap::Args)]
#[command(after_long_help = "An axis is a word, alone or with a range or a list of values:\n  \
    volume=100..100000       requests a day over all workloads\n  \
    latency=0.5..4           a factor on every latency limit\n  \
    e2e_ms.p95=500..8000     one limit; ttft_ms, tpot_ms, e2e_ms with mean, p50, p90, p95, p99\n  \
    quality=basic,good       tiers, or index points: quality=20..70\n  \
    budget=100..10000        USD a month\n  \
    availability=0.9..0.9999 evenly by its nines\n  \
    local-price=0.5..2       a factor on rent and purchase; api-price: on hosted models\n  \
    input-tokens=0.5..4      a factor on prompts; output-tokens: on answers\n  \
    deferrable-hours=0..24   how long the work may wait\n\n\
    Each cell is a request of its own, solved, proven and verified like the answer of `bursar recommend`. docs/map.md \
    explains every part.\n\n\
    Examples:\n  bursar map request.yaml --x volume --y quality\n  \
    bursar map request.yaml --x volume=100..1000000 --y latency=0.5..4 --steps 20x10\n  \
    bursar map request.yaml --x volume --y quality=basic,good --exact\n  \
    bursar map request.yaml --x api-price --y local-price --svg map.svg\n  \
    bursar map request.yaml --x budget --y availability --format json > map.json\n\n\
    Exit code 0: a compliant plan in some cell. 1: in none. 2: the input is at fault.")]
pub(super) struct Args {
    /// Requirements file (YAML, TOML or JSON); - is stdin
    file: PathBuf,
    /// What is moved across, such as volume=100..100000
    #[arg(long, value_name = "AXIS")]
    x: String,
    /// What is moved upwards, such as quality=basic,good,very-good
    #[arg(long, value_name = "AXIS")]
    y: String,
    /// Values of each axis that has a range: 20, or 20x10 for the two [default: 12]
    #[arg(long, value_name = "N")]
    steps: Option<String>,
    /// Find the volumes at which the kind changes by solving between the cells
    #[arg(long)]
    exact: bool,
    /// How the answer is written
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// Write a heat map to this file
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
    /// End the search after this long; cells may then be missing, and answers may differ from run to run
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..))]
    time_limit: Option<u32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people: at most 100 columns
    Table,
    /// For programs: `bursar schema map` describes it
    Json,
    /// For spreadsheets: a row for each cell
    Csv,
}

pub(super) fn run(args: &Args) -> Result<Outcome, Error> {
    if let Some(threads) = args.threads {
        // Fails only if the pool exists already, and then it serves as well.
        let _ = rayon::ThreadPoolBuilder::new().num_threads(usize::from(threads)).build_global();
    }
    let asked = Asked::load(&args.file, &args.facts, args.as_of)?;
    let rules = Rules::load(&args.rules)?;
    let (x, y) = axes(&args.x, &args.y, args.steps.as_deref(), &asked.read.requirements)?;
    let request = Request {
        requirements: &asked.read.requirements,
        document: &asked.read.document,
        catalog: &asked.catalog,
        rules: &rules,
        options: Options { stop: args.time_limit.map_or(Stop::NEVER, deadline), ..Options::default() },
    };
    let meter = Meter { cells: x.values.len() * y.values.len(), ..Meter::default() };
    let progress = |part: Part| meter.tick(part);
    let answer = regimes(&request, &Ask { x: &x, y: &y, exact: args.exact, progress: &progress });
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
    Ok(if answer.any_plan() { Outcome::Fine } else { Outcome::NoPlan })
}

/// One line on stderr that says how far it is, where stderr is a terminal.
#[derive(Default)]
struct Meter {
    cells: usize,
    done: [AtomicUsize; 2],
}

impl Meter {
    fn tick(&self, part: Part) {
        let at = match part {
            Part::Cell => 0,
            Part::Border => 1,
        };
        let done = self.done[at].fetch_add(1, Ordering::Relaxed) + 1;
        if std::io::stderr().is_terminal() {
            // Nobody can be told that stderr is gone.
            let _ = write!(std::io::stderr(), "\r\u{1b}[K{}", drawn::progress(part, done, self.cells));
        }
    }

    fn wipe(&self) {
        if std::io::stderr().is_terminal() {
            let _ = write!(std::io::stderr(), "\r\u{1b}[K");
        }
    }
}
