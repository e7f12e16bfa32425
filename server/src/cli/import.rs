use std::path::{Path, PathBuf};

use access::{Caller, MunicipalityCode};
use clap::{Args, ValueEnum};
use etl::import::{GeometryColumns, ImportError, ImportRequest, Join, Limits, Mode, Reader, Report};
use layers::{GeometryType, LayerDefinition, LayerId};

use super::description::Description;
use super::import_screen::{Bar, print_report};
use super::interrupt::interrupted;
use super::{CommandError, Outcome, with_database};
use crate::config::Config;
use crate::database::Session;

/// `lindero import`: a file becomes a layer, or changes one.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is one flag of the command")]
pub(super) struct Options {
    /// The files: Shapefile, GeoPackage, GeoJSON, KML, GPX, DXF, File
    /// Geodatabase, FlatGeobuf, MapInfo, GML, INTERLIS, OSM, CSV, spreadsheet;
    /// also zipped.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,

    /// The layer's id. Default: from the file's name.
    #[arg(long = "as", value_name = "LAYER")]
    target: Option<LayerId>,

    /// Whose data they are (DIVIPOLA, as 73001). Default: the only municipality known.
    #[arg(long, value_name = "CODE")]
    municipality: Option<MunicipalityCode>,

    /// What becomes of the features that the layer has.
    #[arg(long, value_enum, default_value_t = ModeName::Create)]
    mode: ModeName,

    /// The attribute that identifies a feature.
    #[arg(long, value_name = "ATTRIBUTE")]
    key: Option<String>,

    #[command(flatten)]
    description: Description,

    /// The layer of a file that has several.
    #[arg(long, value_name = "NAME", conflicts_with = "all_layers")]
    layer: Option<String>,

    /// Every layer of the file, each by its own name.
    #[arg(long)]
    all_layers: bool,

    /// List the layers of the file, and import nothing.
    #[arg(long)]
    list: bool,

    /// The coordinate system, above what the file says: EPSG:9377, EPSG:3116 …
    #[arg(long, value_name = "CRS")]
    crs: Option<String>,

    /// The file has northing before easting, or latitude before longitude.
    #[arg(long)]
    swap_xy: bool,

    /// The encoding of the texts, above what is found: UTF-8, 1252 …
    #[arg(long)]
    encoding: Option<String>,

    /// The column of a table that holds the easting or longitude.
    #[arg(long, value_name = "COLUMN", requires = "y")]
    x: Option<String>,

    /// The column of a table that holds the northing or latitude.
    #[arg(long, value_name = "COLUMN", requires = "x")]
    y: Option<String>,

    /// The column of a table that holds whole geometries, as WKT.
    #[arg(long, value_name = "COLUMN", conflicts_with = "x")]
    wkt: Option<String>,

    /// The layer's geometry type: Point, MultiLineString, MultiPolygon …
    #[arg(long, value_name = "TYPE")]
    geometry: Option<GeometryType>,

    /// Keep heights, or drop them. Default: kept where any is not zero.
    #[arg(long, value_name = "KEEP", value_parser = clap::value_parser!(bool), num_args = 0..=1, default_missing_value = "true")]
    z: Option<bool>,

    /// Keep measures, or drop them. Default: kept where any is not zero.
    #[arg(long, value_name = "KEEP", value_parser = clap::value_parser!(bool), num_args = 0..=1, default_missing_value = "true")]
    m: Option<bool>,

    /// Only these fields of the source, separated by commas.
    #[arg(long, value_delimiter = ',', value_name = "FIELDS")]
    fields: Option<Vec<String>>,

    /// Load rows without geometry too.
    #[arg(long)]
    keep_empty: bool,

    /// Take coordinates outside Colombia.
    #[arg(long)]
    allow_outside: bool,

    /// Join the file, a table, to this layer: its columns become attributes.
    #[arg(long, value_name = "LAYER", conflicts_with_all = ["target", "all_layers", "definition"], requires = "on")]
    join: Option<LayerId>,

