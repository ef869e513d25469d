//! Names of things, and economic facts by the question they answer.

use super::{Api, ApiLatency, Catalog, Gpu, Model};

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
