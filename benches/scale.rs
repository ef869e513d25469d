//! Time to a gap and to proof over many drawn programs: median and ninth decile by workloads, offers and rules.
//!
//! `cargo bench --bench scale` prints every table of `docs/scale.md`; words behind `--` choose parts
//! (`one`, `five`, `twenty`, ...) and `seeds=N`. Seconds are of CPU, all threads added, so that what else the machine does
//! matters less.
#![allow(missing_docs, reason = "a bench")]
#![allow(clippy::print_stdout, reason = "a bench prints")]

#[path = "../tests/program_cases/draw.rs"]
mod draw;

use std::time::Instant;

use bursar::program::Program;
use bursar::program::prune::prune;
use bursar::solve::{Effort, Outcome, solve_program_within};
use draw::{Draw, draw};

/// One line of a table.
struct Line {
    /// Word that chooses it.
    word: &'static str,
    title: &'static str,
    draw: Draw,
    /// Relative gaps to reach, the coarse one first.
    gaps: &'static [f64],
    /// Seconds after which a search is told to stop.
    stop_s: f64,
    seeds: u64,
}

/// What a plan is called optimal at.
const PROOF: f64 = 1e-4;
const REDUNDANT: Draw = Draw { redundant: Some(3), ..Draw::plain(5, 10_000) };

const LINES: [Line; 10] = [
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
    Line { word, title, draw, gaps, stop_s, seeds }
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with("--")).collect();
    let number = |name: &str| args.iter().find_map(|arg| arg.strip_prefix(name)?.parse::<f64>().ok());
    let (seeds, first) = (number("seeds="), number("first=").unwrap_or(0.0));
    let (stop, verbose) = (number("stop="), args.iter().any(|arg| arg == "verbose"));
    let words: Vec<&String> = args.iter().filter(|arg| !arg.contains('=') && *arg != "verbose").collect();
    println!(
        "| program | seeds | pools left | pruned in ms | to a gap of | median s | P90 s | most s | reached | gap: median, most | plans, none, unknown |"
    );
    println!("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |");
    for line in LINES.iter().filter(|line| words.is_empty() || words.iter().any(|word| *word == line.word)) {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small count")]
        let seeds = (first as u64)..(first as u64 + seeds.map_or(line.seeds, |seeds| seeds as u64));
        let pruned: Vec<(Program, f64)> = seeds
            .clone()
            .map(|seed| {
                let program = draw(line.draw, seed);
                timed(|| prune(&program).program)
            })
            .collect();
        let left: Vec<f64> = pruned.iter().map(|(program, _)| program.pools.len() as f64).collect();
        let ms: Vec<f64> = pruned.iter().map(|(_, s)| 1e3 * s).collect();
        for gap in line.gaps {
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
    let (outcome, seconds) = timed(|| solve_program_within(program, Effort::until(gap, &stop)));
    match outcome {
        Outcome::Solved(solved) => {
            assert_eq!(solved.point.broken_rule(program), None);
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
