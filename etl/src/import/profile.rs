//! The municipalities that this program knows without being told.

use access::MunicipalityCode;
use layers::Extent;
use layers::municipality::Municipality;

/// Code, name, department, inhabitants (general knowledge, not of a census),
/// and the extent of the municipality in DANE's MGN 2018, widened by a
/// hundredth of a degree.
const KNOWN: [(&str, &str, &str, i32, [f64; 4]); 2] = [
    ("73001", "Ibagué", "Tolima", 530_000, [-75.53, 4.245, -74.955, 4.711]),
    ("54001", "San José de Cúcuta", "Norte de Santander", 780_000, [-72.618, 7.711, -72.336, 8.441]),
];

/// What is known of the municipality; none where it must be told.
pub fn municipality(code: &MunicipalityCode) -> Option<Municipality> {
    KNOWN.iter().find(|(known, ..)| *known == code.as_str()).map(|(_, name, department, inhabitants, extent)| {
        let [west, south, east, north] = *extent;
        Municipality {
            code: code.clone(),
            name: (*name).to_owned(),
            department: (*department).to_owned(),
            inhabitants: Some(*inhabitants),
            extent: Extent { west, south, east, north },
        }
    })
}
