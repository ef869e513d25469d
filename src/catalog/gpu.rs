//! Accelerators, per device. Table `catalog/gpus.csv`.

use serde::{Deserialize, Serialize};

use super::Provenance;
use crate::units::{Gib, Usd};

/// One accelerator. Peaks are dense (no structured sparsity), of the data sheet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Gpu {
    /// Our id, which tells SXM from PCIe: `h100-sxm`.
    pub id: String,
    /// Names others use: SkyPilot, nvidia-smi, Kubernetes.
    pub aliases: Vec<String>,
    /// Name as sold.
    pub name: String,
    /// `nvidia`, `amd`, `intel`, `apple`, `cpu` ...
    pub vendor: String,
    /// Family of the step-time coefficients: `ampere`, `hopper`, `ada`, `blackwell`, `turing`, `volta`, `cdna3` ...
    pub family: String,
    /// CUDA compute capability; `None` outside NVIDIA.
    pub compute_capability: Option<f64>,
    /// Memory on the data sheet, GB (10^9 bytes) or GiB as marketed.
    pub memory_gb: f64,
    /// GiB the driver reports; measured where known, else derived by the rule in the provenance.
    pub usable: Gib,
    /// True where `usable` was derived.
    pub usable_assumed: bool,
    /// Memory bandwidth, GB/s.
    pub bandwidth_gb_s: f64,
    /// Peak at 16 bits, TFLOPS dense.
    pub tflops_16: f64,
    /// Peak at fp8; `None` where it has none.
    pub tflops_fp8: Option<f64>,
    /// Peak at int8, TOPS.
    pub tops_int8: Option<f64>,
    /// Peak at fp4.
    pub tflops_fp4: Option<f64>,
    /// Thermal design power, watts.
    pub tdp_w: Option<f64>,
    /// One-way bandwidth to the other GPUs of a server, GB/s per GPU.
    pub link_gb_s: Option<f64>,
    /// `nvl`, `pcie` or `xe`: the link class of the coefficients.
    pub link_class: String,
    /// Largest number of these in one server.
    pub per_server_max: u32,
    /// Purchase price of the device alone.
    pub purchase: Option<Usd>,
    /// Where the figures come from.
    pub provenance: Provenance,
}
