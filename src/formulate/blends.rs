//! Columns of routers and cascades: every setting over the few cheapest targets of each role.
//!
//! In: pools and hosted columns. Out: [`Blend`]s and what each stands for. A target takes part only where it may serve
//! the class by itself, so a hard floor binds every request that passes. Of each role the [`MEMBERS_MAX`] cheapest per
//! request are combined: the optimum is proven over these columns.

mod time;

use itertools::Itertools;

use super::means::{hosted_index, pool_index};
use super::{Field, Formulated, Guard, Source};
use crate::candidate::{Class, Question};
use crate::catalog::glob_matches;
use crate::program::Blend;
use crate::recommendation::ViaKind;
use crate::requirements::{BlendQuality, Cascade, Objective, Router};

/// Targets of a role that are combined.
const MEMBERS_MAX: usize = 4;

/// What a blend column stands for.
#[derive(Debug, Clone, PartialEq)]
pub struct Way {
    /// Name of the router or cascade.
    pub name: String,
    /// Which of the two.
    pub kind: ViaKind,
    /// Setting of a router, from 0.
    pub point: u32,
    /// Weak and strong target, or the stages.
    pub members: Vec<Member>,
    /// What router or judges take for a request, USD.
    pub usd_per_request: f64,
    /// Index of a request, where known.
    pub index: Option<f64>,
    /// What it adds to the times of its members, ms by member.
    pub added_ms: Vec<f64>,
}

/// A target on the way.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Member {
    /// True for an own engine.
    pub local: bool,
    /// Where its column comes from.
    pub source: Source,
    /// Requests it sees of one.
    pub seen: f64,
    /// Part of these that it answers.
    pub answered: f64,
}

/// A column that may be a member: place among the pools or the hosted columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    Pool(usize),
    Hosted(usize),
}

/// Writes the columns of every router and cascade.
pub(super) fn blend_columns(question: &Question<'_, '_>, field: &Field<'_, '_>, out: &mut Formulated) {
    let requirements = question.requirements;
    for (c, class) in field.classes.iter().enumerate() {
        for router in
            requirements.routers.iter().filter(|router| router.workloads.contains(&class.workload.name))
        {
            let roles = [&router.weak, &router.strong].map(|globs| members(question, field, out, c, globs));
            for (point, pair) in
                (0..router.points.len()).cartesian_product(roles.iter().multi_cartesian_product())
            {
                let pair: Vec<Target> = pair.into_iter().copied().collect();
                if pair[0] != pair[1] {
                    let way = routed(question, field, out, c, router, point, &pair);
                    push(question, field, out, (c, class), way, &pair);
                }
            }
        }
        let cascades =
            requirements.cascades.iter().filter(|cascade| cascade.workloads.contains(&class.workload.name));
        for cascade in cascades {
            let roles: Vec<Vec<Target>> =
                cascade.stages.iter().map(|stage| members(question, field, out, c, &stage.models)).collect();
            for path in roles.iter().multi_cartesian_product() {
                let path: Vec<Target> = path.into_iter().copied().collect();
                if (1..path.len()).all(|at| !path[..at].contains(&path[at])) {
                    let way = cascaded(question, field, out, c, cascade, &path);
                    push(question, field, out, (c, class), way, &path);
                }
            }
        }
    }
}

/// The few cheapest targets that one of the globs names and that may serve the class.
fn members(
    question: &Question<'_, '_>,
    field: &Field<'_, '_>,
    out: &Formulated,
    c: usize,
    globs: &[String],
) -> Vec<Target> {
    let named = |names: &[&str]| globs.iter().any(|glob| names.iter().any(|name| glob_matches(glob, name)));
    let measured = &question.requirements.measured;
    let hours = question.requirements.hours_per_month;
    let mut all: Vec<(f64, Target)> = Vec::new();
    for (r, pool) in out.program.pools.iter().enumerate() {
        let names: Vec<&str> = match out.pools[r].0 {
            Source::Catalog(at) => field.locals[at].prospect.model.names().collect(),
            Source::Measured(at) => vec![&measured[at].option],
            Source::Serverless(_) => continue,
        };
        if out.pools[r].1 == Guard::None && pool.capacity[c] > 0.0 && named(&names) {
            let month = pool.modes.iter().map(|mode| mode.usd_per_month + mode.usd_amortised);
            let month = month.chain(pool.usd_per_hour.map(|usd| usd * hours)).fold(f64::INFINITY, f64::min);
            let requests = pool.capacity[c] * f64::from(pool.replicas) * 3600.0 * hours;
            all.push((month / requests, Target::Pool(r)));
        }
    }
    for (a, hosted) in out.program.hosted.iter().enumerate() {
        let (source, behind) = out.hosted[a];
        let names: Vec<&str> = match source {
            Source::Catalog(at) => field.hosted[at].api.names().collect(),
            Source::Measured(at) => vec![&measured[at].option],
            Source::Serverless(_) => continue,
        };
        if let (Some(usd), None, true) = (hosted.usd_per_request[c], behind, named(&names)) {
            all.push((usd, Target::Hosted(a)));
        }
    }
    all.sort_by(|a, b| a.0.total_cmp(&b.0));
    all.into_iter().map(|(_, target)| target).take(MEMBERS_MAX).collect()
}

