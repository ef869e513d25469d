//! What counts as the same plan, and the legend of the map.

use super::answer::Structure;
use super::cell::Solved;
use crate::candidate::local::short;
use crate::recommendation::{Deployment, Kind, Plan};

/// Marks, for the most frequent structures first. The rest share the last.
const MARKS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
/// Mark of all structures beyond those.
const MORE: &str = "+";

/// The kind of a plan and its leading targets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Targets {
    pub(super) kind: Kind,
    local: Option<String>,
    cloud: Option<String>,
}

impl Targets {
    pub(super) fn of(plan: &Plan) -> Self {
        let share = |id: &str| -> f64 {
            plan.routing.iter().filter(|route| route.target == id).map(|route| route.share).sum()
        };
        // What only stands behind others counts where nothing else of its side is there.
        let leading = |local: bool| {
            plan.deployments.iter().filter(|one| one.engine.is_some() == local).max_by(|a, b| {
                let order = |one: &Deployment| (!one.fallback_only, share(&one.id));
                let ((a_serves, a_share), (b_serves, b_share)) = (order(a), order(b));
                a_serves.cmp(&b_serves).then(a_share.total_cmp(&b_share)).then(b.id.cmp(&a.id))
            })
        };
        let behind = |one: &Deployment| if one.fallback_only { " as fallback" } else { "" };
        let engine = |one: &Deployment| match &one.engine {
            Some(engine) if one.mode != "measured" => format!("{} on {}", short(&one.model), engine.gpu),
            _ => one.model.clone(),
        };
        Self {
            kind: plan.kind,
            local: leading(true).map(|one| engine(one) + behind(one)),
            cloud: leading(false).map(|one| format!("{}{}", one.label, behind(one))),
        }
    }

    /// Is it the one that a line of the legend stands for?
    pub(super) fn is(&self, line: &Structure) -> bool {
        self.kind == line.kind && self.local == line.local && self.cloud == line.cloud
    }
}

/// Every structure that wins somewhere, most frequent first, then by place.
pub(super) fn legend(solved: &[Solved]) -> Vec<Structure> {
    let mut all: Vec<Structure> = Vec::new();
    for one in solved {
        let (Some(targets), Some(usd)) = (&one.targets, one.usd_per_month) else { continue };
        if let Some(known) = all.iter_mut().find(|line| targets.is(line)) {
            known.cells += 1;
            known.usd_per_month_min = known.usd_per_month_min.min(usd);
            known.usd_per_month_max = known.usd_per_month_max.max(usd);
        } else {
            all.push(Structure {
                mark: String::new(),
                kind: targets.kind,
                local: targets.local.clone(),
                cloud: targets.cloud.clone(),
                cells: 1,
                usd_per_month_min: usd,
                usd_per_month_max: usd,
            });
        }
    }
    all.sort_by_key(|line| std::cmp::Reverse(line.cells));
    let marks = MARKS.chars().map(String::from).chain(std::iter::repeat(MORE.to_owned()));
    all.iter_mut().zip(marks).for_each(|(line, mark)| line.mark = mark);
    all
}
