//! All options of a question: hosted models first, whose prices tell which engines are worth a look.

use crate::candidate::hardware::{hardware, undominated};
use crate::candidate::hosted::hosted_options;
use crate::candidate::screen::{Cloud, screen};
use crate::candidate::serverless::serverless_options;
use crate::candidate::spot::spot_hardware;
use crate::candidate::{
    Class, Hardware, HostedOption, LocalOption, Question, ServerlessOption, Tally, classes,
};

/// All options of a question.
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
}

/// Collects the options of a question.
#[must_use]
pub fn field<'q, 'a>(question: &Question<'q, 'a>) -> Field<'q, 'a> {
    let classes = classes(question.requirements);
    let mut tally = Tally::default();
    if !question.requirements.measured.is_empty() && !question.requirements.measured_with_catalog {
        tally.candidates = u64::try_from(question.requirements.measured.len()).unwrap_or(0);
        return Field { classes, locals: Vec::new(), serverless: Vec::new(), hosted: Vec::new(), tally };
    }
    let hosted = hosted_options(question, &classes, &mut tally);
    let cloud = cheapest_cloud(&classes, &hosted);
    let locals = if question.local() {
        let mut all: Vec<Hardware<'a>> =
            hardware(question.requirements, question.rules, question.catalog, &mut tally);
        all.extend(spot_hardware(question, &classes, &hosted, &mut tally));
        let kept = if question.prune { undominated(&all, question.requirements) } else { all };
        screen(question, &classes, &kept, &cloud, &mut tally)
    } else {
        Vec::new()
    };
    let serverless =
        if question.local() { serverless_options(question, &classes, &mut tally) } else { Vec::new() };
    Field { classes, locals, serverless, hosted, tally }
}

/// The cheapest hosted model of each class. A complete plan of hosted models is made of those that accept everything.
fn cheapest_cloud(classes: &[Class<'_>], hosted: &[HostedOption<'_>]) -> Cloud {
    let cheapest = |may: &dyn Fn(&HostedOption<'_>) -> bool| -> Vec<f64> {
        let terms =
            |at: usize| hosted.iter().filter(|option| may(option)).map(move |option| &option.terms[at]);
        (0..classes.len())
            .map(|at| {
                terms(at)
                    .filter(|terms| terms.refusal.is_none())
                    .map(|terms| terms.usd_per_request)
                    .fold(f64::INFINITY, f64::min)
            })
            .collect()
    };
    let usd_per_request = cheapest(&|_| true);
    let unlimited = cheapest(&|option| option.accepts_all);
    let usd: f64 = classes.iter().zip(&unlimited).map(|(class, usd)| class.requests_per_month() * usd).sum();
    Cloud { usd_per_month: usd.is_finite().then_some(usd), usd_per_request }
}
