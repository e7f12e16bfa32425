//! A packed R-tree over features that lie along the Hilbert curve (Kamel and
//! Faloutsos, 1993): a node is the box around sixteen neighbours, its place
//! among the others says which. Nothing but boxes is kept, and a node's
//! features are a range of rows.

use std::ops::Range;

use crate::world::{NOWHERE, Rect, with_rect};

/// Boxes of a node.
const FAN: usize = 16;

/// Rows whose boxes meet what was searched for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Hits {
    pub(crate) rows: Range<u32>,
    /// Whether all of them lie within it, edges too.
    pub(crate) inside: bool,
}

/// Gives the boxes of the features, in their order, and behind them those of
/// the nodes, level by level.
pub(super) fn build(mut level: Vec<Rect>, mut give: impl FnMut(&[Rect])) {
    while !level.is_empty() {
        give(&level);
        let around = |node: &[Rect]| node.iter().copied().fold(NOWHERE, with_rect);
        level = if level.len() > 1 { level.chunks(FAN).map(around).collect() } else { Vec::new() };
    }
}

/// Where each level of a tree over so many features begins, and its end.
fn levels(features: usize) -> impl Iterator<Item = Range<usize>> {
    let first = Some(0..features).filter(|level| !level.is_empty());
    std::iter::successors(first, |level| (level.len() > 1).then(|| level.end..level.end + level.len().div_ceil(FAN)))
}

/// How many boxes there are in a tree over so many features.
pub(super) fn size(features: usize) -> usize {
    levels(features).last().map_or(0, |level| level.end)
}

/// Appends the rows whose boxes meet `area`, in their order.
pub(super) fn search(boxes: &[Rect], features: usize, area: Rect, hits: &mut Vec<Hits>) {
    let levels: Vec<Range<usize>> = levels(features).collect();
    if let Some(root) = levels.len().checked_sub(1) {
        visit(boxes, &levels, root, levels[root].start, area, hits);
    }
}

fn visit(boxes: &[Rect], levels: &[Range<usize>], level: usize, node: usize, area: Rect, hits: &mut Vec<Hits>) {
    let rect = boxes[node];
    if rect[0] > area[2] || rect[2] < area[0] || rect[1] > area[3] || rect[3] < area[1] {
        return;
    }
    let inside = rect[0] >= area[0] && rect[2] <= area[2] && rect[1] >= area[1] && rect[3] <= area[3];
    let number = node - levels[level].start;
    if inside || level == 0 {
        let width = FAN.pow(level as u32);
        let rows = (number * width) as u32..((number + 1) * width).min(levels[0].end) as u32;
        match hits.last_mut() {
            Some(last) if last.inside == inside && last.rows.end == rows.start => last.rows.end = rows.end,
            _ => hits.push(Hits { rows, inside }),
        }
        return;
    }
    let below = &levels[level - 1];
    let first = below.start + number * FAN;
    for child in first..(first + FAN).min(below.end) {
        visit(boxes, levels, level - 1, child, area, hits);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rect() -> impl Strategy<Value = Rect> {
        (0..1000_u32, 0..1000_u32, 0..60_u32, 0..60_u32).prop_map(|(x, y, w, h)| [x, y, x + w, y + h])
    }

    proptest! {
        #[test]
        fn what_is_found_is_what_meets(boxes in prop::collection::vec(rect(), 0..700), area in rect(), more in 0..900_u32) {
            let area = [area[0], area[1], area[2] + more, area[3] + more];
            let mut tree = Vec::new();
            build(boxes.clone(), |level| tree.extend_from_slice(level));
            prop_assert_eq!(tree.len(), size(boxes.len()));
            let mut hits = Vec::new();
            search(&tree, boxes.len(), area, &mut hits);
            let meets = |rect: &Rect| rect[0] <= area[2] && rect[2] >= area[0] && rect[1] <= area[3] && rect[3] >= area[1];
            let within = |rect: &Rect| rect[0] >= area[0] && rect[2] <= area[2] && rect[1] >= area[1] && rect[3] <= area[3];
            let expected: Vec<u32> = (0..boxes.len() as u32).filter(|row| meets(&boxes[*row as usize])).collect();
            let found: Vec<u32> = hits.iter().flat_map(|hits| hits.rows.clone()).collect();
            prop_assert_eq!(found, expected);
            for hit in hits {
                for row in hit.rows {
                    prop_assert_eq!(within(&boxes[row as usize]), hit.inside);
                }
            }
        }
    }
}
