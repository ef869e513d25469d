//! The plans between which cost, quality and latency are traded, each the cheapest for what it gives.
//!
//! In: a question. Out: at most [`POINTS_MAX`] verified plans, none of which another beats in all three: monthly cost,
//! mean index and mean p95 E2E over all requests that reach a model. Every limit of the request holds at each.
//!
//! Epsilon constraints (Haimes et al. 1971): least cost under "mean index at least q" and "mean p95 at most l", for levels
//! of q and l between the cheapest plan and the best of each; then, at that cost, the best sum of quality and latency,
//! each over its range, so that a point is not merely weakly efficient (augmented form: Mavrotas 2009). Each program is
//! solved to the gap of any other. The own engines are those that screening keeps for cost (a dearer one stays if its
//! index is higher and an instance costs no more than the plan of the highest index), for quality and for latency; all
//! hosted models take part, but a target whose index or p95 is unknown does not.

use std::cell::RefCell;

use crate::candidate::Question;
use crate::error::Error;
use crate::formulate::{Coordinates, Field, Formulated, coordinates, field, formulate};
use crate::program::Goal;
use crate::recommendation::{ParetoPoint, Plan};
use crate::request::Request;
use crate::requirements::{Objective, Requirements};
use crate::search::solve_with;
use crate::solve::Outcome;
use crate::verify::{mean_index, verify};

/// Most points.
pub const POINTS_MAX: usize = 12;
/// Levels of the mean index, the cheapest plan's first, the highest last.
const QUALITY_LEVELS: u32 = 4;
/// Levels of the mean p95, the cheapest plan's first, the lowest last.
const LATENCY_LEVELS: u32 = 3;
/// Relative slack of a level.
const SLACK: f64 = 1e-6;
/// Points closer than this in everything (relative; of 100 index points) are one.
const SAME: f64 = 1e-4;

/// What is asked of one point.
#[derive(Clone, Copy, Default)]
struct Levels {
    /// Least mean index.
    index_min: Option<f64>,
    /// Most mean p95, ms.
    p95_ms_max: Option<f64>,
}

/// What is best for one point: weights of a request's index and p95.
#[derive(Clone, Copy)]
struct Weights {
    index: f64,
    p95_ms: f64,
}

/// The set, cheapest first; empty where nothing complies.
///
/// # Errors
/// [`Error::Bug`] when the checker rejects a point.
pub fn pareto(request: &Request<'_>, question: &Question<'_, '_>) -> Result<Vec<ParetoPoint>, Error> {
    let asked = Requirements { objective: Objective::Cost, ..question.requirements.clone() };
    let mut about = question.about(&asked);
    let mut all = field(&about);
    for objective in [Objective::Quality, Objective::Latency] {
        let other = Requirements { objective, ..asked.clone() };
        all.take_in(field(&question.about(&other)));
    }
    let free = Levels::default();
    let mut first = Search { request, question: &about, field: all, known: RefCell::default() };
    let Some(best) = first.best(free, Weights { index: 1.0, p95_ms: 0.0 }, None)? else {
        return Ok(Vec::new());
    };
    let mut all = first.field;
    about.index_matters = Some(best.usd_per_month);
    all.take_in(field(&about));
    let mut search = Search { request, question: &about, field: all, known: RefCell::default() };
    let Some(cheapest) = search.cheapest(free)? else { return Ok(Vec::new()) };
    let best = Some(best);
    let fastest = search.best(free, Weights { index: 0.0, p95_ms: -1.0 }, None)?;
    let range = |from: Option<f64>, to: Option<&ParetoPoint>, of: fn(&ParetoPoint) -> Option<f64>| {
        from.zip(to.and_then(of))
    };
    let index = range(cheapest.quality_index, best.as_ref(), |point| point.quality_index);
    let p95 = range(cheapest.e2e_ms_p95, fastest.as_ref(), |point| point.e2e_ms_p95);
    let weights = Weights {
        index: index.map_or(0.0, |(from, to)| 1.0 / (to - from).abs().max(SLACK)),
        p95_ms: p95.map_or(0.0, |(from, to)| -1.0 / (from - to).abs().max(SLACK)),
    };
    let mut points: Vec<ParetoPoint> = [Some(cheapest), best, fastest].into_iter().flatten().collect();
    for q in 0..QUALITY_LEVELS {
        for l in 0..LATENCY_LEVELS {
            let levels = Levels {
                index_min: level(index, q, QUALITY_LEVELS).map(|least| least - SLACK * least.abs()),
                p95_ms_max: level(p95, l, LATENCY_LEVELS).map(|most| most * (1.0 + SLACK)),
            };
            let Some(point) = search.cheapest(levels)? else { continue };
            let refined = search.best(levels, weights, Some(point.usd_per_month))?;
            points.push(refined.unwrap_or(point));
        }
    }
    Ok(efficient(points))
}

/// Level k of n between two values; none at the first, where nothing is asked.
fn level(range: Option<(f64, f64)>, k: u32, n: u32) -> Option<f64> {
    let (from, to) = range.filter(|_| k > 0)?;
    Some(from + (to - from) * f64::from(k) / f64::from(n - 1))
}

/// How a field stood, its program, and the coordinates of the columns.
type Known = ((usize, f64), Formulated, Coordinates);

struct Search<'s, 'q, 'c> {
    request: &'s Request<'s>,
    question: &'s Question<'q, 'c>,
    field: Field<'q, 'c>,
    /// The program of the field as it stood last, with the coordinates of its columns.
    known: RefCell<Option<Known>>,
}

