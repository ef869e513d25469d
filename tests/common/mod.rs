//! What several harnesses share: the frozen world, the way from a requirements text to an answer, and the requests
//! that every promise is tried on.
//!
//! `tests/worlds/small` is a cut of the shipped tables as they once were, so that a price update changes no test.

#![allow(dead_code, reason = "each harness uses its part")]
#![allow(clippy::unwrap_used, reason = "a test may fail at once")]

use std::path::Path;
use std::sync::OnceLock;

use bursar::catalog::Catalog;
use bursar::constraint::Rules;
use bursar::error::Error;
use bursar::recommendation::{Plan, Recommendation, Status};
use bursar::requirements::{Read, ReadContext, Requirements, read, read_value};
use bursar::{Options, Request, recommend};
use serde_json::Value;

/// The tables of the frozen world.
pub(crate) const SMALL: [(&str, &str); 18] = [
    ("api_latency.csv", include_str!("../worlds/small/api_latency.csv")),
    ("apis.csv", include_str!("../worlds/small/apis.csv")),
    ("calibrated.csv", include_str!("../worlds/small/calibrated.csv")),
    ("coefficients.csv", include_str!("../worlds/small/coefficients.csv")),
    ("economics.csv", include_str!("../worlds/small/economics.csv")),
    ("engines.csv", include_str!("../worlds/small/engines.csv")),
    ("gpus.csv", include_str!("../worlds/small/gpus.csv")),
    ("intervals.csv", include_str!("../worlds/small/intervals.csv")),
    ("kernels.csv", include_str!("../worlds/small/kernels.csv")),
    ("models.csv", include_str!("../worlds/small/models.csv")),
    ("offers.csv", include_str!("../worlds/small/offers.csv")),
    ("precisions.csv", include_str!("../worlds/small/precisions.csv")),
    ("profiles.csv", include_str!("../worlds/small/profiles.csv")),
    ("quality_index.csv", include_str!("../worlds/small/quality_index.csv")),
    ("quality_items.csv", include_str!("../worlds/small/quality_items.csv")),
    ("quality_scores.csv", include_str!("../worlds/small/quality_scores.csv")),
    ("sources.csv", include_str!("../worlds/small/sources.csv")),
    ("tiers.csv", include_str!("../worlds/small/tiers.csv")),
];

/// The frozen world.
pub(crate) fn world() -> &'static Catalog {
    static WORLD: OnceLock<Catalog> = OnceLock::new();
    WORLD.get_or_init(|| Catalog::from_texts(&SMALL).unwrap())
}

/// Just the best plan: no alternatives, no way out of an infeasible request.
pub(crate) const BRIEF: Options = Options {
    top: 1,
    prune: true,
    explain_infeasible: false,
    stop: bursar::request::Stop::NEVER,
    pareto: false,
    backend: bursar::request::Backend::Microlp,
};

/// Everything of a request but its first two lines, which are the same for all.
pub(crate) fn text(body: &str) -> String {
    format!("version: 1\nas_of: 2026-11-20\n{body}")
}

/// Reads a request under a catalog.
pub(crate) fn read_in(catalog: &Catalog, body: &str) -> Read {
    let context = ReadContext::from(catalog);
    match read(&text(body), "request.yaml", None, Path::new(""), &context) {
        Ok(read) => read,
        Err(faults) => panic!("{}\n{body}", Error::Faults(faults)),
    }
}

/// Reads a document, such as one that a patch changed.
pub(crate) fn read_document(catalog: &Catalog, document: &Value) -> Read {
    let context = ReadContext::from(catalog);
    match read_value(document, "request.yaml", Path::new(""), &context) {
        Ok(read) => read,
        Err(faults) => panic!("{}\n{document}", Error::Faults(faults)),
    }
}

/// Answers requirements; a bug of ours fails the test.
pub(crate) fn answer(
    catalog: &Catalog,
    requirements: &Requirements,
    document: &Value,
    options: Options,
) -> Recommendation {
    let rules = Rules::builtin();
    match recommend(&Request { requirements, document, catalog, rules: &rules, options }) {
        Ok(answer) => answer,
        Err(error) => panic!("{}: {error}", requirements.name),
    }
}

/// Answers a request that was read.
pub(crate) fn ask(catalog: &Catalog, read: &Read, options: Options) -> Recommendation {
    answer(catalog, &read.requirements, &read.document, options)
}

