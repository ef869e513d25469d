//! What a tiny world may have beyond plain pools and hosted models: each in a share of the worlds, seldom all at once.

use bursar::program::{Blend, Class, Goal, Host, Mean, Mode, Program, Resource};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::worlds::Dice;

/// Adds two or three of the features to a world.
pub(crate) fn decorate(rng: &mut ChaCha8Rng, world: &mut Program) {
    let round = rng.random_bool(0.5);
    let mut dice = Dice { rng, round };
    let features: [fn(&mut Dice<'_>, &mut Program); 9] =
        [starts, least, amortised, engines, draws, means, waits, blends, hosts];
    for _ in 0..dice.whole(1, 3) {
        let at = dice.whole(0, features.len() - 1);
        features[at](&mut dice, world);
    }
    if world.goal == Goal::LeastScore && dice.chance(0.5) {
        for per_hour in world
            .pools
            .iter_mut()
            .map(|pool| &mut pool.score_per_hour)
            .chain(world.hosts.iter_mut().map(|host| &mut host.score_per_hour))
        {
            // About what a request scores, for as many requests an hour as a replica may carry.
            *per_hour = dice.figure(0.1, 4.0, 0.5) * 3600.0;
        }
    }
}

/// Sets the share of the local side, or the number of replicas.
pub(crate) fn set_parts(rng: &mut ChaCha8Rng, world: &mut Program) {
    let round = rng.random_bool(0.5);
    let mut dice = Dice { rng, round };
    if dice.chance(0.5) {
        world.local_share = Some(dice.figure(0.0, 1.0, 0.25));
        return;
    }
    world.replicas = Some(u32::try_from(dice.whole(0, 4)).expect("small"));
    // An idle replica counts, but is neither a deployment nor a local part nor held to a least number; the enumerator
    // does not tell what is idle.
    world.deployments_max = None;
    world.local_usd_per_month = 0.0;
    world.pools.iter_mut().for_each(|pool| pool.instances_min = 0);
    // Nor does what can serve nobody count as a replica: pruning drops it.
    for pool in world.pools.iter_mut().filter(|pool| pool.capacity.iter().all(|rate| *rate <= 0.0)) {
        pool.capacity[0] = dice.figure(0.2, 3.0, 0.5);
    }
}

/// Hours in use, each start of which is paid.
fn starts(dice: &mut Dice<'_>, world: &mut Program) {
    let slots = world.slot_hours.len();
    world.before = (0..slots).map(|t| (t + slots - 1) % slots).collect();
    if dice.chance(0.3) {
        world.slot_starts = (0..slots).map(|_| dice.figure(10.0, 60.0, 10.0)).collect();
    }
    if dice.chance(0.6) {
        dear(world);
    }
    let hours: f64 = world.slot_hours.iter().sum();
    for pool in world.pools.iter_mut().filter(|pool| pool.on.is_none()) {
        if pool.usd_per_hour.is_none() && dice.chance(0.6) {
            pool.usd_per_hour = pool.modes.first().map(|mode| mode.usd_per_month / hours * 1.3);
        }
        if pool.usd_per_hour.is_some() && dice.chance(0.6) {
            pool.modes.clear();
        }
        if let (Some(price), true) = (pool.usd_per_hour, dice.chance(0.8)) {
            pool.usd_per_start = price * dice.figure(0.1, 4.0, 0.5);
        }
    }
}

/// Hosted models that are dear, so that own engines are worth their while.
fn dear(world: &mut Program) {
    world.hosted.iter_mut().flat_map(|a| a.usd_per_request.iter_mut().flatten()).for_each(|usd| *usd *= 4.0);
}

/// Least replicas of a pool that is in use.
fn least(dice: &mut Dice<'_>, world: &mut Program) {
    for pool in &mut world.pools {
        if dice.chance(0.6) {
            pool.instances_min = u32::try_from(dice.whole(1, 2)).expect("small");
        }
    }
}

/// What is paid once is spread over its months.
fn amortised(dice: &mut Dice<'_>, world: &mut Program) {
    for pool in world.pools.iter_mut().filter(|pool| pool.on.is_none()) {
        if dice.chance(0.5) {
            let usd = dice.figure(20.0, 500.0, 50.0);
            let upfront = usd * 36.0;
            let mode = Mode {
                billing: "purchase".into(),
                usd_per_month: dice.figure(5.0, 100.0, 5.0),
                usd_upfront: upfront,
                usd_amortised: usd,
            };
            if pool.modes.len() > 1 {
                pool.modes.pop();
            }
            pool.modes.push(mode);
        }
    }
    if dice.chance(0.4) {
        world.usd_upfront_max = Some(dice.figure(5000.0, 60000.0, 5000.0));
    }
    if dice.chance(0.4) {
        world.usd_per_month_max = Some(dice.figure(20.0, 900.0, 50.0));
    }
}

/// Own engines billed by the second of use.
fn engines(dice: &mut Dice<'_>, world: &mut Program) {
    for hosted in &mut world.hosted {
        hosted.local = dice.chance(0.5);
    }
    if dice.chance(0.4) {
        world.local_usd_per_month = dice.figure(20.0, 400.0, 50.0);
    }
    if dice.chance(0.3) {
        world.both_sides_min = Some(0.1);
    }
}

/// What hosted models draw of something there is only so much of.
fn draws(dice: &mut Dice<'_>, world: &mut Program) {
    let at = world.resources.len();
    world.resources.push(Resource {
        rule: "rate_limit".into(),
        key: "tokens".into(),
        limit: dice.figure(200.0, 3000.0, 500.0),
    });
    for hosted in &mut world.hosted {
        if dice.chance(0.7) {
            let amounts = world.classes.iter().map(|_| dice.figure(100.0, 1500.0, 100.0)).collect();
            hosted.uses.push((at, amounts));
        }
    }
    if let (Some(pool), true) = (world.pools.first_mut(), dice.chance(0.2)) {
        pool.uses.push((at, 100.0));
    }
}

/// A mean over all requests.
fn means(dice: &mut Dice<'_>, world: &mut Program) {
    let mut index = || dice.figure(1.0, 60.0, 10.0) - 30.0;
    let mut side = |targets: usize, classes: usize| -> Vec<Vec<f64>> {
        (0..classes).map(|_| (0..targets).map(|_| index()).collect()).collect()
    };
    let classes = world.classes.len();
    let (local, cloud) = (side(world.pools.len(), classes), side(world.hosted.len(), classes));
    let blends = side(world.blends.len(), 1).remove(0);
    let at_least = dice.chance(0.7);
    let limit = if dice.chance(0.5) { 0.0 } else { dice.figure(0.5, 10.0, 1.0) - 5.0 };
    world.means.push(Mean {
        rule: "quality_mean".into(),
        key: "all".into(),
        local,
        cloud,
        blends,
        at_least,
        limit,
    });
}

/// Work that waits until the next slot, or any.
fn waits(dice: &mut Dice<'_>, world: &mut Program) {
    let slots = world.slot_hours.len();
    world.slot_hours.fill(730.0 / slots as f64);
    for class in &mut world.classes {
        if dice.chance(0.7) {
            let window = dice.whole(1, slots);
            let later = |from: usize| (0..window.max(2).min(slots)).map(move |by| (from + by) % slots);
            class.served_in = (0..slots).map(|from| later(from).collect()).collect();
        }
    }
}

/// Routers and cascades, some through a class of requests that may pass where they may not end.
fn blends(dice: &mut Dice<'_>, world: &mut Program) {
    if dice.chance(0.6) {
        let slots = world.slot_hours.len();
        world.classes.push(Class {
            name: "through".into(),
            load_rps: vec![0.0; slots],
            billed_rps: vec![0.0; slots],
            ..Default::default()
        });
        for pool in &mut world.pools {
            pool.capacity.push(if dice.chance(0.1) { 0.0 } else { dice.figure(1.0, 6.0, 0.5) });
            pool.usd_per_request.push(0.0);
            pool.score.push(0.0);
        }
        for hosted in &mut world.hosted {
            let usd = hosted.usd_per_request.iter().flatten().copied().fold(1e-4, f64::min);
            hosted.usd_per_request.push((!dice.chance(0.1)).then_some(usd * 0.3));
            hosted.score.push(0.0);
            hosted.rate_rps.push(if dice.chance(0.3) { 1.0 } else { f64::INFINITY });
            hosted.uses.iter_mut().for_each(|(_, amounts)| amounts.push(300.0));
        }
        for mean in &mut world.means {
            mean.local.push(vec![0.0; world.pools.len()]);
            mean.cloud.push(vec![0.0; world.hosted.len()]);
        }
    }
    let through = (world.classes.last().expect("a class").name == "through").then(|| world.classes.len() - 1);
    for k in 0..dice.whole(1, 2) {
        let mut pools = Vec::new();
        let mut hosted = Vec::new();
        for r in 0..world.pools.len() {
            if dice.chance(0.5) {
                pools.push((r, dice.figure(0.2, 1.2, 0.2)));
            }
        }
        for a in 0..world.hosted.len() {
            if dice.chance(0.5) || (pools.is_empty() && hosted.is_empty()) {
                hosted.push((a, dice.figure(0.1, 1.0, 0.2)));
            }
        }
        if pools.is_empty() && hosted.is_empty() {
            continue;
        }
        let real = world.classes.len() - usize::from(through.is_some());
        let redundancy = world.classes.iter().any(|class| class.unavailability_max.is_some());
        world.blends.push(Blend {
            id: format!("blend {k}"),
            class: dice.whole(0, real - 1),
            through: through.filter(|_| dice.chance(0.8)),
            pools,
            hosted,
            usd_per_request: if dice.chance(0.5) { dice.figure(1e-5, 1e-4, 1e-5) } else { 0.0 },
            score: dice.figure(0.5, 9.0, 0.5) - 4.0,
            unavailability: if redundancy && dice.chance(0.3) { 0.001 } else { 0.0 },
        });
        for mean in &mut world.means {
            mean.blends.push(dice.figure(1.0, 60.0, 10.0) - 25.0);
        }
    }
}

/// An instance on which several pools stand.
fn hosts(dice: &mut Dice<'_>, world: &mut Program) {
    let (gpus, sizes): (f64, &[f64]) = match dice.whole(0, 3) {
        0 => (2.0, &[1.0, 2.0]),
        1 | 2 => (4.0, &[1.0, 2.0, 4.0]),
        _ => (6.0, &[2.0, 3.0]), // sizes that do not divide one another
    };
    let usd = dice.figure(100.0, 900.0, 50.0);
    let hours: f64 = world.slot_hours.iter().sum();
    let hourly = dice.chance(0.3).then(|| usd / hours * dice.figure(0.8, 2.0, 0.25));
    let uses = if world.resources.is_empty() || dice.chance(0.5) { Vec::new() } else { vec![(0, gpus)] };
    let mode = Mode { billing: "on-demand".into(), usd_per_month: usd, ..Default::default() };
    let at = world.hosts.len();
    world.hosts.push(Host {
        id: format!("host {at}"),
        gpus,
        modes: if hourly.is_some() && dice.chance(0.3) { Vec::new() } else { vec![mode] },
        usd_per_hour: hourly,
        usd_per_start: if dice.chance(0.3) { usd / hours } else { 0.0 },
        uses,
        score_per_hour: 0.0,
    });
    // Often each pool serves a class of its own, so that a plan needs several of them.
    let apart = world.classes.len() > 1 && dice.chance(0.6);
    if apart {
        dear(world);
    }
    for (r, pool) in world.pools.iter_mut().enumerate() {
        if pool.on.is_none() && dice.chance(if apart { 0.9 } else { 0.6 }) {
            if apart {
                let own = r % pool.capacity.len();
                pool.capacity
                    .iter_mut()
                    .enumerate()
                    .filter(|(c, _)| *c != own)
                    .for_each(|(_, rate)| *rate = 0.0);
            }
            pool.on = Some((at, *sizes.get(dice.whole(0, sizes.len() - 1)).expect("a size")));
            pool.modes.clear();
            if dice.chance(0.5) {
                pool.modes.push(Mode { billing: "shared".into(), ..Default::default() }); // the same all day
            }
            pool.usd_per_hour = None;
            pool.usd_per_start = 0.0;
            pool.replicas = 1;
        }
    }
}
