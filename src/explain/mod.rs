//! Why this plan, why not another, and what would have to change: facts, no prose.
//!
//! In: a question, its field of options, the answer so far. Out: reasons, runners-up, conflicts and relaxations in the
//! answer. What is said here is found by solving again, never by duals (MIP duals are 0).

pub mod alone;
pub mod conflict;
pub mod facts;
pub mod growth;
pub mod relax;
pub mod runners;
pub mod spread;
pub mod steps;
pub mod warnings;
pub mod why_not;

use crate::candidate::Question;
use crate::error::Error;
use crate::formulate::{Field, MG_PER_KG};
use crate::program::Program;
use crate::reason::{Op, Quantity, Reason};
use crate::recommendation::{Kind, Plan, Recommendation};
use crate::request::Request;
use crate::requirements::{Objective, Requirements};

/// A limit with no more than this part of it left is called binding.
const BINDING_SLACK: f64 = 0.10;

/// Fills in the reasons of a feasible answer.
pub fn feasible<'c>(
    request: &Request<'_>,
    question: &Question<'_, 'c>,
    field: &Field<'_, 'c>,
    answer: &mut Recommendation,
) {
    for plan in &mut answer.plans {
        plan.reasons = reasons(question, plan);
        plan.binding = binding(request.requirements, plan);
    }
    if let Some(best) = answer.plans.first().cloned() {
        let best = why_not::Best { plan: &best, value: answer.proof.value };
        answer.runners_up = runners::runners_up(question, field, best);
    }
}

/// Fills in conflict and relaxations of an infeasible answer.
///
/// # Errors
/// [`Error::Bug`] when a relaxation that was found does not stand.
pub fn infeasible<'c>(
    request: &Request<'_>,
    question: &Question<'_, 'c>,
    field: &Field<'_, 'c>,
    answer: &mut Recommendation,
) -> Result<(), Error> {
    answer.runners_up = runners::refused(question, field);
    for (at, class) in field.classes.iter().enumerate() {
        let measured = request.requirements.measured.iter().any(|row| {
            let engine = row.usd_per_hour.is_some() && question.local();
            let api = row.usd_per_request.contains_key(&class.workload.name) && question.cloud();
            (engine || api) && row.capacity_rps.contains_key(&class.workload.name)
        });
        let served = measured
            || field.locals.iter().any(|option| option.capacity[at].is_some())
            || field.hosted.iter().any(|option| option.terms[at].refusal.is_none());
        if !served {
            let mut refused: Vec<(String, u64)> =
                field.tally.refused.iter().map(|(rule, count)| (rule.clone(), *count)).collect();
            refused.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
            refused.truncate(5);
            answer.conflict_reasons.push(Reason::NobodyServes { workload: class.name(), refused }.into());
        }
    }
    if request.options.explain_infeasible {
        answer.conflict = conflict::minimal(question);
        for rule in &answer.conflict {
            if let Some((who, refusal)) = field.tally.nearest.get(rule) {
                answer.conflict_reasons.push(refusal.reason(who, "").into());
            }
        }
        answer.relaxations = relax::relaxations(request, question, &answer.conflict)?;
    }
    Ok(())
}

/// From the value that a program minimises to the one that is shown.
#[must_use]
pub fn shown_unit(objective: Objective, program: &Program) -> f64 {
    match objective {
        // Quality is maximised: the program minimises its negative.
        Objective::Quality => -1.0,
        // The program's score is of a request, what is shown of the month.
        Objective::Carbon => program.all_requests() / MG_PER_KG,
        Objective::Cost | Objective::Latency => 1.0,
    }
}

/// One line naming what runs.
#[must_use]
pub fn summary(plan: &Plan) -> String {
    let mut parts: Vec<String> = Vec::new();
    for deployment in &plan.deployments {
        if deployment.fallback_only {
            parts.push(format!("{} as fallback", deployment.label));
        } else if let Some(engine) = &deployment.engine {
            let spare = if engine.spare_replicas > 0 {
                format!(" ({} spare)", engine.spare_replicas)
            } else {
                String::new()
            };
            parts.push(if deployment.mode == "measured" || engine.billed_s_per_month.is_some() {
                deployment.label.clone()
            } else {
                format!("{} x [{}]{spare}", engine.replicas, deployment.label)
            });
        } else {
            parts.push(deployment.label.clone());
        }
    }
    parts.join(" + ")
}

