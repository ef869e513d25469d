//! `bursar completions SHELL`: what the shell needs to complete our words.

use clap::CommandFactory;
use clap_complete::{Shell, generate};

use super::{Cli, Outcome, say};
use crate::error::Error;

/// Print completions for a shell
#[derive(Debug, clap::Args)]
#[command(
    after_long_help = "Examples:\n  bursar completions bash > ~/.local/share/bash-completion/completions/bursar\n  \
    bursar completions fish > ~/.config/fish/completions/bursar.fish"
)]
pub(super) struct Args {
    /// Which shell
    shell: Shell,
}

pub(super) fn run(args: &Args) -> Result<Outcome, Error> {
    let mut text = Vec::new();
    generate(args.shell, &mut Cli::command(), "bursar", &mut text);
    say(&String::from_utf8_lossy(&text))?;
    Ok(Outcome::Fine)
}
