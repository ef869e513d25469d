//! YAML 1.2 into the positioned tree, by the core schema: `true`/`false`, `null`/`~`, numbers, and text.
//!
//! Aliases are expanded within a budget of values, so that a file that doubles itself thirty times is a fault and
//! not a full memory. One document only; keys are plain words; tags other than the core schema's are refused.

use std::collections::BTreeMap;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, Tag};

use super::codes;
use super::node::{DEPTH_MAX, Entry, NODES_MAX, Node, Value, quoted};
use super::parse::Broken;

/// The tree of a YAML document.
pub(super) fn parse(text: &str) -> Result<Node, Broken> {
    let mut build = Build::default();
    let mut parser = Parser::new_from_str(text);
    while let Some(event) = parser.next_event() {
        let (event, span) = event.map_err(|error| {
            let message = error.info();
            if message.contains("recursion") {
                return Broken::too_deep(place(error.marker()));
            }
            Broken::at(
                place(error.marker()),
                codes::SYNTAX,
                format!("not valid YAML: {message}"),
                "Mend the line; often an indent, a tab, or a missing quote or bracket just before it",
            )
        })?;
        build.take(event, place(&span.start))?;
    }
    Ok(build.root.unwrap_or(Node { value: Value::Null, line: 0, column: 0 }))
}

fn place(marker: &Marker) -> (usize, usize) {
    (marker.line(), marker.col() + 1)
}

/// A list or map whose end has not come yet.
struct Open {
    anchor: usize,
    line: usize,
    column: usize,
    holds: Holds,
    /// Levels below it, and values in it, both counted with aliases expanded.
    depth: usize,
    nodes: usize,
}

enum Holds {
    List(Vec<Node>),
    Map { entries: Vec<Entry>, key: Option<(String, usize, usize)>, seen: BTreeMap<String, usize> },
}

/// What an anchor stands for.
struct Anchored {
    node: Node,
    depth: usize,
    nodes: usize,
}

#[derive(Default)]
struct Build {
    open: Vec<Open>,
    anchors: BTreeMap<usize, Anchored>,
    nodes: usize,
    documents: usize,
    root: Option<Node>,
}

impl Build {
    fn take(&mut self, event: Event<'_>, place: (usize, usize)) -> Result<(), Broken> {
        match event {
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => Ok(()),
            Event::DocumentStart(_) => {
                self.documents += 1;
                if self.documents > 1 {
                    return Err(Broken::at(
                        place,
                        codes::SYNTAX,
                        "a second document starts here",
                        "Write one document in a file; `bursar batch` takes a folder of files",
                    ));
                }
                Ok(())
            }
            Event::Alias(anchor) => self.alias(anchor, place),
            Event::Scalar(text, style, anchor, tag) => {
                if self.wants_key() {
                    return self.key(&text, style, place);
                }
                let value = scalar(&text, style, tag.as_deref(), place)?;
                self.grow(1, 0, place)?;
                self.put(Node { value, line: place.0, column: place.1 }, anchor, 0, 1);
                Ok(())
            }
            Event::SequenceStart(anchor, tag) => {
                self.start(anchor, tag.as_deref(), Holds::List(Vec::new()), place)
            }
            Event::MappingStart(anchor, tag) => {
                let holds = Holds::Map { entries: Vec::new(), key: None, seen: BTreeMap::new() };
                self.start(anchor, tag.as_deref(), holds, place)
            }
            Event::SequenceEnd | Event::MappingEnd => {
                if let Some(open) = self.open.pop() {
                    let value = match open.holds {
                        Holds::List(items) => Value::List(items),
                        Holds::Map { entries, .. } => Value::Map(entries),
                    };
                    let node = Node { value, line: open.line, column: open.column };
                    self.put(node, open.anchor, open.depth + 1, open.nodes);
                }
                Ok(())
            }
        }
    }

    /// True where the next event is a key of the innermost map.
    fn wants_key(&self) -> bool {
        matches!(self.open.last(), Some(Open { holds: Holds::Map { key: None, .. }, .. }))
    }

    fn key(&mut self, text: &str, style: ScalarStyle, place: (usize, usize)) -> Result<(), Broken> {
        if style == ScalarStyle::Plain && matches!(text, "" | "~" | "null") {
            let cure = "Write a key before the colon";
            return Err(Broken::at(place, codes::SYNTAX, "a value without a key", cure));
        }
        if let Some(Open { holds: Holds::Map { key, seen, .. }, .. }) = self.open.last_mut() {
            if let Some(first) = seen.insert(text.to_owned(), place.0) {
                return Err(Broken::twice(place, text, first));
            }
            *key = Some((text.to_owned(), place.0, place.1));
        }
        Ok(())
    }

