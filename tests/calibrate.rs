//! `bursar calibrate`: a user's own rows make rows they did not give better, never worse, and what does not help is not written.

#![allow(clippy::unwrap_used, reason = "a test may end in a panic")]

#[path = "common/run.rs"]
mod run;

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use bursar::catalog::Catalog;
use bursar::estimate::{Basis, Estimate, Load, Measures, Outcome, Request, single};
use bursar::measurement::{Defaults, Quantity, read};
use run::{Run, bursar, root};
use serde_json::Value;
use tempfile::{TempDir, tempdir};

/// A unit of no published measurement, slower than estimated by half.
const MODEL: &str = "Qwen/Qwen2.5-7B-Instruct";
const GPU: &str = "a40";
const SLOWER: f64 = 1.45;

fn path(folder: &Path, name: &str) -> String {
    folder.join(name).to_string_lossy().into_owned()
}

fn with(folder: &str) -> Catalog {
    Catalog::load(&[PathBuf::from(folder)]).unwrap()
}

fn request(concurrency: f64, input: f64, output: f64) -> Request {
    Request {
        id: Value::from("x"),
        model: MODEL.to_owned(),
        gpu: GPU.to_owned(),
        load: Some(Load::Closed),
        concurrency: Some(concurrency),
        input_tokens: Some(input),
        output_tokens: Some(output),
        ..Request::default()
    }
}

fn measures(catalog: &Catalog, request: &Request) -> Box<Measures> {
    match single(catalog, request).outcome {
        Outcome::Fits(measures) => measures,
        other => panic!("{other:?}"),
    }
}

fn tpot(catalog: &Catalog, request: &Request) -> Estimate {
    measures(catalog, request).tpot_ms.unwrap().value
}

/// What is measured of the slower unit: off the oracle by [`SLOWER`], and by a pattern of 8 % either way.
fn measured(request: &Request, at: usize) -> f64 {
    let wobble = [1.08, 0.97, 0.92, 1.04, 1.0, 0.95, 1.06][at % 7];
    tpot(Catalog::embedded(), request).value * SLOWER * wobble
}

fn given() -> Vec<Request> {
    let loads = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0];
    let all = loads.into_iter().flat_map(|n| [request(n, 512.0, 128.0), request(n, 1500.0, 300.0)]);
    all.collect()
}

/// Loads that were never given.
fn others() -> Vec<Request> {
    let loads = [1.0, 3.0, 6.0, 12.0, 24.0, 48.0];
    let all = loads.into_iter().flat_map(|n| [request(n, 800.0, 200.0), request(n, 256.0, 400.0)]);
    all.collect()
}

const HEADER: &str = "model,gpu,load,concurrency,input_tokens,output_tokens,measure,statistic,value,as_of\n";

fn line(request: &Request, value: f64) -> String {
    format!(
        "{},{},closed,{},{},{},tpot_ms,mean,{value},2026-03-05\n",
        request.model,
        request.gpu,
        request.concurrency.unwrap(),
        request.input_tokens.unwrap(),
        request.output_tokens.unwrap()
    )
}

fn rows() -> Vec<String> {
    given().iter().enumerate().map(|(at, request)| line(request, measured(request, at))).collect()
}

fn file(folder: &TempDir, name: &str, rows: &[String]) -> String {
    let path = path(folder.path(), name);
    fs::write(&path, format!("{HEADER}{}", rows.concat())).unwrap();
    path
}

#[track_caller]
fn fine(run: &Run) -> &Run {
    assert_eq!(run.exit, 0, "{}{}", run.stdout, run.stderr);
    run
}

/// Median absolute error on loads that were never given, which the slower unit really takes `SLOWER` times as long for.
fn median_error(catalog: &Catalog) -> f64 {
    let shipped = Catalog::embedded();
    let mut errors: Vec<f64> = others()
        .iter()
        .map(|request| {
            let truth = tpot(shipped, request).value * SLOWER;
            (tpot(catalog, request).value / truth - 1.0).abs()
        })
        .collect();
    errors.sort_by(f64::total_cmp);
    errors[errors.len() / 2]
}

fn tables(folder: &str) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| {
            (entry.file_name().to_string_lossy().into_owned(), fs::read_to_string(entry.path()).unwrap())
        })
        .collect();
    found.sort();
    found
}

