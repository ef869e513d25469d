//! Programs drawn at random, the way those of the formulation study were: 24 hours, workloads with their own tokens,
//! quality floors, latency limits and daily curves, 40 models x 25 GPUs x 1 to 8 x three precisions x 8 providers, three
//! offers of each, hosted models.
//!
//! In: a [`Draw`] and a seed. Out: a [`Program`], before pruning. The fleets are synthetic: a GPU has the memory, bandwidth
//! and arithmetic of its data sheet in round figures, a replica the roofline of them at fixed efficiency, prices are
//! drawn around round ones. Ratios matter, absolute costs do not.

use std::collections::BTreeSet;

use bursar::program::{Class, Goal, Hosted, Ladder, Mean, Mode, Pool, Program, Resource};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// What to draw.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Draw {
    /// Classes of traffic.
    pub(crate) workloads: usize,
    /// Offers, three to a pool.
    pub(crate) offers: usize,
    /// Hosted models.
    pub(crate) hosted: usize,
    /// Factor of the rates.
    pub(crate) rates: f64,
    /// Limits of scarce GPUs.
    pub(crate) quotas: bool,
    /// One spare replica in every pool used, limited money upfront, prepaid offers, limits of GPUs, and at most so many
    /// deployments.
    pub(crate) redundant: Option<u32>,
}

impl Draw {
    /// Without rules of the whole: so many workloads and offers, ten hosted models.
    pub(crate) const fn plain(workloads: usize, offers: usize) -> Self {
        Self { workloads, offers, hosted: 10, rates: 1.0, quotas: false, redundant: None }
    }
}

