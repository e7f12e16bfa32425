//! A barrio's streets and blocks: rows of blocks in the barrio's own frame,
//! which may be turned and bent, clipped by the barrio's bounds.

use geo::{Area, BooleanOps, Coord, MultiPolygon, Polygon};

use super::dice::Dice;
use super::noise::Noise;
use super::plane::{self, along, between, direction, distance, greatest, holds, open_ring, polygon, turned};
use super::profile::{Class, Quarter};
use super::streets::{Segment, street_name};
use super::town::{Barrio, Ground};

/// A block, or a park or campus between streets.
pub(super) struct Block {
    /// Open and anticlockwise.
    pub(super) ring: Vec<Coord>,
    pub(super) barrio: usize,
    pub(super) is_park: bool,
}

/// What is laid out in one barrio.
#[derive(Default)]
pub(super) struct Layout {
    pub(super) blocks: Vec<Block>,
    pub(super) segments: Vec<Segment>,
}

/// How a quarter's blocks are drawn.
struct Pattern {
    /// Distances of the streets along rows, and across them.
    row: (f64, f64),
    length: (f64, f64),
    /// How much and how shortly streets bend.
    bend: (f64, f64),
    /// The share of cross streets that a row leaves out.
    merged: f64,
    /// How many rows share their cross streets.
    band: (i64, i64),
    /// Whether every second street along the rows is a footway.
    footways: bool,
}

fn pattern(quarter: Quarter) -> Option<Pattern> {
    let drawn = |row, length, bend, merged, band, footways| Some(Pattern { row, length, bend, merged, band, footways });
    match quarter {
        Quarter::Historic | Quarter::Grid | Quarter::Campus => None,
        Quarter::Terraced => drawn((37.0, 43.0), (75.0, 115.0), (6.0, 420.0), 0.2, (2, 6), true),
        Quarter::Closed => drawn((105.0, 150.0), (120.0, 190.0), (20.0, 420.0), 0.1, (1, 2), false),
        Quarter::Hillside => drawn((38.0, 50.0), (60.0, 110.0), (26.0, 330.0), 0.25, (1, 3), false),
        Quarter::Informal => drawn((30.0, 46.0), (36.0, 80.0), (15.0, 190.0), 0.2, (1, 2), false),
        Quarter::Industrial => drawn((140.0, 190.0), (160.0, 260.0), (8.0, 600.0), 0.2, (1, 3), false),
    }
}

/// A barrio's own frame: turned about its middle and bent.
struct Frame {
    centre: Coord,
    angle: f64,
    bend: (f64, f64),
    noise: Noise,
}

impl Frame {
    fn to_flat(&self, uv: Coord) -> Coord {
        let bent = if self.bend.0 > 0.0 {
            along(uv, self.noise.displacement(along(uv, self.centre, 1.0), self.bend.1, 2, self.bend.0), 1.0)
        } else {
            uv
        };
        along(self.centre, turned(bent, self.angle), 1.0)
    }
}

/// The lines of a layout: streets along rows at `rows`, and for each row
/// between two of them its cross streets.
struct Lines {
    rows: Vec<f64>,
    breaks: Vec<Vec<f64>>,
    row_widths: Vec<f64>,
    cross_width: f64,
}

/// Draws one barrio.
pub(super) fn draw(
    ground: &Ground,
    barrio: &Barrio,
    index: usize,
    corridors: &MultiPolygon,
    squares: &[Coord],
    dice: &mut Dice,
) -> Layout {
    let mut layout = Layout::default();
    if barrio.quarter == Quarter::Campus {
        layout.blocks = barrio
            .buildable
            .0
            .iter()
            .map(|part| Block { ring: open_ring(&without_holes(part)), barrio: index, is_park: false })
            .collect();
        return layout;
    }
    let (frame, lines) = match pattern(barrio.quarter) {
        None => regular(ground, barrio),
        Some(pattern) => irregular(ground, barrio, &pattern, dice),
    };
    let to_map = |uv: Coord| ground.valley.to_map(frame.to_flat(uv));
    let mut open = MultiPolygon::new(vec![barrio.shape.clone()]);
    if plane::boxes_meet(&open, corridors) {
        open = open.difference(corridors);
    }
    draw_blocks(barrio, index, &frame, &lines, &to_map, &mut layout);
    draw_streets(ground, barrio, &frame, &lines, &to_map, &open, &mut layout);
    choose_parks(barrio, squares, &mut layout, dice);
    layout
}

