//! Mapbox Vector Tile 2.1.

use std::borrow::Cow;
use std::collections::HashMap;
use std::hash::BuildHasherDefault;

use layers::Value;
use prost::encoding::{WireType, encode_key, encode_varint};
use xxhash_rust::xxh3::Xxh3Default;

use crate::EXTENT;
use crate::cut::{Cut, Unit};
use crate::index::GeometryKind;

/// A value as a layer of a tile holds it: the field `values` with the message
/// `Value`. None for what a tile does not hold: no value, documents, numbers
/// that are none.
pub(crate) fn value(value: &Value) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    match value {
        Value::Text(text) => message(1, text.as_bytes(), &mut bytes),
        Value::Number(number) if number.is_finite() => prost::encoding::double::encode(3, number, &mut bytes),
        Value::Integer(number) if *number >= 0 => prost::encoding::uint64::encode(5, &(*number as u64), &mut bytes),
        Value::Integer(number) => prost::encoding::sint64::encode(6, number, &mut bytes),
        Value::Boolean(flag) => prost::encoding::bool::encode(7, flag, &mut bytes),
        Value::Date(date) => message(1, date.to_string().as_bytes(), &mut bytes),
        Value::DateTime(instant) => {
            let text = instant.format("%Y-%m-%dT%H:%M:%S%.6f").to_string();
            let text = format!("{}Z", text.trim_end_matches('0').trim_end_matches('.'));
            message(1, text.as_bytes(), &mut bytes);
        }
        Value::Null | Value::Json(_) | Value::Number(_) => return None,
    }
    let mut field = Vec::with_capacity(bytes.len() + 3);
    message(4, &bytes, &mut field);
    Some(field)
}

fn message(tag: u32, content: &[u8], bytes: &mut Vec<u8>) {
    encode_key(tag, WireType::LengthDelimited, bytes);
    encode_varint(content.len() as u64, bytes);
    bytes.extend_from_slice(content);
}

/// Appends a number as protobuf's varint: most have a byte or two, and the
/// general form costs several times as much.
fn varint(number: u32, bytes: &mut Vec<u8>) {
    if number < 1 << 7 {
        bytes.push(number as u8);
    } else if number < 1 << 14 {
        bytes.extend_from_slice(&[number as u8 | 0x80, (number >> 7) as u8]);
    } else {
        encode_varint(number.into(), bytes);
    }
}

/// Writes one layer of a tile.
#[derive(Debug)]
pub(crate) struct LayerWriter<'a> {
    name: Cow<'a, str>,
    features: Vec<u8>,
    keys: Vec<&'a str>,
    values: Vec<u8>,
    value_count: u32,
    known: HashMap<Cow<'a, [u8]>, u32, BuildHasherDefault<Xxh3Default>>,
    tags: Vec<u8>,
    geometry: Vec<u8>,
}

impl<'a> LayerWriter<'a> {
    /// A layer with these keys.
    pub(crate) fn new(name: impl Into<Cow<'a, str>>, keys: Vec<&'a str>) -> Self {
        Self {
            name: name.into(),
            features: Vec::new(),
            keys,
            values: Vec::new(),
            value_count: 0,
            known: HashMap::default(),
            tags: Vec::new(),
            geometry: Vec::new(),
        }
    }

    /// Makes room for so many features with so many places, about.
    pub(crate) fn reserve(&mut self, features: usize, places: usize) {
        // Id, tags and lengths; most steps between places have three bytes.
        self.features.reserve(features * (12 + 4 * self.keys.len()) + places * 3);
        self.values.reserve(features * 16);
    }

    /// Writes a value that is not in the layer yet, and returns its number.
    pub(crate) fn new_value(&mut self, field: &[u8]) -> u32 {
        self.values.extend_from_slice(field);
        self.value_count += 1;
        self.value_count - 1
    }

    /// The number of a value, which is written when it is new. All values of
    /// a layer come this way, or none.
    pub(crate) fn value(&mut self, field: Cow<'a, [u8]>) -> u32 {
        if let Some(number) = self.known.get(&field) {
            return *number;
        }
        let number = self.new_value(&field);
        self.known.insert(field, number);
        number
    }

