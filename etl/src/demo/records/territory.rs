//! The municipality and its divisions.

use geo::{Area, MultiPolygon, Point};

use super::super::plane::{self, distance};
use super::super::table::{Row, rounded, row};
use super::World;

fn hectares(shape: &impl Area<f64>) -> f64 {
    rounded(shape.unsigned_area() / 10_000.0, 2)
}

fn square_kilometres(shape: &impl Area<f64>) -> f64 {
    rounded(shape.unsigned_area() / 1e6, 2)
}

pub(super) fn limit(world: &World<'_>) -> Vec<Row> {
    let profile = world.ground.profile;
    let shape = world.limit.clone();
    let area = square_kilometres(&shape);
    vec![row![shape; profile.code, profile.name, profile.department, area, i64::from(profile.inhabitants)]]
}

/// How many people live on each square metre of a barrio, against the others.
fn density(stratum: i64) -> f64 {
    1.6 - 0.17 * stratum as f64
}

/// The inhabitants of each barrio: the city's, by area and stratum.
fn barrio_inhabitants(world: &World<'_>) -> Vec<i64> {
    let weights: Vec<f64> =
        world.town.barrios.iter().map(|barrio| barrio.buildable.unsigned_area() * density(barrio.stratum)).collect();
    let all: f64 = weights.iter().sum();
    let people = f64::from(world.ground.profile.inhabitants) * 0.94;
    weights.iter().map(|weight| (people * weight / all).round() as i64).collect()
}

/// The inhabitants of each vereda: the rest, by area and nearness to the city.
fn vereda_inhabitants(world: &World<'_>) -> Vec<i64> {
    let centre = world.ground.profile.metres(world.ground.profile.centre);
    let weights: Vec<f64> = world
        .veredas
        .iter()
        .map(|vereda| {
            let away = distance(plane::middle(&vereda.parcels[0].exterior().0), centre);
            vereda.shape.unsigned_area() / (8000.0 + away)
        })
        .collect();
    let all: f64 = weights.iter().sum();
    let people = f64::from(world.ground.profile.inhabitants) * 0.06;
    weights.iter().map(|weight| (people * weight / all).round() as i64).collect()
}

pub(super) fn comunas(world: &World<'_>) -> Vec<Row> {
    let people = barrio_inhabitants(world);
    world
        .town
        .comunas
        .iter()
        .enumerate()
        .map(|(index, comuna)| {
            let members: Vec<usize> =
                (0..world.town.barrios.len()).filter(|b| world.town.barrios[*b].comuna == index).collect();
            let inhabitants: i64 = members.iter().map(|b| people[*b]).sum();
            let area = hectares(&comuna.shape);
            row![comuna.shape.clone(); i64::from(comuna.number), format!("Comuna {}", comuna.number), inhabitants, members.len() as i64, area]
        })
        .collect()
}

pub(super) fn barrios(world: &World<'_>) -> Vec<Row> {
    let people = barrio_inhabitants(world);
    world
        .town
        .barrios
        .iter()
        .zip(people)
        .map(|(barrio, inhabitants)| {
            let comuna = world.town.comunas[barrio.comuna].number;
            let code = format!("{comuna:02}{:02}", barrio.number);
            let area = hectares(&barrio.shape);
            row![barrio.shape.clone(); code, &barrio.name, i64::from(comuna), barrio.stratum, inhabitants, area]
        })
        .collect()
}

pub(super) fn corregimientos(world: &World<'_>) -> Vec<Row> {
    let people = vereda_inhabitants(world);
    world
        .corregimientos
        .iter()
        .enumerate()
        .filter(|(_, shape)| !shape.0.is_empty())
        .map(|(index, shape)| {
            let members: Vec<usize> =
                (0..world.veredas.len()).filter(|v| world.veredas[*v].corregimiento == index).collect();
            let inhabitants: i64 = members.iter().map(|v| people[*v]).sum();
            let name = world.ground.profile.corregimientos[index].0;
            row![shape.clone(); format!("C{:02}", index + 1), name, inhabitants, members.len() as i64, square_kilometres(shape)]
        })
        .collect()
}

pub(super) fn veredas(world: &World<'_>) -> Vec<Row> {
    let people = vereda_inhabitants(world);
    world
        .veredas
        .iter()
        .zip(people)
        .enumerate()
        .map(|(index, (vereda, inhabitants))| {
            let home = world.ground.profile.corregimientos[vereda.corregimiento].0;
            let shape: MultiPolygon = vereda.shape.clone();
            let area = hectares(&shape);
            row![shape; format!("V{:03}", index + 1), &vereda.name, home, inhabitants, area]
        })
        .collect()
}

pub(super) fn settlements(world: &World<'_>) -> Vec<Row> {
    let profile = world.ground.profile;
    profile
        .settlements
        .iter()
        .enumerate()
        .map(|(index, settlement)| {
            let code = format!("{}{:03}", profile.code, index + 1);
            let recognised = settlement.inhabitants >= 90;
            row![
                Point::from(profile.metres(settlement.place));
                code, settlement.name, settlement.corregimiento, i64::from(settlement.inhabitants), recognised
            ]
        })
        .collect()
}
