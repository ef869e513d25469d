//! The deployment program as plain data of ours: classes of traffic, pools of replicas, hosted columns, rules.
//!
//! In: numbers the candidates and the bill produced. Out: a [`Program`] that `prune.rs` makes smaller without
//! changing its optimum, `matrix/` writes as rows that bear the names of rules, and `solve.rs` solves.
//! It knows no catalog, no prices by name and no solver.
//!
//! Units: rates in requests/s, money in USD/month, shares in 0..1 of a class in a slot. With shares instead of
//! rates the coefficients lie in 1e-4..1e3 whatever the units of prices and traffic are.

pub mod availability;
mod broken;
mod loads;
pub mod matrix;
mod merge;
mod money;
pub mod point;
pub mod prune;
mod settle;

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
    /// Slots between which work moves stand for the same number of hours, and the two rates above stand in one ratio.
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
///
/// Where each size divides the next larger one and the largest divides `gpus`, replicas fit exactly where their GPUs
/// add up to no more than there are (place the largest first). Other sizes add a row each, and
/// [`Point::broken_rule`] packs them one by one.
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
    /// has no price of its own, one replica an instance, and as many as fit: the same in every slot where it has one
    /// mode (without a price), as the slot needs where it has none.
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
///
/// A request here counts to the local and the cloud side in the proportion of the targets it passes on each.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Blend {
    /// Its name.
    pub id: String,
    /// The class it serves.
    pub class: usize,
    /// The class whose capacities, prices and rate limits hold on its way: a class without traffic of its own where
    /// requests may pass a target at which they may not end. `None` = the class it serves.
    pub through: Option<usize>,
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
    /// Days a month on which each slot begins, once for each hour it stands for; empty = as many as its hours.
    pub slot_starts: Vec<f64>,
    /// The slot before each in the day, in a circle; empty where the order of slots does not matter: then no start
    /// is paid.
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
    /// Most USD/month, what was paid once left out. A cutoff on the objective under [`Goal::Cost`] where nothing is
    /// paid once; a row otherwise.
    pub usd_per_month_max: Option<f64>,
    /// Most USD paid once.
    pub usd_upfront_max: Option<f64>,
    /// Most deployments.
    pub deployments_max: Option<u32>,
    /// Both sides must carry at least this share of all requests (to find the best hybrid plan).
    pub both_sides_min: Option<f64>,
    /// The local side carries exactly this share of all requests, 0 to 1; `None` = whatever is best.
    pub local_share: Option<f64>,
    /// Exactly so many replicas in the slot of [`Program::busiest_slot`] and no more in any other; `None` = whatever is
    /// best. Replicas billed by the second are not counted.
    pub replicas: Option<u32>,
    /// What is optimised.
    pub goal: Goal,
}
