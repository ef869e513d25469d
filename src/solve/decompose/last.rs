//! What a slot's last plan uses, repriced when prices or the box change: an upper bound of the slot for nothing.

use super::bound::{Space, Use};
use super::draft::Draft;
use super::model::Model;
use super::slot::{Member, Served};

/// What a slot's plan uses.
#[derive(Debug, Clone)]
pub(super) struct Last {
    pub(super) always_on: Vec<usize>,
    hourly: Vec<usize>,
    /// Hosted bills and what requests cost beside the instances, USD/month.
    served_usd: f64,
}

impl Last {
    #[allow(clippy::cast_precision_loss, reason = "counts of instances")]
    pub(super) fn of(model: &Model, space: &Space, members: &[Member], served: &Served) -> Self {
        let mut last = Self {
            always_on: space.least.clone(),
            hourly: vec![0; model.pools.len()],
            served_usd: served.cost,
        };
        for ((member, extra), hourly) in members.iter().zip(&served.extra).zip(&served.hourly) {
            last.always_on[member.pool] += *extra as usize;
            last.hourly[member.pool] += *hourly as usize;
            last.served_usd -= member.extra.map_or(0.0, |(usd, _)| usd * f64::from(*extra));
            if *hourly > 0 {
                last.served_usd -= model.pools[member.pool].hourly[0] * f64::from(*hourly);
            }
        }
        last
    }

    #[allow(clippy::cast_precision_loss, reason = "counts of instances")]
    pub(super) fn drafted(model: &Model, space: &Space, draft: &Draft) -> Self {
        let mut last = Self {
            always_on: space.least.clone(),
            hourly: vec![0; model.pools.len()],
            served_usd: draft.cost,
        };
        for (r, response) in &draft.pools {
            let (r, pool) = (*r, &model.pools[*r]);
            let Some(all) = response.instances.first() else { continue };
            let hourly = all - response.always_on.min(*all);
            let gamma = pool.modes.first().map_or(0.0, |mode| mode.0);
            last.served_usd -= gamma * response.always_on as f64;
            if hourly > 0 {
                last.served_usd -= pool.hourly[0] * hourly as f64;
            }
            last.always_on[r] = response.always_on.max(space.least[r]);
            last.hourly[r] = hourly;
        }
        last
    }

    /// The same instances in another box, if they fit in.
    pub(super) fn within(mut self, space: &Space) -> Option<Self> {
        for r in 0..self.always_on.len() {
            let all = self.always_on[r] + self.hourly[r];
            if all > 0 && space.pools[r] == Use::Out {
                return None;
            }
            self.always_on[r] = all.min(space.most[r]).max(space.least[r]);
            self.hourly[r] = all.saturating_sub(self.always_on[r]);
            if self.hourly[r] > 0 && !space.hours[r][0] {
                return None;
            }
        }
        Some(self)
    }

    /// Always-on instances it would have: none beyond the fewest where the slot alone sells them for less.
    pub(super) fn wanted(&self, model: &Model, space: &Space) -> Vec<usize> {
        let of = |r: usize| {
            let pool = &model.pools[r];
            let hours = space.hours[r][0] && pool.modes.first().is_none_or(|mode| pool.hourly[0] < mode.0);
            if hours { space.least[r] } else { self.always_on[r] }
        };
        (0..model.pools.len()).map(of).collect()
    }

    /// Its cost at the prices of the moment, each instance paid in the cheaper way that the box allows.
    #[allow(clippy::cast_precision_loss, reason = "counts of instances")]
    pub(super) fn cost(&self, model: &Model, space: &Space) -> f64 {
        let mut usd = self.served_usd;
        for (r, pool) in model.pools.iter().enumerate() {
            let gamma = pool.modes.first().map_or(0.0, |mode| mode.0);
            let beyond = self.always_on[r] - space.least[r];
            let each = if space.hours[r][0] { gamma.min(pool.hourly[0]) } else { gamma };
            usd += gamma * space.least[r] as f64 + each * beyond as f64;
            if self.hourly[r] > 0 {
                usd += pool.hourly[0] * self.hourly[r] as f64;
            }
        }
        usd
    }
}
