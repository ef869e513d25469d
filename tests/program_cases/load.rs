//! Reads a case of `tests/program/`: a header in JSON, its pools in CSV.

use std::collections::BTreeMap;
use std::path::Path;

use bursar::program::{Class, Hosted, Ladder, Mode, Pool, Program, Resource};
use serde::Deserialize;

/// A program with what is known of it.
pub(crate) struct Case {
    pub(crate) program: Program,
    /// The best plan known; `None` where none exists.
    pub(crate) usd_per_month: Option<f64>,
    /// The best bound known.
    pub(crate) bound_usd_per_month: Option<f64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    #[serde(rename = "about")]
    _about: String,
    #[serde(rename = "source")]
    _source: String,
    hours_per_slot: f64,
    /// Load a replica may have.
    load_factor: f64,
    usd_per_month: Option<f64>,
    bound_usd_per_month: Option<f64>,
    gpus_max: BTreeMap<String, f64>,
    usd_upfront_max: Option<f64>,
    deployments_max: Option<u32>,
    /// A pool in use has one replica more than it needs.
    spare: bool,
    load_rps: serde_json::Map<String, serde_json::Value>,
    /// USD per request by workload.
    hosted: BTreeMap<String, Vec<Option<f64>>>,
}

/// Reads `tests/program/NAME.json` and `NAME.csv`.
pub(crate) fn case(name: &str) -> Case {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/program");
    let text = std::fs::read_to_string(folder.join(format!("{name}.json"))).expect("a header");
    let header: Header = serde_json::from_str(&text).expect("keys of a header");
    let classes: Vec<Class> = header
        .load_rps
        .iter()
        .map(|(name, load)| {
            let load_rps: Vec<f64> = serde_json::from_value(load.clone()).expect("rates");
            Class { name: name.clone(), billed_rps: load_rps.clone(), load_rps, ..Class::default() }
        })
        .collect();
    let pools = pools(&folder.join(format!("{name}.csv")), &header, &classes);
    let count = classes.len();
    let hosted = header.hosted.iter().enumerate().map(|(a, (id, usd))| Hosted {
        id: id.clone(),
        deployments: vec![a],
        usd_per_request: usd.clone(),
        score: vec![0.0; count],
        rate_rps: vec![f64::INFINITY; count],
        ..Hosted::default()
    });
    let resources = header.gpus_max.iter().map(|(key, limit)| Resource {
        rule: "gpus".into(),
        key: key.clone(),
        limit: *limit,
    });
    let program = Program {
        slot_hours: vec![header.hours_per_slot; classes[0].load_rps.len()],
        pools,
        hosted: hosted.collect(),
        resources: resources.collect(),
        classes,
        usd_upfront_max: header.usd_upfront_max,
        deployments_max: header.deployments_max,
        ..Program::default()
    };
    Case { program, usd_per_month: header.usd_per_month, bound_usd_per_month: header.bound_usd_per_month }
}

fn pools(path: &Path, header: &Header, classes: &[Class]) -> Vec<Pool> {
    let mut reader = csv::Reader::from_path(path).expect("pools");
    let names = reader.headers().expect("a line of names").clone();
    let column = |name: &str| names.iter().position(|found| found == name);
    let modes: Vec<(&str, usize, Option<usize>)> = names
        .iter()
        .enumerate()
        .filter_map(|(at, name)| {
            let billing = name.strip_suffix(" usd_per_month")?;
            Some((billing, at, column(&format!("{billing} usd_upfront"))))
        })
        .collect();
    let rates: Vec<usize> = classes
        .iter()
        .map(|class| column(&format!("{} rps", class.name)).expect("a column for each workload"))
        .collect();
    let row = |(r, row): (usize, csv::StringRecord)| {
        let text = |name: &str| row[column(name).expect("a column")].to_owned();
        let figure =
            |at: usize| -> Option<f64> { (!row[at].is_empty()).then(|| row[at].parse().expect("a figure")) };
        let gpu = header.gpus_max.keys().position(|key| *key == text("gpu"));
        let gpus: f64 = text("gpus").parse().expect("a count");
        Pool {
            id: text("id"),
            deployment: r,
            capacity: rates.iter().map(|at| figure(*at).unwrap_or(0.0) * header.load_factor).collect(),
            replicas: 1,
            modes: modes
                .iter()
                .filter_map(|(billing, usd, upfront)| {
                    Some(Mode {
                        billing: (*billing).to_owned(),
                        usd_per_month: figure(*usd)?,
                        usd_upfront: upfront.and_then(figure).unwrap_or(0.0),
                        ..Mode::default()
                    })
                })
                .collect(),
            usd_per_hour: figure(column("usd_per_hour").expect("a column")),
            usd_per_request: vec![0.0; classes.len()],
            score: vec![0.0; classes.len()],
            uses: gpu.map(|k| (k, gpus)).into_iter().collect(),
            ladder: header.spare.then(|| Ladder { needed_max: vec![0, u32::MAX] }),
            ..Pool::default()
        }
    };
    reader.records().map(|row| row.expect("a row")).enumerate().map(row).collect()
}
