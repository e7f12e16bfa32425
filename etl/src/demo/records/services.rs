//! Places where the city serves, learns, heals, meets and trades.

use geo::Point;

use super::super::plane;
use super::super::table::{Row, days_ago, row};
use super::{World, code, point_of};

pub(super) fn schools(world: &World<'_>) -> Vec<Row> {
    const NAMES: [&str; 30] = [
        "Simón Bolívar",
        "Francisco de Paula Santander",
        "Antonio Nariño",
        "Camilo Torres",
        "Policarpa Salavarrieta",
        "San Simón",
        "La Normal",
        "Santa Teresa",
        "Jorge Isaacs",
        "José Celestino Mutis",
        "Rafael Pombo",
        "Manuela Beltrán",
        "Gabriela Mistral",
        "San José",
        "Sagrado Corazón",
        "La Presentación",
        "Nacional",
        "Técnico Industrial",
        "Bicentenario",
        "Luis Carlos Galán",
        "Jorge Eliécer Gaitán",
        "Marco Fidel Suárez",
        "Alberto Lleras",
        "Carlos Lleras",
        "Rufino José Cuervo",
        "José Asunción Silva",
        "Germán Pardo García",
        "La Esperanza",
        "Nueva Generación",
        "Ciudad Educadora",
    ];
    let profile = world.ground.profile;
    let mut dice = world.dice("instituciones_educativas");
    let rural = profile.settlements.len().min(profile.places.schools / 6);
    let mut taken = Vec::new();
    (0..profile.places.schools)
        .map(|index| {
            let (point, zone, address, barrio, place) = if index < rural {
                let settlement = &profile.settlements[index];
                let (east, north) = settlement.place;
                let point = Point::from(profile.metres((east - 0.05, north + 0.02)));
                (point, "rural", format!("Centro poblado {}", settlement.name), None, settlement.name.to_owned())
            } else {
                let predio = world.spread_predio(&mut dice, &mut taken);
                let barrio = world.barrio_name(predio).unwrap_or_default().to_owned();
                (point_of(predio), "urbana", predio.address.clone(), Some(barrio.clone()), barrio)
            };
            let official = zone == "rural" || dice.chance(0.68);
            let sector = if official { "oficial" } else { "privado" };
            let prefix = if official { "Institución Educativa" } else { "Colegio" };
            let name = if zone == "rural" || dice.chance(0.35) {
                format!("{prefix} {place}")
            } else {
                format!("{prefix} {} sede {place}", dice.pick(&NAMES))
            };
            let level = dice.weighted(&[("preescolar_primaria", 3.0), ("basica", 2.0), ("media", 5.0)]);
            let students = dice.whole(60, 420) * if level == "media" { 3 } else { 1 };
            let connected = dice.chance(if zone == "rural" { 0.35 } else { 0.72 });
            let speed = connected.then(|| dice.weighted(&[(10_i64, 3.0), (20, 4.0), (50, 2.0), (100, 1.0)]));
            let establishment = if official { 1 } else { 3 };
            let dane = format!("{establishment}{}{:06}", profile.code, 100 + index * 7);
            row![point; dane, name, sector, level, zone, address, barrio, students, connected, speed]
        })
        .collect()
}

