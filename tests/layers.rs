//! A room of `src/` uses only rooms listed above it in CONTRIBUTING.md; and a few things live in one room only.

#![allow(clippy::unwrap_used, reason = "a test may stop here")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Names of the crate's root, for the command line and for other crates only.
const ROOT: &str = "cli";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The rooms in the order of CONTRIBUTING.md: lines of its code block under "## Rooms".
fn rooms() -> Vec<String> {
    let text = fs::read_to_string(root().join("CONTRIBUTING.md")).unwrap();
    let (_, section) = text.split_once("## Rooms").expect("CONTRIBUTING.md has a section Rooms");
    let block = section.split("```").nth(1).expect("the section Rooms has a code block");
    let line = |line: &str| line.split_whitespace().next().map(str::to_owned);
    block.lines().skip(1).filter_map(line).collect()
}

/// Every source file with its room and its code, comments and unit tests left out.
fn files() -> Vec<(PathBuf, String, String)> {
    let src = root().join("src");
    let mut found = Vec::new();
    let mut folders = vec![src.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "rs") {
                let inside = path.strip_prefix(&src).unwrap().to_path_buf();
                let first = inside.components().next().unwrap().as_os_str().to_string_lossy().into_owned();
                let text = fs::read_to_string(&path).unwrap();
                let code = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
                let code: String = code
                    .lines()
                    .filter(|line| !line.trim_start().starts_with("//"))
                    .map(|line| format!("{line}\n"))
                    .collect();
                found.push((inside, first.trim_end_matches(".rs").to_owned(), code));
            }
        }
    }
    found.sort();
    found
}

/// First names after `crate::`, also in `use crate::{a, b::c}`.
fn uses(code: &str) -> BTreeSet<String> {
    let name = |text: &str| text.trim().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
    let mut found: BTreeSet<String> = BTreeSet::new();
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        if let Some(group) = rest.strip_prefix('{') {
            let mut depth = 0;
            let mut item = String::new();
            for c in group.chars() {
                match c {
                    '{' => depth += 1,
                    '}' if depth == 0 => break,
                    '}' => depth -= 1,
                    ',' if depth == 0 => found.extend([name(&std::mem::take(&mut item))]),
                    _ if depth == 0 => item.push(c),
                    _ => {}
                }
            }
            found.extend([name(&item)]);
        } else {
            found.extend([name(rest)]);
        }
    }
    found.remove("");
    found
}

#[test]
fn every_room_is_listed_and_exists() {
    let listed: BTreeSet<String> = rooms().into_iter().collect();
    let there: BTreeSet<String> =
        files().into_iter().map(|(_, room, _)| room).filter(|room| room != "lib" && room != "main").collect();
    assert_eq!(listed, there, "the list of rooms in CONTRIBUTING.md and src/ differ");
}

#[test]
fn a_room_uses_only_rooms_above_it() {
    let order: BTreeMap<String, usize> =
        rooms().into_iter().enumerate().map(|(at, room)| (room, at)).collect();
    let mut wrong = Vec::new();
    for (file, room, code) in files() {
        let Some(own) = order.get(&room) else { continue };
        for used in uses(&code) {
            match order.get(&used) {
                Some(other) if other <= own => {}
                None if room == ROOT => {}
                _ => wrong.push(format!("src/{} uses crate::{used}", file.display())),
            }
        }
    }
    assert!(wrong.is_empty(), "against the order of CONTRIBUTING.md:\n{}", wrong.join("\n"));
}

#[test]
fn the_checker_shares_nothing_with_what_it_checks() {
    let forbidden = ["program", "solve", "candidate", "formulate", "plan", "search", "explain", "answer"];
    for (file, room, code) in files().into_iter().filter(|(_, room, _)| room == "verify") {
        for used in uses(&code) {
            assert!(!forbidden.contains(&used.as_str()), "{room}: src/{} uses {used}", file.display());
        }
    }
}

#[test]
fn one_folder_knows_the_solvers() {
    for (file, _, code) in files() {
        let named = ["good_lp", "microlp", "highs::"].iter().any(|solver| code.contains(solver));
        assert!(
            !named || file.starts_with("solve/backend"),
            "src/{} names the solver's crate",
            file.display()
        );
    }
}

#[test]
fn only_readers_and_the_command_line_touch_the_world() {
    let readers = ["cli", "requirements", "catalog", "constraint", "main"];
    for (file, room, code) in files() {
        if !readers.contains(&room.as_str()) {
            for word in ["std::fs", "std::env", "std::net", "File::open", "stdin()"] {
                assert!(!code.contains(word), "src/{} uses {word}", file.display());
            }
        }
        for word in ["SystemTime", "Instant::now", "Zoned::now", "rand::"] {
            // A limit of time is set on the command line, where alone the clock is read.
            if word == "Instant::now" && file == Path::new("cli/recommend.rs") {
                continue;
            }
            assert!(!code.contains(word), "src/{} uses {word}: same input, same bytes", file.display());
        }
    }
}

#[test]
fn every_file_says_what_it_is() {
    for entry in files() {
        let text = fs::read_to_string(root().join("src").join(&entry.0)).unwrap();
        assert!(text.starts_with("//!"), "src/{} opens without //!", entry.0.display());
    }
}