    fn start(
        &mut self,
        anchor: usize,
        tag: Option<&Tag>,
        holds: Holds,
        place: (usize, usize),
    ) -> Result<(), Broken> {
        if self.wants_key() {
            return Err(Broken::at(
                place,
                codes::SYNTAX,
                "a list or a map where a key should stand",
                "Keys are plain words; text in braces or brackets needs quotes",
            ));
        }
        if let Some(tag) = tag.filter(|tag| !tag.is_yaml_core_schema()) {
            return Err(unknown_tag(tag, place));
        }
        self.grow(1, 1, place)?;
        self.open.push(Open { anchor, line: place.0, column: place.1, holds, depth: 0, nodes: 1 });
        Ok(())
    }

    fn alias(&mut self, anchor: usize, place: (usize, usize)) -> Result<(), Broken> {
        if self.wants_key() {
            let cure = "Write the key out";
            return Err(Broken::at(place, codes::SYNTAX, "an alias where a key should stand", cure));
        }
        let Some(Anchored { depth, nodes, .. }) = self.anchors.get(&anchor) else {
            return Err(Broken::at(
                place,
                codes::TOO_COMPLEX,
                "an alias inside the value it stands for: it would never end",
                "Write the value out",
            ));
        };
        let (depth, nodes) = (*depth, *nodes);
        self.grow(nodes, depth, place)?;
        if let Some(anchored) = self.anchors.get(&anchor) {
            let node = anchored.node.clone();
            self.put(node, 0, depth, nodes);
        }
        Ok(())
    }

    /// Counts values and levels before they are built.
    fn grow(&mut self, nodes: usize, depth: usize, place: (usize, usize)) -> Result<(), Broken> {
        self.nodes += nodes;
        if self.nodes > NODES_MAX {
            return Err(Broken::too_many(place));
        }
        if self.open.len() + depth > DEPTH_MAX {
            return Err(Broken::too_deep(place));
        }
        Ok(())
    }

    fn put(&mut self, node: Node, anchor: usize, depth: usize, nodes: usize) {
        if anchor != 0 {
            self.anchors.insert(anchor, Anchored { node: node.clone(), depth, nodes });
        }
        let Some(open) = self.open.last_mut() else {
            self.root = Some(node);
            return;
        };
        open.depth = open.depth.max(depth);
        open.nodes += nodes;
        match &mut open.holds {
            Holds::List(items) => items.push(node),
            Holds::Map { entries, key, .. } => {
                if let Some((key, line, column)) = key.take() {
                    entries.push(Entry { key, line, column, node });
                }
            }
        }
    }
}

fn unknown_tag(tag: &Tag, place: (usize, usize)) -> Broken {
    let shown = quoted(&tag.to_string());
    Broken::at(place, codes::SYNTAX, format!("the tag {shown} is not understood"), "Remove the tag")
}

fn scalar(text: &str, style: ScalarStyle, tag: Option<&Tag>, place: (usize, usize)) -> Result<Value, Broken> {
    if let Some(tag) = tag {
        if !tag.is_yaml_core_schema() {
            return Err(unknown_tag(tag, place));
        }
        return match tag.suffix.as_str() {
            "str" => Ok(Value::Text(text.to_owned())),
            "null" | "bool" | "int" | "float" => Ok(plain(text)),
            _ => Err(unknown_tag(tag, place)),
        };
    }
    Ok(if style == ScalarStyle::Plain { plain(text) } else { Value::Text(text.to_owned()) })
}

/// The core schema of YAML 1.2, section 10.3.2.
fn plain(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Value::Null,
        "true" | "True" | "TRUE" => return Value::Bool(true),
        "false" | "False" | "FALSE" => return Value::Bool(false),
        ".nan" | ".NaN" | ".NAN" => return Value::Number(f64::NAN),
        _ => {}
    }
    let (sign, unsigned) = match text.strip_prefix('-') {
        Some(rest) => (-1.0, rest),
        None => (1.0, text.strip_prefix('+').unwrap_or(text)),
    };
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") {
        return Value::Number(sign * f64::INFINITY);
    }
    for (prefix, radix) in [("0x", 16), ("0o", 8)] {
        if let Some(whole) = text.strip_prefix(prefix).and_then(|d| u64::from_str_radix(d, radix).ok()) {
            #[expect(clippy::cast_precision_loss, reason = "every number of the file is read as f64")]
            return Value::Number(whole as f64);
        }
    }
    // Rust also reads "inf", "nan" and "infinity" as numbers; YAML does not.
    let numeric = unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.');
    match unsigned.parse::<f64>() {
        Ok(number) if numeric => Value::Number(sign * number),
        _ => Value::Text(text.to_owned()),
    }
}
