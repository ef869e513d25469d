//! `bursar man`: the manual page, or a folder with a page for each command.

use std::path::PathBuf;

use clap::CommandFactory;

use super::{Cli, Outcome, say};
use crate::error::Error;

/// Print the manual page
#[derive(Debug, clap::Args)]
#[command(after_long_help = "Examples:\n  bursar man | man -l -\n  bursar man --dir ~/.local/share/man/man1")]
pub(super) struct Args {
    /// Write a page for each command into this folder instead
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

pub(super) fn run(args: &Args) -> Result<Outcome, Error> {
    let unwritable = |file: &str, error: &std::io::Error| {
        Error::fault(
            "E0901",
            file,
            format!("cannot be written: {error}"),
            "Name a folder that you may write to.",
        )
    };
    if let Some(folder) = &args.dir {
        let shown = folder.to_string_lossy();
        std::fs::create_dir_all(folder).map_err(|error| unwritable(&shown, &error))?;
        clap_mangen::generate_to(Cli::command(), folder).map_err(|error| unwritable(&shown, &error))?;
        return Ok(Outcome::Fine);
    }
    let mut text = Vec::new();
    clap_mangen::Man::new(Cli::command()).render(&mut text).map_err(|error| unwritable("man", &error))?;
    say(&String::from_utf8_lossy(&text))?;
    Ok(Outcome::Fine)
}
