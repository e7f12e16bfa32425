//! From what was cut to bytes.

pub(crate) mod mvt;
