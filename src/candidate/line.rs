//! Models in a mode at a precision that may serve some class, as far as the model alone tells.
//!
//! In: a question and its classes. Out: [`Line`]s; what is left out is booked with every unit and instance it would
//! have had. `place.rs` puts the lines on hardware.

use std::sync::Arc;

use rayon::prelude::*;

use super::Question;
use super::class::Class;
use super::filter::refused_word;
use super::hardware::Hardware;
use super::limit::{floor_refusal, nobody};
use super::local::{Shared, extra_output, traffic};
use super::memo::Memo;
use super::tally::Tally;
use crate::catalog::Model;
use crate::catalog::precision::PrecisionFact;
use crate::measure::Measure;
use crate::quality;
use crate::reason::{Op, Refusal};

/// A model in a mode at a precision that may serve some class, as far as the model alone tells.
#[derive(Debug, Clone)]
pub struct Line<'a> {
    /// The model, and its place in the catalog.
    pub(crate) model: &'a Model,
    pub(crate) at: usize,
    /// `default`, or `nothink`.
    pub(super) mode: &'static str,
    /// Place in the catalog's precisions.
    pub(crate) precision: usize,
    pub(super) shared: Arc<Shared>,
    /// By class, the rule that refuses it.
    pub(super) refusals: Vec<Option<Refusal>>,
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
    tally.gather(parts)
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
        let asked: Vec<(u32, u32)> = match question.bench.memo() {
            Some(memo) => numbers(question, memo, classes, &extra_output),
            None => Vec::new(),
        };
        for precision in question.bench.precisions(model) {
            let weights = &catalog.precisions[precision].id;
            let scored = quality::of_model(catalog, model, mode, weights);
            let mut refusals = by_class.clone();
            for (class, refusal) in classes.iter().zip(&mut refusals) {
                if refusal.is_none() && (class.floor.is_some() || class.reads_index()) {
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
            let shared = Arc::new(Shared {
                quality: scored,
                extra_output: extra_output.clone(),
                asked: asked.clone(),
            });
            found.push(Line { model, at, mode, precision, shared, refusals });
        }
    }
    (found, tally)
}

/// By class, the numbers of what is asked of a unit, with and without its limits.
fn numbers(
    question: &Question<'_, '_>,
    memo: &Memo,
    classes: &[Class<'_>],
    extra_output: &[f64],
) -> Vec<(u32, u32)> {
    let of = |(class, more): (&Class<'_>, &f64)| {
        let traffic = traffic(class, *more);
        let confidence = question.requirements.confidence;
        (memo.number(&traffic, &class.workload.latency, confidence), memo.number(&traffic, &[], confidence))
    };
    classes.iter().zip(extra_output).map(of).collect()
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
