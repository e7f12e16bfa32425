//! From WKB to places.

use geozero::GeomProcessor;
use geozero::error::{GeozeroError, Result};
use geozero::wkb::process_wkb_geom;

use super::GeometryKind;
use crate::world::{Place, place, twice_area};

/// A geometry taken apart; of a collection, what has the most dimensions.
#[derive(Debug, Default)]
pub(super) struct Reader {
    pub(super) kind: Option<GeometryKind>,
    pub(super) parts: Vec<Vec<Place>>,
    /// The kind of what comes next, and whether it is wanted.
    next: Option<GeometryKind>,
    /// How many rings the polygon has had.
    rings: usize,
    /// Whether there was any place at all, of whatever.
    pub(super) is_anywhere: bool,
}

impl Reader {
    /// Reads ISO WKB in EPSG:3857.
    pub(super) fn read(&mut self, wkb: &[u8]) -> Result<()> {
        self.kind = None;
        self.is_anywhere = false;
        self.parts.clear();
        process_wkb_geom(&mut &wkb[..], self)?;
        self.parts.retain(|part| !part.is_empty());
        Ok(())
    }

    fn begin(&mut self, kind: GeometryKind) {
        if self.kind.is_none_or(|known| known < kind) {
            self.kind = Some(kind);
            self.parts.clear();
        }
        self.next = (self.kind == Some(kind)).then_some(kind);
    }

    fn begin_part(&mut self, size: usize) {
        if self.next.is_some() {
            self.parts.push(Vec::with_capacity(size));
        }
    }
}

impl GeomProcessor for Reader {
    fn xy(&mut self, x: f64, y: f64, _: usize) -> Result<()> {
        if !x.is_finite() || !y.is_finite() {
            return Err(GeozeroError::Geometry("a coordinate is no number".to_owned()));
        }
        self.is_anywhere = true;
        if self.next.is_some()
            && let Some(part) = self.parts.last_mut()
        {
            part.push(place(x, y));
        }
        Ok(())
    }

    fn empty_point(&mut self, _: usize) -> Result<()> {
        Ok(())
    }

    fn point_begin(&mut self, _: usize) -> Result<()> {
        self.begin(GeometryKind::Points);
        self.begin_part(1);
        Ok(())
    }

    fn multipoint_begin(&mut self, size: usize, _: usize) -> Result<()> {
        self.begin(GeometryKind::Points);
        self.begin_part(size);
        Ok(())
    }

    fn linestring_begin(&mut self, tagged: bool, size: usize, _: usize) -> Result<()> {
        if tagged {
            self.begin(GeometryKind::Lines);
        }
        self.begin_part(size);
        Ok(())
    }

    fn linestring_end(&mut self, tagged: bool, _: usize) -> Result<()> {
        if !tagged
            && self.next == Some(GeometryKind::Areas)
            && let Some(ring) = self.parts.last_mut()
        {
            // Closed in WKB, open here.
            if ring.len() > 1 && ring.first() == ring.last() {
                ring.pop();
            }
            // An exterior first, then its holes, whatever way they go round.
            if (twice_area(ring) > 0) != (self.rings == 0) {
                ring.reverse();
            }
            self.rings += 1;
        }
        Ok(())
    }

    fn multilinestring_begin(&mut self, _: usize, _: usize) -> Result<()> {
        self.begin(GeometryKind::Lines);
        Ok(())
    }

    fn triangle_begin(&mut self, tagged: bool, size: usize, index: usize) -> Result<()> {
        self.polygon_begin(tagged, size, index)
    }

    fn polygon_begin(&mut self, _: bool, _: usize, _: usize) -> Result<()> {
        self.begin(GeometryKind::Areas);
        self.rings = 0;
        Ok(())
    }
}
