//! `bursar`: the cheapest way to serve an LLM workload. Flags and files in, an answer on stdout, an exit code:
//! 0 a compliant plan or nothing wrong, 1 no compliant plan, 2 bad input or usage, 70 our bug.

use std::panic;
use std::process::ExitCode;

use bursar::cli::{self, Cli};
use clap::Parser;

fn main() -> ExitCode {
    // Usage errors leave here with exit code 2, --help and --version with 0.
    let cli = Cli::parse();
    // A panic is reported once, below, in words that help; RUST_BACKTRACE asks for the usual report.
    if std::env::var_os("RUST_BACKTRACE").is_none() {
        panic::set_hook(Box::new(|_| {}));
    }
    match panic::catch_unwind(|| cli.run()) {
        Ok(Ok(outcome)) => outcome.exit_code(),
        Ok(Err(error)) => cli::say_error(&error),
        Err(cause) => cli::say_panic(cause.as_ref()),
    }
}