#[test]
fn twelve_rows_of_an_unseen_unit_bring_down_the_error_on_rows_not_given() {
    let folder = tempdir().unwrap();
    let (file, out) = (file(&folder, "runs.csv", &rows()), path(folder.path(), "own"));
    let run = bursar(&["calibrate", &file, "--output", &out]);
    fine(&run);
    assert!(run.stdout.contains("12 figures used, 0 left out"), "{}", run.stdout);
    assert!(run.stdout.lines().all(|line| line.chars().count() <= 100), "{}", run.stdout);
    assert!(run.stdout.contains(&format!("--catalog {out}")), "{}", run.stdout);

    let (before, after) = (median_error(Catalog::embedded()), median_error(&with(&out)));
    assert!(before > 0.25 && after < 0.08, "{before} {after}");

    // The unit is calibrated, its interval narrower and still around the truth; nothing else has moved.
    let (shipped, own) = (Catalog::embedded(), with(&out));
    let asked = request(12.0, 800.0, 200.0);
    let (old, new) = (tpot(shipped, &asked), tpot(&own, &asked));
    assert_eq!(new.basis, Basis::Calibrated);
    assert!(new.high / new.low < old.high / old.low && new.high / new.value >= 1.0999, "{old:?} {new:?}");
    let truth = old.value * SLOWER;
    assert!((new.low..=new.high).contains(&truth), "{truth} {new:?}");
    for gpu in ["h100-sxm", "l4"] {
        let other = Request { gpu: gpu.to_owned(), ..asked.clone() };
        let (old, new) = (tpot(shipped, &other), tpot(&own, &other));
        // A refit may move what is shared; a factor may not.
        let refitted = Path::new(&out).join("coefficients.csv").exists();
        assert!(refitted || (new.value - old.value).abs() < 1e-9, "{gpu}");
        assert!((new.value / old.value - 1.0).abs() < 0.1, "{gpu} {old:?} {new:?}");
    }
    let check = bursar(&["catalog", "check", "--catalog", &out]);
    fine(&check);
}

#[test]
fn published_rows_make_other_published_rows_no_worse() {
    let folder = tempdir().unwrap();
    let text = fs::read_to_string(root().join("tests/data/sglang_a100_70b.csv")).unwrap();
    let (comment, table): (Vec<&str>, Vec<&str>) = text.lines().partition(|line| line.starts_with('#'));
    assert!(!comment.is_empty(), "the file names its source");
    let (header, rows) = table.split_first().unwrap();
    // Every other load is given.
    let loads: Vec<&str> = rows.iter().map(|row| row.split(',').nth(8).unwrap()).collect();
    let mut all = loads.clone();
    all.dedup();
    let is_given = |load: &str| all.iter().position(|known| *known == load).unwrap() % 2 == 0;
    let part = |wanted: bool| -> String {
        let kept = rows.iter().zip(&loads).filter(|(_, load)| is_given(load) == wanted);
        kept.fold(format!("{header}\n"), |mut text, (row, _)| {
            let _ = writeln!(text, "{row}");
            text
        })
    };
    let (given, out) = (path(folder.path(), "given.csv"), path(folder.path(), "own"));
    fs::write(&given, part(true)).unwrap();
    fine(&bursar(&["calibrate", &given, "--output", &out]));
    let error = |catalog: &Catalog| {
        let held_out = read("others.csv", &part(false), catalog, &Defaults::default()).unwrap();
        let mut errors: Vec<f64> = held_out
            .rows
            .iter()
            .filter(|row| row.quantity == Quantity::Tpot)
            .map(|row| {
                let request = Request { id: Value::from("x"), ..row.request.clone() };
                (tpot(catalog, &request).value / row.value - 1.0).abs()
            })
            .collect();
        errors.sort_by(f64::total_cmp);
        assert!(errors.len() >= 3);
        errors[errors.len() / 2]
    };
    let before = error(Catalog::embedded());
    let after = if Path::new(&out).exists() { error(&with(&out)) } else { before };
    assert!(after <= before + 0.02 && (before < 0.2 || after < 0.6 * before), "{before} {after}");
}

#[test]
fn one_row_helps_and_is_said_to_be_untried() {
    let folder = tempdir().unwrap();
    let asked = request(8.0, 512.0, 128.0);
    let row = line(&asked, tpot(Catalog::embedded(), &asked).value * SLOWER);
    let (file, out) = (file(&folder, "one.csv", &[row]), path(folder.path(), "own"));
    let run = bursar(&["calibrate", &file, "--output", &out]);
    assert!(fine(&run).stdout.contains("untried"), "{}", run.stdout);
    let (before, after) = (median_error(Catalog::embedded()), median_error(&with(&out)));
    assert!(after < 0.6 * before, "{before} {after}");
}

