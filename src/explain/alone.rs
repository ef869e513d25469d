//! What an option would do alone, by solving for it: with all its ways to pay, within every rule, else without those it
//! breaks.
//!
//! In: a question and [`Only`] one option. Out: its plan, or every rule it breaks by itself, each with its figure, and what
//! it would cost without them. A world in which only one rule stands tells whether the option breaks that rule.

use std::collections::BTreeSet;

use crate::candidate::filter::{Pair, refused_word};
use crate::candidate::{Question, Tally};
use crate::catalog::{Api, Gpu, Model};
use crate::explain::conflict::{MOVABLE, without};
use crate::formulate::field;
use crate::reason::{Op, Quantity, Reason, Refusal};
use crate::recommendation::{Plan, WinsAt};
use crate::requirements::{Objective, Requirements, Routing};
use crate::search::solve_mixed;
use crate::solve::Outcome;

/// One option.
#[derive(Debug, Clone, Copy)]
pub enum Only<'a> {
    /// An engine of one's own.
    Local {
        /// The model.
        model: &'a Model,
        /// On this GPU only.
        gpu: Option<&'a Gpu>,
        /// In this precision only.
        precision: Option<&'a str>,
        /// On so many GPUs a replica.
        gpus: Option<u32>,
        /// At this provider only.
        provider: Option<&'a str>,
    },
    /// A hosted model.
    Hosted(&'a Api),
}

/// What became of an option alone.
pub struct Judged {
    /// Its best plan: within every rule, where it breaks none; else without those it breaks.
    pub plan: Option<Plan>,
    /// Its value of the objective, as it is shown; USD/month, ms, index or kg CO2e/month.
    pub value: Option<f64>,
    /// Every rule it breaks; empty where it complies.
    pub broken: Vec<Reason>,
}

/// Rules that money alone decides: held against the bill of the option, once that is known.
const MONEY: [&str; 2] = ["usd_per_month", "usd_per_request"];
/// Rules of the request that name options: the option itself is held to them by name.
const NAMES: [&str; 5] = ["allow", "deny", "licence", "routing", "retired"];

/// What an option would do alone.
#[must_use]
pub fn judge(question: &Question<'_, '_>, only: Only<'_>, label: &str) -> Judged {
    let asked = only.requirements(question.requirements);
    let mut broken: Vec<Reason> =
        only.named(question).into_iter().map(|refusal| refusal.reason(label, "")).collect();
    if let Ok((plan, value)) = solved(question, &asked, only) {
        return Judged { plan: Some(plan), value: Some(value), broken };
    }
    let asked = Requirements { objective: Objective::Cost, ..asked };
    if question.requirements.objective != Objective::Cost
        && let Ok((plan, _)) = solved(question, &asked, only)
    {
        broken.push(unjudged(question.requirements.objective, label));
        return Judged { plan: Some(plan), value: None, broken };
    }
    // Without every rule there is a plan, unless nothing of the kind can exist.
    let rules: Vec<&str> = MOVABLE
        .into_iter()
        .filter(|rule| !NAMES.contains(rule) && !MONEY.contains(rule))
        .filter(|rule| without(&asked, rule).is_some())
        .collect();
    let free = |kept: Option<&str>| {
        let mut world = asked.clone();
        for rule in rules.iter().copied().chain(MONEY).filter(|rule| Some(*rule) != kept) {
            world = without(&world, rule).unwrap_or(world);
        }
        world
    };
    let bare = solved(question, &free(None), only);
    if let Err(tally) = &bare {
        broken.extend(impossible(question, only, tally, label));
    }
    let mut dropped: Vec<&str> = Vec::new();
    for rule in &rules {
        if let Err(tally) = solved(question, &free(Some(rule)), only) {
            let nearest = tally.nearest.iter().find(|(id, _)| is_of(id, rule));
            match nearest {
                Some((_, (_, refusal))) => broken.push(refusal.reason(label, "")),
                None if bare.is_ok() => broken.push(unheld(rule, label)),
                None => continue,
            }
            dropped.push(rule);
        }
    }
    let drop = |rules: &[&str]| {
        rules.iter().fold(asked.clone(), |world, rule| without(&world, rule).unwrap_or(world))
    };
    let mut all = dropped.clone();
    all.extend(MONEY);
    let (plan, value) = solved(question, &drop(&all), only).or(bare).ok().unzip();
    if let Some(plan) = &plan {
        broken.extend(over(question.requirements, label, plan));
    }
    if broken.is_empty() {
        broken.push(Reason::Forbidden {
            who: label.to_owned(),
            workload: String::new(),
            rule: "routing".to_owned(),
            got: "none complies".to_owned(),
            asked: "every rule together".to_owned(),
        });
    }
    // Several limits of one rule may come out alike.
    let mut said = Vec::new();
    broken.retain(|reason| {
        let new = !said.contains(reason);
        said.push(reason.clone());
        new
    });
    Judged { plan, value, broken }
}

