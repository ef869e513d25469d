//! One place of the map: the request as it is there, solved and checked like any other.

use std::collections::{BTreeMap, BTreeSet};

use super::answer::{Cell, Side, Structure};
use super::axis::{Axis, Value};
use super::change::{Prices, changed};
use super::structure::Targets;
use crate::candidate::{Bench, Question};
use crate::catalog::Catalog;
use crate::error::Error;
use crate::explain::{over_budget, summary};
use crate::formulate::{Field, field};
use crate::reason::{Reason, Told};
use crate::recommendation::{Kind, Plan, Status};
use crate::request::Request;
use crate::requirements::{Budget, Requirements};
use crate::search::solve_mixed;
use crate::solve::{Outcome, Solved as Point};
use crate::verify::verify;

/// Gap up to which a plan is called optimal.
const OPTIMAL_GAP: f64 = 1e-4;

/// What came of one place.
#[derive(Debug, Clone)]
pub(super) struct Solved {
    pub(super) status: Status,
    pub(super) gap: Option<f64>,
    pub(super) usd_per_month: Option<f64>,
    pub(super) usd_amortised: Option<f64>,
    /// Of the plan that complies.
    pub(super) targets: Option<Targets>,
    pub(super) summary: String,
    pub(super) refused: Option<Reason>,
}

impl Solved {
    fn without(status: Status, refused: Option<Reason>) -> Self {
        let (gap, usd_per_month, usd_amortised, targets) = (None, None, None, None);
        Self { status, gap, usd_per_month, usd_amortised, targets, summary: String::new(), refused }
    }

    /// Which kind of plan complies.
    pub(super) fn kind(&self) -> Option<Kind> {
        self.targets.as_ref().map(|targets| targets.kind)
    }

    pub(super) fn side(&self) -> Side {
        let complies = self.targets.is_some();
        Side {
            kind: self.kind(),
            summary: if complies { self.summary.clone() } else { String::new() },
            usd_per_month: self.usd_per_month.filter(|_| complies),
        }
    }

    pub(super) fn cell(&self, (x, y): (usize, usize), structures: &[Structure]) -> Cell {
        let place = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        let mark = |targets: &Targets| {
            structures.iter().find(|structure| targets.is(structure)).map(|structure| structure.mark.clone())
        };
        Cell {
            x: place(x),
            y: place(y),
            status: self.status,
            gap: self.gap,
            usd_per_month: self.usd_per_month,
            usd_amortised: self.usd_amortised,
            kind: self.kind(),
            structure: self.targets.as_ref().and_then(mark),
            summary: self.summary.clone(),
            refused: self.refused.clone().map(Told::from),
        }
    }
}

/// What all places share.
pub(super) struct Solver<'s, 'c> {
    pub(super) request: &'s Request<'s>,
    /// Units and what they carry; no price enters it.
    pub(super) bench: &'c Bench<'c>,
    /// The catalog at each of the prices.
    pub(super) catalogs: &'c BTreeMap<Prices, Catalog>,
}

impl<'c> Solver<'_, 'c> {
    /// The best plan at values of the axes.
    pub(super) fn solve(&self, values: &[(&Axis, Value)]) -> Result<Solved, Error> {
        let request = self.request;
        if (request.options.stop.0)() {
            return Ok(Solved::without(Status::Unknown, None));
        }
        let at = values.iter().fold(request.requirements.clone(), |asked, (axis, value)| {
            changed(&asked, axis.dimension, value)
        });
        let folded = crate::custom::folded(&at, request.rules)?;
        let Some(catalog) = self.catalogs.get(&Prices::of(values)) else {
            return Err(Error::Bug("a place of the map has prices of its own".to_owned()));
        };
        let question = self.question(&folded, catalog);
        let mut field = field(&question);
        let best = solve_mixed(&question, &mut field, None);
        let plan_of =
            |solved: &Point| crate::plan::plan(&question, &field, &best.formulated, &solved.point, 1);
        match &best.outcome {
            Outcome::Solved(solved) => {
                let plan = plan_of(solved);
                check(&question, &folded, &plan)?;
                let gap = ((solved.value - solved.bound) / solved.value.abs().max(1e-9)).max(0.0);
                let status = if gap <= OPTIMAL_GAP { Status::Optimal } else { Status::Feasible };
                Ok(Solved { gap: Some(gap), targets: Some(Targets::of(&plan)), ..told(status, &plan, None) })
            }
            Outcome::Infeasible { cheapest: Some(solved) } => {
                let plan = plan_of(solved);
                let budget = Budget { usd_upfront: folded.budget.usd_upfront, ..Budget::default() };
                check(&question, &Requirements { budget, ..folded.clone() }, &plan)?;
                Ok(told(Status::Infeasible, &plan, Some(over_budget(&folded, &plan))))
            }
            Outcome::Infeasible { cheapest: None } => {
                Ok(Solved::without(Status::Infeasible, Some(in_the_way(&field))))
            }
            Outcome::Unknown(_) => Ok(Solved::without(Status::Unknown, None)),
        }
    }

    fn question<'q>(&self, requirements: &'q Requirements, catalog: &'c Catalog) -> Question<'q, 'c>
    where
        Self: 'q,
    {
        let options = self.request.options;
        Question {
            requirements,
            catalog,
            rules: self.request.rules,
            bench: self.bench,
            kind: None,
            forbid: BTreeSet::new(),
            prune: options.prune,
            stop: options.stop,
            backend: options.backend,
            index_matters: None,
            count_matters: false,
            share_matters: false,
        }
    }
}

fn told(status: Status, plan: &Plan, refused: Option<Reason>) -> Solved {
    Solved {
        status,
        gap: None,
        usd_per_month: Some(plan.usd_per_month),
        usd_amortised: Some(plan.usd_amortised),
        targets: None,
        summary: summary(plan),
        refused,
    }
}

fn check(question: &Question<'_, '_>, asked: &Requirements, plan: &Plan) -> Result<(), Error> {
    match verify(asked, question.catalog, question.rules, plan).first() {
        None => Ok(()),
        Some(first) => Err(Error::Bug(format!("the checker rejects a plan of the map: {first}"))),
    }
}

/// Rules in the order in which they are likeliest to be the one that is in the way: whoever breaks a limit on latency
/// keeps the rules that are looked at before it.
const FIRST: [&str; 6] = ["e2e_ms", "ttft_ms", "tpot_ms", "data_on_premises", "data_eu_only", "quality"];

/// The nearest miss of the rule in the way: of the first of those above that refused by a figure, else of the one that
/// refused most.
fn in_the_way(field: &Field<'_, '_>) -> Reason {
    let tally = &field.tally;
    let likely = FIRST.iter().find_map(|rule| tally.nearest.get(*rule));
    let count = |rule: &str| tally.refused.get(rule).copied().unwrap_or(0);
    let most = || tally.nearest.iter().max_by(|a, b| count(a.0).cmp(&count(b.0)).then(b.0.cmp(a.0)));
    match likely.or_else(|| most().map(|(_, miss)| miss)) {
        Some((who, refusal)) => refusal.reason(who, ""),
        None => Reason::Forbidden {
            who: "plans at this place".to_owned(),
            workload: String::new(),
            rule: "demand".to_owned(),
            got: "none complies".to_owned(),
            asked: String::new(),
        },
    }
}
