//! Mapbox Vector Tile 2.1.

use std::collections::HashMap;

use layers::Value;
use prost::encoding::{WireType, encode_key, encode_varint, encoded_len_varint};

use crate::EXTENT;
use crate::cut::{Cut, Unit};
use crate::index::GeometryKind;

/// A message `Value` of the format; none for what a tile does not hold: no
/// value, documents, numbers that are none.
pub(crate) fn value(value: &Value) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    match value {
        Value::Text(text) => string(1, text, &mut bytes),
        Value::Number(number) if number.is_finite() => prost::encoding::double::encode(3, number, &mut bytes),
        Value::Integer(number) if *number >= 0 => prost::encoding::uint64::encode(5, &(*number as u64), &mut bytes),
        Value::Integer(number) => prost::encoding::sint64::encode(6, number, &mut bytes),
        Value::Boolean(flag) => prost::encoding::bool::encode(7, flag, &mut bytes),
        Value::Date(date) => string(1, &date.to_string(), &mut bytes),
        Value::DateTime(instant) => {
            let text = instant.format("%Y-%m-%dT%H:%M:%S%.6f").to_string();
            string(1, &format!("{}Z", text.trim_end_matches('0').trim_end_matches('.')), &mut bytes);
        }
        Value::Null | Value::Json(_) | Value::Number(_) => return None,
    }
    Some(bytes)
}

fn string(tag: u32, text: &str, bytes: &mut Vec<u8>) {
    message(tag, text.as_bytes(), bytes);
}

fn message(tag: u32, content: &[u8], bytes: &mut Vec<u8>) {
    encode_key(tag, WireType::LengthDelimited, bytes);
    encode_varint(content.len() as u64, bytes);
    bytes.extend_from_slice(content);
}

/// Writes one layer of a tile.
#[derive(Debug)]
pub(crate) struct LayerWriter {
    name: String,
    features: Vec<u8>,
    keys: Vec<String>,
    values: Vec<u8>,
    value_count: u32,
    known: HashMap<Box<[u8]>, u32>,
    tags: Vec<u8>,
    geometry: Vec<u8>,
}

impl LayerWriter {
    /// A layer with these keys.
    pub(crate) fn new(name: &str, keys: Vec<String>) -> Self {
        Self {
            name: name.to_owned(),
            features: Vec::new(),
            keys,
            values: Vec::new(),
            value_count: 0,
            known: HashMap::new(),
            tags: Vec::new(),
            geometry: Vec::new(),
        }
    }

    /// The number of a value in this layer, which is written when it is new.
    pub(crate) fn value(&mut self, bytes: &[u8]) -> u32 {
        if let Some(number) = self.known.get(bytes) {
            return *number;
        }
        message(4, bytes, &mut self.values);
        let number = self.value_count;
        self.value_count += 1;
        self.known.insert(bytes.into(), number);
        number
    }

    /// A value of the feature that [`Self::feature`] writes next.
    pub(crate) fn tag(&mut self, key: usize, value: u32) {
        encode_varint(key as u64, &mut self.tags);
        encode_varint(value.into(), &mut self.tags);
    }

    /// Writes a feature with the tags since the last one.
    pub(crate) fn feature(&mut self, id: Option<u64>, kind: GeometryKind, cut: &Cut) {
        self.geometry.clear();
        commands(kind, cut, &mut self.geometry);
        let sized = |length: usize| 1 + encoded_len_varint(length as u64) + length;
        let length = id.map_or(0, |id| 1 + encoded_len_varint(id))
            + if self.tags.is_empty() { 0 } else { sized(self.tags.len()) }
            + 2
            + sized(self.geometry.len());
        encode_key(2, WireType::LengthDelimited, &mut self.features);
        encode_varint(length as u64, &mut self.features);
        if let Some(id) = id {
            encode_key(1, WireType::Varint, &mut self.features);
            encode_varint(id, &mut self.features);
        }
        if !self.tags.is_empty() {
            message(2, &self.tags, &mut self.features);
        }
        encode_key(3, WireType::Varint, &mut self.features);
        encode_varint(kind as u64 + 1, &mut self.features);
        message(4, &self.geometry, &mut self.features);
        self.tags.clear();
    }

    /// Appends the layer to a tile; nothing where it has no features.
    pub(crate) fn finish(self, tile: &mut Vec<u8>) {
        if self.features.is_empty() {
            return;
        }
        let mut head = Vec::new();
        prost::encoding::uint32::encode(15, &2, &mut head);
        string(1, &self.name, &mut head);
        let mut tail = Vec::new();
        for key in &self.keys {
            string(3, key, &mut tail);
        }
        tail.extend_from_slice(&self.values);
        prost::encoding::uint32::encode(5, &EXTENT, &mut tail);
        encode_key(3, WireType::LengthDelimited, tile);
        encode_varint((head.len() + self.features.len() + tail.len()) as u64, tile);
        tile.reserve(head.len() + self.features.len() + tail.len());
        tile.extend_from_slice(&head);
        tile.extend_from_slice(&self.features);
        tile.extend_from_slice(&tail);
    }
}

const MOVE_TO: u64 = 1;
const LINE_TO: u64 = 2;
const CLOSE_PATH: u64 = 7;

/// The geometry's commands (MVT 2.1, 4.3).
fn commands(kind: GeometryKind, cut: &Cut, bytes: &mut Vec<u8>) {
    let mut cursor = [0, 0];
    let command = |id: u64, count: usize, bytes: &mut Vec<u8>| encode_varint(id | (count as u64) << 3, bytes);
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
            encode_varint(u64::from(((step << 1) ^ (step >> 31)) as u32), bytes);
        }
        *cursor = *unit;
    }
}