pub(super) fn health(world: &World<'_>) -> Vec<Row> {
    let profile = world.ground.profile;
    let mut dice = world.dice("sedes_salud");
    let mut taken = Vec::new();
    let mut rows = Vec::new();
    let kinds = [("hospital", 4_usize), ("clinica", 9), ("centro_salud", 24), ("puesto_salud", 12)];
    for (kind, count) in kinds {
        for index in 0..count {
            let rural = kind == "puesto_salud" && index < profile.settlements.len();
            let (point, address, place) = if rural {
                let settlement = &profile.settlements[index];
                let (east, north) = settlement.place;
                (
                    Point::from(profile.metres((east + 0.02, north + 0.05))),
                    format!("Centro poblado {}", settlement.name),
                    settlement.name.to_owned(),
                )
            } else {
                let predio = world.spread_predio(&mut dice, &mut taken);
                (point_of(predio), predio.address.clone(), world.barrio_name(predio).unwrap_or_default().to_owned())
            };
            let (title, level, beds) = match kind {
                "hospital" => ("Hospital", dice.whole(2, 3), dice.whole(80, 320)),
                "clinica" => ("Clínica", dice.whole(2, 3), dice.whole(30, 140)),
                "centro_salud" => ("Centro de salud", 1, dice.whole(0, 8)),
                _ => ("Puesto de salud", 1, 0),
            };
            let public = kind != "clinica";
            let nature = if public { "publica" } else { "privada" };
            let urgent = matches!(kind, "hospital" | "clinica") || (kind == "centro_salud" && dice.chance(0.3));
            let enabled = format!("{}{:05}01", profile.code, 1000 + rows.len() * 13);
            rows.push(row![point; enabled, format!("{title} {place}"), kind, level, nature, address, urgent, beds]);
        }
    }
    rows
}

pub(super) fn libraries(world: &World<'_>) -> Vec<Row> {
    let profile = world.ground.profile;
    let mut dice = world.dice("bibliotecas");
    let mut taken = Vec::new();
    profile
        .places
        .libraries
        .iter()
        .enumerate()
        .map(|(index, name)| {
            let settlement = profile.settlements.iter().find(|s| name.starts_with("Biblioteca rural") && name.ends_with(s.name));
            let (point, address, kind) = if let Some(settlement) = settlement {
                let (east, north) = settlement.place;
                let point = Point::from(profile.metres((east - 0.03, north - 0.04)));
                (point, format!("Centro poblado {}", settlement.name), "rural")
            } else {
                let place = profile.places.pvd.iter().find(|pvd| pvd.name.contains(name)).map(|pvd| world.place(pvd.place));
                let predio = match place {
                    Some(place) => world.predio_at(place),
                    None => world.spread_predio(&mut dice, &mut taken),
                };
                (point_of(predio), predio.address.clone(), if index == 0 { "central" } else { "satelite" })
            };
            row![point; code("BIB", index), *name, kind, address, "Lunes a sábado, 8:00 a 18:00", dice.chance(0.85), dice.whole(1800, 24_000)]
        })
        .collect()
}

pub(super) fn service_centres(world: &World<'_>) -> Vec<Row> {
    let mut dice = world.dice("cam");
    let profile = world.ground.profile;
    let mut taken = Vec::new();
    profile
        .places
        .cams
        .iter()
        .enumerate()
        .map(|(index, name)| {
            let quarter = name.trim_start_matches("CAM ");
            let home = world.town.barrios.iter().position(|barrio| barrio.name.starts_with(quarter));
            let predio = match home {
                Some(home) => world.predio_at(plane::middle(&world.town.barrios[home].shape.exterior().0)),
                None => world.spread_predio(&mut dice, &mut taken),
            };
            let services = if index == 0 {
                "Todos los trámites, impuestos, Sisbén, planeación, certificados"
            } else {
                "Impuestos, Sisbén, certificados, radicación de peticiones"
            };
            row![
                point_of(predio);
                code("CAM", index), *name, predio.address.as_str(), world.barrio_name(predio), services, "Lunes a viernes, 7:30 a 12:00 y 14:00 a 17:00"
            ]
        })
        .collect()
}

pub(super) fn halls(world: &World<'_>) -> Vec<Row> {
    let mut dice = world.dice("salones_comunales");
    let mut rows = Vec::new();
    for (index, barrio) in world.town.barrios.iter().enumerate() {
        if !dice.chance(0.42) {
            continue;
        }
        let predio = world.predio_at(plane::middle(&barrio.shape.exterior().0));
        if world.barrio_of(predio) != Some(index) {
            continue;
        }
        let state = dice.weighted(&[("bueno", 5.0), ("regular", 3.0), ("malo", 1.0)]);
        let name = format!("Salón comunal {}", barrio.name);
        rows.push(row![
            point_of(predio);
            code("SC", rows.len()), name, predio.address.as_str(), &barrio.name, i64::from(world.town.comunas[barrio.comuna].number),
            state, dice.whole(4, 30) * 10
        ]);
    }
    rows
}

