//! PostgreSQL's server process: whether it runs, and starting and stopping it.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open};

use super::ClusterError;
use super::folder::DataFolder;
use super::lock::Lock;
use super::programs::Programs;
use super::user::ClusterUser;

/// How long a crash recovery may take before we call it stuck.
const START: Duration = Duration::from_mins(10);
const STOP: Duration = Duration::from_mins(2);

/// A running server process, as its `postmaster.pid` tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Postmaster {
    pub(super) pid: i32,
    pub(super) socket: PathBuf,
    pub(super) port: u16,
    /// `starting`, `ready`, `stopping`.
    status: String,
}

impl Postmaster {
    /// The one that runs on `cluster`, if any does. What the file says is
    /// believed only where a process with that number works in that folder.
    pub(super) fn find(cluster: &Path) -> Option<Self> {
        let text = std::fs::read_to_string(cluster.join("postmaster.pid")).ok()?;
        let mut lines = text.lines();
        let pid: i32 = lines.next()?.trim().parse().ok()?;
        let port = lines.nth(2)?.trim().parse().ok()?;
        let socket = PathBuf::from(lines.next()?.trim());
        let status = lines.nth(2).unwrap_or("starting").trim().to_owned();
        works_in(pid, cluster).then_some(Self { pid, socket, port, status })
    }

    pub(super) fn is_ready(&self) -> bool {
        self.status == "ready"
    }

    /// Waits until the process is gone or `at_most` has passed; tells whether
    /// it is gone.
    pub(super) fn wait_for_end(&self, at_most: Duration) -> bool {
        let Some(pid) = Pid::from_raw(self.pid) else { return true };
        let Ok(process) = pidfd_open(pid, PidfdFlags::empty()) else { return true };
        let timeout = Timespec { tv_sec: at_most.as_secs() as i64, tv_nsec: at_most.subsec_nanos().into() };
        let mut waited = [PollFd::new(&process, PollFlags::IN)];
        // An interrupted wait is a short one.
        poll(&mut waited, Some(&timeout)).is_ok_and(|ready| ready > 0)
    }
}

/// Starts the server process, or waits for one that is starting.
pub(super) fn start(
    programs: &Programs,
    folder: &DataFolder,
    user: &ClusterUser,
    socket: &Path,
    change: &Lock,
) -> Result<Postmaster, ClusterError> {
    let cluster = folder.cluster();
    let deadline = Instant::now() + START;
    loop {
        match Postmaster::find(&cluster) {
            Some(running) if running.is_ready() => return Ok(running),
            Some(running) if running.status == "stopping" => {
                running.wait_for_end(STOP);
            }
            Some(starting) => {
                starting.wait_for_end(Duration::from_millis(50));
            }
            None => {
                clear_remains(&cluster, socket)?;
                run_pg_ctl(programs, folder, user, change)?;
            }
        }
        if Instant::now() > deadline {
            let state = Postmaster::find(&cluster).map_or_else(|| "down".to_owned(), |running| running.status);
            return Err(ClusterError::Stuck { state, seconds: START.as_secs(), log: folder.log() });
        }
    }
}

fn run_pg_ctl(programs: &Programs, folder: &DataFolder, user: &ClusterUser, change: &Lock) -> Result<(), ClusterError> {
    let program = programs.path("pg_ctl");
    let log = folder.log().join("start.log");
    let output = user
        .command(&program, folder.root())
        .args(["start", "--wait", "--silent"])
        .arg(format!("--timeout={}", START.as_secs()))
        .arg("--pgdata")
        .arg(folder.cluster())
        .arg("--log")
        .arg(&log)
        .stdin(change.for_child()?)
        .output()
        .map_err(ClusterError::file("running", &program))?;
    if output.status.success() {
        return Ok(());
    }
    let mut said = String::from_utf8_lossy(&output.stderr).into_owned();
    said.push_str(&last_lines(&log));
    Err(ClusterError::Program { program: "pg_ctl start".to_owned(), output: said })
}

/// Stops the server process, its clients' transactions rolled back. The
/// lock `users` is held exclusively.
pub(super) fn stop(folder: &DataFolder) -> Result<(), ClusterError> {
    let Some(running) = Postmaster::find(&folder.cluster()) else { return Ok(()) };
    if let Some(pid) = Pid::from_raw(running.pid) {
        // SIGINT is PostgreSQL's "fast" shutdown. Gone already is as good.
        let _ = kill_process(pid, Signal::INT);
    }
    if running.wait_for_end(STOP) {
        return Ok(());
    }
    Err(ClusterError::Stuck { state: "stopping".to_owned(), seconds: STOP.as_secs(), log: folder.log() })
}

/// Clears what a killed server process left: its own children, which must be
/// gone before the shared memory is made anew, and files that name a process
/// number which is somebody else's by now.
fn clear_remains(cluster: &Path, socket: &Path) -> Result<(), ClusterError> {
    let patience = Instant::now() + Duration::from_secs(10);
    loop {
        let children = processes_in(cluster);
        if children.is_empty() {
            break;
        }
        for child in children {
            let remains = Postmaster { pid: child, socket: socket.to_owned(), port: 0, status: String::new() };
            let left = patience.saturating_duration_since(Instant::now());
            if !remains.wait_for_end(left)
                && let Some(pid) = Pid::from_raw(child)
            {
                tracing::warn!(child, "killing what is left of a killed database server");
                let _ = kill_process(pid, Signal::KILL);
                remains.wait_for_end(Duration::from_secs(5));
            }
        }
    }
    let mut remains = vec![cluster.join("postmaster.pid")];
    for entry in std::fs::read_dir(socket).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(".s.PGSQL.") {
            remains.push(entry.path());
        }
    }
    for path in remains {
        match std::fs::remove_file(&path) {
            Ok(()) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(ClusterError::file("removing", &path)(error)),
        }
    }
    Ok(())
}

/// PostgreSQL's processes keep their data folder as working folder.
fn processes_in(cluster: &Path) -> Vec<i32> {
    let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    processes
        .filter_map(|process| process.file_name().to_str()?.parse().ok())
        .filter(|pid| works_in(*pid, cluster))
        .collect()
}

fn works_in(pid: i32, cluster: &Path) -> bool {
    let comm = std::fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
    let named = comm.starts_with("postgres") || comm.starts_with("postmaster");
    named
        && std::fs::read_link(format!("/proc/{pid}/cwd"))
            .is_ok_and(|folder| Some(folder) == cluster.canonicalize().ok())
}

/// The end of a log file, for an error's text.
fn last_lines(path: &Path) -> String {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(8)..].join("\n")
}
