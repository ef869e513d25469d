//! What one step of each limit is worth: the request with that limit moved a little either way, solved again.
//!
//! In: a question and its plan. Out: [`StepValue`]s in the order of the file: what the bill and the plan become. Never duals:
//! those of an integer program say nothing. A step that leads to no plan says so.

use rayon::prelude::*;
use serde_json::{Value, json};

use super::summary;
use crate::candidate::Question;
use crate::error::Error;
use crate::formulate::field;
use crate::recommendation::{OPTIMAL_GAP, Plan, Status, StepValue};
use crate::requirements::{QualityFloor, Requirements, TIERS};
use crate::search::solve_mixed;
use crate::solve::Outcome;
use crate::verify::verify;

/// A limit moved by a step.
struct Step {
    rule: &'static str,
    workload: String,
    from: Value,
    to: Value,
    pointer: String,
    moved: Requirements,
    /// Does every plan of the moved request comply with the request as it stands?
    tighter: bool,
}

/// By how much a limit that is a number is moved either way.
const PART: f64 = 0.10;
/// Availabilities from no nine to five.
const NINES: [f64; 5] = [0.9, 0.99, 0.999, 0.9999, 0.99999];
/// The confidences between which one is moved: the median of the error, and as sure as is usual.
const CONFIDENCES: [f64; 2] = [0.5, 0.95];

/// The value of one step of every limit.
///
/// # Errors
/// [`Error::Bug`] where the checker rejects a plan.
pub fn steps(question: &Question<'_, '_>, best: &Plan, status: Status) -> Result<Vec<StepValue>, Error> {
    let all = listed(question.requirements);
    let valued: Vec<Result<StepValue, Error>> =
        all.into_par_iter().map(|step| valued(question, (best, status), step)).collect();
    valued.into_iter().collect()
}

fn valued(question: &Question<'_, '_>, (best, now): (&Plan, Status), step: Step) -> Result<StepValue, Error> {
    // The best plan stays the best where it complies with a tighter limit: fewer plans do, and it among them.
    let still = step.tighter && verify(&step.moved, question.catalog, question.rules, best).is_empty();
    if still {
        return Ok(told(step, Some(best), now, best));
    }
    let about = question.about(&step.moved);
    let mut found = field(&about);
    let solved = solve_mixed(&about, &mut found, None);
    let (plan, status) = match &solved.outcome {
        Outcome::Solved(solution) => {
            let plan = crate::plan::plan(&about, &found, &solved.formulated, &solution.point, 1);
            if let Some(first) = verify(&step.moved, question.catalog, question.rules, &plan).first() {
                return Err(Error::Bug(format!("the checker rejects the plan behind a step: {first}")));
            }
            let gap = (solution.value - solution.bound) / solution.value.abs().max(1e-9);
            (Some(plan), if gap <= OPTIMAL_GAP { Status::Optimal } else { Status::Feasible })
        }
        Outcome::Infeasible { .. } => (None, Status::Infeasible),
        Outcome::Unknown(_) => (None, Status::Unknown),
    };
    Ok(told(step, plan.as_ref(), status, best))
}

fn told(step: Step, plan: Option<&Plan>, status: Status, best: &Plan) -> StepValue {
    StepValue {
        rule: step.rule.to_owned(),
        workload: step.workload,
        from: step.from,
        to: step.to.clone(),
        usd_per_month: plan.map(|plan| plan.usd_per_month),
        difference: plan.map(|plan| plan.usd_per_month - best.usd_per_month),
        status,
        changes: plan.is_none_or(|plan| summary(plan) != summary(best)),
        summary: plan.map(summary).unwrap_or_default(),
        patch: [(step.pointer, step.to)].into(),
    }
}

/// Every step, in the order of the file.
fn listed(base: &Requirements) -> Vec<Step> {
    let mut list = List { base, all: Vec::new() };
    for (w, workload) in base.workloads.iter().enumerate() {
        list.of_workload(w);
        for word in &workload.data {
            let rest: Vec<String> = workload.data.iter().filter(|other| *other != word).cloned().collect();
            let pointer = format!("/workloads/{w}/data");
            list.push("data", w, json!(workload.data), json!(rest), pointer, |r| {
                r.workloads[w].data.clone_from(&rest);
            });
        }
    }
    list.of_plan();
    list.all
}

struct List<'r> {
    base: &'r Requirements,
    all: Vec<Step>,
}

/// Which workload a limit of the whole plan is of.
const WHOLE: usize = usize::MAX;

