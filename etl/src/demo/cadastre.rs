//! The predios: lots with their cadastral number, address, use and owner kind.

use geo::{Coord, Polygon};
use rstar::RTree;
use rstar::primitives::GeomWithData;

use super::dice::Dice;
use super::plane::{self, along, between, cross, direction, distance, middle, ring_area};
use super::profile::{Class, Quarter};
use super::rural::Vereda;
use super::streets::{Segment, address};
use super::town::{Barrio, Ground, Town};
use super::urban::{self, Urban};
use super::{Progress, Size};

/// A predio.
pub(super) struct Predio {
    pub(super) shape: Polygon,
    /// 30 digits.
    pub(super) number: String,
    pub(super) address: String,
    pub(super) land_use: &'static str,
    pub(super) stratum: Option<i64>,
    /// Position 22 of the number.
    pub(super) condition: i64,
    pub(super) owner: &'static str,
    pub(super) area: f64,
    pub(super) built: f64,
    pub(super) floors: i64,
    pub(super) units: i64,
    pub(super) value: i64,
    pub(super) site: Site,
}

/// Where a predio lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Site {
    /// Index of the block.
    Block(usize),
    /// Index of the vereda.
    Vereda(usize),
}

/// The 17 digits of a block: municipality, zone, sector, comuna, barrio, block.
pub(super) fn block_code(ground: &Ground, town: &Town, urban: &Urban, block: usize) -> String {
    let barrio = &town.barrios[urban.blocks[block].barrio];
    let comuna = town.comunas[barrio.comuna].number;
    format!("{}0101{comuna:02}{:02}{:04}", ground.profile.code, barrio.number, urban.numbers[block])
}

/// The 17 digits of a vereda: zone 00, the corregimiento as sector.
pub(super) fn vereda_code(ground: &Ground, veredas: &[Vereda], vereda: usize) -> String {
    format!("{}00{:02}0000{:04}", ground.profile.code, veredas[vereda].corregimiento + 1, vereda + 1)
}

/// Streets by place.
struct Fronts<'a> {
    places: RTree<GeomWithData<[f64; 2], usize>>,
    segments: &'a [Segment],
}

impl<'a> Fronts<'a> {
    fn new(segments: &'a [Segment]) -> Self {
        let mut places = Vec::new();
        for (index, segment) in segments.iter().enumerate() {
            for pair in segment.line.windows(2) {
                let count = (distance(pair[0], pair[1]) / 9.0).ceil().max(1.0) as usize;
                for part in 0..=count {
                    let at = between(pair[0], pair[1], part as f64 / count as f64);
                    places.push(GeomWithData::new([at.x, at.y], index));
                }
            }
        }
        Self { places: RTree::bulk_load(places), segments }
    }

    /// The street on which a lot has its front, and the middle of that front.
    fn front(&self, lot: &[Coord]) -> Option<(&'a Segment, Coord)> {
        let mut best: Option<(f64, usize, Coord)> = None;
        for index in 0..lot.len() {
            let (a, b) = (lot[index], lot[(index + 1) % lot.len()]);
            if distance(a, b) < 2.0 {
                continue;
            }
            let at = between(a, b, 0.5);
            let street = self.places.nearest_neighbor([at.x, at.y])?;
            let place = Coord { x: street.geom()[0], y: street.geom()[1] };
            // Half the street's width is no distance; a footway is the last choice.
            let segment = &self.segments[street.data];
            let away = (distance(place, at) - segment.width / 2.0).max(0.0)
                + if segment.class == Class::Footway { 1.0 } else { 0.0 };
            if best.is_none_or(|(least, ..)| away < least) {
                best = Some((away, street.data, at));
            }
        }
        best.map(|(_, segment, at)| (&self.segments[segment], at))
    }
}

