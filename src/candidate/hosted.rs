//! Hosted models: what each would charge and how fast it answers, for every class, or the rule that refuses it.

use crate::bill;
use crate::catalog::{Api, ServiceTier};
use crate::estimate::{ApiEstimate, api_latency};
use crate::measure::Measure;
use crate::quality::Scored;
use crate::reason::{Op, Refusal};

use super::Question;
use super::class::Class;
use super::filter::refused_word;
use super::limit::{floor_refusal, latency_refusal};
use super::tally::Tally;

/// A hosted model in one mode, for every class.
#[derive(Debug, Clone)]
pub struct HostedOption<'c> {
    /// The price row.
    pub api: &'c Api,
    /// `default`, or `nothink` for a thinking model told not to.
    pub mode: &'static str,
    /// Its index, where known.
    pub quality: Option<Scored>,
    /// Share of time it is up, where known.
    pub uptime: Option<f64>,
    /// Terms by class.
    pub terms: Vec<Terms>,
}

/// What a class would get.
#[derive(Debug, Clone)]
pub struct Terms {
    /// Price of a request, USD.
    pub usd_per_request: f64,
    /// Latency at the client, where there is a fact.
    pub latency: Option<ApiEstimate>,
    /// Tokens generated before the answer.
    pub extra_output: f64,
    /// The first rule it breaks; `None` = it may serve.
    pub refusal: Option<Refusal>,
}

impl HostedOption<'_> {
    /// What counts as the same structure.
    #[must_use]
    pub fn structure(&self) -> String {
        structure(self.api)
    }

    /// How people name it: `gpt-4o-mini, openai`.
    #[must_use]
    pub fn label(&self) -> String {
        let mode = if self.mode == "default" { "" } else { " (no thinking)" };
        let name = self.api.id.split_once('/').map_or(self.api.id.as_str(), |(_, name)| name);
        format!("{name}{mode}, {}", self.api.provider)
    }

    /// True where it may serve some class.
    #[must_use]
    pub fn serves_any(&self) -> bool {
        self.terms.iter().any(|terms| terms.refusal.is_none())
    }
}

/// What counts as the same structure of a hosted model: the model, whoever hosts it.
#[must_use]
pub fn structure(api: &Api) -> String {
    format!("api {}", api.quality_subject.as_ref().unwrap_or(&api.id))
}

/// Every hosted model in force, also those refused (for the explanation).
#[must_use]
pub fn hosted_options<'a>(
    question: &Question<'_, 'a>,
    classes: &[Class<'_>],
    tally: &mut Tally,
) -> Vec<HostedOption<'a>> {
    let mut options = Vec::new();
    for api in &question.catalog.apis {
        let whole = refused_whole(question, api);
        for mode in crate::quality::modes_of_api(api) {
            tally.candidates += 1;
            if let Some(refusal) = whole.as_ref().filter(|refusal| refusal.rule == "in_force") {
                tally.refuse(1, || api.id.clone(), refusal);
                continue;
            }
            let option = offer(question, classes, api, mode, whole.as_ref());
            if !option.serves_any()
                && let Some(refusal) = option.terms.iter().find_map(|terms| terms.refusal.as_ref())
            {
                tally.refuse(1, || api.id.clone(), refusal);
            }
            options.push(option);
        }
    }
    options
}

/// The rule that keeps a hosted model from every class.
fn refused_whole(question: &Question<'_, '_>, api: &Api) -> Option<Refusal> {
    let day = question.requirements.as_of;
    if api.from.is_some_and(|from| from > day) || api.until.is_some_and(|until| until <= day) {
        return Some(Refusal::word("in_force", "no price on that day", day.to_string()));
    }
    if !question.cloud() {
        return Some(Refusal::word("routing", "cloud", "local"));
    }
    if api.retired.is_some_and(|retired| retired <= day) && !question.requirements.include_retired {
        let when = api.retired.map_or_else(String::new, |date| date.to_string());
        return Some(Refusal::word("retired", format!("retired on {when}"), "include_retired: true"));
    }
    let names: Vec<&str> = api.names().collect();
    refused_word(
        question.requirements,
        &[(|filter| &filter.models, &names), (|filter| &filter.providers, &[api.provider.as_str()])],
    )
    .or_else(|| {
        // Weights, regions, GPUs and engines of a hosted model are its provider's affair; batch and flex answers come
        // after hours, which only deferrable work can take.
        (api.tier != ServiceTier::Standard)
            .then(|| Refusal::word("e2e_ms", "an answer within its window of hours", "an answer at once"))
    })
    .or_else(|| {
        question
            .forbid
            .contains(&structure(api))
            .then(|| Refusal::word("deny", api.id.clone(), "another structure"))
    })
}

