//! The quality index as the study defines it: families in order, loss by precision and mode, dated scales, unknowns.

use bursar::catalog::{Catalog, Model, Precision, Provenance, QualityScore};
use bursar::quality::{self, LeftOut, Unknown, Verdict};
use bursar::requirements::QualityFloor;
use jiff::civil::{Date, date};

const TODAY: Date = date(2026, 11, 20);
const THEN: Date = date(2024, 3, 15);

fn index(model: &str, mode: &str, weights: &str) -> Option<f64> {
    let catalog = Catalog::embedded();
    let model = catalog.model(model).unwrap_or_else(|| panic!("{model}"));
    quality::of_model(catalog, model, mode, &Precision::named(weights)).map(|scored| scored.index)
}

#[test]
fn families_stand_in_order_of_size() {
    let family =
        ["meta-llama/Llama-2-7b-chat-hf", "meta-llama/Llama-2-13b-chat-hf", "meta-llama/Llama-2-70b-chat-hf"];
    let at: Vec<f64> = family.iter().map(|model| index(model, "default", "bf16").unwrap()).collect();
    assert!(at[0] < at[1] && at[1] < at[2], "{at:?}");
    assert!((at[0] - 20.0).abs() < 0.05, "the anchor of the scale");
}

#[test]
fn few_bits_cost_points_unless_the_checkpoint_has_them_anyway() {
    let model = "meta-llama/Llama-3.1-8B-Instruct";
    let whole = index(model, "default", "bf16").unwrap();
    assert_eq!(index(model, "default", "fp8"), Some(whole));
    assert_eq!(index(model, "default", "fp16"), Some(whole));
    assert!((whole - index(model, "default", "int4").unwrap() - 0.6).abs() < 1e-9);
    assert!((whole - index(model, "default", "q4_k_m").unwrap() - 1.5).abs() < 1e-9);
    let small = "meta-llama/Llama-3.2-3B-Instruct";
    let lost = index(small, "default", "bf16").unwrap() - index(small, "default", "int4").unwrap();
    assert!((lost - 2.0).abs() < 1e-9, "{lost}");
    let native = "openai/gpt-oss-20b";
    assert_eq!(index(native, "default", "mxfp4"), index(native, "default", "bf16"));
    let catalog = Catalog::embedded();
    let model = catalog.model(model).unwrap();
    let sd =
        |weights: &str| quality::of_model(catalog, model, "default", &Precision::named(weights)).unwrap().sd;
    assert!((sd("int4") - sd("bf16").hypot(0.7)).abs() < 1e-9);
}

#[test]
fn thinking_and_plain_modes_are_apart() {
    let catalog = Catalog::embedded();
    let both = catalog.model("Qwen/Qwen3-235B-A22B").unwrap();
    assert_eq!(quality::modes_of_model(both), ["default", "nothink"]);
    let plain = quality::of_model(catalog, both, "nothink", &both.native).unwrap();
    assert!(!plain.derived && (plain.index - 59.3).abs() < 0.05, "{plain:?}");
    let derived_model = catalog.model("Qwen/Qwen3-32B").unwrap();
    let think = quality::of_model(catalog, derived_model, "default", &derived_model.native).unwrap();
    let plain = quality::of_model(catalog, derived_model, "nothink", &derived_model.native).unwrap();
    assert!(
        plain.derived
            && (think.index - plain.index - 6.3).abs() < 1e-9
            && (plain.sd - think.sd - 3.0).abs() < 1e-9
    );
    let always = catalog.model("deepseek-ai/DeepSeek-R1").unwrap();
    assert_eq!(quality::modes_of_model(always), ["default"]);
    assert_eq!(quality::score_model(catalog, always, "nothink", &always.native), Err(Unknown::ThinksAlways));
}

#[test]
fn scales_are_dated_and_may_be_pinned() {
    let catalog = Catalog::embedded();
    let tier = |tier: &str, scale: Option<&str>| QualityFloor::Tier {
        tier: tier.to_owned(),
        scale: scale.map(str::to_owned),
    };
    assert_eq!(quality::cut(catalog, TODAY, &tier("good", None)), Some(45.0));
    assert_eq!(quality::cut(catalog, THEN, &tier("good", None)), Some(15.0));
    assert_eq!(quality::cut(catalog, TODAY, &tier("excellent", Some("2024"))), Some(45.0));
    assert_eq!(quality::cut(catalog, TODAY, &tier("basic", None)), None);
    assert_eq!(quality::cut(catalog, TODAY, &QualityFloor::Index(47.0)), Some(47.0));
}

#[test]
fn the_models_of_the_scenarios_have_the_tiers_of_their_day() {
    let catalog = Catalog::embedded();
    let floor = |tier: &str| QualityFloor::Tier { tier: tier.to_owned(), scale: None };
    let verdict = |tier: &str, scored: Option<quality::Scored>| {
        quality::judge(catalog, THEN, &floor(tier), scored.as_ref(), None)
    };
    let model = |id: &str| {
        let model = catalog.model(id).unwrap();
        quality::of_model(catalog, model, "default", &model.native)
    };
    let api = |id: &str| quality::of_api(catalog, catalog.api(id, THEN).unwrap(), "default");
    for (tier, scored) in [
        ("good", model("meta-llama/Llama-2-7b-chat-hf")),
        ("very-good", model("meta-llama/Llama-2-13b-chat-hf")),
        ("very-good", api("openai/gpt-3.5-turbo")),
        ("excellent", api("anthropic/claude-3-sonnet-20240229")),
        ("excellent", api("openai/gpt-4")),
    ] {
        assert_eq!(verdict(tier, scored), Verdict::Passes, "{tier} {scored:?}");
    }
    assert!(matches!(verdict("excellent", api("openai/gpt-3.5-turbo")), Verdict::Below { .. }));
}

