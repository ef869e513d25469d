//! Keys and words of the format whose feature is not built yet. They are refused by name, never ignored.
//!
//! To build a feature is to remove its line here.

/// Said with every refusal.
pub(super) const CURE: &str = "Remove it; this version would not honour it";

/// Keys that no section reads yet: section (its key without indices), key, feature.
const KEYS: &[(&str, &str, &str)] = &[];

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

/// Routers and cascades beside a target for availability.
pub(super) const BLENDS: &str = "routers and cascades under an availability target";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_built() {
        assert_eq!(key("workloads[3]", "mean"), None);
        assert_eq!(key("", "routers"), None);
    }
}
