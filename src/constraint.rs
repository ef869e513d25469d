//! What is allowed: rules as data, `left op right`, one file each in `constraints/`.
//!
//! In: the rule files inside the binary, then those of the user's folders. Out: [`Rules`], units checked, or every
//! fault of every file at once. It judges nothing: pruning, program, verification and explanation read the rules.

mod read;

use std::path::PathBuf;
use std::sync::OnceLock;

use include_dir::{Dir, include_dir};

use crate::error::{Error, Fault};
use crate::measure::{Measure, Scope};
use crate::reason::{Op, Quantity, RuleId};
use crate::requirements::{LatencyLimit, LatencyMeasure, Requirements, Statistic, Workload};

static FILES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/constraints");

/// One rule: a measure compared with a number or with a value of the request.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// The stem of its file.
    pub id: RuleId,
    /// What it demands, in words.
    pub says: String,
    /// Why it is there.
    pub why: String,
    /// Refuses candidates before solving, or becomes rows of the program.
    pub scope: Scope,
    /// How it enters the program.
    pub form: Form,
    /// What is compared.
    pub left: Measure,
    /// How.
    pub op: Op,
    /// With what.
    pub right: Right,
    /// False for the rules that come with the program.
    pub custom: bool,
}

/// How a rule enters the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Form {
    /// It does not: the candidate is refused before.
    Candidate,
    /// A weighted sum over the plan: money, power, load.
    Sum,
    /// A share of the requests.
    Share,
    /// A number of things.
    Count,
    /// What stands beside what: redundancy.
    Structure,
}

impl Form {
    /// The forms of plan rules with the words rule files use.
    pub const PLAN: [(Self, &'static str); 4] =
        [(Self::Sum, "sum"), (Self::Share, "share"), (Self::Count, "count"), (Self::Structure, "structure")];
}

/// What a rule compares with.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Right {
    /// A number in the unit of the measure.
    Literal(f64),
    /// A value of the request or of the target.
    Named(&'static Named),
}

/// A value a rule may compare with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Named {
    /// Its path: `budget.usd_per_month`; `target.` stands for a value of the option itself.
    pub name: &'static str,
    /// Its unit.
    pub unit: &'static str,
    /// True where a user's rule may name it: [`Rule::limit`] then finds the number.
    pub open: bool,
}

const fn named(name: &'static str, unit: &'static str) -> Named {
    Named { name, unit, open: false }
}

const fn open(name: &'static str, unit: &'static str) -> Named {
    Named { name, unit, open: true }
}

/// Every value a rule may compare with.
pub const NAMED: [Named; 37] = [
    named("allow", "word"),
    named("allow.licences", "word"),
    named("as_of", "date"),
    named("include_retired", "yes-no"),
    named("routing", "word"),
    named("workload.needs", "word"),
    named("workload.data.no_training", "yes-no"),
    named("workload.data.eu_only", "yes-no"),
    named("workload.data.on_premises", "yes-no"),
    open("workload.context_tokens", "tokens"),
    named("workload.tokens.output", "tokens"),
    named("workload.quality", "index"),
    named("workload.quality.min", "share"),
    named("workload.premium.share", "share"),
    named("workload.quality.mean", "index"),
    named("workload.requests", "requests/s"),
    named("workload.deferrable_hours", "h"),
    named("workload.latency.ttft_ms", "ms"),
    named("workload.latency.tpot_ms", "ms"),
    named("workload.latency.e2e_ms", "ms"),
    open("workload.latency.ttft_ms.p95", "ms"),
    open("workload.latency.tpot_ms.mean", "ms"),
    open("workload.latency.e2e_ms.p95", "ms"),
    named("target.usable_gib", "GiB"),
    named("target.rate_limit_rps", "requests/s"),
    named("load_allowed", "replicas"),
    open("budget.usd_per_month", "USD/month"),
    open("budget.usd_upfront", "USD"),
    open("budget.usd_per_request", "USD/request"),
    open("limits.memory_gib_per_server", "GiB"),
    named("limits.gpus", "GPUs"),
    open("limits.power_kw", "kW"),
    open("limits.max_deployments", ""),
    open("limits.min_replicas", "replicas"),
    named("owned.count", "GPUs"),
    open("availability", "share"),
    named("measured.max_replicas", "replicas"),
];

impl Rule {
    /// The number the rule holds its measure to; `None` where nothing was asked for, or where the value is not one
    /// number of the request (a word, a tier, a value of the target): the caller of such a rule knows it.
    #[must_use]
    pub fn limit(&self, requirements: &Requirements, workload: Option<&Workload>) -> Option<f64> {
        let latency = |measure, statistic| {
            let asked = |limit: &&LatencyLimit| limit.measure == measure && limit.statistic == statistic;
            workload.and_then(|workload| workload.latency.iter().find(asked)).map(|limit| limit.ms)
        };
        let named = match self.right {
            Right::Literal(number) => return Some(number),
            Right::Named(named) => named,
        };
        match named.name {
            "workload.context_tokens" => workload.map(|workload| workload.context_tokens),
            "workload.premium.share" => {
                workload.and_then(|workload| workload.premium.as_ref()).map(|p| p.share)
            }
            "workload.quality.mean" => workload.and_then(|workload| workload.quality_mean),
            "workload.latency.ttft_ms.p95" => latency(LatencyMeasure::Ttft, Statistic::P95),
            "workload.latency.tpot_ms.mean" => latency(LatencyMeasure::Tpot, Statistic::Mean),
            "workload.latency.e2e_ms.p95" => latency(LatencyMeasure::E2e, Statistic::P95),
            "budget.usd_per_month" => requirements.budget.usd_per_month,
            "budget.usd_upfront" => requirements.budget.usd_upfront,
            "budget.usd_per_request" => requirements.budget.usd_per_request,
            "limits.memory_gib_per_server" => requirements.limits.memory_gib_per_server,
            "limits.power_kw" => requirements.limits.power_kw,
            "limits.max_deployments" => requirements.limits.max_deployments.map(f64::from),
            "limits.min_replicas" => requirements.limits.min_replicas.map(f64::from),
            "availability" => requirements.availability,
            _ => None,
        }
    }

