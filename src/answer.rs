//! The pipeline: one function, top to bottom. Requirements + catalog + rules -> recommendation.
//!
//! In: a [`Request`]. Out: a [`Recommendation`] whose every plan the independent checker accepted, or an [`Error`].
//! It reads no file, prints nothing, and gives the same answer for the same input.

use crate::candidate::{Bench, Question, Tally};
use crate::error::Error;
use crate::explain;
use crate::formulate::{Field, field};
use crate::recommendation::{
    BestOfKind, CatalogStamp, Kind, OPTIMAL_GAP, Plan, Proof, Recommendation, SCHEMA_VERSION, Status,
};
use crate::request::Request;
use crate::search::solve_mixed;
use crate::solve::{Outcome, backend_name};
use crate::verify::verify;

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
    let question = ask(request, &bench);
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
            let unit = explain::shown_unit(request.requirements.objective, &best.formulated.program);
            answer.proof.value = Some(unit * solved.value);
            answer.proof.bound = Some(unit * solved.bound);
            answer.proof.gap = Some(gap);
            answer.growth =
                explain::growth::path(request, &question, &field, &best.formulated, &solved.point, &plan)?;
            answer.kinds = kinds(request, &question, &mut field, Some(&plan))?; // may add to the field
            answer.plans = alternatives(request, &question, plan)?;
            answer.proof.verified = true;
            explain::feasible(request, &question, &field, &mut answer);
            if request.options.pareto {
                answer.pareto = crate::pareto::pareto(request, &question)?;
            }
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

/// The question of a request.
fn ask<'q, 'c>(request: &Request<'q>, bench: &'c Bench<'c>) -> Question<'q, 'c>
where
    'q: 'c,
{
    Question {
        requirements: request.requirements,
        catalog: request.catalog,
        rules: request.rules,
        bench,
        kind: None,
        forbid: std::collections::BTreeSet::new(),
        prune: request.options.prune,
        stop: request.options.stop,
        backend: request.options.backend,
        index_matters: None,
        count_matters: false,
        share_matters: false,
    }
}

/// What is wanted beyond the answer.
#[derive(Debug, Clone, Copy, Default)]
pub struct Deeper<'a> {
    /// What one step of each limit is worth, where the answer does not say so yet.
    pub steps: bool,
    /// Options by name, each with a verdict.
    pub why_not: &'a [String],
}

/// Adds to an answer, by solving again, what is wanted beyond it. The request is the one that was answered.
///
/// # Errors
/// As [`recommend`].
pub fn deepen(request: &Request<'_>, answer: &mut Recommendation, wanted: Deeper<'_>) -> Result<(), Error> {
    let folded = crate::custom::folded(request.requirements, request.rules)?;
    let request = Request { requirements: &folded, ..*request };
    let bench = Bench::new(request.catalog, &folded.owned);
    let question = ask(&request, &bench);
    let best = answer.plans.first().map(|plan| explain::why_not::Best { plan, value: answer.proof.value });
    answer.why_not =
        wanted.why_not.iter().map(|asked| explain::why_not::why_not(&question, best, asked)).collect();
    if let Some(best) = answer.plans.first().filter(|_| wanted.steps && answer.steps.is_empty()) {
        answer.steps = explain::steps::steps(&question, best, answer.status)?;
    }
    Ok(())
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
        pareto: Vec::new(),
        proof: Proof {
            objective: request.requirements.objective.word().to_owned(),
            value: None,
            bound: None,
            gap: None,
            candidates: tally.candidates,
            refused: tally.refused.clone(),
            dominated: tally.dominated,
            beyond_incumbent: tally.beyond_incumbent,
            estimated: tally.estimated,
            solved: 0,
            backend: backend_name(request.options.backend).to_owned(),
            verified: false,
        },
        runners_up: Vec::new(),
        steps: Vec::new(),
        why_not: Vec::new(),
        conflict: Vec::new(),
        conflict_reasons: Vec::new(),
        relaxations: Vec::new(),
        growth: None,
        facts: Vec::new(),
        warnings: Vec::new(),
    }
}

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
    while plans.len() < request.options.top && !(request.options.stop.0)() {
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
