//! The reader, top to bottom: bytes → text → tree → requirements, or every fault of the file.
//!
//! Only this file and the sections `trace` and `quotes` touch files.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use serde_json::Value as Json;

use super::context::ReadContext;
use super::fields::{At, Map, Reader};
use super::node::{Node, Value, numeral};
use super::parse::{self, Format, SIZE_MAX};
use super::range::Range;
use super::warning::Warning;
use super::{Objective, Requirements, Routing, codes, unsupported};
use crate::error::{Fault, Place};

const KEYS: &[&str] = &[
    "version",
    "name",
    "as_of",
    "workloads",
    "budget",
    "availability",
    "growth",
    "limits",
    "owned",
    "own_hardware",
    "quotes",
    "ops_usd_per_month",
    "allow",
    "deny",
    "routing",
    "objective",
    "confidence",
    "headroom",
    "calendar",
    "include_retired",
    "routers",
    "cascades",
    "measured",
    "measured_with_catalog",
];

const ROUTING: [(Routing, &str); 3] =
    [(Routing::Local, "local"), (Routing::Cloud, "cloud"), (Routing::Hybrid, "hybrid")];
const OBJECTIVES: [(Objective, &str); 4] = [
    (Objective::Cost, "cost"),
    (Objective::Latency, "latency"),
    (Objective::Quality, "quality"),
    (Objective::Carbon, "carbon"),
];

const AVAILABILITY: Range =
    Range::share("a share of time more than 0 and less than 1, such as 0.999").above(0.0).below(1.0);
const OPS: Range = Range::not_negative("what people cost per month for any local part, in USD");
const CONFIDENCE: Range =
    Range::share("a share from 0.5 up to but not including 1, such as 0.9").from(0.5).below(1.0);
const HEADROOM: Range = Range::share("a share from 0 up to but not including 1, such as 0.2").below(1.0);

/// More faults than this are counted, not listed.
const FAULTS_MAX: usize = 100;
/// Days after the newest fact from which `as_of` draws a warning.
const FAR_DAYS: i32 = 366;

/// What a requirements file says.
#[derive(Debug, Clone, PartialEq)]
pub struct Read {
    /// The requirements, every default filled in.
    pub requirements: Requirements,
    /// The file as it was given, for patches by JSON pointer.
    pub document: Json,
    /// What is allowed but worth a second look.
    pub warnings: Vec<Warning>,
    /// The user's own offers, in the offer schema.
    pub quotes: Option<PathBuf>,
}

/// Reads the file at `path`; `-` is standard input, whose paths are relative to the current folder.
///
/// # Errors
/// Every fault of the file.
pub fn load(path: &Path, context: &ReadContext) -> Result<Read, Vec<Fault>> {
    let name = path.to_string_lossy().into_owned();
    // One byte more than is accepted tells a file that is too large from one that just fits.
    let limit = SIZE_MAX as u64 + 1;
    let mut bytes = Vec::new();
    let outcome = if name == "-" {
        std::io::stdin().take(limit).read_to_end(&mut bytes)
    } else {
        std::fs::File::open(path).and_then(|file| file.take(limit).read_to_end(&mut bytes))
    };
    if let Err(error) = outcome {
        let cause = match error.kind() {
            std::io::ErrorKind::IsADirectory => "this is a folder".to_owned(),
            _ => super::trace::why(&error),
        };
        let place = Place { file: name, ..Place::default() };
        let cure = "Name a requirements file, or - for standard input.".to_owned();
        return Err(vec![Fault { code: codes::UNREADABLE, place, cause, cure }]);
    }
    let base_dir = if name == "-" { Path::new("") } else { path.parent().unwrap_or(Path::new("")) };
    read_bytes(&bytes, &name, None, base_dir, context)
}