/// Name, GiB, TB/s, TFLOPS, USD/month from and to, least memory counted as scarce.
type Gpu = (&'static str, f64, f64, f64, f64, f64);

const GPUS: [Gpu; 25] = [
    ("t4", 15.0, 0.32, 65.0, 190.0, 510.0),
    ("l4", 23.0, 0.30, 121.0, 440.0, 710.0),
    ("a10g", 23.0, 0.60, 125.0, 830.0, 1350.0),
    ("a4000", 16.0, 0.45, 77.0, 100.0, 220.0),
    ("a5000", 24.0, 0.77, 111.0, 105.0, 330.0),
    ("a6000", 48.0, 0.77, 155.0, 150.0, 600.0),
    ("6000ada", 48.0, 0.96, 364.0, 430.0, 910.0),
    ("rtx3090", 24.0, 0.94, 71.0, 130.0, 240.0),
    ("rtx4090", 24.0, 1.01, 165.0, 170.0, 320.0),
    ("rtx5090", 32.0, 1.79, 210.0, 360.0, 640.0),
    ("l40", 48.0, 0.86, 181.0, 490.0, 1090.0),
    ("l40s", 48.0, 0.86, 362.0, 610.0, 990.0),
    ("v100-16", 16.0, 0.90, 112.0, 225.0, 740.0),
    ("v100-32", 32.0, 0.90, 112.0, 720.0, 1190.0),
    ("a100-40", 40.0, 1.55, 312.0, 680.0, 1370.0),
    ("a100-80", 80.0, 2.04, 312.0, 1090.0, 2250.0),
    ("a100-pcie", 80.0, 1.94, 312.0, 850.0, 2430.0),
    ("h100-pcie", 80.0, 2.0, 756.0, 1130.0, 2770.0),
    ("h100-nvl", 94.0, 3.9, 835.0, 1070.0, 3110.0),
    ("h100-sxm", 80.0, 3.35, 989.0, 930.0, 4300.0),
    ("h200", 141.0, 4.8, 989.0, 1440.0, 4800.0),
    ("gh200", 96.0, 4.0, 989.0, 1340.0, 2380.0),
    ("mi300x", 192.0, 5.3, 1307.0, 1710.0, 3690.0),
    ("mi325x", 256.0, 6.0, 1307.0, 1020.0, 4780.0),
    ("b200", 180.0, 8.0, 2250.0, 2200.0, 6870.0),
];

/// Billions of parameters: all, read for a token.
const MODELS: [(f64, f64); 40] = [
    (1.0, 1.0),
    (1.5, 1.5),
    (2.0, 2.0),
    (3.0, 3.0),
    (3.2, 3.2),
    (4.0, 4.0),
    (7.0, 7.0),
    (7.2, 7.2),
    (8.0, 8.0),
    (8.0, 8.0),
    (8.0, 8.0),
    (9.0, 9.0),
    (12.0, 12.0),
    (13.0, 13.0),
    (14.0, 14.0),
    (14.0, 14.0),
    (21.0, 3.6),
    (22.0, 22.0),
    (24.0, 24.0),
    (27.0, 27.0),
    (30.0, 3.3),
    (32.0, 32.0),
    (32.0, 32.0),
    (34.0, 34.0),
    (35.0, 9.0),
    (46.0, 13.0),
    (49.0, 49.0),
    (70.0, 70.0),
    (70.0, 70.0),
    (72.0, 72.0),
    (80.0, 3.9),
    (104.0, 104.0),
    (109.0, 17.0),
    (117.0, 5.1),
    (123.0, 123.0),
    (141.0, 39.0),
    (235.0, 22.0),
    (355.0, 32.0),
    (405.0, 405.0),
    (671.0, 37.0),
];

/// Name, bytes of a weight, quality lost.
const PRECISIONS: [(&str, f64, f64); 3] = [("fp16", 2.0, 0.0), ("fp8", 1.0, 0.004), ("int4", 0.56, 0.015)];
const PROVIDERS: usize = 8;
const SLOTS: usize = 24;
const HOURS_PER_MONTH: f64 = 730.0;
/// Load a replica may have.
const LOAD_FACTOR: f64 = 0.85;
/// Parts of the data sheet's bandwidth and arithmetic that are reached.
const BANDWIDTH_REACHED: f64 = 0.6;
const FLOPS_REACHED: f64 = 0.4;
/// Part of the memory that is used, and bytes of KV cache a token for a model of a billion parameters read.
const MEMORY_USED: f64 = 0.9;
const KV_BYTES: f64 = 25_000.0;

struct Workload {
    input: f64,
    output: f64,
    floor: f64,
    tpot_s: f64,
    ttft_s: f64,
    load_rps: Vec<f64>,
}

/// Draws a program.
pub(crate) fn draw(what: Draw, seed: u64) -> Program {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut workloads: Vec<Workload> = (0..what.workloads).map(|_| workload(&mut rng, what.rates)).collect();
    if what.redundant.is_some() && what.workloads > 1 {
        // A fifth of the first goes to better models: a class of its own.
        let share = 0.2;
        let part = |part: f64| workloads[0].load_rps.iter().map(|rate| rate * part).collect::<Vec<f64>>();
        let (premium, rest) = (part(share), part(1.0 - share));
        let floor = workloads[0].floor + 0.1;
        workloads[1] = Workload { load_rps: premium, floor, ..workloads[0] };
        workloads[0].load_rps = rest;
    }
    let quality: Vec<f64> = MODELS
        .iter()
        .map(|(all, read): &(f64, f64)| {
            0.29 + 0.072 * (all * read).sqrt().ln() + rng.random_range(-0.04..0.04)
        })
        .collect();
    let market: Vec<Vec<Option<Market>>> =
        GPUS.iter().map(|gpu| (0..PROVIDERS).map(|_| market(&mut rng, gpu)).collect()).collect();
    let resources: Vec<Resource> = if what.quotas || what.redundant.is_some() {
        GPUS.iter()
            .filter(|gpu| gpu.1 * gpu.2 > 13.0)
            .map(|gpu| Resource {
                rule: "gpus".into(),
                key: gpu.0.into(),
                limit: [4.0, 8.0, 16.0][rng.random_range(0..3)],
            })
            .collect()
    } else {
        Vec::new()
    };
    let mut pools: Vec<Pool> = Vec::new();
    let mut seen: BTreeSet<[usize; 5]> = BTreeSet::new();
    while pools.len() * 3 < what.offers {
        let mut up_to = |most: usize| rng.random_range(0..most);
        let unit = [up_to(MODELS.len()), up_to(GPUS.len()), up_to(4), up_to(3), up_to(PROVIDERS)];
        let Some(offer) = market[unit[1]][unit[4]] else { continue };
        if seen.insert(unit) {
            pools.extend(pool(what, &workloads, &quality, &offer, &resources, unit, pools.len()));
        }
    }
    let hosted = (0..what.hosted).map(|a| hosted(&mut rng, &workloads, a)).collect();
    let month: f64 = pools.iter().map(|pool| pool.modes[0].usd_per_month).sum::<f64>() / pools.len() as f64;
    Program {
        slot_hours: vec![HOURS_PER_MONTH / SLOTS as f64; SLOTS],
        classes: workloads
            .iter()
            .enumerate()
            .map(|(w, workload)| Class {
                name: format!("w{w}"),
                load_rps: workload.load_rps.clone(),
                billed_rps: workload.load_rps.clone(),
                ..Class::default()
            })
            .collect(),
        pools,
        hosted,
        resources,
        usd_upfront_max: what.redundant.map(|_| (month * rng.random_range(4.0..40.0)).round()),
        deployments_max: what.redundant,
        ..Program::default()
    }
}

/// Rules that a program cannot be taken apart with.
#[allow(dead_code, reason = "what includes this file reads some of it")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// A quarter of an hour is paid for each start.
    Starts,
    /// Two instances at least in every pool used.
    LeastTwo,
    /// A limit of requests/s that each hosted model has for all classes together: half of all requests.
    Rates,
    /// The first class may wait three hours.
    Waits,
    /// A score of its own for each pool, and a mean over requests to keep.
    Mean,
    /// The least score, under no limit.
    LeastScore,
}

