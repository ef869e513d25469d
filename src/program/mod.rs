//! The deployment program as plain data of ours: classes of traffic, pools of replicas, hosted columns, rules.
//!
//! In: numbers the candidates and the bill produced. Out: a [`Program`] that `prune.rs` makes smaller without
//! changing its optimum, `matrix/` writes as rows that bear the names of rules, and `solve.rs` solves.
//! It knows no catalog, no prices by name and no solver.
//!
//! Units: rates in requests/s, money in USD/month, shares in 0..1 of a class in a slot. With shares instead of
//! rates the coefficients lie in 1e-4..1e3 whatever the units of prices and traffic are.

pub mod availability;
pub mod matrix;
pub mod point;
pub mod prune;

pub use availability::Ladder;
pub use matrix::{Column, Matrix, Row, Sense};
pub use point::Point;

/// What is optimised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Goal {
    /// Least USD/month, what was paid once spread over its months.
    #[default]
    Cost,
    /// Least score: of requests and of instance-hours, over all requests; then least USD/month.
    LeastScore,
}

/// One class of traffic: a workload, or the premium or ordinary part of one.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Class {
    /// Its name.
    pub name: String,
    /// Arrival rate each slot must be able to carry, requests/s.
    pub load_rps: Vec<f64>,
    /// Mean rate each slot is billed for, requests/s.
    pub billed_rps: Vec<f64>,
    /// Most unavailability over all routes of the class in series; `None` = no redundancy asked.
    pub unavailability_max: Option<f64>,
    /// For work that may wait: by slot of arrival, the slots it may be served in, its own among them. Empty = at once.
    /// Slots between which work moves stand for the same number of hours.
    pub served_in: Vec<Vec<usize>>,
}

/// One way to pay for the units of a pool.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Mode {
    /// Billing word.
    pub billing: String,
    /// USD/month of one unit.
    pub usd_per_month: f64,
    /// USD paid once for one unit.
    pub usd_upfront: f64,
    /// What was paid once, spread over its months, USD/month: part of the cost objective, not of the monthly budget.
    pub usd_amortised: f64,
}

/// Instances on which replicas of several pools stand side by side.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Host {
    /// Its name.
    pub id: String,
    /// GPUs of one instance.
    pub gpus: f64,
    /// Always-on ways to pay for an instance.
    pub modes: Vec<Mode>,
    /// USD/hour of an instance that runs only in the slots in use.
    pub usd_per_hour: Option<f64>,
    /// USD for each start of an instance that runs only in the slots in use.
    pub usd_per_start: f64,
    /// Finite resources one instance takes: index into [`Program::resources`], amount.
    pub uses: Vec<(usize, f64)>,
    /// Score of an instance-hour; read under [`Goal::LeastScore`].
    pub score_per_hour: f64,
}

/// Replicas of one unit at one provider, bought in whole instances.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Pool {
    /// Its name.
    pub id: String,
    /// What `max_deployments` counts: pools with the same number count once.
    pub deployment: usize,
    /// Hosted models behind it, counted like [`Hosted::deployments`].
    pub behind: Vec<usize>,
    /// Requests/s of one replica by class, load factor applied; 0 = cannot serve.
    pub capacity: Vec<f64>,
    /// Replicas in one instance.
    pub replicas: u32,
    /// Always-on ways to pay for an instance.
    pub modes: Vec<Mode>,
    /// USD/hour of an instance that runs only in the slots in use.
    pub usd_per_hour: Option<f64>,
    /// USD for each start of an instance that runs only in the slots in use: the time until it serves is paid.
    pub usd_per_start: f64,
    /// Instances there are in every slot once the pool is used at all.
    pub instances_min: u32,
    /// Where replicas stand among those of other pools: index into [`Program::hosts`], GPUs of a replica. Such a pool
    /// has no price of its own, one replica an instance, and as many as fit.
    pub on: Option<(usize, f64)>,
    /// USD a request costs on top, by class (expected use of a fallback).
    pub usd_per_request: Vec<f64>,
    /// Score of a request by class; read under [`Goal::LeastScore`].
    pub score: Vec<f64>,
    /// Score of an instance-hour; read under [`Goal::LeastScore`].
    pub score_per_hour: f64,
    /// Finite resources one instance takes: index into [`Program::resources`], amount.
    pub uses: Vec<(usize, f64)>,
    /// Spares it needs.
    pub ladder: Option<Ladder>,
    /// Unavailability one replica adds to its classes (a fallback behind it included).
    pub unavailability_per_replica: f64,
    /// Unavailability of a class served by it, whatever the count (pools with a ladder).
    pub unavailability: f64,
}

