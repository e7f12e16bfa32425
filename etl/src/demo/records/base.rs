//! The base map: blocks, streets, water.

use geo::LineString;

use super::super::cadastre::{Site, block_code, midpoint};
use super::super::network::length;
use super::super::plane::{distance, polygon, ring_area};
use super::super::profile::{Class, Quarter, Water};
use super::super::table::{Row, days_ago, rounded, row};
use super::World;

pub(super) fn blocks(world: &World<'_>) -> Vec<Row> {
    let mut lots = vec![0_i64; world.urban.blocks.len()];
    for predio in &world.predios[..world.in_city] {
        if let Site::Block(block) = predio.site {
            lots[block] += 1;
        }
    }
    world
        .urban
        .blocks
        .iter()
        .enumerate()
        .map(|(index, block)| {
            let barrio = &world.town.barrios[block.barrio];
            let land_use = match barrio.quarter {
                _ if block.is_park => "zona_verde",
                Quarter::Historic => "mixto",
                Quarter::Industrial => "industrial",
                Quarter::Campus => "dotacional",
                _ => "residencial",
            };
            row![
                polygon(&block.ring);
                block_code(world.ground, world.town, world.urban, index), &barrio.name,
                i64::from(world.town.comunas[barrio.comuna].number), land_use, lots[index], rounded(ring_area(&block.ring), 1)
            ]
        })
        .collect()
}

pub(super) fn streets(world: &World<'_>) -> Vec<Row> {
    let mut dice = world.dice("vias");
    let centre = world.ground.profile.metres(world.ground.profile.centre);
    world
        .urban
        .segments
        .iter()
        .chain(world.roads)
        .enumerate()
        .map(|(index, segment)| {
            let (middle, _) = midpoint(segment);
            let surface = match segment.class {
                Class::Arterial => dice.weighted(&[("asfalto", 9.0), ("concreto", 1.0)]),
                Class::Main | Class::Collector => dice.weighted(&[("asfalto", 8.0), ("concreto", 2.0)]),
                Class::Local if distance(middle, centre) < 4000.0 => dice.weighted(&[("asfalto", 7.0), ("concreto", 3.0), ("adoquin", 0.5)]),
                Class::Local => dice.weighted(&[("asfalto", 5.0), ("concreto", 3.0), ("afirmado", 1.5), ("tierra", 0.5)]),
                Class::Footway => dice.weighted(&[("concreto", 7.0), ("adoquin", 2.0), ("tierra", 1.0)]),
                Class::Rural => dice.weighted(&[("afirmado", 6.0), ("placa_huella", 2.0), ("tierra", 2.0)]),
            };
            // Neighbouring stretches were built and worn together.
            let wear = world.ground.noise.fractal(middle, 900.0, 2) + dice.between(-0.35, 0.35)
                + if matches!(surface, "afirmado" | "tierra") { 0.35 } else { 0.0 };
            let (state, index_value) = match wear {
                w if w < -0.3 => ("muy_bueno", dice.whole(86, 100)),
                w if w < 0.0 => ("bueno", dice.whole(71, 85)),
                w if w < 0.28 => ("regular", dice.whole(56, 70)),
                w if w < 0.52 => ("malo", dice.whole(41, 55)),
                _ => ("muy_malo", dice.whole(10, 40)),
            };
            let paved = matches!(surface, "asfalto" | "concreto");
            let method = if paved { "PCI (ASTM D6433)" } else { "Inspección visual" };
            let carriageway = match segment.class {
                Class::Footway => segment.width - 1.5,
                _ => segment.width * 0.68,
            };
            row![
                LineString::new(segment.line.clone());
                format!("VIA-{:06}", index + 1), &segment.name.full, segment.name.kind, segment.class.code(), surface, state,
                method, paved.then_some(index_value), days_ago(dice.whole(20, 900)), rounded(carriageway, 1), rounded(length(&segment.line), 1)
            ]
        })
        .collect()
}

pub(super) fn water(world: &World<'_>) -> Vec<Row> {
    world
        .courses
        .iter()
        .enumerate()
        .map(|(index, course)| {
            let (kind, free) = match course.kind {
                Water::River => ("rio", 30_i64),
                Water::Stream => ("quebrada", 15_i64),
            };
            row![
                course.bed.clone();
                format!("H{:03}", index + 1), course.name, kind, rounded(course.width, 1), rounded(length(&course.line) / 1000.0, 2), free
            ]
        })
        .collect()
}
