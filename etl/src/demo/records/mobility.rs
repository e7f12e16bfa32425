//! Works, road crashes and transport routes.

use geo::{LineString, Point};

use super::super::cadastre::midpoint;
use super::super::network::{Graph, length};
use super::super::plane::{self, middle};
use super::super::profile::Class;
use super::super::table::{Cell, Row, days_ago, reference_year, rounded, row};
use super::{World, code, point_of};

pub(super) fn works(world: &World<'_>) -> Vec<Row> {
    const KINDS: [(&str, &str, &str); 7] = [
        ("pavimentacion", "Pavimentación de vías", "Secretaría de Infraestructura"),
        ("placa_huella", "Placa huella", "Secretaría de Infraestructura"),
        ("parque", "Adecuación de parque", "Secretaría de Infraestructura"),
        ("alcantarillado", "Reposición de alcantarillado", "Empresa de acueducto y alcantarillado"),
        ("salon_comunal", "Mejoramiento de salón comunal", "Secretaría de Desarrollo Social"),
        ("institucion_educativa", "Mejoramiento de institución educativa", "Secretaría de Educación"),
        ("muro_contencion", "Muro de contención", "Secretaría de Ambiente y Gestión del Riesgo"),
    ];
    let mut dice = world.dice("obras");
    let mut taken = Vec::new();
    (0..180)
        .map(|index| {
            let rural = dice.chance(0.22);
            let (point, barrio, vereda) = if rural {
                let vereda = &world.veredas[dice.index(world.veredas.len())];
                let parcel = &vereda.parcels[dice.index(vereda.parcels.len())];
                let place = super::super::rural::inside_point(&super::multi(parcel));
                (Point::from(place), None, Some(vereda.name.clone()))
            } else {
                let predio = world.spread_predio(&mut dice, &mut taken);
                (point_of(predio), world.barrio_name(predio).map(str::to_owned), None)
            };
            let (kind, title, dependency) = if rural { KINDS[*dice.pick(&[1, 1, 5, 6])] } else { KINDS[*dice.pick(&[0, 0, 0, 2, 3, 4, 5, 6])] };
            let state = dice.weighted(&[("terminada", 4.0), ("en_ejecucion", 3.0), ("programada", 2.5), ("suspendida", 0.6)]);
            let (start, days, progress) = match state {
                "terminada" => (dice.whole(300, 1000), dice.whole(90, 280), 100_i64),
                "programada" => (-dice.whole(15, 240), dice.whole(90, 300), 0),
                "suspendida" => (dice.whole(200, 600), dice.whole(260, 700), dice.whole(10, 80)),
                _ => (dice.whole(20, 180), dice.whole(200, 420), dice.whole(5, 95)),
            };
            let day = |ago: i64| {
                if ago >= 0 { days_ago(ago) } else { days_ago(0) + chrono::Duration::days(-ago) }
            };
            let place = barrio.as_deref().or(vereda.as_deref()).unwrap_or_default().to_owned();
            let contract = format!("{}-{:04}", reference_year() - i64::from(start > 180) - i64::from(start > 545), index + 1);
            let cost = dice.whole(60, 2400) * 1_000_000;
            row![
                point;
                code("OB", index), format!("{title}, {place}"), kind, state, barrio, vereda, dependency, contract, day(start), day(start - days), progress, cost
            ]
        })
        .collect()
}

/// Crashes as places and circumstances: nothing tells of who was in them.
pub(super) fn crashes(world: &World<'_>) -> Vec<Row> {
    let mut dice = world.dice("siniestros_viales");
    (0..world.share(2500))
        .map(|index| {
            let segment = world.some_street(&mut dice);
            let place = if dice.chance(0.6) { segment.line[0] } else { midpoint(segment).0 };
            let barrio = world.town.barrios.iter().find(|barrio| plane::holds(&barrio.shape, place)).map(|barrio| barrio.name.as_str());
            let kind = dice.weighted(&[("choque", 7.0), ("atropello", 1.6), ("volcamiento", 0.6), ("caida", 1.2), ("otro", 0.3)]);
            let harm = dice.weighted(&[("solo_danos", 5.0), ("con_heridos", 4.6), ("con_muertos", 0.25)]);
            let hour = dice.weighted(&[("madrugada", 1.0), ("manana", 3.0), ("tarde", 4.0), ("noche", 3.0)]);
            row![
                Point::from(place);
                format!("SV-{:05}", index + 1), days_ago(dice.whole(1, 1460)), hour, kind, harm, &segment.name.full, segment.class.code(), barrio
            ]
        })
        .collect()
}

pub(super) fn routes(world: &World<'_>) -> Vec<Row> {
    let mut dice = world.dice("rutas_transporte");
    let profile = world.ground.profile;
    let main: Vec<_> = world.urban.segments.iter().filter(|s| s.class != Class::Footway).cloned().collect();
    let graph = Graph::new(&main);
    let centre = profile.metres(profile.centre);
    let barrios = &world.town.barrios;
    let heart = |barrio: usize| middle(&barrios[barrio].shape.exterior().0);
    let mut rows: Vec<Row> = Vec::new();
    let mut tries = 0;
    while rows.len() < profile.places.routes && tries < profile.places.routes * 6 {
        tries += 1;
        let (a, b) = (dice.index(barrios.len()), dice.index(barrios.len()));
        if plane::distance(heart(a), heart(b)) < 3500.0 {
            continue;
        }
        // Most routes pass the centre.
        let through =
            plane::along(centre, geo::Coord { x: dice.between(-500.0, 500.0), y: dice.between(-500.0, 500.0) }, 1.0);
        let (Some(mut line), Some(rest)) = (graph.route(heart(a), through), graph.route(through, heart(b))) else {
            continue;
        };
        line.extend(rest);
        line.dedup_by(|a, b| plane::distance(*a, *b) < 0.6);
        let number = rows.len() + 1;
        let every: Cell = dice.whole(6, 20).into();
        let kilometres = rounded(length(&line) / 1000.0, 1);
        rows.push(row![
            LineString::new(line);
            format!("R{number:02}"), format!("Ruta {number}: {} - {}", barrios[a].name, barrios[b].name), &barrios[a].name, &barrios[b].name,
            "urbana", kilometres, every
        ]);
    }
    rows
}
