//! What people and programs read, held to golden files. `BLESS=1 cargo test --test render` writes them anew;
//! read the difference as a customer would.

#![allow(clippy::unwrap_used, reason = "a test may fail at once")]

#[path = "render/fixtures.rs"]
mod fixtures;

use std::collections::BTreeSet;
use std::path::PathBuf;

use bursar::reason::Reason;
use bursar::recommendation::Recommendation;
use bursar::render::table::{TableOptions, paragraph, table};
use bursar::render::{json, phrase, schema};
use unicode_width::UnicodeWidthStr;

fn stories() -> [(&'static str, Recommendation); 4] {
    [
        ("local", fixtures::local()),
        ("cloud", fixtures::cloud()),
        ("hybrid", fixtures::hybrid()),
        ("infeasible", fixtures::infeasible()),
    ]
    .map(|(name, mut answer)| {
        phrase::tell(&mut answer);
        (name, answer)
    })
}

fn options(all: bool) -> TableOptions {
    TableOptions { all, file: "request.yaml".into(), ..TableOptions::default() }
}

fn golden(name: &str, text: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/render").join(name);
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, text).unwrap();
    }
    let blessed = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(text, blessed, "{name} changed; BLESS=1 accepts it");
}

#[test]
fn tables_are_as_blessed() {
    for (name, answer) in stories() {
        golden(&format!("{name}.txt"), &table(&answer, &options(false)));
        golden(&format!("{name}-explain.txt"), &table(&answer, &options(true)));
        golden(&format!("{name}-paragraph.txt"), &paragraph(&answer, &options(false)));
    }
}

#[test]
fn json_is_as_blessed_and_reads_back() {
    for (name, answer) in stories() {
        let text = json::pretty(&answer).unwrap();
        golden(&format!("{name}.json"), &text);
        let back: Recommendation = serde_json::from_str(&text).unwrap();
        assert_eq!(json::pretty(&back).unwrap(), text, "{name}");
        assert_eq!(table(&back, &options(true)), table(&answer, &options(true)), "{name}");
    }
}

#[test]
fn json_keeps_to_its_schema() {
    let schema = schema::schema("result").unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    for (name, answer) in stories() {
        let value = serde_json::to_value(&answer).unwrap();
        let faults: Vec<String> =
            validator.iter_errors(&value).map(|fault| format!("{} {fault}", fault.instance_path())).collect();
        assert!(faults.is_empty(), "{name}: {faults:?}");
    }
}

#[test]
fn no_line_is_wider_than_asked() {
    for width in [60, 72, 100, 140] {
        for (name, answer) in stories() {
            for all in [false, true] {
                let text = table(&answer, &TableOptions { width, ..options(all) });
                let allowed = width.min(100);
                // A source or pointer that has no blank cannot be broken.
                for line in text
                    .lines()
                    .filter(|line| line.split_whitespace().all(|word| word.width() < allowed - 20))
                {
                    assert!(width < 100 || line.width() <= allowed, "{name} at {width}: {line}");
                    assert!(line.trim_end() == line, "{name}: blank at the end of {line:?}");
                }
            }
        }
    }
}

#[test]
fn colour_says_nothing_that_words_do_not() {
    for (name, answer) in stories() {
        let bare = table(&answer, &options(false));
        let painted = table(&answer, &TableOptions { color: true, ..options(false) });
        let mut stripped = String::new();
        let mut rest = painted.as_str();
        while let Some(start) = rest.find('\u{1b}') {
            stripped.push_str(&rest[..start]);
            let end = rest[start..].find('m').unwrap();
            rest = &rest[start + end + 1..];
        }
        stripped.push_str(rest);
        // Blanks that fill a coloured cell stand outside the colour, so nothing else differs.
        assert_eq!(stripped.replace(' ', ""), bare.replace(' ', ""), "{name}");
    }
}

#[test]
fn every_reason_is_phrased_in_some_story() {
    let mut phrased = BTreeSet::new();
    for (_, answer) in stories() {
        let plans = answer.plans.iter().flat_map(|plan| plan.reasons.iter().chain(&plan.binding));
        let kinds = answer.kinds.iter().filter_map(|best| best.refused.as_ref());
        let others = answer.runners_up.iter().map(|other| &other.reason).chain(&answer.conflict_reasons);
        let asked = answer.why_not.iter().flat_map(|other| other.also.iter().chain([&other.reason]));
        for told in plans.chain(kinds).chain(others).chain(asked) {
            assert!(!told.sentence.is_empty());
            phrased.insert(variant(&told.fact));
        }
    }
    assert_eq!(phrased.len(), 11, "{phrased:?}");
}

/// No `_` arm: a new reason does not compile until a story shows it.
fn variant(reason: &Reason) -> &'static str {
    match reason {
        Reason::Breaks { .. } => "breaks",
        Reason::Forbidden { .. } => "forbidden",
        Reason::Dearer { .. } => "dearer",
        Reason::WorseOn { .. } => "worse-on",
        Reason::Unknown { .. } => "unknown",
        Reason::DominatedBy { .. } => "dominated-by",
        Reason::Binding { .. } => "binding",
        Reason::Serves { .. } => "serves",
        Reason::Surplus { .. } => "surplus",
        Reason::Borderline { .. } => "borderline",
        Reason::NobodyServes { .. } => "nobody-serves",
    }
}
