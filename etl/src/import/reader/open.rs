//! From a path to a source: archives unpacked, the layer chosen.

use std::path::{Path, PathBuf};

use super::csv_source::CsvSource;
use super::decode;
use super::format::{self, Declared, Format};
use super::gdal_source::{self, GdalSource};
use super::source::{Geometries, Source};
use super::unpack;
use crate::import::protocol::{Order, Refusal, SourceLayer};

/// Opens the layer that the order names, or the only one.
pub(super) fn open(order: &Order) -> Result<Source, Refusal> {
    let candidates = candidates(&order.file, order, 0).map_err(refusal)?;
    let mut opened = Vec::new();
    let mut listed = Vec::new();
    let single = candidates.len() == 1;
    for (path, format) in candidates {
        if format == Format::Csv {
            let layer = stem(&path);
            listed.push(SourceLayer { name: layer.clone(), features: None, geometry: "Table".to_owned() });
            opened.push((path, format, layer, 0));
            continue;
        }
        let path = match readable(&path, format, order) {
            Ok(path) => path,
            Err(message) if single => return Err(refusal(message)),
            Err(_) => continue,
        };
        let layers = match gdal_source::open(&path, format) {
            Ok(dataset) => gdal_source::layers(&dataset, format),
            Err(message) if single => return Err(refusal(message)),
            // One damaged file of an archive does not hide the others.
            Err(_) => continue,
        };
        for (index, layer) in layers.into_iter().enumerate() {
            opened.push((path.clone(), format, layer.name.clone(), index));
            listed.push(layer);
        }
    }
    if order.list_only {
        return Err(Refusal { message: String::new(), layers: listed });
    }
    let index = choose(order, &opened, &listed)?;
    let (path, format, _, layer) = opened.swap_remove(index);
    source(&path, format, layer, order).map_err(refusal)
}

fn refusal(message: String) -> Refusal {
    Refusal { message, layers: Vec::new() }
}

fn stem(path: &Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

/// The files of data behind a path, with their formats.
fn candidates(path: &Path, order: &Order, depth: u8) -> Result<Vec<(PathBuf, Format)>, String> {
    if depth > 2 {
        return Err("the archive holds archives of archives: unpack it, and import the file inside".to_owned());
    }
    let folder = order.scratch.join(format!("unpacked-{depth}"));
    match format::declared(path) {
        Declared::A(format) => Ok(vec![(path.to_owned(), format)]),
        Declared::Refused(reason) => {
            Err(format!("{} cannot be imported: {reason}", path.file_name().unwrap_or_default().to_string_lossy()))
        }
        Declared::Gzip => {
            std::fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
            candidates(&unpack::gzip(path, &folder, &order.limits)?, order, depth + 1)
        }
        Declared::Zip => {
            std::fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
            let files = unpack::zip(path, &folder, &order.limits)?;
            let found = in_archive(&files);
            if found.is_empty() {
                let names: Vec<String> = files
                    .iter()
                    .take(8)
                    .map(|file| file.strip_prefix(&folder).unwrap_or(file).display().to_string())
                    .collect();
                return Err(format!(
                    "the archive holds no file that can be imported; it holds: {}. A zipped Shapefile needs its .shp and .dbf",
                    if names.is_empty() { "nothing".to_owned() } else { names.join(", ") }
                ));
            }
            Ok(found)
        }
    }
}

/// The files of an unpacked archive that are data: of a Shapefile the .shp,
/// of a geodatabase its folder.
fn in_archive(files: &[PathBuf]) -> Vec<(PathBuf, Format)> {
    let mut found: Vec<(PathBuf, Format)> = Vec::new();
    for file in files {
        let geodatabase = file
            .ancestors()
            .skip(1)
            .find(|folder| folder.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("gdb")));
        if let Some(folder) = geodatabase {
            if !found.iter().any(|(path, _)| path == folder) {
                found.push((folder.to_owned(), Format::FileGdb));
            }
            continue;
        }
        // What a Mac adds to an archive.
        if file.components().any(|part| part.as_os_str() == "__MACOSX") {
            continue;
        }
        let extension = file.extension().map(|e| e.to_string_lossy().to_lowercase()).unwrap_or_default();
        let part = matches!(extension.as_str(), "dbf" | "mid" | "txt" | "json")
            && files.iter().any(|other| {
                other != file
                    && other.with_extension("") == file.with_extension("")
                    && other.extension().is_some_and(|e| {
                        e.eq_ignore_ascii_case("shp") || e.eq_ignore_ascii_case("mif") || e.eq_ignore_ascii_case("tab")
                    })
            });
        if part {
            continue;
        }
        if let Declared::A(format) = format::declared(file) {
            found.push((file.clone(), format));
        }
    }
    // Read-me texts and tables beside spatial data are not the data.
    if found.iter().any(|(_, format)| *format != Format::Csv) {
        found.retain(|(_, format)| *format != Format::Csv);
    }
    found
}

