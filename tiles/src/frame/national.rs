//! EPSG:9377: PROJ's transformation, known at nodes some 20 km apart, once for
//! the process.

use std::sync::OnceLock;

use layers::crs::{CrsError, Transformation};

use super::Projection;
use super::lattice::Lattice;
use crate::MatrixSet;
use crate::matrix_set::HALF;
use crate::world::Place;

/// Steps of a side, of both squares.
const SIDE: f64 = 4_294_967_296.0;
/// Nodes in Web Mercator lie so many steps apart: 20 km at the equator.
const SPACING: f64 = 2_097_152.0;
/// And nodes of the way back, in the national square: 40 km.
const SPACING_BACK: f64 = 67_108_864.0;
/// What is drawn around a tile is no more than this part of its side.
const AROUND: f64 = 1.0 / 8.0;

/// From Web Mercator to the square of the national tiles, and back.
#[derive(Debug)]
pub(crate) struct National {
    to: Lattice,
    back: Lattice,
}

impl National {
    /// The one of the process.
    pub(super) fn get() -> Result<&'static Self, CrsError> {
        static ONCE: OnceLock<National> = OnceLock::new();
        if let Some(known) = ONCE.get() {
            return Ok(known);
        }
        let made = Self::new()?;
        Ok(ONCE.get_or_init(|| made))
    }

    fn new() -> Result<Self, CrsError> {
        let back = Transformation::new("EPSG:9377", "EPSG:3857")?;
        let around = AROUND * SIDE;
        let square = [-around, -around, SIDE + around, SIDE + around];
        let back = Lattice::new(square, SPACING_BACK, |point| {
            let [x, y] = national_metres(point);
            back.point(x, y).map(|(x, y)| mercator_steps([x, y]))
        })?;
        let to = Transformation::new("EPSG:3857", "EPSG:9377")?;
        let to = Lattice::new(back.range(), SPACING, |point| {
            let [x, y] = mercator_metres(point);
            to.point(x, y).map(|(x, y)| national_steps([x, y]))
        })?;
        Ok(Self { to, back })
    }
}

impl Projection for &National {
    fn project(self, [x, y]: Place) -> [i64; 2] {
        self.to.at([x.into(), y.into()]).map(|step| step.round() as i64)
    }

    fn unproject(self, point: [f64; 2]) -> [f64; 2] {
        self.back.at(point)
    }
}

/// A point of the national square in metres of EPSG:9377, x before y.
fn national_metres([x, y]: [f64; 2]) -> [f64; 2] {
    let set = MatrixSet::MagnaOrigenNacional;
    let ([left, top], step) = (set.corner(), set.side(0) / SIDE);
    [left + x * step, top - y * step]
}

fn national_steps([x, y]: [f64; 2]) -> [f64; 2] {
    let set = MatrixSet::MagnaOrigenNacional;
    let ([left, top], step) = (set.corner(), set.side(0) / SIDE);
    [(x - left) / step, (top - y) / step]
}

fn mercator_metres([x, y]: [f64; 2]) -> [f64; 2] {
    let step = 2.0 * HALF / SIDE;
    [x * step - HALF, HALF - y * step]
}

fn mercator_steps([x, y]: [f64; 2]) -> [f64; 2] {
    let step = 2.0 * HALF / SIDE;
    [(x + HALF) / step, (HALF - y) / step]
}
