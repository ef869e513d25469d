//! Lines on hardware: which units may serve which class, before any queueing is estimated.
//!
//! In: lines and instance types. Out: [`Prospect`]s; every unit left out is booked by rule.

use std::sync::Arc;

use rayon::prelude::*;

use super::Question;
use super::class::Class;
use super::filter::refused_word;
use super::hardware::Hardware;
use super::limit::nobody;
use super::line::Line;
use super::local::{Prospect, structure};
use super::spot::{Cover, not_covered};
use super::tally::Tally;
use super::unit::UnitRow;
use crate::measure::Measure;
use crate::reason::{Op, Refusal};

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
    tally.gather(parts)
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

/// One longest request must fit the KV pool of a replica.
fn refused_context(row: &UnitRow<'_>, class: &Class<'_>, extra_output: f64) -> Option<Refusal> {
    let need = class.workload.context_tokens + extra_output;
    let sequences = row.memory.sequences(need);
    (sequences < 1.0)
        .then(|| Refusal::figure("context_tokens", sequences * need, Op::AtLeast, need, "tokens"))
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
    if hardware.is_owned() {
        let price = |measure| (measure == Measure::UsdPerHour).then(|| Some(hardware.price(row.unit.gpus)));
        if let Some(refusal) = crate::custom::refusal(question.rules, question.requirements, None, &price) {
            return Err(refusal);
        }
    }
    let mut first = None;
    let mut mask = Arc::clone(open);
    for (at, class) in classes.iter().enumerate() {
        let refusal = class.workload.data.iter().find_map(|word| match word.as_str() {
            "eu-only" if hardware.in_eu != Some(true) && !hardware.on_premises() => {
                let got = if hardware.in_eu.is_none() { "unknown" } else { "outside the EU" };
                Some(Refusal::word("data_eu_only", got, "eu-only"))
            }
            "on-premises" if !hardware.on_premises() => {
                Some(Refusal::word("data_on_premises", hardware.provider.clone(), "on-premises"))
            }
            _ => None,
        });
        let refusal = refusal.or_else(|| {
            let on = hardware.spot.as_ref()?;
            (on.cover[at] == Cover::Nothing).then(not_covered)
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