#[test]
fn the_order_of_rows_changes_no_byte() {
    let folder = tempdir().unwrap();
    let mut rows = rows();
    let first = file(&folder, "runs.csv", &rows);
    let written = |file: &str, name: &str| {
        let out = path(folder.path(), name);
        fine(&bursar(&["calibrate", file, "--output", &out]));
        tables(&out)
    };
    let one = written(&first, "a");
    rows.reverse();
    rows.swap(2, 7);
    fs::create_dir(folder.path().join("sub")).unwrap();
    let second = path(folder.path(), "sub/runs.csv");
    fs::write(&second, format!("{HEADER}{}", rows.concat())).unwrap();
    assert_eq!(one, written(&second, "b"));
}

#[test]
fn what_does_not_help_is_not_written() {
    let folder = tempdir().unwrap();
    let rows: Vec<String> = given()
        .iter()
        .enumerate()
        .map(|(at, request)| {
            let wobble = if (at + at / 2) % 2 == 0 { 1.06 } else { 1.0 / 1.06 };
            line(request, tpot(Catalog::embedded(), request).value * wobble)
        })
        .collect();
    let (file, out) = (file(&folder, "noise.csv", &rows), path(folder.path(), "own"));
    let run = bursar(&["calibrate", &file, "--output", &out]);
    assert!(fine(&run).stdout.contains("nothing to write"), "{}", run.stdout);
    assert!(!Path::new(&out).exists());
    let report = bursar(&["calibrate", &file, "--format", "json"]).json();
    assert_eq!(report["factors"], Value::Array(Vec::new()));
    assert_eq!(report["dropped"][0]["measure"], "step");
    assert_eq!(report["overlay"], Value::Null);
}

#[test]
fn left_out_rows_are_never_worse_in_any_group() {
    let folder = tempdir().unwrap();
    // One model slower, one as estimated, one faster; times to the first token beside them.
    let mut text = HEADER.to_owned();
    for (model, factor) in [(MODEL, 1.4), ("Qwen/Qwen2.5-14B-Instruct", 1.0), ("Qwen/Qwen3-8B", 0.8)] {
        for (at, asked) in given().iter().enumerate() {
            let asked = Request { model: model.to_owned(), ..asked.clone() };
            let found = measures(Catalog::embedded(), &asked);
            let wobble = [1.05, 0.96, 1.0, 0.93, 1.07][at % 5];
            text += &line(&asked, found.tpot_ms.unwrap().value.value * factor * wobble);
            let ttft = found.ttft_ms.unwrap().value.value / wobble;
            text += &line(&asked, ttft).replace("tpot_ms", "ttft_ms");
        }
    }
    let file = path(folder.path(), "runs.csv");
    fs::write(&file, text).unwrap();
    for hold_out in [&[][..], &["--hold-out", "model"], &["--hold-out", "curve"], &["--hold-out", "gpu"]] {
        let arguments = [&["calibrate", file.as_str(), "--format", "json"], hold_out].concat();
        let run = bursar(&arguments);
        let report = fine(&run).json();
        assert!(report["rows_used"].as_u64().unwrap() >= 60, "{report:#}");
        for group in report["groups"].as_array().unwrap() {
            let (before, after) = (&group["before"]["median"], &group["out_of_sample"]["median"]);
            if let Some(after) = after.as_f64() {
                assert!(after <= before.as_f64().unwrap() + 1e-3, "{hold_out:?} {group:#}");
            }
        }
    }
    let report = bursar(&["calibrate", &file, "--format", "json"]).json();
    let factor = |model: &str| {
        let of = |row: &&Value| row["model"] == model && row["measure"] == "step";
        report["factors"].as_array().unwrap().iter().find(of).map(|row| row["factor"].as_f64().unwrap())
    };
    assert!(report["refit"]["kept"] == true || factor(MODEL).unwrap() > 1.25);
}

