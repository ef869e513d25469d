//! Why not something else: what each other option would cost alone, and the rule or price that decided.
//!
//! In: a question, its field, the winner. Out: [`RunnerUp`]s: first those people would ask about because they are
//! cheaper but refused, then those that comply but are dearer.

mod judged;

use judged::judged;
use rayon::prelude::*;

use super::why_not::Best;
use crate::candidate::hardware::{Hardware, hardware, undominated};
use crate::candidate::limit::floor_refusal;
use crate::candidate::line::{Line, lines};
use crate::candidate::local::{LocalOption, id as local_id};
use crate::candidate::place::prospects;
use crate::candidate::screen::estimate;
use crate::candidate::spot::{Cover, Spot};
use crate::candidate::{Class, HostedOption, Question, Tally};
use crate::estimate::{held_ms, loaded};
use crate::formulate::Field;
use crate::plan::measure_name;
use crate::reason::{Op, Quantity, Reason, Refusal, Told};
use crate::recommendation::{Kind, MeasureRow, Plan, RunnerUp, WinsAt};
use crate::requirements::{LatencyMeasure, QualityFloor, Statistic};

/// Options listed of each sort.
const LISTED: usize = 6;
/// Up to this many patterns in `allow.models` the request names its options, and each gets a verdict.
const NAMED_MODELS_MAX: usize = 12;

/// Why the others lost.
#[must_use]
pub fn runners_up<'c>(question: &Question<'_, 'c>, field: &Field<'_, 'c>, answer: Best<'_>) -> Vec<RunnerUp> {
    let best = answer.plan;
    let alone = best.deployments.iter().filter(|deployment| !deployment.fallback_only).count() == 1;
    let named = names_its_options(question);
    let in_plan = |runner: &RunnerUp, gpu: Option<&str>| {
        best.deployments.iter().any(|deployment| {
            deployment.model == runner.model
                && deployment.engine.as_ref().map(|engine| engine.gpu.as_str()) == gpu
                && (!named || gpu.is_none() || deployment.label == runner.label)
        })
    };
    let mut all = verdicts(question, field, Some(best));
    all.retain(|(runner, gpu)| !(alone && in_plan(runner, gpu.as_deref())));
    let chosen = choose(question, all, best.usd_per_month);
    let judged = chosen.into_par_iter().map(|(runner, gpu)| judged(question, answer, runner, gpu.as_deref()));
    let mut told: Vec<RunnerUp> = judged.collect();
    let dearer = |runner: &RunnerUp| matches!(runner.reason.fact, Reason::Dearer { .. });
    told.sort_by(|a, b| {
        let usd = |runner: &RunnerUp| runner.usd_per_month.unwrap_or(f64::INFINITY);
        let order = (!named && dearer(a)).cmp(&(!named && dearer(b)));
        order.then(usd(a).total_cmp(&usd(b))).then_with(|| a.label.cmp(&b.label))
    });
    // One structure may have come out as another's plan.
    told.dedup_by(|a, b| a.label == b.label && a.usd_per_month == b.usd_per_month);
    told
}

/// The nearest options of an infeasible request.
#[must_use]
pub fn refused<'c>(question: &Question<'_, 'c>, field: &Field<'_, 'c>) -> Vec<RunnerUp> {
    let chosen = choose(question, verdicts(question, field, None), f64::INFINITY);
    chosen.into_iter().map(|(runner, _)| runner).collect()
}

fn names_its_options(question: &Question<'_, '_>) -> bool {
    let models = &question.requirements.allow.models;
    !models.is_empty() && models.len() <= NAMED_MODELS_MAX
}

/// A verdict, and the GPU of an own engine.
type Placed = (RunnerUp, Option<String>);

