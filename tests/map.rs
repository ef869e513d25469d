//! The regime map: regimes that are known by hand, cells of a catalog against a fresh answer, axes that are at fault, and
//! what the command prints.

#![allow(clippy::unwrap_used, reason = "a test may fail at once")]

mod common;
#[path = "common/run.rs"]
mod run;

use bursar::constraint::Rules;
use bursar::error::Error;
use bursar::recommendation::{Kind, Recommendation, Status};
use bursar::regimes::{Ask, Cell, Regimes, axes, regimes};
use bursar::requirements::{Read, Requirements};
use bursar::{Options, Request};
use common::{BRIEF, read_in, world};
use run::bursar;

fn mapped(read: &Read, x: &str, y: &str, steps: Option<&str>, exact: bool) -> Regimes {
    let rules = Rules::builtin();
    let request = Request {
        requirements: &read.requirements,
        document: &read.document,
        catalog: world(),
        rules: &rules,
        options: Options::default(),
    };
    let (x, y) = axes(x, y, steps, &read.requirements).unwrap();
    regimes(&request, &Ask { x: &x, y: &y, exact, progress: &|_| {} }).unwrap()
}

fn near(got: f64, want: f64, relative: f64) {
    assert!((got - want).abs() <= relative * want.abs().max(1e-9), "{got}, not {want}");
}

/// One replica carries 4 requests/s for $3.67 an hour, an API asks $0.0006 a request: a replica costs what
/// 3.67 / 0.0006 x 24 = 146,800 requests a day cost there, and carries 345,600.
const FLAT: &str = "
workloads: [{name: chat, requests: {per_day: 100000}, tokens: {input: 500, output: 100}}]
measured:
  - {option: replica, usd_per_hour: 3.67, max_replicas: 1, capacity_rps: {chat: 4}}
  - {option: api, usd_per_request: 0.0006, capacity_rps: {chat: 100000}}";
const EVEN: f64 = 146_800.0;
const FULL: f64 = 345_600.0;
/// Days of a month of 730 hours.
const DAYS: f64 = 730.0 / 24.0;

#[test]
fn regimes_of_one_replica_and_one_api_are_those_by_hand() {
    let answer =
        mapped(&read_in(world(), FLAT), "volume=10000..1000000", "api-price=0.5,1,2", Some("9"), true);
    assert_eq!((answer.x.values.len(), answer.y.values.len(), answer.cells.len()), (9, 3, 27));
    for cell in &answer.cells {
        let volume = answer.x.values[cell.x as usize].number().unwrap();
        let price = 0.0006 * answer.y.values[cell.y as usize].number().unwrap();
        let rest = (volume - FULL).max(0.0);
        let (cloud, local) = (volume * price * DAYS, (24.0 * 3.67 + rest * price) * DAYS);
        let kind = match (local < cloud, rest > 0.0) {
            (false, _) => Kind::Cloud,
            (true, false) => Kind::Local,
            (true, true) => Kind::Hybrid,
        };
        assert_eq!((cell.kind, cell.status), (Some(kind), Status::Optimal), "{cell:?}");
        near(cell.usd_per_month.unwrap(), local.min(cloud), 1e-6);
    }
    // Up to the crossing the API, from there on the replica, beyond what it carries both.
    for (y, factor) in [(0, 0.5), (1, 1.0), (2, 2.0)] {
        let borders: Vec<_> = answer.borders.iter().filter(|border| border.at == y).collect();
        let [first, second] = borders.as_slice() else { panic!("{borders:?}") };
        assert!(first.exact && second.exact);
        assert_eq!(
            [first.from.kind, first.to.kind, second.from.kind, second.to.kind],
            [Kind::Cloud, Kind::Local, Kind::Local, Kind::Hybrid].map(Some)
        );
        near(first.requests_per_day_high, EVEN / factor, 1.1e-4);
        near(second.requests_per_day_high, FULL, 1.1e-4);
        near(first.to.usd_per_month.unwrap(), 730.0 * 3.67, 1e-4);
    }
    // The legend counts what the cells hold, most frequent first.
    let counts: Vec<u32> = answer.structures.iter().map(|one| one.cells).collect();
    assert_eq!(counts.iter().sum::<u32>(), 27);
    assert!(counts.is_sorted_by(|a, b| a >= b) && counts.len() == 3, "{counts:?}");
    for line in &answer.structures {
        let marked = answer.cells.iter().filter(|cell| cell.structure.as_ref() == Some(&line.mark)).count();
        assert_eq!(marked, line.cells as usize);
    }
}

