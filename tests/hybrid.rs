//! The hybrid question: the load curve whose optimum is known by hand, break-evens of a flat load, rules that stand in the
//! way, and what the command prints.

#![allow(clippy::unwrap_used, reason = "a test may fail at once")]

mod common;
#[path = "common/run.rs"]
mod run;

use std::sync::OnceLock;

use bursar::constraint::Rules;
use bursar::hybrid::{Ask, Between, Hybrid, Notice, SharePoint, hybrid};
use bursar::reason::Reason;
use bursar::recommendation::{Kind, Status};
use bursar::requirements::{Read, ReadContext};
use bursar::verify::{local_share, verify};
use bursar::{Options, Request};
use common::{read_in, world};
use run::{bursar, example, root};

fn answered(read: &Read, steps: u32, volumes: u32) -> Hybrid {
    let rules = Rules::builtin();
    let request = Request {
        requirements: &read.requirements,
        document: &read.document,
        catalog: world(),
        rules: &rules,
        options: Options::default(),
    };
    let answer = hybrid(&request, &Ask { steps, volumes, progress: &|_| {} }).unwrap();
    // The checker is asked again, here, for every point that is said to comply.
    for point in answer.shares.iter().filter(|point| complies(point)) {
        let plan = point.plan.as_ref().unwrap();
        assert_eq!(verify(&read.requirements, world(), &rules, plan), []);
        assert!((local_share(&read.requirements, plan) - point.local_share).abs() < 1e-5);
    }
    answer
}

fn complies(point: &SharePoint) -> bool {
    matches!(point.status, Status::Optimal | Status::Feasible)
}

fn near(got: f64, want: f64, relative: f64) {
    assert!((got - want).abs() <= relative * want.abs().max(1e-9), "{got}, not {want}");
}

/// The case of tests/scenarios/load-curve/story.md.
fn load_curve() -> &'static Hybrid {
    static ANSWER: OnceLock<Hybrid> = OnceLock::new();
    ANSWER.get_or_init(|| {
        let file = root().join("tests/scenarios/load-curve/with.yaml");
        let read = bursar::requirements::load(&file, &ReadContext::from(world())).unwrap();
        answered(&read, 10, 4)
    })
}

/// Price of a replica and of all requests at the API, USD a day.
const REPLICA: f64 = 88.08;
const API: f64 = 518.40;

/// Requests/s in an hour of the load curve.
fn lambda(hour: u32) -> f64 {
    10.0 * (1.0 + 0.9 * (2.0 * std::f64::consts::PI * f64::from(hour) / 24.0).sin())
}

/// Mean use of the n-th replica: what the hours bring beyond the ones before it, at most 4 requests/s.
fn mean_use(n: u32) -> f64 {
    (0..24).map(|hour| (lambda(hour) - 4.0 * f64::from(n - 1)).clamp(0.0, 4.0)).sum::<f64>() / (24.0 * 4.0)
}

/// Share of the requests that n replicas can serve.
fn reach(n: u32) -> f64 {
    (1..=n).map(mean_use).sum::<f64>() * 4.0 / 10.0
}

#[test]
fn the_load_curve_by_replicas_is_the_one_by_hand() {
    let answer = load_curve();
    let by_hand = [518.40, 426.56, 379.98, 364.3815, 379.76, 440.40];
    assert_eq!(answer.replicas.len(), by_hand.len(), "from none to two beyond the best");
    for (n, (point, usd)) in (0..).zip(answer.replicas.iter().zip(by_hand)) {
        assert_eq!((point.replicas, point.status), (n, Status::Optimal));
        assert_eq!(point.optimum, n == 3);
        near(point.usd_per_month.unwrap(), usd, 2e-5);
        near(point.usd_per_month.unwrap(), REPLICA * f64::from(n) + API * (1.0 - reach(n)), 1e-7);
        match n {
            0 => assert_eq!(point.mean_use, None),
            _ => near(point.mean_use.unwrap(), mean_use(n), 1e-5),
        }
        near(point.local_share.unwrap(), reach(n), 1e-6);
    }
}