    /// A figure in the unit of this rule.
    #[must_use]
    pub fn figure(&self, value: f64) -> Quantity {
        Quantity::new(value, self.left.unit())
    }
}

/// Every rule in force.
#[derive(Debug, Clone, PartialEq)]
pub struct Rules {
    /// In byte order of their ids.
    rules: Vec<Rule>,
}

impl Rules {
    /// The rules that come with the program.
    ///
    /// # Panics
    /// Never: a test reads the same files.
    #[must_use]
    pub fn builtin() -> Self {
        static RULES: OnceLock<Vec<Rule>> = OnceLock::new();
        let rules = RULES.get_or_init(|| {
            let mut faults = Vec::new();
            let read = |file: &include_dir::File<'_>| {
                let path = file.path().to_string_lossy().into_owned();
                read::rule(&path, file.contents_utf8().unwrap_or_default(), false, &mut faults)
            };
            let mut rules: Vec<Rule> = FILES.files().filter_map(read).collect();
            assert!(faults.is_empty(), "a rule of ours cannot be read: {}", Error::Faults(faults));
            rules.sort_by(|a, b| a.id.cmp(&b.id));
            rules
        });
        Self { rules: rules.clone() }
    }

    /// The built-in rules, then every `*.toml` of each folder.
    ///
    /// # Errors
    /// Every fault of every file: unreadable, unknown keys or measures, mismatched units, ids taken.
    pub fn load(folders: &[PathBuf]) -> Result<Self, Error> {
        let mut rules = Self::builtin();
        let mut faults = Vec::new();
        for folder in folders {
            for (path, text) in read::folder(folder, &mut faults) {
                let Some(rule) = read::rule(&path, &text, true, &mut faults) else { continue };
                match rules.rules.binary_search_by(|other| other.id.cmp(&rule.id)) {
                    Ok(_) => faults.push(taken(&path, &rule.id)),
                    Err(place) => rules.rules.insert(place, rule),
                }
            }
        }
        if faults.is_empty() { Ok(rules) } else { Err(Error::Faults(faults)) }
    }

    /// The rule of an id.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<&Rule> {
        self.rules.binary_search_by(|rule| rule.id.as_str().cmp(id)).ok().map(|index| &self.rules[index])
    }

    /// Every rule, in byte order of ids.
    pub fn iter(&self) -> impl Iterator<Item = &Rule> {
        self.rules.iter()
    }

    /// The user's candidate rules.
    pub fn custom_candidate(&self) -> impl Iterator<Item = &Rule> {
        self.rules.iter().filter(|rule| rule.custom && rule.scope == Scope::Candidate)
    }

    /// The user's plan rules.
    pub fn custom_plan(&self) -> impl Iterator<Item = &Rule> {
        self.rules.iter().filter(|rule| rule.custom && rule.scope == Scope::Plan)
    }
}

fn taken(path: &str, id: &str) -> Fault {
    Fault {
        code: "E0305",
        place: crate::error::Place { file: path.to_owned(), ..Default::default() },
        cause: format!("there is already a rule `{id}`"),
        cure:
            "Rename the file: its stem is the rule's id. Built-in rules are changed in the requirements file."
                .into(),
    }
}
