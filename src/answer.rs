//! The pipeline: one function, top to bottom. Requirements + catalog + rules -> recommendation.
//!
//! In: a [`Request`]. Out: a [`Recommendation`] whose every plan the independent checker accepted, or an [`Error`].
//! It reads no file, prints nothing, and gives the same answer for the same input.

use crate::candidate::{Bench, Question, Tally};
use crate::catalog::Catalog;
use crate::constraint::Rules;
use crate::error::Error;
use crate::explain;
use crate::formulate::{Field, Formulated, field, formulate};
use crate::program::prune::prune;
use crate::recommendation::{
    BestOfKind, CatalogStamp, Kind, Plan, Proof, Recommendation, SCHEMA_VERSION, Status,
};
use crate::requirements::{Objective, Requirements};
use crate::solve::{BACKEND, Outcome, solve_program};
use crate::verify::verify;

/// What is asked of the pipeline.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// The requirements, defaults filled in.
    pub requirements: &'a Requirements,
    /// The file as given, for patches that point into it.
    pub document: &'a serde_json::Value,
    /// The catalog.
    pub catalog: &'a Catalog,
    /// The rules.
    pub rules: &'a Rules,
    /// How much to answer.
    pub options: Options,
}

/// How much to answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Plans of different structure to show.
    pub top: usize,
    /// Drop before solving what cannot win? Off only to check that the answer stays the same.
    pub prune: bool,
    /// Look for the smallest changes when nothing fits?
    pub explain_infeasible: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { top: 3, prune: true, explain_infeasible: true }
    }
}

/// Gap up to which a plan is called optimal.
pub const OPTIMAL_GAP: f64 = 1e-4;

/// Answers a request.
///
/// # Errors
/// A rule of the user's that cannot be held; [`Error::Bug`] when the independent checker rejects a plan.
pub fn recommend(request: &Request<'_>) -> Result<Recommendation, Error> {
    let folded = crate::custom::folded(request.requirements, request.rules)?;
    let mut answer = recommend_folded(&Request { requirements: &folded, ..*request })?;
    answer.requirements = request.requirements.clone();
    Ok(answer)
}

/// The same, with the user's own rules already among the limits of the request.
fn recommend_folded(request: &Request<'_>) -> Result<Recommendation, Error> {
    let bench = Bench::new(request.catalog, &request.requirements.owned);
    let question = Question {
        requirements: request.requirements,
        catalog: request.catalog,
        rules: request.rules,
        bench: &bench,
        kind: None,
        forbid: std::collections::BTreeSet::new(),
        prune: request.options.prune,
    };
    let mut field = field(&question);
    let best = solve_mixed(&question, &mut field, None);
    let mut answer = empty(request, &field.tally);
    answer.proof.solved =
        u64::try_from(best.formulated.pools.len() + best.formulated.hosted.len()).unwrap_or(u64::MAX);
    answer.proof.dominated += u64::try_from(best.dominated).unwrap_or(0);
    match &best.outcome {
        Outcome::Solved(solved) => {
            let plan = crate::plan::plan(&question, &field, &best.formulated, &solved.point, 1);
            check(request, &plan)?;
            let gap = ((solved.value - solved.bound) / solved.value.abs().max(1e-9)).max(0.0);
            answer.status = if gap <= OPTIMAL_GAP { Status::Optimal } else { Status::Feasible };
            // Quality is maximised: the program minimises its negative.
            let sign = if request.requirements.objective == Objective::Quality { -1.0 } else { 1.0 };
            answer.proof.value = Some(sign * solved.value);
            answer.proof.bound = Some(sign * solved.bound);
            answer.proof.gap = Some(gap);
            answer.kinds = kinds(request, &question, &mut field, Some(&plan))?;
            answer.plans = alternatives(request, &question, plan)?;
            answer.proof.verified = true;
            explain::feasible(request, &question, &field, &mut answer);
        }
        Outcome::Infeasible { .. } => {
            answer.status = Status::Infeasible;
            answer.kinds = kinds(request, &question, &mut field, None)?;
            explain::infeasible(request, &question, &field, &mut answer)?;
        }
        Outcome::Unknown(words) => {
            answer.status = Status::Unknown;
            answer.warnings.push(explain::warnings::solver_gave_up(words));
        }
    }
    answer.warnings.extend(explain::warnings::of(&question, &answer));
    answer.facts = explain::facts::of(request, &answer);
    Ok(answer)
}

