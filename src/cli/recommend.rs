//! `bursar recommend FILE`: the main job.

use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use clap::ValueEnum;
use jiff::civil::Date;

use super::accuracy::unwritable;
use super::input::{Asked, Facts};
use super::told::{Depth, Told};
use super::{Outcome, say};
use crate::constraint::Rules;
use crate::error::Error;
use crate::render::graph::{Drawing, graph};
use crate::render::{json, pareto, phrase};
use crate::request::{Backend, Stop};
use crate::{Options, Request};

/// Find the cheapest deployment that meets every requirement, with proof and reasons
#[derive(Debug, clap::Args)]
#[command(
    after_long_help = "Examples:\n  bursar recommend request.yaml\n  bursar recommend request.yaml --explain\n  \
    bursar recommend request.yaml --format json > result.json\n  bursar recommend request.yaml --as-of 2024-03-15\n  \
    bursar recommend request.yaml --graph svg > path.svg\n  \
    bursar recommend request.yaml --catalog my-prices/ --constraints my-rules/\n  cat request.json | bursar recommend -\n  \
    bursar recommend request.yaml --why-not \"Llama-3.1-8B-Instruct fp8 on l4\" --why-not openai/gpt-4\n  \
    bursar recommend request.yaml --explain --depth paragraph\n\n\
    Exit code 0: a compliant plan. 1: none complies; the answer says which rules conflict and the smallest changes \
    that work. 2: the input is at fault."
)]
pub(super) struct Args {
    /// Requirements file (YAML, TOML or JSON); - is stdin
    file: PathBuf,
    /// How the answer is written
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// Show everything: full bill, every measure, engine settings, routing by hour, facts with sources
    #[arg(long)]
    explain: bool,
    #[command(flatten)]
    told: Told,
    /// Plans to rank, each of another structure
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..=20))]
    top: u8,
    /// Draw the request path of the best plan instead: Graphviz, Mermaid or SVG
    #[arg(long, value_enum, value_name = "LANGUAGE", conflicts_with_all = ["format", "explain"])]
    graph: Option<Graph>,
    /// Also find the plans between which cost, quality and latency are traded (at most 12)
    #[arg(long)]
    pareto: bool,
    /// Write those plans as an SVG chart to this file
    #[arg(long, value_name = "FILE")]
    pareto_svg: Option<PathBuf>,
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
    /// End the search after this long with the best plan so far, its bound and its gap; answers may then differ from run
    /// to run
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..))]
    time_limit: Option<u32>,
    /// Solver of the integer programs
    #[arg(long, value_enum, default_value_t = Solver::Microlp)]
    backend: Solver,
}

/// When the search has to end. Set once, before it begins.
static DEADLINE: OnceLock<Instant> = OnceLock::new();

/// Ends the search after so many seconds.
pub(super) fn deadline(seconds: u32) -> Stop {
    DEADLINE.get_or_init(|| Instant::now() + Duration::from_secs(u64::from(seconds)));
    Stop(|| DEADLINE.get().is_some_and(|end| Instant::now() >= *end))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people: at most 100 columns
    Table,
    /// For programs: `bursar schema result` describes it
    Json,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Solver {
    /// Pure Rust, part of every build
    Microlp,
    /// HiGHS: a second opinion, in builds with --features highs
    Highs,
}

impl Solver {
    fn backend(self) -> Result<Backend, Error> {
        match self {
            Self::Microlp => Ok(Backend::Microlp),
            #[cfg(feature = "highs")]
            Self::Highs => Ok(Backend::Highs),
            #[cfg(not(feature = "highs"))]
            Self::Highs => Err(Error::fault(
                "E0904",
                "--backend highs",
                "HiGHS is not part of this build".to_owned(),
                "Build with --features highs (needs cmake and libclang), or leave --backend out.",
            )),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Graph {
    /// Graphviz: `dot -Tpng`
    Dot,
    /// Mermaid: renders in Markdown of GitHub and GitLab
    Mermaid,
    /// A drawing for browsers and slides
    Svg,
}

impl Graph {
    const fn drawing(self) -> Drawing {
        match self {
            Self::Dot => Drawing::Dot,
            Self::Mermaid => Drawing::Mermaid,
            Self::Svg => Drawing::Svg,
        }
    }
}

pub(super) fn run(args: &Args) -> Result<Outcome, Error> {
    let backend = args.backend.backend()?;
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
        options: Options {
            top: usize::from(args.top),
            prune: true,
            explain_infeasible: true,
            stop: args.time_limit.map_or(Stop::NEVER, deadline),
            pareto: args.pareto || args.pareto_svg.is_some(),
            backend,
        },
    };
    let mut answer = crate::recommend(&request)?;
    args.told.deepen(&request, &mut answer, args.explain)?;
    answer.warnings.splice(0..0, asked.warnings());
    phrase::tell(&mut answer);
    if let (Some(language), Some(plan)) = (args.graph, answer.plans.first()) {
        say(&graph(plan, &answer.requirements, language.drawing()))?;
        return Ok(Outcome::Fine);
    }
    let text = match args.format {
        Format::Json => json::pretty(&answer)?,
        Format::Table => {
            let depth = if args.explain { Depth::Everything } else { Depth::Page };
            args.told.text(&answer, depth, &args.file.to_string_lossy())
        }
    };
    if let (Some(path), Some(chart)) = (&args.pareto_svg, pareto::svg(&answer)) {
        std::fs::write(path, chart).map_err(|error| unwritable(path, &error))?;
    }
    say(&text)?;
    Ok(if answer.plans.is_empty() { Outcome::NoPlan } else { Outcome::Fine })
}
