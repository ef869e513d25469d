//! Reads rule files. In: a path and its text. Out: a [`Rule`], or the faults found, gathered.

use std::ops::Range;
use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{Form, NAMED, Named, Right, Rule};
use crate::error::{Fault, Place};
use crate::measure::{Measure, Open, Scope, TABLE, nearest};
use crate::reason::Op;

const KEYS: [&str; 7] = ["says", "why", "scope", "form", "left", "op", "right"];

/// Every `*.toml` of a folder with its text, in byte order of names.
pub(super) fn folder(folder: &Path, faults: &mut Vec<Fault>) -> Vec<(String, String)> {
    let shown = folder.to_string_lossy().into_owned();
    let unreadable = |file: &str, error: &std::io::Error| Fault {
        code: "E0301",
        place: Place { file: file.to_owned(), ..Place::default() },
        cause: format!("cannot be read: {error}"),
        cure: "Give --constraints a folder of rule files (*.toml).".into(),
    };
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) => {
            faults.push(unreadable(&shown, &error));
            return Vec::new();
        }
    };
    let mut paths: Vec<_> = entries
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .collect();
    paths.sort();
    let mut texts = Vec::new();
    for path in paths {
        let shown = path.to_string_lossy().into_owned();
        match std::fs::read_to_string(&path) {
            Ok(text) => texts.push((shown, text)),
            Err(error) => faults.push(unreadable(&shown, &error)),
        }
    }
    texts
}

/// One rule; `None` when at least one fault was added.
pub(super) fn rule(path: &str, text: &str, custom: bool, faults: &mut Vec<Fault>) -> Option<Rule> {
    let before = faults.len();
    let mut reader = Reader { path, text, custom, faults };
    let table = match DeTable::parse(text) {
        Ok(table) => table.into_inner(),
        Err(error) => {
            let cause = format!("is not TOML: {}", error.message());
            reader.fault(
                "E0301",
                "",
                error.span(),
                cause,
                "Write `key = value` lines as in constraints/*.toml.",
            );
            return None;
        }
    };
    reader.refuse_unknown_keys(&table);
    let says = reader.prose(&table, "says");
    let why = reader.prose(&table, "why");
    let scope = reader.word(&table, "scope", &[(Scope::Candidate, "candidate"), (Scope::Plan, "plan")]);
    let op = reader.word(&table, "op", &[(Op::AtMost, "<="), (Op::AtLeast, ">="), (Op::Is, "==")]);
    let left = reader.left(&table);
    let form = reader.form(&table, scope);
    let right = reader.right(&table, left);
    if let (Some(left), Some(scope)) = (left, scope)
        && left.entry().scope != scope
    {
        let cause = format!(
            "`{left}` is a measure of a {}, the rule's scope is {}",
            left.entry().scope.word(),
            scope.word()
        );
        let cure = format!("Write scope = \"{}\" or another measure.", left.entry().scope.word());
        reader.fault("E0306", "scope", span(&table, "scope"), cause, &cure);
    }
    let faulty = reader.faults.len() > before;
    let id = Path::new(path).file_stem()?.to_string_lossy().into_owned();
    if faulty {
        return None;
    }
    Some(Rule {
        id,
        says: says?,
        why: why?,
        scope: scope?,
        form: form?,
        left: left?,
        op: op?,
        right: right?,
        custom,
    })
}

struct Reader<'a> {
    path: &'a str,
    text: &'a str,
    custom: bool,
    faults: &'a mut Vec<Fault>,
}

