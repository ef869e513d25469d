//! Lines of text at a given width. In: labelled spans and rows of cells. Out: wrapped, aligned lines, coloured or not.
//!
//! Widths are counted in terminal cells. Colour repeats what words already say; it never says anything alone.

use unicode_width::UnicodeWidthStr;

use super::phrase::Span;

/// How a piece of text is marked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Style {
    /// Not at all.
    #[default]
    Plain,
    /// The answer.
    Bold,
    /// Labels and legends.
    Dim,
    /// Ids of rules.
    Rule,
    /// What is wrong.
    Bad,
}

impl Style {
    const fn code(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Bold => "\u{1b}[1m",
            Self::Dim => "\u{1b}[2m",
            Self::Rule => "\u{1b}[36m",
            Self::Bad => "\u{1b}[31m",
        }
    }
}

/// Which side of its column a cell stands on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Align {
    /// Words; wrapped when the line would be too long.
    Left,
    /// Figures; never wrapped.
    Right,
}

/// Column at which the text behind a label starts.
const TEXT_COLUMN: usize = 15;
/// Between two columns.
const GAP: usize = 2;

/// Text that grows line by line.
#[derive(Debug, Clone)]
pub struct Sheet {
    width: usize,
    color: bool,
    out: String,
}

/// One word, possibly of several styles.
type Word = Vec<(Style, String)>;

impl Sheet {
    /// An empty sheet of so many terminal cells.
    #[must_use]
    pub fn new(width: usize, color: bool) -> Self {
        Self { width: width.max(60), color, out: String::new() }
    }

    /// The text so far.
    #[must_use]
    pub fn finish(self) -> String {
        self.out
    }

    /// An empty line.
    pub fn blank(&mut self) {
        self.out.push('\n');
    }

    /// One line as it is, without wrapping.
    pub fn line(&mut self, style: Style, text: &str) {
        let mut line = String::new();
        self.push(&mut line, style, text);
        self.end(&mut line);
    }

    /// `  label        text`, wrapped under the text.
    pub fn labelled(&mut self, label: &str, spans: &[Span]) {
        self.hanging(2, TEXT_COLUMN, &[(Style::Dim, label.to_owned())], &styled(spans));
    }

    /// `  label        text` of plain words.
    pub fn note(&mut self, label: &str, text: &str) {
        self.labelled(label, &[Span::Words(text.to_owned())]);
    }

    /// A head, then text wrapped under its own start: `indent` cells before the head, `column` before the text.
    /// A head too long for the column pushes the first line of the text to the right.
    pub fn hanging(
        &mut self,
        indent: usize,
        column: usize,
        head: &[(Style, String)],
        text: &[(Style, String)],
    ) {
        let words = words(text);
        let head_width: usize = indent + head.iter().map(|(_, text)| text.width()).sum::<usize>();
        let mut line = String::new();
        line.push_str(&" ".repeat(indent));
        for (style, text) in head {
            self.push(&mut line, *style, text);
        }
        let start = column.max(head_width + if head_width > indent { GAP } else { 0 });
        let mut at = head_width;
        let mut fresh = true;
        for word in &words {
            let width = word_width(word);
            if !fresh && at + 1 + width > self.width {
                self.end(&mut line);
                at = 0;
                fresh = true;
            }
            let gap = match (fresh, at) {
                (true, 0) => column,
                (true, _) => start - at,
                (false, _) => 1,
            };
            line.push_str(&" ".repeat(gap));
            at += gap + width;
            fresh = false;
            for (style, text) in word {
                self.push(&mut line, *style, text);
            }
        }
        self.end(&mut line);
    }

    /// Rows of cells under one another, indented by two. Left cells share what the figures leave and wrap in it.
    pub fn columns(&mut self, align: &[Align], rows: &[(Style, Vec<String>)]) {
        let widths = self.column_widths(align, rows);
        for (style, row) in rows {
            let cells: Vec<Vec<String>> =
                row.iter().zip(&widths).map(|(cell, width)| wrap(cell, *width)).collect();
            let height = cells.iter().map(Vec::len).max().unwrap_or(0);
            for index in 0..height {
                let mut line = String::from("  ");
                for (column, width) in widths.iter().enumerate() {
                    let text =
                        cells.get(column).and_then(|lines| lines.get(index)).map_or("", String::as_str);
                    let space = " ".repeat(width.saturating_sub(text.width()));
                    let gap = if column + 1 < widths.len() { " ".repeat(GAP) } else { String::new() };
                    if align.get(column) == Some(&Align::Right) {
                        line.push_str(&space);
                        self.push(&mut line, *style, text);
                    } else {
                        self.push(&mut line, *style, text);
                        line.push_str(&space);
                    }
                    line.push_str(&gap);
                }
                self.end(&mut line);
            }
        }
    }

