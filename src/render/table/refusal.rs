//! No plan complies: the conflict in one line, the facts behind it, then the smallest changes that work.

use super::super::figure;
use super::super::paint::{Align, Sheet, Style};
use super::super::phrase::{self, Span};
use crate::recommendation::{Recommendation, Relaxation, Status};

/// Everything between the request and the lines on other kinds.
pub(super) fn write(sheet: &mut Sheet, answer: &Recommendation, shown: usize) {
    let (head, text) = conflict(answer);
    sheet.hanging(2, 4, &[(Style::Bold, head.to_owned())], &[(Style::Bold, text)]);
    sheet.blank();
    super::reasons(sheet, "because", answer.conflict_reasons.iter(), answer, shown);
    if !answer.conflict_reasons.is_empty() {
        sheet.blank();
    }
    changes(sheet, &answer.relaxations);
}

fn conflict(answer: &Recommendation) -> (&'static str, String) {
    let proven = matches!(answer.status, Status::Infeasible);
    let head = if proven { "no plan complies" } else { "no plan found" };
    let text = match (answer.conflict.as_slice(), proven) {
        (_, false) => "stopped before an answer; nothing is proven".to_owned(),
        ([], true) => String::new(),
        ([only], true) => format!("{only} cannot hold"),
        ([rules @ .., last], true) => format!(
            "{} and {last} cannot all hold; any one of them left out, and a plan exists",
            rules.join(", ")
        ),
    };
    (head, text)
}

/// Each change with the bill and the plan it buys, and the lines to put into the file.
fn changes(sheet: &mut Sheet, relaxations: &[Relaxation]) {
    if relaxations.is_empty() {
        return;
    }
    let mut rows = vec![(
        Style::Dim,
        vec!["smallest changes that work".to_owned(), "$ / month".to_owned(), "buys".to_owned()],
    )];
    for change in relaxations {
        let moves: Vec<String> = phrase::moves(change).iter().map(|step| super::unbroken(step)).collect();
        let what = moves.join(" and ");
        rows.push((Style::Plain, vec![what, figure::grouped(change.usd_per_month, 2), change.buys.clone()]));
    }
    sheet.columns(&[Align::Left, Align::Right, Align::Left], &rows);
    for (index, change) in relaxations.iter().enumerate() {
        let set = |(pointer, value): (&String, &serde_json::Value)| format!("set {pointer} = {value}");
        let text = change.patch.iter().map(set).collect::<Vec<_>>().join(", ");
        sheet.labelled(if index == 0 { "in the file" } else { "" }, &[Span::Words(text)]);
    }
    sheet.blank();
}
