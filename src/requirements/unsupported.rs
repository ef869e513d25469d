//! Keys and words of the format whose feature is not built yet. They are refused by name, never ignored.
//!
//! To build a feature is to remove its line here.

/// Said with every refusal.
pub(super) const CURE: &str = "Remove it; this version would not honour it";

/// Keys that no section reads yet: section (its key without indices), key, feature.
const KEYS: &[(&str, &str, &str)] = &[
    ("", "routers", "a model router in front of the targets"),
    ("", "cascades", "cascades from a cheap model to a better one"),
];

/// The feature behind a key that is known but not built.
pub(super) fn key(section: &str, key: &str) -> Option<&'static str> {
    let section = without_indices(section);
    KEYS.iter().find(|(in_section, name, _)| *in_section == section && *name == key).map(|(_, _, what)| *what)
}

fn without_indices(path: &str) -> String {
    let mut inside = false;
    path.chars()
        .filter(|c| match c {
            '[' => {
                inside = true;
                false
            }
            ']' => {
                inside = false;
                false
            }
            _ => !inside,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_a_key_in_any_workload() {
        assert_eq!(key("workloads[3]", "mean"), None);
        assert!(key("", "routers").is_some());
    }
}
