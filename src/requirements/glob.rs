//! Patterns of `allow` and `deny`: `*` is any run of characters, `?` one character, case ignored.

/// True where the whole of `name` fits `pattern`.
///
/// Time is O(pattern x name): on a mismatch only the last `*` takes one more character.
#[must_use]
pub fn matches(pattern: &str, name: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().flat_map(char::to_lowercase).collect();
    let name: Vec<char> = name.chars().flat_map(char::to_lowercase).collect();
    let (mut p, mut n) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while n < name.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, n));
                p += 1;
            }
            Some(c) if *c == '?' || *c == name[n] => {
                p += 1;
                n += 1;
            }
            _ => match star {
                Some((star_p, star_n)) => {
                    star = Some((star_p, star_n + 1));
                    p = star_p + 1;
                    n = star_n + 1;
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

/// True where a pattern stands for more than one name.
#[must_use]
pub fn is_wild(pattern: &str) -> bool {
    pattern.contains(['*', '?'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fits_the_whole_name_and_ignores_case() {
        assert!(matches("openai/*", "OpenAI/gpt-4"));
        assert!(matches("*llama*8b*", "meta-llama/Llama-3.1-8B-Instruct"));
        assert!(matches("h?00-*", "h200-sxm"));
        assert!(matches("*", ""));
        assert!(!matches("gpt-4", "openai/gpt-4"));
        assert!(!matches("a*b", "abc"));
    }
}