/// Cheaper but refused, then dearer, a few of each; all of them where the request names its options.
fn choose(question: &Question<'_, '_>, mut all: Vec<Placed>, best_usd: f64) -> Vec<Placed> {
    all.sort_by(|a, b| {
        let usd = |runner: &RunnerUp| runner.usd_per_month.unwrap_or(f64::INFINITY);
        usd(&a.0).total_cmp(&usd(&b.0)).then_with(|| a.0.label.cmp(&b.0.label))
    });
    // A model listed under two names at one price is one option.
    all.dedup_by(|(b, _), (a, _)| {
        let subject = |runner: &RunnerUp| {
            let api = question.catalog.api_on(&runner.model, question.requirements.as_of)?;
            Some((api.provider.clone(), api.quality_subject.clone()?, runner.label.contains("(no thinking)")))
        };
        a.usd_per_month == b.usd_per_month && subject(a).is_some() && subject(a) == subject(b)
    });
    if names_its_options(question) {
        all.truncate(40);
        return all;
    }
    let dearer = |runner: &RunnerUp| matches!(runner.reason.fact, Reason::Dearer { .. });
    let cheaper_refused = all
        .iter()
        .filter(|(runner, _)| !dearer(runner) && runner.usd_per_month.is_some_and(|usd| usd <= best_usd));
    let mut chosen: Vec<Placed> = cheaper_refused.rev().take(LISTED).cloned().collect();
    chosen.reverse();
    chosen.extend(all.iter().filter(|(runner, _)| dearer(runner)).take(LISTED).cloned());
    chosen
}

/// A verdict on each hosted model and each model on a GPU, with the GPU; where the request names its options, on each
/// precision by itself, and on what does not fit.
fn verdicts<'c>(
    question: &Question<'_, 'c>,
    field: &Field<'_, 'c>,
    best: Option<&Plan>,
) -> Vec<(RunnerUp, Option<String>)> {
    let mut all: Vec<(RunnerUp, Option<String>)> = Vec::new();
    let any_waits = field.classes.iter().any(|class| class.workload.deferrable_hours > 0.0);
    for option in &field.hosted {
        let about_words = option.terms.iter().any(|terms| {
            terms.refusal.as_ref().is_some_and(|refusal| {
                matches!(refusal.rule.as_str(), "allow" | "deny" | "retired" | "routing")
            })
        });
        // A tier that answers later is worth a word only beside work that may wait at all.
        let at_once = option.api.tier == crate::catalog::ServiceTier::Standard;
        if !about_words && (at_once || any_waits) {
            all.push((hosted_verdict(question, field, option, best), None));
        }
    }
    if !question.local() {
        return all;
    }
    let (named, misfits) =
        if names_its_options(question) { named_locals(question, field) } else { (Vec::new(), Vec::new()) };
    // Where something must stand behind spot instances, they are no option alone.
    let alone = |option: &&LocalOption<'_>| {
        let covered = |on: &Spot| on.cover.iter().all(|cover| *cover == Cover::Waits);
        option.hardware.spot.as_ref().is_none_or(covered)
    };
    let options: Vec<&LocalOption<'c>> =
        if named.is_empty() { field.locals.iter().filter(alone).collect() } else { named.iter().collect() };
    let mut seen: std::collections::BTreeMap<String, (RunnerUp, Option<String>)> =
        std::collections::BTreeMap::new();
    for option in options {
        let runner = local_verdict(question, field, option, best);
        let rank = |runner: &RunnerUp| {
            (
                !matches!(runner.reason.fact, Reason::Dearer { .. }),
                runner.usd_per_month.unwrap_or(f64::INFINITY),
            )
        };
        let mut key = option.structure();
        if !named.is_empty() {
            key = format!("{key} {}", option.prospect.row.unit.weights);
        }
        let better = seen.get(&key).is_none_or(|(known, _)| {
            let (a, b) = (rank(&runner), rank(known));
            a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)).is_lt()
        });
        if better {
            seen.insert(key, (runner, Some(option.hardware.gpu.id.clone())));
        }
    }
    all.extend(seen.into_values());
    all.extend(misfits.into_iter().map(|runner| (runner, None)));
    all
}

