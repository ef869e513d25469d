//! How far to trust the answer, what to beware of, and what to type next.

use super::super::figure;
use super::super::paint::Sheet;
use super::super::phrase::Span;
use super::TableOptions;
use crate::recommendation::{Fact, Proof, Recommendation, Status};

/// Rules named in the proof line; the rest are summed.
const RULES_SHOWN: usize = 3;

/// Status, gap and what became of every candidate.
pub(super) fn proof(sheet: &mut Sheet, answer: &Recommendation) {
    let proof = &answer.proof;
    let mut text = match answer.status {
        Status::Optimal => "optimal".to_owned(),
        Status::Feasible => "feasible".to_owned(),
        Status::Infeasible => "infeasible, proven".to_owned(),
        Status::Unknown => "unknown".to_owned(),
    };
    if let Some(gap) = proof.gap {
        text += &format!(", gap {}", if gap <= 0.0 { "0".to_owned() } else { format!("{gap:.1e}") });
    }
    text += &format!(" · {} candidates: {}", count(proof.candidates), fates(proof).join(", "));
    text += &format!(" · {}{}", proof.backend, if proof.verified { ", verified apart" } else { "" });
    sheet.note("proof", &text);
}

fn fates(proof: &Proof) -> Vec<String> {
    let mut fates = Vec::new();
    let refused: u64 = proof.refused.values().sum();
    if refused > 0 {
        let mut rules: Vec<(&str, u64)> = proof.refused.iter().map(|(rule, n)| (rule.as_str(), *n)).collect();
        rules.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
        let mut named: Vec<String> =
            rules.iter().take(RULES_SHOWN).map(|(rule, n)| format!("{rule} {}", count(*n))).collect();
        let rest: u64 = rules.iter().skip(RULES_SHOWN).map(|(_, n)| n).sum();
        if rest > 0 {
            named.push(format!("other rules {}", count(rest)));
        }
        fates.push(format!("{} refused ({})", count(refused), named.join(", ")));
    }
    if proof.dominated > 0 {
        fates.push(format!("{} dominated", count(proof.dominated)));
    }
    if proof.beyond_incumbent > 0 {
        fates.push(format!("{} dearer than the plan by themselves", count(proof.beyond_incumbent)));
    }
    fates.push(format!("{} solved", count(proof.solved)));
    fates
}

/// A number of candidates.
pub(super) fn count(number: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "a count for the eye")]
    let number = number as f64;
    figure::grouped(number, 0)
}

/// The legend, and the oldest price that decided.
pub(super) fn trust(sheet: &mut Sheet, answer: &Recommendation) {
    sheet.note("trust", "● measured ◐ calibrated ○ extrapolated ? assumed · value (low-high): 90 % interval");
    let price = |fact: &&Fact| fact.id.contains("price") || fact.id.contains("usd");
    let dated = answer.facts.iter().filter(price).filter(|fact| !fact.provenance.as_of.is_empty());
    if let Some(oldest) = dated.min_by(|a, b| a.provenance.as_of.cmp(&b.provenance.as_of)) {
        let (date, source) = (&oldest.provenance.as_of, &oldest.provenance.source);
        sheet.note("", &format!("oldest deciding price: {date}, {source}"));
    }
    let assumed = answer.facts.iter().filter(|fact| fact.provenance.assumed).count();
    let assumed = if assumed == 0 {
        String::new()
    } else {
        format!(" · {assumed} of {} facts assumed", answer.facts.len())
    };
    let stamp = answer.catalog.sha256.get(..12).unwrap_or(&answer.catalog.sha256);
    let proof = "the proof is of the model, not of the world";
    sheet.note("", &format!("catalog {} ({stamp}){assumed} · {proof}", answer.catalog.built));
}

/// What to beware of.
pub(super) fn warnings(sheet: &mut Sheet, answer: &Recommendation) {
    for (index, warning) in answer.warnings.iter().enumerate() {
        let label = if index == 0 { "beware" } else { "" };
        sheet.labelled(label, &[Span::Words(warning.sentence.clone())]);
    }
}

/// What to type next.
pub(super) fn next(sheet: &mut Sheet, answer: &Recommendation, options: &TableOptions) {
    let command = format!("bursar recommend {}", options.file);
    let mut next = Vec::new();
    if !options.all {
        next.push(format!("{command} --explain"));
    }
    next.push(format!("{command} --format json"));
    if answer.plans.is_empty() && !answer.relaxations.is_empty() {
        next.insert(0, format!("change a line above in {}", options.file));
    }
    sheet.note("next", &next.join(" · "));
}
