//! The page from top to bottom.
//!
//! In: files of measurements. Out: [`Page`]. It fits once to the rows that may be fitted, makes each fold, and tells; what
//! is told is worked out in the files beside this one.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::cells::{by_cell, by_group, class, intervals, name, pick};
use super::coverage::{Coverage, LEVELS};
use super::judge::{APART, Asked, Fold, Judged, Kind, Run};
use super::provenance::{self, Provenance};
use super::rivals::{choosing, ordering};
use super::tables::{Table, errors, percent, section, share};
use super::{File, Page, ablation, bars, loaded, memory, plot};
use crate::calibrate::{GAIN_FULL, Parameters, Priors, Sample, fit, samples};
use crate::catalog::Catalog;
use crate::measurement::{Measurement, Rejected};

/// The page of some files; `command` is told as what made it. `ablate` adds what each part of the fit is worth: a dozen
/// fits and their folds more.
#[must_use]
pub fn page(catalog: &Catalog, command: &str, files: &[File], ablate: bool) -> Page {
    let rows = |unseen: bool| -> Vec<&Measurement> {
        let of = |file: &'_ &File| file.unseen == unseen;
        files.iter().filter(of).flat_map(|file| &file.measurements.rows).collect()
    };
    let fitted_rows = rows(false);
    let known: BTreeSet<String> = fitted_rows.iter().map(|row| figure(row)).collect();
    let mut rejected = Vec::new();
    let unseen_rows: Vec<&Measurement> = rows(true)
        .into_iter()
        .filter(|row| {
            let seen = known.contains(&figure(row));
            if seen {
                let cause = "the same figure of the same configuration is fitted".to_owned();
                rejected.push(Rejected { place: row.place.clone(), reason: "also-fitted", cause });
            }
            !seen
        })
        .collect();
    let mut worked_out = |rows: &[&Measurement]| -> Vec<Sample<'_>> {
        let (found, left_out) = samples(catalog, &rows.iter().map(|row| (*row).clone()).collect::<Vec<_>>());
        rejected.extend(left_out);
        found
    };
    let fitted = Asked::new(catalog, worked_out(&fitted_rows), &fitted_rows);
    let unseen = Asked::new(catalog, worked_out(&unseen_rows), &unseen_rows);
    let parameters = Parameters::of(&Priors::study(), fitted.samples());
    let whole = fit(fitted.samples().iter(), &parameters, &parameters.start(), GAIN_FULL);
    let folds: Vec<Told<'_, '_>> = Fold::ALL
        .into_iter()
        .map(|fold| {
            let asked = if fold == Fold::Unseen { &unseen } else { &fitted };
            let (rows, runs) = asked.judge(catalog, fold, fitted.samples(), &parameters, &whole);
            Told { fold, rows, runs }
        })
        .filter(|told| !told.rows.is_empty())
        .collect();
    let parts = ablate.then(|| ablation::table(fitted.samples(), unseen.samples()));
    tell(catalog, command, files, &folds, &rejected, parts.as_ref(), [fitted.samples(), unseen.samples()])
}

/// One fold.
struct Told<'s, 'c> {
    fold: Fold,
    rows: Vec<Judged<'s, 'c>>,
    runs: Vec<Run<'s>>,
}

impl<'s, 'c> Told<'s, 'c> {
    /// The rows the oracle would stand behind, of generations that are not told apart.
    fn main(&self) -> Vec<&Judged<'s, 'c>> {
        self.rows.iter().filter(|row| !row.is_apart() && !row.is_assumed()).collect()
    }
}

/// Everything that tells one measurement from another but who published it and where it stands.
fn figure(row: &Measurement) -> String {
    format!("{:?}|{}|{:?}|{:e}", row.request, row.quantity.word(), row.statistic, row.value)
}

