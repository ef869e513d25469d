//! Cost against volume, and the volumes at which something else becomes cheapest.
//!
//! Each volume is a request of its own, solved like any other. Limits on the monthly bill and on the price of a request
//! are left out, or most of the curve would be missing; whether a plan is within them is said beside it.

use rayon::prelude::*;

use super::answer::{Between, BreakEven, Notice, Stage, VolumePoint};
use super::solved::{Found, Sound, best, of_kind, unbudgeted};
use super::{Ask, Part, VOLUMES, figures};
use crate::candidate::{HostedOption, LocalOption, Question, ServerlessOption, Tally, classes};
use crate::error::Error;
use crate::formulate::{Field, field};
use crate::recommendation::Kind;
use crate::requirements::Requirements;

/// Relative width at which the search for a volume stops.
const WIDTH: f64 = 1e-6;
/// The same for changes of the best plan, which are many.
const WIDTH_OF_CHANGES: f64 = 1e-4;
/// Steps after which it stops anyway.
const STEPS_MAX: u32 = 60;
/// Changes of the best plan that are looked for between two volumes.
const CHANGES_MAX: usize = 6;
/// Where the number of replicas differs by more than this, they are not looked for one by one.
const REPLICAS_MAX: u32 = 4;
/// Costs closer than this (relative) are equal.
const SAME: f64 = 1e-9;

/// Points and break-evens.
pub(super) struct ByVolume {
    pub(super) points: Vec<VolumePoint>,
    pub(super) break_evens: Vec<BreakEven>,
}

/// A plan at a volume.
#[derive(Clone)]
struct Plan {
    usd: f64,
    stage: Stage,
    within_budget: bool,
}

impl Plan {
    /// What changes at a break-even: the kind, or how many replicas there are. Which engines these are changes more
    /// often, between plans that cost almost the same.
    fn key(&self) -> (Kind, u32) {
        (self.stage.kind, self.stage.replicas)
    }
}

/// What is known of a volume.
struct At<'c> {
    factor: f64,
    cloud: Option<Plan>,
    local: Option<Plan>,
    best: Option<Plan>,
    options: Options<'c>,
}

/// Options of a volume, without the classes of its request.
#[derive(Clone)]
struct Options<'c> {
    locals: Vec<LocalOption<'c>>,
    serverless: Vec<ServerlessOption<'c>>,
    hosted: Vec<HostedOption<'c>>,
    kept_for_count: bool,
}

impl<'c> Options<'c> {
    fn of(field: Field<'_, 'c>) -> Self {
        let Field { locals, serverless, hosted, kept_for_count, .. } = field;
        Self { locals, serverless, hosted, kept_for_count }
    }

    fn field<'q>(&self, requirements: &'q Requirements) -> Field<'q, 'c> {
        Field {
            classes: classes(requirements),
            locals: self.locals.clone(),
            serverless: self.serverless.clone(),
            hosted: self.hosted.clone(),
            tally: Tally::default(),
            kept_for_count: self.kept_for_count,
        }
    }

    /// Do the options of the larger volume `self` hold everything that a best plan between it and a smaller one needs?
    ///
    /// Capacities and prices do not depend on the volume. What screening drops where instances are sold by the hour
    /// (tests 1, 4 and 5 of `candidate::screen`) is beaten by instances that carry the busiest hour; a smaller one takes no
    /// more of them, so what is beaten at the larger volume is beaten at the smaller. That is not so for what is compared
    /// with a whole plan (tests 2 and 3), nor where hosted models begin to refuse part of the requests.
    fn hold_down_to(&self, smaller: &Self) -> bool {
        let by_hour = self.locals.iter().any(|option| option.hardware.by_hour.is_some());
        let accept = |of: &Self| of.hosted.iter().map(|option| option.accepts_all).collect::<Vec<_>>();
        by_hour && self.kept_for_count == smaller.kept_for_count && accept(self) == accept(smaller)
    }
}

struct Sweep<'s, 'q, 'c> {
    question: &'s Question<'q, 'c>,
    /// The request without its limits on the monthly bill.
    free: Requirements,
}

