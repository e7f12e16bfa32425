//! The valley's own coordinates: `s` metres along its axis, `t` metres to the
//! left of it. Streets, barrios and addresses are laid out in them, so that
//! avenues follow the valley and bend where it bends.

use geo::Coord;

use super::noise::Noise;
use super::plane::{along, cross, distance, dot};

const STEP: f64 = 20.0;

/// The axis, sampled, and the noise that keeps streets from being ruled.
pub(super) struct Valley {
    axis: Vec<(Coord, f64)>,
    start: f64,
    noise: Noise,
}

impl Valley {
    /// An axis that passes `origin` at `s = 0`; `headings` are (`s` in metres,
    /// degrees anticlockwise from east), eased between.
    pub(super) fn new(origin: Coord, headings: &[(f64, f64)], reach: (f64, f64), noise: Noise) -> Self {
        let heading = |s: f64| {
            let last = headings.len() - 1;
            if s <= headings[0].0 {
                return headings[0].1.to_radians();
            }
            for pair in headings.windows(2) {
                if s <= pair[1].0 {
                    let t = (s - pair[0].0) / (pair[1].0 - pair[0].0);
                    let eased = t * t * (3.0 - 2.0 * t);
                    return (pair[0].1 + (pair[1].1 - pair[0].1) * eased).to_radians();
                }
            }
            headings[last].1.to_radians()
        };
        let walk = |direction: f64, length: f64| {
            let mut points = Vec::new();
            let (mut at, mut s) = (origin, 0.0_f64);
            while s.abs() < length {
                let angle = heading(s + direction * STEP / 2.0);
                at = along(at, Coord { x: angle.cos(), y: angle.sin() }, direction * STEP);
                s += direction * STEP;
                points.push((at, heading(s)));
            }
            points
        };
        let mut axis = walk(-1.0, -reach.0);
        let start = -(axis.len() as f64) * STEP;
        axis.reverse();
        axis.push((origin, heading(0.0)));
        axis.extend(walk(1.0, reach.1));
        Self { axis, start, noise }
    }

    fn frame(&self, s: f64) -> (Coord, f64) {
        let place = ((s - self.start) / STEP).clamp(0.0, (self.axis.len() - 2) as f64 + 0.999);
        let index = place.floor() as usize;
        let part = (s - self.start) / STEP - index as f64;
        let ((a, ha), (b, hb)) = (self.axis[index], self.axis[index + 1]);
        (super::plane::between(a, b, part), ha + (hb - ha) * part.clamp(0.0, 1.0))
    }

    /// The point (easting, northing) of `(s, t)`.
    pub(super) fn to_map(&self, st: Coord) -> Coord {
        let (base, heading) = self.frame(st.x);
        let left = Coord { x: -heading.sin(), y: heading.cos() };
        let wander = self.noise.displacement(st, 1700.0, 2, 55.0);
        along(along(base, left, st.y), wander, 1.0)
    }

    /// The `(s, t)` of a point: the inverse, to a millimetre.
    pub(super) fn to_frame(&self, point: Coord) -> Coord {
        let stride = 25;
        let nearest = (0..self.axis.len())
            .step_by(stride)
            .min_by(|a, b| distance(self.axis[*a].0, point).total_cmp(&distance(self.axis[*b].0, point)))
            .unwrap_or(0);
        let mut st = Coord { x: self.start + nearest as f64 * STEP, y: 0.0 };
        for _ in 0..40 {
            let error = along(point, self.to_map(st), -1.0);
            let (_, heading) = self.frame(st.x);
            let ahead = Coord { x: heading.cos(), y: heading.sin() };
            let step = Coord { x: dot(error, ahead), y: cross(ahead, error) };
            st = along(st, step, 0.9);
            if step.x.abs() < 1e-4 && step.y.abs() < 1e-4 {
                break;
            }
        }
        st
    }

    /// The direction of growing `s` at a place, as a unit vector on the map.
    pub(super) fn ahead(&self, st: Coord) -> Coord {
        let (_, heading) = self.frame(st.x);
        Coord { x: heading.cos(), y: heading.sin() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_valley_leads_there_and_back() {
        let origin = Coord { x: 4_750_300.0, y: 2_050_300.0 };
        let valley = Valley::new(origin, &[(0.0, -48.0), (3200.0, -5.0)], (-3000.0, 17_000.0), Noise::new(7));
        for (s, t) in [(0.0, 0.0), (2500.0, 900.0), (9000.0, -1500.0), (14_000.0, 400.0)] {
            let st = Coord { x: s, y: t };
            let back = valley.to_frame(valley.to_map(st));
            assert!(distance(st, back) < 0.01, "{st:?} came back as {back:?}");
        }
    }
}