#[test]
fn without_exact_a_border_lies_between_two_cells() {
    let answer =
        mapped(&read_in(world(), FLAT), "local-price=1,2", "volume=100000,200000,300000", None, false);
    let found: Vec<_> = answer
        .borders
        .iter()
        .map(|border| (border.at, border.requests_per_day_low, border.requests_per_day_high, border.exact))
        .collect();
    // At twice the price of the replica the crossing is at 293,600.
    assert_eq!(found, [(0, 100_000.0, 200_000.0, false), (1, 200_000.0, 300_000.0, false)]);
}

#[test]
fn a_cell_in_which_nothing_complies_names_the_rule_and_the_cost() {
    let answer = mapped(&read_in(world(), FLAT), "volume=100000,200000", "budget=1000,2000", None, false);
    // 100,000 a day cost $1,825 at the API; 200,000 cost $2,679.10 on the replica.
    let kinds: Vec<Option<Kind>> = answer.cells.iter().map(|cell| cell.kind).collect();
    assert_eq!(kinds, [None, None, Some(Kind::Cloud), None]);
    let over = answer.cell(1, 1).unwrap();
    assert_eq!((over.status, over.structure.as_ref()), (Status::Infeasible, None));
    near(over.usd_per_month.unwrap(), 2679.10, 1e-9);
    let fact = serde_json::to_value(&over.refused.as_ref().unwrap().fact).unwrap();
    assert!(fact.to_string().contains("usd_per_month"), "{fact}");
}

const CHAT: &str = "
workloads:
  - name: chat
    requests: {per_day: 50000, profile: business-hours}
    tokens: {input: {mean: 400, p95: 1000}, output: {mean: 150, p95: 400}}
    latency: {e2e_ms: {p95: 12000}, ttft_ms: {p95: 3000}}
    quality: {tier: good}
budget: {usd_per_month: 3000}";

/// A request written as the place of a cell says, answered afresh.
fn afresh(body: &str) -> Recommendation {
    common::ask(world(), &read_in(world(), body), BRIEF)
}

fn same(cell: &Cell, fresh: &Recommendation) {
    assert_eq!(cell.status, fresh.status, "{cell:?}");
    let plan = fresh.plans.first();
    assert_eq!(cell.kind, plan.map(|plan| plan.kind));
    if let Some(plan) = plan {
        // Equal but for the rounding of a volume that is scaled instead of read.
        near(cell.usd_per_month.unwrap(), plan.usd_per_month, 1e-9);
        assert_eq!(cell.summary, bursar::explain::summary(plan));
        assert!((cell.gap.unwrap() - fresh.proof.gap.unwrap()).abs() < 1e-9);
    }
}

#[test]
fn cells_of_a_catalog_are_the_answers_of_recommend() {
    let read = read_in(world(), CHAT);
    let answer =
        mapped(&read, "volume=500,50000,2000000", "quality=basic,good,very-good,excellent", None, false);
    let mut kinds = std::collections::BTreeSet::new();
    for (x, volume) in [500, 50_000, 2_000_000].into_iter().enumerate() {
        for (y, tier) in ["basic", "good", "very-good", "excellent"].into_iter().enumerate() {
            let body =
                CHAT.replace("50000", &volume.to_string()).replace("tier: good", &format!("tier: {tier}"));
            let cell = answer.cell(x, y).unwrap();
            kinds.insert(cell.kind);
            same(cell, &afresh(&body));
        }
    }
    assert!(kinds.len() >= 2, "one kind everywhere would show little: {kinds:?}");
}

#[test]
fn other_axes_write_what_a_person_would_write() {
    let read = read_in(world(), CHAT);
    let answer = mapped(&read, "latency=0.5,2", "budget=200,5000", None, false);
    for (x, (e2e, ttft)) in [(6000, 1500), (24000, 6000)].into_iter().enumerate() {
        for (y, usd) in [200, 5000].into_iter().enumerate() {
            let body = CHAT
                .replace("p95: 12000", &format!("p95: {e2e}"))
                .replace("ttft_ms: {p95: 3000}", &format!("ttft_ms: {{p95: {ttft}}}"))
                .replace("usd_per_month: 3000", &format!("usd_per_month: {usd}"));
            same(answer.cell(x, y).unwrap(), &afresh(&body));
        }
    }
}

