//! The coefficients c_j of one configuration and the facts of its GPU that the step formula reads.
//!
//! In: engine, GPU, weight precision. Out: [`Rates`]: c_j = exp(beta_j + sum of effects), a level never seen has no
//! effect (oracle study section 2), and the [`Basis`] that follows from which levels were seen. It knows no model
//! but by name and no traffic.

use super::{Basis, Misfit, Unit};
use crate::catalog::{Catalog, Coefficients, Gpu, Precision, precision::PrecisionFact};

/// Level of the kernel table for GPUs without kernel timings of their own.
const KERNEL_UNKNOWN: &str = "unknown";
/// Kernel floor and latency per K element where the table lacks even that, microseconds (oracle study section 5).
const KERNEL_ASSUMED_US: (f64, f64) = (4.0, 2.0e-4);
/// One-way GB/s to the other GPUs where the data sheet is silent: PCIe 4.0 x16.
const LINK_UNKNOWN_GB_S: f64 = 32.0;

/// Coefficients of one configuration; names as in the oracle study, section 2.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rates {
    pub(super) k: f64,
    pub(super) w: f64,
    pub(super) x: f64,
    pub(super) kv: f64,
    pub(super) f: f64,
    pub(super) layer: f64,
    pub(super) mixture: f64,
    pub(super) reduce: f64,
    pub(super) volume: f64,
    pub(super) sequence: f64,
    pub(super) prefill: f64,
    pub(super) prefill_layer: f64,
    pub(super) prefill_volume: f64,
    pub(super) interference: f64,
    pub(super) max: f64,
    /// TTFT in a closed loop: shares of the prefill alone, of a step, of the prefill queue (priors 1, 1, 0.5).
    pub(super) ttft_prefill: f64,
    pub(super) ttft_step: f64,
    pub(super) ttft_queue: f64,
}

impl Rates {
    fn one() -> Self {
        Self {
            k: 1.0,
            w: 1.0,
            x: 1.0,
            kv: 1.0,
            f: 1.0,
            layer: 1.0,
            mixture: 1.0,
            reduce: 1.0,
            volume: 1.0,
            sequence: 1.0,
            prefill: 1.0,
            prefill_layer: 1.0,
            prefill_volume: 1.0,
            interference: 1.0,
            max: 1.0,
            ttft_prefill: 1.0,
            ttft_step: 1.0,
            ttft_queue: 0.5,
        }
    }

    fn field(&mut self, coefficient: &str) -> Option<&mut f64> {
        Some(match coefficient {
            "c_k" => &mut self.k,
            "c_w" => &mut self.w,
            "c_x" => &mut self.x,
            "c_kv" => &mut self.kv,
            "c_f" => &mut self.f,
            "c_L" => &mut self.layer,
            "c_mo" => &mut self.mixture,
            "c_ar" => &mut self.reduce,
            "c_cb" => &mut self.volume,
            "c_B" => &mut self.sequence,
            "c_p" => &mut self.prefill,
            "c_pL" => &mut self.prefill_layer,
            "c_pcb" => &mut self.prefill_volume,
            "c_i" => &mut self.interference,
            "c_max" => &mut self.max,
            "a_P" => &mut self.ttft_prefill,
            "a_tau" => &mut self.ttft_step,
            "a_s" => &mut self.ttft_queue,
            _ => return None,
        })
    }

    /// One pass over the table: every row whose level is that of the unit multiplies its coefficient.
    pub(super) fn of(coefficients: &Coefficients, unit: &Unit<'_>, bits: u32) -> Self {
        let mut rates = Self::one();
        let bits = match bits {
            16 => "16",
            8 => "8",
            _ => "4",
        };
        for ((coefficient, factor, level), value) in &coefficients.values {
            let applies = match factor.as_str() {
                "base" => true,
                "engine" => *level == unit.engine.id,
                "gpu" => *level == unit.gpu.id,
                "gpu_family" => *level == unit.gpu.family,
                "weight_bits" => level == bits,
                "link" => *level == unit.gpu.link_class,
                "measure" => level == "max",
                _ => false,
            };
            if applies && let Some(field) = rates.field(coefficient) {
                *field *= value;
            }
        }
        rates
    }
}

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

/// Was any GPU of this family measured? No formula carries over to another vendor or family.
pub(super) fn family_seen(coefficients: &Coefficients, gpu: &Gpu) -> bool {
    coefficients.values.keys().any(|(_, factor, level)| factor == "gpu_family" && *level == gpu.family)
}

/// What the step times of a unit rest on (oracle study section 7).
pub(super) fn basis(
    coefficients: &Coefficients,
    unit: &Unit<'_>,
    bits: u32,
    link_assumed: bool,
    family_seen: bool,
) -> Basis {
    if !unit.model.formula || !family_seen {
        return Basis::Assumed;
    }
    let seen = format!("{}|{}|{bits}|{}", unit.engine.id, unit.gpu.id, unit.model.id);
    if coefficients.seen.contains(&seen) && !(link_assumed && unit.tensor_parallel > 1) {
        Basis::Calibrated
    } else {
        Basis::Extrapolated
    }
}
