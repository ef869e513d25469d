//! Replicas of several units side by side on one instance.
//!
//! Instances are sold whole. A unit that needs fewer GPUs than an instance has leaves some idle, unless another unit takes
//! them. In: a formulated program of whole instances for each pool. Out: two larger ones. In [`packed`] pools may also
//! stand on shared instances that are paid around the clock. In [`fractional`] a replica may be had at its part of an
//! instance's price: no plan with shared instances costs less than the best there.

use std::collections::BTreeMap;

use super::{Field, Formulated, Source};
use crate::candidate::Question;
use crate::catalog::Billing;
use crate::program::{Goal, Host, Mode, Pool};

/// Pools that may share instances of one type: GPUs of an instance, and each pool with the GPUs of a replica.
struct Group {
    gpus: u32,
    pools: Vec<(usize, u32)>,
}

/// Instance types on which pools of at least two units may stand. Sizes are powers of two that divide the instance, so
/// replicas fit wherever their GPUs add up.
fn groups(question: &Question<'_, '_>, field: &Field<'_, '_>, whole: &Formulated) -> Vec<Group> {
    let asked = &question.requirements.limits;
    // What one server holds of several engines at once is not estimated; scores are of whole instances.
    if asked.memory_gib_per_server.is_some() || whole.program.goal != Goal::Cost || field.classes.len() < 2 {
        return Vec::new();
    }
    let mut groups: BTreeMap<&str, Group> = BTreeMap::new();
    for (r, (source, _)) in whole.pools.iter().enumerate() {
        let Source::Catalog(at) = source else { continue };
        let option = &field.locals[*at];
        let (hardware, each) = (&option.hardware, option.prospect.row.unit.gpus);
        let fits = each.is_power_of_two() && each < hardware.gpus && hardware.gpus.is_multiple_of(each);
        // What is spot may be taken away with all that stands on it.
        if hardware.is_owned()
            || hardware.spot.is_some()
            || !fits
            || modes(question, &whole.program.pools[r]).is_empty()
        {
            continue;
        }
        let group = groups.entry(&hardware.id).or_insert(Group { gpus: hardware.gpus, pools: Vec::new() });
        group.pools.push((r, each));
    }
    let several = |group: &Group| {
        let first = whole.pools[group.pools[0].0].0;
        group.pools.iter().any(|(r, _)| whole.pools[*r].0 != first)
    };
    groups.into_values().filter(several).collect()
}

/// Ways to pay for an instance around the clock: those of the pool, and its hours in use for the whole month.
fn modes(question: &Question<'_, '_>, pool: &Pool) -> Vec<Mode> {
    let requirements = question.requirements;
    let (allow, deny) = (&requirements.allow.billing, &requirements.deny.billing);
    let sold = (allow.is_empty() || allow.contains(&Billing::OnDemand)) && !deny.contains(&Billing::OnDemand);
    let listed = pool.modes.iter().any(|mode| mode.billing == Billing::OnDemand.word());
    let hours = pool.usd_per_hour.filter(|_| sold && !listed).map(|usd| Mode {
        billing: Billing::OnDemand.word().to_owned(),
        usd_per_month: usd * requirements.hours_per_month,
        ..Mode::default()
    });
    pool.modes.iter().cloned().chain(hours).collect()
}

/// The program with each replica that may share an instance also at its part of the instance's price; `None` where none
/// may. New pools follow those of `whole`.
#[must_use]
pub fn fractional(
    question: &Question<'_, '_>,
    field: &Field<'_, '_>,
    whole: &Formulated,
) -> Option<Formulated> {
    let groups = groups(question, field, whole);
    let mut out = every_column(whole);
    for group in &groups {
        for (r, each) in &group.pools {
            let pool = &whole.program.pools[*r];
            let part = f64::from(*each) / f64::from(group.gpus);
            let mut modes = modes(question, pool);
            for mode in &mut modes {
                mode.usd_per_month *= part;
                mode.usd_upfront *= part;
                mode.usd_amortised *= part;
            }
            let uses = pool.uses.iter().map(|(at, amount)| (*at, amount * part)).collect();
            push(&mut out, *r, Pool { modes, uses, ..alone(question, pool) });
        }
    }
    (!groups.is_empty()).then_some(out)
}

/// The program with instances that pools may share; `None` where none may.
#[must_use]
pub fn packed(question: &Question<'_, '_>, field: &Field<'_, '_>, whole: &Formulated) -> Option<Formulated> {
    let groups = groups(question, field, whole);
    let shared = !groups.is_empty();
    let mut out = every_column(whole);
    for group in groups {
        let first = &whole.program.pools[group.pools[0].0];
        let host = out.program.hosts.len();
        out.program.hosts.push(Host {
            id: first.id.clone(),
            gpus: f64::from(group.gpus),
            modes: modes(question, first),
            uses: first.uses.clone(),
            ..Host::default()
        });
        for (r, each) in group.pools {
            let pool = Pool {
                modes: vec![Mode { billing: "shared".to_owned(), ..Mode::default() }],
                uses: Vec::new(),
                on: Some((host, f64::from(each))),
                ..alone(question, &whole.program.pools[r])
            };
            push(&mut out, r, pool);
        }
    }
    shared.then_some(out)
}

/// One replica for itself, without a price by the hour.
fn alone(question: &Question<'_, '_>, pool: &Pool) -> Pool {
    Pool {
        replicas: 1,
        usd_per_hour: None,
        usd_per_start: 0.0,
        instances_min: if pool.instances_min > 0 {
            question.requirements.limits.min_replicas.unwrap_or(0)
        } else {
            0
        },
        ..pool.clone()
    }
}

fn every_column(whole: &Formulated) -> Formulated {
    let pools: Vec<usize> = (0..whole.pools.len()).collect();
    let hosted: Vec<usize> = (0..whole.hosted.len()).collect();
    whole.keep(whole.program.clone(), &pools, &hosted)
}

/// Another pool of the unit behind pool `r`: it counts as the same deployment.
fn push(out: &mut Formulated, r: usize, pool: Pool) {
    out.program.pools.push(pool);
    for mean in &mut out.program.means {
        for class in &mut mean.local {
            class.push(class[r]);
        }
    }
    out.pools.push(out.pools[r]);
    out.behind.push(out.behind[r].clone());
}
