//! Candidates become a program: classes, pools, hosted columns and the finite resources between them.
//!
//! In: a question and its [`Field`] of options. Out: a [`Formulated`] program and the way back from its columns to the
//! options. Under an availability target each option appears as the redundant routes it can form: with spares, with a
//! hosted model behind it, or alone where its own uptime is enough.

use std::collections::BTreeMap;

use crate::candidate::screen::Cloud;
use crate::candidate::{Class, Hardware, HostedOption, LocalOption, Question, Tally, classes};
use crate::catalog::Catalog;
use crate::estimate::loaded;
use crate::program::{self, Goal, Hosted, Ladder, Mode, Pool, Program, Resource};
use crate::recommendation::Kind;
use crate::requirements::Objective;

/// Least share of requests on each side of a hybrid plan, when the best of that kind is asked for.
pub const BOTH_SIDES_MIN: f64 = 0.01;
/// Most replicas of a pool a ladder of spares is made for.
const LADDER_MAX: f64 = 512.0;

/// All options of a question.
pub struct Field<'q, 'c> {
    /// Classes of traffic.
    pub classes: Vec<Class<'q>>,
    /// Own engines.
    pub locals: Vec<LocalOption<'c>>,
    /// Hosted models, refused ones included.
    pub hosted: Vec<HostedOption<'c>>,
    /// Everybody who is not there.
    pub tally: Tally,
}

/// Where a column comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// A candidate of the catalog: place in [`Field::locals`] or [`Field::hosted`].
    Catalog(usize),
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
pub struct Formulated {
    /// The program.
    pub program: Program,
    /// For each pool, the option and its guard.
    pub pools: Vec<(Source, Guard)>,
    /// For each pool and class, the hosted option behind it.
    pub behind: Vec<Vec<Option<usize>>>,
    /// For each hosted column, the option and the one behind it.
    pub hosted: Vec<(Source, Option<usize>)>,
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
        }
    }

    /// Only columns of one kind; for hybrid plans both, with a least share on each side.
    #[must_use]
    pub fn of_kind(&self, kind: Kind) -> Self {
        let pools: Vec<usize> =
            if kind == Kind::Cloud { Vec::new() } else { (0..self.pools.len()).collect() };
        let hosted: Vec<usize> =
            if kind == Kind::Local { Vec::new() } else { (0..self.hosted.len()).collect() };
        // A local plan has no hosted model behind it either.
        let pools: Vec<usize> = pools
            .into_iter()
            .filter(|r| kind != Kind::Local || self.pools[*r].1 != Guard::Fallback)
            .collect();
        let mut program = self.program.clone();
        program.pools = pools.iter().map(|r| self.program.pools[*r].clone()).collect();
        program.hosted = hosted.iter().map(|a| self.program.hosted[*a].clone()).collect();
        program.both_sides_min = (kind == Kind::Hybrid).then_some(BOTH_SIDES_MIN);
        self.keep(program, &pools, &hosted)
    }
}

/// Collects the options of a question.
#[must_use]
pub fn field<'q, 'a>(question: &Question<'q, 'a>) -> Field<'q, 'a> {
    let classes = classes(question.requirements);
    let mut tally = Tally::default();
    if !question.requirements.measured.is_empty() && !question.requirements.measured_with_catalog {
        tally.candidates = u64::try_from(question.requirements.measured.len()).unwrap_or(0);
        return Field { classes, locals: Vec::new(), hosted: Vec::new(), tally };
    }
    let hosted = crate::candidate::hosted::hosted_options(question, &classes, &mut tally);
    let cloud = cheapest_cloud(question, &classes, &hosted);
    let locals = if question.local() {
        let all: Vec<Hardware<'a>> = crate::candidate::hardware::hardware(
            question.requirements,
            question.rules,
            question.catalog,
            &mut tally,
        );
        let eu = question
            .requirements
            .workloads
            .iter()
            .any(|workload| workload.data.iter().any(|w| w == "eu-only"));
        let kept = if question.prune { crate::candidate::hardware::cheapest_of_each(&all, eu) } else { all };
        crate::candidate::screen::screen(question, &classes, &kept, &cloud, &mut tally)
    } else {
        Vec::new()
    };
    Field { classes, locals, hosted, tally }
}

