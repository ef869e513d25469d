//! The facts of a GPU that the step formula reads, and what an estimate on it rests on.
//!
//! In: engine, GPU, weight precision. Out: [`Device`], and the [`Basis`] that follows from what was measured. It knows
//! no model but by name and no traffic.

use std::collections::BTreeSet;

use super::{Basis, Misfit, Unit};
use crate::catalog::{Catalog, Coefficients, Gpu, Model, Precision, precision::PrecisionFact};

/// Level of the kernel table for GPUs without kernel timings of their own.
const KERNEL_UNKNOWN: &str = "unknown";
/// Kernel floor and latency per K element where the table lacks even that, microseconds (oracle study section 5).
const KERNEL_ASSUMED_US: (f64, f64) = (4.0, 2.0e-4);
/// One-way GB/s to the other GPUs where the data sheet is silent: PCIe 4.0 x16.
const LINK_UNKNOWN_GB_S: f64 = 32.0;

/// What the formula reads of a GPU at one weight precision.
#[derive(Debug, Clone, Copy)]
pub(super) struct Device {
    /// GB/s.
    pub(super) bandwidth_gb_s: f64,
    /// TFLOPS at the weight precision, at 16 bits where the GPU lacks it.
    pub(super) tflops: f64,
    /// TFLOPS at 16 bits.
    pub(super) tflops_16: f64,
    /// GB/s one way to the other GPUs.
    pub(super) link_gb_s: f64,
    /// True where the link is a guess.
    pub(super) link_assumed: bool,
    /// Kernel floor u, microseconds.
    pub(super) floor_us: f64,
    /// Latency per K element at the weight precision, microseconds.
    pub(super) kappa_us: f64,
    /// The same at 16 bits.
    pub(super) kappa_16_us: f64,
}

impl Device {
    pub(super) fn of(coefficients: &Coefficients, gpu: &Gpu, weights: &Precision, bits: u32) -> Self {
        let kernel = |bits: u32| {
            let of = |level: &str| coefficients.kernels.get(&(level.to_owned(), bits)).copied();
            of(&gpu.id).or_else(|| of(KERNEL_UNKNOWN))
        };
        let (floor_us, kappa_16_us) = kernel(16).unwrap_or(KERNEL_ASSUMED_US);
        let kappa_us = kernel(bits).map_or(kappa_16_us, |(_, kappa)| kappa);
        Self {
            bandwidth_gb_s: gpu.bandwidth_gb_s,
            tflops: peak_tflops(gpu, weights),
            tflops_16: gpu.tflops_16,
            link_gb_s: gpu.link_gb_s.unwrap_or(LINK_UNKNOWN_GB_S),
            link_assumed: gpu.link_gb_s.is_none(),
            floor_us,
            kappa_us,
            kappa_16_us,
        }
    }
}

/// Peak at the weight precision; weight-only formats (int4, GGUF) and formats the GPU lacks compute at 16 bits.
fn peak_tflops(gpu: &Gpu, weights: &Precision) -> f64 {
    match weights.0.as_str() {
        "fp8" => gpu.tflops_fp8,
        "int8" => gpu.tops_int8,
        "nvfp4" | "mxfp4" => gpu.tflops_fp4,
        _ => None,
    }
    .unwrap_or(gpu.tflops_16)
}

/// The row of a precision.
pub(super) fn precision<'c>(catalog: &'c Catalog, weights: &Precision) -> Result<&'c PrecisionFact, Misfit> {
    catalog.precision(weights).ok_or_else(|| Misfit::PrecisionUnsupported {
        precision: weights.clone(),
        by: "the catalog".to_owned(),
    })
}

/// Models seen with an engine family on a GPU from which an unseen one on other than NVIDIA hardware is extrapolated.
const MODELS_SEEN_MIN: usize = 3;

/// What was measured near a unit, found in the catalog once.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    /// Models with this very engine generation, GPU and weight precision.
    alike: Vec<(String, Option<usize>)>,
    /// Models with any generation of the engine on the GPU.
    familiar: usize,
    /// Was any GPU of the family measured?
    family: bool,
    nvidia: bool,
}

impl Seen {
    pub(super) fn of(catalog: &Catalog, unit: &Unit<'_>, bits: u32) -> Self {
        let place = |id: &str| catalog.models.iter().position(|model| model.id == id);
        let generations: Vec<&str> = catalog
            .engines
            .iter()
            .filter(|engine| engine.family == unit.engine.family)
            .map(|engine| engine.id.as_str())
            .collect();
        let bits = bits.to_string();
        let (mut alike, mut familiar) = (Vec::new(), BTreeSet::new());
        for group in &catalog.coefficients.seen {
            let mut parts = group.splitn(4, '|');
            let (Some(engine), Some(gpu), Some(weights), Some(model)) =
                (parts.next(), parts.next(), parts.next(), parts.next())
            else {
                continue;
            };
            if gpu != unit.gpu.id || !generations.contains(&engine) {
                continue;
            }
            familiar.insert(model);
            if engine == unit.engine.id && weights == bits {
                alike.push((model.to_owned(), place(model)));
            }
        }
        let family = catalog
            .coefficients
            .values
            .keys()
            .any(|(_, factor, level)| factor == "gpu_family" && *level == unit.gpu.family);
        Self { alike, familiar: familiar.len(), family, nvidia: unit.gpu.vendor == "nvidia" }
    }

    /// Was any GPU of this family measured, and off NVIDIA this very one? Nothing carries over to another vendor.
    pub(super) const fn carries(&self) -> bool {
        self.family && (self.nvidia || self.familiar > 0)
    }
}

/// What the step times of a unit rest on (oracle study section 7).
///
/// Models of one shape are one model: fine-tunes run like their base. On families without coefficients nothing
/// carries over, and on hardware other than NVIDIA's only where several models were seen on that very GPU.
pub(super) fn basis(catalog: &Catalog, unit: &Unit<'_>, seen: &Seen, link_assumed: bool) -> Basis {
    if !unit.model.formula || !seen.carries() {
        return Basis::Assumed;
    }
    let same = |(id, place): &(String, Option<usize>)| {
        *id == unit.model.id || place.is_some_and(|at| same_shape(&catalog.models[at], unit.model))
    };
    if seen.alike.iter().any(same) && !(link_assumed && unit.tensor_parallel > 1) {
        Basis::Calibrated
    } else if seen.nvidia || seen.familiar >= MODELS_SEEN_MIN {
        Basis::Extrapolated
    } else {
        Basis::Assumed
    }
}

/// Do two models run alike?
pub(super) fn same_shape(a: &Model, b: &Model) -> bool {
    let shape = |m: &Model| {
        let attention = (m.layers, m.hidden, m.heads, m.kv_heads, m.head_dim, m.sliding_layers);
        (attention, m.intermediate, m.moe_intermediate, m.experts, m.experts_per_token, m.vocab)
    };
    shape(a) == shape(b)
}
