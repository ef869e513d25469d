//! Same input, same bytes: twice, with any number of threads, with the rows of every table in another order. And what
//! must not change the optimum does not: pruning, contenders that are not used, more money, more time, less caution.

#![allow(clippy::unwrap_used, reason = "a test may fail at once")]

mod common;

use assert_cmd::Command;
use bursar::catalog::Catalog;
use bursar::recommendation::{Plan, Recommendation, Status};
use bursar::render::table::{TableOptions, table};
use bursar::render::{json, phrase};
use bursar::requirements::Requirements;
use bursar::{Options, explain};
use common::{BRIEF, REQUESTS, SMALL, answer, ask, best, read_in, request, text, world};
use rand::{RngExt, SeedableRng, seq::SliceRandom};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use serde_json::Value;

// ---------------------------------------------------------------- same bytes

/// What the program prints: JSON and table.
fn bytes(mut answer: Recommendation) -> String {
    phrase::tell(&mut answer);
    let options = TableOptions { width: 100, color: false, all: true, file: "request.yaml".to_owned() };
    json::pretty(&answer).unwrap() + &table(&answer, &options)
}

/// Requests whose answers are compared byte by byte: feasible ones of every kind, and two without a plan.
fn compared() -> Vec<(&'static str, String)> {
    let named =
        ["chatbot", "local", "premium", "available-hybrid", "two-workloads", "quality-objective", "measured"];
    let mut all: Vec<(&str, String)> = REQUESTS
        .iter()
        .filter(|(name, _)| named.contains(name))
        .map(|(n, b)| (*n, (*b).to_owned()))
        .collect();
    assert_eq!(all.len(), named.len());
    let (_, chatbot) = REQUESTS.iter().find(|(name, _)| *name == "chatbot").unwrap();
    all.push(("over budget", chatbot.replace("usd_per_month: 500", "usd_per_month: 0.5")));
    all.push(("too fast", chatbot.replace("{p95: 4000}", "{p95: 40}")));
    all
}

#[test]
fn shuffled_rows_give_the_same_bytes() {
    for seed in [1, 2] {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let shuffled: Vec<(&str, String)> =
            SMALL.iter().map(|(name, text)| (*name, shuffle(text, &mut rng))).collect();
        let borrowed: Vec<(&str, &str)> =
            shuffled.iter().map(|(name, text)| (*name, text.as_str())).collect();
        assert!(SMALL.iter().zip(&borrowed).any(|(a, b)| a.1 != b.1));
        let other = Catalog::from_texts(&borrowed).unwrap();
        assert_eq!(other.sha256, world().sha256);
        compared().par_iter().for_each(|(name, body)| {
            let of = |catalog: &Catalog| bytes(ask(catalog, &read_in(catalog, body), Options::default()));
            assert_eq!(of(world()), of(&other), "{name}, seed {seed}");
        });
    }
}

#[test]
fn shuffled_rows_of_the_shipped_catalog_give_the_same_bytes() {
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let shuffled: Vec<(&str, String)> =
        Catalog::shipped_texts().iter().map(|(name, text)| (*name, shuffle(text, &mut rng))).collect();
    let borrowed: Vec<(&str, &str)> = shuffled.iter().map(|(name, text)| (*name, text.as_str())).collect();
    let other = Catalog::from_texts(&borrowed).unwrap();
    for name in ["chatbot", "local"] {
        let (_, body) = REQUESTS.iter().find(|(known, _)| *known == name).unwrap();
        let of = |catalog: &Catalog| bytes(ask(catalog, &read_in(catalog, body), Options::default()));
        assert_eq!(of(Catalog::embedded()), of(&other), "{name}");
    }
}

/// A table with its rows in another order. Rows of our tables hold no line ends.
fn shuffle(table: &str, rng: &mut ChaCha8Rng) -> String {
    let mut lines = table.lines();
    let head = lines.next().unwrap();
    let mut rows: Vec<&str> = lines.filter(|line| !line.is_empty()).collect();
    rows.shuffle(rng);
    format!("{head}\n{}\n", rows.join("\n"))
}

