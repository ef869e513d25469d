//! Routers and cascades: shares as they were calibrated, targets they name, fees, quality, and times that add up.

use super::Checker;
use crate::catalog::glob_matches;
use crate::estimate::{Step, Traffic, api_latency, capacity, held_ms, memory};
use crate::recommendation::{Deployment, Route, Via, ViaKind};
use crate::requirements::{BlendQuality, LatencyLimit, LatencyMeasure, Statistic, Workload};

/// Relative difference of shares that is rounding.
const RATIO_TOLERANCE: f64 = 1e-6;
/// Percentiles of a stage that are looked at.
const LEVELS: [(f64, Statistic); 4] =
    [(0.5, Statistic::P50), (0.9, Statistic::P90), (0.95, Statistic::P95), (0.99, Statistic::P99)];

/// One stage as the request describes it: requests it sees of one, part it answers, targets, fee, time added.
struct Calibrated<'v> {
    seen: f64,
    answered: f64,
    globs: &'v [String],
    usd: f64,
    added_ms: f64,
}

impl<'v> Checker<'v> {
    /// Share of a workload's requests in a slot whose answer comes over a route.
    pub(super) fn answered_in(route: &Route, slot: usize) -> f64 {
        Self::share_in(route, slot) * route.via.as_ref().map_or(1.0, |via| via.answered)
    }

    /// Every way is one that the request describes, in its shares, targets and times.
    pub(super) fn ways(&mut self) {
        let plan = self.plan;
        for route in &plan.routing {
            let Some(via) = &route.via else { continue };
            let Some((stages, _)) = self.described(via, &route.workload) else {
                self.break_rule("demand", format!("{} is no way of {}", via.name, route.workload));
                continue;
            };
            let Some(stage) = stages.get(via.stage as usize) else {
                self.break_rule("demand", format!("{} has no stage {}", via.name, via.stage));
                continue;
            };
            if (stage.answered - via.answered).abs() > RATIO_TOLERANCE || route.fallback.is_some() {
                self.break_rule("demand", format!("{} answers {}", via.name, via.answered));
            }
            let names = self.names(&route.target);
            if !stage.globs.iter().any(|glob| names.iter().any(|name| glob_matches(glob, name))) {
                self.break_rule("allow", format!("{} does not name {}", via.name, names.join(", ")));
            }
            // All stages of a way see their calibrated part of the same requests.
            let on_way = self.on_way(via);
            for (slot, _) in self.slots.clone().iter().enumerate() {
                let whole = Self::share_in(route, slot) / stage.seen;
                let same =
                    stages.iter().enumerate().filter(|(_, other)| other.seen > 0.0).all(|(at, other)| {
                        let there: f64 = on_way
                            .iter()
                            .filter(|(number, _)| *number as usize == at)
                            .map(|(_, route)| Self::share_in(route, slot))
                            .sum();
                        (there - whole * other.seen).abs() <= RATIO_TOLERANCE
                    });
                if !same {
                    self.break_rule("demand", format!("{} is not split as it was calibrated", via.name));
                    break;
                }
            }
            if via.stage == 0 || on_way.first().is_some_and(|(first, _)| *first == via.stage) {
                self.way_times(via, route, &stages);
            }
        }
    }

    /// Fees of a route's own stage, USD a month.
    pub(super) fn way_usd(&self, route: &Route) -> f64 {
        let Some(via) = &route.via else { return 0.0 };
        let Some(((stages, _), workload)) =
            self.described(via, &route.workload).zip(self.workload(&route.workload))
        else {
            return f64::NAN;
        };
        let requests: f64 = (0..self.slots.len())
            .map(|slot| {
                let rate = Self::share_in(route, slot) * self.billed_rps(workload, slot);
                rate * 3600.0 * self.slots[slot].hours_per_month
            })
            .sum();
        stages.get(via.stage as usize).map_or(f64::NAN, |stage| requests * stage.usd)
    }

