//! From records to COPY tuples: attributes converted and checked, geometries
//! reprojected a batch at a time, made valid, and written as EWKB.

use std::io::{self, Write};
use std::time::Instant;

use chrono::{DateTime, NaiveDate};
use layers::crs::{ORIGEN_NACIONAL, ORIGEN_NACIONAL_BOX, Transformation};
use layers::{AttributeType, Dimension, GeometryType};

use super::cell::Cell;
use super::columns::Column;
use super::shape::Shape;
use super::source::Record;
use super::valid::{self, Validity};
use crate::import::protocol::{Frame, RejectedRow, Rejection, Summary};

/// A batch goes out at so many positions or bytes: PROJ is called once a batch.
const POSITIONS: usize = 1 << 14;
const BYTES: usize = 1 << 20;
/// And at least so often, so that progress is seen.
const PATIENCE: std::time::Duration = std::time::Duration::from_millis(500);

/// How rows are written.
pub(super) struct Writer<'a, W> {
    pub(super) out: W,
    pub(super) columns: &'a [Column],
    /// The source's field names, for rejected rows.
    pub(super) names: &'a [String],
    /// Type and ordinates of the geometry; none for a table.
    pub(super) geometry: Option<(GeometryType, Dimension)>,
    /// To the storage CRS; none where the source is in it.
    pub(super) transformation: Option<Transformation>,
    pub(super) swap_xy: bool,
    pub(super) allow_outside: bool,
    /// Rows without geometry become features all the same.
    pub(super) keep_empty: bool,
    pub(super) summary: Summary,
    pending: Vec<Pending>,
    x: Vec<f64>,
    y: Vec<f64>,
    tuples: Vec<u8>,
    rows: u32,
    sent: Instant,
}

struct Pending {
    number: u64,
    cells: Vec<Cell>,
    attributes: Vec<u8>,
    shape: Option<Shape>,
}

impl<'a, W: Write> Writer<'a, W> {
    pub(super) fn new(out: W, columns: &'a [Column], names: &'a [String]) -> Self {
        Self {
            out,
            columns,
            names,
            geometry: None,
            transformation: None,
            swap_xy: false,
            allow_outside: false,
            keep_empty: false,
            summary: Summary::default(),
            pending: Vec::new(),
            x: Vec::new(),
            y: Vec::new(),
            tuples: Vec::with_capacity(BYTES + BYTES / 4),
            rows: 0,
            sent: Instant::now(),
        }
    }

    /// Takes one record; its tuple goes out with its batch.
    pub(super) fn take(&mut self, record: Record) -> io::Result<()> {
        self.summary.read += 1;
        let Record { number, cells, geometry, problem } = record;
        let mut attributes = Vec::with_capacity(16 * self.columns.len());
        let mut objection = problem.map(|reason| (None, reason, None));
        for column in self.columns {
            if objection.is_some() {
                break;
            }
            let cell = column.source.and_then(|source| cells.get(source)).unwrap_or(&Cell::Null);
            objection = encode_checked(column, cell, &mut attributes).err().map(|reason| {
                let field = column.source.map_or(&column.attribute.name, |source| &self.names[source]);
                (Some(field.clone()), reason, Some(cell.to_text()))
            });
        }
        let shape = match geometry {
            Ok(shape) => shape,
            Err(reason) => {
                objection = objection.or(Some((None, reason, None)));
                None
            }
        };
        if self.geometry.is_some() && shape.is_none() && !self.keep_empty {
            objection = objection.or_else(|| {
                Some((None, "the row has no geometry; --keep-empty loads it all the same".to_owned(), None))
            });
        }
        if let Some((field, reason, value)) = objection {
            return self.reject(number, field, reason, value, &cells, shape.as_ref());
        }
        if let Some(shape) = &shape {
            let (x, y) = if self.swap_xy { (&shape.y, &shape.x) } else { (&shape.x, &shape.y) };
            self.x.extend_from_slice(x);
            self.y.extend_from_slice(y);
        }
        self.pending.push(Pending { number, cells, attributes, shape });
        if self.x.len() >= POSITIONS || self.pending.len() >= 4096 {
            self.transform()?;
        }
        Ok(())
    }