#[test]
fn a_replica_of_the_load_curve_pays_from_a_mean_use_of_0_425_on() {
    let answer = load_curve();
    let [critical] = answer.critical.as_slice() else {
        panic!("one engine, one workload: {:?}", answer.critical)
    };
    near(critical.utilisation, 3.67 / (3600.0 * 4.0 * 0.0006), 1e-9);
    near(critical.utilisation, 0.425, 1e-3);
    // The rule and the table agree: the n-th replica lowers the bill where its use exceeds the critical one.
    for pair in answer.replicas.windows(2) {
        let lower = pair[1].usd_per_month < pair[0].usd_per_month;
        assert_eq!(lower, pair[1].mean_use.unwrap() > critical.utilisation, "{} replicas", pair[1].replicas);
    }
}

#[test]
fn the_load_curve_by_share_is_the_one_by_hand() {
    let answer = load_curve();
    assert_eq!(answer.shares.len(), 12, "eleven steps and the best");
    let best = answer.optimum().unwrap();
    near(best.usd_per_month.unwrap(), 364.3815, 1e-6);
    near(best.local_share, 0.806_826, 1e-5);
    assert_eq!(best.replicas, Some(3));
    let mut last = -1.0;
    for point in &answer.shares {
        assert!(point.local_share > last, "in order, each once");
        last = point.local_share;
        // The least number of replicas that can serve the share, and the API for the rest.
        let n = (0..=5).find(|n| reach(*n) >= point.local_share - 1e-9).unwrap();
        near(point.usd_per_month.unwrap(), REPLICA * f64::from(n) + API * (1.0 - point.local_share), 1e-6);
        assert_eq!((point.replicas, point.status), (Some(n), Status::Optimal));
        assert!(point.usd_per_month.unwrap() >= best.usd_per_month.unwrap() - 1e-6);
        // With n replicas at least the hours beyond them overflow; with all on own engines none do.
        let beyond = (0..24).filter(|hour| lambda(*hour) > 4.0 * f64::from(n) + 1e-9).count();
        let hours = point.overflow_hours_per_month.unwrap();
        assert!(hours >= f64::from(u32::try_from(beyond).unwrap()) - 1e-9 && hours <= 24.0 + 1e-9, "{hours}");
        assert_eq!(hours == 0.0, point.local_share > 0.999);
    }
}

/// 10 requests/s all day on replicas of 4/s at $3.67/h, or at an API for $0.0006 = $2.16 an hour for each request/s. A
/// replica costs what 3.67 / 2.16 = 1.699 requests/s cost at the API.
const FLAT: &str = "
workloads: [{name: chat, requests: {per_second: 10}, tokens: {input: 500, output: 100}}]
measured:
  - {option: replica, usd_per_hour: 3.67, capacity_rps: {chat: 4}, e2e_ms_p95: 900, quality_index: 40}
  - {option: api, usd_per_request: 0.0006, capacity_rps: {chat: 100000}, e2e_ms_p95: 1500, quality_index: 50}";