#[test]
fn the_command_gives_the_same_bytes_twice_and_with_any_number_of_threads() {
    let ran = |body: &str, format: &str, threads: &str| {
        let mut command = Command::cargo_bin("bursar").unwrap();
        let args = ["recommend", "-", "--explain", "--format", format, "--threads", threads];
        let done = command.args(args).write_stdin(text(body)).output().unwrap();
        (done.status.code(), String::from_utf8(done.stdout).unwrap(), String::from_utf8(done.stderr).unwrap())
    };
    let (_, feasible) = REQUESTS.iter().find(|(name, _)| *name == "available-hybrid").unwrap();
    let (_, chatbot) = REQUESTS.iter().find(|(name, _)| *name == "chatbot").unwrap();
    let impossible = chatbot.replace("usd_per_month: 500", "usd_per_month: 0.5");
    for (body, code) in [(*feasible, 0), (impossible.as_str(), 1)] {
        for format in ["json", "table"] {
            let once = ran(body, format, "1");
            assert_eq!(once.0, Some(code), "{}", once.2);
            assert!(!once.1.is_empty());
            assert_eq!(once, ran(body, format, "1"));
            assert_eq!(once, ran(body, format, "2"));
        }
    }
}

// ---------------------------------------------------------------- same optimum

/// A cut of the world that is small enough to be solved with nothing dropped beforehand: the smaller, the more
/// the request makes of each column.
fn cut(rng: &mut ChaCha8Rng, body: &str) -> Catalog {
    let tiny = body.contains("availability") || body.contains("name: b");
    let mut catalog = world().clone();
    keep(&mut catalog.models, if tiny { 1 } else { 2 }, rng);
    keep(&mut catalog.gpus, 2, rng);
    let gpus: Vec<String> = catalog.gpus.iter().map(|gpu| gpu.id.clone()).collect();
    catalog.offers.retain(|offer| gpus.contains(&offer.gpu) && offer.count <= if tiny { 1 } else { 2 });
    keep(&mut catalog.offers, if tiny { 1 } else { 4 }, rng);
    keep(&mut catalog.apis, if tiny { 3 } else { 5 }, rng);
    catalog
}

/// Some of the items, in their order.
fn keep<T>(items: &mut Vec<T>, n: usize, rng: &mut ChaCha8Rng) {
    while items.len() > n {
        items.remove(rng.random_range(0..items.len()));
    }
}

/// A random request, feasible or not, with most rules in some share of the draws.
fn draw(rng: &mut ChaCha8Rng) -> String {
    let pick = |rng: &mut ChaCha8Rng, from: &[&str]| from[rng.random_range(0..from.len())].to_owned();
    let mut body = String::from("workloads:\n");
    for name in ["a", "b"].iter().take(if rng.random_bool(0.3) { 2 } else { 1 }) {
        let rate = f64::from(rng.random_range(1..400u32)) / 10.0;
        let profile = pick(rng, &["flat", "flat", "business-hours", "evening"]);
        let (input, output) = (rng.random_range(50..3000u32), rng.random_range(20..600u32));
        body += &format!(
            "  - name: {name}\n    requests: {{per_second: {rate}, profile: {profile}}}\n    tokens: {{input: {input}, output: {output}}}\n"
        );
        if rng.random_bool(0.5) {
            let limit = rng.random_range(2..40u32) * 1000;
            body += &format!("    latency: {{e2e_ms: {{p95: {limit}}}}}\n");
        }
        if rng.random_bool(0.7) {
            let index = rng.random_range(20..60u32);
            body += &match rng.random_bool(0.3) {
                true => format!(
                    "    quality: {{index: {index}, premium: {{share: 0.25, index: {}}}}}\n",
                    index + 6
                ),
                false => format!("    quality: {{index: {index}}}\n"),
            };
        }
    }
    if rng.random_bool(0.3) {
        body += &format!("routing: {}\n", pick(rng, &["local", "cloud"]));
    }
    if rng.random_bool(0.25) {
        body += &format!("availability: {}\n", pick(rng, &["0.99", "0.999"]));
    }
    if rng.random_bool(0.2) {
        body += "headroom: 0.2\n";
    }
    if rng.random_bool(0.3) {
        body += &format!("budget: {{usd_per_month: {}}}\n", rng.random_range(500..30_000u32));
    }
    body += "allow: {precisions: [bf16], engines: [vllm]}\n";
    body
}

