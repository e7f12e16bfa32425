//! The confined process that reads a stranger's file: it knows GDAL, and
//! nothing of the database.

mod cell;
mod columns;
mod confine;
mod coordinates;
mod csv_source;
mod decode;
mod format;
mod gdal_source;
mod infer;
mod open;
mod place;
mod raw;
mod shape;
mod source;
mod survey;
mod unpack;
mod valid;
mod write;

use std::io::{BufReader, BufWriter, Write};
use std::ops::ControlFlow;
use std::process::ExitCode;

pub(crate) use columns::REJECT_FIELDS;
pub use confine::missing_confinement;
use layers::Dimension;
use layers::crs::{ORIGEN_NACIONAL, Transformation};

use self::place::Verdict;
use self::source::{Geometries, Source};
use self::survey::Survey;
use super::protocol::{Frame, Header, Order, Refusal};

/// The reading process itself: an order on standard input, frames on standard
/// output. To be called before any other thread runs: the cage closes around
/// the calling thread and those that it starts.
pub fn main() -> ExitCode {
    let order: Order = match serde_json::from_reader(BufReader::new(std::io::stdin().lock())) {
        Ok(order) => order,
        Err(error) => {
            eprintln!("this command is for lindero itself; it was given no order ({error})");
            return ExitCode::from(2);
        }
    };
    let mut out = BufWriter::with_capacity(1 << 16, std::io::stdout().lock());
    let outcome = match read(&order, &mut out) {
        Err(End::Refused(refusal)) => Frame::Refused(refusal).write(&mut out),
        Err(End::Pipe(error)) => Err(error),
        Ok(()) => Ok(()),
    };
    // A pipe that is closed means that the import was given up.
    if outcome.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Why a reading ended before its end.
enum End {
    Refused(Refusal),
    Pipe(std::io::Error),
}

impl From<String> for End {
    fn from(message: String) -> Self {
        Self::Refused(Refusal { message, layers: Vec::new() })
    }
}

impl From<Refusal> for End {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<std::io::Error> for End {
    fn from(error: std::io::Error) -> Self {
        Self::Pipe(error)
    }
}

fn read(order: &Order, out: &mut impl Write) -> Result<(), End> {
    let confinement = confine::confine(&order.file, &order.scratch, &order.limits);
    configure(order)?;
    raw::collect_errors();
    misbehave(order)?;

    let mut source = open::open(order)?;
    let most_vertices = order.limits.vertices;
    let table = source.table().clone();
    let raw_names: Vec<String> = table.fields.iter().map(|field| field.name.clone()).collect();

    // A table's geometry is in its columns.
    let look = table.geometry == Geometries::None && (!order.table || order.locate);
    let coordinates = if look { coordinates::find(&raw_names, &order.geometry)? } else { None };
    if look && !order.table && coordinates.is_none() {
        return Err(End::from(format!(
            "the table has no geometry, and no columns that look like coordinates (its columns: {}). Name them with --x and \
             --y, or --wkt; or join the table to a layer with --join LAYER --on KEY",
            raw_names.join(", ")
        )));
    }
    let survey = Survey::take(&mut source, coordinates.as_ref(), most_vertices);
    if let Some(reason) = survey.broken() {
        return Err(End::from(reason.to_owned()));
    }
    let mut warnings = Vec::new();
    let (encoding, names) = decide_encoding(order, &mut source, &survey, &mut warnings)?;
    if survey.seen == 0 {
        return Err(End::from(format!("the layer {:?} is empty: there is nothing to import", table.layer)));
    }

    let geometry = if order.table && !order.locate {
        None
    } else {
        let reliable = table.format.types_are_reliable();
        if table.geometry == Geometries::None && coordinates.is_none() {
            None
        } else {
            let kind = order.geometry_type.unwrap_or_else(|| survey.geometry_type(table.geometry, reliable));
            let seen = survey.dimension();
            let kept = Dimension::new(order.keep_z.unwrap_or(seen.has_z()), order.keep_m.unwrap_or(seen.has_m()));
            Some((kind, order.dimension.unwrap_or(kept)))
        }
    };
    let crs = match geometry {
        None => None,
        Some(_) => Some(decide_crs(order, &table, coordinates.as_ref(), &survey, &mut warnings)?),
    };

    let used = coordinates.as_ref().map(coordinates::Coordinates::columns).unwrap_or_default();
    let used = if order.table { Vec::new() } else { used };
    let (columns, more) = columns::plan(order, &table, &names, &survey, &used)?;
    warnings.extend(more);
    let header = Header {
        format: table.format.name().to_owned(),
        source_layer: table.layer.clone(),
        encoding,
        declared_crs: crs.clone(),
        geometry_type: geometry.map(|(kind, _)| kind),
        dimension: geometry.map(|(_, dimension)| dimension).unwrap_or_default(),
        attributes: columns.iter().map(|column| column.attribute.clone()).collect(),
        sources: columns.iter().map(|column| column.source.map(|source| names[source].clone())).collect(),
        count: survey.rows.or(table.count),
        warnings,
        confinement,
    };
    Frame::Header(Box::new(header)).write(out)?;

    let mut writer = write::Writer::new(out, &columns, &names);
    writer.geometry = geometry;
    writer.swap_xy = order.swap_xy;
    writer.allow_outside = order.allow_outside;
    writer.keep_empty = order.keep_empty;
    writer.transformation = match crs {
        Some(crs) if crs != format!("EPSG:{ORIGEN_NACIONAL}") => Some(
            Transformation::new(&crs, &format!("EPSG:{ORIGEN_NACIONAL}"))
                .map_err(|error| End::from(error.to_string()))?,
        ),
        _ => None,
    };
    let mut failed = None;
    let mut rows = 0;
    let outcome = source.for_each(&mut |mut record| {
        rows += 1;
        if let Some(coordinates) = &coordinates {
            record.geometry = coordinates.shape(&record.cells, most_vertices);
        }
        if rows > order.limits.rows {
            failed = Some(End::from(format!("the source has more than the {} rows allowed", order.limits.rows)));
            return ControlFlow::Break(());
        }
        let taken = if order.echo.is_empty() { writer.take(record) } else { writer.echo(record, &order.echo) };
        match taken {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                failed = Some(End::Pipe(error));
                ControlFlow::Break(())
            }
        }
    });
    match failed {
        Some(end) => return Err(end),
        None => outcome?,
    }
    writer.finish()?;
    Ok(())
}

/// GDAL's settings: nothing from the network, nothing outside the scratch folder.
fn configure(order: &Order) -> Result<(), String> {
    let scratch = order.scratch.to_string_lossy();
    let limit = (order.limits.memory_bytes / 4).to_string();
    for (key, value) in [
        ("PROJ_NETWORK", "OFF"),
        ("GDAL_HTTP_MAX_RETRY", "0"),
        ("CPL_VSIL_CURL_ALLOWED_EXTENSIONS", "{none}"),
        ("CPL_TMPDIR", &scratch),
        ("GDAL_PAM_ENABLED", "NO"),
        ("GDAL_CACHEMAX", "64"),
        ("OGR_GEOJSON_MAX_OBJ_SIZE", "200"),
        ("OGR_XLSX_FIELD_TYPES", "STRING"),
        ("OGR_ODS_FIELD_TYPES", "STRING"),
        ("OGR_XLSX_HEADERS", "FORCE"),
        ("OGR_ODS_HEADERS", "FORCE"),
        ("OGR_SQLITE_LIST_ALL_TABLES", "NO"),
        ("OGR_SQLITE_STATIC_VIRTUAL_OGR", "NO"),
        ("GML_SKIP_RESOLVE_ELEMS", "ALL"),
        ("OGR_ARC_STEPSIZE", "4"),
        ("CPL_MAX_ERROR_REPORTS", "-1"),
        ("OSM_MAX_TMPFILE_SIZE", "512"),
        ("VSI_CACHE_SIZE", &limit),
    ] {
        gdal::config::set_config_option(key, value).map_err(|error| error.to_string())?;
    }
    Ok(())
}

/// The encoding of the texts and the fields' names in it.
fn decide_encoding(
    order: &Order,
    source: &mut Source,
    survey: &Survey,
    warnings: &mut Vec<String>,
) -> Result<(Option<String>, Vec<String>), String> {
    let table = source.table().clone();
    let names = || table.fields.iter().map(|field| field.name.clone());
    if table.format != format::Format::Shapefile {
        return Ok((table.encoding.map(|encoding| encoding.name().to_owned()), names().collect()));
    }
    let asked = order
        .encoding
        .as_deref()
        .map(|name| {
            decode::by_name(name).ok_or_else(|| format!("the encoding {name:?} is not known: try UTF-8 or 1252"))
        })
        .transpose()?;
    let encoding = asked.unwrap_or_else(|| {
        let (encoding, wrong) = survey.bytes.encoding(table.encoding);
        warnings.extend(wrong);
        encoding
    });
    source.set_encoding(encoding);
    let names = names().map(|name| decode::decode(&decode::bytes_of_latin1(&name), encoding)).collect();
    Ok((Some(encoding.name().to_owned()), names))
}

/// The CRS of the coordinates, once they are seen to lie where they should.
fn decide_crs(
    order: &Order,
    table: &source::Table,
    coordinates: Option<&coordinates::Coordinates>,
    survey: &Survey,
    warnings: &mut Vec<String>,
) -> Result<String, String> {
    let swapped: Vec<(f64, f64)>;
    let sample = if order.swap_xy {
        swapped = survey.sample.iter().map(|(x, y)| (*y, *x)).collect();
        &swapped
    } else {
        &survey.sample
    };
    let by_name = matches!(coordinates, Some(coordinates::Coordinates::Pair { geographic: true, .. }));
    let crs = match (&order.declared_crs, &table.crs) {
        (Some(asked), said) => {
            let reference = layers::crs::spatial_ref(asked).map_err(|error| error.to_string())?;
            let asked = gdal_source::identify(reference).unwrap_or_else(|| asked.clone());
            if let Some(said) = said
                && *said != asked
            {
                warnings.push(format!(
                    "the file says that it is in {}; it was read in {asked}, as asked",
                    place::short(said)
                ));
            }
            asked
        }
        (None, Some(said)) => said.clone(),
        (None, None) if by_name => "EPSG:4326".to_owned(),
        (None, None) => return Err(place::missing(sample, &order.place)),
    };
    match place::judge(&crs, sample, &order.place, order.allow_outside)? {
        Verdict::Fits => {}
        Verdict::Elsewhere(warning) => warnings.push(warning),
        Verdict::Refused(reason) => return Err(reason),
    }
    Ok(crs)
}

/// What the tests ask for: a driver that crashes, that never ends, that eats
/// all memory. Only an importing process can ask; it never does of itself.
fn misbehave(order: &Order) -> Result<(), String> {
    match order.misbehave.as_deref() {
        // What a driver under somebody else's control would try.
        Some("peek") => {
            let file = std::fs::read("/etc/passwd").is_ok();
            let write = std::fs::write(order.file.with_extension("dbf"), "x").is_ok();
            let network = std::net::UdpSocket::bind("127.0.0.1:0").is_ok();
            let program = std::process::Command::new("/usr/bin/true").status().is_ok();
            let database = std::env::var_os("DATABASE_URL").is_some();
            return Err(format!(
                "file {file}, write {write}, network {network}, program {program}, database {database}"
            ));
        }
        Some("abort") => std::process::abort(),
        Some("hang") => loop {
            std::thread::park();
        },
        Some("spin") => {
            let mut rounds: u64 = 0;
            loop {
                rounds = std::hint::black_box(rounds.wrapping_add(1));
            }
        }
        Some("eat") => {
            let mut eaten: Vec<Vec<u8>> = Vec::new();
            loop {
                eaten.push(vec![1; 64 << 20]);
                std::hint::black_box(&eaten);
            }
        }
        Some("garbage") => {
            let _ = std::io::stdout().write_all(b"Zgarbage");
        }
        _ => {}
    }
    Ok(())
}