    /// Tells the record as the source has it where it is one of those asked for.
    pub(super) fn echo(&mut self, record: Record, wanted: &[u64]) -> io::Result<()> {
        if !wanted.contains(&record.number) {
            return Ok(());
        }
        let shape = record.geometry.unwrap_or_default();
        self.reject(record.number, None, String::new(), None, &record.cells, shape.as_ref())
    }

    /// Ends: what is pending goes out, then the summary.
    pub(super) fn finish(mut self) -> io::Result<()> {
        self.transform()?;
        self.send()?;
        Frame::Done(std::mem::take(&mut self.summary)).write(&mut self.out)
    }

    /// Reprojects the pending geometries together and writes their tuples.
    fn transform(&mut self) -> io::Result<()> {
        if let Some(transformation) = &self.transformation {
            // A position that PROJ cannot transform comes back infinite, and
            // rejects its own row below.
            let _ = transformation.operation().transform_coords(&mut self.x, &mut self.y, &mut []);
        }
        let (xs, ys) = (std::mem::take(&mut self.x), std::mem::take(&mut self.y));
        let mut at = 0;
        for mut row in std::mem::take(&mut self.pending) {
            let Some(mut shape) = row.shape.take() else {
                self.tuple(&row, None);
                continue;
            };
            let range = at..at + shape.x.len();
            at = range.end;
            // The source's own positions stay at hand for a rejection.
            let original = (
                std::mem::replace(&mut shape.x, xs[range.clone()].to_vec()),
                std::mem::replace(&mut shape.y, ys[range].to_vec()),
            );
            let parts = (shape.kind, shape.parts.clone());
            if let Err((reason, value)) = self.place(&mut shape, &original) {
                let source = Shape { x: original.0, y: original.1, kind: parts.0, parts: parts.1, ..Shape::default() };
                self.reject(row.number, None, reason, value, &row.cells, Some(&source))?;
                continue;
            }
            self.tuple(&row, Some(&shape));
            if self.tuples.len() >= BYTES || self.sent.elapsed() > PATIENCE {
                self.send()?;
            }
        }
        self.x = xs;
        self.y = ys;
        self.x.clear();
        self.y.clear();
        Ok(())
    }

    /// Checks a reprojected shape and makes it valid and of the layer's type.
    fn place(&mut self, shape: &mut Shape, original: &(Vec<f64>, Vec<f64>)) -> Result<(), (String, Option<String>)> {
        let [west, south, east, north] = ORIGEN_NACIONAL_BOX;
        for (i, (x, y)) in shape.x.iter().zip(&shape.y).enumerate() {
            let inside = x.is_finite()
                && y.is_finite()
                && (self.allow_outside || ((west..=east).contains(x) && (south..=north).contains(y)));
            if !inside {
                let value = original.0.get(i).zip(original.1.get(i)).map(|(x, y)| format!("{x}, {y}"));
                return Err(("a coordinate lies outside Colombia".to_owned(), value));
            }
        }
        match valid::ensure(shape) {
            Validity::Valid => {}
            Validity::Repaired(what) => {
                self.summary.repaired += 1;
                *self.summary.repairs.entry(what).or_default() += 1;
            }
            Validity::Invalid(reason) => return Err((reason, None)),
        }
        let Some((target, _)) = self.geometry else { return Ok(()) };
        if !shape.fits(target) {
            return Err((
                format!(
                    "it is a {} in a layer of {}; --geometry says another type",
                    shape.kind.geometry_type().code(),
                    target.code()
                ),
                None,
            ));
        }
        Ok(())
    }

    fn tuple(&mut self, row: &Pending, shape: Option<&Shape>) {
        let fields = 1 + self.columns.len() + usize::from(self.geometry.is_some());
        let out = &mut self.tuples;
        out.extend_from_slice(&(fields as i16).to_be_bytes());
        field(out, &(row.number as i64).to_be_bytes());
        out.extend_from_slice(&row.attributes);
        if let Some((target, dimension)) = self.geometry {
            match shape {
                None => out.extend_from_slice(&(-1_i32).to_be_bytes()),
                Some(shape) => {
                    let length = out.len();
                    out.extend_from_slice(&[0; 4]);
                    shape.write_ewkb(out, target, dimension, ORIGEN_NACIONAL);
                    let written = (out.len() - length - 4) as i32;
                    out[length..length + 4].copy_from_slice(&written.to_be_bytes());
                }
            }
        }
        self.rows += 1;
    }

