use std::path::PathBuf;

use access::MunicipalityCode;
use layers::{GeometryType, LayerDefinition, LayerId};
use serde::{Deserialize, Serialize};

use super::GeometryColumns;

/// What to import, and how.
#[derive(Debug, Clone)]
pub struct ImportRequest {
    /// The file, or the folder of a File Geodatabase.
    pub file: PathBuf,
    /// The layer of a source that has several.
    pub source_layer: Option<String>,
    /// The layer to fill.
    pub target: LayerId,
    /// Whose data they are. None: the layer's, else the only municipality of
    /// the catalogue.
    pub municipality: Option<MunicipalityCode>,
    /// What becomes of the features that the layer has.
    pub mode: Mode,
    /// What people say of the layer. None: what is said already, or its name.
    pub definition: Option<LayerDefinition>,
    /// The attribute that identifies a feature, where the definition names none.
    pub key: Option<String>,
    /// The CRS of the coordinates, above what the file says: `EPSG:3116`.
    pub declared_crs: Option<String>,
    /// The encoding of the texts, above what is found: `1252`.
    pub encoding: Option<String>,
    /// The columns of a table that hold its geometry.
    pub geometry_columns: GeometryColumns,
    /// The file has northing before easting, latitude before longitude.
    pub swap_xy: bool,
    /// The layer's geometry type, above what is found.
    pub geometry_type: Option<GeometryType>,
    /// Keep heights (true), drop them (false), or keep those that say something.
    pub keep_z: Option<bool>,
    /// The same for measures.
    pub keep_m: Option<bool>,
    /// Only these fields of the source.
    pub fields: Option<Vec<String>>,
    /// Load rows without geometry too.
    pub keep_empty: bool,
    /// Take coordinates outside Colombia.
    pub allow_outside: bool,
    /// Up to so many rows may be rejected; one more, and all is undone.
    pub max_rejects: u64,
    /// Where the rejected rows are written, to be mended: `.geojson` or `.csv`.
    pub rejects: Option<PathBuf>,
    /// Join a table to an existing layer instead of making one.
    pub join: Option<Join>,
    /// What the reader may use.
    pub limits: Limits,
    /// The program that reads.
    pub reader: Reader,
}

impl ImportRequest {
    /// Creates `target` from `file`, everything else as usual.
    pub fn new(file: impl Into<PathBuf>, target: LayerId, reader: Reader) -> Self {
        Self {
            file: file.into(),
            source_layer: None,
            target,
            municipality: None,
            mode: Mode::Create,
            definition: None,
            key: None,
            declared_crs: None,
            encoding: None,
            geometry_columns: GeometryColumns::default(),
            swap_xy: false,
            geometry_type: None,
            keep_z: None,
            keep_m: None,
            fields: None,
            keep_empty: false,
            allow_outside: false,
            max_rejects: 0,
            rejects: None,
            join: None,
            limits: Limits::default(),
            reader,
        }
    }
}

/// What becomes of the features that the layer has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// There is no such layer yet.
    #[default]
    Create,
    /// Afterwards the layer holds what the file holds; only what differs is
    /// written.
    Replace,
    /// They stay; the file's are added.
    Append,
    /// Those with a key of the file's are updated, the others of the file added.
    Upsert,
}

/// How a table is joined to a layer.
#[derive(Debug, Clone, PartialEq)]
pub enum Join {
    /// Rows and features with the same key.
    Key {
        /// The layer's attribute.
        attribute: String,
        /// The table's column.
        column: String,
    },
    /// Rows with coordinates, to the feature in which they lie.
    Location {
        /// A row in no feature goes to the nearest within this many metres.
        within: f64,
        /// Numbers of the rows that fall in one feature are added up.
        sum: bool,
    },
}

/// What a reading process may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Address space, bytes.
    pub memory_bytes: u64,
    /// Wall time, seconds.
    pub wall_seconds: u64,
    /// Processor time, seconds.
    pub cpu_seconds: u64,
    /// Bytes that an archive may unpack to.
    pub unpacked_bytes: u64,
    /// Rows of the source.
    pub rows: u64,
    /// Vertices of one geometry.
    pub vertices: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory_bytes: 3 << 30,
            wall_seconds: 4 * 3600,
            cpu_seconds: 2 * 3600,
            unpacked_bytes: 8 << 30,
            rows: 50_000_000,
            vertices: 5_000_000,
        }
    }
}

/// The program that reads in a process of its own.
#[derive(Debug, Clone)]
pub struct Reader {
    /// The program.
    pub program: PathBuf,
    /// Its arguments; it takes its order from standard input.
    pub arguments: Vec<String>,
    /// A misdeed that a test asks for.
    #[doc(hidden)]
    pub misbehave: Option<String>,
}

impl Reader {
    /// The subcommand of `lindero` that reads.
    pub const SUBCOMMAND: &str = "__read";

    /// This very program, as its hidden subcommand.
    pub fn this_program() -> std::io::Result<Self> {
        Ok(Self { program: std::env::current_exe()?, arguments: vec![Self::SUBCOMMAND.to_owned()], misbehave: None })
    }
}