/// An answer with nothing in it yet.
fn empty(request: &Request<'_>, tally: &Tally) -> Recommendation {
    Recommendation {
        schema_version: SCHEMA_VERSION,
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        status: Status::Unknown,
        as_of: request.requirements.as_of.to_string(),
        catalog: CatalogStamp {
            built: request.catalog.built.to_string(),
            sha256: request.catalog.sha256.clone(),
        },
        requirements: request.requirements.clone(),
        plans: Vec::new(),
        kinds: Vec::new(),
        proof: Proof {
            objective: objective_word(request.requirements).to_owned(),
            value: None,
            bound: None,
            gap: None,
            candidates: tally.candidates,
            refused: tally.refused.clone(),
            dominated: tally.dominated,
            beyond_incumbent: tally.beyond_incumbent,
            estimated: tally.estimated,
            solved: 0,
            backend: BACKEND.to_owned(),
            verified: false,
        },
        runners_up: Vec::new(),
        conflict: Vec::new(),
        conflict_reasons: Vec::new(),
        relaxations: Vec::new(),
        facts: Vec::new(),
        warnings: Vec::new(),
    }
}

const fn objective_word(requirements: &Requirements) -> &'static str {
    match requirements.objective {
        Objective::Cost => "cost",
        Objective::Latency => "latency",
        Objective::Quality => "quality",
        Objective::Carbon => "carbon",
    }
}

/// What came of one program.
pub struct Best {
    /// Columns that were solved.
    pub formulated: Formulated,
    /// Columns dropped as dominated.
    pub dominated: usize,
    /// The outcome.
    pub outcome: Outcome,
}

/// Prunes and solves. The count of deployments is tried without first: it seldom binds, and without it pruning leaves a
/// handful of columns. An optimum of the freer program that respects the count is an optimum.
#[must_use]
pub fn solve(question: &Question<'_, '_>, whole: &Formulated) -> Best {
    if let Some(most) = whole.program.deployments_max {
        let free = crate::program::Program { deployments_max: None, ..whole.program.clone() };
        let (pools, hosted): (Vec<usize>, Vec<usize>) =
            ((0..whole.pools.len()).collect(), (0..whole.hosted.len()).collect());
        let mut best = solve_once(question, &whole.keep(free, &pools, &hosted));
        best.formulated.program.deployments_max = Some(most);
        let done = match &best.outcome {
            Outcome::Solved(found) => found.point.deployments(&best.formulated.program) <= most as usize,
            Outcome::Infeasible { cheapest } => cheapest.is_none(),
            Outcome::Unknown(_) => false,
        };
        if done {
            return best;
        }
    }
    solve_once(question, whole)
}

fn solve_once(question: &Question<'_, '_>, whole: &Formulated) -> Best {
    if question.prune {
        let pruned = prune(&whole.program);
        let dominated = pruned.pools_beaten.len() + pruned.hosted_beaten;
        let formulated = whole.keep(pruned.program, &pruned.pools, &pruned.hosted);
        let outcome = solve_program(&formulated.program);
        return Best { formulated, dominated, outcome };
    }
    let pools: Vec<usize> = (0..whole.pools.len()).collect();
    let hosted: Vec<usize> = (0..whole.hosted.len()).collect();
    let formulated = whole.keep(whole.program.clone(), &pools, &hosted);
    let outcome = solve_program(&formulated.program);
    Best { formulated, dominated: 0, outcome }
}

/// Solves; while a class breaks a limit among the others that share its pool, lowers that pool's load and solves again.
///
/// The load row adds up what each class would load a replica with alone; a mixture can be worse than its parts (long
/// prompts of one class stall the answers of another), so its limits are recomputed for the mixture that came out.
/// Beside a pool that failed stands, from then on, the same for each class alone; after a few steps only those stay.
#[must_use]
pub fn solve_mixed<'q, 'c>(
    question: &Question<'q, 'c>,
    field: &mut Field<'q, 'c>,
    kind: Option<Kind>,
) -> Best {
    let write = |field: &Field<'q, 'c>| {
        let whole = formulate(question, field);
        match kind {
            Some(kind) => whole.of_kind(kind),
            None => whole,
        }
    };
    let mut best = solve(question, &write(field));
    if field.classes.len() < 2 {
        return best;
    }
    let mut steps = vec![0_u32; field.locals.len()];
    while let Outcome::Solved(found) = &best.outcome {
        let broken = crate::plan::broken_mixtures(question, field, &best.formulated, &found.point);
        if broken.is_empty() {
            break;
        }
        for at in broken {
            if steps[at] == 0 {
                let option = field.locals[at].clone();
                for class in 0..field.classes.len() {
                    if option.capacity[class].is_some() {
                        let mut alone = option.clone();
                        for (other, capacity) in alone.capacity.iter_mut().enumerate() {
                            if other != class {
                                *capacity = None;
                            }
                        }
                        field.locals.push(alone);
                        steps.push(0);
                    }
                }
            }
            steps[at] += 1;
            for capacity in &mut field.locals[at].capacity {
                match capacity {
                    Some(_) if steps[at] > DERATINGS_MAX => *capacity = None,
                    Some(capacity) => capacity.rps *= DERATING,
                    None => {}
                }
            }
        }
        best = solve(question, &write(field));
    }
    best
}