#[test]
fn rows_that_cannot_be_are_named() {
    let folder = tempdir().unwrap();
    let mut text = "model,gpu,load,concurrency,rate_per_s,input_tokens,output_tokens,tpot_ms_mean,ttft_ms_p99,requests_per_s\n".to_owned();
    let unit = format!("{MODEL},{GPU}");
    writeln!(text, "{unit},closed,8,,512,128,40,900,").unwrap();
    // Faster than the weights can be read.
    writeln!(text, "{unit},closed,4,,512,128,0.5,,").unwrap();
    // Half of what arrives is served.
    writeln!(text, "{unit},open,,40,512,128,90,,20").unwrap();
    // A time under saturation is a wait.
    writeln!(text, "{unit},max,64,,512,128,90,,").unwrap();
    // A model that the catalog does not have.
    writeln!(text, "nobody/nothing-7b,{GPU},closed,4,,512,128,30,,").unwrap();
    let file = path(folder.path(), "runs.csv");
    fs::write(&file, text).unwrap();
    let run = bursar(&["calibrate", &file, "--format", "json"]);
    let report = fine(&run).json();
    let reasons: Vec<(&str, u64)> = report["rejected"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (row["reason"].as_str().unwrap(), row["count"].as_u64().unwrap()))
        .collect();
    assert_eq!(
        reasons,
        [
            ("faster-than-physics", 1),
            ("overloaded", 1),
            ("queue-included", 1),
            ("rate-is-given", 1),
            ("tail-of-a-fixed-load", 1),
            ("unknown-model", 1)
        ]
    );
    let run = bursar(&["calibrate", &file, "--rejected"]);
    assert!(fine(&run).stdout.contains("50 % of the arriving requests were served"), "{}", run.stdout);
}

#[test]
fn bad_files_exit_2_with_every_fault_of_all_of_them() {
    let folder = tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = path(folder.path(), name);
        fs::write(&path, text).unwrap();
        path
    };
    let one = write("one.csv", "model,gpu,load,tpot_ms\nx,y,sideways,-3\n");
    let two = write("two.csv", "model,gpu,colour\n");
    let absent = path(folder.path(), "absent.csv");
    let out = path(folder.path(), "own");
    let run = bursar(&["calibrate", &one, &two, &absent, "--output", &out]);
    assert_eq!(run.exit, 2);
    assert!(run.stdout.is_empty());
    for expected in ["E0708", "E0707", "E0703", "E0704", "E0902"] {
        assert!(run.stderr.contains(expected), "{expected}: {}", run.stderr);
    }
    assert!(!Path::new(&out).exists());
    // Nothing that can be estimated.
    let row = line(&request(4.0, 512.0, 128.0), 0.001);
    let none = write("none.csv", &format!("{HEADER}{row}"));
    let run = bursar(&["calibrate", &none]);
    assert_eq!(run.exit, 2);
    assert!(run.stderr.contains("E0710") && run.stderr.contains("faster-than-physics"), "{}", run.stderr);
}

#[test]
fn a_folder_of_others_is_not_overwritten() {
    let folder = tempdir().unwrap();
    let (file, out) = (file(&folder, "runs.csv", &rows()), path(folder.path(), "own"));
    fs::create_dir(&out).unwrap();
    fs::write(
        path(Path::new(&out), "economics.csv"),
        "key,scope,value,unit\nelectricity_price,default,0.31,USD/kWh\n",
    )
    .unwrap();
    fs::write(path(Path::new(&out), "coefficients.csv"), "stale").unwrap();
    let run = bursar(&["calibrate", &file, "--output", &out]);
    assert_eq!(run.exit, 2);
    assert!(run.stderr.contains("--force"), "{}", run.stderr);
    assert_eq!(tables(&out).len(), 2);
    fine(&bursar(&["calibrate", &file, "--output", &out, "--force"]));
    let found = tables(&out);
    assert!(found.iter().any(|(name, _)| name == "economics.csv"));
    assert!(found.iter().all(|(_, text)| text != "stale"));
    assert!(found.iter().all(|(name, _)| !name.starts_with('.')));
    fine(&bursar(&["catalog", "check", "--catalog", &out]));
}

/// An overlay with these rows of `calibration.csv`.
fn overlay(rows: &str) -> TempDir {
    let folder = tempdir().unwrap();
    let text = format!("engine,gpu,bits,model,measure,factor,sd_log,source,as_of\n{rows}");
    fs::write(folder.path().join("calibration.csv"), text).unwrap();
    folder
}

