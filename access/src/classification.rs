use serde::{Deserialize, Serialize};

use crate::codes::codes;

/// How a layer or an attribute is classified under Ley 1712 de 2014, from the
/// open to the closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Visibility {
    /// Anybody may see it. Never assumed: an import must say so.
    Publica,
    /// Private or semi-private interests (article 18): not for the public.
    #[default]
    Clasificada,
    /// Public interests that the law protects (article 19): not for the public.
    Reservada,
}

/// What a feature of the layer stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Subject {
    /// A thing of the territory: a road, a parcel, a zone.
    #[default]
    Thing,
    /// A natural person.
    Persons,
    /// A case: an epidemiological case, an accident's victim, a complaint.
    Cases,
    /// A dwelling, which tells who lives in it.
    Dwellings,
}

impl Subject {
    /// Whether a feature tells something of a natural person.
    pub fn is_personal(self) -> bool {
        self != Self::Thing
    }
}

codes!(Visibility, "visibility", "publica, clasificada, reservada",
    "publica" => Publica, "clasificada" => Clasificada, "reservada" => Reservada);
codes!(Subject, "subject", "thing, persons, cases, dwellings",
    "thing" => Thing, "persons" => Persons, "cases" => Cases, "dwellings" => Dwellings);
