//! Lines: the parts of a path that lie in the clip.

use super::{Clip, Cut, Unit};

/// Appends the parts of `path` within the clip: each enters and leaves it
/// once. What has no length is left out.
pub(super) fn clip(path: &[Unit], clip: Clip, cut: &mut Cut) {
    if path.len() < 2 {
        return;
    }
    if path.iter().all(|unit| clip.holds(*unit)) {
        cut.push(path.iter().copied());
        return;
    }
    let mut start = cut.points.len();
    let close = |cut: &mut Cut, start: &mut usize| {
        if cut.points.len() >= *start + 2 {
            cut.ends.push(cut.points.len());
        } else {
            cut.points.truncate(*start);
        }
        *start = cut.points.len();
    };
    for pair in path.windows(2) {
        let Some((from, to)) = segment(pair[0], pair[1], clip) else {
            close(cut, &mut start);
            continue;
        };
        if cut.points.len() == start || cut.points.last() != Some(&from) {
            close(cut, &mut start);
            cut.points.push(from);
        }
        if to != from {
            cut.points.push(to);
        }
        if to != pair[1] {
            close(cut, &mut start);
        }
    }
    close(cut, &mut start);
}

/// The part of a segment within the clip (Liang and Barsky, 1984), its ends
/// rounded where they are new.
fn segment(a: Unit, b: Unit, clip: Clip) -> Option<(Unit, Unit)> {
    let (mut enter, mut leave) = (0.0_f64, 1.0_f64);
    let run = [f64::from(b[0]) - f64::from(a[0]), f64::from(b[1]) - f64::from(a[1])];
    for axis in 0..2 {
        for (step, room) in [
            (-run[axis], f64::from(a[axis]) - f64::from(clip.least)),
            (run[axis], f64::from(clip.most) - f64::from(a[axis])),
        ] {
            if step == 0.0 {
                if room < 0.0 {
                    return None;
                }
            } else if step < 0.0 {
                enter = enter.max(room / step);
            } else {
                leave = leave.min(room / step);
            }
        }
    }
    if enter > leave {
        return None;
    }
    let at = |part: f64, end: Unit| {
        if part <= 0.0 {
            a
        } else if part >= 1.0 {
            b
        } else {
            let along = |axis: usize| (f64::from(a[axis]) + part * run[axis]).round() as i32;
            let near = [along(0), along(1)].map(|number| number.clamp(clip.least, clip.most));
            if near == end { end } else { near }
        }
    };
    Some((at(enter, a), at(leave, b)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn clipped(path: &[Unit]) -> Vec<Vec<Unit>> {
        let mut cut = Cut::default();
        clip(path, Clip { least: 0, most: 100 }, &mut cut);
        cut.parts().map(<[Unit]>::to_vec).collect()
    }

    #[test]
    fn a_path_that_leaves_and_returns_is_two() {
        let parts = clipped(&[[10, 10], [50, 10], [150, 10], [150, 60], [90, 60], [-10, 60]]);
        assert_eq!(parts, [vec![[10, 10], [50, 10], [100, 10]], vec![[100, 60], [90, 60], [0, 60]]]);
    }

    #[test]
    fn what_only_touches_or_passes_by_is_nothing() {
        assert!(clipped(&[[-10, 50], [0, 60], [-10, 70]]).is_empty());
        assert!(clipped(&[[-10, -10], [-10, 200], [200, 200]]).is_empty());
        assert!(clipped(&[[5, 5]]).is_empty());
        assert_eq!(clipped(&[[-50, 50], [150, 50]]), [vec![[0, 50], [100, 50]]]);
    }

    proptest! {
        #[test]
        fn every_part_lies_in_the_clip_and_near_the_path(
            path in prop::collection::vec([-300..400_i32, -300..400_i32], 2..12),
        ) {
            let mut path: Vec<Unit> = path;
            path.dedup();
            for part in clipped(&path) {
                prop_assert!(part.len() >= 2);
                for [x, y] in part {
                    prop_assert!((0..=100).contains(&x) && (0..=100).contains(&y));
                    let near = path.windows(2).any(|pair| distance([x, y], pair[0], pair[1]) <= 0.72);
                    prop_assert!(near, "{x} {y}");
                }
            }
        }
    }

    fn distance(point: Unit, a: Unit, b: Unit) -> f64 {
        let float = |unit: Unit| unit.map(f64::from);
        let ([x, y], [ax, ay], [bx, by]) = (float(point), float(a), float(b));
        let length = (bx - ax).hypot(by - ay);
        let along = (((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / (length * length)).clamp(0.0, 1.0);
        (x - ax - along * (bx - ax)).hypot(y - ay - along * (by - ay))
    }
}
