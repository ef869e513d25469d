//! Own engines: which units may serve which class, before any queueing is estimated.
//!
//! In: a question, its classes, hardware. Out: [`Prospect`]s, each a unit on an instance type with the classes it may
//! serve; `screen.rs` turns the promising ones into [`LocalOption`]s. Every unit left out is booked by rule.

use std::sync::Arc;

use rayon::prelude::*;

use crate::catalog::precision::PrecisionFact;
use crate::catalog::{Catalog, Model};
use crate::estimate::{Basis, Capacity, Traffic, capacity_upper_bound};
use crate::measure::Measure;
use crate::quality::{self, Scored, Verdict};
use crate::reason::{Op, Refusal};
use crate::requirements::{LatencyMeasure, QualityFloor, Statistic};

use super::Question;
use super::class::Class;
use super::filter::refused_word;
use super::hardware::Hardware;
use super::tally::Tally;
use super::unit::UnitRow;

/// A unit on an instance type that may serve some class, not yet estimated.
#[derive(Debug, Clone)]
pub struct Prospect<'a> {
    /// The model.
    pub model: &'a Model,
    /// `default`, or `nothink` for a thinking model told not to.
    pub mode: &'static str,
    /// The unit.
    pub row: &'a UnitRow<'a>,
    /// Place in the list of hardware.
    pub hardware: usize,
    /// Replicas in one instance.
    pub replicas: u32,
    /// Largest batch that the memory limit per server allows.
    pub max_batch: u32,
    /// Price of one instance, USD/month.
    pub usd_per_month: f64,
    /// What units of the same model, mode and precision share.
    pub shared: Arc<Shared>,
    /// Classes it may serve.
    pub may: Arc<Vec<bool>>,
}

/// What all units of a model in a mode at a precision share.
#[derive(Debug)]
pub struct Shared {
    /// Index after quantisation loss, where known.
    pub quality: Option<Scored>,
    /// Tokens generated before the answer, by class.
    pub extra_output: Vec<f64>,
}

impl Prospect<'_> {
    /// Optimistic requests/s of one instance by class; 0 = may not serve it.
    #[must_use]
    pub fn upper_rps(&self, catalog: &Catalog, classes: &[Class<'_>]) -> Vec<f64> {
        let step = self.row.step(catalog);
        let upper = |(at, class): (usize, &Class<'_>)| {
            if self.may[at] {
                let traffic = traffic(class, self.shared.extra_output[at]);
                capacity_upper_bound(step, &self.row.memory, &traffic) * f64::from(self.replicas)
            } else {
                0.0
            }
        };
        classes.iter().enumerate().map(upper).collect()
    }
}

/// A unit on an instance type with what it can carry.
#[derive(Debug, Clone)]
pub struct LocalOption<'a> {
    /// What it is.
    pub prospect: Prospect<'a>,
    /// The instance type.
    pub hardware: Hardware<'a>,
    /// Batch cap it runs at, the same for every class it serves.
    pub max_batch: u32,
    /// By class: what one replica carries within every limit.
    pub capacity: Vec<Option<Capacity>>,
    /// By class: why it cannot serve, where it cannot.
    pub refusal: Vec<Option<Refusal>>,
}

impl LocalOption<'_> {
    /// What counts as the same structure: model on GPU.
    #[must_use]
    pub fn structure(&self) -> String {
        structure(&self.prospect.model.id, &self.hardware.gpu.id)
    }

    /// Unique, in a fixed form.
    #[must_use]
    pub fn id(&self) -> String {
        format!("{}/b{}", id(&self.prospect, &self.hardware), self.max_batch)
    }

    /// How people name it: `Llama-3.1-8B-Instruct fp8 on 1 x l4, runpod`.
    #[must_use]
    pub fn label(&self) -> String {
        let unit = &self.prospect.row.unit;
        let mode = if self.prospect.mode == "default" { "" } else { " (no thinking)" };
        format!(
            "{}{mode} {} on {} x {}, {}",
            short(&unit.model.id),
            unit.weights,
            unit.gpus,
            unit.gpu.id,
            self.hardware.provider
        )
    }

    /// True where it may serve some class.
    #[must_use]
    pub fn serves_any(&self) -> bool {
        self.capacity.iter().any(Option::is_some)
    }
}

