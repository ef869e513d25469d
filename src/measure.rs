//! The vocabulary: every measure a rule, an objective or a table may read, with its unit and better direction.
//!
//! In: a measure's name as files write it. Out: [`Measure`] and what is known about it. Values are computed elsewhere.

use std::fmt;

/// A named quantity of a candidate or of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "`TABLE` says what each is, in the words users read")]
pub enum Measure {
    Name,
    Denials,
    Licence,
    InForce,
    Retired,
    Kind,
    Capabilities,
    NoTraining,
    InEu,
    OnPremises,
    ContextTokens,
    MaxOutputTokens,
    MemoryGibPerGpu,
    SplitsEvenly,
    PrecisionRuns,
    EngineRuns,
    EstimateTrusted,
    MemoryGibPerServer,
    QualityIndex,
    BenchmarkScore,
    TtftMs,
    TpotMs,
    E2eMs,
    PeakRequestsPerS,
    WindowHours,
    InterruptionsCovered,
    GpusPerReplica,
    E2eMsP95,
    TtftMsP95,
    TpotMsMean,
    UsdPerHour,
    ServedRequestsPerS,
    Load,
    PremiumShare,
    QualityMean,
    UsdPerMonth,
    UsdUpfront,
    UsdPerRequest,
    Gpus,
    OwnedGpus,
    PowerKw,
    Deployments,
    Availability,
    Replicas,
    LocalShare,
    WaitHours,
}

/// What a rule or measure speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// One way to deploy, before solving.
    Candidate,
    /// The whole answer.
    Plan,
}

impl Scope {
    /// The word rule files use.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Candidate => "candidate",
            Self::Plan => "plan",
        }
    }
}

/// Which way a measure gets better.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Better {
    /// Less is better.
    Lower,
    /// More is better.
    Higher,
    /// Neither: a word or a fact.
    Neither,
}

/// Who may write rules over a measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Open {
    /// Anyone, in a folder given with `--constraints`.
    Anyone,
    /// Only the rules that come with the program: the figure needs context that a rule file cannot give.
    BuiltIn,
}

/// One line of the vocabulary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// The measure.
    pub measure: Measure,
    /// Its name in files and JSON.
    pub name: &'static str,
    /// Its unit; `word` for names, `yes-no` for 0 and 1, empty for a bare count.
    pub unit: &'static str,
    /// Which way it gets better.
    pub better: Better,
    /// What it is a measure of.
    pub scope: Scope,
    /// Who may write rules over it.
    pub open: Open,
    /// What it is.
    pub says: &'static str,
}

const fn entry(
    measure: Measure,
    name: &'static str,
    unit: &'static str,
    better: Better,
    scope: Scope,
    open: Open,
    says: &'static str,
) -> Entry {
    Entry { measure, name, unit, better, scope, open, says }
}

use Better::{Higher, Lower, Neither};
use Open::{Anyone, BuiltIn};
use Scope::{Candidate, Plan};