    /// What joins them: KEY, LAYER_KEY=TABLE_KEY, or `location`.
    #[arg(long, value_name = "KEY", requires = "join")]
    on: Option<String>,

    /// Joining by location: rows in no feature go to the nearest within so many metres.
    #[arg(long, value_name = "METRES", default_value_t = 0.0, requires = "join")]
    within: f64,

    /// Joining by location: add up the numbers of the rows that lie in one feature.
    #[arg(long, requires = "join")]
    sum: bool,

    /// So many rows may be rejected; one more, and all is undone.
    #[arg(long, value_name = "N", default_value_t = 0)]
    max_rejects: u64,

    /// Write the rejected rows to this file (.geojson or .csv), to be mended and imported again.
    #[arg(long, value_name = "FILE")]
    rejects: Option<PathBuf>,

    /// Write the report to this file, as JSON.
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,

    /// How many seconds a file may take to read.
    #[arg(long, value_name = "N", default_value_t = Limits::default().wall_seconds)]
    max_seconds: u64,

    /// How many MB of memory the reading process may use.
    #[arg(long, value_name = "MB", default_value_t = Limits::default().memory_bytes >> 20)]
    max_memory: u64,

    /// How many MB an archive may unpack to.
    #[arg(long, value_name = "MB", default_value_t = Limits::default().unpacked_bytes >> 20)]
    max_unpacked: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ModeName {
    /// There is no such layer yet.
    Create,
    /// Afterwards the layer holds what the file holds; only what differs is written.
    Replace,
    /// The file's features are added.
    Append,
    /// Features with a key of the file's are updated, the file's others added.
    Upsert,
}

pub(super) async fn run(options: Options, config: &Config) -> Result<Outcome, CommandError> {
    let requests = options.requests()?;
    with_database(config, async |session| act(&options, requests, session).await).await
}

async fn act(options: &Options, requests: Vec<ImportRequest>, session: &Session) -> Result<Outcome, CommandError> {
    let caller = &Caller::OPERATOR;
    let cancel = interrupted();
    let mut reports = Vec::new();
    let mut failed = None;
    for request in requests {
        let several = if options.list || options.all_layers {
            let layers =
                etl::import::source_layers(caller, &request, &cancel).await.map_err(failed_at(&request.file))?;
            if options.list {
                for layer in layers {
                    let count = layer.features.map_or_else(String::new, |count| format!(", {count} features"));
                    println!("{}  ({}{count})", layer.name, layer.geometry);
                }
                continue;
            }
            layers
                .into_iter()
                .filter(|layer| layer.features != Some(0))
                .map(|layer| {
                    let mut one = request.clone();
                    one.target = LayerId::suggested_by(&layer.name).map_err(|_| CommandError::Import {
                        file: request.file.clone(),
                        source: ImportError::Refused(format!(
                            "the layer {:?} has no name that can be an id: import it with --layer and --as",
                            layer.name
                        )),
                    })?;
                    one.source_layer = Some(layer.name);
                    Ok(one)
                })
                .collect::<Result<Vec<_>, CommandError>>()?
        } else {
            vec![request]
        };
        for request in several {
            let bar = Bar::new(request.target.as_str());
            let outcome = etl::import::run(caller, session.database(), &request, &bar, cancel.clone()).await;
            bar.finish();
            match outcome {
                Ok(report) => {
                    print_report(&report);
                    reports.push(report);
                }
                Err(ImportError::Cancelled) => {
                    eprintln!("{}: stopped; nothing of it is left.", request.file.display());
                    return Ok(Outcome::Code(130));
                }
                Err(error) => {
                    if let ImportError::TooManyRejects { report, .. } = &error {
                        print_report(report);
                        reports.push((**report).clone());
                    }
                    let error = failed_at(&request.file)(error);
                    eprintln!("lindero: {error}");
                    failed = Some(Outcome::Code(1));
                }
            }
        }
    }
    if let Some(path) = &options.report {
        write_report(path, &reports)?;
    }
    Ok(failed.unwrap_or(Outcome::Done))
}

fn write_report(path: &Path, reports: &[Report]) -> Result<(), CommandError> {
    // One file, one report; several files, a list.
    let text = match reports {
        [only] => serde_json::to_string_pretty(only),
        several => serde_json::to_string_pretty(several),
    };
    std::fs::write(path, text.unwrap_or_default() + "\n").map_err(CommandError::Output)
}

/// The error of one file of several.
fn failed_at(file: &Path) -> impl FnOnce(ImportError) -> CommandError {
    let file = file.to_owned();
    move |source| CommandError::Import { file, source }
}

impl Options {
    /// A request a file.
    fn requests(&self) -> Result<Vec<ImportRequest>, CommandError> {
        let reader = Reader::this_program().map_err(CommandError::Runtime)?;
        let one = self.files.len() == 1;
        self.files
            .iter()
            .map(|file| {
                let refuse = |message: String| failed_at(file)(ImportError::Refused(message));
                if self.target.is_some() && !one {
                    return Err(refuse("--as names one layer: import the files one by one".to_owned()));
                }
                if !file.exists() {
                    return Err(refuse("there is no such file".to_owned()));
                }
                let target = self.join.clone().or(self.target.clone()).map_or_else(
                    || {
                        suggested(file)
                            .ok_or_else(|| refuse("the file's name cannot be a layer's: say one with --as".to_owned()))
                    },
                    Ok,
                )?;
                let mut request = ImportRequest::new(file, target, reader.clone());
                request.source_layer.clone_from(&self.layer);
                request.municipality.clone_from(&self.municipality);
                request.mode = match self.mode {
                    ModeName::Create => Mode::Create,
                    ModeName::Replace => Mode::Replace,
                    ModeName::Append => Mode::Append,
                    ModeName::Upsert => Mode::Upsert,
                };
                request.definition = self.definition()?;
                request.key.clone_from(&self.key);
                request.declared_crs.clone_from(&self.crs);
                request.encoding.clone_from(&self.encoding);
                request.geometry_columns =
                    GeometryColumns { x: self.x.clone(), y: self.y.clone(), wkt: self.wkt.clone() };
                request.swap_xy = self.swap_xy;
                request.geometry_type = self.geometry;
                request.keep_z = self.z;
                request.keep_m = self.m;
                request.fields.clone_from(&self.fields);
                request.keep_empty = self.keep_empty;
                request.allow_outside = self.allow_outside;
                request.max_rejects = self.max_rejects;
                request.rejects.clone_from(&self.rejects);
                request.join = self.join();
                request.limits.wall_seconds = self.max_seconds;
                request.limits.memory_bytes = self.max_memory << 20;
                request.limits.unpacked_bytes = self.max_unpacked << 20;
                Ok(request)
            })
            .collect()
    }