/// Reads the bytes of a file.
///
/// # Errors
/// Every fault of the file.
pub fn read_bytes(
    bytes: &[u8],
    file_name: &str,
    format: Option<Format>,
    base_dir: &Path,
    context: &ReadContext,
) -> Result<Read, Vec<Fault>> {
    let text = parse::text(bytes, file_name)?;
    read(text, file_name, format, base_dir, context)
}

/// Reads the text of a file. Without a `format` the extension of `file_name` decides, for `-` the content.
///
/// # Errors
/// Every fault of the file.
pub fn read(
    text: &str,
    file_name: &str,
    format: Option<Format>,
    base_dir: &Path,
    context: &ReadContext,
) -> Result<Read, Vec<Fault>> {
    let tree = parse::tree(text, file_name, format)?;
    interpret(&tree, file_name, base_dir, context)
}

/// Reads a document that is a value already, such as one that a patch changed. Its faults have no lines.
///
/// # Errors
/// Every fault of the document.
pub fn read_value(
    document: &Json,
    file_name: &str,
    base_dir: &Path,
    context: &ReadContext,
) -> Result<Read, Vec<Fault>> {
    interpret(&Node::from_json(document), file_name, base_dir, context)
}

fn interpret(
    tree: &Node,
    file_name: &str,
    base_dir: &Path,
    context: &ReadContext,
) -> Result<Read, Vec<Fault>> {
    let mut reader = Reader { file: file_name, base_dir, context, faults: Vec::new(), warnings: Vec::new() };
    let root = At { node: tree, key: String::new() };
    let found = reader.map(&root, KEYS, "Start with \"version: 1\" and a list of workloads");
    let found = found.map(|root| reader.requirements(&root));
    match found {
        Some((requirements, quotes)) if reader.faults.is_empty() => {
            Ok(Read { requirements, document: tree.to_json(), warnings: reader.warnings, quotes })
        }
        _ => Err(in_order(reader.faults, file_name)),
    }
}

/// Faults in the order of the file, those of other files behind them, no more than are worth reading.
fn in_order(mut faults: Vec<Fault>, file_name: &str) -> Vec<Fault> {
    // Faults of a trace are in its order already.
    faults.sort_by_key(|fault| match fault.place.file == file_name {
        true => (false, fault.place.line, fault.place.column),
        false => (true, 0, 0),
    });
    if faults.len() > FAULTS_MAX {
        let more = faults.len() - FAULTS_MAX;
        faults.truncate(FAULTS_MAX);
        faults.push(Fault {
            code: codes::TOO_MANY,
            place: Place { file: file_name.to_owned(), ..Place::default() },
            cause: format!("{more} more faults"),
            cure: "Mend those above first.".to_owned(),
        });
    }
    faults
}

