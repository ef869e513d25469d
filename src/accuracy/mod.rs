//! The accuracy page: how far estimates lie from measurements that the fit never saw.
//!
//! In: a catalog and the text of measurement files, those to fit beside those only scored. Out: [`Page`], Markdown and SVG
//! plots, the same bytes for the same input. It writes the English of that page itself, touches no file, and judges
//! the estimates by the formula and the intervals of `estimate`, with no formula of its own.

mod ablation;
mod bars;
mod cells;
pub mod choice;
mod coverage;
mod judge;
mod loaded;
mod memory;
pub mod order;
mod page;
mod plot;
mod provenance;
mod rivals;
mod tables;

use crate::measurement::Measurements;

pub use page::page;

/// A file of measurements as it was read.
#[derive(Debug, Clone)]
pub struct File {
    /// As the user named it.
    pub name: String,
    /// What it says.
    pub text: String,
    /// Its rows.
    pub measurements: Measurements,
    /// Only scored, never fitted.
    pub unseen: bool,
}

/// What is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The page, Markdown.
    pub markdown: String,
    /// Name and text of each plot; the page links them as `accuracy/NAME`.
    pub plots: Vec<(String, String)>,
    /// The figures of the page in a few lines.
    pub summary: String,
}
