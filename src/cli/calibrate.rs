//! `bursar calibrate`: fits the oracle to measurements, says how wrong it was and is, and writes an overlay of the catalog.
//!
//! In: files of measurements. Out: a report on stdout; on request a folder of tables. What does not predict rows that were
//! left out better is not written. Tables are written beside their places first and then moved, so that none is ever half.

use std::fs;
use std::path::{Path, PathBuf};

use super::input::{self, Facts};
use super::{Outcome, say};
use crate::calibrate::overlay::{self, TABLES, Text};
use crate::calibrate::{GAIN_FULL, HoldOut, Parameters, Priors, Report, fit, own, screen};
use crate::catalog::Catalog;
use crate::error::{Error, Fault};
use crate::measurement::{Defaults, Measurements, codes};
use crate::render::{calibration, json};

/// Fit the oracle to your own measurements
#[derive(Debug, clap::Args)]
#[command(
    after_long_help = "Files are CSV (docs/measurements.md), or the JSON of `vllm bench serve`, GuideLLM or llama-bench; which \
    it is, is told by what a file holds. The overlay outranks the shipped coefficients for the engine, GPU and model that \
    were measured: pass it as --catalog DIR to any command. What does not help rows that were left out is not \
    written.\n\nExamples:\n  bursar calibrate runs.csv\n  bursar calibrate runs.csv --output my-gpus\n  bursar calibrate \
    vllm-*.json --gpu l40s --weights fp8 --output my-gpus --force\n  bursar calibrate runs.csv --hold-out model\n  \
    bursar recommend request.yaml --catalog my-gpus"
)]
pub(super) struct Args {
    #[command(flatten)]
    facts: Facts,
    /// Files of measurements (`-` = stdin)
    #[arg(value_name = "MEASUREMENTS", required = true)]
    files: Vec<PathBuf>,
    /// Leave these out together, in turn, for the last column of errors [default: one configuration]
    #[arg(long, value_enum)]
    hold_out: Option<HoldOut>,
    /// Write the overlay into this folder, which is made, or empty
    #[arg(long, value_name = "DIR", conflicts_with = "rebuild")]
    output: Option<PathBuf>,
    /// Write into a folder that is not empty; what an earlier calibration wrote there is replaced
    #[arg(long)]
    force: bool,
    /// List every row left out
    #[arg(long)]
    rejected: bool,
    /// How to print
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// Fit all coefficients anew from the priors of the oracle study, and write the fitted tables of the catalog here
    #[arg(long, value_name = "DIR", conflicts_with_all = ["hold_out", "format"])]
    rebuild: Option<PathBuf>,
    /// With --rebuild: measurements that widen the intervals and are never fitted
    #[arg(long, value_name = "FILE", requires = "rebuild")]
    unseen: Vec<PathBuf>,
    #[command(flatten)]
    stated: Stated,
}

/// What the files leave open.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "What the files leave open")]
struct Stated {
    /// Hugging Face id of the model, or an alias
    #[arg(long)]
    model: Option<String>,
    /// GPU id or an alias
    #[arg(long)]
    gpu: Option<String>,
    /// GPUs of a replica
    #[arg(long)]
    gpus: Option<u32>,
    /// GPUs that share each layer
    #[arg(long)]
    tensor_parallel: Option<u32>,
    /// Precision of the weights
    #[arg(long)]
    weights: Option<String>,
    /// Precision of the KV cache: auto, bf16, fp16 or fp8
    #[arg(long)]
    kv: Option<String>,
    /// Engine family
    #[arg(long)]
    engine: Option<String>,
    /// Version of the engine
    #[arg(long)]
    engine_version: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// For people
    Table,
    /// For programs
    Json,
}

impl Args {
    /// Every row of some files.
    fn measured(&self, files: &[PathBuf], catalog: &Catalog) -> Result<Measurements, Error> {
        let stated = &self.stated;
        let defaults = Defaults {
            model: stated.model.clone(),
            gpu: stated.gpu.clone(),
            gpus: stated.gpus,
            tensor_parallel: stated.tensor_parallel,
            weights: stated.weights.clone(),
            kv: stated.kv.clone(),
            engine: stated.engine.clone(),
            engine_version: stated.engine_version.clone(),
        };
        let mut all = Measurements::default();
        for file in input::measured(files, catalog, &defaults)? {
            all.rows.extend(file.measurements.rows);
            all.rejected.extend(file.measurements.rejected);
        }
        Ok(all)
    }
}

