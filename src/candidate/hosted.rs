//! Hosted models: what each would charge and how fast it answers, for every class, or the rule that refuses it.

use crate::bill;
use crate::catalog::{Api, ServiceTier, glob_matches};
use crate::estimate::{ApiEstimate, answered_within, api_latency};
use crate::measure::Measure;
use crate::quality::Scored;
use crate::reason::{Op, Refusal};
use crate::requirements::{RateLimit, Requirements};

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
    /// What it accepts in a minute, as the request says, else the catalog.
    pub accepts: RateLimit,
    /// True where that is everything all classes could send in their busiest hours at once, in any mode: no limit on
    /// its rate can bind, whatever else it stands behind.
    pub accepts_all: bool,
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
    /// Mean tokens of a request, prompt and all that is generated.
    pub tokens: f64,
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
    let terms = classes
        .iter()
        .map(|class| {
            let workload = class.workload;
            let extra_output = workload.thought_tokens(catalog, api.thinking && mode == "default");
            let usd_per_request =
                bill::usd_per_request(api, &workload.lengths, extra_output, workload.prefix_hit);
            let latency = latency(question, class, api, extra_output);
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
            let tokens = workload.lengths.input_mean + workload.lengths.output_mean + extra_output;
            Terms { usd_per_request, latency, extra_output, tokens, refusal }
        })
        .collect();
    let uptime = catalog.uptime_share(&api.provider);
    let accepts = accepts(question.requirements, api);
    let accepts_all = accepts_all(question, classes, api, accepts);
    HostedOption { api, mode, quality, uptime, accepts, accepts_all, terms }
}

fn accepts_all(question: &Question<'_, '_>, classes: &[Class<'_>], api: &Api, accepts: RateLimit) -> bool {
    let most = |each: &dyn Fn(&Class<'_>) -> f64| -> f64 {
        classes.iter().map(|class| class.peak_rps() * 60.0 * each(class)).sum()
    };
    let tokens = |class: &Class<'_>| {
        let (workload, lengths) = (class.workload, &class.workload.lengths);
        lengths.input_mean + lengths.output_mean + workload.thought_tokens(question.catalog, api.thinking)
    };
    accepts.requests_per_minute.is_none_or(|limit| most(&|_| 1.0) <= limit)
        && accepts.tokens_per_minute.is_none_or(|limit| most(&tokens) <= limit)
}

/// What an API accepts: of the patterns of the request that match it the least, else the catalog's figure.
fn accepts(requirements: &Requirements, api: &Api) -> RateLimit {
    let asked = |figure: fn(&RateLimit) -> Option<f64>| {
        let matching = requirements
            .limits
            .apis
            .iter()
            .filter(|(pattern, _)| api.names().any(|name| glob_matches(pattern, name)));
        matching.filter_map(|(_, limit)| figure(limit)).min_by(f64::total_cmp)
    };
    RateLimit {
        requests_per_minute: asked(|limit| limit.requests_per_minute).or(api.requests_per_minute),
        tokens_per_minute: asked(|limit| limit.tokens_per_minute).or(api.tokens_per_minute),
    }
}

/// Latency at the client: by the facts, or the window of a tier that answers later, from the moment it is sent.
fn latency(
    question: &Question<'_, '_>,
    class: &Class<'_>,
    api: &Api,
    extra_output: f64,
) -> Option<ApiEstimate> {
    if api.tier != ServiceTier::Standard {
        return Some(answered_within(question.catalog.window_hours(api)));
    }
    let fact = question.catalog.latency_of(api)?;
    let points = &class.workload.lengths.points;
    Some(api_latency(fact, points, extra_output, question.requirements.confidence))
}

/// Rules about one class: how long it may wait, capabilities, data, lengths, those of the user.
fn refused_for(
    question: &Question<'_, '_>,
    class: &Class<'_>,
    api: &Api,
    mode: &str,
    extra_output: f64,
) -> Option<Refusal> {
    let workload = class.workload;
    let (window_hours, wait_hours) = (question.catalog.window_hours(api), workload.deferrable_hours);
    if !Op::AtMost.holds(window_hours, wait_hours) {
        return Some(Refusal::figure("deferrable_hours", window_hours, Op::AtMost, wait_hours, "h"));
    }
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
