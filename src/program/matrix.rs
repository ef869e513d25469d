//! The program as columns and rows; every row bears the id of the rule it states.
//!
//! In: a [`Program`]. Out: a [`Matrix`] for `solve.rs`, and the way back from its columns to a [`Point`].
//! Formulation: load, demand and *rounding* rows. With N integer, l = load of a whole class in instances,
//! f = l - floor(l), the row N >= ceil(l) - (l / f)(1 - x) is the mixed-integer rounding of N >= l x (Nemhauser
//! and Wolsey 1990) and closes most of the gap of the plain relaxation.

use super::{Goal, Point, Program};

/// Which way a row binds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sense {
    /// Sum <= right side.
    AtMost,
    /// Sum >= right side.
    AtLeast,
}

/// One column.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// Most it may be.
    pub upper: f64,
    /// Whole numbers only?
    pub integer: bool,
    /// Weight in the objective.
    pub weight: f64,
}

/// One row, named after the rule it states.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Id of the rule.
    pub rule: &'static str,
    /// Columns and coefficients.
    pub terms: Vec<(usize, f64)>,
    /// Which way it binds.
    pub sense: Sense,
    /// Right side.
    pub right: f64,
}

/// A minimisation in columns of lower bound 0.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Matrix {
    /// Columns.
    pub columns: Vec<Column>,
    /// Rows.
    pub rows: Vec<Row>,
    /// What each column stands for.
    meaning: Vec<Meaning>,
    /// Weights of the bill, for rows and second goals.
    money: Vec<f64>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Meaning {
    AlwaysOn { pool: usize, mode: usize },
    Hourly { pool: usize, slot: usize },
    Local { class: usize, pool: usize, slot: usize },
    Cloud { class: usize, hosted: usize, slot: usize },
    Helper,
}

/// Below this fraction a rounding row says nothing that rounding dust does not.
const FRACTION_MIN: f64 = 1e-3;
/// More instances of one pool than this are not considered by a single column.
const INSTANCES_MAX: f64 = 1e6;

impl Matrix {
    fn column(
        &mut self,
        meaning: Meaning,
        upper: f64,
        integer: bool,
        money: f64,
        score: f64,
        goal: Goal,
    ) -> usize {
        let weight = match goal {
            Goal::Cost => money,
            Goal::LeastScore => score,
        };
        self.columns.push(Column { upper, integer, weight });
        self.meaning.push(meaning);
        self.money.push(money);
        self.columns.len() - 1
    }

    fn row(&mut self, rule: &'static str, terms: Vec<(usize, f64)>, sense: Sense, right: f64) {
        self.rows.push(Row { rule, terms, sense, right });
    }

    /// Writes a program as rows.
    #[must_use]
    pub fn of(program: &Program) -> Self {
        let mut matrix = Self::default();
        let slots = program.slot_hours.len();
        let (classes, goal) = (program.classes.len(), program.goal);
        let weight = 1.0 / program.all_requests().max(f64::MIN_POSITIVE);

        // Columns: instances.
        let mut always_on = Vec::new();
        let mut hourly = Vec::new();
        for (r, pool) in program.pools.iter().enumerate() {
            let most = program.instances_max(r).min(INSTANCES_MAX);
            always_on.push(
                (0..pool.modes.len())
                    .map(|j| {
                        let money = pool.modes[j].usd_per_month;
                        matrix.column(Meaning::AlwaysOn { pool: r, mode: j }, most, true, money, 0.0, goal)
                    })
                    .collect::<Vec<_>>(),
            );
            hourly.push(
                (0..slots)
                    .map(|t| {
                        pool.usd_per_hour.map(|price| {
                            let money = price * program.slot_hours[t];
                            matrix.column(Meaning::Hourly { pool: r, slot: t }, most, true, money, 0.0, goal)
                        })
                    })
                    .collect::<Vec<_>>(),
            );
        }
        // Columns: shares. None for a pair that cannot comply.
        let mut local = vec![vec![vec![None; slots]; program.pools.len()]; classes];
        let mut cloud = vec![vec![vec![None; slots]; program.hosted.len()]; classes];
        for c in 0..classes {
            for t in 0..slots {
                if program.classes[c].load_rps[t] <= 0.0 {
                    continue;
                }
                for (r, pool) in program.pools.iter().enumerate() {
                    if pool.capacity[c] > 0.0 {
                        let money = program.bill(c, t, pool.usd_per_request[c]);
                        let score = pool.score[c] * program.requests(c, t) * weight;
                        local[c][r][t] = Some(matrix.column(
                            Meaning::Local { class: c, pool: r, slot: t },
                            1.0,
                            false,
                            money,
                            score,
                            goal,
                        ));
                    }
                }
                for (a, hosted) in program.hosted.iter().enumerate() {
                    if let Some(price) = hosted.usd_per_request[c] {
                        let upper = (hosted.rate_rps[c] / program.classes[c].load_rps[t]).min(1.0);
                        let money = program.bill(c, t, price);
                        let score = hosted.score[c] * program.requests(c, t) * weight;
                        cloud[c][a][t] = Some(matrix.column(
                            Meaning::Cloud { class: c, hosted: a, slot: t },
                            upper,
                            false,
                            money,
                            score,
                            goal,
                        ));
                    }
                }
            }
        }
        matrix.demand_rows(program, &local, &cloud);
        matrix.load_rows(program, &always_on, &hourly, &local);
        matrix.resource_rows(program, &always_on, &hourly);
        matrix.use_rows(program, &local, &cloud, &always_on, &hourly);
        matrix.share_rows(program, &local, &cloud);
        if let (Goal::LeastScore, Some(most)) = (goal, program.usd_per_month_max) {
            let terms = matrix.money_terms();
            matrix.row("usd_per_month", terms, Sense::AtMost, most);
        }
        matrix
    }

