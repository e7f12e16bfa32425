//! The street network: avenues and collectors divided where other streets
//! meet them, so that one can travel over it.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use geo::Coord;

use super::mesh::bend_line;
use super::plane::{along, cross, direction, distance, dot};
use super::streets::{Segment, avenue_name};
use super::town::{Cut, Ground};

/// Divides the cuts where the ends of `segments` and of other cuts touch
/// them; ends that touch are moved onto the division.
pub(super) fn join(ground: &Ground, cuts: &[Cut], segments: &mut [Segment]) -> Vec<Segment> {
    const NEAR: f64 = 2.5;
    const APART: f64 = 14.0;
    let mut stops: Vec<Vec<f64>> = cuts.iter().map(|cut| vec![0.0, distance(cut.ends.0, cut.ends.1)]).collect();
    let touching = |st: Coord, own: Option<usize>| -> Option<(usize, f64)> {
        cuts.iter().enumerate().filter(|(index, _)| Some(*index) != own).find_map(|(index, cut)| {
            let heading = direction(cut.ends.0, cut.ends.1);
            let offset = along(st, cut.ends.0, -1.0);
            let place = dot(offset, heading);
            let near =
                cross(heading, offset).abs() < NEAR && place > -NEAR && place < distance(cut.ends.0, cut.ends.1) + NEAR;
            near.then_some((index, place))
        })
    };
    for (index, cut) in cuts.iter().enumerate() {
        for end in [cut.ends.0, cut.ends.1] {
            if let Some((other, place)) = touching(end, Some(index)) {
                stops[other].push(place);
            }
        }
    }
    let fixed: Vec<Vec<f64>> = stops.clone();
    let mut meetings: Vec<(usize, bool, usize, f64)> = Vec::new();
    for (index, segment) in segments.iter().enumerate() {
        for at_end in [false, true] {
            let end = if at_end { segment.line[segment.line.len() - 1] } else { segment.line[0] };
            if let Some((cut, place)) = touching(ground.valley.to_frame(end), None) {
                stops[cut].push(place);
                meetings.push((index, at_end, cut, place));
            }
        }
    }
    for (stops, fixed) in stops.iter_mut().zip(&fixed) {
        stops.sort_by(f64::total_cmp);
        let mut kept: Vec<f64> = fixed.clone();
        kept.sort_by(f64::total_cmp);
        kept.dedup_by(|a, b| (*a - *b).abs() < 0.5);
        for stop in stops.iter() {
            if kept.iter().all(|other| (other - stop).abs() > APART) {
                kept.push(*stop);
            }
        }
        kept.sort_by(f64::total_cmp);
        *stops = kept;
    }
    let on_cut = |cut: usize, place: f64| {
        let (a, b) = cuts[cut].ends;
        along(a, direction(a, b), place)
    };
    for (index, at_end, cut, place) in meetings {
        let Some(stop) = stops[cut].iter().min_by(|a, b| (*a - place).abs().total_cmp(&(*b - place).abs())) else {
            continue;
        };
        let point = ground.valley.to_map(on_cut(cut, *stop));
        let line = &mut segments[index].line;
        let last = line.len() - 1;
        line[if at_end { last } else { 0 }] = point;
    }
    let mut joined = Vec::new();
    for (index, cut) in cuts.iter().enumerate() {
        let name = avenue_name(ground, cut.name, cut.ends);
        for pair in stops[index].windows(2) {
            let line = bend_line(on_cut(index, pair[0]), on_cut(index, pair[1]), 25.0, |st| ground.valley.to_map(st));
            joined.push(Segment { line, class: cut.class, name: name.clone(), width: cut.class.width() });
        }
    }
    joined
}

/// The length of a line.
pub(super) fn length(line: &[Coord]) -> f64 {
    line.windows(2).map(|pair| distance(pair[0], pair[1])).sum()
}

/// The network as a graph: crossings are ends within half a metre.
pub(super) struct Graph<'a> {
    segments: &'a [Segment],
    crossings: BTreeMap<(i64, i64), usize>,
    places: Vec<Coord>,
    ways: Vec<Vec<(usize, usize)>>,
}

