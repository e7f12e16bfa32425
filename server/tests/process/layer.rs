//! `lindero layer`: a table that was there before us becomes a layer, is
//! described anew, and leaves the catalogue again.

use crate::harness::{Room, text};

const TABLE: &str = "CREATE SCHEMA obras; CREATE TABLE obras.sumideros (id int PRIMARY KEY, estado text, \
     geom geometry(Point, 3116)); INSERT INTO obras.sumideros SELECT n, 'limpio', \
     ST_Transform(ST_SetSRID(ST_MakePoint(-75.23 + n * 0.001, 4.44), 4326), 3116) FROM generate_series(1, 5) AS n";

/// What the command says, which must succeed.
fn told(room: &Room, arguments: &[&str]) -> String {
    let output = room.run(arguments);
    assert!(output.status.success(), "{arguments:?}: {}", text(&output));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn a_table_is_found_published_described_and_withdrawn() {
    let room = Room::new();
    // Keeps the database up, so that each command need not start it.
    let server = room.serve();
    told(&room, &["municipality", "add", "73001"]);
    told(&room, &["psql", "--role", "postgres", "--", "-v", "ON_ERROR_STOP=1", "-qc", TABLE]);
    assert!(told(&room, &["layer", "discover"]).contains("obras.sumideros"));

    let published =
        ["layer", "publish", "obras.sumideros", "--title", "Sumideros", "--sector", "infraestructura", "--public"];
    assert!(told(&room, &published).contains("as they happen"));
    assert!(!told(&room, &["layer", "discover"]).contains("obras.sumideros"));
    let listed = told(&room, &["layer", "list"]);
    assert!(listed.contains("Infraestructura") && listed.contains("Sumideros"), "{listed}");

    let file = room.path().join("sumideros.toml");
    let definition = told(&room, &["layer", "show", "sumideros", "--toml"]);
    std::fs::write(&file, definition.replace("\"Sumideros\"", "\"Sumideros de aguas lluvias\"")).expect("written");
    told(&room, &["layer", "describe", "sumideros", file.to_str().expect("a path")]);
    assert!(told(&room, &["layer", "show", "sumideros"]).contains("Sumideros de aguas lluvias"));

    told(&room, &["layer", "unpublish", "sumideros"]);
    let rows = told(&room, &["psql", "--role", "postgres", "--", "-Atc", "SELECT count(*) FROM obras.sumideros"]);
    assert_eq!(rows, "5\n", "the table stays as it is");
    let output = room.run(&["layer", "show", "sumideros"]);
    assert!(!output.status.success() && text(&output).contains("there is no layer sumideros"), "{}", text(&output));
    assert!(server.stop().success());
}