    /// The bill as terms of a row.
    fn money_terms(&self) -> Vec<(usize, f64)> {
        self.money.iter().enumerate().filter(|(_, usd)| **usd != 0.0).map(|(at, usd)| (at, *usd)).collect()
    }

    /// The same rows with the bill as the objective and the first goal held at `best` (relative 1e-9).
    #[must_use]
    pub fn then_least_cost(&self, best: f64) -> Self {
        let mut second = self.clone();
        let terms = self
            .columns
            .iter()
            .enumerate()
            .filter(|(_, column)| column.weight != 0.0)
            .map(|(at, column)| (at, column.weight))
            .collect();
        second.row("objective", terms, Sense::AtMost, best + 1e-9 * best.abs().max(1.0));
        for (column, usd) in second.columns.iter_mut().zip(&self.money) {
            column.weight = *usd;
        }
        second
    }

    fn demand_rows(&mut self, program: &Program, local: &Shares, cloud: &Shares) {
        // Costs are at least 0, so nobody serves twice for less; a share to reach or a score below 0 may ask for it.
        let below = |score: &Vec<f64>| score.iter().any(|score| *score < 0.0);
        let serving_twice_pays = program.both_sides_min.is_some()
            || (program.goal == Goal::LeastScore
                && (program.pools.iter().any(|pool| below(&pool.score))
                    || program.hosted.iter().any(|hosted| below(&hosted.score))));
        for c in 0..program.classes.len() {
            for t in 0..program.slot_hours.len() {
                if program.classes[c].load_rps[t] <= 0.0 {
                    continue;
                }
                let of = |side: &Shares| side[c].iter().filter_map(|slots| slots[t]).collect::<Vec<_>>();
                let terms: Vec<_> = of(local).into_iter().chain(of(cloud)).map(|at| (at, 1.0)).collect();
                if serving_twice_pays {
                    self.row("demand", terms.clone(), Sense::AtMost, 1.0);
                }
                self.row("demand", terms, Sense::AtLeast, 1.0);
            }
        }
    }

