//! The first look at a source: what its columns hold, what its geometries
//! are, where they lie.

use std::ops::ControlFlow;

use layers::{Dimension, GeometryType};

use super::cell::Cell;
use super::coordinates::Coordinates;
use super::decode::{self, Bytes};
use super::format::Format;
use super::infer::Guess;
use super::shape::{Kind, Shape};
use super::source::{Geometries, Source};
use super::valid::{self, Validity};

/// Positions kept to judge the CRS by.
const SAMPLE: usize = 1000;
/// Rows looked at where the source's own word on types can be trusted.
const TRUSTED: u64 = 1000;

/// What the first look found.
#[derive(Debug, Default)]
pub(super) struct Survey {
    pub(super) guesses: Vec<Guess>,
    /// Whether any row has a value, column by column.
    pub(super) filled: Vec<bool>,
    pub(super) sample: Vec<(f64, f64)>,
    pub(super) bytes: Bytes,
    /// How many rows there are, where all were looked at.
    pub(super) rows: Option<u64>,
    /// Numbers of so many digits that some may be lost.
    pub(super) long_numbers: Vec<bool>,
    /// Fields of JSON that hold bare texts too.
    pub(super) not_json: Vec<bool>,
    kinds: Vec<Kind>,
    has_z: bool,
    has_m: bool,
    broken: Option<String>,
    /// Rows looked at.
    pub(super) seen: u64,
    /// Some polygon is so invalid that its repair has several parts.
    splits: bool,
}

impl Survey {
    /// Looks at all rows, or at the first of a source whose types can be
    /// trusted. `coordinates`: where a table's geometry is.
    pub(super) fn take(source: &mut Source, coordinates: Option<&Coordinates>, most_vertices: usize) -> Self {
        let table = source.table().clone();
        let all = !table.format.types_are_reliable()
            || !matches!(table.geometry, Geometries::All { z: false, m: false, .. } | Geometries::None);
        let columns = table.fields.len();
        let mut survey = Self {
            guesses: vec![Guess::default(); columns],
            filled: vec![false; columns],
            long_numbers: vec![false; columns],
            not_json: vec![false; columns],
            ..Self::default()
        };
        let infer: Vec<bool> = table.fields.iter().map(|field| field.kind.is_none()).collect();
        let as_bytes = table.format == Format::Shapefile;
        if as_bytes {
            for field in &table.fields {
                survey.bytes.see(&decode::bytes_of_latin1(&field.name));
            }
        }
        let mut rows = 0;
        let mut positions = 0;
        let outcome = source.for_each(&mut |record| {
            rows += 1;
            for (i, cell) in record.cells.iter().enumerate() {
                survey.filled[i] |= *cell != Cell::Null;
                match cell {
                    Cell::Text(text) if infer[i] => survey.guesses[i].see(text),
                    Cell::Text(text) if as_bytes => survey.bytes.see(&decode::bytes_of_latin1(text)),
                    Cell::Number(number) if number.abs() >= 1e15 && number.fract() == 0.0 => {
                        survey.long_numbers[i] = true;
                    }
                    Cell::Json(text) => survey.not_json[i] |= !text.starts_with(['{', '[']),
                    _ => {}
                }
            }
            let geometry = match coordinates {
                Some(coordinates) => coordinates.shape(&record.cells, most_vertices),
                None => record.geometry,
            };
            if let Ok(Some(shape)) = geometry {
                survey.see(&shape);
                positions += 1;
                let middle = shape.x.len() / 2;
                let position = (shape.x[middle], shape.y[middle]);
                if survey.sample.len() < SAMPLE {
                    survey.sample.push(position);
                } else if positions % 17 == 0 {
                    survey.sample[positions / 17 % SAMPLE] = position;
                }
            }
            if all || rows < TRUSTED { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        });
        survey.broken = outcome.err();
        survey.rows = all.then_some(rows);
        survey.seen = rows;
        survey
    }

    fn see(&mut self, shape: &Shape) {
        if !self.kinds.contains(&shape.kind) {
            self.kinds.push(shape.kind);
        }
        if shape.kind == Kind::Polygon && !self.splits {
            let mut repaired = shape.clone();
            self.splits = valid::ensure(&mut repaired) != Validity::Valid && repaired.parts.len() > 1;
        }
        // A height of zero everywhere is a height that nobody measured.
        self.has_z |= shape.z.iter().any(|z| *z != 0.0 && z.is_finite());
        self.has_m |= shape.m.iter().any(|m| *m != 0.0 && m.is_finite());
    }

    /// Why the source ended before its end.
    pub(super) fn broken(&self) -> Option<&str> {
        self.broken.as_deref()
    }

    /// The geometry type of the layer: the source's word where it can be
    /// trusted, else the narrowest that holds every geometry seen.
    pub(super) fn geometry_type(&self, declared: Geometries, reliable: bool) -> GeometryType {
        if let (Geometries::All { kind, .. }, true) = (declared, reliable) {
            return kind;
        }
        let mut types = self.kinds.iter().map(|kind| kind.multi());
        let Some(first) = types.next() else {
            return match declared {
                Geometries::All { kind, .. } => kind,
                _ => GeometryType::Geometry,
            };
        };
        if !types.all(|kind| kind == first) {
            return GeometryType::Geometry;
        }
        match self.kinds[..] {
            [only] if !self.splits => only.geometry_type(),
            _ => first.geometry_type(),
        }
    }

    /// The ordinates that mean something.
    pub(super) fn dimension(&self) -> Dimension {
        Dimension::new(self.has_z, self.has_m)
    }
}