/// A program with a rule of another form.
#[allow(dead_code, reason = "what includes this file reads some of it")]
pub(crate) fn with(form: Form, mut program: Program) -> Program {
    let slots = program.slot_hours.len();
    let classes = program.classes.len();
    // Fixed figures, different for each pool, without order.
    let score = |r: usize| ((r * 7919 + 13) % 100) as f64 / 100.0;
    match form {
        Form::Starts => {
            program.before = (0..slots).map(|t| (t + slots - 1) % slots).collect();
            for pool in &mut program.pools {
                pool.usd_per_start = 0.25 * pool.usd_per_hour.unwrap_or(0.0);
            }
        }
        Form::LeastTwo => program.pools.iter_mut().for_each(|pool| pool.instances_min = 2),
        Form::Rates => {
            let most = (0..slots)
                .map(|t| program.classes.iter().map(|class| class.load_rps[t]).sum::<f64>())
                .fold(0.0, f64::max);
            for (a, hosted) in program.hosted.iter_mut().enumerate() {
                let limit = Resource { rule: "rate_limit".into(), key: format!("api{a}"), limit: 0.5 * most };
                hosted.uses = vec![(program.resources.len(), vec![1.0; classes])];
                program.resources.push(limit);
            }
        }
        Form::Waits => {
            let later = |t: usize| (0..4).map(|wait| (t + wait) % slots).collect();
            program.classes[0].served_in = (0..slots).map(later).collect();
        }
        Form::Mean => program.means.push(Mean {
            rule: "quality_mean".into(),
            key: String::new(),
            local: (0..classes).map(|_| (0..program.pools.len()).map(score).collect()).collect(),
            cloud: vec![vec![0.5; program.hosted.len()]; classes],
            blends: Vec::new(),
            at_least: true,
            limit: 0.45,
        }),
        Form::LeastScore => {
            program.goal = Goal::LeastScore;
            for (r, pool) in program.pools.iter_mut().enumerate() {
                pool.score = vec![score(r); classes];
            }
            for (a, hosted) in program.hosted.iter_mut().enumerate() {
                hosted.score = vec![0.3 + score(a); classes];
            }
        }
    }
    program
}

/// Log-uniform.
fn about(rng: &mut ChaCha8Rng, from: f64, to: f64) -> f64 {
    rng.random_range(from.ln()..to.ln()).exp()
}

fn workload(rng: &mut ChaCha8Rng, rates: f64) -> Workload {
    let mean = rates * about(rng, 0.1, 12.0);
    let peak = rng.random_range(0..SLOTS) as f64;
    let swing = rng.random_range(0.6..2.1);
    let curve: Vec<f64> = match rng.random_range(0..4) {
        0 => vec![1.0; SLOTS],
        1 => {
            let (start, long) = (rng.random_range(4..12), rng.random_range(8..12));
            (0..SLOTS).map(|t| if (start..start + long).contains(&t) { 12.0 } else { 1.0 }).collect()
        }
        _ => (0..SLOTS)
            .map(|t| {
                let turn = (t as f64 - peak) / SLOTS as f64 * std::f64::consts::TAU;
                (swing * turn.cos()).exp() * rng.random_range(0.88..1.12)
            })
            .collect(),
    };
    let level = mean * SLOTS as f64 / curve.iter().sum::<f64>();
    Workload {
        input: about(rng, 150.0, 5000.0).round(),
        output: about(rng, 50.0, 400.0).round(),
        floor: [0.42, 0.52, 0.62][rng.random_range(0..3)],
        tpot_s: [0.025, 0.04, 0.06, 0.1, 0.2][rng.random_range(0..5)],
        ttft_s: [1.0, 2.0, 5.0, 10.0][rng.random_range(0..4)],
        // Four significant digits, as in a file.
        load_rps: curve.iter().map(|weight| ((weight * level) * 1e4).round().max(1.0) / 1e4).collect(),
    }
}

/// What a provider asks for a GPU.
#[derive(Debug, Clone, Copy)]
struct Market {
    usd_per_month: f64,
    /// Part of that asked for a reserved one.
    reserved: f64,
}

/// About half of the GPUs are at a provider.
fn market(rng: &mut ChaCha8Rng, gpu: &Gpu) -> Option<Market> {
    let offer = Market { usd_per_month: about(rng, gpu.4, gpu.5), reserved: rng.random_range(0.5..0.72) };
    rng.random_bool(0.5).then_some(offer)
}