#[test]
fn break_evens_of_a_flat_load_are_exact() {
    let answer = answered(&read_in(world(), FLAT), 2, 16);
    let even = 3.67 / 2.16;
    let of = |between: Between| answer.break_evens.iter().filter(move |one| one.between == between);
    // Alone: n replicas cost as much as the API at n x 1.699; the next replica is needed at 4 n.
    let mut wanted: Vec<f64> = Vec::new();
    for n in 1..=8 {
        let (meets, full) = (f64::from(n) * even, 4.0 * f64::from(n));
        let needed_from = 4.0 * f64::from(n - 1);
        if meets > needed_from {
            wanted.push(meets);
        } else if wanted.len().is_multiple_of(2) && n > 1 {
            wanted.push(needed_from);
        }
        if meets < full && f64::from(n + 1) * even > full {
            wanted.push(full); // one more replica is dearer than the API again
        }
    }
    let got: Vec<f64> = of(Between::LocalAndCloud).map(|one| one.factor * 10.0).collect();
    assert!(!got.is_empty());
    near(got[0], even, 3e-6);
    for volume in &got {
        let close = wanted.iter().any(|by_hand| (volume / by_hand - 1.0).abs() < 1e-5);
        assert!(close, "{volume} requests/s is none of {wanted:?}");
    }
    // The best plan: cloud, then n replicas where the rest of the load is worth one more.
    let first: Vec<_> = of(Between::BestPlans).take(4).collect();
    let kinds: Vec<Kind> = first.iter().map(|one| one.to.kind).collect();
    assert_eq!(kinds, [Kind::Local, Kind::Hybrid, Kind::Local, Kind::Hybrid]);
    for (one, by_hand) in first.iter().zip([even, 4.0, 4.0 + even, 8.0]) {
        near(one.factor * 10.0, by_hand, 2e-4);
    }
    // Cost against volume, by hand.
    for point in &answer.volumes {
        let load = point.factor * 10.0;
        let whole = (load / 4.0).floor();
        let rest = (load - 4.0 * whole).max(0.0);
        let best = (whole * 3.67 + (rest * 2.16).min(3.67)) * 730.0;
        near(point.best_usd_per_month.unwrap(), best, 1e-4);
        near(point.cloud_usd_per_month.unwrap(), load * 2.16 * 730.0, 1e-6);
        near(point.local_usd_per_month.unwrap(), (load / 4.0 - 1e-9).ceil() * 3.67 * 730.0, 1e-4);
        near(point.requests_per_month, load * 3600.0 * 730.0, 1e-9);
    }
    assert!(answer.notices.iter().any(|notice| matches!(notice, Notice::MoreBreakEvens { .. })));
}

#[test]
fn figures_of_a_point_are_weighted_by_requests() {
    let answer = answered(&read_in(world(), FLAT), 2, 2);
    let half = answer.shares.iter().find(|point| (point.local_share - 0.5).abs() < 1e-9).unwrap();
    assert_eq!(half.latency[0].e2e_ms_p95_worst, Some(1500.0));
    near(half.latency[0].e2e_ms_p95_mean.unwrap(), 1200.0, 1e-6);
    near(half.quality_index.unwrap(), 45.0, 1e-6);
    near(half.usd_per_month.unwrap(), (2.0 * 3.67 + 5.0 * 2.16) * 730.0, 1e-6);
}

fn refused_by(point: &SharePoint) -> &str {
    match &point.refused.as_ref().unwrap().fact {
        Reason::Breaks { rule, .. } | Reason::Forbidden { rule, .. } => rule,
        other => panic!("{other:?} names no rule"),
    }
}

#[test]
fn a_share_that_a_limit_forbids_names_the_limit() {
    // Two replicas at most carry 8 of 10 requests/s: 90 and 100 % cannot be.
    let few = FLAT.replace("usd_per_hour: 3.67,", "usd_per_hour: 3.67, max_replicas: 2,");
    let answer = answered(&read_in(world(), &few), 10, 2);
    for point in &answer.shares {
        assert_eq!(complies(point), point.local_share < 0.85, "{}", point.local_share);
        if !complies(point) {
            assert_eq!(refused_by(point), "max_replicas");
            assert_eq!((point.usd_per_month, &point.plan), (None, &None));
        }
    }
}

#[test]
fn a_share_over_the_budget_has_its_cost_and_says_so() {
    // Half on own engines costs $13,242, nothing on them $15,768, everything $8,037.
    let answer = answered(&read_in(world(), &format!("{FLAT}\nbudget: {{usd_per_month: 14000}}")), 2, 2);
    let [none, half, .., all] = answer.shares.as_slice() else { panic!("three steps at least") };
    assert!(!complies(none) && complies(half) && complies(all));
    assert_eq!(refused_by(none), "usd_per_month");
    near(none.usd_per_month.unwrap(), 15_768.0, 1e-9);
    assert!(!answer.volumes[1].within_budget && answer.volumes[1].best_usd_per_month.is_some());
}