    fn column_widths(&self, align: &[Align], rows: &[(Style, Vec<String>)]) -> Vec<usize> {
        let natural = |column: usize| {
            rows.iter().filter_map(|(_, row)| row.get(column)).map(|cell| cell.width()).max().unwrap_or(0)
        };
        let mut widths: Vec<usize> = (0..align.len()).map(natural).collect();
        let room = self.width.saturating_sub(2 + GAP * align.len().saturating_sub(1));
        // The widest column of words gives way first, a cell at a time, and keeps at least this many.
        const LEAST: usize = 12;
        while widths.iter().sum::<usize>() > room {
            let wide = (0..widths.len()).filter(|at| align[*at] == Align::Left && widths[*at] > LEAST);
            let Some(widest) = wide.max_by_key(|at| (widths[*at], usize::MAX - at)) else { break };
            widths[widest] -= 1;
        }
        widths
    }

    fn push(&self, line: &mut String, style: Style, text: &str) {
        if self.color && style != Style::Plain && !text.is_empty() {
            line.push_str(style.code());
            line.push_str(text);
            line.push_str("\u{1b}[0m");
        } else {
            line.push_str(text);
        }
    }

    fn end(&mut self, line: &mut String) {
        self.out.push_str(line.trim_end());
        self.out.push('\n');
        line.clear();
    }
}

/// Spans with the style each is shown in.
#[must_use]
pub fn styled(spans: &[Span]) -> Vec<(Style, String)> {
    let style = |span: &Span| match span {
        Span::Words(_) => Style::Plain,
        Span::Rule(_) => Style::Rule,
        Span::Candidate(_) => Style::Plain,
        Span::Figure(_) => Style::Bold,
    };
    // A figure and its unit stay on one line.
    let text = |span: &Span| match span {
        Span::Figure(text) => text.replace(' ', "\u{a0}"),
        Span::Words(text) | Span::Rule(text) | Span::Candidate(text) => text.clone(),
    };
    spans.iter().map(|span| (style(span), text(span))).collect()
}

fn words(text: &[(Style, String)]) -> Vec<Word> {
    let mut words: Vec<Word> = Vec::new();
    let mut word: Word = Vec::new();
    for (style, piece) in text {
        for (index, part) in piece.split(' ').enumerate() {
            if index > 0 && !word.is_empty() {
                words.push(std::mem::take(&mut word));
            }
            if !part.is_empty() {
                word.push((*style, part.replace('\u{a0}', " ")));
            }
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

fn word_width(word: &Word) -> usize {
    word.iter().map(|(_, text)| text.width()).sum()
}

/// A cell in lines of at most `width`: broken at blanks, a word too long for a line behind a hyphen or slash, else cut.
fn wrap(cell: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut line = String::new();
    for word in cell.split(' ') {
        for (index, part) in parts(word, width).into_iter().enumerate() {
            let gap = usize::from(index == 0 && !line.is_empty());
            if !line.is_empty() && line.width() + gap + part.width() > width {
                lines.push(std::mem::take(&mut line));
            } else if gap == 1 {
                line.push(' ');
            }
            line.push_str(&part);
        }
    }
    lines.push(line);
    lines.iter().map(|line| line.replace('\u{a0}', " ")).collect()
}

/// A word as it is, or in pieces of at most `width` where it is longer.
fn parts(word: &str, width: usize) -> Vec<String> {
    if word.width() <= width {
        return vec![word.to_owned()];
    }
    let mut parts = Vec::new();
    for piece in word.split_inclusive(['-', '/', '_', '.']) {
        let mut part = String::new();
        for letter in piece.chars() {
            if part.width() >= width {
                parts.push(std::mem::take(&mut part));
            }
            part.push(letter);
        }
        parts.push(part);
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_hangs_under_its_own_start() {
        let mut sheet = Sheet::new(60, false);
        sheet.note("why", &"word ".repeat(20));
        let text = sheet.finish();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 3);
        assert!(lines[0].starts_with("  why          word"));
        assert!(lines[1].starts_with("               word"));
        assert!(lines.iter().all(|line| line.width() <= 60));
    }

    #[test]
    fn columns_of_words_give_way_to_figures() {
        let mut sheet = Sheet::new(60, false);
        let rows = [(
            Style::Plain,
            vec!["a long name of a thing that runs on many GPUs at once".into(), "1,234.50".into()],
        )];
        sheet.columns(&[Align::Left, Align::Right], &rows);
        let text = sheet.finish();
        assert!(text.lines().all(|line| line.width() <= 60), "{text}");
        assert_eq!(text.lines().next().map(str::len), Some(60));
    }
}
