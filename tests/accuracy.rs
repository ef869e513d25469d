//! The accuracy page on two small files of made-up figures: same bytes, sound plots, figures that add up.

#![allow(clippy::unwrap_used, reason = "a test may fail at once")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use assert_cmd::Command;
use tempfile::TempDir;

/// Copies the files into a folder of its own and makes the page there; the folder is named by no path.
fn made(unseen: bool, threads: &str) -> (TempDir, String, BTreeMap<String, String>) {
    let folder = tempfile::tempdir().unwrap();
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/accuracy");
    for name in ["fitted.csv", "unseen.csv"] {
        fs::copy(here.join(name), folder.path().join(name)).unwrap();
    }
    let mut command = Command::cargo_bin("bursar").unwrap();
    command.current_dir(folder.path()).env("RAYON_NUM_THREADS", threads);
    command.args(["accuracy", "fitted.csv"]);
    if unseen {
        command.args(["--unseen", "unseen.csv"]);
    }
    let done = command.args(["--output", "out"]).output().unwrap();
    assert_eq!(done.status.code(), Some(0), "{}", String::from_utf8_lossy(&done.stderr));
    let page = fs::read_to_string(folder.path().join("out/accuracy.md")).unwrap();
    let plots = fs::read_dir(folder.path().join("out/accuracy")).unwrap();
    let plots = plots.map(|entry| {
        let entry = entry.unwrap();
        (entry.file_name().into_string().unwrap(), fs::read_to_string(entry.path()).unwrap())
    });
    let plots = plots.collect();
    (folder, page, plots)
}

/// The text under a heading, up to the next one.
fn under<'p>(page: &'p str, heading: &str) -> &'p str {
    let start = page.find(&format!("\n{heading}\n")).unwrap_or_else(|| panic!("no `{heading}`"));
    let rest = &page[start + 1..];
    rest[1..].find("\n#").map_or(rest, |end| &rest[..=end + 1])
}

/// The rows of the first table of a text.
fn table(text: &str) -> Vec<Vec<&str>> {
    let lines = text.lines().skip_while(|line| !line.starts_with('|')).skip(2);
    let rows = lines.take_while(|line| line.starts_with('|'));
    rows.map(|line| line.trim_matches('|').split('|').map(str::trim).collect()).collect()
}

/// What a file measures.
fn figures(name: &str) -> Vec<BTreeMap<String, String>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/accuracy").join(name);
    let mut reader = csv::ReaderBuilder::new().comment(Some(b'#')).from_path(path).unwrap();
    let header = reader.headers().unwrap().clone();
    let row = |record: csv::StringRecord| {
        header.iter().map(str::to_owned).zip(record.iter().map(str::to_owned)).collect()
    };
    reader.records().map(|record| row(record.unwrap())).collect()
}

#[test]
fn the_same_files_give_the_same_bytes() {
    let (_one, page, plots) = made(true, "1");
    let (_two, again, plots_again) = made(true, "2");
    assert_eq!(page, again);
    assert_eq!(plots, plots_again);
}

#[test]
fn unseen_rows_change_no_fold() {
    let (_one, with, plots) = made(true, "2");
    let (_two, without, plots_without) = made(false, "2");
    for heading in
        ["## In short", "### GPU left out", "### Source left out", "### Half of the curves left out"]
    {
        assert_eq!(under(&with, heading), under(&without, heading));
    }
    assert_eq!(plots.keys().collect::<Vec<_>>(), plots_without.keys().collect::<Vec<_>>());
    assert!(!without.contains("### Unseen files"));
}

#[test]
fn counts_agree_with_the_files() {
    let (_folder, page, plots) = made(true, "2");
    let fitted = figures("fitted.csv");
    let count = |load: &str, measure: &str, moe: bool, holds: &dyn Fn(&BTreeMap<String, String>) -> bool| {
        let own = |row: &&BTreeMap<String, String>| {
            row["load"] == load
                && row["measure"] == measure
                && row["model"].contains("A3B") == moe
                && holds(row)
        };
        fitted.iter().filter(own).count().to_string()
    };
    let told = table(under(&page, "## In short"));
    let rows = |name: &str, class: &str| -> String {
        let line = told.iter().find(|line| line[0].starts_with(name) && line[1] == class);
        line.unwrap_or_else(|| panic!("no {name} {class}"))[2].to_owned()
    };
    let any = |_: &BTreeMap<String, String>| true;
    for (class, moe) in [("dense", false), ("MoE", true)] {
        assert_eq!(rows("TPOT", class), count("closed", "tpot_ms", moe, &any));
        assert_eq!(rows("saturation", class), count("max", "output_tokens_per_s", moe, &any));
        assert_eq!(rows("TTFT, one prompt", class), count("static", "ttft_ms", moe, &any));
        // A percentile of a closed loop is nothing the oracle speaks of.
        let middle = |row: &BTreeMap<String, String>| row["statistic"] != "p99";
        assert_eq!(rows("TTFT, closed loop", class), count("closed", "ttft_ms", moe, &middle));
        assert_eq!(rows("E2E, closed loop", class), count("closed", "e2e_ms", moe, &any));
        let plot = &plots["tpot.svg"];
        assert!(plot.contains(&format!("{class} ({})", rows("TPOT", class))), "{plot}");
    }
    let files = table(under(&page, "### Files"));
    assert_eq!(files[0][..3], ["fitted.csv", "fitted", &fitted.len().to_string()]);
    assert_eq!(files[1][..3], ["unseen.csv", "unseen", &figures("unseen.csv").len().to_string()]);
    for source in table(under(&page, "### Sources")) {
        let name = source[0];
        assert_eq!(source[1..3], ["made up", &format!("https://example.com/{name}")]);
        let used = fitted.iter().filter(|row| row["source"] == name).count();
        assert!(source[3].parse::<usize>().unwrap() <= used, "{source:?}");
    }
}