/// The part of an id behind the organisation.
#[must_use]
pub fn short(id: &str) -> &str {
    id.rsplit_once('/').map_or(id, |(_, name)| name)
}

/// What counts as the same structure of an own engine: model on GPU.
#[must_use]
pub fn structure(model: &str, gpu: &str) -> String {
    format!("local {model} on {gpu}")
}

/// Unique name of a unit on an instance type.
#[must_use]
pub fn id(prospect: &Prospect<'_>, hardware: &Hardware<'_>) -> String {
    let unit = &prospect.row.unit;
    format!(
        "{}/{}/{}/kv-{}/tp{}pp{}/{}/{}",
        unit.model.id,
        prospect.mode,
        unit.weights,
        prospect.row.kv_word(),
        unit.tensor_parallel,
        unit.pipeline_parallel,
        unit.engine.id,
        hardware.id
    )
}

/// Tokens generated before the answer.
#[must_use]
pub fn extra_output(catalog: &Catalog, model: &Model, mode: &str, class: &Class<'_>) -> f64 {
    class.workload.thought_tokens(catalog, model.thinking_by_default && mode == "default")
}

/// The traffic of a class as the oracle reads it.
#[must_use]
pub fn traffic<'r>(class: &Class<'r>, extra_output: f64) -> Traffic<'r> {
    Traffic {
        lengths: &class.workload.lengths,
        extra_output,
        prefix_hit: class.workload.prefix_hit,
        context_tokens: class.workload.context_tokens + extra_output,
    }
}

/// A model in a mode at a precision that may serve some class, as far as the model alone tells.
#[derive(Debug)]
pub struct Line<'a> {
    /// The model, and its place in the catalog.
    pub(crate) model: &'a Model,
    pub(crate) at: usize,
    /// `default`, or `nothink`.
    mode: &'static str,
    /// Place in the catalog's precisions.
    pub(crate) precision: usize,
    shared: Arc<Shared>,
    /// By class, the rule that refuses it.
    refusals: Vec<Option<Refusal>>,
}