/// The city's own grid: lines at whole indices, halved outside the centre.
fn regular(ground: &Ground, barrio: &Barrio) -> (Frame, Lines) {
    let streets = &ground.profile.streets;
    let (low, high) = bounds(&barrio.ring);
    let halves = barrio.quarter == Quarter::Grid;
    let lines = |from: f64, to: f64, index: (f64, f64), half: bool, ways_across: bool| {
        let step = if half { 0.5 } else { 1.0 };
        let (a, b) = (index.0 + from / index.1, index.0 + to / index.1);
        let (least, most) = ((a.min(b) / step).floor() as i64, (a.max(b) / step).ceil() as i64);
        let mut at: Vec<f64> =
            (least..=most).map(|n| (ground.grid_index(n as f64 * step, ways_across) - index.0) * index.1).collect();
        at.sort_by(f64::total_cmp);
        at
    };
    // Blocks lie along the valley or across it, barrio by barrio.
    let upright = barrio.number.is_multiple_of(3);
    let along_index = (streets.along_index.0, streets.along_index.1);
    let across_index = (streets.across_index.0, streets.across_index.1);
    let rows = lines(low.y, high.y, along_index, halves && !upright, false);
    let breaks = lines(low.x, high.x, across_index, halves && upright, true);
    let count = rows.len().saturating_sub(1);
    let row_widths = vec![Class::Local.width() + 1.0; rows.len()];
    let frame = Frame { centre: Coord::default(), angle: 0.0, bend: (0.0, 1.0), noise: ground.noise };
    (frame, Lines { rows, breaks: vec![breaks; count], row_widths, cross_width: Class::Local.width() + 1.0 })
}

/// A grid of the barrio's own.
fn irregular(ground: &Ground, barrio: &Barrio, pattern: &Pattern, dice: &mut Dice) -> (Frame, Lines) {
    let (centre, axis, ..) = plane::oriented_box(&barrio.ring);
    let base = axis.y.atan2(axis.x);
    let angle = base
        + match barrio.quarter {
            Quarter::Hillside => dice.between(-0.35, 0.35),
            Quarter::Informal => dice.between(-0.7, 0.7),
            _ => dice.between(-0.06, 0.06),
        };
    let reach = barrio.ring.iter().map(|p| distance(*p, centre)).fold(0.0, f64::max) + pattern.bend.0;
    let steps = |range: (f64, f64), dice: &mut Dice| {
        let mut at = -reach - dice.between(0.0, range.1);
        let mut line = vec![at];
        while at < reach {
            at += dice.between(range.0, range.1);
            line.push(at);
        }
        line
    };
    let rows = steps(pattern.row, dice);
    let mut breaks: Vec<Vec<f64>> = Vec::new();
    while breaks.len() + 1 < rows.len() {
        let shared = steps(pattern.length, dice);
        for _ in 0..dice.whole(pattern.band.0, pattern.band.1) {
            let last = shared.len() - 1;
            let kept = (0..=last)
                .filter(|i| *i == 0 || *i == last || !dice.chance(pattern.merged))
                .map(|i| shared[i])
                .collect();
            breaks.push(kept);
        }
    }
    breaks.truncate(rows.len() - 1);
    let row_widths = (0..rows.len())
        .map(|row| if pattern.footways && row % 2 == 1 { Class::Footway.width() } else { Class::Local.width() - 1.0 })
        .collect();
    let frame = Frame { centre, angle, bend: pattern.bend, noise: ground.noise };
    (frame, Lines { rows, breaks, row_widths, cross_width: Class::Local.width() - 1.0 })
}

fn draw_blocks(
    barrio: &Barrio,
    index: usize,
    frame: &Frame,
    lines: &Lines,
    to_map: &impl Fn(Coord) -> Coord,
    layout: &mut Layout,
) {
    let fine = if frame.bend.0 > 0.0 { 28.0 } else { 60.0 };
    for (row, breaks) in lines.breaks.iter().enumerate() {
        let (low, high) =
            (lines.rows[row] + lines.row_widths[row] / 2.0, lines.rows[row + 1] - lines.row_widths[row + 1] / 2.0);
        for pair in breaks.windows(2) {
            let (left, right) = (pair[0] + lines.cross_width / 2.0, pair[1] - lines.cross_width / 2.0);
            if right - left < 14.0 || high - low < 10.0 {
                continue;
            }
            let corners = [(left, low), (right, low), (right, high), (left, high)].map(|(x, y)| Coord { x, y });
            let mut ring = Vec::new();
            for side in 0..4 {
                let (a, b) = (corners[side], corners[(side + 1) % 4]);
                let count = (distance(a, b) / fine).round().max(1.0) as usize;
                ring.extend((0..count).map(|part| to_map(between(a, b, part as f64 / count as f64))));
            }
            for part in clipped(&ring, &barrio.buildable) {
                let (.., length, width) = plane::oriented_box(&part);
                let area = plane::ring_area(&part);
                if area > 180.0 && width > 9.0 && area > 0.2 * length * width {
                    layout.blocks.push(Block { ring: part, barrio: index, is_park: false });
                }
            }
        }
    }
}