#[test]
fn pruning_does_not_change_the_optimum() {
    const WORLDS: u64 = 60;
    let solved: Vec<Result<bool, String>> = (0..WORLDS)
        .into_par_iter()
        .map(|seed| {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            let body = draw(&mut rng);
            let catalog = cut(&mut rng, &body);
            let read = read_in(world(), &body);
            let of = |prune| {
                let options = Options { prune, ..BRIEF };
                answer(&catalog, &read.requirements, &Value::Null, options)
            };
            let (with, without) = (of(true), of(false));
            if with.status == Status::Unknown || without.status == Status::Unknown {
                return Err(format!("seed {seed}: {:?} {:?}\n{body}", with.warnings, without.warnings));
            }
            match (with.plans.first(), without.plans.first()) {
                (None, None) => Ok(false),
                (Some(a), Some(b)) if close(a.usd_per_month, b.usd_per_month) => Ok(true),
                (a, b) => {
                    let usd = |plan: Option<&Plan>| plan.map(|p| (p.usd_per_month, explain::summary(p)));
                    Err(format!("seed {seed}: {:?} with, {:?} without\n{body}", usd(a), usd(b)))
                }
            }
        })
        .collect();
    let faults: Vec<&String> = solved.iter().filter_map(|one| one.as_ref().err()).collect();
    assert!(faults.is_empty(), "{} of {WORLDS}: {faults:#?}", faults.len());
    let feasible = solved.iter().filter(|one| **one == Ok(true)).count();
    assert!(feasible >= 30, "{feasible} of {WORLDS} have a plan");
}

/// Plans are proven within 1e-4 of the best.
fn close(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-4 * a.abs().max(b.abs())
}

/// Never more than before, within the proven gap.
fn no_dearer(usd: f64, than: f64) -> bool {
    usd <= than * (1.0 + 1e-4)
}

fn bill(requirements: &Requirements) -> Option<f64> {
    best(world(), requirements).map(|plan| plan.usd_per_month)
}

/// Bills along requests that ask for ever less: once there is a plan there always is, at no higher price.
fn never_dearer(what: &str, looser: impl Iterator<Item = Requirements>) {
    let bills: Vec<Option<f64>> = looser.map(|requirements| bill(&requirements)).collect();
    for pair in bills.windows(2) {
        let fine = match (pair[0], pair[1]) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(before), Some(after)) => no_dearer(after, before),
        };
        assert!(fine, "{what}: {bills:?}");
    }
    assert!(bills.last().unwrap().is_some(), "{what}: {bills:?}");
}

#[test]
fn more_budget_never_hurts() {
    for name in ["chatbot", "local", "premium", "available-hybrid"] {
        let base = request(name).requirements;
        let budgets = [10.0, 100.0, 300.0, 1000.0, 3000.0, 10_000.0, 100_000.0];
        never_dearer(
            name,
            budgets.into_iter().map(|usd| {
                let mut asked = base.clone();
                asked.budget.usd_per_month = Some(usd);
                asked
            }),
        );
    }
}

#[test]
fn more_budget_never_hurts_quality_or_latency() {
    for (name, better) in [("quality-objective", 1.0), ("latency-objective", -1.0)] {
        let base = request(name).requirements;
        let values: Vec<f64> = [200.0, 800.0, 3000.0, 20_000.0]
            .into_iter()
            .filter_map(|usd| {
                let mut asked = base.clone();
                asked.budget.usd_per_month = Some(usd);
                let found = answer(world(), &asked, &Value::Null, BRIEF);
                found.proof.value
            })
            .collect();
        assert!(values.len() >= 2, "{name}: {values:?}");
        let no_worse = |pair: &[f64]| (pair[1] - pair[0]) * better >= -1e-4 * pair[0].abs();
        assert!(values.windows(2).all(no_worse), "{name}: {values:?}");
    }
}

