//! A block divided into lots: a spine between two rows of lots, each with its
//! front on a street, and rows across at the ends.

use geo::Coord;

use super::dice::Dice;
use super::plane::{self, along, oriented_box, ring_area, split};
use super::profile::Quarter;

/// How a block is divided.
pub(super) struct Plan {
    /// The width of lots along the street, in metres.
    front: (f64, f64),
    /// A row deeper than this, twice, gets a spine.
    depth: f64,
    /// Whether the ends of the block have their own row.
    ends: bool,
    /// The least lot.
    least: f64,
}

/// The plan of a quarter's blocks, lots `growth` times the usual (1 or more);
/// none where a block is one lot.
pub(super) fn plan(quarter: Quarter, growth: f64, dice: &mut Dice) -> Option<Plan> {
    let whole = match quarter {
        Quarter::Campus => 1.0,
        Quarter::Closed => 0.6,
        Quarter::Industrial => 0.15,
        Quarter::Historic | Quarter::Grid => 0.04,
        _ => 0.02,
    };
    if dice.chance(whole) || growth > 14.0 {
        return None;
    }
    let (front, depth) = match quarter {
        Quarter::Historic => ((7.5, 14.0), 26.0),
        Quarter::Grid => ((6.5, 9.5), 17.0),
        Quarter::Terraced => ((5.5, 6.8), 11.0),
        Quarter::Closed => ((16.0, 30.0), 40.0),
        Quarter::Hillside => ((5.8, 8.5), 12.0),
        Quarter::Informal => ((5.2, 8.5), 10.0),
        Quarter::Industrial | Quarter::Campus => ((35.0, 90.0), 60.0),
    };
    let front = (front.0 * growth, front.1 * growth);
    let ends = growth < 2.0 && matches!(quarter, Quarter::Historic | Quarter::Grid) && dice.chance(0.7);
    Some(Plan { front, depth: depth * growth.sqrt(), ends, least: 0.45 * front.0 * depth.min(14.0) })
}

/// The lots of a block (open rings), which fill it.
pub(super) fn subdivide(ring: &[Coord], plan: &Plan, dice: &mut Dice) -> Vec<Vec<Coord>> {
    let (centre, axis, length, width) = oriented_box(ring);
    let across = Coord { x: -axis.y, y: axis.x };
    let mut middle = vec![ring.to_vec()];
    let mut lots = Vec::new();
    if plan.ends && width > 1.6 * plan.depth && length > 2.6 * plan.depth {
        for end in [-1.0, 1.0] {
            let place = along(centre, axis, end * (length / 2.0 - plan.depth * dice.between(0.75, 1.0)));
            let mut rest = Vec::new();
            for part in middle {
                let halves = split(&part, place, across);
                // The left of `across` looks back along the axis.
                let (cap, body) = if end < 0.0 { (halves.left, halves.right) } else { (halves.right, halves.left) };
                for cap in cap {
                    lots.extend(slice(&cap, across, plan, dice));
                }
                rest.extend(body);
            }
            middle = rest;
        }
    }
    let rows = if width > 1.35 * plan.depth {
        let spine = along(centre, across, width * dice.between(-0.04, 0.04));
        let mut rows = Vec::new();
        for part in middle {
            let halves = split(&part, spine, axis);
            if halves.left.iter().chain(&halves.right).any(|row| ring_area(row) < plan.least) {
                rows.push(part);
            } else {
                rows.extend(halves.left);
                rows.extend(halves.right);
            }
        }
        rows
    } else {
        middle
    };
    for row in rows {
        lots.extend(slice(&row, axis, plan, dice));
    }
    lots
}

/// Slices a row of lots by lines across `axis`.
fn slice(row: &[Coord], axis: Coord, plan: &Plan, dice: &mut Dice) -> Vec<Vec<Coord>> {
    let origin = row[0];
    let places: Vec<f64> = row.iter().map(|p| plane::dot(along(*p, origin, -1.0), axis)).collect();
    let low = places.iter().copied().fold(f64::MAX, f64::min);
    let high = places.iter().copied().fold(f64::MIN, f64::max);
    // One usual front a row, as it was once sold, with a few exceptions.
    let usual = dice.between(plan.front.0, plan.front.1);
    let count = ((high - low) / usual).round() as usize;
    let across = Coord { x: -axis.y, y: axis.x };
    let mut lots = Vec::new();
    let mut rest = vec![row.to_vec()];
    for index in 1..count {
        if dice.chance(0.05) {
            continue;
        }
        let step = (high - low) / count as f64;
        let at = along(origin, axis, low + step * (index as f64 + dice.between(-0.12, 0.12)));
        let mut next = Vec::new();
        for part in rest {
            let halves = split(&part, at, across);
            let small = halves.left.iter().chain(&halves.right).any(|lot| ring_area(lot) < plan.least);
            if small {
                next.push(part);
            } else {
                lots.extend(halves.left);
                next.extend(halves.right);
            }
        }
        rest = next;
    }
    lots.extend(rest);
    lots
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn lots_fill_their_block(long in 30.0..160.0_f64, deep in 18.0..90.0_f64, lean in -8.0..8.0_f64, seed in 0_u64..1000) {
            let at = |x: f64, y: f64| Coord { x: 4_750_000.0 + x, y: 2_049_000.0 + y };
            let block = [at(0.0, 0.0), at(long / 2.0, lean), at(long, 0.0), at(long + lean, deep), at(0.0, deep - lean)];
            let mut dice = Dice::new(seed, "block");
            for quarter in [Quarter::Historic, Quarter::Terraced, Quarter::Industrial] {
                let Some(plan) = plan(quarter, 1.0, &mut dice) else { continue };
                let lots = subdivide(&block, &plan, &mut dice);
                let sum: f64 = lots.iter().map(|lot| ring_area(lot)).sum();
                prop_assert!((sum - ring_area(&block)).abs() < 1e-3);
                prop_assert!(lots.iter().all(|lot| ring_area(lot) > 0.0));
            }
        }
    }
}