/// Models, modes and precisions that may serve some class, in the catalog's order; the rest is booked with every unit
/// and instance it would have had.
#[must_use]
pub fn lines<'a>(
    question: &Question<'_, 'a>,
    classes: &[Class<'_>],
    kept: &[Hardware<'a>],
    tally: &mut Tally,
) -> Vec<Line<'a>> {
    let models: Vec<usize> = (0..question.catalog.models.len()).collect();
    let parts: Vec<(Vec<Line<'a>>, Tally)> =
        models.par_iter().map(|model| lines_of(question, classes, kept, *model)).collect();
    let mut all = Vec::new();
    for (part, counts) in parts {
        all.extend(part);
        tally.add(counts);
    }
    all
}

fn lines_of<'a>(
    question: &Question<'_, 'a>,
    classes: &[Class<'_>],
    kept: &[Hardware<'a>],
    at: usize,
) -> (Vec<Line<'a>>, Tally) {
    let catalog = question.catalog;
    let model = &catalog.models[at];
    let mut tally = Tally::default();
    let mut found = Vec::new();
    // A model refused as a whole is one candidate: its units are not even listed.
    if let Some(refusal) = refused_model(question, model) {
        tally.candidates += 1;
        tally.refuse(1, || model.id.clone(), &refusal);
        return (found, tally);
    }
    for mode in quality::modes_of_model(model) {
        let extra_output: Vec<f64> =
            classes.iter().map(|class| extra_output(catalog, model, mode, class)).collect();
        let by_class: Vec<Option<Refusal>> = classes
            .iter()
            .zip(&extra_output)
            .map(|(class, more)| refused_for(question, class, model, mode, *more))
            .collect();
        for precision in question.bench.precisions(model) {
            let weights = &catalog.precisions[precision].id;
            let scored = quality::of_model(catalog, model, mode, weights);
            let mut refusals = by_class.clone();
            for (class, refusal) in classes.iter().zip(&mut refusals) {
                if refusal.is_none() && class.floor.is_some() {
                    *refusal = guessed(question, &catalog.precisions[precision]);
                }
                if refusal.is_none() {
                    *refusal = floor_refusal(question, class, scored.as_ref(), &model.quality_subject);
                }
            }
            let word =
                refused_word(question.requirements, &[(|filter| &filter.precisions, &[weights.0.as_str()])]);
            if let Some(refusal) = word.as_ref().or_else(|| nobody(&refusals)) {
                let count = kept.iter().map(|hardware| question.bench.shapes(precision, hardware)).sum();
                tally.candidates += count;
                tally.refuse(count, || format!("{} {weights}", model.id), refusal);
                continue;
            }
            let shared = Arc::new(Shared { quality: scored, extra_output: extra_output.clone() });
            found.push(Line { model, at, mode, precision, shared, refusals });
        }
    }
    (found, tally)
}

/// Below three bits a weight, a loss that nobody measured says nothing: such a precision passes no floor unless the
/// request names its precisions.
fn guessed(question: &Question<'_, '_>, fact: &PrecisionFact) -> Option<Refusal> {
    const BYTES_MIN: f64 = 3.0 / 8.0;
    let named = !question.requirements.allow.precisions.is_empty();
    (!named && fact.provenance.assumed && fact.bytes_per_weight < BYTES_MIN).then(|| {
        Refusal::word("quality", format!("a loss at {} that nobody measured", fact.id), "a measured loss")
    })
}

/// Units of every line on some of the hardware.
#[must_use]
pub fn prospects<'a>(
    question: &Question<'_, 'a>,
    classes: &[Class<'_>],
    lines: &[Line<'a>],
    kept: &[Hardware<'a>],
    places: &[usize],
    tally: &mut Tally,
) -> Vec<Prospect<'a>> {
    let parts: Vec<(Vec<Prospect<'a>>, Tally)> = lines
        .par_iter()
        .map(|line| {
            let mut tally = Tally::default();
            let mut found = Vec::new();
            for place in places {
                units_on(question, classes, line, &kept[*place], *place, &mut found, &mut tally);
            }
            (found, tally)
        })
        .collect();
    let mut all = Vec::new();
    for (part, counts) in parts {
        all.extend(part);
        tally.add(counts);
    }
    all
}

fn units_on<'a>(
    question: &Question<'_, 'a>,
    classes: &[Class<'_>],
    line: &Line<'a>,
    hardware: &Hardware<'a>,
    hardware_at: usize,
    found: &mut Vec<Prospect<'a>>,
    tally: &mut Tally,
) {
    let times = hardware.stands_for;
    let weights = &question.catalog.precisions[line.precision].id;
    let who = |gpus: u32| format!("{} {weights} on {gpus} x {}", line.model.id, hardware.gpu.id);
    let units = question.bench.units(line.at, line.precision, hardware.gpu);
    for ((gpus, _), (count, refusal)) in &units.misfits {
        if hardware.replicas(*gpus) > 0 {
            tally.candidates += count * times;
            tally.refuse(count * times, || who(*gpus), refusal);
        }
    }
    for row in &units.rows {
        let replicas = hardware.replicas(row.unit.gpus);
        if replicas == 0 {
            continue;
        }
        tally.candidates += times;
        if let Some(refusal) = refused_unit(question, row) {
            tally.refuse(times, || who(row.unit.gpus), &refusal);
            continue;
        }
        let mut refusals = line.refusals.clone();
        for ((class, more), refusal) in classes.iter().zip(&line.shared.extra_output).zip(&mut refusals) {
            if refusal.is_none() {
                *refusal = refused_context(row, class, *more);
            }
        }
        if let Some(refusal) = nobody(&refusals) {
            tally.refuse(times, || who(row.unit.gpus), refusal);
            continue;
        }
        let open: Arc<Vec<bool>> = Arc::new(refusals.iter().map(Option::is_none).collect());
        match place(question, classes, row, hardware, replicas, &open, &line.shared.extra_output) {
            Ok((replicas, max_batch, may)) => {
                tally.dominated += times - 1;
                found.push(Prospect {
                    model: line.model,
                    mode: line.mode,
                    row,
                    hardware: hardware_at,
                    replicas,
                    max_batch,
                    usd_per_month: hardware.price(row.unit.gpus) * question.requirements.hours_per_month,
                    shared: Arc::clone(&line.shared),
                    may,
                });
            }
            Err(refusal) => tally.refuse(times, || who(row.unit.gpus), &refusal),
        }
    }
}

/// Units that lines would have on hardware that is not looked at.
#[must_use]
pub fn unseen(question: &Question<'_, '_>, lines: &[Line<'_>], hardware: &Hardware<'_>) -> u64 {
    lines.iter().map(|line| question.bench.shapes(line.precision, hardware)).sum()
}

/// The first refusal, if every class refuses.
fn nobody(by_class: &[Option<Refusal>]) -> Option<&Refusal> {
    if by_class.iter().all(Option::is_some) { by_class.iter().flatten().next() } else { None }
}

fn refused_model(question: &Question<'_, '_>, model: &Model) -> Option<Refusal> {
    let requirements = question.requirements;
    if !question.local() {
        return Some(Refusal::word("routing", "local", "cloud"));
    }
    if let Some(released) = model.released.filter(|released| *released > requirements.as_of) {
        return Some(Refusal::word(
            "in_force",
            format!("released on {released}"),
            requirements.as_of.to_string(),
        ));
    }
    let names: Vec<&str> = model.names().collect();
    refused_word(
        requirements,
        &[(|filter| &filter.models, &names), (|filter| &filter.licences, &[model.licence.as_str()])],
    )
}

fn refused_unit(question: &Question<'_, '_>, row: &UnitRow<'_>) -> Option<Refusal> {
    let unit = &row.unit;
    if question.forbid.contains(&structure(&unit.model.id, &unit.gpu.id)) {
        return Some(Refusal::word("deny", structure(&unit.model.id, &unit.gpu.id), "another structure"));
    }
    let figure = |measure| match measure {
        Measure::GpusPerReplica => Some(Some(f64::from(unit.gpus))),
        _ => None,
    };
    if let Some(refusal) = crate::custom::refusal(question.rules, question.requirements, None, &figure) {
        return Some(refusal);
    }
    let gpu_names: Vec<&str> = unit.gpu.names().collect();
    refused_word(
        question.requirements,
        &[
            (|filter| &filter.precisions, &[unit.weights.0.as_str()]),
            (|filter| &filter.engines, &[unit.engine.family.as_str()]),
            (|filter| &filter.gpus, &gpu_names),
        ],
    )
}

/// Rules about one class that need the model only.
fn refused_for(
    question: &Question<'_, '_>,
    class: &Class<'_>,
    model: &Model,
    mode: &str,
    extra_output: f64,
) -> Option<Refusal> {
    let workload = class.workload;
    for need in &workload.needs {
        let has = model.has.contains(need) && !(need == "reasoning" && mode == "nothink");
        if !has {
            let known = model.lacks.contains(need) || model.has.contains(need);
            return Some(Refusal::word("needs", if known { "absent" } else { "unknown" }, need.clone()));
        }
    }
    let (need, window) = (workload.context_tokens + extra_output, f64::from(model.max_context));
    if need > window {
        return Some(Refusal::figure("context_tokens", window, Op::AtLeast, need, "tokens"));
    }
    let figure = |measure| (measure == Measure::ContextTokens).then_some(Some(window));
    crate::custom::refusal(question.rules, question.requirements, Some(workload), &figure)
}

/// One longest request must fit the KV pool of a replica.
fn refused_context(row: &UnitRow<'_>, class: &Class<'_>, extra_output: f64) -> Option<Refusal> {
    let need = class.workload.context_tokens + extra_output;
    let sequences = row.memory.sequences(need);
    (sequences < 1.0)
        .then(|| Refusal::figure("context_tokens", sequences * need, Op::AtLeast, need, "tokens"))
}

/// The quality floor of a class, tier, index or raw benchmark.
#[must_use]
pub fn floor_refusal(
    question: &Question<'_, '_>,
    class: &Class<'_>,
    scored: Option<&Scored>,
    subject: &Option<String>,
) -> Option<Refusal> {
    let index = |measure| (measure == Measure::QualityIndex).then(|| scored.map(|scored| scored.index));
    if let Some(refusal) =
        crate::custom::refusal(question.rules, question.requirements, Some(class.workload), &index)
    {
        return Some(refusal);
    }
    let floor = class.floor?;
    let verdict =
        quality::judge(question.catalog, question.requirements.as_of, floor, scored, subject.as_deref());
    let rule = if matches!(floor, QualityFloor::Benchmark { .. }) { "benchmark" } else { "quality" };
    let unit = if rule == "benchmark" { "share" } else { "index" };
    match verdict {
        Verdict::Passes => None,
        Verdict::Below { got, need } => Some(Refusal::figure(rule, got, Op::AtLeast, need, unit)),
        Verdict::Unknown { need } => {
            let asked = need.map_or_else(|| "a known index".to_owned(), |need| format!("{unit} {need}"));
            Some(Refusal::word(rule, "unknown", asked))
        }
    }
}

/// Data rules, memory of the server: what depends on the instance. Gives replicas, batch cap and classes.
fn place(
    question: &Question<'_, '_>,
    classes: &[Class<'_>],
    row: &UnitRow<'_>,
    hardware: &Hardware<'_>,
    replicas: u32,
    open: &Arc<Vec<bool>>,
    extra: &[f64],
) -> Result<(u32, u32, Arc<Vec<bool>>), Refusal> {
    // Offers were held to it when they were listed; what an owned server costs depends on the unit.
    let price = |measure| (measure == Measure::UsdPerHour).then(|| Some(hardware.price(row.unit.gpus)));
    if let Some(refusal) = crate::custom::refusal(question.rules, question.requirements, None, &price) {
        return Err(refusal);
    }
    let mut first = None;
    let mut mask = Arc::clone(open);
    for (at, class) in classes.iter().enumerate() {
        let refusal = class.workload.data.iter().find_map(|word| match word.as_str() {
            "eu-only" if hardware.in_eu != Some(true) && !hardware.is_owned() => {
                let got = if hardware.in_eu.is_none() { "unknown" } else { "outside the EU" };
                Some(Refusal::word("data_eu_only", got, "eu-only"))
            }
            "on-premises" if !hardware.is_owned() => {
                Some(Refusal::word("data_on_premises", hardware.provider.clone(), "on-premises"))
            }
            _ => None,
        });
        if refusal.is_some() && mask[at] {
            Arc::make_mut(&mut mask)[at] = false;
        }
        first = first.or(refusal);
    }
    if !mask.contains(&true) {
        return Err(
            first.unwrap_or_else(|| Refusal::word("data_on_premises", "no class", "a class it may serve"))
        );
    }
    let Some(limit) = question.requirements.limits.memory_gib_per_server else {
        return Ok((replicas, row.unit.max_batch, mask));
    };
    // Planned concurrency x mean request, and never less than one longest request.
    let serving =
        || classes.iter().zip(extra).zip(mask.iter()).filter(|(_, may)| **may).map(|(pair, _)| pair);
    let mean = serving()
        .map(|(class, more)| class.workload.lengths.input_mean + class.workload.lengths.output_mean + more)
        .fold(1.0, f64::max);
    let longest = serving().map(|(class, more)| class.workload.context_tokens + more).fold(1.0, f64::max);
    let least = row.memory.required_gib(1.0, longest);
    for replicas in (1..=replicas).rev() {
        let each = limit / f64::from(replicas);
        if least <= each {
            let one = row.memory.required_gib(1.0, mean) - row.memory.required_gib(0.0, mean);
            let room = ((each - row.memory.required_gib(0.0, mean)) / one.max(1e-9)).floor();
            #[allow(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "clamped to the engine's cap"
            )]
            let batch = room.clamp(1.0, f64::from(row.unit.max_batch)) as u32;
            return Ok((replicas, batch, mask));
        }
    }
    Err(Refusal::figure("memory_gib_per_server", least, Op::AtMost, limit, "GiB"))
}

/// The first limit of a class that `held` (measure and statistic at the asked confidence, ms) breaks.
#[must_use]
pub fn latency_refusal(
    class: &Class<'_>,
    held: &dyn Fn(LatencyMeasure, Statistic) -> f64,
) -> Option<Refusal> {
    class.workload.latency.iter().find_map(|limit| {
        let got = held(limit.measure, limit.statistic);
        (!Op::AtMost.holds(got, limit.ms))
            .then(|| Refusal::figure(limit.measure.word(), got, Op::AtMost, limit.ms, "ms"))
    })
}

/// An estimate that is a judgement complies with nothing.
#[must_use]
pub fn untrusted(basis: Basis) -> Option<Refusal> {
    (basis == Basis::Assumed)
        .then(|| Refusal::word("estimate_trusted", "assumed", "a calibrated or measured estimate"))
}
