//! Predios, those of the municipality, and uses of the land.

use geo::{Area, BooleanOps, MultiPolygon};

use super::super::cadastre::{Site, block_code};
use super::super::plane;
use super::super::profile::Quarter;
use super::super::table::{Row, rounded, row};
use super::super::terrain::steepness;
use super::super::water::strips_near;
use super::{World, code, multi};

pub(super) fn predios(world: &World<'_>) -> Vec<Row> {
    world
        .predios
        .iter()
        .map(|predio| {
            let (block, barrio, comuna, vereda, corregimiento) = match predio.site {
                Site::Block(block) => {
                    let barrio = &world.town.barrios[world.urban.blocks[block].barrio];
                    let comuna = i64::from(world.town.comunas[barrio.comuna].number);
                    let block = block_code(world.ground, world.town, world.urban, block);
                    (Some(block), Some(&barrio.name), Some(comuna), None, None)
                }
                Site::Vereda(vereda) => {
                    let vereda = &world.veredas[vereda];
                    let corregimiento = world.ground.profile.corregimientos[vereda.corregimiento].0;
                    (None, None, None, Some(&vereda.name), Some(corregimiento))
                }
            };
            row![
                predio.shape.clone();
                &predio.number, predio.address.as_str(), predio.land_use, predio.stratum, predio.condition.to_string(), predio.owner,
                rounded(predio.area, 1), rounded(predio.built, 1), predio.floors, predio.units, predio.value,
                block, barrio, comuna, vereda, corregimiento
            ]
        })
        .collect()
}

pub(super) fn municipal(world: &World<'_>) -> Vec<Row> {
    let mut dice = world.dice("predios_municipales");
    world
        .predios
        .iter()
        .filter(|predio| predio.owner == "municipio")
        .enumerate()
        .map(|(index, predio)| {
            let (purpose, dependency) = match predio.land_use {
                "zona_verde" => ("parque", "Secretaría de Ambiente"),
                "forestal" => ("conservacion", "Secretaría de Ambiente"),
                "dotacional" => dice.weighted(&[
                    (("institucion_educativa", "Secretaría de Educación"), 4.0),
                    (("salud", "Secretaría de Salud"), 1.5),
                    (("administrativo", "Secretaría Administrativa"), 1.5),
                    (("deportivo", "Instituto de Deporte y Recreación"), 2.0),
                ]),
                "lote" => ("reserva", "Secretaría de Planeación"),
                _ => dice.weighted(&[(("arrendado", "Secretaría Administrativa"), 1.0), (("comodato", "Secretaría Administrativa"), 1.0)]),
            };
            let title = dice.weighted(&[("escritura_registrada", 8.0), ("en_saneamiento", 2.0)]);
            row![
                predio.shape.clone();
                code("PM", index), &predio.number, predio.address.as_str(), purpose, dependency, title, rounded(predio.area, 1)
            ]
        })
        .collect()
}

pub(super) fn land_uses(world: &World<'_>) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut push = |shape: MultiPolygon, land_use: &str, class: &str, place: &str| {
        let area = rounded(shape.unsigned_area() / 10_000.0, 2);
        if area > 0.01 {
            rows.push(row![shape; code("US", rows.len()), land_use, class, place, area]);
        }
    };
    for barrio in &world.town.barrios {
        let land_use = match barrio.quarter {
            Quarter::Historic => "comercial_central",
            Quarter::Industrial => "industrial",
            Quarter::Campus => "dotacional",
            Quarter::Closed => "residencial_baja_densidad",
            Quarter::Grid => {
                if barrio.number.is_multiple_of(4) {
                    "mixto"
                } else {
                    "residencial_media_densidad"
                }
            }
            Quarter::Terraced => "residencial_alta_densidad",
            Quarter::Hillside | Quarter::Informal => "residencial_mejoramiento",
        };
        let whole = multi(&barrio.shape);
        let strip = strips_near(world.courses, &whole);
        let free = whole.intersection(&strip);
        push(whole.difference(&strip), land_use, "urbano", &barrio.name);
        push(free, "proteccion_ambiental", "proteccion", &barrio.name);
    }
    for vereda in world.veredas {
        let place = plane::middle(&vereda.parcels[vereda.parcels.len() / 2].exterior().0);
        let (land_use, class) = match steepness(world.ground, place) {
            s if s > 0.78 => ("forestal_protector", "proteccion"),
            s if s > 0.5 => ("agroforestal", "rural"),
            _ => ("agropecuario", "rural"),
        };
        push(vereda.shape.clone(), land_use, class, &vereda.name);
    }
    rows
}
