//! The tile indexes: their folder, and the layers that have none.

use std::io;

use rustix::fs::{Access, access, statvfs};
use tiles::engine::Files;

use super::Report;
use crate::config::Config;

const CHECK: &str = "tiles";
const MEGABYTE: u64 = 1_000_000;

pub(super) fn examine(config: &Config, report: &mut Report) {
    if config.tile_index_memory == 0 {
        let advice = "unset LINDERO_TILE_INDEX_MEMORY, and tiles are cut from indexes, which is quicker";
        return report.warn(CHECK, "there are no tile indexes: LINDERO_TILE_INDEX_MEMORY is 0", advice);
    }
    let folder = config.tiles_dir();
    let files = match Files::look(&folder) {
        Ok(Some(files)) => files,
        Ok(None) => return report.ok(CHECK, format!("{} will be made", folder.display())),
        Err(error) => return unusable(config, report, &error),
    };
    // The other rights of a folder are of no use without that to go into it.
    if let Err(error) = access(&folder, Access::WRITE_OK | Access::EXEC_OK) {
        return unusable(config, report, &error.into());
    }
    let free = statvfs(&folder).map_or(u64::MAX, |space| space.f_bavail * space.f_frsize);
    let found = format!(
        "{}: {} layers with an index, {:.1} MB; {} MB free",
        folder.display(),
        files.indexes,
        files.bytes as f64 / MEGABYTE as f64,
        free / MEGABYTE
    );
    // A file is replaced by another that is whole.
    if free < 2 * files.largest {
        report.warn(
            CHECK,
            found,
            "free some space: a layer that is indexed anew needs it, while its old file is there",
        );
    } else {
        report.ok(CHECK, found);
    }
    for (layer, why) in &files.without {
        report.warn(
            CHECK,
            format!("the tiles of {layer} are cut by the database: {why}"),
            "where it is for want of memory, give more (LINDERO_TILE_INDEX_MEMORY) and start the server again",
        );
    }
}

fn unusable(config: &Config, report: &mut Report, error: &io::Error) {
    report.problem(
        CHECK,
        format!("{}: {error}; indexes stay in memory, and are built anew at each start", config.tiles_dir().display()),
        "let the server's user read and write the folder",
    );
}
