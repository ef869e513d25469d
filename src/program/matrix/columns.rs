//! Columns: instances by pool or host, mode and slot; shares by class, target and slot; work moved between slots.

use super::{Column, INSTANCES_MAX, Matrix};
use crate::program::{Goal, Mode, Program};

/// What a column stands for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Meaning {
    AlwaysOn {
        pool: usize,
        mode: usize,
    },
    Hourly {
        pool: usize,
        slot: usize,
    },
    HostAlwaysOn {
        host: usize,
        mode: usize,
    },
    HostHourly {
        host: usize,
        slot: usize,
    },
    Local {
        class: usize,
        pool: usize,
        slot: usize,
    },
    Cloud {
        class: usize,
        hosted: usize,
        slot: usize,
    },
    Blend {
        blend: usize,
        slot: usize,
    },
    Moved {
        class: usize,
        from: usize,
        to: usize,
    },
    /// Of all that arrives in slots among which work is exchanged, `first` the first of them.
    Released {
        class: usize,
        first: usize,
        to: usize,
    },
    Helper,
}

/// What one of a column weighs.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Weight {
    /// In the monthly bill, USD/month.
    pub(super) usd: f64,
    /// What was paid once, spread over its months, USD/month.
    pub(super) amortised: f64,
    /// In the score.
    pub(super) score: f64,
}

impl Weight {
    /// USD/month and no score.
    pub(super) fn usd(usd: f64) -> Self {
        Self { usd, ..Self::default() }
    }

    /// USD/month with what was paid once.
    pub(super) fn cost(&self) -> f64 {
        self.usd + self.amortised
    }
}

/// Columns of shares by class, target and slot; `None` for a pair that cannot comply.
pub(super) type Shares = Vec<Vec<Vec<Option<usize>>>>;

/// Where the columns of a program are.
pub(super) struct Columns {
    /// By pool and mode.
    pub(super) always_on: Vec<Vec<usize>>,
    /// By pool and slot.
    pub(super) hourly: Vec<Vec<Option<usize>>>,
    /// By host and mode.
    pub(super) host_always_on: Vec<Vec<usize>>,
    /// By host and slot.
    pub(super) host_hourly: Vec<Vec<Option<usize>>>,
    /// By class, pool, slot.
    pub(super) local: Shares,
    /// By class, hosted model, slot.
    pub(super) cloud: Shares,
    /// By blend and slot.
    pub(super) blends: Vec<Vec<Option<usize>>>,
    /// By class, slot of arrival, slot of service.
    pub(super) moved: Shares,
}

impl Columns {
    /// Instances of a pool in a slot.
    pub(super) fn instances(&self, pool: usize, slot: usize) -> impl Iterator<Item = usize> {
        self.always_on[pool].iter().copied().chain(self.hourly[pool][slot])
    }

    /// Instances of a host in a slot.
    pub(super) fn host_instances(&self, host: usize, slot: usize) -> impl Iterator<Item = usize> {
        self.host_always_on[host].iter().copied().chain(self.host_hourly[host][slot])
    }

    /// Shares of a class that load a pool in any slot, directly or through a blend.
    pub(super) fn on_pool(&self, program: &Program, class: usize, pool: usize) -> Vec<usize> {
        let through = program.blends.iter().zip(&self.blends).filter(move |(blend, _)| {
            blend.class == class && blend.pools.iter().any(|(r, seen)| *r == pool && *seen > 0.0)
        });
        let direct = self.local[class][pool].iter().flatten().copied();
        direct.chain(through.flat_map(|(_, slots)| slots.iter().flatten().copied())).collect()
    }

    /// Shares of a class that load a hosted model in any slot, directly or through a blend.
    pub(super) fn on_hosted(&self, program: &Program, class: usize, hosted: usize) -> Vec<usize> {
        let through = program.blends.iter().zip(&self.blends).filter(move |(blend, _)| {
            blend.class == class && blend.hosted.iter().any(|(a, seen)| *a == hosted && *seen > 0.0)
        });
        let direct = self.cloud[class][hosted].iter().flatten().copied();
        direct.chain(through.flat_map(|(_, slots)| slots.iter().flatten().copied())).collect()
    }