#[test]
fn looser_latency_never_costs_more() {
    for name in ["chatbot", "local", "two-workloads", "spread-and-cache", "latency-objective"] {
        let mut base = request(name).requirements;
        base.objective = bursar::requirements::Objective::Cost;
        base.budget.usd_per_month = None;
        let factors = [0.1, 0.3, 0.6, 1.0, 2.0, 5.0];
        never_dearer(
            name,
            factors.into_iter().map(|factor| {
                let mut asked = base.clone();
                let limits = asked.workloads.iter_mut().flat_map(|workload| &mut workload.latency);
                limits.for_each(|limit| limit.ms *= factor);
                asked
            }),
        );
    }
}

#[test]
fn less_caution_never_costs_more() {
    for name in ["chatbot", "local", "headroom", "two-workloads", "owned-and-more"] {
        let base = request(name).requirements;
        never_dearer(
            name,
            [0.95, 0.9, 0.5].into_iter().map(|confidence| Requirements { confidence, ..base.clone() }),
        );
        never_dearer(
            name,
            [0.5, 0.3, 0.0].into_iter().map(|headroom| Requirements { headroom, ..base.clone() }),
        );
    }
}

#[test]
fn fewer_rules_never_cost_more() {
    for (name, _) in REQUESTS {
        let base = request(name).requirements;
        if base.objective != bursar::requirements::Objective::Cost {
            continue;
        }
        let before = bill(&base).unwrap();
        for rule in explain::conflict::MOVABLE {
            let Some(free) = explain::conflict::without(&base, rule) else { continue };
            let after = bill(&free);
            assert!(
                after.is_some_and(|usd| no_dearer(usd, before)),
                "{name} without {rule}: {before} {after:?}"
            );
        }
    }
}

/// What the best plan does not use may go: the plan stays as it is.
#[test]
fn an_unused_contender_changes_nothing() {
    let mut rng = ChaCha8Rng::seed_from_u64(11);
    for name in ["chatbot", "local", "premium", "available-hybrid", "two-workloads", "three-workloads"] {
        let asked = request(name).requirements;
        let before = best(world(), &asked).unwrap();
        for _ in 0..3 {
            let mut catalog = world().clone();
            let uses = |what: &str| {
                before.deployments.iter().any(|deployment| {
                    deployment.model == what
                        || deployment.engine.as_ref().is_some_and(|e| e.offer == what || e.gpu == what)
                })
            };
            catalog.models.retain(|model| uses(&model.id) || rng.random_bool(0.6));
            catalog.apis.retain(|api| uses(&api.id) || rng.random_bool(0.6));
            catalog.offers.retain(|offer| uses(&offer.id) || rng.random_bool(0.6));
            let after = best(&catalog, &asked).unwrap();
            assert!(
                close(before.usd_per_month, after.usd_per_month),
                "{name}: {} {} / {} {}",
                before.usd_per_month,
                explain::summary(&before),
                after.usd_per_month,
                explain::summary(&after)
            );
        }
    }
}

/// Removing a contender never makes the impossible possible, nor anything cheaper.
#[test]
fn a_smaller_world_is_never_cheaper() {
    let mut rng = ChaCha8Rng::seed_from_u64(12);
    for (name, _) in REQUESTS.iter().filter(|(name, _)| !name.contains("objective")) {
        let asked = request(name).requirements;
        let before = bill(&asked).unwrap();
        let mut catalog = world().clone();
        catalog.models.retain(|_| rng.random_bool(0.6));
        catalog.apis.retain(|_| rng.random_bool(0.6));
        catalog.offers.retain(|_| rng.random_bool(0.6));
        if let Some(plan) = best(&catalog, &asked) {
            assert!(no_dearer(before, plan.usd_per_month), "{name}: {before} {}", plan.usd_per_month);
        }
    }
}