#[test]
fn every_table_of_figures_names_its_fold() {
    let (_folder, page, _) = made(true, "2");
    assert!(page.contains("Made by `bursar accuracy fitted.csv --unseen unseen.csv --output out`"), "{page}");
    let mut before = "";
    let mut last = "";
    for line in page.lines() {
        if line.starts_with("| --") {
            let fold = last.contains("| fold |") || before.contains("Fold:") || before.contains("left out");
            let none = before.contains("there is no fold");
            assert!(fold || none || last.contains("| file ") || last.contains("licence"), "{before}\n{last}");
        }
        if !line.is_empty() && !line.starts_with('|') {
            before = line;
        }
        last = line;
    }
}

#[test]
fn more_confidence_breaks_no_more_limits() {
    let (_folder, page, _) = made(true, "2");
    let lines = table(under(&page, "## Choosing the best of many"));
    let mut broken: BTreeMap<(&str, &str), Vec<f64>> = BTreeMap::new();
    for line in &lines {
        broken.entry((line[0], line[1])).or_default().push(line[5].parse().unwrap());
    }
    assert!(broken.len() >= 8, "{lines:?}");
    for (what, shares) in broken {
        assert_eq!(shares.len(), 4, "{what:?}");
        assert!(shares.windows(2).all(|pair| pair[1] <= pair[0]), "{what:?}: {shares:?}");
    }
}

#[test]
fn plots_are_linked_and_well_formed() {
    let (_folder, page, plots) = made(true, "2");
    assert!(plots.len() >= 7, "{:?}", plots.keys());
    for (name, text) in &plots {
        assert!(page.contains(&format!("](accuracy/{name})")), "{name} is linked nowhere");
        well_formed(name, text);
        assert!(!text.contains("NaN") && !text.contains("inf"), "{name}");
        assert!(text.contains("prefers-color-scheme:dark"), "{name}");
    }
    assert_eq!(page.matches("](accuracy/").count(), plots.len());
    let tpot = &plots["tpot.svg"];
    assert!(tpot.contains("measured, ms") && tpot.contains("predicted, ms"));
    assert!(plots["saturation.svg"].contains("measured, tokens/s"));
}

/// Every element closed in its order, every attribute quoted, every reserved character escaped.
fn well_formed(name: &str, text: &str) {
    let mut open: Vec<&str> = Vec::new();
    let mut rest = text;
    let mut roots = 0;
    while let Some(at) = rest.find('<') {
        let words = &rest[..at];
        assert!(!words.contains('>') && entities(words), "{name}: {words}");
        assert!(!open.is_empty() || words.trim().is_empty(), "{name}: {words} outside");
        let end = rest[at..].find('>').unwrap_or_else(|| panic!("{name}: no end")) + at;
        let tag = &rest[at + 1..end];
        rest = &rest[end + 1..];
        if let Some(closed) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(closed), "{name}");
            continue;
        }
        roots += usize::from(open.is_empty());
        let body = tag.strip_suffix('/');
        let inside = body.unwrap_or(tag);
        let (element, attributes) = inside.split_once(' ').unwrap_or((inside, ""));
        assert!(element.chars().all(char::is_alphanumeric), "{name}: <{element}>");
        let pieces: Vec<&str> = attributes.split('"').collect();
        assert_eq!(pieces.len() % 2, 1, "{name}: {tag}");
        for pair in pieces.chunks(2).filter(|pair| pair.len() == 2) {
            let key = pair[0].trim().strip_suffix('=').unwrap_or_else(|| panic!("{name}: {tag}"));
            assert!(!key.is_empty() && key.chars().all(|c| c.is_alphanumeric() || c == '-'), "{name}: {key}");
            assert!(entities(pair[1]), "{name}: {tag}");
        }
        if body.is_none() {
            open.push(element);
        }
    }
    assert!(open.is_empty() && roots == 1 && rest.trim().is_empty(), "{name}: {open:?}");
}

/// Is every `&` the begin of an entity?
fn entities(text: &str) -> bool {
    let known = ["amp;", "lt;", "gt;", "quot;"];
    text.match_indices('&').all(|(at, _)| known.iter().any(|name| text[at + 1..].starts_with(name)))
}

#[test]
fn a_file_that_is_none_is_a_fault() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let mut command = Command::cargo_bin("bursar").unwrap();
    command.args(["accuracy", "no-such.csv", "--output"]).arg(&out);
    let done = command.output().unwrap();
    assert_eq!(done.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&done.stderr).starts_with("E0902 no-such.csv"));
    assert!(!out.exists());
}
