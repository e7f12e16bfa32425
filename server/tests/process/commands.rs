//! Commands beside a server, and without one.

use crate::harness::{Room, eventually, text};

#[test]
fn a_command_without_a_server_starts_the_database_for_its_duration() {
    let room = Room::new();
    let output = room.run(&["job", "list"]);
    assert!(output.status.success(), "{}", text(&output));
    assert!(text(&output).contains("There are no jobs."));
    assert!(room.postmaster().is_none());
}

#[test]
fn a_command_beside_a_server_leaves_the_server_running() {
    let room = Room::new();
    let server = room.serve();
    let postmaster = room.postmaster();
    let output = room.run(&["job", "list", "--json"]);
    assert!(output.status.success(), "{}", text(&output));
    assert_eq!(String::from_utf8_lossy(&output.stdout), "[]\n");
    assert_eq!(room.postmaster(), postmaster);
    assert!(server.is_ready());
}

#[test]
fn a_server_that_starts_while_a_command_works_keeps_the_database_afterwards() {
    let room = Room::new();
    let arguments = ["psql", "--", "-c", "CREATE TABLE geo.waits ()", "-c", "SELECT pg_sleep(3600)"];
    let mut command = room.command(&arguments).spawn().expect("it runs");
    eventually("the command's database", || room.postmaster());
    let server = room.serve();
    let postmaster = room.postmaster();
    rustix::process::kill_process(rustix::process::Pid::from_child(&command), rustix::process::Signal::KILL)
        .expect("it is ours to kill");
    command.wait().expect("it ends");
    assert!(server.is_ready());
    assert_eq!(room.postmaster(), postmaster);
    assert!(server.stop().success());
    eventually("the database stops", || room.postmaster().is_none().then_some(()));
}

#[test]
fn many_commands_at_once_share_one_database() {
    let room = Room::new();
    let commands: Vec<_> = (0..4).map(|_| room.command(&["job", "list"]).spawn().expect("it runs")).collect();
    for mut command in commands {
        assert!(command.wait().expect("it ends").success());
    }
    assert!(room.postmaster().is_none());
}

#[test]
fn psql_passes_its_exit_code_on_and_says_how_qgis_connects() {
    let room = Room::new();
    let output = room.run(&["psql", "--", "-v", "ON_ERROR_STOP=1", "-c", "SELECT 1/0"]);
    assert_eq!(output.status.code(), Some(1));
    let output = room.run(&["psql", "--role", "lindero_app", "--", "-At", "-c", "SELECT current_user"]);
    assert_eq!(String::from_utf8_lossy(&output.stdout), "lindero_app\n");
    assert!(text(&output).contains("QGIS"), "{}", text(&output));
}

#[test]
fn a_job_that_nobody_runs_cannot_be_cancelled() {
    let room = Room::new();
    let output = room.run(&["job", "cancel", "01940000-0000-7000-8000-000000000000"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output).contains("job list"), "{}", text(&output));
}
