//! A textbook simplex for the second opinion: dense tableau, two phases, Bland's rule, no cleverness.
//!
//! In: a small linear program over columns of at least 0. Out: its least value and a point, or nothing when no
//! point satisfies the rows. It shares no code with the crate. Bland's rule never cycles (Bland 1977).

/// Which way a row binds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sense {
    /// Sum <= right side.
    AtMost,
    /// Sum >= right side.
    AtLeast,
    /// Sum = right side.
    Equal,
}

/// One row: a coefficient for each column, the way it binds, its right side.
pub(crate) type Row = (Vec<f64>, Sense, f64);

/// Below this a number of the tableau is rounding dust; columns are shares, so entries are of the order of one.
const DUST: f64 = 1e-10;

/// Least value of `cost` over the rows, and where; `None` where no point satisfies them.
pub(crate) fn minimise(cost: &[f64], rows: &[Row]) -> Option<(f64, Vec<f64>)> {
    let columns = cost.len();
    let slacks = rows.iter().filter(|row| row.1 != Sense::Equal).count();
    // Tableau: columns, slacks, one artificial column a row, right side.
    let width = columns + slacks + rows.len() + 1;
    let mut table = vec![vec![0.0; width]; rows.len()];
    let mut basis = vec![0; rows.len()];
    let mut slack = columns;
    for (i, (terms, sense, right)) in rows.iter().enumerate() {
        let sign = if *right < 0.0 { -1.0 } else { 1.0 };
        for (j, term) in terms.iter().enumerate() {
            table[i][j] = sign * term;
        }
        match sense {
            Sense::AtMost => table[i][slack] = sign,
            Sense::AtLeast => table[i][slack] = -sign,
            Sense::Equal => {}
        }
        slack += usize::from(*sense != Sense::Equal);
        table[i][columns + slacks + i] = 1.0;
        table[i][width - 1] = sign * right;
        basis[i] = columns + slacks + i;
    }
    let real = columns + slacks;
    let mut first = vec![0.0; width - 1];
    first[real..].fill(1.0);
    let missing = improve(&mut table, &mut basis, &first, width - 1);
    if missing > 1e-8 {
        return None;
    }
    // Artificial columns still in the basis stand at 0: swap them for a real column, or the row says nothing.
    for i in 0..rows.len() {
        if basis[i] >= real
            && let Some(j) = (0..real).find(|j| table[i][*j].abs() > DUST)
        {
            pivot(&mut table, &mut basis, i, j);
        }
    }
    let mut second = vec![0.0; width - 1];
    second[..columns].copy_from_slice(cost);
    let value = improve(&mut table, &mut basis, &second, real);
    let mut point = vec![0.0; columns];
    for (i, at) in basis.iter().enumerate() {
        if *at < columns {
            point[*at] = table[i][width - 1];
        }
    }
    Some((value, point))
}

/// Pivots until no column below `allowed` lowers the value; returns the value.
fn improve(table: &mut [Vec<f64>], basis: &mut [usize], cost: &[f64], allowed: usize) -> f64 {
    let right = cost.len();
    let scale = cost.iter().fold(1.0_f64, |most, c| most.max(c.abs()));
    loop {
        let reduced = |j: usize| {
            cost[j] - table.iter().zip(basis.iter()).map(|(row, at)| cost[*at] * row[j]).sum::<f64>()
        };
        let Some(enter) = (0..allowed).find(|j| reduced(*j) < -1e-11 * scale) else { break };
        let mut leave: Option<usize> = None;
        for i in 0..table.len() {
            if table[i][enter] > DUST {
                let ratio = table[i][right] / table[i][enter];
                let better = leave.is_none_or(|at| {
                    let other = table[at][right] / table[at][enter];
                    ratio < other - 1e-13 || (ratio < other + 1e-13 && basis[i] < basis[at])
                });
                if better {
                    leave = Some(i);
                }
            }
        }
        let leave = leave.expect("shares are bounded, so no column grows for ever");
        pivot(table, basis, leave, enter);
    }
    table.iter().zip(basis.iter()).map(|(row, at)| cost[*at] * row[right]).sum()
}

fn pivot(table: &mut [Vec<f64>], basis: &mut [usize], leave: usize, enter: usize) {
    let by = table[leave][enter];
    table[leave].iter_mut().for_each(|entry| *entry /= by);
    let row = table[leave].clone();
    for (i, other) in table.iter_mut().enumerate() {
        let times = other[enter];
        if i != leave && times != 0.0 {
            other.iter_mut().zip(&row).for_each(|(entry, above)| *entry -= times * above);
        }
    }
    basis[leave] = enter;
}
