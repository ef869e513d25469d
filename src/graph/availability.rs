//! Share of time the request path is up: series and parallel over its stops.

use petgraph::Direction;
use petgraph::graph::NodeIndex;
use petgraph::visit::EdgeRef;

use super::{RequestPath, Stop, Way};

impl RequestPath {
    /// Share of time a workload's requests of one slot are served: every target that gets some of them must be up,
    /// or its fallback. `up` gives the share of time a deployment can carry its part of the slot, by id; `apart` says
    /// whether a fallback stands apart from its target, so that both are not down together.
    ///
    /// Targets and fallbacks fail independently; a fallback behind two targets is counted for each, which is never too
    /// good as both lose it together.
    ///
    /// `None` for a workload that is not on the path.
    #[must_use]
    pub fn availability(
        &self,
        workload: &str,
        premium: bool,
        slot: usize,
        up: &dyn Fn(&str) -> f64,
        apart: &dyn Fn(&str, &str) -> bool,
    ) -> Option<f64> {
        let mut at = *self.workloads.get(workload)?;
        // From the workload one way leads, perhaps through the cache, to its router.
        while self.graph[at] != Stop::Router {
            at = self.graph.neighbors(at).next()?;
        }
        let mut all = 1.0;
        for way in self.graph.edges_directed(at, Direction::Outgoing) {
            let Way::Share { share, by_hour, premium: part } = way.weight() else { continue };
            let here = by_hour.as_ref().map_or(*share, |hours| hours.get(slot).copied().unwrap_or(0.0));
            if *part == premium && here > SHARE_MIN {
                all *= 1.0 - self.down(way.target(), workload, up, apart);
            }
        }
        Some(all)
    }

    /// Share of time neither a target nor its fallback answers.
    fn down(
        &self,
        at: NodeIndex,
        workload: &str,
        up: &dyn Fn(&str) -> f64,
        apart: &dyn Fn(&str, &str) -> bool,
    ) -> f64 {
        let Stop::Target { id, .. } = &self.graph[at] else { return 1.0 };
        let behind = self
            .graph
            .edges_directed(at, Direction::Outgoing)
            .filter(|way| matches!(way.weight(), Way::Fallback(for_whom) if for_whom.contains(workload)))
            .filter_map(|way| match &self.graph[way.target()] {
                Stop::Target { id: other, .. } if apart(id, other) => Some(1.0 - up(other)),
                _ => None,
            })
            .fold(1.0, f64::min);
        (1.0 - up(id)) * behind
    }
}

/// A share that counts as one.
const SHARE_MIN: f64 = 1e-5;