    /// A value of the feature that [`Self::feature`] writes next.
    pub(crate) fn tag(&mut self, key: u32, value: u32) {
        varint(key, &mut self.tags);
        varint(value, &mut self.tags);
    }

    /// Writes a feature with the tags since the last one.
    pub(crate) fn feature(&mut self, id: Option<u64>, kind: GeometryKind, cut: &Cut) {
        self.geometry.clear();
        commands(kind, cut, &mut self.geometry);
        // The parts that come before the geometry, to know their length.
        let mut head = [0_u8; 32];
        let mut rest = &mut head[..];
        if let Some(id) = id {
            encode_key(1, WireType::Varint, &mut rest);
            encode_varint(id, &mut rest);
        }
        if !self.tags.is_empty() {
            encode_key(2, WireType::LengthDelimited, &mut rest);
            encode_varint(self.tags.len() as u64, &mut rest);
        }
        let before_tags = 32 - rest.len();
        let mut rest = &mut head[before_tags..];
        encode_key(3, WireType::Varint, &mut rest);
        encode_varint(kind as u64 + 1, &mut rest);
        encode_key(4, WireType::LengthDelimited, &mut rest);
        encode_varint(self.geometry.len() as u64, &mut rest);
        let before_geometry = 32 - rest.len();
        let length = before_geometry + self.tags.len() + self.geometry.len();
        self.features.push(2 << 3 | WireType::LengthDelimited as u8);
        varint(length as u32, &mut self.features);
        self.features.extend_from_slice(&head[..before_tags]);
        self.features.extend_from_slice(&self.tags);
        self.features.extend_from_slice(&head[before_tags..before_geometry]);
        self.features.extend_from_slice(&self.geometry);
        self.tags.clear();
    }

    /// Appends the layer to a tile; nothing where it has no features.
    pub(crate) fn finish(self, tile: &mut Vec<u8>) {
        if self.features.is_empty() {
            return;
        }
        let mut head = Vec::new();
        prost::encoding::uint32::encode(15, &2, &mut head);
        message(1, self.name.as_bytes(), &mut head);
        let mut keys = Vec::new();
        for key in &self.keys {
            message(3, key.as_bytes(), &mut keys);
        }
        let mut tail = Vec::new();
        prost::encoding::uint32::encode(5, &EXTENT, &mut tail);
        let length = head.len() + self.features.len() + keys.len() + self.values.len() + tail.len();
        // No more: a tile may be kept for long.
        tile.reserve_exact(length + 8);
        encode_key(3, WireType::LengthDelimited, tile);
        encode_varint(length as u64, tile);
        for part in [&head, &self.features, &keys, &self.values, &tail] {
            tile.extend_from_slice(part);
        }
    }
}

const MOVE_TO: u32 = 1;
const LINE_TO: u32 = 2;
const CLOSE_PATH: u32 = 7;

/// The geometry's commands (MVT 2.1, 4.3).
fn commands(kind: GeometryKind, cut: &Cut, bytes: &mut Vec<u8>) {
    let mut cursor = [0, 0];
    let command = |id: u32, count: usize, bytes: &mut Vec<u8>| varint(id | (count as u32) << 3, bytes);
    for part in cut.parts() {
        match kind {
            GeometryKind::Points => {
                command(MOVE_TO, part.len(), bytes);
                go(part, &mut cursor, bytes);
            }
            GeometryKind::Lines | GeometryKind::Areas => {
                command(MOVE_TO, 1, bytes);
                go(&part[..1], &mut cursor, bytes);
                command(LINE_TO, part.len() - 1, bytes);
                go(&part[1..], &mut cursor, bytes);
                if kind == GeometryKind::Areas {
                    command(CLOSE_PATH, 1, bytes);
                }
            }
        }
    }
}

fn go(part: &[Unit], cursor: &mut Unit, bytes: &mut Vec<u8>) {
    for unit in part {
        for axis in 0..2 {
            let step = unit[axis] - cursor[axis];
            varint(((step << 1) ^ (step >> 31)) as u32, bytes);
        }
        *cursor = *unit;
    }
}
