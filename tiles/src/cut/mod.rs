//! From places to the units of one tile: snapped, clipped, kept valid.

mod area;
mod line;
mod noding;
mod polygonize;
mod segment;
mod valid;

use crate::EXTENT;
use crate::frame::Grid;
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

    pub(crate) fn holds(self, [x, y]: Unit) -> bool {
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

/// Rings with more places than this are looked at when they are cut, not before.
const MOST_LOOKED_AT: usize = 4096;
/// At this zoom a unit is a step; above, snapping changes nothing.
const UNIT_IS_STEP: u8 = 20;
/// Stands for no zoom.
const NEVER: u8 = 63;

impl Cutter {
    /// What of the geometry lies in the clip, in `cut`, which is cleared.
    /// `is_simple`: its rings stay simple when they are snapped. Without a
    /// clip, all of it lies within.
    pub(crate) fn cut<'a>(
        &mut self,
        kind: GeometryKind,
        is_simple: bool,
        parts: impl Iterator<Item = &'a [Place]>,
        grid: impl Grid,
        clip: Option<Clip>,
        cut: &mut Cut,
    ) {
        cut.clear();
        match kind {
            GeometryKind::Points => {
                let units = parts.flatten().map(|place| grid.to_units(*place));
                cut.points.extend(units.filter(|unit| clip.is_none_or(|clip| clip.holds(*unit))));
                cut.points.dedup();
                if !cut.points.is_empty() {
                    cut.ends.push(cut.points.len());
                }
            }
            GeometryKind::Lines => {
                for part in parts {
                    self.snap(part, grid);
                    match clip {
                        Some(clip) => line::clip(&self.path, clip, cut),
                        None if self.path.len() > 1 => cut.push(self.path.iter().copied()),
                        None => {}
                    }
                }
            }
            GeometryKind::Areas if is_simple && clip.is_none() => {
                for part in parts {
                    let from = cut.points.len();
                    grid.extend_units(part, &mut cut.points);
                    area::tidy(&mut cut.points, from);
                    if cut.points.len() > from {
                        cut.ends.push(cut.points.len());
                    }
                }
            }
            GeometryKind::Areas => {
                self.rings.clear();
                for part in parts {
                    self.snap(part, grid);
                    let exterior = twice_area(part) >= 0;
                    if let Some(clip) = clip {
                        area::clip(&mut self.path, &mut self.spare, clip);
                    }
                    area::tidy(&mut self.path, 0);
                    if !self.path.is_empty() {
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

    /// The lowest zoom from which on, at all zooms, the rings stay simple when
    /// they are snapped, and each goes round as before; 63 where there is none
    /// or nobody looked. 0 for what has no rings.
    pub(crate) fn simple_from<'a>(
        &mut self,
        kind: GeometryKind,
        parts: &(impl Iterator<Item = &'a [Place]> + Clone),
    ) -> u8 {
        if kind != GeometryKind::Areas {
            return 0;
        }
        if parts.clone().map(<[Place]>::len).sum::<usize>() > MOST_LOOKED_AT {
            return NEVER;
        }
        let mut lowest = NEVER;
        for zoom in (0..=UNIT_IS_STEP).rev() {
            if !self.is_simple_at(zoom, parts.clone()) {
                break;
            }
            lowest = zoom;
        }
        lowest
    }

    fn is_simple_at<'a>(&mut self, zoom: u8, parts: impl Iterator<Item = &'a [Place]>) -> bool {
        self.rings.clear();
        let mut window = None;
        for part in parts {
            let Some(first) = part.first() else { return false };
            let window = *window.get_or_insert_with(|| Window::holding(zoom, *first));
            self.snap(part, window);
            area::tidy(&mut self.path, 0);
            if self.path.is_empty() || (area::twice(&self.path) > 0) != (twice_area(part) >= 0) {
                return false;
            }
            self.rings.push(self.path.iter().copied());
        }
        self.valid.is_valid(&self.rings)
    }

    /// The part in units, without repeated points.
    fn snap(&mut self, part: &[Place], grid: impl Grid) {
        self.path.clear();
        self.path.extend(part.iter().map(|place| grid.to_units(*place)));
        self.path.dedup();
    }
}
