//! What a person calls an option: `MODEL [PRECISION] on [N x] GPU[, PROVIDER]`, `PROVIDER/MODEL`, `MODEL, PROVIDER`.
//!
//! In: words, the catalog, a day. Out: the option, or the word nobody knows with the nearest that is known.

use jiff::civil::Date;

use crate::catalog::{Catalog, Model};
use crate::explain::alone::Only;

/// What the words were found to mean.
pub(super) enum Named<'c> {
    /// An option of the catalog.
    Known { only: Only<'c>, label: String },
    /// A word that the catalog does not know.
    Unknown { what: &'static str, word: String, nearest: Option<String> },
}

/// Finds the option.
pub(super) fn named<'c>(catalog: &'c Catalog, day: Date, asked: &str) -> Named<'c> {
    let asked = asked.trim();
    match asked.split_once(" on ") {
        Some((model, place)) => local(catalog, model.trim(), place.trim()),
        None => hosted(catalog, day, asked),
    }
}

fn local<'c>(catalog: &'c Catalog, words: &str, place: &str) -> Named<'c> {
    let unknown = |what, word: &str, nearest: Option<&str>| Named::Unknown {
        what,
        word: word.to_owned(),
        nearest: nearest.map(str::to_owned),
    };
    let words = words.replace(" (no thinking)", "");
    let (name, precision) = match words.rsplit_once(' ') {
        Some((name, precision)) => (name.trim(), Some(precision)),
        None => (words.as_str(), None),
    };
    let Some(model) = model(catalog, name) else {
        return unknown("model", name, nearest_model(catalog, name).as_deref());
    };
    let known = |word: &str| catalog.precisions.iter().find(|fact| fact.id.0.eq_ignore_ascii_case(word));
    let precision = match precision {
        None => None,
        Some(word) => match known(word) {
            Some(fact) => Some(fact.id.0.as_str()),
            None => return unknown("precision", word, catalog.suggest_precision(word)),
        },
    };
    let (place, provider) = match place.split_once(',') {
        Some((place, provider)) => (place.trim(), Some(provider.trim().trim_end_matches(" spot"))),
        None => (place, None),
    };
    let place = place.strip_prefix("one ").map_or_else(|| place.to_owned(), |gpu| format!("1 x {gpu}"));
    let counted =
        place.split_once(" x ").and_then(|(count, gpu)| Some((count.trim().parse().ok()?, gpu.trim())));
    let (gpus, gpu_name): (Option<u32>, &str) =
        counted.map_or((None, place.as_str()), |(count, gpu)| (Some(count), gpu));
    let Some(gpu) = catalog.gpu(gpu_name) else {
        return unknown("GPU", gpu_name, catalog.suggest_gpu(gpu_name));
    };
    let offered = catalog.offers.iter().map(|offer| offer.provider.as_str());
    let provider =
        match provider.map(|word| (word, offered.clone().find(|known| known.eq_ignore_ascii_case(word)))) {
            None | Some(("owned", _)) => None,
            Some((_, Some(known))) => Some(known),
            Some((word, None)) => return unknown("provider", word, None),
        };
    let mut label = crate::candidate::local::short(&model.id).to_owned();
    if let Some(precision) = precision {
        label += &format!(" {precision}");
    }
    label += &gpus.map_or_else(|| format!(" on {}", gpu.id), |gpus| format!(" on {gpus} x {}", gpu.id));
    if let Some(provider) = provider {
        label += &format!(", {provider}");
    }
    Named::Known { only: Only::Local { model, gpu: Some(gpu), precision, gpus, provider }, label }
}

fn hosted<'c>(catalog: &'c Catalog, day: Date, asked: &str) -> Named<'c> {
    // As the table writes it: `gpt-4, openai`.
    let turned = asked.split_once(", ").map(|(model, provider)| {
        format!("{}/{}", provider.trim(), model.trim().trim_end_matches(" (no thinking)"))
    });
    let names = [Some(asked.to_owned()), turned];
    let found = names.iter().flatten().find_map(|name| {
        let any_day =
            || catalog.apis.iter().find(|api| api.names().any(|known| known.eq_ignore_ascii_case(name)));
        catalog.api(name, day).or_else(any_day)
    });
    if let Some(api) = found {
        let name = api.id.split_once('/').map_or(api.id.as_str(), |(_, name)| name);
        return Named::Known { only: Only::Hosted(api), label: format!("{name}, {}", api.provider) };
    }
    if let Some(model) = model(catalog, asked) {
        let label = format!("{} on any GPU", crate::candidate::local::short(&model.id));
        return Named::Known {
            only: Only::Local { model, gpu: None, precision: None, gpus: None, provider: None },
            label,
        };
    }
    let nearest = catalog.suggest_api(asked).map(str::to_owned).or_else(|| nearest_model(catalog, asked));
    Named::Unknown { what: "option", word: asked.to_owned(), nearest }
}

/// A model by id, alias, or its id without the organisation.
fn model<'c>(catalog: &'c Catalog, name: &str) -> Option<&'c Model> {
    let short = |model: &&Model| crate::candidate::local::short(&model.id).eq_ignore_ascii_case(name);
    catalog.model(name).or_else(|| catalog.models.iter().find(short))
}

/// The model nearest by its whole name or by its name without the organisation.
fn nearest_model(catalog: &Catalog, name: &str) -> Option<String> {
    let word = name.to_lowercase();
    let whole = catalog.suggest_model(name).map(str::to_owned);
    whole.or_else(|| {
        let near = |model: &&Model| {
            let id = crate::candidate::local::short(&model.id).to_lowercase();
            (word.len() >= 3 && id.contains(&word)).then_some(id.len()).or_else(|| {
                let distance = strsim::osa_distance(&word, &id);
                (distance <= id.len() / 3).then_some(1000 + distance)
            })
        };
        catalog
            .models
            .iter()
            .filter(|model| near(model).is_some())
            .min_by_key(near)
            .map(|model| model.id.clone())
    })
}