fn load(folders: &[&TempDir]) -> Catalog {
    Catalog::load(&folders.iter().map(|folder| folder.path().to_path_buf()).collect::<Vec<_>>()).unwrap()
}

#[test]
fn the_most_specific_row_wins_and_then_the_last_overlay() {
    let asked = request(8.0, 512.0, 128.0);
    let engine = Catalog::embedded().engine("vllm", None).unwrap().id.clone();
    // The shipped estimate itself may stand at the bound of the data sheet.
    let far = overlay(&format!("{engine},{GPU},,,step,4,0.1,me,2026-01-01\n"));
    let plain = tpot(&load(&[&far]), &asked).value / 4.0;
    let ratio = |folders: &[&TempDir]| tpot(&load(folders), &asked).value / plain;
    let any = overlay(&format!("{engine},{GPU},,,step,1.2,0.1,me,2026-01-01\n"));
    let bits = overlay(&format!("{engine},{GPU},16,,step,1.3,0.1,me,2026-01-01\n"));
    let model = overlay(&format!("{engine},{GPU},,{MODEL},step,1.5,0.1,me,2026-01-01\n"));
    let again = overlay(&format!("{engine},{GPU},,{MODEL},step,1.6,0.1,me,2026-01-01\n"));
    for (folders, expected) in [
        (&[&any][..], 1.2),
        (&[&bits, &any], 1.3),
        (&[&model, &any, &bits], 1.5),
        (&[&model, &again], 1.6),
        (&[&again, &model], 1.5),
    ] {
        assert!((ratio(folders) - expected).abs() < 1e-9, "{expected}: {}", ratio(folders));
    }
    // A factor for any model does not make a model seen.
    assert_ne!(tpot(&load(&[&any]), &asked).basis, Basis::Calibrated);
    // Another precision is another unit.
    let other = Request { weights: Some("int8".to_owned()), ..asked.clone() };
    let (plain, own) = (tpot(Catalog::embedded(), &other), tpot(&load(&[&bits]), &other));
    assert!((plain.value - own.value).abs() < 1e-12);
}

#[test]
fn what_was_not_measured_of_unknown_hardware_stays_assumed() {
    let shipped = Catalog::embedded();
    let engine = shipped.engine("vllm", None).unwrap().id.clone();
    let unknown = shipped.gpus.iter().find_map(|gpu| {
        let asked = Request { gpu: gpu.id.clone(), ..request(1.0, 512.0, 128.0) };
        let outcome = single(shipped, &asked).outcome;
        let assumed = |m: &Measures| m.tpot_ms.is_some_and(|tpot| tpot.value.basis == Basis::Assumed);
        matches!(outcome, Outcome::Fits(found) if assumed(&found)).then_some(asked)
    });
    let asked = unknown.expect("some GPU was never measured");
    let own = load(&[&overlay(&format!("{engine},{},,{MODEL},step,1.2,0.1,me,2026-01-01\n", asked.gpu))]);
    let found = measures(&own, &asked);
    let (tpot, ttft) = (found.tpot_ms.unwrap().value, found.ttft_ms.unwrap().value);
    assert_eq!(tpot.basis, Basis::Calibrated);
    assert!((tpot.high / tpot.value - (1.645_f64 * 0.1).exp()).abs() < 1e-3, "{tpot:?}");
    assert!((ttft.high / ttft.value - 4.0).abs() < 1e-9, "{ttft:?}");
    let other = Request { model: "Qwen/Qwen3-8B".to_owned(), ..asked };
    assert_eq!(self::tpot(&own, &other).basis, Basis::Assumed);
}

#[test]
fn no_factor_makes_a_unit_faster_than_its_memory() {
    let engine = Catalog::embedded().engine("vllm", None).unwrap().id.clone();
    let rows = ["step", "prefill", "ttft-loaded", "saturation"]
        .map(|measure| format!("{engine},{GPU},,{MODEL},{measure},0.011,0.2,me,2026-01-01\n"));
    let own = load(&[&overlay(&rows.concat())]);
    let asked = request(8.0, 512.0, 128.0);
    let model = own.model(MODEL).unwrap();
    let gpu = own.gpu(GPU).unwrap();
    // Weights but the embedding, 2 bytes each, at the bandwidth of the data sheet.
    let weights = model.total_params - f64::from(model.vocab) * f64::from(model.hidden);
    let floor_ms = 2.0 * weights / (gpu.bandwidth_gb_s * 1e9) * 1e3;
    let found = tpot(&own, &asked);
    assert!(found.low >= 0.98 * floor_ms && found.value >= 0.98 * floor_ms, "{found:?} {floor_ms}");
}