/// Around the clock only, which is quickly proven beside spares and waiting.
#[test]
fn spares_and_waiting_are_those_of_a_fresh_answer() {
    let chat = format!("{CHAT}\nallow: {{billing: [on-demand]}}");
    let read = read_in(world(), &chat);
    let answer = mapped(&read, "e2e_ms.p95=2000,40000", "availability=0.9,0.99", None, false);
    for (x, e2e) in [2000, 40000].into_iter().enumerate() {
        for (y, share) in ["0.9", "0.99"].into_iter().enumerate() {
            let body =
                format!("{}\navailability: {share}", chat.replace("p95: 12000", &format!("p95: {e2e}")));
            same(answer.cell(x, y).unwrap(), &afresh(&body));
        }
    }
    let answer = mapped(&read, "deferrable-hours=0,6", "quality=30,45", None, false);
    for (x, hours) in [0, 6].into_iter().enumerate() {
        for (y, index) in [30, 45].into_iter().enumerate() {
            let body = chat.replace(
                "quality: {tier: good}",
                &format!("quality: {{index: {index}}}\n    deferrable_hours: {hours}"),
            );
            same(answer.cell(x, y).unwrap(), &afresh(&body));
        }
    }
}

/// Constant lengths, so that twice the tokens is what a person would write.
#[test]
fn token_factors_move_the_lengths_and_the_longest_request() {
    let plain = CHAT.replace("{mean: 400, p95: 1000}", "400").replace("{mean: 150, p95: 400}", "150");
    let answer = mapped(&read_in(world(), &plain), "input-tokens=0.5,2", "output-tokens=1,2", None, false);
    for (x, input) in [200, 800].into_iter().enumerate() {
        for (y, output) in [150, 300].into_iter().enumerate() {
            let body = plain
                .replace("input: 400", &format!("input: {input}"))
                .replace("output: 150", &format!("output: {output}"));
            same(answer.cell(x, y).unwrap(), &afresh(&body));
        }
    }
}

#[test]
fn price_factors_move_the_price_they_name_and_nothing_else() {
    let local = read_in(
        world(),
        &format!("{CHAT}\nrouting: local\nallow: {{billing: [on-demand]}}").replace("3000}", "3000000}"),
    );
    let answer = mapped(&local, "local-price=0.5,1,2", "api-price=0.5,2", None, false);
    for y in 0..2 {
        let usd = |x: usize| answer.cell(x, y).unwrap().usd_per_month.unwrap();
        near(usd(0), usd(1) / 2.0, 1e-4);
        near(usd(2), usd(1) * 2.0, 1e-4);
        assert_eq!(answer.cell(1, y).unwrap().summary, answer.cell(2, y).unwrap().summary);
    }
    let cloud = read_in(world(), &format!("{CHAT}\nrouting: cloud"));
    let answer = mapped(&cloud, "api-price=0.5,1,2", "local-price=0.5,2", None, false);
    for y in 0..2 {
        let usd = |x: usize| answer.cell(x, y).unwrap().usd_per_month.unwrap();
        near(usd(0), usd(1) / 2.0, 1e-6);
        near(usd(2), usd(1) * 2.0, 1e-6);
    }
}

fn faults(x: &str, y: &str, steps: Option<&str>, asked: &Requirements) -> Vec<String> {
    match axes(x, y, steps, asked) {
        Err(Error::Faults(faults)) => faults.iter().map(ToString::to_string).collect(),
        other => panic!("{x} {y}: {other:?}"),
    }
}

#[test]
fn faults_of_axes_arrive_together_with_their_cures() {
    let asked = read_in(world(), CHAT).requirements;
    assert_eq!(
        faults("volum", "quality=good,exellent", Some("1"), &asked),
        [
            "E0907 --steps 1: must be from 2 to 100 values for each axis. Write 20 for both axes, or 20x10 for each.",
            "E0907 --x volum: \"volum\" is no axis. Write volume.",
            "E0907 --y quality=good,exellent: \"exellent\" is no tier and no index. Write excellent.",
        ]
    );
    assert_eq!(
        faults("volume=9..3", "latency=0", None, &asked),
        [
            "E0907 --x volume=9..3: \"9..3\" is no range from a smaller number to a larger one. Write volume=100..100000.",
            "E0907 --y latency=0: 0 must be from 0.001 to 1000 x. Write latency=0.5..4.",
        ]
    );
    for (x, y, words) in [
        ("volume", "volume=1,2", "is on the other axis already"),
        ("latency", "e2e_ms.p95", "moves a limit that the other moves too"),
        ("volume=1,2,1", "quality", "a value stands there twice"),
        ("tpot_ms.p99", "volume", "no tpot_ms.p99 to start from. Write a range: tpot_ms.p99=500..8000."),
        ("availability=1", "volume", "must be from 0.5 to 0.9999999 share"),
        ("budget=lots", "volume", "\"lots\" is no number. Write budget=100..10000."),
    ] {
        let found = faults(x, y, None, &asked);
        assert!(found.len() == 1 && found[0].contains(words), "{found:?}");
    }
    let bare = read_in(world(), FLAT).requirements;
    let found = faults("latency", "budget", None, &bare);
    assert!(
        found[0].contains("no limit on latency") && found[1].contains("no budget to start from"),
        "{found:?}"
    );
    assert!(faults("quality", "volume", None, &bare)[0].contains("measured capacities"));
}

