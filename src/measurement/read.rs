//! Which reader a file is for, told by what it holds and not by its name.
//!
//! In: a file's name and text. Out: what its reader found. It opens no file.

use serde_json::{Deserializer, Value};

use super::gather::{At, Defaults, Found};
use super::json::Object;
use super::{Measurements, codes, csv, guidellm, llama_bench, published, vllm};
use crate::catalog::Catalog;
use crate::error::Fault;

/// What can be read, said where a file is none of it.
const KNOWN: &str =
    "Give a CSV by docs/measurements.md, or the JSON of `vllm bench serve`, GuideLLM or llama-bench.";

/// Reads a file of measurements.
///
/// # Errors
/// Every fault of the file, or that none of its rows can be used.
pub fn read(
    path: &str,
    text: &str,
    catalog: &Catalog,
    defaults: &Defaults,
) -> Result<Measurements, Vec<Fault>> {
    let mut found = Found::new(path, catalog, defaults);
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    match text.trim_start().chars().next() {
        None => found.fault(codes::UNKNOWN_FORMAT, &At::default(), "", "the file is empty", KNOWN),
        Some('{' | '[') => documents(&mut found, text),
        Some(_) => match published::read(path, text, catalog) {
            Some(Ok(measurements)) => found.take(measurements),
            Some(Err(faults)) => return Err(faults),
            None => table(&mut found, text),
        },
    }
    found.finish()
}

/// JSON documents one after the other: one, or one a line.
fn documents(found: &mut Found<'_>, text: &str) {
    found.of_tool = true;
    let mut stream = Deserializer::from_str(text).into_iter::<Value>();
    let (mut line, mut counted) = (1, 0);
    loop {
        let rest = text.get(stream.byte_offset()..).unwrap_or_default();
        let begin = text.len() - rest.trim_start().len();
        line += text.get(counted..begin).unwrap_or_default().matches('\n').count();
        counted = begin;
        match stream.next() {
            None => break,
            Some(Ok(Value::Array(items))) => {
                for (index, item) in items.iter().enumerate() {
                    object(found, At { line: 0, key: format!("[{index}]") }, item);
                }
            }
            Some(Ok(value)) => object(found, At { line, key: String::new() }, &value),
            Some(Err(fault)) => {
                let at = At { line: fault.line(), key: String::new() };
                let cause = format!("cannot be read as JSON: {fault}");
                let cure = "Write plain JSON; it has no NaN and no Infinity, which is written as null.";
                found.fault(codes::SYNTAX, &at, "", cause, cure);
                break;
            }
        }
    }
}

/// One object, by the reader that knows its keys.
fn object(found: &mut Found<'_>, at: At, value: &Value) {
    match value.as_object() {
        Some(report) if guidellm::knows(report) => guidellm::read(found, &at, report),
        Some(test) if llama_bench::knows(test) => llama_bench::read(found, at, test),
        Some(run) if vllm::knows(run) => vllm::read(found, at, run),
        _ => {
            let cause = "this is no result of a tool that is known";
            found.fault(codes::UNKNOWN_FORMAT, &at, "", cause, KNOWN);
        }
    }
}

/// A table, ours or one of llama-bench.
fn table(found: &mut Found<'_>, text: &str) {
    let header = match csv::reader(text).headers() {
        Ok(header) => header.clone(),
        Err(fault) => return csv::syntax(found, &At::default(), &fault),
    };
    let named = |cells: &::csv::StringRecord| -> Object {
        header.iter().zip(cells).map(|(name, cell)| (name.to_owned(), Value::from(cell))).collect()
    };
    if llama_bench::knows(&named(&header)) {
        found.of_tool = true;
        csv::each(found, text, header.len(), |found, at, cells| llama_bench::read(found, at, &named(cells)));
    } else if csv::knows(&header) {
        csv::read(found, text);
    } else {
        let cause = "the first line is no header of measurements";
        found.fault(codes::UNKNOWN_FORMAT, &At::default(), "", cause, KNOWN);
    }
}
