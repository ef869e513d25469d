//! How the instances of a pool are paid for, hour by hour, and how busy they are.

use super::Maker;
use crate::bill;
use crate::candidate::LocalOption;
use crate::candidate::hardware::Way;
use crate::catalog::Billing;
use crate::recommendation::{BillLine, Paid};

impl Maker<'_, '_, '_> {
    /// How the instances of a pool are paid for: each always-on way, then hours in use. What runs in every hour of the
    /// day is paid on demand where that is allowed, at the same price.
    pub(super) fn paid(&self, r: usize, option: &LocalOption<'_>) -> Vec<Paid> {
        let program = &self.formulated.program;
        let hours = self.question.requirements.hours_per_month;
        let times = option.hardware.times(option.prospect.row.unit.gpus);
        // Where pools share instances, the instances are paid for.
        let host = program.pools[r].on.map(|(host, _)| host);
        let always = |way: &Way<'_>, count: u32| {
            let n = f64::from(count);
            Paid {
                offer: way.id.clone(),
                billing: way.billing.word().to_owned(),
                instances: count,
                instances_by_hour: None,
                usd_per_hour: way.usd_per_hour * times,
                usd_per_month: bill::line(way.usd_per_hour * times * n * hours),
                usd_upfront: bill::line(way.usd_upfront * n),
                usd_amortised: bill::line(way.usd_amortised_per_hour * hours * n),
            }
        };
        let (modes, counts) = match host {
            Some(host) => (&program.hosts[host].modes, &self.point.host_always_on[host]),
            None => (&program.pools[r].modes, &self.point.always_on[r]),
        };
        let mut all: Vec<Paid> = modes
            .iter()
            .zip(counts)
            .filter(|(_, count)| **count > 0)
            .filter_map(|(mode, count)| Some(always(option.hardware.way(&mode.billing)?, *count)))
            .collect();
        let Some(by_hour) = option.hardware.by_hour.as_ref().filter(|_| host.is_none()) else { return all };
        let mut counts = self.point.hourly[r].clone();
        let base = counts.iter().copied().min().unwrap_or(0);
        let sold =
            |way: &&Way<'_>| way.billing == Billing::OnDemand && way.usd_per_hour <= by_hour.usd_per_hour;
        if let Some(way) = option.hardware.ways.iter().find(sold).filter(|_| base > 0) {
            counts.iter_mut().for_each(|count| *count -= base);
            all.push(always(way, base));
        }
        let most = counts.iter().copied().max().unwrap_or(0);
        if most > 0 {
            let start_up = self.question.catalog.start_up_s() / 3600.0;
            let hours: f64 = (0..counts.len())
                .map(|t| {
                    let before = program.before.get(t).map_or(counts[t], |before| counts[*before]);
                    program.slot_hours[t] * f64::from(counts[t])
                        + program.starts(t) * f64::from(counts[t].saturating_sub(before)) * start_up
                })
                .sum();
            all.push(Paid {
                offer: by_hour.id.clone(),
                billing: by_hour.billing.word().to_owned(),
                instances: most,
                instances_by_hour: Some(counts),
                usd_per_hour: by_hour.usd_per_hour,
                usd_per_month: bill::line(by_hour.usd_per_hour * hours),
                usd_upfront: 0.0,
                usd_amortised: 0.0,
            });
        }
        all
    }

    /// Replicas of a pool in a slot.
    pub(super) fn replicas_in(&self, r: usize, slot: usize) -> u32 {
        self.point.instances(r, slot) * self.formulated.program.pools[r].replicas
    }

    /// The busiest slot of a pool.
    pub(super) fn peak(&self, r: usize) -> Peak {
        let program = &self.formulated.program;
        let mut peak = Peak { utilisation: 0.0, spare: self.replicas_in(r, 0) };
        let mut most = 0.0;
        for t in 0..program.slot_hours.len() {
            let load = self.point.replicas_loaded(program, r, t).unwrap_or(0.0);
            let replicas = self.replicas_in(r, t);
            peak.utilisation = peak.utilisation.max(load / f64::from(replicas.max(1)));
            if load > most {
                most = load;
                #[allow(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "at most the replicas there are"
                )]
                let needed = (load - 1e-5).ceil().max(1.0) as u32;
                peak.spare = replicas.saturating_sub(needed);
            }
        }
        peak
    }
}

/// Load of the busiest slot over the capacity of its replicas, and the replicas beyond what it needs.
pub(super) struct Peak {
    pub(super) utilisation: f64,
    pub(super) spare: u32,
}

/// The line of the bill for one way to pay.
pub(super) fn paid_line(option: &LocalOption<'_>, paid: &Paid) -> BillLine {
    let (hardware, count, billing) = (&option.hardware, paid.instances, &paid.billing);
    let price = bill::line(paid.usd_per_hour);
    let (instance, provider) = (&hardware.instance, &hardware.provider);
    let item = if hardware.is_owned() {
        let gpus = count * option.prospect.row.unit.gpus;
        format!("electricity of {gpus} x {} (owned) around the clock", hardware.gpu.name)
    } else if hardware.bought {
        let gpus = count * hardware.gpus;
        format!("electricity and hosting of {gpus} x {} ({count} x {instance}, bought)", hardware.gpu.name)
    } else if let Some(hours) = &paid.instances_by_hour {
        let day: u32 = hours.iter().sum();
        let least = hours.iter().copied().min().unwrap_or(0);
        let days = if hours.len() > 24 { "two days" } else { "a day" };
        format!(
            "{least} to {count} x {instance} ({provider}, {billing}) for {day} hours {days} at ${price}/h, starts included"
        )
    } else {
        format!("{count} x {instance} ({provider}, {billing}) around the clock at ${price}/h")
    };
    BillLine { item, usd_per_month: paid.usd_per_month }
}
