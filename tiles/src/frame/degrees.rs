//! Longitude and latitude: a square of 360° a side, of which the northern half
//! is the world.

use std::f64::consts::{PI, TAU};
use std::sync::LazyLock;

use super::Projection;
use super::lattice::Curve;
use crate::world::Place;

/// Steps of a side, of both squares.
const SIDE: f64 = 4_294_967_296.0;
/// Latitudes are known so many spacings a side apart: 20 km at the equator.
const SPACINGS: u16 = 2048;

/// Longitude is the index's x. Latitude is Mercator's inverse on the sphere,
/// from a table that is cubic between its entries: to compute it for each
/// place took longer than all else.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Degrees {
    latitudes: &'static Curve,
}

impl Degrees {
    /// With the table of the process.
    pub(super) fn get() -> Self {
        static LATITUDES: LazyLock<Curve> =
            LazyLock::new(|| Curve::new(SPACINGS.into(), SIDE / f64::from(SPACINGS), from_mercator));
        Self { latitudes: &LATITUDES }
    }
}

impl Projection for Degrees {
    fn project(self, [x, y]: Place) -> [i64; 2] {
        [x.into(), self.latitudes.at(y.into()).round() as i64]
    }

    fn unproject(self, [x, y]: [f64; 2]) -> [f64; 2] {
        // Beyond the poles there is nothing.
        let latitude = ((0.25 - y / SIDE) * TAU).clamp(-1.57, 1.57);
        [x, (PI - latitude.tan().asinh()) / TAU * SIDE]
    }
}

/// The steps from the north pole's side of the square to a latitude, of the
/// steps to it in Web Mercator's.
fn from_mercator(y: f64) -> f64 {
    let latitude = (PI - y / SIDE * TAU).sinh().atan();
    (0.25 - latitude / TAU) * SIDE
}
