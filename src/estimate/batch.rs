//! Many estimates: one JSON object a line in, one out, same order, same id.
//!
//! In: a reader of NDJSON. Out: a line for each line that is not blank, misread ones included. Lines are worked on in
//! parallel, a chunk at a time, so memory stays bounded whatever the length of the file; the order of the output does
//! not depend on the threads. A line longer than a mebibyte is refused, not read.

use std::io::{self, BufRead, Write};

use rayon::prelude::*;
use serde_json::Value;

use super::single::{Answer, Outcome, single_on};
use super::{Refusal, Request, Rigs, breakdown};
use crate::catalog::Catalog;

/// Lines worked on together.
const CHUNK_LINES: usize = 4096;
/// Longest line that is read, bytes.
const LINE_MAX: usize = 1 << 20;

/// What a batch came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Summary {
    /// Lines answered, errors included.
    pub lines: u64,
    /// Configurations that fit.
    pub fits: u64,
    /// Configurations that do not.
    pub misfits: u64,
    /// Lines that could not be read.
    pub errors: u64,
}

/// Answers every line of `input` on `output`.
///
/// # Errors
/// What reading or writing reports; a line that is wrong is answered, not an error.
pub fn batch<R: BufRead, W: Write>(catalog: &Catalog, input: R, output: W) -> io::Result<Summary> {
    batch_with(catalog, input, output, false)
}

/// The same; with `parts`, each line that fits carries its `breakdown`.
///
/// # Errors
/// What reading or writing reports.
pub fn batch_with<R: BufRead, W: Write>(
    catalog: &Catalog,
    mut input: R,
    mut output: W,
    parts: bool,
) -> io::Result<Summary> {
    let mut summary = Summary::default();
    let rigs = Rigs::new(catalog);
    let mut chunk = Vec::with_capacity(CHUNK_LINES);
    loop {
        let more = read_line(&mut input)?;
        let ended = more.is_none();
        chunk.extend(more.filter(|line| !line.is_blank()));
        if chunk.len() == CHUNK_LINES || ended {
            let answers: Vec<(Answer, String)> =
                chunk.par_iter().map(|line| answer(&rigs, line, parts)).collect();
            for (answer, text) in answers {
                summary.lines += 1;
                match answer.outcome {
                    Outcome::Fits(_) => summary.fits += 1,
                    Outcome::Misfits(_) => summary.misfits += 1,
                    Outcome::Refused(_) => summary.errors += 1,
                }
                writeln!(output, "{text}")?;
            }
            chunk.clear();
        }
        if ended {
            output.flush()?;
            return Ok(summary);
        }
    }
}

fn answer(rigs: &Rigs<'_>, line: &Line, parts: bool) -> (Answer, String) {
    let refused = |id, refusal| Answer { id, outcome: Outcome::Refused(refusal) };
    let (answer, request) = match line {
        Line::TooLong => {
            let refusal = Refusal::new("line-too-long", "a line may hold 1 MiB at most");
            (refused(Value::Null, refusal), None)
        }
        Line::Text(bytes) => match Request::parse(bytes) {
            Ok(request) => (single_on(rigs, &request), Some(request)),
            Err((id, refusal)) => (refused(id, refusal), None),
        },
    };
    let mut json = answer.to_json();
    if let (true, Some(request), Outcome::Fits(measures)) = (parts, request, &answer.outcome)
        && let Some(found) = breakdown(rigs.catalog(), &request, measures)
    {
        json["breakdown"] = found.to_json();
    }
    let text = json.to_string();
    (answer, text)
}

enum Line {
    Text(Vec<u8>),
    TooLong,
}

impl Line {
    fn is_blank(&self) -> bool {
        matches!(self, Self::Text(bytes) if bytes.iter().all(u8::is_ascii_whitespace))
    }
}

/// The next line without its end; `None` at the end of the input.
fn read_line<R: BufRead>(input: &mut R) -> io::Result<Option<Line>> {
    let mut bytes = Vec::new();
    let (mut any, mut too_long) = (false, false);
    loop {
        let buffer = input.fill_buf()?;
        if buffer.is_empty() {
            break;
        }
        any = true;
        let end = buffer.iter().position(|byte| *byte == b'\n');
        let taken = end.map_or(buffer.len(), |at| at + 1);
        if bytes.len() + taken > LINE_MAX {
            too_long = true;
            bytes.clear();
        }
        if !too_long {
            bytes.extend_from_slice(&buffer[..end.unwrap_or(taken)]);
        }
        input.consume(taken);
        if end.is_some() {
            break;
        }
    }
    Ok(any.then_some(if too_long { Line::TooLong } else { Line::Text(bytes) }))
}
