use std::process::Output;

use serde_json::Value;

use crate::harness::{Room, text};

fn findings(output: &Output) -> Vec<Value> {
    let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", text(output)));
    report["findings"].as_array().expect("a list").clone()
}

fn status_of<'a>(findings: &'a [Value], check: &str) -> &'a str {
    let finding = findings.iter().find(|finding| finding["check"] == check);
    finding.unwrap_or_else(|| panic!("no {check} in {findings:?}"))["status"].as_str().expect("a text")
}

#[test]
fn a_machine_without_data_is_well_and_stays_without() {
    let room = Room::new();
    let output = room.command(&["doctor", "--json"]).env("LINDERO_LISTEN", "127.0.0.1:0").output().expect("it runs");
    assert!(output.status.success(), "{}", text(&output));
    assert_eq!(status_of(&findings(&output), "proj"), "ok");
    assert!(!room.data().exists());
}

#[test]
fn a_running_server_is_well_and_each_damage_is_found_and_named() {
    let room = Room::new();
    let server = room.serve();
    let listen = server.url.trim_start_matches("http://").to_owned();
    let doctor = || {
        let mut command = room.command(&["doctor", "--json"]);
        command.env("LINDERO_LISTEN", &listen).output().expect("it runs")
    };
    let well = doctor();
    assert!(well.status.success(), "{}", text(&well));
    let found = findings(&well);
    for check in
        ["gdal", "proj", "postgresql", "database", "prepared", "roles", "crs", "migrations", "triggers", "attachments"]
    {
        assert_eq!(status_of(&found, check), "ok", "{check}");
    }
    for (damage, check, repair) in [
        ("ALTER ROLE lindero_app SUPERUSER", "roles", "ALTER ROLE lindero_app NOSUPERUSER"),
        (
            "UPDATE spatial_ref_sys SET auth_srid = 3116, proj4text = '+proj=longlat' WHERE srid = 9377",
            "crs",
            "UPDATE spatial_ref_sys SET auth_srid = 9377 WHERE srid = 9377",
        ),
        ("ALTER SCHEMA geo OWNER TO postgres", "roles", "ALTER SCHEMA geo OWNER TO lindero_loader"),
        (
            "DELETE FROM catalog._sqlx_migrations WHERE version = 1",
            "migrations",
            "INSERT INTO catalog._sqlx_migrations SELECT 1, description, installed_on, success, checksum, \
             execution_time FROM catalog._sqlx_migrations LIMIT 1",
        ),
        (
            "INSERT INTO catalog._sqlx_migrations SELECT 9999, description, installed_on, success, checksum, \
             execution_time FROM catalog._sqlx_migrations LIMIT 1",
            "migrations",
            "DELETE FROM catalog._sqlx_migrations WHERE version = 9999",
        ),
        ("DELETE FROM spatial_ref_sys WHERE srid = 6253", "prepared", "SELECT 1"),
    ] {
        // The commands prepare the database, and so would mend it: this one
        // goes straight to it.
        straight(&room, damage);
        let ill = doctor();
        assert_eq!(ill.status.code(), Some(1), "{damage}: {}", text(&ill));
        assert_eq!(status_of(&findings(&ill), check), "problem", "{damage}");
        straight(&room, repair);
    }
    let tiles = |findings: &[Value]| -> Vec<(String, String)> {
        let of = findings.iter().filter(|finding| finding["check"] == "tiles");
        of.map(|finding| (finding["status"].as_str().unwrap().to_owned(), finding["found"].to_string())).collect()
    };
    let found = tiles(&findings(&doctor()));
    assert!(found.len() == 1 && found[0].0 == "ok" && found[0].1.contains("MB free"), "{found:?}");
    std::fs::write(room.data().join("tiles/manzanas.none"), "it would take more memory than there is").unwrap();
    let found = tiles(&findings(&doctor()));
    assert!(
        found[1].0 == "warning" && found[1].1.contains("manzanas") && found[1].1.contains("more memory"),
        "{found:?}"
    );
    let metrics = server.get("/metrics").body;
    for name in [
        "lindero_tile_index_features",
        "lindero_tile_index_bytes",
        "lindero_tile_index_file_bytes",
        "lindero_tile_index_layers_left_out",
        "lindero_tile_index_unreadable_features",
        "lindero_tile_cache_tiles",
        "lindero_tile_cache_bytes",
        "lindero_tile_cache_requests_total{outcome=\"hit\"}",
        "lindero_tiles_cut_total{form=\"generalised\"}",
    ] {
        assert!(metrics.contains(&format!("\n{name} 0\n")), "{name}: {metrics}");
    }
    assert!(server.is_ready());
}

/// A statement by PostgreSQL's own psql.
fn straight(room: &Room, sql: &str) {
    let pid = std::fs::read_to_string(room.data().join("postgres/postmaster.pid")).expect("it runs");
    let socket = pid.lines().nth(4).expect("the socket's folder").to_owned();
    let output = std::process::Command::new("psql")
        .args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-U", "postgres", "-d", "lindero", "-h", &socket, "-c", sql])
        .output()
        .expect("psql is installed (make setup)");
    assert!(output.status.success(), "{sql}: {}", text(&output));
}

#[test]
fn the_text_says_what_to_do() {
    let room = Room::new();
    let output = room.run(&["doctor"]);
    let said = text(&output);
    assert!(said.contains("What to do: `lindero serve` makes it"), "{said}");
}