    /// Index of a way by its calibration and the indices of its ends.
    pub(super) fn way_index(&self, route: &Route, via: &Via) -> Option<f64> {
        let (stages, quality) = self.described(via, &route.workload)?;
        let on_way = self.on_way(via);
        let end = |at: usize| {
            let (_, route) = on_way.iter().find(|(stage, _)| *stage as usize == at)?;
            self.index_of(self.deployed(&route.target)?)
        };
        // A setting that sends nothing one way needs no index there.
        match quality {
            BlendQuality::Index(index) => Some(index),
            BlendQuality::Recovered(part) => {
                let (weak, strong) = (end(0), end(stages.len() - 1));
                match (weak, strong) {
                    (Some(weak), Some(strong)) => Some((1.0 - part) * weak + part * strong),
                    (one, other) => one.or(other),
                }
            }
        }
    }

    /// What the request says of a way, stage by stage.
    fn described(&self, via: &Via, workload: &str) -> Option<(Vec<Calibrated<'v>>, BlendQuality)> {
        let serves = |names: &Vec<String>| names.iter().any(|name| name == workload);
        match via.kind {
            ViaKind::Router => {
                let router = self.requirements.routers.iter().find(|router| router.name == via.name)?;
                let point = router.points.get(via.point as usize).filter(|_| serves(&router.workloads))?;
                let side = |seen: f64, globs: &'v [String]| Calibrated {
                    seen,
                    answered: 1.0,
                    globs,
                    usd: router.usd_per_request,
                    added_ms: router.added_ms,
                };
                let (weak, strong) = (1.0 - point.strong_share, point.strong_share);
                Some((vec![side(weak, &router.weak), side(strong, &router.strong)], point.quality))
            }
            ViaKind::Cascade => {
                let cascade = self.requirements.cascades.iter().find(|cascade| cascade.name == via.name)?;
                let mut seen = 1.0;
                let mut stages = Vec::new();
                for stage in cascade.stages.iter().filter(|_| serves(&cascade.workloads)) {
                    stages.push(Calibrated {
                        seen,
                        answered: stage.accept_share,
                        globs: &stage.models,
                        usd: stage.judge_usd,
                        added_ms: stage.judge_ms,
                    });
                    seen *= 1.0 - stage.accept_share;
                }
                (!stages.is_empty()).then_some((stages, cascade.quality))
            }
        }
    }

    fn on_way(&self, via: &Via) -> Vec<(u32, &'v Route)> {
        let stage = |route: &'v Route| {
            route.via.as_ref().filter(|other| other.way == via.way).map(|other| (other.stage, route))
        };
        let mut all: Vec<(u32, &Route)> = self.plan.routing.iter().filter_map(stage).collect();
        all.sort_by_key(|(stage, _)| *stage);
        all
    }

    /// Names by which a request may call what runs.
    fn names(&self, target: &str) -> Vec<&'v str> {
        let Some(deployed) = self.deployed(target) else { return Vec::new() };
        if deployed.mode == "measured" {
            return vec![&deployed.model];
        }
        match (self.catalog.model(&deployed.model).filter(|_| deployed.engine.is_some()), &deployed.api) {
            (Some(model), _) => model.names().collect(),
            (None, _) => self
                .catalog
                .api_on(&deployed.model, self.requirements.as_of)
                .map(|api| api.names().collect())
                .unwrap_or_default(),
        }
    }

    /// Every latency limit of the workload holds on the whole way.
    fn way_times(&mut self, via: &Via, route: &Route, stages: &[Calibrated<'v>]) {
        let Some(workload) = self.workload(&route.workload) else { return };
        let on_way = self.on_way(via);
        for limit in &workload.latency {
            let own = |at: usize, measure: LatencyMeasure, statistic: Statistic| {
                let (_, route) = on_way.iter().find(|(stage, _)| *stage as usize == at)?;
                let asked = LatencyLimit { measure, statistic, ms: limit.ms };
                self.alone(self.deployed(&route.target)?, workload, &asked, via.kind)
            };
            let there = |at: &usize| stages[*at].seen > 0.0;
            let held = match (via.kind, limit.measure) {
                (_, LatencyMeasure::Tpot) | (ViaKind::Router, _) => (0..stages.len())
                    .filter(there)
                    .map(|at| {
                        let added =
                            if limit.measure == LatencyMeasure::Tpot { 0.0 } else { stages[at].added_ms };
                        own(at, limit.measure, limit.statistic).map_or(f64::INFINITY, |ms| ms + added)
                    })
                    .fold(0.0, f64::max),
                (ViaKind::Cascade, measure) => {
                    let time = |at: usize, statistic: Statistic| {
                        let measure = if at + 1 == stages.len() { measure } else { LatencyMeasure::E2e };
                        own(at, measure, statistic).map_or(f64::INFINITY, |ms| ms + stages[at].added_ms)
                    };
                    cascade_ms(stages, limit.statistic, &time)
                }
            };
            if held > limit.ms * (1.0 + super::LATENCY_TOLERANCE) {
                let what = format!("{}: {held:.0} ms on the whole way, limit {:.0} ms", via.name, limit.ms);
                self.break_rule(limit.measure.word(), what);
            }
        }
    }

    /// What a target is held to by itself at the most it may carry, ms.
    fn alone(
        &self,
        deployed: &Deployment,
        workload: &Workload,
        asked: &LatencyLimit,
        kind: ViaKind,
    ) -> Option<f64> {
        let confidence = self.requirements.confidence;
        if deployed.mode == "measured" {
            let row = self.requirements.measured.iter().find(|row| row.option == deployed.model)?;
            let known = asked.measure == LatencyMeasure::E2e
                && matches!(asked.statistic, Statistic::P50 | Statistic::P90 | Statistic::P95);
            return row.e2e_ms_p95.filter(|_| known).or((kind == ViaKind::Router).then_some(asked.ms));
        }
        let Some(engine) = &deployed.engine else {
            let api = self.catalog.api_on(&deployed.model, self.requirements.as_of)?;
            let extra = self.extra_api(deployed, workload);
            let latency =
                api_latency(self.catalog.latency_of(api)?, &workload.lengths.points, extra, confidence);
            return Some(latency.of(asked.measure).at(asked.statistic));
        };
        let unit = deployed.unit(self.catalog)?;
        let memory = memory(self.catalog, &unit, f64::from(engine.max_model_len)).ok()?;
        let step = Step::new(self.catalog, &unit).ok()?;
        let thinks = unit.model.thinking_by_default && deployed.mode == "default";
        let extra_output = workload.thought_tokens(self.catalog, thinks);
        let own = Traffic {
            lengths: &workload.lengths,
            extra_output,
            prefix_hit: workload.prefix_hit,
            context_tokens: workload.context_tokens + extra_output,
        };
        let carried = capacity(&step, &memory, &own, &workload.latency, confidence, engine.max_batch).ok()?;
        let among = [(own, carried.rps)];
        let asked = (asked.measure, asked.statistic);
        Some(held_ms(&step, &memory, &own, &among, engine.max_batch, confidence, asked))
    }
}

