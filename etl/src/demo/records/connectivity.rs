//! Free WiFi zones, Vive Digital points and kiosks.

use geo::Point;

use super::super::table::{Cell, Row, row};
use super::{World, code, point_of};

/// WiFi zones reach 100 m, all day, in sessions of an hour that can be renewed.
pub(super) fn wifi(world: &World<'_>) -> Vec<Row> {
    let profile = world.ground.profile;
    let mut dice = world.dice("zonas_wifi");
    let mut rows = Vec::new();
    let mut push = |point: Point, name: String, address: String, place: &str, speed: i64| {
        rows.push(row![
            point;
            code("WIFI", rows.len()), name, address, place, 100_i64, speed, "24 horas, 7 días", 60_i64, true, true, "en_servicio"
        ]);
    };
    let settlements = profile.settlements.iter().filter(|s| s.inhabitants >= 500).take(profile.places.wifi_rural);
    let speeds = [(5, 2.0), (10, 4.0), (15, 2.0), (20, 2.0)];
    let mut parks: Vec<usize> = (0..world.in_city).filter(|p| world.predios[*p].condition == 3).collect();
    let rural: Vec<_> = settlements.collect();
    let mut barrios: Vec<usize> = Vec::new();
    for _ in 0..profile.places.wifi - rural.len() {
        // A park of a barrio that has none yet.
        let mut chosen = None;
        while let Some(park) = (!parks.is_empty()).then(|| parks.swap_remove(dice.index(parks.len()))) {
            let barrio = world.barrio_of(&world.predios[park]).unwrap_or_default();
            if !barrios.contains(&barrio) {
                barrios.push(barrio);
                chosen = Some(&world.predios[park]);
                break;
            }
        }
        let predio = chosen.unwrap_or_else(|| world.some_predio(&mut dice));
        let name = format!("Zona WiFi parque {}", world.barrio_name(predio).unwrap_or_default());
        push(point_of(predio), name, predio.address.clone(), "urbana", dice.weighted(&speeds));
    }
    for settlement in rural {
        let name = format!("Zona WiFi {}", settlement.name);
        let address = format!("Centro poblado {}, corregimiento {}", settlement.name, settlement.corregimiento);
        push(Point::from(profile.metres(settlement.place)), name, address, "rural", dice.weighted(&speeds[..3]));
    }
    rows
}

pub(super) fn vive_points(world: &World<'_>) -> Vec<Row> {
    world
        .ground
        .profile
        .places
        .pvd
        .iter()
        .enumerate()
        .map(|(index, point)| {
            let place = world.place(point.place);
            let predio = world.predio_at(place);
            let address = if point.address.is_empty() { predio.address.as_str() } else { point.address };
            let kind: Cell = point.kind.map_or_else(|| "desconocido".into(), Cell::from);
            row![
                point_of(predio);
                code("PVD", index), point.name, address, kind, "Lunes a sábado, horario laboral", world.barrio_name(predio)
            ]
        })
        .collect()
}

pub(super) fn vive_kiosks(world: &World<'_>) -> Vec<Row> {
    let profile = world.ground.profile;
    profile
        .places
        .kvd
        .iter()
        .filter_map(|(name, kind)| {
            let settlement = profile.settlements.iter().find(|settlement| settlement.name == *name)?;
            let computers = match *kind {
                "A" => 2_i64,
                "B" => 4,
                _ => 6,
            };
            // Beside the square, not on it.
            let (east, north) = settlement.place;
            let point = Point::from(profile.metres((east + 0.04, north - 0.03)));
            Some((point, *name, *kind, computers, settlement.corregimiento))
        })
        .enumerate()
        .map(|(index, (point, name, kind, computers, home))| {
            row![point; code("KVD", index), format!("KVD {name}"), kind, computers, name, home]
        })
        .collect()
}
