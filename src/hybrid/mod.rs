//! The hybrid question: what each share of own engines costs, which number of replicas pays, and from which volume on.
//!
//! In: a [`Request`]. Out: a [`Hybrid`]; behind each of its points stands a plan that the independent checker accepted,
//! the share or number that was set included. Everything is found by solving; the objective is always cost.
//! It draws nothing and writes no prose.

mod answer;
mod figures;
mod replicas;
mod shares;
mod solved;
mod volumes;

pub use answer::{
    Between, BreakEven, CriticalUse, Hybrid, Notice, ReplicaPoint, SCHEMA_VERSION, SharePoint, Stage,
    VolumePoint, WorkloadLatency,
};

use crate::candidate::{Bench, Question};
use crate::error::Error;
use crate::formulate::field;
use crate::recommendation::CatalogStamp;
use crate::request::Request;
use crate::requirements::{Objective, Requirements};

/// How much to answer.
#[derive(Clone, Copy)]
pub struct Ask<'a> {
    /// Steps in which the share rises from 0 to 1.
    pub steps: u32,
    /// Volumes from [`VOLUMES`]`.0` to [`VOLUMES`]`.1` times the file's own, evenly on a logarithmic scale.
    pub volumes: u32,
    /// Told whenever a part is done.
    pub progress: &'a (dyn Fn(Part) + Sync),
}

/// A part of the work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// One share.
    Share,
    /// One number of replicas.
    Replicas,
    /// One volume.
    Volume,
    /// The break-evens between two volumes.
    BreakEvens,
}

/// Least and most volume, as factors of the file's own.
pub const VOLUMES: (f64, f64) = (0.1, 100.0);

/// Answers the question.
///
/// # Errors
/// A rule of the user's that cannot be held; [`Error::Bug`] when the independent checker rejects a plan.
pub fn hybrid(request: &Request<'_>, ask: &Ask<'_>) -> Result<Hybrid, Error> {
    let folded = crate::custom::folded(request.requirements, request.rules)?;
    let asked = Requirements { objective: Objective::Cost, ..folded };
    let bench = Bench::new(request.catalog, &asked.owned);
    let question = Question {
        requirements: &asked,
        catalog: request.catalog,
        rules: request.rules,
        bench: &bench,
        kind: None,
        forbid: std::collections::BTreeSet::new(),
        prune: request.options.prune,
        stop: request.options.stop,
        backend: request.options.backend,
        index_matters: None,
        count_matters: false,
        share_matters: true,
    };
    let field = field(&question);
    let mut notices = Vec::new();
    if request.requirements.objective != Objective::Cost {
        let asked = request.requirements.objective.word().to_owned();
        notices.push(Notice::ObjectiveIsCost { asked });
    }
    let best = solved::best(&question, &mut field.clone())?;
    let shares = shares::shares(&question, &field, &best, ask, &mut notices)?;
    let by_replicas = replicas::replicas(&question, &field, &best, ask, &mut notices)?;
    let by_volume = volumes::volumes(&question, ask, &mut notices)?;
    if (question.stop.0)() {
        notices.push(Notice::StoppedEarly);
    }
    Ok(Hybrid {
        schema_version: SCHEMA_VERSION,
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        as_of: request.requirements.as_of.to_string(),
        catalog: CatalogStamp {
            built: request.catalog.built.to_string(),
            sha256: request.catalog.sha256.clone(),
        },
        requirements: request.requirements.clone(),
        shares,
        replicas: by_replicas.points,
        critical: by_replicas.critical,
        volumes: by_volume.points,
        break_evens: by_volume.break_evens,
        notices,
        warnings: Vec::new(),
    })
}
