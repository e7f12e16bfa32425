//! The file of rejected rows: as the source had them, with the reason beside,
//! so that it can be mended and imported again.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::ImportError;
use super::protocol::{Header, RejectedRow};

pub(super) struct Rejects {
    path: PathBuf,
    format: Format,
}

enum Format {
    GeoJson { out: BufWriter<File>, first: bool },
    Csv { out: Box<csv::Writer<File>>, names: Option<Vec<String>> },
}

impl Rejects {
    /// Begins the file. A `.csv` for tables, else GeoJSON in the source's CRS.
    pub(super) fn create(path: &Path, header: &Header) -> Result<Self, ImportError> {
        let failed = || ImportError::io(format!("{} cannot be written", path.display()));
        let file = File::create(path).map_err(failed())?;
        let format = if path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("csv")) {
            Format::Csv { out: Box::new(csv::Writer::from_writer(file)), names: None }
        } else {
            let mut out = BufWriter::new(file);
            // The CRS member of GeoJSON 2008: coordinates are as the source has
            // them, and GDAL, QGIS and this import read it.
            let crs =
                header.declared_crs.as_deref().and_then(|crs| crs.split_once(':')).filter(|(_, code)| code.len() < 8);
            let crs = crs.map(|(authority, code)| {
                json!({"type": "name", "properties": {"name": format!("urn:ogc:def:crs:{authority}::{code}")}})
            });
            let member = crs.map(|crs| format!("\"crs\":{crs},")).unwrap_or_default();
            write!(out, "{{\"type\":\"FeatureCollection\",{member}\"features\":[").map_err(failed())?;
            Format::GeoJson { out, first: true }
        };
        Ok(Self { path: path.to_owned(), format })
    }

    pub(super) fn add(&mut self, row: &RejectedRow) -> Result<(), ImportError> {
        let failed = ImportError::io(format!("{} cannot be written", self.path.display()));
        let [number, reason] = super::reader::REJECT_FIELDS;
        match &mut self.format {
            Format::GeoJson { out, first } => {
                let mut properties = row.properties.clone();
                properties.insert(number.to_owned(), row.rejection.row.into());
                properties.insert(reason.to_owned(), row.rejection.reason.clone().into());
                let feature = json!({"type": "Feature", "properties": properties, "geometry": row.geometry});
                let comma = if std::mem::take(first) { "\n" } else { ",\n" };
                write!(out, "{comma}{feature}").map_err(failed)
            }
            Format::Csv { out, names } => {
                let mut written = Ok(());
                let names = names.get_or_insert_with(|| {
                    let list: Vec<String> = row.properties.keys().cloned().collect();
                    written = out.write_record(list.iter().map(String::as_str).chain([number, reason]));
                    list
                });
                let values = names.iter().map(|name| text(row.properties.get(name).unwrap_or(&Value::Null)));
                written
                    .and_then(|()| {
                        out.write_record(values.chain([row.rejection.row.to_string(), row.rejection.reason.clone()]))
                    })
                    .map_err(std::io::Error::other)
                    .map_err(failed)
            }
        }
    }

    pub(super) fn finish(mut self) -> Result<(), ImportError> {
        let failed = ImportError::io(format!("{} cannot be written", self.path.display()));
        match &mut self.format {
            Format::GeoJson { out, .. } => out.write_all(b"\n]}\n").and_then(|()| out.flush()),
            Format::Csv { out, .. } => out.flush(),
        }
        .map_err(failed)
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
