use crate::Extent;
use crate::crs::{ORIGEN_NACIONAL_BOX, Transformation};

/// A place that a text may be the coordinates of.
#[derive(Debug, Clone, PartialEq)]
pub struct Coordinate {
    /// Degrees east (CRS84).
    pub longitude: f64,
    /// Degrees north (CRS84).
    pub latitude: f64,
    /// How the text was read: `EPSG:4326`, `EPSG:9377`.
    pub read_as: &'static str,
}

/// Colombia with its islands: what a coordinate may mean where no
/// municipality's extent decides.
const COLOMBIA: Extent = Extent { west: -82.0, south: -4.5, east: -66.5, north: 16.5 };

/// The places that the text may mean; none where it is no pair of numbers.
/// Latitude before longitude, as people write them; the other way round where
/// only that lies in `within` (or in Colombia). Decimal degrees, degrees with
/// minutes and seconds, or northing and easting in EPSG:9377.
pub(super) fn read(text: &str, within: Option<Extent>) -> Vec<Coordinate> {
    let Some((first, second)) = pair(text) else { return Vec::new() };
    let degrees = |latitude: f64, longitude: f64| Coordinate { longitude, latitude, read_as: "EPSG:4326" };
    for place in within.into_iter().chain([COLOMBIA]) {
        if place.contains(second, first) {
            return vec![degrees(first, second)];
        }
        if place.contains(first, second) {
            return vec![degrees(second, first)];
        }
    }
    let [west, south, east, north] = ORIGEN_NACIONAL_BOX;
    let on_grid = |easting: f64, northing: f64| (west..=east).contains(&easting) && (south..=north).contains(&northing);
    let grid = if on_grid(second, first) {
        Some((second, first))
    } else if on_grid(first, second) {
        Some((first, second))
    } else {
        None
    };
    grid.and_then(|(easting, northing)| {
        let (longitude, latitude) =
            Transformation::new("EPSG:9377", "EPSG:4326").ok()?.point(easting, northing).ok()?;
        Some(Coordinate { longitude, latitude, read_as: "EPSG:9377" })
    })
    .into_iter()
    .collect()
}

/// Two numbers, or two angles in degrees, minutes and seconds.
fn pair(text: &str) -> Option<(f64, f64)> {
    let text = text.to_uppercase().replace(['−', '–'], "-");
    // "W" and "O" (oeste) are west; with hemispheres the order is said.
    let hemispheres: Vec<char> = text.chars().filter(|c| "NSEWO".contains(*c)).collect();
    let numbers: Vec<&str> = text
        .split(|c: char| !(c.is_ascii_digit() || c == '.' || c == ',' || c == '-' || c == '+'))
        .filter(|part| part.bytes().any(|b| b.is_ascii_digit()))
        .collect();
    let numbers = decimals(&numbers)?;
    let half = numbers.len() / 2;
    let first = angle(&numbers[..half])?;
    let second = angle(&numbers[half..])?;
    match hemispheres.as_slice() {
        [] => Some((first, second)),
        [a, b] => {
            let signed = |value: f64, hemisphere: char| {
                if "SWO".contains(hemisphere) { -value.abs() } else { value.abs() }
            };
            let (first, second) = (signed(first, *a), signed(second, *b));
            Some(if "EWO".contains(*a) { (second, first) } else { (first, second) })
        }
        _ => None,
    }
}

/// The parts as numbers, 2, 4 or 6 of them. A comma is a decimal mark where
/// the parts come out even so, else it stands between two numbers.
fn decimals(parts: &[&str]) -> Option<Vec<f64>> {
    let even = |numbers: Vec<f64>| matches!(numbers.len(), 2 | 4 | 6).then_some(numbers);
    let with_point: Option<Vec<f64>> = parts
        .iter()
        .flat_map(|part| part.split(','))
        .filter(|part| !part.is_empty())
        .map(|part| part.parse().ok())
        .collect();
    let with_comma: Option<Vec<f64>> =
        parts.iter().map(|part| part.trim_matches(',').replace(',', ".").parse().ok()).collect();
    let commas_are_marks = parts.len() >= 2
        && parts.iter().all(|part| !part.contains('.'))
        && parts.iter().any(|part| part.trim_matches(',').contains(','));
    if commas_are_marks { with_comma.and_then(even) } else { with_point.and_then(even) }
}

/// Degrees, or degrees and minutes, or degrees, minutes and seconds.
fn angle(parts: &[f64]) -> Option<f64> {
    let (degrees, rest) = parts.split_first()?;
    if rest.iter().any(|part| !(0.0..60.0).contains(part)) {
        return None;
    }
    let fraction: f64 = rest.iter().zip([60.0, 3600.0]).map(|(part, divisor)| part / divisor).sum();
    Some(if degrees.is_sign_negative() { degrees - fraction } else { degrees + fraction })
}

#[cfg(test)]
mod tests {
    use super::*;

    const IBAGUE: Extent = Extent { west: -75.6, south: 4.2, east: -74.9, north: 4.7 };

    fn lonlat(text: &str) -> Option<(f64, f64)> {
        let found = read(text, Some(IBAGUE));
        assert!(found.len() <= 1, "{text}: {found:?}");
        found.first().map(|c| ((c.longitude * 1e4).round() / 1e4, (c.latitude * 1e4).round() / 1e4))
    }

    #[test]
    fn coordinates_are_read_as_people_write_them() {
        let here = Some((-75.2322, 4.4389));
        for text in [
            "4.4389, -75.2322",
            "4.4389 -75.2322",
            "-75.2322, 4.4389",
            "4,4389 -75,2322",
            "4,4389; -75,2322",
            "4.4389 N 75.2322 W",
            "75.2322 O, 4.4389 N",
            "4°26'20.04\"N 75°13'55.92\"O",
            "4° 26' 20.04'' N, 75° 13' 55.92'' W",
            "2048868.316, 4752388.904",
            "4752388.904 2048868.316",
            "N 2048868.316 E 4752388.904",
        ] {
            assert_eq!(lonlat(text), here, "{text}");
        }
    }

    #[test]
    fn other_texts_are_no_coordinates() {
        for text in
            ["Carrera 3 # 12-34", "730010101000000120034000000000", "La Pola", "12", "0, 0", "Calle 60 No. 4-12 E"]
        {
            assert_eq!(lonlat(text), None, "{text}");
        }
    }
}