/// The cheapest hosted model of each class.
fn cheapest_cloud(question: &Question<'_, '_>, classes: &[Class<'_>], hosted: &[HostedOption<'_>]) -> Cloud {
    let usd_per_request: Vec<f64> = (0..classes.len())
        .map(|at| {
            hosted
                .iter()
                .map(|option| &option.terms[at])
                .filter(|terms| terms.refusal.is_none())
                .map(|terms| terms.usd_per_request)
                .fold(f64::INFINITY, f64::min)
        })
        .collect();
    let hours = question.requirements.hours_per_month;
    let usd: f64 =
        classes.iter().zip(&usd_per_request).map(|(class, usd)| class.requests_per_month(hours) * usd).sum();
    Cloud { usd_per_month: usd.is_finite().then_some(usd), usd_per_request }
}

/// Writes the program of a field.
#[must_use]
pub fn formulate(question: &Question<'_, '_>, field: &Field<'_, '_>) -> Formulated {
    let requirements = question.requirements;
    let mut resources = Resources::new(question);
    let mut out = Formulated {
        program: Program {
            slot_hours: vec![requirements.hours_per_month / 24.0; 24],
            classes: field
                .classes
                .iter()
                .map(|class| program::Class {
                    name: class.name(),
                    load_rps: class.load_rps(),
                    billed_rps: class.billed_rps(),
                    unavailability_max: requirements.availability.map(|target| 1.0 - target),
                })
                .collect(),
            pools: Vec::new(),
            hosted: Vec::new(),
            resources: Vec::new(),
            local_usd_per_month: requirements.ops_usd_per_month,
            usd_per_month_max: budget(requirements),
            usd_upfront_max: requirements.budget.usd_upfront,
            deployments_max: requirements.limits.max_deployments,
            both_sides_min: None,
            goal: if requirements.objective == Objective::Cost { Goal::Cost } else { Goal::LeastScore },
        },
        pools: Vec::new(),
        behind: Vec::new(),
        hosted: Vec::new(),
    };
    let members: Vec<usize> = deployment_numbers(field.hosted.iter().map(|option| option.api.id.clone()));
    hosted_columns(question, field, &members, &mut out);
    pool_columns(question, field, &members, &mut resources, &mut out);
    measured_columns(question, field, &mut resources, &mut out);
    out.program.resources = resources.list;
    out
}

/// The user's own capacities: they already meet latency, quality and context, at load factor 1.
fn measured_columns(
    question: &Question<'_, '_>,
    field: &Field<'_, '_>,
    resources: &mut Resources<'_>,
    out: &mut Formulated,
) {
    let requirements = question.requirements;
    let classes = field.classes.len();
    let number = |at: usize| 1_000_000 + at;
    for (at, row) in requirements.measured.iter().enumerate() {
        let capacity: Vec<f64> = field
            .classes
            .iter()
            .map(|class| row.capacity_rps.get(&class.workload.name).copied().unwrap_or(0.0))
            .collect();
        if let Some(usd_per_hour) = row.usd_per_hour.filter(|_| question.local()) {
            let uses =
                row.max_replicas.map(|most| resources.add("max_replicas", &row.option, f64::from(most)));
            let up = question.catalog.replica_availability();
            out.program.pools.push(Pool {
                id: row.option.clone(),
                deployment: number(at),
                behind: Vec::new(),
                capacity,
                replicas: 1,
                modes: vec![Mode {
                    billing: "on-demand".to_owned(),
                    usd_per_month: usd_per_hour * requirements.hours_per_month,
                    usd_upfront: 0.0,
                }],
                usd_per_hour: None,
                usd_per_request: vec![0.0; classes],
                score: vec![0.0; classes],
                uses: uses.map(|resource| (resource, 1.0)).into_iter().collect(),
                ladder: requirements.availability.map(|target| Ladder::new(up, 1.0 - target, 512)),
                unavailability_per_replica: 0.0,
                unavailability: requirements.availability.map_or(0.0, |target| 1.0 - target),
            });
            let guard = if requirements.availability.is_some() { Guard::Spares } else { Guard::None };
            out.pools.push((Source::Measured(at), guard));
            out.behind.push(vec![None; classes]);
        } else if !row.usd_per_request.is_empty() && question.cloud() && requirements.availability.is_none() {
            let price = |class: &Class<'_>| {
                row.capacity_rps
                    .get(&class.workload.name)
                    .and_then(|_| row.usd_per_request.get(&class.workload.name))
                    .copied()
            };
            out.program.hosted.push(Hosted {
                id: row.option.clone(),
                deployments: vec![number(at)],
                usd_per_request: field.classes.iter().map(price).collect(),
                score: vec![0.0; classes],
                rate_rps: capacity,
                unavailability: 0.0,
            });
            out.hosted.push((Source::Measured(at), None));
        }
    }
}