/// The budget a plan of some kind exceeds.
#[must_use]
pub fn over_budget(requirements: &Requirements, plan: &Plan) -> Reason {
    let who = summary(plan);
    let per_request = requirements.budget.usd_per_request.filter(|most| plan.usd_per_request > *most);
    match (requirements.budget.usd_per_month.filter(|most| plan.usd_per_month > *most), per_request) {
        (None, Some(most)) => Reason::Breaks {
            who,
            workload: String::new(),
            rule: "usd_per_request".to_owned(),
            got: Quantity::new(plan.usd_per_request, "USD/request"),
            op: Op::AtMost,
            allowed: Quantity::new(most, "USD/request"),
        },
        (most, _) => Reason::Breaks {
            who,
            workload: String::new(),
            rule: "usd_per_month".to_owned(),
            got: Quantity::new(plan.usd_per_month, "USD/month"),
            op: Op::AtMost,
            allowed: Quantity::new(most.unwrap_or(plan.usd_per_month), "USD/month"),
        },
    }
}

/// Why a kind cannot be within the limit on deployments, whatever runs: a hybrid plan is at least two. Said without
/// solving, since proving it by branching takes forever.
#[must_use]
pub fn too_many_deployments(requirements: &Requirements, kind: Kind) -> Option<Reason> {
    let most = requirements.limits.max_deployments.filter(|most| kind == Kind::Hybrid && *most < 2)?;
    Some(Reason::Breaks {
        who: "hybrid plans".to_owned(),
        workload: String::new(),
        rule: "max_deployments".to_owned(),
        got: Quantity::new(2.0, ""),
        op: Op::AtMost,
        allowed: Quantity::new(f64::from(most), ""),
    })
}

/// Why there is no plan of a kind: the rule that refused most, with its nearest miss.
#[must_use]
pub fn no_plan_of_kind(question: &Question<'_, '_>, field: &Field<'_, '_>, kind: Kind) -> Option<Reason> {
    let local =
        |who: &str| who.contains(" on ") || question.catalog.offers.iter().any(|offer| offer.id == who);
    if kind != Kind::Hybrid {
        for class in 0..field.classes.len() {
            let workload = field.classes[class].name();
            if kind == Kind::Cloud {
                let nearest = field
                    .hosted
                    .iter()
                    .filter(|option| option.terms[class].refusal.is_some())
                    .filter_map(|option| Some((option, option.terms[class].refusal.as_ref()?)))
                    .min_by(|a, b| a.1.miss().total_cmp(&b.1.miss()).then(a.0.api.id.cmp(&b.0.api.id)));
                let nobody = field.hosted.iter().all(|option| option.terms[class].refusal.is_some());
                if let (true, Some((option, refusal))) = (nobody, nearest) {
                    return Some(refusal.reason(&option.label(), &workload));
                }
            } else if field.locals.iter().all(|option| option.capacity[class].is_none()) {
                let nearest = field.tally.nearest.iter().filter(|(_, (who, _))| local(who)).max_by(|a, b| {
                    let count = |rule: &str| field.tally.refused.get(rule).copied().unwrap_or(0);
                    count(a.0).cmp(&count(b.0)).then(b.0.cmp(a.0))
                });
                return nearest.map(|(_, (who, refusal))| refusal.reason(who, &workload));
            }
        }
    }
    let rule = if question.requirements.availability.is_some() { "availability" } else { "routing" };
    Some(Reason::Forbidden {
        who: format!("{kind:?} plans").to_lowercase(),
        workload: String::new(),
        rule: rule.to_owned(),
        got: "none complies".to_owned(),
        asked: "every rule together".to_owned(),
    })
}

/// The structure of the target that takes most, which another plan must do without.
#[must_use]
pub fn leading_structure(question: &Question<'_, '_>, plan: &Plan) -> Option<String> {
    let share = |id: &str| -> f64 {
        plan.routing.iter().filter(|route| route.target == id).map(|route| route.share).sum()
    };
    let leading = plan
        .deployments
        .iter()
        .filter(|deployment| !deployment.fallback_only && deployment.mode != "measured")
        .max_by(|a, b| share(&a.id).total_cmp(&share(&b.id)).then(b.id.cmp(&a.id)))?;
    Some(match &leading.engine {
        Some(engine) => crate::candidate::local::structure(&leading.model, &engine.gpu),
        None => {
            let api = question.catalog.api_on(&leading.model, question.requirements.as_of)?;
            crate::candidate::hosted::structure(api)
        }
    })
}

