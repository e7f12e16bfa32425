//! A database of somebody's own server.

use std::process::{Command, Output};

use crate::harness::{Room, binary, lindero, text};

/// The test cluster, as a superuser.
fn psql(database: &str, sql: &str) -> Output {
    let url = url("postgres", database);
    let output = Command::new("psql").args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-c", sql]).arg(url).output();
    let output = output.expect("psql is installed (make setup)");
    assert!(output.status.success(), "{sql}: {}", text(&output));
    output
}

fn url(user: &str, database: &str) -> String {
    let server =
        std::env::var(testdb::VARIABLE).unwrap_or_else(|_| panic!("{} is not set: run `make test`", testdb::VARIABLE));
    let mut url = url::Url::parse(&server).expect("a URL");
    url.set_path(database);
    let others: Vec<(String, String)> =
        url.query_pairs().filter(|(key, _)| key != "user").map(|(key, value)| (key.into(), value.into())).collect();
    url.query_pairs_mut().clear().extend_pairs(others).append_pair("user", user);
    url.into()
}

/// A database of its own, and its owner, who is no superuser.
struct Plain {
    name: String,
}

impl Plain {
    fn new() -> Self {
        let name = format!("test_plain_{}", uuid::Uuid::new_v4().simple());
        psql("postgres", &format!("CREATE ROLE {name} LOGIN"));
        psql("postgres", &format!("CREATE DATABASE {name} OWNER {name}"));
        Self { name }
    }
}

impl Drop for Plain {
    fn drop(&mut self) {
        let name = &self.name;
        psql("postgres", &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"));
        psql("postgres", &format!("DROP ROLE IF EXISTS {name}"));
    }
}

#[test]
fn a_superusers_database_is_prepared_and_served_without_a_cluster() {
    let (room, plain) = (Room::new(), Plain::new());
    let server = room.serve_with(|command| {
        command.env("DATABASE_URL", url("postgres", &plain.name));
    });
    assert!(server.is_ready());
    // Its tile indexes at most: there is no cluster.
    assert!(!room.data().join("postgres").exists());
    assert!(server.stop().success());
}

#[test]
fn an_ordinary_users_database_gets_the_administrators_sql_and_is_left_as_it_was() {
    let (room, plain) = (Room::new(), Plain::new());
    let database_url = url(&plain.name, &plain.name);
    let list = || room.command(&["job", "list"]).env("DATABASE_URL", &database_url).output().expect("it runs");
    let refused = list();
    assert!(!refused.status.success());
    let said = text(&refused);
    let (_, sql) = said.split_once("\n\n").expect("the SQL follows");
    assert!(sql.contains("CREATE EXTENSION IF NOT EXISTS postgis"), "{said}");
    assert!(sql.contains(&format!("TO {}", plain.name)), "{said}");

    let schemas = "SELECT count(*) FROM pg_namespace WHERE nspname IN ('access', 'catalog', 'geo')";
    let count = Command::new("psql").args(["-XAtc", schemas]).arg(&database_url).output().expect("psql");
    assert_eq!(String::from_utf8_lossy(&count.stdout).trim(), "0", "nothing is half-done");

    psql(&plain.name, sql);
    let listed = list();
    assert!(listed.status.success(), "{}", text(&listed));
}

#[test]
fn the_password_is_never_shown() {
    let room = Room::new();
    for command in [&["job", "list"][..], &["serve"], &["psql"]] {
        let output = lindero(binary())
            .args(command)
            .current_dir(room.path())
            .env("LINDERO_LISTEN", "127.0.0.1:0")
            .env("LINDERO_LOG", "trace")
            .env("DATABASE_URL", "postgresql://user:hush-hush@127.0.0.1:1/nothing")
            .output()
            .expect("it runs");
        assert!(!output.status.success());
        assert!(!text(&output).contains("hush-hush"), "{}", text(&output));
        assert!(text(&output).contains("cannot be reached"), "{}", text(&output));
    }
}