/// All points, and what lies between them.
pub(super) fn volumes(
    question: &Question<'_, '_>,
    ask: &Ask<'_>,
    notices: &mut Vec<Notice>,
) -> Result<ByVolume, Error> {
    let sweep = Sweep { question, free: unbudgeted(question.requirements) };
    let last = ask.volumes.max(2) - 1;
    let span = (VOLUMES.1 / VOLUMES.0).ln();
    let factor = |k: u32| VOLUMES.0 * (span * f64::from(k) / f64::from(last)).exp();
    let grid: Vec<At<'_>> = (0..=last)
        .into_par_iter()
        .map(|k| {
            let at = sweep.all(factor(k))?;
            (ask.progress)(Part::Volume);
            Ok(at)
        })
        .collect::<Result<_, Error>>()?;
    let between: Vec<(Vec<BreakEven>, bool)> = (1..grid.len())
        .into_par_iter()
        .map(|k| {
            let found = sweep.between(&grid[k - 1], &grid[k])?;
            (ask.progress)(Part::BreakEvens);
            Ok(found)
        })
        .collect::<Result<_, Error>>()?;
    let more: Vec<usize> = (0..between.len()).filter(|k| between[*k].1).collect();
    for range in more.chunk_by(|a, b| a + 1 == *b) {
        notices.push(Notice::MoreBreakEvens {
            from_requests_per_month: sweep.requests(grid[range[0]].factor),
            to_requests_per_month: sweep.requests(grid[range[range.len() - 1] + 1].factor),
        });
    }
    let mut break_evens: Vec<BreakEven> = between.into_iter().flat_map(|(found, _)| found).collect();
    break_evens.sort_by(|a, b| a.factor.total_cmp(&b.factor));
    let usd = |plan: &Option<Plan>| plan.as_ref().map(|plan| plan.usd);
    let points = grid.iter().map(|at| VolumePoint {
        factor: at.factor,
        requests_per_month: sweep.requests_per_month(at.factor),
        cloud_usd_per_month: usd(&at.cloud),
        local_usd_per_month: usd(&at.local),
        best_usd_per_month: usd(&at.best),
        best: at.best.as_ref().map(|plan| plan.stage.clone()),
        within_budget: at.best.as_ref().is_some_and(|plan| plan.within_budget),
    });
    Ok(ByVolume { points: points.collect(), break_evens })
}

