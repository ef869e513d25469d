//! Answers made by hand, one of each kind; the figures are plausible and mean nothing.

use std::path::Path;

use bursar::catalog::Provenance;
use bursar::estimate::Basis;
use bursar::reason::{Op, Quantity, Reason, Told};
use bursar::recommendation::*;
use bursar::requirements::{ReadContext, Requirements, read};
use serde_json::json;

/// A request as the reader gives it.
pub(crate) fn asked(text: &str) -> Requirements {
    let context = ReadContext::bare("2026-11-20".parse().unwrap());
    read(text, "support-chatbot.yaml", None, Path::new(""), &context).unwrap().requirements
}

const CHATBOT: &str = "version: 1\nworkloads:\n  - name: support\n    requests: {per_day: 1000, profile: business-hours}\n    \
    tokens: {input: 150, output: 100}\n    latency: {e2e_ms: {p95: 2000}}\n    quality: {tier: good}\nbudget: {usd_per_month: 500}\n";

const TWO: &str = "version: 1\nname: assistants\nworkloads:\n  - name: support\n    requests: {per_hour: 1000}\n    \
    tokens: {input: 150, output: 100}\n    latency: {e2e_ms: {p95: 2000}, ttft_ms: {p95: 500}}\n    quality: {tier: good, premium: {share: 0.2, tier: excellent}}\n  \
    - name: reports\n    requests: {per_hour: 50}\n    tokens: {input: {mean: 5000, p95: 9000}, output: 2000}\n    latency: {e2e_ms: {p95: 60000}}\n    \
    needs: [tools]\n    cache: {response_hit: 0.1, prefix_hit: 0.5}\n    data: [no-training]\n\
    budget: {usd_per_month: 5000, usd_per_request: 0.01}\navailability: 0.999\nlimits: {memory_gib_per_server: 160, gpus: {h100-sxm: 4}, power_kw: 10, max_deployments: 3}\n\
    owned: [{gpu: a100-sxm-80, count: 4}]\nheadroom: 0.15\ndeny: {providers: [a, b, c, d, e]}\n";

pub(crate) fn told(fact: Reason) -> Told {
    Told::from(fact)
}

fn row(
    workload: &str,
    target: &str,
    measure: &str,
    figures: [f64; 4],
    limit: Option<f64>,
    basis: Basis,
) -> MeasureRow {
    let [value, low, high, held_to] = figures;
    let slack = limit.map(|limit| (limit - held_to).abs());
    MeasureRow {
        workload: workload.into(),
        target: target.into(),
        measure: measure.into(),
        value,
        low,
        high,
        held_to,
        limit,
        slack,
        basis,
    }
}

fn own(id: &str, label: &str, gpu: &str, replicas: u32, spare: u32, usd: f64) -> Deployment {
    Deployment {
        id: id.into(),
        label: label.into(),
        model: "meta-llama/Llama-3.1-8B-Instruct".into(),
        mode: "default".into(),
        provider: "runpod".into(),
        engine: Some(EngineSettings {
            engine: "vllm".into(),
            generation: "vllm-25".into(),
            gpu: gpu.into(),
            gpus_per_replica: 1,
            tensor_parallel: 1,
            pipeline_parallel: 1,
            data_parallel: 1,
            expert_parallel: 1,
            weights: "fp8".into(),
            kv: "bf16".into(),
            max_batch: 64,
            max_model_len: 8192,
            gpu_memory_utilization: 0.9,
            replicas,
            spare_replicas: spare,
            offer: format!("runpod/{gpu}/us/on-demand"),
            instance: format!("1x {gpu}"),
            region: "us".into(),
            billing: "on-demand".into(),
            instances: replicas,
            beside: None,
            paid: vec![Paid {
                offer: format!("runpod/{gpu}/us/on-demand"),
                billing: "on-demand".into(),
                instances: replicas,
                usd_per_hour: usd / 730.0 / f64::from(replicas),
                usd_per_month: usd,
                ..Paid::default()
            }],
            gpus_per_instance: 1,
            idle_gpus: 0,
            usd_per_hour: usd / 730.0 / f64::from(replicas),
            memory_gib_per_server: 18.4,
            capacity_rps: [("support".to_owned(), 1.234)].into(),
            utilisation_peak: 0.62,
            power_kw: Some(0.0864),
            billed_s_per_month: None,
        }),
        api: None,
        quality: Some(Scored { index: 47.3, sd: 3.9 }),
        usd_per_month: usd,
        fallback_only: false,
    }
}