impl Reader<'_> {
    /// Every section in turn. Where a value is at fault a default stands in for it; the caller then drops it all.
    fn requirements(&mut self, root: &Map<'_>) -> (Requirements, Option<PathBuf>) {
        self.version(root);
        let name = match root.get("name") {
            Some(at) => self.text(&at, "a name, such as support-chatbot").unwrap_or_default().to_owned(),
            None => stem(self.file),
        };
        let as_of = self.as_of(root);
        let hours_per_month = self.hours_per_month(root);
        let workloads = self.workloads(root, hours_per_month);
        let quotes = root.get("quotes").and_then(|at| self.quotes(&at));
        let growth = root.get("growth").and_then(|at| self.growth(&at));
        let beside_quotes = root.has("quotes");
        let names = workload_names(root);
        let requirements = Requirements {
            version: 1,
            name,
            as_of,
            workloads,
            budget: root.get("budget").map(|at| self.budget(&at)).unwrap_or_default(),
            availability: self.number_at(root, "availability", &AVAILABILITY),
            growth,
            limits: root.get("limits").map(|at| self.limits(&at)).unwrap_or_default(),
            owned: root.get("owned").map(|at| self.owned(&at)).unwrap_or_default(),
            own_hardware: root.get("own_hardware").map(|at| self.own_hardware(&at)).unwrap_or_default(),
            ops_usd_per_month: self.number_at(root, "ops_usd_per_month", &OPS).unwrap_or(0.0),
            allow: self.filter_at(root, "allow", beside_quotes),
            deny: self.filter_at(root, "deny", beside_quotes),
            routing: root
                .get("routing")
                .and_then(|at| self.word(&at, "a kind of routing", &ROUTING))
                .unwrap_or(Routing::Hybrid),
            objective: self.objective(root),
            confidence: self.number_at(root, "confidence", &CONFIDENCE).unwrap_or(0.9),
            headroom: self.number_at(root, "headroom", &HEADROOM).unwrap_or(0.0),
            hours_per_month,
            include_retired: self.boolean_at(root, "include_retired"),
            routers: self.blends(root, "routers").map(|at| self.routers(&at, &names)).unwrap_or_default(),
            cascades: self.blends(root, "cascades").map(|at| self.cascades(&at, &names)).unwrap_or_default(),
            measured: root.get("measured").map(|at| self.measured(&at, &names)).unwrap_or_default(),
            measured_with_catalog: self.boolean_at(root, "measured_with_catalog"),
        };
        (requirements.at_volume(requirements.plan_for()), quotes)
    }

    /// Routers or cascades; under an availability target they are not built yet.
    fn blends<'n>(&mut self, root: &Map<'n>, key: &str) -> Option<At<'n>> {
        let at = root.get(key)?;
        if root.has("availability") {
            self.not_yet(&at, unsupported::BLENDS);
        }
        Some(at)
    }

    fn version(&mut self, root: &Map<'_>) {
        let cure = "Write version: 1";
        let Some(at) = self.required(root, "version", cure) else { return };
        match at.node.value {
            Value::Number(1.0) => {}
            Value::Number(other) => {
                let cause = format!("this program reads version 1, found {}", numeral(other));
                self.fault(codes::WRONG_VERSION, &at, cause, cure);
            }
            _ => {
                self.number(&at, &Range::within(1.0, 1.0, "version: 1"));
            }
        }
    }

    fn as_of(&mut self, root: &Map<'_>) -> jiff::civil::Date {
        let built = self.context.built;
        let Some(as_of) = root.get("as_of").and_then(|at| self.date(&at)) else { return built };
        if as_of.since(built).is_ok_and(|span| span.get_days() > FAR_DAYS) {
            self.warnings.push(Warning::FarFuture { as_of, built });
        }
        as_of
    }

    fn objective(&mut self, root: &Map<'_>) -> Objective {
        let Some(at) = root.get("objective") else { return Objective::Cost };
        self.word(&at, "an objective", &OBJECTIVES).unwrap_or(Objective::Cost)
    }

    fn filter_at(&mut self, root: &Map<'_>, key: &str, quotes: bool) -> super::Filter {
        root.get(key).map(|at| self.filter(&at, quotes)).unwrap_or_default()
    }

    fn boolean_at(&mut self, root: &Map<'_>, key: &str) -> bool {
        root.get(key).and_then(|at| self.boolean(&at)).unwrap_or(false)
    }
}

/// Names as they stand in the file, those of faulty workloads included, so that one fault does not cause another.
fn workload_names<'n>(root: &Map<'n>) -> Vec<&'n str> {
    let Some(at) = root.get("workloads") else { return Vec::new() };
    let Value::List(items) = &at.node.value else { return Vec::new() };
    let name = |item: &'n Node| match &item.value {
        Value::Map(entries) => {
            entries.iter().find(|entry| entry.key == "name").and_then(|entry| match &entry.node.value {
                Value::Text(name) => Some(name.as_str()),
                _ => None,
            })
        }
        _ => None,
    };
    items.iter().filter_map(name).collect()
}

/// A name for a request that has none.
fn stem(file: &str) -> String {
    let stem = Path::new(file).file_stem().map(|stem| stem.to_string_lossy().into_owned());
    stem.filter(|stem| stem != "-").unwrap_or_else(|| "requirements".to_owned())
}