impl<'q, 'c> Search<'_, 'q, 'c> {
    /// The cheapest plan at some levels.
    fn cheapest(&mut self, levels: Levels) -> Result<Option<ParetoPoint>, Error> {
        self.solve(&|formulated, at| limit(formulated, at, levels))
    }

    /// The best plan at some levels within a bill.
    fn best(
        &mut self,
        levels: Levels,
        weights: Weights,
        usd: Option<f64>,
    ) -> Result<Option<ParetoPoint>, Error> {
        self.solve(&|formulated, at| {
            limit(formulated, at, levels);
            let score = |index: f64, p95_ms: f64| -(weights.index * index + weights.p95_ms * p95_ms);
            let program = &mut formulated.program;
            for (r, pool) in program.pools.iter_mut().enumerate() {
                pool.score = (0..at.local_index.len())
                    .map(|c| score(at.local_index[c][r].unwrap_or(0.0), at.local_p95[c][r].unwrap_or(0.0)))
                    .collect();
            }
            for (a, hosted) in program.hosted.iter_mut().enumerate() {
                hosted.score = (0..at.cloud_index.len())
                    .map(|c| score(at.cloud_index[c][a].unwrap_or(0.0), at.cloud_p95[c][a].unwrap_or(0.0)))
                    .collect();
            }
            program.goal = Goal::LeastScore;
            let within = usd.map(|usd| usd * (1.0 + SLACK));
            program.usd_per_month_max =
                [program.usd_per_month_max, within].into_iter().flatten().reduce(f64::min);
        })
    }

    fn solve(
        &mut self,
        change: &dyn Fn(&mut Formulated, &Coordinates),
    ) -> Result<Option<ParetoPoint>, Error> {
        let question = self.question;
        // Indices and percentiles of all columns are the same for every point, unless a shared pool was lowered.
        let mark = |field: &Field<'q, 'c>| -> (usize, f64) {
            let rates = field.locals.iter().flat_map(|option| option.capacity.iter().flatten());
            (field.locals.len(), rates.map(|capacity| capacity.rps).sum())
        };
        let known = &self.known;
        let write = |field: &Field<'q, 'c>| {
            let fresh = known.borrow().as_ref().is_none_or(|(at, _, _)| *at != mark(field));
            if fresh {
                let mut formulated = formulate(question, field);
                let at = coordinates(question, field, &mut formulated);
                *known.borrow_mut() = Some((mark(field), formulated, at));
            }
            let known = known.borrow();
            let (_, formulated, at) = known.as_ref().expect("it was just written");
            let mut formulated = formulated.clone();
            change(&mut formulated, at);
            formulated
        };
        let best = solve_with(question, &mut self.field, &write);
        let Outcome::Solved(solved) = &best.outcome else { return Ok(None) };
        let plan = crate::plan::plan(question, &self.field, &best.formulated, &solved.point, 1);
        let broken = verify(question.requirements, self.request.catalog, self.request.rules, &plan);
        if let Some(first) = broken.first() {
            return Err(Error::Bug(format!("the checker rejects a point of the Pareto set: {first}")));
        }
        let gap = ((solved.value - solved.bound) / solved.value.abs().max(1e-9)).max(0.0);
        Ok(Some(ParetoPoint {
            usd_per_month: plan.usd_per_month,
            quality_index: mean_index(question.requirements, self.request.catalog, &plan),
            e2e_ms_p95: mean_p95(question.requirements, &plan),
            gap,
            plan,
        }))
    }
}

/// Writes the levels as rows.
fn limit(formulated: &mut Formulated, at: &Coordinates, levels: Levels) {
    if let Some(least) = levels.index_min {
        formulated.program.means.push(at.index_at_least(least));
    }
    if let Some(most) = levels.p95_ms_max {
        formulated.program.means.push(at.p95_at_most(most));
    }
}

/// Mean p95 E2E over the requests that reach a model, ms, each at its own target; `None` where one is unknown.
#[must_use]
pub fn mean_p95(requirements: &Requirements, plan: &Plan) -> Option<f64> {
    let (mut sum, mut requests) = (0.0, 0.0);
    for route in &plan.routing {
        let workload = requirements.workloads.iter().find(|workload| workload.name == route.workload)?;
        let row = plan.measures.iter().find(|row| {
            row.target == route.target && row.workload == route.workload && row.measure == "e2e_ms_p95"
        });
        let measured = || {
            let deployed = plan.deployments.iter().find(|deployment| deployment.id == route.target)?;
            requirements.measured.iter().find(|row| row.option == deployed.model)?.e2e_ms_p95
        };
        let weight = workload.mean_rps() * (1.0 - workload.response_hit) * route.share;
        sum += weight * row.map(|row| row.value).or_else(measured)?;
        requests += weight;
    }
    (requests > 0.0).then(|| sum / requests)
}

/// Points that no other beats, cheapest first, each once.
fn efficient(points: Vec<ParetoPoint>) -> Vec<ParetoPoint> {
    let no_worse = |a: &ParetoPoint, b: &ParetoPoint| {
        a.usd_per_month <= b.usd_per_month * (1.0 + SAME)
            && a.quality_index.unwrap_or(0.0) >= b.quality_index.unwrap_or(0.0) - SAME * 100.0
            && a.e2e_ms_p95.unwrap_or(0.0) <= b.e2e_ms_p95.unwrap_or(0.0) * (1.0 + SAME)
    };
    let mut kept: Vec<ParetoPoint> = Vec::new();
    for point in points {
        if kept.iter().any(|other| no_worse(other, &point)) {
            continue;
        }
        kept.retain(|other| !no_worse(&point, other));
        kept.push(point);
    }
    kept.sort_by(|a, b| a.usd_per_month.total_cmp(&b.usd_per_month));
    kept.truncate(POINTS_MAX);
    for (rank, point) in (1..).zip(&mut kept) {
        point.plan.rank = rank;
    }
    kept
}