fn hosted(id: &str, label: &str, usd: f64) -> Deployment {
    Deployment {
        id: id.into(),
        label: label.into(),
        model: "openai/gpt-4o-mini".into(),
        mode: "default".into(),
        provider: "openai".into(),
        engine: None,
        api: Some(ApiTerms {
            tier: "standard".into(),
            usd_per_mtok_input: 0.15,
            usd_per_mtok_output: 0.6,
            usd_per_request: [("support".to_owned(), 0.000_082_5)].into(),
            uptime: Some(0.9985),
        }),
        quality: Some(Scored { index: 51.0, sd: 1.4 }),
        usd_per_month: usd,
        fallback_only: false,
    }
}

fn route(workload: &str, target: &str, share: f64) -> Route {
    Route {
        workload: workload.into(),
        target: target.into(),
        share,
        by_hour: None,
        fallback: None,
        premium: false,
        via: None,
    }
}

fn plan(rank: u32, kind: Kind, deployments: Vec<Deployment>, routing: Vec<Route>) -> Plan {
    let usd_per_month = deployments.iter().map(|deployment| deployment.usd_per_month).sum();
    let bill = deployments
        .iter()
        .map(|d| BillLine { item: d.label.clone(), usd_per_month: d.usd_per_month })
        .collect();
    Plan {
        rank,
        kind,
        usd_per_month,
        usd_upfront: 0.0,
        usd_amortised: 0.0,
        usd_per_request: usd_per_month / 30_416.67,
        bill,
        deployments,
        routing,
        deferral: Vec::new(),
        measures: Vec::new(),
        binding: Vec::new(),
        reasons: Vec::new(),
    }
}

fn fact(id: &str, value: serde_json::Value, as_of: &str, assumed: bool) -> Fact {
    let source = "https://example.com/pricing".into();
    Fact { id: id.into(), value, provenance: Provenance { source, as_of: as_of.into(), assumed } }
}

fn answer(requirements: Requirements, status: Status) -> Recommendation {
    Recommendation {
        schema_version: SCHEMA_VERSION,
        tool_version: "0.1.0".into(),
        status,
        as_of: requirements.as_of.to_string(),
        catalog: CatalogStamp { built: "2026-11-20".into(), sha256: "0123456789abcdef0123".into() },
        requirements,
        plans: Vec::new(),
        kinds: Vec::new(),
        pareto: Vec::new(),
        proof: Proof {
            objective: "cost".into(),
            value: None,
            bound: None,
            gap: None,
            candidates: 12_345,
            refused: [("e2e_ms", 2100), ("quality", 7000), ("weights_fit", 2900), ("context_tokens", 12)]
                .map(|(rule, count)| (rule.to_owned(), count))
                .into(),
            dominated: 300,
            beyond_incumbent: 20,
            estimated: 3_000,
            solved: 13,
            backend: "microlp".into(),
            verified: true,
        },
        runners_up: Vec::new(),
        steps: Vec::new(),
        why_not: Vec::new(),
        conflict: Vec::new(),
        conflict_reasons: Vec::new(),
        relaxations: Vec::new(),
        growth: None,
        facts: vec![
            fact("offer runpod/l4/us/on-demand price_usd_per_hour", json!(0.43), "2026-10-02", false),
            fact("api openai/gpt-4o-mini price_usd_per_mtok_input", json!(0.15), "2026-09-14", false),
            fact("engine vllm-25 activation_gib", json!(1.4), "2026-11", true),
        ],
        warnings: Vec::new(),
    }
}

