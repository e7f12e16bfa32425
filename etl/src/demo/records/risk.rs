//! Hazards, the risk where they meet what is built, emergencies, reforestation.

use geo::{Area, BooleanOps, Coord, MultiPolygon, Point};

use super::super::plane::{self, between, polygon};
use super::super::rural::inside_point;
use super::super::table::{Row, days_ago, rounded, row};
use super::super::terrain::{Phenomenon, steepness};
use super::{World, code, multi};

/// The studies: scale and age in days of the urban and of the rural one.
fn study(urban: bool) -> (&'static str, i64) {
    if urban { ("1:5000", 1050) } else { ("1:25000", 2260) }
}

pub(super) fn hazards(world: &World<'_>) -> Vec<Row> {
    world
        .zones
        .iter()
        .enumerate()
        .map(|(index, zone)| {
            let (scale, age) = study(zone.urban);
            let place = if zone.urban { "urbano" } else { "rural" };
            let area = rounded(zone.shape.unsigned_area() / 10_000.0, 2);
            row![zone.shape.clone(); code("AM", index), zone.phenomenon.code(), zone.level, place, scale, days_ago(age), area]
        })
        .collect()
}

/// The condition of risk: high hazard where blocks stand, barrio by barrio.
pub(super) fn risks(world: &World<'_>) -> Vec<Row> {
    let mut dice = world.dice("riesgos");
    let mut rows = Vec::new();
    for phenomenon in Phenomenon::ALL {
        let high: Vec<MultiPolygon> = world
            .zones
            .iter()
            .filter(|zone| zone.urban && zone.level == "alta" && zone.phenomenon == phenomenon)
            .map(|zone| multi(&zone.shape))
            .collect();
        for (index, barrio) in world.town.barrios.iter().enumerate() {
            let shape = multi(&barrio.shape);
            let near: Vec<_> =
                high.iter().filter(|zone| plane::boxes_meet(zone, &shape)).flat_map(|zone| zone.0.clone()).collect();
            if near.is_empty() {
                continue;
            }
            let occupied: Vec<_> = world
                .urban
                .blocks
                .iter()
                .filter(|block| block.barrio == index && !block.is_park)
                .map(|block| polygon(&block.ring))
                .collect();
            let exposed = MultiPolygon::new(occupied).intersection(&MultiPolygon::new(near));
            let exposed = MultiPolygon::new(exposed.0.into_iter().filter(|part| part.unsigned_area() > 60.0).collect());
            let area = exposed.unsigned_area();
            if area < 400.0 {
                continue;
            }
            let precarious = barrio.stratum <= 2;
            let level = if precarious {
                dice.weighted(&[("alto", 6.0), ("medio", 3.0)])
            } else {
                dice.weighted(&[("alto", 2.0), ("medio", 5.0), ("bajo", 2.0)])
            };
            let mitigable = !(level == "alto" && dice.chance(0.35));
            let (scale, age) = study(true);
            let comuna = i64::from(world.town.comunas[barrio.comuna].number);
            rows.push(row![
                exposed;
                code("CR", rows.len()), phenomenon.code(), level, mitigable, &barrio.name, comuna, scale, days_ago(age), rounded(area / 10_000.0, 3)
            ]);
        }
    }
    rows
}

