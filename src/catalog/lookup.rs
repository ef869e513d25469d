//! Finding facts: by name or alias, by date, by glob.
//!
//! In: words of a user and a day. Out: references into the catalog. Nothing here reads a file or a clock.

use std::cmp::Ordering;

use jiff::civil::Date;

use super::facts::{EconomicFact, Profile};
use super::precision::PrecisionFact;
use super::table::nearest;
use super::{Api, ApiLatency, Catalog, Engine, Gpu, Model, Offer, Precision};

/// Is the row in force on that day?
fn in_force(from: Option<Date>, until: Option<Date>, day: Date) -> bool {
    from.is_none_or(|from| from <= day) && until.is_none_or(|until| day < until)
}

/// First by id, then by alias, case ignored: an alias never hides an id.
fn named<'c, T>(
    rows: &'c [T],
    name: &str,
    id: impl Fn(&T) -> &str,
    aliases: impl Fn(&T) -> &[String],
) -> Option<&'c T> {
    rows.iter()
        .find(|row| id(row).eq_ignore_ascii_case(name))
        .or_else(|| rows.iter().find(|row| aliases(row).iter().any(|alias| alias.eq_ignore_ascii_case(name))))
}

impl Catalog {
    /// A model by Hugging Face id or alias.
    #[must_use]
    pub fn model(&self, name: &str) -> Option<&Model> {
        named(&self.models, name, |model| &model.id, |model| &model.aliases)
    }

    /// A model and the precision its checkpoint of that name is in: `RedHatAI/…-FP8` is the model at fp8.
    #[must_use]
    pub fn checkpoint(&self, name: &str) -> Option<(&Model, Precision)> {
        let model = self.model(name)?;
        let precision = if model.id.eq_ignore_ascii_case(name) { None } else { precision_in_name(name) };
        Some((model, precision.unwrap_or_else(|| model.native.clone())))
    }

    /// A GPU by id or alias.
    #[must_use]
    pub fn gpu(&self, name: &str) -> Option<&Gpu> {
        named(&self.gpus, name, |gpu| &gpu.id, |gpu| &gpu.aliases)
    }

    /// A hosted model by id or alias at the price in force on a day, retired or not.
    #[must_use]
    pub fn api(&self, name: &str, as_of: Date) -> Option<&Api> {
        let current = |api: &&Api| in_force(api.from, api.until, as_of);
        self.apis.iter().filter(current).find(|api| api.id.eq_ignore_ascii_case(name)).or_else(|| {
            self.apis
                .iter()
                .filter(current)
                .find(|api| api.aliases.iter().any(|alias| alias.eq_ignore_ascii_case(name)))
        })
    }

    /// Latency facts of a hosted model. The tiers `batch` and `flex` have none of their own: they answer when they like.
    #[must_use]
    pub fn api_latency(&self, api: &str) -> Option<&ApiLatency> {
        self.api_latency.iter().find(|row| row.api == api)
    }

    /// Offers in force on a day.
    pub fn offers_on(&self, day: Date) -> impl Iterator<Item = &Offer> {
        self.offers.iter().filter(move |offer| in_force(offer.from, offer.until, day))
    }

    /// Hosted models in force on a day; those retired by then only if asked for, at their last price.
    pub fn apis_on(&self, day: Date, include_retired: bool) -> impl Iterator<Item = &Api> {
        self.apis.iter().filter(move |api| {
            in_force(api.from, api.until, day)
                && (include_retired || api.retired.is_none_or(|retired| day < retired))
        })
    }

    /// Open models released by a day; a model of unknown release day always takes part.
    pub fn models_on(&self, day: Date) -> impl Iterator<Item = &Model> {
        self.models.iter().filter(move |model| model.released.is_none_or(|released| released <= day))
    }

    /// Facts of a precision.
    #[must_use]
    pub fn precision(&self, precision: &Precision) -> Option<&PrecisionFact> {
        self.precisions.iter().find(|fact| fact.id == *precision)
    }

    /// A generation of an engine family: the newest without a version, else the nearest to it.
    #[must_use]
    pub fn engine(&self, family: &str, version: Option<&str>) -> Option<&Engine> {
        let mut generations: Vec<&Engine> =
            self.engines.iter().filter(|engine| engine.family.eq_ignore_ascii_case(family)).collect();
        generations.sort_by(|a, b| dotted(&a.version_from, &b.version_from));
        let newest = generations.iter().rev().find(|engine| engine.newest).or(generations.last()).copied();
        let Some(version) = version.filter(|version| version.chars().any(|sign| sign.is_ascii_digit()))
        else {
            return newest;
        };
        // The last generation that starts at or before the version; before the first one, the first.
        generations
            .iter()
            .rev()
            .find(|engine| dotted(&engine.version_from, version) != Ordering::Greater)
            .or(generations.first())
            .copied()
    }

    /// A named day profile.
    #[must_use]
    pub fn profile(&self, name: &str) -> Option<&Profile> {
        self.profiles.iter().find(|profile| profile.id.eq_ignore_ascii_case(name))
    }

    /// A fact by key and scope; where the scope has none, that of scope `default`.
    #[must_use]
    pub fn economic(&self, key: &str, scope: &str) -> Option<&EconomicFact> {
        let at = |scope: &str| self.economics.facts.get(&(key.to_owned(), scope.to_owned()));
        at(scope).or_else(|| at("default"))
    }

    /// Share of time a provider's API answers, with its source.
    #[must_use]
    pub fn uptime(&self, provider: &str) -> Option<&EconomicFact> {
        self.economic("provider_uptime", provider)
    }