/// Step by which the load of a shared pool is lowered.
const DERATING: f64 = 0.95;
/// Steps after which a pool is given up as shared.
const DERATINGS_MAX: u32 = 4;

/// Invariant 5: a plan the checker rejects is our bug and is never shown.
fn check(request: &Request<'_>, plan: &Plan) -> Result<(), Error> {
    let broken = verify(request.requirements, request.catalog, request.rules, plan);
    if broken.is_empty() {
        return Ok(());
    }
    let words: Vec<String> = broken.iter().map(ToString::to_string).collect();
    Err(Error::Bug(format!("the checker rejects the plan that was found: {}", words.join("; "))))
}

/// Local, cloud and hybrid side by side.
fn kinds<'q, 'a>(
    request: &Request<'_>,
    question: &Question<'q, 'a>,
    field: &mut Field<'q, 'a>,
    best: Option<&Plan>,
) -> Result<Vec<BestOfKind>, Error> {
    let mut all = Vec::new();
    for kind in [Kind::Local, Kind::Cloud, Kind::Hybrid] {
        if let Some(plan) = best.filter(|plan| plan.kind == kind) {
            all.push(BestOfKind {
                kind,
                usd_per_month: Some(plan.usd_per_month),
                summary: explain::summary(plan),
                refused: None,
            });
            continue;
        }
        if let Some(reason) = explain::too_many_deployments(request.requirements, kind) {
            let refused = Some(reason.into());
            all.push(BestOfKind { kind, usd_per_month: None, summary: String::new(), refused });
            continue;
        }
        let solved = solve_mixed(question, field, Some(kind));
        let field = &*field;
        let of_point = |point| crate::plan::plan(question, field, &solved.formulated, point, 1);
        all.push(match &solved.outcome {
            Outcome::Solved(found) => {
                let plan = of_point(&found.point);
                check(request, &plan)?;
                let summary = explain::summary(&plan);
                BestOfKind { kind, usd_per_month: Some(plan.usd_per_month), summary, refused: None }
            }
            Outcome::Infeasible { cheapest: Some(found) } => {
                let plan = of_point(&found.point);
                BestOfKind {
                    kind,
                    usd_per_month: Some(plan.usd_per_month),
                    summary: explain::summary(&plan),
                    refused: Some(explain::over_budget(request.requirements, &plan).into()),
                }
            }
            Outcome::Infeasible { cheapest: None } | Outcome::Unknown(_) => BestOfKind {
                kind,
                usd_per_month: None,
                summary: String::new(),
                refused: explain::no_plan_of_kind(question, field, kind).map(Into::into),
            },
        });
    }
    Ok(all)
}

/// The best plan, then the best under "none of the leading targets so far", each proven and checked.
fn alternatives(request: &Request<'_>, question: &Question<'_, '_>, best: Plan) -> Result<Vec<Plan>, Error> {
    let mut plans = vec![best];
    let mut other = question.clone();
    while plans.len() < request.options.top {
        let Some(structure) = plans.last().and_then(|plan| explain::leading_structure(question, plan)) else {
            break;
        };
        if !other.forbid.insert(structure) {
            break;
        }
        let mut field = field(&other);
        let solved = solve_mixed(&other, &mut field, None);
        let Outcome::Solved(found) = &solved.outcome else { break };
        let rank = u32::try_from(plans.len() + 1).unwrap_or(u32::MAX);
        let plan = crate::plan::plan(&other, &field, &solved.formulated, &found.point, rank);
        check(request, &plan)?;
        plans.push(plan);
    }
    Ok(plans)
}
