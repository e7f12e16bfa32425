//! Finding features by what people type.
