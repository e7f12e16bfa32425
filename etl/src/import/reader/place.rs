//! Whether coordinates lie where they should: which CRS they are really in.

use gdal::spatial_ref::SpatialRef;
use layers::crs::{self, ORIGEN_NACIONAL, Transformation};

use crate::import::protocol::Place;

/// Colombia with its islands and sea shelf (CRS84): west, south, east, north.
const COLOMBIA: [f64; 4] = [-82.5, -4.6, -66.5, 16.1];

/// The systems in which Colombian municipalities keep their data, those
/// tried where the declared one does not fit.
const KNOWN: [(i32, &str); 10] = [
    (3116, "MAGNA-SIRGAS / Colombia Bogota"),
    (3117, "MAGNA-SIRGAS / Colombia East Central"),
    (3115, "MAGNA-SIRGAS / Colombia West"),
    (3118, "MAGNA-SIRGAS / Colombia East"),
    (3114, "MAGNA-SIRGAS / Colombia Far West"),
    (ORIGEN_NACIONAL, "MAGNA-SIRGAS / Origen-Nacional"),
    (4326, "longitude and latitude"),
    (3857, "Web Mercator"),
    (6253, "the urban grid of Ibagué"),
    (6251, "the urban grid of Cúcuta"),
];

/// The part of the positions that must lie in the municipality for a CRS to
/// count as the one that fits.
const FITS: f64 = 0.9;

/// The known CRS with the same projection, whatever its name: files write
/// `MAGNA-SIRGAS_2018_Origen-Nacional` for EPSG:9377.
pub(super) fn same_as_known(reference: &SpatialRef) -> Option<i32> {
    let own = parameters(&reference.to_proj4().ok()?);
    KNOWN.into_iter().map(|(code, _)| code).chain([4686]).find(|code| {
        crs::spatial_ref(&format!("EPSG:{code}"))
            .ok()
            .and_then(|known| known.to_proj4().ok())
            .is_some_and(|known| parameters(&known) == own)
    })
}

/// The parameters of a PROJ string that place things, in order. GRS 80 and
/// WGS 84 differ by a tenth of a millimetre.
fn parameters(proj: &str) -> Vec<String> {
    let mut parameters: Vec<String> = proj
        .split_whitespace()
        .filter(|p| !p.starts_with("+towgs84") && !p.starts_with("+no_defs") && !p.starts_with("+type"))
        .map(|p| match p {
            "+datum=WGS84" | "+ellps=WGS84" => "+ellps=GRS80".to_owned(),
            other => other.to_owned(),
        })
        .filter(|p| p != "+nadgrids=@null" && p != "+wktext")
        .collect();
    parameters.sort_unstable();
    // 4326 and 4686 are told apart by their datum only: neither is guessed.
    if parameters.iter().any(|p| p == "+proj=longlat") && proj.contains("WGS84") {
        parameters.push("WGS84".to_owned());
    }
    parameters
}

/// What the positions of a sample say of the declared CRS.
#[derive(Debug, PartialEq)]
pub(super) enum Verdict {
    /// They lie where they should.
    Fits,
    /// They lie in Colombia, outside the municipality.
    Elsewhere(String),
    /// They do not, and what to do about it.
    Refused(String),
}

