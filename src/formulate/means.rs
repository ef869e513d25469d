//! Means over requests that are limited: the quality of each workload over the month.
//!
//! Row `quality_mean`: sum over classes of the workload, targets and slots of (index - least mean) x requests >= 0. A
//! target behind another counts with the requests expected to reach it. A target of unknown index has no column.

use super::{Field, Formulated, Source, away};
use crate::candidate::Question;
use crate::program::Mean;

pub(super) fn mean_rows(question: &Question<'_, '_>, field: &Field<'_, '_>, out: &mut Formulated) {
    let slots = out.program.slot_hours.len();
    let of_class = |c: usize| (0..slots).map(|t| out.program.requests(c, t)).sum::<f64>();
    let requests: Vec<f64> = (0..field.classes.len()).map(of_class).collect();
    let all: f64 = requests.iter().sum();
    let mut means = Vec::new();
    for (w, workload) in question.requirements.workloads.iter().enumerate() {
        let Some(least) = workload.quality_mean else { continue };
        let counts = |c: usize| field.classes[c].index == w;
        let own: f64 = (0..requests.len()).filter(|c| counts(*c)).map(|c| requests[c]).sum();
        if own <= 0.0 {
            continue;
        }
        // The program weighs by all requests; scaled to those of the workload the row is in index points.
        let above = |c: usize, index: Option<f64>| match index {
            Some(index) if counts(c) => (index - least) * all / own,
            _ => 0.0,
        };
        let classes = 0..field.classes.len();
        means.push(Mean {
            rule: "quality_mean".to_owned(),
            key: workload.name.clone(),
            local: classes
                .clone()
                .map(|c| {
                    (0..out.pools.len()).map(|r| above(c, pool_index(question, field, out, r, c))).collect()
                })
                .collect(),
            cloud: classes
                .map(|c| {
                    (0..out.hosted.len()).map(|a| above(c, hosted_index(question, field, out, a))).collect()
                })
                .collect(),
            blends: out
                .program
                .blends
                .iter()
                .map(|blend| above(blend.class, out.ways.get(&blend.id).and_then(|way| way.index)))
                .collect(),
            at_least: true,
            limit: 0.0,
        });
    }
    out.program.means.extend(means);
}

/// Index expected of a request of a class at a pool, the hosted model behind it included.
pub(super) fn pool_index(
    question: &Question<'_, '_>,
    field: &Field<'_, '_>,
    out: &Formulated,
    r: usize,
    c: usize,
) -> Option<f64> {
    let (own, spot) = match out.pools[r].0 {
        Source::Catalog(at) => {
            let option = &field.locals[at];
            let index = option.prospect.shared.quality.as_ref().map(|scored| scored.index);
            (index, option.hardware.spot.as_ref())
        }
        Source::Measured(at) => (question.requirements.measured[at].quality_index, None),
        Source::Serverless(_) => (None, None), // a hosted column
    };
    let up = spot.map_or_else(|| question.catalog.replica_availability(), |on| 1.0 - away(question, on));
    behind(own?, up, out.behind[r][c].map(|f| api_index(field, f)))
}

/// Index expected of a request at a hosted column, the one behind it included.
pub(super) fn hosted_index(
    question: &Question<'_, '_>,
    field: &Field<'_, '_>,
    out: &Formulated,
    a: usize,
) -> Option<f64> {
    let (source, fallback) = out.hosted[a];
    let (own, up) = match source {
        Source::Catalog(at) => (api_index(field, at), field.hosted[at].uptime.unwrap_or(1.0)),
        Source::Serverless(at) => {
            let scored = field.serverless[at].prospect.shared.quality.as_ref();
            (scored.map(|scored| scored.index), 1.0)
        }
        Source::Measured(at) => (question.requirements.measured[at].quality_index, 1.0),
    };
    behind(own?, up, fallback.map(|f| api_index(field, f)))
}

fn api_index(field: &Field<'_, '_>, at: usize) -> Option<f64> {
    field.hosted[at].quality.as_ref().map(|scored| scored.index)
}

/// up x index + (1 - up) x index of what stands behind.
fn behind(own: f64, up: f64, fallback: Option<Option<f64>>) -> Option<f64> {
    match fallback {
        None => Some(own),
        Some(other) => Some(up * own + (1.0 - up) * other?),
    }
}
