//! `lindero`: one server for a municipality's territory.

use std::process::ExitCode;

use clap::Parser;
use lindero::cli::Arguments;

fn main() -> ExitCode {
    lindero::cli::run(Arguments::parse())
}