/// Every predio of the city.
pub(super) fn urban_predios(
    ground: &Ground,
    town: &Town,
    urban: &Urban,
    size: Size,
    seed: u64,
    progress: Progress<'_>,
) -> Vec<Predio> {
    let fronts = Fronts::new(&urban.segments);
    let mut predios = Vec::new();
    for (index, block) in urban.blocks.iter().enumerate() {
        let code = block_code(ground, town, urban, index);
        let mut dice = Dice::new(seed, &code);
        let lots = urban::lots(ground, town, block, size, &mut dice);
        let alone = lots.len() == 1;
        for (order, lot) in lots.into_iter().enumerate() {
            let front = fronts.front(&lot);
            let mut predio = urban_predio(
                &town.barrios[block.barrio],
                &lot,
                front.map(|f| f.0.class),
                alone,
                block.is_park,
                &mut dice,
            );
            predio.number = format!("{code}{:04}{}00000000", order + 1, predio.condition);
            predio.site = Site::Block(index);
            if let Some((segment, at)) = front {
                let inner = middle(&lot);
                let st = ground.valley.to_frame(at);
                let ahead = ground.valley.ahead(st);
                let heading = if segment.name.runs_along { ahead } else { Coord { x: -ahead.y, y: ahead.x } };
                let left = cross(heading, along(inner, at, -1.0)) > 0.0;
                predio.address = address(ground, &segment.name, st, left);
            }
            predios.push(predio);
        }
        if index % 250 == 0 || index + 1 == urban.blocks.len() {
            progress("predios", index + 1, urban.blocks.len());
        }
    }
    predios
}

fn urban_predio(
    barrio: &Barrio,
    lot: &[Coord],
    front: Option<Class>,
    alone: bool,
    is_park: bool,
    dice: &mut Dice,
) -> Predio {
    let area = ring_area(lot);
    let busy = front.is_some_and(|class| class <= Class::Main);
    let quarter = barrio.quarter;
    let land_use = if is_park {
        "zona_verde"
    } else {
        match quarter {
            Quarter::Historic => dice.weighted(&[
                ("comercial", 3.5),
                ("mixto", 3.0),
                ("residencial", 2.5),
                ("dotacional", 0.6),
                ("lote", 0.4),
            ]),
            Quarter::Industrial => dice.weighted(&[("industrial", 6.0), ("comercial", 2.0), ("lote", 1.0)]),
            Quarter::Campus => "dotacional",
            Quarter::Closed if alone => "residencial",
            _ if busy => {
                dice.weighted(&[("comercial", 3.0), ("mixto", 3.0), ("residencial", 4.0), ("dotacional", 0.3)])
            }
            _ => dice.weighted(&[
                ("residencial", 90.0),
                ("mixto", 5.0),
                ("comercial", 1.5),
                ("dotacional", 0.8),
                ("lote", 2.7),
            ]),
        }
    };
    let towers = area > 450.0 && !is_park && land_use == "residencial";
    let condition = match quarter {
        _ if is_park => 3,
        Quarter::Closed if towers => dice.weighted(&[(8, 0.55), (9, 0.45)]),
        Quarter::Informal if dice.chance(0.13) => 2,
        _ if towers && dice.chance(0.25) => 9,
        _ => 0,
    };
    let owner = match land_use {
        "zona_verde" => "municipio",
        "dotacional" => dice.weighted(&[("municipio", 0.55), ("entidad_publica", 0.2), ("particular", 0.25)]),
        _ => dice.weighted(&[("particular", 97.0), ("municipio", 1.5), ("entidad_publica", 0.8), ("comunidad", 0.7)]),
    };
    let floors = match (land_use, condition) {
        ("zona_verde" | "lote", _) => 0,
        (_, 9) => dice.whole(5, 14),
        (_, 8) => dice.whole(2, 3),
        ("industrial", _) => 1,
        _ if quarter == Quarter::Historic => dice.weighted(&[(1, 3.0), (2, 4.0), (3, 2.0), (5, 0.6)]),
        _ => dice.weighted(&[(1, 4.5), (2, 4.5), (3, 1.0)]),
    };
    let cover = match condition {
        8 | 9 => dice.between(0.22, 0.38),
        _ if area > 1500.0 => dice.between(0.2, 0.5),
        _ => dice.between(0.6, 0.92),
    };
    let built = if floors == 0 { 0.0 } else { area * cover * floors as f64 };
    let units = match condition {
        8 => (area / 190.0).ceil() as i64,
        9 => (built / 85.0).ceil() as i64,
        _ => 1,
    };
    let per_metre =
        180_000.0 + 160_000.0 * barrio.stratum as f64 + if quarter == Quarter::Historic { 700_000.0 } else { 0.0 };
    let value = (area * per_metre + built * 650_000.0) * dice.between(0.75, 1.25);
    let lived_in = matches!(land_use, "residencial" | "mixto");
    Predio {
        shape: plane::polygon(lot),
        number: String::new(),
        address: String::new(),
        land_use,
        stratum: lived_in.then(|| (barrio.stratum + dice.weighted(&[(0, 8.0), (1, 1.0), (-1, 1.0)])).clamp(1, 6)),
        condition,
        owner,
        area,
        built,
        floors,
        units,
        value: if is_park { 0 } else { (value / 1000.0).round() as i64 * 1000 },
        site: Site::Block(0),
    }
}