/// A step that changes nothing, one that pays, one that leads nowhere.
fn steps() -> Vec<StepValue> {
    let step = |to: f64, usd: Option<f64>, status: Status, summary: &str| StepValue {
        rule: "e2e_ms".into(),
        workload: "support".into(),
        from: json!(2000),
        to: json!(to),
        usd_per_month: usd,
        difference: usd.map(|usd| usd - 12.75),
        status,
        changes: usd != Some(12.75),
        summary: summary.into(),
        patch: [("/workloads/0/latency/e2e_ms/p95".to_owned(), json!(to))].into(),
    };
    vec![
        step(1800.0, None, Status::Infeasible, ""),
        step(2200.0, Some(11.5), Status::Optimal, "gpt-4o-mini, openai"),
        step(2400.0, Some(12.75), Status::Optimal, "gpt-3.5-turbo-0613, openai"),
    ]
}

/// One option that complies and is slower, one that does not fit, one that nobody knows.
fn questions() -> Vec<WhyNot> {
    let question = |asked: &str, label: &str, reason: Reason| WhyNot {
        asked: asked.into(),
        label: label.into(),
        model: None,
        reason: told(reason),
        also: Vec::new(),
        usd_per_month: None,
        summary: String::new(),
        best_usd_per_month: Some(12.75),
        wins_at: None,
        memory: Vec::new(),
        measures: Vec::new(),
    };
    let slow = "gpt-4o-mini, openai";
    let worse = Reason::WorseOn {
        who: slow.into(),
        got: Quantity::new(2405.0, "ms"),
        best: Quantity::new(1810.0, "ms"),
        usd_per_month: 38.25,
    };
    let huge = "Llama-3.1-405B-Instruct on 1 x l4";
    let breaks = |rule: &str, got: f64, allowed: f64, unit: &str| Reason::Breaks {
        who: huge.into(),
        workload: String::new(),
        rule: rule.into(),
        got: Quantity::new(got, unit),
        op: Op::AtMost,
        allowed: Quantity::new(allowed, unit),
    };
    let sum = |precision: &str, weights_gib: f64| MemorySum {
        precision: precision.into(),
        gpus: 1,
        gpu: "l4".into(),
        weights_gib,
        activation_gib: 0.6,
        engine_gib: 0.25,
        longest_request_gib: None,
        usable_gib: 22.5,
        utilization: 0.9,
        fits: false,
    };
    let mut questions = vec![
        question("openai/gpt-4o-mini", slow, worse),
        question(
            "Llama-3.1-405B-Instruct on one l4",
            huge,
            breaks("weights_fit", 756.9, 20.25, "GiB per GPU"),
        ),
        question(
            "Lama-3.1-8B on l4",
            "Lama-3.1-8B on l4",
            Reason::Unknown {
                who: "Lama-3.1-8B".into(),
                what: "model".into(),
                nearest: Some("Llama-3.1-8B".into()),
            },
        ),
    ];
    questions[0].usd_per_month = Some(38.25);
    questions[0].summary = slow.into();
    questions[0].measures = vec![row(
        "support",
        "mini",
        "e2e_ms_p95",
        [2405.0, 1600.0, 3600.0, 3200.0],
        Some(2000.0),
        Basis::Assumed,
    )];
    questions[0].wins_at =
        Some(WinsAt { per: "million input tokens, output alike".into(), usd_now: 0.15, usd: 0.05 });
    questions[1].also = vec![told(breaks("usd_per_month", 2569.6, 500.0, "USD/month"))];
    questions[1].memory = vec![sum("bf16", 756.05), sum("int4", 196.2)];
    questions
}

fn best(kind: Kind, usd: Option<f64>, refused: Option<Reason>) -> BestOfKind {
    BestOfKind { kind, usd_per_month: usd, summary: String::new(), refused: refused.map(told) }
}

fn breaks(who: &str, rule: &str, got: f64, op: Op, allowed: f64, unit: &str) -> Reason {
    let (got, allowed) = (Quantity::new(got, unit), Quantity::new(allowed, unit));
    Reason::Breaks { who: who.into(), workload: "support".into(), rule: rule.into(), got, op, allowed }
}

