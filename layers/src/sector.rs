use serde::{Deserialize, Serialize};

use crate::Text;

/// The sector that a layer belongs to. A municipality may name further ones:
/// a sector that is not in the list is shown by its own name.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Sector(String);

/// The sectors of the cities' plans, in the order of the layer panel.
const KNOWN: [(&str, &str, &str); 16] = [
    ("base", "Cartografía base", "Base map"),
    ("planeacion", "Planeación", "Planning"),
    ("catastro", "Catastro", "Cadastre"),
    ("riesgo", "Gestión del riesgo", "Risk management"),
    ("ambiente", "Ambiente", "Environment"),
    ("infraestructura", "Infraestructura", "Infrastructure"),
    ("movilidad", "Movilidad", "Mobility"),
    ("tic", "TIC", "ICT"),
    ("educacion", "Educación", "Education"),
    ("salud", "Salud", "Health"),
    ("social", "Desarrollo social", "Social development"),
    ("cultura", "Cultura", "Culture"),
    ("economia", "Desarrollo económico", "Economic development"),
    ("agricultura", "Agricultura", "Agriculture"),
    ("gobierno", "Gobierno y seguridad", "Government and security"),
    ("otros", "Otros", "Other"),
];

impl Sector {
    /// A sector by its code.
    pub fn new(code: impl Into<String>) -> Self {
        Self(code.into())
    }

    /// Its code: `riesgo`.
    pub fn code(&self) -> &str {
        &self.0
    }

    /// What it is called; its code where it is none of the known ones.
    pub fn title(&self) -> Text {
        KNOWN.iter().find(|(code, ..)| *code == self.0).map_or_else(
            || Text::same(self.0.clone()),
            |(_, es, en)| Text { es: (*es).to_owned(), en: (*en).to_owned() },
        )
    }

    /// Its place in the layer panel; unknown sectors come last.
    pub fn rank(&self) -> usize {
        KNOWN.iter().position(|(code, ..)| *code == self.0).unwrap_or(KNOWN.len())
    }
}

impl Default for Sector {
    fn default() -> Self {
        Self::new("otros")
    }
}