/// A hosted model, or a hosted model with another behind it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Hosted {
    /// Its name.
    pub id: String,
    /// What `max_deployments` counts: numbers of the hosted models in it.
    pub deployments: Vec<usize>,
    /// USD a request costs by class; `None` = cannot serve.
    pub usd_per_request: Vec<Option<f64>>,
    /// Score of a request by class.
    pub score: Vec<f64>,
    /// Most requests/s by class; infinite unless limited.
    pub rate_rps: Vec<f64>,
    /// Finite resources a request/s of each class takes: index into [`Program::resources`], amount by class.
    pub uses: Vec<(usize, Vec<f64>)>,
    /// Unavailability it adds to a class it serves.
    pub unavailability: f64,
    /// True for own engines that are billed by the second of use: they count as the local side.
    pub local: bool,
}

/// Requests of one class that pass several targets: a router's two models, the stages of a cascade.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Blend {
    /// Its name.
    pub id: String,
    /// The class it serves.
    pub class: usize,
    /// Requests each pool sees of one request here.
    pub pools: Vec<(usize, f64)>,
    /// Requests each hosted model sees of one request here.
    pub hosted: Vec<(usize, f64)>,
    /// USD a request costs beside its hosted and local parts (the router, the judge).
    pub usd_per_request: f64,
    /// Score of a request; read under [`Goal::LeastScore`].
    pub score: f64,
    /// Unavailability it adds to its class, beside that of its pools and hosted models.
    pub unavailability: f64,
}

/// A mean over requests that must stay on one side of a limit: coefficient by class and target, weighted by requests.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Mean {
    /// The rule that limits it.
    pub rule: String,
    /// Which, such as a workload.
    pub key: String,
    /// By class and pool. A request that is not to count has 0 everywhere, limit included.
    pub local: Vec<Vec<f64>>,
    /// By class and hosted model.
    pub cloud: Vec<Vec<f64>>,
    /// By blend.
    pub blends: Vec<f64>,
    /// Sum over class, target and slot of coefficient x requests / all requests: at least (true) or at most the limit.
    pub at_least: bool,
    /// The limit.
    pub limit: f64,
}

/// Something there is only so much of.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Resource {
    /// The rule that limits it.
    pub rule: String,
    /// Which, such as a GPU id.
    pub key: String,
    /// How much there is.
    pub limit: f64,
}

/// A deployment program.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Program {
    /// Hours a month each slot stands for.
    pub slot_hours: Vec<f64>,
    /// Traffic.
    pub classes: Vec<Class>,
    /// The slot before each in the day, in a circle; empty where the order of slots does not matter.
    pub before: Vec<usize>,
    /// Instances that pools share.
    pub hosts: Vec<Host>,
    /// Own engines.
    pub pools: Vec<Pool>,
    /// Hosted models.
    pub hosted: Vec<Hosted>,
    /// Ways through several of them.
    pub blends: Vec<Blend>,
    /// Means that are limited.
    pub means: Vec<Mean>,
    /// Finite resources.
    pub resources: Vec<Resource>,
    /// Paid once there is any local part, USD/month.
    pub local_usd_per_month: f64,
    /// Most USD/month. A row under [`Goal::LeastScore`]; a cutoff on the objective under [`Goal::Cost`].
    pub usd_per_month_max: Option<f64>,
    /// Most USD paid once.
    pub usd_upfront_max: Option<f64>,
    /// Most deployments.
    pub deployments_max: Option<u32>,
    /// Both sides must carry at least this share of all requests (to find the best hybrid plan).
    pub both_sides_min: Option<f64>,
    /// What is optimised.
    pub goal: Goal,
}

impl Program {
    /// Load of a whole class in a slot on a pool, in instances; `None` where the pool cannot serve it.
    #[must_use]
    pub fn instances_for(&self, class: usize, pool: usize, slot: usize) -> Option<f64> {
        let pool = &self.pools[pool];
        (pool.capacity[class] > 0.0)
            .then(|| self.classes[class].load_rps[slot] / (pool.capacity[class] * f64::from(pool.replicas)))
    }

