//! `lindero`: one server for a municipality's territory.

use std::process::ExitCode;

use clap::Parser;
use lindero::cli::Arguments;

/// A tile is many short allocations on several threads: with glibc's allocator
/// they are an eighth of its time.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    lindero::cli::run(Arguments::parse())
}
