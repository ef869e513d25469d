//! Routers and cascades of a plan: what passes them, their routes, what they take for themselves.

use super::Maker;
use crate::bill;
use crate::formulate::Formulated;
use crate::program::Point;
use crate::recommendation::{BillLine, Via, ViaKind};

/// A column that routes may lead to.
#[derive(Debug, Clone, Copy)]
pub(super) enum Column {
    Pool(usize),
    Hosted(usize),
}

/// A point with what passes routers and cascades among the shares of the targets.
pub(super) fn passed(formulated: &Formulated, point: &Point) -> Point {
    let mut all = point.clone();
    for (blend, shares) in formulated.program.blends.iter().zip(&point.blends) {
        for (t, share) in shares.iter().enumerate() {
            for (r, seen) in &blend.pools {
                all.local[blend.class][*r][t] += share * seen;
            }
            for (a, seen) in &blend.hosted {
                all.cloud[blend.class][*a][t] += share * seen;
            }
        }
    }
    all
}

impl Maker<'_, '_, '_> {
    /// Routes of a class to a column on the way through routers and cascades.
    pub(super) fn way_routes(&mut self, class: usize, column: Column, target: &str) {
        let formulated = self.formulated;
        let (local, source) = match column {
            Column::Pool(r) => (true, formulated.pools[r].0),
            Column::Hosted(a) => (false, formulated.hosted[a].0),
        };
        for (number, blend) in (0..).zip(&formulated.program.blends) {
            let shares = &self.point.blends[number as usize];
            let Some(way) = formulated.ways.get(&blend.id).filter(|_| blend.class == class) else { continue };
            for (stage, member) in (0..).zip(&way.members) {
                if member.local != local || member.source != source || member.seen <= 0.0 {
                    continue;
                }
                let seen: Vec<f64> = shares.iter().map(|share| share * member.seen).collect();
                let before = self.routing.len();
                self.route(class, target, &seen, None);
                if let Some(route) = self.routing.get_mut(before) {
                    route.via = Some(Via {
                        name: way.name.clone(),
                        kind: way.kind,
                        way: number,
                        point: way.point,
                        stage,
                        answered: member.answered,
                    });
                }
            }
        }
    }

    /// Bill lines of routers and judges.
    pub(super) fn way_fees(&mut self) {
        for (blend, shares) in self.formulated.program.blends.iter().zip(&self.point.blends) {
            let Some(way) = self.formulated.ways.get(&blend.id) else { continue };
            let requests = self.requests(blend.class, shares);
            if requests <= 0.0 || way.usd_per_request <= 0.0 {
                continue;
            }
            let kind = match way.kind {
                ViaKind::Router => "router",
                ViaKind::Cascade => "judges of the cascade",
            };
            let item = format!(
                "{} ({kind}) · {}: {requests:.0} requests at ${:.6}",
                way.name,
                self.field.classes[blend.class].name(),
                way.usd_per_request
            );
            self.bill.push(BillLine { item, usd_per_month: bill::line(requests * way.usd_per_request) });
        }
    }
}