fn offer<'a>(
    question: &Question<'_, 'a>,
    classes: &[Class<'_>],
    api: &'a Api,
    mode: &'static str,
    whole: Option<&Refusal>,
) -> HostedOption<'a> {
    let catalog = question.catalog;
    let quality = crate::quality::of_api(catalog, api, mode);
    let fact = catalog.latency_of(api);
    let terms = classes
        .iter()
        .map(|class| {
            let workload = class.workload;
            let extra_output = workload.thought_tokens(catalog, api.thinking && mode == "default");
            let usd_per_request =
                bill::usd_per_request(api, &workload.lengths, extra_output, workload.prefix_hit);
            let latency = fact.map(|fact| {
                api_latency(fact, &workload.lengths.points, extra_output, question.requirements.confidence)
            });
            let refusal = whole
                .cloned()
                .or_else(|| refused_for(question, class, api, mode, extra_output))
                .or_else(|| floor_refusal(question, class, quality.as_ref(), &api.quality_subject))
                .or_else(|| match &latency {
                    Some(latency) => {
                        latency_refusal(class, &|measure, statistic| latency.of(measure).at(statistic))
                    }
                    None => class.workload.latency.first().map(|limit| {
                        Refusal::word(limit.measure.word(), "no latency fact", "a limit on latency")
                    }),
                });
            Terms { usd_per_request, latency, extra_output, refusal }
        })
        .collect();
    HostedOption { api, mode, quality, uptime: catalog.uptime_share(&api.provider), terms }
}

/// Rules about one class: capabilities, data, lengths, those of the user.
fn refused_for(
    question: &Question<'_, '_>,
    class: &Class<'_>,
    api: &Api,
    mode: &str,
    extra_output: f64,
) -> Option<Refusal> {
    let workload = class.workload;
    for need in &workload.needs {
        let has = api.has.contains(need) && !(need == "reasoning" && mode == "nothink");
        if !has {
            let got = if api.lacks.contains(need) || api.has.contains(need) { "absent" } else { "unknown" };
            return Some(Refusal::word("needs", got, need.clone()));
        }
    }
    for word in &workload.data {
        let (rule, known) = match word.as_str() {
            "no-training" => ("data_no_training", api.no_training),
            "eu-only" => ("data_eu_only", api.in_eu),
            _ => ("data_on_premises", Some(false)),
        };
        if known != Some(true) {
            let got = if known.is_none() { "unknown" } else { "no" };
            return Some(Refusal::word(rule, got, word.clone()));
        }
    }
    let window = f64::from(api.max_context);
    if workload.context_tokens + extra_output > window {
        return Some(Refusal::figure(
            "context_tokens",
            window,
            Op::AtLeast,
            workload.context_tokens + extra_output,
            "tokens",
        ));
    }
    let longest =
        workload.lengths.points.iter().map(|(_, output, _)| *output).fold(0.0, f64::max) + extra_output;
    if let Some(most) = api.max_output.map(f64::from)
        && longest > most
    {
        return Some(Refusal::figure("max_output", most, Op::AtLeast, longest, "tokens"));
    }
    let figure = |measure| match measure {
        Measure::ContextTokens => Some(Some(window)),
        Measure::GpusPerReplica | Measure::UsdPerHour => Some(Some(0.0)),
        _ => None,
    };
    crate::custom::refusal(question.rules, question.requirements, Some(workload), &figure)
}
