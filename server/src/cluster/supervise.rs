//! Watching the database server while we serve: killed, it is started again.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::Cluster;
use super::postmaster::Postmaster;

/// How often the watch looks whether it should end.
const LOOK: Duration = Duration::from_millis(250);
/// The longest pause between two attempts to start.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// The watch; it ends when it is dropped.
#[derive(Debug)]
pub struct Supervisor {
    ended: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Supervisor {
    /// Begins to watch.
    pub(super) fn new(cluster: Arc<Cluster>) -> Self {
        let ended = Arc::new(AtomicBool::new(false));
        let thread = std::thread::spawn({
            let ended = Arc::clone(&ended);
            move || watch(&cluster, &ended)
        });
        Self { ended, thread: Some(thread) }
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn watch(cluster: &Cluster, ended: &AtomicBool) {
    let has_ended = || ended.load(Ordering::Relaxed);
    let mut pause = Duration::ZERO;
    while !has_ended() {
        if let Some(running) = Postmaster::find(&cluster.folder.cluster())
            && running.is_ready()
        {
            let since = Instant::now();
            while !has_ended() && !running.wait_for_end(LOOK) {}
            if has_ended() {
                return;
            }
            tracing::error!(pid = running.pid, "the database server has ended; starting it again");
            // One that keeps dying is given more and more time.
            pause = if since.elapsed() > LONGEST_PAUSE { Duration::ZERO } else { longer(pause) };
        }
        let until = Instant::now() + pause;
        while !has_ended() && Instant::now() < until {
            std::thread::sleep(LOOK.min(until.saturating_duration_since(Instant::now())));
        }
        if has_ended() {
            return;
        }
        match cluster.start() {
            Ok(running) => tracing::info!(pid = running.pid, "the database server runs again"),
            Err(error) => {
                pause = longer(pause);
                tracing::error!(%error, seconds = pause.as_secs(), "the database server does not start; trying again");
            }
        }
    }
}

fn longer(pause: Duration) -> Duration {
    (pause * 2).clamp(Duration::from_millis(500), LONGEST_PAUSE)
}
