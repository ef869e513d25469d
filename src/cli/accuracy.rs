//! `bursar accuracy MEASUREMENTS`: the page that tells how far estimates lie from measurements the fit did not see.
//!
//! In: files of measurements. Out: `accuracy.md` and its plots in a folder, the short of it on stdout.

use std::fs;
use std::path::{Path, PathBuf};

use super::input::{self, Facts};
use super::{Outcome, say};
use crate::accuracy::{File, page};
use crate::error::Error;
use crate::measurement::Defaults;

/// Tell how far estimates lie from measurements
#[derive(Debug, clap::Args)]
#[command(
    after_long_help = "Fits the oracle to the measurements, each model, GPU, source and half of the curves left out in turn, \
    and writes DIR/accuracy.md with plots in DIR/accuracy/: errors, intervals, ordering, choices. The same files give the \
    same bytes. Files are read as docs/measurements.md says.\n\nExamples:\n  bursar accuracy measurements/*.csv --output docs\n  \
    bursar accuracy ours.csv published/*.csv --unseen later.csv --output report"
)]
pub(super) struct Args {
    /// Measurements to fit and to leave out in turn
    #[arg(value_name = "MEASUREMENTS", required = true)]
    files: Vec<PathBuf>,
    /// Measurements that are only scored, never fitted
    #[arg(long, value_name = "FILE", num_args = 1..)]
    unseen: Vec<PathBuf>,
    /// Tell also what each part of the fit is worth: a dozen fits with their folds, minutes
    #[arg(long)]
    ablation: bool,
    /// The folder to write into
    #[arg(long, value_name = "DIR")]
    output: PathBuf,
    #[command(flatten)]
    facts: Facts,
}

pub(super) fn run(args: &Args) -> Result<Outcome, Error> {
    let catalog = args.facts.catalog()?;
    let mut files = Vec::new();
    for (paths, unseen) in [(&args.files, false), (&args.unseen, true)] {
        let read = input::measured(paths, &catalog, &Defaults::default())?;
        files.extend(read.into_iter().map(|file| File {
            name: file.name,
            text: file.text,
            measurements: file.measurements,
            unseen,
        }));
    }
    let page = page(&catalog, &args.told(), &files, args.ablation);
    let plots = args.output.join("accuracy");
    fs::create_dir_all(&plots).map_err(|error| unwritable(&plots, &error))?;
    for (name, text) in &page.plots {
        write(&plots.join(name), text)?;
    }
    let file = args.output.join("accuracy.md");
    write(&file, &page.markdown)?;
    say(&format!("{}\nwrote {} and {} plots\n", page.summary, file.display(), page.plots.len()))?;
    Ok(Outcome::Fine)
}

impl Args {
    /// The command as it was given.
    fn told(&self) -> String {
        let mut words = vec!["bursar".to_owned(), "accuracy".to_owned()];
        if self.ablation {
            words.push("--ablation".to_owned());
        }
        words.extend(self.files.iter().map(|file| word(file)));
        for (flag, files) in [
            ("--unseen", self.unseen.as_slice()),
            ("--catalog", self.facts.folders.as_slice()),
            ("--output", std::slice::from_ref(&self.output)),
        ] {
            if flag == "--catalog" {
                words.extend(files.iter().flat_map(|file| [flag.to_owned(), word(file)]));
            } else if !files.is_empty() {
                words.push(flag.to_owned());
                words.extend(files.iter().map(|file| word(file)));
            }
        }
        words.join(" ")
    }
}

/// A path as a shell reads it.
fn word(path: &Path) -> String {
    let text = path.to_string_lossy();
    let plain = |c: char| c.is_alphanumeric() || "/._-+=:@,".contains(c);
    if text.chars().all(plain) { text.into_owned() } else { format!("'{text}'") }
}

fn write(path: &Path, text: &str) -> Result<(), Error> {
    fs::write(path, text).map_err(|error| unwritable(path, &error))
}

pub(super) fn unwritable(path: &Path, error: &std::io::Error) -> Error {
    let cause = format!("cannot be written: {error}");
    Error::fault("E0901", &path.to_string_lossy(), cause, "Name a folder that you may write to.")
}
