//! The answer as data: what `--format json` prints (schema: `bursar schema map`).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::axis::Value;
use crate::reason::Told;
use crate::recommendation::{CatalogStamp, Kind, Status, Warning};
use crate::requirements::Requirements;

/// Version of this format.
pub const SCHEMA_VERSION: u32 = 1;

/// Which structure of a plan wins, over two axes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Regimes {
    /// Version of this format.
    pub schema_version: u32,
    /// Version of the program.
    pub tool_version: String,
    /// Date of the facts.
    pub as_of: String,
    /// Which catalog.
    pub catalog: CatalogStamp,
    /// What was asked, defaults filled in, before an axis moved anything.
    pub requirements: Requirements,
    /// Across.
    pub x: Scale,
    /// Upwards.
    pub y: Scale,
    /// Row by row, the first value of `y` first; in a row the first value of `x` first.
    pub cells: Vec<Cell>,
    /// Structures that win somewhere, most frequent first.
    pub structures: Vec<Structure>,
    /// Where the kind changes along the volume, if one of the axes is the volume.
    pub borders: Vec<Border>,
    /// What is missing of the answer.
    pub notices: Vec<Notice>,
    /// What to beware of in the file.
    pub warnings: Vec<Warning>,
}

impl Regimes {
    /// Does a plan comply anywhere?
    #[must_use]
    pub fn any_plan(&self) -> bool {
        self.cells.iter().any(|cell| cell.kind.is_some())
    }

    /// A cell.
    #[must_use]
    pub fn cell(&self, x: usize, y: usize) -> Option<&Cell> {
        self.cells.get(y * self.x.values.len() + x).filter(|_| x < self.x.values.len())
    }
}

/// An axis with its values.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Scale {
    /// The axis: `volume`, `latency`, `e2e_ms.p95`, …
    pub axis: String,
    /// Unit of its values: `requests/day`, `x` for factors, `tier`, …
    pub unit: String,
    /// Its values, in the order asked for.
    pub values: Vec<Value>,
}

/// The best plan at one place.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Cell {
    /// Place on `x`, from 0.
    pub x: u32,
    /// Place on `y`, from 0.
    pub y: u32,
    /// How it was solved; `infeasible` where nothing complies.
    pub status: Status,
    /// Relative gap that is left of the proof.
    pub gap: Option<f64>,
    /// Recurring bill of a mean month; also given where only a budget is exceeded.
    pub usd_per_month: Option<f64>,
    /// What is paid once, spread over its months, USD/month.
    pub usd_amortised: Option<f64>,
    /// Which kind of plan; absent where nothing complies.
    pub kind: Option<Kind>,
    /// Mark of its structure, as in `structures`; absent where nothing complies.
    pub structure: Option<String>,
    /// What runs, in one line; also given where only a budget is exceeded.
    pub summary: String,
    /// Where nothing complies: the first known rule in the way, not a search for the smallest conflict.
    pub refused: Option<Told>,
}

/// What counts as the same: the kind and its leading targets, whatever their number, precision or provider of GPUs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Structure {
    /// One character, on the map.
    pub mark: String,
    /// Which kind of plan.
    pub kind: Kind,
    /// The own engine that takes most: model on GPU.
    pub local: Option<String>,
    /// The hosted model that takes most.
    pub cloud: Option<String>,
    /// Cells in which it wins.
    pub cells: u32,
    /// Least monthly bill among them, USD.
    pub usd_per_month_min: f64,
    /// Largest monthly bill among them, USD.
    pub usd_per_month_max: f64,
}

/// What is on one side of a border; without a kind nothing complies there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Side {
    /// Which kind of plan.
    pub kind: Option<Kind>,
    /// What runs beside the border, in one line.
    pub summary: String,
    /// Recurring bill of a mean month there.
    pub usd_per_month: Option<f64>,
}

/// A volume at which another kind becomes best.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Border {
    /// Place on the other axis, from 0.
    pub at: u32,
    /// Last volume known on the side of `from`, requests/day.
    pub requests_per_day_low: f64,
    /// First volume known on the side of `to`, requests/day.
    pub requests_per_day_high: f64,
    /// True where it was searched for by solving in between, down to a relative width of 1e-4. Only one change is looked
    /// for between two cells.
    pub exact: bool,
    /// Best below.
    pub from: Side,
    /// Best above.
    pub to: Side,
}

/// What is missing of the answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Notice {
    /// The time was up before everything was asked.
    StoppedEarly,
    /// Cells without an answer.
    CellsNotSolved {
        /// How many.
        cells: u32,
    },
    /// Some plans are the best found and not proven best.
    Gap {
        /// The widest relative gap.
        gap: f64,
    },
}
