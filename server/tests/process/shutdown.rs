use std::os::unix::fs::MetadataExt;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::harness::{Room, curl, eventually};

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

#[test]
fn a_stopping_server_finishes_the_request_in_hand() {
    let room = Room::new();
    let server = room.serve();
    assert!(server.is_ready());
    // Held by the throat, the database does not answer.
    let held = backends(&room);
    assert!(!held.is_empty());
    for pid in &held {
        kill_process(*pid, Signal::STOP).expect("it is ours to stop");
    }
    let url = format!("{}/health/ready", server.url);
    let request = std::thread::spawn(move || curl(&[&url]));
    eventually("the request is in hand", || {
        let in_flight = server.get("/metrics").body;
        in_flight.contains("lindero_http_requests_in_flight 2").then_some(())
    });
    server.signal(Signal::TERM);
    eventually("it is stopping", || server.log().contains("finishing the requests").then_some(()));
    for pid in &held {
        kill_process(*pid, Signal::CONT).expect("it is ours to continue");
    }
    let reply = request.join().expect("curl ends");
    assert_eq!(reply.status, 200, "{reply:?}");
    assert!(server.wait().success());
    assert!(room.postmaster().is_none());
}

#[test]
fn a_connection_that_says_nothing_does_not_hold_the_server() {
    let room = Room::new();
    let server = room.serve();
    let address = server.url.trim_start_matches("http://").to_owned();
    let silent = std::net::TcpStream::connect(address).expect("a connection");
    assert!(server.is_ready());
    let started = std::time::Instant::now();
    assert!(server.stop().success());
    assert!(started.elapsed() < Duration::from_secs(25), "{:?}", started.elapsed());
    drop(silent);
}