impl Reader<'_> {
    fn fault(
        &mut self,
        code: &'static str,
        key: &str,
        span: Option<Range<usize>>,
        cause: impl Into<String>,
        cure: &str,
    ) {
        let (line, column) = span.map_or((0, 0), |span| place(self.text, span.start));
        let place = Place { file: self.path.to_owned(), line, column, key: key.to_owned() };
        self.faults.push(Fault { code, place, cause: cause.into(), cure: cure.to_owned() });
    }

    fn refuse_unknown_keys(&mut self, table: &DeTable<'_>) {
        for (key, _) in table {
            let name = key.get_ref().as_ref();
            if !KEYS.contains(&name) {
                let cure = nearest(name, KEYS).map_or_else(
                    || format!("Use {}.", KEYS.join(", ")),
                    |near| format!("Did you mean `{near}`?"),
                );
                self.fault("E0302", name, Some(key.span()), "unknown key", &cure);
            }
        }
    }

    fn text_of(&mut self, table: &DeTable<'_>, key: &str) -> Option<String> {
        match table.get(key) {
            None => self.fault("E0302", key, None, "missing", &format!("Write `{key} = \"…\"`.")),
            Some(value) => match value.get_ref().as_str() {
                Some(text) => return Some(text.to_owned()),
                None => {
                    let cause = format!("must be text, got {}", value.get_ref().type_str());
                    self.fault("E0302", key, Some(value.span()), cause, "Put it in quotes.");
                }
            },
        }
        None
    }

    fn prose(&mut self, table: &DeTable<'_>, key: &str) -> Option<String> {
        let text = self.text_of(table, key)?;
        if text.trim().is_empty() {
            self.fault(
                "E0308",
                key,
                span(table, key),
                "is blank",
                "Say it in one sentence: people read it in the answer.",
            );
            return None;
        }
        Some(text)
    }

    fn word<T: Copy>(&mut self, table: &DeTable<'_>, key: &str, words: &[(T, &str)]) -> Option<T> {
        let text = self.text_of(table, key)?;
        let found = words.iter().find(|(_, word)| *word == text).map(|(value, _)| *value);
        if found.is_none() {
            let list: Vec<String> = words.iter().map(|(_, word)| format!("\"{word}\"")).collect();
            let cure = format!("Write one of {}.", list.join(", "));
            self.fault("E0302", key, span(table, key), format!("unknown word \"{text}\""), &cure);
        }
        found
    }

    fn form(&mut self, table: &DeTable<'_>, scope: Option<Scope>) -> Option<Form> {
        match scope? {
            Scope::Plan => self.word(table, "form", &Form::PLAN),
            Scope::Candidate if table.contains_key("form") => {
                self.fault(
                    "E0306",
                    "form",
                    span(table, "form"),
                    "a candidate rule has no form",
                    "Delete the line.",
                );
                None
            }
            Scope::Candidate => Some(Form::Candidate),
        }
    }

    fn left(&mut self, table: &DeTable<'_>) -> Option<Measure> {
        let name = self.text_of(table, "left")?;
        let usable = |entry: &&crate::measure::Entry| !self.custom || entry.open == Open::Anyone;
        let words: Vec<&str> = TABLE.iter().filter(usable).map(|entry| entry.name).collect();
        match Measure::named(&name) {
            Some(measure) if words.contains(&measure.name()) => return Some(measure),
            Some(_) => {
                let cause = format!("`{name}` is read by built-in rules only");
                self.fault(
                    "E0307",
                    "left",
                    span(table, "left"),
                    cause,
                    &format!("Use one of {}.", words.join(", ")),
                );
            }
            None => {
                let cure = nearest(&name, words.iter().copied()).map_or_else(
                    || format!("Use one of {}.", words.join(", ")),
                    |near| format!("Did you mean `{near}`?"),
                );
                self.fault("E0303", "left", span(table, "left"), format!("unknown measure `{name}`"), &cure);
            }
        }
        None
    }

    fn right(&mut self, table: &DeTable<'_>, left: Option<Measure>) -> Option<Right> {
        let Some(value) = table.get("right") else {
            self.fault(
                "E0302",
                "right",
                None,
                "missing",
                "Write a number, or the name of a value of the request.",
            );
            return None;
        };
        match value.get_ref() {
            DeValue::Integer(_) | DeValue::Float(_) => self.literal(value, left),
            DeValue::String(name) => self.named(name, value, left),
            DeValue::Boolean(_) | DeValue::Datetime(_) | DeValue::Array(_) | DeValue::Table(_) => {
                let cause = format!("must be a number or a name, got {}", value.get_ref().type_str());
                self.fault(
                    "E0302",
                    "right",
                    Some(value.span()),
                    cause,
                    "Write a number, or a name in quotes.",
                );
                None
            }
        }
    }

    fn literal(&mut self, value: &Spanned<DeValue<'_>>, left: Option<Measure>) -> Option<Right> {
        let number = match value.get_ref() {
            DeValue::Integer(number) if number.radix() == 10 => number.as_str().parse::<f64>().ok(),
            DeValue::Float(number) => number.as_str().parse::<f64>().ok(),
            _ => None,
        };
        let share = left.is_some_and(|left| left.unit() == "share");
        match number {
            Some(number) if number.is_finite() && number >= 0.0 && (!share || number <= 1.0) => {
                Some(Right::Literal(number))
            }
            _ => {
                let cure =
                    if share { "Write a share from 0 to 1." } else { "Write a finite number of at least 0." };
                self.fault("E0302", "right", Some(value.span()), "is no such number", cure);
                None
            }
        }
    }

    fn named(&mut self, name: &str, value: &Spanned<DeValue<'_>>, left: Option<Measure>) -> Option<Right> {
        let usable: Vec<&'static Named> = NAMED.iter().filter(|named| !self.custom || named.open).collect();
        let Some(found) = usable.iter().copied().find(|named| named.name == name) else {
            let names = usable.iter().map(|named| named.name);
            let cure = nearest(name, names.clone()).map_or_else(
                || format!("Write a number or one of {}.", names.collect::<Vec<_>>().join(", ")),
                |near| format!("Did you mean `{near}`?"),
            );
            self.fault(
                "E0309",
                "right",
                Some(value.span()),
                format!("no value of the request is called `{name}`"),
                &cure,
            );
            return None;
        };
        let left = left?;
        // Words are compared with words, figures with figures of the same unit.
        if left.unit() != found.unit {
            let cause =
                format!("`{left}` is in {}, `{name}` is in {}", shown(left.unit()), shown(found.unit));
            self.fault("E0304", "right", Some(value.span()), cause, "Compare figures of one unit.");
            return None;
        }
        Some(Right::Named(found))
    }
}

fn shown(unit: &str) -> &str {
    if unit.is_empty() { "a bare count" } else { unit }
}

fn span(table: &DeTable<'_>, key: &str) -> Option<Range<usize>> {
    table.get(key).map(Spanned::span)
}

fn place(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    (line, column)
}
