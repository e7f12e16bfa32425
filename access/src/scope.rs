use serde::{Deserialize, Serialize};

use crate::{MunicipalityCode, Permissions};

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

/// How far a right reaches: what is not named is not bounded.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reach {
    /// To one municipality.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub municipality: Option<MunicipalityCode>,
    /// To the layers of one dependency, by its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dependency: Option<String>,
    /// To one layer, by its id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layer: Option<String>,
}

impl Reach {
    /// Whether it reaches there.
    pub fn covers(&self, scope: &Scope<'_>) -> bool {
        self.municipality.as_ref().is_none_or(|municipality| municipality == scope.municipality)
            && self.dependency.as_ref().is_none_or(|dependency| dependency == scope.dependency)
            && self.layer.as_ref().is_none_or(|layer| layer == scope.layer)
    }

    /// Whether it reaches wherever the other one does.
    pub fn includes(&self, other: &Self) -> bool {
        fn within<T: PartialEq>(bound: Option<&T>, other: Option<&T>) -> bool {
            bound.is_none() || bound == other
        }
        within(self.municipality.as_ref(), other.municipality.as_ref())
            && within(self.dependency.as_ref(), other.dependency.as_ref())
            && within(self.layer.as_ref(), other.layer.as_ref())
    }
}

/// What an account may do, and how far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Right {
    /// What.
    pub permissions: Permissions,
    /// How far.
    pub reach: Reach,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reach_covers_what_it_does_not_bound() {
        let (ibague, cucuta) = ("73001".parse().unwrap(), "54001".parse().unwrap());
        let of = |municipality, dependency, layer| Scope { municipality, dependency, layer };
        let everywhere = Reach::default();
        let city = Reach { municipality: Some(ibague), ..Reach::default() };
        let ibague = city.municipality.as_ref().unwrap();
        let health = Reach { dependency: Some("Salud".to_owned()), ..city.clone() };
        let layer = Reach { layer: Some("vias".to_owned()), ..Reach::default() };
        assert!(everywhere.covers(&of(&cucuta, "", "vias")) && layer.covers(&of(&cucuta, "", "vias")));
        assert!(city.covers(&of(ibague, "Salud", "sedes")) && !city.covers(&of(&cucuta, "Salud", "sedes")));
        assert!(health.covers(&of(ibague, "Salud", "sedes")) && !health.covers(&of(ibague, "Planeación", "sedes")));
        assert!(everywhere.includes(&health) && city.includes(&health) && health.includes(&health));
        assert!(!health.includes(&city) && !city.includes(&everywhere) && !layer.includes(&city));
    }
}
