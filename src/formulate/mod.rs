//! Candidates become a program: classes, pools, hosted columns and the finite resources between them.
//!
//! In: a question and its [`Field`] of options. Out: a [`Formulated`] program and the way back from its columns to the
//! options. Under an availability target each option appears as the redundant routes it can form: with spares, with a
//! hosted model behind it, or alone where its own uptime is enough.

mod blends;
mod coordinates;
mod field;
mod hosted;
mod means;
mod measured;
pub mod packed;
mod pools;
mod resources;
mod score;
mod serverless;
mod spot;

pub use blends::{Member, Way};
pub use coordinates::{Coordinates, coordinates};
pub use field::{Field, field};
pub use score::MG_PER_KG;
pub(crate) use spot::away;

use std::collections::BTreeMap;

use resources::Resources;

use crate::candidate::{LocalOption, Question};
use crate::program::{self, Goal, Program};
use crate::recommendation::Kind;
use crate::requirements::Objective;

/// Least share of requests on each side of a hybrid plan, when the best of that kind is asked for.
pub const BOTH_SIDES_MIN: f64 = 0.01;

/// Where a column comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// A candidate of the catalog: place in [`Field::locals`] or [`Field::hosted`].
    Catalog(usize),
    /// An own engine billed by the second: place in [`Field::serverless`].
    Serverless(usize),
    /// A row of the request's `measured` list.
    Measured(usize),
}

/// What stands behind a pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Guard {
    /// No redundancy was asked for.
    None,
    /// Spare replicas.
    Spares,
    /// A hosted model takes over, by class (place in [`Field::hosted`]).
    Fallback,
}

/// A program and what its columns stand for.
#[derive(Clone)]
pub struct Formulated {
    /// The program.
    pub program: Program,
    /// For each pool, the option and its guard.
    pub pools: Vec<(Source, Guard)>,
    /// For each pool and class, the hosted option behind it.
    pub behind: Vec<Vec<Option<usize>>>,
    /// For each hosted column, the option and the one behind it.
    pub hosted: Vec<(Source, Option<usize>)>,
    /// Ways through routers and cascades, by the id of their column.
    pub ways: BTreeMap<String, Way>,
}

impl Formulated {
    /// The same with only some of the columns.
    #[must_use]
    pub fn keep(&self, program: Program, pools: &[usize], hosted: &[usize]) -> Self {
        Self {
            program,
            pools: pools.iter().map(|r| self.pools[*r]).collect(),
            behind: pools.iter().map(|r| self.behind[*r].clone()).collect(),
            hosted: hosted.iter().map(|a| self.hosted[*a]).collect(),
            ways: self.ways.clone(),
        }
    }

    /// Only columns of one kind; for hybrid plans both, with a least share on each side.
    #[must_use]
    pub fn of_kind(&self, kind: Kind) -> Self {
        let pools: Vec<usize> =
            if kind == Kind::Cloud { Vec::new() } else { (0..self.pools.len()).collect() };
        // Engines billed by the second are columns of the same form, but local.
        let of_kind = |a: &usize| match kind {
            Kind::Local => self.program.hosted[*a].local,
            Kind::Cloud => !self.program.hosted[*a].local,
            Kind::Hybrid => true,
        };
        let hosted: Vec<usize> = (0..self.hosted.len()).filter(of_kind).collect();
        // A local plan has no hosted model behind it either.
        let pools: Vec<usize> = pools
            .into_iter()
            .filter(|r| kind != Kind::Local || self.pools[*r].1 != Guard::Fallback)
            .collect();
        let (mut program, _) = self.program.only(&pools, &hosted);
        program.both_sides_min = (kind == Kind::Hybrid).then_some(BOTH_SIDES_MIN);
        self.keep(program, &pools, &hosted)
    }
}

/// Writes the program of a field.
#[must_use]
pub fn formulate(question: &Question<'_, '_>, field: &Field<'_, '_>) -> Formulated {
    let requirements = question.requirements;
    let mut resources = Resources::new(question);
    let mut out = Formulated {
        program: Program {
            slot_hours: requirements.slots().iter().map(|slot| slot.hours_per_month).collect(),
            classes: field
                .classes
                .iter()
                .map(|class| program::Class {
                    name: class.name(),
                    load_rps: class.load_rps(),
                    billed_rps: class.billed_rps(),
                    unavailability_max: requirements.availability.map(|target| 1.0 - target),
                    served_in: class.served_in(),
                })
                .collect(),
            pools: Vec::new(),
            hosted: Vec::new(),
            resources: Vec::new(),
            local_usd_per_month: requirements.ops_usd_per_month,
            usd_per_month_max: requirements.usd_per_month_max(),
            usd_upfront_max: requirements.budget.usd_upfront,
            deployments_max: requirements.limits.max_deployments,
            both_sides_min: None,
            goal: if requirements.objective == Objective::Cost { Goal::Cost } else { Goal::LeastScore },
            ..Default::default()
        },
        pools: Vec::new(),
        behind: Vec::new(),
        hosted: Vec::new(),
        ways: BTreeMap::new(),
    };
    let numbers = Numbers {
        hosted: numbered(field.hosted.iter().map(|option| option.api.id.clone())),
        engines: numbered(field.locals.iter().map(LocalOption::deployment)),
    };
    hosted::hosted_columns(question, field, &numbers.hosted, &mut resources, &mut out);
    serverless::serverless_columns(question, field, &mut out);
    pools::pool_columns(question, field, &numbers, &mut resources, &mut out);
    spot::spot_columns(question, field, &numbers, &mut resources, &mut out);
    measured::measured_columns(question, field, &mut resources, &mut out);
    out.program.resources = resources.list;
    out.program.before = before(&out.program);
    blends::blend_columns(question, field, &mut out);
    means::mean_rows(question, field, &mut out);
    out
}

/// The hour before each in a circle, within weekdays and within weekends, where starting an instance costs something.
fn before(program: &Program) -> Vec<usize> {
    let costs = program.pools.iter().any(|pool| pool.usd_per_start > 0.0)
        || program.hosts.iter().any(|host| host.usd_per_start > 0.0);
    let hours = crate::requirements::DAY_HOURS;
    let slots = if costs { program.slot_hours.len() } else { 0 };
    (0..slots).map(|slot| slot / hours * hours + (slot % hours + hours - 1) % hours).collect()
}

/// Numbers of the deployments behind options: what `max_deployments` counts once has one number.
struct Numbers {
    hosted: Vec<usize>,
    engines: Vec<usize>,
}

/// The same number for the same name.
fn numbered(names: impl Iterator<Item = String>) -> Vec<usize> {
    let mut numbers: BTreeMap<String, usize> = BTreeMap::new();
    names
        .map(|name| {
            let next = numbers.len();
            *numbers.entry(name).or_insert(next)
        })
        .collect()
}
