//! Rules are data: every built-in id has its file and its line in the docs; users' files are read with the same care.

#![allow(clippy::unwrap_used, reason = "a test may fail at once")]

use std::path::{Path, PathBuf};

use bursar::constraint::{NAMED, Right, Rules};
use bursar::error::Error;
use bursar::measure::{Open, Scope, TABLE};

const CANDIDATE: &str = "allow benchmark context_tokens data_eu_only data_no_training data_on_premises \
    deferrable_hours deny e2e_ms engine_supported estimate_trusted in_force licence max_output memory_gib_per_server \
    needs parallelism precision_supported quality rate_limit retired routing spot tpot_ms ttft_ms weights_fit";
const PLAN: &str = "availability capacity deferrable demand gpus max_deployments max_replicas min_replicas owned power_kw premium_share \
    quality_mean usd_per_month usd_per_request usd_upfront";

fn docs() -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/constraints.md")).unwrap()
}

fn load(files: &[(&str, &str)]) -> Result<Rules, Error> {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    Rules::load(&[folder.path().to_path_buf()])
}

fn faults(text: &str) -> Vec<String> {
    match load(&[("mine.toml", text)]) {
        Ok(_) => Vec::new(),
        Err(Error::Faults(faults)) => faults
            .iter()
            .map(|fault| format!("{} {}: {}. {}", fault.code, fault.place.key, fault.cause, fault.cure))
            .collect(),
        Err(bug) => panic!("{bug}"),
    }
}

const GOOD: &str = "says = \"s\"\nwhy = \"w\"\nscope = \"plan\"\nform = \"share\"\nleft = \"local_share\"\nop = \">=\"\nright = 0.5\n";

#[test]
fn every_built_in_rule_is_there_and_no_other() {
    let ids = |scope| {
        Rules::builtin()
            .iter()
            .filter(|rule| rule.scope == scope)
            .map(|rule| rule.id.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(ids(Scope::Candidate), CANDIDATE.split_whitespace().collect::<Vec<_>>());
    assert_eq!(ids(Scope::Plan), PLAN.split_whitespace().collect::<Vec<_>>());
}

#[test]
fn the_docs_list_every_rule_as_it_stands() {
    let docs = docs();
    for rule in Rules::builtin().iter() {
        let line = docs.lines().find(|line| line.starts_with(&format!("| `{}` |", rule.id)));
        let line = line.unwrap_or_else(|| panic!("docs/constraints.md lacks `{}`", rule.id));
        assert!(line.contains(&rule.says), "docs/constraints.md says something else of `{}`", rule.id);
        let right = match rule.right {
            Right::Literal(number) => number.to_string(),
            Right::Named(named) => named.name.to_owned(),
        };
        let op = serde_json::to_value(rule.op).unwrap();
        let reads = format!("`{} {} {right}`", rule.left, op.as_str().unwrap());
        assert!(line.contains(&reads), "docs/constraints.md: `{}` reads {reads}", rule.id);
    }
}

#[test]
fn the_docs_list_what_users_may_write_rules_over() {
    let docs = docs();
    for entry in TABLE.iter().filter(|entry| entry.open == Open::Anyone) {
        let unit = if entry.unit.is_empty() { "count" } else { entry.unit };
        let line = format!("| `{}` | {} | {unit} | {} |", entry.name, entry.scope.word(), entry.says);
        assert!(docs.contains(&line), "docs/constraints.md lacks: {line}");
    }
    for named in NAMED.iter().filter(|named| named.open) {
        let unit = if named.unit.is_empty() { "count" } else { named.unit };
        let line = format!("| `{}` | {unit} |", named.name);
        assert!(docs.contains(&line), "docs/constraints.md lacks: {line}");
    }
}

#[test]
fn a_rule_of_ones_own_joins_the_others() {
    let rules = load(&[("mostly_ours.toml", GOOD)]).unwrap();
    let custom: Vec<&str> = rules.custom_plan().map(|rule| rule.id.as_str()).collect();
    assert_eq!(custom, ["mostly_ours"]);
    assert_eq!(rules.custom_candidate().count(), 0);
    assert_eq!(rules.get("mostly_ours").unwrap().right, Right::Literal(0.5));
    assert!(rules.get("usd_per_month").is_some());
}

#[test]
fn a_taken_id_is_refused() {
    let Err(Error::Faults(faults)) = load(&[("usd_per_month.toml", GOOD)]) else { panic!("accepted") };
    assert_eq!(faults[0].code, "E0305");
}

#[test]
fn every_fault_of_a_file_is_reported_with_its_place() {
    let text = "says = \"\"\nwhy = 3\nscope = \"plan\"\nfrom = \"sum\"\nleft = \"usd_per_mnth\"\nop = \"<\"\nright = [1]\n";
    assert_eq!(
        faults(text),
        [
            "E0302 from: unknown key. Did you mean `form`?",
            "E0308 says: is blank. Say it in one sentence: people read it in the answer.",
            "E0302 why: must be text, got integer. Put it in quotes.",
            "E0302 op: unknown word \"<\". Write one of \"<=\", \">=\", \"==\".",
            "E0303 left: unknown measure `usd_per_mnth`. Did you mean `usd_per_month`?",
            "E0302 form: missing. Write `form = \"…\"`.",
            "E0302 right: must be a number or a name, got array. Write a number, or a name in quotes.",
        ]
    );
}

#[test]
fn units_must_match() {
    let text = GOOD.replace("0.5", "\"limits.power_kw\"");
    assert_eq!(
        faults(&text),
        ["E0304 right: `local_share` is in share, `limits.power_kw` is in kW. Compare figures of one unit."]
    );
}

#[test]
fn a_measure_keeps_its_scope_and_a_share_its_range() {
    assert!(
        faults(&GOOD.replace("plan", "candidate").replace("form = \"share\"\n", ""))[0]
            .starts_with("E0306 scope")
    );
    assert!(faults(&GOOD.replace("0.5", "50"))[0].starts_with("E0302 right"));
    assert!(faults(&GOOD.replace("0.5", "nan"))[0].starts_with("E0302 right"));
    assert!(faults(&GOOD.replace("local_share", "load"))[0].starts_with("E0307 left"));
    assert!(faults(&GOOD.replace("0.5", "\"budgit\""))[0].starts_with("E0309 right"));
    assert!(faults("says = ")[0].starts_with("E0301"));
}

#[test]
fn a_missing_folder_is_a_fault() {
    let Err(Error::Faults(faults)) = Rules::load(&[PathBuf::from("/nonexistent/rules")]) else {
        panic!("accepted")
    };
    assert_eq!(faults[0].code, "E0301");
}
