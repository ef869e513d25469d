//! The request path of a plan as a directed graph: workload -> target -> fallback.
//!
//! In: a [`Plan`]. Out: whether every workload reaches something that serves, and whether the path runs in a circle.
//! Availability composes along it: targets of a workload in series, a fallback in parallel with its target.

use std::collections::BTreeMap;

use petgraph::algo::is_cyclic_directed;
use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::visit::Dfs;

use crate::recommendation::Plan;

/// What stands on the path.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Node {
    /// A traffic class, by name.
    Workload(String),
    /// A deployment, by id; true where it runs or is called.
    Target(String, bool),
}

/// The request path of a plan.
#[derive(Debug, Clone)]
pub struct RequestPath {
    graph: DiGraph<Node, f64>,
    workloads: BTreeMap<String, NodeIndex>,
}

impl RequestPath {
    /// Draws the path of a plan for these workloads; edges carry shares, 0 for fallbacks.
    #[must_use]
    pub fn of(plan: &Plan, workloads: &[&str]) -> Self {
        let mut graph = DiGraph::new();
        let mut targets: BTreeMap<String, NodeIndex> = BTreeMap::new();
        let workloads: BTreeMap<String, NodeIndex> = workloads
            .iter()
            .map(|name| ((*name).to_owned(), graph.add_node(Node::Workload((*name).to_owned()))))
            .collect();
        let mut target = |graph: &mut DiGraph<Node, f64>, id: &String| {
            let serves = plan.deployments.iter().any(|deployment| {
                deployment.id == *id && deployment.engine.as_ref().is_none_or(|engine| engine.replicas > 0)
            });
            *targets.entry(id.clone()).or_insert_with(|| graph.add_node(Node::Target(id.clone(), serves)))
        };
        for route in &plan.routing {
            let Some(from) = workloads.get(&route.workload) else { continue };
            let to = target(&mut graph, &route.target);
            graph.update_edge(*from, to, route.share);
            if let Some(fallback) = &route.fallback {
                let behind = target(&mut graph, fallback);
                graph.update_edge(to, behind, 0.0);
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
                if matches!(&self.graph[node], Node::Target(_, true)) {
                    return true;
                }
            }
            false
        };
        self.workloads.iter().filter(|(_, start)| !reaches(**start)).map(|(name, _)| name.as_str()).collect()
    }
}
