//! Index and p95 of every column, for a set of plans between which they are traded.

use super::means::{hosted_index, pool_index};
use super::{Field, Formulated, Source, score};
use crate::candidate::Question;
use crate::program::Mean;
use crate::requirements::Objective;

/// Index and p95 E2E (ms) of a request, by class and target.
pub struct Coordinates {
    /// Index at a pool.
    pub local_index: Vec<Vec<Option<f64>>>,
    /// Index at a hosted model.
    pub cloud_index: Vec<Vec<Option<f64>>>,
    /// p95 at a pool.
    pub local_p95: Vec<Vec<Option<f64>>>,
    /// p95 at a hosted model.
    pub cloud_p95: Vec<Vec<Option<f64>>>,
}

/// Coordinates of all columns. Where some columns have a known index (or p95), those without serve nobody any more.
pub fn coordinates(question: &Question<'_, '_>, field: &Field<'_, '_>, out: &mut Formulated) -> Coordinates {
    let classes = 0..field.classes.len();
    let by = |count: usize, of: &dyn Fn(usize, usize) -> Option<f64>| -> Vec<Vec<Option<f64>>> {
        classes.clone().map(|c| (0..count).map(|at| of(c, at)).collect()).collect()
    };
    let measured = &question.requirements.measured;
    // What a router makes of two targets has no p95 of its own.
    out.program.blends.clear();
    out.program.means.iter_mut().for_each(|mean| mean.blends.clear());
    let (pools, hosted) = (out.pools.len(), out.hosted.len());
    let at = Coordinates {
        local_index: by(pools, &|c, r| pool_index(question, field, out, r, c)),
        cloud_index: by(hosted, &|_, a| hosted_index(question, field, out, a)),
        local_p95: by(pools, &|c, r| match out.pools[r].0 {
            Source::Catalog(at) => {
                score::of_local(question, Objective::Latency, field, &field.locals[at]).map(|s| s.by_class[c])
            }
            Source::Measured(at) => measured[at].e2e_ms_p95,
            Source::Serverless(_) => None, // a hosted column
        }),
        cloud_p95: by(hosted, &|c, a| match out.hosted[a].0 {
            Source::Catalog(at) => {
                score::of_hosted(question, Objective::Latency, &field.hosted[at], &field.classes[c], c)
            }
            Source::Serverless(at) => {
                score::of_serverless(question, Objective::Latency, &field.serverless[at], c)
            }
            Source::Measured(at) => measured[at].e2e_ms_p95,
        }),
    };
    for (local, cloud) in [(&at.local_index, &at.cloud_index), (&at.local_p95, &at.cloud_p95)] {
        if local.iter().chain(cloud).flatten().all(Option::is_none) {
            continue;
        }
        for c in classes.clone() {
            for (r, pool) in out.program.pools.iter_mut().enumerate() {
                if local[c][r].is_none() {
                    pool.capacity[c] = 0.0;
                }
            }
            for (a, hosted) in out.program.hosted.iter_mut().enumerate() {
                if cloud[c][a].is_none() {
                    hosted.usd_per_request[c] = None;
                }
            }
        }
    }
    at
}

impl Coordinates {
    /// Mean index of all requests at least so high.
    #[must_use]
    pub fn index_at_least(&self, least: f64) -> Mean {
        mean("quality_mean", &self.local_index, &self.cloud_index, 1.0, true, least)
    }

    /// Mean p95 of all requests at most so many ms; the row is in seconds.
    #[must_use]
    pub fn p95_at_most(&self, most_ms: f64) -> Mean {
        mean("e2e_ms", &self.local_p95, &self.cloud_p95, 1e-3, false, most_ms / 1000.0)
    }
}

fn mean(
    rule: &str,
    local: &[Vec<Option<f64>>],
    cloud: &[Vec<Option<f64>>],
    unit: f64,
    at_least: bool,
    limit: f64,
) -> Mean {
    let side = |side: &[Vec<Option<f64>>]| -> Vec<Vec<f64>> {
        side.iter().map(|class| class.iter().map(|value| value.unwrap_or(0.0) * unit).collect()).collect()
    };
    Mean {
        rule: rule.to_owned(),
        key: "all requests".to_owned(),
        local: side(local),
        cloud: side(cloud),
        blends: Vec::new(),
        at_least,
        limit,
    }
}