pub(super) fn run(args: &Args) -> Result<Outcome, Error> {
    let catalog = args.facts.catalog()?;
    let found = args.measured(&args.files, &catalog)?;
    if let Some(folder) = &args.rebuild {
        return rebuild(args, &catalog, &found, folder);
    }
    if let Some(folder) = &args.output {
        may_write(folder, args.force)?;
    }
    let files: Vec<String> = args.files.iter().map(|file| file.to_string_lossy().into_owned()).collect();
    let mut own = own(&catalog, &found.rows, args.hold_out);
    own.rejected.extend(found.rejected);
    own.rejected.sort_by(|a, b| (&a.place, a.reason).cmp(&(&b.place, b.reason)));
    if own.samples.is_empty() {
        return Err(nothing_left(&own.rejected));
    }
    let mut report = Report::of(&own, &files, overlay::moved_count(&catalog, &own));
    if let Some(folder) = &args.output {
        let tables = overlay::overlay(&catalog, &own, &files);
        if !tables.is_empty() {
            write(folder, &tables, &TABLES)?;
            report.overlay = Some(folder.display().to_string());
        }
    }
    say(&match args.format {
        Format::Table => calibration::table(&report, args.rejected),
        Format::Json => json::pretty(&report)?,
    })?;
    Ok(Outcome::Fine)
}

/// Rows were read, but none can be held against an estimate.
fn nothing_left(rejected: &[crate::measurement::Rejected]) -> Error {
    let cause =
        |row: &crate::measurement::Rejected| format!("no row can be used: {} ({})", row.cause, row.reason);
    let fault = |row: &crate::measurement::Rejected| Fault {
        code: codes::NO_ROWS,
        place: row.place.clone(),
        cause: cause(row),
        cure: "Give at least one row that can be estimated.".to_owned(),
    };
    let mut faults: Vec<Fault> = Vec::new();
    for row in rejected {
        // One of each reason and file says enough.
        if !faults.iter().any(|known| {
            known.place.file == row.place.file && known.cause.ends_with(&format!("({})", row.reason))
        }) {
            faults.push(fault(row));
        }
    }
    Error::Faults(faults)
}

/// Is the folder absent, empty, or given up by its owner?
fn may_write(folder: &Path, force: bool) -> Result<(), Error> {
    let shown = folder.display().to_string();
    match fs::read_dir(folder).map(|mut entries| entries.next().is_some()) {
        Ok(true) if !force => Err(Error::fault(
            "E0901",
            &shown,
            "the folder is not empty",
            "Name another one, or pass --force to replace what an earlier calibration wrote there.",
        )),
        Err(error) if folder.exists() => {
            Err(Error::fault("E0901", &shown, format!("cannot be written: {error}"), "Name a folder."))
        }
        _ => Ok(()),
    }
}

/// Writes tables whole or not at all; of `others`, those not among them are removed, for they are of another calibration.
fn write(folder: &Path, tables: &[Text], others: &[&str]) -> Result<(), Error> {
    let beside = |name: &str| folder.join(format!(".{name}.new"));
    let done = || -> Result<(), std::io::Error> {
        fs::create_dir_all(folder)?;
        for (name, text) in tables {
            fs::write(beside(name), text)?;
        }
        for (name, _) in tables {
            fs::rename(beside(name), folder.join(name))?;
        }
        for other in others.iter().filter(|other| !tables.iter().any(|(name, _)| name == *other)) {
            let stale = folder.join(other);
            if stale.exists() {
                fs::remove_file(stale)?;
            }
        }
        Ok(())
    };
    done().map_err(|error| {
        for (name, _) in tables {
            // What was not moved is of no use; that it cannot be removed changes nothing of the fault.
            let _ = fs::remove_file(beside(name));
        }
        let shown = folder.display().to_string();
        Error::fault("E0901", &shown, format!("cannot be written: {error}"), "Write to a place with room.")
    })
}

/// The fitted tables of the catalog, from all rows.
fn rebuild(args: &Args, catalog: &Catalog, found: &Measurements, folder: &Path) -> Result<Outcome, Error> {
    may_write(folder, args.force)?;
    let (rows, mut rejected) = screen(&found.rows);
    let (samples, more) = crate::calibrate::samples(catalog, &rows);
    rejected.extend(more);
    if !samples.iter().any(crate::calibrate::Sample::is_fitted) {
        return Err(nothing_left(&rejected));
    }
    let others = args.measured(&args.unseen, catalog)?;
    let (unseen, _) = crate::calibrate::samples(catalog, &screen(&others.rows).0);
    let parameters = Parameters::of(&Priors::study(), &samples);
    let whole = fit(samples.iter(), &parameters, &parameters.start(), GAIN_FULL);
    let tables = overlay::rebuilt(catalog, &samples, &unseen, &whole);
    write(folder, &tables, &[])?;
    let fitted = samples.iter().filter(|sample| sample.is_fitted()).count();
    say(&format!(
        "{fitted} rows fitted, {} left out, {} coefficients\n  written {}: {}\n",
        rejected.len() + found.rejected.len(),
        parameters.list.len(),
        folder.display(),
        tables.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
    ))?;
    Ok(Outcome::Fine)
}
