//! The whole answer on the shipped catalog and on one ten and a hundred times as large: time, candidates a second,
//! memory.
//!
//! A larger catalog holds every offer and hosted model again under other providers, at prices up to 15 % apart.
#![allow(missing_docs, reason = "divan's main")]
#![allow(clippy::unwrap_used, reason = "a bench may stop here")]

use std::path::Path;
use std::sync::OnceLock;

use bursar::catalog::Catalog;
use bursar::constraint::Rules;
use bursar::requirements::{ReadContext, load};
use bursar::units::{UsdPerHour, UsdPerMillionTokens};
use bursar::{Options, Request, recommend};
use divan::counter::ItemsCount;
use divan::{AllocProfiler, Bencher};

/// Tells the most memory held at once, beside the time.
#[global_allocator]
static MEMORY: AllocProfiler = AllocProfiler::system();

fn main() {
    let _ = Catalog::embedded();
    divan::main();
}

/// The shipped catalog, so many times as large.
fn catalog(times: usize) -> &'static Catalog {
    static ALL: [OnceLock<Catalog>; 3] = [const { OnceLock::new() }; 3];
    let at = [1, 10, 100].iter().position(|known| *known == times).expect("one of the three");
    ALL[at].get_or_init(|| {
        let mut catalog = Catalog::embedded().clone();
        let (offers, apis) = (catalog.offers.clone(), catalog.apis.clone());
        for copy in 1..times {
            // Prices from 0.85 to 1.15 of today's, in a fixed order.
            let factor = |n: usize| 0.85 + 0.3 * ((n * 7919 + copy * 104_729) % 1000) as f64 / 1000.0;
            catalog.offers.extend(offers.iter().enumerate().map(|(n, offer)| {
                let mut offer = offer.clone();
                offer.provider = format!("{}-{copy}", offer.provider);
                offer.id = format!("{}-{copy}", offer.id);
                offer.price = UsdPerHour::new(offer.price.get() * factor(n)).unwrap();
                offer
            }));
            catalog.apis.extend(apis.iter().enumerate().map(|(n, api)| {
                let mut api = api.clone();
                api.provider = format!("{}-{copy}", api.provider);
                api.id = format!("{}-{copy}", api.id);
                api.aliases.clear();
                let dearer =
                    |usd: UsdPerMillionTokens| UsdPerMillionTokens::new(usd.get() * factor(n)).unwrap();
                (api.input, api.output) = (dearer(api.input), dearer(api.output));
                api
            }));
        }
        catalog
    })
}

/// Reads an example, answers it, and counts its candidates.
fn answered(bencher: Bencher<'_, '_>, example: &str, times: usize, top: usize) {
    let catalog = catalog(times);
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(example);
    let read = load(&file, &ReadContext::from(catalog)).unwrap();
    let rules = Rules::load(&[]).unwrap();
    let request = Request {
        requirements: &read.requirements,
        document: &read.document,
        catalog,
        rules: &rules,
        options: Options { top, ..Options::default() },
    };
    let candidates = recommend(&request).unwrap().proof.candidates;
    bencher.counter(ItemsCount::new(candidates)).bench_local(|| recommend(divan::black_box(&request)));
}

#[divan::bench(args = [1, 10, 100], sample_count = 5, sample_size = 1)]
fn support_chatbot_by_catalog(bencher: Bencher<'_, '_>, times: usize) {
    answered(bencher, "000-1-support-chatbot.yaml", times, 3);
}

#[divan::bench(args = [1, 10, 100], sample_count = 3, sample_size = 1)]
fn business_hours_by_catalog(bencher: Bencher<'_, '_>, times: usize) {
    answered(bencher, "business-hours.yaml", times, 3);
}

#[divan::bench(args = [1, 10], sample_count = 3, sample_size = 1)]
fn two_workloads_by_catalog(bencher: Bencher<'_, '_>, times: usize) {
    answered(bencher, "two-workloads.toml", times, 3);
}

#[divan::bench(sample_count = 5, sample_size = 1)]
fn the_best_plan_alone(bencher: Bencher<'_, '_>) {
    answered(bencher, "000-1-support-chatbot.yaml", 1, 1);
}
