use std::os::unix::fs::MetadataExt;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::harness::{Room, Server, binary, eventually, is_root, lindero, text};

#[test]
fn it_starts_answers_and_stops_and_starts_again_within_five_seconds() {
    let room = Room::new();
    let server = room.serve();
    assert!(server.is_ready());
    assert!(server.stop().success());
    assert!(room.postmaster().is_none(), "the database stops with its last user");

    let started = Instant::now();
    let server = room.serve();
    assert!(server.is_ready());
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    assert!(server.stop().success());
}

#[test]
fn the_second_server_on_a_folder_is_refused_and_says_why() {
    let room = Room::new();
    let server = room.serve();
    let second = room.command(&["serve"]).output().expect("it runs");
    assert!(!second.status.success());
    let said = text(&second);
    assert!(said.contains("another lindero server"), "{said}");
    assert!(said.contains(&format!("process {}", server.pid().as_raw_nonzero())), "{said}");
    assert!(server.is_ready());
}

#[test]
fn a_taken_port_is_named_and_nothing_is_left_running() {
    let (one, other) = (Room::new(), Room::new());
    let server = one.serve();
    let address = server.url.trim_start_matches("http://").to_owned();
    let refused = other.command(&["serve"]).env("LINDERO_LISTEN", &address).output().expect("it runs");
    assert!(!refused.status.success());
    assert!(text(&refused).contains(&address), "{}", text(&refused));
    assert!(other.postmaster().is_none());
}

#[test]
fn a_folder_of_a_newer_version_or_of_somebody_else_is_refused_untouched() {
    let room = Room::new();
    std::fs::create_dir(room.data()).expect("a folder");
    let description = room.data().join("lindero-data.json");
    std::fs::write(&description, r#"{"format":99,"made_by":"9.9.9","postgresql":15}"#).expect("a file");
    let refused = room.run(&["serve"]);
    assert!(!refused.status.success());
    assert!(text(&refused).contains("made by lindero 9.9.9"), "{}", text(&refused));

    std::fs::remove_file(&description).expect("it is there");
    std::fs::write(room.data().join("letter.txt"), "dear").expect("a file");
    let refused = room.run(&["job", "list"]);
    assert!(!refused.status.success());
    assert!(text(&refused).contains("not made by lindero"), "{}", text(&refused));
    let left: Vec<_> = std::fs::read_dir(room.data()).expect("a folder").flatten().map(|e| e.file_name()).collect();
    assert_eq!(left, ["letter.txt"]);
}

#[test]
fn a_folder_made_with_another_postgresql_names_the_package() {
    let room = Room::new();
    std::fs::create_dir(room.data()).expect("a folder");
    let text_of = r#"{"format":1,"made_by":"0.1.0","postgresql":11}"#;
    std::fs::write(room.data().join("lindero-data.json"), text_of).expect("a file");
    let refused = room.run(&["serve"]);
    assert!(!refused.status.success());
    assert!(text(&refused).contains("install postgresql-11"), "{}", text(&refused));
}

#[test]
fn a_copied_binary_serves_an_ordinary_user() {
    let room = Room::new();
    let copy = room.path().join("lindero");
    std::fs::copy(binary(), &copy).expect("a copy");
    let mut command = if is_root() {
        // The data folder will be made in the working folder.
        std::os::unix::fs::chown(room.path(), Some(65534), Some(65534)).expect("given away");
        let mut command = lindero("setpriv".as_ref());
        command.args(["--reuid=65534", "--regid=65534", "--clear-groups", "--"]).arg(&copy);
        command
    } else {
        lindero(&copy)
    };
    command.arg("serve").current_dir(room.path()).env("LINDERO_LISTEN", "127.0.0.1:0").env_remove("XDG_RUNTIME_DIR");
    let server = Server::start(command, &room.path().join("server.log"));
    assert!(server.is_ready());
    let page = crate::harness::curl(&["--header", "Accept: text/html", &format!("{}/", server.url)]);
    assert_eq!(page.status, 200, "{page:?}");
    assert!(page.body.contains("<html"), "{page:?}");
    let owner = std::fs::metadata(room.data()).expect("the data folder").uid();
    assert_eq!(owner, std::fs::metadata(room.path()).expect("the room").uid());
    assert!(server.stop().success());
    assert!(room.postmaster().is_none());
}

#[test]
fn a_data_folder_may_have_any_name() {
    let room = Room::new();
    let data = room.path().join("alcaldía de 'Ibagué'");
    let server = room.serve_with(|command| {
        command.env("LINDERO_DATA_DIR", &data);
    });
    assert!(server.is_ready());
    let listed = room.command(&["job", "list"]).env("LINDERO_DATA_DIR", &data).output().expect("it runs");
    assert!(listed.status.success(), "{}", text(&listed));
    assert!(server.stop().success());
    eventually("the database stops", || crate::harness::postmaster(&data).is_none().then_some(()));
}

#[test]
fn every_command_explains_itself() {
    for arguments in [&["--help"][..], &["serve", "--help"], &["job", "--help"], &["psql", "--help"]] {
        let output = Command::new(binary()).args(arguments).output().expect("it runs");
        assert!(output.status.success());
        assert!(text(&output).contains("Usage:"), "{}", text(&output));
    }
}