fn runner_up(label: &str, kind: Kind, reason: Reason) -> RunnerUp {
    RunnerUp {
        also: Vec::new(),
        label: label.into(),
        model: label.into(),
        kind,
        usd_per_month: None,
        reason: told(reason),
        wins_at: None,
        measures: Vec::new(),
    }
}

/// Own engines win.
pub(crate) fn local() -> Recommendation {
    let mut out = answer(asked(CHATBOT), Status::Optimal);
    let label = "Llama-3.1-8B-Instruct fp8 on 1 x L4, runpod";
    let mut first =
        plan(1, Kind::Local, vec![own("l4", label, "l4", 1, 0, 313.9)], vec![route("support", "l4", 1.0)]);
    first.measures = vec![row(
        "support",
        "l4",
        "e2e_ms_p95",
        [1583.2, 1120.4, 2237.0, 1939.0],
        Some(2000.0),
        Basis::Calibrated,
    )];
    first.binding = vec![told(Reason::Binding {
        rule: "e2e_ms".into(),
        workload: "support".into(),
        left_over: Quantity::new(61.0, "ms"),
        limit: Quantity::new(2000.0, "ms"),
    })];
    first.reasons = vec![
        told(Reason::Serves { who: label.into(), workload: "support".into(), share: 1.0 }),
        told(Reason::Surplus { who: label.into(), utilisation_peak: 0.062, idle_gpus: 1, spare_replicas: 1 }),
        told(Reason::Borderline { who: label.into(), index: 47.3, cut: 45.0, probability: 0.722 }),
    ];
    let other = plan(
        2,
        Kind::Cloud,
        vec![hosted("mini", "gpt-4o-mini, openai", 402.5)],
        vec![route("support", "mini", 1.0)],
    );
    out.plans = vec![first, other];
    out.kinds = vec![
        best(Kind::Local, Some(313.9), None),
        best(Kind::Cloud, Some(402.5), None),
        best(Kind::Hybrid, Some(340.0), None),
    ];
    out.proof = Proof { value: Some(313.9), bound: Some(313.9), gap: Some(0.0), ..out.proof };
    let mut slow = runner_up(
        "Llama-2-7b fp16 on 1 x RTX 4090",
        Kind::Local,
        breaks(
            "Llama-2-7b-chat fp16 on 1 x RTX 4090, seed-document",
            "e2e_ms",
            2857.6,
            Op::AtMost,
            2000.0,
            "ms",
        ),
    );
    slow.measures = vec![row(
        "support",
        "",
        "e2e_ms_p95",
        [2300.0, 1700.0, 3112.0, 2857.6],
        Some(2000.0),
        Basis::Extrapolated,
    )];
    let mut dear = runner_up(
        "gpt-4",
        Kind::Cloud,
        Reason::Dearer { who: "gpt-4, openai".into(), usd_per_month: 630.0, best_usd_per_month: 313.9 },
    );
    dear.wins_at = Some(WinsAt { per: "request".into(), usd_now: 0.0207, usd: 0.01032 });
    out.runners_up = vec![
        slow,
        dear,
        runner_up(
            "T4",
            Kind::Local,
            Reason::DominatedBy { who: "Phi-4 int4 on 1 x T4, aws".into(), by: label.into() },
        ),
        runner_up(
            "MI300X",
            Kind::Local,
            Reason::Forbidden {
                who: "Llama-3.1-8B-Instruct on 1 x MI300X, hotaisle".into(),
                workload: String::new(),
                rule: "estimate_trusted".into(),
                got: "assumed".into(),
                asked: "extrapolated".into(),
            },
        ),
    ];
    out.warnings = vec![Warning {
        code: "R-constant-lengths".into(),
        sentence: "support: only mean token counts are given, so every request counts as equally long".into(),
    }];
    out
}

