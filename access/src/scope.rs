use crate::MunicipalityCode;

/// Whose a layer is: where a right must reach to count for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scope<'a> {
    /// The municipality.
    pub municipality: &'a MunicipalityCode,
    /// The dependency (secretariat) that owns it, by name; empty where nobody
    /// said.
    pub dependency: &'a str,
    /// The layer's id.
    pub layer: &'a str,
}
