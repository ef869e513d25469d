//! The program as columns and rows; every row bears the id of the rule it states.
//!
//! In: a [`Program`]. Out: a [`Matrix`] for the solver, and the way back from its columns to a [`Point`].
//! Formulation: load, demand and *rounding* rows. With N integer, l = load of a whole class in instances,
//! f = l - floor(l), the row N >= ceil(l) - (l / f)(1 - x) is the mixed-integer rounding of N >= l x (Nemhauser
//! and Wolsey 1990) and closes most of the gap of the plain relaxation.
//!
//! Shares are of what arrives in a slot. Work that may wait has columns for how much of each arrival is served when,
//! and its shares are of the most that may come to a slot (`loads.rs`): so every row stays linear.

mod columns;
mod hosts;
mod limits;
mod load;
mod uses;
mod waiting;

use columns::{Columns, Meaning, Weight};

use super::{Point, Program};

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
    /// Weights of the monthly bill and of the cost, for rows and second goals.
    money: Vec<Weight>,
}

/// Below this fraction a rounding row says nothing that rounding dust does not.
const FRACTION_MIN: f64 = 1e-3;
/// More instances of one pool than this are not considered by a single column.
const INSTANCES_MAX: f64 = 1e6;

impl Matrix {
    fn row(&mut self, rule: &'static str, terms: Vec<(usize, f64)>, sense: Sense, right: f64) {
        self.rows.push(Row { rule, terms, sense, right });
    }

    /// Writes a program as rows.
    #[must_use]
    pub fn of(program: &Program) -> Self {
        let mut matrix = Self::default();
        let columns = matrix.write_columns(program);
        matrix.demand_rows(program, &columns);
        matrix.load_rows(program, &columns);
        matrix.host_rows(program, &columns);
        matrix.start_rows(program, &columns);
        matrix.rate_rows(program, &columns);
        matrix.resource_rows(program, &columns);
        matrix.use_rows(program, &columns);
        matrix.availability_rows(program, &columns);
        matrix.sum_rows(program, &columns);
        matrix.replica_rows(program, &columns);
        if let Some(most) = program.usd_per_month_max
            && program.budget_is_row()
        {
            let bill = matrix.money.iter().enumerate().map(|(at, weight)| (at, weight.usd));
            let terms = bill.filter(|(_, usd)| *usd != 0.0).collect();
            matrix.row("usd_per_month", terms, Sense::AtMost, most);
        }
        matrix
    }

    /// The same rows with the cost as the objective and the first goal held at `best` (relative 1e-9).
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
        for (column, weight) in second.columns.iter_mut().zip(&self.money) {
            column.weight = weight.cost();
        }
        second
    }

    /// Reads values of the columns back as a point of the program.
    #[must_use]
    pub fn point(&self, program: &Program, values: &[f64]) -> Point {
        let mut point = Point::nothing(program);
        for (meaning, value) in self.meaning.iter().zip(values) {
            let share = value.clamp(0.0, 1.0);
            match *meaning {
                Meaning::AlwaysOn { pool, mode } => point.always_on[pool][mode] = whole(*value),
                Meaning::Hourly { pool, slot } => point.hourly[pool][slot] = whole(*value),
                Meaning::HostAlwaysOn { host, mode } => point.host_always_on[host][mode] = whole(*value),
                Meaning::HostHourly { host, slot } => point.host_hourly[host][slot] = whole(*value),
                Meaning::Local { class, pool, slot } => point.local[class][pool][slot] = share,
                Meaning::Cloud { class, hosted, slot } => point.cloud[class][hosted][slot] = share,
                Meaning::Blend { blend, slot } => point.blends[blend][slot] = share,
                Meaning::Moved { class, from, to } => point.moved[class][from][to] = share,
                Meaning::Released { class, first, to } => point.moved[class][first][to] = share,
                Meaning::Helper => {}
            }
        }
        waiting::exchange(program, &mut point);
        waiting::shares_of_what_is_served(program, &mut point);
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