    /// Bill of a whole class in a slot at a price per request, USD/month.
    #[must_use]
    pub fn bill(&self, class: usize, slot: usize, usd_per_request: f64) -> f64 {
        usd_per_request * self.requests(class, slot)
    }

    /// Requests a month of a class in a slot.
    #[must_use]
    pub fn requests(&self, class: usize, slot: usize) -> f64 {
        self.classes[class].billed_rps[slot] * 3600.0 * self.slot_hours[slot]
    }

    /// Requests a month of everything.
    #[must_use]
    pub fn all_requests(&self) -> f64 {
        (0..self.classes.len())
            .flat_map(|class| (0..self.slot_hours.len()).map(move |slot| (class, slot)))
            .map(|(class, slot)| self.requests(class, slot))
            .sum()
    }

    /// True where redundancy is asked for any class.
    #[must_use]
    pub fn wants_availability(&self) -> bool {
        self.classes.iter().any(|class| class.unavailability_max.is_some())
    }

    /// No plan needs more instances of a pool than these: they carry all there is, with the spares for it.
    #[must_use]
    pub fn instances_max(&self, pool: usize) -> f64 {
        let replicas = f64::from(self.pools[pool].replicas);
        let most = self.replicas_max(pool);
        let Some(ladder) = &self.pools[pool].ladder else { return (most / replicas).ceil() };
        let needed = most.min(f64::from(ladder.needed_max.last().copied().unwrap_or(0)));
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "at most a rung of the ladder"
        )]
        let spares = ladder.spares(needed as u32).unwrap_or(0);
        ((needed + f64::from(spares)) / replicas).ceil()
    }

    /// Whole replicas of a pool that carry everything it can serve, in the busiest slot.
    pub(crate) fn replicas_max(&self, pool: usize) -> f64 {
        let carried = |slot: usize| {
            (0..self.classes.len()).filter_map(|class| self.instances_for(class, pool, slot)).sum::<f64>()
        };
        let most = (0..self.slot_hours.len()).map(carried).fold(0.0, f64::max);
        (most * f64::from(self.pools[pool].replicas)).ceil()
    }

    /// True where equal slots may be served differently in a better plan: hours in use are bought slot by slot,
    /// and a sum over all slots is limited.
    fn slots_differ(&self) -> bool {
        let summed = self.both_sides_min.is_some()
            || (self.goal == Goal::LeastScore && self.usd_per_month_max.is_some());
        summed && self.pools.iter().any(|pool| pool.usd_per_hour.is_some())
    }

    /// The same program with equal slots merged and their hours added: same optimum, fewer columns.
    /// Returns, for each original slot, the slot it went into.
    ///
    /// Only slots equal for *every* class merge; rounding demands would make a bound, not the answer
    /// (formulation study §3). Nothing merges where equal slots may be served differently.
    #[must_use]
    pub fn merge_slots(&self) -> (Self, Vec<usize>) {
        if self.slots_differ() {
            return (self.clone(), (0..self.slot_hours.len()).collect());
        }
        let mut kept: Vec<usize> = Vec::new();
        let mut into = Vec::with_capacity(self.slot_hours.len());
        for slot in 0..self.slot_hours.len() {
            let same = |other: &usize| {
                self.classes.iter().all(|class| {
                    class.load_rps[slot].to_bits() == class.load_rps[*other].to_bits()
                        && class.billed_rps[slot].to_bits() == class.billed_rps[*other].to_bits()
                })
            };
            if let Some(at) = kept.iter().position(same) {
                into.push(at);
            } else {
                into.push(kept.len());
                kept.push(slot);
            }
        }
        let mut merged = self.clone();
        merged.slot_hours = vec![0.0; kept.len()];
        for (slot, at) in into.iter().enumerate() {
            merged.slot_hours[*at] += self.slot_hours[slot];
        }
        for class in &mut merged.classes {
            class.load_rps = kept.iter().map(|slot| class.load_rps[*slot]).collect();
            class.billed_rps = kept.iter().map(|slot| class.billed_rps[*slot]).collect();
        }
        (merged, into)
    }
}
