/// Which version of something somebody means to change (RFC 9110, If-Match).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expected {
    /// Whatever it is now.
    Any,
    /// One with one of these tags: a feature's ([`crate::features::Feature::tag`]),
    /// a layer's ([`crate::catalog::Managed::version`]).
    OneOf(Vec<String>),
}

impl Expected {
    pub(crate) fn includes(&self, tag: &str) -> bool {
        match self {
            Self::Any => true,
            Self::OneOf(tags) => tags.iter().any(|known| known == tag),
        }
    }
}
