//! The cluster's configuration files, written anew at each start. An
//! operator's own settings go through `ALTER SYSTEM`, which stands above.

use std::fmt::Write as _;
use std::path::Path;

use super::ClusterError;
use super::folder::DataFolder;
use super::user::ClusterUser;

const MEGABYTE: u64 = 1024 * 1024;

/// Who may connect: users of this machine that the map names, by what the
/// kernel says of them. No passwords, no network.
const HBA: &str = "# Written by lindero at each start.\nlocal all all peer map=lindero\n";

/// Writes the three files into the cluster's folder `cluster`.
pub(super) fn write(
    folder: &DataFolder,
    user: &ClusterUser,
    cluster: &Path,
    socket: &Path,
    connections: u32,
) -> Result<(), ClusterError> {
    folder.write(user, &cluster.join("pg_hba.conf"), HBA)?;
    folder.write(user, &cluster.join("pg_ident.conf"), &ident(user))?;
    folder.write(user, &cluster.join("lindero.conf"), &server(&folder.log(), socket, connections, memory()))
}

/// Root and the cluster's own user may act as our roles, and administer.
fn ident(user: &ClusterUser) -> String {
    let mut text = String::from("# Written by lindero at each start.\n# map  system user  database user\n");
    let mut names = vec!["root", user.name.as_str()];
    names.dedup();
    for name in names {
        for role in ["postgres", "lindero_owner", "lindero_loader", "lindero_app"] {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "lindero \"{name}\" {role}");
        }
    }
    text
}

fn server(log: &Path, socket: &Path, connections: u32, memory: u64) -> String {
    let megabytes = |part: u64, least: u64, most: u64| (memory / part / MEGABYTE).clamp(least, most);
    format!(
        "# Written by lindero at each start; use ALTER SYSTEM for settings of your own.
cluster_name = 'lindero'
listen_addresses = ''
port = 5432
unix_socket_directories = {socket}
unix_socket_permissions = 0700
max_connections = {connections}
shared_buffers = {buffers}MB
effective_cache_size = {cache}MB
work_mem = 16MB
maintenance_work_mem = {maintenance}MB
max_wal_size = 4GB
wal_compression = lz4
checkpoint_timeout = 15min
checkpoint_completion_target = 0.9
synchronous_commit = on
random_page_cost = 1.1
jit = off
timezone = 'UTC'
log_timezone = 'UTC'
logging_collector = on
log_directory = {log}
log_filename = 'postgresql-%a.log'
log_rotation_age = 1d
log_rotation_size = 0
log_truncate_on_rotation = on
log_line_prefix = '%m [%p] %u@%d '
log_checkpoints = off
",
        socket = quoted(socket),
        log = quoted(log),
        buffers = megabytes(8, 128, 2048),
        cache = megabytes(2, 256, 65536),
        maintenance = megabytes(32, 64, 512),
    )
}

/// A path as a value in postgresql.conf.
fn quoted(path: &Path) -> String {
    format!("'{}'", path.display().to_string().replace('\'', "''"))
}

/// The memory that we may use, in bytes: the machine's, or the control
/// group's where that is less. 1 GiB where neither can be read.
fn memory() -> u64 {
    let read = |path: &str| std::fs::read_to_string(path).ok();
    let machine = read("/proc/meminfo").and_then(|text| {
        let line = text.lines().find(|line| line.starts_with("MemTotal:"))?.to_owned();
        line.split_whitespace().nth(1)?.parse::<u64>().ok().map(|kilobytes| kilobytes * 1024)
    });
    let group = read("/sys/fs/cgroup/memory.max").and_then(|text| text.trim().parse::<u64>().ok());
    machine.unwrap_or(1024 * MEGABYTE).min(group.unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_shared_out_in_proportion_and_within_bounds() {
        let small = server(Path::new("/d/log"), Path::new("/run/it's"), 40, 512 * MEGABYTE);
        assert!(small.contains("shared_buffers = 128MB"), "{small}");
        assert!(small.contains("unix_socket_directories = '/run/it''s'"), "{small}");
        let large = server(Path::new("/d/log"), Path::new("/run/x"), 40, 256 * 1024 * MEGABYTE);
        assert!(large.contains("shared_buffers = 2048MB"), "{large}");
        assert!(memory() > 64 * MEGABYTE);
    }

    #[test]
    fn root_is_mapped_once() {
        let root = ClusterUser { name: "root".to_owned(), uid: 0, gid: 0 };
        assert_eq!(ident(&root).matches("\"root\" postgres").count(), 1);
        let other = ClusterUser { name: "lindero".to_owned(), uid: 7, gid: 7 };
        assert!(ident(&other).contains("lindero \"lindero\" lindero_app"));
    }
}
