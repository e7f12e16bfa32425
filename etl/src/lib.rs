//! Data in and out: readers and writers over GDAL, checks, repair, the
//! demonstration city.

pub mod demo;
pub mod import;
