//! Tiny random worlds, each from its seed alone: few classes, slots, pools and hosted models, and every rule the
//! program knows, each present in a share of the worlds.
//!
//! Half of the worlds have round figures, so that loads, quotas and prices meet exactly.

use bursar::program::{Class, Goal, Hosted, Ladder, Mode, Pool, Program, Resource};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::{enumerate, rich};

/// A world whose enumeration solves at most about `work` linear programs.
pub(crate) fn world(seed: u64, work: f64) -> Program {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    loop {
        let world = draw(&mut rng);
        if enumerate::work(&world) <= work {
            return world;
        }
    }
}

/// The same with what only some worlds have: hours with starts, least replicas, prices paid once, instances that pools
/// share, work that waits, limited means, blends, own engines billed by the second, resources of hosted models.
pub(crate) fn rich_world(seed: u64, work: f64) -> Program {
    let mut rng = ChaCha8Rng::seed_from_u64(seed ^ RICH);
    loop {
        let mut world = draw(&mut rng);
        rich::decorate(&mut rng, &mut world);
        if enumerate::work(&world) <= work {
            return world;
        }
    }
}

/// The same with the share of the local side set, or the number of replicas.
pub(crate) fn parts_world(seed: u64, work: f64) -> Program {
    let mut rng = ChaCha8Rng::seed_from_u64(seed ^ PARTS);
    loop {
        let mut world = draw(&mut rng);
        if rng.random_bool(0.5) {
            rich::decorate(&mut rng, &mut world);
        }
        rich::set_parts(&mut rng, &mut world);
        if enumerate::work(&world) <= work {
            return world;
        }
    }
}

/// Keeps the seeds of the families apart.
const RICH: u64 = 0x5EED_0000_0000_0000;
const PARTS: u64 = 0x9A27_0000_0000_0000;

pub(crate) struct Dice<'a> {
    pub(crate) rng: &'a mut ChaCha8Rng,
    pub(crate) round: bool,
}

impl Dice<'_> {
    pub(crate) fn chance(&mut self, p: f64) -> bool {
        self.rng.random_bool(p)
    }

    pub(crate) fn whole(&mut self, least: usize, most: usize) -> usize {
        self.rng.random_range(least..=most)
    }

    /// A figure in a range; rounded to `step` in a round world.
    pub(crate) fn figure(&mut self, least: f64, most: f64, step: f64) -> f64 {
        let x = self.rng.random_range(least..most);
        if self.round { ((x / step).round() * step).max(step) } else { x }
    }
}

fn draw(rng: &mut ChaCha8Rng) -> Program {
    let round = rng.random_bool(0.5);
    let mut dice = Dice { rng, round };
    let slots = dice.whole(1, 3);
    let classes = dice.whole(1, 2);
    let pools = dice.whole(0, 4);
    let hosted = dice.whole(usize::from(pools == 0), 3);
    let slot_hours: Vec<f64> = match slots {
        1 => vec![730.0],
        _ => (0..slots).map(|_| dice.figure(100.0, 400.0, 50.0)).collect(),
    };
    let redundancy = dice.chance(0.35);
    let lossless = dice.chance(0.5);
    let classes: Vec<Class> = (0..classes)
        .map(|c| {
            let load_rps: Vec<f64> = (0..slots)
                .map(|_| if dice.chance(0.08) { 0.0 } else { dice.figure(0.2, 3.0, 0.5) })
                .collect();
            let peak = if dice.chance(0.5) { 1.0 } else { dice.figure(0.4, 1.0, 0.25) };
            Class {
                name: format!("class {c}"),
                billed_rps: load_rps.iter().map(|load| load * peak).collect(),
                load_rps,
                unavailability_max: (redundancy && dice.chance(0.8)).then(|| dice.figure(0.005, 0.03, 0.005)),
                ..Default::default()
            }
        })
        .collect();
    let mut world = Program {
        slot_hours,
        classes,
        pools: Vec::new(),
        hosted: Vec::new(),
        resources: Vec::new(),
        local_usd_per_month: if dice.chance(0.15) { dice.figure(20.0, 400.0, 50.0) } else { 0.0 },
        usd_per_month_max: dice.chance(0.35).then(|| dice.figure(200.0, 3000.0, 100.0)),
        usd_upfront_max: dice.chance(0.25).then(|| dice.figure(500.0, 6000.0, 500.0)),
        deployments_max: None,
        both_sides_min: (pools > 0 && hosted > 0 && dice.chance(0.15)).then(|| dice.figure(0.01, 0.4, 0.1)),
        goal: if dice.chance(0.25) { Goal::LeastScore } else { Goal::Cost },
        ..Default::default()
    };
    if dice.chance(0.25) {
        world.deployments_max = Some(u32::try_from(dice.whole(1, 3)).expect("small"));
    }
    for k in 0..if dice.chance(0.35) { dice.whole(1, 2) } else { 0 } {
        world.resources.push(Resource {
            rule: "gpus".into(),
            key: format!("gpu {k}"),
            limit: dice.figure(1.0, 8.0, 1.0),
        });
    }
    let hours: f64 = world.slot_hours.iter().sum();
    for r in 0..pools {
        let mut pool = pool(&mut dice, &world, r, hours, redundancy, lossless);
        if r > 0 && dice.chance(0.4) {
            pool = sibling(&mut dice, &world.pools[r - 1], r);
        }
        world.pools.push(pool);
    }
    for a in 0..hosted {
        let column = column(&mut dice, &world, a, hours, redundancy, lossless, hosted);
        world.hosted.push(column);
    }
    world
}

