//! Lines: those of one class joined where they meet.

use std::collections::HashMap;

use super::{Source, simplify};
use crate::index::{Drafts, GeometryKind, Head, NO_ID};
use crate::world::{NOWHERE, Place, pixel, with_place};

/// One feature for those that are alike in all that is kept, its lines joined
/// end to end where no third begins; what is shorter than half a pixel then
/// is left out.
pub(super) fn generalise(zoom: u8, enters: u8, sources: &[Source], drafts: &mut Drafts) {
    let side = pixel(zoom);
    let mut groups: Vec<Vec<&Source>> = Vec::new();
    let mut known: HashMap<&[u32], usize> = HashMap::new();
    for source in sources {
        let index = *known.entry(&source.codes).or_insert_with(|| {
            groups.push(Vec::new());
            groups.len() - 1
        });
        groups[index].push(source);
    }
    for group in groups {
        let parts: Vec<&[Place]> = group.iter().flat_map(|source| source.parts.iter().copied()).collect();
        let mut lines = join(&parts);
        lines.retain(|line| extent(line) * 2 >= side);
        for line in &mut lines {
            *line = simplify::path(line, f64::from(side) / 4.0);
        }
        if lines.is_empty() {
            continue;
        }
        let (first, id) = (group[0], if group.len() == 1 { group[0].id } else { NO_ID });
        let count = group.iter().map(|source| source.count).sum();
        let codes = first.codes.iter().copied();
        let parts = lines.iter().map(Vec::as_slice);
        let head = Head { id, count, ..Head::new(GeometryKind::Lines, enters, first.position) };
        drafts.push(&head, parts, codes);
    }
}

fn extent(line: &[Place]) -> u32 {
    let rect = line.iter().copied().fold(NOWHERE, with_place);
    (rect[2] - rect[0]).max(rect[3] - rect[1])
}

/// The paths, joined where exactly two ends meet.
fn join(paths: &[&[Place]]) -> Vec<Vec<Place>> {
    let mut ends: HashMap<Place, Vec<usize>> = HashMap::new();
    for (number, path) in paths.iter().enumerate() {
        for end in [path.first(), path.last()].into_iter().flatten() {
            ends.entry(*end).or_default().push(number);
        }
    }
    let mut is_used = vec![false; paths.len()];
    let mut joined = Vec::new();
    for start in 0..paths.len() {
        if std::mem::replace(&mut is_used[start], true) {
            continue;
        }
        let mut line = paths[start].to_vec();
        for _ in 0..2 {
            // On from its end, then, turned round, from its other end.
            while let Some(next) = next(&line, &ends, &is_used) {
                is_used[next] = true;
                let path = paths[next];
                if path.first() == line.last() {
                    line.extend_from_slice(&path[1..]);
                } else {
                    line.extend(path.iter().rev().skip(1));
                }
            }
            line.reverse();
        }
        joined.push(line);
    }
    joined
}

/// The one other path that meets the line's end, where it is not used yet.
fn next(line: &[Place], ends: &HashMap<Place, Vec<usize>>, is_used: &[bool]) -> Option<usize> {
    let meeting = line.last().and_then(|end| ends.get(end)).filter(|meeting| meeting.len() == 2)?;
    meeting.iter().copied().find(|path| !is_used[*path])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_that_meet_end_to_end_are_one() {
        let paths: [&[Place]; 3] = [&[[5, 0], [9, 0]], &[[5, 0], [0, 0]], &[[9, 9], [9, 0]]];
        assert_eq!(join(&paths), [[[0, 0], [5, 0], [9, 0], [9, 9]]]);
    }

    #[test]
    fn at_a_crossing_they_end() {
        let paths: [&[Place]; 4] = [&[[5, 0], [5, 5]], &[[5, 5], [5, 9]], &[[0, 5], [5, 5]], &[[5, 5], [9, 5]]];
        assert_eq!(join(&paths).len(), 4);
    }

    #[test]
    fn a_ring_ends_where_it_began() {
        let paths: [&[Place]; 2] = [&[[0, 0], [5, 0]], &[[5, 0], [5, 5], [0, 0]]];
        assert_eq!(join(&paths), [[[0, 0], [5, 0], [5, 5], [0, 0]]]);
    }
}