/// The tighter of the monthly budget and the budget per request.
#[must_use]
pub fn budget(requirements: &crate::requirements::Requirements) -> Option<f64> {
    let per_request = requirements.budget.usd_per_request.map(|usd| {
        let rate: f64 = requirements.workloads.iter().map(crate::requirements::Workload::mean_rps).sum();
        usd * rate * 3600.0 * requirements.hours_per_month
    });
    match (requirements.budget.usd_per_month, per_request) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

fn deployment_numbers(names: impl Iterator<Item = String>) -> Vec<usize> {
    let mut numbers: BTreeMap<String, usize> = BTreeMap::new();
    names
        .map(|name| {
            let next = numbers.len();
            *numbers.entry(name).or_insert(next)
        })
        .collect()
}

/// Score of a class at a hosted model: what the objective minimises.
fn hosted_score(objective: Objective, option: &HostedOption<'_>, class: usize) -> f64 {
    match objective {
        Objective::Quality => -option.quality.as_ref().map_or(0.0, |scored| scored.index),
        Objective::Latency => {
            option.terms[class].latency.as_ref().map_or(f64::MAX.sqrt(), |l| l.e2e.p95 / l.margin)
        }
        Objective::Cost | Objective::Carbon => 0.0,
    }
}

fn local_score(
    objective: Objective,
    catalog: &Catalog,
    field: &Field<'_, '_>,
    option: &LocalOption<'_>,
    class: usize,
) -> f64 {
    match objective {
        Objective::Quality => -option.prospect.shared.quality.as_ref().map_or(0.0, |scored| scored.index),
        // At the planned rate: a lighter load is faster, never slower.
        Objective::Latency => option.capacity[class].as_ref().map_or(0.0, |capacity| {
            let (row, extra) = (option.prospect.row, option.prospect.shared.extra_output[class]);
            let traffic = crate::candidate::local::traffic(&field.classes[class], extra);
            let step = row.step(catalog);
            loaded(step, &row.memory, &traffic, capacity.rps, capacity.max_batch).map_or(1e9, |at| at.e2e.p95)
        }),
        Objective::Cost | Objective::Carbon => 0.0,
    }
}

fn hosted_columns(
    question: &Question<'_, '_>,
    field: &Field<'_, '_>,
    members: &[usize],
    out: &mut Formulated,
) {
    let requirements = question.requirements;
    let serving: Vec<usize> = (0..field.hosted.len()).filter(|a| field.hosted[*a].serves_any()).collect();
    let price = |a: usize, c: usize| {
        let terms = &field.hosted[a].terms[c];
        terms.refusal.is_none().then_some(terms.usd_per_request)
    };
    let score = |a: usize| {
        (0..field.classes.len()).map(|c| hosted_score(requirements.objective, &field.hosted[a], c)).collect()
    };
    let classes = field.classes.len();
    for a in &serving {
        let unavailability = match requirements.availability {
            None => 0.0,
            // Unknown uptime is no uptime.
            Some(_) => 1.0 - field.hosted[*a].uptime.unwrap_or(0.0),
        };
        if requirements.availability.is_some_and(|target| unavailability > 1.0 - target) {
            continue;
        }
        out.program.hosted.push(Hosted {
            id: field.hosted[*a].api.id.clone(),
            deployments: vec![members[*a]],
            usd_per_request: (0..classes).map(|c| price(*a, c)).collect(),
            score: score(*a),
            rate_rps: vec![f64::INFINITY; classes],
            unavailability,
        });
        out.hosted.push((Source::Catalog(*a), None));
    }
    let Some(target) = requirements.availability else { return };
    for p in &serving {
        let Some(up) = field.hosted[*p].uptime.filter(|up| 1.0 - up > 1.0 - target) else { continue };
        for f in fallbacks(question, field, &serving, *p, target, &price) {
            let other = field.hosted[f].uptime.unwrap_or(0.0);
            out.program.hosted.push(Hosted {
                id: format!("{} with {} behind it", field.hosted[*p].api.id, field.hosted[f].api.id),
                deployments: vec![members[*p], members[f]],
                usd_per_request: (0..classes)
                    .map(|c| Some(up * price(*p, c)? + (1.0 - up) * price(f, c)?))
                    .collect(),
                score: score(*p),
                rate_rps: vec![f64::INFINITY; classes],
                unavailability: (1.0 - up) * (1.0 - other),
            });
            out.hosted.push((Source::Catalog(*p), Some(f)));
        }
    }
}

/// Hosted models of another provider that bring the pair to the target: the cheapest for each class, or, where
/// deployments are counted, all that no other of their provider beats.
fn fallbacks(
    question: &Question<'_, '_>,
    field: &Field<'_, '_>,
    serving: &[usize],
    p: usize,
    target: f64,
    price: &dyn Fn(usize, usize) -> Option<f64>,
) -> Vec<usize> {
    let up = |a: usize| field.hosted[a].uptime.unwrap_or(0.0);
    let fits = |f: &usize| {
        field.hosted[*f].api.provider != field.hosted[p].api.provider
            && (1.0 - up(p)) * (1.0 - up(*f)) <= 1.0 - target
    };
    let able: Vec<usize> = serving.iter().copied().filter(fits).collect();
    if question.requirements.limits.max_deployments.is_none() {
        let mut chosen: Vec<usize> = (0..field.classes.len())
            .filter_map(|c| {
                able.iter().copied().filter(|f| price(*f, c).is_some()).min_by(|a, b| {
                    price(*a, c).partial_cmp(&price(*b, c)).unwrap_or(std::cmp::Ordering::Equal)
                })
            })
            .collect();
        chosen.sort_unstable();
        chosen.dedup();
        return chosen;
    }
    let beaten = |b: usize| {
        able.iter().any(|a| {
            *a != b
                && field.hosted[*a].api.provider == field.hosted[b].api.provider
                && up(*a) >= up(b)
                && (0..field.classes.len()).all(|c| match (price(*a, c), price(b, c)) {
                    (_, None) => true,
                    (None, Some(_)) => false,
                    (Some(x), Some(y)) => x < y || (x <= y && *a < b),
                })
        })
    };
    able.iter().copied().filter(|b| !beaten(*b)).collect()
}

fn pool_columns(
    question: &Question<'_, '_>,
    field: &Field<'_, '_>,
    members: &[usize],
    resources: &mut Resources<'_>,
    out: &mut Formulated,
) {
    let requirements = question.requirements;
    let classes = field.classes.len();
    let load_factor = 1.0 - requirements.headroom;
    let up = question.catalog.replica_availability();
    for (at, option) in field.locals.iter().enumerate() {
        let capacity: Vec<f64> = option
            .capacity
            .iter()
            .map(|found| found.as_ref().map_or(0.0, |found| found.rps * load_factor))
            .collect();
        let plain = Pool {
            id: option.id(),
            // Every pool is a deployment of its own: another batch cap or instance type is another unit at a provider.
            deployment: out.program.pools.len(),
            behind: Vec::new(),
            capacity: capacity.clone(),
            replicas: option.prospect.replicas,
            modes: vec![Mode {
                billing: option.hardware.billing.word().to_owned(),
                usd_per_month: option.prospect.usd_per_month,
                usd_upfront: 0.0,
            }],
            usd_per_hour: None,
            usd_per_request: vec![0.0; classes],
            score: (0..classes)
                .map(|c| local_score(requirements.objective, question.catalog, field, option, c))
                .collect(),
            uses: resources.of(option),
            ladder: None,
            unavailability_per_replica: 0.0,
            unavailability: 0.0,
        };
        let Some(target) = requirements.availability else {
            out.program.pools.push(plain);
            out.pools.push((Source::Catalog(at), Guard::None));
            out.behind.push(vec![None; classes]);
            continue;
        };
        let most: f64 = field
            .classes
            .iter()
            .zip(&capacity)
            .filter(|(_, rps)| **rps > 0.0)
            .map(|(class, rps)| class.peak_rps() / rps)
            .sum();
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to LADDER_MAX")]
        let replicas_max = most.ceil().clamp(1.0, LADDER_MAX) as u32;
        // A whole allowance for a pool that serves alone, half of it for one that shares a class with another route.
        for part in [1.0, 0.5] {
            let allowance = part * (1.0 - target);
            out.program.pools.push(Pool {
                ladder: Some(Ladder::new(up, allowance, replicas_max)),
                unavailability: allowance,
                deployment: out.program.pools.len(),
                ..plain.clone()
            });
            out.pools.push((Source::Catalog(at), Guard::Spares));
            out.behind.push(vec![None; classes]);
        }
        let behind: Vec<Option<usize>> = (0..classes)
            .map(|c| {
                (0..field.hosted.len())
                    .filter(|a| {
                        field.hosted[*a].terms[c].refusal.is_none() && field.hosted[*a].uptime.is_some()
                    })
                    .min_by(|a, b| {
                        let usd = |a: usize| field.hosted[a].terms[c].usd_per_request;
                        usd(*a).total_cmp(&usd(*b)).then(a.cmp(b))
                    })
            })
            .collect();
        if behind.iter().zip(&capacity).any(|(behind, rps)| behind.is_some() && *rps > 0.0) {
            let worst = behind
                .iter()
                .flatten()
                .map(|a| 1.0 - field.hosted[*a].uptime.unwrap_or(0.0))
                .fold(0.0, f64::max);
            out.program.pools.push(Pool {
                capacity: capacity
                    .iter()
                    .zip(&behind)
                    .map(|(rps, behind)| if behind.is_some() { *rps } else { 0.0 })
                    .collect(),
                behind: behind.iter().flatten().map(|a| members[*a]).collect(),
                usd_per_request: (0..classes)
                    .map(|c| behind[c].map_or(0.0, |a| (1.0 - up) * field.hosted[a].terms[c].usd_per_request))
                    .collect(),
                unavailability_per_replica: (1.0 - up) * worst,
                deployment: out.program.pools.len(),
                ..plain
            });
            out.pools.push((Source::Catalog(at), Guard::Fallback));
            out.behind.push(behind);
        }
    }
}

/// Finite resources: GPU quotas, owned GPUs, power, limits of measured options.
struct Resources<'q> {
    list: Vec<Resource>,
    catalog: &'q Catalog,
}

