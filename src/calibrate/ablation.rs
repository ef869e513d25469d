//! The fit with one part taken away: what each part of the form and of the beliefs is worth.
//!
//! In: [`Priors`]. Out: the same with a part switched off. What a variant costs on rows it did not see is told by
//! `accuracy`. A term is switched off by a base of nothing and no spread, an effect by no spread.

use super::{Priors, Spread};
use crate::estimate::{Coefficient, Factor};

/// A part of the fit that can be taken away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Set-ups of sources: every row is taken at its word.
    Setups,
    /// Families of engines: a generation shares nothing with its family.
    EngineFamilies,
    /// Effects of engines altogether.
    Engines,
    /// Effects of GPUs and their families.
    Gpus,
    /// Every effect: one set of coefficients for everything.
    Effects,
    /// Shrinkage: effects may be anything.
    Shrinkage,
    /// Launches and latency of GEMMs.
    Launches,
    /// Overhead of a layer.
    Layers,
    /// Work of the engine for each sequence.
    Sequences,
    /// Volume of the all-reduces.
    Volume,
    /// What a server adds before the first token.
    Server,
}

impl Part {
    /// All of them, in order.
    pub const ALL: [Self; 11] = [
        Self::Setups,
        Self::EngineFamilies,
        Self::Engines,
        Self::Gpus,
        Self::Effects,
        Self::Shrinkage,
        Self::Launches,
        Self::Layers,
        Self::Sequences,
        Self::Volume,
        Self::Server,
    ];

    /// What it is, for a table.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Setups => "set-ups of sources",
            Self::EngineFamilies => "families of engines",
            Self::Engines => "effects of engines",
            Self::Gpus => "effects of GPUs and their families",
            Self::Effects => "all effects",
            Self::Shrinkage => "shrinkage (spreads of 3)",
            Self::Launches => "launches of GEMMs, c_k",
            Self::Layers => "overhead of layers, c_L and c_mo",
            Self::Sequences => "work per sequence, c_B",
            Self::Volume => "volume of all-reduces, c_cb and c_pcb",
            Self::Server => "server before the first token, a_0",
        }
    }
}

/// Spread of what is pinned, and the base of a term that is switched off.
const PINNED: f64 = 1e-4;
const NOTHING: f64 = 1e-9;
/// Spread of an effect that is free.
const FREE: f64 = 3.0;

impl Priors {
    /// The same without a part.
    #[must_use]
    pub fn without(mut self, part: Part) -> Self {
        use Coefficient as C;
        match part {
            Part::Setups => {
                self.setup_sd_log = PINNED;
                self.setup_ttft_sd_log = PINNED;
            }
            Part::EngineFamilies => self.drop_effects(|spread| spread.factor == Factor::EngineFamily),
            Part::Engines => {
                self.drop_effects(|spread| matches!(spread.factor, Factor::EngineFamily | Factor::Engine));
            }
            Part::Gpus => {
                self.drop_effects(|spread| matches!(spread.factor, Factor::Gpu | Factor::GpuFamily));
            }
            Part::Effects => self.drop_effects(|_| true),
            Part::Shrinkage => {
                for spread in &mut self.spreads {
                    spread.sd_log = FREE;
                }
            }
            Part::Launches => self.drop_terms(&[C::Launch]),
            Part::Layers => self.drop_terms(&[C::Layer, C::MixtureLayer]),
            Part::Sequences => self.drop_terms(&[C::Sequence]),
            Part::Volume => self.drop_terms(&[C::Volume, C::PrefillVolume]),
            Part::Server => self.drop_terms(&[C::Server]),
        }
        self
    }

    fn drop_effects(&mut self, dropped: impl Fn(&Spread) -> bool) {
        self.spreads.retain(|spread| !dropped(spread));
    }

    fn drop_terms(&mut self, terms: &[Coefficient]) {
        for term in terms {
            self.bases[*term as usize] = (NOTHING, PINNED);
        }
        self.drop_effects(|spread| terms.contains(&spread.coefficient));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_taken_away_leaves_the_others() {
        let whole = Priors::study();
        for part in Part::ALL {
            let less = whole.clone().without(part);
            let pinned = less.bases.iter().filter(|(value, _)| *value < 1e-6).count();
            let changed = less.spreads.len() < whole.spreads.len()
                || less.setup_sd_log < whole.setup_sd_log
                || less.spreads.iter().all(|spread| spread.sd_log >= FREE);
            assert!(changed && pinned <= 2, "{part:?}");
        }
    }
}
