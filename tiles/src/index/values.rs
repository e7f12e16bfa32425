use std::io;
use std::ops::Range;

use hashbrown::HashTable;
use xxhash_rust::xxh3::xxh3_64;

use super::array::Array;
use super::column::{Column, Scratch};
use crate::encode::mvt;

/// The distinct values of all attributes, each as a tile's layer holds it. A
/// feature has codes of them: 0 is no value, n the value n - 1.
#[derive(Debug, Default)]
pub(crate) struct Values {
    /// Where each ends in `bytes`.
    pub(super) ends: Array<u32>,
    pub(super) bytes: Array<u8>,
}

impl Values {
    /// The value of a code that is not 0, as a tile's layer holds it.
    pub(crate) fn get(&self, code: u32) -> &[u8] {
        self.view().get(code)
    }

    /// The values with their arrays found, to be read many times.
    pub(crate) fn view(&self) -> ValuesView<'_> {
        ValuesView { ends: &self.ends, bytes: &self.bytes }
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.ends.len()
    }

    /// Whether every value lies within the bytes.
    pub(super) fn is_whole(&self) -> bool {
        self.ends.is_sorted() && self.ends.last().map_or(0, |end| *end as usize) == self.bytes.len()
    }

    /// Bytes of the values whose codes are `first` or more.
    pub(super) fn bytes_from(&self, first: u32) -> usize {
        let before = (first as usize).checked_sub(2).and_then(|last| self.ends.get(last));
        self.bytes.len() - before.map_or(0, |end| *end as usize)
    }

    pub(crate) fn owned_bytes(&self) -> usize {
        self.ends.owned_bytes() + self.bytes.owned_bytes()
    }
}

/// Values, to be read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ValuesView<'a> {
    ends: &'a [u32],
    bytes: &'a [u8],
}

impl<'a> ValuesView<'a> {
    /// As [`Values::get`].
    pub(crate) fn get(self, code: u32) -> &'a [u8] {
        self.between(&(code..code + 1))
    }

    /// The values of codes that are not 0, one after the other.
    pub(crate) fn between(self, codes: &Range<u32>) -> &'a [u8] {
        if codes.is_empty() {
            return &[];
        }
        let (first, last) = (codes.start as usize - 1, codes.end as usize - 2);
        let start = if first == 0 { 0 } else { self.ends[first - 1] };
        &self.bytes[start as usize..self.ends[last] as usize]
    }
}

/// Gathers values, each once.
#[derive(Debug, Default)]
pub(crate) struct ValuesBuilder {
    /// Codes, found by the hash of their values.
    known: HashTable<u32>,
    ends: Vec<u32>,
    bytes: Vec<u8>,
    /// How often each was asked for, up to twice.
    uses: Vec<u8>,
}

impl ValuesBuilder {
    /// The code of an attribute's value.
    pub(crate) fn code(&mut self, value: &layers::Value) -> u32 {
        mvt::value(value).map_or(0, |bytes| self.code_of(&bytes))
    }

    /// The code of a value as a tile's layer holds it.
    pub(crate) fn code_of(&mut self, bytes: &[u8]) -> u32 {
        let (ends, all) = (&self.ends, &self.bytes);
        let value = |code: &u32| {
            let index = *code as usize - 1;
            let start = if index == 0 { 0 } else { ends[index - 1] };
            &all[start as usize..ends[index] as usize]
        };
        let hash = xxh3_64(bytes);
        if let Some(code) = self.known.find(hash, |code| value(code) == bytes) {
            self.uses[*code as usize - 1] = 2;
            return *code;
        }
        let code = self.ends.len() as u32 + 1;
        self.known.insert_unique(hash, code, |code| xxh3_64(value(code)));
        self.bytes.extend_from_slice(bytes);
        self.ends.push(self.bytes.len() as u32);
        self.uses.push(1);
        code
    }

    /// Bytes of all values.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes.len()
    }

    /// Bytes of memory that they take, about.
    pub(crate) fn owned_bytes(&self) -> usize {
        self.bytes.len() + self.ends.len() * size_of::<[u32; 4]>()
    }

    /// The values, those that are used once behind the others, each kind in
    /// the order in which `codes` (all that features have, in the features'
    /// order) come upon them: a tile's values lie side by side.
    pub(crate) fn finish(self, codes: impl Iterator<Item = u32>, scratch: &Scratch) -> io::Result<Renumbered> {
        let repeated = self.uses.iter().filter(|uses| **uses > 1).count() as u32;
        let (mut next, mut next_single) = (1, repeated + 1);
        let mut renumbered = vec![0_u32; self.ends.len()];
        let mut sources = vec![0_u32; self.ends.len()];
        for code in codes.filter(|code| *code != 0) {
            let old = code as usize - 1;
            if renumbered[old] == 0 {
                let next = if self.uses[old] > 1 { &mut next } else { &mut next_single };
                renumbered[old] = *next;
                sources[*next as usize - 1] = old as u32;
                *next += 1;
            }
        }
        let (mut ends, mut bytes) = (Column::new(scratch), Column::new(scratch));
        for old in sources.iter().map(|source| *source as usize) {
            let start = if old == 0 { 0 } else { self.ends[old - 1] };
            bytes.extend_from_slice(&self.bytes[start as usize..self.ends[old] as usize]);
            ends.push(bytes.len() as u32);
        }
        let values = Values { ends: ends.finish()?, bytes: bytes.finish()? };
        Ok(Renumbered { values, first_single: repeated + 1, codes: renumbered })
    }
}

/// Values in their last order.
pub(crate) struct Renumbered {
    pub(crate) values: Values,
    /// Codes from this one on are used once.
    pub(crate) first_single: u32,
    /// The new codes, by the former ones less one.
    codes: Vec<u32>,
}

impl Renumbered {
    /// What became of a code.
    pub(crate) fn code(&self, former: u32) -> u32 {
        if former == 0 { 0 } else { self.codes[former as usize - 1] }
    }
}
