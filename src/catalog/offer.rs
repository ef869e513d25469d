//! Priced ways to get hardware. Table `catalog/offers.csv`, and the same columns in a user's `quotes:` file.

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Provenance;
use crate::units::{Usd, UsdPerHour};

/// How hardware is paid for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Billing {
    /// By the hour, around the clock.
    OnDemand,
    /// By the hour, only in the hours in use.
    Scheduled,
    /// Committed for a year.
    #[serde(rename = "reserved-1y")]
    Reserved1y,
    /// Committed for three years.
    #[serde(rename = "reserved-3y")]
    Reserved3y,
    /// Interruptible.
    Spot,
    /// By the second of use.
    Serverless,
    /// Bought.
    Purchase,
    /// Already there.
    Owned,
}

impl Billing {
    /// Every mode, with the word files use.
    pub const ALL: [(Self, &'static str); 8] = [
        (Self::OnDemand, "on-demand"),
        (Self::Scheduled, "scheduled"),
        (Self::Reserved1y, "reserved-1y"),
        (Self::Reserved3y, "reserved-3y"),
        (Self::Spot, "spot"),
        (Self::Serverless, "serverless"),
        (Self::Purchase, "purchase"),
        (Self::Owned, "owned"),
    ];

    /// The word files use.
    #[must_use]
    pub fn word(self) -> &'static str {
        Self::ALL.iter().find(|(mode, _)| *mode == self).map_or("owned", |(_, word)| word)
    }
}

/// An instance type of `count` GPUs at one provider, in one region, under one billing mode.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Offer {
    /// `provider/instance/region/billing`, unique on any one day.
    pub id: String,
    /// Who sells it.
    pub provider: String,
    /// The provider's name for it.
    pub instance: String,
    /// Id of the accelerator.
    pub gpu: String,
    /// Accelerators in the instance; it is sold whole.
    pub count: u32,
    /// The provider's region word.
    pub region: String,
    /// True inside the EU, false outside, `None` where the region does not tell.
    pub in_eu: Option<bool>,
    /// How it is paid.
    pub billing: Billing,
    /// Price of the whole instance for an hour.
    pub price: UsdPerHour,
    /// Paid once.
    pub upfront: Usd,
    /// First day the price held; `None` = since before our records.
    pub from: Option<Date>,
    /// First day it no longer held.
    pub until: Option<Date>,
    /// Where the price comes from.
    pub provenance: Provenance,
}
