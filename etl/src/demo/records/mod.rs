//! What the collections hold, one function each, grouped by sector.

mod base;
mod cadastre;
mod connectivity;
mod mobility;
mod risk;
mod services;
mod territory;

use geo::{Coord, MultiPolygon, Point, Polygon};

use super::cadastre::{Predio, Site};
use super::dice::Dice;
use super::plane::{distance, middle};
use super::profile::{Class, Spot};
use super::rural::Vereda;
use super::streets::Segment;
use super::table::Table;
use super::terrain::Zone;
use super::town::{Ground, Town};
use super::urban::Urban;
use super::water::Course;
use super::{Progress, Size};

/// Everything that was generated, for the collections to draw on.
pub(super) struct World<'a> {
    pub(super) ground: &'a Ground,
    pub(super) size: Size,
    pub(super) seed: u64,
    pub(super) limit: &'a MultiPolygon,
    pub(super) town: &'a Town,
    pub(super) urban: &'a Urban,
    pub(super) courses: &'a [Course],
    pub(super) veredas: &'a [Vereda],
    pub(super) corregimientos: &'a [MultiPolygon],
    pub(super) roads: &'a [Segment],
    pub(super) predios: &'a [Predio],
    /// How many of `predios`, the first ones, lie in the city.
    pub(super) in_city: usize,
    pub(super) zones: &'a [Zone],
}

/// A collection: its id, and what makes its rows.
type Collection = (&'static str, fn(&World<'_>) -> Vec<super::table::Row>);

/// Every collection, in the order in which they are made.
const COLLECTIONS: [Collection; 30] = [
    ("limite_municipal", territory::limit),
    ("comunas", territory::comunas),
    ("corregimientos", territory::corregimientos),
    ("barrios", territory::barrios),
    ("veredas", territory::veredas),
    ("centros_poblados", territory::settlements),
    ("manzanas", base::blocks),
    ("vias", base::streets),
    ("hidrografia", base::water),
    ("predios", cadastre::predios),
    ("predios_municipales", cadastre::municipal),
    ("usos_suelo", cadastre::land_uses),
    ("amenazas", risk::hazards),
    ("riesgos", risk::risks),
    ("areas_reforestadas", risk::reforested),
    ("eventos_emergencia", risk::emergencies),
    ("zonas_wifi", connectivity::wifi),
    ("pvd", connectivity::vive_points),
    ("kvd", connectivity::vive_kiosks),
    ("instituciones_educativas", services::schools),
    ("sedes_salud", services::health),
    ("bibliotecas", services::libraries),
    ("cam", services::service_centres),
    ("salones_comunales", services::halls),
    ("patrimonio", services::heritage),
    ("iglesias", services::churches),
    ("establecimientos", services::businesses),
    ("obras", mobility::works),
    ("siniestros_viales", mobility::crashes),
    ("rutas_transporte", mobility::routes),
];

/// The ids of all collections.
#[cfg(test)]
pub(super) fn ids() -> impl Iterator<Item = &'static str> {
    COLLECTIONS.iter().map(|(id, _)| *id)
}

/// Makes every collection, one at a time, and hands it over.
pub(super) fn each<E>(
    world: &World<'_>,
    progress: Progress<'_>,
    mut take: impl FnMut(Table) -> Result<(), E>,
) -> Result<(), E> {
    for (index, (id, make)) in COLLECTIONS.iter().enumerate() {
        take(Table { id, rows: make(world) })?;
        progress("collections", index + 1, COLLECTIONS.len());
    }
    Ok(())
}

impl World<'_> {
    fn dice(&self, name: &str) -> Dice {
        Dice::new(self.seed, name)
    }

    /// So many in the full city, a fifth of them in the small one.
    fn share(&self, full: usize) -> usize {
        if self.size == Size::Full { full } else { full / 5 }
    }

    fn place(&self, spot: Spot) -> Coord {
        match spot {
            Spot::Crossing(across, along) => self.ground.valley.to_map(self.ground.of_indices(across, along)),
            Spot::Map(east, north) => self.ground.profile.metres((east, north)),
        }
    }

    fn barrio_of(&self, predio: &Predio) -> Option<usize> {
        match predio.site {
            Site::Block(block) => Some(self.urban.blocks[block].barrio),
            Site::Vereda(_) => None,
        }
    }

    /// A predio of the city that is no park, anywhere.
    fn some_predio(&self, dice: &mut Dice) -> &Predio {
        loop {
            let predio = &self.predios[dice.index(self.in_city)];
            if predio.condition != 3 {
                return predio;
            }
        }
    }

    /// A predio in a barrio drawn evenly among all, so that what is small in
    /// the number of lots is served too.
    fn spread_predio(&self, dice: &mut Dice, taken: &mut Vec<usize>) -> &Predio {
        let mut best: Option<(usize, usize, usize)> = None;
        for _ in 0..40 {
            let index = dice.index(self.in_city);
            let predio = &self.predios[index];
            let barrio = self.barrio_of(predio).unwrap_or_default();
            let uses = taken.iter().filter(|used| **used == barrio).count();
            if predio.condition != 3 && best.is_none_or(|(least, ..)| uses < least) {
                best = Some((uses, index, barrio));
            }
        }
        let (_, index, barrio) = best.unwrap_or_default();
        taken.push(barrio);
        &self.predios[index]
    }

    /// The predio of the city nearest to a place.
    fn predio_at(&self, place: Coord) -> &Predio {
        let far = |predio: &Predio| distance(predio.shape.exterior().0[0], place);
        self.predios[..self.in_city].iter().min_by(|a, b| far(a).total_cmp(&far(b))).unwrap_or(&self.predios[0])
    }

    fn barrio_name(&self, predio: &Predio) -> Option<&str> {
        self.barrio_of(predio).map(|barrio| self.town.barrios[barrio].name.as_str())
    }

    /// A street segment that carries traffic, main ones more often.
    fn some_street(&self, dice: &mut Dice) -> &Segment {
        loop {
            let segment = &self.urban.segments[dice.index(self.urban.segments.len())];
            let share = match segment.class {
                Class::Arterial => 1.0,
                Class::Main => 0.8,
                Class::Collector => 0.4,
                Class::Local => 0.08,
                Class::Footway | Class::Rural => 0.0,
            };
            if dice.chance(share) {
                return segment;
            }
        }
    }
}

/// The middle of a predio, as a point.
fn point_of(predio: &Predio) -> Point {
    let mut ring = predio.shape.exterior().0.clone();
    ring.pop();
    Point::from(middle(&ring))
}

/// A polygon as the only part of a multipolygon.
fn multi(shape: &Polygon) -> MultiPolygon {
    MultiPolygon::new(vec![shape.clone()])
}

/// A code of a municipality's own: `WIFI-007`.
fn code(prefix: &str, index: usize) -> String {
    format!("{prefix}-{:03}", index + 1)
}