/// Every parcel outside the city.
pub(super) fn rural_predios(ground: &Ground, veredas: &[Vereda], seed: u64) -> Vec<Predio> {
    const FARMS: [&str; 20] = [
        "El Recreo",
        "La Primavera",
        "Villa Luz",
        "Buenavista",
        "El Mirador",
        "La Palma",
        "Los Naranjos",
        "San José",
        "La Cabaña",
        "El Descanso",
        "Las Brisas",
        "El Edén",
        "La Fortuna",
        "Monterrey",
        "El Vergel",
        "La Floresta",
        "Santa Bárbara",
        "El Paraíso",
        "La Ilusión",
        "Los Guaduales",
    ];
    let mut predios = Vec::new();
    for (index, vereda) in veredas.iter().enumerate() {
        let code = vereda_code(ground, veredas, index);
        let mut dice = Dice::new(seed, &code);
        for (order, shape) in vereda.parcels.iter().enumerate() {
            let area = geo::Area::unsigned_area(shape);
            let steep = super::terrain::steepness(ground, middle(&shape.exterior().0));
            let land_use = if steep > 0.75 && dice.chance(0.55) {
                "forestal"
            } else {
                dice.weighted(&[("agropecuario", 88.0), ("residencial", 8.0), ("dotacional", 1.0), ("forestal", 3.0)])
            };
            let owner = match land_use {
                "forestal" => dice.weighted(&[("particular", 5.0), ("municipio", 3.0), ("entidad_publica", 2.0)]),
                _ => dice.weighted(&[("particular", 97.0), ("municipio", 2.0), ("comunidad", 1.0)]),
            };
            let built = if land_use == "forestal" { 0.0 } else { dice.between(60.0, 340.0).min(area * 0.3) };
            predios.push(Predio {
                shape: shape.clone(),
                number: format!("{code}{:04}000000000", order + 1),
                address: format!("Finca {}, vereda {}", dice.pick(&FARMS), vereda.name),
                land_use,
                stratum: (land_use == "residencial").then(|| dice.whole(1, 3)),
                condition: 0,
                owner,
                area,
                built,
                floors: i64::from(built > 0.0),
                units: 1,
                value: ((area * dice.between(700.0, 2600.0) + built * 380_000.0) / 1000.0).round() as i64 * 1000,
                site: Site::Vereda(index),
            });
        }
    }
    predios
}

/// The direction of a segment at its middle, and that middle.
pub(super) fn midpoint(segment: &Segment) -> (Coord, Coord) {
    let half = segment.line.len() / 2;
    let (a, b) = if segment.line.len() == 2 {
        (segment.line[0], segment.line[1])
    } else {
        (segment.line[half - 1], segment.line[half])
    };
    (between(a, b, 0.5), direction(a, b))
}
