//! What each share of own engines costs.

use rayon::prelude::*;

use super::answer::{Notice, SharePoint};
use super::solved::{Found, Sound, at_share, in_the_way};
use super::{Ask, Part, figures};
use crate::candidate::Question;
use crate::error::Error;
use crate::explain::summary;
use crate::formulate::Field;
use crate::reason::Reason;
use crate::recommendation::Status;
use crate::verify::{local_share, mean_index};

/// A share that was set is met this closely.
const SHARE_TOLERANCE: f64 = 1e-4;
/// Shares closer than this are one point.
const SAME: f64 = 1e-6;

/// A point for each step, and the best plan of all in its place.
pub(super) fn shares<'q, 'c>(
    question: &Question<'q, 'c>,
    field: &Field<'q, 'c>,
    best: &Found,
    ask: &Ask<'_>,
    notices: &mut Vec<Notice>,
) -> Result<Vec<SharePoint>, Error> {
    let steps: Vec<f64> = (0..=ask.steps).map(|k| f64::from(k) / f64::from(ask.steps.max(1))).collect();
    let solved: Vec<(f64, Found, Option<Reason>)> = steps
        .into_par_iter()
        .map(|share| {
            let found = at_share(question, &mut field.clone(), share)?;
            let reason = match &found {
                Found::Nothing => in_the_way(question, field, share)?,
                Found::Plan(_) | Found::Unknown(_) => None,
            };
            (ask.progress)(Part::Share);
            Ok((share, found, reason))
        })
        .collect::<Result<_, Error>>()?;
    let mut points = Vec::with_capacity(solved.len() + 1);
    for (share, found, reason) in solved {
        points.push(point(question, share, &found, reason, notices)?);
    }
    if let Found::Plan(sound) = best {
        let share = local_share(question.requirements, &sound.plan);
        points.retain(|point| (point.local_share - share).abs() > SAME || point.usd_per_month.is_none());
        let optimum = point(question, share, best, None, notices)?;
        let at = points.partition_point(|point| point.local_share < share);
        // A plan over the budget is the nearest to a best one, not one.
        points.insert(at, SharePoint { optimum: sound.over.is_none(), ..optimum });
    }
    Ok(points)
}

fn point(
    question: &Question<'_, '_>,
    share: f64,
    found: &Found,
    reason: Option<Reason>,
    notices: &mut Vec<Notice>,
) -> Result<SharePoint, Error> {
    let nothing = SharePoint {
        local_share: share,
        optimum: false,
        status: Status::Infeasible,
        usd_per_month: None,
        usd_upfront: None,
        usd_amortised: None,
        latency: Vec::new(),
        quality_index: None,
        replicas: None,
        overflow_hours_per_month: None,
        summary: String::new(),
        gap: None,
        refused: reason.map(Into::into),
        plan: None,
    };
    Ok(match found {
        Found::Nothing => nothing,
        Found::Unknown(words) => {
            notices.push(Notice::GaveUp { words: words.clone() });
            SharePoint { status: Status::Unknown, ..nothing }
        }
        Found::Plan(sound) => {
            checked(question, share, sound)?;
            let (requirements, plan) = (question.requirements, &sound.plan);
            SharePoint {
                status: sound.status(),
                usd_per_month: Some(plan.usd_per_month),
                // An empty sum is -0.
                usd_upfront: Some(plan.usd_upfront + 0.0),
                usd_amortised: Some(plan.usd_amortised + 0.0),
                latency: figures::latency(requirements, plan),
                quality_index: mean_index(requirements, question.catalog, plan),
                replicas: Some(figures::replicas(requirements, plan)),
                overflow_hours_per_month: Some(figures::overflow_hours(requirements, plan)),
                summary: summary(plan),
                gap: Some(sound.gap),
                refused: sound.over.clone().map(Into::into),
                plan: Some(plan.clone()),
                ..nothing
            }
        }
    })
}

/// The share of the plan, derived anew, is the one that was set.
fn checked(question: &Question<'_, '_>, share: f64, sound: &Sound) -> Result<(), Error> {
    let got = local_share(question.requirements, &sound.plan);
    if (got - share).abs() <= SHARE_TOLERANCE {
        return Ok(());
    }
    Err(Error::Bug(format!("own engines serve {got} of the requests, {share} was set")))
}
