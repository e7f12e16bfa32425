//! Points: one of those that would be drawn over each other, with their count.

use super::{Kept, Source};
use crate::index::{Drafts, GeometryKind, Head, NO_ID};
use crate::world::cell;

/// Points are thinned in squares of so many pixels …
pub(super) const PIXELS: u32 = 8;
/// … which are tiles of zoom z + 6: a tile is 512 pixels wide.
const ZOOMS: u8 = (512 / PIXELS).ilog2() as u8;

/// The first, along the curve, of each class in each square, with how many
/// there are.
pub(super) fn generalise(zoom: u8, enters: u8, kept: &Kept, sources: &[Source], drafts: &mut Drafts) {
    let square = |source: &Source| cell(source.position, zoom + ZOOMS);
    for sources in sources.chunk_by(|one, other| square(one) == square(other)) {
        let class = |source: &Source| kept.class.map_or(0, |class| source.codes[class]);
        let mut classes: Vec<(u32, Vec<&Source>)> = Vec::new();
        for source in sources {
            match classes.iter_mut().find(|(known, _)| *known == class(source)) {
                Some((_, alike)) => alike.push(source),
                None => classes.push((class(source), vec![source])),
            }
        }
        for (_, alike) in classes {
            let first = alike[0];
            let id = if alike.len() == 1 { first.id } else { NO_ID };
            let count = alike.iter().map(|source| source.count).sum();
            let (parts, codes) = (first.parts.iter().copied(), first.codes.iter().copied());
            let head = Head { id, count, ..Head::new(GeometryKind::Points, enters, first.position) };
            drafts.push(&head, parts, codes);
        }
    }
}