/// Every measure, in the order of [`Measure`].
#[rustfmt::skip]
pub const TABLE: [Entry; 46] = [
    entry(Measure::Name, "name", "word", Neither, Candidate, BuiltIn, "ids and aliases of model, GPU, provider, billing, precision, engine, region"),
    entry(Measure::Denials, "denials", "", Lower, Candidate, BuiltIn, "entries of your deny list that match"),
    entry(Measure::Licence, "licence", "word", Neither, Candidate, BuiltIn, "licence of the model"),
    entry(Measure::InForce, "in_force", "date", Neither, Candidate, BuiltIn, "days on which price and release hold"),
    entry(Measure::Retired, "retired", "yes-no", Lower, Candidate, BuiltIn, "was it shut down by the date asked for"),
    entry(Measure::Kind, "kind", "word", Neither, Candidate, BuiltIn, "local (own engine) or cloud (hosted API)"),
    entry(Measure::Capabilities, "capabilities", "word", Neither, Candidate, BuiltIn, "what the model can do"),
    entry(Measure::NoTraining, "no_training", "yes-no", Higher, Candidate, BuiltIn, "does the provider promise not to train on the traffic"),
    entry(Measure::InEu, "in_eu", "yes-no", Higher, Candidate, BuiltIn, "is it inside the EU"),
    entry(Measure::OnPremises, "on_premises", "yes-no", Higher, Candidate, BuiltIn, "is the hardware owned or bought"),
    entry(Measure::ContextTokens, "context_tokens", "tokens", Higher, Candidate, Anyone, "longest request it takes: window of the model and KV pool"),
    entry(Measure::MaxOutputTokens, "max_output_tokens", "tokens", Higher, Candidate, BuiltIn, "longest answer it gives"),
    entry(Measure::MemoryGibPerGpu, "memory_gib_per_gpu", "GiB", Lower, Candidate, BuiltIn, "weights, activations and runtime on one GPU"),
    entry(Measure::SplitsEvenly, "splits_evenly", "yes-no", Higher, Candidate, BuiltIn, "do heads and layers divide over the GPUs of one server"),
    entry(Measure::PrecisionRuns, "precision_runs", "yes-no", Higher, Candidate, BuiltIn, "do GPU and engine run the precision"),
    entry(Measure::EngineRuns, "engine_runs", "yes-no", Higher, Candidate, BuiltIn, "does the engine run on the GPU"),
    entry(Measure::EstimateTrusted, "estimate_trusted", "yes-no", Higher, Candidate, BuiltIn, "is the speed more than assumed"),
    entry(Measure::MemoryGibPerServer, "memory_gib_per_server", "GiB", Lower, Candidate, Anyone, "weights, activations and KV of the planned concurrency on one server"),
    entry(Measure::QualityIndex, "quality_index", "index", Higher, Candidate, Anyone, "index points after the loss by precision"),
    entry(Measure::BenchmarkScore, "benchmark_score", "share", Higher, Candidate, BuiltIn, "published score of the benchmark asked for"),
    entry(Measure::TtftMs, "ttft_ms", "ms", Lower, Candidate, BuiltIn, "time to the first token at the statistic asked for"),
    entry(Measure::TpotMs, "tpot_ms", "ms", Lower, Candidate, BuiltIn, "time of a further token at the statistic asked for"),
    entry(Measure::E2eMs, "e2e_ms", "ms", Lower, Candidate, BuiltIn, "time to the last token at the statistic asked for"),
    entry(Measure::PeakRequestsPerS, "peak_requests_per_s", "requests/s", Lower, Candidate, BuiltIn, "requests of the busiest hour"),
    entry(Measure::WindowHours, "window_hours", "h", Lower, Candidate, BuiltIn, "hours a service tier may take to answer; 0 where it answers at once"),
    entry(Measure::InterruptionsCovered, "interruptions_covered", "yes-no", Higher, Candidate, BuiltIn, "may the work wait until another instance serves, or does something stand behind it"),
    entry(Measure::GpusPerReplica, "gpus_per_replica", "GPUs", Lower, Candidate, Anyone, "GPUs of one copy of an engine; 0 for an API"),
    entry(Measure::E2eMsP95, "e2e_ms_p95", "ms", Lower, Candidate, Anyone, "95th percentile of the time to the last token"),
    entry(Measure::TtftMsP95, "ttft_ms_p95", "ms", Lower, Candidate, Anyone, "95th percentile of the time to the first token"),
    entry(Measure::TpotMsMean, "tpot_ms_mean", "ms", Lower, Candidate, Anyone, "mean time of a further token"),
    entry(Measure::UsdPerHour, "usd_per_hour", "USD/h", Lower, Candidate, Anyone, "price of one instance for an hour; 0 for an API"),
    entry(Measure::ServedRequestsPerS, "served_requests_per_s", "requests/s", Neither, Plan, BuiltIn, "requests served, by workload and hour"),
    entry(Measure::Load, "load", "replicas", Lower, Plan, BuiltIn, "load of a replica group over the capacity of one replica"),
    entry(Measure::PremiumShare, "premium_share", "share", Higher, Plan, BuiltIn, "share of requests at targets of the premium tier"),
    entry(Measure::QualityMean, "quality_mean", "index", Higher, Plan, BuiltIn, "mean index over the requests of a workload, premium ones among them"),
    entry(Measure::UsdPerMonth, "usd_per_month", "USD/month", Lower, Plan, Anyone, "recurring bill of a mean month"),
    entry(Measure::UsdUpfront, "usd_upfront", "USD", Lower, Plan, BuiltIn, "purchases and prepaid commitments"),
    entry(Measure::UsdPerRequest, "usd_per_request", "USD/request", Lower, Plan, Anyone, "monthly bill over all requests"),
    entry(Measure::Gpus, "gpus", "GPUs", Lower, Plan, Anyone, "rented GPUs, idle ones too"),
    entry(Measure::OwnedGpus, "owned_gpus", "GPUs", Lower, Plan, BuiltIn, "owned GPUs in use"),
    entry(Measure::PowerKw, "power_kw", "kW", Lower, Plan, Anyone, "TDP x PUE of self-run GPUs"),
    entry(Measure::Deployments, "deployments", "", Lower, Plan, Anyone, "pools with a replica plus APIs with a share"),
    entry(Measure::Availability, "availability", "share", Higher, Plan, BuiltIn, "share of time with capacity for the demand"),
    entry(Measure::Replicas, "replicas", "replicas", Lower, Plan, BuiltIn, "copies of one option"),
    entry(Measure::LocalShare, "local_share", "share", Higher, Plan, Anyone, "share of requests served by own engines"),
    entry(Measure::WaitHours, "wait_hours", "h", Lower, Plan, BuiltIn, "longest wait of work before it is released"),
];

impl Measure {
    /// What is known about it.
    #[must_use]
    pub const fn entry(self) -> &'static Entry {
        // TABLE stands in the order of the enum; a test holds it there.
        &TABLE[self as usize]
    }

    /// Its name in files and JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.entry().name
    }

    /// Its unit.
    #[must_use]
    pub const fn unit(self) -> &'static str {
        self.entry().unit
    }

    /// The measure of a name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        TABLE.iter().find(|entry| entry.name == name).map(|entry| entry.measure)
    }
}

impl fmt::Display for Measure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The word of a list that a user most likely meant, if any is near.
#[must_use]
pub fn nearest<'a>(typed: &str, words: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    /// Below this Jaro-Winkler similarity a suggestion confuses more than it helps.
    const LIKELY: f64 = 0.8;
    words
        .into_iter()
        .map(|word| (strsim::jaro_winkler(typed, word), word))
        .filter(|(likeness, _)| *likeness >= LIKELY)
        .fold(None, |best: Option<(f64, &str)>, next| match best {
            Some(best) if best.0 >= next.0 => Some(best),
            _ => Some(next),
        })
        .map(|(_, word)| word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_stands_in_the_order_of_the_enum() {
        for (index, entry) in TABLE.iter().enumerate() {
            assert_eq!(entry.measure as usize, index, "{}", entry.name);
            assert_eq!(Measure::named(entry.name), Some(entry.measure));
        }
    }

    #[test]
    fn a_slip_of_the_pen_is_understood() {
        let names = || TABLE.iter().map(|entry| entry.name);
        assert_eq!(nearest("usd_per_mnth", names()), Some("usd_per_month"));
        assert_eq!(nearest("zebra", names()), None);
    }
}
