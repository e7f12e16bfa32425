//! The confined reader as a program of its own: what `lindero __read` is in
//! the binary, for the tests of this crate.

use std::process::ExitCode;

fn main() -> ExitCode {
    etl::import::read()
}
