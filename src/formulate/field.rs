//! All options of a question: hosted models first, whose prices tell which engines are worth a look.

use std::collections::{BTreeMap, BTreeSet};

use crate::candidate::hardware::{hardware, undominated};
use crate::candidate::hosted::hosted_options;
use crate::candidate::screen::{Cloud, screen};
use crate::candidate::serverless::serverless_options;
use crate::candidate::spot::spot_hardware;
use crate::candidate::{
    Class, Hardware, HostedOption, LocalOption, Question, ServerlessOption, Tally, classes,
};
use crate::carbon::hosted_request;
use crate::requirements::{Objective, Requirements};

/// All options of a question.
#[derive(Clone)]
pub struct Field<'q, 'c> {
    /// Classes of traffic.
    pub classes: Vec<Class<'q>>,
    /// Own engines.
    pub locals: Vec<LocalOption<'c>>,
    /// Own engines billed by the second.
    pub serverless: Vec<ServerlessOption<'c>>,
    /// Hosted models, refused ones included.
    pub hosted: Vec<HostedOption<'c>>,
    /// Everybody who is not there.
    pub tally: Tally,
    /// Are those in it that a plan may need only because its deployments are counted?
    pub kept_for_count: bool,
}

impl<'c> Field<'_, 'c> {
    /// Takes in the own engines of another field. What is known already keeps its place and its capacity.
    pub fn take_in(&mut self, other: Field<'_, 'c>) {
        let known: BTreeSet<String> = self.locals.iter().map(LocalOption::id).collect();
        self.locals.extend(other.locals.into_iter().filter(|option| !known.contains(&option.id())));
        let known: BTreeSet<String> = self.serverless.iter().map(ServerlessOption::id).collect();
        self.serverless.extend(other.serverless.into_iter().filter(|option| !known.contains(&option.id())));
    }
}

/// Collects the options of a question.
#[must_use]
pub fn field<'q, 'a>(question: &Question<'q, 'a>) -> Field<'q, 'a> {
    let classes = classes(question.requirements);
    let mut tally = Tally::default();
    let kept_for_count = question.count_matters || question.requirements.limits.max_deployments.is_none();
    if !question.requirements.measured.is_empty() && !question.requirements.measured_with_catalog {
        tally.candidates = u64::try_from(question.requirements.measured.len()).unwrap_or(0);
        return Field {
            classes,
            locals: Vec::new(),
            serverless: Vec::new(),
            hosted: Vec::new(),
            tally,
            kept_for_count: true,
        };
    }
    let hosted = hosted_options(question, &classes, &mut tally);
    let cloud = cheapest_cloud(question, &classes, &hosted);
    let locals = if question.local() {
        let mut all: Vec<Hardware<'a>> =
            hardware(question.requirements, question.rules, question.catalog, &mut tally);
        all.extend(spot_hardware(question, &classes, &hosted, &mut tally));
        let kept = match (question.prune, question.requirements.objective) {
            (false, _) => all,
            (true, Objective::Carbon) => by_place(&all, question.requirements),
            (true, _) => undominated(&all, question.requirements),
        };
        screen(question, &classes, &kept, &cloud, &mut tally)
    } else {
        Vec::new()
    };
    let serverless =
        if question.local() { serverless_options(question, &classes, &mut tally) } else { Vec::new() };
    Field { classes, locals, serverless, hosted, tally, kept_for_count }
}

/// The cheapest hosted model of each class. A complete plan of hosted models is made of those that accept everything.
fn cheapest_cloud(question: &Question<'_, '_>, classes: &[Class<'_>], hosted: &[HostedOption<'_>]) -> Cloud {
    let usd_per_request: Vec<f64> = (0..classes.len())
        .map(|at| {
            hosted
                .iter()
                .map(|option| &option.terms[at])
                .filter(|terms| terms.refusal.is_none())
                .map(|terms| terms.usd_per_request)
                .fold(f64::INFINITY, f64::min)
        })
        .collect();
    // The least of something over the hosted models that serve a class and are within its mean by themselves.
    let month = |of: &dyn Fn(&HostedOption<'_>, usize) -> Option<f64>| {
        let least = |at: usize| {
            hosted
                .iter()
                .filter(|option| option.accepts_all && option.terms[at].refusal.is_none())
                .filter(|option| classes[at].mean_holds(option.quality.as_ref().map(|scored| scored.index)))
                .filter_map(|option| of(option, at))
                .fold(f64::INFINITY, f64::min)
        };
        let sum: f64 = (0..classes.len()).map(|at| classes[at].requests_per_month() * least(at)).sum();
        sum.is_finite().then_some(sum)
    };
    let emitted = |option: &HostedOption<'_>, at: usize| {
        let (lengths, extra) = (&classes[at].workload.lengths, option.terms[at].extra_output);
        hosted_request(question.catalog, option.api, lengths, extra).map(|emission| emission.kg)
    };
    // The cheapest that accepts everything, else the dearest: those with a limit may have to do it together.
    let most = |at: usize| {
        let serves = |option: &&HostedOption<'_>| {
            option.terms[at].refusal.is_none()
                && classes[at].mean_holds(option.quality.as_ref().map(|scored| scored.index))
        };
        let usd = |option: &HostedOption<'_>| option.terms[at].usd_per_request;
        let able = hosted.iter().filter(serves);
        let cheapest = able.clone().filter(|option| option.accepts_all).map(usd).reduce(f64::min);
        let dearest = able.map(usd).reduce(f64::max);
        let nobody = if classes[at].reads_index() { f64::INFINITY } else { 0.0 };
        classes[at].requests_per_month() * cheapest.or(dearest).unwrap_or(nobody)
    };
    let carbon = question.requirements.objective == Objective::Carbon;
    Cloud {
        usd_per_month: month(&|option, at| Some(option.terms[at].usd_per_request)),
        usd_most: (0..classes.len()).map(most).sum(),
        kg_co2e_per_month: if carbon { month(&emitted) } else { None },
        usd_per_request,
    }
}

/// Those that no other of the same place covers: places differ in what an hour emits.
fn by_place<'c>(all: &[Hardware<'c>], requirements: &Requirements) -> Vec<Hardware<'c>> {
    let mut places: BTreeMap<(&str, &str), Vec<Hardware<'c>>> = BTreeMap::new();
    for hardware in all {
        places.entry((&hardware.provider, &hardware.region)).or_default().push(hardware.clone());
    }
    places.values().flat_map(|there| undominated(there, requirements)).collect()
}
