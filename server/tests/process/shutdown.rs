use std::time::Duration;

use rustix::process::{Signal, kill_process};

use crate::harness::{Room, backends, curl, eventually};

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