    fn load_rows(
        &mut self,
        program: &Program,
        always_on: &[Vec<usize>],
        hourly: &[Vec<Option<usize>>],
        local: &Shares,
    ) {
        for (r, pool) in program.pools.iter().enumerate() {
            // A fleet that is the same all day has its spares all day; with hours bought one by one, each slot has
            // the spares for its own demand.
            let slots = 0..program.slot_hours.len();
            let by_slot = pool.usd_per_hour.is_some();
            let mut spare =
                if by_slot { Vec::new() } else { self.spare_columns(program, r, slots.clone(), local) };
            for t in slots {
                if by_slot {
                    spare = self.spare_columns(program, r, t..t + 1, local);
                }
                let instances: Vec<(usize, f64)> =
                    always_on[r].iter().copied().chain(hourly[r][t]).map(|at| (at, 1.0)).collect();
                let shares: Vec<(usize, f64)> = (0..program.classes.len())
                    .filter_map(|c| Some((local[c][r][t]?, program.instances_for(c, r, t)?)))
                    .collect();
                if shares.is_empty() {
                    continue;
                }
                // sum_c l x + spares / replicas - N <= 0
                let mut terms = shares.clone();
                terms.extend(instances.iter().map(|(at, one)| (*at, -one)));
                let per_spare = 1.0 / f64::from(pool.replicas);
                terms.extend(spare.iter().map(|(at, _)| (*at, per_spare)));
                self.row("capacity", terms, Sense::AtMost, 0.0);
                // Needed replicas stay on the rung of the ladder that the spares reach.
                if let Some(ladder) = &pool.ladder {
                    let replicas = f64::from(pool.replicas);
                    let mut terms: Vec<_> = shares.iter().map(|(at, l)| (*at, l * replicas)).collect();
                    terms.extend(spare.iter().map(|(at, step)| (*at, -step)));
                    let first = ladder.needed_max.first().copied().unwrap_or(0);
                    self.row("availability", terms, Sense::AtMost, f64::from(first));
                }
                for (at, l) in &shares {
                    self.rounding_row(*at, *l, &instances);
                }
            }
        }
    }

    fn rounding_row(&mut self, share: usize, l: f64, instances: &[(usize, f64)]) {
        let fraction = l - l.floor();
        // Below one instance the row is N >= x, well scaled however small the load is.
        if l < 1.0 || (FRACTION_MIN..=1.0 - FRACTION_MIN).contains(&fraction) {
            // N - (l / f) x >= ceil(l) - l / f
            let slope = l / fraction;
            let mut terms = instances.to_vec();
            terms.push((share, -slope));
            self.row("capacity", terms, Sense::AtLeast, l.ceil() - slope);
        }
    }

    /// One binary for each rung of a pool's ladder: (column, needed replicas it adds).
    fn spare_columns(
        &mut self,
        program: &Program,
        r: usize,
        slots: std::ops::Range<usize>,
        local: &Shares,
    ) -> Vec<(usize, f64)> {
        let Some(ladder) = &program.pools[r].ladder else { return Vec::new() };
        let most: f64 = slots
            .map(|t| {
                (0..program.classes.len())
                    .filter(|c| local[*c][r][t].is_some())
                    .filter_map(|c| program.instances_for(c, r, t))
                    .sum::<f64>()
                    * f64::from(program.pools[r].replicas)
            })
            .fold(0.0, f64::max)
            .ceil();
        let mut columns: Vec<(usize, f64)> = Vec::new();
        for rungs in ladder.needed_max.windows(2) {
            if f64::from(rungs[0]) >= most {
                break;
            }
            // No further than there is load, or a ladder without an end would put a huge coefficient in the row.
            let step = f64::from(rungs[1]).min(most) - f64::from(rungs[0]);
            let at = self.column(Meaning::Helper, 1.0, true, 0.0, 0.0, program.goal);
            if let Some((below, _)) = columns.last() {
                // A higher rung needs the lower one.
                let pair = vec![(at, 1.0), (*below, -1.0)];
                self.row("availability", pair, Sense::AtMost, 0.0);
            }
            columns.push((at, step));
        }
        columns
    }

