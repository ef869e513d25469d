//! A plan's own targets, as bought, under another volume: does any routing among them still comply?
//!
//! Always-on instances are paid for whatever they carry: they become free columns up to their number, and their price
//! is taken off the budget. Instances bought hour by hour keep their price and may not become more than they are.

use super::WIDTH;
use crate::candidate::Question;
use crate::formulate::{Field, Formulated};
use crate::program::{Ladder, Mode, Point, Program, Resource};
use crate::request::Stop;
use crate::solve::{Outcome, solve_program_until};

pub(super) struct Fleet {
    formulated: Formulated,
    /// Paid whatever is carried, USD/month.
    usd_sunk: f64,
}

impl Fleet {
    /// The fleet of a solved program.
    pub(super) fn of<'q, 'c>(
        question: &Question<'q, 'c>,
        field: &Field<'q, 'c>,
        formulated: &Formulated,
        point: &Point,
    ) -> Self {
        debug_assert_eq!(field.classes.len(), formulated.program.classes.len(), "one program, one field");
        let (pools, hosted): (Vec<usize>, Vec<usize>) =
            ((0..formulated.pools.len()).collect(), (0..formulated.hosted.len()).collect());
        let mut program = formulated.program.clone();
        let up = question.catalog.replica_availability();
        let slots = 0..program.slot_hours.len();
        let mut usd_sunk = 0.0;
        for r in pools.clone() {
            let most = slots.clone().map(|slot| point.instances(r, slot)).max().unwrap_or(0);
            let used = point.uses_pool(&formulated.program, r);
            let pool = &mut program.pools[r];
            if !used {
                pool.capacity.fill(0.0);
                pool.modes.clear();
                pool.usd_per_hour = None;
                continue;
            }
            usd_sunk += sunk(&mut pool.modes, &point.always_on[r], point.hourly[r].iter().all(|n| *n == 0));
            if let Some(ladder) = &mut pool.ladder {
                *ladder = Ladder::new(up, pool.unavailability, most * pool.replicas);
            }
            pool.uses.push((program.resources.len(), 1.0));
            program.resources.push(cap(&pool.id, most));
        }
        for h in 0..program.hosts.len() {
            let most = slots.clone().map(|slot| point.host_instances(h, slot)).max().unwrap_or(0);
            let host = &mut program.hosts[h];
            usd_sunk +=
                sunk(&mut host.modes, &point.host_always_on[h], point.host_hourly[h].iter().all(|n| *n == 0));
            host.uses.push((program.resources.len(), 1.0));
            program.resources.push(cap(&host.id, most));
        }
        for a in hosted.clone() {
            if !point.uses_hosted(&formulated.program, a) {
                program.hosted[a].usd_per_request.fill(None);
            }
        }
        if point.uses_local(&formulated.program) {
            usd_sunk += program.local_usd_per_month;
        }
        program.local_usd_per_month = 0.0;
        program.usd_upfront_max = None;
        program.both_sides_min = None;
        program.local_share = None;
        program.replicas = None;
        Self { formulated: formulated.keep(program, &pools, &hosted), usd_sunk }
    }

    /// The volume, times the one it was made for, at which it no longer complies on the way to `until`, and the rule
    /// that it breaks there; `None` where it holds to the end.
    pub(super) fn breaks<'q, 'c>(
        &self,
        question: &Question<'q, 'c>,
        field: &Field<'q, 'c>,
        until: f64,
    ) -> Option<(f64, String)> {
        let length = until.ln();
        if length.abs() < WIDTH {
            return None;
        }
        let mut rule = self.broken(question, field, until)?;
        let (mut holds, mut fails) = (0.0, 1.0);
        while (fails - holds) * length.abs() > WIDTH {
            let middle = (holds + fails) / 2.0;
            match self.broken(question, field, (length * middle).exp()) {
                Some(broken) => (fails, rule) = (middle, broken),
                None => holds = middle,
            }
        }
        Some(((length * (holds + fails) / 2.0).exp(), rule))
    }

    /// The rule it breaks at a volume, if any.
    fn broken<'q, 'c>(
        &self,
        question: &Question<'q, 'c>,
        field: &Field<'q, 'c>,
        times: f64,
    ) -> Option<String> {
        let program = self.at(question, times);
        let rule = match solved(question, &program) {
            Outcome::Solved(found) => {
                let all: Vec<usize> = (0..self.formulated.pools.len()).collect();
                let hosted: Vec<usize> = (0..self.formulated.hosted.len()).collect();
                let formulated = self.formulated.keep(program, &all, &hosted);
                // Classes that share a pool may break a latency limit though their loads add up to less than it.
                let mixed = crate::plan::broken_mixtures(question, field, &formulated, &found.point);
                return (!mixed.is_empty()).then(|| "capacity".to_owned());
            }
            Outcome::Infeasible { cheapest: Some(_) } => money_rule(question, times),
            Outcome::Infeasible { cheapest: None } | Outcome::Unknown(_) => culprit(question, &program),
        };
        Some(rule.to_owned())
    }

    /// The program of the fleet at a volume.
    fn at(&self, question: &Question<'_, '_>, times: f64) -> Program {
        let mut program = self.formulated.program.clone();
        for class in &mut program.classes {
            class.load_rps.iter_mut().chain(&mut class.billed_rps).for_each(|rate| *rate *= times);
        }
        program.usd_per_month_max = question
            .requirements
            .at_volume(times)
            .usd_per_month_max()
            .map(|most| (most - self.usd_sunk).max(0.0));
        program
    }
}

/// Makes always-on instances free, where no others come on top hour by hour; returns what they cost, USD/month.
fn sunk(modes: &mut Vec<Mode>, counts: &[u32], around_the_clock: bool) -> f64 {
    if !around_the_clock {
        return 0.0;
    }
    let usd = modes.iter().zip(counts).map(|(mode, count)| mode.usd_per_month * f64::from(*count)).sum();
    modes.truncate(1);
    for mode in modes {
        *mode = Mode { billing: mode.billing.clone(), ..Mode::default() };
    }
    usd
}

/// No more instances than there are.
fn cap(id: &str, instances: u32) -> Resource {
    Resource { rule: "capacity".to_owned(), key: id.to_owned(), limit: f64::from(instances) }
}

/// The tighter of the two budgets on the recurring bill.
fn money_rule(question: &Question<'_, '_>, times: f64) -> &'static str {
    let scaled = question.requirements.at_volume(times);
    if scaled.budget.usd_per_month.is_some() && scaled.usd_per_month_max() == scaled.budget.usd_per_month {
        "usd_per_month"
    } else {
        "usd_per_request"
    }
}

fn solved(question: &Question<'_, '_>, program: &Program) -> Outcome {
    solve_program_until(program, question.backend, &Stop::NEVER.0)
}

/// The first rule without which the fleet would comply; the load it cannot carry else.
fn culprit(question: &Question<'_, '_>, program: &Program) -> &'static str {
    let complies = |program: &Program| matches!(solved(question, program), Outcome::Solved(_));
    let mut unlimited = Program { usd_per_month_max: None, ..program.clone() };
    for hosted in &mut unlimited.hosted {
        hosted.rate_rps.fill(f64::INFINITY);
        hosted.uses.clear();
    }
    if unlimited.hosted != program.hosted && complies(&unlimited) {
        return "rate_limit";
    }
    let mut bare = Program { usd_per_month_max: None, ..program.clone() };
    for class in &mut bare.classes {
        class.unavailability_max = None;
    }
    for pool in &mut bare.pools {
        pool.ladder = None;
    }
    if program.wants_availability() && complies(&bare) {
        return "availability";
    }
    "capacity"
}