#[test]
fn unknown_passes_nothing_not_even_basic() {
    let catalog = Catalog::embedded();
    let basic = QualityFloor::Tier { tier: "basic".to_owned(), scale: None };
    assert_eq!(quality::judge(catalog, TODAY, &basic, None, None), Verdict::Unknown { need: None });
    let model = catalog.model("Qwen/Qwen3-0.6B").unwrap();
    assert_eq!(quality::score_model(catalog, model, "default", &model.native), Err(Unknown::NoIndex));
    let few =
        catalog.quality.iter().find(|row| row.scores < 2 && row.sd > 3.0).expect("the index has such a row");
    let named = catalog.models.iter().find(|model| model.quality_subject.as_deref() == Some(&few.subject));
    if let Some(model) = named {
        assert!(quality::of_model(catalog, model, &few.mode, &model.native).is_none());
    }
}

#[test]
fn borderline_says_how_likely() {
    let catalog = Catalog::embedded();
    let model = catalog.model("mistralai/Mixtral-8x22B-Instruct-v0.1").unwrap();
    let scored = quality::of_model(catalog, model, "default", &model.native).unwrap();
    let pass = quality::passes(45.0, scored);
    assert!(pass.ok && pass.borderline && (0.5..0.8).contains(&pass.probability), "{pass:?}");
    assert!(!quality::passes(60.0, scored).ok);
}

#[test]
fn a_benchmark_floor_reads_published_scores_only() {
    let catalog = Catalog::embedded();
    let floor = |min| QualityFloor::Benchmark { benchmark: "mmlu".to_owned(), min };
    let subject = catalog.model("meta-llama/Llama-3.1-405B-Instruct").unwrap().quality_subject.clone();
    let judge = |min| quality::judge(catalog, TODAY, &floor(min), None, subject.as_deref());
    assert_eq!(judge(0.8), Verdict::Passes);
    assert!(matches!(judge(0.99), Verdict::Below { .. }));
    let none = QualityFloor::Benchmark { benchmark: "no such benchmark".to_owned(), min: 0.1 };
    assert!(matches!(
        quality::judge(catalog, TODAY, &none, None, subject.as_deref()),
        Verdict::Unknown { .. }
    ));
}

#[test]
fn a_new_model_is_scored_by_the_frozen_items() {
    let catalog = Catalog::embedded();
    let items = &catalog.quality_items;
    // At the difficulty of a benchmark the score is half way between guessing and perfect.
    let item = items.iter().find(|item| item.benchmark == "gpqa").unwrap();
    let half = item.chance + (1.0 - item.chance) / 2.0;
    let one = quality::score_new_model(&[("GPQA".to_owned(), half)], items).scored.unwrap();
    assert!((one.index - item.difficulty).abs() < 1e-9);
    // The closed form lands near the fit: GPT-4o of August 2024 is 56.4.
    let scores = [("gpqa", 0.531), ("mmlu", 0.887), ("humaneval", 0.902), ("math", 0.766), ("drop", 0.834)];
    let scores: Vec<_> = scores.iter().map(|(name, score)| ((*name).to_owned(), *score)).collect();
    let new = quality::score_new_model(&scores, items);
    let scored = new.scored.unwrap();
    assert!((scored.index - 55.0).abs() < 4.0, "{new:?}");
    let odd = quality::score_new_model(
        &[("gsm8k".to_owned(), 1.0), ("made-up".to_owned(), 0.5), ("mmlu".to_owned(), 7.0)],
        items,
    );
    assert_eq!(odd.scored, None);
    assert_eq!(
        odd.left_out,
        [
            ("gsm8k".to_owned(), LeftOut::AtTheBound),
            ("made-up".to_owned(), LeftOut::UnknownBenchmark),
            ("mmlu".to_owned(), LeftOut::NotAFraction),
        ]
    );
}

#[test]
fn a_model_of_ones_own_is_scored_by_its_benchmarks() {
    let mut catalog = Catalog::embedded().clone();
    let known = catalog.model("meta-llama/Llama-3.1-8B-Instruct").expect("shipped").clone();
    let own = Model { id: "ours/tuned-8b".to_owned(), quality_subject: None, ..known };
    let bf16 = Precision::named("bf16");
    assert!(quality::of_model(&catalog, &own, "default", &bf16).is_none(), "unknown before");
    for (benchmark, score) in [("mmlu-pro", 0.48), ("gpqa", 0.33), ("math-500", 0.52)] {
        catalog.quality_scores.push(QualityScore {
            subject: own.id.clone(),
            benchmark: benchmark.to_owned(),
            score,
            provenance: Provenance::default(),
        });
    }
    let scored = quality::of_model(&catalog, &own, "default", &bf16).expect("scored by the frozen items");
    assert_eq!(scored.scores, 3);
    assert!((35.0..50.0).contains(&scored.index), "{scored:?}");
}
