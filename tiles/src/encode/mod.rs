//! From what was cut to bytes.

pub(crate) mod compress;
pub(crate) mod mvt;
