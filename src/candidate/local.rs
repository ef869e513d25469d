//! Own engines: a unit on an instance type, before it is estimated ([`Prospect`]) and after ([`LocalOption`]).
//!
//! `line.rs` and `place.rs` enumerate prospects; `screen.rs` turns the promising ones into options.

use std::sync::Arc;

use super::class::Class;
use super::hardware::Hardware;
use super::unit::UnitRow;
use crate::catalog::{Catalog, Model};
use crate::estimate::{Capacity, Traffic, capacity_upper_bound};
use crate::quality::Scored;
use crate::reason::Refusal;

/// A unit on an instance type that may serve some class, not yet estimated.
#[derive(Debug, Clone)]
pub struct Prospect<'a> {
    /// The model.
    pub model: &'a Model,
    /// `default`, or `nothink` for a thinking model told not to.
    pub mode: &'static str,
    /// The unit.
    pub row: &'a UnitRow<'a>,
    /// Place in the list of hardware.
    pub hardware: usize,
    /// Replicas in one instance.
    pub replicas: u32,
    /// Largest batch that the memory limit per server allows.
    pub max_batch: u32,
    /// Least price of one instance around the clock, USD/month, what is paid once spread over its months.
    pub usd_per_month: f64,
    /// What units of the same model, mode and precision share.
    pub shared: Arc<Shared>,
    /// Classes it may serve.
    pub may: Arc<Vec<bool>>,
}

/// What all units of a model in a mode at a precision share.
#[derive(Debug)]
pub struct Shared {
    /// Index after quantisation loss, where known.
    pub quality: Option<Scored>,
    /// Tokens generated before the answer, by class.
    pub extra_output: Vec<f64>,
    /// By class, numbers of what is asked of a unit, with and without its limits, where the bench remembers; else empty.
    pub asked: Vec<(u32, u32)>,
}

impl Prospect<'_> {
    /// Optimistic requests/s of one instance by class; 0 = may not serve it.
    #[must_use]
    pub fn upper_rps(&self, catalog: &Catalog, classes: &[Class<'_>]) -> Vec<f64> {
        let upper = |(at, class): (usize, &Class<'_>)| {
            if self.may[at] {
                let traffic = traffic(class, self.shared.extra_output[at]);
                let compute = || capacity_upper_bound(self.row.step(catalog), &self.row.memory, &traffic);
                let upper = match self.shared.asked.get(at) {
                    Some(asked) => self.row.known().upper_bound(asked.1, compute),
                    None => compute(),
                };
                upper * f64::from(self.replicas)
            } else {
                0.0
            }
        };
        classes.iter().enumerate().map(upper).collect()
    }
}

/// A unit on an instance type with what it can carry.
#[derive(Debug, Clone)]
pub struct LocalOption<'a> {
    /// What it is.
    pub prospect: Prospect<'a>,
    /// The instance type.
    pub hardware: Hardware<'a>,
    /// Batch cap it runs at, the same for every class it serves.
    pub max_batch: u32,
    /// By class: what one replica carries within every limit.
    pub capacity: Vec<Option<Capacity>>,
    /// By class: why it cannot serve, where it cannot.
    pub refusal: Vec<Option<Refusal>>,
}

impl LocalOption<'_> {
    /// What counts as the same structure: model on GPU.
    #[must_use]
    pub fn structure(&self) -> String {
        structure(&self.prospect.model.id, &self.hardware.gpu.id)
    }

    /// Unique, in a fixed form.
    #[must_use]
    pub fn id(&self) -> String {
        format!("{}/b{}", id(&self.prospect, &self.hardware), self.max_batch)
    }

    /// What counts as one deployment: a unit at a provider, whatever its instances and ways to pay.
    #[must_use]
    pub fn deployment(&self) -> String {
        let unit = id(&self.prospect, &self.hardware);
        let unit = unit.strip_suffix(&self.hardware.id).unwrap_or(&unit);
        format!(
            "{unit}{} x {}/b{}/{}",
            self.prospect.row.unit.gpus, self.hardware.gpu.id, self.max_batch, self.hardware.provider
        )
    }

    /// How people name it: `Llama-3.1-8B-Instruct fp8 on 1 x l4, runpod`.
    #[must_use]
    pub fn label(&self) -> String {
        label(&self.prospect, &self.hardware)
    }

    /// True where it may serve some class.
    #[must_use]
    pub fn serves_any(&self) -> bool {
        self.capacity.iter().any(Option::is_some)
    }
}

/// How people name a unit on an instance type.
#[must_use]
pub fn label(prospect: &Prospect<'_>, hardware: &Hardware<'_>) -> String {
    let unit = &prospect.row.unit;
    let mode = if prospect.mode == "default" { "" } else { " (no thinking)" };
    let spot = if hardware.spot.is_some() { " spot" } else { "" };
    format!(
        "{}{mode} {} on {} x {}, {}{spot}",
        short(&unit.model.id),
        unit.weights,
        unit.gpus,
        unit.gpu.id,
        hardware.provider
    )
}

/// The part of an id behind the organisation.
#[must_use]
pub fn short(id: &str) -> &str {
    id.rsplit_once('/').map_or(id, |(_, name)| name)
}

/// What counts as the same structure of an own engine: model on GPU.
#[must_use]
pub fn structure(model: &str, gpu: &str) -> String {
    format!("local {model} on {gpu}")
}

/// Unique name of a unit on an instance type.
#[must_use]
pub fn id(prospect: &Prospect<'_>, hardware: &Hardware<'_>) -> String {
    let unit = &prospect.row.unit;
    format!(
        "{}/{}/{}/kv-{}/tp{}pp{}/{}/{}",
        unit.model.id,
        prospect.mode,
        unit.weights,
        prospect.row.kv_word(),
        unit.tensor_parallel,
        unit.pipeline_parallel,
        unit.engine.id,
        hardware.id
    )
}

/// Tokens generated before the answer.
#[must_use]
pub fn extra_output(catalog: &Catalog, model: &Model, mode: &str, class: &Class<'_>) -> f64 {
    class.workload.thought_tokens(catalog, model.thinking_by_default && mode == "default")
}

/// The traffic of a class as the oracle reads it.
#[must_use]
pub fn traffic<'r>(class: &Class<'r>, extra_output: f64) -> Traffic<'r> {
    Traffic {
        lengths: &class.workload.lengths,
        extra_output,
        prefix_hit: class.workload.prefix_hit,
        context_tokens: class.workload.context_tokens + extra_output,
    }
}