/// Least sum of the stages' own percentiles that no more than the allowed share of all requests exceeds: a stage that
/// sees `seen` of them may exceed its quantile q for seen x (1 - q), and a tail of stages may be left out for its `seen`.
fn cascade_ms(
    stages: &[Calibrated<'_>],
    statistic: Statistic,
    time: &dyn Fn(usize, Statistic) -> f64,
) -> f64 {
    let allowed = match statistic {
        Statistic::Mean => {
            return (0..stages.len()).map(|at| stages[at].seen * time(at, Statistic::Mean)).sum();
        }
        Statistic::P50 => 0.5,
        Statistic::P90 => 0.1,
        Statistic::P95 => 0.05,
        Statistic::P99 => 0.01,
    };
    // Every prefix of stages with every choice of percentiles: few, so all are tried.
    let mut least = f64::INFINITY;
    let mut open: Vec<(usize, f64, f64)> = vec![(0, 0.0, 0.0)];
    while let Some((at, exceeded, sum)) = open.pop() {
        let left_out = stages.get(at).map_or(0.0, |stage| stage.seen);
        if at > 0 && exceeded + left_out <= allowed + 1e-9 {
            least = least.min(sum);
        }
        if let Some(stage) = stages.get(at) {
            for (quantile, statistic) in LEVELS {
                let more = exceeded + stage.seen * (1.0 - quantile);
                if more <= allowed + 1e-9 {
                    open.push((at + 1, more, sum + time(at, statistic)));
                }
            }
        }
    }
    least
}