#[test]
fn where_only_hosted_models_are_asked_for_own_engines_are_refused_by_that() {
    let answer = answered(&read_in(world(), &format!("{FLAT}\nrouting: cloud")), 2, 2);
    assert!(complies(&answer.shares[0]) && answer.shares[0].optimum);
    assert!(answer.shares[1..].iter().all(|point| refused_by(point) == "routing"));
    assert!(answer.replicas.is_empty() && answer.break_evens.is_empty());
}

#[test]
fn another_objective_is_answered_by_cost_and_said() {
    let answer = answered(&read_in(world(), &format!("{FLAT}\nobjective: quality")), 1, 2);
    assert!(answer.notices.contains(&Notice::ObjectiveIsCost { asked: "quality".into() }));
    // The best is the cheapest plan: two full replicas cost less than the API, and so does the third.
    near(answer.optimum().unwrap().usd_per_month.unwrap(), 3.0 * 3.67 * 730.0, 1e-9);
}

/// Two workloads on the frozen catalog, around the clock and by the hour.
#[test]
fn on_a_catalog_no_share_is_cheaper_than_the_best() {
    let bodies = [
        "
workloads:
  - {name: chat, requests: {per_second: 5, profile: business-hours}, tokens: {input: 300, output: 150}, latency: {e2e_ms: {p95: 15000}}, quality: {index: 40}}
  - {name: draft, requests: {per_second: 2, profile: evening}, tokens: {input: 800, output: 600}, quality: {tier: good}}
allow: {billing: [on-demand]}",
        "
workloads:
  - {name: a, requests: {per_second: 6}, tokens: {input: 600, output: 150}, quality: {index: 40}}
availability: 0.999",
    ];
    for body in bodies {
        let answer = answered(&read_in(world(), body), 4, 2);
        let best = answer.optimum().unwrap_or_else(|| panic!("no plan: {body}"));
        assert!(answer.shares.len() >= 5);
        let least = best.usd_per_month.unwrap();
        for point in answer.shares.iter().filter(|point| complies(point)) {
            // Both are within 1e-4 of their optimum.
            assert!(point.usd_per_month.unwrap() >= least * (1.0 - 1e-4), "{} {body}", point.local_share);
        }
        assert!(answer.shares.iter().filter(|point| complies(point)).count() >= 4, "{body}");
        for point in answer.shares.iter().filter(|point| !complies(point)) {
            assert!(point.refused.is_some() || point.status == Status::Unknown);
        }
    }
}

#[test]
fn the_command_prints_the_same_bytes_with_any_number_of_threads() {
    let file = "tests/scenarios/load-curve/with.yaml";
    let one = bursar(&["hybrid", file, "--volumes", "4", "--threads", "1"]);
    let two = bursar(&["hybrid", file, "--volumes", "4", "--threads", "2"]);
    assert_eq!((one.exit, &one.stdout), (two.exit, &two.stdout));
    assert_eq!(one.exit, 0, "{}", one.stderr);
    for words in ["81 % of the requests on own engines: 3 x replica + api", "42.5 % mean use", "364.38"] {
        assert!(one.stdout.contains(words), "{words:?} is not printed:\n{}", one.stdout);
    }
    assert!(one.stdout.lines().all(|line| line.chars().count() <= 100), "{}", one.stdout);
    assert_eq!(one.stderr, "", "no progress where stderr is no terminal");
}