/// The parts of a ring inside the area; the ring itself where it lies whole inside.
fn clipped(ring: &[Coord], area: &MultiPolygon) -> Vec<Vec<Coord>> {
    let cell = polygon(ring);
    let (low, high) = bounds(ring);
    let meets = |part: &Polygon| {
        let (a, b) = bounds(&part.exterior().0);
        a.x <= high.x && b.x >= low.x && a.y <= high.y && b.y >= low.y
    };
    let near: Vec<&Polygon> = area.0.iter().filter(|part| meets(part)).collect();
    if near.is_empty() {
        return Vec::new();
    }
    let within = near.len() == 1
        && ring.iter().all(|p| holds(near[0], *p))
        && !near[0]
            .exterior()
            .0
            .iter()
            .chain(near[0].interiors().iter().flat_map(|hole| &hole.0))
            .any(|p| p.x >= low.x && p.x <= high.x && p.y >= low.y && p.y <= high.y);
    if within {
        return vec![ring.to_vec()];
    }
    near.into_iter()
        .flat_map(|part| cell.intersection(part).0)
        .filter(|part| part.interiors().is_empty() && part.unsigned_area() > 100.0)
        .map(|part| open_ring(&part))
        .collect()
}

fn draw_streets(
    ground: &Ground,
    barrio: &Barrio,
    frame: &Frame,
    lines: &Lines,
    to_map: &impl Fn(Coord) -> Coord,
    open: &MultiPolygon,
    layout: &mut Layout,
) {
    let mut draw = |a: Coord, b: Coord, width: f64, name_at: (Coord, Coord)| {
        let count = if frame.bend.0 > 0.0 { (distance(a, b) / 28.0).ceil().max(1.0) as usize } else { 1 };
        let path: Vec<Coord> = (0..=count).map(|part| to_map(between(a, b, part as f64 / count as f64))).collect();
        let (from, to) = (frame.to_flat(name_at.0), frame.to_flat(name_at.1));
        let class = if width < 6.0 { Class::Footway } else { Class::Local };
        for line in inside(&path, open) {
            let middle = line[line.len() / 2];
            let length: f64 = line.windows(2).map(|pair| distance(pair[0], pair[1])).sum();
            let hugs = |p: Coord| edge_distance(p, &barrio.shape) < 13.0;
            let centre = if line.len() == 2 { between(line[0], line[1], 0.5) } else { middle };
            if length < 12.0 || (hugs(centre) && (length < 30.0 || (hugs(line[0]) && hugs(line[line.len() - 1])))) {
                continue;
            }
            let name = street_name(ground, between(from, to, 0.5), direction(from, to));
            layout.segments.push(Segment { line, class, name, width });
        }
    };
    for (row, v) in lines.rows.iter().enumerate() {
        let mut stops: Vec<f64> = Vec::new();
        for neighbour in [row.checked_sub(1), Some(row)].into_iter().flatten() {
            stops.extend(lines.breaks.get(neighbour).into_iter().flatten());
        }
        stops.sort_by(f64::total_cmp);
        stops.dedup_by(|a, b| (*a - *b).abs() < 0.5);
        let (Some(first), Some(last)) = (stops.first(), stops.last()) else { continue };
        let name_at = (Coord { x: first * 0.1, y: *v }, Coord { x: last * 0.1, y: *v });
        let name_at =
            if frame.bend.0 > 0.0 { name_at } else { (Coord { x: *first, y: *v }, Coord { x: *last, y: *v }) };
        for pair in stops.windows(2) {
            draw(Coord { x: pair[0], y: *v }, Coord { x: pair[1], y: *v }, lines.row_widths[row], name_at);
        }
    }
    for (row, breaks) in lines.breaks.iter().enumerate() {
        for u in breaks {
            let ends = (Coord { x: *u, y: lines.rows[row] }, Coord { x: *u, y: lines.rows[row + 1] });
            draw(ends.0, ends.1, lines.cross_width, ends);
        }
    }
}