/// One API wins, and own engines are forbidden.
pub(crate) fn cloud() -> Recommendation {
    let mut out = answer(
        asked(&(CHATBOT.to_owned() + "routing: cloud\ninclude_retired: true\nobjective: latency\n")),
        Status::Feasible,
    );
    let label = "gpt-3.5-turbo-0613, openai";
    let mut first =
        plan(1, Kind::Cloud, vec![hosted("turbo", label, 12.75)], vec![route("support", "turbo", 1.0)]);
    first.deployments[0].quality = None;
    first.measures = vec![row(
        "support",
        "turbo",
        "e2e_ms_p95",
        [1810.0, 1214.0, 2702.0, 1990.0],
        Some(2000.0),
        Basis::Assumed,
    )];
    first.reasons = vec![told(Reason::Serves { who: label.into(), workload: "support".into(), share: 1.0 })];
    out.plans = vec![first];
    let routing = Reason::Forbidden {
        who: "Llama-3.1-8B-Instruct fp8 on 1 x L4, runpod".into(),
        workload: String::new(),
        rule: "routing".into(),
        got: "local".into(),
        asked: "cloud".into(),
    };
    out.kinds = vec![
        best(Kind::Local, None, Some(routing.clone())),
        best(Kind::Cloud, Some(12.75), None),
        best(Kind::Hybrid, None, Some(routing)),
    ];
    out.proof = Proof { value: Some(1810.0), bound: Some(1700.0), gap: Some(0.061), ..out.proof };
    out.why_not = questions();
    out.steps = steps();
    out
}

/// Two workloads, own engines and APIs, spares, a fallback and routing by the hour.
pub(crate) fn hybrid() -> Recommendation {
    let mut out = answer(asked(TWO), Status::Optimal);
    let big = "Llama-3.3-70B-Instruct fp8 on 2 x A100 80 GB SXM, owned";
    let mut standby = hosted("haiku", "claude-haiku-4-5, anthropic", 0.31);
    standby.fallback_only = true;
    let mut owned = own("a100", big, "a100-sxm-80", 3, 1, 412.0);
    owned.quality = Some(Scored { index: 58.2, sd: 1.6 });
    let mut hours = vec![1.0; 24];
    hours[9..17].fill(0.5);
    hours[12] = 0.004;
    let split = |share, premium, target: &str| Route {
        premium,
        via: None,
        fallback: Some("haiku".into()),
        by_hour: Some(hours.clone()),
        ..route("support", target, share)
    };
    let routing =
        vec![split(0.7995, false, "a100"), split(0.2005, true, "mini"), route("reports", "a100", 1.0)];
    let mut first =
        plan(1, Kind::Hybrid, vec![owned, hosted("mini", "gpt-4o-mini, openai", 38.25), standby], routing);
    first.bill.push(BillLine { item: "people".into(), usd_per_month: 0.0 });
    first.usd_upfront = 1200.0;
    first.measures = vec![
        row(
            "support",
            "a100",
            "e2e_ms_p95",
            [1583.2, 1490.0, 1682.0, 1655.0],
            Some(2000.0),
            Basis::Calibrated,
        ),
        row("support", "a100", "ttft_ms_p95", [83.1, 71.0, 97.3, 94.0], Some(500.0), Basis::Measured),
        row("support", "mini", "e2e_ms_p95", [1210.0, 900.0, 1626.0, 1500.0], Some(2000.0), Basis::Assumed),
        row(
            "reports",
            "a100",
            "e2e_ms_p95",
            [41_200.0, 33_000.0, 51_437.0, 48_000.0],
            Some(60_000.0),
            Basis::Extrapolated,
        ),
        row("", "", "usd_per_month", [450.56, 450.56, 450.56, 450.56], Some(5000.0), Basis::Measured),
    ];
    let limited = |rule: &str, workload: &str, left: f64, limit: f64, unit: &str| {
        told(Reason::Binding {
            rule: rule.into(),
            workload: workload.into(),
            left_over: Quantity::new(left, unit),
            limit: Quantity::new(limit, unit),
        })
    };
    first.binding = vec![
        limited("premium_share", "support", 0.0, 0.2, "share"),
        limited("availability", "", 0.000_21, 0.999, "share"),
    ];
    first.reasons = vec![told(Reason::Serves { who: big.into(), workload: "support".into(), share: 0.7995 })];
    out.plans = vec![first];
    out.kinds = vec![
        best(Kind::Local, None, Some(breaks("local", "premium_share", 0.0, Op::AtLeast, 0.2, "share"))),
        best(Kind::Hybrid, Some(450.56), None),
    ];
    out.proof = Proof { value: Some(450.56), bound: Some(450.55), gap: Some(0.000_022), ..out.proof };
    let saturated =
        breaks("Mistral-7B fp16 on 1 x T4, aws", "e2e_ms", f64::INFINITY, Op::AtMost, 2000.0, "ms");
    out.runners_up = vec![
        runner_up("Mistral-7B", Kind::Local, saturated),
        runner_up(
            "Qwen3-4B",
            Kind::Local,
            breaks("Qwen3-4B bf16 on 1 x L4, runpod", "quality", 38.84, Op::AtLeast, 42.0, "index"),
        ),
        runner_up(
            "claude",
            Kind::Cloud,
            Reason::Forbidden {
                who: "some-model, someone".into(),
                workload: "reports".into(),
                rule: "needs".into(),
                got: "unknown".into(),
                asked: "tools".into(),
            },
        ),
    ];
    out
}

