//! `bursar explain RESULT.json`: the story behind a stored answer, and verdicts on options it does not hold.
//!
//! In: the JSON of `recommend`, which carries the requirements with defaults filled in. What the file holds is told as it
//! stands; what it does not hold is solved for with the catalog at hand, and another catalog than the file's is a warning.

use std::path::PathBuf;

use serde_json::Value;

use super::input::{Facts, read_text};
use super::told::{Depth, Told};
use super::{Outcome, say, warn};
use crate::catalog::Catalog;
use crate::constraint::Rules;
use crate::error::Error;
use crate::recommendation::{Recommendation, SCHEMA_VERSION};
use crate::render::{json, phrase};
use crate::{Options, Request};

/// Tell the story behind a stored answer: why this, why not that, what would change it
#[derive(Debug, clap::Args)]
#[command(
    after_long_help = "Examples:\n  bursar recommend request.yaml --format json > result.json\n  bursar explain \
    result.json\n  bursar explain result.json --depth paragraph\n  bursar explain result.json --why-not \
    \"Llama-3.1-405B-Instruct on l4\"\n  bursar explain result.json --why-not openai/gpt-4 --why-not \"Qwen3-8B fp8 on 1 x \
    l4, runpod\"\n\nExit code 0: the answer holds a compliant plan. 1: it holds none. 2: the file is at fault."
)]
pub(super) struct Args {
    /// An answer, as `bursar recommend FILE --format json` writes it; - is stdin
    file: PathBuf,
    #[command(flatten)]
    told: Told,
    /// Write the answer with what was added as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    facts: Facts,
    /// Add the rule files (*.toml) of this folder: those of the answer
    #[arg(long = "constraints", value_name = "DIR")]
    rules: Vec<PathBuf>,
}

pub(super) fn run(args: &Args) -> Result<Outcome, Error> {
    let name = args.file.to_string_lossy();
    let mut answer = read(&name, &read_text(&args.file)?)?;
    let catalog = args.facts.catalog()?;
    let rules = Rules::load(&args.rules)?;
    beware(&answer, &catalog);
    let requirements = answer.requirements.clone();
    let document = serde_json::to_value(&requirements)
        .map_err(|error| Error::Bug(format!("requirements cannot be written as JSON: {error}")))?;
    let request = Request {
        requirements: &requirements,
        document: &document,
        catalog: &catalog,
        rules: &rules,
        options: Options::default(),
    };
    args.told.deepen(&request, &mut answer, true)?;
    phrase::tell(&mut answer);
    say(&if args.json { json::pretty(&answer)? } else { args.told.text(&answer, Depth::Everything, "") })?;
    Ok(if answer.plans.is_empty() { Outcome::NoPlan } else { Outcome::Fine })
}

/// The answer in a file, or what is wrong with the file.
fn read(name: &str, text: &str) -> Result<Recommendation, Error> {
    const CURE: &str = "Give what `bursar recommend FILE --format json` wrote.";
    let foreign = |cause: String| Error::fault("E0905", name, cause, CURE);
    let value: Value =
        serde_json::from_str(text).map_err(|error| foreign(format!("not valid JSON: {error}")))?;
    match value.get("schema_version").and_then(Value::as_u64) {
        Some(version) if version == u64::from(SCHEMA_VERSION) => {}
        Some(version) => {
            let cause = format!("schema_version is {version}, this program reads {SCHEMA_VERSION}");
            let cure = "Answer the request anew: bursar recommend FILE --format json.";
            return Err(Error::fault("E0906", name, cause, cure));
        }
        None => return Err(foreign("no answer of bursar: it has no schema_version".to_owned())),
    }
    // From the text, so that the fault names line and column.
    serde_json::from_str(text).map_err(|error| foreign(format!("not an answer as it was written: {error}")))
}

/// What is solved anew may rest on other facts than the file.
fn beware(answer: &Recommendation, catalog: &Catalog) {
    if answer.catalog.sha256 != catalog.sha256 {
        let stamp = |sha256: &str| sha256.get(..12).unwrap_or(sha256).to_owned();
        warn(&format!(
            "the answer rests on catalog {} ({}), what is solved for now on {} ({})",
            answer.catalog.built,
            stamp(&answer.catalog.sha256),
            catalog.built,
            stamp(&catalog.sha256)
        ));
    }
    let deployed = answer.plans.iter().flat_map(|plan| &plan.deployments);
    let engines = deployed.filter(|it| it.mode != "measured").filter_map(|it| it.engine.as_ref());
    let offers = engines.flat_map(|engine| &engine.paid).filter(|paid| paid.billing != "owned");
    let quoted = offers.filter(|paid| !catalog.offers.iter().any(|offer| offer.id == paid.offer));
    if let Some(paid) = quoted.take(1).next() {
        warn(&format!(
            "the catalog has no offer {}: quotes are not part of an answer, lay them over with --catalog",
            paid.offer
        ));
    }
}