#[test]
fn classes_of_times_are_told_apart() {
    let engine = Catalog::embedded().engine("vllm", None).unwrap().id.clone();
    // From 2 to 4, where no bound of the data sheet is near.
    let ratios = |measure: &str| {
        let own = |factor: u32| {
            let row = |measure: &str, factor: u32| {
                format!("{engine},{GPU},,{MODEL},{measure},{factor},0.1,me,2026-01-01\n")
            };
            let steps = if measure == "step" { String::new() } else { row("step", 2) };
            load(&[&overlay(&format!("{steps}{}", row(measure, factor)))])
        };
        let (two, four) = (own(2), own(4));
        let of = |request: &Request, which: &dyn Fn(&Measures) -> f64| {
            which(&measures(&four, request)) / which(&measures(&two, request))
        };
        let (alone, loaded) = (request(1.0, 512.0, 128.0), request(16.0, 512.0, 128.0));
        let full = Request { load: Some(Load::Max), ..request(500.0, 512.0, 128.0) };
        let ttft = |m: &Measures| m.ttft_ms.unwrap().value.value;
        [
            of(&loaded, &|m| m.tpot_ms.unwrap().value.value),
            of(&alone, &ttft),
            of(&loaded, &ttft),
            1.0 / of(&full, &|m| m.output_tokens_per_s.value),
        ]
    };
    let close = |found: [f64; 4], expected: [f64; 4]| {
        for (found, expected) in found.iter().zip(expected) {
            assert!((found - expected).abs() < 0.02, "{found} {expected}");
        }
    };
    close(ratios("step"), [2.0, 1.0, 2.0, 2.0]);
    close(ratios("prefill"), [1.0, 2.0, 1.0, 1.0]);
    close(ratios("ttft-loaded"), [1.0, 1.0, 2.0, 1.0]);
    close(ratios("saturation"), [1.0, 1.0, 1.0, 2.0]);
}

#[test]
fn a_row_of_what_does_not_exist_is_refused() {
    let engine = Catalog::embedded().engine("vllm", None).unwrap().id.clone();
    for (row, code) in [
        (format!("{engine},a400,,,step,1.2,0.1,me,2026-01-01"), "E0208"),
        ("vllm-99,a40,,,step,1.2,0.1,me,2026-01-01".to_owned(), "E0208"),
        (format!("{engine},a40,,nobody/x,step,1.2,0.1,me,2026-01-01"), "E0208"),
        (format!("{engine},a40,,,steps,1.2,0.1,me,2026-01-01"), "E0207"),
        (format!("{engine},a40,5,,step,1.2,0.1,me,2026-01-01"), "E0205"),
        (format!("{engine},a40,,,step,0,0.1,me,2026-01-01"), "E0205"),
    ] {
        let folder = overlay(&format!("{row}\n"));
        let run = bursar(&["catalog", "check", "--catalog", &folder.path().to_string_lossy()]);
        assert!(run.exit == 1 && run.stdout.starts_with(code), "{row}: {}", run.stdout);
    }
}

#[test]
fn rebuilt_tables_are_a_catalog_and_the_same_each_time() {
    let folder = tempdir().unwrap();
    let file = file(&folder, "runs.csv", &rows());
    let written = |name: &str| {
        let out = path(folder.path(), name);
        fine(&bursar(&["calibrate", &file, "--rebuild", &out]));
        fine(&bursar(&["catalog", "check", "--catalog", &out]));
        tables(&out)
    };
    let one = written("a");
    let names: Vec<&str> = one.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["calibrated.csv", "coefficients.csv", "intervals.csv"]);
    assert_eq!(one, written("b"));
    let shipped = Catalog::shipped_texts();
    for (name, text) in &one {
        let (_, known) = shipped.iter().find(|(known, _)| known == name).unwrap();
        assert_eq!(text.lines().next(), known.lines().next(), "{name}");
    }
    let intervals = &one[2].1;
    assert_eq!(intervals.lines().count(), 31);
    assert!(intervals.contains("tpot,dense,assumed,4,"), "{intervals}");
    assert!(one[0].1.contains(&format!(",{GPU},16,{MODEL},")), "{}", one[0].1);
}
