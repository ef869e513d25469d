//! Names of things, and economic facts by the question they answer.

use super::facts::EconomicFact;
use super::{Api, ApiLatency, Catalog, Gpu, Model, ServiceTier};

impl Model {
    /// Id and aliases.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.id.as_str()).chain(self.aliases.iter().map(String::as_str))
    }
}

impl Gpu {
    /// Id and aliases.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.id.as_str()).chain(self.aliases.iter().map(String::as_str))
    }
}

impl Api {
    /// Id and aliases.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.id.as_str()).chain(self.aliases.iter().map(String::as_str))
    }
}

impl Catalog {
    /// Latency facts of a hosted model; other tiers have those of the standard tier.
    #[must_use]
    pub fn latency_of(&self, api: &Api) -> Option<&ApiLatency> {
        let standard = api.id.split_once('@').map_or(api.id.as_str(), |(id, _)| id);
        self.api_latency(standard)
    }

    /// Within how many hours a tier answers; `None` for one that answers at once.
    #[must_use]
    pub fn window_of(&self, api: &Api) -> Option<&EconomicFact> {
        match api.tier {
            ServiceTier::Standard => None,
            ServiceTier::Batch => self.economic("batch_window", &api.provider),
            ServiceTier::Flex => self.economic("flex_window", &api.provider),
        }
    }

    /// Hours a tier may take to answer: 0 for one that answers at once, without end where nobody says.
    #[must_use]
    pub fn window_hours(&self, api: &Api) -> f64 {
        match api.tier {
            ServiceTier::Standard => 0.0,
            ServiceTier::Batch | ServiceTier::Flex => {
                self.window_of(api).map_or(f64::INFINITY, |fact| fact.value)
            }
        }
    }

    /// The price row of a hosted model, by its exact id, on a day.
    #[must_use]
    pub fn api_on(&self, id: &str, day: jiff::civil::Date) -> Option<&Api> {
        self.apis.iter().find(|api| {
            api.id == id
                && api.from.is_none_or(|from| from <= day)
                && api.until.is_none_or(|until| until > day)
        })
    }

    fn figure(&self, key: &str, scope: &str) -> Option<f64> {
        self.economic(key, scope).map(|fact| fact.value)
    }

    /// Share of time a provider's API is up, where known.
    #[must_use]
    pub fn uptime_share(&self, provider: &str) -> Option<f64> {
        self.uptime(provider).map(|fact| fact.value)
    }

    /// Tokens a thinking target generates before its answer, where the request does not say.
    #[must_use]
    pub fn reasoning_tokens(&self) -> f64 {
        self.figure("reasoning_tokens", "default").unwrap_or(0.0)
    }

    /// Share of time one replica is up.
    #[must_use]
    pub fn replica_availability(&self) -> f64 {
        self.figure("replica_availability", "default").unwrap_or(1.0)
    }

    /// Seconds a container of a provider takes to boot, engine and weights apart.
    #[must_use]
    pub fn serverless_boot_s(&self, provider: &str) -> Option<f64> {
        self.figure("serverless_cold_start", provider)
    }

    /// Seconds an engine takes from its first import until it serves, the reading of weights apart.
    #[must_use]
    pub fn engine_start_s(&self) -> Option<f64> {
        self.figure("engine_start", "default")
    }

    /// Seconds a GB of weights takes from disk into the memory of a GPU.
    #[must_use]
    pub fn weights_load_s_per_gb(&self) -> Option<f64> {
        self.figure("weights_load", "default")
    }

    /// Seconds an idle container of a provider is kept, and billed, before it is stopped.
    #[must_use]
    pub fn keep_warm_s(&self, provider: &str) -> Option<f64> {
        self.figure("serverless_keep_warm", provider)
    }

    /// Interruptions an hour of a spot instance at a provider.
    #[must_use]
    pub fn spot_interruptions_per_hour(&self, provider: &str) -> Option<f64> {
        self.figure("spot_interruptions", provider)
    }

    /// Hours from the interruption of a spot instance until another serves: the wait for capacity, then its start-up.
    #[must_use]
    pub fn spot_recovery_h(&self, provider: &str) -> Option<f64> {
        Some((self.figure("spot_gap", provider)? + self.figure("start_up", "default")?) / 3600.0)
    }

    /// Time from renting an instance until its engine serves, s: billed, and of no use.
    #[must_use]
    pub fn start_up_s(&self) -> f64 {
        self.figure("start_up", "default").unwrap_or(0.0)
    }

    /// Mean draw of a GPU that serves over its TDP.
    #[must_use]
    pub fn gpu_power_share(&self) -> f64 {
        self.figure("gpu_power_share", "default").unwrap_or(1.0)
    }

    /// Part of the GPUs in the power of a server.
    #[must_use]
    pub fn gpu_share_of_it_power(&self) -> f64 {
        self.figure("gpu_share_of_it_power", "default").unwrap_or(1.0)
    }

    /// Rent of a place for a server, USD per kW of nominal power and month.
    #[must_use]
    pub fn colocation_usd_per_kw_month(&self) -> f64 {
        self.figure("colocation_rent", "default").unwrap_or(0.0)
    }

    /// Price of a whole server over the price a seller names: above 1 where that is of the bare devices.
    #[must_use]
    pub fn server_factor(&self, seller: &str) -> f64 {
        self.figure("server_factor", seller).unwrap_or(1.0)
    }

    /// Months that bought hardware serves.
    #[must_use]
    pub fn service_life_months(&self) -> f64 {
        self.figure("service_life", "default").map_or(48.0, |years| 12.0 * years)
    }

    /// Price of electricity, USD/kWh.
    #[must_use]
    pub fn electricity_usd_per_kwh(&self) -> f64 {
        self.figure("electricity_price", "default").unwrap_or(0.0)
    }

    /// Power usage effectiveness: power of the building over power of the machines.
    #[must_use]
    pub fn pue(&self) -> f64 {
        self.figure("pue", "default").unwrap_or(1.0)
    }
}
