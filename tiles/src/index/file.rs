//! The snapshot file: an index as it is in memory, array after array, behind
//! a head that says where each one is and what its checksum is.
//!
//! ```text
//! 0   magic, 8 bytes
//! 8   version of the format, u32
//! 12  length of the head, u32
//! 16  checksum of the head (XXH3, 64 bits)
//! 24  the head, JSON
//!     the arrays, each at a multiple of 64
//! ```
//!
//! Numbers are little-endian. A file is written whole under another name and
//! renamed; one that is not whole, or of another version, is not read.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::Path;

use bytemuck::Pod;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use xxhash_rust::xxh3::xxh3_64;

use super::array::Array;
use super::table::Table;
use super::{Index, Level, Sheet, Stratum, Unreadable, Values, map::map};

const MAGIC: &[u8; 8] = b"LINDEROT";
/// Changes with the format, and with what an index holds of a layer.
const VERSION: u32 = 2;
const HEAD_AT: usize = 24;
const ALIGNMENT: usize = 64;

/// Of what an index was built, and when: what its owner must know to go on
/// from it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Origin {
    /// The layer's id.
    pub(crate) layer: String,
    /// What of the layer's description the index depends on.
    pub(crate) fingerprint: u64,
    /// The identity of the change log, and the snapshot of which the features are.
    pub(crate) log: String,
    pub(crate) snapshot: String,
}

/// Why a file was not read.
#[derive(Debug, Error)]
pub(crate) enum SnapshotError {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error("it is not a snapshot of this version")]
    AnotherVersion,
    #[error("it is not whole: {0}")]
    Broken(&'static str),
}

#[derive(Serialize, Deserialize)]
struct Head {
    origin: Origin,
    columns: Vec<String>,
    first_single: u32,
    gzip_ratio: f32,
    unreadable: Unreadable,
    /// The detailed one, then the levels.
    sheets: Vec<SheetHead>,
    arrays: Vec<Place>,
}

#[derive(Serialize, Deserialize)]
struct SheetHead {
    /// 255 for the detailed one.
    zoom: u8,
    columns: Vec<u16>,
    strata: Vec<u8>,
}

/// Where an array is, from the end of the head on, and its checksum.
#[derive(Clone, Copy, Serialize, Deserialize)]
struct Place {
    start: u64,
    bytes: u64,
    checksum: u64,
}

/// Writes the index to a file of that path, in place of one that is there:
/// when this returns it is on disk, whole.
pub(crate) fn write(index: &Index, origin: &Origin, path: &Path) -> io::Result<()> {
    if cfg!(target_endian = "big") {
        return Err(io::ErrorKind::Unsupported.into());
    }
    let arrays = arrays(index);
    let mut start = 0;
    let places = arrays.iter().map(|bytes| {
        let place = Place { start: start as u64, bytes: bytes.len() as u64, checksum: xxh3_64(bytes) };
        start = (start + bytes.len()).next_multiple_of(ALIGNMENT);
        place
    });
    let head = Head {
        origin: origin.clone(),
        columns: index.columns.clone(),
        first_single: index.first_single,
        gzip_ratio: index.gzip_ratio,
        unreadable: index.unreadable.clone(),
        arrays: places.collect(),
        sheets: sheets(index).map(|(zoom, sheet)| head(zoom, sheet)).collect(),
    };
    let head = serde_json::to_vec(&head)?;

    let folder = path.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    let mut writer = BufWriter::with_capacity(1 << 20, &mut file);
    writer.write_all(MAGIC)?;
    writer.write_all(&VERSION.to_le_bytes())?;
    writer.write_all(&(head.len() as u32).to_le_bytes())?;
    writer.write_all(&xxh3_64(&head).to_le_bytes())?;
    writer.write_all(&head)?;
    let mut written = HEAD_AT + head.len();
    for bytes in arrays {
        let start = written.next_multiple_of(ALIGNMENT);
        writer.write_all(&[0; ALIGNMENT][..start - written])?;
        writer.write_all(bytes)?;
        written = start + bytes.len();
    }
    writer.flush()?;
    drop(writer);
    file.as_file().sync_all()?;
    file.persist(path)?;
    File::open(folder)?.sync_all()
}

/// Opens a file: every byte of it is looked at once.
pub(crate) fn open(path: &Path) -> Result<(Index, Origin), SnapshotError> {
    let file = File::open(path)?;
    if cfg!(target_endian = "big") || fs::metadata(path)?.len() < HEAD_AT as u64 {
        return Err(SnapshotError::AnotherVersion);
    }
    read(&map(&file)?)
}