/// Nothing complies.
pub(crate) fn infeasible() -> Recommendation {
    let mut out = answer(asked(&CHATBOT.replace("500", "5")), Status::Infeasible);
    out.conflict = vec!["e2e_ms".into(), "usd_per_month".into()];
    out.conflict_reasons = vec![
        told(breaks("gpt-3.5-turbo-0613, openai", "usd_per_month", 12.75, Op::AtMost, 5.0, "USD/month")),
        told(breaks(
            "Llama-3.1-8B-Instruct q4_k_m on CPU, owned",
            "e2e_ms",
            9120.0,
            Op::AtMost,
            2000.0,
            "ms",
        )),
        told(Reason::NobodyServes {
            workload: "support".into(),
            refused: vec![("e2e_ms".into(), 2100), ("usd_per_month".into(), 120)],
        }),
    ];
    let change =
        |rule: &str, from: serde_json::Value, to: serde_json::Value, pointer: &str, usd, buys: &str| {
            Relaxation {
                rule: OneOrMany::One(rule.into()),
                from: OneOrMany::One(from),
                to: OneOrMany::One(to.clone()),
                patch: [(pointer.to_owned(), to)].into(),
                usd_per_month: usd,
                buys: buys.into(),
                sentence: String::new(),
            }
        };
    let mut both = change(
        "",
        json!(null),
        json!(null),
        "/budget/usd_per_month",
        9.5,
        "Phi-4 int4 on 1 x T4, aws (spot)",
    );
    both.rule = OneOrMany::Many(vec!["usd_per_month".into(), "e2e_ms".into()]);
    both.from = OneOrMany::Many(vec![json!(5), json!(2000)]);
    both.to = OneOrMany::Many(vec![json!(9.5), json!(2340)]);
    both.patch = [
        ("/budget/usd_per_month".to_owned(), json!(9.5)),
        ("/workloads/0/latency/e2e_ms/p95".to_owned(), json!(2340)),
    ]
    .into();
    out.relaxations = vec![
        change(
            "usd_per_month",
            json!(5),
            json!(12.75),
            "/budget/usd_per_month",
            12.75,
            "gpt-3.5-turbo-0613, openai",
        ),
        change(
            "e2e_ms",
            json!(2000),
            json!(9120),
            "/workloads/0/latency/e2e_ms/p95",
            4.1,
            "Llama-3.1-8B-Instruct q4_k_m on CPU, owned",
        ),
        both,
    ];
    out.kinds = vec![best(
        Kind::Local,
        None,
        Some(breaks("the cheapest own engine", "usd_per_month", 116.8, Op::AtMost, 5.0, "USD/month")),
    )];
    let over = breaks("gpt-3.5-turbo-0613, openai", "usd_per_month", 12.75, Op::AtMost, 5.0, "USD/month");
    out.kinds.push(best(Kind::Cloud, Some(12.75), Some(over)));
    out.proof.verified = true;
    out
}
