//! Plans of stories, damaged: the checker names the rule that tiers, rate limits, spot and serverless engines rest on.

#![allow(clippy::unwrap_used, reason = "a test may fail at once")]

mod common;

use std::path::{Path, PathBuf};

use bursar::catalog::Catalog;
use bursar::constraint::Rules;
use bursar::recommendation::Plan;
use bursar::requirements::{LatencyLimit, LatencyMeasure, Requirements, Statistic};
use bursar::verify::verify;
use common::{BRIEF, ask, read_in};

fn folder(story: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios").join(story)
}

fn catalog(story: &str) -> Catalog {
    Catalog::load(&[folder(story).join("catalog")]).unwrap()
}

/// The best plan of a request under the catalog of a story, accepted as it is.
fn plan(catalog: &Catalog, body: &str) -> (Requirements, Plan) {
    let read = read_in(catalog, body);
    let mut answer = ask(catalog, &read, BRIEF);
    let plan = answer.plans.swap_remove(0);
    assert_eq!(broken(catalog, &read.requirements, &plan), Vec::<String>::new());
    (read.requirements, plan)
}

fn with(story: &str) -> (Catalog, Requirements, Plan) {
    let catalog = catalog(story);
    let text = std::fs::read_to_string(folder(story).join("with.yaml")).unwrap();
    let (_, body) = text.split_once("version: 1\n").unwrap();
    let (requirements, plan) = plan(&catalog, body);
    (catalog, requirements, plan)
}

fn broken(catalog: &Catalog, requirements: &Requirements, plan: &Plan) -> Vec<String> {
    verify(requirements, catalog, &Rules::builtin(), plan).into_iter().map(|broken| broken.rule).collect()
}

#[track_caller]
fn names(rule: &str, story: &str, harm: impl Fn(&mut Requirements, &mut Plan)) {
    let (catalog, mut requirements, mut plan) = with(story);
    harm(&mut requirements, &mut plan);
    let found = broken(&catalog, &requirements, &plan);
    assert!(found.iter().any(|broken| broken == rule), "{story}: {rule} is not among {found:?}");
}

fn within(ms: f64) -> LatencyLimit {
    LatencyLimit { measure: LatencyMeasure::E2e, statistic: Statistic::P95, ms }
}

#[test]
fn a_batch_is_no_answer_to_work_that_cannot_wait() {
    names("deferrable_hours", "batch-tier", |asked, _| asked.workloads[0].deferrable_hours = 23.9);
    names("deferrable_hours", "flex-tier", |asked, _| asked.workloads[0].deferrable_hours = 0.0);
}

#[test]
fn a_batch_answers_at_the_end_of_its_window() {
    let day_ms = 24.0 * 3_600_000.0;
    names("e2e_ms", "batch-tier", |asked, _| asked.workloads[0].latency.push(within(day_ms - 1e6)));
    let (catalog, mut requirements, plan) = with("batch-tier");
    requirements.workloads[0].latency.push(within(day_ms));
    assert_eq!(broken(&catalog, &requirements, &plan), Vec::<String>::new());
}

#[test]
fn a_rate_limit_holds_for_requests_and_tokens() {
    let all_to_the_first = |_: &mut Requirements, plan: &mut Plan| {
        plan.routing[0].share = 0.76;
        plan.routing[1].share = 0.24;
    };
    names("rate_limit", "rate-limit", all_to_the_first);
    names("rate_limit", "rate-limit", |asked, _| {
        asked.limits.apis.get_mut("acme/cheap").unwrap().requests_per_minute = Some(44.0);
    });
}

#[test]
fn workloads_share_the_limit_of_an_api() {
    // 60 requests a minute of each workload, 90 are accepted: half of the second, which loses least, goes to the
    // dear model. 2,628,000 x (0.0004 + 0.5 x 0.0002 + 0.5 x 0.0004) = 1,839.60
    let body = "workloads:
  - {name: long, requests: {per_second: 1}, tokens: {input: 800, output: 200}}
  - {name: short, requests: {per_second: 1}, tokens: {input: 400, output: 100}}
limits: {apis: {acme/cheap: {requests_per_minute: 90}}}
allow: {providers: [acme]}
routing: cloud
";
    let (_, plan) = plan(&catalog("rate-limit"), body);
    assert!((plan.usd_per_month - 1839.6).abs() < 1e-3, "{}", plan.usd_per_month);
}

#[test]
fn spot_instances_need_patience_or_a_fallback() {
    names("spot", "spot-deferrable", |asked, _| asked.workloads[0].deferrable_hours = 0.9);
    names("spot", "spot-with-fallback", |_, plan| plan.routing[0].fallback = None);
    // Capacity that is promised is not made of instances that go together.
    names("spot", "spot-deferrable", |asked, _| asked.availability = Some(0.9));
}

#[test]
fn a_fallback_is_paid_for_the_time_instances_are_away() {
    names("usd_per_month", "spot-with-fallback", |_, plan| {
        plan.bill[1].usd_per_month = 0.0;
        plan.usd_per_month -= 21.9;
    });
}

#[test]
fn an_engine_by_the_second_is_slow_from_cold_and_paid_for_its_start() {
    let limit = |ms: f64| move |asked: &mut Requirements, _: &mut Plan| asked.workloads[0].latency[0].ms = ms;
    names("e2e_ms", "serverless-cold-start", limit(89_000.0));
    names("usd_per_month", "serverless-cold-start", |_, plan| {
        plan.bill[0].usd_per_month -= 5.0;
        plan.usd_per_month -= 5.0;
    });
    // How many run at once is not known.
    names("gpus", "serverless-cold-start", |asked, _| {
        asked.limits.gpus.insert("l4".to_owned(), 4);
    });
    names("power_kw", "serverless-cold-start", |asked, _| asked.limits.power_kw = Some(10.0));
}
