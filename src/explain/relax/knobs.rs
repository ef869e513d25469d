//! Every rule of a request that can be loosened, numbers first.

use serde_json::{Value, json};

use super::knob::{Choice, Knob, number};
use crate::requirements::{LatencyLimit, QualityFloor, Requirements, Routing};

/// Every rule of a request that can be loosened, numbers first.
pub(super) fn knobs(base: &Requirements) -> Vec<Knob> {
    let mut all = Vec::new();
    if let Some(from) = base.budget.usd_per_month {
        all.push(number_knob("usd_per_month", from, "/budget/usd_per_month", 0.01, |r, value| {
            r.budget.usd_per_month = Some(value);
        }));
    }
    if let Some(from) = base.budget.usd_per_request {
        all.push(number_knob("usd_per_request", from, "/budget/usd_per_request", 1e-6, |r, value| {
            r.budget.usd_per_request = Some(value);
        }));
    }
    if let Some(from) = base.budget.usd_upfront {
        // Machines have prices far apart: round sums, the least first.
        let sums = (3..8).flat_map(|digits| [1.0, 2.0, 5.0].map(|first| first * 10f64.powi(digits)));
        let choices = sums
            .filter(|sum| *sum > from)
            .map(|sum| Choice {
                to: number(sum),
                patch: vec![("/budget/usd_upfront".to_owned(), number(sum))],
                set: Box::new(move |r| r.budget.usd_upfront = Some(sum)),
            })
            .collect();
        all.push(Knob::Steps { rule: "usd_upfront", from: number(from), choices });
    }
    for (w, workload) in base.workloads.iter().enumerate() {
        for (l, limit) in workload.latency.iter().enumerate() {
            all.push(latency_knob(w, l, limit));
        }
    }
    for (w, workload) in base.workloads.iter().enumerate() {
        all.extend(workload.quality.as_ref().and_then(|floor| quality_knob(w, floor)));
        all.extend(workload.quality_mean.map(|mean| mean_knob(w, mean)));
    }
    all.extend(plan_knobs(base));
    all
}

fn latency_knob(w: usize, l: usize, limit: &LatencyLimit) -> Knob {
    let (rule, statistic) = (limit.measure.word(), limit.statistic.word());
    Knob::Number {
        rule,
        from: limit.ms,
        pointer: format!("/workloads/{w}/latency/{rule}/{statistic}"),
        set: Box::new(move |requirements, value| requirements.workloads[w].latency[l].ms = value),
        step: if limit.ms >= 100.0 { 1.0 } else { 0.1 },
        tightest_first: false,
    }
}

/// Tiers below the asked one, or index points downwards.
fn quality_knob(w: usize, floor: &QualityFloor) -> Option<Knob> {
    const TIERS: [&str; 4] = ["excellent", "very-good", "good", "basic"];
    let pointer = format!("/workloads/{w}/quality");
    match floor {
        QualityFloor::Tier { tier, scale } => {
            let at = TIERS.iter().position(|known| known == tier)?;
            let choices: Vec<Choice> = TIERS[at + 1..]
                .iter()
                .map(|lower| {
                    let scale_set = scale.clone();
                    Choice {
                        to: json!(lower),
                        patch: vec![(format!("{pointer}/tier"), json!(lower))],
                        set: Box::new(move |requirements| {
                            requirements.workloads[w].quality = Some(QualityFloor::Tier {
                                tier: (*lower).to_owned(),
                                scale: scale_set.clone(),
                            });
                        }),
                    }
                })
                .collect();
            (!choices.is_empty()).then(|| Knob::Steps { rule: "quality", from: json!(tier), choices })
        }
        QualityFloor::Index(from) => {
            let from = *from;
            let choices: Vec<Choice> = [1.0, 2.0, 5.0, 10.0, 20.0, 40.0, 80.0]
                .into_iter()
                .map(|less: f64| (from - less).max(0.0))
                .map(|lower| Choice {
                    to: number(lower),
                    patch: vec![(format!("{pointer}/index"), number(lower))],
                    set: Box::new(move |requirements| {
                        requirements.workloads[w].quality = Some(QualityFloor::Index(lower));
                    }),
                })
                .collect();
            Some(Knob::Steps { rule: "quality", from: number(from), choices })
        }
        QualityFloor::Benchmark { benchmark, min } => {
            let choices: Vec<Choice> = (1..=9)
                .map(|tenths| {
                    let lower = (min * (1.0 - f64::from(tenths) / 10.0) * 1e4).round() / 1e4;
                    let name = benchmark.clone();
                    Choice {
                        to: number(lower),
                        patch: vec![(format!("{pointer}/min"), number(lower))],
                        set: Box::new(move |requirements| {
                            requirements.workloads[w].quality =
                                Some(QualityFloor::Benchmark { benchmark: name.clone(), min: lower });
                        }),
                    }
                })
                .collect();
            Some(Knob::Steps { rule: "benchmark", from: number(*min), choices })
        }
    }
}

