//! Work that waits for nothing comes home: of the many optima with waiting, one in which little waits.
//!
//! In: a point. Out: one of the same bill and score. What moved is served in its own slot wherever the target that
//! serves it later has room there already, longest waits first. Instances stay as they are, so nothing is bought.

use super::{Point, Program};

/// Room and amounts below this part of a slot's load are rounding dust.
const DUST: f64 = 1e-9;

/// A place that serves: a pool or a hosted model.
#[derive(Debug, Clone, Copy)]
enum Target {
    Pool(usize),
    Hosted(usize),
}

impl Point {
    /// The same point with less waiting.
    #[must_use]
    pub fn settled(mut self, program: &Program) -> Self {
        for (c, class) in program.classes.iter().enumerate() {
            let mut moves: Vec<(usize, usize, usize)> = Vec::new();
            for (from, later) in class.served_in.iter().enumerate() {
                let moved = |to: &usize| self.moved[c][from][*to] > 0.0 && *to != from;
                moves.extend(
                    later.iter().enumerate().filter(|(_, to)| moved(to)).map(|(wait, to)| (wait, from, *to)),
                );
            }
            moves.sort_by(|a, b| b.cmp(a));
            for (_, from, to) in moves {
                self.bring_home(program, c, from, to);
            }
        }
        self
    }

    /// Serves at once what may be of a class between two slots.
    fn bring_home(&mut self, program: &Program, class: usize, from: usize, to: usize) {
        let brought = program.classes[class].load_rps[from];
        let pools = (0..program.pools.len()).map(Target::Pool);
        for target in pools.chain((0..program.hosted.len()).map(Target::Hosted)) {
            let share = self.share(class, target)[to];
            if share <= 0.0 || brought <= 0.0 {
                continue;
            }
            let (here, there) = (self.load(program, class, from), self.load(program, class, to));
            let waiting = self.moved[class][from][to] * brought;
            let amount = waiting.min(share * there).min(self.room(program, class, target, from));
            if amount <= DUST * brought {
                continue;
            }
            self.rescale(program, class, target, from, here, amount);
            self.rescale(program, class, target, to, there, -amount);
            self.moved[class][from][from] += amount / brought;
            let left = self.moved[class][from][to] - amount / brought;
            self.moved[class][from][to] = if left > DUST { left } else { 0.0 };
        }
    }

    /// Shares of a slot after a target serves so much more (or less) of its load.
    fn rescale(
        &mut self,
        program: &Program,
        class: usize,
        target: Target,
        slot: usize,
        load: f64,
        more: f64,
    ) {
        let after = (load + more).max(0.0);
        let times = if after > 0.0 { load / after } else { 0.0 };
        let blends = self.blends.iter_mut().zip(&program.blends).filter(|(_, blend)| blend.class == class);
        let blends = blends.map(|(shares, _)| shares);
        for shares in self.local[class].iter_mut().chain(self.cloud[class].iter_mut()).chain(blends) {
            shares[slot] *= times;
        }
        if after > 0.0 {
            let share = &mut self.share_mut(class, target)[slot];
            *share = (*share + more / after).clamp(0.0, 1.0);
        }
    }

    /// Requests/s of a class that a target could serve on top in a slot, nothing bought for it.
    fn room(&self, program: &Program, class: usize, target: Target, slot: usize) -> f64 {
        match target {
            Target::Pool(r) => {
                let pool = &program.pools[r];
                let replicas = self.instances(r, slot) * pool.replicas;
                let enough = |needed: &u32| {
                    let spares = pool.ladder.as_ref().map_or(Some(0), |ladder| ladder.spares(*needed));
                    spares.is_some_and(|spares| needed + spares <= replicas)
                };
                let most = (0..=replicas).rev().find(enough).unwrap_or(0);
                let loaded = self.replicas_loaded(program, r, slot).unwrap_or(f64::INFINITY);
                (f64::from(most) - loaded).max(0.0) * pool.capacity[class]
            }
            Target::Hosted(a) => {
                let hosted = &program.hosted[a];
                let unlimited = hosted.rate_rps[class].is_infinite() && hosted.uses.is_empty();
                if unlimited && hosted.usd_per_request[class].is_some() { f64::INFINITY } else { 0.0 }
            }
        }
    }

    fn share(&self, class: usize, target: Target) -> &[f64] {
        match target {
            Target::Pool(r) => &self.local[class][r],
            Target::Hosted(a) => &self.cloud[class][a],
        }
    }

    fn share_mut(&mut self, class: usize, target: Target) -> &mut [f64] {
        match target {
            Target::Pool(r) => &mut self.local[class][r],
            Target::Hosted(a) => &mut self.cloud[class][a],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::program::{Class, Mode, Pool};

    /// Two slots of work that may wait for the next one, and one replica around the clock.
    fn world(load_rps: [f64; 2], capacity: f64) -> Program {
        Program {
            slot_hours: vec![365.0; 2],
            classes: vec![Class {
                load_rps: load_rps.to_vec(),
                billed_rps: load_rps.to_vec(),
                served_in: vec![vec![0, 1], vec![1, 0]],
                ..Class::default()
            }],
            pools: vec![Pool {
                capacity: vec![capacity],
                replicas: 1,
                modes: vec![Mode { usd_per_month: 73.0, ..Mode::default() }],
                usd_per_request: vec![0.0],
                score: vec![0.0],
                ..Pool::default()
            }],
            ..Program::default()
        }
    }

    /// Half of what comes in the first slot waits.
    fn half_waits(program: &Program) -> Point {
        let mut point = Point::nothing(program);
        point.always_on[0][0] = 1;
        point.local[0][0] = vec![1.0; 2];
        point.moved[0] = vec![vec![0.5, 0.5], vec![0.0, 1.0]];
        point
    }

    #[test]
    fn what_finds_room_at_once_does_not_wait() {
        let program = world([1.0, 1.0], 1.5);
        let settled = half_waits(&program).settled(&program);
        assert_eq!(settled.moved[0], [[1.0, 0.0], [0.0, 1.0]]);
        assert_eq!(settled.local[0][0], [1.0, 1.0]);
        assert_eq!(settled.broken_rule(&program), None);
    }

    #[test]
    fn what_finds_no_room_waits_on() {
        let program = world([2.0, 0.0], 1.0);
        let point = half_waits(&program);
        assert_eq!(point.clone().settled(&program), point);
    }
}