impl<'q> Resources<'q> {
    fn add(&mut self, rule: &str, key: &str, limit: f64) -> usize {
        self.list.push(Resource { rule: rule.to_owned(), key: key.to_owned(), limit });
        self.list.len() - 1
    }

    fn new(question: &Question<'_, 'q>) -> Self {
        let requirements = question.requirements;
        let resource =
            |rule: &str, key: &str, limit: f64| Resource { rule: rule.into(), key: key.into(), limit };
        let mut list: Vec<Resource> = requirements
            .limits
            .gpus
            .iter()
            .map(|(gpu, count)| resource("gpus", gpu, f64::from(*count)))
            .collect();
        let mut owned: BTreeMap<&str, u32> = BTreeMap::new();
        for server in &requirements.owned {
            *owned.entry(&server.gpu).or_default() += server.count;
        }
        list.extend(owned.iter().map(|(gpu, count)| resource("owned", gpu, f64::from(*count))));
        list.extend(requirements.limits.power_kw.map(|kw| resource("power_kw", "", kw)));
        Self { list, catalog: question.catalog }
    }

    fn of(&self, option: &LocalOption<'_>) -> Vec<(usize, f64)> {
        let hardware = &option.hardware;
        let gpus = f64::from(hardware.gpus_paid(option.prospect.row.unit.gpus));
        let mut uses = Vec::new();
        for (at, resource) in self.list.iter().enumerate() {
            let amount = match resource.rule.as_str() {
                "gpus" if resource.key == hardware.gpu.id && !hardware.is_owned() => gpus,
                "owned" if resource.key == hardware.gpu.id && hardware.is_owned() => gpus,
                "power_kw" => {
                    // An unknown draw fits under no limit.
                    crate::bill::power_kw(self.catalog, hardware.gpu)
                        .map_or(resource.limit * 2.0 + 1.0, |kw| kw * gpus)
                }
                _ => 0.0,
            };
            if amount > 0.0 {
                uses.push((at, amount));
            }
        }
        uses
    }
}