/// Is this id, under which a candidate was refused, part of that rule of the request?
fn is_of(id: &str, rule: &str) -> bool {
    id == rule
        || (rule == "data" && id.starts_with("data_"))
        || (rule == "quality" && id == "benchmark")
        || (rule.ends_with("_ms") && id == "capacity")
}

/// It complies, but lacks the fact by which the objective would judge it.
fn unjudged(objective: Objective, label: &str) -> Reason {
    let asked = match objective {
        Objective::Cost => "least cost",
        Objective::Latency => "least latency",
        Objective::Quality => "highest quality",
        Objective::Carbon => "least carbon",
    };
    Reason::Forbidden {
        who: label.to_owned(),
        workload: String::new(),
        rule: "objective".to_owned(),
        got: "no fact to judge it by".to_owned(),
        asked: asked.to_owned(),
    }
}

/// A rule of the whole plan that no plan of the option holds.
fn unheld(rule: &str, label: &str) -> Reason {
    Reason::Forbidden {
        who: label.to_owned(),
        workload: String::new(),
        rule: rule.to_owned(),
        got: "no plan of its own that holds it".to_owned(),
        asked: rule.to_owned(),
    }
}

/// The rules on money that a plan breaks.
fn over(requirements: &Requirements, label: &str, plan: &Plan) -> Vec<Reason> {
    let sides = [
        ("usd_per_month", plan.usd_per_month, requirements.budget.usd_per_month, "USD/month"),
        ("usd_per_request", plan.usd_per_request, requirements.budget.usd_per_request, "USD/request"),
    ];
    let broken = |(rule, got, most, unit): (&str, f64, Option<f64>, &str)| {
        let most = most.filter(|most| !Op::AtMost.holds(got, *most))?;
        Some(Reason::Breaks {
            who: label.to_owned(),
            workload: String::new(),
            rule: rule.to_owned(),
            got: Quantity::new(got, unit),
            op: Op::AtMost,
            allowed: Quantity::new(most, unit),
        })
    };
    sides.into_iter().filter_map(broken).collect()
}

/// Why no engine of that kind can exist, whatever the rules: the weights, a precision, no figures, nobody who sells it.
fn impossible(question: &Question<'_, '_>, only: Only<'_>, tally: &Tally, label: &str) -> Vec<Reason> {
    const PHYSICAL: [&str; 6] = [
        "weights_fit",
        "context_tokens",
        "precision_supported",
        "engine_supported",
        "parallelism",
        "estimate_trusted",
    ];
    if matches!(only, Only::Hosted(_)) {
        return Vec::new();
    }
    let found: Vec<Reason> = PHYSICAL
        .iter()
        .filter_map(|rule| tally.nearest.get(*rule))
        .map(|(_, refusal)| refusal.reason(label, ""))
        .collect();
    if !found.is_empty() {
        return found;
    }
    let day = question.requirements.as_of.to_string();
    vec![Refusal::word("in_force", "nobody offers it within your filters", day).reason(label, "")]
}

/// The best plan of a request for one option and its value, or what became of the candidates.
fn solved(
    question: &Question<'_, '_>,
    requirements: &Requirements,
    only: Only<'_>,
) -> Result<(Plan, f64), Box<Tally>> {
    let mut about = Question { kind: None, forbid: BTreeSet::new(), ..question.about(requirements) };
    let counted = match only {
        Only::Local { gpus, .. } => gpus,
        Only::Hosted(_) => None,
    };
    // Another count must not push the asked one out.
    about.prune = counted.is_none();
    let mut found = field(&about);
    about.prune = question.prune;
    if let Some(gpus) = counted {
        found.locals.retain(|option| option.prospect.row.unit.gpus == gpus);
        found.serverless.retain(|option| option.prospect.row.unit.gpus == gpus);
        found.kept_for_count = true;
    }
    let best = solve_mixed(&about, &mut found, None);
    match &best.outcome {
        Outcome::Solved(solved) => Ok((
            crate::plan::plan(&about, &found, &best.formulated, &solved.point, 1),
            super::shown_unit(requirements.objective, &best.formulated.program) * solved.value,
        )),
        Outcome::Infeasible { .. } | Outcome::Unknown(_) => Err(Box::new(found.tally)),
    }
}

