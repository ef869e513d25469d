//! TOML into the positioned tree. The `toml` crate bounds nesting (80 levels) and refuses duplicate keys.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::codes;
use super::node::{DEPTH_MAX, Entry, Lines, NODES_MAX, Node, Value};
use super::parse::Broken;

/// The tree of a TOML document.
pub(super) fn parse(text: &str) -> Result<Node, Broken> {
    let lines = Lines::of(text);
    let document = DeTable::parse(text).map_err(|error| refused(&error, &lines))?;
    let mut walk = Walk { lines, nodes: 0 };
    let value = walk.table(document.get_ref(), 1)?;
    Ok(Node { value, line: 1, column: 1 })
}

fn refused(error: &toml::de::Error, lines: &Lines<'_>) -> Broken {
    let place = lines.place(error.span().map_or(0, |span| span.start));
    let message = error.message().trim();
    if message.contains("duplicate key") {
        return Broken::at(place, codes::DUPLICATE_KEY, "the key is given twice", "Keep one of the two");
    }
    if message.contains("recurs") {
        return Broken::too_deep(place);
    }
    Broken::at(
        place,
        codes::SYNTAX,
        format!("not valid TOML: {message}"),
        "Mend the line; text stands in quotes",
    )
}

struct Walk<'t> {
    lines: Lines<'t>,
    nodes: usize,
}

impl Walk<'_> {
    fn table(&mut self, table: &DeTable<'_>, depth: usize) -> Result<Value, Broken> {
        let mut entries = Vec::with_capacity(table.len());
        for (key, value) in table {
            let (line, column) = self.lines.place(key.span().start);
            let node = self.node(value, depth + 1)?;
            entries.push(Entry { key: key.get_ref().to_string(), line, column, node });
        }
        // The parser keeps keys in byte order; the order of the file reads better in messages.
        entries.sort_by_key(|entry| (entry.line, entry.column));
        Ok(Value::Map(entries))
    }

    fn node(&mut self, spanned: &Spanned<DeValue<'_>>, depth: usize) -> Result<Node, Broken> {
        let (line, column) = self.lines.place(spanned.span().start);
        self.nodes += 1;
        if depth > DEPTH_MAX {
            return Err(Broken::too_deep((line, column)));
        }
        if self.nodes > NODES_MAX {
            return Err(Broken::too_many((line, column)));
        }
        let value = match spanned.get_ref() {
            DeValue::String(text) => Value::Text(text.to_string()),
            DeValue::Integer(integer) => {
                let whole = i128::from_str_radix(integer.as_str(), integer.radix());
                #[expect(clippy::cast_precision_loss, reason = "every number of the file is read as f64")]
                Value::Number(whole.map_or(f64::INFINITY, |whole| whole as f64))
            }
            DeValue::Float(float) => Value::Number(float.as_str().parse().unwrap_or(f64::NAN)),
            DeValue::Boolean(value) => Value::Bool(*value),
            DeValue::Datetime(datetime) => Value::Text(datetime.to_string()),
            DeValue::Array(items) => {
                let items: Result<Vec<_>, _> = items.iter().map(|item| self.node(item, depth + 1)).collect();
                Value::List(items?)
            }
            DeValue::Table(table) => self.table(table, depth)?,
        };
        Ok(Node { value, line, column })
    }
}