fn pool(
    dice: &mut Dice<'_>,
    world: &Program,
    r: usize,
    hours: f64,
    redundancy: bool,
    lossless: bool,
) -> Pool {
    let replicas = u32::try_from(*[1, 1, 2, 3].get(dice.whole(0, 3)).expect("of four")).expect("small");
    let usd = dice.figure(50.0, 900.0, 50.0);
    let upfront = world.usd_upfront_max.is_some() || dice.chance(0.2);
    let mut modes = vec![Mode {
        billing: "on-demand".into(),
        usd_per_month: usd,
        usd_upfront: 0.0,
        ..Default::default()
    }];
    if dice.chance(0.5) {
        modes.push(Mode {
            billing: "reserved".into(),
            usd_per_month: usd * dice.figure(0.3, 1.1, 0.1),
            usd_upfront: if upfront { dice.figure(100.0, 3000.0, 500.0) } else { 0.0 },
            ..Default::default()
        });
    }
    if dice.chance(0.15) {
        modes.push(Mode {
            billing: "purchase".into(),
            usd_per_month: modes[modes.len() - 1].usd_per_month,
            usd_upfront: if upfront { dice.figure(100.0, 3000.0, 500.0) } else { 0.0 },
            ..Default::default()
        });
    }
    let hourly = dice.chance(0.3).then(|| usd / hours * dice.figure(0.7, 2.5, 0.25));
    if hourly.is_some() && dice.chance(0.3) {
        modes.clear();
    }
    let kind = if redundancy { dice.whole(0, 3) } else { 3 };
    let per_replica = kind == 0;
    let mut uses = Vec::new();
    for k in 0..world.resources.len() {
        if dice.chance(0.6) {
            uses.push((k, dice.figure(0.5, 4.0, 1.0)));
        }
    }
    Pool {
        id: format!("pool {r}"),
        deployment: dice.whole(0, r),
        behind: Vec::new(),
        capacity: (0..world.classes.len())
            .map(|_| if dice.chance(0.2) { 0.0 } else { dice.figure(0.6, 3.0, 0.5) })
            .collect(),
        replicas,
        modes,
        usd_per_hour: hourly,
        usd_per_request: (0..world.classes.len())
            .map(|_| if dice.chance(0.2) { dice.figure(1e-5, 1e-4, 1e-5) } else { 0.0 })
            .collect(),
        score: (0..world.classes.len()).map(|_| dice.figure(0.5, 9.0, 0.5) - 2.0).collect(),
        uses,
        ladder: match kind {
            1 => Some(Ladder::new(0.99, 0.01, 12)),
            2 => Some(Ladder { needed_max: vec![0, u32::MAX] }),
            _ => None,
        },
        unavailability_per_replica: if per_replica { dice.figure(0.001, 0.012, 0.002) } else { 0.0 },
        unavailability: if redundancy && !lossless && !per_replica && dice.chance(0.6) {
            dice.figure(0.001, 0.02, 0.005)
        } else {
            0.0
        },
        ..Default::default()
    }
}

/// Much like another pool, so that one may dominate the other: bigger instances, another price, shared or own
/// deployment, a weaker class.
fn sibling(dice: &mut Dice<'_>, other: &Pool, r: usize) -> Pool {
    let mut pool = Pool { id: format!("pool {r}"), ..other.clone() };
    pool.deployment = dice.whole(0, r);
    if dice.chance(0.5) {
        pool.replicas = u32::try_from(dice.whole(1, 3)).expect("small");
    }
    let times = *[0.5, 0.75, 1.0, 1.0, 1.5].get(dice.whole(0, 4)).expect("of five");
    for mode in &mut pool.modes {
        mode.usd_per_month *= times;
        mode.usd_upfront *= times;
    }
    pool.usd_per_hour = pool.usd_per_hour.map(|price| price * times);
    for c in 0..pool.capacity.len() {
        pool.capacity[c] *= *[0.5, 1.0, 1.0, 2.0].get(dice.whole(0, 3)).expect("of four");
        if dice.chance(0.5) {
            pool.score[c] -= 1.0;
        }
    }
    pool
}

fn column(
    dice: &mut Dice<'_>,
    world: &Program,
    a: usize,
    hours: f64,
    redundancy: bool,
    lossless: bool,
    hosted: usize,
) -> Hosted {
    let pair = hosted > 1 && dice.chance(0.25);
    Hosted {
        id: format!("hosted {a}"),
        deployments: if pair { vec![a, (a + 1) % hosted] } else { vec![dice.whole(0, a)] },
        usd_per_request: (0..world.classes.len())
            .map(|_| {
                // About what two instances cost when one class uses them for the month.
                (!dice.chance(0.2)).then(|| dice.figure(50.0, 1500.0, 50.0) / (1.5 * 3600.0 * hours))
            })
            .collect(),
        score: (0..world.classes.len()).map(|_| dice.figure(0.5, 9.0, 0.5) - 2.0).collect(),
        rate_rps: (0..world.classes.len())
            .map(|_| if dice.chance(0.25) { dice.figure(0.2, 3.0, 0.5) } else { f64::INFINITY })
            .collect(),
        unavailability: if redundancy && !lossless { dice.figure(0.001, 0.02, 0.005) } else { 0.0 },
        ..Default::default()
    }
}