    fn send(&mut self) -> io::Result<()> {
        if self.rows > 0 {
            let frame = Frame::Rows(self.rows, std::mem::take(&mut self.tuples));
            frame.write(&mut self.out)?;
            if let Frame::Rows(_, mut tuples) = frame {
                tuples.clear();
                self.tuples = tuples;
            }
            self.rows = 0;
        }
        self.sent = Instant::now();
        Ok(())
    }

    fn reject(
        &mut self,
        number: u64,
        field: Option<String>,
        reason: String,
        value: Option<String>,
        cells: &[Cell],
        shape: Option<&Shape>,
    ) -> io::Result<()> {
        self.summary.rejected += 1;
        let value = value.map(|value| value.chars().take(200).collect());
        let geometry = shape
            .and_then(|shape| gdal::vector::Geometry::from_wkb(&shape.to_iso_wkb()).ok())
            .and_then(|geometry| geometry.json().ok())
            .and_then(|json| serde_json::from_str(&json).ok());
        let properties = self.names.iter().cloned().zip(cells.iter().map(Cell::to_json)).collect();
        let rejection = Rejection { row: number, field, reason, value };
        Frame::Rejected(Box::new(RejectedRow { rejection, properties, geometry })).write(&mut self.out)
    }
}

/// Appends a field of a tuple: its length, its bytes.
fn field(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend_from_slice(&(bytes.len() as i32).to_be_bytes());
    out.extend_from_slice(bytes);
}

/// Converts, checks and appends one attribute. The error says what is wrong.
fn encode_checked(column: &Column, cell: &Cell, out: &mut Vec<u8>) -> Result<(), String> {
    let converted;
    let cell = if is_of(cell, column.kind()) {
        cell
    } else {
        converted = cell.clone().convert(column.kind())?;
        &converted
    };
    if let Some(objection) = column.objection(cell) {
        return Err(objection);
    }
    encode(cell, out);
    Ok(())
}

/// Whether the cell is of that type already; JSON is always looked at.
fn is_of(cell: &Cell, kind: AttributeType) -> bool {
    matches!(
        (cell, kind),
        (Cell::Null, _)
            | (Cell::Text(_), AttributeType::Text)
            | (Cell::Integer(_), AttributeType::Integer)
            | (Cell::Number(_), AttributeType::Number)
            | (Cell::Boolean(_), AttributeType::Boolean)
            | (Cell::Date(_), AttributeType::Date)
            | (Cell::DateTime(_), AttributeType::DateTime)
    )
}

/// The cell in PostgreSQL's binary format.
fn encode(cell: &Cell, out: &mut Vec<u8>) {
    let epoch = NaiveDate::from_ymd_opt(2000, 1, 1).unwrap_or_default();
    match cell {
        Cell::Null => out.extend_from_slice(&(-1_i32).to_be_bytes()),
        Cell::Text(text) => field(out, text.as_bytes()),
        Cell::Integer(number) => field(out, &number.to_be_bytes()),
        Cell::Number(number) => field(out, &number.to_be_bytes()),
        Cell::Boolean(flag) => field(out, &[u8::from(*flag)]),
        Cell::Date(date) => field(out, &(date.signed_duration_since(epoch).num_days() as i32).to_be_bytes()),
        Cell::DateTime(instant) => {
            let epoch = epoch.and_hms_opt(0, 0, 0).unwrap_or_default().and_utc();
            let micros = DateTime::signed_duration_since(*instant, epoch).num_microseconds().unwrap_or_default();
            field(out, &micros.to_be_bytes());
        }
        Cell::Json(document) => {
            out.extend_from_slice(&(document.len() as i32 + 1).to_be_bytes());
            // The version of jsonb's format.
            out.push(1);
            out.extend_from_slice(document.as_bytes());
        }
    }
}
