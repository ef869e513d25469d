//! One question solved: the plan, checked, or what stands in its way.

use crate::candidate::Question;
use crate::error::Error;
use crate::explain::{conflict, no_plan_of_kind, over_budget};
use crate::formulate::{Field, Formulated, formulate};
use crate::program::Point;
use crate::reason::Reason;
use crate::recommendation::{Kind, Plan, Status};
use crate::requirements::{Budget, Requirements};
use crate::search::solve_with;
use crate::solve::{Outcome, Solved};
use crate::verify::verify;

/// Gap up to which a plan is called optimal.
const OPTIMAL_GAP: f64 = 1e-4;
/// Shares closer than this are the same.
const SAME_SHARE: f64 = 1e-9;

/// What came of one question.
pub(super) enum Found {
    /// A plan.
    Plan(Box<Sound>),
    /// Nothing complies.
    Nothing,
    /// The solver stopped with neither: its words.
    Unknown(String),
}

/// A plan that the checker accepted.
pub(super) struct Sound {
    pub(super) plan: Plan,
    /// Relative gap of its program.
    pub(super) gap: f64,
    /// The budget it exceeds; it keeps every other rule.
    pub(super) over: Option<Reason>,
    /// The program it comes from.
    pub(super) formulated: Formulated,
    /// Its point.
    pub(super) point: Point,
}

impl Sound {
    /// Cost of a month with what is paid once spread over its months.
    pub(super) fn cost(&self) -> f64 {
        self.plan.usd_per_month + self.plan.usd_amortised
    }

    pub(super) fn status(&self) -> Status {
        match (&self.over, self.gap <= OPTIMAL_GAP) {
            (Some(_), _) => Status::Infeasible,
            (None, true) => Status::Optimal,
            (None, false) => Status::Feasible,
        }
    }
}

/// The best plan of all.
pub(super) fn best<'q, 'c>(question: &Question<'q, 'c>, field: &mut Field<'q, 'c>) -> Result<Found, Error> {
    solve(question, field, &|field| formulate(question, field))
}

/// The best plan of a kind.
pub(super) fn of_kind<'q, 'c>(
    question: &Question<'q, 'c>,
    field: &mut Field<'q, 'c>,
    kind: Kind,
) -> Result<Found, Error> {
    solve(question, field, &|field| formulate(question, field).of_kind(kind))
}

/// The best plan whose own engines serve exactly a share.
pub(super) fn at_share<'q, 'c>(
    question: &Question<'q, 'c>,
    field: &mut Field<'q, 'c>,
    share: f64,
) -> Result<Found, Error> {
    if share <= SAME_SHARE {
        return of_kind(question, field, Kind::Cloud);
    }
    if share >= 1.0 - SAME_SHARE {
        // Hosted models may still stand behind own engines.
        return solve(question, field, &|field| {
            let whole = formulate(question, field);
            let pools: Vec<usize> = (0..whole.pools.len()).collect();
            let hosted: Vec<usize> =
                (0..whole.hosted.len()).filter(|a| whole.program.hosted[*a].local).collect();
            whole.keep(whole.program.only(&pools, &hosted).0, &pools, &hosted)
        });
    }
    solve(question, field, &|field| {
        let mut whole = formulate(question, field);
        whole.program.local_share = Some(share);
        whole
    })
}

