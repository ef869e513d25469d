//! How far a plan carries as the volume grows, and what takes over then: the staircase, found by solving.
//!
//! In: the question, its best plan and the program it comes from. Out: a [`GrowthPath`]. A plan holds at a volume if its
//! fleet, as bought, still complies when requests may be routed anew among its own targets, budgets included. The
//! volume at which it breaks is found by halving and stands between one that was solved and one that failed; just above
//! it the whole question is asked again, and what wins there is the next step.

mod fleet;

use crate::bill;
use crate::candidate::Question;
use crate::error::Error;
use crate::formulate::{Field, Formulated, field};
use crate::program::Point;
use crate::recommendation::{GrowthBreak, GrowthPath, GrowthStep, Plan};
use crate::request::Request;
use crate::requirements::{Growth, Requirements};
use crate::search::solve_mixed;
use crate::solve::Outcome;
use crate::verify::verify;
use fleet::Fleet;

/// Relative width at which the search for a volume stops.
const WIDTH: f64 = 1e-4;
/// Steps of the staircase that are looked for; each asks the whole question once.
const STEPS_MAX: usize = 8;

/// The path of a plan that was found for the volume planned for; `None` where no growth was asked.
///
/// # Errors
/// [`Error::Bug`] when the checker rejects the plan of a step.
pub fn path<'q, 'c>(
    request: &Request<'_>,
    question: &Question<'q, 'c>,
    field: &Field<'q, 'c>,
    formulated: &Formulated,
    point: &Point,
    plan: &Plan,
) -> Result<Option<GrowthPath>, Error> {
    let Some(asked) = &request.requirements.growth else { return Ok(None) };
    let mut path = GrowthPath {
        factor: asked.factor,
        months: asked.months,
        plan_for: asked.plan_for,
        usd_per_month_today: (asked.plan_for > 1.0).then(|| usd_today(plan, asked.plan_for)),
        breaks_at: None,
        steps: Vec::new(),
        complete: true,
    };
    let mut at = asked.plan_for;
    // A plan made for more than the end has nothing to fear on the way there.
    let until = if asked.factor < 1.0 { asked.factor / at } else { (asked.factor / at).max(1.0) };
    let mut next = Fleet::of(question, field, formulated, point).breaks(question, field, until);
    while let Some((times, rule)) = next {
        let factor = at * times;
        if path.breaks_at.is_none() {
            path.breaks_at = Some(GrowthBreak { factor: rounded(factor), month: month(asked, factor), rule });
        }
        if path.steps.len() == STEPS_MAX {
            path.complete = false;
            break;
        }
        // Just above: by half the width the search stopped at.
        at = factor * asked.factor.powf(WIDTH / asked.factor.ln().abs());
        let scaled = request.requirements.at_volume(at / asked.plan_for);
        let step = Step::solve(request, question, &scaled, asked.factor / at)?;
        path.steps.push(GrowthStep {
            factor: rounded(factor),
            month: month(asked, factor),
            usd_per_month: step.plan.as_ref().map(|plan| plan.usd_per_month),
            summary: step.plan.as_ref().map(super::summary).unwrap_or_default(),
        });
        next = step.next;
    }
    Ok(Some(path))
}

/// The plan that takes over at a volume, and where it breaks in turn.
struct Step {
    /// `None` where nothing complies.
    plan: Option<Plan>,
    /// Times its own volume, and the rule.
    next: Option<(f64, String)>,
}

impl Step {
    fn solve(
        request: &Request<'_>,
        question: &Question<'_, '_>,
        scaled: &Requirements,
        until: f64,
    ) -> Result<Self, Error> {
        let about = question.about(scaled);
        let mut field = field(&about);
        let solved = solve_mixed(&about, &mut field, None);
        let Outcome::Solved(found) = &solved.outcome else { return Ok(Self { plan: None, next: None }) };
        let plan = crate::plan::plan(&about, &field, &solved.formulated, &found.point, 1);
        if let Some(first) = verify(scaled, request.catalog, request.rules, &plan).first() {
            return Err(Error::Bug(format!("the checker rejects the plan of a later volume: {first}")));
        }
        let fleet = Fleet::of(&about, &field, &solved.formulated, &found.point);
        Ok(Self { next: fleet.breaks(&about, &field, until), plan: Some(plan) })
    }
}

/// The month in which a volume is reached: volume x factor^(t / months).
fn month(asked: &Growth, factor: f64) -> f64 {
    (asked.months * factor.ln() / asked.factor.ln() * 100.0).round() / 100.0
}

/// Four digits: the search knows no more.
fn rounded(factor: f64) -> f64 {
    let unit = 10f64.powf(factor.log10().floor() - 3.0);
    // Dividing by a whole number gives the decimal nearest to what is meant.
    if unit < 1.0 { (factor / unit).round() / (1.0 / unit).round() } else { (factor / unit).round() * unit }
}

/// Bill at today's volume of a plan made for more, its fleet and its routing kept: what is paid by the request falls.
fn usd_today(plan: &Plan, plan_for: f64) -> f64 {
    let by_use = plan.deployments.iter().filter(|deployment| {
        deployment.api.is_some()
            || deployment.engine.as_ref().is_some_and(|engine| engine.billing == "serverless")
    });
    let usd: f64 = by_use.map(|deployment| deployment.usd_per_month).sum();
    bill::line(plan.usd_per_month - usd * (1.0 - 1.0 / plan_for))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn volumes_have_four_digits() {
        assert_eq!(
            [1.600_04, 0.123_456, 12.345_6, 1234.56, 1.0].map(rounded),
            [1.6, 0.1235, 12.35, 1235.0, 1.0]
        );
    }

    #[test]
    fn growth_is_geometric() {
        let asked = Growth { factor: 4.0, months: 12.0, plan_for: 1.0 };
        assert_eq!([1.0, 2.0, 4.0].map(|factor| month(&asked, factor)), [0.0, 6.0, 12.0]);
    }
}