/// Every unit of the few models a request names, estimated whatever the rules say; and those that do not fit.
fn named_locals<'a>(
    question: &Question<'_, 'a>,
    field: &Field<'_, '_>,
) -> (Vec<LocalOption<'a>>, Vec<RunnerUp>) {
    let mut free = question.requirements.clone();
    for workload in &mut free.workloads {
        workload.quality = None;
        workload.premium = None;
        workload.data.clear();
        workload.needs.clear();
        workload.context_tokens = 1.0;
    }
    free.limits.memory_gib_per_server = None;
    let classes = crate::candidate::classes(&free);
    if classes.len() != field.classes.len() {
        return (Vec::new(), Vec::new()); // a premium split: the classes do not line up
    }
    let about = question.about(&free);
    let mut ignored = Tally::default();
    let all = hardware(&free, question.rules, question.catalog, &mut ignored);
    let kept = undominated(&all, &free);
    let lines = lines(&about, &classes, &kept, &mut ignored);
    let misfits = misfits(question, &lines, &kept);
    let places: Vec<usize> = (0..kept.len()).collect();
    let list = prospects(&about, &classes, &lines, &kept, &places, &mut ignored);
    // Of each model, GPU and precision, the cheapest instance and, on it, the most promising unit.
    let mut best: std::collections::BTreeMap<String, crate::candidate::local::Prospect<'a>> =
        std::collections::BTreeMap::new();
    for prospect in list {
        let key = format!("{} {} {}", prospect.model.id, prospect.row.unit.gpu.id, prospect.row.unit.weights);
        let rank = |p: &crate::candidate::local::Prospect<'_>| {
            (p.usd_per_month, -p.upper_rps(question.catalog, &classes).iter().sum::<f64>())
        };
        let better = best.get(&key).is_none_or(|known| {
            let (a, b) = (rank(&prospect), rank(known));
            a.0.total_cmp(&b.0)
                .then(a.1.total_cmp(&b.1))
                .then_with(|| {
                    local_id(&prospect, &kept[prospect.hardware]).cmp(&local_id(known, &kept[known.hardware]))
                })
                .is_lt()
        });
        if better {
            best.insert(key, prospect);
        }
    }
    let estimated =
        best.into_values().flat_map(|prospect| estimate(question, &field.classes, &kept, prospect)).collect();
    (estimated, misfits)
}

/// Of each model, GPU and size of a weight that fits an instance in no layout, the roomiest layout and what it lacks.
fn misfits(question: &Question<'_, '_>, lines: &[Line<'_>], kept: &[Hardware<'_>]) -> Vec<RunnerUp> {
    let mut all = std::collections::BTreeMap::new();
    for line in lines {
        let weights = &question.catalog.precisions[line.precision];
        for hardware in kept {
            let units = question.bench.units(line.at, line.precision, hardware.gpu);
            if units.rows.iter().any(|row| hardware.replicas(row.unit.gpus) > 0) {
                continue;
            }
            let held = units.misfits.iter().filter(|((gpus, _), _)| hardware.replicas(*gpus) > 0);
            let Some(((gpus, _), (_, refusal))) =
                held.max_by_key(|((gpus, rule), _)| (rule == "weights_fit", *gpus))
            else {
                continue;
            };
            let name = crate::candidate::local::short(&line.model.id);
            let label =
                format!("{name} {} on {gpus} x {}, {}", weights.id, hardware.gpu.id, hardware.provider);
            let usd = hardware.price(*gpus) * question.requirements.hours_per_month;
            let mut broken = vec![refusal.reason(&label, "")];
            broken.extend(broken_plan_rules(question, &label, usd, Some(1.0)));
            let (reason, also) = ranked(broken);
            let Some(reason) = reason else { continue };
            // bf16 and fp16 lack the same.
            let key = (line.model.id.clone(), hardware.id.clone(), weights.bytes_per_weight.to_bits());
            all.entry(key).or_insert(RunnerUp {
                model: line.model.id.clone(),
                kind: Kind::Local,
                usd_per_month: Some(usd),
                reason: reason.into(),
                also,
                wins_at: None,
                measures: Vec::new(),
                label,
            });
        }
    }
    all.into_values().collect()
}

fn dearer(who: &str, usd: f64, best: Option<&Plan>) -> Reason {
    Reason::Dearer {
        who: who.to_owned(),
        usd_per_month: usd,
        best_usd_per_month: best.map_or(usd, |plan| plan.usd_per_month),
    }
}

/// What decided, and what else is broken: rules nothing can mend first, then money, quality, speed, redundancy.
fn ranked(mut broken: Vec<Reason>) -> (Option<Reason>, Vec<Told>) {
    let rank = |reason: &Reason| match reason {
        Reason::Breaks { rule, .. } | Reason::Forbidden { rule, .. } => match rule.as_str() {
            "usd_per_month" | "usd_per_request" => 1,
            "quality" | "benchmark" => 2,
            "ttft_ms" | "tpot_ms" | "e2e_ms" | "capacity" => 3,
            "availability" => 4,
            _ => 0,
        },
        _ => 5,
    };
    broken.sort_by_key(rank);
    let mut rest = broken.into_iter();
    let first = rest.next();
    (first, rest.map(Into::into).collect())
}

