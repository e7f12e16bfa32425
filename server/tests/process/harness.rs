//! A data folder, a server in it, and waiting with a deadline.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// How long anything may take on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(90);

/// Asks again and again until there is an answer; fails the test when
/// patience ends.
pub(crate) fn eventually<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(Instant::now() < deadline, "not within {PATIENCE:?}: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// The binary under test, told nothing by the tests' own environment.
pub(crate) fn lindero(program: &Path) -> Command {
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        if name.starts_with("LINDERO_") || name.starts_with("PG") || name == "DATABASE_URL" {
            command.env_remove(name);
        }
    }
    command.stdin(Stdio::null());
    command
}

pub(crate) fn binary() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_lindero"))
}

/// A folder for a test, which every user of the system can reach.
pub(crate) struct Room {
    folder: TempDir,
}

impl Room {
    pub(crate) fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("lindero-").tempdir_in("/tmp").expect("a folder");
        std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o755)).expect("permissions");
        Self { folder }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.path().join("data")
    }

    /// A command on this room's data folder. It listens on a free port of the
    /// loopback: the usual one may be a demonstration's.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = lindero(binary());
        command.args(arguments).env("LINDERO_DATA_DIR", self.data()).current_dir(self.path());
        command.env("LINDERO_LISTEN", "127.0.0.1:0");
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().expect("the binary runs")
    }

    /// A server on a free port of the loopback.
    pub(crate) fn serve(&self) -> Server {
        self.serve_with(|_| {})
    }

    pub(crate) fn serve_with(&self, change: impl FnOnce(&mut Command)) -> Server {
        let mut command = self.command(&["serve"]);
        change(&mut command);
        Server::start(command, &self.path().join("server.log"))
    }

    /// The number of the database's server process, where one runs.
    pub(crate) fn postmaster(&self) -> Option<Pid> {
        postmaster(&self.data())
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        // Whatever the test did, the reaper stops what is left.
        let deadline = Instant::now() + PATIENCE;
        while self.postmaster().is_some() && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

pub(crate) fn postmaster(data: &Path) -> Option<Pid> {
    let text = std::fs::read_to_string(data.join("postgres/postmaster.pid")).ok()?;
    let pid: i32 = text.lines().next()?.parse().ok()?;
    std::fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|comm| comm.starts_with("postgres")).then_some(())?;
    Pid::from_raw(pid)
}

/// The database's processes that answer the server's requests.
fn backends(room: &Room) -> Vec<Pid> {
    let postmaster = room.postmaster().expect("it runs").as_raw_nonzero().get();
    let owner = std::fs::metadata(format!("/proc/{postmaster}")).expect("a process").uid();
    std::fs::read_dir("/proc")
        .expect("/proc")
        .flatten()
        .filter(|entry| entry.metadata().is_ok_and(|found| found.uid() == owner))
        .filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok())
        .filter(|pid| {
            let title = std::fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            let parent = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            let parent = parent.rsplit(") ").next().and_then(|rest| rest.split(' ').nth(1)?.parse::<i32>().ok());
            parent == Some(postmaster) && title.contains("lindero_app")
        })
        .filter_map(Pid::from_raw)
        .collect()
}

/// A request that waits for a database which does not answer.
pub(crate) struct HeldRequest {
    backends: Vec<Pid>,
    request: JoinHandle<Reply>,
}

impl HeldRequest {
    /// Stops the database's processes and asks whether the server is ready;
    /// returns when the server has the question in hand.
    pub(crate) fn new(room: &Room, server: &Server) -> Self {
        assert!(server.is_ready());
        let url = format!("{}/health/ready", server.url);
        // The server may open a connection between the look at the processes and
        // the question, and answer by it: the newcomer is stopped, too, and the
        // question put again.
        let mut stopped = Vec::new();
        let mut request: Option<JoinHandle<Reply>> = None;
        let mut is_in_hand = false;
        eventually("the request is in hand", || {
            for pid in backends(room) {
                if !stopped.contains(&pid) && kill_process(pid, Signal::STOP).is_ok() {
                    stopped.push(pid);
                }
            }
            if request.as_ref().is_none_or(JoinHandle::is_finished) {
                let url = url.clone();
                request = Some(std::thread::spawn(move || curl(&[&url])));
            }
            // Seen twice, since one that is soon answered may be seen once.
            let before = is_in_hand;
            is_in_hand = server.get("/metrics").body.contains("lindero_http_requests_in_flight 2");
            (before && is_in_hand).then_some(())
        });
        assert!(!stopped.is_empty());
        let (backends, request) = (stopped, request.expect("it was put"));
        Self { backends, request }
    }

    /// Lets the database go on.
    pub(crate) fn release(&self) {
        for pid in &self.backends {
            kill_process(*pid, Signal::CONT).expect("it is ours to continue");
        }
    }

    /// What the server answered, if anything.
    pub(crate) fn reply(self) -> Reply {
        self.request.join().expect("curl ends")
    }
}

/// A running server.
pub(crate) struct Server {
    child: Child,
    pub(crate) url: String,
    log: PathBuf,
}

impl Server {
    /// Starts it and waits for its greeting.
    pub(crate) fn start(mut command: Command, log: &Path) -> Self {
        let file = File::create(log).expect("a log file");
        let mut child = command.stdout(Stdio::piped()).stderr(file).spawn().expect("the server starts");
        let mut greeting = String::new();
        BufReader::new(child.stdout.take().expect("a pipe")).read_line(&mut greeting).expect("the greeting");
        let said = std::fs::read_to_string(log).unwrap_or_default();
        let url = greeting.split_whitespace().find(|word| word.starts_with("http"));
        let url = url.unwrap_or_else(|| panic!("no greeting: {greeting:?}\n{said}")).trim_end_matches('/').to_owned();
        Self { child, url, log: log.to_owned() }
    }

    pub(crate) fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    pub(crate) fn get(&self, path: &str) -> Reply {
        curl(&[&format!("{}{path}", self.url)])
    }

    pub(crate) fn is_ready(&self) -> bool {
        self.get("/health/ready").status == 200
    }

    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    pub(crate) fn kill(mut self) {
        self.child.kill().expect("it is ours to kill");
        self.child.wait().expect("it ends");
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).expect("it runs");
    }

    /// Asks it to stop and waits for that.
    pub(crate) fn stop(mut self) -> ExitStatus {
        self.signal(Signal::TERM);
        eventually("the server stops", || self.child.try_wait().expect("a status"))
    }

    pub(crate) fn wait(mut self) -> ExitStatus {
        eventually("the server stops", || self.child.try_wait().expect("a status"))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a server answered.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Reply {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then_some(value.trim())
        })
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }
}

/// Asks with curl; status 0 where nobody answers.
pub(crate) fn curl(arguments: &[&str]) -> Reply {
    let output = Command::new("curl")
        .args(["--silent", "--include", "--max-time", "60", "--noproxy", "*"])
        .args(arguments)
        .output()
        .expect("curl is installed (make setup)");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let status = head.split_whitespace().nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    Reply { status, head: head.to_owned(), body: body.to_owned() }
}

pub(crate) fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

pub(crate) fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}
