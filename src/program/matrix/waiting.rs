//! Work that may wait, on the way back from columns to a point.

use crate::program::{Point, Program};

/// Where arrivals may be exchanged the columns say how much is served when: each arrival takes the slot it came in, and
/// what is left there goes to the next slot with room.
pub(super) fn exchange(program: &Program, point: &mut Point) {
    for (c, class) in program.classes.iter().enumerate() {
        for first in 0..class.served_in.len() {
            let Some(slots) = program.exchanged(c, first).filter(|slots| slots.first() == Some(&first))
            else {
                continue;
            };
            let all: f64 = slots.iter().map(|slot| class.load_rps[*slot]).sum();
            let mut room: Vec<f64> = slots.iter().map(|to| point.moved[c][first][*to] * all).collect();
            point.moved[c][first].fill(0.0);
            let mut left: Vec<f64> = slots.iter().map(|from| class.load_rps[*from]).collect();
            // Waiting 0 slots first, then 1, ...: nobody waits longer than others make them.
            for wait in 0..slots.len() {
                for at in 0..slots.len() {
                    let to = (at + wait) % slots.len();
                    let amount = left[at].min(room[to]).max(0.0);
                    if amount > 0.0 {
                        left[at] -= amount;
                        room[to] -= amount;
                        point.moved[c][slots[at]][slots[to]] += amount / class.load_rps[slots[at]];
                    }
                }
            }
        }
    }
}

/// Columns of work that may wait are shares of the most that may come to a slot; a point has shares of what does.
pub(super) fn shares_of_what_is_served(program: &Program, point: &mut Point) {
    for (c, class) in program.classes.iter().enumerate() {
        for (from, slots) in class.served_in.iter().enumerate() {
            // What does not arrive is not moved either.
            if class.load_rps[from] <= 0.0 {
                let own = if slots.contains(&from) { from } else { slots.first().copied().unwrap_or(from) };
                point.moved[c][from][own] = 1.0;
            }
        }
        if class.served_in.is_empty() {
            continue;
        }
        for t in 0..program.slot_hours.len() {
            let (most, load) = (program.load_max(c, t), point.load(program, c, t));
            let times = if load > 0.0 { most / load } else { 0.0 };
            let blends = point.blends.iter_mut().zip(&program.blends).filter(|(_, blend)| blend.class == c);
            for shares in
                point.local[c].iter_mut().chain(&mut point.cloud[c]).chain(blends.map(|(shares, _)| shares))
            {
                shares[t] *= times;
            }
        }
    }
}
