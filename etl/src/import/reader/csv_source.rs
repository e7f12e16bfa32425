//! Rows of a text table: separator, encoding and line ends found by looking.

use std::fs::File;
use std::io::BufReader;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use csv::{ByteRecord, Reader, ReaderBuilder};
use encoding_rs::Encoding;

use super::cell::Cell;
use super::decode;
use super::format::Format;
use super::source::{Field, Geometries, Record, Table};

pub(super) struct CsvSource {
    file: PathBuf,
    separator: u8,
    pub(super) table: Table,
}

const SEPARATORS: [u8; 4] = *b",;\t|";
/// How many rows tell the separator.
const LOOK: usize = 50;

impl CsvSource {
    /// Opens the table; a copy in UTF-8 goes to `scratch` where it is not.
    pub(super) fn open(path: &Path, scratch: &Path, asked: Option<&'static Encoding>) -> Result<Self, String> {
        let cannot = |error: &dyn std::fmt::Display| format!("the table cannot be read: {error}");
        let (file, encoding) = decode::as_utf8(path, scratch, asked).map_err(|error| cannot(&error))?;
        let separator = separator(&file).map_err(|error| cannot(&error))?;
        let mut header = ByteRecord::new();
        let mut reader = reader(&file, separator).map_err(|error| cannot(&error))?;
        reader.read_byte_record(&mut header).map_err(|error| cannot(&error))?;
        let fields: Vec<Field> = header
            .iter()
            .map(|name| Field { name: text(name).trim().to_owned(), kind: None, unusable: None })
            .collect();
        if fields.iter().all(|field| field.name.is_empty()) {
            return Err("the table is empty: its first line must name the columns".to_owned());
        }
        let layer = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let table = Table {
            format: Format::Csv,
            layer,
            fields,
            geometry: Geometries::None,
            crs: None,
            count: None,
            encoding: Some(encoding),
        };
        Ok(Self { file, separator, table })
    }

    pub(super) fn for_each(&mut self, visit: &mut dyn FnMut(Record) -> ControlFlow<()>) -> Result<(), String> {
        let mut reader = reader(&self.file, self.separator).map_err(|error| error.to_string())?;
        let mut row = ByteRecord::new();
        let mut number = 0;
        let columns = self.table.fields.len();
        // The line of names.
        reader.read_byte_record(&mut row).map_err(|error| error.to_string())?;
        loop {
            match reader.read_byte_record(&mut row) {
                Ok(true) => {}
                Ok(false) => return Ok(()),
                Err(error) => return Err(format!("the table breaks off after row {number}: {error}")),
            }
            number += 1;
            if row.iter().all(<[u8]>::is_empty) {
                continue;
            }
            let extra = row.iter().skip(columns).any(|value| !value.is_empty());
            let problem = extra.then(|| {
                format!(
                    "the row has {} values, the first line names {columns} columns: a separator or quote is wrong",
                    row.len()
                )
            });
            let cells = (0..columns)
                .map(|i| match row.get(i) {
                    None | Some([]) => Cell::Null,
                    Some(value) => Cell::Text(text(value)),
                })
                .collect();
            if visit(Record { number, cells, geometry: Ok(None), problem }).is_break() {
                return Ok(());
            }
        }
    }
}

fn text(value: &[u8]) -> String {
    // A NUL cannot be kept in the database and means nothing in a table.
    String::from_utf8_lossy(value).replace('\0', "")
}

fn reader(file: &Path, separator: u8) -> std::io::Result<Reader<BufReader<File>>> {
    let file = BufReader::new(File::open(file)?);
    Ok(ReaderBuilder::new().delimiter(separator).has_headers(false).flexible(true).from_reader(file))
}

/// The separator that gives the most columns in the most rows.
fn separator(file: &Path) -> std::io::Result<u8> {
    let mut best = (b',', 0);
    for candidate in SEPARATORS {
        let mut reader = reader(file, candidate)?;
        let mut columns = Vec::new();
        let mut row = ByteRecord::new();
        while columns.len() < LOOK && reader.read_byte_record(&mut row).unwrap_or(false) {
            columns.push(row.len());
        }
        let header = columns.first().copied().unwrap_or(0);
        let agreeing = columns.iter().filter(|count| **count == header).count();
        let score = if header > 1 { header * 100 * agreeing / columns.len().max(1) } else { 0 };
        if score > best.1 {
            best = (candidate, score);
        }
    }
    Ok(best.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(content: &str) -> (Vec<String>, Vec<Vec<String>>) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.csv");
        std::fs::write(&path, content).unwrap();
        let mut source = CsvSource::open(&path, folder.path(), None).unwrap();
        let names = source.table.fields.iter().map(|field| field.name.clone()).collect();
        let mut rows = Vec::new();
        let read = source.for_each(&mut |record| {
            rows.push(record.cells.iter().map(Cell::to_text).chain(record.problem).collect());
            ControlFlow::Continue(())
        });
        read.unwrap();
        (names, rows)
    }

    #[test]
    fn separators_quotes_and_line_ends_are_found() {
        let strings = |list: &[&str]| list.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>();
        for content in ["a,b\n1,\"x, y\"\n", "a;b\r\n1;x, y\r\n", "a\tb\r1\tx, y\r", "a|b\n\n1|x, y"] {
            assert_eq!(rows(content), (strings(&["a", "b"]), vec![strings(&["1", "x, y"])]), "{content:?}");
        }
        let (_, wide) = rows("a,b\n1,2,3\n4\n");
        assert!(wide[0][2].contains("3 values"));
        assert_eq!(wide[1], ["4", ""]);
    }
}
