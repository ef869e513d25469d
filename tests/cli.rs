//! The command line as scripts see it: exit codes, what goes to which stream, and words for every command.

#![allow(clippy::unwrap_used, reason = "a test may fail at once")]

use assert_cmd::Command;

const GOOD: &str =
    "version: 1\nworkloads:\n  - {name: a, requests: {per_day: 10}, tokens: {input: 10, output: 10}}\n";

struct Ran {
    code: Option<i32>,
    out: String,
    err: String,
}

fn bursar(args: &[&str], stdin: &str) -> Ran {
    let mut command = Command::cargo_bin("bursar").unwrap();
    let done = command.args(args).env_remove("RUST_BACKTRACE").write_stdin(stdin).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    Ran { code: done.status.code(), out: text(&done.stdout), err: text(&done.stderr) }
}

#[test]
fn usage_errors_exit_2_and_say_so_on_stderr() {
    for args in
        [&["nonsense"][..], &[], &["recommend"], &["schema", "nothing"], &["check", "-", "--nonsense"]]
    {
        let ran = bursar(args, "");
        assert_eq!(ran.code, Some(2), "{args:?}");
        assert!(ran.out.is_empty() && !ran.err.is_empty(), "{args:?}");
    }
}

#[test]
fn every_command_has_long_help_with_examples() {
    for command in [
        "recommend",
        "explain",
        "estimate",
        "accuracy",
        "calibrate",
        "check",
        "catalog",
        "schema",
        "completions",
        "man",
    ] {
        let ran = bursar(&[command, "--help"], "");
        assert_eq!(ran.code, Some(0), "{command}");
        assert!(ran.out.contains(&format!("bursar {command}")), "{command} has no example: {}", ran.out);
        assert!(ran.out.contains("Examples:"), "{command}");
    }
}

#[test]
fn the_solver_is_chosen_among_those_built_in() {
    let by = |backend: &str| bursar(&["recommend", "-", "--format", "json", "--backend", backend], GOOD);
    let (own, second) = (by("microlp"), by("highs"));
    assert_eq!(own.code, Some(0), "{}", own.err);
    assert!(own.out.contains("\"backend\": \"microlp\""), "{}", own.out);
    if cfg!(feature = "highs") {
        assert_eq!(second.code, Some(0), "{}", second.err);
        let read = |ran: &Ran| serde_json::from_str::<serde_json::Value>(&ran.out).unwrap();
        let (own, second) = (read(&own), read(&second));
        assert_eq!(second["proof"]["backend"], "highs");
        for part in ["status", "plans", "kinds", "runners_up"] {
            assert!(second[part] == own[part], "{part} differ between backends");
        }
    } else {
        assert_eq!(second.code, Some(2));
        assert!(second.out.is_empty() && second.err.starts_with("E0904"), "{}", second.err);
        assert!(second.err.contains("--features highs"), "{}", second.err);
    }
    assert_eq!(by("simplex").code, Some(2));
}

#[test]
fn a_good_file_is_understood() {
    let ran = bursar(&["check", "-"], GOOD);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert!(ran.out.contains("10 requests/day") && ran.out.ends_with("nothing wrong\n"), "{}", ran.out);
    assert!(ran.err.starts_with("warning: "), "{}", ran.err);
}

#[test]
fn a_faulty_file_exits_2_with_nothing_on_stdout() {
    let ran = bursar(&["check", "-"], "version: 1\nworkload: []\n");
    assert_eq!(ran.code, Some(2));
    assert!(ran.out.is_empty() && ran.err.starts_with('E'), "{}", ran.err);
}

#[test]
fn faults_of_files_and_rules_arrive_together() {
    let ran = bursar(&["check", "-", "--constraints", "/nonexistent"], "version: 2\n");
    assert_eq!(ran.code, Some(2));
    assert!(ran.err.contains("E0301 /nonexistent") && ran.err.contains("version"), "{}", ran.err);
}

#[test]
fn a_refused_fact_exits_1_and_is_the_result() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("gpus.csv"), "id,nonsense\nx,1\n").unwrap();
    let ran = bursar(&["catalog", "check", "--catalog", &folder.path().to_string_lossy()], "");
    assert_eq!(ran.code, Some(1), "{}{}", ran.out, ran.err);
    assert!(ran.out.starts_with('E'), "{}", ran.out);
    assert_eq!(bursar(&["catalog", "check"], "").code, Some(0));
}