    /// A model id or alias like this word.
    #[must_use]
    pub fn suggest_model(&self, name: &str) -> Option<&str> {
        let short = |id: &'_ str| id.rsplit('/').next().map_or(0, str::len) > 0;
        nearest(
            name,
            self.models
                .iter()
                .flat_map(|model| {
                    std::iter::once(model.id.as_str()).chain(model.aliases.iter().map(String::as_str))
                })
                .filter(|id| short(id)),
        )
    }

    /// A GPU id or alias like this word.
    #[must_use]
    pub fn suggest_gpu(&self, name: &str) -> Option<&str> {
        nearest(
            name,
            self.gpus.iter().flat_map(|gpu| {
                std::iter::once(gpu.id.as_str()).chain(gpu.aliases.iter().map(String::as_str))
            }),
        )
    }

    /// An API id like this word.
    #[must_use]
    pub fn suggest_api(&self, name: &str) -> Option<&str> {
        nearest(name, self.apis.iter().map(|api| api.id.as_str()))
    }

    /// An engine family like this word.
    #[must_use]
    pub fn suggest_engine(&self, name: &str) -> Option<&str> {
        nearest(name, self.engines.iter().map(|engine| engine.family.as_str()))
    }

    /// A precision like this word.
    #[must_use]
    pub fn suggest_precision(&self, name: &str) -> Option<&str> {
        nearest(name, self.precisions.iter().map(|fact| fact.id.0.as_str()))
    }
}

/// Dotted versions by their numbers: 0.10 is after 0.9.
fn dotted(a: &str, b: &str) -> Ordering {
    let numbers = |version: &str| -> Vec<u64> {
        version
            .trim_start_matches(['v', 'V'])
            .split(['.', '-', '+', ' '])
            .map(|part| {
                part.chars().take_while(char::is_ascii_digit).collect::<String>().parse().unwrap_or(0)
            })
            .collect()
    };
    let (mut a, mut b) = (numbers(a), numbers(b));
    let length = a.len().max(b.len());
    a.resize(length, 0);
    b.resize(length, 0);
    a.cmp(&b)
}

/// The precision that a repackaged checkpoint says in its name.
fn precision_in_name(name: &str) -> Option<Precision> {
    const MARKS: [(&str, &str); 10] = [
        ("nvfp4", "nvfp4"),
        ("mxfp4", "mxfp4"),
        ("fp4", "nvfp4"),
        ("fp8", "fp8"),
        ("w8a8", "int8"),
        ("int8", "int8"),
        ("w4a16", "int4"),
        ("int4", "int4"),
        ("awq", "int4"),
        ("gptq", "int4"),
    ];
    let name = name.to_ascii_lowercase();
    MARKS
        .iter()
        .find(|(mark, _)| name.contains(mark))
        .map(|(_, precision)| Precision::named(precision))
        .or_else(|| name.ends_with("-gguf").then(|| Precision::named("q4_k_m")))
}

/// Does a glob (`*` any run, `?` any one sign, case ignored) match the whole text?
#[must_use]
pub fn glob_matches(glob: &str, text: &str) -> bool {
    let glob: Vec<char> = glob.to_lowercase().chars().collect();
    let text: Vec<char> = text.to_lowercase().chars().collect();
    let (mut at, mut seen) = (0, 0);
    // Where the last star stood and how far it has eaten; a mismatch lets it eat one more.
    let mut star: Option<(usize, usize)> = None;
    while seen < text.len() {
        match glob.get(at) {
            Some('*') => {
                star = Some((at, seen));
                at += 1;
            }
            Some(sign) if *sign == '?' || *sign == text[seen] => {
                at += 1;
                seen += 1;
            }
            _ => {
                let Some((place, eaten)) = star else { return false };
                star = Some((place, eaten + 1));
                at = place + 1;
                seen = eaten + 1;
            }
        }
    }
    glob[at..].iter().all(|sign| *sign == '*')
}

/// Does any of these globs match the id or one of its aliases?
#[must_use]
pub fn any_glob_matches(globs: &[String], id: &str, aliases: &[String]) -> bool {
    globs.iter().any(|glob| glob_matches(glob, id) || aliases.iter().any(|alias| glob_matches(glob, alias)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs_match_whole_names() {
        assert!(glob_matches("openai/*", "openai/gpt-4"));
        assert!(glob_matches("*LLAMA-3.?-70b*", "meta-llama/Llama-3.1-70B-Instruct"));
        assert!(!glob_matches("gpt", "gpt-4"));
        assert!(glob_matches("**", ""));
        assert!(!glob_matches("?", ""));
        assert!(glob_matches("a*b*c", "axxbyybzc"));
        assert!(!glob_matches("a*b*c", "axxbyybz"));
    }

    #[test]
    fn versions_compare_by_number() {
        assert_eq!(dotted("0.10", "0.9"), Ordering::Greater);
        assert_eq!(dotted("v1.0.0rc2", "1.0"), Ordering::Equal);
        assert_eq!(dotted("0.8", "0.8.0"), Ordering::Equal);
    }

    #[test]
    fn names_tell_the_precision_of_a_repackaged_checkpoint() {
        assert_eq!(precision_in_name("RedHatAI/X-quantized.w4a16").map(|p| p.0), Some("int4".to_owned()));
        assert_eq!(precision_in_name("nvidia/X-NVFP4").map(|p| p.0), Some("nvfp4".to_owned()));
        assert_eq!(precision_in_name("org/plain"), None);
    }
}