impl<'q, 'c> Sweep<'_, 'q, 'c> {
    fn requests_per_month(&self, factor: f64) -> f64 {
        crate::plan::requests_per_month(self.question) * factor
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count of requests")]
    fn requests(&self, factor: f64) -> u64 {
        self.requests_per_month(factor).round() as u64
    }

    /// All three curves at a volume.
    fn all(&self, factor: f64) -> Result<At<'c>, Error> {
        let scaled = self.free.at_volume(factor);
        let field = field(&self.about(&scaled));
        let options = Options::of(field);
        let [cloud, local, best] = self.plans(factor, [true; 3], Some(&options))?;
        Ok(At { factor, cloud, local, best, options })
    }

    fn best(&self, factor: f64, options: Option<&Options<'c>>) -> Result<Option<Plan>, Error> {
        let [_, _, best] = self.plans(factor, [false, false, true], options)?;
        Ok(best)
    }

    fn about<'r>(&self, scaled: &'r Requirements) -> Question<'r, 'c>
    where
        'q: 'r,
    {
        Question { share_matters: false, ..self.question.about(scaled) }
    }

    /// Plans on hosted models, on own engines and on any, those of them that are asked for; with options that are known,
    /// or looked for anew.
    fn plans(
        &self,
        factor: f64,
        asked: [bool; 3],
        options: Option<&Options<'c>>,
    ) -> Result<[Option<Plan>; 3], Error> {
        let scaled = self.free.at_volume(factor);
        let about = self.about(&scaled);
        if (about.stop.0)() {
            return Ok([None, None, None]);
        }
        let field = options.map_or_else(|| field(&about), |options| options.field(&scaled));
        let of = |found: Found| match found {
            Found::Plan(sound) => Some(self.plan(&scaled, factor, &sound)),
            Found::Nothing | Found::Unknown(_) => None,
        };
        let any = if asked[2] { of(best(&about, &mut field.clone())?) } else { None };
        let kind = |kind: Kind| -> Result<Option<Plan>, Error> {
            match &any {
                Some(plan) if plan.stage.kind == kind => Ok(Some(plan.clone())),
                _ => Ok(of(of_kind(&about, &mut field.clone(), kind)?)),
            }
        };
        let cloud = if asked[0] { kind(Kind::Cloud)? } else { None };
        let local = if asked[1] { kind(Kind::Local)? } else { None };
        Ok([cloud, local, any])
    }

    fn plan(&self, scaled: &Requirements, factor: f64, sound: &Sound) -> Plan {
        let most = self.question.requirements.at_volume(factor).usd_per_month_max();
        Plan {
            usd: sound.cost(),
            stage: figures::stage(scaled, &sound.plan),
            within_budget: most.is_none_or(|most| sound.plan.usd_per_month <= most * (1.0 + SAME)),
        }
    }

    /// Break-evens between two volumes; true where there are more of them than are looked for.
    fn between(&self, low: &At<'c>, high: &At<'c>) -> Result<(Vec<BreakEven>, bool), Error> {
        let options = Some(&high.options).filter(|options| options.hold_down_to(&low.options));
        let mut found: Vec<BreakEven> = self.local_and_cloud(low, high, options)?.into_iter().collect();
        let (Some(from), Some(to)) = (&low.best, &high.best) else { return Ok((found, false)) };
        let (mut at, mut from) = (low.factor, from.clone());
        for _ in 0..CHANGES_MAX {
            if (self.question.stop.0)() || from.key() == to.key() {
                return Ok((found, false));
            }
            let many = from.stage.replicas.abs_diff(to.stage.replicas) > REPLICAS_MAX;
            if many && from.stage.kind == to.stage.kind {
                return Ok((found, true));
            }
            // Where many replicas come in between, only the change of kind is looked for.
            let same = |one: &Plan, other: &Plan| {
                if many { one.stage.kind == other.stage.kind } else { one.key() == other.key() }
            };
            let Some((factor, last, next)) = self.change((at, high.factor), (&from, to), options, &same)?
            else {
                return Ok((found, true));
            };
            found.push(self.break_even(Between::BestPlans, factor, next.usd, &last, &next));
            (at, from) = (factor, next);
        }
        let more = from.key() != to.key();
        Ok((found, more))
    }

    /// A change of the best plan, found by halving, with the plans on its two sides; `None` where nothing complies in
    /// between.
    fn change(
        &self,
        (low, high): (f64, f64),
        (from, to): (&Plan, &Plan),
        options: Option<&Options<'c>>,
        same: &dyn Fn(&Plan, &Plan) -> bool,
    ) -> Result<Option<(f64, Plan, Plan)>, Error> {
        let (mut low, mut last, mut high, mut next) = (low, from.clone(), high, to.clone());
        for _ in 0..STEPS_MAX {
            if high / low <= 1.0 + WIDTH_OF_CHANGES || (self.question.stop.0)() {
                break;
            }
            let middle = (low * high).sqrt();
            let Some(plan) = self.best(middle, options)? else { return Ok(None) };
            if same(from, &plan) {
                (low, last) = (middle, plan);
            } else {
                (high, next) = (middle, plan);
            }
        }
        Ok(Some((high, last, next)))
    }

    /// Where own engines alone and hosted models alone cost the same, if the sign of the difference changes.
    fn local_and_cloud(
        &self,
        low: &At<'c>,
        high: &At<'c>,
        options: Option<&Options<'c>>,
    ) -> Result<Option<BreakEven>, Error> {
        let pair = |at: &At<'_>| at.local.clone().zip(at.cloud.clone());
        let (Some(below), Some(above)) = (pair(low), pair(high)) else { return Ok(None) };
        let difference = |(local, cloud): &(Plan, Plan)| local.usd - cloud.usd;
        let cheaper = |(local, cloud): &(Plan, Plan)| {
            if local.usd < cloud.usd { local.clone() } else { cloud.clone() }
        };
        let local_is_cheaper = difference(&below) < 0.0;
        if local_is_cheaper == (difference(&above) < 0.0) {
            return Ok(None);
        }
        let (mut low, mut below, mut high, mut above) = (low.factor, below, high.factor, above);
        for step in 0..STEPS_MAX {
            if high / low <= 1.0 + WIDTH || (self.question.stop.0)() {
                break;
            }
            // While the fleets stay the curves are straight, and the secant meets the point; halving meets the rest.
            let (a, b) = (difference(&below), difference(&above));
            let secant = low + (high - low) * a / (a - b);
            let inside = secant > low && secant < high;
            let middle = if step % 2 == 0 && inside { secant } else { (low * high).sqrt() };
            let [cloud, local, _] = self.plans(middle, [true, true, false], options)?;
            let Some(here) = local.zip(cloud) else { return Ok(None) };
            if difference(&here).abs() <= SAME * here.0.usd {
                (high, above) = (middle, here);
                break;
            }
            if local_is_cheaper == (difference(&here) < 0.0) {
                (low, below) = (middle, here);
            } else {
                (high, above) = (middle, here);
            }
        }
        let usd = cheaper(&above).usd;
        let (from, to) = if local_is_cheaper { (below.0, above.1) } else { (below.1, above.0) };
        Ok(Some(self.break_even(Between::LocalAndCloud, high, usd, &from, &to)))
    }

    fn break_even(&self, between: Between, factor: f64, usd: f64, from: &Plan, to: &Plan) -> BreakEven {
        BreakEven {
            between,
            factor,
            requests_per_month: self.requests_per_month(factor),
            usd_per_month: usd,
            from: from.stage.clone(),
            to: to.stage.clone(),
        }
    }
}
