//! The whole city in one place: skeleton, streets, blocks and lots.

use geo::{Coord, CoordsIter, MultiPolygon};
use rstar::RTree;

use super::cadastre;
use super::dice::Dice;
use super::layout::{self, Block};
use super::network;
use super::parcel;
use super::plane::{distance, middle, ring_area};
use super::profile::{Class, Quarter};
use super::streets::Segment;
use super::town::{Ground, Town};
use super::water::{Course, strips_near};
use super::{Progress, Size};

/// The city's streets and blocks.
pub(super) struct Urban {
    pub(super) blocks: Vec<Block>,
    /// The number of each block within its barrio, from 1.
    pub(super) numbers: Vec<usize>,
    pub(super) segments: Vec<Segment>,
}

/// Draws streets and blocks, barrio by barrio.
pub(super) fn draw(ground: &Ground, town: &Town, courses: &[Course], seed: u64, progress: Progress<'_>) -> Urban {
    let squares: Vec<Coord> = ground
        .profile
        .places
        .heritage
        .iter()
        .filter(|(_, kind, _)| *kind == "espacio_publico")
        .filter_map(|(_, _, place)| place.map(|place| ground.profile.metres(place)))
        .collect();
    let mut blocks = Vec::new();
    let mut numbers = Vec::new();
    let mut segments = Vec::new();
    let fringe = Fringe::new(&town.perimeter);
    for (index, barrio) in town.barrios.iter().enumerate() {
        let mut dice = Dice::new(seed, &format!("barrio {}", barrio.name));
        let corridors = strips_near(courses, &MultiPolygon::new(vec![barrio.shape.clone()]));
        let mut drawn = layout::draw(ground, barrio, index, &corridors, &squares, &mut dice);
        drawn.blocks.retain(|block| !fringe.holds(ground, middle(&block.ring)));
        drawn.segments.retain(|segment| !fringe.holds(ground, cadastre::midpoint(segment).0));
        numbers.extend(1..=drawn.blocks.len());
        blocks.append(&mut drawn.blocks);
        segments.append(&mut drawn.segments);
        progress("barrios", index + 1, town.barrios.len());
    }
    let mut main = network::join(ground, &town.cuts, &mut segments);
    segments.retain(|segment| network::length(&segment.line) > 4.0);
    main.retain(|segment| segment.class < Class::Collector || !fringe.holds(ground, cadastre::midpoint(segment).0));
    main.append(&mut segments);
    Urban { blocks, numbers, segments: main }
}

/// The city's ragged edge: inside the perimeter, and not built on yet.
struct Fringe(RTree<[f64; 2]>);

impl Fringe {
    fn new(perimeter: &MultiPolygon) -> Self {
        Self(RTree::bulk_load(perimeter.coords_iter().map(|p| [p.x, p.y]).collect()))
    }

    fn holds(&self, ground: &Ground, place: Coord) -> bool {
        let depth = 520.0 * ground.noise.fractal(place, 620.0, 3);
        self.0
            .nearest_neighbor([place.x, place.y])
            .is_some_and(|edge| (edge[0] - place.x).hypot(edge[1] - place.y) < depth)
    }
}

/// How much greater than usual lots are here: 1 with the full city, and with
/// the small one in the centre.
pub(super) fn growth(ground: &Ground, size: Size, place: Coord, quarter: Quarter) -> f64 {
    let scale = ground.profile.lot_scale;
    if size == Size::Full {
        return scale;
    }
    let centre = ground.profile.metres(ground.profile.centre);
    let beyond = distance(place, centre) - ground.profile.detailed_radius;
    if beyond <= 0.0 {
        return scale;
    }
    let growth = scale + beyond / 90.0;
    // Quarters whose lots are great already grow less.
    if matches!(quarter, Quarter::Closed | Quarter::Industrial) { growth.sqrt() } else { growth }
}

/// The lots of a block.
pub(super) fn lots(ground: &Ground, town: &Town, block: &Block, size: Size, dice: &mut Dice) -> Vec<Vec<Coord>> {
    let quarter = town.barrios[block.barrio].quarter;
    let whole = vec![block.ring.clone()];
    if block.is_park || ring_area(&block.ring) < 250.0 {
        return whole;
    }
    match parcel::plan(quarter, growth(ground, size, middle(&block.ring), quarter), dice) {
        None => whole,
        Some(plan) => parcel::subdivide(&block.ring, &plan, dice),
    }
}
