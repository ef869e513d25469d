//! Time to a gap and to proof over many drawn programs: median and ninth decile by workloads, offers and rules.
//!
//! `cargo bench --bench scale` prints every table of `docs/scale.md`; words behind `--` choose parts
//! (`one`, `five`, `twenty`, `forms`, ...) and `seeds=N`, `first=N`, `to=GAP`,
//! `stop=SECONDS`, `verbose`. Seconds are of CPU, all threads added, so that what else the machine does
//! matters less.
#![allow(missing_docs, reason = "a bench")]
#![allow(clippy::print_stdout, reason = "a bench prints")]

#[path = "../tests/program_cases/draw.rs"]
mod draw;

use std::time::Instant;

use bursar::program::Program;
use bursar::program::prune::prune;
use bursar::request::Backend;
use bursar::solve::{Effort, Outcome, contenders, solve_program_within};
use draw::{Draw, Form, draw, with};

/// One line of a table.
struct Line {
    /// Word that chooses it.
    word: &'static str,
    title: &'static str,
    draw: Draw,
    /// A rule of another form.
    form: Option<Form>,
    /// Relative gaps to reach, the coarse one first.
    gaps: &'static [f64],
    /// Seconds after which a search is told to stop.
    stop_s: f64,
    seeds: u64,
}

/// What a plan is called optimal at.
const PROOF: f64 = 1e-4;
const REDUNDANT: Draw = Draw { redundant: Some(3), ..Draw::plain(5, 10_000) };

const PLAIN: [Line; 10] = [
    line("one", "1 workload, 1,000 offers", Draw::plain(1, 1_000), &[1e-2, PROOF], 60.0, 10),
    line("one", "1 workload, 10,000 offers", Draw::plain(1, 10_000), &[1e-2, PROOF], 60.0, 10),
    line("two", "2 workloads, 10,000 offers", Draw::plain(2, 10_000), &[1e-2, PROOF], 60.0, 10),
    line("five", "5 workloads, 1,000 offers", Draw::plain(5, 1_000), &[1e-2, PROOF], 60.0, 10),
    line("five", "5 workloads, 10,000 offers", Draw::plain(5, 10_000), &[1e-2, PROOF], 60.0, 20),
    line(
        "heavy",
        "5 workloads x 10 rates, 10,000 offers, 100 hosted, limits of GPUs",
        Draw { rates: 10.0, hosted: 100, quotas: true, ..Draw::plain(5, 10_000) },
        &[1e-2, PROOF],
        60.0,
        10,
    ),
    line("rules", "5 workloads, 10,000 offers, every rule", REDUNDANT, &[1e-2, PROOF], 60.0, 10),
    line(
        "infeasible",
        "5 workloads x 10 rates, 10,000 offers, every rule, no hosted model, 2 deployments",
        Draw { hosted: 0, rates: 10.0, redundant: Some(2), ..REDUNDANT },
        &[PROOF],
        60.0,
        20,
    ),
    line("twenty", "20 workloads, 1,000 offers", Draw::plain(20, 1_000), &[2e-2, PROOF], 60.0, 5),
    line("twenty", "20 workloads, 10,000 offers", Draw::plain(20, 10_000), &[2e-2, PROOF], 60.0, 10),
];

const fn line(
    word: &'static str,
    title: &'static str,
    draw: Draw,
    gaps: &'static [f64],
    stop_s: f64,
    seeds: u64,
) -> Line {
    Line { word, title, draw, form: None, gaps, stop_s, seeds }
}