/// What every reader of a table must know.
const INTRODUCTION: &str = "\
How far estimates lie from what others measured, on rows that the fit did not see. Errors are absolute relative errors, \
predicted against measured, median / P90; the bias is the median signed one, positive = predicted slower (of memory: \
more). *Inside* is the share of rows measured within the stated two-sided 90 % interval, at the basis that is left \
without the fold's rows. A fold leaves out, in turn, every model (models of one shape together, from all sources), \
every GPU, every source, or half of the curves (same model, GPU, layout, lengths, engine), and predicts them from the \
rest; *unseen files* took no part in any fit, though the shipped intervals were made wide enough for them too. The study is the one the formula comes from; its figures are of its own \
rows, dense and MoE together where it tells none apart; its static batches are those of A100 and H100. *Source known* is the error left to whoever knows from the other rows of a \
source how its set-up differs (flags, clients, clocks); every other figure is for somebody who does not.";

fn tell(
    catalog: &Catalog,
    command: &str,
    files: &[File],
    folds: &[Told<'_, '_>],
    rejected: &[Rejected],
    parts: Option<&Table>,
    samples: [&[Sample<'_>]; 2],
) -> Page {
    let main: Vec<(Fold, Vec<&Judged<'_, '_>>)> = folds.iter().map(|told| (told.fold, told.main())).collect();
    let unlearnt: Vec<(Fold, Vec<&Judged<'_, '_>>)> =
        main.iter().filter(|(fold, _)| *fold != Fold::Curve).cloned().collect();
    let none = Vec::new();
    let of = |wanted: Fold| main.iter().find(|(fold, _)| *fold == wanted).map_or(&none, |(_, rows)| rows);

    let (orders, ordered) = ordering(&unlearnt, false);
    let (rates, ordered_rates) = ordering(&unlearnt, true);
    let (chosen, at_90) = choosing(&unlearnt);
    let all = |wanted: Fold| folds.iter().find(|told| told.fold == wanted).map_or(&[][..], |told| &told.rows);
    let (memories, pool) = memory::table(
        catalog,
        &[("fitted files", all(Fold::Model)), (Fold::Unseen.word(), all(Fold::Unseen))],
    );

    let mut out = String::new();
    let _ = writeln!(out, "# Accuracy\n\n{INTRODUCTION}\n");
    let used = samples.map(<[Sample<'_>]>::len);
    let sources = samples.map(|samples| {
        samples.iter().map(|sample| sample.measurement.source.as_str()).collect::<BTreeSet<_>>().len()
    });
    let _ = writeln!(
        out,
        "Made by `{command}`, catalog of {} ({}): {} rows of {} sources to fit and fold, {} rows of {} sources unseen. \
         The sources, with their licences, are [at the end](#rows).",
        catalog.built,
        catalog.sha256.get(..12).unwrap_or(&catalog.sha256),
        used[0],
        sources[0],
        used[1],
        sources[1]
    );

    let summary = by_cell(of(Fold::Model), Fold::Model);
    let words = format!(
        "Fold: {}. Rows of `{APART}` and rows that no formula carries are told apart, below. A bar is the one to meet now; \
         then the next.",
        Fold::Model.word()
    );
    section(&mut out, "## In short", &words, &summary);
    let mut lines = Table::new(2, &["what", "fold", "rows", "figure", "bar"]);
    for (fold, order) in &ordered {
        lines.row([
            "pairs at equal concurrency and GPUs ordered right".to_owned(),
            fold.word().to_owned(),
            format!("{} pairs", order.pairs()),
            format!("{} %", share(order.right(), order.pairs())),
            at_least(order.right(), order.pairs()),
        ]);
    }
    for (fold, order) in &ordered_rates {
        lines.row([
            "pairs ordered right by tokens/s/GPU".to_owned(),
            fold.word().to_owned(),
            format!("{} pairs", order.pairs()),
            format!("{} %", share(order.right(), order.pairs())),
            String::new(),
        ]);
    }
    for (fold, choices) in &at_90 {
        let (broken, regret) = (choices.broken_share(), choices.regret(0.5));
        let held = |at: usize| {
            let met = broken <= bars::BROKEN[at] && (regret.is_nan() || regret <= bars::REGRET[at]);
            let word = if met { "met" } else { "missed" };
            format!("{} % / {} % {word}", percent(bars::BROKEN[at]), percent(bars::REGRET[at]))
        };
        lines.row([
            "choices at confidence 0.9 that break their limit / median regret".to_owned(),
            fold.word().to_owned(),
            format!("{} choices", choices.made),
            format!("{} % / {} %", percent(broken), percent(regret)),
            format!("{}; {}", held(0), held(1)),
        ]);
    }
    if let Some(pool) = &pool {
        lines.row([
            "KV pool".to_owned(),
            "not fitted".to_owned(),
            pool.rows.to_string(),
            format!("{} %", errors(pool)),
            super::cells::held(&bars::KV_POOL, pool),
        ]);
    }
    section(&mut out, "### Other promises", "Each line names its fold.", &lines);

    let _ = writeln!(out, "\n## By what the fit did not see");
    for (fold, rows) in &main {
        if *fold != Fold::Model {
            let heading = format!("### {}", capital(fold.word()));
            section(&mut out, &heading, &format!("Fold: {}.", fold.word()), &by_cell(rows, *fold));
        }
    }
    let plots = plots(of(Fold::Model), all(Fold::Model));
    if !plots.is_empty() {
        let _ = writeln!(out, "\n### Predicted against measured\n\nFold: {}.\n", Fold::Model.word());
    }
    for (name, title, _) in plots.iter().filter(|(name, ..)| name != COVERAGE) {
        let _ = writeln!(out, "![{title}](accuracy/{name})");
    }

    let words = "Shares of rows inside stated intervals, by nominal level: an interval of another level than 90 % is that of \
                 the same normal law. The last shares are measured faster, and slower, than the 90 % interval says. Bar: 87 to \
                 97 % inside, median factor at most 1.75.";
    section(&mut out, "## Stated intervals", words, &intervals(&main));
    for (name, title, _) in plots.iter().filter(|(name, ..)| name == COVERAGE) {
        let _ = writeln!(out, "![{title}](accuracy/{name})");
    }

    let words = "Pairs of rows of the same model, lengths, load, quantity, concurrency and number of GPUs, measured more than \
                 10 % apart, that differ in GPU, layout, precision or engine. A predicted tie is wrong.";
    section(&mut out, "## Ordering", words, &orders);
    let words = "Pairs of the same model, lengths and load by tokens/s/GPU, at whatever concurrency and number of GPUs: how \
                 the study counts (TPOT 97.0 %, saturation 98.3 %, model left out).";
    section(&mut out, "### By tokens/s/GPU", words, &rates);
    let words = "Of the TPOT rows of one model, lengths and load, the one with the highest predicted tokens/s/GPU whose \
                 predicted TPOT, at the one-sided quantile `confidence` of its stated interval, meets a limit of 8, 10, 12.5, \
                 15, 20, 25, 30, 40 or 50 ms. Does it when measured? Contested are choices among rows of which some break the \
                 limit. No choice is made where no row is predicted to meet a limit that some row meets. Regret is what the \
                 choices that hold lose in tokens/s/GPU against the best row that holds. The study: 18 % without margin, 5-6 % \
                 with regret 18-23 % at 0.9, model left out; 26 % without margin, GPU left out.";
    section(&mut out, "## Choosing the best of many", words, &chosen);

    if let Some(parts) = parts {
        let words = "The same rows fitted without a part. In each cell: model left out ; unseen files (median / P90). Figures that do \
                     not rise say that others make up for the part on these rows, not that it is wrong: set-ups and effects \
                     are what carries to sources not seen yet.";
        section(&mut out, "## What each part is worth", words, parts);
    }
    let _ = writeln!(out, "\n## Under load");
    let load: Vec<_> = folds.iter().map(|told| (told.fold, told.main(), told.runs.as_slice())).collect();
    loaded::tell(&mut out, &load);

    let words = "As engines report at their start. The fit has no part in memory, so there is no fold.";
    section(&mut out, "## Memory", words, &memories);

    type Group = fn(&Judged<'_, '_>) -> String;
    let grouped: [(Fold, &'static str, &str, Group); 4] = [
        (Fold::Source, "source", "## By source", |row| row.sample.measurement.source.clone()),
        (Fold::Unseen, "source", "## By source, unseen files", |row| row.sample.measurement.source.clone()),
        (Fold::Gpu, "GPU", "## By GPU", |row| row.sample.resolved.unit.gpu.id.clone()),
        (Fold::Model, "engine", "## By engine generation", |row| row.sample.resolved.unit.engine.id.clone()),
    ];
    for (fold, head, heading, group) in grouped {
        let own: Vec<&Judged<'_, '_>> = all(fold).iter().filter(|row| !row.is_apart()).collect();
        let words = format!("Fold: {}. *Assumed*: no formula carries; a factor of 4 is stated.", fold.word());
        section(&mut out, heading, &words, &by_group(&own, head, group));
    }
    apart(&mut out, folds);
    let _ = writeln!(out, "\n## Rows");
    files_read(&mut out, files, rejected, samples);
    sources_read(&mut out, files, samples);

    let said = folds.iter().map(|told| format!("{}: {} rows\n", told.fold.word(), told.rows.len()));
    let summary = format!("{}\n{summary}\n{lines}", said.collect::<String>());
    Page { markdown: out, plots: plots.into_iter().map(|(name, _, text)| (name, text)).collect(), summary }
}

/// The words of the two bars on shares of pairs.
#[expect(clippy::cast_precision_loss, reason = "counts of pairs")]
fn at_least(right: usize, pairs: usize) -> String {
    let share = right as f64 / pairs as f64;
    let one = |bar: f64| format!("{} % {}", percent(bar), if share >= bar { "met" } else { "missed" });
    format!("{}; {}", one(bars::ORDERED[0]), one(bars::ORDERED[1]))
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

/// The file of the coverage plot.
const COVERAGE: &str = "coverage.svg";

/// File, title and text of every plot: rows of one fold, and memory, which has none.
fn plots(rows: &[&Judged<'_, '_>], all: &[Judged<'_, '_>]) -> Vec<(String, String, String)> {
    let mut plots = Vec::new();
    let fold = Fold::Model.word();
    for kind in Kind::MAIN {
        let points: Vec<(f64, f64, bool)> = pick(rows, kind, None)
            .into_iter()
            .filter_map(|row| {
                row.figures().map(|(measured, predicted)| (measured, predicted, row.is_mixture()))
            })
            .collect();
        let unit = if kind == Kind::Saturation { "tokens/s" } else { "ms" };
        let title = format!("{}, {fold}", name(kind));
        let drawn = plot::scatter(&title, unit, &points);
        plots.extend(drawn.map(|text| (format!("{}.svg", kind.slug()), title, text)));
    }
    let pools: Vec<(f64, f64, bool)> = all
        .iter()
        .filter(|row| row.sample.measurement.quantity == crate::measurement::Quantity::KvPool)
        .filter_map(|row| row.figures().map(|(measured, predicted)| (measured, predicted, row.is_mixture())))
        .collect();
    let title = "KV pool, not fitted".to_owned();
    let drawn = plot::scatter(&title, "GiB per GPU", &pools);
    plots.extend(drawn.map(|text| (format!("{}.svg", Kind::KvPool.slug()), title, text)));
    let mut lines = Vec::new();
    for kind in Kind::MAIN {
        for mixture in [false, true] {
            if let Some(found) = Coverage::of(&pick(rows, kind, Some(mixture))) {
                let points = LEVELS.into_iter().zip(found.inside).collect();
                lines.push(plot::Line { name: kind.word().to_owned(), mixture, points });
            }
        }
    }
    let title = format!("Rows inside stated intervals, {fold}");
    let drawn = plot::coverage(&title, &lines);
    plots.extend(drawn.map(|text| (COVERAGE.to_owned(), title, text)));
    plots
}

/// The generation told apart, and rows that no formula carries.
fn apart(out: &mut String, folds: &[Told<'_, '_>]) {
    let heads = ["fold", "measure", "class", "rows", "median / P90 %", "bias %", "inside 90 % interval"];
    let mut tables = [Table::new(3, &heads), Table::new(3, &heads)];
    for told in folds {
        let sets = [
            told.rows.iter().filter(|row| row.is_apart()).collect::<Vec<_>>(),
            told.rows.iter().filter(|row| row.is_assumed() && !row.is_apart()).collect(),
        ];
        for (table, rows) in tables.iter_mut().zip(sets) {
            for kind in Kind::MAIN {
                for mixture in [false, true] {
                    let own = pick(&rows, kind, Some(mixture));
                    let (Some(score), Some(found)) = (super::cells::score(&own), Coverage::of(&own)) else {
                        continue;
                    };
                    let words = [told.fold.word(), kind.word(), class(mixture)].map(str::to_owned);
                    let bias = super::tables::signed(score.bias);
                    let figures = [score.rows.to_string(), errors(&score), bias, percent(found.inside[2])];
                    table.row(words.into_iter().chain(figures));
                }
            }
        }
    }
    let words = format!(
        "`{APART}`: a generation seen on a few mixtures of one family of GPUs, some of whose rows may use speculative decoding."
    );
    section(out, "## TensorRT-LLM from 1.2", &words, &tables[0]);
    let words = "Without the fold's rows nothing was measured on the GPU's family, or too little on hardware other than NVIDIA's: \
                 the oracle says `assumed` with a factor of 4, and holds no promise by it.";
    section(out, "## Where no formula carries", words, &tables[1]);
}

/// What each file gave.
fn files_read(out: &mut String, files: &[File], rejected: &[Rejected], samples: [&[Sample<'_>]; 2]) {
    let mut table = Table::new(2, &["file", "taken as", "figures", "used", "left out"]);
    for file in files {
        let own = rejected.iter().filter(|reject| reject.place.file == file.name);
        let mut reasons: BTreeMap<&str, usize> = BTreeMap::new();
        for reject in file.measurements.rejected.iter().chain(own) {
            *reasons.entry(reject.reason).or_default() += 1;
        }
        let used = samples[usize::from(file.unseen)];
        let used = used.iter().filter(|sample| sample.measurement.place.file == file.name).count();
        let reasons: Vec<String> =
            reasons.into_iter().map(|(reason, rows)| format!("{rows} {reason}")).collect();
        table.row([
            file.name.clone(),
            if file.unseen { "unseen" } else { "fitted" }.to_owned(),
            file.measurements.rows.len().to_string(),
            used.to_string(),
            reasons.join(", "),
        ]);
    }
    section(out, "### Files", "A row left out as it was read may hold several figures.", &table);
}

/// Who published the rows that are used.
fn sources_read(out: &mut String, files: &[File], samples: [&[Sample<'_>]; 2]) {
    let mut told: BTreeMap<String, Provenance> = BTreeMap::new();
    files.iter().for_each(|file| provenance::gather(&mut told, &file.text));
    let mut counts: BTreeMap<&str, [usize; 2]> = BTreeMap::new();
    for (at, samples) in samples.iter().enumerate() {
        for sample in *samples {
            counts.entry(&sample.measurement.source).or_default()[at] += 1;
        }
    }
    let mut table = Table::new(3, &["source", "licence", "url", "rows fitted", "rows unseen"]);
    for (source, rows) in counts {
        let found = told.get(source).cloned().unwrap_or_default();
        let licences: Vec<String> = found.licences.into_iter().collect();
        let more = found.urls.len().saturating_sub(1);
        let mut url = found.urls.into_iter().next().unwrap_or_default();
        if more > 0 {
            let _ = write!(url, " and {more} more");
        }
        table.row([source.to_owned(), licences.join("; "), url, rows[0].to_string(), rows[1].to_string()]);
    }
    section(
        out,
        "### Sources",
        "Licences and addresses as the files state them; blank = not stated there.",
        &table,
    );
}