/// Solves a program and checks the plan that comes of it.
pub(super) fn solve<'q, 'c>(
    question: &Question<'q, 'c>,
    field: &mut Field<'q, 'c>,
    write: &dyn Fn(&Field<'q, 'c>) -> Formulated,
) -> Result<Found, Error> {
    if (question.stop.0)() {
        return Ok(Found::Unknown("no plan found before the stop".to_owned()));
    }
    let best = solve_with(question, field, write);
    let sound = |solved: Solved, in_budget: bool| -> Result<Found, Error> {
        let plan = crate::plan::plan(question, field, &best.formulated, &solved.point, 1);
        let free = unbudgeted(question.requirements);
        let asked = if in_budget { question.requirements } else { &free };
        if let Some(first) = verify(asked, question.catalog, question.rules, &plan).first() {
            return Err(Error::Bug(format!("the checker rejects a plan of the hybrid question: {first}")));
        }
        let over = (!in_budget).then(|| over_budget(question.requirements, &plan));
        let gap = ((solved.value - solved.bound) / solved.value.abs().max(1e-9)).max(0.0);
        let (formulated, point) = (best.formulated.clone(), solved.point);
        Ok(Found::Plan(Box::new(Sound { plan, gap, over, formulated, point })))
    };
    match best.outcome {
        Outcome::Solved(solved) => sound(solved, true),
        Outcome::Infeasible { cheapest: Some(solved) } => sound(*solved, false),
        Outcome::Infeasible { cheapest: None } => Ok(Found::Nothing),
        Outcome::Unknown(words) => Ok(Found::Unknown(words)),
    }
}

/// The request without its limits on the monthly bill.
pub(super) fn unbudgeted(requirements: &Requirements) -> Requirements {
    let budget = Budget { usd_upfront: requirements.budget.usd_upfront, ..Budget::default() };
    Requirements { budget, ..requirements.clone() }
}

/// Why nothing complies at a share: a side that cannot serve so much, or the first rule without which something would.
pub(super) fn in_the_way(
    question: &Question<'_, '_>,
    field: &Field<'_, '_>,
    share: f64,
) -> Result<Option<Reason>, Error> {
    for (due, may, who, asked) in [
        (share, question.local(), "own engines", "cloud"),
        (1.0 - share, question.cloud(), "hosted models", "local"),
    ] {
        if due > SAME_SHARE && !may {
            let got = if asked == "cloud" { "local" } else { "cloud" };
            return Ok(Some(forbidden(who, "routing", got, asked)));
        }
    }
    let whole = formulate(question, field);
    let program = &whole.program;
    let reach = |local: bool| -> f64 {
        let serves = |c: usize| {
            let hosted = || program.hosted.iter().filter(|hosted| hosted.local == local);
            (local && program.pools.iter().any(|pool| pool.capacity[c] > 0.0))
                || hosted().any(|hosted| hosted.usd_per_request[c].is_some())
        };
        let requests = |c: usize| (0..program.slot_hours.len()).map(|t| program.requests(c, t)).sum::<f64>();
        (0..field.classes.len()).filter(|c| serves(*c)).map(requests).sum::<f64>() * program.per_request()
    };
    for (due, local, kind) in [(share, true, Kind::Local), (1.0 - share, false, Kind::Cloud)] {
        if due > reach(local) + SAME_SHARE {
            let who = if local { "own engines" } else { "hosted models" };
            let none = || forbidden(who, "demand", NONE_COMPLIES, "");
            return Ok(no_plan_of_kind(question, field, kind).or_else(|| Some(none())));
        }
    }
    for rule in conflict::MOVABLE {
        let Some(free) = conflict::without(question.requirements, rule) else { continue };
        let about = question.about(&free);
        let mut field = crate::formulate::field(&about);
        if matches!(at_share(&about, &mut field, share)?, Found::Plan(_)) {
            return Ok(Some(forbidden("plans with this share", rule, NONE_COMPLIES, "")));
        }
    }
    Ok(no_plan_of_kind(question, field, Kind::Hybrid))
}

/// What the phrases know as: only all rules together leave nothing.
const NONE_COMPLIES: &str = "none complies";

fn forbidden(who: &str, rule: &str, got: &str, asked: &str) -> Reason {
    Reason::Forbidden {
        who: who.to_owned(),
        workload: String::new(),
        rule: rule.to_owned(),
        got: got.to_owned(),
        asked: asked.to_owned(),
    }
}