fn routed(
    question: &Question<'_, '_>,
    field: &Field<'_, '_>,
    out: &Formulated,
    c: usize,
    router: &Router,
    point: usize,
    pair: &[Target],
) -> Way {
    let strong = router.points[point].strong_share;
    let parts = [1.0 - strong, strong];
    Way {
        name: router.name.clone(),
        kind: ViaKind::Router,
        point: u32::try_from(point).unwrap_or(u32::MAX),
        members: pair.iter().zip(parts).map(|(target, seen)| member(out, *target, seen, 1.0)).collect(),
        usd_per_request: router.usd_per_request,
        index: index(question, field, out, c, router.points[point].quality, pair),
        added_ms: vec![router.added_ms; 2],
    }
}

fn cascaded(
    question: &Question<'_, '_>,
    field: &Field<'_, '_>,
    out: &Formulated,
    c: usize,
    cascade: &Cascade,
    path: &[Target],
) -> Way {
    let mut reached = 1.0;
    let mut usd_per_request = 0.0;
    let mut all = Vec::new();
    for (stage, target) in cascade.stages.iter().zip(path) {
        all.push(member(out, *target, reached, stage.accept_share));
        usd_per_request += reached * stage.judge_usd;
        reached *= 1.0 - stage.accept_share;
    }
    Way {
        name: cascade.name.clone(),
        kind: ViaKind::Cascade,
        point: 0,
        members: all,
        usd_per_request,
        index: index(question, field, out, c, cascade.quality, path),
        added_ms: cascade.stages.iter().map(|stage| stage.judge_ms).collect(),
    }
}

fn member(out: &Formulated, target: Target, seen: f64, answered: f64) -> Member {
    match target {
        Target::Pool(r) => Member { local: true, source: out.pools[r].0, seen, answered },
        Target::Hosted(a) => Member { local: false, source: out.hosted[a].0, seen, answered },
    }
}

/// Index of a request, from those of the first and the last target.
fn index(
    question: &Question<'_, '_>,
    field: &Field<'_, '_>,
    out: &Formulated,
    c: usize,
    quality: BlendQuality,
    path: &[Target],
) -> Option<f64> {
    let of = |target: Option<&Target>| match *target? {
        Target::Pool(r) => pool_index(question, field, out, r, c),
        Target::Hosted(a) => hosted_index(question, field, out, a),
    };
    quality.index(of(path.first()), of(path.last()))
}

/// Adds a column, unless it breaks a latency limit or its quality is asked for and unknown.
fn push(
    question: &Question<'_, '_>,
    field: &Field<'_, '_>,
    out: &mut Formulated,
    (c, class): (usize, &Class<'_>),
    way: Way,
    path: &[Target],
) {
    let objective = question.requirements.objective;
    let asked = class.reads_index() || objective == Objective::Quality;
    let fast_enough = class.workload.latency.iter().all(|limit| {
        time::held_ms(question, field, out, c, &way, path, limit).is_some_and(|held| held <= limit.ms)
    });
    if !fast_enough || (asked && way.index.is_none()) {
        return;
    }
    let scores = |of: &dyn Fn(&Target, &Member) -> f64| -> f64 {
        path.iter().zip(&way.members).map(|(target, member)| of(target, member)).sum()
    };
    let column_score = |target: &Target| match target {
        Target::Pool(r) => out.program.pools[*r].score[c],
        Target::Hosted(a) => out.program.hosted[*a].score[c],
    };
    let score = match objective {
        Objective::Cost => 0.0,
        Objective::Quality => -way.index.unwrap_or(0.0),
        Objective::Carbon => scores(&|target, member| member.seen * column_score(target)),
        // Every stage that a request passes takes its time; a router's two targets take theirs apart.
        Objective::Latency => {
            let added: f64 = way.members.iter().zip(&way.added_ms).map(|(member, ms)| member.seen * ms).sum();
            added + scores(&|target, member| member.seen * column_score(target))
        }
    };
    let seen = |local: bool| {
        let columns = path
            .iter()
            .zip(&way.members)
            .filter(move |(target, _)| matches!(target, Target::Pool(_)) == local);
        columns.map(|(Target::Pool(at) | Target::Hosted(at), member)| (*at, member.seen)).collect::<Vec<_>>()
    };
    let id = format!("{} {} of {} #{}", way.name, way.point, class.name(), out.program.blends.len());
    out.program.blends.push(Blend {
        id: id.clone(),
        class: c,
        pools: seen(true),
        hosted: seen(false),
        usd_per_request: way.usd_per_request,
        score,
        ..Default::default()
    });
    out.ways.insert(id, way);
}