/// The rules of the whole plan that an option alone would break.
fn broken_plan_rules(question: &Question<'_, '_>, who: &str, usd: f64, up: Option<f64>) -> Vec<Reason> {
    let requirements = question.requirements;
    let figure = |rule: &str, got: f64, op: Op, allowed: f64, unit: &str| Reason::Breaks {
        who: who.to_owned(),
        workload: String::new(),
        rule: rule.to_owned(),
        got: Quantity::new(got, unit),
        op,
        allowed: Quantity::new(allowed, unit),
    };
    let each = usd / crate::plan::requests_per_month(question).max(f64::MIN_POSITIVE);
    let up = up.unwrap_or(0.0);
    let rules = [
        ("usd_per_month", usd, Op::AtMost, requirements.budget.usd_per_month, "USD/month"),
        ("usd_per_request", each, Op::AtMost, requirements.budget.usd_per_request, "USD/request"),
        ("availability", up, Op::AtLeast, requirements.availability, "share"),
    ];
    let broken = |(rule, got, op, allowed, unit): (&str, f64, Op, Option<f64>, &str)| {
        let allowed = allowed.filter(|allowed| !op.holds(got, *allowed))?;
        Some(figure(rule, got, op, allowed, unit))
    };
    rules.into_iter().filter_map(broken).collect()
}

fn hosted_verdict(
    question: &Question<'_, '_>,
    field: &Field<'_, '_>,
    option: &HostedOption<'_>,
    best: Option<&Plan>,
) -> RunnerUp {
    let usd: f64 = field
        .classes
        .iter()
        .zip(&option.terms)
        .map(|(class, terms)| class.requests_per_month() * terms.usd_per_request)
        .sum();
    let label = option.label();
    let mut broken: Vec<Reason> = field
        .classes
        .iter()
        .zip(&option.terms)
        .filter_map(|(class, terms)| {
            terms.refusal.as_ref().map(|refusal| refusal.reason(&label, &class.name()))
        })
        .collect();
    broken.extend(broken_plan_rules(question, &label, usd, option.uptime));
    let usd_now = option.api.input.get();
    let mut measures = Vec::new();
    for (class, terms) in field.classes.iter().zip(&option.terms) {
        if let Some(latency) = &terms.latency {
            for (measure, statistic, limit) in asked(class) {
                let held = latency.of(measure).at(statistic);
                measures.push(row(class, &label, measure, statistic, limit, latency.estimate(held), held));
            }
        }
    }
    let model = option.api.id.clone();
    let per = "million input tokens, output alike";
    Alone { label, model, kind: Kind::Cloud, usd, per, usd_now, broken, measures }.against(best)
}

/// An option as if it served everything alone.
struct Alone {
    label: String,
    model: String,
    kind: Kind,
    /// A month of it, USD.
    usd: f64,
    /// What its price is for, and that price.
    per: &'static str,
    usd_now: f64,
    /// Every rule it breaks.
    broken: Vec<Reason>,
    measures: Vec<MeasureRow>,
}

impl Alone {
    /// Why it lost: the rule that decided, else its price and the one at which it would win.
    fn against(self, best: Option<&Plan>) -> RunnerUp {
        let (reason, also) = ranked(self.broken);
        let complies = reason.is_none();
        let wins_at = best.filter(|plan| complies && self.usd > plan.usd_per_month).map(|plan| WinsAt {
            per: self.per.to_owned(),
            usd_now: self.usd_now,
            usd: self.usd_now * plan.usd_per_month / self.usd,
        });
        let reason = reason.unwrap_or_else(|| dearer(&self.label, self.usd, best));
        RunnerUp {
            also,
            model: self.model,
            kind: self.kind,
            usd_per_month: Some(self.usd),
            reason: reason.into(),
            wins_at,
            measures: self.measures,
            label: self.label,
        }
    }
}

