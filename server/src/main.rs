//! `lindero`: one server for a municipality's territory.

fn main() {}