/// A unit at a provider; `None` where its weights do not fit.
fn pool(
    what: Draw,
    workloads: &[Workload],
    quality: &[f64],
    offer: &Market,
    resources: &[Resource],
    [m, g, size, precision, provider]: [usize; 5],
    deployment: usize,
) -> Option<Pool> {
    let gpus = [1.0, 2.0, 4.0, 8.0][size];
    let (word, bytes, lost) = PRECISIONS[precision];
    let ((all, read), gpu) = (MODELS[m], GPUS[g]);
    let room = MEMORY_USED * gpu.1 * 1.073_741_824e9 * gpus - all * 1e9 * bytes;
    if room <= 0.1 * gpu.1 * 1e9 * gpus {
        return None;
    }
    let capacity: Vec<f64> = workloads
        .iter()
        .map(|w| {
            let fits = quality[m] - lost >= w.floor;
            if fits { (capacity(w, all, read, bytes, gpu, gpus, room) * 1e4).round() / 1e4 } else { 0.0 }
        })
        .collect();
    // Eight on one board are a little dearer.
    let month = offer.usd_per_month * gpus * if gpus > 4.0 { 1.05 } else { 1.0 };
    let reserved = month * offer.reserved;
    let mode = |billing: &str, usd: f64, upfront: f64| Mode {
        billing: billing.into(),
        usd_per_month: (usd * 100.0).round() / 100.0,
        usd_upfront: upfront.round(),
        ..Mode::default()
    };
    let mut modes = vec![mode("on-demand", month, 0.0), mode("reserved-1y", reserved, 0.0)];
    if what.redundant.is_some() {
        modes.push(mode("reserved-1y-upfront", 0.92 * reserved, 5.52 * reserved));
    }
    let k = resources.iter().position(|resource| resource.key == gpu.0);
    Some(Pool {
        id: format!("m{m}-{all}b/{}x{gpus}/{word}/prov{provider}", gpu.0),
        deployment,
        capacity,
        replicas: 1,
        modes,
        usd_per_hour: Some((1.06 * month / HOURS_PER_MONTH * 1e5).round() / 1e5),
        usd_per_request: vec![0.0; workloads.len()],
        score: vec![0.0; workloads.len()],
        uses: k.map(|k| (k, gpus)).into_iter().collect(),
        ladder: what.redundant.map(|_| Ladder { needed_max: vec![0, u32::MAX] }),
        ..Pool::default()
    })
}

/// Requests/s of a replica: the largest batch whose step meets the limit, prompts read beside it; load factor applied.
fn capacity(w: &Workload, all: f64, read: f64, bytes: f64, gpu: Gpu, gpus: f64, room: f64) -> f64 {
    let (bandwidth, flops) =
        (gpu.2 * 1e12 * gpus.powf(0.9) * BANDWIDTH_REACHED, gpu.3 * 1e12 * gpus.powf(0.9) * FLOPS_REACHED);
    let prompt_s = w.input * 2.0 * read * 1e9 / flops;
    if prompt_s > w.ttft_s {
        return 0.0;
    }
    let kv = (w.input + w.output / 2.0) * KV_BYTES * read.sqrt();
    // A batch of a mixture reads more experts than a token does, at most all.
    let weights = |batch: f64| bytes * 1e9 * (all * (1.0 - (1.0 - read / all).powf(batch))).max(read);
    let rate = |batch: f64| {
        let step = (weights(batch) + batch * kv) / bandwidth + batch * 2.0 * read * 1e9 / flops + 0.003;
        let with_prompts = step + batch / w.output * prompt_s;
        (with_prompts <= w.tpot_s).then(|| batch / (w.output * with_prompts))
    };
    let most = (room / kv).min(256.0);
    let batches = [1.0, 2.0, 4.0, 8.0, 16.0, 24.0, 32.0, 48.0, 64.0, 96.0, 128.0, 192.0, 256.0];
    let best =
        batches.iter().filter(|batch| **batch <= most).filter_map(|batch| rate(*batch)).fold(0.0, f64::max);
    best * LOAD_FACTOR
}

fn hosted(rng: &mut ChaCha8Rng, workloads: &[Workload], a: usize) -> Hosted {
    let quality = rng.random_range(0.43..0.82);
    // Better models are dearer, by and large.
    let usd = 1e-7 * f64::exp((quality - 0.43) * 7.0) * about(rng, 0.5, 2.0);
    let tpot_s = about(rng, 0.008, 0.05);
    let price = |w: &Workload| {
        let serves = quality >= w.floor && tpot_s <= w.tpot_s;
        serves.then_some(usd * (w.input + 4.0 * w.output))
    };
    Hosted {
        id: format!("api{a}"),
        deployments: vec![a],
        usd_per_request: workloads.iter().map(price).collect(),
        score: vec![0.0; workloads.len()],
        rate_rps: vec![f64::INFINITY; workloads.len()],
        ..Hosted::default()
    }
}
