//! How streets are called, and the street network's pieces.

use geo::Coord;

use super::plane::direction;
use super::profile::Class;
use super::town::Ground;

/// A street's kind and name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct StreetName {
    /// `Calle`, `Carrera`, `Diagonal`, `Transversal`, `Avenida`.
    pub(super) kind: &'static str,
    /// As written in an address: `CL 12A`.
    pub(super) short: String,
    /// As written on the map: `Calle 12A`.
    pub(super) full: String,
    /// Whether addresses on it count along the valley (its numbers are those of
    /// the ways across), as on a carrera.
    pub(super) runs_along: bool,
}

/// A piece of street between two crossings.
#[derive(Debug, Clone)]
pub(super) struct Segment {
    pub(super) line: Vec<Coord>,
    pub(super) class: Class,
    pub(super) name: StreetName,
    /// Between the blocks, in metres.
    pub(super) width: f64,
}

/// The number of a street at an index: `12`, `12A`, `3 Sur`.
pub(super) fn ordinal(index: f64, first: f64, beyond: &str) -> String {
    let (value, suffix) = if index >= first - 0.1 { (index.max(first), "") } else { (2.0 * first - index, beyond) };
    let (number, part) = (value.floor(), value.fract());
    let (number, letter) = match part {
        p if p < 0.2 => (number, ""),
        p if p < 0.45 => (number, "A"),
        p if p < 0.7 => (number, "B"),
        p if p < 0.9 => (number, "C"),
        _ => (number + 1.0, ""),
    };
    format!("{number:.0}{letter}{suffix}")
}

/// The name of a street that passes `st` in the direction `heading` (both in
/// the valley's frame).
pub(super) fn street_name(ground: &Ground, st: Coord, heading: Coord) -> StreetName {
    let streets = &ground.profile.streets;
    let (across, along) = ground.indices(st);
    let angle = heading.y.abs().atan2(heading.x.abs()).to_degrees();
    let along_number = ordinal(along, streets.first, streets.along_beyond);
    let across_number = ordinal(across, streets.first, streets.across_beyond);
    let (kind, code, number, runs_along) = if angle < 26.0 {
        (streets.along, streets.along_code, along_number, true)
    } else if angle > 64.0 {
        ("Calle", "CL", across_number, false)
    } else if angle < 45.0 {
        ("Transversal", "TV", along_number, true)
    } else {
        ("Diagonal", "DG", across_number, false)
    };
    StreetName { kind, short: format!("{code} {number}"), full: format!("{kind} {number}"), runs_along }
}

/// The name of an avenue: its own, or its number's.
pub(super) fn avenue_name(ground: &Ground, name: &str, ends: (Coord, Coord)) -> StreetName {
    let middle = super::plane::between(ends.0, ends.1, 0.5);
    let numbered = street_name(ground, middle, direction(ends.0, ends.1));
    if name.is_empty() {
        return numbered;
    }
    let kind = if name.starts_with("Calle") { "Calle" } else { "Avenida" };
    StreetName { kind, full: name.to_owned(), ..numbered }
}

/// The address of a door at `st` on a street: `KR 3 # 12-34`. `left` is the
/// side of the street, which decides between odd and even.
pub(super) fn address(ground: &Ground, street: &StreetName, st: Coord, left: bool) -> String {
    let streets = &ground.profile.streets;
    let (across, along) = ground.indices(st);
    let (index, beyond, metres) = if street.runs_along {
        (across, streets.across_beyond, streets.across_index.1)
    } else {
        (along, streets.along_beyond, streets.along_index.1)
    };
    // The way that generates the number is the one just before the door.
    let counted = if index >= streets.first { index } else { 2.0 * streets.first - index };
    let step = match counted.fract() {
        p if p < 0.2 => 0.0,
        p if p < 0.45 => 0.2,
        p if p < 0.7 => 0.45,
        p if p < 0.9 => 0.7,
        _ => 0.9,
    };
    let door = ((counted.fract() - step) * metres.abs()).abs().floor() as i64 + 2;
    let door = door - door.rem_euclid(2) + i64::from(left);
    format!("{} # {}-{door:02}", street.short, ordinal(index, streets.first, beyond))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_counted_as_the_city_does() {
        assert_eq!(ordinal(12.0, 1.0, " Sur"), "12");
        assert_eq!(ordinal(12.3, 1.0, " Sur"), "12A");
        assert_eq!(ordinal(12.95, 1.0, " Sur"), "13");
        assert_eq!(ordinal(-1.0, 1.0, " Sur"), "3 Sur");
        assert_eq!(ordinal(-2.5, 0.0, "E"), "2BE");
        assert_eq!(ordinal(0.0, 0.0, "E"), "0");
    }
}
