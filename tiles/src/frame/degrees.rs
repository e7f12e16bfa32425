//! Longitude and latitude: a square of 360° a side, of which the northern half
//! is the world.

use std::f64::consts::{PI, TAU};

use super::Projection;
use crate::world::Place;

/// Steps of a side.
const SIDE: f64 = 4_294_967_296.0;

/// Longitude is the index's x; latitude comes by Mercator's inverse on the
/// sphere, exactly.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Degrees;

impl Projection for Degrees {
    fn project(self, [x, y]: Place) -> [i64; 2] {
        let latitude = (PI - f64::from(y) / SIDE * TAU).sinh().atan();
        [x.into(), ((0.25 - latitude / TAU) * SIDE).round() as i64]
    }

    fn unproject(self, [x, y]: [f64; 2]) -> [f64; 2] {
        // Beyond the poles there is nothing.
        let latitude = ((0.25 - y / SIDE) * TAU).clamp(-1.57, 1.57);
        [x, (PI - latitude.tan().asinh()) / TAU * SIDE]
    }
}
