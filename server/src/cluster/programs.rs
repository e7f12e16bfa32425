//! Where PostgreSQL's programs are.

use std::path::{Path, PathBuf};

use super::ClusterError;

/// The folder in which Debian's packages put a version's programs:
/// `/usr/lib/postgresql/15/bin`.
const DEBIAN: &str = "/usr/lib/postgresql";

/// The programs of one major version of PostgreSQL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Programs {
    /// Their folder.
    pub folder: PathBuf,
    /// The major version: 15.
    pub major: u32,
}

impl Programs {
    /// The programs for a cluster of `major`, or the newest ones that have
    /// PostGIS where there is no cluster yet. `named` is the configured
    /// folder, which then is the only one looked at.
    pub fn find(named: Option<&Path>, major: Option<u32>, data_folder: &Path) -> Result<Self, ClusterError> {
        let mut found = match named {
            Some(folder) => vec![Self { folder: folder.to_owned(), major: major_of(folder)? }],
            None => installed(),
        };
        found.sort_by_key(|programs| std::cmp::Reverse(programs.major));
        let Some(made_with) = major else {
            return found.into_iter().next().ok_or(ClusterError::NoPostgres);
        };
        let versions: Vec<String> = found.iter().map(|programs| programs.major.to_string()).collect();
        found.into_iter().find(|programs| programs.major == made_with).ok_or_else(|| ClusterError::OtherPostgres {
            folder: data_folder.to_owned(),
            made_with,
            found: if versions.is_empty() { "none".to_owned() } else { versions.join(", ") },
        })
    }

    /// The path of one of them.
    pub fn path(&self, program: &str) -> PathBuf {
        self.folder.join(program)
    }
}

fn installed() -> Vec<Programs> {
    let versions = std::fs::read_dir(DEBIAN).into_iter().flatten().flatten();
    versions
        .filter_map(|version| {
            let major: u32 = version.file_name().to_str()?.parse().ok()?;
            let folder = version.path().join("bin");
            let postgis = format!("/usr/share/postgresql/{major}/extension/postgis.control");
            (folder.join("initdb").exists() && Path::new(&postgis).exists()).then_some(Programs { folder, major })
        })
        .collect()
}

/// `initdb (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)` is 15.
fn major_of(folder: &Path) -> Result<u32, ClusterError> {
    let initdb = folder.join("initdb");
    let output = std::process::Command::new(&initdb)
        .arg("--version")
        .output()
        .map_err(ClusterError::file("running", &initdb))?;
    let text = String::from_utf8_lossy(&output.stdout);
    text.split_whitespace()
        .nth(2)
        .and_then(|version| version.split(|c: char| !c.is_ascii_digit()).next())
        .and_then(|major| major.parse().ok())
        .ok_or_else(|| ClusterError::Program {
            program: initdb.display().to_string(),
            output: format!("it does not tell its version: {}", text.trim()),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_installed_version_is_found_and_another_is_named() {
        let newest = Programs::find(None, None, Path::new("/data")).expect("PostgreSQL is installed for the tests");
        let again =
            Programs::find(Some(&newest.folder), Some(newest.major), Path::new("/data")).expect("by its folder");
        assert_eq!(again, newest);
        let error = Programs::find(None, Some(9), Path::new("/data")).expect_err("nobody has 9 any more");
        assert!(error.to_string().contains("PostgreSQL 9"), "{error}");
    }
}