impl Only<'_> {
    /// The request in which nothing else exists. Rules that name options are left out: `Only::named` answers them.
    #[must_use]
    pub fn requirements(self, base: &Requirements) -> Requirements {
        let one = |word: &str| vec![word.to_owned()];
        let mut only = base.clone();
        let (allow, deny) = (&mut only.allow, &mut only.deny);
        for filter in [&mut *allow, &mut *deny] {
            filter.models.clear();
            filter.gpus.clear();
            filter.precisions.clear();
            filter.licences.clear();
        }
        match self {
            Only::Local { model, gpu, precision, provider, .. } => {
                allow.models = one(&model.id);
                allow.gpus = gpu.map(|gpu| one(&gpu.id)).unwrap_or_default();
                allow.precisions = precision.map(one).unwrap_or_default();
                if let Some(provider) = provider {
                    allow.providers = one(provider);
                    deny.providers.clear();
                }
                only.routing = Routing::Local;
            }
            Only::Hosted(api) => {
                allow.models = one(&api.id);
                allow.providers.clear();
                deny.providers.clear();
                only.routing = Routing::Cloud;
            }
        }
        only.include_retired = true;
        only.routers.clear();
        only.cascades.clear();
        only.measured.clear();
        only
    }

    /// Rules of the request that refuse the option by its name or its dates.
    fn named(self, question: &Question<'_, '_>) -> Vec<Refusal> {
        let (asked, day) = (question.requirements, question.requirements.as_of);
        let mut all = Vec::new();
        match self {
            Only::Local { model, gpu, precision, provider, .. } => {
                if asked.routing == Routing::Cloud {
                    all.push(Refusal::word("routing", "local", "cloud"));
                }
                if let Some(released) = model.released.filter(|released| *released > day) {
                    let got = format!("released on {released}");
                    all.push(Refusal::word("in_force", got, day.to_string()));
                }
                let names: Vec<&str> = model.names().collect();
                let gpus: Vec<&str> = gpu.iter().flat_map(|gpu| gpu.names()).collect();
                let precisions: Vec<&str> = precision.into_iter().collect();
                let providers: Vec<&str> = provider.into_iter().collect();
                let lists: [Pair<'_>; 5] = [
                    (|filter| &filter.models, &names),
                    (|filter| &filter.licences, &[model.licence.as_str()]),
                    (|filter| &filter.gpus, &gpus),
                    (|filter| &filter.precisions, &precisions),
                    (|filter| &filter.providers, &providers),
                ];
                for pair in lists.into_iter().filter(|(_, names)| !names.is_empty()) {
                    all.extend(refused_word(asked, &[pair]));
                }
            }
            Only::Hosted(api) => {
                if asked.routing == Routing::Local {
                    all.push(Refusal::word("routing", "cloud", "local"));
                }
                if api.from.is_some_and(|from| from > day) || api.until.is_some_and(|until| until <= day) {
                    all.push(Refusal::word("in_force", "no price on that day", day.to_string()));
                }
                if let Some(when) = api.retired.filter(|when| *when <= day && !asked.include_retired) {
                    all.push(Refusal::word("retired", format!("retired on {when}"), "include_retired: true"));
                }
                let names: Vec<&str> = api.names().collect();
                all.extend(refused_word(asked, &[(|filter| &filter.models, &names)]));
                all.extend(refused_word(asked, &[(|filter| &filter.providers, &[api.provider.as_str()])]));
            }
        }
        all
    }
}

/// The price at which a plan of one option alone would cost what the best plan costs, all its prices moved alike: `None`
/// where it is no dearer, or where no price of an hour or a token makes its bill.
#[must_use]
pub fn wins_at(requirements: &Requirements, alone: &Plan, best: &Plan) -> Option<WinsAt> {
    let cost = |plan: &Plan| plan.usd_per_month + plan.usd_amortised;
    if requirements.objective != Objective::Cost || cost(alone) <= cost(best) || cost(alone) <= 0.0 {
        return None;
    }
    let factor = cost(best) / cost(alone);
    let main = alone.deployments.iter().filter(|deployment| !deployment.fallback_only);
    let main = main.max_by(|a, b| a.usd_per_month.total_cmp(&b.usd_per_month).then(b.id.cmp(&a.id)))?;
    let at = |per: String, usd_now: f64| WinsAt { per, usd_now, usd: usd_now * factor };
    if let Some(terms) = &main.api {
        return Some(at("million input tokens, output alike".to_owned(), terms.usd_per_mtok_input));
    }
    let engine = main.engine.as_ref()?;
    let paid = engine
        .paid
        .iter()
        .max_by(|a, b| (a.usd_per_month + a.usd_amortised).total_cmp(&(b.usd_per_month + b.usd_amortised)));
    match paid {
        Some(paid) if paid.billing == "owned" || paid.billing == "purchase" => None,
        Some(paid) => Some(at(format!("{} instance hour", paid.billing), paid.usd_per_hour)),
        None => Some(at(format!("{} instance hour", engine.billing), engine.usd_per_hour)),
    }
}
