//! `own_hardware`: what bought and owned machines cost to hold, in place of the catalog's facts.

use super::OwnHardware;
use super::fields::{At, Reader};
use super::range::Range;

const MONTHS: Range = Range::within(1.0, 120.0, "over how many months a purchase is spread, such as 48");
const ELECTRICITY: Range = Range::not_negative("the price of electricity in USD per kWh, such as 0.31");
const PUE: Range = Range::within(1.0, 3.0, "power of the building over power of the machines, such as 1.2");
const UTILISATION: Range = Range::within(0.0, 1.0, "the mean draw of a GPU over its TDP, such as 0.7");
const HOSTING: Range = Range::not_negative("USD a month for room, network and hands per bought GPU");

impl Reader<'_> {
    /// Economics of one's own hardware.
    pub(super) fn own_hardware(&mut self, at: &At<'_>) -> OwnHardware {
        let keys = [
            "amortisation_months",
            "electricity_usd_per_kwh",
            "pue",
            "utilisation",
            "hosting_usd_per_gpu_month",
        ];
        let Some(map) = self.map(at, &keys, "Write {electricity_usd_per_kwh: 0.31}") else {
            return OwnHardware::default();
        };
        OwnHardware {
            amortisation_months: self.number_at(&map, "amortisation_months", &MONTHS),
            electricity_usd_per_kwh: self.number_at(&map, "electricity_usd_per_kwh", &ELECTRICITY),
            pue: self.number_at(&map, "pue", &PUE),
            utilisation: self.number_at(&map, "utilisation", &UTILISATION),
            hosting_usd_per_gpu_month: self.number_at(&map, "hosting_usd_per_gpu_month", &HOSTING),
        }
    }
}
