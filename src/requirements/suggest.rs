//! "Did you mean": the nearest of a list of names.

/// The name nearest to what was written, if any is near enough to be what was meant.
pub(super) fn nearest<'n>(written: &str, names: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    let written = plain(written);
    // A name of n letters may have about a third of them wrong; a single letter is never a near match.
    let allowed = (written.chars().count() / 3).clamp(1, 4);
    names
        .into_iter()
        .filter_map(|name| {
            let candidate = plain(name);
            let distance = strsim::damerau_levenshtein(&written, &candidate);
            let begins = written.len() >= 3 && candidate.starts_with(&format!("{written}-"));
            let extends =
                written.len() >= 3 && (candidate.contains(&written) || written.contains(&candidate));
            match distance {
                0 => Some((0, name)),
                // "a100" is the first word of "a100-sxm-80" rather than a slip for "a10g".
                _ if begins => Some((1, name)),
                d if d <= allowed && candidate.len() > 1 => Some((2 * d, name)),
                // "us-east" within "aws-us-east-1": not close in letters, but plainly related.
                d if extends && candidate.len() >= 3 => Some((2 * (allowed + d), name)),
                _ => None,
            }
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// Case and the choice between `-`, `_`, `.` and space are no difference.
fn plain(name: &str) -> String {
    name.to_lowercase().replace(['_', '.', ' '], "-")
}

/// A cure for a name that is not among `names`: the nearest one, else all of a short list.
pub(super) fn instead(written: &str, names: &[&str]) -> String {
    /// A longer list would bury the message.
    const LISTED: usize = 30;
    match nearest(written, names.iter().copied()) {
        Some(name) => format!("Did you mean {name}?"),
        None if names.is_empty() => "Remove it".to_owned(),
        None if names.len() <= LISTED => format!("Known here: {}", names.join(", ")),
        None => format!("`bursar catalog list` names all {}", names.len()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_word_of_a_name_beats_a_slip() {
        assert_eq!(nearest("a100", ["a10g", "a100-sxm-80"]), Some("a100-sxm-80"));
    }

    #[test]
    fn finds_what_was_meant() {
        let keys = ["per_second", "per_hour", "per_day", "per_month", "trace"];
        assert_eq!(nearest("per_hours", keys), Some("per_hour"));
        assert_eq!(nearest("perday", keys), Some("per_day"));
        assert_eq!(nearest("PER-MONTH", keys), Some("per_month"));
        assert_eq!(nearest("colour", keys), None);
        assert_eq!(nearest("h100", ["a100-sxm-80", "h100-sxm"]), Some("h100-sxm"));
    }
}