/// Judges a sample of positions (x, y in the source's CRS).
pub(super) fn judge(
    declared: &str,
    sample: &[(f64, f64)],
    place: &Place,
    allow_outside: bool,
) -> Result<Verdict, String> {
    let transformation = Transformation::new(declared, "EPSG:4326").map_err(|_| {
        format!(
            "the coordinate system of the file ({}) cannot be related to the earth: ask who made it, and give the right one \
             with --crs EPSG:…",
            short(declared)
        )
    })?;
    if sample.is_empty() {
        return Ok(Verdict::Fits);
    }
    let inside = share(&transformation, sample, place.extent, false);
    if inside >= 0.5 {
        return Ok(Verdict::Fits);
    }
    let (x, y) = sample[sample.len() / 2];
    if let Some(better) = better(declared, sample, place.extent) {
        return Ok(Verdict::Refused(format!(
            "the coordinates (such as {x}, {y}) do not lie in {} in the declared system {}, {better}",
            place.name,
            short(declared)
        )));
    }
    let in_colombia = share(&transformation, sample, COLOMBIA, false);
    if in_colombia >= 0.5 {
        let share = if inside > 0.0 { format!("only {:.0} %", (inside * 100.0).max(1.0)) } else { "none".to_owned() };
        return Ok(Verdict::Elsewhere(format!("{share} of the features lie in {}", place.name)));
    }
    if allow_outside {
        return Ok(Verdict::Elsewhere("the features lie outside Colombia".to_owned()));
    }
    let hint = match better(declared, sample, COLOMBIA) {
        Some(better) => format!("in the declared system {}, {better}", short(declared)),
        None => format!(
            "in the declared system {}: give the right one with --crs EPSG:…, or add --allow-outside if the data are \
             of another country",
            short(declared)
        ),
    };
    Ok(Verdict::Refused(format!("the coordinates (such as {x}, {y}) lie outside Colombia {hint}")))
}

/// What to say where no CRS is declared: the ones that would fit.
pub(super) fn missing(sample: &[(f64, f64)], place: &Place) -> String {
    let fitting = fitting("", sample, place.extent);
    let example =
        sample.get(sample.len() / 2).map(|(x, y)| format!(" (coordinates such as {x}, {y})")).unwrap_or_default();
    match fitting.first() {
        Some((code, name, false)) => format!(
            "the file does not say in which coordinate system it is{example}. It fits {} in EPSG:{code} ({name}): if that is \
             right, add --crs EPSG:{code}",
            place.name
        ),
        Some((code, name, true)) => format!(
            "the file does not say in which coordinate system it is{example}. It fits {} in EPSG:{code} ({name}) with x and y \
             exchanged: if that is right, add --crs EPSG:{code} --swap-xy",
            place.name
        ),
        None => format!(
            "the file does not say in which coordinate system it is{example}: ask who made it, and add --crs EPSG:… \
             (usual ones: 9377 Origen Nacional, 3116 Bogotá, 3115 West, 3117 East Central, 4326 longitude and latitude)"
        ),
    }
}

fn better(declared: &str, sample: &[(f64, f64)], extent: [f64; 4]) -> Option<String> {
    let swapped_fits = Transformation::new(declared, "EPSG:4326")
        .is_ok_and(|transformation| share(&transformation, sample, extent, true) >= FITS);
    if swapped_fits {
        return Some("but they do with x and y exchanged: add --swap-xy".to_owned());
    }
    let fitting = fitting(declared, sample, extent);
    let names: Vec<String> = fitting.iter().map(|(code, name, _)| format!("EPSG:{code} ({name})")).collect();
    let (code, _, swapped) = fitting.first()?;
    let swap = if *swapped { " --swap-xy" } else { "" };
    Some(format!("but they do in {}: if that is right, add --crs EPSG:{code}{swap}", names.join(" or ")))
}

/// The known systems in which the sample lies in the extent, those without an
/// exchange of axes first.
fn fitting(declared: &str, sample: &[(f64, f64)], extent: [f64; 4]) -> Vec<(i32, &'static str, bool)> {
    if sample.is_empty() {
        return Vec::new();
    }
    let mut fitting: Vec<(i32, &str, bool)> = Vec::new();
    // Degrees taken for metres lie beside a projection's origin: no fit.
    let degrees = sample.iter().all(|(x, y)| x.abs() <= 180.0 && y.abs() <= 180.0);
    let metres = sample.iter().all(|(x, y)| x.abs() > 1000.0 && y.abs() > 1000.0);
    for swapped in [false, true] {
        for (code, name) in KNOWN {
            let definition = format!("EPSG:{code}");
            let fits = definition != declared
                && (if code == 4326 { degrees } else { metres })
                && Transformation::new(&definition, "EPSG:4326")
                    .is_ok_and(|transformation| share(&transformation, sample, extent, swapped) >= FITS);
            if fits && fitting.len() < 3 && !fitting.iter().any(|(_, _, other)| *other != swapped) {
                fitting.push((code, name, swapped));
            }
        }
    }
    fitting
}

