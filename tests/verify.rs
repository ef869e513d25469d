//! The checker accepts every plan that is returned, and names the rule that a damaged plan breaks.
//!
//! A plan is damaged by changing it, or by judging it by a stricter request than it was made for.

#![allow(clippy::unwrap_used, reason = "a test may fail at once")]

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use bursar::catalog::{Billing, Catalog};
use bursar::constraint::Rules;
use bursar::recommendation::{Deferral, Deployment, EngineSettings, Kind, Plan, Route};
use bursar::requirements::{LatencyMeasure, Requirements, Routing};
use bursar::verify::verify;
use bursar::{Options, recommend};
use common::{BRIEF, REQUESTS, ask, read_in, request, world};
use rayon::prelude::*;

fn broken(requirements: &Requirements, plan: &Plan) -> Vec<String> {
    broken_in(world(), requirements, plan)
}

fn broken_in(catalog: &Catalog, requirements: &Requirements, plan: &Plan) -> Vec<String> {
    verify(requirements, catalog, &Rules::builtin(), plan).iter().map(ToString::to_string).collect()
}

// ---------------------------------------------------------------- what is returned is accepted

#[test]
fn every_plan_of_the_frozen_world_is_accepted() {
    let faults: Vec<String> =
        REQUESTS.par_iter().flat_map(|(name, _)| rejected(world(), name, Options::default())).collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn every_plan_of_the_shipped_catalog_is_accepted() {
    // Programs of hundreds of columns: too slow without optimisation.
    let large = ["three-workloads", "quality-objective", "latency-objective"];
    let faults: Vec<String> = REQUESTS
        .par_iter()
        .filter(|(name, _)| !large.contains(name))
        .flat_map(|(name, _)| rejected(Catalog::embedded(), name, Options { top: 2, ..BRIEF }))
        .collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// What is wrong with the plans of a request; a request of the list without a plan is a fault as well.
fn rejected(catalog: &Catalog, name: &str, options: Options) -> Vec<String> {
    let (_, body) = REQUESTS.iter().find(|(known, _)| *known == name).unwrap();
    let read = read_in(catalog, body);
    let rules = Rules::builtin();
    let found = recommend(&bursar::Request {
        requirements: &read.requirements,
        document: &read.document,
        catalog,
        rules: &rules,
        options,
    });
    let answer = match found {
        Ok(answer) => answer,
        Err(error) => return vec![format!("{name}: {error}")],
    };
    if answer.plans.is_empty() {
        return vec![format!("{name}: no plan, {:?} {:?}", answer.status, answer.proof.refused)];
    }
    let mut faults = Vec::new();
    for plan in &answer.plans {
        let broken = broken_in(catalog, &read.requirements, plan);
        faults.extend(broken.iter().map(|what| format!("{name} plan {}: {what}", plan.rank)));
    }
    faults
}

// ---------------------------------------------------------------- what is damaged is named

/// The request and its best plan, solved once.
fn good(name: &'static str) -> (Requirements, Plan) {
    type Known = BTreeMap<&'static str, (Requirements, Plan)>;
    static KNOWN: OnceLock<Known> = OnceLock::new();
    let known = KNOWN.get_or_init(|| {
        let names: BTreeSet<&'static str> = DAMAGES.iter().map(|damage| damage.request).collect();
        let solve = |name: &'static str| {
            let read = request(name);
            let mut answer = ask(world(), &read, BRIEF);
            (name, (read.requirements, answer.plans.swap_remove(0)))
        };
        names.into_iter().collect::<Vec<_>>().into_par_iter().map(solve).collect()
    });
    known[name].clone()
}

struct Damage {
    /// What is done to it.
    what: &'static str,
    /// To the plan of which request.
    request: &'static str,
    /// The rule that must be named.
    rule: &'static str,
    harm: fn(&mut Requirements, &mut Plan),
}

fn engine(plan: &mut Plan) -> &mut EngineSettings {
    plan.deployments.iter_mut().find_map(|deployment| deployment.engine.as_mut()).unwrap()
}

fn own(plan: &mut Plan) -> &mut Deployment {
    plan.deployments.iter_mut().find(|deployment| deployment.engine.is_some()).unwrap()
}

fn hosted(plan: &mut Plan) -> &mut Deployment {
    plan.deployments.iter_mut().find(|d| d.api.is_some() && !d.fallback_only).unwrap()
}

fn tighten(requirements: &mut Requirements, measure: LatencyMeasure) {
    for limit in &mut requirements.workloads[0].latency {
        if limit.measure == measure {
            limit.ms = 1.0;
        }
    }
}

/// Part of what comes in one hour is released in another.
fn wait(from_hour: u32, to_hour: u32, share: f64) -> Deferral {
    Deferral { workload: "a".to_owned(), premium: false, from_hour, to_hour, share }
}

/// Sells the plan's engine on another offer, as if nothing had changed.
fn on_offer(plan: &mut Plan, offer: &str) {
    let engine = engine(plan);
    engine.offer = offer.to_owned();
    engine.paid[0].offer = offer.to_owned();
}

const DAMAGES: &[Damage] = &[
    Damage {
        what: "a bill line is altered",
        request: "local",
        rule: "usd_per_month",
        harm: |_, plan| plan.bill[0].usd_per_month += 1.0,
    },
    Damage {
        what: "the total is altered",
        request: "cloud",
        rule: "usd_per_month",
        harm: |_, plan| plan.usd_per_month -= 0.01,
    },
    Damage {
        what: "line and total are altered alike",
        request: "local",
        rule: "usd_per_month",
        harm: |_, plan| {
            plan.bill[0].usd_per_month -= 5.0;
            plan.usd_per_month -= 5.0;
        },
    },
    Damage {
        what: "the price of a request is understated",
        request: "cloud",
        rule: "usd_per_month",
        harm: |_, plan| {
            plan.bill[0].usd_per_month /= 2.0;
            plan.usd_per_month = plan.bill.iter().map(|line| line.usd_per_month).sum();
        },
    },
    Damage {
        what: "the price per request is altered",
        request: "cloud",
        rule: "usd_per_request",
        harm: |_, plan| plan.usd_per_request /= 2.0,
    },
    Damage {
        what: "the budget is one cent below the bill",
        request: "chatbot",
        rule: "usd_per_month",
        harm: |asked, plan| asked.budget.usd_per_month = Some(plan.usd_per_month - 0.01),
    },
    Damage {
        what: "the budget of a request is below its bill",
        request: "as-of-2024",
        rule: "usd_per_request",
        harm: |asked, plan| asked.budget.usd_per_request = Some(plan.usd_per_request * 0.99),
    },
    Damage {
        what: "something is bought without leave",
        request: "local",
        rule: "usd_upfront",
        harm: |asked, plan| {
            asked.budget.usd_upfront = Some(1000.0);
            plan.usd_upfront = 1001.0;
        },
    },
    Damage {
        what: "people are not paid",
        request: "local",
        rule: "usd_per_month",
        harm: |asked, _| asked.ops_usd_per_month = 100.0,
    },
    Damage {
        what: "the replicas that carry the peak are removed",
        request: "local",
        rule: "capacity",
        harm: |_, plan| {
            let engine = engine(plan);
            let needed = (engine.utilisation_peak * f64::from(engine.replicas)).ceil();
            engine.replicas = (1..).take_while(|n| f64::from(*n) < needed).last().unwrap_or(0);
        },
    },
    Damage {
        what: "an instance is removed, its replicas stay",
        request: "local",
        rule: "capacity",
        harm: |_, plan| engine(plan).instances -= 1,
    },
    Damage {
        what: "more replicas than the GPUs hold",
        request: "local",
        rule: "capacity",
        harm: |_, plan| engine(plan).replicas += 40,
    },
    Damage {
        what: "the demand is doubled",
        request: "local",
        rule: "capacity",
        harm: |asked, _| asked.workloads[0].peak_factor *= 3.0,
    },
    Damage {
        what: "the headroom is widened",
        request: "headroom",
        rule: "capacity",
        harm: |asked, _| asked.headroom = 0.9,
    },
    Damage {
        what: "a share is lowered",
        request: "plain",
        rule: "demand",
        harm: |_, plan| plan.routing[0].share -= 0.01,
    },
    Damage {
        what: "one hour is forgotten",
        request: "cloud",
        rule: "demand",
        harm: |_, plan| {
            let route = &mut plan.routing[0];
            let mut hours = route.by_hour.clone().unwrap_or_else(|| vec![route.share; 24]);
            hours[7] = 0.0;
            route.by_hour = Some(hours);
        },
    },
    Damage {
        what: "work waits that may not",
        request: "plain",
        rule: "deferrable",
        harm: |_, plan| plan.deferral = vec![wait(8, 9, 0.5)],
    },
    Damage {
        what: "work waits longer than it may",
        request: "plain",
        rule: "deferrable",
        harm: |asked, plan| {
            asked.workloads[0].deferrable_hours = 4.0;
            plan.deferral = vec![wait(22, 2, 0.5), wait(8, 13, 0.5)];
        },
    },
    Damage {
        what: "more of an hour waits than comes in it",
        request: "plain",
        rule: "deferrable",
        harm: |asked, plan| {
            asked.workloads[0].deferrable_hours = 4.0;
            plan.deferral = vec![wait(8, 9, 0.7), wait(8, 10, 0.7)];
        },
    },
    Damage {
        what: "work waits for an hour that cannot carry it",
        request: "local",
        rule: "capacity",
        harm: |asked, plan| {
            let name = asked.workloads[0].name.clone();
            asked.workloads[0].deferrable_hours = 23.0;
            let into_noon = |hour: u32| Deferral { workload: name.clone(), ..wait(hour, 12, 1.0) };
            plan.deferral = (0..24).filter(|hour| *hour != 12).map(into_noon).collect();
        },
    },
    Damage {
        what: "a share below zero makes up for one above 1",
        request: "plain",
        rule: "demand",
        harm: |_, plan| {
            let route = plan.routing[0].clone();
            plan.routing[0].share = 1.5;
            plan.routing.push(Route { share: -0.5, ..route });
        },
    },
    Damage {
        what: "a route leads to nothing",
        request: "plain",
        rule: "demand",
        harm: |_, plan| plan.routing[0].target = "d99".to_owned(),
    },
    Damage {
        what: "a workload is forgotten",
        request: "two-workloads",
        rule: "demand",
        harm: |_, plan| plan.routing.retain(|route| route.workload != "draft"),
    },
    Damage {
        what: "the offer does not exist",
        request: "local",
        rule: "in_force",
        harm: |_, plan| on_offer(plan, "aws/none/nowhere/on-demand"),
    },
    Damage {
        what: "the offer was sold before, not today",
        request: "local",
        rule: "in_force",
        harm: |asked, _| asked.as_of = "2019-01-01".parse().unwrap(),
    },
    Damage {
        what: "the offer sells other GPUs",
        request: "local",
        rule: "in_force",
        harm: |_, plan| {
            let gpu = if engine(plan).gpu == "t4" { "l4" } else { "t4" };
            let offer = world().offers_on("2026-11-20".parse().unwrap()).find(|offer| offer.gpu == gpu);
            on_offer(plan, &offer.unwrap().id);
        },
    },
    Damage {
        what: "an instance is said to hold more GPUs than it does",
        request: "local",
        rule: "in_force",
        harm: |_, plan| {
            let engine = engine(plan);
            engine.gpus_per_instance *= 8;
        },
    },
    Damage {
        what: "the longest request grows beyond the window",
        request: "local",
        rule: "context_tokens",
        harm: |asked, _| asked.workloads[0].context_tokens = 200_000.0,
    },
    Damage {
        what: "the engine is told a shorter window",
        request: "spread-and-cache",
        rule: "context_tokens",
        harm: |_, plan| engine(plan).max_model_len = 1024,
    },
    Damage {
        what: "answers outgrow the API",
        request: "plain",
        rule: "max_output",
        harm: |asked, plan| {
            // Of a model with an 8,000-token answer or so.
            plan.deployments[0].model = "openai/gpt-4o-mini".to_owned();
            asked.workloads[0].lengths.points = vec![(100.0, 100_000.0, 1.0)];
        },
    },
    Damage {
        what: "a model below the floor is swapped in",
        request: "chatbot",
        rule: "quality",
        harm: |_, plan| {
            plan.deployments[0].model = "together/meta-llama/Meta-Llama-3.1-8B-Instruct-Turbo".to_owned();
        },
    },
    Damage {
        what: "an open model below the floor is swapped in",
        request: "local",
        rule: "quality",
        harm: |_, plan| own(plan).model = "meta-llama/Llama-3.2-3B-Instruct".to_owned(),
    },
    Damage {
        what: "the floor is a benchmark it does not reach",
        request: "benchmark",
        rule: "benchmark",
        harm: |asked, _| {
            asked.workloads[0].quality = Some(bursar::requirements::QualityFloor::Benchmark {
                benchmark: "mmlu@helm".to_owned(),
                min: 0.99,
            });
        },
    },
    Damage {
        what: "the premium share is lowered",
        request: "premium",
        rule: "premium_share",
        harm: |_, plan| plan.routing.iter_mut().for_each(|route| route.premium = false),
    },
    Damage {
        what: "more premium was asked for",
        request: "premium",
        rule: "premium_share",
        harm: |asked, _| asked.workloads[0].premium.as_mut().unwrap().share = 0.4,
    },
    Damage {
        what: "premium traffic goes to a plain model",
        request: "premium",
        rule: "quality",
        harm: |_, plan| {
            let plain = plan.routing.iter().find(|route| !route.premium).unwrap().target.clone();
            plan.routing.iter_mut().filter(|route| route.premium).for_each(|route| {
                route.target.clone_from(&plain);
            });
        },
    },
    Damage {
        what: "the GPU quota is one less than is rented",
        request: "quota",
        rule: "gpus",
        harm: |asked, plan| {
            let engine = engine(plan);
            asked.limits.gpus =
                [(engine.gpu.clone(), engine.instances * engine.gpus_per_instance - 1)].into();
        },
    },
    Damage {
        what: "fewer GPUs are owned",
        request: "owned",
        rule: "owned",
        harm: |asked, plan| {
            let engine = engine(plan);
            asked.owned[0].count = engine.instances * engine.gpus_per_instance - 1;
        },
    },
    Damage {
        what: "less power may be drawn",
        request: "power",
        rule: "power_kw",
        harm: |asked, _| asked.limits.power_kw = Some(0.05),
    },
    Damage {
        what: "fewer deployments may run",
        request: "three-workloads",
        rule: "max_deployments",
        harm: |asked, plan| {
            asked.limits.max_deployments = Some(0);
            assert!(!plan.deployments.is_empty());
        },
    },
    Damage {
        what: "the spare replicas are removed",
        request: "available-local",
        rule: "availability",
        harm: |_, plan| {
            for deployment in &mut plan.deployments {
                let engine = deployment.engine.as_mut().unwrap();
                engine.replicas -= engine.spare_replicas;
            }
        },
    },
    Damage {
        what: "the spares are removed and the capacity is overstated",
        request: "available-local",
        rule: "availability",
        harm: |_, plan| {
            for deployment in &mut plan.deployments {
                let engine = deployment.engine.as_mut().unwrap();
                engine.replicas -= engine.spare_replicas;
                engine.capacity_rps.values_mut().for_each(|rps| *rps *= 100.0);
            }
        },
    },
    Damage {
        what: "the fallback is removed",
        request: "available-cloud",
        rule: "availability",
        harm: |_, plan| plan.routing.iter_mut().for_each(|route| route.fallback = None),
    },
    Damage {
        what: "the target is its own fallback",
        request: "available-cloud",
        rule: "availability",
        harm: |_, plan| plan.routing.iter_mut().for_each(|route| route.fallback = Some(route.target.clone())),
    },
    Damage {
        what: "more nines were asked for",
        request: "available-cloud",
        rule: "availability",
        harm: |asked, _| asked.availability = Some(0.999_999),
    },
    Damage {
        what: "a server may hold less",
        request: "memory",
        rule: "memory_gib_per_server",
        harm: |asked, _| asked.limits.memory_gib_per_server = Some(4.0),
    },
    Damage {
        what: "the E2E limit is tightened",
        request: "chatbot",
        rule: "e2e_ms",
        harm: |asked, _| tighten(asked, LatencyMeasure::E2e),
    },
    Damage {
        what: "the TTFT limit is tightened",
        request: "chatbot",
        rule: "ttft_ms",
        harm: |asked, _| tighten(asked, LatencyMeasure::Ttft),
    },
    Damage {
        what: "the TPOT limit is tightened",
        request: "chatbot",
        rule: "tpot_ms",
        harm: |asked, _| tighten(asked, LatencyMeasure::Tpot),
    },
    Damage {
        what: "the TTFT limit of own engines is tightened",
        request: "local",
        rule: "ttft_ms",
        harm: |asked, _| tighten(asked, LatencyMeasure::Ttft),
    },
    Damage {
        what: "the TPOT limit of own engines is tightened",
        request: "local",
        rule: "tpot_ms",
        harm: |asked, _| tighten(asked, LatencyMeasure::Tpot),
    },
    Damage {
        what: "the provider is denied",
        request: "cloud",
        rule: "deny",
        harm: |asked, plan| asked.deny.providers = vec![hosted(plan).provider.to_uppercase()],
    },
    Damage {
        what: "the seller of the hardware is denied",
        request: "local",
        rule: "deny",
        harm: |asked, plan| asked.deny.providers = vec![own(plan).provider.clone()],
    },
    Damage {
        what: "its model is denied",
        request: "cloud",
        rule: "deny",
        harm: |asked, plan| asked.deny.models = vec![hosted(plan).model.clone()],
    },
    Damage {
        what: "only other GPUs are allowed",
        request: "local",
        rule: "allow",
        harm: |asked, _| asked.allow.gpus = vec!["mi300x".to_owned()],
    },
    Damage {
        what: "only other regions are allowed",
        request: "local",
        rule: "allow",
        harm: |asked, _| asked.allow.regions = vec!["mars-*".to_owned()],
    },
    Damage {
        what: "only other licences are allowed",
        request: "local",
        rule: "allow",
        harm: |asked, _| asked.allow.licences = vec!["gpl-9".to_owned()],
    },
    Damage {
        what: "only other precisions are allowed",
        request: "local",
        rule: "allow",
        harm: |asked, _| asked.allow.precisions = vec!["q9".to_owned()],
    },
    Damage {
        what: "on-demand billing is denied",
        request: "local",
        rule: "deny",
        harm: |asked, _| asked.deny.billing = vec![Billing::OnDemand],
    },
    Damage {
        what: "only owned hardware is allowed",
        request: "local",
        rule: "allow",
        harm: |asked, _| asked.allow.billing = vec![Billing::Owned],
    },
    Damage {
        what: "data must stay in the EU",
        request: "cloud",
        rule: "data_eu_only",
        harm: |asked, _| asked.workloads[0].data = vec!["eu-only".to_owned()],
    },
    Damage {
        what: "the engine moves out of the EU",
        request: "eu-only",
        rule: "data_eu_only",
        harm: |_, plan| {
            let there = world().offers.iter().find(|o| o.in_eu == Some(true) && o.id == engine(plan).offer);
            let there = there.unwrap();
            let here = world()
                .offers
                .iter()
                .find(|o| o.in_eu != Some(true) && o.gpu == there.gpu && o.count == there.count);
            on_offer(plan, &here.unwrap().id);
        },
    },
    Damage {
        what: "data must not train",
        request: "cloud",
        rule: "data_no_training",
        harm: |asked, plan| {
            hosted(plan).model = "groq/openai/gpt-oss-120b".to_owned();
            hosted(plan).provider = "groq".to_owned();
            asked.workloads[0].data = vec!["no-training".to_owned()];
        },
    },
    Damage {
        what: "data must stay at home",
        request: "local",
        rule: "data_on_premises",
        harm: |asked, _| asked.workloads[0].data = vec!["on-premises".to_owned()],
    },
    Damage {
        what: "the API is retired",
        request: "as-of-2024",
        rule: "retired",
        harm: |asked, _| asked.include_retired = false,
    },
    Damage {
        what: "only hosted models were asked for",
        request: "local",
        rule: "routing",
        harm: |asked, _| asked.routing = Routing::Cloud,
    },
    Damage {
        what: "only own engines were asked for",
        request: "cloud",
        rule: "routing",
        harm: |asked, _| asked.routing = Routing::Local,
    },
    Damage {
        what: "the plan calls itself something else",
        request: "local",
        rule: "routing",
        harm: |_, plan| plan.kind = Kind::Hybrid,
    },
    Damage {
        what: "the model cannot see",
        request: "local",
        rule: "needs",
        harm: |asked, _| asked.workloads[0].needs = vec!["vision".to_owned()],
    },
    Damage {
        what: "the hosted model has no tools",
        request: "needs",
        rule: "needs",
        harm: |_, plan| {
            hosted(plan).model = "together/meta-llama/Meta-Llama-3.1-8B-Instruct-Turbo".to_owned();
        },
    },
    Damage {
        what: "more replicas than the user has",
        request: "measured",
        rule: "max_replicas",
        harm: |asked, plan| {
            let used = own(plan).model.clone();
            let row = asked.measured.iter_mut().find(|row| row.option == used).unwrap();
            row.max_replicas = Some(0);
        },
    },
    Damage {
        what: "the measured capacity is smaller",
        request: "measured",
        rule: "capacity",
        harm: |asked, _| {
            let rows = asked.measured.iter_mut();
            rows.for_each(|row| row.capacity_rps.values_mut().for_each(|rps| *rps /= 2.0));
        },
    },
    Damage {
        what: "the model does not fit its GPUs",
        request: "local",
        rule: "weights_fit",
        harm: |_, plan| {
            own(plan).model = "meta-llama/Llama-3.3-70B-Instruct".to_owned();
            let engine = engine(plan);
            engine.weights = "fp16".to_owned();
            engine.gpu = "t4".to_owned();
        },
    },
    Damage {
        what: "the layout does not use its GPUs",
        request: "local",
        rule: "parallelism",
        harm: |_, plan| engine(plan).tensor_parallel = 7,
    },
];

#[test]
fn every_damage_is_named() {
    let mut faults = Vec::new();
    for damage in DAMAGES {
        let (mut requirements, mut plan) = good(damage.request);
        let before = broken(&requirements, &plan);
        assert!(before.is_empty(), "{}: {before:?}", damage.request);
        (damage.harm)(&mut requirements, &mut plan);
        let rules: BTreeSet<String> =
            verify(&requirements, world(), &Rules::builtin(), &plan).into_iter().map(|b| b.rule).collect();
        if !rules.contains(damage.rule) {
            faults.push(format!(
                "{}, {}: {} expected, {rules:?} named",
                damage.request, damage.what, damage.rule
            ));
        }
    }
    assert!(faults.is_empty(), "{} of {}:\n{}", faults.len(), DAMAGES.len(), faults.join("\n"));
}

/// What is done to the deployments of a plan.
type Harm = (&'static str, fn(&mut [Deployment]));

#[test]
fn damage_to_shared_instances_is_named() {
    let story = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios/shared-instance");
    let catalog = Catalog::load(&[story.join("catalog")]).unwrap();
    let body = std::fs::read_to_string(story.join("with.yaml")).unwrap();
    let read = read_in(&catalog, body.split_once("version: 1\n").unwrap().1);
    let found = recommend(&bursar::Request {
        requirements: &read.requirements,
        document: &read.document,
        catalog: &catalog,
        rules: &Rules::builtin(),
        options: BRIEF,
    });
    let plan = found.unwrap().plans.remove(0);
    assert!(broken_in(&catalog, &read.requirements, &plan).is_empty());
    let harms: [Harm; 4] = [
        ("a replica more than fits", |all| all[1].engine.as_mut().unwrap().replicas += 1),
        ("beside nobody", |all| all[1].engine.as_mut().unwrap().beside = Some("d9".into())),
        ("paid twice", |all| {
            let paid = all[0].engine.as_ref().unwrap().paid.clone();
            all[1].engine.as_mut().unwrap().paid = paid;
        }),
        ("beside each other", |all| {
            let id = all[1].id.clone();
            all[0].engine.as_mut().unwrap().beside = Some(id);
        }),
    ];
    for (what, harm) in harms {
        let mut damaged = plan.clone();
        harm(&mut damaged.deployments);
        let named = broken_in(&catalog, &read.requirements, &damaged);
        assert!(named.iter().any(|rule| rule.starts_with("capacity")), "{what}: {named:?}");
    }
}

#[test]
fn every_rule_named_is_a_rule_of_the_program() {
    let rules = Rules::builtin();
    for damage in DAMAGES {
        assert!(rules.get(damage.rule).is_some(), "{}", damage.rule);
    }
}
