//! JSON into the positioned tree: `serde_json` judges the text, then a walk over it, now known to be valid, finds
//! the places.

use super::codes;
use super::node::{DEPTH_MAX, Entry, Lines, NODES_MAX, Node, Value};
use super::parse::Broken;

/// The tree of a JSON document.
pub(super) fn parse(text: &str) -> Result<Node, Broken> {
    let lines = Lines::of(text);
    if let Some(at) = too_deep_at(text) {
        return Err(Broken::too_deep(lines.place(at)));
    }
    if let Err(error) = serde_json::from_str::<serde::de::IgnoredAny>(text) {
        return Err(refused(&error, text, &lines));
    }
    let mut walk = Walk { text, at: 0, lines, nodes: 0 };
    walk.node()
}

fn refused(error: &serde_json::Error, text: &str, lines: &Lines<'_>) -> Broken {
    let at = lines.offset(error.line(), error.column());
    let (before, after) = text.split_at_checked(at).unwrap_or((text, ""));
    let before = before.trim_end();
    if before.ends_with(',') && after.starts_with(['}', ']']) {
        let place = lines.place(before.len() - 1);
        let cure = "Remove the comma before the closing bracket";
        return Broken::at(place, codes::SYNTAX, "not valid JSON: a comma with nothing behind it", cure);
    }
    let message = error.to_string();
    let message = message.split(" at line ").next().unwrap_or(&message);
    let cure = if error.is_eof() {
        "The file ends too early: close every quote and bracket"
    } else {
        "Mend the line; JSON has no comments, and every key stands in double quotes"
    };
    Broken::at(lines.place(at), codes::SYNTAX, format!("not valid JSON: {message}"), cure)
}

/// Where brackets outside of strings nest deeper than [`DEPTH_MAX`], before any recursion begins.
fn too_deep_at(text: &str) -> Option<usize> {
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'[' | b'{' if !in_string => {
                depth += 1;
                if depth > DEPTH_MAX {
                    return Some(at);
                }
            }
            b']' | b'}' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    None
}

/// Reads a text that is known to be valid JSON; what a valid text cannot hold ends as a syntax fault all the same.
struct Walk<'t> {
    text: &'t str,
    at: usize,
    lines: Lines<'t>,
    nodes: usize,
}

impl Walk<'_> {
    fn peek(&mut self) -> u8 {
        let bytes = self.text.as_bytes();
        while bytes.get(self.at).is_some_and(u8::is_ascii_whitespace) {
            self.at += 1;
        }
        bytes.get(self.at).copied().unwrap_or(0)
    }

    fn lost(&self) -> Broken {
        Broken::at(self.lines.place(self.at), codes::SYNTAX, "not valid JSON", "Mend the line")
    }

    fn node(&mut self) -> Result<Node, Broken> {
        let first = self.peek();
        let (line, column) = self.lines.place(self.at);
        self.nodes += 1;
        if self.nodes > NODES_MAX {
            return Err(Broken::too_many((line, column)));
        }
        let value = match first {
            b'{' => self.map()?,
            b'[' => self.list()?,
            b'"' => Value::Text(self.string()?),
            b't' => self.word("true", Value::Bool(true)),
            b'f' => self.word("false", Value::Bool(false)),
            b'n' => self.word("null", Value::Null),
            _ => self.number()?,
        };
        Ok(Node { value, line, column })
    }

    fn word(&mut self, word: &str, value: Value) -> Value {
        self.at += word.len();
        value
    }

    fn number(&mut self) -> Result<Value, Broken> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let end = rest.find(|c: char| !matches!(c, '0'..='9' | '+' | '-' | '.' | 'e' | 'E'));
        let digits = &rest[..end.unwrap_or(rest.len())];
        let number = digits.parse().map_err(|_| self.lost())?;
        self.at += digits.len();
        Ok(Value::Number(number))
    }

    fn string(&mut self) -> Result<String, Broken> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let mut escaped = false;
        let end = rest.bytes().enumerate().skip(1).find_map(|(at, byte)| {
            let closes = byte == b'"' && !escaped;
            escaped = byte == b'\\' && !escaped;
            closes.then_some(at + 1)
        });
        let raw = end.and_then(|end| rest.get(..end)).ok_or_else(|| self.lost())?;
        let text = serde_json::from_str(raw).map_err(|_| self.lost())?;
        self.at += raw.len();
        Ok(text)
    }

    fn list(&mut self) -> Result<Value, Broken> {
        self.at += 1;
        let mut items = Vec::new();
        while self.peek() != b']' {
            items.push(self.node()?);
            if self.peek() == b',' {
                self.at += 1;
            }
        }
        self.at += 1;
        Ok(Value::List(items))
    }

    fn map(&mut self) -> Result<Value, Broken> {
        self.at += 1;
        let mut entries: Vec<Entry> = Vec::new();
        let mut seen = std::collections::BTreeMap::new();
        while self.peek() != b'}' {
            let (line, column) = self.lines.place(self.at);
            let key = self.string()?;
            if let Some(first) = seen.insert(key.clone(), line) {
                return Err(Broken::twice((line, column), &key, first));
            }
            if self.peek() == b':' {
                self.at += 1;
            }
            let node = self.node()?;
            entries.push(Entry { key, line, column, node });
            if self.peek() == b',' {
                self.at += 1;
            }
        }
        self.at += 1;
        Ok(Value::Map(entries))
    }
}