impl List<'_> {
    fn push(
        &mut self,
        rule: &'static str,
        workload: usize,
        from: Value,
        to: Value,
        pointer: String,
        set: impl FnOnce(&mut Requirements),
    ) {
        let mut moved = self.base.clone();
        set(&mut moved);
        if moved != *self.base {
            let workload = self.base.workloads.get(workload).map_or_else(String::new, |it| it.name.clone());
            let tighter = is_tighter(rule, &from, &to);
            self.all.push(Step { rule, workload, from, to, pointer, moved, tighter });
        }
    }

    /// A tenth less and a tenth more.
    fn tenth(
        &mut self,
        rule: &'static str,
        workload: usize,
        from: f64,
        pointer: &str,
        set: impl Fn(&mut Requirements, f64),
    ) {
        for part in [1.0 - PART, 1.0 + PART] {
            let to = rounded(from * part);
            self.push(rule, workload, json!(from), json!(to), pointer.to_owned(), |r| set(r, to));
        }
    }

    /// One less and one more.
    fn one(&mut self, rule: &'static str, from: u32, pointer: &str, set: impl Fn(&mut Requirements, u32)) {
        for to in [from.saturating_sub(1), from.saturating_add(1)] {
            self.push(rule, WHOLE, json!(from), json!(to), pointer.to_owned(), |r| set(r, to));
        }
    }

    fn of_workload(&mut self, w: usize) {
        let workload = &self.base.workloads[w];
        for (at, limit) in workload.latency.iter().enumerate() {
            let (rule, statistic) = (limit.measure.word(), limit.statistic.word());
            let pointer = format!("/workloads/{w}/latency/{rule}/{statistic}");
            self.tenth(rule, w, limit.ms, &pointer, |r, ms| r.workloads[w].latency[at].ms = ms);
        }
        let quality = format!("/workloads/{w}/quality");
        match &workload.quality {
            Some(QualityFloor::Tier { tier, scale }) => {
                let at = TIERS.iter().position(|known| known == tier);
                for next in at.into_iter().flat_map(|at| [at.checked_sub(1), Some(at + 1)]).flatten() {
                    let Some(to) = TIERS.get(next) else { continue };
                    self.push("quality", w, json!(tier), json!(to), format!("{quality}/tier"), |r| {
                        let (tier, scale) = ((*to).to_owned(), scale.clone());
                        r.workloads[w].quality = Some(QualityFloor::Tier { tier, scale });
                    });
                }
            }
            Some(QualityFloor::Index(from)) => {
                self.tenth("quality", w, *from, &format!("{quality}/index"), |r, to| {
                    r.workloads[w].quality = Some(QualityFloor::Index(to));
                });
            }
            Some(QualityFloor::Benchmark { benchmark, min }) => {
                self.tenth("benchmark", w, *min, &format!("{quality}/min"), |r, to| {
                    let (benchmark, min) = (benchmark.clone(), to.min(1.0));
                    r.workloads[w].quality = Some(QualityFloor::Benchmark { benchmark, min });
                });
            }
            None => {}
        }
        if let Some(from) = workload.quality_mean {
            self.tenth("quality_mean", w, from, &format!("{quality}/mean"), |r, to| {
                r.workloads[w].quality_mean = Some(to);
            });
        }
    }

    fn of_plan(&mut self) {
        let base = self.base;
        if let Some(from) = base.budget.usd_per_month {
            self.tenth("usd_per_month", WHOLE, from, "/budget/usd_per_month", |r, to| {
                r.budget.usd_per_month = Some(to);
            });
        }
        if let Some(from) = base.budget.usd_upfront {
            self.tenth("usd_upfront", WHOLE, from, "/budget/usd_upfront", |r, to| {
                r.budget.usd_upfront = Some(to);
            });
        }
        if let Some(from) = base.budget.usd_per_request {
            self.tenth("usd_per_request", WHOLE, from, "/budget/usd_per_request", |r, to| {
                r.budget.usd_per_request = Some(to);
            });
        }
        if let Some(from) = base.availability {
            let fewer = NINES.into_iter().rev().find(|nines| *nines < from - 1e-12);
            let more = NINES.into_iter().find(|nines| *nines > from + 1e-12);
            for to in fewer.into_iter().chain(more) {
                self.push("availability", WHOLE, json!(from), json!(to), "/availability".to_owned(), |r| {
                    r.availability = Some(to);
                });
            }
        }
        if let Some(from) = base.limits.memory_gib_per_server {
            let pointer = "/limits/memory_gib_per_server";
            self.tenth("memory_gib_per_server", WHOLE, from, pointer, |r, to| {
                r.limits.memory_gib_per_server = Some(to);
            });
        }
        if let Some(from) = base.limits.power_kw {
            self.tenth("power_kw", WHOLE, from, "/limits/power_kw", |r, to| r.limits.power_kw = Some(to));
        }
        for (gpu, from) in &base.limits.gpus {
            self.one("gpus", *from, &format!("/limits/gpus/{gpu}"), |r, to| {
                r.limits.gpus.insert(gpu.clone(), to);
            });
        }
        if let Some(from) = base.limits.max_deployments {
            self.one("max_deployments", from, "/limits/max_deployments", |r, to| {
                r.limits.max_deployments = Some(to.max(1));
            });
        }
        for to in CONFIDENCES {
            self.push(
                "confidence",
                WHOLE,
                json!(base.confidence),
                json!(to),
                "/confidence".to_owned(),
                |r| {
                    r.confidence = to;
                },
            );
        }
        // Headroom is a share that is kept free: a tenth more, and none.
        for to in [0.0, rounded((base.headroom + PART).min(0.9))] {
            self.push("headroom", WHOLE, json!(base.headroom), json!(to), "/headroom".to_owned(), |r| {
                r.headroom = to;
            });
        }
    }
}

/// Is the moved limit the harder one to meet? Of what is at least so much a larger figure, of what is at most a smaller.
fn is_tighter(rule: &str, from: &Value, to: &Value) -> bool {
    let tier = |value: &Value| TIERS.iter().position(|known| Some(*known) == value.as_str());
    if let (Some(from), Some(to)) = (tier(from), tier(to)) {
        return to > from;
    }
    let (Some(from), Some(to)) = (from.as_f64(), to.as_f64()) else { return false };
    let at_least = ["quality", "benchmark", "quality_mean", "availability", "confidence", "headroom"];
    if at_least.contains(&rule) { to > from } else { to < from }
}

/// A number as people would write it.
#[allow(clippy::cast_possible_truncation, reason = "the magnitude of a figure of a requirements file")]
fn rounded(value: f64) -> f64 {
    let scale = 10f64.powi(4 - value.abs().max(1e-9).log10().floor() as i32);
    (value * scale).round() / scale
}