/// The best plan of requirements that are not in a file; `None` where nothing complies.
pub(crate) fn best(catalog: &Catalog, requirements: &Requirements) -> Option<Plan> {
    let mut found = answer(catalog, requirements, &Value::Null, BRIEF);
    assert_ne!(found.status, Status::Unknown, "{:?}", found.warnings);
    (!found.plans.is_empty()).then(|| found.plans.swap_remove(0))
}

/// Requests that have an answer in the frozen world: every rule is asked for by one of them.
pub(crate) const REQUESTS: [(&str, &str); 29] = [
    ("plain", "workloads: [{name: a, requests: {per_day: 1000}, tokens: {input: 150, output: 100}}]"),
    (
        "chatbot",
        "
workloads:
  - name: support
    requests: {per_day: 20000, profile: business-hours}
    tokens: {input: 150, output: 100}
    latency: {e2e_ms: {p95: 4000}, ttft_ms: {p95: 1500}, tpot_ms: {mean: 60}}
    quality: {tier: good}
budget: {usd_per_month: 500}",
    ),
    (
        "local",
        "
workloads:
  - name: chat
    requests: {per_second: 20}
    tokens: {input: 500, output: 200}
    latency: {e2e_ms: {p95: 20000}, ttft_ms: {p95: 3000}, tpot_ms: {mean: 100}}
    quality: {index: 40}
routing: local",
    ),
    (
        "cloud",
        "
workloads:
  - {name: a, requests: {per_hour: 1000, profile: evening}, tokens: {input: 1000, output: 300}, quality: {tier: very-good}}
routing: cloud",
    ),
    (
        "premium",
        "
workloads:
  - name: a
    requests: {per_second: 2}
    tokens: {input: 400, output: 200}
    quality: {tier: good, premium: {share: 0.2, tier: excellent}}",
    ),
    (
        "premium-local",
        "
workloads:
  - name: a
    requests: {per_second: 8}
    tokens: {input: 400, output: 200}
    quality: {index: 35, premium: {share: 0.3, tier: good}}
routing: local",
    ),
    (
        "eu-only",
        "
workloads:
  - {name: a, requests: {per_second: 1}, tokens: {input: 300, output: 150}, data: [eu-only], quality: {index: 40}}",
    ),
    (
        "no-training",
        "
workloads:
  - {name: a, requests: {per_day: 5000}, tokens: {input: 300, output: 150}, data: [no-training], quality: {index: 50}}",
    ),
    (
        "owned",
        "
workloads:
  - {name: a, requests: {per_second: 12}, tokens: {input: 300, output: 150}, data: [on-premises], quality: {index: 40}}
owned: [{gpu: l4, count: 8}]",
    ),
    (
        "owned-and-more",
        "
workloads:
  - {name: a, requests: {per_second: 60}, tokens: {input: 300, output: 150}, quality: {index: 40}}
owned: [{gpu: a100-sxm-80, count: 1}]
routing: local",
    ),
    (
        "quota",
        "
workloads:
  - {name: a, requests: {per_second: 30}, tokens: {input: 300, output: 150}, quality: {index: 40}}
limits: {gpus: {l4: 2, a100-sxm-80: 4, rtx-4090: 1}}
routing: local",
    ),
    (
        "power",
        "
workloads:
  - {name: a, requests: {per_second: 30}, tokens: {input: 300, output: 150}, quality: {index: 40}}
limits: {power_kw: 1.5}
routing: local",
    ),
    (
        "memory",
        "
workloads:
  - {name: a, requests: {per_second: 4}, tokens: {input: 300, output: 150}, quality: {index: 40}, context_tokens: 4096}
limits: {memory_gib_per_server: 24}
routing: local",
    ),
    (
        "available-cloud",
        "
workloads:
  - {name: a, requests: {per_day: 5000}, tokens: {input: 300, output: 150}, quality: {index: 45}}
availability: 0.999
routing: cloud",
    ),
    (
        "available-local",
        "
workloads:
  - {name: a, requests: {per_second: 15}, tokens: {input: 300, output: 150}, quality: {index: 40}}
availability: 0.999
routing: local",
    ),
    (
        "available-hybrid",
        "
workloads:
  - {name: a, requests: {per_second: 25, profile: business-hours}, tokens: {input: 600, output: 150}, quality: {index: 40}}
availability: 0.999",
    ),
    (
        "two-workloads",
        "
workloads:
  - {name: chat, requests: {per_second: 5, profile: business-hours}, tokens: {input: 300, output: 150}, latency: {e2e_ms: {p95: 15000}}, quality: {index: 40}}
  - {name: draft, requests: {per_second: 2, profile: evening}, tokens: {input: 800, output: 600}, quality: {tier: good}}
routing: local",
    ),
    (
        "three-workloads",
        "
workloads:
  - {name: chat, requests: {per_hour: 900, profile: business-hours}, tokens: {input: 300, output: 150}, quality: {index: 40}}
  - {name: code, requests: {per_hour: 200}, tokens: {input: 2000, output: 600}, quality: {tier: very-good}, needs: [tools]}
  - {name: mail, requests: {per_month: 100000}, tokens: {input: 800, output: 300}, quality: {tier: good}}
limits: {max_deployments: 2}",
    ),
    (
        "headroom",
        "
workloads:
  - {name: a, requests: {per_second: 10, peak_factor: 1.5}, tokens: {input: 300, output: 150}, quality: {index: 40}}
headroom: 0.3
routing: local",
    ),
    (
        "quality-objective",
        "
workloads:
  - {name: a, requests: {per_hour: 1000}, tokens: {input: 500, output: 200}, quality: {tier: good}}
budget: {usd_per_month: 1500}
objective: quality",
    ),
    (
        "latency-objective",
        "
workloads:
  - {name: a, requests: {per_hour: 1000}, tokens: {input: 500, output: 200}, quality: {tier: good}, latency: {e2e_ms: {p95: 30000}}}
budget: {usd_per_month: 800}
objective: latency",
    ),
    (
        "as-of-2024",
        "
workloads:
  - {name: a, requests: {per_hour: 1000}, tokens: {input: 100, output: 50}, quality: {tier: good, scale: '2024'}}
include_retired: true
routing: cloud
budget: {usd_per_request: 0.01}
allow: {models: [openai/gpt-3.5-turbo-0125, openai/gpt-4]}",
    ),
    (
        "needs",
        "
workloads:
  - {name: a, requests: {per_hour: 300}, tokens: {input: 900, output: 300}, needs: [vision, tools], quality: {index: 50}}",
    ),
    (
        "spread-and-cache",
        "
workloads:
  - name: a
    requests: {per_second: 6, profile: business-hours}
    tokens: {input: {mean: 400, p95: 1500}, output: {mean: 150, p95: 500}}
    context_tokens: 8192
    cache: {response_hit: 0.2, prefix_hit: 0.5}
    latency: {e2e_ms: {p95: 30000}}
    quality: {index: 40}
routing: local",
    ),
    (
        "benchmark",
        "
workloads:
  - {name: a, requests: {per_hour: 300}, tokens: {input: 900, output: 300}, quality: {benchmark: mmlu@helm, min: 0.6}}
include_retired: true",
    ),
    (
        "reasoning",
        "
workloads:
  - {name: a, requests: {per_hour: 300}, tokens: {input: 900, output: 300, reasoning: 400}, needs: [reasoning], quality: {tier: very-good}}
ops_usd_per_month: 50",
    ),
    (
        "filters",
        "
workloads:
  - {name: a, requests: {per_second: 3}, tokens: {input: 300, output: 150}, quality: {index: 40}}
allow: {gpus: [l4, a10g], engines: [vllm], precisions: [bf16, fp8], models: ['*llama*', '*Qwen*'], billing: [on-demand]}
deny: {providers: [runpod, deepinfra], regions: [us-central1], licences: [gemma]}
routing: local",
    ),
    (
        "measured",
        "
workloads:
  - {name: a, requests: {per_second: 10}, tokens: {input: 300, output: 150}}
  - {name: b, requests: {per_second: 3}, tokens: {input: 300, output: 150}}
measured:
  - {option: A10G, usd_per_hour: 1.01, max_replicas: 3, capacity_rps: {a: 3.1, b: 1}}
  - {option: A100, usd_per_hour: 3.67, capacity_rps: {a: 9, b: 4}}
  - {option: api, usd_per_request: 0.0006, capacity_rps: {a: 2}}",
    ),
    (
        "measured-with-catalog",
        "
workloads:
  - {name: a, requests: {per_second: 2}, tokens: {input: 300, output: 150}, quality: {index: 40}}
measured: [{option: A10G, usd_per_hour: 1.01, capacity_rps: {a: 3.1}}]
measured_with_catalog: true",
    ),
];

/// A request of the list by its name.
pub(crate) fn request(name: &str) -> Read {
    let (_, body) = REQUESTS.iter().find(|(known, _)| *known == name).unwrap();
    read_in(world(), body)
}
