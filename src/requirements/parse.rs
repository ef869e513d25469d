//! From bytes to the positioned tree: size, encoding and format, then the parser of that format.
//!
//! Everything that stops a file from being read at all ends here, as one fault.

use super::node::{Node, Value};
use super::{codes, json, toml, yaml};
use crate::error::{Fault, Place};

/// Largest file that is read. A file of a thousand workloads is about 1 MB.
pub const SIZE_MAX: usize = 4 * 1024 * 1024;

/// How a requirements file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// YAML 1.2.
    Yaml,
    /// TOML 1.1.
    Toml,
    /// JSON.
    Json,
}

/// Why a text has no tree.
#[derive(Debug)]
pub(super) struct Broken {
    pub(super) code: &'static str,
    pub(super) line: usize,
    pub(super) column: usize,
    pub(super) key: String,
    pub(super) cause: String,
    pub(super) cure: String,
}

impl Broken {
    pub(super) fn at(
        place: (usize, usize),
        code: &'static str,
        cause: impl Into<String>,
        cure: impl Into<String>,
    ) -> Self {
        let (line, column) = place;
        Self { code, line, column, key: String::new(), cause: cause.into(), cure: cure.into() }
    }

    /// Nested deeper than [`super::node::DEPTH_MAX`].
    pub(super) fn too_deep(place: (usize, usize)) -> Self {
        Self::at(
            place,
            codes::TOO_COMPLEX,
            format!("nested deeper than {} levels", super::node::DEPTH_MAX),
            "A requirements file needs at most 6 levels; flatten it",
        )
    }

    /// More values than [`super::node::NODES_MAX`].
    pub(super) fn too_many(place: (usize, usize)) -> Self {
        Self::at(
            place,
            codes::TOO_COMPLEX,
            format!("more than {} values, aliases expanded", super::node::NODES_MAX),
            "Write out what is needed, without aliases of aliases, or split the file",
        )
    }

    /// The same key twice in one map.
    pub(super) fn twice(place: (usize, usize), key: &str, first_line: usize) -> Self {
        Self {
            key: key.to_owned(),
            ..Self::at(
                place,
                codes::DUPLICATE_KEY,
                format!("the key is already on line {first_line}"),
                "Keep one of the two",
            )
        }
    }

    fn fault(self, file: &str) -> Vec<Fault> {
        vec![Fault {
            code: self.code,
            place: Place { file: file.to_owned(), line: self.line, column: self.column, key: self.key },
            cause: self.cause,
            cure: super::node::sentence(self.cure),
        }]
    }
}

/// Text from the bytes of a file.
///
/// # Errors
/// One fault when there are too many bytes or they are not UTF-8.
pub(super) fn text<'b>(bytes: &'b [u8], file: &str) -> Result<&'b str, Vec<Fault>> {
    if bytes.len() > SIZE_MAX {
        let cause = format!("larger than {} MiB", SIZE_MAX / (1024 * 1024));
        let cure = "A requirements file is a few kilobytes; name a trace by its path instead of pasting it";
        return Err(Broken::at((0, 0), codes::TOO_LARGE, cause, cure).fault(file));
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(text),
        Err(error) => {
            let good = std::str::from_utf8(&bytes[..error.valid_up_to()]).unwrap_or_default();
            let place = super::node::Lines::of(good).place(good.len());
            let wide = bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]);
            let cause = if wide { "the text is UTF-16" } else { "the bytes are not UTF-8 text" };
            Err(Broken::at(place, codes::NOT_TEXT, cause, "Save the file as UTF-8").fault(file))
        }
    }
}

/// The tree of a text.
///
/// # Errors
/// One fault: what stops a text from being parsed stops at its first place.
pub(super) fn tree(text: &str, file: &str, format: Option<Format>) -> Result<Node, Vec<Fault>> {
    parse(text, file, format).map_err(|broken| broken.fault(file))
}

fn parse(text: &str, file: &str, format: Option<Format>) -> Result<Node, Broken> {
    if text.len() > SIZE_MAX {
        let cause = format!("larger than {} MiB", SIZE_MAX / (1024 * 1024));
        let cure = "A requirements file is a few kilobytes; name a trace by its path instead of pasting it";
        return Err(Broken::at((0, 0), codes::TOO_LARGE, cause, cure));
    }
    // Only a mark of the encoding, left by some editors.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if let Some(at) = text.find('\0') {
        let place = super::node::Lines::of(text).place(at);
        let cure = "Save the file as plain UTF-8 text";
        return Err(Broken::at(place, codes::NOT_TEXT, "a NUL byte: this is not a text file", cure));
    }
    if text.trim().is_empty() {
        return Err(empty());
    }
    let format = match format.or_else(|| by_extension(file)) {
        Some(format) => format,
        None if file == "-" => by_content(text),
        None => {
            return Err(Broken::at(
                (0, 0),
                codes::UNKNOWN_FORMAT,
                "the name does not tell whether this is YAML, TOML or JSON",
                "Let it end in .yaml, .yml, .toml or .json, or pass it on standard input as -",
            ));
        }
    };
    let node = match format {
        Format::Yaml => yaml::parse(text)?,
        Format::Toml => toml::parse(text)?,
        Format::Json => json::parse(text)?,
    };
    match &node.value {
        Value::Map(entries) if entries.is_empty() => Err(empty()),
        Value::Map(_) => Ok(node),
        Value::Null => Err(empty()),
        _ => Err(Broken::at(
            (node.line, node.column),
            codes::WRONG_TYPE,
            format!("expected a map of keys, found {}", node.describe()),
            "Start with \"version: 1\" and a list of workloads; `bursar init` writes a file to begin with",
        )),
    }
}

fn empty() -> Broken {
    Broken::at(
        (0, 0),
        codes::EMPTY,
        "the file holds nothing",
        "Write at least version, and one workload with name, requests and tokens; `bursar init` writes such a file",
    )
}

fn by_extension(file: &str) -> Option<Format> {
    let (_, extension) = file.rsplit_once('.')?;
    match extension.to_ascii_lowercase().as_str() {
        "yaml" | "yml" => Some(Format::Yaml),
        "toml" => Some(Format::Toml),
        "json" => Some(Format::Json),
        _ => None,
    }
}

/// Standard input has no name: JSON starts with a brace and a quote, TOML's first line is a `[table]` or has its
/// `=` before any `:`, and all else is YAML.
fn by_content(text: &str) -> Format {
    let trimmed = text.trim_start();
    if let Some(inside) = trimmed.strip_prefix('{') {
        let inside = inside.trim_start();
        return if inside.starts_with(['"', '}']) { Format::Json } else { Format::Yaml };
    }
    let first = text.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with('#'));
    let first = first.unwrap_or_default();
    let equals = first.find('=').unwrap_or(usize::MAX);
    let colon = first.find(':').unwrap_or(usize::MAX);
    if first.starts_with('[') || equals < colon { Format::Toml } else { Format::Yaml }
}
