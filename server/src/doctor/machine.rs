//! The machine: programs, libraries, disk, port.

use layers::crs::Transformation;

use super::Report;
use crate::cluster::{DataState, Programs, inspect};
use crate::config::Config;
use crate::http::listen;

const GIGABYTE: u64 = 1024 * 1024 * 1024;

/// Longitude, latitude and what they are in EPSG:9377 (easting, northing),
/// from IGAC's definition: a point in Ibagué, one in Cúcuta.
pub(super) const GOLDEN: [(f64, f64, f64, f64); 2] =
    [(-75.2322, 4.4389, 4_752_388.904, 2_048_868.316), (-72.5078, 7.8939, 5_054_232.907, 2_430_300.719)];

/// A millimetre, and the rounding of the golden values themselves.
pub(super) const MILLIMETRE: f64 = 0.001;

pub(super) fn has_data(config: &Config) -> bool {
    !matches!(inspect(&config.data_dir), Ok(DataState::Absent))
}

pub(super) fn examine(config: &Config, report: &mut Report) {
    gdal(report);
    reader(report);
    if config.database_url.is_none() {
        cluster(config, report);
        disk(config, report);
    }
    port(config, report);
}

fn gdal(report: &mut Report) {
    let version = gdal::version::version_info("RELEASE_NAME");
    let number: u32 = gdal::version::version_info("VERSION_NUM").parse().unwrap_or(0);
    if number >= 3_060_000 {
        report.ok("gdal", format!("GDAL {version}"));
    } else {
        report.problem("gdal", format!("GDAL {version}"), "install GDAL 3.6 or later (Debian 12 has it)");
    }
    let off: Vec<f64> = GOLDEN.iter().filter_map(|point| deviation(*point)).collect();
    if off.len() == GOLDEN.len() && off.iter().all(|metres| *metres <= MILLIMETRE) {
        report.ok("proj", "EPSG:9377 agrees with its golden values to 1 mm");
    } else {
        report.problem(
            "proj",
            format!("EPSG:9377 deviates from its golden values (metres: {off:?})"),
            "install PROJ's data (Debian: the package proj-data), and unset PROJ_LIB where it is set",
        );
    }
}

/// Whether the process that reads strangers' files can be confined here.
fn reader(report: &mut Report) {
    let missing = etl::import::missing_confinement();
    if missing.is_empty() {
        report.ok("reader", "imports read files in a process without network or other files (Landlock, seccomp)");
    }
    for reason in missing {
        report.warn(
            "reader",
            reason,
            "use a kernel of 5.13 or later with Landlock among its security modules; until then import files of people \
             you trust only",
        );
    }
}

/// How far PROJ's result lies from the golden one, in metres.
fn deviation((longitude, latitude, easting, northing): (f64, f64, f64, f64)) -> Option<f64> {
    let (x, y) = Transformation::new("EPSG:4326", "EPSG:9377").ok()?.point(longitude, latitude).ok()?;
    Some((x - easting).abs().max((y - northing).abs()))
}

fn cluster(config: &Config, report: &mut Report) {
    let state = inspect(&config.data_dir);
    let major = match &state {
        Ok(DataState::Made { postgresql, .. }) => Some(*postgresql),
        _ => None,
    };
    match Programs::find(config.postgres_bin.as_deref(), major, &config.data_dir) {
        Ok(programs) => {
            report.ok("postgresql", format!("PostgreSQL {} in {}", programs.major, programs.folder.display()));
        }
        Err(error) => report.problem("postgresql", error.to_string(), "install the packages that it names"),
    }
    let folder = config.data_dir.display();
    match state {
        Ok(DataState::Absent) => report.ok("data-folder", format!("{folder} will be made")),
        Ok(DataState::Made { server: Some(server), .. }) => {
            report.ok("data-folder", format!("{folder}, in use by a server ({server})"));
        }
        Ok(DataState::Made { server: None, .. }) => {
            report.ok("data-folder", format!("{folder}, without a running server"));
        }
        Err(error) => report.problem("data-folder", error.to_string(), "follow what it says"),
    }
}

fn disk(config: &Config, report: &mut Report) {
    // The folder, or the nearest one above it that exists.
    let Some(existing) = config.data_dir.ancestors().find(|folder| folder.exists()) else { return };
    let Ok(space) = rustix::fs::statvfs(existing) else { return };
    let free = space.f_bavail * space.f_frsize;
    let found = format!("{:.1} GB free for {}", free as f64 / GIGABYTE as f64, config.data_dir.display());
    let advice = "free some space, or move the data folder to a larger disk";
    if free < GIGABYTE / 2 {
        report.problem("disk", found, advice);
    } else if free < 5 * GIGABYTE {
        report.warn("disk", found, advice);
    } else {
        report.ok("disk", found);
    }
}

fn port(config: &Config, report: &mut Report) {
    match listen::claim(config.listen) {
        Ok(claim) => report.ok("port", format!("{} is free", claim.address())),
        Err((address, error)) if error.kind() == std::io::ErrorKind::AddrInUse => {
            let served = matches!(inspect(&config.data_dir), Ok(DataState::Made { server: Some(_), .. }));
            if served {
                report.ok("port", format!("{address} is taken, probably by this folder's own server"));
            } else {
                let advice = "stop the program that uses it, or choose another (LINDERO_LISTEN)";
                report.warn("port", format!("{address} is taken by another program"), advice);
            }
        }
        Err((address, error)) => {
            let advice = "choose an address of this machine (LINDERO_LISTEN); ports below 1024 need a privilege";
            report.problem("port", format!("{address}: {error}"), advice);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_golden_values_hold_on_this_machine() {
        for point in GOLDEN {
            let metres = deviation(point).expect("PROJ knows EPSG:9377");
            assert!(metres <= MILLIMETRE, "{point:?}: {metres} m");
        }
    }
}
