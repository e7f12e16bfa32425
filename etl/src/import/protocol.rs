//! What the importing process and the confined reader tell each other.
//!
//! The order goes to the reader's standard input as one JSON document. Back,
//! over its standard output, come frames: a tag, a length, that many bytes.
//! The reader is not trusted: lengths are bounded, and its rows are bytes of
//! a COPY whose table and columns the importing process has chosen.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;

use layers::{Attribute, Dimension, Extent, GeometryType};
use serde::{Deserialize, Serialize};

use super::Limits;

/// The most bytes that one frame may hold.
pub(crate) const LARGEST_FRAME: u32 = 256 << 20;

/// What to read and how.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is one flag of the command line")]
pub(crate) struct Order {
    /// The file, or the folder of a FileGDB.
    pub(crate) file: PathBuf,
    /// An empty folder that only this reader uses.
    pub(crate) scratch: PathBuf,
    pub(crate) source_layer: Option<String>,
    /// List the source's layers and read nothing.
    pub(crate) list_only: bool,
    pub(crate) declared_crs: Option<String>,
    pub(crate) encoding: Option<String>,
    pub(crate) swap_xy: bool,
    pub(crate) geometry: GeometryColumns,
    /// Read a table: no geometry is looked for.
    pub(crate) table: bool,
    /// For a table: find its geometry nevertheless, where there is one.
    pub(crate) locate: bool,
    pub(crate) allow_outside: bool,
    pub(crate) keep_empty: bool,
    pub(crate) place: Place,
    pub(crate) limits: Limits,
    /// Only these source fields.
    pub(crate) fields: Option<Vec<String>>,
    /// Attributes whose type and domain are given beforehand.
    pub(crate) attributes: Vec<Attribute>,
    /// Only the attributes given: an existing layer takes no others.
    pub(crate) closed: bool,
    /// The geometry type and ordinates, where they are given beforehand.
    pub(crate) geometry_type: Option<GeometryType>,
    pub(crate) dimension: Option<Dimension>,
    pub(crate) keep_z: Option<bool>,
    pub(crate) keep_m: Option<bool>,
    /// Nothing but to tell these rows as the source has them, as rejected ones.
    pub(crate) echo: Vec<u64>,
    /// Do a thing that the tests need: a crash, an endless loop.
    pub(crate) misbehave: Option<String>,
}

/// Which columns of a table hold its geometry.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GeometryColumns {
    /// Easting or longitude.
    pub x: Option<String>,
    /// Northing or latitude.
    pub y: Option<String>,
    /// A whole geometry, as WKT, hexadecimal WKB or GeoJSON.
    pub wkt: Option<String>,
}

/// Where the coordinates must lie.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Place {
    pub(crate) name: String,
    /// Degrees, CRS84: west, south, east, north.
    pub(crate) extent: [f64; 4],
}

impl Place {
    pub(crate) fn new(name: &str, extent: Extent) -> Self {
        Self { name: name.to_owned(), extent: extent.to_array() }
    }
}

/// What the reader found, before the rows.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Header {
    pub(crate) format: String,
    pub(crate) source_layer: String,
    pub(crate) encoding: Option<String>,
    pub(crate) declared_crs: Option<String>,
    /// None for a table without geometry.
    pub(crate) geometry_type: Option<GeometryType>,
    pub(crate) dimension: Dimension,
    /// The layer's attributes, in the order in which each row has them.
    pub(crate) attributes: Vec<Attribute>,
    /// The source's name of each attribute; none where it has no such field.
    pub(crate) sources: Vec<Option<String>>,
    /// How many rows the source says that it has.
    pub(crate) count: Option<u64>,
    pub(crate) warnings: Vec<String>,
    /// What the kernel did not let us confine.
    pub(crate) confinement: Vec<String>,
}

/// A layer of a source that has several.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceLayer {
    /// Its name, for `--layer`.
    pub name: String,
    /// How many features it says that it has.
    pub features: Option<u64>,
    /// What they are: `Polygon`, `Table`.
    pub geometry: String,
}

/// A row that does not become a feature.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Rejection {
    /// The row's number in the source, from 1.
    pub row: u64,
    /// The field, where it is one field's value.
    pub field: Option<String>,
    /// Why.
    pub reason: String,
    /// The value as the source has it.
    pub value: Option<String>,
}

/// A rejection with its row, for the file that can be mended.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct RejectedRow {
    pub(crate) rejection: Rejection,
    /// The source's fields and their values.
    pub(crate) properties: serde_json::Map<String, serde_json::Value>,
    /// The geometry in the source's CRS, as GeoJSON.
    pub(crate) geometry: Option<serde_json::Value>,
}

/// Why nothing was read.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Refusal {
    pub(crate) message: String,
    /// The layers to choose from.
    pub(crate) layers: Vec<SourceLayer>,
}

/// The end of a reading.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Summary {
    pub(crate) read: u64,
    pub(crate) rejected: u64,
    pub(crate) repaired: u64,
    pub(crate) repairs: BTreeMap<String, u64>,
    pub(crate) warnings: Vec<String>,
}

/// One message of the reader.
#[derive(Debug)]
pub(crate) enum Frame {
    Header(Box<Header>),
    /// How many rows, and their COPY tuples.
    Rows(u32, Vec<u8>),
    Rejected(Box<RejectedRow>),
    Refused(Refusal),
    Done(Summary),
}

const HEADER: u8 = b'H';
const ROWS: u8 = b'R';
const REJECTED: u8 = b'X';
const REFUSED: u8 = b'E';
const DONE: u8 = b'D';

impl Frame {
    /// Writes the frame whole.
    pub(crate) fn write(&self, to: &mut impl Write) -> std::io::Result<()> {
        let (tag, body) = match self {
            Self::Header(header) => (HEADER, serde_json::to_vec(header)?),
            Self::Rejected(row) => (REJECTED, serde_json::to_vec(row)?),
            Self::Refused(refusal) => (REFUSED, serde_json::to_vec(refusal)?),
            Self::Done(summary) => (DONE, serde_json::to_vec(summary)?),
            Self::Rows(count, tuples) => {
                let length = u32::try_from(tuples.len() + 4).map_err(std::io::Error::other)?;
                to.write_all(&[ROWS])?;
                to.write_all(&length.to_le_bytes())?;
                to.write_all(&count.to_le_bytes())?;
                to.write_all(tuples)?;
                return to.flush();
            }
        };
        to.write_all(&[tag])?;
        to.write_all(&u32::try_from(body.len()).map_err(std::io::Error::other)?.to_le_bytes())?;
        to.write_all(&body)?;
        to.flush()
    }

    /// The frame of that tag and body.
    pub(crate) fn parse(tag: u8, mut body: Vec<u8>) -> Result<Self, String> {
        let wrong = |error: serde_json::Error| format!("the reader sent something that cannot be understood: {error}");
        Ok(match tag {
            HEADER => Self::Header(serde_json::from_slice(&body).map_err(wrong)?),
            REJECTED => Self::Rejected(serde_json::from_slice(&body).map_err(wrong)?),
            REFUSED => Self::Refused(serde_json::from_slice(&body).map_err(wrong)?),
            DONE => Self::Done(serde_json::from_slice(&body).map_err(wrong)?),
            ROWS => {
                let count = body.first_chunk().map(|head| u32::from_le_bytes(*head));
                let count = count.ok_or("the reader sent rows without their number")?;
                body.drain(..4);
                Self::Rows(count, body)
            }
            _ => return Err(format!("the reader sent a frame of the unknown kind {tag}")),
        })
    }
}
