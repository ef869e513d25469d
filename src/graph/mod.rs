//! The request path of a plan as a directed graph: workload -> response cache -> router -> target -> fallback.
//!
//! In: a [`Plan`] and its requirements. Out: whether every workload reaches something that serves, whether the path
//! runs in a circle, and what share of the time the path is up: targets of a router in series, a fallback in parallel
//! with its target. `render/graph/` draws it.

mod availability;

use std::collections::{BTreeMap, BTreeSet};

use petgraph::algo::is_cyclic_directed;
use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::visit::{Dfs, EdgeRef};

use crate::recommendation::{Deployment, Plan};
use crate::requirements::Requirements;

/// What stands on the path.
#[derive(Debug, Clone, PartialEq)]
pub enum Stop {
    /// A traffic class, by name.
    Workload(String),
    /// The response cache of a workload, with the share of requests it answers.
    Cache(f64),
    /// Where the shares of a workload part.
    Router,
    /// A deployment.
    Target {
        /// Its id in the plan.
        id: String,
        /// How people name it.
        label: String,
        /// True for own engines.
        local: bool,
        /// True where it runs or is called.
        serves: bool,
    },
}

/// How requests go on.
#[derive(Debug, Clone, PartialEq)]
pub enum Way {
    /// All requests that come here.
    All,
    /// Those the cache does not answer: their share of all.
    Missed(f64),
    /// A share of those that reach a model; true for the premium part.
    Share {
        /// Over the month, 0 to 1.
        share: f64,
        /// By slot, where it varies.
        by_hour: Option<Vec<f64>>,
        /// Held to the premium floor?
        premium: bool,
    },
    /// Only when the target before is down, for requests of these workloads.
    Fallback(BTreeSet<String>),
}

/// The request path of a plan.
#[derive(Debug, Clone)]
pub struct RequestPath {
    graph: DiGraph<Stop, Way>,
    workloads: BTreeMap<String, NodeIndex>,
}

impl RequestPath {
    /// The path of a plan for the workloads of a request.
    #[must_use]
    pub fn of(plan: &Plan, requirements: &Requirements) -> Self {
        let mut graph = DiGraph::new();
        let mut workloads = BTreeMap::new();
        let mut routers = BTreeMap::new();
        for workload in requirements.workloads.iter().filter(|workload| workload.mean_rps() > 0.0) {
            let start = graph.add_node(Stop::Workload(workload.name.clone()));
            let router = graph.add_node(Stop::Router);
            if workload.response_hit > 0.0 {
                let cache = graph.add_node(Stop::Cache(workload.response_hit));
                graph.add_edge(start, cache, Way::All);
                graph.add_edge(cache, router, Way::Missed(1.0 - workload.response_hit));
            } else {
                graph.add_edge(start, router, Way::All);
            }
            workloads.insert(workload.name.clone(), start);
            routers.insert(workload.name.as_str(), router);
        }
        let mut targets: BTreeMap<String, NodeIndex> = BTreeMap::new();
        let mut target = |graph: &mut DiGraph<Stop, Way>, id: &String| {
            let deployed = plan.deployments.iter().find(|deployment| deployment.id == *id);
            *targets.entry(id.clone()).or_insert_with(|| graph.add_node(stop(id, deployed)))
        };
        for route in &plan.routing {
            let Some(from) = routers.get(route.workload.as_str()) else { continue };
            let to = target(&mut graph, &route.target);
            let way =
                Way::Share { share: route.share, by_hour: route.by_hour.clone(), premium: route.premium };
            graph.add_edge(*from, to, way);
            if let Some(fallback) = &route.fallback {
                let behind = target(&mut graph, fallback);
                let known = graph.find_edge(to, behind).and_then(|at| graph.edge_weight_mut(at));
                if let Some(Way::Fallback(workloads)) = known {
                    workloads.insert(route.workload.clone());
                } else {
                    graph.add_edge(to, behind, Way::Fallback(BTreeSet::from([route.workload.clone()])));
                }
            }
        }
        Self { graph, workloads }
    }

    /// True where no request can run in a circle.
    #[must_use]
    pub fn is_acyclic(&self) -> bool {
        !is_cyclic_directed(&self.graph)
    }

    /// Workloads that reach nothing that serves, in byte order.
    #[must_use]
    pub fn stranded(&self) -> Vec<&str> {
        let reaches = |start: NodeIndex| {
            let mut walk = Dfs::new(&self.graph, start);
            while let Some(node) = walk.next(&self.graph) {
                if matches!(&self.graph[node], Stop::Target { serves: true, .. }) {
                    return true;
                }
            }
            false
        };
        self.workloads.iter().filter(|(_, start)| !reaches(**start)).map(|(name, _)| name.as_str()).collect()
    }

    /// Stops in the order in which the plan names them, each with its number.
    pub fn stops(&self) -> impl Iterator<Item = (usize, &Stop)> {
        self.graph.node_indices().map(|at| (at.index(), &self.graph[at]))
    }

    /// Ways from stop to stop, by their numbers, in a fixed order.
    pub fn ways(&self) -> impl Iterator<Item = (usize, usize, &Way)> {
        self.graph.edge_references().map(|way| (way.source().index(), way.target().index(), way.weight()))
    }
}

fn stop(id: &str, deployed: Option<&Deployment>) -> Stop {
    let engine = deployed.and_then(|deployment| deployment.engine.as_ref());
    Stop::Target {
        id: id.to_owned(),
        label: deployed.map_or_else(|| id.to_owned(), |deployment| deployment.label.clone()),
        local: engine.is_some(),
        serves: deployed.is_some() && engine.is_none_or(|engine| engine.replicas > 0),
    }
}
