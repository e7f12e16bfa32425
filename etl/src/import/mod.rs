//! Files become layers.
//!
//! A stranger's file is opened only in a confined child process (`reader`),
//! which checks, repairs and reprojects its rows and sends them back as ready
//! tuples of a binary COPY. This side decides where they go: into a new
//! table, or into a staging table whose difference to the layer is written.
//! All of it happens in one transaction: a failed import leaves no trace but
//! its job's report.

mod child;
mod difference;
mod error;
mod join;
mod load;
mod profile;
mod protocol;
mod reader;
mod rejects;
mod report;
mod request;
mod run;
mod table;

pub use self::error::ImportError;
pub use self::profile::municipality as known_municipality;
pub use self::protocol::{GeometryColumns, Rejection, SourceLayer};
pub use self::reader::{main as read, missing_confinement};
pub use self::report::{Column, Report};
pub use self::request::{ImportRequest, Join, Limits, Mode, Reader};
pub use self::run::{Progress, Quiet, Stage, clean_abandoned, run, source_layers};