/// What GDAL may open: archives checked, texts in UTF-8.
fn readable(path: &Path, format: Format, order: &Order) -> Result<PathBuf, String> {
    let extension = path.extension().map(|e| e.to_string_lossy().to_lowercase()).unwrap_or_default();
    if matches!(extension.as_str(), "kmz" | "xlsx" | "xlsm" | "ods") {
        unpack::check_zip(path, &order.limits)?;
    }
    if matches!(format, Format::GeoJson | Format::GeoJsonLines | Format::TopoJson) {
        let asked = encoding(order)?;
        return decode::as_utf8(path, &order.scratch, asked)
            .map(|(path, _)| path)
            .map_err(|error| format!("{} cannot be read: {error}", path.display()));
    }
    if format == Format::Shapefile {
        return with_index(path, order);
    }
    Ok(path.to_owned())
}

/// A Shapefile whose .shx was lost is copied, and GDAL makes it anew there.
fn with_index(path: &Path, order: &Order) -> Result<PathBuf, String> {
    let is_shp = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("shp"));
    let has_index = ["shx", "SHX", "Shx"].iter().any(|extension| path.with_extension(extension).is_file());
    if !is_shp || has_index {
        return Ok(path.to_owned());
    }
    let folder = order.scratch.join("indexed");
    let copied = std::fs::create_dir_all(&folder).and_then(|()| {
        for extension in ["shp", "SHP", "dbf", "DBF", "prj", "PRJ", "cpg", "CPG"] {
            let part = path.with_extension(extension);
            if part.is_file() {
                std::fs::copy(&part, folder.join(part.file_name().unwrap_or_default()))?;
            }
        }
        Ok(())
    });
    copied.map_err(|error| format!("the Shapefile cannot be copied to make its .shx anew: {error}"))?;
    gdal::config::set_config_option("SHAPE_RESTORE_SHX", "YES").map_err(|error| error.to_string())?;
    Ok(folder.join(path.file_name().unwrap_or_default()))
}

fn encoding(order: &Order) -> Result<Option<&'static encoding_rs::Encoding>, String> {
    order
        .encoding
        .as_deref()
        .map(|name| {
            decode::by_name(name).ok_or_else(|| format!("the encoding {name:?} is not known: try UTF-8 or 1252"))
        })
        .transpose()
}

type Opened = (PathBuf, Format, String, usize);

/// The place of the wanted layer in the lists.
fn choose(order: &Order, opened: &[Opened], listed: &[SourceLayer]) -> Result<usize, Refusal> {
    if let Some(wanted) = &order.source_layer {
        return listed
            .iter()
            .position(|layer| layer.name == *wanted)
            .or_else(|| listed.iter().position(|layer| layer.name.eq_ignore_ascii_case(wanted)))
            .ok_or_else(|| Refusal {
                message: format!("the source has no layer {wanted:?}; choose one with --layer"),
                layers: listed.to_vec(),
            });
    }
    let mut useful: Vec<usize> = (0..listed.len()).filter(|i| listed[*i].features != Some(0)).collect();
    // Tables beside spatial layers (domains, metadata) are not what was meant.
    if !order.table && useful.iter().any(|i| listed[*i].geometry != "Table") {
        useful.retain(|i| listed[*i].geometry != "Table");
    }
    // A GPX says its tracks twice, as lines and as points.
    if opened.iter().all(|(_, format, ..)| *format == Format::Gpx) {
        let lines = useful.iter().any(|i| matches!(listed[*i].name.as_str(), "tracks" | "routes"));
        useful.retain(|i| !lines || !listed[*i].name.ends_with("_points"));
    }
    match useful[..] {
        [only] => Ok(only),
        [] if listed.len() == 1 => Ok(0),
        [] if listed.is_empty() => Err(refusal("the source holds no layers".to_owned())),
        [] => Err(Refusal { message: "every layer of the source is empty".to_owned(), layers: listed.to_vec() }),
        _ => Err(Refusal {
            message: format!(
                "the source has {} layers: choose one with --layer, or import each with --all-layers",
                useful.len()
            ),
            layers: useful.iter().map(|i| listed[*i].clone()).collect(),
        }),
    }
}

fn source(path: &Path, format: Format, layer: usize, order: &Order) -> Result<Source, String> {
    if format == Format::Csv {
        return CsvSource::open(path, &order.scratch, encoding(order)?).map(Source::Csv);
    }
    let dataset = gdal_source::open(path, format)?;
    let mut source = GdalSource::new(dataset, layer, format, order.limits.vertices)?;
    if format == Format::Shapefile {
        source.table.encoding = declared_encoding(path);
        if path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("dbf")) {
            source.table.geometry = Geometries::None;
        }
    }
    Ok(Source::Gdal(source))
}

/// What a Shapefile says of its encoding: its .cpg, else its .dbf's code page.
fn declared_encoding(path: &Path) -> Option<&'static encoding_rs::Encoding> {
    let beside = |extension: &str| {
        [extension.to_owned(), extension.to_uppercase()]
            .into_iter()
            .map(|extension| path.with_extension(extension))
            .find(|path| path.is_file())
    };
    if let Some(text) = beside("cpg").and_then(|file| std::fs::read_to_string(file).ok())
        && let Some(encoding) = decode::by_name(&text)
    {
        return Some(encoding);
    }
    let mut start = [0; 30];
    let mut dbf = std::fs::File::open(beside("dbf")?).ok()?;
    std::io::Read::read_exact(&mut dbf, &mut start).ok()?;
    decode::by_name(&format!("LDID/{}", start[29]))
}