fn reasons(question: &Question<'_, '_>, plan: &Plan) -> Vec<crate::reason::Told> {
    let mut all: Vec<Reason> = Vec::new();
    for route in &plan.routing {
        if let Some(deployment) = plan.deployments.iter().find(|deployment| deployment.id == route.target) {
            let who = deployment.label.clone();
            all.push(Reason::Serves { who, workload: route.workload.clone(), share: route.share });
        }
    }
    for deployment in &plan.deployments {
        if let Some(engine) = &deployment.engine
            && engine.billed_s_per_month.is_none()
        {
            all.push(Reason::Surplus {
                who: deployment.label.clone(),
                utilisation_peak: engine.utilisation_peak,
                idle_gpus: engine.idle_gpus,
                spare_replicas: engine.spare_replicas,
            });
        }
    }
    for class in crate::candidate::classes(question.requirements) {
        let Some(cut) = class
            .floor
            .and_then(|floor| crate::quality::cut(question.catalog, question.requirements.as_of, floor))
        else {
            continue;
        };
        for route in
            plan.routing.iter().filter(|r| r.workload == class.workload.name && r.premium == class.premium)
        {
            let Some(deployment) = plan.deployments.iter().find(|deployment| deployment.id == route.target)
            else {
                continue;
            };
            if let Some(scored) = deployment.quality.filter(|scored| (scored.index - cut).abs() <= scored.sd)
            {
                all.push(Reason::Borderline {
                    who: deployment.label.clone(),
                    index: scored.index,
                    cut,
                    probability: crate::quality::probability(scored.index, scored.sd, cut),
                });
            }
        }
    }
    all.into_iter().map(Into::into).collect()
}

fn binding(requirements: &Requirements, plan: &Plan) -> Vec<crate::reason::Told> {
    let mut all = Vec::new();
    let mut push = |rule: &str, workload: &str, left: f64, limit: f64, unit: &str| {
        if left <= BINDING_SLACK * limit.abs() {
            all.push(
                Reason::Binding {
                    rule: rule.to_owned(),
                    workload: workload.to_owned(),
                    left_over: Quantity::new(left, unit),
                    limit: Quantity::new(limit, unit),
                }
                .into(),
            );
        }
    };
    for row in &plan.measures {
        if let (Some(limit), Some(slack)) = (row.limit, row.slack) {
            let (rule, unit) = match row.measure.as_str() {
                "usd_per_month" => ("usd_per_month", "USD/month"),
                "usd_per_request" => ("usd_per_request", "USD/request"),
                "usd_upfront" => ("usd_upfront", "USD"),
                "deployments" => ("max_deployments", "deployments"),
                "power_kw" => ("power_kw", "kW"),
                "quality_mean" => ("quality_mean", "index"),
                "memory_gib_per_server" => ("memory_gib_per_server", "GiB"),
                name if name.starts_with("ttft") => ("ttft_ms", "ms"),
                name if name.starts_with("tpot") => ("tpot_ms", "ms"),
                _ => ("e2e_ms", "ms"),
            };
            push(rule, &row.workload, slack, limit, unit);
        }
    }
    for (gpu, most) in &requirements.limits.gpus {
        let rented = |slot: usize| -> u32 {
            plan.deployments
                .iter()
                .filter_map(|deployment| deployment.engine.as_ref())
                .filter(|engine| engine.gpu == *gpu)
                .flat_map(|engine| engine.paid.iter().map(move |paid| (engine, paid)))
                .filter(|(_, paid)| !matches!(paid.billing.as_str(), "owned" | "purchase"))
                .map(|(engine, paid)| paid.instances_in(slot) * engine.gpus_per_instance)
                .sum()
        };
        let used = (0..48).map(rented).max().unwrap_or(0);
        push("gpus", "", f64::from(*most) - f64::from(used), f64::from(*most), "GPUs");
    }
    all
}
