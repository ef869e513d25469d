//! One way to deploy: every unit on every offer, and every hosted model, in a fixed order.
//!
//! In: requirements, catalog, rules. Out: options with what they can carry for each class, and a [`Tally`] in which
//! every candidate that is not there stands under the rule that refused it. Nothing is refused without a reason.
//!
//! Invariant 4 (pruning never changes the best objective) is kept by `screen.rs`, whose two tests are the dominance
//! rule D4 of the formulation study with an upper bound in place of a capacity, and a price above a known plan.

pub mod class;
pub mod filter;
mod floor;
pub mod hardware;
pub mod hosted;
mod incumbent;
pub mod limit;
pub mod line;
pub mod local;
mod memo;
pub mod place;
pub mod ranked;
pub mod screen;
pub mod serverless;
mod split;
pub mod spot;
pub mod tally;
pub mod unit;

pub use class::{Class, classes};
pub use hardware::Hardware;
pub use hosted::HostedOption;
pub use local::LocalOption;
pub use serverless::ServerlessOption;
pub use tally::Tally;
pub use unit::{Bench, UnitRow};

use std::collections::BTreeSet;

use crate::catalog::Catalog;
use crate::constraint::Rules;
use crate::recommendation::Kind;
use crate::requirements::Requirements;

/// A question: the requirements, and what is left out of the search to find another structure.
#[derive(Clone)]
pub struct Question<'q, 'c> {
    /// What was asked.
    pub requirements: &'q Requirements,
    /// What exists.
    pub catalog: &'c Catalog,
    /// What is allowed.
    pub rules: &'q Rules,
    /// Memory and step times of units, shared by all questions about one catalog.
    pub bench: &'c Bench<'c>,
    /// Only plans of this kind.
    pub kind: Option<Kind>,
    /// Structures that must not be used: keys of [`LocalOption::structure`] and [`HostedOption::structure`].
    pub forbid: BTreeSet<String>,
    /// Drop what cannot win before solving?
    pub prune: bool,
    /// When to end a search early.
    pub stop: crate::request::Stop,
    /// Who solves the integer programs.
    pub backend: crate::request::Backend,
    /// Up to this price of an instance, USD/month, a dearer engine is worth a look where its index is higher, though
    /// nothing in the request reads it.
    pub index_matters: Option<f64>,
    /// Keep what a plan may need only because its deployments are counted? The count seldom binds, so it is asked for
    /// only once it does.
    pub count_matters: bool,
    /// Keep what a plan may need only because it is said how much of the requests own engines serve?
    pub share_matters: bool,
}

impl<'q, 'c> Question<'q, 'c> {
    /// May own engines take part?
    #[must_use]
    pub fn local(&self) -> bool {
        use crate::requirements::Routing;
        self.requirements.routing != Routing::Cloud && self.kind != Some(Kind::Cloud)
    }

    /// May hosted models take part?
    #[must_use]
    pub fn cloud(&self) -> bool {
        use crate::requirements::Routing;
        self.requirements.routing != Routing::Local && self.kind != Some(Kind::Local)
    }

    /// Does anything but its own floor read the index of who serves a class?
    #[must_use]
    pub fn reads_index(&self, class: &Class<'_>) -> bool {
        let through = |names: &Vec<String>| names.contains(&class.workload.name);
        class.reads_index()
            || self.index_matters.is_some()
            || self.requirements.routers.iter().any(|router| through(&router.workloads))
            || self.requirements.cascades.iter().any(|cascade| through(&cascade.workloads))
    }

    /// Lists of targets that routers and cascades name.
    pub fn roles(&self) -> impl Iterator<Item = &'q Vec<String>> {
        let routers = self.requirements.routers.iter().flat_map(|router| [&router.weak, &router.strong]);
        let cascades = self.requirements.cascades.iter().flat_map(|cascade| &cascade.stages);
        routers.chain(cascades.map(|stage| &stage.models))
    }

    /// The same question about another request.
    #[must_use]
    pub fn about<'r>(&self, requirements: &'r Requirements) -> Question<'r, 'c>
    where
        'q: 'r,
    {
        Question {
            requirements,
            catalog: self.catalog,
            rules: self.rules,
            bench: self.bench,
            kind: self.kind,
            forbid: self.forbid.clone(),
            prune: self.prune,
            stop: self.stop,
            backend: self.backend,
            index_matters: self.index_matters,
            count_matters: self.count_matters,
            share_matters: self.share_matters,
        }
    }

    /// Most deployments of a plan, where candidates are kept for it.
    #[must_use]
    pub fn deployments_kept_for(&self) -> Option<u32> {
        self.requirements.limits.max_deployments.filter(|_| self.count_matters)
    }
}
