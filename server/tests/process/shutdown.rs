use std::time::Duration;

use rustix::process::Signal;

use crate::harness::{HeldRequest, Room, curl, eventually};

#[test]
fn a_stopping_server_finishes_the_request_in_hand() {
    let room = Room::new();
    let server = room.serve();
    let held = HeldRequest::new(&room, &server);
    server.signal(Signal::TERM);
    eventually("it is stopping", || server.log().contains("finishing the requests").then_some(()));
    held.release();
    let reply = held.reply();
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

#[test]
fn a_page_that_is_told_of_changes_does_not_hold_the_server() {
    let room = Room::new();
    let server = room.serve();
    let url = format!("{}/changes", server.url);
    let page = std::thread::spawn(move || curl(&["--no-buffer", &url]));
    eventually("it listens", || server.get("/metrics").body.contains("lindero_change_streams 1").then_some(()));
    let started = std::time::Instant::now();
    assert!(server.stop().success());
    assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
    let heard = page.join().expect("curl ends");
    assert!(heard.status == 200 && heard.body.contains("id: "), "{heard:?}");
}