    /// Columns through which a class sends requests to a hosted model in a slot: column, class whose figures hold,
    /// requests for one of the class.
    pub(super) fn sent_to_hosted(
        &self,
        program: &Program,
        class: usize,
        hosted: usize,
        slot: usize,
    ) -> Vec<(usize, usize, f64)> {
        let mut sent: Vec<(usize, usize, f64)> =
            self.cloud[class][hosted][slot].map(|at| (at, class, 1.0)).into_iter().collect();
        for (blend, slots) in program.blends.iter().zip(&self.blends).filter(|(b, _)| b.class == class) {
            let seen: f64 = blend.hosted.iter().filter(|(a, _)| *a == hosted).map(|(_, seen)| seen).sum();
            if let (Some(at), true) = (slots[slot], seen > 0.0) {
                sent.push((at, blend.through(), seen));
            }
        }
        sent
    }

    /// All shares of a class in a slot.
    pub(super) fn shares(&self, program: &Program, class: usize, slot: usize) -> Vec<usize> {
        let blends = program.blends.iter().zip(&self.blends).filter(|(blend, _)| blend.class == class);
        let direct = self.local[class].iter().chain(&self.cloud[class]).filter_map(|slots| slots[slot]);
        direct.chain(blends.filter_map(|(_, slots)| slots[slot])).collect()
    }
}

impl Matrix {
    pub(super) fn column(
        &mut self,
        goal: Goal,
        meaning: Meaning,
        upper: f64,
        integer: bool,
        weight: Weight,
    ) -> usize {
        let objective = match goal {
            Goal::Cost => weight.cost(),
            Goal::LeastScore => weight.score,
        };
        self.columns.push(Column { upper, integer, weight: objective });
        self.meaning.push(meaning);
        self.money.push(weight);
        self.columns.len() - 1
    }

    /// A binary without a price.
    pub(super) fn binary(&mut self, goal: Goal) -> usize {
        self.column(goal, Meaning::Helper, 1.0, true, Weight::default())
    }

    pub(super) fn write_columns(&mut self, program: &Program) -> Columns {
        let (always_on, hourly) = self.pool_columns(program);
        let (host_always_on, host_hourly) = self.host_columns(program);
        let (local, cloud) = self.share_columns(program);
        let blends = self.blend_columns(program);
        let moved = self.moved_columns(program);
        Columns { always_on, hourly, host_always_on, host_hourly, local, cloud, blends, moved }
    }

    fn pool_columns(&mut self, program: &Program) -> (Vec<Vec<usize>>, Vec<Vec<Option<usize>>>) {
        let (mut always_on, mut hourly) = (Vec::new(), Vec::new());
        for (r, pool) in program.pools.iter().enumerate() {
            let placed = pool.on.is_none_or(|(host, gpus)| gpus <= program.hosts[host].gpus);
            let most = if placed { program.instances_max(r).min(INSTANCES_MAX) } else { 0.0 };
            always_on.push(self.mode_columns(program, &pool.modes, pool.score_per_hour, most, |mode| {
                Meaning::AlwaysOn { pool: r, mode }
            }));
            // Replicas on a host have no price of their own.
            let price =
                if pool.on.is_some() { Some(0.0).filter(|_| program.varies(r)) } else { pool.usd_per_hour };
            hourly.push(self.hour_columns(program, price, pool.score_per_hour, most, |slot| {
                Meaning::Hourly { pool: r, slot }
            }));
        }
        (always_on, hourly)
    }

    fn host_columns(&mut self, program: &Program) -> (Vec<Vec<usize>>, Vec<Vec<Option<usize>>>) {
        let (mut always_on, mut hourly) = (Vec::new(), Vec::new());
        for (h, host) in program.hosts.iter().enumerate() {
            let most = program.host_instances_max(h).min(INSTANCES_MAX);
            always_on.push(self.mode_columns(program, &host.modes, host.score_per_hour, most, |mode| {
                Meaning::HostAlwaysOn { host: h, mode }
            }));
            hourly.push(self.hour_columns(program, host.usd_per_hour, host.score_per_hour, most, |slot| {
                Meaning::HostHourly { host: h, slot }
            }));
        }
        (always_on, hourly)
    }

    fn mode_columns(
        &mut self,
        program: &Program,
        modes: &[Mode],
        score_per_hour: f64,
        most: f64,
        meaning: impl Fn(usize) -> Meaning,
    ) -> Vec<usize> {
        let hours: f64 = program.slot_hours.iter().sum();
        let score = score_per_hour * hours * program.per_request();
        let mut columns = Vec::new();
        for (j, mode) in modes.iter().enumerate() {
            let weight = Weight { usd: mode.usd_per_month, amortised: mode.usd_amortised, score };
            columns.push(self.column(program.goal, meaning(j), most, true, weight));
        }
        columns
    }

