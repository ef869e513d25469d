//! Names as tools write them: paths, file names and what a driver calls a GPU.
//!
//! In: such a name. Out: the name the catalog knows, if it knows one. It guesses no model from its size.

use super::gather::file_name;
use crate::catalog::{Catalog, Precision};

/// Words that drivers put before the name of a GPU.
const MAKERS: [&str; 5] = ["NVIDIA ", "AMD ", "Intel(R) ", "Intel ", "Tesla "];

/// A model by its name, or by the last parts of a path that ends in it.
pub(super) fn model<'n>(catalog: &Catalog, name: &'n str) -> Option<&'n str> {
    let name = name.trim_end_matches('/');
    let last_two = name.rmatch_indices('/').nth(1).map_or(name, |(slash, _)| &name[slash + 1..]);
    [name, last_two, file_name(name)].into_iter().find(|name| catalog.model(name).is_some())
}

/// A model by the file of its weights: the name without path, extension, part and precision.
pub(super) fn model_of_file<'n>(catalog: &Catalog, path: &'n str) -> Option<&'n str> {
    let mut name = file_name(path);
    name = name.strip_suffix(".gguf").unwrap_or(name);
    // A part of several: "-00001-of-00003".
    if let Some((whole, _)) = name.rsplit_once("-of-")
        && let Some((whole, _)) = whole.rsplit_once('-')
    {
        name = whole;
    }
    loop {
        if catalog.model(name).is_some() {
            return Some(name);
        }
        name = &name[..name.rfind(['-', '.'])?];
    }
}

/// A GPU by what its driver calls it.
pub(super) fn gpu<'c>(catalog: &'c Catalog, name: &str) -> Option<&'c str> {
    let short = MAKERS.iter().fold(name, |name, maker| name.strip_prefix(maker).unwrap_or(name));
    let named = |gpu: &&crate::catalog::Gpu| gpu.name.eq_ignore_ascii_case(short);
    catalog
        .gpu(name)
        .or_else(|| catalog.gpu(short))
        .or_else(|| catalog.gpus.iter().find(named))
        .map(|gpu| gpu.id.as_str())
}

/// A precision of llama.cpp by its description ("qwen2 7B Q4_K - Medium") or by a file name that ends in it.
pub(super) fn precision<'c>(catalog: &'c Catalog, text: &str) -> Option<&'c str> {
    let mut words = text.split([' ', '-', '.', '_']).filter(|word| !word.is_empty()).peekable();
    let mut last = None;
    while let Some(word) = words.next() {
        let mut name = match word.to_ascii_lowercase().as_str() {
            "f16" => "fp16".to_owned(),
            other => other.to_owned(),
        };
        let mut longest = known(catalog, &name);
        // The rest of "Q4_K - Medium" and "Q4_K_M".
        while let Some(next) = words.peek() {
            let next = match next.to_ascii_lowercase().as_str() {
                "small" => "s".to_owned(),
                "medium" => "m".to_owned(),
                "large" => "l".to_owned(),
                other => other.to_owned(),
            };
            let longer = format!("{name}_{next}");
            let begins = catalog.precisions.iter().any(|fact| fact.id.0.starts_with(&longer));
            if !begins {
                break;
            }
            name = longer;
            longest = known(catalog, &name).or(longest);
            words.next();
        }
        last = longest.or(last);
    }
    last
}

fn known<'c>(catalog: &'c Catalog, name: &str) -> Option<&'c str> {
    catalog.precision(&Precision::named(name)).map(|fact| fact.id.0.as_str())
}