    fn resource_rows(&mut self, program: &Program, always_on: &[Vec<usize>], hourly: &[Vec<Option<usize>>]) {
        for (k, resource) in program.resources.iter().enumerate() {
            let users: Vec<(usize, f64)> = program
                .pools
                .iter()
                .enumerate()
                .map(|(r, pool)| {
                    (r, pool.uses.iter().filter(|(at, _)| *at == k).map(|(_, n)| n).sum::<f64>())
                })
                .filter(|(_, amount)| *amount > 0.0)
                .collect();
            if users.is_empty() {
                continue;
            }
            // Without hours bought one by one the row is the same in every slot.
            let varies = users.iter().any(|(r, _)| program.pools[*r].usd_per_hour.is_some());
            let slots = 0..if varies { program.slot_hours.len() } else { 1 };
            for t in slots {
                let instances = |r: usize| always_on[r].iter().copied().chain(hourly[r][t]);
                let terms =
                    users.iter().flat_map(|(r, amount)| instances(*r).map(move |at| (at, *amount))).collect();
                self.row(rule_name(&resource.rule), terms, Sense::AtMost, resource.limit);
            }
        }
        if let Some(most) = program.usd_upfront_max {
            let terms: Vec<_> = program
                .pools
                .iter()
                .enumerate()
                .flat_map(|(r, pool)| {
                    let columns = &always_on[r];
                    pool.modes
                        .iter()
                        .enumerate()
                        .map(move |(j, mode)| (columns[j], mode.usd_upfront / 1000.0))
                })
                .filter(|(_, usd)| *usd > 0.0)
                .collect();
            if !terms.is_empty() {
                self.row("usd_upfront", terms, Sense::AtMost, most / 1000.0);
            }
        }
    }

    /// Binaries "is in use" where a rule counts: deployments, people cost, routes in series.
    fn use_rows(
        &mut self,
        program: &Program,
        local: &Shares,
        cloud: &Shares,
        always_on: &[Vec<usize>],
        hourly: &[Vec<Option<usize>>],
    ) {
        let goal = program.goal;
        if program.local_usd_per_month > 0.0 {
            let any = self.column(Meaning::Helper, 1.0, true, program.local_usd_per_month, 0.0, goal);
            for at in local.iter().flatten().flatten().flatten() {
                self.row("usd_per_month", vec![(*at, 1.0), (any, -1.0)], Sense::AtMost, 0.0);
            }
        }
        if let Some(most) = program.deployments_max {
            let mut count: std::collections::BTreeMap<(bool, usize), usize> =
                std::collections::BTreeMap::new();
            let mut used = |matrix: &mut Self, key: (bool, usize)| {
                *count.entry(key).or_insert_with(|| matrix.column(Meaning::Helper, 1.0, true, 0.0, 0.0, goal))
            };
            for (r, pool) in program.pools.iter().enumerate() {
                let keys =
                    std::iter::once((false, pool.deployment)).chain(pool.behind.iter().map(|m| (true, *m)));
                for key in keys.collect::<Vec<_>>() {
                    let at = used(self, key);
                    for share in local.iter().flat_map(|class| class[r].iter().flatten()) {
                        self.row("max_deployments", vec![(*share, 1.0), (at, -1.0)], Sense::AtMost, 0.0);
                    }
                }
            }
            for (a, hosted) in program.hosted.iter().enumerate() {
                for member in &hosted.deployments {
                    let at = used(self, (true, *member));
                    for share in cloud.iter().flat_map(|class| class[a].iter().flatten()) {
                        self.row("max_deployments", vec![(*share, 1.0), (at, -1.0)], Sense::AtMost, 0.0);
                    }
                }
            }
            let terms = count.values().map(|at| (*at, 1.0)).collect();
            self.row("max_deployments", terms, Sense::AtMost, f64::from(most));
        }
        for (c, class) in program.classes.iter().enumerate() {
            let Some(most) = class.unavailability_max else { continue };
            // Routes of a class stand in series: their unavailabilities add up (Boole's inequality). The row is
            // scaled by the limit so that its coefficients are of the order of one.
            let mut terms: Vec<(usize, f64)> = Vec::new();
            for (r, pool) in program.pools.iter().enumerate() {
                if pool.unavailability > 0.0 && local[c][r].iter().any(Option::is_some) {
                    let at = self.column(Meaning::Helper, 1.0, true, 0.0, 0.0, goal);
                    for share in local[c][r].iter().flatten() {
                        self.row("availability", vec![(*share, 1.0), (at, -1.0)], Sense::AtMost, 0.0);
                    }
                    terms.push((at, pool.unavailability / most));
                }
                if pool.unavailability_per_replica > 0.0 && local[c][r].iter().any(Option::is_some) {
                    let each = pool.unavailability_per_replica * f64::from(pool.replicas) / most;
                    let alone = (0..program.classes.len())
                        .all(|other| other == c || local[other][r].iter().all(Option::is_none));
                    if alone && pool.usd_per_hour.is_none() {
                        terms.extend(always_on[r].iter().map(|at| (*at, each)));
                    } else {
                        let lost =
                            self.lost_if_used(program, r, each, &local[c][r], &always_on[r], &hourly[r]);
                        terms.push((lost, 1.0));
                    }
                }
            }
            for (a, hosted) in program.hosted.iter().enumerate() {
                if hosted.unavailability > 0.0 && cloud[c][a].iter().any(Option::is_some) {
                    let at = self.column(Meaning::Helper, 1.0, true, 0.0, 0.0, goal);
                    for share in cloud[c][a].iter().flatten() {
                        self.row("availability", vec![(*share, 1.0), (at, -1.0)], Sense::AtMost, 0.0);
                    }
                    terms.push((at, hosted.unavailability / most));
                }
            }
            self.row("availability", terms, Sense::AtMost, 1.0);
        }
    }

