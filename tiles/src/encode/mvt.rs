//! Mapbox Vector Tile 2.1.

use std::borrow::Cow;
use std::collections::HashMap;
use std::hash::BuildHasherDefault;

use bytes::Bytes;
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
/// general form costs several times as much. (Writing two and taking one back,
/// without a branch, costs a tenth of a tile more.)
fn varint(number: u32, bytes: &mut Vec<u8>) {
    if number < 1 << 7 {
        bytes.push(number as u8);
    } else if number < 1 << 14 {
        bytes.extend_from_slice(&[number as u8 | 0x80, (number >> 7) as u8]);
    } else {
        encode_varint(number.into(), bytes);
    }
}

/// Opens a message whose length comes with [`close`]; returns where its
/// content begins.
fn open(tag: u32, bytes: &mut Vec<u8>) -> usize {
    encode_key(tag, WireType::LengthDelimited, bytes);
    bytes.push(0);
    bytes.len()
}

/// Writes the length of the message that ends with the bytes: most have one
/// byte of it, for which there is room.
fn close(start: usize, bytes: &mut Vec<u8>) {
    let length = bytes.len() - start;
    if length < 1 << 7 {
        bytes[start - 1] = length as u8;
        return;
    }
    let mut head = Vec::with_capacity(5);
    varint(length as u32, &mut head);
    bytes.splice(start - 1..start, head);
}

/// Writes one layer of a tile: for each feature [`Self::begin`], its tags,
/// [`Self::end`].
#[derive(Debug)]
pub(crate) struct LayerWriter<'a> {
    name: Cow<'a, str>,
    /// Room for what comes before them, and the features.
    features: Vec<u8>,
    keys: Vec<&'a str>,
    values: Vec<u8>,
    value_count: u32,
    known: HashMap<Cow<'a, [u8]>, u32, BuildHasherDefault<Xxh3Default>>,
    /// Where the content begins of the feature that is being written, and of
    /// its tags.
    feature: usize,
    tags: usize,
}

/// Key and length of the layer, its version, key and length of its name.
const HEAD: usize = 16;

impl<'a> LayerWriter<'a> {
    /// A layer with these keys.
    pub(crate) fn new(name: impl Into<Cow<'a, str>>, keys: Vec<&'a str>) -> Self {
        let name = name.into();
        Self {
            features: vec![0; HEAD + name.len()],
            name,
            keys,
            values: Vec::new(),
            value_count: 0,
            known: HashMap::default(),
            feature: 0,
            tags: 0,
        }
    }

    /// Makes room for so many features with so many places, about, whose
    /// values have so many bytes.
    pub(crate) fn reserve(&mut self, features: usize, places: usize, values: usize) {
        // Id, tags and lengths; most steps between places have three bytes.
        self.features.reserve(features * (12 + 4 * self.keys.len()) + places * 3 + values);
        self.values.reserve(values);
    }

    /// The number of the next value, which [`Self::write_values`] writes.
    pub(crate) fn number_value(&mut self) -> u32 {
        self.value_count += 1;
        self.value_count - 1
    }

    /// Writes the next values that have a number.
    pub(crate) fn write_values(&mut self, fields: &[u8]) {
        self.values.extend_from_slice(fields);
    }

    /// The number of a value, which is written when it is new. All values of
    /// a layer come this way, or none.
    pub(crate) fn value(&mut self, field: Cow<'a, [u8]>) -> u32 {
        if let Some(number) = self.known.get(&field) {
            return *number;
        }
        self.write_values(&field);
        let number = self.number_value();
        self.known.insert(field, number);
        number
    }

    /// Begins a feature.
    pub(crate) fn begin(&mut self, id: Option<u64>) {
        self.feature = open(2, &mut self.features);
        if let Some(id) = id {
            prost::encoding::uint64::encode(1, &id, &mut self.features);
        }
        self.tags = open(2, &mut self.features);
    }

    /// A value of the feature.
    pub(crate) fn tag(&mut self, key: u32, value: u32) {
        varint(key, &mut self.features);
        varint(value, &mut self.features);
    }

    /// Ends the feature with its geometry.
    pub(crate) fn end(&mut self, kind: GeometryKind, cut: &Cut) {
        let bytes = &mut self.features;
        if bytes.len() == self.tags {
            // None: neither is their key.
            bytes.truncate(self.tags - 2);
        } else {
            close(self.tags, bytes);
        }
        prost::encoding::uint32::encode(3, &(kind as u32 + 1), bytes);
        let geometry = open(4, bytes);
        commands(kind, cut, bytes);
        close(geometry, bytes);
        close(self.feature, bytes);
    }

    /// The layer, and other layers' bytes behind it; only those where it has
    /// no features.
    pub(crate) fn finish(self, behind: &[u8]) -> Bytes {
        let room = HEAD + self.name.len();
        let mut bytes = self.features;
        if bytes.len() == room {
            return Bytes::copy_from_slice(behind);
        }
        let mut keys = Vec::new();
        for key in &self.keys {
            message(3, key.as_bytes(), &mut keys);
        }
        let mut tail = Vec::new();
        prost::encoding::uint32::encode(5, &EXTENT, &mut tail);
        bytes.reserve_exact(keys.len() + self.values.len() + tail.len() + behind.len());
        for part in [&keys, &self.values, &tail] {
            bytes.extend_from_slice(part);
        }
        let mut inner = Vec::with_capacity(room);
        prost::encoding::uint32::encode(15, &2, &mut inner);
        message(1, self.name.as_bytes(), &mut inner);
        let mut head = Vec::with_capacity(room);
        encode_key(3, WireType::LengthDelimited, &mut head);
        encode_varint((inner.len() + bytes.len() - room) as u64, &mut head);
        head.extend_from_slice(&inner);
        // Right before the features, of which no byte is moved.
        let start = room - head.len();
        bytes[start..room].copy_from_slice(&head);
        bytes.extend_from_slice(behind);
        Bytes::from(bytes).slice(start..)
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