/// The part of the sample that lies in the extent.
fn share(
    transformation: &Transformation,
    sample: &[(f64, f64)],
    [west, south, east, north]: [f64; 4],
    swapped: bool,
) -> f64 {
    let inside = sample.iter().filter(|(x, y)| {
        let (x, y) = if swapped { (*y, *x) } else { (*x, *y) };
        transformation
            .point(x, y)
            .is_ok_and(|(lon, lat)| (west..=east).contains(&lon) && (south..=north).contains(&lat))
    });
    inside.count() as f64 / sample.len() as f64
}

/// The CRS as a message names it: not a page of WKT.
pub(super) fn short(declared: &str) -> String {
    if declared.len() < 40 {
        return declared.to_owned();
    }
    crs::spatial_ref(declared).ok().and_then(|reference| reference.name()).unwrap_or_else(|| "of the file".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cucuta() -> Place {
        Place { name: "Cúcuta".into(), extent: [-72.62, 7.71, -72.33, 8.44] }
    }

    /// Plaza Santander, Cúcuta, in a system.
    fn there(code: i32) -> Vec<(f64, f64)> {
        let to = Transformation::new("EPSG:4326", &format!("EPSG:{code}")).unwrap();
        vec![to.point(-72.5050, 7.8870).unwrap()]
    }

    #[test]
    fn the_zone_that_fits_is_named() {
        let judge = |declared: &str, sample: &[(f64, f64)]| judge(declared, sample, &cucuta(), false).unwrap();
        assert_eq!(judge("EPSG:3116", &there(3116)), Verdict::Fits);
        assert_eq!(judge("EPSG:6251", &there(6251)), Verdict::Fits);
        let Verdict::Refused(text) = judge("EPSG:3117", &there(3116)) else { panic!("refused") };
        assert!(text.contains("--crs EPSG:3116"), "{text}");
        let Verdict::Refused(text) = judge("EPSG:4326", &there(9377)) else { panic!("refused") };
        assert!(text.contains("--crs EPSG:9377"), "{text}");
        let Verdict::Refused(text) = judge("EPSG:4326", &[(7.887, -72.505)]) else { panic!("refused") };
        assert!(text.contains("--swap-xy"), "{text}");
        assert!(matches!(judge("EPSG:4326", &[(-74.08, 4.6)]), Verdict::Elsewhere(_)));
        let Verdict::Refused(text) = judge("EPSG:4326", &[(9.52, 47.14)]) else { panic!("refused") };
        assert!(text.contains("outside Colombia") && text.contains("--allow-outside"), "{text}");
    }

    #[test]
    fn a_missing_system_is_suggested() {
        assert!(missing(&there(3116), &cucuta()).contains("--crs EPSG:3116"));
        assert!(missing(&[(0.0, 0.0)], &cucuta()).contains("--crs EPSG:…"));
    }

    #[test]
    fn the_national_origin_is_known_by_its_parameters() {
        let wkt = "PROJCS[\"MAGNA-SIRGAS_2018_Origen-Nacional\",GEOGCS[\"GCS_MAGNA-SIRGAS_2018\",\
            DATUM[\"Marco_Geocentrico_Nacional_de_Referencia_2018\",SPHEROID[\"GRS_1980\",6378137.0,298.257222101]],\
            PRIMEM[\"Greenwich\",0.0],UNIT[\"Degree\",0.0174532925199433]],PROJECTION[\"Transverse_Mercator\"],\
            PARAMETER[\"False_Easting\",5000000.0],PARAMETER[\"False_Northing\",2000000.0],\
            PARAMETER[\"Central_Meridian\",-73.0],PARAMETER[\"Scale_Factor\",0.9992],\
            PARAMETER[\"Latitude_Of_Origin\",4.0],UNIT[\"Meter\",1.0]]";
        assert_eq!(same_as_known(&SpatialRef::from_definition(wkt).unwrap()), Some(9377));
        assert_eq!(same_as_known(&crs::spatial_ref("EPSG:32618").unwrap()), None);
    }
}
