//! The parent's side of the confined reader: start it, give it its order,
//! take its frames, explain its death.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::protocol::{Frame, LARGEST_FRAME, Order};
use super::{ImportError, Reader};

/// A reading process. Killed when dropped.
pub(super) struct Reading {
    child: Child,
    out: BufReader<ChildStdout>,
    errors: tokio::task::JoinHandle<String>,
    deadline: Instant,
    wall_seconds: u64,
    memory_bytes: u64,
    cancel: CancellationToken,
    /// Deleted with everything in it at the end.
    _scratch: TempDir,
}

impl Reading {
    /// Starts the reader on an order, whose scratch folder is made here.
    pub(super) async fn start(reader: &Reader, order: &Order, cancel: &CancellationToken) -> Result<Self, ImportError> {
        let scratch = tempfile::Builder::new()
            .prefix("lindero-import-")
            .tempdir()
            .map_err(ImportError::io("no temporary folder can be made"))?;
        let mut order = order.clone();
        order.scratch = scratch.path().to_owned();
        order.file = std::path::absolute(&order.file).map_err(ImportError::io("the file's path"))?;
        order.misbehave.clone_from(&reader.misbehave);
        let mut child = Command::new(&reader.program)
            .args(&reader.arguments)
            // No database URL, no proxy, no GDAL setting of somebody's shell.
            .env_clear()
            .env("LANG", "C.UTF-8")
            .env("HOME", scratch.path())
            .env("TMPDIR", scratch.path())
            // One arena: threads would each reserve address space.
            .env("MALLOC_ARENA_MAX", "2")
            .current_dir(scratch.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .process_group(0)
            .spawn()
            .map_err(ImportError::io("the reading process cannot be started"))?;
        let (Some(mut stdin), Some(stdout), Some(stderr)) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            return Err(ImportError::Reader("its pipes could not be made".to_owned()));
        };
        let errors = tokio::spawn(last_words(stderr));
        let order_bytes = serde_json::to_vec(&order).map_err(|error| ImportError::Reader(error.to_string()))?;
        let wall_seconds = order.limits.wall_seconds;
        let reading = Self {
            child,
            out: BufReader::with_capacity(1 << 18, stdout),
            errors,
            deadline: Instant::now() + Duration::from_secs(wall_seconds),
            wall_seconds,
            memory_bytes: order.limits.memory_bytes,
            cancel: cancel.clone(),
            _scratch: scratch,
        };
        // A reader that is dead already says why at the first frame.
        if stdin.write_all(&order_bytes).await.is_ok() {
            drop(stdin);
        }
        Ok(reading)
    }

    /// The next frame; none after the last.
    pub(super) async fn frame(&mut self) -> Result<Option<Frame>, ImportError> {
        let cancel = self.cancel.clone();
        let deadline = self.deadline;
        tokio::select! {
            biased;
            () = cancel.cancelled() => Err(ImportError::Cancelled),
            () = tokio::time::sleep_until(deadline) => Err(ImportError::Reader(format!(
                "it took longer than the {} seconds allowed and was stopped. The file may be damaged; a very large one \
                 needs --max-seconds",
                self.wall_seconds
            ))),
            frame = next(&mut self.out) => match frame {
                Ok(Some(frame)) => Ok(Some(frame)),
                Ok(None) => Ok(None),
                Err(Broken::Protocol(message)) => Err(ImportError::Reader(message)),
                Err(Broken::Ended) => Err(self.explain().await),
            },
        }
    }

    /// Why the reader ended without an end.
    async fn explain(&mut self) -> ImportError {
        use std::os::unix::process::ExitStatusExt;
        let status = match self.child.wait().await {
            Ok(status) => status,
            Err(error) => return ImportError::Reader(error.to_string()),
        };
        let words =
            std::mem::replace(&mut self.errors, tokio::spawn(async { String::new() })).await.unwrap_or_default();
        let words = words.trim();
        // Rust and C++ say so when an allocation fails, each in its way.
        let out_of_memory = ["memory allocation", "bad_alloc", "out of memory", "Out of memory"]
            .iter()
            .any(|sign| words.contains(sign));
        let most = self.memory_bytes >> 20;
        ImportError::Reader(match status.signal() {
            _ if out_of_memory => format!("reading it took more than the {most} MB of memory allowed"),
            Some(24) => "reading it took more processor time than allowed; the file may be damaged".to_owned(),
            Some(9) => "the system stopped the reading process, most likely for want of memory".to_owned(),
            Some(25) => "it unpacks to more than is allowed".to_owned(),
            Some(signal) => format!(
                "the reading process crashed (signal {signal}). The file is damaged, or not what its name says; the server \
                 is not affected"
            ),
            None if words.is_empty() => format!("the reading process ended with {status}"),
            None => format!("the reading process ended with {status}: {}", words.lines().last().unwrap_or_default()),
        })
    }
}

enum Broken {
    /// The pipe ended between or within frames.
    Ended,
    Protocol(String),
}

async fn next(out: &mut BufReader<ChildStdout>) -> Result<Option<Frame>, Broken> {
    let tag = out.read_u8().await.map_err(|_| Broken::Ended)?;
    let length = out.read_u32_le().await.map_err(|_| Broken::Ended)?;
    if length > LARGEST_FRAME {
        return Err(Broken::Protocol("the reader sent a frame that is too long".to_owned()));
    }
    let mut body = vec![0; length as usize];
    out.read_exact(&mut body).await.map_err(|_| Broken::Ended)?;
    Frame::parse(tag, body).map(Some).map_err(Broken::Protocol)
}

/// The last 4 kB of what the reader says on standard error.
async fn last_words(mut stderr: tokio::process::ChildStderr) -> String {
    let mut kept: Vec<u8> = Vec::new();
    let mut buffer = [0; 4096];
    while let Ok(got @ 1..) = stderr.read(&mut buffer).await {
        kept.extend_from_slice(&buffer[..got]);
        let excess = kept.len().saturating_sub(buffer.len());
        kept.drain(..excess);
    }
    String::from_utf8_lossy(&kept).into_owned()
}

/// The file's name, for people.
pub(super) fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}