/// The stretches of a path inside the area.
fn inside(path: &[Coord], area: &MultiPolygon) -> Vec<Vec<Coord>> {
    let mut lines: Vec<Vec<Coord>> = Vec::new();
    let mut current: Vec<Coord> = Vec::new();
    for pair in path.windows(2) {
        let mut cuts = crossings(pair[0], pair[1], area);
        cuts.extend([0.0, 1.0]);
        cuts.sort_by(f64::total_cmp);
        for stretch in cuts.windows(2) {
            if stretch[1] - stretch[0] < 1e-9 {
                continue;
            }
            let middle = between(pair[0], pair[1], f64::midpoint(stretch[0], stretch[1]));
            if area.0.iter().any(|part| holds(part, middle)) {
                if current.is_empty() {
                    current.push(between(pair[0], pair[1], stretch[0]));
                }
                current.push(between(pair[0], pair[1], stretch[1]));
            } else if !current.is_empty() {
                lines.push(std::mem::take(&mut current));
            }
        }
    }
    if !current.is_empty() {
        lines.push(current);
    }
    lines
}

/// Where the way from `start` (0) to `end` (1) crosses the area's edges.
fn crossings(start: Coord, end: Coord, area: &MultiPolygon) -> Vec<f64> {
    let (low, high) = bounds(&[start, end]);
    let way = along(end, start, -1.0);
    let rings = area.0.iter().flat_map(|part| std::iter::once(part.exterior()).chain(part.interiors()));
    rings
        .flat_map(|ring| ring.0.windows(2))
        .filter(|edge| {
            let (from, to) = bounds(edge);
            to.x >= low.x && from.x <= high.x && to.y >= low.y && from.y <= high.y
        })
        .filter_map(|edge| {
            let wall = along(edge[1], edge[0], -1.0);
            let turn = plane::cross(way, wall);
            let offset = along(edge[0], start, -1.0);
            let (on_way, on_wall) = (plane::cross(offset, wall) / turn, plane::cross(offset, way) / turn);
            let crosses = turn.abs() > 1e-12 && (0.0..=1.0).contains(&on_way) && (0.0..=1.0).contains(&on_wall);
            crosses.then_some(on_way)
        })
        .collect()
}

fn edge_distance(point: Coord, shape: &Polygon) -> f64 {
    shape
        .exterior()
        .0
        .windows(2)
        .map(|edge| {
            let heading = direction(edge[0], edge[1]);
            let place = plane::dot(along(point, edge[0], -1.0), heading).clamp(0.0, distance(edge[0], edge[1]));
            distance(point, along(edge[0], heading, place))
        })
        .fold(f64::MAX, f64::min)
}

/// The squares of the centre, and a park near the middle of most barrios.
fn choose_parks(barrio: &Barrio, squares: &[Coord], layout: &mut Layout, dice: &mut Dice) {
    let mut chosen: Vec<usize> = Vec::new();
    for square in squares {
        if holds(&barrio.shape, *square) {
            let nearest = nearest_block(&layout.blocks, *square);
            chosen.extend(nearest);
        }
    }
    let wanted = match barrio.quarter {
        Quarter::Informal => 0.3,
        Quarter::Industrial => 0.1,
        Quarter::Historic => 0.25,
        _ => 0.7,
    };
    if chosen.is_empty() && dice.chance(wanted) {
        let centre =
            greatest(barrio.buildable.clone()).map_or_else(Coord::default, |part| plane::middle(&open_ring(&part)));
        chosen.extend(nearest_block(&layout.blocks, centre));
    }
    for block in chosen {
        layout.blocks[block].is_park = true;
    }
}

fn nearest_block(blocks: &[Block], place: Coord) -> Option<usize> {
    let far = |block: &Block| distance(plane::middle(&block.ring), place);
    (0..blocks.len()).min_by(|a, b| far(&blocks[*a]).total_cmp(&far(&blocks[*b])))
}

fn without_holes(part: &Polygon) -> Polygon {
    Polygon::new(part.exterior().clone(), Vec::new())
}

/// The corners of the box around points.
pub(super) fn bounds(points: &[Coord]) -> (Coord, Coord) {
    let start = (Coord { x: f64::MAX, y: f64::MAX }, Coord { x: f64::MIN, y: f64::MIN });
    points.iter().fold(start, |(low, high), p| {
        (Coord { x: low.x.min(p.x), y: low.y.min(p.y) }, Coord { x: high.x.max(p.x), y: high.y.max(p.y) })
    })
}
