//! What is believed of a coefficient before any measurement: its base value and how far effects may move it.
//!
//! In: nothing, or the coefficients a catalog ships. Out: [`Priors`]. The figures are those of the oracle study, section 3,
//! drawn from kernel timings. Its effect of an engine is split evenly between the family and the generation, so that a
//! generation without data is taken to be like its family.

use crate::estimate::{Coefficient, Factor};

/// Spread of the effects of one factor on one coefficient.
#[derive(Debug, Clone, Copy)]
pub struct Spread {
    /// The coefficient.
    pub coefficient: Coefficient,
    /// What gives it an effect.
    pub factor: Factor,
    /// Standard deviation of the logarithm of the effect.
    pub sd_log: f64,
}

/// Beliefs before the fit.
#[derive(Debug, Clone)]
pub struct Priors {
    /// Base value and standard deviation of its logarithm, in the order of [`Coefficient::ALL`].
    pub bases: [(f64, f64); Coefficient::COUNT],
    /// Effects.
    pub spreads: Vec<Spread>,
    /// Spread of how the set-up of a source differs from everybody's, of step times: flags, clients, clocks, drivers. It is
    /// taken out of the rows of that source, so that the coefficients are those of a source not seen yet.
    pub setup_sd_log: f64,
    /// The same of the TTFT among other clients, which depends on how a benchmark lets its clients start.
    pub setup_ttft_sd_log: f64,
    /// Spread of the effects of a GPU family other than NVIDIA's: overheads are 2 to 10 times as large there.
    pub other_vendor_sd_log: f64,
}

impl Priors {
    /// The priors of the oracle study.
    #[must_use]
    pub fn study() -> Self {
        use Coefficient as C;
        use Factor::{Class, Engine, EngineFamily, Gpu, GpuFamily, Link, WeightBits};
        let bases = Coefficient::ALL.map(|coefficient| match coefficient {
            C::Launch => (1.0, 0.15),
            C::Weights => (1.15, 0.1),
            C::Experts => (1.3, 0.3),
            C::Cache => (1.3, 0.2),
            C::Arithmetic => (1.8, 0.5),
            C::Layer => (0.04, 0.3),
            C::MixtureLayer => (0.04, 0.8),
            C::AllReduce => (0.01, 0.5),
            C::Volume | C::PrefillVolume => (1.5, 0.5),
            C::Sequence => (0.004, 1.0),
            C::Prefill => (1.7, 0.5),
            C::PrefillLayer => (0.06, 0.8),
            C::Interference => (1.0, 0.5),
            C::Max => (1.1, 0.3),
            C::Server => (10.0, 1.0),
            C::TtftStep => (1.0, 0.4),
            C::TtftQueue => (0.5, 0.6),
        });
        let effects: [(Coefficient, &[(Factor, f64)]); Coefficient::COUNT] = [
            (C::Launch, &[(EngineFamily, 0.14), (Engine, 0.14), (GpuFamily, 0.1)]),
            (C::Weights, &[(EngineFamily, 0.084), (Engine, 0.084), (Gpu, 0.08), (WeightBits, 0.08)]),
            (C::Experts, &[(EngineFamily, 0.14), (Engine, 0.14), (Gpu, 0.08), (WeightBits, 0.12)]),
            (C::Cache, &[(EngineFamily, 0.14), (Engine, 0.14), (Gpu, 0.08)]),
            (
                C::Arithmetic,
                &[(EngineFamily, 0.14), (Engine, 0.14), (Gpu, 0.08), (WeightBits, 0.12), (Class, 0.2)],
            ),
            (C::Layer, &[(EngineFamily, 0.35), (Engine, 0.35), (GpuFamily, 0.15)]),
            (C::MixtureLayer, &[(EngineFamily, 0.245), (Engine, 0.245), (GpuFamily, 0.1)]),
            (C::AllReduce, &[(Link, 0.3), (EngineFamily, 0.14), (Engine, 0.14), (Gpu, 0.08)]),
            (C::Volume, &[(Link, 0.3), (Gpu, 0.08)]),
            (C::Sequence, &[(EngineFamily, 0.49), (Engine, 0.49)]),
            (
                C::Prefill,
                &[
                    (EngineFamily, 0.14),
                    (Engine, 0.14),
                    (Gpu, 0.08),
                    (WeightBits, 0.12),
                    (GpuFamily, 0.1),
                    (Class, 0.3),
                ],
            ),
            (C::PrefillLayer, &[(EngineFamily, 0.245), (Engine, 0.245), (GpuFamily, 0.15), (Class, 0.3)]),
            (C::PrefillVolume, &[(Link, 0.3), (Gpu, 0.08)]),
            (C::Interference, &[(EngineFamily, 0.245), (Engine, 0.245)]),
            (C::Max, &[(EngineFamily, 0.14), (Engine, 0.14)]),
            (C::Server, &[(EngineFamily, 0.35), (Engine, 0.35)]),
            (C::TtftStep, &[(EngineFamily, 0.28), (Engine, 0.28), (Gpu, 0.12), (Class, 0.25)]),
            (C::TtftQueue, &[(EngineFamily, 0.28), (Engine, 0.28), (Gpu, 0.12), (Class, 0.25)]),
        ];
        let spreads = effects.iter().flat_map(|(coefficient, list)| {
            list.iter().map(|&(factor, sd_log)| Spread { coefficient: *coefficient, factor, sd_log })
        });
        Self {
            bases,
            spreads: spreads.collect(),
            other_vendor_sd_log: 1.0,
            setup_sd_log: 0.03,
            setup_ttft_sd_log: 0.03,
        }
    }
}