pub(super) fn heritage(world: &World<'_>) -> Vec<Row> {
    let mut dice = world.dice("patrimonio");
    let profile = world.ground.profile;
    let centre = profile.metres(profile.centre);
    profile
        .places
        .heritage
        .iter()
        .enumerate()
        .map(|(index, (name, kind, place))| {
            let near = |dice: &mut super::super::dice::Dice| {
                let spread = geo::Coord { x: dice.between(-600.0, 600.0), y: dice.between(-600.0, 600.0) };
                plane::along(centre, spread, 1.0)
            };
            let place = place.map_or_else(|| near(&mut dice), |place| profile.metres(place));
            let predio = world.predio_at(place);
            let scope = dice.weighted(&[("nacional", 2.0), ("departamental", 2.0), ("municipal", 5.0)]);
            let state = dice.weighted(&[("bueno", 5.0), ("regular", 4.0), ("malo", 1.0)]);
            row![Point::from(place); code("PAT", index), *name, *kind, scope, predio.address.as_str(), state]
        })
        .collect()
}

pub(super) fn churches(world: &World<'_>) -> Vec<Row> {
    let mut dice = world.dice("iglesias");
    let mut taken = Vec::new();
    let names = world.ground.profile.places.churches;
    (0..110)
        .map(|index| {
            let predio = world.spread_predio(&mut dice, &mut taken);
            let barrio = world.barrio_name(predio).unwrap_or_default().to_owned();
            let (name, creed) = if index < names.len() {
                (names[index].to_owned(), "catolico")
            } else {
                match dice.weighted(&[("catolico", 3.0), ("evangelico", 5.0), ("adventista", 0.7), ("otro", 0.9)]) {
                    "catolico" => (format!("Capilla {barrio}"), "catolico"),
                    "evangelico" => (format!("Iglesia cristiana {barrio}"), "evangelico"),
                    "adventista" => (format!("Iglesia adventista {barrio}"), "adventista"),
                    creed => (format!("Centro de culto {barrio}"), creed),
                }
            };
            row![point_of(predio); code("IGL", index), name, creed, predio.address.as_str(), barrio, dice.whole(4, 60) * 10]
        })
        .collect()
}

pub(super) fn businesses(world: &World<'_>) -> Vec<Row> {
    /// Activity, its CIIU class, and what such a place is called.
    const TRADES: [(&str, &str, &str, f64); 10] = [
        ("comercio_alimentos", "4711", "Tienda", 9.0),
        ("restaurante", "5611", "Restaurante", 5.0),
        ("panaderia", "1081", "Panadería", 3.0),
        ("drogueria", "4773", "Droguería", 2.0),
        ("ferreteria", "4752", "Ferretería", 2.0),
        ("belleza", "9602", "Peluquería", 3.0),
        ("taller", "4520", "Taller", 2.5),
        ("ropa", "4771", "Almacén de ropa", 4.0),
        ("bar", "5630", "Bar", 1.6),
        ("hotel", "5511", "Hotel", 0.8),
    ];
    let mut dice = world.dice("establecimientos");
    let open: Vec<usize> =
        (0..world.in_city).filter(|p| matches!(world.predios[*p].land_use, "comercial" | "mixto")).collect();
    let trades: Vec<(usize, f64)> = TRADES.iter().enumerate().map(|(index, trade)| (index, trade.3)).collect();
    (0..world.share(4000).min(open.len()))
        .map(|index| {
            let predio = &world.predios[open[dice.index(open.len())]];
            let (activity, class, title, _) = TRADES[dice.weighted(&trades)];
            let barrio = world.barrio_name(predio).unwrap_or_default();
            let verdict = dice.weighted(&[("favorable", 7.0), ("favorable_con_requerimientos", 2.4), ("desfavorable", 0.6)]);
            row![
                point_of(predio);
                format!("EST-{:05}", index + 1), format!("{title} {barrio} {:03}", index + 1), activity, class, predio.address.as_str(), barrio,
                &predio.number, verdict, days_ago(dice.whole(3, 700))
            ]
        })
        .collect()
}
