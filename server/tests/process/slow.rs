//! Clients that take their time: none of them holds a connection for long.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::harness::{Room, Server, eventually};
use crate::network::certificate;

/// What each of them is given, and some time for a busy machine.
const SILENCE: Duration = Duration::from_secs(15);
const MARGIN: Duration = Duration::from_secs(20);

const PREFACE: &str = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// A frame of SETTINGS that says nothing (RFC 9113, 6.5).
const SETTINGS: &str = "\0\0\0\x04\0\0\0\0\0";
/// A request's headers of HTTP/2 that go on, and never end: HEADERS without END_HEADERS, of a stream 1.
const UNFINISHED: &str = "\0\0\x01\x01\0\0\0\0\x01\x02";

/// What a client says at once, what again and again, and how long it may stay.
struct Slow {
    what: &'static str,
    first: String,
    then: &'static str,
    most: Duration,
}

/// How long the server let the client stay, and what it told it.
fn stay(server: &str, slow: &Slow) -> (Duration, Vec<u8>) {
    let begun = Instant::now();
    let mut connection = TcpStream::connect(server).expect("a connection");
    connection.set_read_timeout(Some(Duration::from_secs(1))).expect("a timeout");
    // Whoever is not listened to any more may be told so here, or when it reads.
    let mut is_open = connection.write_all(slow.first.as_bytes()).is_ok();
    let mut told = Vec::new();
    while is_open {
        assert!(begun.elapsed() < slow.most, "{}: still open after {:?}", slow.what, begun.elapsed());
        let mut buffer = [0; 4096];
        is_open = match connection.read(&mut buffer) {
            Ok(0) => false,
            Ok(many) => {
                told.extend_from_slice(&buffer[..many]);
                true
            }
            // Nothing within a second: the next letter.
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                connection.write_all(slow.then.as_bytes()).is_ok()
            }
            Err(_) => false,
        };
    }
    (begun.elapsed(), told)
}

fn address(server: &Server) -> String {
    server.url.rsplit('/').next().expect("an address").to_owned()
}

#[test]
fn who_says_nothing_or_too_slowly_is_hung_up_on() {
    let room = Room::new();
    let server = room.serve();
    let address = address(&server);
    let once = SILENCE + MARGIN;
    let get = "GET /health/live HTTP/1.1\r\nhost: localhost\r\n";
    let slow = |what, first: &str, then, most| Slow { what, first: first.to_owned(), then, most };
    let all = [
        slow("nothing", "", "", once),
        slow("one letter", "P", "", once),
        slow("half a preface", &PREFACE[..20], "", once),
        slow("a request line, letter by letter", "GET /", "x", once),
        slow("headers without end", get, "x-slow: 1\r\n", once),
        slow("a header without end", get, "x", once),
        slow("nothing after an answer", &format!("{get}\r\n"), "", once),
        slow("HTTP/2, and nothing more", PREFACE, "", SILENCE + once),
        slow("HTTP/2 that answers nothing", &format!("{PREFACE}{SETTINGS}"), "", SILENCE + once),
        slow("headers of HTTP/2 without end", &format!("{PREFACE}{SETTINGS}{UNFINISHED}"), "", SILENCE + once),
    ];
    let stays: Vec<_> = all
        .into_iter()
        .map(|slow| {
            let address = address.clone();
            thread::spawn(move || (slow.what, stay(&address, &slow)))
        })
        .collect();
    for stayed in stays {
        let (what, (time, told)) = stayed.join().expect("it is hung up on");
        let told = String::from_utf8_lossy(&told);
        assert!(time > SILENCE / 2, "{what}: hung up on after {time:?}: {told}");
        assert_eq!(told.starts_with("HTTP/1.1 200"), what == "nothing after an answer", "{what}: {told}");
    }
    // Everybody else was served meanwhile, and is.
    assert!(server.is_ready());
}

#[test]
fn who_says_nothing_by_https_is_hung_up_on_too() {
    let room = Room::new();
    let (cert, key) = certificate(&room);
    let server = room.serve_with(|command| {
        command.env("LINDERO_TLS_CERT", &cert).env("LINDERO_TLS_KEY", &key);
    });
    let address = address(&server);
    let most = SILENCE + MARGIN;
    let silent = Slow { what: "no handshake", first: String::new(), then: "", most };
    let silent = thread::spawn({
        let address = address.clone();
        move || stay(&address, &silent).0
    });
    // A handshake, and nothing more: its standard input stays open.
    let begun = Instant::now();
    let mut client = Command::new("openssl")
        .args(["s_client", "-quiet", "-connect", &address])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("openssl is installed (make setup)");
    eventually("the client is hung up on", || client.try_wait().expect("a status"));
    let stayed = begun.elapsed();
    for stayed in [stayed, silent.join().expect("it is hung up on")] {
        assert!(stayed > SILENCE / 2 && stayed < most, "{stayed:?}");
    }
}
