//! What to beware of in an answer: stable codes, one sentence each.

use super::Question;
use crate::estimate::Basis;
use crate::recommendation::{Recommendation, Warning};
use crate::requirements::Spread;

fn warning(code: &str, sentence: String) -> Warning {
    Warning { code: code.to_owned(), sentence }
}

/// The solver stopped without an answer.
#[must_use]
pub fn solver_gave_up(words: &str) -> Warning {
    warning("W10-solver", format!("The solver gave up: {words}. Please report the request."))
}

/// Everything worth a second look.
#[must_use]
pub fn of(question: &Question<'_, '_>, answer: &Recommendation) -> Vec<Warning> {
    let mut all = Vec::new();
    let Some(best) = answer.plans.first() else { return all };
    let mut assumed: Vec<&str> = best
        .measures
        .iter()
        .filter(|row| row.basis == Basis::Assumed && row.limit.is_some())
        .filter_map(|row| best.deployments.iter().find(|deployment| deployment.id == row.target))
        .map(|deployment| deployment.label.as_str())
        .collect();
    assumed.dedup();
    if !assumed.is_empty() {
        all.push(warning(
            "W02-assumed-latency",
            format!(
                "The latency of {} is assumed, not measured: check it before you rely on it.",
                assumed.join(", ")
            ),
        ));
    }
    if question.requirements.as_of > question.catalog.built {
        all.push(warning(
            "W03-future",
            format!(
                "The request is dated {}, after the catalog was built ({}): newer prices are not known.",
                question.requirements.as_of, question.catalog.built
            ),
        ));
    }
    for workload in &question.requirements.workloads {
        if workload.lengths.spread == Spread::Constant
            && let Some(ms) = super::spread::e2e_p95_ms(question, best, workload)
        {
            let sentence = format!(
                "{}: if lengths were lognormal with a coefficient of variation of 1, p95 E2E would be about {} ms.",
                workload.name,
                significant(ms)
            );
            all.push(warning("W01-constant-lengths", sentence));
        }
    }
    all
}

/// Two significant digits.
fn significant(value: f64) -> f64 {
    let unit = 10f64.powf(value.abs().max(1.0).log10().floor() - 1.0);
    (value / unit).round() * unit
}
