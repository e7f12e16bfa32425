//! What is ended in one process is out in every other within a second.

use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;
use testdb::TestDatabase;
use tokio::runtime::Runtime;

use crate::harness::{Room, Server, curl, text};

const PASSWORD: &str = "ceiba violeta 41 nubes";

/// Two servers on one database, each with a folder of its own.
struct Pair {
    runtime: Runtime,
    test: TestDatabase,
    rooms: [Room; 2],
    servers: [Server; 2],
}

/// What a browser keeps.
struct Browser {
    cookie: String,
    csrf: String,
}

impl Pair {
    fn new() -> Self {
        let runtime = Runtime::new().expect("a runtime");
        let test = runtime.block_on(TestDatabase::new());
        let rooms = [Room::new(), Room::new()];
        let serve = |room: &Room| {
            room.serve_with(|command| {
                command.env("DATABASE_URL", test.url());
            })
        };
        let servers = [serve(&rooms[0]), serve(&rooms[1])];
        Self { runtime, test, rooms, servers }
    }

    /// What the operator runs, in a third process.
    fn lindero(&self, arguments: &[&str]) -> String {
        let mut command: Command = self.rooms[0].command(arguments);
        let output = command.env("DATABASE_URL", self.test.url()).output().expect("it runs");
        assert!(output.status.success(), "{}", text(&output));
        text(&output)
    }

    fn send(&self, server: usize, method: &str, path: &str, headers: &[&str], body: &str) -> crate::harness::Reply {
        let url = format!("{}{path}", self.servers[server].url);
        let mut arguments = vec!["--request", method, "--header", "content-type: application/json", "--data", body];
        arguments.extend(headers.iter().flat_map(|header| ["--header", *header]));
        arguments.push(&url);
        curl(&arguments)
    }

    /// A person, and the browser in which it came in.
    fn person(&self, name: &str) -> Browser {
        let said = self.lindero(&["user", "add", name]);
        let link = said.split("#link=").nth(1).and_then(|rest| rest.split_whitespace().next()).expect("a link");
        let body = serde_json::json!({ "token": link, "password": PASSWORD }).to_string();
        Browser::of(&self.send(0, "PUT", "/session/link", &[], &body))
    }

    fn log_in(&self, server: usize, name: &str) -> Browser {
        let body = serde_json::json!({ "name": name, "password": PASSWORD }).to_string();
        Browser::of(&self.send(server, "POST", "/session", &[], &body))
    }

    /// Who a server says that is.
    fn sees(&self, server: usize, header: &str) -> (u16, Value) {
        let reply = curl(&["--header", header, &format!("{}/session", self.servers[server].url)]);
        let account = if reply.status == 200 { reply.json()["account"]["name"].clone() } else { Value::Null };
        (reply.status, account)
    }

    /// Both know it from memory; then it is ended, and within a second both
    /// know that.
    fn is_out_after(&self, header: &str, name: &str, what: &str, end: impl FnOnce()) {
        for server in [0, 1, 0, 1] {
            assert_eq!(self.sees(server, header), (200, name.into()), "{what}: before");
        }
        end();
        let ended = Instant::now();
        for server in [0, 1] {
            while self.sees(server, header).1 != Value::Null {
                assert!(ended.elapsed() < Duration::from_secs(1), "{what}: server {server} lets it in after a second");
            }
        }
    }
}

impl Browser {
    fn of(reply: &crate::harness::Reply) -> Self {
        assert_eq!(reply.status, 201, "{}", reply.body);
        let cookie = reply.head.lines().find_map(|line| line.split_once("lindero_session=")).expect("a cookie").1;
        let cookie = format!("cookie: lindero_session={}", cookie.split(';').next().unwrap_or_default());
        let csrf = format!("x-csrf-token: {}", reply.json()["csrf"].as_str().expect("a token"));
        Self { cookie, csrf }
    }
}

#[test]
fn logout_and_revocation_hold_in_every_process_within_a_second() {
    let pair = Pair::new();
    let eva = pair.person("eva");
    pair.is_out_after(&eva.cookie, "eva", "logout", || {
        let left = pair.send(0, "DELETE", "/session", &[&eva.cookie, &eva.csrf], "");
        assert_eq!(left.status, 204, "{}", left.body);
    });
    // By the other one, from another browser of its owner.
    let (one, other) = (pair.log_in(0, "eva"), pair.log_in(1, "eva"));
    pair.is_out_after(&one.cookie, "eva", "ended by its owner", || {
        let list = curl(&["--header", &other.cookie, &format!("{}/session/list", pair.servers[1].url)]).json();
        // The newest is the one that asks.
        let id = list["sessions"][1]["id"].as_str().expect("an id").to_owned();
        let ended = pair.send(1, "DELETE", &format!("/session/list/{id}"), &[&other.cookie, &other.csrf], "");
        assert_eq!(ended.status, 204, "{}", ended.body);
    });
    assert_eq!(pair.sees(0, &other.cookie), (200, "eva".into()), "that one alone");
    pair.is_out_after(&other.cookie, "eva", "bounded to another network", || {
        pair.lindero(&["user", "admit", "eva", "--network", "10.0.0.0/8"]);
    });
    pair.lindero(&["user", "admit", "eva", "--anywhere"]);
    let third = pair.log_in(1, "eva");
    pair.is_out_after(&third.cookie, "eva", "closed by an administrator", || {
        pair.lindero(&["user", "disable", "eva"]);
    });

    let table = pair.lindero(&["user", "review"]);
    let line = table.lines().find(|line| line.starts_with("eva")).expect("a line");
    assert!(line.contains("closed") && table.lines().all(|line| line.trim_end() == line), "{table}");
    assert!(pair.lindero(&["user", "review", "--csv"]).contains("\neva,person,"));

    pair.lindero(&["user", "add", "sensores", "--system"]);
    let said = pair.lindero(&["user", "key", "sensores", "--title", "lecturas"]);
    let key = said.split_whitespace().find(|word| word.starts_with("lindero_")).expect("a key");
    let header = format!("authorization: Bearer {key}");
    pair.is_out_after(&header, "sensores", "a key taken back", || {
        pair.runtime.block_on(async {
            let mut admin = pair.test.superuser().await;
            // Whoever makes the change: here somebody with psql.
            sqlx::query("UPDATE access.key SET revoked_at = now()").execute(&mut admin).await.expect("it is done");
        });
    });
    assert_eq!(pair.sees(1, &header).0, 401);
}