#[test]
fn json_keeps_to_its_schema_and_csv_and_svg_have_every_point() {
    let folder = tempfile::tempdir().unwrap();
    let drawing = folder.path().join("plots.svg");
    let arguments = ["hybrid", "tests/scenarios/load-curve/with.yaml", "--volumes", "4"];
    let with = |more: &[&str]| bursar(&[&arguments, more].concat());
    let run = with(&["--format", "json", "--svg", drawing.to_str().unwrap()]);
    let json = run.json();
    let schema = bursar(&["schema", "hybrid"]).json();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let faults: Vec<String> = validator.iter_errors(&json).map(|fault| fault.to_string()).collect();
    assert!(faults.is_empty(), "{faults:?}");
    let read: Hybrid = serde_json::from_value(json).unwrap();
    let csv = with(&["--format", "csv"]);
    let mut reader = csv::Reader::from_reader(csv.stdout.as_bytes());
    let tables: Vec<String> = reader.records().map(|row| row.unwrap()[0].to_owned()).collect();
    let rows = |name: &str| tables.iter().filter(|table| table.starts_with(name)).count();
    assert_eq!(rows("share"), read.shares.len());
    assert_eq!(rows("replicas"), read.replicas.len());
    assert_eq!(rows("volume"), read.volumes.len());
    assert_eq!(rows("break-even"), read.break_evens.len());
    let svg = std::fs::read_to_string(drawing).unwrap();
    well_formed(&svg);
    for words in
        ["Cost against local share", "Cost against volume", "USD a month", "optimum: $364.38", "break-even "]
    {
        assert!(svg.contains(words), "{words:?} is not drawn");
    }
    let points = read.shares.len() + read.volumes.len() + read.break_evens.len();
    assert_eq!(svg.matches("<title>").count(), 1 + points, "a tooltip for each point and one for all");
}

/// Every tag is closed in the order in which they were opened.
fn well_formed(svg: &str) {
    let mut open: Vec<String> = Vec::new();
    for tag in svg.split('<').skip(1).map(|rest| rest.split('>').next().unwrap()) {
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop().as_deref(), Some(name), "{name} is closed");
        } else if !tag.ends_with('/') {
            open.push(tag.split_whitespace().next().unwrap().to_owned());
        }
    }
    assert!(open.is_empty(), "{open:?} stay open");
}

#[test]
fn exit_codes_and_stdin() {
    let nothing = "version: 1\nworkloads: [{name: a, requests: {per_day: 10}, tokens: {input: 10, output: 10}}]\n\
                   measured: [{option: api, usd_per_request: 1, capacity_rps: {}}]\n";
    let none = assert_cmd::Command::new(env!("CARGO_BIN_EXE_bursar"))
        .args(["hybrid", "-", "--volumes", "2"])
        .write_stdin(nothing)
        .output()
        .unwrap();
    assert_eq!(none.status.code(), Some(1), "{}", String::from_utf8_lossy(&none.stderr));
    assert!(String::from_utf8(none.stdout).unwrap().contains("no plan complies"));
    let bad = assert_cmd::Command::new(env!("CARGO_BIN_EXE_bursar"))
        .args(["hybrid", "-"])
        .write_stdin("version: 1\n")
        .output()
        .unwrap();
    assert_eq!(bad.status.code(), Some(2));
    assert_eq!(bursar(&["hybrid", "examples/minimal.yaml", "--steps", "0"]).exit, 2);
}

/// As their documents wrote them. Two of the six have a price at which a replica breaks even with a hosted model that
/// complies; elsewhere one side complies at no volume, and the rule is said.
#[test]
fn the_documents_examples_print_their_break_even() {
    let flat = |name: &str, exit: i32| {
        let run =
            bursar(&["hybrid", &example(&format!("{name}-as-written")), "--steps", "2", "--volumes", "7"]);
        assert_eq!(run.exit, exit, "{name}: {}", run.stderr);
        run.stdout.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    for (name, exit, words) in [
        // $360 / $0.000425: GPT-3.5 Turbo (0613 or its successor) breaks the 2 s.
        ("000-1-support-chatbot", 0, "no plan on hosted models alone complies"),
        ("000-1-support-chatbot", 0, "around the clock it costs what"),
        // $2,959.20 / $0.0025.
        ("000-2-articles", 0, "it costs what 1,184,000 requests a month cost there"),
        ("000-2-articles", 0, "hosted models alone are cheaper than own engines alone"),
        ("000-3-research", 0, "no plan on own engines alone complies"),
        ("001-1-chatbot", 1, "around the clock it costs what"),
        ("001-2-content", 1, "around the clock it costs what"),
        ("001-3-research", 1, "neither own engines alone nor hosted models alone comply"),
    ] {
        let text = flat(name, exit);
        assert!(text.contains("break-even"), "{name}: {text}");
        assert!(text.contains(words), "{name} does not say {words:?}: {text}");
    }
}
