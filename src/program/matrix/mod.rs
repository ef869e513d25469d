//! The program as columns and rows; every row bears the id of the rule it states.
//!
//! In: a [`Program`]. Out: a [`Matrix`] for `solve.rs`, and the way back from its columns to a [`Point`].
//! Formulation: load, demand and *rounding* rows. With N integer, l = load of a whole class in instances,
//! f = l - floor(l), the row N >= ceil(l) - (l / f)(1 - x) is the mixed-integer rounding of N >= l x (Nemhauser
//! and Wolsey 1990) and closes most of the gap of the plain relaxation.

mod limits;
mod load;
mod uses;

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

type Shares = [Vec<Vec<Option<usize>>>];

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
        matrix.use_rows(program, &local, &cloud);
        matrix.availability_rows(program, &local, &cloud, &always_on, &hourly);
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

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "bounded by INSTANCES_MAX and at least 0"
)]
fn whole(value: f64) -> u32 {
    value.round().clamp(0.0, INSTANCES_MAX) as u32
}
