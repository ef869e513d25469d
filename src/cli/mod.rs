//! The command line: one command per file. The only room that prints.
//!
//! In: arguments, files, the environment. Out: results on stdout; warnings and errors on stderr; an exit code.

#![allow(clippy::print_stderr, reason = "errors and warnings belong on stderr")]

mod accuracy;
mod calibrate;
mod catalog;
mod check;
mod completions;
mod estimate;
mod explain;
mod hybrid;
mod input;
mod man;
mod map;
mod recommend;
mod schema;
mod told;

use std::any::Any;
use std::io::{ErrorKind, IsTerminal, Write};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::error::Error;

/// Where bugs are reported.
const REPORT: &str = "Please report it with the command, the files and the output of `bursar --version`.";

/// The command line as a whole.
#[derive(Debug, Parser)]
#[command(
    name = "bursar",
    version,
    about = "The cheapest way to serve an LLM workload that meets every requirement, proven and explained",
    long_about = "Finds the cheapest way to serve an LLM workload: rented, owned or bought GPUs, hosted APIs, and every \
        split of the traffic between them, under your limits on latency, quality, money and data. The answer is proven \
        on the model, explained, and says how sure it is.",
    after_long_help = "Exit codes: 0 a compliant plan or nothing wrong · 1 no compliant plan, with reasons and the \
        smallest changes that work · 2 bad input or usage · 70 a bug of ours.\n\nResults go to stdout, everything else \
        to stderr. NO_COLOR is respected.\n\nStart here:\n  bursar recommend examples/000-1-support-chatbot.yaml\n  bursar recommend \
        examples/000-1-support-chatbot.yaml --explain",
    disable_help_subcommand = true,
    arg_required_else_help = true
)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Recommend(recommend::Args),
    Hybrid(hybrid::Args),
    Explain(explain::Args),
    Map(map::Args),
    Accuracy(accuracy::Args),
    Estimate(Box<estimate::Args>),
    Calibrate(Box<calibrate::Args>),
    Check(check::Args),
    Catalog(catalog::Args),
    Schema(schema::Args),
    Completions(completions::Args),
    Man(man::Args),
}

/// What a command found, as far as the exit code tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// A compliant plan, or nothing wrong.
    Fine,
    /// No compliant plan, or a fact refused by `catalog check`.
    NoPlan,
}

impl Outcome {
    /// 0 or 1.
    #[must_use]
    pub fn exit_code(self) -> ExitCode {
        match self {
            Self::Fine => ExitCode::SUCCESS,
            Self::NoPlan => ExitCode::from(1),
        }
    }
}

impl Cli {
    /// Runs the command.
    ///
    /// # Errors
    /// Faults of the input, or a bug of ours.
    pub fn run(&self) -> Result<Outcome, Error> {
        match &self.command {
            Command::Recommend(args) => recommend::run(args),
            Command::Hybrid(args) => hybrid::run(args),
            Command::Explain(args) => explain::run(args),
            Command::Map(args) => map::run(args),
            Command::Accuracy(args) => accuracy::run(args),
            Command::Estimate(args) => estimate::run(args),
            Command::Calibrate(args) => calibrate::run(args),
            Command::Check(args) => check::run(args),
            Command::Catalog(args) => catalog::run(args),
            Command::Schema(args) => schema::run(args),
            Command::Completions(args) => completions::run(args),
            Command::Man(args) => man::run(args),
        }
    }
}

/// Writes a result to stdout. A reader that went away (`| head`) is no fault.
fn say(text: &str) -> Result<(), Error> {
    let mut stdout = std::io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(Error::fault(
            "E0901",
            "stdout",
            format!("cannot be written: {error}"),
            "Write to a place with room.",
        )),
        _ => Ok(()),
    }
}

/// Writes a warning to stderr.
fn warn(text: &str) {
    // Nobody can be told that stderr is gone.
    let _ = writeln!(std::io::stderr(), "warning: {text}");
}

/// May stdout be coloured?
fn color() -> bool {
    let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    std::io::stdout().is_terminal()
        && !set("NO_COLOR")
        && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

/// Says what stopped the program.
#[must_use]
pub fn say_error(error: &Error) -> ExitCode {
    let report = match error {
        Error::Faults(_) => String::new(),
        Error::Bug(_) => format!(". {REPORT}"),
    };
    let _ = writeln!(std::io::stderr(), "{error}{report}");
    ExitCode::from(error.exit_code())
}

/// Says that we broke an invariant of our own.
#[must_use]
pub fn say_panic(cause: &(dyn Any + Send)) -> ExitCode {
    let text = cause.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| cause.downcast_ref::<String>().cloned());
    say_error(&Error::Bug(text.unwrap_or_else(|| "a panic without words".to_owned())))
}