pub(super) fn reforested(world: &World<'_>) -> Vec<Row> {
    const PROGRAMMES: [&str; 4] = [
        "Guardabosques de la cuenca",
        "Compra de predios artículo 111",
        "Restauración de rondas",
        "Convenio con la autoridad ambiental",
    ];
    let mut dice = world.dice("areas_reforestadas");
    let mut candidates: Vec<(usize, usize)> = Vec::new();
    for (index, vereda) in world.veredas.iter().enumerate() {
        for (order, parcel) in vereda.parcels.iter().enumerate() {
            if steepness(world.ground, plane::middle(&parcel.exterior().0)) > 0.45 {
                candidates.push((index, order));
            }
        }
    }
    let mut rows = Vec::new();
    let wanted = 70.min(candidates.len());
    while rows.len() < wanted && !candidates.is_empty() {
        let (index, order) = candidates.swap_remove(dice.index(candidates.len()));
        let vereda = &world.veredas[index];
        let parcel = &vereda.parcels[order];
        // A part of the parcel: what lies within a ragged circle about one of its corners.
        let corner = parcel.exterior().0[dice.index(parcel.exterior().0.len() - 1)];
        let reach = (parcel.unsigned_area() / std::f64::consts::PI).sqrt() * dice.between(0.6, 1.1);
        let ragged: Vec<_> = (0..48)
            .map(|step| {
                let angle = f64::from(step) / 48.0 * std::f64::consts::TAU;
                let far = plane::along(corner, geo::Coord { x: angle.cos(), y: angle.sin() }, reach);
                plane::along(
                    corner,
                    geo::Coord { x: angle.cos(), y: angle.sin() },
                    reach * (1.0 + 0.5 * world.ground.noise.fractal(far, 300.0, 2)),
                )
            })
            .collect();
        let Some(shape) = plane::greatest(parcel.intersection(&polygon(&ragged))) else { continue };
        let area = shape.unsigned_area() / 10_000.0;
        if area < 0.4 {
            continue;
        }
        let species =
            *dice.pick(&["Nogal cafetero", "Aliso", "Guadua", "Roble andino", "Cedro rosado", "Mezcla de nativas"]);
        let trees = (area * dice.between(700.0, 1150.0)).round() as i64;
        rows.push(row![
            shape;
            code("RF", rows.len()), &vereda.name, *dice.pick(&PROGRAMMES), species, trees, days_ago(dice.whole(60, 2900)), rounded(area, 2)
        ]);
    }
    rows
}

pub(super) fn emergencies(world: &World<'_>) -> Vec<Row> {
    let mut dice = world.dice("eventos_emergencia");
    let mut rows = Vec::new();
    for _ in 0..260 {
        let kind = dice.weighted(&[
            ("movimiento_en_masa", 3.5),
            ("inundacion", 2.5),
            ("vendaval", 2.0),
            ("incendio_estructural", 1.6),
            ("incendio_forestal", 1.6),
            ("avenida_torrencial", 0.8),
            ("colapso_estructural", 0.6),
        ]);
        let zone = (0..60)
            .map(|_| &world.zones[dice.index(world.zones.len())])
            .find(|zone| zone.phenomenon.code() == kind && zone.level != "baja");
        let (point, sector) = if kind == "incendio_forestal" {
            let vereda = &world.veredas[dice.index(world.veredas.len())];
            let parcel = &vereda.parcels[dice.index(vereda.parcels.len())];
            (Point::from(inside_point(&multi(parcel))), vereda.name.clone())
        } else if let Some(zone) = zone {
            let ring = &zone.shape.exterior().0;
            let point = inside_point(&multi(&zone.shape));
            let place = between(point, ring[dice.index(ring.len())], dice.between(0.0, 0.6));
            let place = if plane::holds(&zone.shape, place) { place } else { point };
            (Point::from(place), sector_of(world, place))
        } else {
            let predio = world.some_predio(&mut dice);
            (super::point_of(predio), world.barrio_name(predio).unwrap_or_default().to_owned())
        };
        let dwellings = dice.weighted(&[(0, 4.0), (1, 3.0), (3, 2.0), (9, 1.0)]) * dice.whole(1, 3);
        let roads = kind != "incendio_estructural" && dice.chance(0.25);
        let state = dice.weighted(&[("atendido", 8.0), ("en_seguimiento", 2.0)]);
        rows.push((dice.whole(5, 2500), row![point; "", kind, days_ago(0), sector, dwellings, roads, state]));
    }
    // The oldest first, numbered as they came.
    rows.sort_by_key(|(ago, _)| std::cmp::Reverse(*ago));
    rows.into_iter()
        .enumerate()
        .map(|(index, (ago, mut row))| {
            row.cells[0] = code("EE", index).into();
            row.cells[2] = days_ago(ago).into();
            row
        })
        .collect()
}

/// The barrio or vereda of a place.
fn sector_of(world: &World<'_>, place: Coord) -> String {
    let barrio = world.town.barrios.iter().find(|barrio| plane::holds(&barrio.shape, place)).map(|barrio| &barrio.name);
    let vereda = || world.veredas.iter().find(|vereda| vereda.shape.0.iter().any(|part| plane::holds(part, place)));
    barrio.or_else(|| vereda().map(|vereda| &vereda.name)).cloned().unwrap_or_default()
}