/// A mean over the month, downwards.
fn mean_knob(w: usize, from: f64) -> Knob {
    let lower = |less: &f64| (from - less).max(0.0);
    let choices = [1.0, 2.0, 3.0, 5.0, 10.0, 20.0, 40.0, 80.0]
        .iter()
        .map(lower)
        .map(|to| Choice {
            to: number(to),
            patch: vec![(format!("/workloads/{w}/quality/mean"), number(to))],
            set: Box::new(move |requirements| requirements.workloads[w].quality_mean = Some(to)),
        })
        .collect();
    Knob::Steps { rule: "quality_mean", from: number(from), choices }
}

/// Rules of the whole plan: redundancy, counts, memory, power, where engines may run, data, needs.
fn plan_knobs(base: &Requirements) -> Vec<Knob> {
    let mut all = Vec::new();
    if let Some(from) = base.availability {
        let choices = [0.999_9, 0.999, 0.995, 0.99, 0.98, 0.95, 0.9]
            .into_iter()
            .filter(|lower| *lower < from)
            .map(|lower| Choice {
                to: number(lower),
                patch: vec![("/availability".to_owned(), number(lower))],
                set: Box::new(move |requirements| requirements.availability = Some(lower)),
            })
            .collect();
        all.push(Knob::Steps { rule: "availability", from: number(from), choices });
    }
    if let Some(from) = base.limits.memory_gib_per_server {
        all.push(number_knob(
            "memory_gib_per_server",
            from,
            "/limits/memory_gib_per_server",
            0.1,
            |r, value| {
                r.limits.memory_gib_per_server = Some(value);
            },
        ));
    }
    if let Some(from) = base.limits.power_kw {
        all.push(number_knob("power_kw", from, "/limits/power_kw", 0.01, |r, value| {
            r.limits.power_kw = Some(value);
        }));
    }
    if let Some(from) = base.limits.max_deployments {
        all.push(count_knob(
            "max_deployments",
            f64::from(from),
            "/limits/max_deployments".to_owned(),
            |r, value| {
                r.limits.max_deployments = Some(value);
            },
        ));
    }
    if let Some(from) = base.limits.min_replicas.filter(|from| *from > 1) {
        let choices = (1..from)
            .rev()
            .take(16)
            .map(|fewer| Choice {
                to: json!(fewer),
                patch: vec![("/limits/min_replicas".to_owned(), json!(fewer))],
                set: Box::new(move |r| r.limits.min_replicas = Some(fewer)),
            })
            .collect();
        all.push(Knob::Steps { rule: "min_replicas", from: json!(from), choices });
    }
    for (gpu, from) in base.limits.gpus.clone() {
        let pointer = format!("/limits/gpus/{gpu}");
        all.push(count_knob("gpus", f64::from(from), pointer, move |r, value| {
            r.limits.gpus.insert(gpu.clone(), value);
        }));
    }
    for (pattern, limit) in &base.limits.apis {
        let pointer = format!("/limits/apis/{}", pattern.replace('~', "~0").replace('/', "~1"));
        let (of_requests, of_tokens) = (pattern.clone(), pattern.clone());
        all.extend(limit.requests_per_minute.map(|from| {
            number_knob(
                "rate_limit",
                from,
                &format!("{pointer}/requests_per_minute"),
                1.0,
                move |r, value| {
                    if let Some(limit) = r.limits.apis.get_mut(&of_requests) {
                        limit.requests_per_minute = Some(value);
                    }
                },
            )
        }));
        all.extend(limit.tokens_per_minute.map(|from| {
            number_knob(
                "rate_limit",
                from,
                &format!("{pointer}/tokens_per_minute"),
                1000.0,
                move |r, value| {
                    if let Some(limit) = r.limits.apis.get_mut(&of_tokens) {
                        limit.tokens_per_minute = Some(value);
                    }
                },
            )
        }));
    }
    for (at, row) in base.measured.iter().enumerate() {
        if let Some(from) = row.max_replicas {
            let pointer = format!("/measured/{at}/max_replicas");
            all.push(count_knob("max_replicas", f64::from(from), pointer, move |r, value| {
                r.measured[at].max_replicas = Some(value);
            }));
        }
    }
    let at_once = |rule: &'static str,
                   from: Value,
                   pointer: String,
                   to: Value,
                   set: Box<dyn Fn(&mut Requirements)>| {
        Knob::Steps { rule, from, choices: vec![Choice { to: to.clone(), patch: vec![(pointer, to)], set }] }
    };
    if base.routing != Routing::Hybrid {
        let from = if base.routing == Routing::Local { "local" } else { "cloud" };
        let set = Box::new(|requirements: &mut Requirements| requirements.routing = Routing::Hybrid);
        all.push(at_once("routing", json!(from), "/routing".to_owned(), json!("hybrid"), set));
    }
    for (w, workload) in base.workloads.iter().enumerate() {
        for word in workload.data.clone() {
            let rest: Vec<String> = workload.data.iter().filter(|other| **other != word).cloned().collect();
            let to = json!(rest);
            let set = Box::new(move |r: &mut Requirements| r.workloads[w].data.clone_from(&rest));
            all.push(at_once("data", json!(workload.data), format!("/workloads/{w}/data"), to, set));
        }
        for need in workload.needs.clone() {
            let rest: Vec<String> = workload.needs.iter().filter(|other| **other != need).cloned().collect();
            let to = json!(rest);
            let set = Box::new(move |r: &mut Requirements| r.workloads[w].needs.clone_from(&rest));
            all.push(at_once("needs", json!(workload.needs), format!("/workloads/{w}/needs"), to, set));
        }
        let known =
            workload.lengths.points.iter().map(|(input, output, _)| input + output).fold(0.0, f64::max);
        if workload.context_tokens > known {
            let from = workload.context_tokens;
            let choices = [131_072.0, 65_536.0, 32_768.0, 16_384.0, 8_192.0, 4_096.0, known]
                .into_iter()
                .filter(|less| *less < from && *less >= known)
                .map(|less: f64| Choice {
                    to: number(less.ceil()),
                    patch: vec![(format!("/workloads/{w}/context_tokens"), number(less.ceil()))],
                    set: Box::new(move |r| r.workloads[w].context_tokens = less.ceil()),
                })
                .collect();
            all.push(Knob::Steps { rule: "context_tokens", from: number(from), choices });
        }
    }
    if !base.include_retired {
        let set = Box::new(|requirements: &mut Requirements| requirements.include_retired = true);
        all.push(at_once("retired", json!(false), "/include_retired".to_owned(), json!(true), set));
    }
    for (list, name) in
        [(&base.allow.models, "models"), (&base.allow.gpus, "gpus"), (&base.allow.providers, "providers")]
    {
        if !list.is_empty() {
            let set: Box<dyn Fn(&mut Requirements)> = match name {
                "models" => Box::new(|r| r.allow.models.clear()),
                "gpus" => Box::new(|r| r.allow.gpus.clear()),
                _ => Box::new(|r| r.allow.providers.clear()),
            };
            all.push(at_once("allow", json!(list), format!("/allow/{name}"), json!([]), set));
        }
    }
    if !base.allow.billing.is_empty() {
        let words: Vec<&str> = base.allow.billing.iter().map(|mode| mode.word()).collect();
        let set = Box::new(|r: &mut Requirements| r.allow.billing.clear());
        all.push(at_once("allow", json!(words), "/allow/billing".to_owned(), json!([]), set));
    }
    all
}

/// A limit that is any number, rounded up to whole steps.
fn number_knob(
    rule: &'static str,
    from: f64,
    pointer: &str,
    step: f64,
    set: impl Fn(&mut Requirements, f64) + 'static,
) -> Knob {
    Knob::Number { rule, from, pointer: pointer.to_owned(), set: Box::new(set), step, tightest_first: false }
}

/// A limit on a count: one more, two more ...
fn count_knob(
    rule: &'static str,
    from: f64,
    pointer: String,
    set: impl Fn(&mut Requirements, u32) + 'static,
) -> Knob {
    Knob::Number {
        rule,
        from,
        pointer,
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a whole number of at least 0"
        )]
        set: Box::new(move |requirements, value| set(requirements, value.round().max(0.0) as u32)),
        step: 1.0,
        tightest_first: true,
    }
}