#[test]
fn ranges_have_as_many_values_as_asked_for_and_round_ones() {
    let asked = read_in(world(), CHAT).requirements;
    let (x, y) = axes("volume=100..100000", "availability=0.9..0.9999", Some("4x4"), &asked).unwrap();
    let numbers = |axis: &bursar::regimes::Axis| -> Vec<f64> {
        axis.values.iter().map(|value| value.number().unwrap()).collect()
    };
    assert_eq!(numbers(&x), [100.0, 1000.0, 10_000.0, 100_000.0]);
    for (got, want) in numbers(&y).into_iter().zip([0.9, 0.99, 0.999, 0.9999]) {
        near(got, want, 1e-12);
    }
    let (x, _) = axes("volume", "quality", Some("20x10"), &asked).unwrap();
    let volumes = numbers(&x);
    assert_eq!((volumes.len(), volumes[19]), (20, 5_000_000.0));
    near(volumes[0], 5000.0, 1e-12);
}

const FILE: &str = "tests/scenarios/load-curve/with.yaml";

#[test]
fn the_command_prints_the_same_bytes_with_any_number_of_threads() {
    let with = |threads: &str| {
        bursar(&["map", FILE, "--x", "volume", "--y", "local-price", "--steps", "8x4", "--threads", threads])
    };
    let (one, two) = (with("1"), with("2"));
    assert_eq!((one.exit, &one.stdout, one.stderr.as_str()), (0, &two.stdout, ""));
    assert!(one.stdout.lines().all(|line| line.chars().count() <= 100), "{}", one.stdout);
    golden("table.txt", &one.stdout);
}

#[test]
fn json_keeps_to_its_schema_and_csv_and_svg_have_every_cell() {
    let folder = tempfile::tempdir().unwrap();
    let drawing = folder.path().join("map.svg");
    let arguments = ["map", FILE, "--x", "volume", "--y", "local-price=0.5,2", "--steps", "6", "--exact"];
    let with = |more: &[&str]| bursar(&[&arguments, more].concat());
    let run = with(&["--format", "json", "--svg", drawing.to_str().unwrap()]);
    let json = run.json();
    let schema = bursar(&["schema", "map"]).json();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let faults: Vec<String> = validator.iter_errors(&json).map(|fault| fault.to_string()).collect();
    assert!(faults.is_empty(), "{faults:?}");
    let read: Regimes = serde_json::from_value(json).unwrap();
    assert_eq!(read.cells.len(), 12);
    let csv = with(&["--format", "csv"]);
    let mut reader = csv::Reader::from_reader(csv.stdout.as_bytes());
    let tables: Vec<String> = reader.records().map(|row| row.unwrap()[0].to_owned()).collect();
    assert_eq!(tables.iter().filter(|table| *table == "cell").count(), read.cells.len());
    assert_eq!(tables.iter().filter(|table| table.ends_with("border")).count(), read.borders.len());
    let svg = std::fs::read_to_string(drawing).unwrap();
    assert_eq!(svg.matches("<g>").count(), read.cells.len());
    golden("map.svg", &svg);
}

#[test]
fn a_map_without_any_plan_exits_with_1_and_faults_with_2() {
    let run = bursar(&["map", FILE, "--x", "volume=1000000,2000000", "--y", "budget=1,2"]);
    assert_eq!(run.exit, 1, "{}", run.stderr);
    assert!(run.stdout.contains("nothing complies anywhere"), "{}", run.stdout);
    let run = bursar(&["map", FILE, "--x", "volume", "--y", "hope"]);
    assert_eq!((run.exit, run.stdout.as_str()), (2, ""));
    assert!(run.stderr.starts_with("E0907 --y hope"), "{}", run.stderr);
}

/// Held to a file of tests/render/map; `BLESS=1` writes it anew.
fn golden(name: &str, text: &str) {
    let file = run::root().join("tests/render/map").join(name);
    if std::env::var_os("BLESS").is_some() {
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, text).unwrap();
    }
    assert_eq!(std::fs::read_to_string(&file).unwrap_or_default(), text, "BLESS=1 accepts it");
}