/// Each form at one, two and five workloads.
fn lines() -> Vec<Line> {
    let mut all: Vec<Line> = PLAIN.into();
    let forms = [
        (Form::Starts, ["starts, 1 workload", "starts, 2 workloads", "starts, 5 workloads"]),
        (
            Form::LeastTwo,
            ["at least two, 1 workload", "at least two, 2 workloads", "at least two, 5 workloads"],
        ),
        (Form::Rates, ["shared rates, 1 workload", "shared rates, 2 workloads", "shared rates, 5 workloads"]),
        (Form::Waits, ["waiting, 1 workload", "waiting, 2 workloads", "waiting, 5 workloads"]),
        (Form::Mean, ["a mean, 1 workload", "a mean, 2 workloads", "a mean, 5 workloads"]),
        (
            Form::LeastScore,
            ["least score, 1 workload", "least score, 2 workloads", "least score, 5 workloads"],
        ),
    ];
    for (form, titles) in forms {
        for (title, workloads) in titles.into_iter().zip([1, 2, 5]) {
            let draw = Draw::plain(workloads, 1_000);
            all.push(Line { form: Some(form), ..line("forms", title, draw, &[PROOF], 60.0, 3) });
        }
    }
    all
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with("--")).collect();
    let number = |name: &str| args.iter().find_map(|arg| arg.strip_prefix(name)?.parse::<f64>().ok());
    let (seeds, first) = (number("seeds="), number("first=").unwrap_or(0.0));
    let only = number("to=");
    let (stop, verbose) = (number("stop="), args.iter().any(|arg| arg == "verbose"));
    let words: Vec<&String> = args.iter().filter(|arg| !arg.contains('=') && *arg != "verbose").collect();
    println!(
        "| program | seeds | pools left | pruned in ms | to a gap of | median s | P90 s | most s | reached | gap: median, most | plans, none, unknown |"
    );
    println!("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |");
    let lines = lines();
    for line in lines.iter().filter(|line| words.is_empty() || words.iter().any(|word| *word == line.word)) {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small count")]
        let seeds = (first as u64)..(first as u64 + seeds.map_or(line.seeds, |seeds| seeds as u64));
        let pruned: Vec<(Program, f64)> = seeds
            .clone()
            .map(|seed| {
                let drawn = draw(line.draw, seed);
                let program = line.form.map_or_else(|| drawn.clone(), |form| with(form, drawn.clone()));
                timed(|| prune(&program).program)
            })
            .collect();
        let left: Vec<f64> = pruned.iter().map(|(program, _)| program.pools.len() as f64).collect();
        let ms: Vec<f64> = pruned.iter().map(|(_, s)| 1e3 * s).collect();
        for gap in line.gaps.iter().filter(|gap| only.is_none_or(|only| only == **gap)) {
            let runs: Vec<Run> = pruned
                .iter()
                .zip(seeds.clone())
                .map(|((program, _), seed)| {
                    let run = run(program, *gap, stop.unwrap_or(line.stop_s));
                    if verbose {
                        println!("{} seed {seed} to {gap}: {run:?}", line.title);
                    }
                    run
                })
                .collect();
            let times: Vec<f64> = runs.iter().map(|run| run.seconds).collect();
            let gaps: Vec<f64> = runs.iter().filter_map(|run| run.gap).collect();
            let of = |found: Found| runs.iter().filter(|run| run.found == found).count();
            let reached = runs
                .iter()
                .filter(|run| run.found == Found::Nothing || run.gap.is_some_and(|reached| reached <= *gap));
            println!(
                "| {} | {} | {:.0}, {:.0} | {:.0}, {:.0} | {} % | {:.3} | {:.2} | {:.2} | {} of {} | {:.4} %, {:.4} % | {}, {}, {} |",
                line.title,
                runs.len(),
                at(&left, 0.5),
                at(&left, 1.0),
                at(&ms, 0.5),
                at(&ms, 1.0),
                100.0 * gap,
                at(&times, 0.5),
                at(&times, 0.9),
                at(&times, 1.0),
                reached.count(),
                runs.len(),
                100.0 * at(&gaps, 0.5),
                100.0 * at(&gaps, 1.0),
                of(Found::Plan),
                of(Found::Nothing),
                of(Found::Unknown),
            );
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Found {
    Plan,
    Nothing,
    Unknown,
}

#[derive(Debug)]
#[allow(dead_code, reason = "printed")]
struct Run {
    seconds: f64,
    found: Found,
    gap: Option<f64>,
    value: f64,
}

fn run(program: &Program, gap: f64, stop_s: f64) -> Run {
    let begun = cpu_seconds();
    let stop = || cpu_seconds() - begun > stop_s;
    let ((outcome, program), seconds) = timed(|| {
        // As for a request: where the whole matrix would be written, a bound first leaves the columns that matter.
        let program = contenders(program, Backend::default(), &stop)
            .map_or_else(|| program.clone(), |(pools, hosted)| program.only(&pools, &hosted).0);
        (solve_program_within(&program, Effort::until(gap, &stop)), program)
    });
    match outcome {
        Outcome::Solved(solved) => {
            assert_eq!(solved.point.broken_rule(&program), None);
            let gap = (solved.value - solved.bound) / solved.value;
            Run { seconds, found: Found::Plan, gap: Some(gap), value: solved.value }
        }
        Outcome::Infeasible { .. } => Run { seconds, found: Found::Nothing, gap: None, value: f64::INFINITY },
        Outcome::Unknown(_) => Run { seconds, found: Found::Unknown, gap: None, value: f64::NAN },
    }
}

fn timed<T>(work: impl FnOnce() -> T) -> (T, f64) {
    let begun = cpu_seconds();
    let done = work();
    (done, cpu_seconds() - begun)
}

/// CPU time of all threads where the system tells (Linux), else time on the clock.
fn cpu_seconds() -> f64 {
    use std::sync::OnceLock;
    static BEGUN: OnceLock<Instant> = OnceLock::new();
    let clock = BEGUN.get_or_init(Instant::now).elapsed().as_secs_f64();
    let Ok(threads) = std::fs::read_dir("/proc/self/task") else { return clock };
    let of = |thread: std::fs::DirEntry| -> Option<f64> {
        let text = std::fs::read_to_string(thread.path().join("schedstat")).ok()?;
        text.split_whitespace().next()?.parse().ok()
    };
    let ns: f64 = threads.flatten().filter_map(of).sum();
    if ns > 0.0 { ns * 1e-9 } else { clock }
}

/// The value below which this part of the values lies, the next larger one where it falls between.
fn at(values: &[f64], part: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an index")]
    let index = ((part * sorted.len() as f64).ceil() as usize).clamp(1, sorted.len().max(1)) - 1;
    sorted.get(index).copied().unwrap_or(f64::NAN)
}
