//! What each collection is: definitions as a planner would write them, one
//! TOML file a collection under `definitions/`.

use layers::{GeometryType, LayerDefinition};

use super::{City, DemoError};

macro_rules! definitions {
    ($($id:literal => $kind:ident),+ $(,)?) => {
        const DEFINITIONS: &[(&str, GeometryType, &str)] =
            &[$(($id, GeometryType::$kind, include_str!(concat!("definitions/", $id, ".toml")))),+];
    };
}

definitions! {
    "limite_municipal" => MultiPolygon,
    "comunas" => MultiPolygon,
    "corregimientos" => MultiPolygon,
    "barrios" => Polygon,
    "veredas" => MultiPolygon,
    "centros_poblados" => Point,
    "manzanas" => Polygon,
    "vias" => LineString,
    "hidrografia" => MultiPolygon,
    "predios" => Polygon,
    "predios_municipales" => Polygon,
    "usos_suelo" => MultiPolygon,
    "amenazas" => Polygon,
    "riesgos" => MultiPolygon,
    "areas_reforestadas" => Polygon,
    "eventos_emergencia" => Point,
    "zonas_wifi" => Point,
    "pvd" => Point,
    "kvd" => Point,
    "instituciones_educativas" => Point,
    "sedes_salud" => Point,
    "bibliotecas" => Point,
    "cam" => Point,
    "salones_comunales" => Point,
    "patrimonio" => Point,
    "iglesias" => Point,
    "establecimientos" => Point,
    "obras" => Point,
    "siniestros_viales" => Point,
    "rutas_transporte" => LineString,
}

/// A collection's definition in a city, and the type of its geometries.
pub(super) fn of(id: &'static str, city: City) -> Result<(LayerDefinition, GeometryType), DemoError> {
    let wrong = |reason: String| DemoError::Definition { id, reason };
    let (_, kind, text) =
        DEFINITIONS.iter().find(|(known, ..)| *known == id).ok_or_else(|| wrong("there is none".to_owned()))?;
    // The files are the same for every city but for its name.
    let definition =
        LayerDefinition::from_toml(&text.replace("{ciudad}", city.name())).map_err(|error| wrong(error.to_string()))?;
    definition.validate(true).map_err(|error| wrong(error.to_string()))?;
    Ok((definition, *kind))
}