impl<'a> Graph<'a> {
    pub(super) fn new(segments: &'a [Segment]) -> Self {
        let mut graph = Self { segments, crossings: BTreeMap::new(), places: Vec::new(), ways: Vec::new() };
        for (index, segment) in segments.iter().enumerate() {
            let (a, b) = (graph.crossing(segment.line[0]), graph.crossing(segment.line[segment.line.len() - 1]));
            graph.ways[a].push((b, index));
            graph.ways[b].push((a, index));
        }
        graph
    }

    fn crossing(&mut self, point: Coord) -> usize {
        let key = ((point.x / 0.5).round() as i64, (point.y / 0.5).round() as i64);
        let next = self.places.len();
        let crossing = *self.crossings.entry(key).or_insert(next);
        if crossing == next {
            self.places.push(point);
            self.ways.push(Vec::new());
        }
        crossing
    }

    /// The share of the network's length that hangs together in one piece.
    #[cfg(test)]
    pub(super) fn connected_share(&self) -> f64 {
        let mut piece = vec![usize::MAX; self.places.len()];
        let mut lengths: Vec<f64> = Vec::new();
        for start in 0..self.places.len() {
            if piece[start] != usize::MAX {
                continue;
            }
            let number = lengths.len();
            lengths.push(0.0);
            let mut open = vec![start];
            piece[start] = number;
            while let Some(at) = open.pop() {
                for (next, segment) in &self.ways[at] {
                    lengths[number] += length(&self.segments[*segment].line) / 2.0;
                    if piece[*next] == usize::MAX {
                        piece[*next] = number;
                        open.push(*next);
                    }
                }
            }
        }
        lengths.iter().copied().fold(0.0, f64::max) / lengths.iter().sum::<f64>()
    }

    /// The shortest way between the crossings nearest to two places, main
    /// streets preferred; none where there is no way.
    pub(super) fn route(&self, from: Coord, to: Coord) -> Option<Vec<Coord>> {
        use super::profile::Class;
        let nearest = |place: Coord| {
            (0..self.places.len())
                .filter(|c| self.ways[*c].iter().any(|(_, s)| self.segments[*s].class <= Class::Collector))
                .min_by(|a, b| distance(self.places[*a], place).total_cmp(&distance(self.places[*b], place)))
        };
        let (start, end) = (nearest(from)?, nearest(to)?);
        let mut best = vec![(u64::MAX, usize::MAX, usize::MAX); self.places.len()];
        let mut open = BinaryHeap::from([Reverse((0_u64, start))]);
        best[start].0 = 0;
        while let Some(Reverse((cost, at))) = open.pop() {
            if at == end {
                break;
            }
            if cost > best[at].0 {
                continue;
            }
            for (next, segment) in &self.ways[at] {
                let slow = match self.segments[*segment].class {
                    Class::Arterial => 1.0,
                    Class::Main => 1.15,
                    Class::Collector => 1.5,
                    Class::Footway => 40.0,
                    Class::Local | Class::Rural => 3.0,
                };
                let cost = cost + (length(&self.segments[*segment].line) * slow * 10.0) as u64;
                if cost < best[*next].0 {
                    best[*next] = (cost, at, *segment);
                    open.push(Reverse((cost, *next)));
                }
            }
        }
        let mut path = Vec::new();
        let mut at = end;
        while at != start {
            let (_, from, segment) = best[at];
            let line = &self.segments.get(segment)?.line;
            // Walked backwards, from the end to the start.
            let ends_here = distance(line[line.len() - 1], self.places[at]) < distance(line[0], self.places[at]);
            if ends_here {
                path.extend(line.iter().rev());
            } else {
                path.extend(line.iter());
            }
            at = from;
        }
        path.reverse();
        path.dedup_by(|a, b| distance(*a, *b) < 0.6);
        (path.len() > 2).then_some(path)
    }
}