#[test]
fn facts_are_looked_up_by_any_name() {
    let ran = bursar(&["catalog", "show", "H100"], "");
    assert_eq!(ran.code, Some(0));
    assert!(ran.out.contains("h100-sxm") && ran.out.contains("provenance.source"));
    let ran = bursar(&["catalog", "show", "h100-sxmm"], "");
    assert_eq!(ran.code, Some(2));
    assert!(ran.err.contains("Did you mean"), "{}", ran.err);
    let list = bursar(&["catalog", "list", "gpus", "--match", "h100*", "--format", "json"], "");
    let rows: serde_json::Value = serde_json::from_str(&list.out).unwrap();
    assert!(rows.as_array().is_some_and(|rows| rows.len() >= 3));
}

#[test]
fn schemas_are_schemas() {
    for name in bursar::render::schema::NAMES {
        let ran = bursar(&["schema", name], "");
        let schema: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
        assert!(jsonschema::meta::is_valid(&schema), "{name}");
    }
}

#[test]
fn completions_and_manual_name_every_command() {
    let bash = bursar(&["completions", "bash"], "").out;
    let manual = bursar(&["man"], "").out;
    for command in ["recommend", "estimate", "calibrate", "check", "catalog", "schema"] {
        assert!(bash.contains(command) && manual.contains(command), "{command}");
    }
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(bursar(&["man", "--dir", &folder.path().to_string_lossy()], "").code, Some(0));
    assert!(folder.path().join("bursar-check.1").exists());
}

#[test]
fn nothing_is_coloured_off_a_terminal() {
    assert!(!bursar(&["check", "-"], GOOD).out.contains('\u{1b}'));
}

#[cfg(target_os = "linux")]
#[test]
fn a_reader_that_leaves_is_no_fault_and_a_full_disk_is() {
    let program = assert_cmd::cargo::cargo_bin("bursar");
    let shell = |line: &str| {
        std::process::Command::new("sh").args(["-c", line]).env("BURSAR", &program).output().unwrap()
    };
    let left = shell("{ \"$BURSAR\" catalog list offers; echo $? >&2; } | head -n 1 >/dev/null");
    assert_eq!(String::from_utf8(left.stderr).unwrap(), "0\n");
    let full = shell("\"$BURSAR\" catalog list offers >/dev/full");
    assert_eq!(full.status.code(), Some(2));
    assert!(String::from_utf8(full.stderr).unwrap().starts_with("E0901"));
}

const CLOUD: &str = "version: 1\nname: chat\nas_of: 2026-11-20\nworkloads:\n  - name: chat\n    requests: {per_hour: 1000}\n    \
    tokens: {input: 100, output: 50}\n    latency: {e2e_ms: {p95: 4000}}\nrouting: cloud\nbudget: {usd_per_month: 500}\n";

#[test]
fn a_recommendation_is_the_same_twice_and_keeps_to_its_schema() {
    let first = bursar(&["recommend", "-", "--format", "json"], CLOUD);
    assert_eq!(first.code, Some(0), "{}", first.err);
    assert_eq!(bursar(&["recommend", "-", "--format", "json", "--threads", "1"], CLOUD).out, first.out);
    let schema = bursar::render::schema::schema("result").unwrap();
    let value = serde_json::from_str(&first.out).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let faults: Vec<String> =
        validator.iter_errors(&value).map(|fault| format!("{} {fault}", fault.instance_path())).collect();
    assert!(faults.is_empty(), "{faults:?}");
    let back: bursar::recommendation::Recommendation = serde_json::from_value(value).unwrap();
    assert_eq!(bursar::render::json::pretty(&back).unwrap(), first.out);
}

#[test]
fn a_table_is_at_most_100_columns_and_a_refusal_exits_1() {
    use unicode_width::UnicodeWidthStr;
    for (file, code) in [(CLOUD.to_owned(), 0), (CLOUD.replace("500", "0.5"), 1)] {
        for depth in [&["recommend", "-"][..], &["recommend", "-", "--explain"]] {
            let ran = bursar(depth, &file);
            assert_eq!(ran.code, Some(code), "{}", ran.err);
            for line in ran.out.lines() {
                assert!(line.width() <= 100, "{line}");
            }
        }
    }
}

#[test]
fn a_date_on_the_command_line_wins_over_the_file() {
    let ran = bursar(&["recommend", "-", "--as-of", "2024-03-15", "--format", "json"], CLOUD);
    let value: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(value["as_of"], "2024-03-15");
    assert_eq!(bursar(&["recommend", "-", "--as-of", "yesterday"], CLOUD).code, Some(2));
}