    /// A column that is at least `each` times the most instances of a pool in any slot if any of the shares is in
    /// use, and free to be 0 otherwise.
    fn lost_if_used(
        &mut self,
        program: &Program,
        r: usize,
        each: f64,
        shares: &[Option<usize>],
        always_on: &[usize],
        hourly: &[Option<usize>],
    ) -> usize {
        let most = each * program.instances_max(r).min(INSTANCES_MAX);
        let used = self.column(Meaning::Helper, 1.0, true, 0.0, 0.0, program.goal);
        let lost = self.column(Meaning::Helper, most, false, 0.0, 0.0, program.goal);
        for share in shares.iter().flatten() {
            self.row("availability", vec![(*share, 1.0), (used, -1.0)], Sense::AtMost, 0.0);
        }
        // In use means at least one instance.
        self.row("availability", vec![(used, each), (lost, -1.0)], Sense::AtMost, 0.0);
        let slots = if program.pools[r].usd_per_hour.is_some() { hourly.len() } else { 1 };
        for hours in &hourly[..slots] {
            // each N - lost <= most (1 - used)
            let mut terms: Vec<_> = always_on.iter().copied().chain(*hours).map(|at| (at, each)).collect();
            terms.extend([(lost, -1.0), (used, most)]);
            self.row("availability", terms, Sense::AtMost, most);
        }
        lost
    }

    /// Each side carries its least share of all requests.
    fn share_rows(&mut self, program: &Program, local: &Shares, cloud: &Shares) {
        let Some(least) = program.both_sides_min else { return };
        let all = program.all_requests().max(f64::MIN_POSITIVE);
        for side in [local, cloud] {
            let mut terms = Vec::new();
            for (c, class) in side.iter().enumerate() {
                for target in class {
                    for (t, share) in target.iter().enumerate() {
                        terms.extend(share.map(|at| (at, program.requests(c, t) / all)));
                    }
                }
            }
            self.row("routing", terms, Sense::AtLeast, least);
        }
    }

    /// Reads values of the columns back as a point of the program.
    #[must_use]
    pub fn point(&self, program: &Program, values: &[f64]) -> Point {
        let slots = program.slot_hours.len();
        let mut point = Point::nothing(program);
        for (meaning, value) in self.meaning.iter().zip(values) {
            match *meaning {
                Meaning::AlwaysOn { pool, mode } => point.always_on[pool][mode] = whole(*value),
                Meaning::Hourly { pool, slot } => point.hourly[pool][slot] = whole(*value),
                Meaning::Local { class, pool, slot } => {
                    point.local[class][pool][slot] = value.clamp(0.0, 1.0)
                }
                Meaning::Cloud { class, hosted, slot } => {
                    point.cloud[class][hosted][slot] = value.clamp(0.0, 1.0)
                }
                Meaning::Helper => {}
            }
        }
        debug_assert!(slots > 0, "a program has a slot");
        point
    }
}

type Shares = [Vec<Vec<Option<usize>>>];

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "bounded by INSTANCES_MAX and at least 0"
)]
fn whole(value: f64) -> u32 {
    value.round().clamp(0.0, INSTANCES_MAX) as u32
}

fn rule_name(rule: &str) -> &'static str {
    ["gpus", "owned", "power_kw", "max_replicas", "memory_gib_per_server"]
        .into_iter()
        .find(|known| *known == rule)
        .unwrap_or("limit")
}