/// Reads what [`write()`] wrote.
pub(crate) fn read(content: &Bytes) -> Result<(Index, Origin), SnapshotError> {
    let number = |at: usize| content.get(at..at + 4).and_then(|bytes| Some(u32::from_le_bytes(bytes.try_into().ok()?)));
    if !content.starts_with(MAGIC) || number(8) != Some(VERSION) {
        return Err(SnapshotError::AnotherVersion);
    }
    let end = HEAD_AT + number(12).ok_or(SnapshotError::Broken("no head"))? as usize;
    let head = content.get(HEAD_AT..end).ok_or(SnapshotError::Broken("no head"))?;
    if content[16..24] != xxh3_64(head).to_le_bytes() {
        return Err(SnapshotError::Broken("the head's checksum"));
    }
    let head: Head = serde_json::from_slice(head).map_err(|_| SnapshotError::Broken("the head"))?;
    let mut arrays = Arrays { content, start: end.next_multiple_of(ALIGNMENT), places: head.arrays.into_iter() };
    let mut index = Index {
        columns: head.columns,
        first_single: head.first_single,
        gzip_ratio: head.gzip_ratio,
        unreadable: head.unreadable,
        values: Values { ends: arrays.next()?, bytes: arrays.next()? },
        key_numbers: arrays.next()?,
        key_rows: arrays.next()?,
        file_bytes: content.len(),
        ..Index::default()
    };
    for (number, sheet) in head.sheets.into_iter().enumerate() {
        let mut strata = Vec::with_capacity(sheet.strata.len());
        for zoom in sheet.strata {
            strata.push(Stratum { zoom, table: arrays.table()? });
        }
        let content = Sheet { columns: sheet.columns, strata };
        if number == 0 {
            index.detailed = content;
        } else {
            index.levels.push(Level { zoom: sheet.zoom, sheet: content });
        }
    }
    if !index.is_whole() {
        return Err(SnapshotError::Broken("its arrays do not belong together"));
    }
    Ok((index, head.origin))
}

/// Makes the checksums those of the content, so that what they guard is
/// looked at, too.
#[cfg(feature = "fuzzing")]
pub(crate) fn mend(content: &mut Vec<u8>) {
    let Some(length) = content.get(12..16).map(|bytes| u32::from_le_bytes(bytes.try_into().expect("four")) as usize)
    else {
        return;
    };
    let Some(head) = content.get(HEAD_AT..HEAD_AT + length) else { return };
    if let Ok(mut head) = serde_json::from_slice::<Head>(head) {
        let start = (HEAD_AT + length).next_multiple_of(ALIGNMENT) as u64;
        for place in &mut head.arrays {
            let range =
                start.saturating_add(place.start)..start.saturating_add(place.start).saturating_add(place.bytes);
            let bytes = usize::try_from(range.start).ok().zip(usize::try_from(range.end).ok());
            place.checksum = bytes.and_then(|(start, end)| content.get(start..end)).map_or(0, xxh3_64);
        }
        let mut written = serde_json::to_vec(&head).expect("a head");
        // Of the same length, or the arrays are elsewhere: spaces may stand behind it.
        if written.len() <= length {
            written.resize(length, b' ');
            content[HEAD_AT..HEAD_AT + length].copy_from_slice(&written);
        }
    }
    let checksum = xxh3_64(&content[HEAD_AT..HEAD_AT + length]);
    content[16..24].copy_from_slice(&checksum.to_le_bytes());
}

fn sheets(index: &Index) -> impl Iterator<Item = (u8, &Sheet)> {
    std::iter::once((u8::MAX, &index.detailed)).chain(index.levels.iter().map(|level| (level.zoom, &level.sheet)))
}

fn head(zoom: u8, sheet: &Sheet) -> SheetHead {
    let strata = sheet.strata.iter().map(|stratum| stratum.zoom).collect();
    SheetHead { zoom, columns: sheet.columns.clone(), strata }
}

/// The index's arrays, in the order in which [`read`] takes them.
fn arrays(index: &Index) -> Vec<&[u8]> {
    let mut arrays = vec![
        bytemuck::cast_slice(&index.values.ends),
        &index.values.bytes,
        bytemuck::cast_slice(&index.key_numbers),
        bytemuck::cast_slice(&index.key_rows),
    ];
    for stratum in sheets(index).flat_map(|(_, sheet)| &sheet.strata) {
        let table = &stratum.table;
        arrays.extend([
            bytemuck::cast_slice(&table.positions),
            bytemuck::cast_slice(&table.ids),
            bytemuck::cast_slice(&table.boxes),
            &table.shapes,
            bytemuck::cast_slice(&table.parts),
            bytemuck::cast_slice(&table.starts),
            bytemuck::cast_slice(&table.places),
            bytemuck::cast_slice(&table.labels),
            bytemuck::cast_slice(&table.counts),
            bytemuck::cast_slice(&table.codes),
        ]);
    }
    arrays
}

/// The arrays of a file, one after the other.
struct Arrays<'a> {
    content: &'a Bytes,
    /// Where the first may begin.
    start: usize,
    places: std::vec::IntoIter<Place>,
}

impl Arrays<'_> {
    fn next<T: Pod>(&mut self) -> Result<Array<T>, SnapshotError> {
        let place = self.places.next().ok_or(SnapshotError::Broken("an array is missing"))?;
        let start = usize::try_from(place.start).ok().and_then(|start| start.checked_add(self.start));
        let end = start.zip(usize::try_from(place.bytes).ok()).and_then(|(start, bytes)| start.checked_add(bytes));
        let range = start.zip(end).map(|(start, end)| start..end).filter(|range| range.end <= self.content.len());
        let bytes = self.content.slice(range.ok_or(SnapshotError::Broken("it is cut short"))?);
        if xxh3_64(&bytes) != place.checksum {
            return Err(SnapshotError::Broken("an array's checksum"));
        }
        Array::mapped(bytes).ok_or(SnapshotError::Broken("an array's size"))
    }

    fn table(&mut self) -> Result<Table, SnapshotError> {
        Ok(Table {
            positions: self.next()?,
            ids: self.next()?,
            boxes: self.next()?,
            shapes: self.next()?,
            parts: self.next()?,
            starts: self.next()?,
            places: self.next()?,
            labels: self.next()?,
            counts: self.next()?,
            codes: self.next()?,
        })
    }
}