    fn hour_columns(
        &mut self,
        program: &Program,
        usd_per_hour: Option<f64>,
        score_per_hour: f64,
        most: f64,
        meaning: impl Fn(usize) -> Meaning,
    ) -> Vec<Option<usize>> {
        let per_request = program.per_request();
        let mut columns = Vec::new();
        for (t, hours) in program.slot_hours.iter().enumerate() {
            columns.push(usd_per_hour.map(|price| {
                let weight = Weight {
                    usd: price * hours,
                    amortised: 0.0,
                    score: score_per_hour * hours * per_request,
                };
                self.column(program.goal, meaning(t), most, true, weight)
            }));
        }
        columns
    }

    fn share_columns(&mut self, program: &Program) -> (Shares, Shares) {
        let slots = program.slot_hours.len();
        let per_request = program.per_request();
        let mut local = vec![vec![vec![None; slots]; program.pools.len()]; program.classes.len()];
        let mut cloud = vec![vec![vec![None; slots]; program.hosted.len()]; program.classes.len()];
        for c in 0..program.classes.len() {
            for t in (0..slots).filter(|t| program.load_max(c, *t) > 0.0) {
                let part = program.requests_max(c, t) * per_request;
                for (r, pool) in program.pools.iter().enumerate().filter(|(_, pool)| pool.capacity[c] > 0.0) {
                    let weight = Weight {
                        usd: program.bill(c, t, pool.usd_per_request[c]),
                        amortised: 0.0,
                        score: pool.score[c] * part,
                    };
                    let meaning = Meaning::Local { class: c, pool: r, slot: t };
                    local[c][r][t] = Some(self.column(program.goal, meaning, 1.0, false, weight));
                }
                for (a, hosted) in program.hosted.iter().enumerate() {
                    let Some(price) = hosted.usd_per_request[c] else { continue };
                    let weight = Weight {
                        usd: program.bill(c, t, price),
                        amortised: 0.0,
                        score: hosted.score[c] * part,
                    };
                    let upper = (hosted.rate_rps[c] / program.load_max(c, t)).min(1.0);
                    let meaning = Meaning::Cloud { class: c, hosted: a, slot: t };
                    cloud[c][a][t] = Some(self.column(program.goal, meaning, upper, false, weight));
                }
            }
        }
        (local, cloud)
    }

    fn blend_columns(&mut self, program: &Program) -> Vec<Vec<Option<usize>>> {
        let slots = program.slot_hours.len();
        let per_request = program.per_request();
        let mut columns = vec![vec![None; slots]; program.blends.len()];
        for (k, blend) in program.blends.iter().enumerate() {
            let Some(price) = program.blend_usd(blend) else { continue };
            for t in (0..slots).filter(|t| program.load_max(blend.class, *t) > 0.0) {
                let weight = Weight {
                    usd: program.bill(blend.class, t, price),
                    amortised: 0.0,
                    score: blend.score * program.requests_max(blend.class, t) * per_request,
                };
                let meaning = Meaning::Blend { blend: k, slot: t };
                columns[k][t] = Some(self.column(program.goal, meaning, 1.0, false, weight));
            }
        }
        columns
    }

    fn moved_columns(&mut self, program: &Program) -> Shares {
        let slots = program.slot_hours.len();
        let mut columns: Shares = Vec::new();
        for (c, class) in program.classes.iter().enumerate() {
            let mut by_slot: Vec<Vec<Option<usize>>> = vec![vec![None; slots]; class.served_in.len()];
            for (from, later) in class.served_in.iter().enumerate().filter(|(t, _)| class.load_rps[*t] > 0.0)
            {
                let exchanged = program.exchanged(c, from);
                let first = exchanged.as_ref().and_then(|slots| slots.first().copied());
                // One column for all arrivals that may be exchanged.
                let written =
                    exchanged.iter().flatten().find(|other| **other < from && class.load_rps[**other] > 0.0);
                if let Some(other) = written {
                    by_slot[from] = by_slot[*other].clone();
                    continue;
                }
                for to in later {
                    let meaning = first.map_or(Meaning::Moved { class: c, from, to: *to }, |first| {
                        Meaning::Released { class: c, first, to: *to }
                    });
                    by_slot[from][*to] =
                        Some(self.column(program.goal, meaning, 1.0, false, Weight::default()));
                }
            }
            columns.push(by_slot);
        }
        columns
    }
}
