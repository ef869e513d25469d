//! What README.md shows is what the program does: its commands exist, its files exist, its output is the program's own.
//! `BLESS=1 cargo test --test readme` writes the shown output anew; read the difference as a customer would.

#![allow(clippy::unwrap_used, reason = "a test may stop here")]

#[path = "common/run.rs"]
mod run;

use std::collections::BTreeSet;
use std::fs;

use run::{bursar, root};

fn page(name: &str) -> String {
    fs::read_to_string(root().join(name)).unwrap()
}

/// The stamp of the catalog changes with every fact; all else is compared byte by byte.
fn without_stamp(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('(') {
        let inside: String = rest[at + 1..].chars().take(12).collect();
        let after = rest[at + 1 + inside.len()..].chars().next();
        if inside.len() == 12 && inside.chars().all(|c| c.is_ascii_hexdigit()) && after == Some(')') {
            out.push_str(&rest[..at]);
            out.push_str("(stamp");
            rest = &rest[at + 13..];
        } else {
            out.push_str(&rest[..=at]);
            rest = &rest[at + 1..];
        }
    }
    out + rest
}

/// `<!-- prints: ARGUMENTS (up to "WORDS") -->` and the text block below it.
fn shown(page: &str) -> Vec<(String, Option<String>, String)> {
    let mut found = Vec::new();
    for part in page.split("<!-- prints: ").skip(1) {
        let (head, rest) = part.split_once(" -->\n```text\n").expect("a text block follows the mark");
        let (block, _) = rest.split_once("```").expect("the block ends");
        let (arguments, until) = match head.split_once(" (up to \"") {
            Some((arguments, words)) => (arguments, Some(words.trim_end_matches("\")").to_owned())),
            None => (head, None),
        };
        found.push((arguments.to_owned(), until, block.to_owned()));
    }
    found
}

#[test]
fn readme_prints_what_the_program_prints() {
    let mut text = page("README.md");
    let blocks = shown(&text);
    assert!(blocks.len() >= 2, "an answer and a refusal are shown");
    for (arguments, until, block) in blocks {
        let words: Vec<&str> = arguments.split(' ').collect();
        let run = bursar(&words);
        assert!(run.exit == 0 || run.exit == 1, "{arguments}: {}", run.stderr);
        let is_end = |line: &&str| until.as_ref().is_some_and(|words| line.trim_start().starts_with(words));
        let printed: String =
            run.stdout.lines().take_while(|line| !is_end(line)).map(|line| format!("{line}\n")).collect();
        // No blank line before the end of the block.
        let printed = format!("{}\n", printed.trim_end());
        if std::env::var_os("BLESS").is_some() {
            let mark = match &until {
                Some(words) => format!("<!-- prints: {arguments} (up to \"{words}\") -->\n```text\n"),
                None => format!("<!-- prints: {arguments} -->\n```text\n"),
            };
            text = text.replace(&format!("{mark}{block}```"), &format!("{mark}{printed}```"));
        } else {
            assert_eq!(
                without_stamp(&block),
                without_stamp(&printed),
                "README.md shows another answer to `bursar {arguments}`; BLESS=1 accepts the new one"
            );
        }
    }
    if std::env::var_os("BLESS").is_some() {
        fs::write(root().join("README.md"), text).unwrap();
    }
}

/// Lines of code blocks and code spans that call the program, as arguments.
fn commands(page: &str) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    for piece in page.split('`').chain(page.lines()) {
        let piece = piece.trim();
        for start in ["bursar ", "cargo run --release -- "] {
            if let Some(rest) = piece.strip_prefix(start).filter(|rest| !rest.contains('\n')) {
                let rest = rest.split(['#', '|', '`', '>']).next().unwrap_or_default();
                found.push(rest.split_whitespace().map(str::to_owned).collect());
            }
        }
    }
    found
}

fn pages() -> Vec<(String, String)> {
    let mut names: Vec<String> = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "examples/README.md"]
        .iter()
        .map(|name| (*name).to_owned())
        .collect();
    for entry in fs::read_dir(root().join("docs")).unwrap() {
        names.push(format!("docs/{}", entry.unwrap().file_name().to_string_lossy()));
    }
    names.sort();
    names.into_iter().filter(|name| name.ends_with(".md")).map(|name| (name.clone(), page(&name))).collect()
}

/// Commands that a page announces and a later version brings.
const LATER: &[&str] = &["init"];

#[test]
fn commands_of_the_pages_exist() {
    let mut checked = BTreeSet::new();
    for (name, text) in pages() {
        for words in commands(&text) {
            let Some(command) = words.first() else { continue };
            // `bursar` may also be followed by prose.
            let later = LATER.contains(&command.as_str());
            if later || !command.chars().all(|c| c.is_ascii_lowercase()) || command.len() < 3 {
                continue;
            }
            let help = bursar(&[command, "--help"]);
            assert_eq!(help.exit, 0, "{name}: `bursar {}`: no such command", words.join(" "));
            let nested = words.get(1).is_some_and(|word| help.stdout.contains(&format!("\n  {word} ")));
            let help = if nested { bursar(&[command, &words[1], "--help"]) } else { help };
            for flag in words.iter().filter(|word| word.starts_with("--")) {
                assert!(help.stdout.contains(flag.as_str()), "{name}: `bursar {command}` has no {flag}");
            }
            for file in words.iter().filter(|word| word.starts_with("examples/") && !word.contains('<')) {
                assert!(root().join(file).exists(), "{name}: {file} is missing");
            }
            checked.insert(command.clone());
        }
    }
    assert!(checked.len() >= 5, "only {checked:?} are shown");
}

#[test]
fn every_command_is_in_the_readme() {
    let help = bursar(&["--help"]).stdout;
    let (_, list) = help.split_once("Commands:\n").unwrap();
    let readme = page("README.md");
    for line in list.lines().take_while(|line| !line.trim().is_empty()) {
        let command = line.split_whitespace().next().unwrap();
        assert!(readme.contains(&format!("bursar {command}")), "README.md does not mention {command}");
    }
    for word in help.split_whitespace().filter(|word| word.starts_with("examples/")) {
        assert!(root().join(word).exists(), "the help names {word}, which is missing");
    }
}

#[test]
fn links_of_the_pages_lead_somewhere() {
    for (name, text) in pages() {
        let folder = root().join(&name).parent().unwrap().to_path_buf();
        for part in text.split("](").skip(1) {
            let target = part.split(')').next().unwrap_or_default();
            let file = target.split('#').next().unwrap_or_default();
            if file.is_empty() || file.contains("://") {
                continue;
            }
            assert!(folder.join(file).exists(), "{name} links to {target}, which is missing");
        }
    }
}

#[test]
fn the_example_request_of_the_readme_reads() {
    let text = page("README.md");
    let (_, rest) = text.split_once("```yaml\n").expect("README.md shows a request");
    let (request, _) = rest.split_once("```").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("request.yaml");
    fs::write(&file, request.replace("some-provider", "runpod")).unwrap();
    let run = bursar(&["check", &file.to_string_lossy()]);
    assert_eq!(run.exit, 0, "{}", run.stderr);
}

#[test]
fn the_readme_is_short() {
    let lines = page("README.md").lines().count();
    assert!(lines <= 200, "{lines} lines");
}
