//! From places to the units of one tile: snapped, clipped, kept valid.

mod area;
mod line;
mod valid;

use i_overlay::i_float::int::point::IntPoint;

use crate::EXTENT;
use crate::index::GeometryKind;
use crate::world::{Place, Window, twice_area};

/// A coordinate in units of a tile: x, then y, from its north-west corner.
pub(crate) type Unit = [i32; 2];

/// The part of a tile's plane that is drawn: the tile and a buffer around it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clip {
    pub(crate) least: i32,
    pub(crate) most: i32,
}

impl Clip {
    pub(crate) fn new(buffer: i32) -> Self {
        Self { least: -buffer, most: EXTENT as i32 + buffer }
    }

    fn holds(self, [x, y]: Unit) -> bool {
        (self.least..=self.most).contains(&x) && (self.least..=self.most).contains(&y)
    }
}

/// What is left of a geometry in a tile: points, paths, or the rings of
/// polygons, each exterior before its holes, the exteriors with positive area
/// by the surveyor's formula on units (MVT 2.1, 4.3.3.3).
#[derive(Debug, Default)]
pub(crate) struct Cut {
    points: Vec<Unit>,
    ends: Vec<usize>,
}

impl Cut {
    pub(crate) fn clear(&mut self) {
        self.points.clear();
        self.ends.clear();
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Its paths or rings.
    pub(crate) fn parts(&self) -> impl Iterator<Item = &[Unit]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, end)| &self.points[start..*end])
    }

    pub(crate) fn push(&mut self, part: impl IntoIterator<Item = Unit>) {
        self.points.extend(part);
        self.ends.push(self.points.len());
    }
}

/// Cuts one geometry after another, in buffers that it keeps.
#[derive(Debug, Default)]
pub(crate) struct Cutter {
    path: Vec<Unit>,
    spare: Vec<Unit>,
    rings: Cut,
    valid: valid::Checker,
}

impl Cutter {
    /// What of the geometry lies in the clip, in `cut`, which is cleared.
    pub(crate) fn cut<'a>(
        &mut self,
        kind: GeometryKind,
        parts: impl Iterator<Item = &'a [Place]>,
        window: Window,
        clip: Clip,
        cut: &mut Cut,
    ) {
        cut.clear();
        match kind {
            GeometryKind::Points => {
                let inside = parts.flatten().map(|place| window.to_units(*place)).filter(|unit| clip.holds(*unit));
                cut.points.extend(inside);
                cut.points.dedup();
                if !cut.points.is_empty() {
                    cut.ends.push(cut.points.len());
                }
            }
            GeometryKind::Lines => {
                for part in parts {
                    self.snap(part, window);
                    line::clip(&self.path, clip, cut);
                }
            }
            GeometryKind::Areas => {
                self.rings.clear();
                for part in parts {
                    self.snap(part, window);
                    let exterior = twice_area(part) >= 0;
                    area::clip(&mut self.path, &mut self.spare, clip);
                    area::tidy(&mut self.path);
                    if self.path.len() >= 3 {
                        // Marked by direction, whatever snapping made of it.
                        if (area::twice(&self.path) > 0) != exterior {
                            self.path.reverse();
                        }
                        self.rings.push(self.path.iter().copied());
                    }
                }
                self.valid.write(&self.rings, cut);
            }
        }
    }

    /// The part in units, without repeated points.
    fn snap(&mut self, part: &[Place], window: Window) {
        self.path.clear();
        self.path.extend(part.iter().map(|place| window.to_units(*place)));
        self.path.dedup();
    }
}

fn int_point([x, y]: Unit) -> IntPoint {
    IntPoint::new(x, y)
}
