//! SIGKILL at every moment: the next start is clean.

use std::process::Stdio;

use rustix::process::{Signal, kill_process};

use crate::harness::{HeldRequest, Room, eventually};

#[test]
fn a_killed_server_takes_its_database_along_and_the_next_start_recovers() {
    let room = Room::new();
    let server = room.serve();
    let killed = room.postmaster().expect("it runs");
    server.kill();
    eventually("the database stops", || (room.postmaster() != Some(killed)).then_some(()));
    let server = room.serve();
    assert!(server.is_ready());
}

#[test]
fn a_server_may_start_at_once_after_the_death_of_another() {
    let room = Room::new();
    for _ in 0..3 {
        let server = room.serve();
        assert!(server.is_ready());
        // No waiting: the reaper and the next start race for the cluster.
        server.kill();
    }
    assert!(room.serve().is_ready());
}

#[test]
fn a_killed_database_is_started_again_while_the_server_says_not_ready() {
    let room = Room::new();
    let server = room.serve();
    let killed = room.postmaster().expect("it runs");
    kill_process(killed, Signal::KILL).expect("it is ours to kill");
    // It says so, lives on, and comes back by itself.
    assert_eq!(server.get("/health/live").status, 200);
    eventually("another database server", || room.postmaster().filter(|pid| *pid != killed));
    eventually("ready again", || server.is_ready().then_some(()));
    assert!(server.log().contains("starting it again"), "{}", server.log());
    assert!(server.stop().success());
}

#[test]
fn server_and_database_killed_together_recover_with_what_was_committed() {
    let room = Room::new();
    let server = room.serve();
    let made = room.run(&["psql", "--", "-c", "CREATE TABLE geo.kept AS SELECT 7 AS n"]);
    assert!(made.status.success(), "{}", crate::harness::text(&made));
    let postmaster = room.postmaster().expect("it runs");
    kill_process(postmaster, Signal::KILL).expect("it is ours to kill");
    server.kill();
    let server = room.serve();
    assert!(server.is_ready());
    let read = room.run(&["psql", "--", "-At", "-c", "SELECT n FROM geo.kept"]);
    assert_eq!(String::from_utf8_lossy(&read.stdout), "7\n");
    assert!(server.stop().success());
}

#[test]
fn a_pid_file_that_names_somebody_else_does_not_stop_the_start() {
    let room = Room::new();
    let server = room.serve();
    let postmaster = room.postmaster().expect("it runs");
    let file = room.data().join("postgres/postmaster.pid");
    let text = std::fs::read_to_string(&file).expect("it is there");
    kill_process(postmaster, Signal::KILL).expect("it is ours to kill");
    server.kill();
    eventually("the database's processes end", || room.postmaster().is_none().then_some(()));
    // The number was given to another process since: this one.
    let (_, rest) = text.split_once('\n').expect("lines");
    std::fs::write(&file, format!("{}\n{rest}", std::process::id())).expect("written");
    assert!(room.serve().is_ready());
}

#[test]
fn killed_in_the_middle_of_a_request_with_a_child_of_the_database_left_over() {
    let room = Room::new();
    let server = room.serve();
    let held = HeldRequest::new(&room, &server);
    kill_process(room.postmaster().expect("it runs"), Signal::KILL).expect("it is ours to kill");
    server.kill();
    assert_eq!(held.reply().status, 0, "nobody answers");
    // The stopped child still has the shared memory: it must be gone first.
    let server = room.serve();
    assert!(server.is_ready());
    assert!(server.stop().success());
}

/// Starts a server and kills it when `moment` exists in its data folder.
fn kill_when(room: &Room, moment: &str) {
    let mut child = room
        .command(&["serve"])
        .env("LINDERO_LISTEN", "127.0.0.1:0")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("it runs");
    eventually(moment, || {
        let entries = std::fs::read_dir(room.data().join(moment).parent().expect("a folder")).ok()?;
        let name = moment.rsplit('/').next().expect("a name");
        entries.flatten().any(|entry| entry.file_name().to_string_lossy().starts_with(name)).then_some(())
    });
    child.kill().expect("it is ours to kill");
    child.wait().expect("it ends");
}

#[test]
fn killed_at_any_moment_of_the_first_start_the_next_one_is_clean() {
    for moment in ["lindero-data.json", "postgres.new-", "postgres/lindero.conf", "postgres/postmaster.pid"] {
        let room = Room::new();
        kill_when(&room, moment);
        let server = room.serve();
        assert!(server.is_ready(), "killed at {moment}");
        let left: Vec<_> = std::fs::read_dir(room.data())
            .expect("the data folder")
            .flatten()
            .filter(|entry| entry.file_name().to_string_lossy().starts_with("postgres.new"))
            .collect();
        assert!(left.is_empty(), "{left:?}");
        assert!(server.stop().success());
    }
}
