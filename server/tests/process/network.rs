//! HTTPS, both IP families, proxies, base paths.

use std::path::PathBuf;
use std::process::Command;

use crate::harness::{Room, curl};

/// A certificate for this machine and its key, of our own making.
pub(crate) fn certificate(room: &Room) -> (PathBuf, PathBuf) {
    let (cert, key) = (room.path().join("cert.pem"), room.path().join("key.pem"));
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"])
        .args(["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"])
        .arg("-keyout")
        .arg(&key)
        .arg("-out")
        .arg(&cert)
        .output()
        .expect("openssl is installed (make setup)");
    assert!(made.status.success(), "{made:?}");
    (cert, key)
}

#[test]
fn https_with_our_own_certificate_speaks_http_2_and_asks_for_https_only() {
    let room = Room::new();
    let (cert, key) = certificate(&room);
    let server = room.serve_with(|command| {
        command.env("LINDERO_TLS_CERT", &cert).env("LINDERO_TLS_KEY", &key);
    });
    let url = format!("{}/health/ready", server.url);
    assert!(url.starts_with("https://"), "{url}");
    let cert = cert.display().to_string();
    let reply = curl(&["--cacert", &cert, "--http2", &url]);
    assert_eq!(reply.status, 200, "{reply:?}");
    assert!(reply.head.starts_with("HTTP/2"), "{}", reply.head);
    assert!(reply.header("strict-transport-security").is_some());
    assert!(curl(&["--cacert", &cert, "--http1.1", &url]).head.starts_with("HTTP/1.1 200"));
    assert!(server.stop().success());
}

#[test]
fn a_certificate_that_cannot_be_used_is_refused_before_anything_starts() {
    let room = Room::new();
    let file = room.path().join("not.pem");
    std::fs::write(&file, "nothing").expect("a file");
    let refused = room
        .command(&["serve"])
        .env("LINDERO_LISTEN", "127.0.0.1:0")
        .env("LINDERO_TLS_CERT", &file)
        .env("LINDERO_TLS_KEY", &file)
        .output()
        .expect("it runs");
    assert!(!refused.status.success());
    assert!(crate::harness::text(&refused).contains("not.pem"));
    assert!(!room.data().exists());
}

#[test]
fn one_address_takes_ipv4_and_ipv6() {
    if std::net::TcpListener::bind("[::1]:0").is_err() {
        eprintln!("skipped: this machine has no IPv6");
        return;
    }
    let room = Room::new();
    let server = room.serve_with(|command| {
        command.env("LINDERO_LISTEN", "[::]:0");
    });
    let port = server.url.rsplit(':').next().expect("a port").to_owned();
    for host in ["127.0.0.1", "[::1]", "localhost"] {
        assert_eq!(curl(&[&format!("http://{host}:{port}/health/ready")]).status, 200, "{host}");
    }
}

#[test]
fn the_base_path_of_the_public_url_is_answered() {
    let room = Room::new();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    drop(listener);
    let server = room.serve_with(|command| {
        command.env("LINDERO_LISTEN", address.to_string()).env("LINDERO_PUBLIC_URL", "https://mapas.example/sig");
    });
    assert_eq!(server.url, "https://mapas.example/sig");
    for path in ["/sig/health/ready", "/health/ready"] {
        assert_eq!(curl(&[&format!("http://{address}{path}")]).status, 200, "{path}");
    }
    let landing = curl(&[&format!("http://{address}/sig/?f=json")]);
    assert_eq!(landing.status, 200, "{landing:?}");
    let links = landing.json()["links"].to_string();
    assert!(links.contains("https://mapas.example/sig/collections"), "{links}");
}

#[test]
fn forwarded_headers_count_only_from_trusted_proxies() {
    let ask = |server: &crate::harness::Server| {
        let url = format!("{}/?f=json", server.url);
        let arguments = [
            "-H",
            "X-Forwarded-Proto: https",
            "-H",
            "X-Forwarded-Host: mapas.example",
            "-H",
            "X-Forwarded-Prefix: /sig",
        ];
        curl(&[&arguments[..], &[&url]].concat()).json()["links"].to_string()
    };
    let room = Room::new();
    let server = room.serve_with(|command| {
        command.env("LINDERO_TRUSTED_PROXIES", "127.0.0.0/8");
    });
    assert!(ask(&server).contains("https://mapas.example/sig/collections"), "{}", ask(&server));
    assert!(server.stop().success());
    let server = room.serve();
    assert!(!ask(&server).contains("mapas.example"), "{}", ask(&server));
}

#[test]
fn text_is_compressed_and_a_large_body_refused() {
    let room = Room::new();
    let server = room.serve();
    for encoding in ["gzip", "br", "zstd"] {
        let reply = curl(&[
            "-H",
            &format!("Accept-Encoding: {encoding}"),
            "--output",
            "/dev/null",
            "--dump-header",
            "-",
            &format!("{}/metrics", server.url),
        ]);
        assert_eq!(reply.header("content-encoding"), Some(encoding), "{reply:?}");
    }
    let body = room.path().join("large");
    std::fs::write(&body, vec![b'x'; 2 << 20]).expect("a file");
    let reply = curl(&[
        "--data-binary",
        &format!("@{}", body.display()),
        "-H",
        "Expect:",
        &format!("{}/health/live", server.url),
    ]);
    assert!(matches!(reply.status, 405 | 413), "{reply:?}");
    assert_eq!(reply.header("content-type"), Some("application/problem+json"));
    let long = server.get(&format!("/health/live?q={}", "a".repeat(9000)));
    assert_eq!(long.status, 414);
    assert_eq!(server.get("/health/live?q=%00").status, 400);
}

#[test]
fn the_log_has_the_requests_id_and_not_its_query() {
    let room = Room::new();
    let server = room.serve();
    let reply = curl(&["-H", "X-Request-Id: ask-1", &format!("{}/health/live?nombre=Fulano", server.url)]);
    assert_eq!(reply.header("x-request-id"), Some("ask-1"));
    let log = server.log();
    assert!(log.contains("ask-1"), "{log}");
    assert!(!log.contains("Fulano"), "{log}");
}