    fn join(&self) -> Option<Join> {
        let on = self.on.as_deref()?;
        if on == "location" {
            return Some(Join::Location { within: self.within, sum: self.sum });
        }
        let (attribute, column) = on.split_once('=').unwrap_or((on, on));
        Some(Join::Key { attribute: attribute.to_owned(), column: column.to_owned() })
    }

    /// What is said of the layer; none where nothing is. A title alone does
    /// not describe anew a layer that there is.
    fn definition(&self) -> Result<Option<LayerDefinition>, CommandError> {
        let creates = self.mode == ModeName::Create && self.description.says_something();
        (self.description.has_file() || creates).then(|| self.description.definition()).transpose()
    }
}

/// The id that a file's name suggests: without its endings.
fn suggested(file: &Path) -> Option<LayerId> {
    let name = file.file_name()?.to_string_lossy().to_lowercase();
    let name = name.strip_suffix(".gz").unwrap_or(&name);
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    LayerId::suggested_by(stem).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_suggest_ids() {
        for (file, id) in [
            ("/x/Barrios IPM.shp", "barrios_ipm"),
            ("manzanas_igac_ibague.geojson.gz", "manzanas_igac_ibague"),
            ("2018.gpkg", "c2018"),
        ] {
            assert_eq!(suggested(Path::new(file)).unwrap().as_str(), id);
        }
        assert_eq!(suggested(Path::new("¿.shp")), None);
    }
}
