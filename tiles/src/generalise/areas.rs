//! Areas: simplified where they are seen, gathered where they are not.

use super::{Kept, Source, simplify};
use crate::index::{Drafts, GeometryKind, Head};
use crate::world::{NOWHERE, Place, centre, pixel, twice_area, with_place};

/// Areas of a class that were too small so far.
struct Gathered<'a> {
    class: u32,
    /// Twice their area, in square steps.
    twice: i128,
    /// The last of them.
    last: &'a Source<'a>,
}

/// Those of at least a square pixel, simplified. The others, class by class:
/// when they cover a square pixel together, a square of that size stands for
/// them where the last of them is, with its attributes.
pub(super) fn generalise<'a>(zoom: u8, enters: u8, kept: &Kept, sources: &'a [Source<'a>], drafts: &mut Drafts) {
    let side = pixel(zoom);
    let square = 2 * i128::from(side) * i128::from(side);
    let mut classes: Vec<Gathered> = Vec::new();
    for source in sources {
        let (rings, lost) = seen(source, square, f64::from(side) / 4.0);
        if !rings.is_empty() {
            let parts = rings.iter().map(Vec::as_slice);
            let codes = source.codes.iter().copied();
            let head =
                Head { id: source.id, label: source.label, ..Head::new(GeometryKind::Areas, enters, source.position) };
            drafts.push(&head, parts, codes);
        }
        if lost == 0 {
            continue;
        }
        let class = kept.class.map_or(0, |class| source.codes[class]);
        let known = classes.iter().position(|gathered| gathered.class == class);
        let index = known.unwrap_or_else(|| {
            classes.push(Gathered { class, twice: 0, last: source });
            classes.len() - 1
        });
        let gathered = &mut classes[index];
        gathered.twice += lost;
        gathered.last = source;
        if gathered.twice >= square {
            represent(enters, gathered, drafts);
            gathered.twice = 0;
        }
    }
    // What is left is more than nothing, or less than something.
    for gathered in classes.iter().filter(|gathered| 2 * gathered.twice >= square) {
        represent(enters, gathered, drafts);
    }
}

/// The rings of the polygons that are seen, and twice the area of the others.
fn seen(source: &Source, square: i128, tolerance: f64) -> (Vec<Vec<Place>>, i128) {
    let (mut rings, mut lost) = (Vec::new(), 0);
    for polygon in source.parts.chunk_by(|_, next| twice_area(next) < 0) {
        let twice: i128 = polygon.iter().map(|ring| twice_area(ring)).sum();
        let exterior = if twice >= square { simplify::ring(polygon[0], tolerance) } else { None };
        let Some(exterior) = exterior.filter(|ring| twice_area(ring) > 0) else {
            lost += twice.max(0);
            continue;
        };
        rings.push(exterior);
        let holes = polygon[1..].iter().filter(|ring| -twice_area(ring) >= square);
        rings.extend(holes.filter_map(|ring| simplify::ring(ring, tolerance)).filter(|ring| twice_area(ring) < 0));
    }
    (rings, lost)
}

/// A square of the area of what was gathered, around the last of it.
fn represent(enters: u8, gathered: &Gathered, drafts: &mut Drafts) {
    let [x, y] = centre(gathered.last.parts.iter().flat_map(|part| part.iter().copied()).fold(NOWHERE, with_place));
    let side = ((gathered.twice / 2) as u64).isqrt() as u32;
    let (west, north) = (x.saturating_sub(side / 2), y.saturating_sub(side / 2));
    let (east, south) = (west.saturating_add(side), north.saturating_add(side));
    let ring: &[Place] = &[[west, north], [east, north], [east, south], [west, south]];
    let codes = gathered.last.codes.iter().copied();
    drafts.push(&Head::new(GeometryKind::Areas, enters, gathered.last.position), [ring], codes);
}
