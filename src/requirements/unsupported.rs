//! What the format can say and this version would not honour: refused by name, never ignored.

/// Said with every refusal.
pub(super) const CURE: &str = "Remove it; this version would not honour it";

/// Routers and cascades beside a target for availability.
pub(super) const BLENDS: &str = "routers and cascades under an availability target";
