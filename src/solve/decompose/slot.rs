//! One slot of the program with the always-on fleet given: a tiny integer program, solved exactly.
//!
//! In: which pools take part with how many instances paid already and what more cost. Out: what the slot costs, with the
//! solver's own bound. The rows are those of the whole program, written by the same code for one slot.

use crate::program::{Matrix, Mode, Point, Pool, Program, Row, Sense};
use crate::request::Backend;
use crate::solve::{Answer, backend};

/// The slots of a program, and who solves them.
#[derive(Clone, Copy)]
pub(super) struct Slots<'a> {
    /// The whole program.
    pub(super) program: &'a Program,
    /// Who solves the matrices.
    pub(super) backend: Backend,
}

/// A pool in a slot.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Member {
    /// Which.
    pub(super) pool: usize,
    /// Instances that are there anyway.
    pub(super) sunk: usize,
    /// Further instances: USD/month in this slot, most.
    pub(super) extra: Option<(f64, usize)>,
    /// May instances be bought for this slot alone?
    pub(super) hours: bool,
}

/// What became of a slot.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Slot {
    /// Served.
    Served(Served),
    /// No plan.
    Infeasible,
    /// The solver gave up.
    Unknown,
}

/// A slot's plan.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Served {
    /// USD/month, sunk instances aside.
    pub(super) cost: f64,
    /// No plan of the slot costs less.
    pub(super) bound: f64,
    /// Further instances at the price of `extra`, by member.
    pub(super) extra: Vec<u32>,
    /// Instances bought for this slot alone, by member.
    pub(super) hourly: Vec<u32>,
    /// Class, pool, share.
    pub(super) local: Vec<(usize, usize, f64)>,
    /// Class, hosted model, share.
    pub(super) cloud: Vec<(usize, usize, f64)>,
}

/// Solves a slot to a relative gap or until so many nodes are seen.
pub(super) fn solve(
    slots: Slots<'_>,
    t: usize,
    members: &[Member],
    hosted: &[usize],
    gap: f64,
    nodes: u64,
) -> Slot {
    let program = slots.program;
    let mut small = Program {
        slot_hours: vec![program.slot_hours[t]],
        classes: program.classes.clone(),
        pools: members.iter().map(|member| pool(program, member)).collect(),
        hosted: hosted.iter().map(|a| program.hosted[*a].clone()).collect(),
        resources: program.resources.clone(),
        ..Program::default()
    };
    for class in &mut small.classes {
        class.load_rps = vec![class.load_rps[t]];
        class.billed_rps = vec![class.billed_rps[t]];
    }
    let mut matrix = Matrix::of(&small);
    let mut at = 0;
    for member in members {
        if member.sunk > 0 {
            bounded(&mut matrix, at, member.sunk);
            if !program.pools[member.pool].uses.is_empty() {
                // They take their part of what is scarce whether busy or not.
                let terms = vec![(at, 1.0)];
                #[allow(clippy::cast_precision_loss, reason = "a count of instances")]
                let right = member.sunk as f64;
                matrix.rows.push(Row { rule: "capacity", terms, sense: Sense::AtLeast, right });
                matrix.columns[at].upper = right;
            }
            at += 1;
        }
        if let Some((_, most)) = member.extra {
            bounded(&mut matrix, at, most);
            at += 1;
        }
        at += usize::from(member.hours);
    }
    let (values, bound) = match backend::solve(&matrix, slots.backend, gap, nodes) {
        Answer::Found { values, bound } => (values, bound),
        Answer::Infeasible => return Slot::Infeasible,
        Answer::Failed(_) => return Slot::Unknown,
    };
    let point = matrix.point(&small, &values).tidy(&small);
    Slot::Served(read(&small, members, hosted, &point, bound))
}

#[allow(clippy::cast_precision_loss, reason = "a count of instances")]
fn bounded(matrix: &mut Matrix, at: usize, most: usize) {
    matrix.columns[at].upper = matrix.columns[at].upper.min(most as f64);
}

/// The pool with the modes of a member: those that are there anyway, further ones, hours.
fn pool(program: &Program, member: &Member) -> Pool {
    let pool = &program.pools[member.pool];
    let mode = |usd: f64| Mode { usd_per_month: usd, ..Mode::default() };
    let sunk = (member.sunk > 0).then(|| mode(0.0));
    let extra = member.extra.map(|(usd, _)| mode(usd));
    Pool {
        modes: sunk.into_iter().chain(extra).collect(),
        usd_per_hour: pool.usd_per_hour.filter(|_| member.hours),
        ..pool.clone()
    }
}

fn read(small: &Program, members: &[Member], hosted: &[usize], point: &Point, bound: f64) -> Served {
    let cost = point.usd_per_month(small);
    let mut served = Served { cost, bound: bound.min(cost), ..Served::default() };
    for (i, member) in members.iter().enumerate() {
        let extra = member.extra.and_then(|_| point.always_on[i].last().copied());
        served.extra.push(extra.unwrap_or(0));
        served.hourly.push(point.hourly[i][0]);
    }
    for c in 0..small.classes.len() {
        for (i, member) in members.iter().enumerate() {
            if point.local[c][i][0] > 0.0 {
                served.local.push((c, member.pool, point.local[c][i][0]));
            }
        }
        for (i, a) in hosted.iter().enumerate() {
            if point.cloud[c][i][0] > 0.0 {
                served.cloud.push((c, *a, point.cloud[c][i][0]));
            }
        }
    }
    served
}
