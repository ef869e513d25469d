//! Drawings as SVG, written by hand: readable on light and on dark ground, and the same bytes for the same figures.

use std::fmt::Write as _;

/// Fonts and grounds of every drawing.
const STYLE: &str = "\
text{font:12px system-ui,sans-serif;fill:#24292f}.n{text-anchor:end}.m{text-anchor:middle}.h{font-weight:600}.w{fill:#fff}\
@media(prefers-color-scheme:dark){text{fill:#e6edf3}.w{fill:#0d1117}}";

/// Opens a drawing of a size in pixels, with a title for those who cannot see it and further style rules.
#[must_use]
pub fn open(width: f64, height: f64, title: &str, style: &str) -> String {
    let title = escape(title);
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" width=\"{width:.0}\" \
         height=\"{height:.0}\" role=\"img\" aria-label=\"{title}\">\n<title>{title}</title>\n<style>{STYLE}{style}</style>\n\
         <rect class=\"w\" width=\"{width:.0}\" height=\"{height:.0}\"/>\n"
    )
}

/// Ends a drawing.
pub fn close(out: &mut String) {
    out.push_str("</svg>\n");
}

/// Text as XML holds it.
#[must_use]
pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// A word at a place.
pub fn word(out: &mut String, class: &str, x: f64, y: f64, text: &str) {
    let _ = writeln!(out, "<text class=\"{class}\" x=\"{x:.0}\" y=\"{y:.0}\">{}</text>", escape(text));
}