fn local_verdict(
    question: &Question<'_, '_>,
    field: &Field<'_, '_>,
    option: &LocalOption<'_>,
    best: Option<&Plan>,
) -> RunnerUp {
    let label = option.label();
    let load_factor = 1.0 - question.requirements.headroom;
    let mut instances: f64 = 0.0;
    let mut broken = Vec::new();
    let mut measures = Vec::new();
    for (at, class) in field.classes.iter().enumerate() {
        if let Some(capacity) = &option.capacity[at] {
            let each = capacity.rps * load_factor * f64::from(option.prospect.replicas);
            instances += class.levelled_rps() / each;
        }
        let own = rule_of_class(question, class, option)
            .or_else(|| option.refusal[at].clone())
            .or_else(|| option.capacity[at].is_none().then(|| Refusal::word("capacity", "none", "some")));
        broken.extend(own.map(|refusal| refusal.reason(&label, &class.name())));
        measures.extend(local_rows(question, class, option, at, &label));
    }
    let count = instances.ceil().max(1.0);
    let usd = count * option.prospect.usd_per_month;
    let up = question.catalog.replica_availability();
    broken.extend(broken_plan_rules(question, &label, usd, Some(up.powf(count))));
    let usd_now = option.prospect.usd_per_month / question.requirements.hours_per_month;
    let model = option.prospect.model.id.clone();
    Alone { label, model, kind: Kind::Local, usd, per: "instance hour", usd_now, broken, measures }
        .against(best)
}

/// Rules of a class that an estimate does not look at, in the order people ask: quality, context, memory.
fn rule_of_class(
    question: &Question<'_, '_>,
    class: &Class<'_>,
    option: &LocalOption<'_>,
) -> Option<Refusal> {
    let model = option.prospect.model;
    let need = class.workload.context_tokens;
    if need > f64::from(model.max_context) {
        return Some(Refusal::figure(
            "context_tokens",
            f64::from(model.max_context),
            Op::AtLeast,
            need,
            "tokens",
        ));
    }
    let floor: Option<&QualityFloor> = class.floor;
    floor.and_then(|_| {
        floor_refusal(question, class, option.prospect.shared.quality.as_ref(), &model.quality_subject)
    })
}

fn asked(class: &Class<'_>) -> Vec<(LatencyMeasure, Statistic, Option<f64>)> {
    let mut all: Vec<_> =
        class.workload.latency.iter().map(|limit| (limit.measure, limit.statistic, Some(limit.ms))).collect();
    if all.is_empty() {
        all.push((LatencyMeasure::E2e, Statistic::P95, None));
    }
    all
}

/// Latencies at the rate one replica would see, or on an idle replica where it can carry nothing.
fn local_rows(
    question: &Question<'_, '_>,
    class: &Class<'_>,
    option: &LocalOption<'_>,
    at: usize,
    label: &str,
) -> Vec<MeasureRow> {
    let step = option.prospect.row.step(question.catalog);
    let traffic = crate::candidate::local::traffic(class, option.prospect.shared.extra_output[at]);
    let memory = &option.prospect.row.memory;
    let (rate, batch) = match &option.capacity[at] {
        Some(capacity) => {
            let replicas = (class.levelled_rps() / capacity.rps).ceil().max(1.0);
            ((class.levelled_rps() / replicas).min(capacity.rps), capacity.max_batch)
        }
        None => (1e-6, option.prospect.row.unit.max_batch),
    };
    let Ok(found) = loaded(step, memory, &traffic, rate, batch) else { return Vec::new() };
    asked(class)
        .into_iter()
        .map(|(measure, statistic, limit)| {
            let value_ms = found.of(measure).at(statistic);
            let estimate = step.estimate((measure, statistic), value_ms, &traffic);
            let confidence = question.requirements.confidence;
            let held =
                held_ms(step, memory, &traffic, &[(traffic, rate)], batch, confidence, (measure, statistic));
            row(class, label, measure, statistic, limit, estimate, held)
        })
        .collect()
}

fn row(
    class: &Class<'_>,
    target: &str,
    measure: LatencyMeasure,
    statistic: Statistic,
    limit: Option<f64>,
    estimate: crate::estimate::Estimate,
    held: f64,
) -> MeasureRow {
    MeasureRow {
        workload: class.workload.name.clone(),
        target: target.to_owned(),
        measure: measure_name(measure, statistic),
        value: estimate.value,
        low: estimate.low,
        high: estimate.high,
        held_to: held,
        limit,
        slack: limit.map(|limit| limit - held),
        basis: estimate.basis,
    }
}
